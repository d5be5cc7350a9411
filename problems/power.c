/*
 * f(x) = c sum_i |x_i|^p, p >= 1: flat (p > 2) or sharp (p < 2) minima. p = 4 is the loss on which Nesterov's flow has
 * a closed solution, x0 / (1 + c x0^2 t^2/2), and on which "monotone, hence optimal" is refuted.
 *
 *   gradient  c p |x_i|^{p-1} sign(x_i), 0 at x_i = 0 (for p = 1 the middle of the subdifferential)
 *   Hessian   diag c p (p-1) |x_i|^{p-2}: infinite at x_i = 0 for 1 < p < 2, where only directions with u_i = 0 have a
 *             finite product; 0 for p = 1, whose kink carries all the curvature
 *
 * A whole p is raised by multiplication, any other by SLEEF's pow.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"
#include "../src/memory.h"
#include "../src/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WHOLE = 64, MAX_DIM = 100000000, TOGETHER = 128 };

typedef struct power {
    double p, c;
    double minimiser[];
} power;

/* out[k] = scale |x[k]|^e for n values; base[n] is scratch. */
OD_CLONES static void raise(double e, double scale, size_t n, const double *x, double *out, double *base)
{
    if (e < 0 || e > MAX_WHOLE || e != floor(e)) {
        for (size_t k = 0; k < n; k++) {
            out[k] = fabs(x[k]);
        }
        od_apply(OD_CODE_POWER_K, e, n, out);
        for (size_t k = 0; k < n; k++) {
            out[k] *= scale;
        }
        return;
    }
    for (size_t k = 0; k < n; k++) {
        base[k] = fabs(x[k]);
        out[k] = scale;
    }
    for (unsigned left = (unsigned)e; left > 0; left >>= 1) {
        for (size_t k = 0; k < n && (left & 1) != 0; k++) {
            out[k] *= base[k];
        }
        for (size_t k = 0; k < n && left > 1; k++) {
            base[k] *= base[k];
        }
    }
}

/* Components of n points that are raised together, so that few points fill vectors too; `left` remain. */
static size_t rows_from(size_t left, size_t n)
{
    const size_t rows = n < TOGETHER ? TOGETHER / n : 1;
    return left < rows ? left : rows;
}

OD_CLONES static od_status power_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f,
                                      double *g, double *ws)
{
    const power *q = problem->data;
    double *base = ws, *term = ws + n + TOGETHER;
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
        for (size_t i = 0, rows; i < problem->dim; i += rows) {
            rows = rows_from(problem->dim - i, n);
            raise(q->p, q->c, rows * n, x + i * n, term, base);
            for (size_t r = 0; r < rows; r++) {
                for (size_t k = 0; k < n; k++) {
                    f[k] += term[r * n + k];
                }
            }
        }
    }
    if ((want & OD_GRADIENT) != 0) {
        for (size_t i = 0, rows; i < problem->dim; i += rows) {
            rows = rows_from(problem->dim - i, n);
            raise(q->p - 1, q->c * q->p, rows * n, x + i * n, term, base);
            for (size_t k = 0; k < rows * n; k++) {
                const double y = x[i * n + k];
                g[i * n + k] = y > 0 ? term[k] : y < 0 ? -term[k] : y; /* y is 0, or NaN, which must show */
            }
        }
    }
    return OD_OK;
}

static od_status power_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u, double *hu,
                           double *ws)
{
    const power *q = problem->data;
    double *base = ws, *curvature = ws + n + TOGETHER;
    if (q->p == 1) {
        memset(hu, 0, m * problem->dim * n * sizeof *hu);
        return OD_OK;
    }
    for (size_t i = 0, rows; i < problem->dim; i += rows) {
        rows = rows_from(problem->dim - i, n);
        raise(q->p - 2, q->c * q->p * (q->p - 1), rows * n, x + i * n, curvature, base);
        for (size_t j = 0; j < m; j++) {
            const double *from = u + (j * problem->dim + i) * n;
            double *to = hu + (j * problem->dim + i) * n;
            for (size_t k = 0; k < rows * n; k++) {
                to[k] = from[k] != 0 ? curvature[k] * from[k] : 0;
            }
        }
    }
    return OD_OK;
}

static od_status power_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const size_t d = (size_t)od_setting_real(s, "dim");
    power *q = od_zalloc(1, sizeof *q + d * sizeof(double));
    if (q == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.dim", "no memory for %zu dimensions", d);
    }
    q->p = od_setting_real(s, "p");
    q->c = od_setting_real(s, "c");
    problem->dim = d;
    problem->scratch = (od_scratch){2 * TOGETHER, 2};
    problem->eval = power_eval;
    problem->hvp = power_hvp;
    problem->minimum = (od_constant){0, "closed form"};
    problem->minimiser = q->minimiser;
    problem->minimiser_how = "closed form: the origin";
    problem->data = q;
    problem->free = free;
    problem->rough = q->p == 1 ? "its gradient jumps at 0" : q->p < 2 ? "its curvature is infinite at 0" : NULL;
    if (q->p == 2) {
        problem->lipschitz = problem->convexity = (od_constant){2 * q->c, "closed form"};
    } else {
        problem->lipschitz = (od_constant){NAN, q->p > 2    ? "none: the curvature grows without bound with |x|"
                                                : q->p == 1 ? "none: the gradient jumps at 0"
                                                            : "none: the curvature is infinite at 0"};
        problem->convexity = (od_constant){0, q->p > 2    ? "closed form: the curvature vanishes at 0"
                                              : q->p == 1 ? "closed form: flat away from 0"
                                                          : "closed form: the curvature tends to 0 far away"};
    }
    return OD_OK;
}

const od_problem_type od_problem_power = {
    .name = "power",
    .summary = "f = c sum_i |x_i|^p, flat or sharp at its minimum",
    .source = "textbook",
    .params =
        (const od_param[]){{.name = "p",
                            .kind = OD_REAL,
                            .fallback = NULL,
                            .unit = "",
                            .low = 1,
                            .high = INFINITY,
                            .meaning = "exponent; below 2 the curvature at 0 is infinite, at 1 the gradient jumps"},
                           {.name = "c",
                            .kind = OD_REAL,
                            .fallback = "1",
                            .unit = "",
                            .low = 0,
                            .high = INFINITY,
                            .low_open = true,
                            .meaning = "factor"},
                           {.name = "dim",
                            .kind = OD_INTEGER,
                            .fallback = "1",
                            .unit = "",
                            .low = 1,
                            .high = MAX_DIM,
                            .meaning = "number of dimensions"},
                           {.name = NULL}},
    .example = "p: 4, dim: 3",
    .create = power_create,
};
