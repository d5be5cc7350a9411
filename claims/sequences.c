/*
 * What the proof of Theorem 2.3.2 of Orvieto (2023) rests on: the factor delta_k of the gradient, which sequences lam_k
 * Lemma 2.3.3 allows, gradients that do not change, and that mini-batches are unbiased.
 *
 * With beta_k = lam_k/(lam_{k+1} + 1), delta_k = 1/(lam_{k+1} + 1), x_{k+1} = x_k + beta_k (x_k - x_{k-1}) - eta
 * delta_k g_k, the energy is E_k = eta (1 + lam_k)(f_k - f*) + |x_{k+1} - x* + lam_{k+1} (x_{k+1} - x_k)|^2/2.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ledger.h"

#include "src/batch.h"
#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 40, JUMP = 20, BATCHES = 4096, LEAF = 128 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    const od_problem *f;
    size_t d;
    double eta;                              /* learning rate, the time of an iteration */
    double *start, *z, *x, *last, *g, *next; /* [2 d], [2 d], [d] each */
    double *ws;
    od_claim_list *list;
} study;

/* ------------------------------------------------------------------------------------------------ delta_k */

/* How much of the gradient iteration k takes from the start, at rest there. */
static od_status taken(study *q, const od_map *map, uint64_t k, double *part)
{
    double tau, along = 0, square = 0;
    memcpy(q->z, q->start, q->d * sizeof *q->z);
    memset(q->z + q->d, 0, q->d * sizeof *q->z);
    od_status status = q->f->eval(q->f, OD_GRADIENT, 1, q->start, NULL, q->g, q->ws);
    status = status == OD_OK ? map->step(map, k, 1, q->z, NULL, NULL, &tau, q->ws) : status;
    for (size_t i = 0; i < q->d; i++) {
        along += (q->start[i] - q->z[i]) * q->g[i];
        square += q->g[i] * q->g[i];
    }
    *part = along / (square * q->eta);
    return status;
}

static od_status factor_claims(study *q, double p)
{
    const uint64_t k = 6;
    double part;
    const od_status status = taken(q, &q->m->map, k, &part);
    if (status != OD_OK || !isfinite(part)) {
        return status;
    }
    const double lam = (double)k / (p - 1), next = (double)(k + 1) / (p - 1), measured = part * (p - 1) / p;
    od_claim *c = od_claims_append(
        q->list, "discrete-factor-printed", "App. B.1.2",
        "the gradient's factor is delta_k = 1/(lam_k + 1), lam_k = k/(p - 1) (k = 6, per eta')");
    c->expected = OD_FAILS;
    c->error_integration = 1e-11;
    od_claims_match(c, 1 / (lam + 1), measured, "this k");
    c = od_claims_append(q->list, "discrete-factor", "App. B.1.2, corrected",
                         "it is delta_k = 1/(lam_{k+1} + 1) (k = 6, per eta')");
    c->error_integration = 1e-11;
    od_claims_match(c, 1 / (next + 1), measured, "this k");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ Lemma 2.3.3 */

/* lam_k = k from JUMP on and 0 before; or k/4, which grows by less than one a step. */
static double lam_of(bool jump, double k)
{
    return !jump ? k / 4 : k < JUMP ? 0 : k;
}

/* The largest growth of the energy over its start. */
static od_status growth(study *q, bool jump, double *most)
{
    const double eta = 0.5 / q->f->lipschitz.value;
    double before = NAN, scale = NAN;
    memcpy(q->x, q->start, q->d * sizeof *q->x);
    memcpy(q->last, q->start, q->d * sizeof *q->last);
    od_status status = OD_OK;
    *most = 0;
    for (int k = 0; k < STEPS && status == OD_OK; k++) {
        const double lam = lam_of(jump, k), ahead = lam_of(jump, k + 1);
        double loss, square = 0;
        status = q->f->eval(q->f, OD_VALUE | OD_GRADIENT, 1, q->x, &loss, q->g, q->ws);
        for (size_t i = 0; i < q->d; i++) {
            const double move = lam / (ahead + 1) * (q->x[i] - q->last[i]) - eta / (ahead + 1) * q->g[i];
            const double off = q->x[i] + move - q->f->minimiser[i] + ahead * move;
            q->last[i] = q->x[i];
            q->x[i] += move;
            square += off * off;
        }
        const double energy = eta * (1 + lam) * (loss - q->f->minimum.value) + square / 2;
        scale = k == 0 ? energy : scale;
        *most = k > 0 ? fmax(*most, (energy - before) / scale) : 0;
        before = energy;
    }
    return status;
}

static od_status sequence_claims(study *q)
{
    double jumps, grows;
    od_status status = growth(q, true, &jumps);
    status = status == OD_OK ? growth(q, false, &grows) : status;
    if (status == OD_OK && isfinite(jumps)) {
        od_claim *c = od_claims_append(
            q->list, "discrete-sequence-printed", "Lemma 2.3.3",
            "for lam_k <= k the energy does not grow (lam_k = 0 for k < 20, then k; measured: largest growth "
            "over its start)");
        c->expected = OD_FAILS;
        c->error_integration = 1e-12;
        od_claims_match(c, 0, jumps, "lam_k may grow by at most 1 a step");
        c = od_claims_append(q->list, "discrete-sequence", "Lemma 2.3.3, corrected",
                             "for lam_k <= lam_{k-1} + 1, lam_0 = 0, it does not (lam_k = k/4)");
        c->error_integration = 1e-12;
        od_claims_match(c, 0, grows, "this loss");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ gradients */

/* Where the gradient is the same everywhere, every step is -eta g. */
static od_status constant_claim(study *q)
{
    double tau, worst = -1, predicted = NAN, measured = NAN;
    memcpy(q->z, q->start, 2 * q->d * sizeof *q->z);
    memset(q->z + q->d, 0, q->d * sizeof *q->z);
    od_status status = q->f->eval(q->f, OD_GRADIENT, 1, q->start, NULL, q->g, q->ws);
    for (uint64_t k = 0; k < STEPS && status == OD_OK; k++) {
        memcpy(q->last, q->z, q->d * sizeof *q->last);
        status = q->m->map.step(&q->m->map, k, 1, q->z, NULL, NULL, &tau, q->ws);
        for (size_t i = 0; i < q->d && status == OD_OK; i++) {
            const double want = -q->eta * q->g[i], got = q->z[i] - q->last[i];
            if (fabs(got - want) > worst) {
                worst = fabs(got - want);
                predicted = want;
                measured = got;
            }
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "discrete-constant", "eqs. (38), (39)",
            "where the gradient is the same everywhere every step is -eta g: weights of sum one (where it is "
            "farthest off)");
        c->error_integration = 1e-11 * fabs(predicted);
        od_claims_match(c, predicted, measured, "this k");
    }
    return status;
}

/* The mean of first components of mini-batch gradients at the start, and of losses. */
static od_status batch_claims(study *q)
{
    const od_map *map = &q->m->map;
    const bool epochs = strcmp(map->sampling, "epochs") == 0;
    const size_t block = q->d * LEAF;
    double *x = od_zalloc(2 * block + LEAF + od_scratch_size(&q->f->scratch, LEAF), sizeof *x), *g = x + block,
           *loss = g + block, *ws = loss + LEAF, sum[2] = {0}, square[2] = {0}, whole;
    uint32_t *index = od_zalloc(map->batch * LEAF, sizeof *index);
    od_status status = x != NULL && index != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for batches");
    for (size_t i = 0; i < block && status == OD_OK; i++) {
        x[i] = q->start[i / LEAF];
    }
    for (uint64_t first = 0; first < BATCHES && status == OD_OK; first += LEAF) {
        od_batch_indices(q->m->seed, first, LEAF, 0, map->batch, (uint32_t)q->f->samples, epochs, index);
        status = q->f->eval_samples(q->f, OD_VALUE | OD_GRADIENT, LEAF, x, map->batch, index, loss, g, ws);
        for (size_t p = 0; p < LEAF; p++) {
            sum[0] += g[p];
            square[0] += g[p] * g[p];
            sum[1] += loss[p];
            square[1] += loss[p] * loss[p];
        }
    }
    free(index);
    free(x);
    status = status == OD_OK ? q->f->eval(q->f, OD_VALUE | OD_GRADIENT, 1, q->start, &whole, q->g, q->ws) : status;
    if (status != OD_OK) {
        return status;
    }
    for (int k = 0; k < 2; k++) {
        sum[k] /= BATCHES;
        square[k] = sqrt(fmax(square[k] / BATCHES - sum[k] * sum[k], 0) / BATCHES);
    }
    od_claim *c = od_claims_append(q->list, "batch-loss-printed", "after eq. (39)",
                                   "the loss of a mini-batch has the mean zero (at the start, 4096 batches)");
    c->expected = whole != 0 ? OD_FAILS : OD_HOLDS;
    c->error_sampling = square[1];
    od_claims_match(c, 0, sum[1], "this loss: it is the noise of the gradient that has");
    c = od_claims_append(
        q->list, "batch-mean", "after eq. (39), corrected",
        "the gradient's noise has: the gradient of a mini-batch has the mean g (first component, 4096 batches)");
    c->error_sampling = square[0];
    c->error_integration = 1e-12 * fabs(q->g[0]);
    od_claims_match(c, q->g[0], sum[0], "these batches");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

/* p of an iteration with memory t^p from rest, by the parts of the gradient that it takes: p/(k + p). NaN: another one.
 */
static od_status find_exponent(study *q, double *p)
{
    double first, later;
    od_status status = taken(q, &q->m->map, 1, &first);
    status = status == OD_OK ? taken(q, &q->m->map, 9, &later) : status;
    *p = first / (1 - first);
    *p = status == OD_OK && *p > 0 && fabs(later - *p / (9 + *p)) <= 1e-9 ? *p : NAN;
    return status;
}

static od_status ask(study *q)
{
    const od_problem *f = q->f;
    const bool plain = q->m->map.batch == 0 && q->m->map.noise_dim == 0;
    double p = NAN;
    if (q->m->map.batch > 0) {
        return batch_claims(q);
    }
    od_status status = plain && q->m->map.dim == 2 * q->d ? find_exponent(q, &p) : OD_OK;
    if (status == OD_OK && p > 1.01) {
        status = factor_claims(q, p);
        const bool known = f->spectrum != NULL && f->convexity.value >= 0 && f->lipschitz.value > 0;
        status = status == OD_OK && known ? sequence_claims(q) : status;
        status = status == OD_OK && f->lipschitz.value == 0 ? constant_claim(q) : status;
    }
    return status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    if (!m->has_map) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no iteration");
    }
    study q = {.ctx = ctx, .m = m, .f = m->problem, .d = m->problem->dim, .eta = m->map.tau, .list = list};
    q.start = od_zalloc(2 * m->dim + 4 * q.d + od_claims_scratch(m, 1), sizeof *q.start);
    if (q.start == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.z = q.start + m->dim;
    q.x = q.z + m->dim;
    q.last = q.x + q.d;
    q.g = q.last + q.d;
    q.ws = q.g + 2 * q.d;
    od_status status = od_start_fill(m, 0, 1, q.start, q.ws);
    status = status == OD_OK ? ask(&q) : od_fail(ctx, status, "start", "the start could not be evaluated");
    free(q.start);
    return status;
}

static double cost(const od_member *m)
{
    return m->map.batch > 0 ? BATCHES * (double)m->map.batch / fmax((double)m->problem->samples, 1) : STEPS;
}

const od_claim_set od_claims_sequences = {
    .name = "sequences",
    .summary = "what the proof of Theorem 2.3.2 rests on: factors, sequences, unbiased gradients",
    .ids = (const char *const[]){"discrete-factor-printed", "discrete-factor", "discrete-sequence-printed",
                                 "discrete-sequence", "discrete-constant", "batch-loss-printed", "batch-mean", NULL},
    .standard = (const char *const[]){"{problem: {name: quadratic, eigenvalues: [1, 0.3]}, method: {name: memory, "
                                      "step: 0.5}, start: {x: [1, 1]}, "
                                      "iterations: 10, compare: [{}, {method: {name: memory, forgetting: quadratic, "
                                      "step: 0.5}}, {problem: {name: "
                                      "constant-gradient, gradient: [1.5, -0.2]}}]}",
                                      "{problem: {name: least-squares, data: teacher, features: 3, samples: 60, "
                                      "target_noise: 0.5}, method: {name: "
                                      "memory, step: 0.1, batch: 8}, start: {x: [1, -1, 1]}, iterations: 10}",
                                      NULL},
    .find = find,
    .cost = cost,
};
