/*
 * Rössler's stochastic Runge-Kutta scheme SRA1 for additive noise (Rössler 2010, SIAM J. Numer. Anal. 48, 922-952).
 *
 * Strong order 3/2, or 2 where the drift is affine in the block that the noise enters (as in x' = v, v' = -d v - g(x));
 * weak order 2; two drift evaluations a step. Besides the increment dW it uses the time integral
 * I(1,0) = int_t^{t+h} (W(s) - W(t)) ds of the path. The drift may be nonlinear and the noise may depend on time; noise
 * that depends on the state is refused. Without noise it is the explicit Runge-Kutta scheme of order 2 with nodes 0 and
 * 3/4 and weights 1/3 and 2/3.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "sra.h"

#include "../src/clones.h"
#include "ito.h"
#include "step_param.h"

#include <string.h>

const od_sra_tableau od_sra1 = {
    .A0 = {{0, 0}, {3.0 / 4, 0}},
    .B0 = {{0, 0}, {3.0 / 2, 0}},
    .c0 = {0, 3.0 / 4},
    .c1 = {1, 0},
    .alpha = {1.0 / 3, 2.0 / 3},
    .beta1 = {1, 0},
    .beta2 = {-1, 1},
};

static od_status sra_suits(od_context *ctx, const od_settings *s, const od_flow *flow)
{
    (void)s;
    if (flow->noise.shape == OD_NOISE_NONE || flow->noise.shape == OD_NOISE_ADDITIVE) {
        return OD_OK;
    }
    return od_fail(ctx, OD_EUNSUPPORTED, "integrator.name",
                   "sra1 needs additive noise, and the noise of the flow '%s' depends on the state; use milstein or "
                   "euler-maruyama",
                   flow->name);
}

/* to[size] += c from[size]; a coefficient of zero adds nothing, not even what is not finite. */
static inline void add(double c, const double *from, size_t size, double *to)
{
    for (size_t i = 0; c != 0 && i < size; i++) {
        to[i] += c * from[i];
    }
}

/* kick = g(t + c1[j] h) (a dW + b I(1,0)/h): the noise is linear in what drives it. */
OD_CLONES static od_status kick_of(const od_flow *flow, double t, double h, size_t j, double a, double b, size_t n,
                                   const double *z, const double *dw, double *driver, double *kick, double *ws)
{
    const size_t size = flow->noise.dim * n;
    const double *integral = dw + size;
    for (size_t i = 0; i < size; i++) {
        driver[i] = a * dw[i] + b / h * integral[i];
    }
    return flow->noise.apply(flow, t + od_sra1.c1[j] * h, n, z, driver, kick, ws);
}

OD_CLONES static od_status sra_step(const od_stepper *s, double t, double h, size_t n, const double *z,
                                    const double *dw, double *z1, double *ws)
{
    const od_flow *flow = s->flow;
    const od_sra_tableau *c = &od_sra1;
    const bool noisy = flow->noise.shape != OD_NOISE_NONE;
    const size_t size = flow->dim * n, entered = noisy ? flow->block[flow->noise.block].length * n : 0;
    const size_t first = noisy ? od_ito_first(flow) * n : 0;
    double *f = ws, *stage = f + size, *driver = stage + size, *kick = driver + (noisy ? flow->noise.dim * n : 0);
    double *rest = kick + entered;
    od_status status = flow->drift(flow, t + c->c0[0] * h, n, z, f, rest);
    memcpy(stage, z, size * sizeof *stage);
    memcpy(z1, z, size * sizeof *z1);
    add(h * c->A0[1][0], f, size, stage);
    add(h * c->alpha[0], f, size, z1);
    for (size_t j = 0; j < OD_SRA_STAGES && noisy && status == OD_OK; j++) {
        status = c->B0[1][j] != 0 ? kick_of(flow, t, h, j, 0, c->B0[1][j], n, z, dw, driver, kick, rest) : OD_OK;
        add(c->B0[1][j] != 0, kick, entered, stage + first);
    }
    status = status == OD_OK ? flow->drift(flow, t + c->c0[1] * h, n, stage, f, rest) : status;
    add(h * c->alpha[1], f, size, z1);
    for (size_t j = 0; j < OD_SRA_STAGES && noisy && status == OD_OK; j++) {
        status = kick_of(flow, t, h, j, c->beta1[j], c->beta2[j], n, z, dw, driver, kick, rest);
        add(1, kick, entered, z1 + first);
    }
    return status;
}

static unsigned sra_drifts(const od_stepper *s, double t, double h)
{
    (void)s;
    (void)t;
    (void)h;
    return OD_SRA_STAGES;
}

static od_scratch sra_scratch(const od_flow *flow)
{
    const bool noisy = flow->noise.shape != OD_NOISE_NONE;
    return (od_scratch){0, 2 * flow->dim + (noisy ? flow->noise.dim + flow->block[flow->noise.block].length : 0)};
}

const od_integrator_type od_integrator_sra1 = {
    .name = "sra1",
    .summary = "Rössler's stochastic Runge-Kutta scheme SRA1 for additive noise",
    .source = "Rössler (2010), SIAM J. Numer. Anal. 48, 922-952, scheme SRA1",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order = "strong 3/2 (2 where the drift is affine in the block the noise enters), weak 2; additive noise only; 2 "
             "without noise",
    .noise = true,
    .weak_order = 2,
    .integral = true,
    .fixed_step = true,
    .suits = sra_suits,
    .scratch = sra_scratch,
    .step = sra_step,
    .drifts = sra_drifts,
};
