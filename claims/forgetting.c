/*
 * Section 2.3 of Orvieto (2023) on memory functions m: Table 1, the weights of Figure 7, Definition 2.3.1 at s = 0, the
 * limit of gradient flow, and the derivative that the proof of Lemma 2.3.2 takes of |x - x* + lam v|^2/2, lam = t/(p -
 * 1).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "cost.h"
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include "analysis/quadrature.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 200, PANELS = 80 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    od_claims_kind kind;
    double *start; /* [2 d] */
    od_claim_list *list;
} study;

static void weights_at(const study *q, double t, double a[2], double b[2])
{
    q->m->flow.lagrangian(&q->m->flow, t, a, b);
}

/* ------------------------------------------------------------------------------------------------ Table 1 */

/* m'/m of a row of Table 1 by its formula; NaN for names that it does not have. */
static double row(const char *name, double p, double alpha, double t)
{
    static const struct {
        const char *name;
        double p;
    } power[] = {{"constant", 1}, {"square-root", 1.5}, {"linear", 2}, {"quadratic", 3}};
    for (size_t i = 0; i < sizeof power / sizeof *power; i++) {
        if (strcmp(name, power[i].name) == 0) {
            return power[i].p / t;
        }
    }
    if (strcmp(name, "polynomial") == 0) {
        return p / t;
    }
    if (strcmp(name, "decaying") == 0) {
        return 1 / ((1 + t) * log1p(t));
    }
    if (strcmp(name, "exponential") == 0) {
        return alpha * exp(alpha * t) / expm1(alpha * t);
    }
    const double power_of = pow(t, alpha);
    return strcmp(name, "super-exponential") == 0 ? alpha * power_of / t * exp(power_of) / expm1(power_of) : NAN;
}

/* m'/m of Table 1 at time t; NaN for what is not there. */
static double tabled(const study *q, double t)
{
    const od_settings *s = q->m->method_choice.settings;
    const bool named = strcmp(q->m->method_choice.method->name, "memory") == 0;
    return named ? row(od_setting_text(s, "forgetting"), od_setting_real(s, "p"), od_setting_real(s, "alpha"), t) : NAN;
}

/* m'/m as the drift has it, the factor of -(v + g), at the orbit's state and time t; NaN where v = -g. */
static double drifted(od_orbit *o, double t)
{
    size_t i = 0;
    for (size_t k = 1; k < o->d; k++) {
        i = fabs(o->v[k] + o->g[k]) > fabs(o->v[i] + o->g[i]) ? k : i;
    }
    const double off = o->v[i] + o->g[i];
    const od_status status = o->flow->drift(o->flow, t, 1, o->z, o->rate, o->ws);
    return status == OD_OK && off != 0 ? -o->rate[o->d + i] / off : NAN;
}

static od_status row_claim(study *q)
{
    const double t = q->m->until, want = tabled(q, t);
    od_orbit o;
    const od_status status = od_orbit_open(q->ctx, q->m, &q->m->flow, t, q->start, &o);
    const double found = status == OD_OK ? drifted(&o, t) : NAN;
    if (isfinite(found) && isfinite(want)) {
        od_claim *c = od_claims_append(q->list, "table-row", "Table 1", "m'/m of this memory function, at the end");
        c->error_integration = 1e-11 * want;
        od_claims_match(c, want, found, "this function");
    }
    od_orbit_close(&o);
    return status;
}

/* ------------------------------------------------------------------------------------------------ Definition 2.3.1 */

static od_status slope_claims(study *q)
{
    const double t = q->m->until;
    double a[2], b[2], near[2], least = INFINITY;
    od_orbit o;
    weights_at(q, 1e-12 * t, a, near);
    weights_at(q, 1e-9 * t, a, b);
    const double exponent = (b[0] - near[0]) / log(1e3);
    const od_settings *s = q->m->method_choice.settings;
    const bool named = strcmp(q->m->method_choice.method->name, "memory") == 0;
    const bool super = named && strcmp(od_setting_text(s, "forgetting"), "super-exponential") == 0;
    const bool flat = q->kind.forgetting > 1 || (super && od_setting_real(s, "alpha") > 1);
    od_claim *c = od_claims_append(
        q->list, "memory-slope-printed", "Def. 2.3.1",
        "m'(s) does not vanish for any s >= 0 (predicted: m' begins with the power 0 of s at most; measured: "
        "its power)");
    c->expected = flat ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-6;
    od_claims_bound(c, 0, exponent, "m'(0) = 0, as for t^p with p > 1");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    const od_status status = od_orbit_open(q->ctx, q->m, &q->m->flow, t, q->start, &o);
    for (int k = 1; k <= SAMPLES && status == OD_OK; k++) {
        least = fmin(least, drifted(&o, t * k / SAMPLES));
    }
    od_orbit_close(&o);
    if (status == OD_OK && isfinite(least)) {
        c = od_claims_append(q->list, "memory-slope", "Def. 2.3.1, corrected",
                             "m'(s) > 0 for s > 0 (measured: the least m'/m up to the end, by the drift)");
        c->predicted = 0;
        c->measured = least;
        od_claims_judge(c, least > 0, "this function");
    }
    return status;
}

/* m'(s)/m'(t), t the end. */
static od_status slope_ratio(void *user, double s, double *y, double *size)
{
    const study *q = user;
    double a[2], here[2], end[2];
    weights_at(q, s, a, here);
    weights_at(q, q->m->until, a, end);
    *y = *size = exp(here[0] - end[0]);
    return OD_OK;
}

/* Figure 7 weighs with m'(s)/m'(t), whose integral is m(t)/m'(t): t/p for m = t^p. */
static od_status figure_claim(study *q)
{
    const double t = q->m->until, want = 1 / tabled(q, t);
    double edge[PANELS + 1] = {0};
    od_integral area;
    for (int k = 1; k <= PANELS; k++) { /* finer towards 0, where m' may begin like a power */
        edge[k] = k == PANELS ? t : t * pow(0.7, PANELS - k);
    }
    const od_status status = od_integrate(q->ctx, edge, PANELS, 1, slope_ratio, q, &area);
    if (status == OD_OK && isfinite(want)) {
        od_claim *c = od_claims_append(q->list, "memory-weights-printed", "Figure 7, before eq. (28)",
                                       "the weights m'(s)/m'(t) of past gradients integrate to one");
        c->expected = fabs(want - 1) < 1e-9 ? OD_HOLDS : OD_FAILS;
        c->error_integration = area.error + 1e-10;
        od_claims_match(c, 1, area.value, "this m and this t: only m'(s)/m(t) does");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ heavy ball */

static void damped_weights(study *q)
{
    const double t = q->m->until - q->m->start.t, alpha = q->kind.damping;
    double a[2], b[2], end[2], sum = 0;
    weights_at(q, q->m->until, end, b);
    for (int k = 0; k < SAMPLES; k++) { /* Simpson */
        for (int j = 0; j < 3; j++) {
            weights_at(q, q->m->start.t + t * (k + j / 2.0) / SAMPLES, a, b);
            sum += t / SAMPLES / 6 * (j == 1 ? 4 : 1) * exp(b[0] - end[0]);
        }
    }
    od_claim *c = od_claims_append(
        q->list, "hb-weights", "eqs. (26), (27)",
        "the weights e^{-alpha (t - s)} of constant damping integrate to (1 - e^{-alpha t})/alpha");
    c->error_integration = pow(alpha * t / SAMPLES, 4) * t + 1e-12;
    od_claims_match(c, -expm1(-alpha * t) / alpha, sum, "this t");
}

/* ------------------------------------------------------------------------------------------------ the limit */

/* Distance of memory with this forgetting from gradient flow half way. */
static od_status distance(study *q, bool power, double strength, double *off)
{
    char yaml[96];
    const size_t d = q->m->problem->dim;
    snprintf(yaml, sizeof yaml, "{name: memory, forgetting: %s: %.17g}", power ? "polynomial, p" : "exponential, alpha",
             strength);
    od_flow *memory = od_flow_create(q->ctx, yaml, q->m->problem),
            *gradient = od_flow_create(q->ctx, "gradient", q->m->problem);
    od_orbit x = {0}, y = {0};
    od_status status = memory != NULL && gradient != NULL ? OD_OK : OD_ENOMEM;
    status = status == OD_OK ? od_orbit_open(q->ctx, q->m, gradient, 0, q->start, &y) : status;
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        q->start[d + i] = -y.g[i];
    }
    const double t = fmin(q->m->until / 2, 1 / fmax(q->kind.beta, 1e-9));
    status = status == OD_OK ? od_orbit_open(q->ctx, q->m, memory, 0, q->start, &x) : status;
    status = status == OD_OK ? od_orbit_advance(q->ctx, &x, t) : status;
    status = status == OD_OK ? od_orbit_advance(q->ctx, &y, t) : status;
    *off = 0;
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        *off += (x.x[i] - y.x[i]) * (x.x[i] - y.x[i]);
    }
    *off = sqrt(*off);
    od_orbit_close(&x);
    od_orbit_close(&y);
    od_flow_free(memory);
    od_flow_free(gradient);
    return status;
}

static od_status limit_claim(study *q, bool power, double weak, double strong, const char *id, const char *statement)
{
    double far, near;
    od_status status = distance(q, power, weak, &far);
    status = status == OD_OK ? distance(q, power, strong, &near) : status;
    if (status == OD_OK && far > 0) {
        od_claim *c = od_claims_append(q->list, id, "section 2.3, instantaneous forgetting", statement);
        c->error_model = 0.1;
        od_claims_match(c, -1, log(near / far) / log(strong / weak), "this loss");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ Lemma 2.3.2 */

/* d/dt |x - x* + lam v|^2/2 by differences, and by the product rule with one lam' v and with two. */
static od_status proof_claims(study *q, double p)
{
    const double t = 0.5 * q->m->until, step = 1e-3 * t;
    double square[4], once = 0, twice = 0, size = 0;
    od_orbit o;
    od_status status = od_orbit_open(q->ctx, q->m, &q->m->flow, q->m->start.t, NULL, &o);
    for (int k = 0; k < 5 && status == OD_OK; k++) {
        const double at = t + (k - 2) * step, lam = at / (p - 1);
        status = od_orbit_advance(q->ctx, &o, at);
        if (k != 2) {
            square[k < 2 ? k : k - 1] = od_orbit_ahead(&o, lam) / 2;
            continue;
        }
        for (size_t i = 0; i < o.d && status == OD_OK; i++) {
            const double w = o.x[i] - o.f->minimiser[i] + lam * o.v[i], turn = w * o.v[i] / (p - 1);
            once += w * (o.v[i] + lam * o.rate[o.d + i]) + turn;
            twice += turn;
            size += fabs(w * o.v[i]) + fabs(w * lam * o.rate[o.d + i]);
        }
    }
    od_orbit_close(&o);
    if (status != OD_OK || !(fabs(twice) > 1e-3 * size)) {
        return status;
    }
    const double slope = (8 * (square[2] - square[1]) - (square[3] - square[0])) / (12 * step);
    od_claim *c = od_claims_append(
        q->list, "memory-proof-printed", "App. B.1.2",
        "d/dt |x - x* + lam v|^2/2 has the term 2 <x - x* + lam v, lam' v> (the whole derivative; measured: "
        "by differences, half way)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-6 * size;
    od_claims_match(c, once + twice, slope, "this orbit: it stands there once; the result is not affected");
    c = od_claims_append(
        q->list, "memory-proof", "App. B.1.2, corrected",
        "it has the term <x - x* + lam v, lam' v> (the whole derivative; measured: by differences, half way)");
    c->error_integration = 1e-6 * size;
    od_claims_match(c, once, slope, "this orbit");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status ask(study *q)
{
    const od_claims_kind *k = &q->kind;
    const od_problem *f = q->m->problem;
    od_status status = OD_OK;
    if (k->memory) {
        status = row_claim(q);
        status = status == OD_OK ? slope_claims(q) : status;
        status = status == OD_OK ? figure_claim(q) : status;
    } else if (k->damping > 0) {
        damped_weights(q);
    }
    if (status == OD_OK && k->forgetting == 2 && k->beta > 0 && k->least >= 0 && q->m->start.t == 0) {
        status = limit_claim(
            q, true, 100, 200, "memory-limit",
            "m = t^p tends to the gradient flow like 1/p (measured: the power between p = 100 and 200)");
        const double rate = fmax(k->beta, 1 / q->m->until);
        status = status == OD_OK
                     ? limit_claim(q, false, 200 * rate, 400 * rate, "memory-limit-exponential",
                                   "m = e^{alpha t} - 1 tends to the gradient flow like 1/alpha (measured: the "
                                   "power)")
                     : status;
    }
    if (status == OD_OK && k->forgetting > 1 && f->minimiser != NULL && f->rough == NULL) {
        status = proof_claims(q, k->forgetting);
    }
    return status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    study q = {.ctx = ctx, .m = m, .list = list};
    if (!m->has_flow || m->flow.noise.shape != OD_NOISE_NONE || !m->flow.second_order || m->flow.lagrangian == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow with a velocity and a Lagrangian, without noise");
    }
    od_orbit o;
    q.kind = od_claims_recognise(m, m->start.t, m->until);
    q.start = od_zalloc(2 * m->problem->dim, sizeof *q.start);
    od_status status = q.start != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    if (status == OD_OK) {
        status = od_orbit_open(ctx, m, &m->flow, m->start.t, NULL, &o);
        if (status == OD_OK) {
            memcpy(q.start, o.z, 2 * m->problem->dim * sizeof *q.start);
            for (size_t i = 0; i < m->problem->dim; i++) { /* neither 0 nor -g */
                q.start[m->problem->dim + i] = 0.7 + (double)i / (double)m->problem->dim;
            }
        }
        od_orbit_close(&o);
    }
    status = status == OD_OK ? ask(&q) : status;
    free(q.start);
    return status;
}

const od_claim_set od_claims_forgetting = {
    .name = "forgetting",
    .summary = "memory functions: Table 1, weights, limits",
    .ids = (const char *const[]){"table-row", "memory-slope-printed", "memory-slope", "memory-weights-printed",
                                 "hb-weights", "memory-limit", "memory-limit-exponential", "memory-proof-printed",
                                 "memory-proof", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.3]}, method: memory, integrator: {name: rk4, step: 0.01}, "
            "start: {x: [1, -1]}, until: 5, compare: [{method: {name: memory, forgetting: decaying}}, {method: {name: "
            "memory, forgetting: constant}}, {method: {name: memory, forgetting: square-root}}, {method: memory}, "
            "{method: {name: memory, forgetting: quadratic}}, {method: {name: memory, forgetting: polynomial, p: "
            "4.5}}, "
            "{method: {name: memory, forgetting: exponential, alpha: 1.3}}, {method: {name: memory, forgetting: "
            "super-exponential, alpha: 1.2}}, {method: {name: heavy-ball, alpha: 1.3}}]}",
            NULL},
    .find = find,
    .cost = od_claims_orbit_cost,
};
