/*
 * Sections 2.1 and 2.3 of Orvieto (2023): how fast flows without noise converge on convex losses. Lyapunov functions
 * are evaluated along an orbit, and the first time at which one grows is told.
 *
 *   gradient        E = t (f - f*) + |x - x*|^2/2
 *   amplified       E = t^2 (f - f*) + |x - x*|^2
 *   damping r/t     E = 2 t^2/(r - 1) (f - f*) + (r - 1) |x - x* + t v/(r - 1)|^2, r >= 3
 *   memory t^p      E = p t/(p - 1)^2 (f - f*) + |x - x* + t v/(p - 1)|^2/2, p >= 2, on quadratics p >= 3/2
 *   Bregman p, C    E = C t^p (f - f*) + |x - x* + t v/p|^2/2
 *   2 sqrt(mu)      E = e^{sqrt(mu) t} (f - f* + |v + sqrt(mu) (x - x*)|^2/2)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "cost.h"
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include "analysis/vector.h"
#include "src/memory.h"

#include <math.h>
#include <string.h>

enum { TIMES = 400 };

typedef struct study study;

/** A Lyapunov function, and what divides it in the bound of f - f*. */
typedef struct lyapunov {
    const char *id, *source, *statement;
    double (*energy)(const study *q);
    double (*weight)(const study *q); /* of f - f* in the energy */
    const char *rate_id, *rate_source, *rate;
} lyapunov;

struct study {
    od_context *ctx;
    const od_member *m;
    od_claims_kind kind;
    od_orbit orbit;
    bool amplified;
    double p, c, t0; /* of the method, and where the orbit starts */
    od_claim_list *list;
};

/* ------------------------------------------------------------------------------------------------ the functions */

static double gradient_weight(const study *q)
{
    return q->orbit.t - q->t0;
}

static double gradient_energy(const study *q)
{
    return gradient_weight(q) * od_orbit_excess(&q->orbit) + od_orbit_square(&q->orbit) / 2;
}

static double amplified_weight(const study *q)
{
    return q->orbit.t * q->orbit.t;
}

static double amplified_energy(const study *q)
{
    return amplified_weight(q) * od_orbit_excess(&q->orbit) + od_orbit_square(&q->orbit);
}

static double viscous_weight(const study *q)
{
    return 2 * q->orbit.t * q->orbit.t / (q->p - 1);
}

static double viscous_energy(const study *q)
{
    return viscous_weight(q) * od_orbit_excess(&q->orbit) +
           (q->p - 1) * od_orbit_ahead(&q->orbit, q->orbit.t / (q->p - 1));
}

static double memory_weight(const study *q)
{
    return q->p * q->orbit.t / ((q->p - 1) * (q->p - 1));
}

static double memory_energy(const study *q)
{
    return memory_weight(q) * od_orbit_excess(&q->orbit) + od_orbit_ahead(&q->orbit, q->orbit.t / (q->p - 1)) / 2;
}

static double bregman_weight(const study *q)
{
    return q->c * pow(q->orbit.t, q->p);
}

static double bregman_energy(const study *q)
{
    return bregman_weight(q) * od_orbit_excess(&q->orbit) + od_orbit_ahead(&q->orbit, q->orbit.t / q->p) / 2;
}

static double damped_weight(const study *q)
{
    return exp(sqrt(q->c) * (q->orbit.t - q->t0));
}

static double damped_energy(const study *q)
{
    const double root = sqrt(q->c);
    return damped_weight(q) * (od_orbit_excess(&q->orbit) + q->c * od_orbit_ahead(&q->orbit, 1 / root) / 2);
}

static const lyapunov gradient = {"gd-lyapunov",
                                  "section 2.1",
                                  "t (f - f*) + |x - x*|^2/2 does not grow along the gradient flow on a convex loss "
                                  "(measured: largest growth over its start)",
                                  gradient_energy,
                                  gradient_weight,
                                  "gd-rate",
                                  "section 2.1",
                                  "f - f* <= |x0 - x*|^2/(2 t), at the time where it is tightest"};
static const lyapunov amplified = {"amplified-lyapunov",
                                   "eqs. (29), (30)",
                                   "t^2 (f - f*) + |x - x*|^2 does not grow along x' = -t g",
                                   amplified_energy,
                                   amplified_weight,
                                   "amplified-rate",
                                   "eqs. (29), (30)",
                                   "f - f* <= |x0 - x*|^2/t^2 for x' = -t g, at the time where it is tightest"};
static const lyapunov viscous = {"nag-lyapunov",
                                 "section 2.1; Su, Boyd, Candes (2016)",
                                 "2 t^2/(r - 1) (f - f*) + (r - 1) |x - x* + t v/(r - 1)|^2 does not grow with damping "
                                 "r/t, r >= 3; r = 3 is t^2 (f - f*) + 2 |x - x* + t v/2|^2",
                                 viscous_energy,
                                 viscous_weight,
                                 "nag-rate",
                                 "section 2.1; Su, Boyd, Candes (2016)",
                                 "f - f* <= (r - 1)^2 |x0 - x*|^2/(2 t^2), 2 |x0 - x*|^2/t^2 for r = 3, at the time "
                                 "where it is tightest"};
static const lyapunov memory = {
    "memory-lyapunov",
    "Lemma 2.3.2, App. B.1.2",
    "p t/(p - 1)^2 (f - f*) + |x - x* + t v/(p - 1)|^2/2 does not grow for m = t^p, p >= 1 + "
    "1/tau",
    memory_energy,
    memory_weight,
    "memory-rate-plain",
    "Thm 2.3.1 without noise",
    "f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t), at the time where it is tightest"};
static const lyapunov quasi = {
    "quasi-lyapunov",
    "Lemma 2.3.2, App. B.1.2",
    "the same on a loss that is not convex, for p >= 1 + 1/tau with the smallest tau <= <g, x - "
    "x*>/(f - f*) on the orbit",
    memory_energy,
    memory_weight,
    "quasi-rate",
    "Thm 2.3.1 without noise",
    "f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) there, at the time where it is tightest"};
static const lyapunov bregman = {"bregman-lyapunov",
                                 "section 2.1; Wibisono, Wilson, Jordan (2016)",
                                 "C t^p (f - f*) + |x - x* + t v/p|^2/2 does not grow in the polynomial family",
                                 bregman_energy,
                                 bregman_weight,
                                 "bregman-rate",
                                 "section 2.1; Wibisono, Wilson, Jordan (2016)",
                                 "f - f* <= |x0 - x*|^2/(2 C t^p), at the time where it is tightest"};
static const lyapunov damped = {
    "hb-lyapunov",
    "section 2.3; Wilson, Recht, Jordan (2021)",
    "e^{sqrt(mu) t} (f - f* + |v + sqrt(mu) (x - x*)|^2/2) does not grow with the damping 2 "
    "sqrt(mu)",
    damped_energy,
    damped_weight,
    "hb-rate",
    "section 2.3; Wilson, Recht, Jordan (2021)",
    "f - f* <= e^{-sqrt(mu) t} (f0 - f* + |v0 + sqrt(mu) (x0 - x*)|^2/2), at the time "
    "where it is tightest"};

/* ------------------------------------------------------------------------------------------------ along an orbit */

static double time_of(const study *q, size_t k)
{
    return k == TIMES ? q->m->until : q->t0 + (q->m->until - q->t0) * (double)k / TIMES;
}

static od_status reopen(study *q)
{
    od_orbit_close(&q->orbit);
    return od_orbit_open(q->ctx, q->m, &q->m->flow, q->t0, NULL, &q->orbit);
}

static od_status lyapunov_claims(study *q, const lyapunov *of)
{
    od_status status = reopen(q);
    const double start = status == OD_OK ? of->energy(q) : NAN, error = OD_ORBIT_ERROR * start;
    if (start == 0) {
        return status; /* at rest in the minimum */
    }
    const double first_excess = status == OD_OK ? od_orbit_excess(&q->orbit) : NAN;
    double last = start, growth = 0, first = NAN, ratio = -1, bound = NAN, excess = NAN;
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, time_of(q, k));
        const double energy = of->energy(q), weight = of->weight(q);
        if (start / weight < 1e-20 * first_excess) {
            break; /* what is left is the rounding of positions */
        }
        growth = fmax(growth, energy - last);
        first = isnan(first) && energy - last > error ? q->orbit.t : first;
        last = energy;
        if (od_orbit_excess(&q->orbit) * weight / start > ratio) {
            ratio = od_orbit_excess(&q->orbit) * weight / start;
            bound = start / weight;
            excess = od_orbit_excess(&q->orbit);
        }
    }
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = od_claims_append(q->list, of->id, of->source, of->statement);
    c->error_integration = OD_ORBIT_ERROR;
    od_claims_match(c, 0, growth / start, NULL);
    if (c->verdict == OD_FAILS) {
        c->counterexample = od_arena_print(q->list->arena, "this orbit, first at t = %.6g", first);
    }
    c = od_claims_append(q->list, of->rate_id, of->rate_source, of->rate);
    c->error_integration = OD_ORBIT_ERROR * bound;
    od_claims_bound(c, bound, excess, "this orbit");
    if (c->verdict == OD_UNDECIDED) {
        c->verdict = OD_HOLDS; /* attained, as some bounds are */
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ exponential */

static od_status strong_claim(study *q, double mu)
{
    od_status status = reopen(q);
    const double start = status == OD_OK ? od_orbit_square(&q->orbit) : NAN;
    double ratio = -1, bound = NAN, distance = NAN;
    if (start == 0) {
        return status;
    }
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, time_of(q, k));
        const double allowed = exp(-mu * (q->orbit.t - q->t0)) * sqrt(start), here = sqrt(od_orbit_square(&q->orbit));
        if (here / allowed > ratio && allowed > 1e-6 * sqrt(start)) { /* below, rounding is seen */
            ratio = here / allowed;
            bound = allowed;
            distance = here;
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "gd-strong-rate", "section 2.1",
            "|x - x*| <= e^{-mu t} |x0 - x*| along the gradient flow, at the time where it is tightest");
        c->error_integration = OD_ORBIT_ERROR * sqrt(start);
        od_claims_bound(c, bound, distance, "this orbit");
        c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    }
    return status;
}

/* 2 t f = sin^2(sqrt(6 beta t))/6 x0^2 on beta x^2/2 with p = 3/2: the bound is attained. */
static od_status sharp_claim(study *q)
{
    const double beta = q->kind.beta, t = 9.869604401089358 / (24 * beta); /* pi^2 */
    od_status status = reopen(q);
    const double bound = status == OD_OK ? od_orbit_square(&q->orbit) / (12 * t) : NAN;
    status = status == OD_OK ? od_orbit_advance(q->ctx, &q->orbit, t) : status;
    if (status == OD_OK) {
        od_claim *c = od_claims_append(q->list, "memory-rate-sharp", "Thm 2.3.1, sharpness; derived in docs/claims.md",
                                       "at p = 3/2 a quadratic attains the bound, at t = pi^2/(24 beta)");
        c->error_integration = OD_ORBIT_ERROR * bound;
        od_claims_match(c, bound, od_orbit_excess(&q->orbit), "this orbit");
    }
    return status;
}

/* Theorem 2.3.1 with an exponent that it does not allow, on a quadratic: what its bound would be is exceeded. */
static od_status small_claim(study *q)
{
    const double p = q->p, factor = (p - 1) * (p - 1) / (2 * p);
    od_status status = reopen(q);
    const double square = status == OD_OK ? od_orbit_square(&q->orbit) : NAN;
    double ratio = -1, bound = NAN, excess = NAN;
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, time_of(q, k));
        const double here = factor * square / q->orbit.t;
        if (status == OD_OK && od_orbit_excess(&q->orbit) / here > ratio) {
            ratio = od_orbit_excess(&q->orbit) / here;
            bound = here;
            excess = od_orbit_excess(&q->orbit);
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "memory-rate-small", "Thm 2.3.1, its condition on p",
            "f - f* <= (p - 1)^2 |x0 - x*|^2/(2 p t) for any p > 1, where it is exceeded most");
        c->expected = OD_FAILS;
        c->error_integration = OD_ORBIT_ERROR * bound;
        od_claims_bound(c, bound, excess, "this orbit: p >= 1 + 1/tau is needed, 3/2 on quadratics");
    }
    return status;
}

/* The smallest <g, x - x*>/(f - f*) on the orbit. */
static od_status see_convexity(study *q, double *tau)
{
    od_status status = reopen(q);
    *tau = INFINITY;
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, time_of(q, k));
        double along = 0;
        for (size_t i = 0; i < q->orbit.d && status == OD_OK; i++) {
            along += q->orbit.g[i] * (q->orbit.x[i] - q->orbit.f->minimiser[i]);
        }
        const double over = status == OD_OK ? od_orbit_excess(&q->orbit) : 0;
        *tau = over > 0 ? fmin(*tau, along / over) : *tau;
    }
    return status;
}

static od_status quasi_claims(study *q)
{
    double tau;
    const od_status status = see_convexity(q, &tau);
    q->p = q->kind.forgetting;
    return status == OD_OK && q->p >= 1 + 1 / tau && tau > 0 ? lyapunov_claims(q, &quasi) : status;
}

/* ------------------------------------------------------------------------------------------------ eq. (30) */

/* E' + t^3 |g|^2 where it is largest beside the sizes of its terms, and what it is on a quadratic, -2 t (f - f*). */
static od_status derivative_claims(study *q)
{
    od_status status = reopen(q);
    double most = -INFINITY, worst = 0, printed = 0;
    /* nearer to the minimum f - f* and x - x* are lost in the rounding of f* and x* (0 where these are) */
    const double sure = 1e-6 * fabs(q->m->problem->minimum.value),
                 near = 1e-12 * pow(od_distance(q->m->problem->dim, NULL, q->m->problem->minimiser, NULL), 2);
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, time_of(q, k));
        const od_orbit *o = &q->orbit;
        double slope = 0, descent = 0, square = 0;
        for (size_t i = 0; i < o->d; i++) {
            slope += o->g[i] * o->rate[i];
            descent += 2 * (o->x[i] - o->f->minimiser[i]) * o->rate[i];
            square += o->g[i] * o->g[i];
        }
        const double t = o->t, excess = od_orbit_excess(o), cubic = t * t * t * square;
        const double left = 2 * t * excess + t * t * slope + descent + cubic;
        const double size = 2 * t * excess + fabs(t * t * slope) + fabs(descent) + cubic;
        if (excess > sure && od_orbit_square(o) > near && size > 1e-200) {
            most = fmax(most, left / size);
            printed = fmax(printed, fabs(left) / size);
            worst = fmax(worst, fabs(left + 2 * t * excess) / size);
        }
    }
    if (status != OD_OK || isinf(most)) {
        return status;
    }
    od_claim *c = od_claims_append(
        q->list, "amplified-derivative-printed", "eq. (30)",
        "E' = -t^3 |g|^2 for E = t^2 (f - f*) + |x - x*|^2 (measured: the largest difference over the "
        "terms' sizes)");
    const double error = sure > 0 || near > 0 ? 1e-6 : 1e-12;
    c->expected = OD_FAILS;
    c->error_integration = error;
    od_claims_match(c, 0, printed, "this orbit; convexity gives <= only");
    c = od_claims_append(q->list, "amplified-derivative", "eq. (30), corrected",
                         "E' <= -t^3 |g|^2 (measured: the largest excess)");
    c->error_integration = error;
    od_claims_bound(c, 0, most, "this orbit");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    if (q->m->problem->spectrum != NULL) {
        c = od_claims_append(q->list, "amplified-derivative-exact", "eq. (30) on quadratics",
                             "E' = -t^3 |g|^2 - 2 t (f - f*) (measured: the largest difference)");
        c->error_integration = error;
        od_claims_match(c, 0, worst, "this orbit");
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status first_order_claims(study *q, double mu)
{
    const od_descent_kind kind = od_orbit_descent(&q->orbit, q->m->until);
    if (kind == OD_DESCENT_PLAIN) {
        const od_status status = lyapunov_claims(q, &gradient);
        return status == OD_OK && mu > 0 ? strong_claim(q, mu) : status;
    }
    if (kind == OD_DESCENT_AMPLIFIED) {
        const od_status status = lyapunov_claims(q, &amplified);
        return status == OD_OK ? derivative_claims(q) : status;
    }
    return OD_OK;
}

static od_status second_order_claims(study *q, double mu)
{
    const od_claims_kind *k = &q->kind;
    q->p = k->viscous;
    if (k->viscous >= 3) {
        return lyapunov_claims(q, &viscous);
    }
    q->p = k->forgetting;
    if (k->forgetting >= (isnan(k->beta) ? 2 : 1.5)) {
        const od_status status = lyapunov_claims(q, &memory);
        const bool sharp = k->forgetting == 1.5 && k->beta > 0 && q->m->problem->dim == 1 && q->t0 == 0;
        return status == OD_OK && sharp ? sharp_claim(q) : status;
    }
    if (k->forgetting > 1.01 && k->forgetting < 1.49 && k->least > 0 && q->t0 == 0 && k->least * q->m->until > 5) {
        return small_claim(q);
    }
    q->p = k->bregman;
    q->c = k->scale;
    if (k->bregman > 0) {
        return lyapunov_claims(q, &bregman);
    }
    q->c = mu;
    return mu > 0 && fabs(k->damping - 2 * sqrt(mu)) <= 1e-9 * k->damping ? lyapunov_claims(q, &damped) : OD_OK;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    study q = {.ctx = ctx, .m = m, .t0 = m->start.t, .list = list};
    if (!m->has_flow || m->flow.noise.shape != OD_NOISE_NONE) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow without noise");
    }
    const od_problem *f = m->problem;
    q.kind = od_claims_recognise(m, m->start.t, m->until);
    const double mu = !isnan(q.kind.least) ? q.kind.least : f->convexity.value;
    const bool convex = mu >= 0;
    if (f->minimiser == NULL || !isfinite(f->minimum.value) || (!convex && !(q.kind.forgetting > 1))) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "the loss is not known to be convex, or its minimum is not known");
    }
    if (f->rough != NULL && !m->flow.second_order && strcmp(m->problem_choice.name, "power") == 0 &&
        od_setting_real(m->problem_choice.settings, "p") == 1) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "the flow stays where the gradient jumps, which no scheme follows");
    }
    od_status status = reopen(&q);
    if (status == OD_OK && !convex) {
        status = quasi_claims(&q);
    } else if (status == OD_OK) {
        status = q.orbit.v == NULL ? first_order_claims(&q, mu) : second_order_claims(&q, mu);
    }
    od_orbit_close(&q.orbit);
    return status;
}

const od_claim_set od_claims_rates = {
    .name = "rates",
    .summary = "how fast flows converge on convex losses: Lyapunov functions along orbits",
    .ids = (const char *const[]){"gd-lyapunov",
                                 "gd-rate",
                                 "gd-strong-rate",
                                 "amplified-lyapunov",
                                 "amplified-rate",
                                 "amplified-derivative-printed",
                                 "amplified-derivative",
                                 "amplified-derivative-exact",
                                 "nag-lyapunov",
                                 "nag-rate",
                                 "memory-lyapunov",
                                 "memory-rate-plain",
                                 "memory-rate-sharp",
                                 "bregman-lyapunov",
                                 "bregman-rate",
                                 "hb-lyapunov",
                                 "hb-rate",
                                 "quasi-lyapunov",
                                 "quasi-rate",
                                 "memory-rate-small",
                                 NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: gradient, integrator: exact, start: {x: [1, "
            "1]}, until: 20, compare: [{method: gradient}, {method: amplified-gradient}, {method: nesterov}, {method: "
            "{name: nesterov, r: 5}}, {method: memory}, {method: {name: memory, forgetting: square-root}}, {method: "
            "{name: bregman, p: 3}}, {method: {name: bregman, p: 2, C: 1}}, {method: {name: heavy-ball, alpha: "
            "0.632455532033676}}, {method: {name: memory, forgetting: polynomial, p: 1.25}, problem: {name: quadratic, "
            "eigenvalues: [0.7]}, start: {x: [1]}}, {method: {name: memory, forgetting: square-root}, problem: {name: "
            "quadratic, "
            "eigenvalues: [0.7]}, start: {x: [1]}}]}",
            "{problem: {name: power, p: 4, c: 0.25, dim: 2}, method: gradient, integrator: {name: rk4, step: 0.01}, "
            "start: {x: "
            "[1, -0.5]}, until: 20, compare: [{method: gradient}, {method: amplified-gradient}, {method: nesterov}, "
            "{method: memory}, {method: {name: memory, forgetting: quadratic}}, {method: {name: memory, forgetting: "
            "quadratic}, problem: {name: formula, variables: [x], f: \"(1 + x^2)^(1/4) - 1\", minimiser: [0]}, start: "
            "{x: [3]}}]}",
            NULL},
    .find = find,
    .cost = od_claims_orbit_cost,
};
