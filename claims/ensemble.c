/*
 * Theorem 2.3.1 and Lemma 2.3.2 of Orvieto (2023): memory m = t^p with noise sigma on convex losses, by ensemble.
 *
 *   E f - f* <= (r(t0) (f0 - f*) + |x0 - x* + lam(t0) v0|^2/2)/r(t) + d sigma^2/2 int lam^2 (m'/m)^2/r(t)
 *   lam = t/(p - 1), r = p t/(p - 1)^2, p >= 1 + 1/tau (tau = 2 on quadratics, else 1)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include "src/memory.h"
#include "src/strands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128, ROWS = 40 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    double p, sigma;
    double start, excess, square; /* r(t0) (f0 - f*) + |x0 - x* + lam v0|^2/2, f0 - f* and |x0 - x*|^2 */
    double mean[ROWS], error[ROWS], time[ROWS];
    od_claim_list *list;
} study;

static od_status sum_losses(study *q, uint64_t paths, double *sum, double *square)
{
    const od_member *m = q->m;
    const od_problem *f = m->problem;
    const uint64_t steps = (uint64_t)llround((m->until - m->start.t) / m->step);
    const od_strand strand = {m->integrator_choice.integrator, m->step, 1};
    double *loss = od_zalloc(LEAF + od_scratch_size(&f->scratch, LEAF), sizeof *loss);
    od_status status = loss != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for an ensemble");
    for (uint64_t first = 0; first < paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(paths - first < LEAF ? paths - first : LEAF);
        od_strands block;
        status = od_strands_open(q->ctx, q->ctx, m, m->step, &strand, 1, first, n, &block);
        for (size_t r = 0; r < ROWS && status == OD_OK; r++) {
            const uint64_t at = steps * (r + 1) / ROWS;
            status = od_strands_advance(q->ctx, &block, at);
            status = status == OD_OK ? f->eval(f, OD_VALUE, n, block.state[0], loss, NULL, loss + LEAF) : status;
            q->time[r] = m->start.t + (double)at * m->step;
            for (size_t p = 0; p < n && status == OD_OK; p++) {
                const double over = loss[p] - f->minimum.value;
                sum[r] += over;
                square[r] += over * over;
            }
        }
        od_strands_close(&block);
        status = status == OD_OK && od_cancelled(q->ctx) ? od_fail(q->ctx, OD_EINTERRUPTED, NULL, "interrupted")
                                                         : status;
    }
    free(loss);
    return status;
}

static od_status run_ensemble(study *q)
{
    double sum[ROWS] = {0}, square[ROWS] = {0};
    const double n = (double)q->m->paths;
    const od_status status = sum_losses(q, q->m->paths, sum, square);
    for (size_t r = 0; r < ROWS; r++) {
        q->mean[r] = sum[r] / n;
        q->error[r] = sqrt(fmax(square[r] / n - q->mean[r] * q->mean[r], 0) / (n - 1));
    }
    return status;
}

/* Where the mean is nearest to a bound, or farthest above it. */
static void bound_claim(study *q, const double *bound, const char *id, const char *source, const char *statement)
{
    size_t worst = 0;
    for (size_t r = 1; r < ROWS; r++) {
        worst = q->mean[r] / bound[r] > q->mean[worst] / bound[worst] ? r : worst;
    }
    od_claim *c = od_claims_add(q->list->claim, &q->list->count, id, source, statement);
    c->error_sampling = q->error[worst];
    od_claims_bound(c, bound[worst], q->mean[worst], NULL);
    if (c->verdict == OD_FAILS) {
        c->counterexample = od_arena_print(q->list->arena, "this ensemble at t = %.6g", q->time[worst]);
    }
}

static void judge(study *q)
{
    const double p = q->p, d = (double)q->m->problem->dim, t0 = q->m->start.t, noise = d * q->sigma * q->sigma / 2;
    double master[ROWS], theorem[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        const double t = q->time[r], weight = p * t / ((p - 1) * (p - 1));
        master[r] = (q->start + noise * p * p / ((p - 1) * (p - 1)) * (t - t0)) / weight;
        theorem[r] = q->square / (2 * weight) + t0 / t * q->excess + p * noise;
    }
    bound_claim(
        q, master, "memory-master", "Lemma 2.3.2",
        "E f - f* <= (r(t0) (f0 - f*) + |x0 - x* + lam(t0) v0|^2/2)/r(t) + d sigma^2/(2 r(t)) int lam^2 (m'/m)^2 "
        "for m = t^p, at the time where it is tightest");
    bound_claim(q, theorem, "memory-rate", "Thm 2.3.1",
                "E f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) + p d sigma^2/2 from t0 = 0 (from t0 (t0/t)(f0 - f*) more), "
                "at the time where it is tightest");
}

/* What of the energy is there at the start. */
static od_status look_at_start(study *q)
{
    od_orbit o;
    const double p = q->p, t0 = q->m->start.t;
    const od_status status = od_orbit_open(q->ctx, q->m, &q->m->flow, t0, NULL, &o);
    if (status == OD_OK) {
        q->excess = od_orbit_excess(&o);
        q->square = od_orbit_square(&o);
        q->start = p * t0 / ((p - 1) * (p - 1)) * q->excess + od_orbit_ahead(&o, t0 / (p - 1)) / 2;
    }
    od_orbit_close(&o);
    return status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_problem *f = m->problem;
    const od_value *noise = m->has_flow ? od_setting(m->method_choice.settings, "noise") : NULL;
    if (noise == NULL || !noise->present || noise->kind != OD_REAL || isnan(m->step) || m->paths < 2 ||
        od_member_automatic(m)) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no ensemble of a flow with one number as noise");
    }
    const od_claims_kind kind = od_claims_recognise(m, m->start.t, m->until);
    const double mu = !isnan(kind.least) ? kind.least : f->convexity.value;
    if (!(mu >= 0) || f->minimiser == NULL || !isfinite(f->minimum.value) ||
        !(kind.forgetting >= (isnan(kind.beta) ? 2 : 1.5))) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL,
                       "the bounds are those of memory t^p, p >= 2 (3/2 on quadratics), on convex losses");
    }
    study q = {.ctx = ctx, .m = m, .p = kind.forgetting, .sigma = noise->real, .list = list};
    od_status status = look_at_start(&q);
    status = status == OD_OK ? run_ensemble(&q) : status;
    if (status == OD_OK) {
        judge(&q);
    }
    return status;
}

const od_claim_set od_claims_ensemble = {
    .name = "noisy-rates",
    .summary = "how far expected losses fall with memory and noise",
    .ids = (const char *const[]){"memory-master", "memory-rate", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: memory, forgetting: quadratic, "
            "noise: 0.1}, integrator: {name: milstein, step: 0.01}, start: {t: 0.01, x: [1, 1]}, until: 40, paths: "
            "1000, seed: 5, compare: [{}, {method: {name: memory, noise: 0.1}}, {method: {name: memory, forgetting: "
            "square-root, noise: 0.02}, problem: {name: quadratic, eigenvalues: [0.04]}, start: {t: 0.01, x: [1]}}]}",
            "{problem: {name: power, p: 4, c: 0.25, dim: 2}, method: {name: memory, noise: 0.2}, integrator: {name: "
            "milstein, step: 0.01}, start: {t: 0.02, x: [1, -1]}, until: 10, paths: 1000, seed: 5}",
            NULL},
    .find = find,
};
