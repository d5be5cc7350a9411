/*
 * Rosenbrock's valley, chained: f(x) = sum_{i < d} b (x_{i+1} - x_i^2)^2 + (a - x_i)^2.
 *
 * Source: H. H. Rosenbrock, An automatic method for finding the greatest or least value of a function, The Computer
 * Journal 3 (1960), 175-184, for d = 2, a = 1, b = 100; chained by Ph. L. Toint (1978). The Hessian is tridiagonal:
 *
 *   g_i      = -4 b x_i (x_{i+1} - x_i^2) - 2 (a - x_i)  [i < d]  + 2 b (x_i - x_{i-1}^2)  [i > 1]
 *   H_ii     = 12 b x_i^2 - 4 b x_{i+1} + 2              [i < d]  + 2 b                    [i > 1]
 *   H_i,i+1  = -4 b x_i
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

typedef struct rosenbrock {
    double a, b;
    double minimiser[];
} rosenbrock;

OD_CLONES static od_status rosenbrock_eval(const od_problem *problem, unsigned want, size_t n, const double *x,
                                           double *f, double *g, double *ws)
{
    (void)ws;
    const rosenbrock *q = problem->data;
    const double a = q->a, b = q->b;
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
    }
    if ((want & OD_GRADIENT) != 0) {
        memset(g, 0, problem->dim * n * sizeof *g);
    }
    for (size_t i = 0; i + 1 < problem->dim; i++) {
        const double *here = x + i * n, *next = here + n;
        for (size_t k = 0; k < n && (want & OD_VALUE) != 0; k++) {
            const double valley = next[k] - here[k] * here[k], slope = a - here[k];
            f[k] += b * valley * valley + slope * slope;
        }
        for (size_t k = 0; k < n && (want & OD_GRADIENT) != 0; k++) {
            const double valley = next[k] - here[k] * here[k];
            g[i * n + k] += -4 * b * here[k] * valley - 2 * (a - here[k]);
            g[(i + 1) * n + k] += 2 * b * valley;
        }
    }
    return OD_OK;
}

OD_CLONES static od_status rosenbrock_hvp(const od_problem *problem, size_t n, const double *x, size_t m,
                                          const double *u, double *hu, double *ws)
{
    (void)ws;
    const rosenbrock *q = problem->data;
    const double b = q->b;
    const size_t d = problem->dim;
    memset(hu, 0, m * d * n * sizeof *hu);
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i + 1 < d; i++) {
            const double *here = x + i * n, *next = here + n, *along = u + (j * d + i) * n, *along_next = along + n;
            double *out = hu + (j * d + i) * n, *out_next = out + n;
            for (size_t k = 0; k < n; k++) {
                const double mixed = -4 * b * here[k];
                out[k] += (12 * b * here[k] * here[k] - 4 * b * next[k] + 2) * along[k] + mixed * along_next[k];
                out_next[k] += mixed * along[k] + 2 * b * along_next[k];
            }
        }
    }
    return OD_OK;
}

static od_status rosenbrock_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const size_t d = (size_t)od_setting_real(s, "dim");
    rosenbrock *q = od_zalloc(1, sizeof *q + d * sizeof(double));
    if (q == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.dim", "no memory for %zu dimensions", d);
    }
    q->a = od_setting_real(s, "a");
    q->b = od_setting_real(s, "b");
    problem->dim = d;
    problem->eval = rosenbrock_eval;
    problem->hvp = rosenbrock_hvp;
    problem->lipschitz = (od_constant){NAN, "none: the curvature grows without bound with |x|"};
    problem->convexity = (od_constant){NAN, "none: the curvature is unbounded below (large x_2)"};
    if (d == 2 || q->a == 1 || q->a == 0) {
        for (size_t i = 0; i < d; i++) {
            q->minimiser[i] = i + 1 < d ? q->a : q->a * q->a;
        }
        problem->minimum = (od_constant){0, "closed form"};
        problem->minimiser = q->minimiser;
        problem->minimiser_how = "closed form";
    } else {
        problem->minimum.how = "unknown: the terms of a chain have no common zero unless a is 0 or 1";
    }
    problem->data = q;
    problem->free = free;
    return OD_OK;
}

const od_problem_type od_problem_rosenbrock = {
    .name = "rosenbrock",
    .summary = "Rosenbrock's curved valley, chained in more than two dimensions",
    .source = "H. H. Rosenbrock, The Computer Journal 3 (1960), 175-184",
    .params = (const od_param[]){{.name = "a",
                                  .kind = OD_REAL,
                                  .fallback = "1",
                                  .unit = "",
                                  .meaning = "where the valley has its minimum: x_1 = a"},
                                 {.name = "b",
                                  .kind = OD_REAL,
                                  .fallback = "100",
                                  .unit = "",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "steepness of the valley's walls"},
                                 {.name = "dim",
                                  .kind = OD_INTEGER,
                                  .fallback = "2",
                                  .unit = "",
                                  .low = 2,
                                  .high = MAX_DIM,
                                  .meaning = "number of dimensions"},
                                 {.name = NULL}},
    .create = rosenbrock_create,
};
