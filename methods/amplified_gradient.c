/*
 * Gradient descent whose rate grows with time (amplification, no memory).
 *
 *   flow   x' = -t g(x)
 *   map    x_{k+1} = x_k - eta k g(x_k), k from 0 (the first iteration does not move); t_k = k sqrt(eta), so that one
 *          iteration stands for sqrt(eta). On a curvature lambda its factor 1 - eta k lambda leaves [-1, 1] once
 *          k > 2/(eta lambda): the flow converges for ever, the iteration only up to there.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "descent.h"
#include "law.h"

#include <math.h>

static double force(const double *p, double t)
{
    (void)p;
    return t;
}

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    (void)p;
    phi[0] = exp(-lambda * (t - t0) * (t + t0) / 2);
    return true;
}

static od_status amplified_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                od_flow *flow)
{
    (void)face;
    const od_law law = {.order = 1, .force = force, .propagator = propagator};
    return od_law_flow(ctx, s, f, &law, sqrt(od_setting_real(s, "step")), flow);
}

static void rate(const double *p, uint64_t k, double c[2])
{
    c[0] = p[0] * (double)k;
}

static od_status amplified_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                               od_map *map)
{
    (void)face;
    od_status status = od_draw_need_step(ctx, s, "the learning rate eta; one iteration stands for time sqrt(eta)");
    if (status != OD_OK) {
        return status;
    }
    const double eta = od_setting_real(s, "step"), own[OD_DRAW_PARAMS] = {eta};
    return od_descent_map(ctx, s, f, sqrt(eta), own, rate, map);
}

const od_method_type od_method_amplified_gradient = {
    .name = "amplified-gradient",
    .summary = "gradient descent with a rate that grows with time, without momentum",
    .source = "Orvieto (2023), Dynamics of adaptive momentum optimizers, Diss. ETH 29649, eqs. (29)-(30)",
    .params = (const od_param[]){{.name = NULL}},
    .flows = (const od_face[]){{"flow", "x' = -t grad f(x)"}, {NULL, NULL}},
    .maps = (const od_face[]){{"descent", "x+ = x - step k grad f(x)"}, {NULL, NULL}},
    .flow = amplified_flow,
    .map = amplified_map,
    .correspondence = "one iteration stands for time sqrt(step): t_k = k sqrt(step)",
};
