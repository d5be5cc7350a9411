/*
 * Section 2.2 of Orvieto (2023): for how long paths minimise their action.
 *
 *   3/t on a quadratic        conjugate length t_c - t1 between pi/sqrt(beta) and j_{1,1}/sqrt(beta)
 *   alpha on a quadratic      2 pi/sqrt(4 beta - alpha^2); none if beta <= alpha^2/4
 *   3/t on c sum |x_i|^p      in s = ln t, y = t^a x, a = 2/(p - 2):  y'' + (2 - 2a) y' + a (a - 2) y + c p |y|^{p-2} y
 * = 0
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _XOPEN_SOURCE 700 /* j1, y1 */
#include "claims.h"

#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Times are located to 1e-10 of the larger of |t| and t2 - t1; the closed forms keep their last digits. */
#define LOCATED 1e-9

enum { SAMPLES = 256 };

static const double pi = 3.14159265358979323846, j11 = 3.8317059702075123;

typedef struct claims {
    od_context *ctx;
    const od_extremal *x;
    const od_conjugates *found;
    const od_member *m;
    size_t d;
    od_claims_kind kind;
    double settled; /* the first conjugate time of this path where a formula gives it, infinite if there is none; else
                       NaN */
    double *state;  /* [2 d], and as many energies */
    od_claim *claim;
    size_t count;
} claims;

static od_claim *add(claims *q, const char *id, const char *source, const char *statement)
{
    return od_claims_add(q->claim, &q->count, id, source, statement);
}

/* First conjugate time of t1 in the direction of the largest curvature, by the phases; NaN if there is none up to t2.
 * The Hessian is the same everywhere, so the path need not reach there. */
static od_status first_time(const claims *q, double t1, double t2, double *t)
{
    const od_extremal x = {q->x->path, t1, t2};
    od_jacobi j = od_extremal_jacobi(&x);
    od_conjugates found = {0};
    j.d = 1;
    j.tolerance = 1e-13;
    const od_status status = od_jacobi_split(q->ctx, &j, &q->kind.beta, NULL, &found);
    *t = found.count > 0 ? found.point[0].t : found.end.multiplicity > 0 ? found.end.t : NAN;
    od_conjugates_free(&found);
    return status;
}

/* ------------------------------------------------------------------------------------------------ quadratics */

/* The root of J1(s1) Y1(s) - Y1(s1) J1(s) next to s1, by bisection. */
static double viscous_time(double beta, double t1)
{
    const double s1 = sqrt(beta) * t1;
    if (s1 < 1e-7) {
        return j11 / sqrt(beta);
    }
    const double a = j1(s1), b = y1(s1);
    double low = s1 + pi * (1 - 1e-9), high = s1 + j11;
    const bool below = a * y1(low) < b * j1(low);
    for (size_t i = 0; i < 60; i++) {
        const double s = (low + high) / 2;
        if ((a * y1(s) < b * j1(s)) == below) {
            low = s;
        } else {
            high = s;
        }
    }
    return low / sqrt(beta);
}

static od_status viscous_claims(claims *q)
{
    const double t1 = q->x->t1, reach = 1.01 * sqrt(40 / q->kind.beta), predicted = viscous_time(q->kind.beta, t1);
    double measured, longest;
    q->settled = predicted;
    od_status status = first_time(q, t1, t1 + reach, &measured);
    status = status == OD_OK ? first_time(q, 0, reach, &longest) : status;
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(
        q, "short-minimum", "Thm 2.2.5, Cor. 2.2.1",
        "short intervals give a minimum, long ones a saddle: the switch is at the first zero of J1(s1) Y1(s) - "
        "Y1(s1) J1(s), s = sqrt(beta) t");
    c->predicted = predicted;
    c->measured = measured;
    c->error_integration = LOCATED * predicted;
    const bool near = fabs(q->x->t2 - predicted) <= c->error_integration;
    od_claims_judge(c,
                    fabs(measured - predicted) <= c->error_integration &&
                        (near || (q->found->index > 0) == (q->x->t2 > predicted)),
                    "this path");
    c = add(q, "saddle-length", "Prop. 2.2.1", "intervals longer than sqrt(40/beta) give a saddle");
    c->predicted = sqrt(40 / q->kind.beta);
    c->measured = measured - t1;
    c->error_integration = LOCATED * predicted;
    od_claims_judge(c, c->measured <= c->predicted, "this path is a minimiser for longer");
    c = add(q, "saddle-length-sharp", "Prop. 2.2.1, sharpened",
            "intervals longer than j_{1,1}/sqrt(beta) do, and for t1 to 0 no shorter ones");
    c->predicted = j11 / sqrt(q->kind.beta);
    c->measured = longest;
    c->error_integration = LOCATED * c->predicted;
    od_claims_judge(
        c, fabs(longest - c->predicted) <= c->error_integration && measured - t1 <= c->predicted + c->error_integration,
        "this curvature");
    return OD_OK;
}

/* Solutions are t^{(1-r)/2} times Bessel functions of order |r - 1|/2: sines for r = 2, slower or faster else (Sturm).
 */
static od_status gap_claim(claims *q)
{
    const double t1 = q->x->t1, r = q->kind.viscous, root = sqrt(q->kind.beta), order = fabs(r - 1) / 2;
    double measured;
    const od_status status = first_time(q, t1, t1 + (order + 2 * cbrt(order) + 4) / root, &measured);
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(
        q, "viscous-gap", "derived in docs/analyses.md",
        "with damping r/t the first conjugate time is pi/sqrt(beta) after t1 for r = 2, earlier for 0 < r < 2, "
        "later for r > 2");
    c->predicted = pi / root;
    c->measured = measured - t1;
    c->error_integration = LOCATED * measured;
    const double off = c->measured - c->predicted;
    od_claims_judge(c,
                    fabs(r - 2) < 1e-12 ? fabs(off) <= c->error_integration
                    : r < 2             ? off < 0
                                        : off > 0,
                    "this path");
    return OD_OK;
}

static od_status damped_claims(claims *q)
{
    const double t1 = q->x->t1, alpha = q->kind.damping, squared = 4 * q->kind.beta - alpha * alpha;
    double measured;
    if (!(squared > 1e-12 * q->kind.beta)) {
        od_claim *c = add(q, "constant-damping-none", "Thm 2.2.6", "alpha >= 2 sqrt(beta): always a minimum");
        c->predicted = 0;
        c->measured = (double)q->found->index;
        od_claims_judge(c, q->found->index == 0, "this path");
        return OD_OK;
    }
    const double length = 2 * pi / sqrt(squared);
    const od_status status = first_time(q, t1, t1 + 1.01 * length, &measured);
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(q, "constant-damping", "Thm 2.2.6", "a minimum up to the length 2 pi/sqrt(4 beta - alpha^2)");
    c->predicted = length;
    c->measured = measured - t1;
    c->error_integration = LOCATED * fmax(length, fabs(t1));
    od_claims_judge(c, fabs(c->measured - length) <= c->error_integration, "this path");
    c = add(q, "constant-damping-printed", "introduction of section 2.2", "the same with 2 pi/sqrt(4 beta - alpha)");
    c->predicted = 4 * q->kind.beta > alpha ? 2 * pi / sqrt(4 * q->kind.beta - alpha) : NAN;
    c->measured = measured - t1;
    c->error_integration = LOCATED * fmax(length, fabs(t1));
    c->expected = alpha == 0 || alpha == 1 ? OD_HOLDS : OD_FAILS;
    od_claims_judge(c, fabs(c->measured - c->predicted) <= c->error_integration, "this path; alpha is to be squared");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ flat losses */

/* y_s^2/2 + a (a - 2) y^2/2 + c |y|^p and the last of these terms, both over the sum of their sizes. */
static void energy(double x, double v, double t, double p, double c, double e[2])
{
    const double a = 2 / (p - 2), scale = pow(t, a), y = scale * x, slope = scale * (a * x + t * v);
    const double kinetic = slope * slope / 2, linear = a * (a - 2) * y * y / 2, flat = c * pow(fabs(y), p);
    const double size = kinetic + fabs(linear) + flat;
    e[0] = size > 0 ? (kinetic + linear + flat) / size : 0;
    e[1] = size > 0 ? flat / size : 0;
}

/* G whose equal values, one on each side of 0, are conjugate on c x^4 from rest; tau = ln(t/t*), t* = sqrt(2/c)/x0. */
static double rest_phase(double tau)
{
    return -1 / tanh(tau) + 1.5 * tau + sinh(2 * tau) / 4;
}

static double rest_time(double c, double x0, double t1)
{
    const double star = sqrt(2 / c) / fabs(x0);
    if (!(t1 < star)) {
        return INFINITY;
    }
    if (t1 < 1e-12 * star) {
        return star;
    }
    const double sought = rest_phase(log(t1 / star));
    double low = 0, high = 350;
    for (size_t i = 0; i < 80; i++) {
        const double tau = (low + high) / 2;
        if (rest_phase(tau) < sought) {
            low = tau;
        } else {
            high = tau;
        }
    }
    return star * exp(low);
}

/* The first conjugate time of a path from rest at t = 0 on c sum x_i^4; infinite if there is none. */
static od_status first_rest_time(claims *q, double c, double *t)
{
    const od_status status = od_trajectory_at(q->x->path, 0, q->state, NULL);
    *t = INFINITY;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        *t = q->state[i] != 0 ? fmin(*t, rest_time(c, q->state[i], q->x->t1)) : *t;
    }
    return status;
}

static void rest_claim(claims *q, double predicted)
{
    const double measured = q->found->count > 0              ? q->found->point[0].t
                            : q->found->end.multiplicity > 0 ? q->found->end.t
                                                             : NAN;
    od_claim *c = add(
        q, "flat-conjugate", "derived in docs/analyses.md",
        "on c x^4 from rest t1 < t* = sqrt(2/c)/x0 has one conjugate time, where -coth s + 3 s/2 + sinh(2 "
        "s)/4, s = ln(t/t*), is that of t1 again; t1 >= t* has none");
    c->predicted = isinf(predicted) ? NAN : predicted;
    c->measured = measured;
    c->error_integration = LOCATED * q->x->t2;
    od_claims_judge(c,
                    isnan(measured) ? predicted >= q->x->t2 - c->error_integration
                                    : fabs(measured - predicted) <= c->error_integration,
                    "this path");
}

/* On x = A t^-a with c p A^{p-2} = a (2 - a) the Jacobi equation is Euler's; *ratio is NaN on other paths. */
static od_status conjugate_ratio(claims *q, double p, double c, double *ratio)
{
    const double t = q->x->t1, a = 2 / (p - 2), scale = pow(t, a);
    *ratio = NAN;
    if (!(t > 0 && 3 - a * a > 0)) {
        return OD_OK;
    }
    const od_status status = od_trajectory_at(q->x->path, t, q->state, q->state + q->d);
    bool settled = true;
    for (size_t i = 0; i < q->d; i++) {
        const double x = q->state[i], v = q->state[q->d + i];
        settled = settled && fabs(a * x + t * v) <= 1e-9 * fabs(x) &&
                  fabs(c * p * pow(fabs(scale * x), p - 2) - a * (2 - a)) <= 1e-9;
    }
    *ratio = settled ? exp(pi / sqrt(3 - a * a)) : NAN;
    return status;
}

static od_status ratio_claim(claims *q, double p, double c)
{
    double ratio;
    const od_status status = conjugate_ratio(q, p, c, &ratio);
    if (status != OD_OK || !(ratio * q->x->t1 < q->x->t2)) {
        return status;
    }
    od_claim *k = add(q, "flat-ratio", "derived in docs/analyses.md",
                      "on c |x|^p along x = A t^-a, monotone, times are conjugate to t1 that are exp(pi/sqrt(3 - a^2)) "
                      "apart as ratios");
    k->predicted = ratio;
    k->measured = q->found->count > 0 ? q->found->point[0].t / q->x->t1 : NAN;
    k->error_integration = 10 * LOCATED * q->x->t2 / q->x->t1;
    od_claims_judge(k, fabs(k->measured - ratio) <= k->error_integration, "this path");
    q->settled = ratio * q->x->t1;
    return OD_OK;
}

/* Energies of all coordinates: at t2, or where it is kept, at the time at which it can be told best from rounding. */
static od_status find_energies(claims *q, double p, double c, double *kept)
{
    const double t2 = q->x->t2, first = fmax(q->x->t1, 1e-6 * t2);
    double *share = kept + q->d;
    for (size_t k = 0; k <= (p == 4 ? SAMPLES : 0); k++) {
        const double t = k == 0 ? t2 : first * pow(t2 / first, (double)(k - 1) / SAMPLES);
        const od_status status = od_trajectory_at(q->x->path, t, q->state, q->state + q->d);
        if (status != OD_OK) {
            return od_fail(q->ctx, status, "interval", "the path could not be evaluated at t = %.9g", t);
        }
        for (size_t i = 0; i < q->d; i++) {
            double e[2];
            energy(q->state[i], q->state[q->d + i], t, p, c, e);
            if (k == 0 || e[1] > share[i]) {
                kept[i] = e[0];
                share[i] = e[1];
            }
        }
    }
    return OD_OK;
}

/*
 * The energy is kept if p = 4, falls if p > 4 and grows if p < 4. Where it is kept and not zero, y is periodic and does
 * not settle at 0; where it has fallen below zero, y cannot return to 0 but settles at the bottom of a well, around
 * which a neighbour turns; where it has grown above zero, y crosses 0 for ever. Each time neighbours meet without end.
 */
static od_status flat_claims(claims *q)
{
    const od_settings *s = q->m->problem_choice.settings;
    const double p = od_setting_real(s, "p");
    if (!(p > 2)) {
        return OD_OK;
    }
    double *kept = q->state + 2 * q->d, measured = 0, worst = -1;
    const od_status status = find_energies(q, p, od_setting_real(s, "c"), kept);
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        const double against = p > 4 ? -kept[i] : p < 4 ? kept[i] : fabs(kept[i]);
        measured = against > worst ? kept[i] : measured;
        worst = fmax(worst, against);
    }
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(q, "flat-minimum", "section 2.2.2.4",
                      "on |x|^p, p > 2, a path is at last a minimiser (measured: energy of t^a x, a = 2/(p - 2), over "
                      "its parts)");
    c->predicted = p == 4 ? 0 : NAN;
    c->measured = measured;
    c->error_integration = 1e-9;
    const bool at_rest = p == 4 && q->m->start.t == 0;
    c->expected = at_rest ? OD_HOLDS : OD_FAILS;
    od_claims_judge(c, worst <= c->error_integration, "this path: its conjugate points have no end");
    if (!at_rest && c->verdict == OD_HOLDS) { /* it is not told here */
        c->expected = c->verdict = OD_UNDECIDED;
    }
    if (!at_rest) {
        return ratio_claim(q, p, od_setting_real(s, "c"));
    }
    od_status known = first_rest_time(q, od_setting_real(s, "c"), &q->settled);
    if (known == OD_OK) {
        rest_claim(q, q->settled);
    }
    return known;
}

/* ------------------------------------------------------------------------------------------------ monotone paths */

static od_status check_monotone(claims *q, bool *monotone)
{
    double *sign = od_zalloc(q->d, sizeof *sign);
    od_status status = sign != NULL ? OD_OK : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for the claims");
    *monotone = true;
    for (size_t k = 1; k <= SAMPLES && *monotone && status == OD_OK; k++) {
        const double t = q->x->t1 + (q->x->t2 - q->x->t1) * (double)k / SAMPLES;
        status = od_trajectory_at(q->x->path, fmin(t, q->x->t2), NULL, q->state);
        for (size_t i = 0; i < q->d; i++) {
            *monotone = *monotone && q->state[i] * sign[i] >= 0;
            sign[i] = q->state[i] != 0 ? q->state[i] : sign[i];
        }
    }
    free(sign);
    return status;
}

static od_status monotone_claim(claims *q)
{
    bool monotone;
    od_status status = check_monotone(q, &monotone);
    if (status != OD_OK || !monotone) {
        return status;
    }
    /* true of constant damping on a quadratic, where x' is itself a Jacobi field; of others up to the conjugate time */
    const bool damped = !isnan(q->kind.beta) && !isnan(q->kind.damping), holds = damped || q->x->t2 <= q->settled;
    if (!holds && isnan(q->settled) && q->found->index == 0) {
        return OD_OK; /* one minimiser proves nothing */
    }
    od_claim *c = add(
        q, "monotone-minimum", "section 2.2.3, finding 4",
        "a path whose coordinates are monotone is a minimiser (measured: displacements that lower its action)");
    c->predicted = 0;
    c->measured = (double)q->found->index;
    c->expected = holds ? OD_HOLDS : OD_FAILS;
    od_claims_judge(c, q->found->index == 0, "this path: monotone, and a saddle");
    return OD_OK;
}

od_status od_variational_claims(od_context *ctx, const od_extremal *x, const od_conjugates *found, od_claim *claim,
                                size_t *count)
{
    claims q = {.ctx = ctx, .x = x, .found = found, .m = od_trajectory_member(x->path), .settled = NAN, .claim = claim};
    od_status status = OD_OK;
    q.d = q.m->problem->dim;
    q.kind = od_claims_recognise(q.m, x->t1, x->t2);
    q.state = od_zalloc(4 * q.d, sizeof *q.state);
    if (q.state == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    if (q.kind.beta > 0 && fabs(q.kind.viscous - 3) < 1e-12) {
        status = viscous_claims(&q);
    } else if (q.kind.beta > 0 && q.kind.damping >= 0) {
        status = damped_claims(&q);
    } else if (q.kind.beta > 0 && q.kind.viscous > 0) {
        status = gap_claim(&q);
    } else if (fabs(q.kind.viscous - 3) < 1e-12 && strcmp(q.m->problem_choice.name, "power") == 0) {
        status = flat_claims(&q);
    }
    status = status == OD_OK ? monotone_claim(&q) : status;
    free(q.state);
    *count = q.count;
    return status;
}
