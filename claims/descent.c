/*
 * Sections 2.4.2 and App. B.2 of Orvieto (2023): gradient descent on a quadratic as a map, x - h H (x - x*), which
 * stretches an eigenvector of curvature lambda by 1 - h lambda. It is taken off the iteration itself, one step from x*
 * and the eigenvector.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "axis.h"
#include "claims.h"
#include "ledger.h"
#include "orbit.h"

#include "analysis/vector.h"
#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIM = 64 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    const od_spectrum *s;
    size_t d;
    double h, low, high, least, most; /* curvatures: smallest, largest, and of their moduli */
    double stretch[MOST_DIM];         /* of each eigenvector */
    double distance;                  /* of the start from x* */
    double *start, *z, *g, *ws;
    od_claim_list *list;
} study;

/* How much a map stretches eigenvector i, signed; NaN if it turns it. */
static double stretch_of(study *q, const od_map *map, size_t i)
{
    const od_axis_map a = {map, q->s, q->d, q->z, q->ws};
    double image[2], off;
    return od_axis_image(&a, 0, i, 1, 0, image, &off) == OD_OK && off <= 1e-10 * (1 + fabs(image[0])) ? image[0] : NAN;
}

/* ------------------------------------------------------------------------------------------------ the step */

/* Against the gradient flow of the same loss at the start. */
static od_status step_claims(study *q)
{
    od_flow *flow = od_flow_create(q->ctx, "gradient", q->m->problem);
    double square = 0, up = 0, step = 0, tau;
    double *rate = q->z;
    od_status status = flow != NULL ? flow->drift(flow, 0, 1, q->start, rate, q->ws) : OD_ENOMEM;
    status = status == OD_OK ? q->m->problem->eval(q->m->problem, OD_GRADIENT, 1, q->start, NULL, q->g, q->ws) : status;
    od_flow_free(flow);
    double *next = q->g + q->d;
    memcpy(next, q->start, q->d * sizeof *next);
    status = status == OD_OK ? q->m->map.step(&q->m->map, 0, 1, next, NULL, NULL, &tau, q->ws) : status;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        square += q->g[i] * q->g[i];
        up += rate[i] * q->g[i];
        step += (next[i] - q->start[i]) * rate[i];
    }
    if (status != OD_OK || !(square > 0)) {
        return status;
    }
    const double error = 1e-12 + 1e-15 / (q->h * sqrt(square));
    od_claim *c = od_claims_append(q->list, "gd-sign-printed", "section 2.4.2",
                                   "the gradient flow is y' = g(y) (the factor of g)");
    c->expected = OD_FAILS;
    c->error_integration = error;
    od_claims_match(c, 1, up / square, "it descends");
    c = od_claims_append(q->list, "gd-sign", "section 2.4.2, corrected",
                         "the gradient flow is y' = -g(y) (the factor of g)");
    c->error_integration = error;
    od_claims_match(c, -1, up / square, "this start");
    c = od_claims_append(q->list, "gd-taylor-printed", "section 2.4.2",
                         "descent is the flow's Taylor step y - h y' (the factor of h y', at the start)");
    c->expected = OD_FAILS;
    c->error_integration = error;
    od_claims_match(c, -1, step / (q->h * square), "this start");
    c = od_claims_append(q->list, "gd-taylor", "section 2.4.2, corrected",
                         "it is y + h y' (the factor of h y', at the start)");
    c->error_integration = error;
    od_claims_match(c, 1, step / (q->h * square), "this start");
    return OD_OK;
}

static void map_claims(study *q)
{
    const size_t i = od_axis_steepest(q->s, q->d);
    const double lambda = q->s->eigenvalues[i];
    od_claim *c = od_claims_append(q->list, "gd-matrix-printed", "section 2.4.2",
                                   "on f = <x, H x> descent is I - h H (its factor where H is largest)");
    c->expected = lambda != 0 ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-12 * (1 + q->h * q->most);
    od_claims_match(c, 1 - q->h * lambda / 2, q->stretch[i], "this loss: its gradient is 2 H x");
    c = od_claims_append(q->list, "gd-matrix", "section 2.4.2, corrected",
                         "on f = <x, H x>/2 descent is I - h H (its factor where H is largest)");
    c->error_integration = 1e-12 * (1 + q->h * q->most);
    od_claims_match(c, 1 - q->h * lambda, q->stretch[i], "this loss");
}

/* x_k is (1 - h lambda)^k x_0 along each eigenvector; the last k that is not lost to rounding. */
static od_status iterate_claim(study *q)
{
    const uint64_t steps = q->m->iterations < 1000 ? q->m->iterations : 1000;
    double tau, worst = -1, predicted = NAN, measured = NAN, size = 0;
    memcpy(q->z, q->start, q->d * sizeof *q->z);
    od_status status = OD_OK;
    for (uint64_t k = 0; k < steps && status == OD_OK; k++) {
        status = q->m->map.step(&q->m->map, k, 1, q->z, NULL, NULL, &tau, q->ws);
    }
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        const double first = od_axis_along(q->s, q->d, i, q->start), last = od_axis_along(q->s, q->d, i, q->z);
        const double want = pow(1 - q->h * q->s->eigenvalues[i], (double)steps) * first;
        size = fmax(size, fmax(fabs(want), fabs(first)));
        if (fabs(want - last) > worst) {
            worst = fabs(want - last);
            predicted = want;
            measured = last;
        }
    }
    if (status == OD_OK && isfinite(size)) {
        od_claim *c = od_claims_append(
            q->list, "gd-iterates", "section 2.1",
            "on a quadratic x_k is (1 - h lambda)^k x_0 along an eigenvector (the one farthest off)");
        c->error_integration = 1e-14 * (double)(steps + 10) * size;
        od_claims_match(c, predicted, measured, "this orbit");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ its derivative */

static od_status inverse_claims(study *q)
{
    char yaml[64];
    if (!(q->high > 0)) {
        return OD_OK;
    }
    snprintf(yaml, sizeof yaml, "{name: gradient, step: %.17g}", 1 / q->high);
    od_map *map = od_map_create(q->ctx, yaml, q->m->problem);
    if (map == NULL) {
        return OD_ENOMEM;
    }
    double least = INFINITY, own = INFINITY;
    for (size_t i = 0; i < q->d; i++) {
        least = fmin(least, fabs(stretch_of(q, map, i)));
        own = fmin(own, fabs(q->stretch[i]));
    }
    od_map_free(map);
    od_claim *c = od_claims_append(
        q->list, "gd-inverse-printed", "section 2.4.2",
        "descent is a diffeomorphism for h <= 1/L (measured: its smallest stretch at h = 1/L)");
    c->expected = OD_FAILS;
    c->predicted = 0;
    c->measured = least;
    c->error_integration = 1e-12;
    od_claims_judge(c, least > c->error_integration, "h = 1/L takes an eigenvector to 0");
    if (q->h * q->high < 1) {
        c = od_claims_append(q->list, "gd-inverse", "section 2.4.2, corrected",
                             "it is for h < 1/L: nothing is stretched by less than 1 - h L");
        c->error_integration = 1e-12;
        od_claims_match(c, 1 - q->h * q->high, own, "this h");
    }
    return OD_OK;
}

static void contraction_claims(study *q)
{
    double rho = 0;
    for (size_t i = 0; i < q->d; i++) {
        rho = fmax(rho, fabs(q->stretch[i]));
    }
    if (!(q->h * q->most <= 1) || !(q->least > 0)) {
        return;
    }
    od_claim *c = od_claims_append(
        q->list, "gd-contraction-printed", "section 2.4.2, (H2) and Prop. 2.4.3",
        "where |Hess f| >= mu, descent with h <= 1/L contracts by 1 - h mu (its largest stretch)");
    c->expected = q->low < 0 ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-12;
    od_claims_bound(c, 1 - q->h * q->least, rho, "this saddle: a curvature of -mu has that modulus");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    if (q->low > 0) {
        c = od_claims_append(q->list, "gd-contraction", "Prop. 2.4.3, (H2) corrected",
                             "where Hess f >= mu I, descent with h <= 1/L contracts by 1 - h mu (its largest stretch)");
        c->error_integration = 1e-12;
        od_claims_match(c, 1 - q->h * q->low, rho, "this loss");
    }
}

/* What the bounds of shadows take of descent by h from the start, of curvatures in [low, high]: l <= L |x0 - x*|. */
static od_pair pair_of(const study *q, double h, double low, double high)
{
    return (od_pair){.map = &q->m->map,
                     .steps = q->m->iterations,
                     .kind = OD_PAIR_DESCENT,
                     .h = h,
                     .steepest = high * q->distance,
                     .low = low,
                     .high = high,
                     .mu = low,
                     .lipschitz = high,
                     .global = true};
}

/* What the printed theorems give on one quadratic for the same shadow: Corollary 2.4.1 and, unperturbed, 2.4.4. */
static void recover_claims(study *q)
{
    if (!(q->low > 0) || !(q->h * q->high <= 1) || !(q->distance > 0)) {
        return;
    }
    const od_pair pair = pair_of(q, q->h, q->low, q->high);
    const double alone = od_pair_bound(&pair).radius, perturbed = od_perturbed_saddle_bound(&pair, q->low);
    od_claim *c = od_claims_append(
        q->list, "saddle-recovers-printed", "after Thm 2.4.4",
        "without a perturbation Theorem 2.4.4 is Corollary 2.4.1 up to the factor 1/2 (measured: the "
        "ratio of the bounds that shadows are judged by)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-12;
    od_claims_match(c, 0.5, alone / perturbed, "this loss");
    c = od_claims_append(q->list, "saddle-recovers", "after Thm 2.4.4, corrected", "up to the factor 1/4");
    c->error_integration = 1e-12;
    od_claims_match(c, 0.25, alone / perturbed, "this loss");
}

/* ------------------------------------------------------------------------------------------------ concave losses */

/* The coordinate along eigenvector i of the sampled flow at iteration k. */
static od_status flow_at(study *q, size_t i, uint64_t k, double *y)
{
    od_flow *flow = od_flow_create(q->ctx, "gradient", q->m->problem);
    od_orbit o = {0};
    od_status status = flow != NULL ? od_orbit_open(q->ctx, q->m, flow, 0, q->start, &o) : OD_ENOMEM;
    status = status == OD_OK ? od_orbit_advance(q->ctx, &o, (double)k * q->h) : status;
    *y = status == OD_OK ? od_axis_along(q->s, q->d, i, o.x) : NAN;
    od_orbit_close(&o);
    od_flow_free(flow);
    return status;
}

/* Theorem B.2.3 is about descent that expands by rho = 1 + h gamma. */
static od_status concave_claims(study *q)
{
    size_t i = 0;
    for (size_t k = 0; k < q->d; k++) {
        i = q->s->eigenvalues[k] < q->s->eigenvalues[i] ? k : i;
    }
    const double x = -q->h * q->s->eigenvalues[i], rho = q->stretch[i], part = 1 - 1 / rho;
    od_claim *c = od_claims_append(
        q->list, "concave-footnote-printed", "App. B.2, footnote 3",
        "x/(1 + x) <= x/2 for x = h gamma <= 1 (measured: 1 - 1/rho, rho the stretch of descent)");
    c->expected = x < 1 ? OD_FAILS : OD_HOLDS;
    c->error_integration = 1e-12;
    od_claims_bound(c, x / 2, part, "this h; it is >=, and Theorem B.2.3 needs only delta <= (rho - 1) eps");
    c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    if (x <= 1) {
        c = od_claims_append(q->list, "concave-footnote", "App. B.2, footnote 3, corrected",
                             "x/(1 + x) >= x/2 for x = h gamma <= 1 (measured: 1 - 1/rho)");
        c->error_integration = 1e-12;
        od_claims_bound(c, part, x / 2, "this h");
        c->predicted = x / 2;
        c->measured = part;
        c->verdict = c->verdict == OD_UNDECIDED ? OD_HOLDS : c->verdict;
    }
    const uint64_t steps = q->m->iterations < 50 ? q->m->iterations : 50;
    double y[3];
    od_status status = OD_OK;
    for (uint64_t k = 0; k < 3 && status == OD_OK; k++) {
        status = flow_at(q, i, k * steps, &y[k]);
        y[k] /= pow(rho, (double)(k * steps)); /* the start of the orbit that ends there */
    }
    const double q2 = pow(exp(x) / (1 + x), 2 * (double)steps);
    if (status != OD_OK || y[0] == 0 || !(q2 < 1e6)) {
        return status;
    }
    c = od_claims_append(
        q->list, "concave-limit-printed", "Thm B.2.3",
        "the starts of the orbits that end in y_k converge (predicted: the shift from K to 2 K is at most that up to "
        "K; measured: their ratio)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-6;
    od_claims_bound(c, 1, (y[2] - y[1]) / (y[1] - y[0]), "this flow is no pseudo-orbit with one delta for all times");
    c = od_claims_append(
        q->list, "concave-limit", "Thm B.2.3, corrected",
        "on a concave quadratic they leave any bound: after k steps the start is (e^{h gamma}/(1 + h gamma))^k y_0 (k "
        "= 2 K, over y_0)");
    c->error_integration = 1e-8 * q2;
    od_claims_match(c, q2, y[2] / y[0], "this loss");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ a regulariser */

/* A loss with lam |x - x*|^2/2 added. */
typedef struct regularised {
    const od_problem *base;
    double lam;
} regularised;

static od_status regularised_eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value,
                                  double *g, double *ws)
{
    const regularised *a = f->data;
    const double *centre = a->base->spectrum->centre;
    const od_status status = a->base->eval(a->base, want, n, x, value, g, ws);
    for (size_t i = 0; i < f->dim; i++) {
        for (size_t p = 0; p < n; p++) {
            const double off = x[i * n + p] - centre[i];
            if (want & OD_VALUE) {
                value[p] += a->lam * off * off / 2;
            }
            if (want & OD_GRADIENT) {
                g[i * n + p] += a->lam * off;
            }
        }
    }
    return status;
}

/* The bound of Corollary 2.4.1 for descent by h, whose curvatures are seen by one step from x* along each eigenvector.
 */
static od_status radius_of(study *q, const od_problem *f, double h, double *radius)
{
    char yaml[64];
    double low = INFINITY, high = 0;
    snprintf(yaml, sizeof yaml, "{name: gradient, step: %.17g}", h);
    od_map *map = od_map_create(q->ctx, yaml, f);
    for (size_t i = 0; i < q->d && map != NULL; i++) {
        const double curvature = (1 - stretch_of(q, map, i)) / h;
        low = fmin(low, curvature);
        high = fmax(high, curvature);
    }
    const od_pair pair = pair_of(q, h, low, high);
    *radius = od_pair_bound(&pair).radius;
    const od_status status = map != NULL ? OD_OK : OD_ENOMEM;
    od_map_free(map);
    return status;
}

/* h must be the same for both: it is what the bound is taken at. */
static od_status regulariser_claims(study *q)
{
    if (!(q->low > 0 && q->high > 2.1 * q->low) || !(q->distance > 0)) {
        return OD_OK;
    }
    const regularised data = {q->m->problem, 0.05 * q->low};
    const double h = 0.5 / (q->high + data.lam);
    const od_problem heavier = {.name = "regularised",
                                .dim = q->d,
                                .scratch = q->m->problem->scratch,
                                .eval = regularised_eval,
                                .lipschitz = {q->high + data.lam, "sum"},
                                .convexity = {q->low + data.lam, "sum"},
                                .data = (void *)&data};
    double before, after;
    od_status status = radius_of(q, q->m->problem, h, &before);
    status = status == OD_OK ? radius_of(q, &heavier, h, &after) : status;
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = od_claims_append(
        q->list, "regularised-radius-printed", "section 2.4.3, footnote 28",
        "a regulariser does not lower the radius h L^2 |x0 - x*|/(2 mu), since L grows as mu does (predicted: at "
        "least 1, measured: the radius with lam = mu/20 over that without)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-9;
    od_claims_bound(c, after / before, 1, "these curvatures: L > 2 mu");
    c->predicted = 1;
    c->measured = after / before;
    c = od_claims_append(q->list, "regularised-radius", "section 2.4.3, footnote 28, corrected",
                         "where L > 2 mu a small regulariser lowers it (predicted: less than 1, measured: the radius "
                         "with lam = mu/20 over that without)");
    c->error_integration = 1e-9;
    od_claims_bound(c, 1, after / before, "these curvatures");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ all */

static bool look(study *q)
{
    q->low = q->high = q->s->eigenvalues[0];
    q->least = q->most = fabs(q->low);
    bool fits = true;
    for (size_t i = 0; i < q->d; i++) {
        const double lambda = q->s->eigenvalues[i];
        q->low = fmin(q->low, lambda);
        q->high = fmax(q->high, lambda);
        q->least = fmin(q->least, fabs(lambda));
        q->most = fmax(q->most, fabs(lambda));
        q->stretch[i] = stretch_of(q, &q->m->map, i);
        fits = fits && !isnan(q->stretch[i]);
    }
    /* other iterations take other multiples of the gradient; a wrong one of these must still be asked */
    return fits && strcmp(q->m->method_choice.method->name, "gradient") == 0;
}

static od_status ask(study *q)
{
    if (!look(q)) {
        return od_fail(q->ctx, OD_EUNSUPPORTED, NULL, "the iteration is not gradient descent");
    }
    od_status status = step_claims(q);
    if (status == OD_OK) {
        map_claims(q);
        status = iterate_claim(q);
    }
    status = status == OD_OK ? inverse_claims(q) : status;
    if (status == OD_OK) {
        contraction_claims(q);
        recover_claims(q);
        status = regulariser_claims(q);
    }
    return status == OD_OK && q->high < 0 ? concave_claims(q) : status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_problem *f = m->problem;
    if (!m->has_map || m->map.noise_dim > 0 || m->map.batch > 0 || m->map.dim != f->dim || f->spectrum == NULL ||
        f->dim > MOST_DIM) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL,
                       "they are about gradient descent without noise on quadratics of at most 64 dimensions");
    }
    study q = {.ctx = ctx, .m = m, .s = f->spectrum, .d = f->dim, .h = m->map.tau, .list = list};
    /* flows that are made for a claim need no more than two vectors besides */
    q.start = od_zalloc(8 * q.d + od_claims_scratch(m, 1), sizeof *q.start);
    if (q.start == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.z = q.start + q.d;
    q.g = q.z + q.d;
    q.ws = q.g + 2 * q.d;
    od_status status = od_start_fill(m, 0, 1, q.start, q.ws);
    q.distance = od_distance(q.d, NULL, q.start, q.s->centre);
    status = status == OD_OK ? ask(&q) : od_fail(ctx, status, "start", "the start could not be evaluated");
    free(q.start);
    return status;
}

const od_claim_set od_claims_descent = {
    .name = "descent",
    .summary = "gradient descent on quadratics as a map: its step, its inverse, where it contracts and expands",
    .ids = (const char *const[]){"gd-sign-printed",    "gd-sign",
                                 "gd-taylor-printed",  "gd-taylor",
                                 "gd-matrix-printed",  "gd-matrix",
                                 "gd-iterates",        "gd-inverse-printed",
                                 "gd-inverse",         "gd-contraction-printed",
                                 "gd-contraction",     "saddle-recovers-printed",
                                 "saddle-recovers",    "concave-footnote-printed",
                                 "concave-footnote",   "concave-limit-printed",
                                 "concave-limit",      "regularised-radius-printed",
                                 "regularised-radius", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.3], rotation: 3}, method: {name: gradient, step: 0.2}, "
            "start: {x: [1, -0.4]}, iterations: 40, compare: [{}, {problem: {name: quadratic, eigenvalues: [-1, 1]}}, "
            "{problem: {name: quadratic, eigenvalues: [-1]}, start: {x: [1]}, iterations: 10}]}",
            NULL},
    .find = find,
};
