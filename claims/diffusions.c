/*
 * Appendix A.2 of Orvieto (2023): Ito's integral and lemma, Dynkin's formula, the conditions of existence and the
 * change of time, on gradient flow with noise on lambda x^2/2, which is the process of Ornstein and Uhlenbeck,
 *
 *   dX = -lambda X dt + sigma dB,   E X = e^{-lambda t} x0,   Var X = sigma^2 (1 - e^{-2 lambda t})/(2 lambda),
 *
 * by an ensemble of Euler and Maruyama's steps of length h. What a step leaves out of each statement is known.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ledger.h"

#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128, KEYS = 5 };

/* What is summed over paths: pairs whose means are to agree, in one column their difference. */
enum { ISOMETRY, DYNKIN, VARIATION, CLOCK, CLOCK_SQUARE };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    double lambda, sigma, x0, h;
    uint64_t steps;
    double left[KEYS], right[KEYS], square[KEYS]; /* sums of both sides and of the square of their difference */
    double second;                                /* sum of h sum_k x_k^2 */
    od_claim_list *list;
} study;

static void keep(study *q, int key, double left, double right)
{
    q->left[key] += left;
    q->right[key] += right;
    q->square[key] += (left - right) * (left - right);
}

/* Means of both sides; returns the standard error of their difference. */
static double means(const study *q, int key, double *left, double *right)
{
    const double n = (double)q->m->paths;
    *left = q->left[key] / n;
    *right = q->right[key] / n;
    const double off = *left - *right;
    return sqrt(fmax(q->square[key] / n - off * off, 0) / (n - 1));
}

/* ------------------------------------------------------------------------------------------------ the process itself
 */

typedef struct sums {
    double x[LEAF], first[LEAF], integral[LEAF], second[LEAF], variation[LEAF], dw[2 * LEAF];
} sums;

static od_status run_block(study *q, od_stepper *s, uint64_t first, size_t n, sums *a)
{
    const od_member *m = q->m;
    od_interval interval;
    od_status status = od_brownian_interval(&m->noise, m->start.t, m->start.t + q->h, &interval);
    const uint64_t cells = interval.count;
    memcpy(a->first, a->x, sizeof a->first);
    for (uint64_t k = 0; k < q->steps && status == OD_OK; k++) {
        double before[LEAF];
        interval.first = k * cells;
        od_brownian_increment(&m->noise, &interval, first, n, a->dw, NULL);
        memcpy(before, a->x, sizeof before);
        for (size_t p = 0; p < n; p++) { /* the noise may enter with either sign */
            a->integral[p] += before[p] * a->dw[p];
            a->second[p] += before[p] * before[p] * q->h;
        }
        status = od_stepper_advance(q->ctx, s, m->start.t + (double)k * q->h, m->start.t + (double)(k + 1) * q->h, n,
                                    a->x, a->dw);
        for (size_t p = 0; p < n; p++) {
            a->variation[p] += (a->x[p] - before[p]) * (a->x[p] - before[p]);
        }
    }
    return status;
}

static od_status run_process(study *q)
{
    const od_member *m = q->m;
    char yaml[64];
    snprintf(yaml, sizeof yaml, "{name: euler-maruyama, step: %.17g}", q->h);
    const double time = (double)q->steps * q->h, square = q->sigma * q->sigma;
    double *ws = od_zalloc(od_scratch_size(&m->flow.scratch, LEAF), sizeof *ws);
    sums *a = od_zalloc(1, sizeof *a);
    od_status status = ws != NULL && a != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for an ensemble");
    for (uint64_t first = 0; first < m->paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(m->paths - first < LEAF ? m->paths - first : LEAF);
        *a = (sums){0};
        status = od_start_fill(m, first, n, a->x, ws);
        od_stepper *s = status == OD_OK ? od_stepper_create(q->ctx, yaml, &m->flow, m->start.t, n, a->x) : NULL;
        status = s != NULL ? run_block(q, s, first, n, a) : OD_ENOMEM;
        od_stepper_free(s);
        for (size_t p = 0; p < n; p++) {
            keep(q, ISOMETRY, a->integral[p] * a->integral[p], a->second[p]);
            keep(q, DYNKIN, a->x[p] * a->x[p],
                 a->first[p] * a->first[p] - 2 * q->lambda * a->second[p] + square * time);
            keep(q, VARIATION, a->variation[p], square * time);
            q->second += a->second[p];
        }
        status = status == OD_OK && od_cancelled(q->ctx) ? od_fail(q->ctx, OD_EINTERRUPTED, NULL, "interrupted")
                                                         : status;
    }
    free(ws);
    free(a);
    return status;
}

static void process_claims(study *q)
{
    const double square = q->lambda * q->lambda * q->second / (double)q->m->paths * q->h; /* sum of (lambda x h)^2 */
    double left, right, error = means(q, ISOMETRY, &left, &right);
    od_claim *c = od_claims_append(q->list, "ito-isometry", "App. A.2.3", "E (int X dB)^2 = int E X^2 dt");
    c->error_sampling = error;
    od_claims_match(c, right, left, "this ensemble");
    error = means(q, DYNKIN, &left, &right);
    c = od_claims_append(q->list, "dynkin", "App. A.2.5, Dynkin's formula",
                         "E X^2 is x0^2 and the integral of the generator, -2 lambda E X^2 + sigma^2");
    c->error_sampling = error;
    c->error_model = 1.01 * square;
    od_claims_match(c, right, left, "this ensemble");
    error = means(q, VARIATION, &left, &right);
    c = od_claims_append(
        q->list, "ito-lemma", "App. A.2.4, Ito's lemma",
        "X^2 - x0^2 - int 2 X dX = sigma^2 t, which is 0 by the ordinary chain rule (measured: the mean)");
    c->error_sampling = error;
    c->error_model = 1.01 * square;
    od_claims_match(c, right, left, "this ensemble");
}

/* ------------------------------------------------------------------------------------------------ conditions */

/* How |b(x) - b(y)| falls with |x - y|. */
static od_status lipschitz_claims(study *q)
{
    const od_flow *flow = &q->m->flow;
    const double near[3] = {q->x0, q->x0 + 1e-6, q->x0 + 1e-3};
    double rate[3], *ws = od_zalloc(od_scratch_size(&flow->scratch, 1) + 1, sizeof *ws);
    od_status status = ws != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a drift");
    for (int k = 0; k < 3 && status == OD_OK; k++) {
        status = flow->drift(flow, q->m->start.t, 1, &near[k], &rate[k], ws);
    }
    free(ws);
    if (status == OD_OK) {
        const double exponent = log10(fabs((rate[2] - rate[0]) / (rate[1] - rate[0]))) / 3;
        od_claim *c = od_claims_append(
            q->list, "lipschitz-exponent-printed", "Thm A.2.4",
            "|b(x) - b(y)| <= K |x - y|^2 is what the theorem asks of the drift (the exponent, measured: "
            "that of b)");
        c->expected = OD_FAILS;
        c->error_integration = 1e-6;
        od_claims_match(c, 2, exponent, "only constants obey it");
        c = od_claims_append(q->list, "lipschitz-exponent", "Thm A.2.4, corrected",
                             "it asks for |b(x) - b(y)| <= K |x - y|");
        c->error_integration = 1e-6;
        od_claims_match(c, 1, exponent, "this drift");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ another clock */

/*
 * phi(t) = ln t, eta = 1/t. State (Y, X): dY = eta b(Y) dt + sqrt(eta) sigma dB and, where it is printed so, dY = eta
 * b(X) dt + sqrt(eta) sigma dB with dX = b(X) dt.
 */
typedef struct clocked {
    const od_flow *base;
    bool printed;
} clocked;

static od_status clocked_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    const clocked *a = flow->data;
    const od_status status = a->base->drift(a->base, t, 2 * n, z, dz, ws);
    for (size_t p = 0; p < n; p++) {
        dz[p] = (a->printed ? dz[n + p] : dz[p]) / t;
    }
    return status;
}

static od_status clocked_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                               double *ws)
{
    const clocked *a = flow->data;
    const od_status status = a->base->noise.apply(a->base, t, n, z, dw, out, ws);
    for (size_t p = 0; p < n; p++) {
        out[p] /= sqrt(t);
    }
    return status;
}

/* Sums of Y and Y^2 at the end, against the mean and the second moment of X(ln t). */
static od_status run_clock(study *q, bool printed, double mean, double second)
{
    const od_member *m = q->m;
    clocked data = {&m->flow, printed};
    const od_flow flow = {.name = "another clock",
                          .block_count = 2,
                          .block = {{"y", 1}, {"x", 1}},
                          .dim = 2,
                          .scratch = {m->flow.scratch.fixed, 2 * m->flow.scratch.per_point},
                          .drift = clocked_drift,
                          .noise = {.shape = OD_NOISE_ADDITIVE, .dim = 1, .apply = clocked_apply},
                          .data = &data};
    const od_brownian w = {.seed = m->seed, .origin = 1, .base = q->h, .dim = 1};
    char yaml[64];
    snprintf(yaml, sizeof yaml, "{name: sra1, step: %.17g}", q->h);
    od_status status = OD_OK;
    q->left[CLOCK] = q->right[CLOCK] = q->square[CLOCK] = 0;
    q->left[CLOCK_SQUARE] = q->right[CLOCK_SQUARE] = q->square[CLOCK_SQUARE] = 0;
    for (uint64_t first = 0; first < m->paths && status == OD_OK; first += LEAF) {
        const size_t n = (size_t)(m->paths - first < LEAF ? m->paths - first : LEAF);
        double z[2 * LEAF], dw[2 * LEAF];
        for (size_t p = 0; p < 2 * n; p++) {
            z[p] = q->x0;
        }
        od_stepper *s = od_stepper_create(q->ctx, yaml, &flow, 1, n, z);
        status = s != NULL ? OD_OK : OD_ENOMEM;
        for (uint64_t k = 0; k < q->steps && status == OD_OK; k++) {
            od_interval interval = {.first = k, .count = 1};
            od_brownian_increment(&w, &interval, first, n, dw, dw + n);
            status = od_stepper_advance(q->ctx, s, 1 + (double)k * q->h, 1 + (double)(k + 1) * q->h, n, z, dw);
        }
        od_stepper_free(s);
        for (size_t p = 0; p < n; p++) {
            keep(q, CLOCK, z[p], mean);
            keep(q, CLOCK_SQUARE, (z[p] - mean) * (z[p] - mean), second);
        }
    }
    return status;
}

static od_status clock_claims(study *q)
{
    const double end = 1 + (double)q->steps * q->h, mean = q->x0 * pow(end, -q->lambda);
    const double variance = q->sigma * q->sigma * (1 - pow(end, -2 * q->lambda)) / (2 * q->lambda);
    double left, right;
    od_status status = run_clock(q, true, mean, variance);
    if (status == OD_OK) {
        const double error = means(q, CLOCK, &left, &right);
        od_claim *c = od_claims_append(
            q->list, "time-change-printed", "Thm A.2.5, Ex. A.2.1",
            "dY = eta b(X) dt + sqrt(eta) sigma dB has the law of X(phi(t)), phi = int eta, here eta = 1/t "
            "from t = 1 (means: x0 t^{-lambda})");
        c->expected = OD_FAILS;
        c->error_sampling = error;
        c->error_model = 1e-3 * fabs(q->x0);
        od_claims_match(c, right, left, "this process; b is to be taken at Y, not at X");
        status = run_clock(q, false, mean, variance);
    }
    if (status == OD_OK) {
        double error = means(q, CLOCK, &left, &right);
        od_claim *c = od_claims_append(q->list, "time-change", "Thm A.2.5, Ex. A.2.1, corrected",
                                       "dY = eta b(Y) dt + sqrt(eta) sigma(Y) dB has it (means: x0 t^{-lambda})");
        c->error_sampling = error;
        c->error_model = 1e-3 * fabs(q->x0);
        od_claims_match(c, right, left, "this ensemble");
        error = means(q, CLOCK_SQUARE, &left, &right);
        c = od_claims_append(q->list, "time-change-variance", "Thm A.2.5, Ex. A.2.1, corrected",
                             "and the variance sigma^2 (1 - t^{-2 lambda})/(2 lambda)");
        c->error_sampling = error;
        c->error_model = 1e-3 * variance;
        od_claims_match(c, right, left, "this ensemble");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

/* Whether the drift is -lambda x at the start and at the end, which it is not of other flows of one component. */
static bool is_gradient_flow(const od_member *m)
{
    const double lambda = m->problem->spectrum->eigenvalues[0], x = 1.3, time[2] = {m->start.t + m->step, m->until};
    double rate = NAN, *ws = od_zalloc(od_scratch_size(&m->flow.scratch, 1) + 1, sizeof *ws);
    bool same = ws != NULL;
    for (int k = 0; k < 2 && same; k++) {
        same = m->flow.drift(&m->flow, time[k], 1, &x, &rate, ws) == OD_OK &&
               fabs(rate + lambda * x) <= 0.5 * fabs(lambda * x);
    }
    free(ws);
    return same;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_spectrum *s = m->problem->spectrum;
    const od_value *noise = m->has_flow ? od_setting(m->method_choice.settings, "noise") : NULL;
    if (noise == NULL || !noise->present || noise->kind != OD_REAL || m->dim != 1 || m->flow.dim != 1 || s == NULL ||
        !(s->eigenvalues[0] > 0) || s->centre[0] != 0 || isnan(m->step) || m->paths < 2 || od_member_automatic(m) ||
        m->antithetic || m->start.given[0] == NULL || !is_gradient_flow(m)) {
        return od_fail(
            ctx, OD_EUNSUPPORTED, NULL,
            "they are about an ensemble of gradient flow with noise on lambda x^2/2, one component, one start");
    }
    study q = {.ctx = ctx,
               .m = m,
               .lambda = s->eigenvalues[0],
               .sigma = noise->real,
               .x0 = m->start.given[0][0],
               .h = m->step,
               .steps = (uint64_t)llround((m->until - m->start.t) / m->step),
               .list = list};
    od_status status = run_process(&q);
    if (status == OD_OK) {
        process_claims(&q);
        status = lipschitz_claims(&q);
    }
    return status == OD_OK && q.lambda * q.h <= 0.02 && q.x0 != 0 ? clock_claims(&q) : status;
}

const od_claim_set od_claims_diffusions = {
    .name = "diffusions",
    .summary =
        "Ito's integral and lemma, Dynkin's formula and changes of time on the process of Ornstein and Uhlenbeck",
    .ids = (const char *const[]){"ito-isometry", "dynkin", "ito-lemma", "lipschitz-exponent-printed",
                                 "lipschitz-exponent", "time-change-printed", "time-change", "time-change-variance",
                                 NULL},
    .standard =
        (const char *const[]){"{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, noise: "
                              "0.5}, integrator: {name: euler-maruyama, step: 0.01}, start: {x: [1]}, until: 2, "
                              "paths: 2000, seed: 9}",
                              NULL},
    .find = find,
};
