/*
 * Euler-Maruyama (Maruyama 1955), Itô: z+ = z + h f(t, z) + b(t, z) dW.
 *
 * Strong order 1/2, or 1 where Milstein's correction vanishes; weak order 1. Without noise it is explicit Euler to the
 * bit.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "ito.h"
#include "step_param.h"

static od_status em_step(const od_stepper *s, double t, double h, size_t n, const double *z, const double *dw,
                         double *z1, double *ws)
{
    return od_ito_euler(s->flow, t, h, n, z, dw, z1, ws);
}

const od_integrator_type od_integrator_euler_maruyama = {
    .name = "euler-maruyama",
    .summary = "Euler-Maruyama for Itô equations",
    .source = "Maruyama (1955)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "strong 1/2 (1 where the noise does not depend on the block it enters), weak 1",
    .noise = true,
    .weak_order = 1,
    .fixed_step = true,
    .scratch = od_ito_scratch,
    .step = em_step,
};
