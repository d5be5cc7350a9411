/*
 * f(x) = <g, x>: the loss whose gradient never changes. Every method has a closed form on it, so that it separates what
 * a method does to a gradient from what the loss does.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static od_status constant_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f,
                               double *g, double *ws)
{
    (void)ws;
    const double *gradient = problem->data;
    if ((want & OD_VALUE) != 0) {
        memset(f, 0, n * sizeof *f);
    }
    for (size_t i = 0; i < problem->dim; i++) {
        const double slope = gradient[i];
        for (size_t k = 0; k < n && (want & OD_VALUE) != 0; k++) {
            f[k] += slope * x[i * n + k];
        }
        for (size_t k = 0; k < n && (want & OD_GRADIENT) != 0; k++) {
            g[i * n + k] = slope;
        }
    }
    return OD_OK;
}

static od_status constant_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                              double *hu, double *ws)
{
    (void)x;
    (void)u;
    (void)ws;
    memset(hu, 0, m * problem->dim * n * sizeof *hu);
    return OD_OK;
}

static od_status constant_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const od_value *gradient = od_setting(s, "gradient");
    const size_t d = gradient->cols;
    double *copy = od_zalloc(d, sizeof *copy);
    if (copy == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.gradient", "no memory for %zu dimensions", d);
    }
    memcpy(copy, gradient->list, d * sizeof *copy);
    bool flat = true;
    for (size_t i = 0; i < d; i++) {
        flat = flat && copy[i] == 0;
    }
    problem->dim = d;
    problem->eval = constant_eval;
    problem->hvp = constant_hvp;
    problem->lipschitz = problem->convexity = (od_constant){0, "closed form"};
    problem->minimum = flat ? (od_constant){0, "closed form: the loss is zero everywhere"}
                            : (od_constant){-INFINITY, "unbounded below: the gradient never vanishes"};
    problem->data = copy;
    problem->free = free;
    return OD_OK;
}

const od_problem_type od_problem_constant_gradient = {
    .name = "constant-gradient",
    .summary = "f = <g, x>, the loss whose gradient never changes",
    .source = "textbook",
    .params = (const od_param[]){{.name = "gradient",
                                  .kind = OD_VECTOR,
                                  .fallback = NULL,
                                  .unit = "",
                                  .meaning = "the gradient; its length is the dimension"},
                                 {.name = NULL}},
    .example = "gradient: [1.7, -2.385]",
    .create = constant_create,
};
