/*
 * Section 2.3 of Orvieto (2023): what gradient noise sigma dB does to velocities and losses.
 *
 * With a constant gradient the velocity's noise has the kernel V(s) = (s/t)^r (damping r/t) or (s/t)^p p/s (memory t^p)
 * and the position's its integral over later times, so variances are integrals of V^2, V X and X^2 over [t0, t]; from
 * t0 = 0 they are those of eqs. (32) and (34). They are held against the moments of the equation, which follow from
 * drift and noise alone, and against an ensemble.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "kind.h"
#include "ledger.h"

#include "analysis/gaussian.h"
#include "src/memory.h"
#include "src/strands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128 };

/* CVODE's rtol is 1e-11; moments of the standard experiments are right to 1e-9. */
#define LAW_ERROR 1e-8

typedef struct study {
    od_context *ctx;
    const od_member *m;
    od_claims_kind kind;
    double sigma, t0, t;
    double *mean, *cov; /* of the equation at t, [dim] and [dim*dim] */
    od_claim_list *list;
} study;

static void match(od_claim *c, double predicted, double measured)
{
    c->error_integration = LAW_ERROR * fabs(predicted);
    od_claims_match(c, predicted, measured, "this time");
}

/* Mean and covariance of a member's equation at t. */
static od_status moments_at(od_context *ctx, const od_member *m, double t, double *mean, double *cov)
{
    od_law_moments law;
    od_status status = od_law_moments_open(ctx, m, &law);
    status = status == OD_OK ? od_law_moments_advance(ctx, &law, t) : status;
    if (status == OD_OK) {
        memcpy(mean, law.mean, m->dim * sizeof *mean);
        memcpy(cov, law.cov, m->dim * m->dim * sizeof *cov);
    }
    od_law_moments_close(&law);
    return status;
}

/* ------------------------------------------------------------------------------------------------ constant gradient */

/* int_{t0}^t s^n ds */
static double power(const study *q, double n)
{
    return (pow(q->t, n + 1) - pow(q->t0, n + 1)) / (n + 1);
}

/* Moments per sigma^2 and, of v, per g, from v0 = 0 at t0. */
typedef struct plain {
    double velocity_mean, velocity, covariance, position;
} plain;

static plain viscous_moments(const study *q, double r)
{
    const double t = q->t, c = r - 1;
    return (plain){-power(q, r) / pow(t, r), power(q, 2 * r) / pow(t, 2 * r),
                   (power(q, r + 1) / pow(t, r) - power(q, 2 * r) * pow(t, 1 - 2 * r)) / c,
                   (power(q, 2) - 2 * power(q, r + 1) * pow(t, 1 - r) + power(q, 2 * r) * pow(t, 2 - 2 * r)) / (c * c)};
}

static plain memory_moments(const study *q, double p)
{
    const double t = q->t, c = p / (p - 1);
    return (plain){-p * power(q, p - 1) / pow(t, p), p * p * power(q, 2 * p - 2) / pow(t, 2 * p),
                   c * p * (power(q, p - 1) / pow(t, p) - power(q, 2 * p - 2) * pow(t, 1 - 2 * p)),
                   c * c *
                       (power(q, 0) - 2 * power(q, p - 1) * pow(t, 1 - p) + power(q, 2 * p - 2) * pow(t, 2 - 2 * p))};
}

static void plain_claims(study *q, const plain *of, const double *gradient, bool memory)
{
    const size_t d = q->m->problem->dim, dim = q->m->dim;
    const double square = q->sigma * q->sigma;
    od_claim *c =
        memory ? od_claims_append(
                     q->list, "memory-velocity-mean", "eq. (33)",
                     "with a constant gradient E v -> -g for m = t^p, here from v = 0 at t0: -g (1 - (t0/t)^p)")
               : od_claims_append(q->list, "nag-velocity-mean", "eq. (31)",
                                  "with a constant gradient E v = -g t/(r + 1), -g t/4 for r = 3, from v = 0 at t = 0");
    match(c, of->velocity_mean * gradient[0], q->mean[d]);
    if (!memory) {
        c = od_claims_append(
            q->list, "nag-drift-printed", "footnote 16",
            "the velocity obeys dv = -(3/t) v dt - sigma dB, without the gradient (its mean, from v = 0)");
        c->expected = gradient[0] != 0 ? OD_FAILS : OD_HOLDS;
        match(c, 0, q->mean[d]);
        c->error_integration = LAW_ERROR;
    }
    c = memory ? od_claims_append(
                     q->list, "memory-velocity-variance", "eq. (34)",
                     "its variance is sigma^2 p^2/((2 p - 1) t), 9 sigma^2/(5 t) for p = 3, from t0 = 0 (here from t0)")
               : od_claims_append(
                     q->list, "nag-velocity-variance", "eq. (32)",
                     "its variance is sigma^2 t/(2 r + 1), sigma^2 t/7 for r = 3, from t0 = 0 (here from t0)");
    match(c, square * of->velocity, q->cov[d * dim + d]);
    c = memory
            ? od_claims_append(q->list, "memory-covariance", "derived in docs/claims.md",
                               "Cov(x, v) = sigma^2 p/(2 p - 1) from t0 = 0 (here from t0)")
            : od_claims_append(
                  q->list, "nag-covariance", "derived in docs/claims.md",
                  "Cov(x, v) = sigma^2 t^2/((r + 2)(2 r + 1)), sigma^2 t^2/35 for r = 3, from t0 = 0 (here from t0)");
    match(c, square * of->covariance, q->cov[d]);
    c = memory ? od_claims_append(q->list, "memory-position-variance", "derived in docs/claims.md",
                                  "Var x = 2 sigma^2 p t/(2 p - 1) from t0 = 0 (here from t0)")
               : od_claims_append(q->list, "nag-position-variance", "derived in docs/claims.md",
                                  "Var x = 2 sigma^2 t^3/105 for r = 3 from t0 = 0 (here from t0)");
    match(c, square * of->position, q->cov[0]);
}

/* Sample variance of the first velocity; the chain's differs from the equation's by the bias of the step. */
static od_status ensemble_claim(study *q)
{
    const od_member *m = q->m;
    const size_t d = m->problem->dim;
    const uint64_t steps = (uint64_t)llround((q->t - q->t0) / m->step), paths = m->paths;
    const od_strand strand = {m->integrator_choice.integrator, m->step, 1};
    od_law_chain chain;
    double sum = 0, square = 0;
    od_status status = od_law_chain_open(q->ctx, m, m->integrator_choice.integrator, m->step, &chain);
    status = status == OD_OK ? od_law_chain_advance(q->ctx, &chain, steps) : status;
    const double mean = status == OD_OK ? chain.mean[d] : NAN;
    const double bias = status == OD_OK ? fabs(chain.cov[d * m->dim + d] - q->cov[d * m->dim + d]) : NAN;
    od_law_chain_close(&chain);
    for (uint64_t first = 0; first < paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(paths - first < LEAF ? paths - first : LEAF);
        od_strands block;
        status = od_strands_open(q->ctx, q->ctx, m, m->step, &strand, 1, first, n, &block);
        status = status == OD_OK ? od_strands_advance(q->ctx, &block, steps) : status;
        for (size_t p = 0; p < n && status == OD_OK; p++) {
            const double off = block.state[0][d * n + p] - mean;
            sum += off;
            square += off * off;
        }
        od_strands_close(&block);
    }
    if (status != OD_OK) {
        return status;
    }
    if (!(bias <= 0.1 * q->cov[d * m->dim + d])) {
        return OD_OK; /* steps so long say nothing of the equation */
    }
    const double n = (double)paths, variance = (square - sum * sum / n) / (n - 1);
    od_claim *c = od_claims_append(q->list, "velocity-variance-ensemble", "eqs. (32), (34)",
                                   "an ensemble has the variance of v that the equation has");
    c->error_sampling = sqrt(2 / (n - 1)) * q->cov[d * m->dim + d];
    c->error_model = bias;
    od_claims_match(c, q->cov[d * m->dim + d], variance, "this ensemble");
    return OD_OK;
}

static od_status constant_claims(study *q)
{
    const od_problem *f = q->m->problem;
    const size_t d = f->dim;
    const od_claims_kind *k = &q->kind;
    double *g = od_zalloc(2 * d + od_scratch_size(&f->scratch, 1), sizeof *g);
    if (g == NULL || f->eval(f, OD_GRADIENT, 1, g + d, NULL, g, g + 2 * d) != OD_OK) {
        free(g);
        return od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a gradient");
    }
    const double square = q->sigma * q->sigma, variance = q->cov[d * q->m->dim + d];
    if (k->viscous > 1 || k->forgetting > 1) {
        const plain of = k->viscous > 1 ? viscous_moments(q, k->viscous) : memory_moments(q, k->forgetting);
        plain_claims(q, &of, g, !(k->viscous > 1));
    } else if (k->damping > 0) {
        od_claim *c = od_claims_append(
            q->list, "hb-velocity-variance", "section 2.3",
            "with a constant gradient heavy ball has Var v = sigma^2 (1 - e^{-2 alpha t})/(2 alpha)");
        match(c, -square * expm1(-2 * k->damping * (q->t - q->t0)) / (2 * k->damping), variance);
        c = od_claims_append(q->list, "hb-velocity-mean", "section 2.3",
                             "and E v = -g (1 - e^{-alpha t})/alpha, from v = 0");
        match(c, g[0] * expm1(-k->damping * (q->t - q->t0)) / k->damping, q->mean[d]);
    } else if (k->memory) {
        double a[2], b[2];
        q->m->flow.lagrangian(&q->m->flow, q->t, a, b);
        const double alpha = b[1]; /* (e^{2 alpha t} - e^{2 alpha t0})/(e^{alpha t} - 1)^2, t0 = 0: coth */
        od_claim *c = od_claims_append(q->list, "exponential-velocity-variance", "section 2.3, m = e^{alpha t} - 1",
                                       "Var v = sigma^2 (alpha/2) coth(alpha t/2) from t0 = 0 (here from t0)");
        match(c, -square * alpha / 2 * expm1(-2 * alpha * (q->t - q->t0)) / pow(expm1(-alpha * q->t), 2), variance);
    }
    free(g);
    return q->list->count > 0 && q->m->paths > 1 && !isnan(q->m->step) ? ensemble_claim(q) : OD_OK;
}

/* ------------------------------------------------------------------------------------------------ quadratics */

/* What noise adds to f at t/2 and t, over the number of dimensions and sigma^2. */
static od_status losses(study *q, double loss[2])
{
    const double scale = (double)q->m->problem->dim * q->sigma * q->sigma;
    od_status status = OD_OK;
    for (int k = 0; k < 2 && status == OD_OK; k++) {
        status = moments_at(q->ctx, q->m, k == 0 ? q->t / 2 : q->t, q->mean, q->cov);
        double all = NAN, still = NAN;
        status = status == OD_OK ? od_gaussian_loss(q->ctx, q->m, q->mean, q->cov, &all) : status;
        memset(q->cov, 0, q->m->dim * q->m->dim * sizeof *q->cov);
        status = status == OD_OK ? od_gaussian_loss(q->ctx, q->m, q->mean, q->cov, &still) : status;
        loss[k] = (all - still) / scale;
    }
    return status;
}

/* What is left of the swing between x and v after this phase: two looks at it may agree by chance. */
static double swing(double limit, double phase)
{
    return 0.1 * limit / phase;
}

/* With t the variance is spread evenly over x and v: d/dt E = -r E/t + sigma^2/2, and half of E is f. */
static od_status growth_claim(study *q, double r)
{
    double loss[2];
    const od_status status = losses(q, loss);
    const double rate[2] = {loss[0] / (q->t / 2), loss[1] / q->t};
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "nag-noise-grows", "section 2.3.3; derived in docs/claims.md",
            "with noise and damping r/t E f grows like sigma^2 t/(4 (r + 1)) in each dimension, sigma^2 t/16 "
            "for r = 3, whatever the curvature (measured: what noise adds to it, over sigma^2 t)");
        c->error_model = 2 * fabs(rate[1] - rate[0]) + 1e-4 + swing(1 / (4 * (r + 1)), sqrt(q->kind.least) * q->t);
        od_claims_match(c, 1 / (4 * (r + 1)), rate[1], "this curvature and this time");
    }
    return status;
}

static od_status floor_claims(study *q, double p)
{
    double loss[2];
    const od_status status = losses(q, loss);
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = od_claims_append(
        q->list, "memory-noise-floor", "section 2.3.3; derived in docs/claims.md",
        "with noise and m = t^p what is left of E f is sigma^2 p/(2 (2 p - 1)) in each dimension, whatever the "
        "curvature (measured: what noise adds to it)");
    c->error_model = 2 * fabs(loss[1] - loss[0]) + 1e-4 + swing(p / (2 * (2 * p - 1)), sqrt(p * q->kind.least * q->t));
    od_claims_match(c, p / (2 * (2 * p - 1)), loss[1], "this curvature and this time");
    c = od_claims_append(q->list, "memory-noise-bound", "Thm 2.3.1, its noise term",
                         "the noise in E f is at most sigma^2 p/2 in each dimension");
    c->error_model = 2 * fabs(loss[1] - loss[0]);
    od_claims_bound(c, p / 2, loss[1], "this curvature and this time");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ another time */

/* A flow whose noise is that of another one times c(t) = sqrt(2 p/t). */
typedef struct louder {
    od_flow base;
    double p;
} louder;

static od_status louder_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const od_flow *base = &((const louder *)flow->data)->base;
    return base->drift(base, t, n, z, dz, ws);
}

static od_status louder_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                              double *ws)
{
    const louder *a = flow->data;
    const od_status status = a->base.noise.apply(&a->base, t, n, z, dw, out, ws);
    for (size_t i = 0; i < a->base.block[1].length * n; i++) {
        out[i] *= sqrt(2 * a->p / t);
    }
    return status;
}

/* Var x of memory t^p at tau = t^2/(4 p) against damping (2 p - 1)/t with noise sigma sqrt(2 p/t) at t. */
static od_status warp_claim(study *q, double p)
{
    char yaml[96];
    snprintf(yaml, sizeof yaml, "{name: nesterov, r: %.17g, noise: %.17g}", 2 * p - 1, q->sigma);
    od_flow *flow = od_flow_create(q->ctx, yaml, q->m->problem);
    if (flow == NULL) {
        return OD_ENOMEM; /* the text is right */
    }
    louder loud = {.base = *flow, .p = p};
    od_member other = *q->m;
    other.flow = *flow;
    other.flow.data = &loud;
    other.flow.drift = louder_drift;
    other.flow.rest = NULL;
    other.flow.noise.apply = louder_apply;
    other.start.t = sqrt(4 * p * q->t0);
    od_status status = moments_at(q->ctx, q->m, q->t, q->mean, q->cov);
    const double predicted = q->cov[0];
    status = status == OD_OK ? moments_at(q->ctx, &other, sqrt(4 * p * q->t), q->mean, q->cov) : status;
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "time-warp-noise", "eqs. (35)-(37) with noise; derived in docs/claims.md",
            "with noise memory t^p at time t^2/(4 p) is damping (2 p - 1)/t at t with noise sigma sqrt(2 "
            "p/t), 2 sigma/sqrt(t) for p = 2 (Var x)");
        c->error_integration = 2 * LAW_ERROR * predicted;
        od_claims_match(c, predicted, q->cov[0], "this loss");
    }
    od_flow_free(flow);
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

static bool starts_at_rest(const od_member *m)
{
    bool rest = true;
    for (size_t b = 1; b < m->block_count; b++) {
        for (size_t i = 0; m->start.given[b] != NULL && i < m->block[b].length; i++) {
            rest = rest && m->start.given[b][i] == 0;
        }
        rest = rest && !(m->start.normal[b] > 0);
    }
    return rest;
}

static od_status ask(study *q)
{
    const od_claims_kind *k = &q->kind;
    if (q->m->problem->spectrum == NULL) {
        const od_status status = moments_at(q->ctx, q->m, q->t, q->mean, q->cov);
        return status == OD_OK ? constant_claims(q) : status;
    }
    if (!(k->least > 0)) {
        return OD_OK;
    }
    /* what is said of late times needs a few oscillations */
    if (k->viscous > 0) {
        return sqrt(k->least) * q->t > 20 ? growth_claim(q, k->viscous) : OD_OK;
    }
    if (k->forgetting >= 1.5) {
        const bool late = sqrt(k->forgetting * k->least * q->t) > 10;
        const od_status status = late ? floor_claims(q, k->forgetting) : OD_OK;
        return status == OD_OK && q->t0 > 0 ? warp_claim(q, k->forgetting) : status;
    }
    return OD_OK;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    od_status status = od_gaussian_check(ctx, m, "what is said of noise");
    const od_value *noise = status == OD_OK ? od_setting(m->method_choice.settings, "noise") : NULL;
    if (status == OD_OK &&
        (noise->kind != OD_REAL || !m->flow.second_order || m->flow.lagrangian == NULL || !starts_at_rest(m))) {
        status = od_fail(ctx, OD_EUNSUPPORTED, NULL,
                         "the claims are about flows with a velocity, from rest, with one number as noise");
    }
    if (status != OD_OK) {
        return status;
    }
    study q = {.ctx = ctx, .m = m, .sigma = noise->real, .t0 = m->start.t, .t = m->until, .list = list};
    q.kind = od_claims_recognise(m, m->start.t, m->until);
    q.mean = od_zalloc(m->dim * (1 + m->dim), sizeof *q.mean);
    q.cov = q.mean + m->dim;
    status = q.mean != NULL ? ask(&q) : od_fail(ctx, OD_ENOMEM, NULL, "no memory for moments");
    free(q.mean);
    return status;
}

const od_claim_set od_claims_noise = {
    .name = "noise",
    .summary = "what gradient noise does to velocities and losses",
    .ids = (const char *const[]){"nag-velocity-mean", "nag-velocity-variance", "nag-covariance",
                                 "nag-position-variance", "memory-velocity-mean", "memory-velocity-variance",
                                 "memory-covariance", "memory-position-variance", "hb-velocity-variance",
                                 "exponential-velocity-variance", "velocity-variance-ensemble", "nag-noise-grows",
                                 "memory-noise-floor", "memory-noise-bound", "time-warp-noise", "nag-drift-printed",
                                 "hb-velocity-mean", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: constant-gradient, gradient: [1.5]}, method: {name: nesterov, noise: 0.4}, integrator: "
            "{name: milstein, step: 0.005}, start: {t: 0.005, x: [0]}, until: 4, paths: 2000, seed: 11, compare: [{}, "
            "{method: {name: memory, forgetting: quadratic, noise: 0.4}, integrator: {name: milstein, step: 0.002}, "
            "start: {t: 0.01, x: [0]}}, {method: {name: memory, noise: 0.4}}, {method: {name: heavy-ball, alpha: 1.5, "
            "noise: 0.4}}, {method: {name: memory, forgetting: exponential, alpha: 2, noise: 0.4}}]}",
            "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: {name: nesterov, noise: 0.1}, integrator: "
            "{name: "
            "milstein, step: 0.005}, start: {t: 0.01, x: [1, 1]}, until: 200, compare: [{}, {method: {name: memory, "
            "forgetting: square-root, noise: 0.1}}, {method: {name: memory, noise: 0.1}}, {method: {name: memory, "
            "forgetting: quadratic, noise: 0.1}}]}",
            NULL},
    .find = find,
};
