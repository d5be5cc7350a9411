/*
 * Gradient descent and its flows.
 *
 *   flow       x' = -g(x)
 *   modified   x' = -g - (h/2) H g, the gradient flow of f + (h/4) |g|^2, which gradient descent follows to O(h^2)
 *   map        x_{k+1} = x_k - h g(x_k); with `batch`, g is the mean over a mini-batch. One iteration stands for time
 * h.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "descent.h"
#include "law.h"

#include <math.h>
#include <string.h>

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    phi[0] = exp(-lambda * (1 + p[0] / 2 * lambda) * (t - t0));
    return true;
}

static od_status gradient_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                               od_flow *flow)
{
    od_law law = {.order = 1, .propagator = propagator};
    if (strcmp(face, "modified") == 0) {
        od_status status = od_draw_need_step(ctx, s, "the modified flow depends on the learning rate h");
        if (status != OD_OK) {
            return status;
        }
        if (f->hvp == NULL) {
            return od_setting_fail(ctx, s, "flow",
                                   "the modified flow needs Hessian-vector products, which the problem '%s' does not "
                                   "offer; run another flow",
                                   f->name);
        }
        law.modified = law.p[0] = od_setting_real(s, "step");
    }
    return od_law_flow(ctx, s, f, &law, od_setting_real(s, "step"), flow);
}

static void rate(const double *p, uint64_t k, double c[2])
{
    (void)k;
    c[0] = p[0];
}

static od_status gradient_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    (void)face;
    od_status status = od_draw_need_step(ctx, s, "the learning rate h");
    if (status != OD_OK) {
        return status;
    }
    const double h = od_setting_real(s, "step"), own[OD_DRAW_PARAMS] = {h};
    map->stable = 2 / h;
    return od_descent_map(ctx, s, f, h, own, rate, map);
}

const od_method_type od_method_gradient = {
    .name = "gradient",
    .summary = "gradient descent and gradient flow",
    .source = "flow and iteration: Cauchy (1847); modified flow: Barrett and Dherin (2021), eq. (1)",
    .params = (const od_param[]){{.name = NULL}},
    .flows = (const od_face[]){{"flow", "x' = -grad f(x)"},
                               {"modified", "x' = -grad f - (step/2) H grad f, followed to second order in the step"},
                               {NULL, NULL}},
    .maps = (const od_face[]){{"descent", "x+ = x - step grad f(x), full gradient or mini-batch"}, {NULL, NULL}},
    .flow = gradient_flow,
    .map = gradient_map,
    .correspondence = "one iteration stands for time step",
};
