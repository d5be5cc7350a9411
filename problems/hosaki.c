/*
 * Hosaki's function, f(x, y) = P(x) E(y), P = 1 - 8x + 7x^2 - 7x^3/3 + x^4/4, E = y^2 e^-y: two minima, (4, 2) and
 * (1, 2), and a saddle (2, 2) between them. P' = (x-1)(x-2)(x-4), E' = y (2-y) e^-y.
 *
 * It is meant for y >= 0 (customarily 0 <= x <= 5, 0 <= y <= 6): for y -> -infinity it has no lower bound, and y = 0
 * is a line of critical points.
 *
 * Source: G. A. Bekey and M. T. Ung, A comparative evaluation of two global search algorithms, IEEE Trans. Systems, Man
 * and Cybernetics SMC-4 (1974), 112-116.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/program.h"

#include <math.h>

static const double minimiser[2] = {4, 2};

static double polynomial(double x)
{
    return 1 + x * (-8 + x * (7 + x * (-7.0 / 3 + x / 4)));
}

static double polynomial_slope(double x)
{
    return (x - 1) * (x - 2) * (x - 4);
}

static double polynomial_curvature(double x)
{
    return 14 + x * (-14 + 3 * x);
}

/* decay[k] = e^-y[k] */
static void take_decay(size_t n, const double *y, double *decay)
{
    for (size_t k = 0; k < n; k++) {
        decay[k] = -y[k];
    }
    od_apply(OD_CODE_EXP, 0, n, decay);
}

static od_status hosaki_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                             double *ws)
{
    (void)problem;
    const double *y = x + n;
    double *decay = ws;
    take_decay(n, y, decay);
    for (size_t k = 0; k < n; k++) {
        const double p = polynomial(x[k]);
        if ((want & OD_VALUE) != 0) {
            f[k] = p * y[k] * y[k] * decay[k];
        }
        if ((want & OD_GRADIENT) != 0) {
            g[k] = polynomial_slope(x[k]) * y[k] * y[k] * decay[k];
            g[n + k] = p * y[k] * (2 - y[k]) * decay[k];
        }
    }
    return OD_OK;
}

static od_status hosaki_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u, double *hu,
                            double *ws)
{
    (void)problem;
    const double *y = x + n;
    double *decay = ws;
    take_decay(n, y, decay);
    for (size_t j = 0; j < m; j++) {
        const double *along = u + j * 2 * n;
        double *out = hu + j * 2 * n;
        for (size_t k = 0; k < n; k++) {
            const double xx = polynomial_curvature(x[k]) * y[k] * y[k] * decay[k];
            const double xy = polynomial_slope(x[k]) * y[k] * (2 - y[k]) * decay[k];
            const double yy = polynomial(x[k]) * (2 + y[k] * (y[k] - 4)) * decay[k];
            out[k] = xx * along[k] + xy * along[n + k];
            out[n + k] = xy * along[k] + yy * along[n + k];
        }
    }
    return OD_OK;
}

static od_status hosaki_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    (void)ctx;
    (void)s;
    problem->dim = 2;
    problem->scratch = (od_scratch){0, 1};
    problem->eval = hosaki_eval;
    problem->hvp = hosaki_hvp;
    problem->lipschitz = (od_constant){NAN, "none: the curvature grows without bound (3.2480 at the minimum (4, 2))"};
    problem->convexity = (od_constant){NAN, "none: the curvature is unbounded below"};
    problem->minimum = (od_constant){-INFINITY,
                                     "unbounded below as y -> -infinity; -52/3 e^-2 = -2.34581 over y >= 0, at (4, 2)"};
    problem->minimiser = minimiser;
    problem->minimiser_how = "closed form: the minimiser over y >= 0";
    return OD_OK;
}

const od_problem_type od_problem_hosaki = {
    .name = "hosaki",
    .summary = "Hosaki's function of two variables: two minima and a saddle between them",
    .source = "G. A. Bekey and M. T. Ung, IEEE Trans. Systems, Man and Cybernetics SMC-4 (1974), 112-116",
    .params = (const od_param[]){{.name = NULL}},
    .create = hosaki_create,
};
