/*
 * Section 2.2 of Orvieto (2023): Jacobi fields, as the derivative of the flow carries them, in closed form and in the
 * equations that print gives them.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _XOPEN_SOURCE 700 /* j1, y1 */
#include "fields.h"
#include "kind.h"

#include "analysis/passage.h"
#include "analysis/vector.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the field of unit slope is at t2, and what C of eq. (13) makes it so. */
static void field_claims(const od_extremal *x, double beta, double measured, od_claim_list *list)
{
    const double root = sqrt(beta), s1 = root * x->t1, s2 = root * x->t2, bracket = j1(s1) * y1(s2) - y1(s1) * j1(s2);
    od_claim *c = od_claims_append(
        list, "jacobi-field", "eqs. (11)-(13), (17)",
        "with damping 3/t the Jacobi field of unit slope at t1 is pi t1^2/(2 t) (J1(s1) Y1(s) - "
        "Y1(s1) J1(s)), s = sqrt(beta) t, here at t2");
    c->error_integration = 1e-10 / root;
    od_claims_match(c, 1.5707963267948966 * x->t1 * x->t1 / x->t2 * bracket, measured, "this path");
    if (fabs(bracket) < 1e-3 || fabs(j1(s1)) < 1e-3) {
        return; /* eq. (13) divides by J1(s1) */
    }
    const double found = measured * x->t2 * j1(s1) / bracket, error = 1e-9 * fabs(x->t2 / bracket / root);
    c = od_claims_append(
        list, "jacobi-constant-printed", "eq. (13)",
        "C > 0 specifies the velocity at t1 of the field C/t (Y1(s) - Y1(s1)/J1(s1) J1(s)) (predicted: C is "
        "not below 0; measured: C of the field that rises with slope 1)");
    c->expected = j1(s1) > 0 ? OD_HOLDS : OD_FAILS;
    c->predicted = 0;
    c->measured = found;
    c->error_integration = error;
    od_claims_judge(c, found > 0, "J1(s1) < 0 here: the slope has the other sign than C");
    c = od_claims_append(
        list, "jacobi-constant", "eq. (13), corrected",
        "its slope at t1 is 2 C/(pi t1^2 J1(s1)), so slope 1 takes C = pi t1^2 J1(s1)/2, of either sign");
    c->error_integration = error;
    od_claims_match(c, 1.5707963267948966 * x->t1 * x->t1 * j1(s1), found, "this path");
}

/* The field of unit slope along the largest curvature, by the flow's own derivative, at t2. */
static od_status field_claim(od_context *ctx, const od_extremal *x, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const od_claims_kind kind = od_claims_recognise(m, x->t1, x->t2);
    const od_spectrum *s = m->problem->spectrum;
    const size_t d = m->problem->dim;
    if (!(kind.beta > 0 && fabs(kind.viscous - 3) < 1e-12 && x->t1 > 0)) {
        return OD_OK;
    }
    od_passage *passage = NULL;
    double *z = od_zalloc(4 * d, sizeof *z), *u = z + 2 * d, measured = 0;
    od_status status = z != NULL ? od_passage_open(ctx, &m->flow, 1e-13, 1, &passage)
                                 : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a Jacobi field");
    if (status == OD_OK) {
        for (size_t i = 0; i < d; i++) {
            u[d + i] = s->rotation != NULL ? s->rotation[i * d + kind.steepest] : i == kind.steepest;
        }
        status = od_trajectory_at(x->path, x->t1, z, z + d);
        status = status == OD_OK ? od_passage_cross(passage, x->t1, x->t2, z, 1, u, NULL) : status;
        status = status == OD_OK ? OD_OK : od_fail(ctx, status, NULL, "a Jacobi field could not be followed");
        for (size_t i = 0; i < d; i++) {
            measured += u[i] * (s->rotation != NULL ? s->rotation[i * d + kind.steepest] : i == kind.steepest);
        }
    }
    if (status == OD_OK) {
        field_claims(x, kind.beta, measured, list);
    }
    od_passage_close(passage);
    free(z);
    return status;
}

/*
 * A field h along the path, from h = 0 and the slope u[d] at t1 to the time t, with its first two derivatives:
 * u[4 d] holds h, h', their rates. z[2 d] and ws are the flow's.
 */
static od_status carry_field(od_context *ctx, const od_extremal *x, double t, double *z, double *u, double *ws)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    od_passage *passage = NULL;
    od_status status = od_passage_open(ctx, &m->flow, 1e-13, 1, &passage);
    status = status == OD_OK ? od_trajectory_at(x->path, x->t1, z, z + d) : status;
    status = status == OD_OK ? od_passage_cross(passage, x->t1, t, z, 1, u, NULL) : status;
    status = status == OD_OK ? m->flow.jvp(&m->flow, t, 1, z, 1, u, u + 2 * d, ws) : status;
    od_passage_close(passage);
    return status == OD_OK ? OD_OK : od_fail(ctx, status, NULL, "a Jacobi field could not be followed");
}

/* d/dt (P h') - Q h, P = e^a, Q = -e^b Hess f, over e^a: the slips in print leave a prime or a sign out. */
static void equation_claims(const od_extremal *x, double t, const double *u, const double *bent, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    const od_claims_kind kind = od_claims_recognise(m, x->t1, x->t2);
    double a[2], b[2], left[3] = {0}, size = 0, wrong = 0;
    m->flow.lagrangian(&m->flow, t, a, b);
    const double force = exp(b[0] - a[0]), *h = u, *slope = u + d, *second = u + 3 * d;
    for (size_t i = 0; i < d; i++) {
        const double inertia = a[1] * slope[i] + second[i], pull = force * bent[i],
                     printed = a[1] * h[i] + slope[i] + pull;
        left[0] += printed * printed;
        left[1] += (inertia + pull) * (inertia + pull);
        left[2] += (inertia - pull) * (inertia - pull);
        size += second[i] * second[i] + a[1] * a[1] * slope[i] * slope[i] + pull * pull;
        wrong += pull * pull;
    }
    if (!(wrong > 1e-12 * size)) {
        return;
    }
    od_claim *c = od_claims_append(
        list, "jacobi-equation-printed", "before Thm 2.2.4",
        "Jacobi fields obey d/dt (P h) - Q h = 0 (measured: what is left of it, over P and the "
        "sizes of h'' and others; half way)");
    c->expected = OD_FAILS;
    c->error_integration = 1e-8;
    od_claims_match(c, 0, sqrt(left[0] / size), "this path: it is d/dt (P h')");
    c = od_claims_append(list, "jacobi-equation", "before Thm 2.2.4, corrected",
                         "Jacobi fields obey d/dt (P h') - Q h = 0 (measured: what is left of it, half way)");
    c->error_integration = 1e-8;
    od_claims_match(c, 0, sqrt(left[1] / size), "this path");
    if (kind.beta > 0 && fabs(kind.viscous - 3) < 1e-12) {
        c = od_claims_append(list, "jacobi-sign-printed", "eq. (12)",
                             "with damping 3/t on a quadratic d/dt (t^3 h') - beta t^3 h = 0 (measured: what is left)");
        c->expected = OD_FAILS;
        c->error_integration = 1e-8;
        od_claims_match(c, 0, sqrt(left[2] / size), "this path: the sign is +");
        c = od_claims_append(list, "jacobi-sign", "eq. (12), corrected",
                             "with damping 3/t on a quadratic d/dt (t^3 h') + beta t^3 h = 0 (measured: what is left)");
        c->error_integration = 1e-8;
        od_claims_match(c, 0, sqrt(left[1] / size), "this path");
    }
}

/* On c |x|^p with damping 3/t: a x + t x', a = 2/(p - 2), is carried into itself. u is as carry_field leaves it. */
static od_status scaling_claim(od_context *ctx, const od_extremal *x, double *z, double *u, double *ws,
                               od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    const double p = od_setting_real(m->problem_choice.settings, "p"), a = 2 / (p - 2);
    const od_extremal late = {x->path, fmax(x->t1, 0.1 * x->t2), x->t2};
    const double time[2] = {late.t1, late.t2};
    double far = 0, want = NAN, got = NAN, size = 0, *rate = u + 2 * d, *field = u;
    od_status status = OD_OK;
    for (int k = 0; k < 2 && status == OD_OK; k++) {
        if (k == 1) {
            status = carry_field(ctx, &late, late.t2, z, u, ws);
        } else {
            status = od_trajectory_at(x->path, time[0], z, z + d);
        }
        status = status == OD_OK ? m->flow.drift(&m->flow, time[k], 1, z, rate, ws) : status;
        for (size_t i = 0; i < d && status == OD_OK; i++) {
            const double h = a * z[i] + time[k] * z[d + i];
            size = fmax(size, fabs(h));
            if (k == 1 && fabs(h - field[i]) >= far) {
                far = fabs(h - field[i]);
                want = h;
                got = field[i];
            }
            if (k == 0) {
                field[d + i] = (a + 1) * z[d + i] + time[k] * rate[d + i];
                field[i] = h;
            }
        }
    }
    if (status == OD_OK) {
        od_claim *c = od_claims_append(
            list, "flat-scaling", "derived in docs/analyses.md",
            "on c |x|^p with damping 3/t a x + t x', a = 2/(p - 2), is a Jacobi field along every "
            "path: its zeros are conjugate to each other (at t2)");
        c->error_integration = 1e-7 * (size + 1);
        od_claims_match(c, want, got, "this path");
    }
    return status;
}

/* A time at which a coordinate's position (velocity) changes sign, between two; NaN if it does not there. */
static double sign_time(const od_extremal *x, const double *along, bool velocity, double low, double high, double *z)
{
    const size_t d = od_trajectory_member(x->path)->problem->dim;
    const double *centre = od_trajectory_member(x->path)->problem->spectrum->centre;
    double first = 0;
    for (int k = 0; k < 62; k++) {
        const double t = k == 0 ? low : k == 1 ? high : (low + high) / 2;
        double sum = 0;
        if (od_trajectory_at(x->path, t, z, z + d) != OD_OK) {
            return NAN;
        }
        for (size_t i = 0; i < d; i++) {
            sum += along[i] * (velocity ? z[d + i] : z[i] - centre[i]);
        }
        if (k == 0) {
            first = sum;
        } else if (k == 1 && !(first * sum < 0)) {
            return NAN;
        } else if (k > 1 && first * sum > 0) {
            low = t;
        } else if (k > 1) {
            high = t;
        }
    }
    return (low + high) / 2;
}

/* Where a path from rest first crosses the minimiser (3/t), or turns (constant damping), along the largest curvature.
 */
static void crossing_claims(const od_extremal *x, const double *along, double *z, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const od_claims_kind kind = od_claims_recognise(m, x->t1, x->t2);
    const double j11 = 3.8317059702075123, turn = 4 * kind.beta - kind.damping * kind.damping;
    if (m->start.t != 0 || !(kind.beta > 0)) {
        return;
    }
    if (fabs(kind.viscous - 3) < 1e-12) {
        const double want = j11 / sqrt(kind.beta);
        const double at = 1.05 * want < x->t2 ? sign_time(x, along, false, 0.95 * want, 1.05 * want, z) : NAN;
        if (!isnan(at)) {
            od_claim *c = od_claims_append(list, "nag-crossing", "section 2.1",
                                           "with damping 3/t from rest the path first crosses the minimiser at "
                                           "j_{1,1}/sqrt(beta), the longest time for which paths minimise");
            c->error_integration = 1e-9 * want;
            od_claims_match(c, want, at, "this path");
        }
    } else if (kind.damping >= 0 && turn > 1e-9 * kind.beta) {
        const double want = 6.283185307179586 / sqrt(turn);
        const double at = 1.05 * want < x->t2 ? sign_time(x, along, true, 0.95 * want, 1.05 * want, z) : NAN;
        if (!isnan(at)) {
            od_claim *c = od_claims_append(
                list, "damped-turning", "section 2.2.3, finding 4",
                "with constant damping from rest the path first turns where it stops being a "
                "minimiser, 2 pi/sqrt(4 beta - alpha^2): x' is itself a Jacobi field");
            c->error_integration = 1e-9 * want;
            od_claims_match(c, want, at, "this path");
        }
    }
}

/* What is said of one field: that along the largest curvature or, on other losses, of the first component. */
static od_status one_field(od_context *ctx, const od_extremal *x, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const od_problem *f = m->problem;
    const size_t d = f->dim, a = od_scratch_size(&m->flow.scratch, 1), b = od_scratch_size(&f->scratch, 1);
    const size_t steepest = od_claims_recognise(m, x->t1, x->t2).steepest;
    const double t1 = m->flow.singular ? fmax(x->t1, 0.1 * x->t2) : x->t1, t = (t1 + x->t2) / 2;
    const od_extremal later = {x->path, t1, x->t2};
    const bool flat = strcmp(m->problem_choice.name, "power") == 0 && f->rough == NULL;
    if (f->hvp == NULL || f->rough != NULL || m->flow.jvp == NULL) {
        return OD_OK;
    }
    double *z = od_zalloc(8 * d + (a > b ? a : b), sizeof *z), *u = z + 2 * d, *bent = u + 4 * d, *ws = bent + 2 * d;
    od_status status = z != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a Jacobi field");
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        u[d + i] = f->spectrum != NULL && f->spectrum->rotation != NULL ? f->spectrum->rotation[i * d + steepest]
                                                                        : i == steepest;
        bent[d + i] = u[d + i]; /* kept for the crossing */
    }
    status = status == OD_OK ? carry_field(ctx, &later, t, z, u, ws) : status;
    status = status == OD_OK ? f->hvp(f, 1, z, 1, u, bent, ws) : status;
    if (status == OD_OK && od_distance(d, NULL, u, NULL) > 0) {
        equation_claims(&later, t, u, bent, list);
    }
    if (status == OD_OK && f->spectrum != NULL) {
        crossing_claims(x, bent + d, z, list);
    }
    if (status == OD_OK && flat && od_setting_real(m->problem_choice.settings, "p") > 2 &&
        fabs(od_claims_recognise(m, x->t1, x->t2).viscous - 3) < 1e-12) {
        status = scaling_claim(ctx, x, z, u, ws, list);
    }
    free(z);
    return status;
}

od_status od_field_claims(od_context *ctx, const od_extremal *x, od_claim_list *list)
{
    const od_status status = field_claim(ctx, x, list);
    return status == OD_OK ? one_field(ctx, x, list) : status;
}
