/* Explicit Euler: z+ = z + h f(t, z). SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

#include "../src/clones.h"

#include "step_param.h"

OD_CLONES static od_status euler_step(const od_stepper *s, double t, double h, size_t n, const double *z,
                                      const double *dw, double *z1, double *ws)
{
    (void)dw;
    od_status status = s->flow->drift(s->flow, t, n, z, z1, ws);
    const size_t size = s->flow->dim * n;
    for (size_t i = 0; i < size; i++) {
        z1[i] = z[i] + h * z1[i];
    }
    return status;
}

static od_scratch no_scratch(const od_flow *flow)
{
    (void)flow;
    return (od_scratch){0, 0};
}

const od_integrator_type od_integrator_euler = {
    .name = "euler",
    .summary = "explicit Euler",
    .source = "Euler (1768)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "1",
    .fixed_step = true,
    .scratch = no_scratch,
    .step = euler_step,
};
