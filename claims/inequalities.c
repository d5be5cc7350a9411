/*
 * Appendix A.3 of Orvieto (2023): inequalities of convex and smooth losses, looked at for pairs of points around the
 * start. With D = y - x, G = g(y) - g(x), over |D|^2 (or |G|^2):
 *
 *   convex               f(y) >= f(x) + <g(x), D>,  <G, D> >= 0
 *   largest curvature L  f(y) <= f(x) + <g(x), D> + L |D|^2/2; convex too: f(y) >= f(x) + <g(x), D> + |G|^2/(2 L),
 *                        <G, D> >= |G|^2/L
 *   smallest mu > 0      f(y) >= f(x) + <g(x), D> + mu |D|^2/2,  f(y) <= f(x) + <g(x), D> + |G|^2/(2 mu),
 *                        mu |D|^2 <= <G, D> <= |G|^2/mu,  <G, D> >= (mu L |D|^2 + |G|^2)/(mu + L)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "axis.h"
#include "ledger.h"

#include "analysis/vector.h"
#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>

enum { PAIRS = 100 };

/* What is known of two points. */
typedef struct pair {
    double rise;           /* f(y) - f(x) */
    double slope, back;    /* <g(x), D>, <g(y), D> */
    double turn;           /* <G, D> */
    double distance, bend; /* |D|^2, |G|^2 */
    double lipschitz, mu;  /* of the loss */
} pair;

/* An inequality: what must not be negative, in units of f. */
typedef struct inequality {
    const char *id, *source, *statement, *counterexample;
    double (*slack)(const pair *p);
    bool convex, strong; /* what it needs besides L */
    bool printed;
} inequality;

static double tangent(const pair *p)
{
    return p->rise - p->slope;
}

static double monotone(const pair *p)
{
    return p->turn;
}

static double upper_printed(const pair *p)
{
    /* with f(y) on the left and g(y), x - y on the right */
    return -p->rise + p->back + p->lipschitz * p->distance / 2;
}

static double upper(const pair *p)
{
    return -p->rise + p->slope + p->lipschitz * p->distance / 2;
}

static double lower(const pair *p)
{
    return p->rise - p->slope - p->bend / (2 * p->lipschitz);
}

static double coercive(const pair *p)
{
    return p->turn - p->bend / p->lipschitz;
}

static double strong_lower(const pair *p)
{
    return p->rise - p->slope - p->mu * p->distance / 2;
}

static double strong_upper(const pair *p)
{
    return -p->rise + p->slope + p->bend / (2 * p->mu);
}

static double strong_monotone(const pair *p)
{
    return p->turn - p->mu * p->distance;
}

static double strong_inverse(const pair *p)
{
    return p->bend / p->mu - p->turn;
}

static double strong_smooth(const pair *p)
{
    return p->turn - (p->mu * p->lipschitz * p->distance + p->bend) / (p->mu + p->lipschitz);
}

static const inequality inequalities[] = {
    {"convex-tangent", "App. A.3, eqs. (181), (182)", "convex: f(y) >= f(x) + <g(x), y - x>", "this pair of points",
     tangent, true, false, false},
    {"convex-monotone", "App. A.3, eqs. (181), (182)", "convex: <g(x) - g(y), x - y> >= 0", "this pair of points",
     monotone, true, false, false},
    {"smooth-upper-printed", "App. A.3, eq. (183)", "f(y) <= f(x) + <g(y), x - y> + L |x - y|^2/2",
     "y, and x = y - g(y)/L; on L x^2/2 it says 1 <= -1 of x = 0 and y = 1", upper_printed, false, false, true},
    {"smooth-upper", "App. A.3, eq. (183), corrected", "f(y) <= f(x) + <g(x), y - x> + L |x - y|^2/2",
     "this pair of points", upper, false, false, false},
    {"smooth-lower", "App. A.3, eqs. (184), (185)", "convex: f(y) >= f(x) + <g(x), y - x> + |g(x) - g(y)|^2/(2 L)",
     "this pair of points", lower, true, false, false},
    {"smooth-coercive", "App. A.3, eqs. (184), (185)", "convex: <g(x) - g(y), x - y> >= |g(x) - g(y)|^2/L",
     "this pair of points", coercive, true, false, false},
    {"strong-lower", "App. A.3, eqs. (186) to (191)", "strongly convex: f(y) >= f(x) + <g(x), y - x> + mu |x - y|^2/2",
     "this pair of points", strong_lower, true, true, false},
    {"strong-upper", "App. A.3, eqs. (186) to (191)",
     "strongly convex: f(y) <= f(x) + <g(x), y - x> + |g(x) - g(y)|^2/(2 mu)", "this pair of points", strong_upper,
     true, true, false},
    {"strong-monotone", "App. A.3, eqs. (186) to (191)", "strongly convex: <g(x) - g(y), x - y> >= mu |x - y|^2",
     "this pair of points", strong_monotone, true, true, false},
    {"strong-inverse", "App. A.3, eqs. (186) to (191)", "strongly convex: <g(x) - g(y), x - y> <= |g(x) - g(y)|^2/mu",
     "this pair of points", strong_inverse, true, true, false},
    {"strong-smooth", "App. A.3, eqs. (186) to (191)",
     "strongly convex: <g(x) - g(y), x - y> >= (mu L |x - y|^2 + |g(x) - g(y)|^2)/(mu + L)", "this pair of points",
     strong_smooth, true, true, false},
};

typedef struct study {
    od_context *ctx;
    const od_problem *f;
    double *x, *y, *gx, *gy, *ws; /* [d] each */
    pair found[PAIRS];
    od_claim_list *list;
} study;

static od_status look(study *q, pair *p)
{
    const od_problem *f = q->f;
    double first = NAN, second = NAN;
    od_status status = f->eval(f, OD_VALUE | OD_GRADIENT, 1, q->x, &first, q->gx, q->ws);
    status = status == OD_OK ? f->eval(f, OD_VALUE | OD_GRADIENT, 1, q->y, &second, q->gy, q->ws) : status;
    *p = (pair){.rise = second - first, .lipschitz = f->lipschitz.value, .mu = f->convexity.value};
    for (size_t i = 0; i < f->dim && status == OD_OK; i++) {
        const double d = q->y[i] - q->x[i], g = q->gy[i] - q->gx[i];
        p->slope += q->gx[i] * d;
        p->back += q->gy[i] * (q->x[i] - q->y[i]);
        p->turn += g * d;
        p->distance += d * d;
        p->bend += g * g;
    }
    return status == OD_OK ? OD_OK : od_fail(q->ctx, status, NULL, "the loss could not be evaluated for a claim");
}

/*
 * Pairs around the start, as wide as it is far from 0. Of the first, x is a gradient step from y; on a quadratic the
 * second lies along the eigenvector that bends most.
 */
static od_status draw(study *q, const od_member *m, double *start)
{
    const od_spectrum *s = q->f->spectrum;
    const size_t d = q->f->dim, most = s != NULL ? od_axis_steepest(s, d) : 0;
    double width = 0;
    for (size_t i = 0; i < d; i++) {
        width += start[i] * start[i];
    }
    width = sqrt(width / (double)d) + 0.1;
    od_status status = OD_OK;
    for (size_t k = 0; k < PAIRS && status == OD_OK; k++) {
        for (size_t i = 0; i < d; i++) {
            q->y[i] = start[i] + width * od_normal(m->seed, OD_STREAM_CHECK, k, i, 0);
        }
        status = k == 0 ? q->f->eval(q->f, OD_GRADIENT, 1, q->y, NULL, q->gy, q->ws) : OD_OK;
        for (size_t i = 0; i < d; i++) {
            const double along = s != NULL ? od_axis_entry(s, d, most, i) : 0;
            q->x[i] = k == 0                ? q->y[i] - q->gy[i] / q->f->lipschitz.value
                      : k == 1 && s != NULL ? q->y[i] + width * along
                                            : start[i] + width * od_normal(m->seed, OD_STREAM_CHECK, k, i, 1);
        }
        status = look(q, &q->found[k]);
    }
    return status;
}

static void ask(study *q, const inequality *of)
{
    double least = INFINITY, scale = NAN;
    bool sloped = false;
    for (size_t k = 0; k < PAIRS; k++) {
        const pair *p = &q->found[k];
        const double size = fabs(p->rise) + fabs(p->slope) + fabs(p->back) + p->lipschitz * p->distance;
        if (size > 0 && of->slack(p) / size < least) {
            least = of->slack(p) / size;
            scale = size;
        }
        sloped = sloped || (k == 0 && p->distance > 0);
    }
    if (isnan(scale)) {
        return;
    }
    od_claim *c = od_claims_append(q->list, of->id, of->source, of->statement);
    c->expected = of->printed && sloped ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-11;
    od_claims_bound(c, 0, -least, of->counterexample);
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict; /* attained, as quadratics do */
}

/* Proposition A.3.4: the Lipschitz constant of g on a quadratic against its largest eigenvalue, and both. */
static void bend_claims(study *q)
{
    const od_spectrum *s = q->f->spectrum;
    double high = 0, modulus = 0, least = INFINITY, measured = 0;
    for (size_t i = 0; i < q->f->dim; i++) {
        high = fmax(high, s->eigenvalues[i]);
        least = fmin(least, s->eigenvalues[i]);
        modulus = fmax(modulus, fabs(s->eigenvalues[i]));
    }
    for (size_t k = 0; k < PAIRS; k++) {
        measured = fmax(measured, sqrt(q->found[k].bend / q->found[k].distance));
    }
    od_claim *c = od_claims_append(
        q->list, "smooth-hessian-printed", "Prop. A.3.4",
        "where the Hessian is at most L I the gradient is Lipschitz with L (measured: largest "
        "|g(x) - g(y)|/|x - y| seen)");
    c->expected = high < modulus ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-12 * modulus;
    od_claims_bound(c, high, measured, "the curvature -gamma of this loss, gamma > L");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    c = od_claims_append(q->list, "smooth-hessian", "Prop. A.3.4, corrected",
                         "where it lies between -L I and L I it is");
    c->error_integration = 1e-12 * modulus;
    od_claims_bound(c, modulus, measured, "this loss");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
}

/* (H0') asks for bounded derivatives of the loss: the power with which |g| grows far from the start. */
static od_status growth_claims(study *q, const double *start)
{
    const od_problem *f = q->f;
    const od_spectrum *s = f->spectrum;
    const size_t d = f->dim, most = s != NULL ? od_axis_steepest(s, d) : 0;
    const double far[2] = {1e3, 1e6};
    double size[2];
    if (!(f->convexity.value > 0) && !(s != NULL && s->eigenvalues[most] != 0)) {
        return OD_OK; /* it may be bounded */
    }
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < d; i++) {
            q->x[i] = start[i] + far[k] * (s != NULL ? od_axis_entry(s, d, most, i) : 1);
        }
        const od_status status = f->eval(f, OD_GRADIENT, 1, q->x, NULL, q->gx, q->ws);
        if (status != OD_OK) {
            return od_fail(q->ctx, status, NULL, "the loss could not be evaluated for a claim");
        }
        size[k] = od_distance(d, NULL, q->gx, NULL);
    }
    const double power = log(size[1] / size[0]) / log(far[1] / far[0]);
    od_claim *c = od_claims_append(q->list, "bounded-derivatives-printed", "section 2.3, (H0')",
                                   "the losses on which the theory is shown have bounded derivatives (measured: the "
                                   "power with which |g| grows with the distance)");
    c->expected = OD_FAILS;
    c->error_model = 0.02;
    od_claims_match(c, 0, power, "this loss: it is strongly convex, or a quadratic");
    c = od_claims_append(q->list, "bounded-derivatives", "section 2.3, (H0'), corrected",
                         "solutions need no more than bounded second derivatives (measured: the power is at most 1)");
    c->error_model = 0.02;
    od_claims_bound(c, 1, power, "this loss");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    return OD_OK;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_problem *f = m->problem;
    const size_t d = f->dim;
    study q = {.ctx = ctx, .f = f, .list = list};
    if (!(f->lipschitz.value > 0) || !isfinite(f->lipschitz.value)) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "no constant L of the loss is known that holds everywhere");
    }
    for (size_t i = 0; i < member; i++) {
        if (e->member[i].problem == f) {
            return OD_OK; /* they are about the loss alone */
        }
    }
    double *start = od_zalloc(m->dim + 4 * d + od_claims_scratch(m, 1), sizeof *start);
    if (start == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for points");
    }
    q.x = start + m->dim;
    q.y = q.x + d;
    q.gx = q.y + d;
    q.gy = q.gx + d;
    q.ws = q.gy + d;
    od_status status = od_start_fill(m, 0, 1, start, q.ws);
    status = status == OD_OK ? draw(&q, m, start) : od_fail(ctx, status, "start", "the start could not be evaluated");
    for (size_t i = 0; i < sizeof inequalities / sizeof *inequalities && status == OD_OK; i++) {
        const inequality *of = &inequalities[i];
        if ((!of->convex || f->convexity.value >= 0) && (!of->strong || f->convexity.value > 0)) {
            ask(&q, of);
        }
    }
    if (status == OD_OK && f->spectrum != NULL) {
        bend_claims(&q);
    }
    status = status == OD_OK ? growth_claims(&q, start) : status;
    free(start);
    return status;
}

const od_claim_set od_claims_inequalities = {
    .name = "inequalities",
    .summary = "inequalities of convex and smooth losses (measured: the largest violation between pairs of points, "
               "over its terms)",
    .ids = (const char *const[]){"convex-tangent", "convex-monotone", "smooth-upper-printed", "smooth-upper",
                                 "smooth-lower", "smooth-coercive", "strong-lower", "strong-upper", "strong-monotone",
                                 "strong-inverse", "strong-smooth", "smooth-hessian-printed", "smooth-hessian",
                                 "bounded-derivatives-printed", "bounded-derivatives", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [2, 0.3], rotation: 4}, method: {name: gradient, step: 0.1}, "
            "start: {x: [1, -0.4]}, iterations: 1, compare: [{}, {problem: {name: logistic-regression, data: clusters, "
            "features: 3, samples: 40, lambda: 0.05}, start: {x: [1, -0.4, 0.3, 0]}}, {problem: {name: quadratic, "
            "eigenvalues: [-1.7]}, start: {x: [1]}}]}",
            NULL},
    .find = find,
};
