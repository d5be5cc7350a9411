/*
 * A problem as a plug-in: the tilted double well
 *
 *     f(x) = sum_i depth (x_i^2 - 1)^2/4 + tilt x_i
 *
 * with gradient depth (x_i^3 - x_i) + tilt and Hessian diag(depth (3 x_i^2 - 1)).
 *
 *     cc -O2 -shared -fPIC -o double_well.so problem.c $(pkg-config --cflags optdyn)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <optdyn.h>

#include <math.h>
#include <stdlib.h>

OD_PLUGIN;

typedef struct double_well {
    double depth, tilt;
} double_well;

/* Component i of point p is x[i*n + p]: the inner loop over points has stride one, so it becomes vector code. */
static od_status evaluate(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                          double *ws)
{
    const double_well *w = problem->data;
    (void)ws;
    for (size_t p = 0; p < n && (want & OD_VALUE) != 0; p++) {
        f[p] = 0;
    }
    for (size_t i = 0; i < problem->dim; i++) {
        for (size_t p = 0; p < n; p++) {
            const double y = x[i * n + p], q = y * y - 1;
            if ((want & OD_VALUE) != 0) {
                f[p] += w->depth * q * q / 4 + w->tilt * y;
            }
            if ((want & OD_GRADIENT) != 0) {
                g[i * n + p] = w->depth * q * y + w->tilt;
            }
        }
    }
    return OD_OK;
}

/* Component i of direction j at point p is u[(j*d + i)*n + p]. */
static od_status hessian_product(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                                 double *hu, double *ws)
{
    const double_well *w = problem->data;
    const size_t d = problem->dim;
    (void)ws;
    for (size_t j = 0; j < m; j++) {
        for (size_t k = 0; k < d * n; k++) {
            hu[j * d * n + k] = w->depth * (3 * x[k] * x[k] - 1) * u[j * d * n + k];
        }
    }
    return OD_OK;
}

static od_status create(od_context *ctx, const od_settings *settings, od_problem *problem)
{
    double_well *w = malloc(sizeof *w);
    if (w == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for a double well");
    }
    w->depth = od_setting_real(settings, "depth");
    w->tilt = od_setting_real(settings, "tilt");
    problem->dim = (size_t)od_setting_real(settings, "dim");
    problem->eval = evaluate;
    problem->hvp = hessian_product;
    problem->convexity = (od_constant){-w->depth, "closed form: at x = 0"};
    problem->lipschitz = (od_constant){NAN, "none: the curvature grows without bound with |x|"};
    problem->data = w;
    problem->free = free;
    return OD_OK;
}

const od_problem_type od_plugin_problem = {
    .name = "double-well",
    .summary = "sum of depth (x^2 - 1)^2/4 + tilt x over the components",
    .source = "textbook",
    .params = (const od_param[]){{.name = "depth",
                                  .kind = OD_REAL,
                                  .fallback = "1",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "curvature of the barrier; the wells have twice as much"},
                                 {.name = "tilt", .kind = OD_REAL, .fallback = "0", .meaning = "slope added to all"},
                                 {.name = "dim",
                                  .kind = OD_INTEGER,
                                  .fallback = "1",
                                  .low = 1,
                                  .high = 1e6,
                                  .meaning = "number of dimensions"},
                                 {.name = NULL}},
    .create = create,
};
