/*
 * The classical Runge-Kutta scheme, adaptive, with steps that its stability allows: h times each eigenvalue of the
 * drift's Jacobian stays within `safety` of the scheme's region of stability. On stiff flows, such as those of
 * networks, that bound is what limits an explicit scheme. One that controls its error alone runs into it again and
 * again, sees its error grow, and cuts its step; this one stays inside.
 *
 * The eigenvalues that matter are followed by Arnoldi's iteration (1951) with the flow's Jacobian-vector products, from
 * where it ended the last time; a tenth of each start is random, so that an eigenvalue that has become the one that
 * matters is found. It is repeated after 1 step, 2, 4, up to 32, as long as the limit changes little. On gradient flows
 * this is Lanczos' iteration for the largest curvature.
 *
 * The error is estimated by the weights 1/6, 1/3, 1/3, 0, 1/6 with the slope at the end of the step as fifth stage,
 * which is the first one of the next step: they have order 3.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/memory.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS = 8, WORK = 16 * VECTORS, MOST_WAIT = 32, REPEATS = 12 };
static const double settled = 0.05, little = 0.02, much = 0.1, pi = 3.14159265358979323846;

/* Steps reach ahead of the times that were asked for, so that these do not change them. */
typedef struct path {
    double t0, t1, told;                      /* z0 at t0, z1 at t1; `out` was handed out for time told */
    double *z0, *z1, *f0, *f1, *out, *vector; /* [dim] */
    double h;                                 /* the next step by its error; NaN: not begun */
    double limit;                             /* the longest stable step; NaN: not measured */
    unsigned age, wait;                       /* steps since it was measured, and until it is measured again */
    uint64_t measured, steps;                 /* how often it was, and steps taken in all */
} path;

enum { OF_PATH = 6 };

typedef struct solver {
    size_t dim, n;
    double safety, longest, rtol, atol;
    uint64_t max_steps; /* of one path in all */
    path *path;         /* [n] */
    double *memory;
    double *k2, *k3, *k4, *y; /* [dim] stages and a point; y is free of use between steps */
    double *basis;            /* [(VECTORS+1)*dim] */
    double h[VECTORS * VECTORS], re[VECTORS], im[VECTORS], s[VECTORS * VECTORS], work[WORK];
} solver;

/* ------------------------------------------------------------------------------------------- stability */

static double growth(double complex z)
{
    return cabs(1 + z * (1 + z / 2 * (1 + z / 3 * (1 + z / 4))));
}

/* How far one may go from 0 in the direction of an eigenvalue. Where solutions grow, 1: as far as they are resolved. */
static double reach(double re, double im)
{
    const double angle = atan2(fabs(im), re);
    if (angle < pi / 4) {
        return 1;
    }
    const double complex ray = cexp(I * fmax(angle, pi / 2));
    double inner = 0, outer = 0.0625;
    while (outer < 4 && growth(outer * ray) <= 1 + 1e-12) {
        inner = outer;
        outer += 0.0625;
    }
    for (int i = 0; i < 40; i++) {
        const double middle = (inner + outer) / 2;
        if (growth(middle * ray) <= 1 + 1e-12) {
            inner = middle;
        } else {
            outer = middle;
        }
    }
    return inner;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void add(size_t n, double c, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += c * x[i];
    }
}

/* v over its length; false if that is rounding beside `size`. */
static bool normalise(size_t n, double size, double *v, double *length)
{
    *length = sqrt(dot(n, v, v));
    if (!(*length > 1e-14 * size)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        v[i] /= *length;
    }
    return true;
}

static void first_vector(const solver *s, path *p)
{
    double *q = s->basis, length;
    for (size_t i = 0; i < s->dim; i++) {
        q[i] = od_normal(0, OD_STREAM_CHECK, 1, i, p->measured);
    }
    normalise(s->dim, 0, q, &length);
    if (dot(s->dim, p->vector, p->vector) > 0) {
        for (size_t i = 0; i < s->dim; i++) {
            q[i] = 0.1 * q[i] + p->vector[i];
        }
        normalise(s->dim, 0, q, &length);
    }
}

/* Arnoldi's iteration at (t, z): the Hessenberg matrix into s->h by columns, its next subdiagonal entry, its size. */
static od_status arnoldi(const od_stepper *stepper, double t, const double *z, size_t *size, double *next, double *ws)
{
    solver *s = stepper->state;
    const od_flow *flow = stepper->flow;
    const size_t dim = s->dim, most = dim < VECTORS ? dim : VECTORS;
    memset(s->h, 0, sizeof s->h);
    *next = 0;
    for (size_t j = 0; j < most; j++) {
        double *w = s->basis + (j + 1) * dim;
        od_status status = flow->jvp(flow, t, 1, z, 1, s->basis + j * dim, w, ws);
        if (status != OD_OK) {
            return status;
        }
        const double before = sqrt(dot(dim, w, w));
        if (!isfinite(before)) {
            return OD_ENUMERIC;
        }
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i <= j; i++) {
                const double c = dot(dim, s->basis + i * dim, w);
                s->h[j * VECTORS + i] += c;
                add(dim, -c, s->basis + i * dim, w);
            }
        }
        *size = j + 1;
        if (!normalise(dim, before, w, next) || j + 1 == dim) {
            *next = 0;
            return OD_OK;
        }
        if (j + 1 < most) {
            s->h[j * VECTORS + j + 1] = *next;
        }
    }
    return OD_OK;
}

/* The longest stable step by the Ritz values, widened by their residuals; `vector` becomes the one that sets it. */
static od_status measure_once(od_stepper *stepper, path *p, const double *z, double *limit, double *doubt, double *ws)
{
    solver *s = stepper->state;
    size_t size = 0, worst = 0;
    double next;
    first_vector(s, p);
    p->measured++;
    const od_status status = arnoldi(stepper, p->t1, z, &size, &next, ws);
    if (status != OD_OK) {
        return status;
    }
    stepper->evaluations += size;
    if (LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', 'V', (int)size, s->h, VECTORS, s->re, s->im, NULL, 1, s->s, VECTORS,
                           s->work, WORK) != 0) {
        return OD_ENUMERIC;
    }
    *limit = INFINITY;
    *doubt = 0;
    for (size_t i = 0; i < size; i++) {
        /* of a pair the first column is the real part, the second the imaginary one */
        const bool second = s->im[i] < 0;
        const double a = s->s[(i - second) * VECTORS + size - 1];
        const double b = s->im[i] != 0 ? s->s[(i - second + 1) * VECTORS + size - 1] : 0;
        const double modulus = hypot(s->re[i], s->im[i]), residual = next * hypot(a, b);
        const double far = modulus + residual > 0 ? reach(s->re[i], s->im[i]) / (modulus + residual) : INFINITY;
        if (far < *limit) {
            *limit = far;
            *doubt = residual / (modulus + residual);
            worst = i - second;
        }
    }
    memset(p->vector, 0, s->dim * sizeof *p->vector);
    for (size_t j = 0; j < size; j++) {
        add(s->dim, s->s[worst * VECTORS + j], s->basis + j * s->dim, p->vector);
    }
    double length;
    if (!normalise(s->dim, 0, p->vector, &length)) {
        memset(p->vector, 0, s->dim * sizeof *p->vector);
    }
    return OD_OK;
}

static od_status measure(od_stepper *stepper, path *p, double *ws)
{
    double limit, doubt = 1;
    const double before = p->limit;
    od_status status = OD_OK;
    for (int i = 0; i < REPEATS && doubt > settled && status == OD_OK; i++) {
        status = measure_once(stepper, p, p->z1, &limit, &doubt, ws);
    }
    if (status == OD_EUNSUPPORTED) {
        limit = INFINITY; /* at a singular start, where the error alone has to do */
    } else if (status != OD_OK) {
        return status;
    }
    const double change = isnan(before) ? INFINITY : fabs(limit - before) / fmin(limit, before);
    p->wait = !(change < much) ? 1 : change < little && p->wait < MOST_WAIT ? 2 * p->wait : p->wait;
    p->age = 0;
    p->limit = limit;
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- steps */

/* Root mean square of x over what is tolerated beside a and b. */
static double weigh(const solver *s, const double *x, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < s->dim; i++) {
        const double part = x[i] / (s->atol + s->rtol * fmax(fabs(a[i]), fabs(b[i])));
        sum += part * part;
    }
    return sqrt(sum / (double)s->dim);
}

static od_status slope(od_stepper *stepper, double t, const double *z, double *f, double *ws)
{
    stepper->evaluations++;
    return stepper->flow->drift(stepper->flow, t, 1, z, f, ws);
}

/* From z1 to where the arrays of z0 are, which change places if it is good enough; *error is 1 where it just is. */
static od_status attempt(od_stepper *stepper, path *p, double h, double *error, double *ws)
{
    solver *s = stepper->state;
    const size_t dim = s->dim;
    const double *z = p->z1, *k1 = p->f1;
    double *end = p->z0, *k5 = p->f0;
    const double t = p->t1;
    for (size_t i = 0; i < dim; i++) {
        s->y[i] = z[i] + h / 2 * k1[i];
    }
    od_status status = slope(stepper, t + h / 2, s->y, s->k2, ws);
    for (size_t i = 0; i < dim; i++) {
        s->y[i] = z[i] + h / 2 * s->k2[i];
    }
    status = status == OD_OK ? slope(stepper, t + h / 2, s->y, s->k3, ws) : status;
    for (size_t i = 0; i < dim; i++) {
        s->y[i] = z[i] + h * s->k3[i];
    }
    status = status == OD_OK ? slope(stepper, t + h, s->y, s->k4, ws) : status;
    for (size_t i = 0; i < dim; i++) {
        end[i] = z[i] + h / 6 * (k1[i] + 2 * s->k2[i] + 2 * s->k3[i] + s->k4[i]);
    }
    status = status == OD_OK ? slope(stepper, t + h, end, k5, ws) : status;
    for (size_t i = 0; i < dim; i++) {
        s->y[i] = h / 6 * (s->k4[i] - k5[i]);
    }
    *error = weigh(s, s->y, z, end);
    return status;
}

/* The slope at the start, and a step over which it changes the state by a hundredth. */
static od_status begin(od_stepper *stepper, path *p, double *ws)
{
    const solver *s = stepper->state;
    const od_status status = slope(stepper, p->t1, p->z1, p->f1, ws);
    const double speed = weigh(s, p->f1, p->z1, p->z1), size = weigh(s, p->z1, p->z1, p->z1);
    p->h = speed > 0 ? 0.01 * fmax(size, 1) / speed : INFINITY;
    return status;
}

static od_status give_up(od_stepper *stepper, const path *p, double h)
{
    snprintf(stepper->trouble, sizeof stepper->trouble,
             "a step of %.3g no longer moves t = %.9g; the solution may blow up there, or the flow is too stiff: take "
             "cvode with family: bdf",
             h, p->t1);
    return OD_ENUMERIC;
}

/* Beyond a kink, and where `longest` is tiny, every step is good and none comes far. */
static od_status spent(od_stepper *stepper, const path *p)
{
    const solver *s = stepper->state;
    snprintf(
        stepper->trouble, sizeof stepper->trouble,
        "all max_steps = %llu steps are used at t = %.9g, the last of size %.3g; raise max_steps, loosen rtol, atol "
        "or longest, or take rk4 where the loss has kinks",
        (unsigned long long)s->max_steps, p->t1, p->t1 - p->t0);
    return OD_ENUMERIC;
}

static od_status one_step(od_stepper *stepper, path *p, double wanted, double *ws)
{
    const solver *s = stepper->state;
    if (p->steps >= s->max_steps) {
        return spent(stepper, p);
    }
    p->steps++;
    od_status status = isnan(p->h) ? begin(stepper, p, ws) : OD_OK;
    if (status == OD_OK && (isnan(p->limit) || p->age >= p->wait)) {
        status = measure(stepper, p, ws);
    }
    if (status != OD_OK) {
        snprintf(stepper->trouble, sizeof stepper->trouble,
                 "the drift or its Jacobian failed or is not finite at t = %.9g", p->t1);
        return status;
    }
    double error = INFINITY, h = fmin(fmin(p->h, s->longest), s->safety * p->limit);
    h = isfinite(h) ? h : wanted - p->t1;
    for (;;) {
        if (!(p->t1 + h > p->t1)) {
            return give_up(stepper, p, h);
        }
        status = attempt(stepper, p, h, &error, ws);
        if (status != OD_OK || error <= 1) {
            break;
        }
        h *= isfinite(error) ? fmax(0.1, 0.9 * pow(error, -0.25)) : 0.1;
        p->wait = 1;
    }
    p->h = h * fmin(3, 0.9 * pow(fmax(error, 1e-6), -0.25));
    double *z = p->z0, *f = p->f0;
    p->z0 = p->z1;
    p->z1 = z;
    p->f0 = p->f1;
    p->f1 = f;
    p->t0 = p->t1;
    p->t1 += h;
    p->age++;
    return status;
}

/* Starts afresh where the caller has changed z or jumped in time. */
static void follow(const solver *s, path *p, double t, size_t n, size_t index, const double *z)
{
    bool same = p->told == t;
    for (size_t i = 0; i < s->dim; i++) {
        same = same && p->out[i] == z[i * n + index];
    }
    if (same) {
        return;
    }
    for (size_t i = 0; i < s->dim; i++) {
        p->z1[i] = p->out[i] = z[i * n + index];
    }
    p->t0 = p->t1 = p->told = t;
    p->limit = p->h = NAN;
    p->wait = 1;
}

static od_status advance_path(od_stepper *stepper, path *p, double t1, double *ws)
{
    od_status status = OD_OK;
    while (p->t1 < t1 && status == OD_OK) {
        status = od_stepper_stops(stepper, p->t1) ? OD_EINTERRUPTED : one_step(stepper, p, t1, ws);
    }
    if (status != OD_OK && status != OD_EINTERRUPTED) {
        p->told = NAN;
    }
    return status;
}

/* The state at t1 by the step that has passed it. */
static void hand_out(const solver *s, path *p, double t1, size_t n, size_t index, double *z)
{
    const double h = p->t1 - p->t0, theta = (t1 - p->t0) / h, u = 1 - theta;
    const double a = u * u * (1 + 2 * theta), b = theta * theta * (3 - 2 * theta);
    const double c = h * theta * u * u, d = -h * theta * theta * u;
    for (size_t i = 0; i < s->dim; i++) {
        p->out[i] = p->t1 == t1 ? p->z1[i] : a * p->z0[i] + b * p->z1[i] + c * p->f0[i] + d * p->f1[i];
        z[i * n + index] = p->out[i];
    }
    p->told = t1;
}

static od_status tracked_advance(od_stepper *stepper, double t, double t1, size_t n, double *z, double *ws)
{
    solver *s = stepper->state;
    stepper->trouble[0] = '\0';
    if (t1 < t) {
        snprintf(stepper->trouble, sizeof stepper->trouble, "it runs forward in time only");
        return OD_EUNSUPPORTED;
    }
    for (size_t index = 0; index < n && t1 > t; index++) {
        follow(s, &s->path[index], t, n, index, z);
        const od_status status = advance_path(stepper, &s->path[index], t1, ws);
        if (status != OD_OK) {
            return status;
        }
    }
    /* only now, so that a failure leaves z as it was */
    for (size_t index = 0; index < n && t1 > t; index++) {
        hand_out(s, &s->path[index], t1, n, index, z);
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- the integrator */

static void tracked_close(od_stepper *stepper)
{
    solver *s = stepper->state;
    if (s != NULL) {
        free(s->memory);
        free(s->path);
        free(s);
    }
    stepper->state = NULL;
}

static od_status tracked_open(od_context *ctx, od_stepper *stepper, double t0, size_t n, const double *z0)
{
    (void)t0;
    (void)z0;
    const size_t dim = stepper->flow->dim;
    const double longest = od_setting_real(stepper->settings, "longest");
    solver *s = od_zalloc(1, sizeof *s);
    stepper->state = s;
    if (s != NULL) {
        s->path = od_zalloc(n, sizeof *s->path);
        s->memory = od_zalloc((OF_PATH * n + 4 + VECTORS + 1) * dim, sizeof *s->memory);
    }
    if (s == NULL || s->path == NULL || s->memory == NULL) {
        tracked_close(stepper);
        return od_fail(ctx, OD_ENOMEM, "integrator", "no memory for %zu paths of %zu dimensions", n, dim);
    }
    s->dim = dim;
    s->n = n;
    s->safety = od_setting_real(stepper->settings, "safety");
    s->longest = isnan(longest) ? INFINITY : longest;
    s->max_steps = (uint64_t)od_setting_real(stepper->settings, "max_steps");
    s->rtol = od_setting_real(stepper->settings, "rtol");
    s->atol = od_setting_real(stepper->settings, "atol");
    double *next = s->memory;
    for (size_t i = 0; i < n; i++) {
        path *p = &s->path[i];
        *p = (path){.told = NAN, .limit = NAN, .h = NAN};
        double **const parts[OF_PATH] = {&p->z0, &p->z1, &p->f0, &p->f1, &p->out, &p->vector};
        for (size_t k = 0; k < OF_PATH; k++, next += dim) {
            *parts[k] = next;
        }
    }
    double **const shared[] = {&s->k2, &s->k3, &s->k4, &s->y, &s->basis};
    for (size_t k = 0; k < 5; k++, next += dim) {
        *shared[k] = next;
    }
    return OD_OK;
}

static od_status tracked_suits(od_context *ctx, const od_settings *settings, const od_flow *flow)
{
    (void)settings;
    return flow->jvp != NULL
               ? OD_OK
               : od_fail(ctx, OD_EUNSUPPORTED, "integrator.name",
                         "rk4-tracked needs the Jacobian of the drift, which the flow '%s' does not offer; take rk4 or "
                         "cvode",
                         flow->name);
}

static od_scratch no_scratch(const od_flow *flow)
{
    (void)flow;
    return (od_scratch){0, 0};
}

const od_integrator_type od_integrator_rk4_tracked = {
    .name = "rk4-tracked",
    .summary = "adaptive Runge-Kutta, order 4, whose steps stay stable: it follows the largest curvature",
    .source = "Kutta (1901); Arnoldi (1951); cf. Sommeijer, Shampine and Verwer (1998)",
    .params = (const od_param[]){{.name = "rtol",
                                  .kind = OD_REAL,
                                  .fallback = "1e-6",
                                  .low = 0,
                                  .high = 1,
                                  .low_open = true,
                                  .high_open = true,
                                  .meaning = "relative tolerance of a step"},
                                 {.name = "atol",
                                  .kind = OD_REAL,
                                  .fallback = "1e-9",
                                  .unit = "state",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "absolute tolerance of a step"},
                                 {.name = "safety",
                                  .kind = OD_REAL,
                                  .fallback = "0.9",
                                  .low = 0,
                                  .high = 1,
                                  .low_open = true,
                                  .meaning = "the longest step over the longest stable one"},
                                 {.name = "longest",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "time",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "no step is longer"},
                                 {.name = "max_steps",
                                  .kind = OD_INTEGER,
                                  .fallback = "1000000",
                                  .unit = "steps",
                                  .low = 1,
                                  .high = 1e15,
                                  .meaning = "steps that one path may take in all"},
                                 {.name = NULL}},
    .order = "4, step by an estimate of order 3 and by stability; dense output 4 (cubic Hermite)",
    .per_path = true,
    .suits = tracked_suits,
    .scratch = no_scratch,
    .open = tracked_open,
    .advance = tracked_advance,
    .close = tracked_close,
};
