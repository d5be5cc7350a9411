/*
 * Semi-implicit Euler for x' = v, v' = a(t, x, v): v+ = v + h a(t, x, v), x+ = x + h v+.
 *
 * Order 1; symplectic where a is a force -grad f(x). On the heavy-ball flow it is Polyak's iteration with the same h,
 * operation by operation (methods/heavy_ball.c).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"

#include "step_param.h"

static od_status semi_suits(od_context *ctx, const od_settings *s, const od_flow *flow)
{
    (void)s;
    return flow->second_order
               ? OD_OK
               : od_fail(ctx, OD_EUNSUPPORTED, "integrator.name",
                         "semi-implicit-euler needs a flow x' = v, v' = a(t, x, v), and the flow '%s' is not of this "
                         "form; use euler or rk4",
                         flow->name);
}

OD_CLONES static od_status semi_step(const od_stepper *s, double t, double h, size_t n, const double *z,
                                     const double *dw, double *z1, double *ws)
{
    (void)dw;
    const size_t size = s->flow->block[0].length * n;
    const double *x = z, *v = z + size;
    double *x1 = z1, *v1 = z1 + size;
    od_status status = s->flow->drift(s->flow, t, n, z, z1, ws);
    for (size_t i = 0; i < size; i++) {
        v1[i] = v[i] + h * v1[i];
        x1[i] = x[i] + h * v1[i];
    }
    return status;
}

static od_scratch no_scratch(const od_flow *flow)
{
    (void)flow;
    return (od_scratch){0, 0};
}

const od_integrator_type od_integrator_semi_implicit_euler = {
    .name = "semi-implicit-euler",
    .summary = "semi-implicit Euler: kick, then drift with the new velocity",
    .source = "de Vogelaere (1956); Hairer, Lubich, Wanner (2006), eq. I.(1.9)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "1",
    .fixed_step = true,
    .suits = semi_suits,
    .scratch = no_scratch,
    .step = semi_step,
};
