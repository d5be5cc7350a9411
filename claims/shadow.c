/*
 * Section 2.4 and Appendix B.2 of Orvieto (2023): how near orbits of an iteration stay to the sampled flow. A printed
 * statement that is wrong is followed by the corrected one.
 *
 *   h, K        time of an iteration and their number          l      largest |g| on the path
 *   mu, L       smallest curvature, largest modulus of one     gamma  -(largest curvature) of a concave loss
 *   delta       largest |y_{k+1} - Psi(y_k)|                   eps    max_k |x_k - y_k|
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "axis.h"
#include "claims.h"

#include "analysis/vector.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char thesis[] = "Orvieto (2023)", ours[] = "derived in docs/numerics.md";

typedef struct claims {
    od_context *ctx;
    od_shadowing *s;
    const od_pair *pair;
    size_t d;              /* of positions; they stand first in a state */
    double same;           /* eps of the same start */
    double *gap;           /* [K + 1] |x_k - y_k| of it */
    double *x, *next, *u;  /* [dim] each */
    double *products, *ws; /* of the problem */
    od_claim *claim;
    size_t count;
} claims;

static od_claim *add(claims *q, const char *id, const char *statement)
{
    return od_claims_add(q->claim, &q->count, id, thesis, statement);
}

/* A statement of our own: sharper than the source's, or what its proof gives. */
static od_claim *add_own(claims *q, const char *id, const char *statement)
{
    return od_claims_add(q->claim, &q->count, id, ours, statement);
}

/* measured <= predicted, where both may be off by the error of the sampled flow. */
static void judge_bound(const claims *q, od_claim *c, double predicted, double measured, const char *counterexample)
{
    c->predicted = predicted;
    c->measured = measured;
    c->error_integration = q->s->integration;
    c->error_model = q->pair->global ? 0 : NAN; /* constants seen at some states only */
    const double slack = q->s->integration + 1e-13 * fabs(predicted);
    od_claims_judge(c, measured <= predicted, counterexample);
    const bool close = c->verdict == OD_FAILS && measured <= predicted + slack;
    if (close && predicted == 0) {
        c->verdict = OD_HOLDS; /* rounding, where nothing is curved */
        c->counterexample = NULL;
    } else if (close || !isfinite(predicted) || !isfinite(measured)) {
        c->verdict = OD_UNDECIDED;
        c->counterexample = NULL;
    }
    od_claims_doubt(c);
}

static double distance(const claims *q, const double *x, uint64_t k)
{
    const size_t dim = q->s->chain->dim;
    return od_distance(dim, q->s->target.weight, x, q->s->target.y + k * dim);
}

/* The largest distance of the orbit from x, which is lost; infinite where it diverges. */
static double radius_from(claims *q, double *gap)
{
    double most = distance(q, q->x, 0);
    if (gap != NULL) {
        gap[0] = most;
    }
    for (uint64_t k = 0; k < q->s->chain->steps; k++) {
        if (q->s->chain->step(q->s->chain, k, q->x, q->next) != OD_OK) {
            for (; gap != NULL && k < q->s->chain->steps; k++) {
                gap[k + 1] = INFINITY;
            }
            return INFINITY;
        }
        memcpy(q->x, q->next, q->s->chain->dim * sizeof *q->x);
        const double here = distance(q, q->x, k + 1);
        most = fmax(most, here);
        if (gap != NULL) {
            gap[k + 1] = here;
        }
    }
    return most;
}

static void start_at_the_flow(claims *q)
{
    memcpy(q->x, q->s->target.y, q->s->chain->dim * sizeof *q->x);
}

/* ------------------------------------------------------------------------------------------------ any iteration */

/* Stretching is seen along the flow alone; on quadratics it is the same everywhere. */
static void doubt_stretch(const claims *q, od_claim *c)
{
    if (q->s->m->problem->spectrum == NULL) {
        c->error_model = NAN;
        od_claims_doubt(c);
    }
}

/* Whether all components weigh something: the theorems on maps need one norm for errors and for stretching. */
static bool is_norm(const claims *q)
{
    for (size_t i = 0; i < q->s->chain->dim; i++) {
        if (q->s->target.weight[i] == 0) {
            return false;
        }
    }
    return true;
}

static void claim_contraction(claims *q)
{
    const double rho = q->s->stretch.high;
    if (rho < 1) {
        od_claim *c = add(q, "shadow-contraction",
                          "Theorem 2.4.1: a map that contracts by rho < 1 has an orbit within delta/(1 - rho)");
        judge_bound(q, c, q->s->local.max / (1 - rho), q->same,
                    "the orbit of the same start leaves the ball; rho is measured at the states of the flow");
        doubt_stretch(q, c);
    }
}

static void claim_expansion(claims *q)
{
    const double rho = q->s->stretch.low, measured = q->s->rung[OD_EXPANSION].radius;
    if (rho > 1 && !isnan(measured)) {
        od_claim *c = add(q, "shadow-expansion",
                          "Theorem 2.4.2, expanding map: an orbit within delta/(1 - 1/rho), found backwards");
        judge_bound(q, c, q->s->local.max / (1 - 1 / rho), measured, "the orbit found backwards leaves the ball");
        doubt_stretch(q, c);
        c = add_own(q, "shadow-expansion-sharp",
                    "the same proof gives delta/(rho - 1), since a backward local error is "
                    "delta/rho");
        judge_bound(q, c, q->s->local.max / (rho - 1), measured, "the orbit found backwards leaves the ball");
        doubt_stretch(q, c);
    }
}

/* ------------------------------------------------------------------------------------------------ gradient descent */

static void claim_convex(claims *q)
{
    const od_pair *p = q->pair;
    const double h = p->h, steps = (double)p->steps;
    const od_spectrum *spectrum = q->s->m->problem->spectrum;
    if (p->mu > 0 && h * p->lipschitz <= 1) {
        od_claim *c = add(q, "shadow-radius",
                          "Theorem 2.4.3, Corollary 2.4.1: strongly convex, h <= 1/L: eps <= h l "
                          "L/(2 mu)");
        judge_bound(q, c, h * p->steepest * p->lipschitz / (2 * p->mu), q->same, "the same start is farther away");
    }
    if (spectrum != NULL && h * p->lipschitz <= 1) {
        od_claim *c = add_own(q, "shadow-radius-quadratic",
                              "quadratics with h <= 1/L: eps <= h l/e, whatever the condition number");
        judge_bound(q, c, h * p->steepest / exp(1), q->same, "the same start is farther away");
    }
    od_claim *c = add(q, "shadow-convex", "section 2.4.2.1: convex, h <= 2/L: |x_k - y_k| <= k l L h^2/2");
    double worst = 0;
    for (size_t k = 1; k <= p->steps; k++) {
        worst = fmax(worst, q->gap[k] / (double)k);
    }
    judge_bound(q, c, q->s->bound.delta, worst, "the distance per step is larger");
    c = add_own(q, "shadow-convex-path", "eps <= h L times the length of the path, for any k");
    judge_bound(q, c, h * p->lipschitz * p->path, q->same, "the same start is farther away");
    if (p->steps >= 4 && q->gap[p->steps / 2] > 1e3 * q->s->integration) {
        c = add(q, "shadow-convex-growth", "section 2.4.2.1 expects |x_k - y_k| to grow like k; growth from K/2 to K");
        c->predicted = steps / (double)(p->steps / 2);
        c->measured = q->gap[p->steps] / q->gap[p->steps / 2];
        c->error_integration = q->s->integration / q->gap[p->steps / 2];
        c->expected = OD_FAILS;
        od_claims_judge(c, c->measured >= 0.75 * c->predicted,
                        "the distance does not grow in proportion: the map does not expand and the path has a finite "
                        "length");
        if (c->verdict == OD_HOLDS) {
            c->expected = c->verdict = OD_UNDECIDED; /* one instance proves nothing */
        }
    }
}

static void claim_concave(claims *q)
{
    const od_pair *p = q->pair;
    const od_rung *back = &q->s->rung[OD_EXPANSION];
    const double gamma = -p->high;
    if (isnan(back->radius)) {
        return;
    }
    od_claim *c = add(
        q, "shadow-concave",
        "Theorem B.2.3: strongly concave: the orbit that ends in y_K has eps <= h l L/(2 gamma), l at the "
        "end");
    judge_bound(q, c, p->h * p->steepest * p->lipschitz / (2 * gamma), back->radius,
                "the orbit found backwards leaves the ball");
}

/* The source's shadow of a quadratic saddle: the flow's start where the map contracts, backwards from y_K elsewhere. */
static void claim_saddle(claims *q)
{
    const od_pair *p = q->pair;
    const od_spectrum *s = q->s->m->problem->spectrum;
    double mu = INFINITY, gamma = INFINITY;
    for (size_t i = 0; i < q->d; i++) {
        mu = s->eigenvalues[i] > 0 ? fmin(mu, s->eigenvalues[i]) : mu;
        gamma = s->eigenvalues[i] < 0 ? fmin(gamma, -s->eigenvalues[i]) : gamma;
        if (s->eigenvalues[i] == 0) {
            return;
        }
    }
    if (!(p->h * p->lipschitz <= 1)) {
        return;
    }
    start_at_the_flow(q);
    for (size_t i = 0; i < q->d; i++) {
        const double *last = q->s->target.y + p->steps * q->d, *first = q->s->target.y;
        const double back = pow(1 - p->h * s->eigenvalues[i], -(double)p->steps);
        double move = 0; /* along eigenvector i */
        for (size_t j = 0; j < q->d && s->eigenvalues[i] < 0; j++) {
            move += od_axis_entry(s, q->d, i, j) * (back * (last[j] - s->centre[j]) - (first[j] - s->centre[j]));
        }
        for (size_t j = 0; j < q->d; j++) {
            q->x[j] += move * od_axis_entry(s, q->d, i, j);
        }
    }
    od_claim *c = add(
        q, "shadow-saddle-start",
        "Proposition 2.4.4: its start is slightly perturbed: within eps = h l L max(1/mu, 2/gamma) of y_0 (not "
        "of the order h of |y_0|: over k steps it moves by e^{k h gamma}/(1 + h gamma)^k)");
    judge_bound(q, c, p->h * p->lipschitz * p->steepest * fmax(1 / mu, 2 / gamma),
                od_distance(q->d, NULL, q->x, q->s->target.y), "the start is farther away");
    c = add(q, "shadow-saddle",
            "Proposition 2.4.4: quadratic saddle, h <= min(mu eps/(L l), gamma eps/(2 L l), 1/L): an orbit "
            "within eps");
    judge_bound(q, c, p->h * p->lipschitz * p->steepest * fmax(1 / mu, 2 / gamma), radius_from(q, NULL),
                "the shadow that is constructed in the proof is farther away");
}

/* An error of norm R in each gradient, always to the same side, which is the worst for a contraction. */
static void claim_perturbed(claims *q)
{
    const od_pair *p = q->pair;
    if (!(p->mu > 0 && p->h * p->lipschitz <= 1)) {
        return;
    }
    const double noise = p->lipschitz * p->steepest * p->h / 2;
    start_at_the_flow(q);
    double most = 0;
    for (uint64_t k = 0; k < p->steps; k++) {
        if (q->s->chain->step(q->s->chain, k, q->x, q->next) != OD_OK) {
            return;
        }
        for (size_t i = 0; i < q->d; i++) {
            q->x[i] = q->next[i] + p->h * noise / sqrt((double)q->d);
        }
        most = fmax(most, distance(q, q->x, k + 1));
    }
    od_claim *c = add(q, "shadow-perturbed",
                      "Proposition B.2.2: gradients with errors of norm R = l L h/2: eps <= (l L h/2 + R)/mu");
    judge_bound(q, c, (p->steepest * p->lipschitz * p->h / 2 + noise) / p->mu, most,
                "errors to one side drive the iteration farther away");
}

/* On lambda x^2/2 the local error over its bound is 1 - h lambda/3 + O(h^2); looked at for a hundredth of h. */
static void claim_sharp(claims *q)
{
    const od_flow *flow = &q->s->member.flow;
    const od_spectrum *spectrum = q->s->m->problem->spectrum;
    const double lambda = spectrum->eigenvalues[0], h = q->pair->h / 100, z = h * fabs(lambda);
    const double *y = q->s->target.y;
    if (flow->exact(flow, q->pair->t0, 1, y, q->pair->t0 + h, q->next, q->ws) != OD_OK) {
        return;
    }
    const double off = y[0] - spectrum->centre[0], local = fabs(q->next[0] - (y[0] - h * lambda * off));
    od_claim *c = add(q, "shadow-delta-sharp",
                      "Proposition 2.4.2 is sharp as h -> 0: the local error over l L h^2/2 at h/100, one curvature");
    c->error_model = z / 3 + z * z;
    c->error_integration = 0x1p-51 * fabs(y[0]) / (z * z * fabs(off) / 2);
    od_claims_match(c, 1, local / (h * h * lambda * lambda * fabs(off) / 2), "this curvature");
}

/* |x_k - y_k|^2 = sum_i y_{0,i}^2 (e^{-z_i k} - (1 - z_i)^k)^2, z_i = h lambda_i, at its largest. */
static void claim_exact(claims *q)
{
    const od_spectrum *s = q->s->m->problem->spectrum;
    const double unit = q->s->unit;
    double *first = q->x; /* y_0 - x* along the eigenvectors, in units */
    double most = 0, size = 0;
    for (size_t i = 0; i < q->d; i++) {
        first[i] = 0;
        for (size_t j = 0; j < q->d; j++) {
            first[i] += od_axis_entry(s, q->d, i, j) * ((q->s->target.y[j] - s->centre[j]) / unit);
        }
    }
    for (uint64_t k = 0; k <= q->pair->steps; k++) {
        double sum = 0;
        for (size_t i = 0; i < q->d; i++) {
            const double z = q->pair->h * s->eigenvalues[i], n = (double)k;
            const double off = first[i] * (exp(-z * n) - pow(1 - z, n));
            size = fmax(size, fabs(first[i]) * fmax(1, exp(-z * n)));
            sum += off * off;
        }
        most = fmax(most, sqrt(sum));
    }
    od_claim *c = add(
        q, "shadow-quadratic",
        "Figure 13, section 2.4.2: on a quadratic |x_k - y_k|^2 is the sum of y_{0,i}^2 (e^{-z_i k} - (1 - "
        "z_i)^k)^2, z_i = h lambda_i, from the same start; at its largest");
    c->error_integration = q->s->integration + 1e-12 * (double)(q->pair->steps + 1) * size * unit;
    od_claims_match(c, most * unit, q->same, "this start");
    if (!isfinite(most * unit) || !isfinite(q->same)) {
        c->verdict = OD_UNDECIDED;
        c->counterexample = NULL;
    }
}

/* Whether all weights are one. */
static bool is_plain(const claims *q)
{
    bool plain = true;
    for (size_t i = 0; i < q->d; i++) {
        plain = plain && q->s->target.weight[i] == 1;
    }
    return plain;
}

static void claim_descent(claims *q)
{
    const od_pair *p = q->pair;
    if (q->s->m->problem->spectrum != NULL && is_plain(q)) {
        claim_exact(q);
    }
    od_claim *c = add(q, "shadow-delta", "Proposition 2.4.2: the local error is at most l L h^2/2");
    judge_bound(q, c, q->s->bound.delta, q->s->local.max, "a local error is larger");
    if (q->d == 1 && q->s->m->problem->spectrum != NULL && q->s->member.flow.exact != NULL && p->steepest > 0) {
        claim_sharp(q);
    }
    if (p->mu >= 0 && p->h * p->lipschitz <= 2) {
        claim_convex(q);
        claim_perturbed(q);
    } else if (p->high < 0) {
        claim_concave(q);
    } else if (q->s->m->problem->spectrum != NULL && p->low < 0 && p->high > 0) {
        claim_saddle(q);
    }
}

/* ------------------------------------------------------------------------------------------------ heavy ball */

/* Largest |v''| = |alpha v' + H v| at the states of the flow. */
static od_status largest_jerk(claims *q, double *most)
{
    const od_flow *flow = &q->s->member.flow;
    const od_problem *f = q->s->m->problem;
    *most = 0;
    for (uint64_t k = 0; k <= q->pair->steps; k++) {
        const double *z = q->s->target.y + k * flow->dim;
        od_status status = flow->drift(flow, q->pair->t0 + (double)k * q->pair->h, 1, z, q->u, q->ws);
        status = status == OD_OK ? f->hvp(f, 1, z, 1, z + q->d, q->products, q->ws) : status;
        if (status != OD_OK) {
            return od_fail(q->ctx, status, NULL, "the flow could not be evaluated for a claim");
        }
        for (size_t i = 0; i < q->d; i++) {
            q->products[i] += q->pair->alpha * q->u[q->d + i];
        }
        *most = fmax(*most, od_distance(q->d, NULL, q->products, NULL));
    }
    return OD_OK;
}

/* The same in closed form, on quadratics from rest; NaN elsewhere. */
static double closed_jerk(const claims *q)
{
    const od_spectrum *s = q->s->m->problem->spectrum;
    const od_pair *p = q->pair;
    const double *y = q->s->target.y;
    double most = 0;
    for (size_t i = 0; i < q->d; i++) {
        if (s == NULL || y[q->d + i] != 0) {
            return NAN;
        }
    }
    for (uint64_t k = 0; k <= p->steps; k++) {
        const double t = (double)k * p->h, decay = exp(-p->alpha * t / 2);
        double sum = 0;
        for (size_t i = 0; i < q->d; i++) {
            const double lambda = s->eigenvalues[i], square = lambda - p->alpha * p->alpha / 4, w = sqrt(fabs(square));
            const double c = square > 0 ? cos(w * t) : cosh(w * t),
                         sine = w > 0 ? (square > 0 ? sin(w * t) : sinh(w * t)) / w : t,
                         x0 = od_axis_along(s, q->d, i, y), x = decay * x0 * (c + p->alpha / 2 * sine),
                         v = -decay * lambda * x0 * sine, jerk = p->alpha * (p->alpha * v + lambda * x) - lambda * v;
            sum += jerk * jerk;
        }
        most = fmax(most, sqrt(sum));
    }
    return most;
}

static od_status claim_jerk(claims *q)
{
    const od_pair *p = q->pair;
    double jerk;
    od_status status = q->s->m->problem->hvp != NULL ? largest_jerk(q, &jerk) : OD_EUNSUPPORTED;
    if (status != OD_OK) {
        return status == OD_EUNSUPPORTED ? OD_OK : status;
    }
    const double printed = 2 * (p->alpha + p->lipschitz) * p->steepest;
    od_claim *c = add(q, "shadow-jerk", "Lemma B.2.1 as printed: |v''| <= 2 (alpha + L) l");
    const double known = closed_jerk(q);
    /* the corrected bound implies it from alpha = 1/2 on */
    c->expected = p->alpha >= 0.5 || known <= printed ? OD_HOLDS : known > printed ? OD_FAILS : OD_UNDECIDED;
    judge_bound(q, c, printed, jerk, "the time derivative of g(x) is H v, not H v'");
    if (c->expected == OD_UNDECIDED && c->verdict == OD_HOLDS) {
        c->verdict = OD_UNDECIDED; /* not exceeded, and nothing implies it */
    }
    c = add_own(q, "shadow-jerk-corrected", "corrected: |v''| <= (2 alpha + L/alpha) l");
    judge_bound(q, c, (2 * p->alpha + p->lipschitz / p->alpha) * p->steepest, jerk, "the third derivative is larger");
    return OD_OK;
}

static od_status claim_spectrum(claims *q)
{
    const od_pair *p = q->pair;
    const od_axis_map map = {p->map, q->s->m->problem->spectrum, q->d, q->x, q->ws};
    const od_spectrum *s = q->s->m->problem->spectrum;
    const double beta = 1 - p->alpha * p->h, h2 = p->h * p->h;
    double nearest = INFINITY, high = 0;
    for (size_t i = 0; i < q->d; i++) {
        double matrix[2][2], modulus[2];
        const od_status status = od_axis_matrix(&map, 3, i, matrix);
        if (status != OD_OK || s->eigenvalues[i] == 0) {
            return status;
        }
        od_axis_moduli(matrix, modulus);
        high = fmax(high, s->eigenvalues[i]);
        nearest = fmin(nearest, fmin(fabs(modulus[0] - 1), fabs(modulus[1] - 1)));
    }
    if (beta >= 0 && beta < 1 && h2 * high <= 2) {
        od_claim *c = add(q, "shadow-spectrum",
                          "Theorem B.2.4 as printed: h <= sqrt(2/L), beta in [0, 1): no root of the map on the unit "
                          "circle; least distance from it, by its own step");
        c->predicted = 0;
        c->measured = nearest;
        c->expected = beta < 1e-14 && fabs(h2 * high - 2) < 1e-14 ? OD_FAILS : OD_HOLDS;
        od_claims_judge(c, nearest > 1e-14, "at beta = 0 and h = sqrt(2/L) the roots are 0 and -1");
    }
    if (beta >= 0 && beta < 1 && h2 * high < 2 * (1 + beta)) {
        od_claim *c = add_own(q, "shadow-spectrum-corrected",
                              "corrected: hyperbolic for lambda != 0, beta in [0, 1), h < sqrt(2 (1 + beta)/L); least "
                              "distance of a root from the circle");
        c->predicted = 0;
        c->measured = nearest;
        od_claims_judge(c, nearest > 0, "a root lies on the circle");
    }
    return OD_OK;
}

/* The iteration's velocity belongs to half a step earlier, so its best shadow begins with v_0 + h g(x_0)/2 or more. */
static od_status claim_velocity(claims *q)
{
    const od_problem *f = q->s->m->problem;
    const double *w = q->s->target.weight;
    for (size_t i = 0; i < q->d; i++) {
        if (w[i] != 1 || w[q->d + i] != 0) {
            return OD_OK;
        }
    }
    const od_status status = f->eval(f, OD_GRADIENT, 1, q->s->target.y, NULL, q->products, q->ws);
    if (status != OD_OK) {
        return od_fail(q->ctx, status, NULL, "the gradient could not be evaluated for a claim");
    }
    start_at_the_flow(q);
    for (size_t i = 0; i < q->d; i++) {
        q->x[q->d + i] += q->pair->h * q->products[i] / 2;
    }
    od_claim *c = add_own(q, "shadow-velocity",
                          "a good shadow of heavy ball moves the velocity; that of v_0 + h g(x_0)/2 is nearer than "
                          "the same start");
    judge_bound(q, c, q->same, radius_from(q, NULL), "the moved velocity is farther away");
    return OD_OK;
}

/* l h^2/2 (1 + (1 + h) sqrt(alpha^2 + L)) on convex quadratics from rest, whatever the norm; NaN elsewhere. */
static double delta_from_rest(const claims *q)
{
    const od_pair *p = q->pair;
    const double *v = q->s->target.y + q->d;
    bool rest = q->s->m->problem->spectrum != NULL && p->mu >= 0 && p->low >= 0;
    double largest = 0;
    for (size_t i = 0; i < q->d; i++) {
        rest = rest && v[i] == 0;
        largest = fmax(largest, fmax(q->s->target.weight[i], q->s->target.weight[q->d + i]));
    }
    return rest ? largest * p->steepest * p->h * p->h / 2 * (1 + (1 + p->h) * sqrt(p->alpha * p->alpha + p->lipschitz))
                : NAN;
}

static od_status claim_heavy_ball(claims *q)
{
    const od_pair *p = q->pair;
    if (!isnan(q->s->bound.delta)) {
        const double rest = delta_from_rest(q);
        od_claim *c = add(q, "shadow-hb-delta",
                          "Proposition 2.4.5 as printed: the local error is at most l (alpha + 1 + L) h^2");
        judge_bound(q, c, q->s->bound.delta_printed, q->s->local.max, "a local error is larger");
        if (q->s->bound.delta > q->s->bound.delta_printed && !(rest <= q->s->bound.delta_printed)) {
            /* its proof leaves a remainder out, and nothing else implies it */
            c->expected = OD_UNDECIDED;
            c->verdict = c->verdict == OD_HOLDS ? OD_UNDECIDED : c->verdict;
        }
        c = add_own(q, "shadow-hb-delta-complete",
                    "with all remainders kept: l h^2 ((alpha + L/(2 alpha)) (1 + h) + 1)");
        judge_bound(q, c, q->s->bound.delta, q->s->local.max, "a local error is larger");
        if (!isnan(rest)) {
            c = add_own(
                q, "shadow-hb-delta-rest",
                "on convex quadratics from rest: l h^2/2 (1 + (1 + h) sqrt(alpha^2 + L)), which implies the printed "
                "bound for h <= 1");
            judge_bound(q, c, rest, q->s->local.max, "a local error is larger");
        }
    }
    od_status status = p->alpha > 0 ? claim_jerk(q) : OD_OK;
    if (status == OD_OK && q->s->m->problem->spectrum != NULL) {
        status = claim_spectrum(q);
    }
    return status == OD_OK ? claim_velocity(q) : status;
}

/* ------------------------------------------------------------------------------------------------ all */

od_status od_shadow_claims(od_context *ctx, od_shadowing *s, od_claim *claim, size_t *count)
{
    const od_problem *f = s->m->problem;
    claims q = {.ctx = ctx, .s = s, .pair = &s->pair, .claim = claim, .same = s->rung[OD_SAME_START].radius};
    *count = 0;
    if (s->of_flow || f == NULL || isnan(s->pair.lipschitz)) {
        return OD_OK;
    }
    const size_t dim = s->chain->dim;
    const size_t work = od_scratch_size(&f->scratch, 1), more = od_scratch_size(&s->member.flow.scratch, 1);
    double *memory = od_zalloc(4 * dim + (work > more ? work : more) + s->chain->steps + 1, sizeof *memory);
    if (memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.d = f->dim;
    q.x = memory;
    q.next = q.x + dim;
    q.u = q.next + dim;
    q.products = q.u + dim;
    q.gap = q.products + dim;
    q.ws = q.gap + s->chain->steps + 1;
    start_at_the_flow(&q);
    radius_from(&q, q.gap);
    if (is_norm(&q)) {
        claim_contraction(&q);
        claim_expansion(&q);
    }
    od_status status = OD_OK;
    if (s->pair.kind == OD_PAIR_DESCENT) {
        claim_descent(&q);
        status = od_perturbed_saddle_claim(ctx, s, q.claim, &q.count);
    } else if (s->pair.kind == OD_PAIR_HEAVY_BALL) {
        status = claim_heavy_ball(&q);
    }
    free(memory);
    *count = q.count;
    return status;
}
