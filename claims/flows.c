/*
 * Appendix A.1 of Orvieto (2023): flows as such. They compose, they have a derivative, whose determinant is the
 * exponential of the integrated trace (Theorem A.1.4); x' = x^2 blows up, and x' = x^{1/3} has many solutions from 0.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "cost.h"
#include "ledger.h"
#include "orbit.h"

#include "analysis/gauss.h"
#include "analysis/vector.h"
#include "src/memory.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIM = 16, PANELS = 24, NODES = 8 };

typedef struct study {
    od_context *ctx;
    const od_member *m;
    const od_flow *flow;
    double t0, t1;         /* between which a derivative is carried */
    double *z, *u, *other; /* [dim], [dim*dim], [dim*dim] */
    double *ws;
    od_claim_list *list;
} study;

/* The state at t from one at t0, NULL: the member's start, by an orbit of its own. */
static od_status carry(study *q, double t0, const double *from, double t, double *to)
{
    od_orbit o;
    od_status status = od_orbit_open(q->ctx, q->m, q->flow, t0, from, &o);
    status = status == OD_OK ? od_orbit_advance(q->ctx, &o, t) : status;
    if (status == OD_OK) {
        memcpy(to, o.z, q->flow->dim * sizeof *to);
    }
    od_orbit_close(&o);
    return status;
}

/* ------------------------------------------------------------------------------------------------ any flow */

/* By the drift next to the start, which itself may be at rest. */
static bool is_autonomous(study *q)
{
    const size_t dim = q->flow->dim;
    const double t0 = q->m->start.t, span = q->m->until - t0, part[] = {1e-3, 0.5, 1};
    bool same = true;
    for (size_t i = 0; i < dim; i++) {
        q->u[i] = q->z[i] + 0.1 * (double)(i + 1) / (double)dim;
    }
    for (int k = 0; k < 3; k++) { /* other + dim keeps the first */
        double *rate = k == 0 ? q->other + dim : q->other;
        same = same && q->flow->drift(q->flow, t0 + part[k] * span, 1, q->u, rate, q->ws) == OD_OK;
        for (size_t i = 0; i < dim; i++) {
            same = same && rate[i] == q->other[dim + i];
        }
    }
    return same;
}

static od_status group_claim(study *q)
{
    const double t0 = q->m->start.t, s = (q->m->until - t0) / 3;
    double *once = q->u, *twice = q->other;
    if (!is_autonomous(q)) {
        return OD_OK;
    }
    od_status status = carry(q, t0, NULL, q->m->until, once);
    status = status == OD_OK ? carry(q, t0, NULL, t0 + s, twice) : status;
    status = status == OD_OK ? carry(q, t0, twice, q->m->until - s, twice) : status;
    if (status != OD_OK) {
        return status;
    }
    size_t far = 0;
    for (size_t i = 0; i < q->flow->dim; i++) {
        far = fabs(once[i] - twice[i]) > fabs(once[far] - twice[far]) ? i : far;
    }
    od_claim *c = od_claims_append(
        q->list, "flow-group", "App. A.1",
        "a flow whose law does not depend on time has Phi_{t+s} = Phi_t Phi_s (the component where they "
        "are farthest apart)");
    c->error_integration = 10 * OD_ORBIT_ERROR *
                           (od_distance(q->flow->dim, NULL, once, NULL) + od_distance(q->flow->dim, NULL, q->z, NULL));
    od_claims_match(c, once[far], twice[far], "this flow");
    return OD_OK;
}

/* phi' = Dg phi, phi(t0) = I, from q->z at t0 to t1, into q->u; q->z becomes the state at t1. */
static od_status find_derivative(study *q)
{
    od_passage *passage = NULL;
    od_status status = od_passage_open(q->ctx, q->flow, 1e-13, q->flow->dim, &passage);
    memset(q->u, 0, q->flow->dim * q->flow->dim * sizeof *q->u);
    for (size_t i = 0; i < q->flow->dim; i++) {
        q->u[i * q->flow->dim + i] = 1;
    }
    status = status == OD_OK ? od_passage_cross(passage, q->t0, q->t1, q->z, q->flow->dim, q->u, NULL) : status;
    od_passage_close(passage);
    return status == OD_OK || status == OD_EINTERRUPTED
               ? status
               : od_fail(q->ctx, status, NULL, "the derivative of the flow could not be carried");
}

/* Its first column against differences of orbits, of fourth order. */
static od_status derivative_claim(study *q, const double *start)
{
    const size_t dim = q->flow->dim;
    const double step = 2e-4 * (od_distance(dim, NULL, start, NULL) + 1e-3), factor[4] = {1, -1, 2, -2};
    double *end = q->other, from[MOST_DIM];
    od_status status = OD_OK;
    for (size_t k = 0; k < 4 && status == OD_OK; k++) {
        memcpy(from, start, dim * sizeof *from);
        from[0] += factor[k] * step;
        status = carry(q, q->t0, from, q->t1, end + k * dim);
    }
    double size = 0, worst = -1, fine = NAN, coarse = 0;
    size_t far = 0;
    for (size_t i = 0; i < dim && status == OD_OK; i++) {
        const double near = (end[i] - end[dim + i]) / (2 * step),
                     wide = (end[2 * dim + i] - end[3 * dim + i]) / (4 * step), fourth = (4 * near - wide) / 3;
        size = fmax(size, fmax(fabs(fourth), fabs(end[i])));
        coarse = fmax(coarse, fabs(fourth - near));
        if (fabs(fourth - q->u[i]) > worst) {
            worst = fabs(fourth - q->u[i]);
            fine = fourth;
            far = i;
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "flow-derivative", "Thm A.1.4",
            "phi' = Dg phi, phi(0) = I, is the derivative of the flow in its start (predicted: by "
            "differences of orbits, of the first component)");
        c->error_integration = OD_ORBIT_ERROR * size / step * 1e-2 + OD_ORBIT_ERROR * (1 + size);
        c->error_model = 0.2 * coarse; /* that of the second order */
        od_claims_match(c, fine, q->u[far], "this flow");
    }
    return status;
}

/* The trace of the drift's Jacobian at an orbit's state, by differences of fourth order: phi is carried by products. */
static od_status trace_at(study *q, const od_orbit *o, double *trace)
{
    static const double factor[] = {1, -8, 8, -1}, place[] = {-2, -1, 1, 2};
    const size_t dim = q->flow->dim;
    double z[MOST_DIM], rate[MOST_DIM];
    od_status status = OD_OK;
    *trace = 0;
    memcpy(z, o->z, dim * sizeof *z);
    for (size_t i = 0; i < dim; i++) {
        const double step = 1e-3 * (0.1 + fabs(o->z[i]));
        for (int k = 0; k < 4 && status == OD_OK; k++) {
            z[i] = o->z[i] + place[k] * step;
            status = q->flow->drift(q->flow, o->t, 1, z, rate, q->ws);
            *trace += factor[k] * rate[i] / (12 * step);
        }
        z[i] = o->z[i];
    }
    return status;
}

/* ln |det phi| against the integral of the trace. */
static od_status volume_claim(study *q, const double *start)
{
    double node[NODES], weight[NODES], integral = 0, size = 0, volume = 0;
    lapack_int pivot[MOST_DIM];
    const lapack_int n = (lapack_int)q->flow->dim;
    od_orbit o;
    od_gauss(NODES, node, weight);
    od_status status = od_orbit_open(q->ctx, q->m, q->flow, q->t0, start, &o);
    for (int k = 0; k < PANELS && status == OD_OK; k++) {
        const double width = (q->t1 - q->t0) / PANELS;
        for (int j = 0; j < NODES && status == OD_OK; j++) {
            double trace = NAN;
            status = od_orbit_advance(q->ctx, &o, q->t0 + width * (k + 0.5 + node[j] / 2));
            status = status == OD_OK ? trace_at(q, &o, &trace) : status;
            integral += weight[j] * width / 2 * trace;
            size += weight[j] * width / 2 * fabs(trace);
        }
    }
    od_orbit_close(&o);
    if (status == OD_OK && size > 15) {
        return OD_OK; /* the directions have lost their digits on the way */
    }
    if (status != OD_OK || LAPACKE_dgetrf(LAPACK_COL_MAJOR, n, n, q->u, n, pivot) != 0) {
        return status;
    }
    for (size_t i = 0; i < q->flow->dim; i++) {
        volume += log(fabs(q->u[i * q->flow->dim + i]));
    }
    od_claim *c = od_claims_append(
        q->list, "flow-volume", "Thm A.1.4",
        "the determinant of the derivative is the exponential of the integrated trace of Dg (logarithms)");
    c->error_integration = 1e-7 * (1 + size);
    od_claims_match(c, integral, volume, "this flow");
    return OD_OK;
}

/* Over so short a time that no direction loses its digits. */
static od_status derivative_claims(study *q)
{
    const od_member *m = q->m;
    double start[MOST_DIM], image[MOST_DIM], unit[MOST_DIM], rate = 0;
    if (q->flow->jvp == NULL || q->flow->dim > MOST_DIM || (m->problem != NULL && m->problem->rough != NULL)) {
        return OD_OK;
    }
    q->t0 = q->flow->singular && m->start.t == 0 ? m->until / 4 : m->start.t;
    od_status status = carry(q, m->start.t, NULL, q->t0, q->z);
    for (size_t i = 0; i < q->flow->dim && status == OD_OK; i++) {
        memset(unit, 0, sizeof unit);
        unit[i] = 1;
        status = q->flow->jvp(q->flow, q->t0, 1, q->z, 1, unit, image, q->ws);
        rate = fmax(rate, od_distance(q->flow->dim, NULL, image, NULL));
    }
    if (status != OD_OK || !isfinite(rate)) {
        return status;
    }
    q->t1 = fmin(m->until, q->t0 + 3 / fmax(rate, 1e-9));
    memcpy(start, q->z, q->flow->dim * sizeof *start);
    status = find_derivative(q);
    status = status == OD_OK ? derivative_claim(q, start) : status;
    return status == OD_OK ? volume_claim(q, start) : status;
}

/* ------------------------------------------------------------------------------------------------ two examples */

/* Whether the drift is this function of one component. */
static bool is_law(study *q, double (*of)(double))
{
    const double at[] = {0.7, -1.3, 2.1};
    bool fits = q->flow->dim == 1;
    for (size_t i = 0; i < 3 && fits; i++) {
        double rate;
        fits = q->flow->drift(q->flow, q->m->start.t, 1, &at[i], &rate, q->ws) == OD_OK &&
               fabs(rate - of(at[i])) <= 1e-12;
    }
    return fits;
}

static double squared(double x)
{
    return x * x;
}

/* The time at which a run of steps says that its state is not finite. */
static od_status stop_of_steps(study *q, double x, double step, double *stop)
{
    char yaml[64];
    snprintf(yaml, sizeof yaml, "{name: rk4, step: %.17g}", step);
    od_stepper *s = od_stepper_create(q->ctx, yaml, q->flow, q->m->start.t, 1, &x);
    const double limit = q->m->until;
    od_status status = s != NULL ? OD_OK : OD_ENOMEM;
    *stop = NAN;
    for (double t = q->m->start.t; t < limit && status == OD_OK && isnan(*stop); t += step) {
        status = od_stepper_advance(q->ctx, s, t, t + step, 1, &x, NULL);
        *stop = status == OD_EDIVERGED || (status == OD_OK && !isfinite(x)) ? t + step : NAN;
        status = status == OD_EDIVERGED ? OD_OK : status;
    }
    od_stepper_free(s);
    return status;
}

static od_status blow_up_claims(study *q)
{
    const double t0 = q->m->start.t, x0 = q->z[0], end = t0 + 1 / x0, half = t0 + 0.5 / x0, step = 0.01 / x0;
    od_passage *passage = NULL;
    double x = x0, stop;
    if (!(x0 > 0 && q->m->until > end)) {
        return OD_OK;
    }
    od_status status = carry(q, t0, NULL, half, &x);
    if (status == OD_OK) {
        od_claim *c = od_claims_append(q->list, "blow-up-form", "App. A.1",
                                       "x' = x^2 from x0 is 1/(1/x0 - t) (half way to its end)");
        c->error_integration = OD_ORBIT_ERROR * 2 * x0;
        od_claims_match(c, 2 * x0, x, "this start");
    }
    x = x0;
    status = status == OD_OK ? od_passage_open(q->ctx, q->flow, 1e-13, 0, &passage) : status;
    if (status == OD_OK) {
        const od_status crossed = od_passage_cross(passage, t0, q->m->until, &x, 0, NULL, NULL);
        od_claim *c = od_claims_append(
            q->list, "blow-up", "App. A.1",
            "its solution ends at t = 1/x0: an integrator that controls its error stops there and says "
            "so");
        c->error_integration = 1e-9 / x0;
        od_claims_match(c, end, crossed != OD_OK ? od_passage_reached(passage) : NAN, "it was stepped over");
    }
    od_passage_close(passage);
    status = status == OD_OK ? stop_of_steps(q, x0, step, &stop) : status;
    if (status == OD_OK) {
        od_claim *c = od_claims_append(q->list, "blow-up-steps", "App. A.1",
                                       "steps of fixed length stop a few of them later (RK4, steps of a hundredth)");
        c->error_model = 10 * step;
        od_claims_match(c, end, stop, "it was stepped over");
    }
    return status;
}

/* x' = x^{1/3} from x = 0: where the solutions are at the end that stay until w and then leave to one side. */
static od_status root_claims(study *q)
{
    const double t0 = q->m->start.t, t = q->m->until, later = 1e-3 * (t - t0), wait[] = {0, 0, 0.5};
    const double side[] = {1, -1, 1};
    double end[4], want = NAN;
    size_t distinct = 0;
    od_status status = carry(q, t0, NULL, t, &end[3]); /* stays */
    for (size_t k = 0; k < 3 && status == OD_OK; k++) {
        const double from = t0 + wait[k] * (t - t0), x = side[k] * pow(2 * later / 3, 1.5);
        status = carry(q, from + later, &x, t, &end[k]);
        want = pow(2 * (t - from) / 3, 1.5);
    }
    for (size_t k = 0; k < 4 && status == OD_OK; k++) {
        bool fresh = true;
        for (size_t j = 0; j < k; j++) {
            fresh = fresh && fabs(end[k] - end[j]) > 1e-6;
        }
        distinct += fresh;
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            q->list, "root-solutions-printed", "Ex. A.1.1",
            "x' = x^{1/3}, x(0) = 0 has the solutions (2 t/3)^{3/2} and -(2 t/3)^{3/2} (their number, "
            "measured: solutions found that differ at the end)");
        c->expected = OD_FAILS;
        od_claims_match(c, 2, (double)distinct, "x = 0 and those that leave it later are solutions too");
        c = od_claims_append(
            q->list, "root-solutions", "Ex. A.1.1, corrected",
            "so is any that stays at 0 until a time w: (2 (t - w)/3)^{3/2} from there on (w at half time, the end)");
        c->error_integration = 10 * OD_ORBIT_ERROR * want;
        od_claims_match(c, want, end[2], "this time");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status ask(study *q)
{
    if (is_law(q, squared)) {
        return blow_up_claims(q);
    }
    if (is_law(q, cbrt) && q->z[0] == 0) {
        return root_claims(q);
    }
    const od_status status = q->m->problem->rough == NULL ? group_claim(q) : OD_OK;
    return status == OD_OK ? derivative_claims(q) : status;
}

static od_status find(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    study q = {.ctx = ctx, .m = m, .flow = &m->flow, .list = list};
    if (!m->has_flow || m->flow.noise.shape != OD_NOISE_NONE) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow without noise");
    }
    const size_t dim = m->flow.dim, few = dim > MOST_DIM ? 2 : dim, square = dim * (few > 4 ? few : 4);
    q.z = od_zalloc(dim + 2 * square + od_scratch_size(&m->flow.scratch, 1), sizeof *q.z);
    if (q.z == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.u = q.z + dim;
    q.other = q.u + square;
    q.ws = q.other + square;
    od_status status = carry(&q, m->start.t, NULL, m->start.t, q.z);
    status = status == OD_OK ? ask(&q) : status;
    free(q.z);
    return status;
}

const od_claim_set od_claims_flows = {
    .name = "flows",
    .summary = "flows as such: composition, derivative, volume, where they end and where they are not unique",
    .ids = (const char *const[]){"flow-group", "flow-derivative", "flow-volume", "blow-up-form", "blow-up",
                                 "blow-up-steps", "root-solutions-printed", "root-solutions", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: power, p: 4, c: 0.25}, method: gradient, integrator: {name: rk4, step: 0.1}, start: {x: "
            "[1.3]}, until: 4, compare: [{}, {problem: hosaki, start: {x: [3, 1.5]}}, {problem: hosaki, start: {x: [3, "
            "1.5]}, method: {name: heavy-ball, alpha: 0.7}}, {problem: rosenbrock, start: {x: [0.5, 0.4]}, method: "
            "nesterov}]}",
            "{problem: {name: formula, variables: [x], f: \"-x^3/3\"}, method: gradient, integrator: {name: rk4, step: "
            "0.01}, start: {x: [1]}, until: 2}",
            "{problem: {name: formula, variables: [x], f: \"-0.75*abs(x)^(4/3)\"}, method: gradient, integrator: "
            "{name: rk4, step: 0.01}, start: {x: [0]}, until: 2}",
            NULL},
    .find = find,
    .cost = od_claims_orbit_cost,
};
