/*
 * Which scheme the stochastic equations of section 2.3 need (Orvieto 2023, eq. (180) and Figures 8 and 9).
 *
 * Where noise enters the velocity and depends on time and position only, Milstein's correction, the derivative of the
 * noise along itself, is zero. What it does elsewhere is measured on dX = a X dt + b X dB with X = X_0 exp((a - b^2/2)
 * t + b B).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ledger.h"

#include "src/memory.h"
#include "src/strands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, BLOCKS = 16, LEVELS = 5, FIRST = 4 };

/* ------------------------------------------------------------------------------------------------ second order */

static const od_integrator_type *scheme(const char *name)
{
    size_t i = 0;
    while (od_integrator_types[i] != NULL && strcmp(od_integrator_types[i]->name, name) != 0) {
        i++;
    }
    return od_integrator_types[i];
}

/* The largest difference of the two schemes on the same paths. */
static od_status same_claim(od_context *ctx, const od_member *m, od_claim_list *list)
{
    const od_strand strand[2] = {{scheme("euler-maruyama"), m->step, 1}, {scheme("milstein"), m->step, 1}};
    const uint64_t steps = (uint64_t)llround((m->until - m->start.t) / m->step);
    const size_t n = m->paths < BATCH ? (size_t)m->paths : BATCH;
    double most = 0;
    od_strands paths;
    od_status status = od_strands_open(ctx, ctx, m, m->step, strand, 2, 0, n, &paths);
    status = status == OD_OK ? od_strands_advance(ctx, &paths, steps < 1000 ? steps : 1000) : status;
    for (size_t i = 0; i < m->dim * n && status == OD_OK; i++) {
        most = fmax(most, fabs(paths.state[0][i] - paths.state[1][i]));
    }
    od_strands_close(&paths);
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            list, "milstein-needed", "Figures 8 and 9",
            "these systems need Milstein's scheme (predicted: no difference; measured: the largest from "
            "Euler-Maruyama's)");
        c->expected = OD_FAILS;
        c->predicted = 0;
        c->measured = most;
        od_claims_judge(c, most > 0, "the noise does not depend on the block it enters: both schemes are one");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ order */

static const double drift_rate = 0.5, noise_rate = 0.8;

static od_status gbm_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t i = 0; i < n; i++) {
        dz[i] = drift_rate * z[i];
    }
    return OD_OK;
}

static od_status gbm_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                           double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t i = 0; i < n; i++) {
        out[i] = noise_rate * z[i] * dw[i];
    }
    return OD_OK;
}

static od_status gbm_correction(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw,
                                double *out, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t i = 0; i < n; i++) {
        out[i] = noise_rate * noise_rate * z[i] / 2 * (dw[i] * dw[i] - h);
    }
    return OD_OK;
}

/* Sum of |X_h - X| at time 1 over a block of paths. */
static od_status error_at(od_context *ctx, const od_flow *flow, const char *name, const od_brownian *w, uint64_t first,
                          unsigned steps, double *sum)
{
    char yaml[64];
    double z[BATCH], dw[2 * BATCH], end[BATCH] = {0};
    snprintf(yaml, sizeof yaml, "{name: %s, step: %.17g}", name, 1.0 / steps);
    for (size_t p = 0; p < BATCH; p++) {
        z[p] = 1;
    }
    od_stepper *s = od_stepper_create(ctx, yaml, flow, 0, BATCH, z);
    od_status status = s != NULL ? OD_OK : OD_ENOMEM;
    for (unsigned k = 0; k < steps && status == OD_OK; k++) {
        const double t = (double)k / steps, t1 = (double)(k + 1) / steps;
        od_interval interval;
        status = od_brownian_interval(w, t, t1, &interval);
        if (status == OD_OK) {
            od_brownian_increment(w, &interval, first, BATCH, dw, s->type->integral ? dw + BATCH : NULL);
            status = od_stepper_advance(ctx, s, t, t1, BATCH, z, dw);
        }
        for (size_t p = 0; p < BATCH; p++) {
            end[p] += dw[p];
        }
    }
    od_stepper_free(s);
    *sum = 0;
    for (size_t p = 0; p < BATCH; p++) {
        *sum += fabs(z[p] - exp(drift_rate - noise_rate * noise_rate / 2 + noise_rate * end[p]));
    }
    return status;
}

static double slope(const double *error)
{
    double sum = 0;
    for (int l = 0; l < LEVELS; l++) { /* of log2 error against the level, which has the mean (LEVELS - 1)/2 */
        sum += (l - (LEVELS - 1) / 2.0) * log2(error[l]);
    }
    return -sum / (LEVELS * (LEVELS * LEVELS - 1) / 12.0);
}

/* The slope of the mean error; its standard error by leaving out one block at a time. */
static od_status order_claim(od_context *ctx, const char *name, double predicted, const char *id, const char *statement,
                             uint64_t seed, od_claim_list *list)
{
    const od_flow flow = {.name = "geometric Brownian motion",
                          .block_count = 1,
                          .block = {{"x", 1}},
                          .dim = 1,
                          .drift = gbm_drift,
                          .noise = {.shape = OD_NOISE_SCALAR,
                                    .dim = 1,
                                    .own_block = true,
                                    .commutes = true,
                                    .apply = gbm_apply,
                                    .milstein = gbm_correction}};
    const od_brownian w = {.seed = seed, .origin = 0, .base = 1.0 / (1 << (FIRST + LEVELS - 1)), .dim = 1};
    double error[BLOCKS][LEVELS], all[LEVELS] = {0}, square = 0;
    od_status status = OD_OK;
    for (size_t b = 0; b < BLOCKS && status == OD_OK; b++) {
        for (unsigned l = 0; l < LEVELS && status == OD_OK; l++) {
            status = error_at(ctx, &flow, name, &w, b * BATCH, 1u << (FIRST + l), &error[b][l]);
            all[l] += error[b][l];
        }
    }
    if (status != OD_OK) {
        return status;
    }
    const double found = slope(all);
    for (size_t b = 0; b < BLOCKS; b++) {
        double rest[LEVELS];
        for (int l = 0; l < LEVELS; l++) {
            rest[l] = all[l] - error[b][l];
        }
        square += (slope(rest) - found) * (slope(rest) - found);
    }
    od_claim *c = od_claims_append(list, id, "eq. (180), App. A.2", statement);
    c->error_sampling = sqrt(square * (BLOCKS - 1) / BLOCKS);
    c->error_model = 0.1; /* steps are not yet small */
    od_claims_match(c, predicted, found, "dX = X/2 dt + 0.8 X dB");
    return OD_OK;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const char *name = m->has_flow ? m->integrator_choice.name : "";
    const bool milstein = strcmp(name, "milstein") == 0;
    if (!milstein && strcmp(name, "euler-maruyama") != 0) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "the integrator is neither milstein nor euler-maruyama");
    }
    od_status status = m->flow.noise.shape != OD_NOISE_NONE && m->flow.second_order && !m->flow.noise.own_block &&
                               !od_member_automatic(m) && !m->antithetic
                           ? same_claim(ctx, m, list)
                           : OD_OK;
    if (status != OD_OK) {
        return status;
    }
    return milstein ? order_claim(ctx, "milstein", 1, "milstein-order",
                                  "Milstein's scheme has strong order 1 where noise depends on the block it enters",
                                  m->seed, list)
                    : order_claim(ctx, "euler-maruyama", 0.5, "euler-maruyama-order",
                                  "Euler-Maruyama has strong order 1/2 where noise depends on the block it enters",
                                  m->seed, list);
}

const od_claim_set od_claims_schemes = {
    .name = "schemes",
    .summary = "what Euler-Maruyama and Milstein do on the stochastic equations",
    .ids = (const char *const[]){"milstein-needed", "milstein-order", "euler-maruyama-order", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: nesterov, noise: 0.1}, integrator: "
            "{name: milstein, step: 0.001}, start: {t: 0.001, x: [1, 1]}, until: 1.001, paths: 16, seed: 8, compare: "
            "[{}, {method: {name: memory, forgetting: quadratic, noise: 0.1}, integrator: {name: euler-maruyama, step: "
            "0.001}}]}",
            NULL},
    .find = find,
};
