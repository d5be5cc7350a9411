/*
 * Theorem 2.3.2 of Orvieto (2023) on sharp losses with noise, where it is refuted as displayed.
 *
 * In the long run an orbit of memory t^p on f ~ |x|^n obeys <v^2> ~ n <f> in the time in which it is damped, so that
 * noise of variance S of the gradients keeps E f - f* = p eta S/((2 p - 1) n) in one dimension. As displayed the
 * theorem allows (p
 * - 1) eta S/2: less than that for p = 2 and n < 4/3. The loss must look like |x|^n where f - f* ~ eta S.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ledger.h"

#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 128, GRID = 100 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    const od_problem *f;
    double p, eta, s;                   /* s: the variance S of a gradient */
    double power, curvature;            /* n, and the largest curvature */
    double width;                       /* where f - f* is eta S */
    double mean, error, excess, square; /* E f - f* at the end, f0 - f*, |x0 - x*|^2 */
    od_claim_list *list;
} study;

static double rise(const study *q, double off, double *ws)
{
    const double x = q->f->minimiser[0] + off;
    double value = NAN;
    q->f->eval(q->f, OD_VALUE, 1, &x, &value, NULL, ws);
    return value - q->f->minimum.value;
}

/* n, where the loss is convex and smooth enough on the whole width that paths see. */
static bool look(study *q, double *ws)
{
    const double sought = q->eta * q->s;
    double width = 1e-3;
    while (rise(q, width, ws) < sought && width < 1e9) {
        width *= 2;
    }
    q->width = width;
    q->power = log(rise(q, 2 * width, ws) / rise(q, width, ws)) / log(2);
    double least = INFINITY;
    for (int j = -GRID; j <= GRID; j++) {
        const double x = q->f->minimiser[0] + 4 * width * j / GRID, unit = 1;
        double bend;
        if (q->f->hvp(q->f, 1, &x, 1, &unit, &bend, ws) != OD_OK) {
            return false;
        }
        least = fmin(least, bend);
        q->curvature = fmax(q->curvature, bend);
    }
    return least >= 0 && q->power >= 1 && q->eta * q->curvature <= (q->p - 1) / q->p * (1 + 1e-9);
}

static od_status add_block(study *q, uint64_t first, size_t n, double *room, double *sum, double *square)
{
    const od_member *m = q->m;
    double *z = room, *dw = z + 2 * n, *tau = dw + n, *loss = tau + n, *ws = loss + n;
    od_interval interval;
    od_brownian w = m->noise;
    w.dim = m->map.noise_dim;
    od_status status = od_start_fill(m, first, n, z, ws);
    status = status == OD_OK ? od_brownian_interval(&w, m->start.t, m->start.t + m->map.tau, &interval) : status;
    const uint64_t cells = interval.count;
    for (uint64_t k = 0; k < m->iterations && status == OD_OK; k++) {
        interval.first = k * cells;
        od_brownian_increment(&w, &interval, first, n, dw, NULL);
        status = m->map.step(&m->map, k, n, z, dw, NULL, tau, ws);
    }
    status = status == OD_OK ? q->f->eval(q->f, OD_VALUE, n, z, loss, NULL, ws) : status;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        const double over = loss[p] - q->f->minimum.value;
        *sum += over;
        *square += over * over;
    }
    return status == OD_OK ? OD_OK : od_fail(q->ctx, status, NULL, "the iteration could not be run for a claim");
}

static od_status run_ensemble(study *q)
{
    const od_member *m = q->m;
    double *room = od_zalloc(5 * LEAF + od_claims_scratch(m, LEAF), sizeof *room), sum = 0, square = 0;
    od_status status = room != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for an ensemble");
    for (uint64_t first = 0; first < m->paths && status == OD_OK; first += LEAF) {
        status = add_block(q, first, (size_t)(m->paths - first < LEAF ? m->paths - first : LEAF), room, &sum, &square);
        status = status == OD_OK && od_cancelled(q->ctx) ? od_fail(q->ctx, OD_EINTERRUPTED, NULL, "interrupted")
                                                         : status;
    }
    free(room);
    const double n = (double)m->paths;
    q->mean = sum / n;
    q->error = sqrt(fmax(square / n - q->mean * q->mean, 0) / (n - 1));
    return status;
}

static void judge(study *q)
{
    const double p = q->p, k = (double)q->m->iterations, noise = q->eta * q->s,
                 floor = p * noise / ((2 * p - 1) * q->power);
    const double displayed = (2 * q->eta * (p - 1) * q->excess + q->square / 2) / (q->eta * (k + p - 1)) +
                             (p - 1) * noise / 2,
                 corrected = (2 * q->eta * p * (p - 1) * q->excess + (p - 1) * (p - 1) * q->square / 2) /
                                 (q->eta * p * (k + p - 1)) +
                             p * noise / 2;
    od_claim *c = od_claims_append(
        q->list, "sharp-noise-floor", "Thm 2.3.2, its noise; derived in docs/claims.md",
        "on a loss like |x|^n noise keeps E f_k - f* at p eta S/((2 p - 1) n) in the long run, here "
        "at the end");
    c->error_sampling = q->error;
    c->error_model = floor / 10; /* the loss is not quite a power */
    od_claims_match(c, floor, q->mean, "this ensemble");
    c = od_claims_append(q->list, "sharp-rate-displayed", "Thm 2.3.2 as displayed",
                         "E f_k - f* <= (2 eta (p - 1) F + D/2)/(eta (k + p - 1)) + (p - 1) eta S/2, at the end");
    c->error_sampling = q->error;
    od_claims_bound(c, displayed, q->mean, "this loss: memory with p = 2 keeps up to 2 eta S/3 on |x|");
    c->error_model = NAN; /* the curvature is looked up at some points */
    c->expected = floor > 1.1 * displayed ? OD_FAILS : OD_UNDECIDED;
    c->verdict = c->expected == OD_UNDECIDED && c->verdict == OD_HOLDS ? OD_UNDECIDED : c->verdict;
    c = od_claims_append(
        q->list, "sharp-rate", "Thm 2.3.2, corrected from eq. (42)",
        "E f_k - f* <= (2 eta p (p - 1) F + (p - 1)^2 D/2)/(eta p (k + p - 1)) + p eta S/2, at the end");
    c->error_sampling = q->error;
    od_claims_bound(c, corrected, q->mean, "this ensemble");
    c->error_model = NAN;
    od_claims_doubt(c);
}

/* p of m = t^p as the method says it; NaN for others. */
static double exponent(const od_member *m)
{
    static const char *const name[] = {"linear", "quadratic", "polynomial"};
    const od_settings *s = m->method_choice.settings;
    double p = NAN;
    for (int i = 0; i < 3 && strcmp(m->method_choice.method->name, "memory") == 0; i++) {
        if (strcmp(od_setting_text(s, "forgetting"), name[i]) == 0) {
            p = i < 2 ? 2 + i : od_setting_real(s, "p");
        }
    }
    return p;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    static const char *const scope =
        "they are about an ensemble of iterations with memory t^p, p >= 2, and a number as noise, "
        "on a convex loss of one variable that is no quadratic and whose minimiser is known";
    const od_member *m = &e->member[member];
    const od_problem *f = m->problem;
    const od_value *noise = m->has_map ? od_setting(m->method_choice.settings, "noise") : NULL;
    study q = {.ctx = ctx, .m = m, .f = f, .p = exponent(m), .eta = m->map.tau, .list = list};
    if (noise == NULL || !noise->present || noise->kind != OD_REAL || noise->real == 0 || m->map.batch > 0 ||
        !(q.p >= 2) || f->dim != 1 || f->spectrum != NULL || f->hvp == NULL || f->minimiser == NULL || m->paths < 2 ||
        od_member_automatic(m) || m->start.given[0] == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "%s", scope);
    }
    q.s = noise->real * noise->real / q.eta;
    double *ws = od_zalloc(od_scratch_size(&f->scratch, 1) + 1, sizeof *ws);
    if (ws == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a loss");
    }
    const double off = m->start.given[0][0] - f->minimiser[0];
    const bool fits = look(&q, ws);
    q.excess = rise(&q, off, ws);
    q.square = off * off;
    free(ws);
    /* half a dozen oscillations at the width that noise gives */
    const bool late = q.p * q.eta * q.s / (q.width * q.width) * q.eta * (double)m->iterations > 50;
    if (!fits || !late) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "%s",
                       fits ? "there are too few iterations for the long run" : scope);
    }
    const od_status status = run_ensemble(&q);
    if (status == OD_OK) {
        judge(&q);
    }
    return status;
}

static double cost(const od_member *m)
{
    return m->has_map ? (double)m->iterations * (double)m->paths : 0;
}

const od_claim_set od_claims_sharp = {
    .name = "sharp-losses",
    .summary = "noise on losses like |x|^n, where Theorem 2.3.2 fails as displayed",
    .ids = (const char *const[]){"sharp-noise-floor", "sharp-rate-displayed", "sharp-rate", NULL},
    .standard =
        (const char *const[]){"{problem: {name: formula, variables: [x], f: \"sqrt(x^2 + 1) - 1\", minimiser: [0]}, "
                              "method: {name: memory, step: 0.5, noise: 6}, start: {x: [0]}, iterations: 10000, "
                              "paths: 1500, seed: 3}",
                              NULL},
    .find = find,
    .cost = cost,
};
