/*
 * Closed forms of sections 2.1 to 2.3 of Orvieto (2023), and those it says are not known, against orbits of the drift.
 *
 * On an eigenvector of curvature lambda, from rest (memory: from v = -g) at t = 0, over y(0):
 *
 *   gradient     e^{-lambda t}                      damping r/t    0F1(; (r + 1)/2; -lambda t^2/4); r = 3: 2 J1(s)/s
 *   amplified    e^{-lambda t^2/2}                  memory t^p     0F1(; p; -p lambda t)
 *   Bregman      2 J1(w)/w, w = 2 sqrt(C lambda) t^{p/2}
 *   memory e^{alpha t} - 1    e^{-alpha s t} 2F1(s, s; 1; 1 - e^{-alpha t}), s = (1 - sqrt(1 - 4 lambda/alpha))/2
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _XOPEN_SOURCE 700 /* j1 */
#include "axis.h"
#include "cost.h"
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { TIMES = 12, TERMS = 4000 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    od_claims_kind kind;
    od_orbit orbit;
    od_descent_kind descent;
    od_claim_list *list;
} study;

/* What y(t) is over y(0), and the error of that; NaN where the series is of no use. */
typedef double factor(const study *q, double lambda, double t, double *error);

/* 0F1(; b; -z); its largest term is about e^{2 sqrt(z)}. */
static double hypergeometric(double b, double z, double *error)
{
    long double term = 1, sum = 1;
    for (int k = 1; k <= TERMS && fabsl(term) > LDBL_EPSILON * fabsl(sum) / 16; k++) {
        term *= -(long double)z / ((long double)k * (b + k - 1));
        sum += term;
    }
    *error = LDBL_EPSILON * exp(2 * sqrt(fabs(z)));
    return (double)sum;
}

static double descent_factor(const study *q, double lambda, double t, double *error)
{
    (void)q;
    (void)error;
    return exp(-lambda * t);
}

static double amplified_factor(const study *q, double lambda, double t, double *error)
{
    (void)q;
    (void)error;
    return exp(-lambda * t * t / 2);
}

static double bessel(double s)
{
    return s > 1e-8 ? 2 * j1(s) / s : 1;
}

static double nesterov_factor(const study *q, double lambda, double t, double *error)
{
    (void)q;
    (void)error;
    return lambda >= 0 ? bessel(sqrt(lambda) * t) : NAN;
}

static double viscous_factor(const study *q, double lambda, double t, double *error)
{
    return hypergeometric((q->kind.viscous + 1) / 2, lambda * t * t / 4, error);
}

static double memory_factor(const study *q, double lambda, double t, double *error)
{
    return hypergeometric(q->kind.forgetting, q->kind.forgetting * lambda * t, error);
}

static double bregman_factor(const study *q, double lambda, double t, double *error)
{
    (void)error;
    return lambda >= 0 ? bessel(2 * sqrt(q->kind.scale * lambda) * pow(t, q->kind.bregman / 2)) : NAN;
}

static double damped_factor(const study *q, double lambda, double t, double *error)
{
    const double alpha = q->kind.damping, square = lambda - alpha * alpha / 4, w = sqrt(fabs(square));
    const double c = square > 0 ? cos(w * t) : cosh(w * t), s = w > 0 ? (square > 0 ? sin(w * t) : sinh(w * t)) / w : t;
    (void)error;
    return exp(-alpha * t / 2) * (c + alpha / 2 * s);
}

/* The rate alpha of m = e^{alpha t} - 1, by (e^a)' = alpha e^{alpha t}; NaN for another m. */
static double exponential_rate(const study *q)
{
    const od_flow *flow = &q->m->flow;
    double rate = NAN;
    for (int k = 1; k <= 2; k++) {
        double a[2], b[2];
        flow->lagrangian(flow, k * q->m->until / 2, a, b);
        const double fits = fabs(exp(b[0] - a[0]) * -expm1(-b[1] * k * q->m->until / 2) / b[1] - 1);
        rate = k == 1 ? b[1] : fabs(rate - b[1]) <= 1e-12 * rate ? rate : NAN;
        rate = fits <= 1e-12 ? rate : NAN;
    }
    return rate;
}

static double exponential_factor(const study *q, double lambda, double t, double *error)
{
    const double alpha = exponential_rate(q), z = -expm1(-alpha * t);
    const double complex s = (1 - csqrt(1 - 4 * lambda / alpha)) / 2;
    double complex term = 1, sum = 1;
    double size = 1;
    for (int k = 0; k < TERMS && cabs(term) > DBL_EPSILON * cabs(sum) / 16; k++) {
        term *= (s + k) * (s + k) / ((k + 1.0) * (k + 1.0)) * z;
        sum += term;
        size = fmax(size, cabs(term));
    }
    const double decay = cabs(cexp(-alpha * s * t));
    *error = (64 * DBL_EPSILON * size + 10 * cabs(term)) * decay;
    return z < 0.99 ? creal(cexp(-alpha * s * t) * sum) : NAN;
}

/* ------------------------------------------------------------------------------------------------ quadratics */

/* Judged where the two are farthest apart; if that is near enough, those at the end are shown. */
static void judge(od_claim *c, const double worst[2], const double last[2])
{
    od_claims_match(c, worst[0], worst[1], "this orbit");
    if (c->verdict == OD_HOLDS) {
        c->predicted = last[0];
        c->measured = last[1];
    }
}

/* Orbit and formula at TIMES times, along all eigenvectors; the first one's is shown. */
static od_status form_claim(study *q, factor *of, const char *id, const char *source, const char *statement)
{
    const od_spectrum *s = q->m->problem->spectrum;
    const size_t d = q->m->problem->dim;
    double worst = -1, far[2] = {NAN, NAN}, last[2] = {NAN, NAN}, start[64], size = 0, error = 0, grown = 0;
    od_status status = OD_OK;
    for (size_t i = 0; i < d; i++) {
        start[i] = od_axis_along(s, d, i, q->orbit.x);
        size = fmax(size, fabs(start[i]));
    }
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        const double t = q->m->until * (double)k / TIMES;
        status = od_orbit_advance(q->ctx, &q->orbit, t);
        for (size_t i = 0; i < d; i++) {
            double slack = 0;
            const double want = start[i] * of(q, s->eigenvalues[i], t, &slack),
                         got = od_axis_along(s, d, i, q->orbit.x);
            grown = fmax(grown, fabs(got)); /* on concave losses */
            if (slack <= 1e-6 && fabs(got - want) > worst) {
                worst = fabs(got - want);
                far[0] = want;
                far[1] = got;
                error = slack;
            }
            last[0] = i == 0 ? want : last[0];
            last[1] = i == 0 ? got : last[1];
        }
    }
    if (status == OD_OK && worst >= 0) {
        od_claim *c = od_claims_append(q->list, id, source, statement);
        c->error_integration = OD_ORBIT_ERROR * fmax(size, grown) + error * size;
        judge(c, far, last);
    }
    return status;
}

/* The coefficient of g in x'' + ((p + 1)/t) x' + force g = 0, by the drift at the orbit's last time. */
static void choice_claim(study *q)
{
    const od_orbit *o = &q->orbit;
    const double p = q->kind.bregman, c = q->kind.scale, t = q->m->until / 2;
    double along = 0, square = 0, *rate = o->rate, *z = o->z;
    if (o->flow->drift(o->flow, t, 1, z, rate, o->ws) != OD_OK) {
        return;
    }
    for (size_t i = 0; i < o->d; i++) {
        along -= (rate[o->d + i] + (p + 1) / t * o->v[i]) * o->g[i];
        square += o->g[i] * o->g[i];
    }
    if (!(square > 0)) {
        return;
    }
    od_claim *k = od_claims_append(
        q->list, "bregman-force", "eqs. (3), (4)",
        "alpha = ln(p/t), beta = p ln t + ln C and gamma = p ln t give x'' + ((p + 1)/t) x' + C p^2 t^{p-2} g "
        "= 0 (the factor of g, at half time)");
    k->error_integration = 1e-12 * along / square;
    od_claims_match(k, c * p * p * pow(t, p - 2), along / square, "this t");
    const bool printed = fabs(c - 1) <= 1e-12, corrected = fabs(c - 0.25) <= 1e-12;
    if (fabs(p - 2) <= 1e-12 && (printed || corrected)) {
        k = printed ? od_claims_append(q->list, "bregman-choice-printed", "after eq. (4)",
                                       "alpha = ln(2/t), beta = gamma = 2 ln t gives Nesterov's flow (the factor of g)")
                    : od_claims_append(
                          q->list, "bregman-choice", "after eq. (4), corrected",
                          "alpha = ln(2/t), beta = 2 ln(t/2), gamma = 2 ln t gives Nesterov's flow (the factor of g)");
        k->expected = corrected ? OD_HOLDS : OD_FAILS;
        k->error_integration = 1e-12;
        od_claims_match(k, 1, along / square, "it is 4 C: beta = 2 ln t + ln C needs C = 1/4");
    }
}

/* psi = y^2/2 + y^4/12, which is convex and not Euclidean, and its divergence with the arguments either way round. */
static double divergence(double a, double b, bool exchanged)
{
    const double x = exchanged ? b : a, y = exchanged ? a : b;
    return x * x / 2 + pow(x, 4) / 12 - y * y / 2 - pow(y, 4) / 12 - (y + y * y * y / 3) * (x - y);
}

/* The first component of e^{alpha + gamma} D(x + e^{-alpha} v, x), p of the polynomial family. */
static double kinetic(double p, double t, double x, double v, bool exchanged)
{
    return p * pow(t, p - 1) * divergence(x + t / p * v, x, exchanged);
}

static double fourth_order(const double y[5], double step)
{
    return (y[0] - 8 * y[1] + 8 * y[3] - y[4]) / (12 * step);
}

/*
 * d/dt L_V - L_X along a curve with the acceleration of eq. (4), over the sizes of both, all derivatives of D by
 * differences: 0 if eq. (4) is the Euler-Lagrange equation of L = e^{alpha + gamma} (D - e^beta f).
 */
static double bregman_residual(double p, double c, double t, double x, double v, double g, bool exchanged)
{
    const double side = 1e-3, ahead = x + t / p * v,
                 bend = -(p + 1) / t * v - c * p * p * pow(t, p - 2) * g / (1 + ahead * ahead);
    const double step = 1e-3 * fmin(t, 1 / (1 + fabs(bend)));
    double momentum[5], along[5], push[5];
    for (int k = 0; k < 5; k++) {
        const double s = (k - 2) * step, here = x + s * (v + s * bend / 2), speed = v + s * bend;
        for (int j = 0; j < 5; j++) {
            along[j] = kinetic(p, t + s, here, speed + (j - 2) * side, exchanged);
        }
        momentum[k] = fourth_order(along, side);
        push[k] = kinetic(p, t, x + (k - 2) * side, v, exchanged);
    }
    const double left = fourth_order(momentum, step), right = fourth_order(push, side) - c * p * pow(t, 2 * p - 1) * g;
    return (left - right) / (fabs(left) + fabs(right));
}

/* Eq. (3) defines D(x, y) = psi(y) - psi(x) - <grad psi(x), y - x> and takes it with the roles exchanged. */
static void divergence_claims(study *q)
{
    const double p = q->kind.bregman, c = q->kind.scale, t = q->m->until / 2, x = q->orbit.x[0], v = 0.7;
    const double wrong = bregman_residual(p, c, t, x, v, q->orbit.g[0], true),
                 right = bregman_residual(p, c, t, x, v, q->orbit.g[0], false);
    od_claim *k = od_claims_append(
        q->list, "bregman-divergence-printed", "eq. (3)",
        "with D(x, y) = psi(y) - psi(x) - <grad psi(x), y - x> eq. (4) is the equation of the Lagrangian (psi = "
        "y^2/2 + y^4/12, v = 0.7; measured: what is left of it, over its terms)");
    k->expected = OD_FAILS;
    k->error_integration = 1e-6;
    od_claims_match(k, 0, wrong, "this psi; there is no difference where psi is a square");
    k = od_claims_append(q->list, "bregman-divergence", "eq. (3), corrected",
                         "with D(x, y) = psi(x) - psi(y) - <grad psi(y), x - y> it is (the same psi and v)");
    k->error_integration = 1e-6;
    od_claims_match(k, 0, right, "this psi");
}

/* Figure 6 shows 0.02 x^2 + 0.0004 y^2; its caption gives curvatures. Seen by the gradient a unit away from 0. */
static void caption_claims(study *q)
{
    const od_problem *f = q->m->problem;
    double at[2] = {0, 1}, loss, g[2];
    if (f->dim != 2 || f->eval(f, OD_VALUE | OD_GRADIENT, 1, at, &loss, g, q->orbit.ws) != OD_OK ||
        fabs(loss - 0.0004) > 1e-15 || g[0] != 0) {
        return;
    }
    od_claim *c = od_claims_append(q->list, "figure-6-curvature-printed", "caption of Fig. 6",
                                   "the smaller curvature of 0.02 x^2 + 0.0004 y^2 is 3e-4");
    c->expected = OD_FAILS;
    c->error_integration = 1e-15;
    od_claims_match(c, 3e-4, g[1], "this loss");
    c = od_claims_append(q->list, "figure-6-curvature", "caption of Fig. 6, corrected", "it is 8e-4");
    c->error_integration = 1e-15;
    od_claims_match(c, 8e-4, g[1], "this loss");
}

/* Eq. (4) with alpha = beta = 0 and gamma = alpha' t: e^{alpha'} of damping is gamma', what the drift has. */
static void damping_claims(study *q)
{
    const od_orbit *o = &q->orbit;
    double along = 0, square = 0, *z = o->z;
    for (size_t i = 0; i < o->d; i++) {
        z[o->d + i] = 1 + (double)i; /* any velocity; the orbit is opened anew afterwards */
    }
    if (o->flow->drift(o->flow, q->m->until / 2, 1, z, o->rate, o->ws) != OD_OK) {
        return;
    }
    for (size_t i = 0; i < o->d; i++) {
        along -= (o->rate[o->d + i] + o->g[i]) * z[o->d + i];
        square += z[o->d + i] * z[o->d + i];
        z[o->d + i] = 0;
    }
    od_claim *c = od_claims_append(q->list, "bregman-damping-printed", "eq. (4)",
                                   "the damping of the Lagrangian is e^alpha - alpha', here 1: alpha = beta = 0");
    c->expected = fabs(q->kind.damping - 1) < 1e-12 ? OD_HOLDS : OD_FAILS;
    c->error_integration = 1e-12 * (1 + fabs(along) / square);
    od_claims_match(c, 1, along / square, "this flow: that needs gamma' = e^alpha");
    c = od_claims_append(q->list, "bregman-damping", "eq. (4), corrected",
                         "it is gamma' - alpha', gamma = ln of the kinetic weight here");
    c->error_integration = 1e-12 * (1 + fabs(along) / square);
    od_claims_match(c, q->kind.damping, along / square, "this flow");
}

static od_status second_order_forms(study *q)
{
    const od_claims_kind *k = &q->kind;
    if (fabs(k->viscous - 3) <= 1e-12) {
        choice_claim(q);
        const od_status status = form_claim(q, nesterov_factor, "nag-form", "section 2.1",
                                            "on a quadratic x'' + (3/t) x' + g = 0 from rest is 2 J1(s)/s, s = "
                                            "sqrt(lambda) t (the end is shown)");
        return status;
    }
    if (k->viscous > 0) {
        return form_claim(q, viscous_factor, "viscous-form", "section 2.1, damping r/t",
                          "on a quadratic damping r/t from rest gives 0F1(; (r + 1)/2; -lambda t^2/4)");
    }
    if (k->damping >= 0) {
        damping_claims(q);
        caption_claims(q);
        return form_claim(q, damped_factor, "hb-form", "section 2.3",
                          "on a quadratic constant damping from rest gives e^{-alpha t/2} (cos w t + alpha/(2 w) sin w "
                          "t), w^2 = lambda - alpha^2/4");
    }
    if (k->forgetting > 0) {
        return form_claim(q, memory_factor, "memory-form", "section 2.3, m = t^p",
                          "on a quadratic memory t^p from v = -g gives 0F1(; p; -p lambda t)");
    }
    if (k->bregman > 0) {
        choice_claim(q);
        divergence_claims(q);
        return form_claim(q, bregman_factor, "bregman-form", "section 2.1, eqs. (3), (4)",
                          "all p are one curve in another time: 2 J1(w)/w, w = 2 sqrt(C lambda) t^{p/2}");
    }
    return k->memory && exponential_rate(q) > 0
               ? form_claim(q, exponential_factor, "memory-form-exponential", "section 2.3, m = e^{alpha t} - 1",
                            "on a quadratic it gives e^{-alpha s t} 2F1(s, s; 1; 1 - e^{-alpha t}), s = (1 - sqrt(1 - "
                            "4 lambda/alpha))/2")
               : OD_OK;
}

/* ------------------------------------------------------------------------------------------------ |x|^p */

static double flow_form(const study *q, double x0, double t)
{
    const double p = od_setting_real(q->m->problem_choice.settings, "p"),
                 c = od_setting_real(q->m->problem_choice.settings, "c"), r = q->kind.viscous;
    if (q->orbit.v == NULL) { /* x' = -c p x^{p-1} */
        return x0 * pow(1 + (p - 2) * c * p * pow(fabs(x0), p - 2) * t, -1 / (p - 2));
    }
    return x0 * pow(1 + c * p * pow(fabs(x0), p - 2) / ((r + 1) * (r - 1)) * t * t, -(r - 1) / 2);
}

static od_status flat_form(study *q, const char *id, const char *source, const char *statement)
{
    double start[64], worst = -1, far[2] = {NAN, NAN}, last[2] = {NAN, NAN}, size = 0;
    memcpy(start, q->orbit.x, q->orbit.d * sizeof *start);
    od_status status = OD_OK;
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        const double t = q->m->until * (double)k / TIMES;
        status = od_orbit_advance(q->ctx, &q->orbit, t);
        for (size_t i = 0; i < q->orbit.d; i++) {
            const double want = flow_form(q, start[i], t), off = fabs(q->orbit.x[i] - want);
            size = fmax(size, fabs(start[i]));
            far[0] = off > worst ? want : far[0];
            far[1] = off > worst ? q->orbit.x[i] : far[1];
            worst = fmax(worst, off);
            last[0] = i == 0 ? want : last[0];
            last[1] = i == 0 ? q->orbit.x[i] : last[1];
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(q->list, id, source, statement);
        c->error_integration = OD_ORBIT_ERROR * size;
        judge(c, far, last);
    }
    return status;
}

/* With y = t x, s = ln t: y_s^2/2 - y^2/2 + c y^4 of each coordinate, over its terms. */
static od_status kept_claim(study *q, double c4)
{
    double first[64], change = 0;
    od_status status = OD_OK;
    for (size_t k = 1; k <= TIMES && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &q->orbit, q->m->start.t + (q->m->until - q->m->start.t) * (double)k / TIMES);
        const od_orbit *o = &q->orbit;
        for (size_t i = 0; i < o->d; i++) {
            const double y = o->t * o->x[i], slope = o->t * (o->x[i] + o->t * o->v[i]);
            const double kinetic = slope * slope / 2, linear = y * y / 2, flat = c4 * y * y * y * y;
            const double energy = kinetic - linear + flat;
            first[i] = k == 1 ? energy : first[i];
            change = fmax(change, fabs(energy - first[i]) / fmax(kinetic + linear + flat, 1e-300));
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "quartic-kept", "derived in docs/claims.md",
            "on c x^4 with damping 3/t, y = t x and s = ln t keep y_s^2/2 - y^2/2 + c y^4 (measured: "
            "largest change over its terms)");
        c->error_integration = 10 * OD_ORBIT_ERROR;
        od_claims_match(c, 0, change, "this orbit");
    }
    return status;
}

static od_status power_forms(study *q)
{
    const double p = od_setting_real(q->m->problem_choice.settings, "p"), r = q->kind.viscous;
    if (q->descent == OD_DESCENT_PLAIN && p > 2 && q->m->start.t == 0) {
        return flat_form(q, "gd-flat-form", "section 2.4.2.1",
                         "on c |x|^p, p > 2, the gradient flow is x0 (1 + (p - 2) c p x0^{p-2} t)^{-1/(p-2)}");
    }
    if (q->orbit.v != NULL && q->m->start.t == 0 && r > 1 && fabs(p - 2 * (r + 1) / (r - 1)) <= 1e-12 * p) {
        return flat_form(q, "flat-form", "derived in docs/claims.md; section 2.2.2.4 says none is known",
                         "on c |x|^p, p = 2 (r + 1)/(r - 1), damping r/t from rest gives x0 (1 + c p x0^{p-2} "
                         "t^2/((r + 1)(r - 1)))^{-(r-1)/2}");
    }
    return q->orbit.v != NULL && p == 4 && fabs(r - 3) <= 1e-12 && q->m->start.t > 0
               ? kept_claim(q, od_setting_real(q->m->problem_choice.settings, "c"))
               : OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    study q = {.ctx = ctx, .m = m, .list = list};
    if (!m->has_flow || m->flow.noise.shape != OD_NOISE_NONE || m->problem->dim > 64) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow without noise in at most 64 dimensions");
    }
    q.kind = od_claims_recognise(m, m->start.t, m->until);
    od_status status = od_orbit_open(ctx, m, &m->flow, m->start.t, NULL, &q.orbit);
    q.descent = status == OD_OK ? od_orbit_descent(&q.orbit, m->until) : OD_DESCENT_NONE;
    if (status == OD_OK && strcmp(m->problem_choice.name, "power") == 0) {
        status = power_forms(&q);
    } else if (status == OD_OK && m->problem->spectrum != NULL && m->start.t == 0) {
        bool rest = true;
        for (size_t i = 0; q.orbit.v != NULL && i < m->problem->dim; i++) {
            rest = rest && (q.kind.memory || q.orbit.v[i] == 0);
        }
        status = q.descent == OD_DESCENT_PLAIN       ? form_claim(&q, descent_factor, "gd-form", "section 2.1",
                                                                  "on a quadratic the gradient flow is e^{-lambda t}")
                 : q.descent == OD_DESCENT_AMPLIFIED ? form_claim(&q, amplified_factor, "amplified-form", "eq. (29)",
                                                                  "on a quadratic x' = -t g is e^{-lambda t^2/2}")
                 : q.orbit.v != NULL && rest         ? second_order_forms(&q)
                                                     : OD_OK;
    }
    od_orbit_close(&q.orbit);
    return status;
}

const od_claim_set od_claims_formulas = {
    .name = "closed-forms",
    .summary = "solutions in closed form against orbits of the drift",
    .ids = (const char *const[]){"gd-form",
                                 "amplified-form",
                                 "nag-form",
                                 "viscous-form",
                                 "hb-form",
                                 "memory-form",
                                 "memory-form-exponential",
                                 "bregman-form",
                                 "bregman-force",
                                 "bregman-choice-printed",
                                 "bregman-choice",
                                 "gd-flat-form",
                                 "flat-form",
                                 "quartic-kept",
                                 "figure-6-curvature-printed",
                                 "figure-6-curvature",
                                 "bregman-damping-printed",
                                 "bregman-damping",
                                 "bregman-divergence-printed",
                                 "bregman-divergence",
                                 NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.7]}, method: gradient, integrator: {name: rk4, step: "
            "0.01}, start: {x: [1, 1]}, until: 5, compare: [{method: gradient}, {method: amplified-gradient}, {method: "
            "nesterov, until: 10}, {method: {name: nesterov, r: 2}}, {method: {name: heavy-ball, alpha: 1}}, {method: "
            "{name: heavy-ball, alpha: 0.6}, problem: {name: formula, variables: [x, y], f: \"0.02*x^2 + "
            "0.0004*y^2\"}}, {method: "
            "memory}, {method: {name: memory, forgetting: quadratic}}, {method: {name: memory, forgetting: "
            "exponential, alpha: 0.8}}, {method: {name: memory, forgetting: exponential, alpha: 8}, until: 0.5}, "
            "{method: {name: bregman, p: 3}}, {method: {name: bregman, p: 2, C: 1}}, {method: {name: bregman, p: 2}}]}",
            "{problem: {name: power, p: 4}, method: nesterov, integrator: {name: rk4, step: 0.01}, start: {x: [1]}, "
            "until: 10, compare: [{}, {method: gradient}, {method: {name: nesterov, r: 2}, problem: {name: power, p: "
            "6}}, {method: {name: nesterov, r: 5}, problem: {name: power, p: 3}}, {start: {t: 1, x: [1], v: [0]}}]}",
            NULL},
    .find = find,
    .cost = od_claims_orbit_cost,
};
