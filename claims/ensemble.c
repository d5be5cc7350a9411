/*
 * Theorem 2.3.1 and Lemma 2.3.2 of Orvieto (2023): memory m = t^p with noise sigma(x), by ensemble.
 *
 *   E f - f* <= (r(t0) (f0 - f*) + |x0 - x* + lam(t0) v0|^2/2)/r(t) + d s*^2/2 int lam^2 (m'/m)^2/r(t)
 *   lam = t/(p - 1), r = p t/(p - 1)^2, s*^2 the largest eigenvalue of sigma sigma^T, p >= 1 + 1/tau
 *
 * where <g, x - x*> >= tau (f - f*): tau = 2 on quadratics, 1 on convex losses; on others it is the smallest ratio at
 * the states of the ensemble, and so is s* where the noise depends on the state.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include "analysis/vector.h"
#include "src/memory.h"
#include "src/start.h"
#include "src/strands.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128, ROWS = 40, MOST_DIM = 16 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    bool seen, loud;              /* tau is the one seen; so is s* */
    double p, tau, noise;         /* noise: s*^2 */
    double start, excess, square; /* r(t0) (f0 - f*) + |x0 - x* + lam v0|^2/2, f0 - f* and |x0 - x*|^2 */
    double mean[ROWS], error[ROWS], time[ROWS];
    double bias[ROWS]; /* of the scheme, where it was asked for: the change of means with half of the step */
    od_claim_list *list;
} study;

/* Room for a block of paths. */
typedef struct room {
    double *loss, *g, *dw, *out; /* [n], [d*n], [noise.dim*n], [d*n] */
    double *cov, *values, *ws;   /* [d*d*n], [4 d] */
} room;

/* The smallest <g, x - x*>/(f - f*). */
static void see_convexity(study *q, const double *x, size_t n, const room *a)
{
    const od_problem *f = q->m->problem;
    for (size_t p = 0; p < n; p++) {
        double along = 0;
        for (size_t i = 0; i < f->dim; i++) {
            along += a->g[i * n + p] * (x[i * n + p] - f->minimiser[i]);
        }
        const double over = a->loss[p] - f->minimum.value;
        q->tau = over > 0 ? fmin(q->tau, along / over) : q->tau;
    }
}

/* The largest eigenvalue of sigma sigma^T, which the flow multiplies by (m'/m)^2. */
static od_status see_noise(study *q, double t, const double *z, size_t n, const room *a)
{
    const od_flow *flow = &q->m->flow;
    const size_t d = q->m->problem->dim;
    double kinetic[2], potential[2];
    od_status status = OD_OK;
    flow->lagrangian(flow, t, kinetic, potential);
    const double force = exp(potential[0] - kinetic[0]);
    memset(a->cov, 0, d * d * n * sizeof *a->cov);
    for (size_t j = 0; j < flow->noise.dim && status == OD_OK; j++) {
        memset(a->dw, 0, flow->noise.dim * n * sizeof *a->dw);
        for (size_t p = 0; p < n; p++) {
            a->dw[j * n + p] = 1 / force;
        }
        status = flow->noise.apply(flow, t, n, z, a->dw, a->out, a->ws);
        for (size_t i = 0; i < d * d * n; i++) {
            const size_t p = i / (d * d), row = i / d % d, column = i % d;
            a->cov[i] += a->out[row * n + p] * a->out[column * n + p];
        }
    }
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        const lapack_int k = (lapack_int)d;
        if (LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'U', k, a->cov + p * d * d, k, a->values, a->values + d, 3 * k) !=
            0) {
            return od_fail(q->ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a covariance");
        }
        q->noise = fmax(q->noise, a->values[d - 1]);
    }
    return status;
}

/* With the member's step over `parts`. */
static od_status sum_block(study *q, unsigned parts, uint64_t first, size_t n, const room *a, double *sum,
                           double *square)
{
    const od_member *m = q->m;
    const od_problem *f = m->problem;
    const uint64_t steps = (uint64_t)llround((m->until - m->start.t) / m->step);
    const od_strand strand = {m->integrator_choice.integrator, m->step / parts, 1};
    od_strands block;
    od_status status = od_strands_open(q->ctx, q->ctx, m, strand.step, &strand, 1, first, n, &block);
    for (size_t r = 0; r < ROWS && status == OD_OK; r++) {
        const uint64_t at = steps * (r + 1) / ROWS;
        const double *z = block.state[0];
        status = od_strands_advance(q->ctx, &block, at * parts);
        status = status == OD_OK ? f->eval(f, OD_VALUE | OD_GRADIENT, n, z, a->loss, a->g, a->ws) : status;
        q->time[r] = m->start.t + (double)at * m->step;
        if (status == OD_OK && q->seen) {
            see_convexity(q, z, n, a);
        }
        if (status == OD_OK && q->loud) {
            status = see_noise(q, q->time[r], z, n, a);
        }
        for (size_t p = 0; p < n && status == OD_OK; p++) {
            const double over = a->loss[p] - f->minimum.value;
            sum[r] += over;
            square[r] += over * over;
        }
    }
    od_strands_close(&block);
    return status == OD_OK && od_cancelled(q->ctx) ? od_fail(q->ctx, OD_EINTERRUPTED, NULL, "interrupted") : status;
}

static od_status sum_losses(study *q, unsigned parts, double *sum, double *square)
{
    const od_member *m = q->m;
    const size_t d = m->problem->dim, own = od_scratch_size(&m->problem->scratch, LEAF),
                 flow = od_scratch_size(&m->flow.scratch, LEAF), cov = q->loud ? d * d * LEAF + 4 * d : 0;
    room a = {
        .loss = od_zalloc(LEAF * (1 + 2 * d + m->flow.noise.dim) + cov + (own > flow ? own : flow), sizeof *a.loss)};
    od_status status = a.loss != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for an ensemble");
    a.g = a.loss + LEAF;
    a.out = a.g + LEAF * d;
    a.dw = a.out + LEAF * d;
    a.cov = a.dw + LEAF * m->flow.noise.dim;
    a.values = a.cov + (cov > 0 ? d * d * LEAF : 0);
    a.ws = a.cov + cov;
    for (uint64_t first = 0; first < m->paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(m->paths - first < LEAF ? m->paths - first : LEAF);
        status = sum_block(q, parts, first, n, &a, sum, square);
    }
    free(a.loss);
    return status;
}

static od_status run_ensemble(study *q)
{
    double sum[ROWS] = {0}, square[ROWS] = {0};
    const double n = (double)q->m->paths;
    const od_status status = sum_losses(q, 1, sum, square);
    bool bounded = true;
    for (size_t r = 0; r < ROWS; r++) {
        q->mean[r] = sum[r] / n;
        q->error[r] = sqrt(fmax(square[r] / n - q->mean[r] * q->mean[r], 0) / (n - 1));
        bounded = bounded && isfinite(square[r]);
    }
    return status == OD_OK && !bounded ? od_fail(q->ctx, OD_EUNSUPPORTED, NULL,
                                                 "paths leave all bounds: take shorter steps than %.6g", q->m->step)
                                       : status;
}

/* Before anything is called exceeded: how much of it is the scheme's error. */
static od_status halve_steps(study *q)
{
    double sum[ROWS] = {0}, square[ROWS] = {0};
    const od_status status = sum_losses(q, 2, sum, square);
    for (size_t r = 0; r < ROWS; r++) {
        const double change = fabs(sum[r] / (double)q->m->paths - q->mean[r]);
        q->bias[r] = isfinite(change) ? 2 * change : INFINITY;
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
    od_claim *c = od_claims_append(q->list, id, source, statement);
    c->error_sampling = q->error[worst];
    c->error_integration = q->bias[worst];
    od_claims_bound(c, bound[worst], q->mean[worst], NULL);
    if (q->seen || q->loud) {
        c->error_model = NAN; /* constants seen at some states only */
    }
    if (c->verdict == OD_FAILS) {
        c->counterexample = od_arena_print(q->list->arena, "this ensemble at t = %.6g", q->time[worst]);
    }
    od_claims_doubt(c);
}

static od_status judge(study *q)
{
    const double p = q->p, d = (double)q->m->problem->dim, t0 = q->m->start.t, noise = d * q->noise / 2;
    double master[ROWS], theorem[ROWS];
    bool exceeded = false;
    for (size_t r = 0; r < ROWS; r++) {
        const double t = q->time[r], weight = p * t / ((p - 1) * (p - 1));
        master[r] = (q->start + noise * p * p / ((p - 1) * (p - 1)) * (t - t0)) / weight;
        theorem[r] = q->square / (2 * weight) + t0 / t * q->excess + p * noise;
        exceeded = exceeded || q->mean[r] > fmin(master[r], theorem[r]);
    }
    const od_status status = exceeded ? halve_steps(q) : OD_OK;
    for (size_t r = 0; r < ROWS && status == OD_OK; r++) {
        if (q->bias[r] > q->mean[r] / 2) {
            return od_fail(q->ctx, OD_EUNSUPPORTED, NULL,
                           "the scheme's error is too large: take shorter steps than %.6g", q->m->step);
        }
    }
    if (status != OD_OK) {
        return status;
    }
    bound_claim(q, master,
                q->loud   ? "memory-master-state"
                : q->seen ? "memory-master-quasi"
                          : "memory-master",
                "Lemma 2.3.2",
                q->loud ? "E f - f* <= (r(t0) (f0 - f*) + |x0 - x* + lam(t0) v0|^2/2)/r(t) + d s*^2/(2 r(t)) int lam^2 "
                          "(m'/m)^2 for m = t^p with noise sigma(x), s* the largest seen, where it is tightest"
                : q->seen
                    ? "the same on a loss that is not convex, for p >= 1 + 1/tau with the smallest tau <= <g, x - "
                      "x*>/(f - f*) seen, where it is tightest"
                    : "E f - f* <= (r(t0) (f0 - f*) + |x0 - x* + lam(t0) v0|^2/2)/r(t) + d sigma^2/(2 r(t)) int "
                      "lam^2 (m'/m)^2 for m = t^p, at the time where it is tightest");
    bound_claim(q, theorem,
                q->loud   ? "memory-rate-state"
                : q->seen ? "memory-rate-quasi"
                          : "memory-rate",
                "Thm 2.3.1",
                q->loud ? "E f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) + p d s*^2/2 with noise sigma(x), s* the largest "
                          "seen, from t0 = 0 (else as below), where it is tightest"
                : q->seen
                    ? "E f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) + p d sigma^2/2 on a loss that is not convex, for "
                      "p >= 1 + 1/tau with the smallest tau seen, where it is tightest"
                    : "E f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) + p d sigma^2/2 from t0 = 0 (from t0 (t0/t)(f0 - "
                      "f*) more), at the time where it is tightest");
    return OD_OK;
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

/* step/batch times the covariance of single samples' gradients at x; g [2 d]. */
static od_status sample_noise(const study *q, const double *x, double *cov, double *g, double *ws)
{
    const od_problem *f = q->m->problem;
    const od_settings *s = q->m->method_choice.settings;
    const size_t d = f->dim;
    const double batch = od_setting_present(s, "batch") ? od_setting_real(s, "batch") : 1;
    double *mean = g + d;
    od_status status = f->eval(f, OD_GRADIENT, 1, x, NULL, mean, ws);
    for (uint32_t j = 0; j < f->samples && status == OD_OK; j++) {
        status = f->eval_samples(f, OD_GRADIENT, 1, x, 1, &j, NULL, g, ws);
        for (size_t i = 0; i < d * d; i++) {
            const size_t row = i / d, column = i % d;
            cov[i] += od_setting_real(s, "step") / (batch * (double)f->samples) * (g[row] - mean[row]) *
                      (g[column] - mean[column]);
        }
    }
    return status;
}

/* sigma sigma^T at the start as the experiment says it, not as the flow applies it. cov[d*d], out[2 d]. */
static od_status stated_noise(const study *q, const double *x, double *cov, double *out, double *ws)
{
    const od_value *noise = od_setting(q->m->method_choice.settings, "noise");
    const size_t d = q->m->problem->dim;
    for (size_t i = 0; i < d * d && noise->kind != OD_TEXT; i++) {
        const size_t row = i / d, column = i % d, n = noise->cols;
        cov[i] = noise->kind == OD_MATRIX ? od_dot(n, noise->list + row * n, noise->list + column * n)
                 : row == column          ? noise->real * noise->real
                                          : 0;
    }
    return noise->kind == OD_TEXT ? sample_noise(q, x, cov, out, ws) : OD_OK;
}

/* tr(b b^T)/2 as the flow applies b, per (m'/m)^2, at state z; dw [noise.dim], out [d]. */
static od_status applied_noise(const od_flow *flow, double t, const double *z, double *dw, double *out, double *ws,
                               double *half)
{
    const size_t d = flow->block[flow->noise.block].length;
    double kinetic[2], potential[2];
    od_status status = OD_OK;
    flow->lagrangian(flow, t, kinetic, potential);
    *half = 0;
    for (size_t j = 0; j < flow->noise.dim && status == OD_OK; j++) {
        memset(dw, 0, flow->noise.dim * sizeof *dw);
        dw[j] = exp(kinetic[0] - potential[0]);
        status = flow->noise.apply(flow, t, 1, z, dw, out, ws);
        *half += od_dot(d, out, out) / 2;
    }
    return status;
}

/*
 * App. B.1: what noise adds to the generator of |x - x* + lam v|^2/2, lam^2 tr(b b^T)/2 with b = (m'/m) sigma, is at
 * most d s*^2 lam^2 (m'/m)^2/2, since Tr(P Q) <= d |P| |Q|; at the start, per lam^2 (m'/m)^2. One line of the proof
 * has it equal to that.
 */
static od_status generator_claims(study *q)
{
    const od_member *m = q->m;
    const od_value *noise = od_setting(m->method_choice.settings, "noise");
    const size_t d = m->problem->dim, k = m->flow.noise.dim;
    const bool memory = strcmp(m->method_choice.method->name, "memory") == 0; /* tau is its step */
    if (noise->kind == OD_TEXT && (m->problem->eval_samples == NULL || !memory)) {
        return OD_OK;
    }
    double *z = od_zalloc(m->dim + k + 2 * d + d * d + 4 * d + od_claims_scratch(m, 1), sizeof *z), *dw = z + m->dim,
           *out = dw + k, *cov = out + 2 * d, *values = cov + d * d, *ws = values + 4 * d, half = NAN;
    od_status status = z != NULL ? od_start_fill(m, 0, 1, z, ws)
                                 : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a generator");
    status = status == OD_OK ? applied_noise(&m->flow, m->start.t > 0 ? m->start.t : m->step, z, dw, out, ws, &half)
                             : status;
    status = status == OD_OK ? stated_noise(q, z, cov, out, ws) : status;
    const lapack_int n = (lapack_int)d;
    if (status == OD_OK && LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'U', n, cov, n, values, values + d, 3 * n) == 0) {
        const double most = (double)d * values[d - 1] / 2;
        od_claim *c = od_claims_append(q->list, "generator-noise-printed", "App. B.1.2",
                                       "noise adds d s*^2/2 to the generator of |x - x* + lam v|^2/2 (over lam^2 "
                                       "(m'/m)^2, at the start)");
        c->expected = d > 1 && values[0] < (1 - 1e-9) * values[d - 1] ? OD_FAILS : OD_HOLDS;
        c->error_integration = 1e-10 * most;
        od_claims_match(c, most, half, "this noise is not the same to all sides: d stands there a line too early");
        c = od_claims_append(q->list, "generator-noise", "App. B.1, Tr(P Q) <= d |P| |Q|, corrected",
                             "it adds at most that (measured: as the flow applies its noise)");
        c->error_integration = 1e-10 * most;
        od_claims_bound(c, most, half, "this noise");
        c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict; /* attained by one number as noise */
    }
    free(z);
    return status;
}

/* What the theorem knows of the loss and the noise, before any path has run. */
static od_status prepare(study *q, const od_claims_kind *kind)
{
    const od_problem *f = q->m->problem;
    const od_value *noise = od_setting(q->m->method_choice.settings, "noise");
    const double mu = !isnan(kind->least) ? kind->least : f->convexity.value;
    q->p = kind->forgetting;
    q->seen = !(mu >= 0);
    q->tau = q->seen ? INFINITY : isnan(kind->beta) ? 1 : 2;
    q->loud = noise->kind != OD_REAL;
    q->noise = q->loud ? 0 : noise->real * noise->real;
    if (!(q->p > 1) || f->minimiser == NULL || !isfinite(f->minimum.value) || (q->loud && f->dim > MOST_DIM)) {
        return od_fail(q->ctx, OD_EUNSUPPORTED, NULL,
                       "the bounds are those of memory t^p, p > 1, on losses whose minimiser is known");
    }
    return OD_OK;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_value *noise = m->has_flow ? od_setting(m->method_choice.settings, "noise") : NULL;
    if (noise == NULL || !noise->present || isnan(m->step) || m->paths < 2 || od_member_automatic(m) ||
        m->flow.lagrangian == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no ensemble of a flow with a Lagrangian and noise");
    }
    const od_claims_kind kind = od_claims_recognise(m, m->start.t, m->until);
    study q = {.ctx = ctx, .m = m, .list = list};
    od_status status = prepare(&q, &kind);
    if (status == OD_OK && !q.seen && q.p < 1 + 1 / q.tau) {
        status = od_fail(ctx, OD_EUNSUPPORTED, NULL, "the bounds need p >= 2 on convex losses, 3/2 on quadratics");
    }
    status = status == OD_OK ? look_at_start(&q) : status;
    status = status == OD_OK ? run_ensemble(&q) : status;
    if (status == OD_OK && q.p < 1 + 1 / q.tau) {
        status = od_fail(
            ctx, OD_EUNSUPPORTED, NULL,
            "the bounds need p >= 1 + 1/tau, and <g, x - x*> falls to tau = %.3g times f - f* on the paths", q.tau);
    }
    if (status == OD_OK) {
        status = judge(&q);
    }
    if (status == OD_OK && m->problem->dim <= MOST_DIM) {
        status = generator_claims(&q);
    }
    return status;
}

const od_claim_set od_claims_ensemble = {
    .name = "noisy-rates",
    .summary = "how far expected losses fall with memory and noise",
    .ids = (const char *const[]){"generator-noise-printed", "generator-noise", "memory-master", "memory-rate",
                                 "memory-master-quasi", "memory-rate-quasi", "memory-master-state", "memory-rate-state",
                                 NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: memory, forgetting: quadratic, "
            "noise: 0.1}, integrator: {name: milstein, step: 0.01}, start: {t: 0.01, x: [1, 1]}, until: 40, paths: "
            "1000, seed: 5, compare: [{}, {method: {name: memory, noise: 0.1}}, {method: {name: memory, forgetting: "
            "square-root, noise: 0.02}, problem: {name: quadratic, eigenvalues: [0.04]}, start: {t: 0.01, x: [1]}}]}",
            "{problem: {name: power, p: 4, c: 0.25, dim: 2}, method: {name: memory, noise: 0.2}, integrator: {name: "
            "milstein, step: 0.01}, start: {t: 0.02, x: [1, -1]}, until: 10, paths: 1000, seed: 5}",
            "{problem: {name: formula, variables: [x], f: \"(1 + x^2)^(1/4) - 1\", minimiser: [0]}, method: {name: "
            "memory, "
            "forgetting: quadratic, noise: 0.2}, integrator: {name: milstein, step: 0.01}, start: {t: 0.02, x: [3]}, "
            "until: 20, paths: 1000, seed: 5}",
            "{problem: {name: least-squares, data: teacher, features: 3, samples: 24, target_noise: 0.5}, method: "
            "{name: "
            "memory, step: 0.1, batch: 4, noise: gradient-covariance}, integrator: {name: euler-maruyama, step: 0.02}, "
            "start: {t: 0.04, x: [1, -1, 1]}, until: 8, paths: 500, seed: 5}",
            NULL},
    .find = find,
};
