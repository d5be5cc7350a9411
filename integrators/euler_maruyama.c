/*
 * Euler-Maruyama (Maruyama 1955), Itô: z+ = z + h f(t, z) + b(t, z) dW.
 *
 * Strong order 1/2, or 1 where the noise is additive; weak order 1. Without noise it is explicit Euler to the bit.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "step_param.h"

static od_status em_step(const od_stepper *s, double t, double h, size_t n, const double *z, const double *dw,
                         double *z1, double *ws)
{
    const od_flow *flow = s->flow;
    const size_t size = flow->dim * n;
    od_status status = flow->drift(flow, t, n, z, z1, ws);
    for (size_t i = 0; i < size; i++) {
        z1[i] = z[i] + h * z1[i];
    }
    if (status != OD_OK || flow->noise.shape == OD_NOISE_NONE) {
        return status;
    }
    size_t first = 0;
    for (size_t b = 0; b < flow->noise.block; b++) {
        first += flow->block[b].length;
    }
    const size_t entered = flow->block[flow->noise.block].length * n;
    double *kick = ws, *target = z1 + first * n;
    status = flow->noise.apply(flow, t, n, z, dw, kick, ws + entered);
    for (size_t i = 0; i < entered; i++) {
        target[i] += kick[i];
    }
    return status;
}

static od_scratch em_scratch(const od_flow *flow)
{
    return (od_scratch){0, flow->dim};
}

const od_integrator_type od_integrator_euler_maruyama = {
    .name = "euler-maruyama",
    .summary = "Euler-Maruyama for Itô equations",
    .source = "Maruyama (1955)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "strong 1/2 (additive noise: 1), weak 1",
    .noise = true,
    .fixed_step = true,
    .scratch = em_scratch,
    .step = em_step,
};
