/*
 * Section 2.2 of Orvieto (2023): Jacobi fields, as the derivative of the flow carries them, in closed form and in the
 * equations that print gives them.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _XOPEN_SOURCE 700 /* j1, y1 */
#include "fields.h"

#include "axis.h"
#include "kind.h"

#include "analysis/passage.h"
#include "analysis/vector.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* J_nu by its series, also for negative nu that are no whole numbers. */
static double bessel(double nu, double s)
{
    long double term = powl(s / 2, nu) / tgammal(nu + 1), sum = term;
    for (int k = 1; k < 200 && fabsl(term) > 1e-22L * fabsl(sum); k++) {
        term *= -(long double)s * s / (4 * k * ((long double)nu + k));
        sum += term;
    }
    return (double)sum;
}

/* The quotient of eq. (15) at an order next to 1. */
static double quotient(double nu, double s)
{
    const double pi = 3.14159265358979323846;
    return (bessel(nu, s) * cos(pi * nu) - bessel(-nu, s)) / sin(pi * nu);
}

/* Eq. (15) has Y_1 as the quotient (J_n cos n pi - J_{-n})/sin n pi, which is 0/0 at n = 1 since J_{-1} = -J_1. */
static void second_claims(const od_extremal *x, double beta, double measured, od_claim_list *list)
{
    const double root = sqrt(beta), s1 = root * x->t1, s2 = root * x->t2, off = 1e-4;
    const double scale = 1.5707963267948966 * x->t1 * x->t1 / x->t2;
    if (!(s1 > 1e-3 && s2 < 15)) {
        return; /* the series has lost its digits */
    }
    const double first = (quotient(1 - off, s1) + quotient(1 + off, s1)) / 2,
                 last = (quotient(1 - off, s2) + quotient(1 + off, s2)) / 2;
    const double nothing = j1(s2) * -1 + j1(s2), sine = 0; /* cos pi = -1, sin pi = 0 */
    od_claim *c = od_claims_append(list, "jacobi-second-printed", "eq. (15)",
                                   "Y1 of the Jacobi field is (J1 cos pi - J_{-1})/sin pi (the field at t2 with that)");
    c->expected = OD_FAILS;
    od_claims_match(c, scale * j1(s1) * (nothing / sine), measured, "0/0 at order 1; it is a limit");
    c = od_claims_append(list, "jacobi-second", "eq. (15), corrected",
                         "it is the limit of (J_n cos n pi - J_{-n})/sin n pi for n to 1 (the field at t2 by the mean "
                         "of n = 1 - 1e-4 and 1 + 1e-4)");
    c->error_model = 1e-5 * scale * (fabs(j1(s1) * last) + fabs(first * j1(s2)));
    od_claims_match(c, scale * (j1(s1) * last - first * j1(s2)), measured, "this path");
}

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
    second_claims(x, beta, measured, list);
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

static od_status check_followed(od_context *ctx, od_status status)
{
    return status == OD_OK || status == OD_EINTERRUPTED
               ? status
               : od_fail(ctx, status, NULL, "a Jacobi field could not be followed");
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
            u[d + i] = od_axis_entry(s, d, kind.steepest, i);
        }
        status = od_trajectory_at(x->path, x->t1, z, z + d);
        status = status == OD_OK ? od_passage_cross(passage, x->t1, x->t2, z, 1, u, NULL) : status;
        status = check_followed(ctx, status);
        measured = od_axis_dot(s, d, kind.steepest, u);
    }
    if (status == OD_OK) {
        field_claims(x, kind.beta, measured, list);
    }
    od_passage_close(passage);
    free(z);
    return status;
}

/* A field u = (h, h') [2 d] along the path, from h = 0 and the slope u[d] at t1 to the time t. z [2 d] */
static od_status carry_field(od_context *ctx, const od_extremal *x, double t, double *z, double *u)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    od_passage *passage = NULL;
    od_status status = od_passage_open(ctx, &m->flow, 1e-13, 1, &passage);
    status = status == OD_OK ? od_trajectory_at(x->path, x->t1, z, z + d) : status;
    status = status == OD_OK ? od_passage_cross(passage, x->t1, t, z, 1, u, NULL) : status;
    od_passage_close(passage);
    return check_followed(ctx, status);
}

/* h'' of that field at t by differences of h', of fourth and of second order: second[2 d]. u is lost. */
static od_status bend_field(od_context *ctx, const od_extremal *x, double t, double step, double *z, double *u,
                            double *second)
{
    static const double fourth[] = {1, -8, 0, 8, -1}, near[] = {0, -1, 0, 1, 0};
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    double at = x->t1;
    od_passage *passage = NULL;
    od_status status = od_passage_open(ctx, &m->flow, 1e-13, 1, &passage);
    status = status == OD_OK ? od_trajectory_at(x->path, x->t1, z, z + d) : status;
    memset(second, 0, 2 * d * sizeof *second);
    for (int k = 0; k < 5 && status == OD_OK; k++) {
        const double next = t + (k - 2) * step;
        status = od_passage_cross(passage, at, next, z, 1, u, NULL);
        at = next;
        for (size_t i = 0; i < d; i++) {
            second[i] += fourth[k] / (12 * step) * u[d + i];
            second[d + i] += near[k] / (2 * step) * u[d + i];
        }
    }
    od_passage_close(passage);
    return check_followed(ctx, status);
}

/*
 * d/dt (P h') - Q h, P = e^a, Q = -e^b Hess f, over e^a: the slips in print leave a prime or a sign out. u = (h, h'),
 * bent = Hess f h, second is h'' and less accurate.
 */
static void equation_claims(const od_extremal *x, double t, const double *u, const double *bent, const double *second,
                            od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    const od_claims_kind kind = od_claims_recognise(m, x->t1, x->t2);
    double a[2], b[2], left[3] = {0}, size = 0, wrong = 0, coarse = 0;
    m->flow.lagrangian(&m->flow, t, a, b);
    const double force = exp(b[0] - a[0]), *h = u, *slope = u + d;
    for (size_t i = 0; i < d; i++) {
        const double inertia = a[1] * slope[i] + second[i], pull = force * bent[i],
                     printed = a[1] * h[i] + slope[i] + pull;
        left[0] += printed * printed;
        left[1] += (inertia + pull) * (inertia + pull);
        left[2] += (inertia - pull) * (inertia - pull);
        size += second[i] * second[i] + a[1] * a[1] * slope[i] * slope[i] + pull * pull;
        wrong += pull * pull;
        coarse += (second[i] - second[d + i]) * (second[i] - second[d + i]);
    }
    /* differences of fourth order are off by about the square of what those of second order are */
    const double error = 100 * coarse / size + 1e-8;
    if (!(wrong > 1e-12 * size)) {
        return;
    }
    od_claim *c = od_claims_append(
        list, "jacobi-equation-printed", "before Thm 2.2.4",
        "Jacobi fields obey d/dt (P h) - Q h = 0 (measured: what is left of it, over P and the "
        "sizes of h'' and others; half way)");
    c->expected = OD_FAILS;
    c->error_integration = error;
    od_claims_match(c, 0, sqrt(left[0] / size), "this path: it is d/dt (P h')");
    c = od_claims_append(list, "jacobi-equation", "before Thm 2.2.4, corrected",
                         "Jacobi fields obey d/dt (P h') - Q h = 0 (measured: what is left of it, half way)");
    c->error_integration = error;
    od_claims_match(c, 0, sqrt(left[1] / size), "this path");
    if (kind.beta > 0 && fabs(kind.viscous - 3) < 1e-12) {
        c = od_claims_append(list, "jacobi-sign-printed", "eq. (12)",
                             "with damping 3/t on a quadratic d/dt (t^3 h') - beta t^3 h = 0 (measured: what is left)");
        c->expected = OD_FAILS;
        c->error_integration = error;
        od_claims_match(c, 0, sqrt(left[2] / size), "this path: the sign is +");
        c = od_claims_append(list, "jacobi-sign", "eq. (12), corrected",
                             "with damping 3/t on a quadratic d/dt (t^3 h') + beta t^3 h = 0 (measured: what is left)");
        c->error_integration = error;
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
            status = carry_field(ctx, &late, late.t2, z, u);
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

/* The equations of the field with this slope at t1, half way. z [2 d], u [4 d], bent [3 d] */
static od_status field_equations(od_context *ctx, const od_extremal *x, const double *slope, double *z, double *u,
                                 double *bent, double *ws, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const size_t d = m->problem->dim;
    const double t = (x->t1 + x->t2) / 2;
    double a[2], b[2], *again = u + 2 * d, *second = bent + d;
    memset(u, 0, 4 * d * sizeof *u);
    memcpy(u + d, slope, d * sizeof *u);
    memcpy(again + d, slope, d * sizeof *u);
    od_status status = carry_field(ctx, x, t, z, u);
    status = status == OD_OK ? m->problem->hvp(m->problem, 1, z, 1, u, bent, ws) : status;
    const double size = od_distance(d, NULL, u, NULL);
    if (status != OD_OK || !(size > 0)) {
        return status;
    }
    m->flow.lagrangian(&m->flow, t, a, b);
    const double rate = sqrt(exp(b[0] - a[0]) * od_distance(d, NULL, bent, NULL) / size + a[1] * a[1]);
    const double step = fmin(0.01 / rate, (x->t2 - x->t1) / 8);
    status = bend_field(ctx, x, t, step, z, again, second);
    if (status == OD_OK) {
        equation_claims(x, t, u, bent, second, list);
    }
    return status;
}

/* What is said of one field: that along the largest curvature or, on other losses, of the first component. */
static od_status one_field(od_context *ctx, const od_extremal *x, od_claim_list *list)
{
    const od_member *m = od_trajectory_member(x->path);
    const od_problem *f = m->problem;
    const size_t d = f->dim;
    const od_claims_kind kind = od_claims_recognise(m, x->t1, x->t2);
    const od_extremal later = {x->path, m->flow.singular ? fmax(x->t1, 0.1 * x->t2) : x->t1, x->t2};
    const bool flat = strcmp(m->problem_choice.name, "power") == 0 && f->rough == NULL;
    if (f->hvp == NULL || f->rough != NULL || m->flow.jvp == NULL) {
        return OD_OK;
    }
    double *z = od_zalloc(10 * d + od_claims_scratch(m, 1), sizeof *z), *u = z + 2 * d, *slope = u + 4 * d,
           *bent = slope + d, *ws = bent + 3 * d;
    od_status status = z != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a Jacobi field");
    for (size_t i = 0; i < d && status == OD_OK; i++) {
        slope[i] = f->spectrum != NULL ? od_axis_entry(f->spectrum, d, kind.steepest, i) : i == 0;
    }
    status = status == OD_OK ? field_equations(ctx, &later, slope, z, u, bent, ws, list) : status;
    if (status == OD_OK && f->spectrum != NULL) {
        crossing_claims(x, slope, z, list);
    }
    if (status == OD_OK && flat && od_setting_real(m->problem_choice.settings, "p") > 2 &&
        fabs(kind.viscous - 3) < 1e-12) {
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
