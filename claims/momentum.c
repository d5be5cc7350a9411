/*
 * Heavy ball and Nesterov's iteration on quadratics as maps, and heavy ball's flow (Orvieto 2023, sections 2.1, 2.2.3,
 * App. B.2.4). Along an eigenvector of curvature lambda heavy ball is
 *
 *   A = [1 - h^2 lambda   beta h; -h lambda   beta],   q^2 - (1 + beta - h^2 lambda) q + beta = 0,   beta = 1 - alpha
 * h,
 *
 * which is taken off the iteration itself, one step from x* and the eigenvector.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "axis.h"
#include "kind.h"
#include "ledger.h"
#include "orbit.h"

#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENTA = 30, SAMPLES = 400 };

/* Of differences over a hundredth of a radian, which leave 3e-10. */
#define JERK_ERROR 1e-6

typedef struct study {
    od_context *ctx;
    const od_member *m;
    const od_spectrum *s;
    const od_flow *flow; /* heavy ball's, or NULL */
    size_t d;
    double h, beta, alpha;
    double *z, *z1, *z2, *z3, *z4, *ws; /* [2 d] each */
    od_claim_list *list;
} study;

/* Rows of A along eigenvector i, as iteration k has it. */
static od_status matrix_of(study *q, uint64_t k, size_t i, double a[2][2])
{
    const od_axis_map map = {&q->m->map, q->s, q->d, q->z, q->ws};
    return od_axis_matrix(&map, k, i, a);
}

static double radius_of(double a[2][2])
{
    double modulus[2];
    od_axis_moduli(a, modulus);
    return modulus[0];
}

/* ------------------------------------------------------------------------------------------------ heavy ball */

static od_status root_claims(study *q, size_t i)
{
    const double lambda = q->s->eigenvalues[i], z = q->h * q->h * lambda, beta = q->beta;
    double a[2][2];
    const od_status status = matrix_of(q, 3, i, a);
    if (status != OD_OK) {
        return status;
    }
    const double product = a[0][0] * a[1][1] - a[0][1] * a[1][0], trace = a[0][0] + a[1][1];
    const double error = 1e-11 * (1 + fabs(z));
    od_claim *c = od_claims_append(q->list, "hb-product-printed", "App. B.2.4.1",
                                   "the product of heavy ball's two roots is c = 1");
    c->expected = beta != 1 ? OD_FAILS : OD_HOLDS;
    c->error_integration = error;
    od_claims_match(c, 1, product, "this iteration: it is beta = 1 - alpha h");
    c = od_claims_append(q->list, "hb-product", "App. B.2.4.1, corrected", "the product of the roots is beta");
    c->error_integration = error;
    od_claims_match(c, beta, product, "this iteration");
    c = od_claims_append(
        q->list, "hb-flip-printed", "App. B.2.4.1",
        "a root is -1 at h^2 lambda = beta + 2 (measured: h^2 lambda where 1 + trace + determinant vanishes)");
    c->expected = beta != 0 ? OD_FAILS : OD_HOLDS;
    c->error_integration = error;
    od_claims_match(c, beta + 2, z + 1 + trace + product, "this iteration");
    c = od_claims_append(q->list, "hb-flip", "App. B.2.4.1, corrected", "a root is -1 at h^2 lambda = 2 (1 + beta)");
    c->expected = OD_HOLDS;
    c->error_integration = error;
    od_claims_match(c, 2 * (1 + beta), z + 1 + trace + product, "this iteration");
    if (trace * trace < 4 * beta) {
        c = od_claims_append(q->list, "hb-modulus", "App. B.2.4.1", "complex roots have the modulus sqrt(beta)");
        c->error_integration = error;
        od_claims_match(c, sqrt(beta), radius_of(a), "this iteration");
    }
    return OD_OK;
}

/* All curvatures together: the largest root, and what the criterion says of it. */
static od_status convergence_claim(study *q)
{
    bool inside = q->beta >= 0 && q->beta < 1;
    double most = 0, margin = INFINITY;
    od_status status = OD_OK;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        const double z = q->h * q->h * q->s->eigenvalues[i], limit = 2 * (1 + q->beta);
        double a[2][2];
        status = matrix_of(q, 3, i, a);
        most = fmax(most, radius_of(a));
        inside = inside && z > 0 && z < limit;
        margin = fmin(margin, fmin(fabs(z), fabs(limit - z)));
    }
    if (status == OD_OK && margin > 1e-9 && q->beta >= 0 && fabs(q->beta - 1) > 1e-9) {
        od_claim *c = od_claims_append(
            q->list, "hb-converges", "App. B.2.4.1",
            "it converges if and only if beta in [0, 1) and 0 < h^2 lambda < 2 (1 + beta) for all "
            "curvatures (predicted: whether it does, 1 or 0; measured: its largest root)");
        c->predicted = inside;
        c->measured = most;
        od_claims_judge(c, inside == (most < 1), "this iteration");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ its flow */

/* Remainders of the Taylor step from the start over a time t, of velocity with h g and with g, and of position. */
static od_status remainders(study *q, double t, double r[3])
{
    od_orbit o;
    double *v0 = q->z1, *x0 = q->z2, *g0 = q->z3;
    od_status status = od_orbit_open(q->ctx, q->m, q->flow, 0, NULL, &o);
    r[0] = r[1] = r[2] = 0;
    if (status == OD_OK) {
        memcpy(x0, o.x, q->d * sizeof *x0);
        memcpy(v0, o.v, q->d * sizeof *v0);
        memcpy(g0, o.g, q->d * sizeof *g0);
        status = od_orbit_advance(q->ctx, &o, t);
    }
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        const double kick = o.v[i] - v0[i] + t * q->alpha * v0[i], step = x0[i] - o.x[i] + t * o.v[i];
        r[0] += (kick + g0[i]) * (kick + g0[i]);
        r[1] += (kick + t * g0[i]) * (kick + t * g0[i]);
        r[2] += step * step;
    }
    od_orbit_close(&o);
    return status;
}

static od_status taylor_claims(study *q)
{
    const double most = fabs(q->s->eigenvalues[od_axis_steepest(q->s, q->d)]);
    const double t = fmin(q->h, 1 / (q->alpha + sqrt(most))) / 50;
    double wide[3], near[3];
    od_status status = remainders(q, t, wide);
    status = status == OD_OK ? remainders(q, t / 4, near) : status;
    if (status != OD_OK || !(near[1] > 0) || !(near[2] > 0)) {
        return status;
    }
    static const char *const id[] = {"hb-taylor-printed", "hb-taylor", "hb-taylor-position"};
    static const char *const source[] = {"App. B.2.4, eq. (196)", "App. B.2.4, eq. (196), corrected",
                                         "App. B.2.4, eq. (197), corrected"};
    static const char *const statement[] = {
        "p(h) - p(0) + h alpha p(0) + g(q(0)) is of second order in h (measured: its order)",
        "p(h) - p(0) + h alpha p(0) + h g(q(0)) is of second order in h (measured: its order)",
        "q(0) - q(h) + h q'(h) is of second order in h (measured: its order)"};
    for (int k = 0; k < 3; k++) {
        od_claim *c = od_claims_append(q->list, id[k], source[k], statement[k]);
        c->expected = k == 0 ? OD_FAILS : OD_HOLDS;
        c->error_model = 0.1;
        od_claims_match(c, 2, log(wide[k] / near[k]) / (2 * log(4)), "this start: the gradient is to be times h");
    }
    return OD_OK;
}

/* Derivatives of the linear flow at a state: z1 = z', z2 = z'', ... */
static od_status derivatives(study *q, const od_orbit *o)
{
    double *z[] = {q->z1, q->z2, q->z3, q->z4};
    od_status status = q->flow->drift(q->flow, o->t, 1, o->z, z[0], q->ws);
    for (int k = 1; k < 4 && status == OD_OK; k++) {
        status = q->flow->jvp(q->flow, o->t, 1, o->z, 1, z[k - 1], z[k], q->ws);
    }
    return status;
}

static void fourth_claim(study *q, const od_orbit *o)
{
    double worst = 0;
    for (size_t i = 0; i < q->d; i++) {
        const double lambda = q->s->eigenvalues[i], middle = 2 * lambda - q->alpha * q->alpha;
        const double x = od_axis_along(q->s, q->d, i, o->x), second = od_axis_dot(q->s, q->d, i, q->z2),
                     fourth = od_axis_dot(q->s, q->d, i, q->z4);
        const double size = fabs(fourth) + fabs(middle * second) + lambda * lambda * fabs(x);
        worst = size > 0 ? fmax(worst, fabs(fourth + middle * second + lambda * lambda * x) / size) : worst;
    }
    od_claim *c = od_claims_append(
        q->list, "hb-fourth-order", "section 2.2.3",
        "with constant damping x'''' + (2 lambda - alpha^2) x'' + lambda^2 x = 0 (measured: what is left of "
        "it, over its terms)");
    c->error_integration = 1e-10;
    od_claims_match(c, 0, worst, "this path");
}

/* v'' at a time by differences of v', of fourth order, as the orbit has them: z4. */
static od_status differences(study *q, double t, double step)
{
    static const double factor[] = {1, -8, 0, 8, -1};
    double *jerk = q->z4;
    od_orbit o;
    od_status status = od_orbit_open(q->ctx, q->m, q->flow, 0, NULL, &o);
    memset(jerk, 0, q->d * sizeof *jerk);
    for (int k = 0; k < 5 && status == OD_OK; k++) {
        status = od_orbit_advance(q->ctx, &o, t + (k - 2) * step);
        for (size_t i = 0; i < q->d && status == OD_OK; i++) {
            jerk[i] += factor[k] / (12 * step) * o.rate[q->d + i];
        }
    }
    od_orbit_close(&o);
    return status;
}

/* v'' is -alpha v' - H v; the proof of Lemma B.2.1 has H v'. */
static od_status jerk_claims(study *q, const od_orbit *o)
{
    const double most = fabs(q->s->eigenvalues[od_axis_steepest(q->s, q->d)]),
                 step = fmin(1e-2 / (q->alpha + sqrt(most)), o->t / 3);
    double *product = q->z3, wrong = 0, right = 0, size = 0;
    const double *slope = o->rate + q->d, *jerk = q->z4;
    od_status status = differences(q, o->t, step);
    status = status == OD_OK ? q->m->problem->hvp(q->m->problem, 1, o->x, 1, slope, product, q->ws) : status;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        wrong += pow(jerk[i] + q->alpha * slope[i] + product[i], 2);
        size += jerk[i] * jerk[i] + q->alpha * q->alpha * slope[i] * slope[i] + product[i] * product[i];
    }
    status = status == OD_OK ? q->m->problem->hvp(q->m->problem, 1, o->x, 1, o->v, product, q->ws) : status;
    for (size_t i = 0; i < q->d && status == OD_OK; i++) {
        right += pow(jerk[i] + q->alpha * slope[i] + product[i], 2);
    }
    if (status != OD_OK || !(wrong > 1e-8 * size)) {
        return status; /* at rest, or no curvature along v and v' */
    }
    od_claim *c = od_claims_append(
        q->list, "hb-jerk-printed", "proof of Lemma B.2.1",
        "v'' = -alpha v' - H v' (measured: what is left of it, over its terms; v'' by differences)");
    c->expected = OD_FAILS;
    c->error_integration = JERK_ERROR;
    od_claims_match(c, 0, sqrt(wrong / size), "this path: the time derivative of g(x) is H v");
    c = od_claims_append(q->list, "hb-jerk", "proof of Lemma B.2.1, corrected",
                         "v'' = -alpha v' - H v (measured: what is left of it, over its terms; v'' by differences)");
    c->error_integration = JERK_ERROR;
    od_claims_match(c, 0, sqrt(right / size), "this path");
    return OD_OK;
}

/* Lemma B.2.1 on |v| and |v'|, along the path to the iteration's end. */
static od_status speed_claims(study *q)
{
    const double until = q->h * (double)q->m->iterations;
    double speed = 0, slope = 0, steepest = 0;
    od_orbit o;
    od_status status = od_orbit_open(q->ctx, q->m, q->flow, 0, NULL, &o);
    for (int k = 0; k <= SAMPLES && status == OD_OK; k++) {
        double v = 0, a = 0, g = 0;
        status = od_orbit_advance(q->ctx, &o, until * k / SAMPLES);
        for (size_t i = 0; i < q->d && status == OD_OK; i++) {
            v += o.v[i] * o.v[i];
            a += o.rate[q->d + i] * o.rate[q->d + i];
            g += o.g[i] * o.g[i];
        }
        speed = fmax(speed, sqrt(v));
        slope = fmax(slope, sqrt(a));
        steepest = fmax(steepest, sqrt(g));
        if (k == SAMPLES / 20 + 1) { /* where neither v nor v' is 0 */
            status = status == OD_OK ? derivatives(q, &o) : status;
            fourth_claim(q, &o);
            status = status == OD_OK ? jerk_claims(q, &o) : status;
        }
    }
    od_orbit_close(&o);
    if (status == OD_OK) {
        od_claim *c = od_claims_append(q->list, "hb-speed", "Lemma B.2.1",
                                       "from rest |v| <= l/alpha, l = max |g| on the path");
        c->error_integration = OD_ORBIT_ERROR * speed;
        od_claims_bound(c, steepest / q->alpha, speed, "this path");
        c = od_claims_append(q->list, "hb-acceleration", "Lemma B.2.1", "and |v'| <= 2 l");
        c->error_integration = OD_ORBIT_ERROR * slope;
        od_claims_bound(c, 2 * steepest, slope, "this path");
    }
    return status;
}

static bool starts_at_rest(study *q)
{
    bool rest = od_start_fill(q->m, 0, 1, q->z, q->ws) == OD_OK, still = true;
    for (size_t i = 0; i < q->d && rest; i++) {
        still = still && q->z[i] == q->s->centre[i];
        rest = q->z[q->d + i] == 0;
    }
    return rest && !still;
}

static od_status heavy_ball_claims(study *q)
{
    const size_t steepest = od_axis_steepest(q->s, q->d);
    char yaml[64];
    q->alpha = (1 - q->beta) / q->h;
    snprintf(yaml, sizeof yaml, "{name: heavy-ball, alpha: %.17g}", q->alpha);
    od_status status = root_claims(q, steepest);
    status = status == OD_OK ? convergence_claim(q) : status;
    if (status == OD_OK && q->alpha > 1e-9 && starts_at_rest(q)) {
        od_flow *flow = od_flow_create(q->ctx, yaml, q->m->problem);
        q->flow = flow;
        status = flow != NULL ? taylor_claims(q) : OD_ENOMEM;
        status = status == OD_OK && flow->jvp != NULL ? speed_claims(q) : status;
        od_flow_free(flow);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ Nesterov */

/* How much of the last move iteration k keeps, with eta = h^2: A's velocity column is mom (1 - eta lambda). */
static od_status kept(study *q, uint64_t k, double *momentum)
{
    double a[2][2];
    const od_status status = matrix_of(q, k, 0, a);
    *momentum = a[1][1] / (1 - q->h * q->h * q->s->eigenvalues[0]);
    return status;
}

static od_status nesterov_claims(study *q)
{
    double second, late, worst = -1, predicted = NAN, measured = NAN;
    od_status status = kept(q, 2, &second);
    status = status == OD_OK ? kept(q, 6, &late) : status;
    const double r = 1 / second - 1;
    if (status != OD_OK || !(r > 0) || fabs(late - 5 / (5 + r)) > 1e-9) {
        return status;
    }
    for (uint64_t k = 0; k <= MOMENTA && status == OD_OK; k++) {
        const double want = k > 1 ? ((double)k - 1) / ((double)k + r - 1) : 0;
        double got;
        status = kept(q, k, &got);
        if (fabs(got - want) > worst) {
            worst = fabs(got - want);
            predicted = want;
            measured = got;
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "nag-momentum", "section 2.1, (NAG)",
            "the momentum of iteration k is (k - 1)/(k + r - 1), (k - 1)/(k + 2) for r = 3, and none for k = "
            "0 and 1 (the k where it is farthest off)");
        c->error_integration = 1e-11;
        od_claims_match(c, predicted, measured, "this k");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status ask(study *q)
{
    double first[2][2], later[2][2];
    const double z = q->h * q->h * q->s->eigenvalues[0];
    od_status status = matrix_of(q, 0, 0, first);
    status = status == OD_OK ? matrix_of(q, 9, 0, later) : status;
    if (status != OD_OK) {
        return status;
    }
    q->beta = later[1][1];
    bool same = memcmp(first, later, sizeof first) == 0;
    for (size_t i = 1; i < q->d && status == OD_OK; i++) { /* one momentum along all eigenvectors */
        double other[2][2];
        status = matrix_of(q, 9, i, other);
        same = same && fabs(other[1][1] - q->beta) <= 1e-12;
    }
    if (status == OD_OK && same && fabs(later[1][0] * q->h + z) <= 1e-9 * (1 + fabs(z)) &&
        fabs(later[0][1] - q->beta * q->h) <= 1e-12 * q->h) {
        return heavy_ball_claims(q);
    }
    if (status == OD_OK && fabs(z) < 1 && memcmp(first, later, sizeof first) != 0) {
        return nesterov_claims(q);
    }
    return status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    const od_problem *f = m->problem;
    if (!m->has_map || m->map.noise_dim > 0 || m->map.batch > 0 || m->map.dim != 2 * f->dim || f->spectrum == NULL ||
        f->dim > 64) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL,
                       "they are about iterations with momentum and without noise on quadratics of at most 64 "
                       "dimensions");
    }
    study q = {.ctx = ctx, .m = m, .s = f->spectrum, .d = f->dim, .h = m->map.tau, .list = list};
    const size_t dim = m->map.dim;
    q.z = od_zalloc(13 * dim + od_claims_scratch(m, 1), sizeof *q.z);
    if (q.z == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.z1 = q.z + dim;
    q.z2 = q.z1 + dim;
    q.z3 = q.z2 + dim;
    q.z4 = q.z3 + dim;
    q.ws = q.z4 + dim;
    const od_status status = ask(&q);
    free(q.z);
    return status;
}

const od_claim_set od_claims_momentum = {
    .name = "momentum",
    .summary = "heavy ball and Nesterov's iteration on quadratics as maps: roots, momentum, Taylor steps",
    .ids = (const char *const[]){"hb-product-printed", "hb-product", "hb-flip-printed", "hb-flip", "hb-modulus",
                                 "hb-converges", "hb-taylor-printed", "hb-taylor", "hb-taylor-position",
                                 "hb-fourth-order", "hb-jerk-printed", "hb-jerk", "hb-speed", "hb-acceleration",
                                 "nag-momentum", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1, 0.3], rotation: 3}, method: {name: heavy-ball, alpha: 0.7, "
            "step: 0.2}, start: {x: [1, -0.4]}, iterations: 60, compare: [{}, {problem: {name: quadratic, eigenvalues: "
            "[1, -0.3]}}, {problem: {name: quadratic, eigenvalues: [0.5, 90]}}, {method: {name: nesterov, step: 0.1}}, "
            "{method: {name: nesterov, r: 5, step: 0.1}}]}",
            NULL},
    .find = find,
};
