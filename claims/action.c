/*
 * Section 2.2 of Orvieto (2023): the action of a path and what simple displacements do to it.
 *
 *   quadratics        J[X] = [e^a <x - x*, x'>]/2 at the ends; J[X + h] - J[X] = d2J[h]
 *   3/t, a hat        d2J = -c (3 beta e^4/10 + (beta c^2 - 3) e^2 - 3 c^2)/(3 e), centre c, half-width e
 *   alpha, a sine     d2J = e^{alpha t1} (e^{alpha T} - 1)/(2 alpha) w^2 (2 w^2 + alpha^2 - 2 beta)/(alpha^2 + 4 w^2)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "claims.h"

#include "src/memory.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* Paths are solved to 1e-13; zeros of a second variation, which no path enters, are located to 1e-12. */
#define SOLVED 1e-11
#define LOCATED 1e-10

/* Past this growth of the weights an action is not evaluated with all its digits. */
enum { PANELS = 64, LARGEST_EXPONENT = 300 };

typedef struct claims {
    od_context *ctx;
    od_action *a;
    const od_integral *value;
    od_claims_kind kind;
    double amplitude;
    double *direction; /* [d], and as many for x and v */
    double *x, *v;
    od_claim *claim;
    size_t count;
} claims;

static od_claim *add(claims *q, const char *id, const char *source, const char *statement)
{
    return od_claims_add(q->claim, &q->count, id, source, statement);
}

static void compare(od_claim *c, double predicted, double measured, double error, const char *counterexample)
{
    c->predicted = predicted;
    c->measured = measured;
    c->error_integration = error;
    od_claims_judge(c, fabs(measured - predicted) <= error, counterexample);
}

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

/* ln e^a of the kinetic term, as the action is scaled. */
static double ln_weight(const claims *q, double t)
{
    const od_flow *flow = &q->a->m->flow;
    double kinetic[2], potential[2];
    flow->lagrangian(flow, t, kinetic, potential);
    return kinetic[0] - q->a->ln_factor;
}

static od_displacement sine(const claims *q)
{
    return (od_displacement){.kind = OD_SINE, .number = 1, .direction = q->direction};
}

static od_displacement hat(const claims *q, double centre, double width)
{
    return (od_displacement){.kind = OD_HAT, .centre = centre, .width = width, .direction = q->direction};
}

/* ------------------------------------------------------------------------------------------------ any path */

/* e^b, the weight of the loss; of a loss whose value at the centre is not 0 the action has that times its integral. */
static od_status loss_weight(void *user, double t, double *y, double *size)
{
    const claims *q = user;
    double kinetic[2], potential[2];
    q->a->m->flow.lagrangian(&q->a->m->flow, t, kinetic, potential);
    *y = *size = exp(potential[0] - q->a->ln_factor);
    return OD_OK;
}

static od_status offset(claims *q, double *part)
{
    const od_problem *f = q->a->m->problem;
    double edge[PANELS + 1], value = 0, *ws = od_zalloc(od_scratch_size(&f->scratch, 1) + 1, sizeof *ws);
    od_integral weight = {0};
    od_status status = ws != NULL ? f->eval(f, OD_VALUE, 1, f->spectrum->centre, &value, NULL, ws)
                                  : od_fail(q->ctx, OD_ENOMEM, NULL, "no memory for a loss");
    for (int i = 0; i <= PANELS; i++) {
        edge[i] = i == PANELS ? q->a->t2 : q->a->t1 + (q->a->t2 - q->a->t1) * i / PANELS;
    }
    status = status == OD_OK && value != 0 ? od_integrate(q->ctx, edge, PANELS, 1, loss_weight, q, &weight) : status;
    free(ws);
    *part = -value * weight.value;
    return status;
}

static od_status end_term(const claims *q, double t, double *out)
{
    const od_status status = od_curve_at(q->a->curve, t, q->x, q->v, NULL);
    const size_t d = q->a->d;
    for (size_t i = 0; i < d; i++) {
        q->x[i] -= q->a->m->problem->spectrum->centre[i];
    }
    *out = exp(ln_weight(q, t)) * dot(d, q->x, q->v) / 2;
    return status;
}

/*
 * Eq. (8) of the Lagrangian with d/dt t |Y|^2/2 added, L_YY = -e^b H + 1 and L_YY' = t, on a sine: as printed, L_YY h^2
 * + 3 L_YY' h h', and as it should be, L_YY h^2 + 2 L_YY' h h' + L_Y'Y' h'^2, each halved.
 */
static od_status eighth_integrands(void *user, double t, double *y, double *size)
{
    const claims *q = user;
    const od_action *a = q->a;
    const od_flow *flow = &a->m->flow;
    const double w = pi / (a->t2 - a->t1), h = q->amplitude * sin(w * (t - a->t1)),
                 slope = q->amplitude * w * cos(w * (t - a->t1));
    double kinetic[2], potential[2];
    flow->lagrangian(flow, t, kinetic, potential);
    const double mass = exp(kinetic[0] - a->ln_factor), force = exp(potential[0] - a->ln_factor) * q->kind.beta;
    y[0] = ((1 - force) * h * h + 3 * t * h * slope) / 2;
    y[1] = ((1 - force) * h * h + 2 * t * h * slope + mass * slope * slope) / 2;
    size[0] = size[1] = ((1 + fabs(force)) * h * h + 3 * fabs(t * h * slope) + mass * slope * slope) / 2;
    return OD_OK;
}

static od_status eighth_claims(claims *q, const od_variations *of)
{
    double edge[PANELS + 1];
    od_integral integral[2];
    for (int i = 0; i <= PANELS; i++) {
        edge[i] = i == PANELS ? q->a->t2 : q->a->t1 + (q->a->t2 - q->a->t1) * i / PANELS;
    }
    const od_status status = od_integrate(q->ctx, edge, PANELS, 2, eighth_integrands, q, integral);
    if (status != OD_OK || !(q->kind.beta > 0)) {
        return status;
    }
    const double error = integral[1].error + of->difference.error + of->first.error +
                         SOLVED * (integral[1].size + of->first.size + of->second.size);
    od_claim *c = add(q, "integrand-printed", "eq. (8)",
                      "the second variation has the integrand (L_YY h^2 + L_YY' h h' + 2 L_YY' h h')/2 (a sine; d/dt t "
                      "|Y|^2/2 added to L, so that L_YY' = t; measured: J[X + h] - J[X])");
    compare(c, integral[0].value, of->difference.value, error, "this path; the last term is to be L_Y'Y' h'^2");
    c->expected = OD_FAILS;
    c = add(q, "integrand", "eq. (8), corrected", "it is (L_YY h^2 + 2 L_YY' h h' + L_Y'Y' h'^2)/2 (the same sine)");
    compare(c, integral[1].value, of->difference.value, error, "this path");
    return OD_OK;
}

static od_status exact_claims(claims *q)
{
    double start, end, level, size = 0, lost = 0;
    od_variations of;
    const od_displacement h = sine(q);
    od_status status = offset(q, &level);
    status = status == OD_OK ? end_term(q, q->a->t1, &start) : status;
    if (status == OD_OK) {
        size = sqrt(dot(q->a->d, q->x, q->x));
        status = end_term(q, q->a->t2, &end);
    }
    if (status == OD_OK) { /* of a path that has fallen far fewer digits are left, and weights may have grown */
        lost = SOLVED * exp(ln_weight(q, q->a->t2)) * size * sqrt(dot(q->a->d, q->x, q->x) + dot(q->a->d, q->v, q->v));
    }
    status = status == OD_OK ? od_action_variations(q->ctx, q->a, &h, q->amplitude, &of) : status;
    if (status != OD_OK) {
        return status;
    }
    if (isfinite(start)) {
        od_claim *c = add(q, "action-closed-form", "eq. (5), by parts",
                          "on a path on a quadratic J is [e^a <x - x*, x'>]/2 between the ends, but for f(x*)");
        compare(c, end - start + level, q->value->value,
                q->value->error + SOLVED * (q->value->size + fabs(level)) + lost, "this path");
    }
    od_claim *c = add(q, "second-variation-exact", "eqs. (7), (9)",
                      "on a quadratic J[X + h] - J[X] is the second variation, for h of any size (here a sine)");
    compare(c, of.second.value, of.difference.value,
            of.difference.error + of.second.error + of.first.error + SOLVED * (of.first.size + of.second.size),
            "this path and a sine");
    return eighth_claims(q, &of);
}

/* d/dt t |Y|^2/2 along the path displaced by a sine. */
static od_status total_derivative(void *user, double t, double *out, double *size)
{
    const claims *q = user;
    const od_action *a = q->a;
    const double w = pi / (a->t2 - a->t1), h = q->amplitude * sin(w * (t - a->t1)),
                 slope = q->amplitude * w * cos(w * (t - a->t1));
    const od_status status = od_curve_at(a->curve, t, q->x, q->v, NULL);
    for (size_t i = 0; i < a->d; i++) {
        q->x[i] += h * q->direction[i];
        q->v[i] += slope * q->direction[i];
    }
    const double square = dot(a->d, q->x, q->x), speed = dot(a->d, q->v, q->v);
    out[0] = t * dot(a->d, q->x, q->v) + square / 2;
    size[0] = fabs(t) * sqrt(square * speed) + square / 2;
    for (size_t i = 0; i < a->d; i++) { /* as printed: F_Y and F_t on the path itself */
        q->x[i] -= h * q->direction[i];
    }
    const double before = dot(a->d, q->x, q->x);
    out[1] = t * dot(a->d, q->x, q->v) + before / 2;
    size[1] = fabs(t) * sqrt(before * speed) + before / 2;
    return status;
}

static od_status null_claim(claims *q)
{
    const double t1 = q->a->t1, t2 = q->a->t2;
    double edge[PANELS + 1], ends[2];
    od_integral integral[2];
    for (int i = 0; i <= PANELS; i++) {
        edge[i] = i == PANELS ? t2 : t1 + (t2 - t1) * i / PANELS;
    }
    od_status status = od_integrate(q->ctx, edge, PANELS, 2, total_derivative, q, integral);
    for (int k = 0; k < 2 && status == OD_OK; k++) {
        const double t = k == 0 ? t1 : t2;
        status = od_curve_at(q->a->curve, t, q->x, NULL, NULL);
        ends[k] = t * dot(q->a->d, q->x, q->x) / 2;
    }
    if (status != OD_OK) {
        return od_fail(q->ctx, status, "interval", "%s [%.9g, %.9g]",
                       status == OD_EINTERRUPTED ? "interrupted on" : "the path could not be evaluated on", t1, t2);
    }
    od_claim *c = add(q, "null-lagrangian", "eq. (25)",
                      "adding dF/dt to the Lagrangian changes J by F at the ends alone, here F = t |Y|^2/2 on the path "
                      "and a sine");
    compare(c, ends[1] - ends[0], integral[0].value, integral[0].error + SOLVED * integral[0].size,
            "this path and a sine");
    double along[2] = {0};
    for (int k = 0; k < 2 && status == OD_OK; k++) {
        status = od_curve_at(q->a->curve, k == 0 ? t1 : t2, q->x, NULL, NULL);
        along[k] = fabs(dot(q->a->d, q->x, q->direction));
    }
    if (status == OD_OK && q->kind.least >= 0 && q->kind.beta > 0 &&
        along[0] + along[1] > 0) { /* a path that moves along the sine */
        c = add(q, "null-lagrangian-printed", "eq. (25)", "the same with F_Y and F_t taken at X in place of Y");
        compare(c, ends[1] - ends[0], integral[1].value, integral[1].error + SOLVED * integral[1].size,
                "this path and a sine");
        c->expected = OD_FAILS;
    }
    return OD_OK;
}

/*
 * d2J of a hat is e^a/e |h|^2 where its half-width e is small, whatever the loss; what is left falls with e^2. Where
 * the hat is high J itself follows later.
 */
static od_status legendre_claim(claims *q)
{
    enum { HALVINGS = 24 };
    const double near = 1e-4;
    const double t1 = q->a->t1, t2 = q->a->t2, centre = (t1 + t2) / 2, size = q->amplitude;
    const double leading = exp(ln_weight(q, centre)) * size * size * dot(q->a->d, q->direction, q->direction);
    double width = (t2 - t1) / 64, before = NAN, ratio = NAN;
    od_variations of = {0};
    od_status status = OD_OK;
    if (!(leading > 0)) {
        return OD_OK; /* a displacement of no size */
    }
    for (int i = 0; i < HALVINGS && status == OD_OK && !(fabs(ratio - before) <= near && of.difference.value > 0);
         i++) {
        before = ratio;
        width /= 2;
        const od_displacement h = hat(q, centre, width);
        status = od_action_variations(q->ctx, q->a, &h, size, &of);
        ratio = of.second.value * width / leading;
    }
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(q, "never-maximum", "Thm 2.2.2, Legendre's condition",
                      "no path is a maximum: a narrow hat raises J, by e^a |h|^2 over its half-width (the ratio is "
                      "given)");
    c->error_model = near;
    compare(c, 1, ratio, of.second.error * width / leading, "a narrow hat on this path");
    od_claims_judge(c, fabs(ratio - 1) <= c->error_model + c->error_integration && of.difference.value > 0,
                    "a narrow hat on this path");
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ 3/t, a hat */

/* How d2J of a displacement depends on one number. */
typedef od_status second_variation(claims *q, double at, double *value);

/* beta x^2/2 in one dimension, the part of a quadratic that a displacement along its largest curvature meets. */
static od_status steepest_eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value, double *g,
                               double *ws)
{
    const double beta = *(const double *)f->data;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        if (want & OD_VALUE) {
            value[p] = beta * x[p] * x[p] / 2;
        }
        if (want & OD_GRADIENT) {
            g[p] = beta * x[p];
        }
    }
    return OD_OK;
}

static od_status steepest_hvp(const od_problem *f, size_t n, const double *x, size_t m, const double *u, double *hu,
                              double *ws)
{
    const double beta = *(const double *)f->data;
    (void)x;
    (void)ws;
    for (size_t i = 0; i < n * m; i++) {
        hu[i] = beta * u[i];
    }
    return OD_OK;
}

/* On any interval, of the member's Lagrangian: the path does not enter, so a curve at rest stands for it. */
static od_status second_at(claims *q, double t1, double t2, od_displacement h, double *value)
{
    const od_problem steepest = {.dim = 1, .eval = steepest_eval, .hvp = steepest_hvp, .data = &q->kind.beta};
    const double along = 1;
    od_member m = *q->a->m;
    od_curve rest = {0};
    od_action a = {0};
    od_variations of;
    m.problem = &steepest;
    h.direction = &along;
    od_status status = od_curve_broken(q->ctx, 1, t1, t2, 2, &rest);
    status = status == OD_OK ? od_action_open(q->ctx, &m, &rest, t1, t2, &a) : status;
    status = status == OD_OK ? od_action_variations(q->ctx, &a, &h, 1, &of) : status;
    *value = status == OD_OK ? of.second.value : NAN;
    od_action_close(&a);
    od_curve_close(&rest);
    return status;
}

static od_status hat_from(claims *q, double t1, double length, double *value)
{
    const od_displacement h = hat(q, t1 + length / 2, length / 2);
    return second_at(q, t1, t1 + length, h, value);
}

static od_status hat_from_start(claims *q, double length, double *value)
{
    return hat_from(q, q->a->t1, length, value);
}

static od_status hat_from_zero(claims *q, double length, double *value)
{
    return hat_from(q, 0, length, value);
}

/* Where the widest hat about it does not reach t = 0 before its sign has changed. */
static double hat_centre(const claims *q)
{
    return fmax((q->a->t1 + q->a->t2) / 2, 3 / sqrt(q->kind.beta));
}

static od_status hat_about_centre(claims *q, double width, double *value)
{
    const double centre = hat_centre(q);
    const od_displacement h = hat(q, centre, width);
    return second_at(q, centre - width, centre + width, h, value);
}

static od_status sine_of_length(claims *q, double length, double *value)
{
    const od_displacement h = sine(q);
    return second_at(q, q->a->t1, q->a->t1 + length, h, value);
}

/* Zero between low, where d2J > 0, and high, where d2J < 0: regula falsi with halved ends (Illinois); NaN if none. */
static od_status sign_change(claims *q, second_variation *second, double low, double high, double *zero)
{
    double above, below, at = NAN;
    od_status status = second(q, low, &above);
    status = status == OD_OK ? second(q, high, &below) : status;
    *zero = NAN;
    if (status != OD_OK || !(above > 0 && below < 0)) {
        return status;
    }
    int side = 0;
    for (int i = 0; i < 60 && status == OD_OK && high - low > 1e-13 * high; i++) {
        const double last = at;
        double value;
        at = (low * below - high * above) / (below - above);
        if (fabs(at - last) <= 1e-13 * high) {
            break;
        }
        status = second(q, at, &value);
        if (value > 0) {
            below = side > 0 ? below / 2 : below;
            low = at;
            above = value;
            side = 1;
        } else {
            above = side < 0 ? above / 2 : above;
            high = at;
            below = value;
            side = -1;
        }
    }
    *zero = at;
    return status;
}

static od_status hat_claims(claims *q)
{
    const double beta = q->kind.beta, root = sqrt(beta), t1 = q->a->t1, t2 = q->a->t2;
    const double centre = (t1 + t2) / 2, width = (t2 - t1) / 2, w2 = width * width, c2 = centre * centre;
    const od_displacement widest = hat(q, centre, width);
    od_variations of;
    double change, longest, sharp;
    od_status status = od_action_variations(q->ctx, q->a, &widest, 1, &of);
    status = status == OD_OK ? sign_change(q, hat_about_centre, 1.7 / root, 3 / root, &change) : status;
    status = status == OD_OK ? sign_change(q, hat_from_start, 3.4 / root, 1.01 * sqrt(40) / root, &longest) : status;
    status = status == OD_OK ? sign_change(q, hat_from_zero, 3.4 / root, 1.01 * sqrt(40) / root, &sharp) : status;
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = add(q, "hat-value", "eq. (19)",
                      "a hat of half-width e about c has d2J = -c (3 beta e^4/10 + (beta c^2 - 3) e^2 - 3 c^2)/(3 e) "
                      "(here the widest one)");
    compare(c,
            -exp(ln_weight(q, centre) - 3 * log(centre)) * centre *
                (0.3 * beta * w2 * w2 + (beta * c2 - 3) * w2 - 3 * c2) / (3 * width),
            of.second.value, of.second.error + SOLVED * of.second.size, "the widest hat");
    const double u = beta * hat_centre(q) * hat_centre(q), radical = sqrt(25 * u * u - 60 * u + 225);
    c = add(q, "hat-sign", "eq. (19), its zero",
            "hats about c lower J from e^2 = (15 - 5 u + sqrt(25 u^2 - 60 u + 225))/(3 beta) on, u = beta c^2 (c the "
            "middle, or 3/sqrt(beta) if that is later)");
    /* its numerator without the difference of near numbers */
    compare(c, sqrt(90 * u / (radical + 5 * u - 15) / (3 * beta)), change, LOCATED / root, "this c");
    c = add(q, "hat-length", "Prop. 2.2.1", "sqrt(40/beta) is long enough for a hat from t1 on to lower J");
    c->predicted = sqrt(40) / root;
    c->measured = longest;
    c->error_integration = LOCATED / root;
    od_claims_judge(c, longest <= c->predicted, "this t1");
    c = add(q, "hat-length-sharp", "Prop. 2.2.1, sharpened",
            "so is sqrt(240/(13 beta)) for the same hat, and no less if t1 = 0");
    compare(c, sqrt(240 / 13.) / root, sharp, LOCATED / root, "this curvature");
    od_claims_judge(c, c->verdict == OD_HOLDS && longest <= c->predicted + c->error_integration, "this t1");
    return od_hat_claims(q->ctx, q->a, beta, &widest, &of, q->claim, &q->count);
}

/* Along X + s h on a quadratic J is J[X] + s^2 d2J[h]. */
static od_status unbounded_claim(claims *q, bool below, double width)
{
    const od_displacement h = hat(q, (q->a->t1 + q->a->t2) / 2, width);
    const double sizes[2] = {1e6, 1e8};
    double j[2], error = 0;
    for (int k = 0; k < 2; k++) {
        od_variations of;
        const od_status status = od_action_variations(q->ctx, q->a, &h, sizes[k], &of);
        if (status != OD_OK) {
            return status;
        }
        j[k] = (below ? -1 : 1) * (q->value->value + of.difference.value);
        error += (fabs(q->value->value) + fabs(of.first.value) + SOLVED * of.difference.size + of.difference.error) /
                 fabs(j[k]);
    }
    od_claim *c = below ? add(q, "unbounded-below", "Prop. 2.2.2",
                              "on intervals longer than sqrt(40/beta) J is unbounded below between fixed ends: ln |J| "
                              "grows twice as fast as the logarithm of a wide hat's height")
                        : add(q, "unbounded-above", "Prop. 2.2.2",
                              "J is unbounded above between fixed ends: ln J grows twice as fast as the logarithm of a "
                              "narrow hat's height");
    compare(c, 2, j[0] > 0 && j[1] > 0 ? log(j[1] / j[0]) / log(sizes[1] / sizes[0]) : NAN,
            error / log(sizes[1] / sizes[0]), "this path and a hat");
    return OD_OK;
}

static od_status viscous_claims(claims *q)
{
    const double length = q->a->t2 - q->a->t1, root = sqrt(q->kind.beta);
    od_status status = hat_claims(q);
    if (status != OD_OK || !(q->kind.least >= 0)) {
        return status;
    }
    /* no hat narrower than sqrt(3/beta) lowers J */
    status = unbounded_claim(q, false, fmin(length / 2, 0.5 / root));
    return status == OD_OK && length > sqrt(40) / root ? unbounded_claim(q, true, length / 2) : status;
}

/* ------------------------------------------------------------------------------------------------ alpha, a sine */

static od_status damped_claims(claims *q)
{
    const double alpha = q->kind.damping, beta = q->kind.beta, t1 = q->a->t1, length = q->a->t2 - t1;
    const double w = pi / length, squared = 2 * beta - alpha * alpha;
    const double weight = exp(ln_weight(q, q->a->t2)) *
                          (alpha > 0 ? -expm1(-alpha * length) / (2 * alpha) : length / 2);
    const double value = weight * w * w * (2 * w * w - squared) / (alpha * alpha + 4 * w * w);
    const od_displacement h = sine(q);
    od_variations of;
    od_status status = od_action_variations(q->ctx, q->a, &h, 1, &of);
    if (status != OD_OK) {
        return status;
    }
    const double error = of.second.error + SOLVED * of.second.size;
    if (alpha == 1 && beta == 1) {
        od_claim *c = add(q, "sine-value-printed", "eq. (24)",
                          "sin(k pi (t - t1)/T) has d2J = e^{2 t1} e^{-T} (e^T - 1) k^2 pi^2 (2 k^2 pi^2 - T^2)/"
                          "(T^2 (4 k^2 pi^2 + T^2)), k = 1");
        compare(c, 2 * exp(t1 - length) * value, of.second.value, error,
                "this interval; the factor e^{2 t1} e^{-T} is to be e^{t1}/2");
        c->expected = fabs(c->predicted - value) <= error ? OD_HOLDS : OD_FAILS;
    }
    od_claim *c = add(q, "sine-value", "eq. (24), corrected",
                      "with w = k pi/T it is e^{alpha t1} (e^{alpha T} - 1)/(2 alpha) w^2 (2 w^2 + alpha^2 - 2 beta)/"
                      "(alpha^2 + 4 w^2), k = 1");
    compare(c, value, of.second.value, error, "this interval");
    const double predicted = squared > 0 ? pi * sqrt(2 / squared) : INFINITY;
    if (alpha * predicted < LARGEST_EXPONENT) {
        double measured;
        status = sign_change(q, sine_of_length, 0.7 * predicted, 1.3 * predicted, &measured);
        c = add(q, "sine-sign", "eq. (24), its zero",
                "the sine lowers J from T = k pi sqrt(2/(2 beta - alpha^2)) on, sqrt(2) k pi at alpha = beta = 1, k = "
                "1");
        compare(c, predicted, measured, LOCATED * fmax(predicted, fabs(t1)), "this t1");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

static void set_direction(claims *q, const double *direction)
{
    const od_spectrum *s = q->a->m->problem->spectrum;
    const size_t d = q->a->d, k = q->kind.steepest;
    for (size_t i = 0; i < d; i++) {
        q->direction[i] = s == NULL ? direction[i] : s->rotation != NULL ? s->rotation[i * d + k] : i == k;
    }
}

od_status od_action_claims(od_context *ctx, od_action *a, const od_integral *value, const double *direction,
                           double amplitude, od_claim *claim, size_t *count)
{
    claims q = {.ctx = ctx, .a = a, .value = value, .amplitude = amplitude, .claim = claim};
    *count = 0;
    if (a->curve->path == NULL) {
        return OD_OK;
    }
    q.kind = od_claims_recognise(a->m, a->t1, a->t2);
    q.direction = od_zalloc(3 * a->d, sizeof *q.direction);
    if (q.direction == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the claims");
    }
    q.x = q.direction + a->d;
    q.v = q.x + a->d;
    set_direction(&q, direction);
    od_status status = a->m->problem->spectrum != NULL ? exact_claims(&q) : OD_OK;
    if (status == OD_OK && q.kind.beta > 0 && fabs(q.kind.viscous - 3) < 1e-12) {
        status = viscous_claims(&q);
    } else if (status == OD_OK && q.kind.beta > 0 && q.kind.damping >= 0) {
        status = damped_claims(&q);
    }
    status = status == OD_OK ? null_claim(&q) : status;
    status = status == OD_OK ? legendre_claim(&q) : status;
    free(q.direction);
    *count = q.count;
    return status;
}
