/*
 * Styblinski and Tang's function, f(x) = 1/2 sum_i (x_i^4 - 16 x_i^2 + 5 x_i): 2^d minima, one of them global.
 *
 * Each coordinate has its critical points at the roots of 4x^3 - 32x + 5: a deep well, a barrier and a shallow well at
 * -2.9035, 0.1567 and 2.7468. The curvature 6x^2 - 16 is at least -16.
 *
 * Source: M. A. Styblinski and T.-S. Tang, Experiments in nonconvex optimization, Neural Networks 3 (1990), 467-483.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIM = 100000000 };

/* Smallest root of 4x^3 - 32x + 5 and the value there. */
static const double deepest = -2.903534027771177, depth = -39.16616570377142;

OD_CLONES static od_status styblinski_eval(const od_problem *problem, unsigned want, size_t n, const double *x,
                                           double *f, double *g, double *ws)
{
    (void)ws;
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
        for (size_t i = 0; i < problem->dim; i++) {
            for (size_t k = 0; k < n; k++) {
                const double y = x[i * n + k];
                f[k] += 0.5 * y * (5 + y * (y * y - 16));
            }
        }
    }
    for (size_t k = 0; k < problem->dim * n && (want & OD_GRADIENT) != 0; k++) {
        g[k] = 2.5 + x[k] * (2 * x[k] * x[k] - 16);
    }
    return OD_OK;
}

OD_CLONES static od_status styblinski_hvp(const od_problem *problem, size_t n, const double *x, size_t m,
                                          const double *u, double *hu, double *ws)
{
    (void)ws;
    const size_t length = problem->dim * n;
    for (size_t j = 0; j < m; j++) {
        for (size_t k = 0; k < length; k++) {
            hu[j * length + k] = (6 * x[k] * x[k] - 16) * u[j * length + k];
        }
    }
    return OD_OK;
}

static od_status styblinski_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const size_t d = (size_t)od_setting_real(s, "dim");
    double *minimiser = od_zalloc(d, sizeof *minimiser);
    if (minimiser == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.dim", "no memory for %zu dimensions", d);
    }
    for (size_t i = 0; i < d; i++) {
        minimiser[i] = deepest;
    }
    problem->dim = d;
    problem->eval = styblinski_eval;
    problem->hvp = styblinski_hvp;
    problem->lipschitz = (od_constant){NAN, "none: the curvature grows without bound with |x|"};
    problem->convexity = (od_constant){-16, "closed form: the curvature at 0"};
    problem->minimum = (od_constant){depth * (double)d, "closed form: roots of a cubic"};
    problem->minimiser = minimiser;
    problem->minimiser_how = "closed form: the smallest root of 4x^3 - 32x + 5 in each coordinate";
    problem->data = minimiser;
    problem->free = free;
    return OD_OK;
}

const od_problem_type od_problem_styblinski_tang = {
    .name = "styblinski-tang",
    .summary = "f = 1/2 sum_i (x_i^4 - 16 x_i^2 + 5 x_i), two wells in each coordinate",
    .source = "M. A. Styblinski and T.-S. Tang, Neural Networks 3 (1990), 467-483",
    .params = (const od_param[]){{.name = "dim",
                                  .kind = OD_INTEGER,
                                  .fallback = "2",
                                  .unit = "",
                                  .low = 1,
                                  .high = MAX_DIM,
                                  .meaning = "number of dimensions"},
                                 {.name = NULL}},
    .create = styblinski_create,
};
