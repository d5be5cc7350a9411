/*
 * Milstein's scheme (Milstein 1974), Itô, for commuting noise (Kloeden and Platen 1992, eq. (10.3.16)):
 *
 *   z+ = z + h f + sum_j b_j dW_j + 1/2 sum_jk L^j b_k (dW_j dW_k - h delta_jk),   L^j = sum_i b_ij d/dz_i
 *
 * Strong order 1, weak order 1. L^j differentiates along the block that the noise enters. Where the coefficient does
 * not depend on that block the correction is identically zero and the scheme is Euler-Maruyama to the bit: so it is
 * for every method whose noise enters v with a coefficient of t and x. Noise that does not commute would need the
 * Lévy areas of the Brownian path; it is refused.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"

#include "ito.h"
#include "step_param.h"

static bool corrects(const od_flow *flow)
{
    return flow->noise.shape != OD_NOISE_NONE && flow->noise.shape != OD_NOISE_ADDITIVE && flow->noise.own_block;
}

static od_status milstein_suits(od_context *ctx, const od_settings *s, const od_flow *flow)
{
    (void)s;
    if (flow->noise.shape == OD_NOISE_NONE) {
        return OD_OK;
    }
    const char *block = flow->block[flow->noise.block].name;
    if (corrects(flow)) {
        if (flow->noise.commutes && flow->noise.milstein != NULL) {
            return OD_OK;
        }
        return od_fail(ctx, OD_EUNSUPPORTED, "integrator.name",
                       "milstein needs additive noise, noise that does not depend on the block it enters, or commuting "
                       "noise with a known correction; here the noise depends on its own block '%s' and %s; use "
                       "euler-maruyama",
                       block, flow->noise.commutes ? "the flow states no correction" : "does not commute");
    }
    if (flow->noise.shape == OD_NOISE_ADDITIVE) {
        od_note(ctx, "the noise is additive: Milstein's correction is zero, and milstein is euler-maruyama to the bit");
    } else {
        od_note(ctx,
                "the noise enters '%s' and does not depend on it: Milstein's correction is zero, and milstein is "
                "euler-maruyama to the bit",
                block);
    }
    return OD_OK;
}

OD_CLONES static od_status milstein_step(const od_stepper *s, double t, double h, size_t n, const double *z,
                                         const double *dw, double *z1, double *ws)
{
    const od_flow *flow = s->flow;
    od_status status = od_ito_euler(flow, t, h, n, z, dw, z1, ws);
    if (status != OD_OK || !corrects(flow)) {
        return status;
    }
    const size_t entered = flow->block[flow->noise.block].length * n;
    double *correction = ws, *target = z1 + od_ito_first(flow) * n;
    status = flow->noise.milstein(flow, t, h, n, z, dw, correction, ws + entered);
    for (size_t i = 0; i < entered; i++) {
        target[i] += correction[i];
    }
    return status;
}

const od_integrator_type od_integrator_milstein = {
    .name = "milstein",
    .summary = "Milstein's scheme for Itô equations with commuting noise",
    .source = "Milstein (1974); Kloeden and Platen (1992), eq. (10.3.16)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "strong 1 (commuting noise; other noise is refused), weak 1",
    .noise = true,
    .weak_order = 1,
    .fixed_step = true,
    .suits = milstein_suits,
    .scratch = od_ito_scratch,
    .step = milstein_step,
};
