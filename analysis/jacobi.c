/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jacobi.h"

#include "../src/memory.h"
#include "dop853.h"
#include "phases.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BASE, NEXT, TRIAL, PLANES, MAX_TRIALS = 200 };

typedef struct walk {
    od_context *ctx;
    const od_jacobi *j;
    size_t d, size; /* size: of a frame, 2 d^2 */
    od_phases phases;
    od_plane plane[PLANES];
    double t, h;    /* BASE stands at t, NEXT at t + h */
    double scale;   /* the frame holds X and X'/scale */
    double norm;    /* of the Hessian */
    double reached; /* largest norm of the equation over the stages of the last step */
    double *memory, *hessian, *rate, *stage, *back;
    long located;
    od_conjugates *found;
} walk;

static double coefficients(const od_jacobi *j, double t, double *damping)
{
    double a[2], b[2];
    j->weights(j->user, t, a, b);
    *damping = a[1];
    return exp(b[0] - a[0]);
}

/* ------------------------------------------------------------------------------------------------ the equation */

/* The largest curvature: exactly if it is the same everywhere, else from above. */
static double norm_of(walk *w, const double *h)
{
    const size_t d = w->d;
    if (w->j->constant && d > 1) {
        double *copy = w->rate; /* not in use yet */
        const int n = (int)d;
        memcpy(copy, h, d * d * sizeof *copy);
        if (LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'N', 'U', n, copy, n, w->phases.values, w->phases.work,
                                (int)w->phases.room, w->phases.integers, (int)w->phases.integer_room) == 0) {
            return fmax(fabs(w->phases.values[0]), fabs(w->phases.values[d - 1]));
        }
    }
    double rows = 0, squares = 0;
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t k = 0; k < d; k++) {
            sum += fabs(h[i * d + k]);
            squares += h[i * d + k] * h[i * d + k];
        }
        rows = fmax(rows, sum);
    }
    return isfinite(squares) ? fmin(rows, sqrt(squares)) : NAN; /* fmax and fmin pass NaN over */
}

static od_status look(walk *w, double t)
{
    if (w->j->constant && w->norm >= 0) {
        return OD_OK;
    }
    od_status status = w->j->hessian(w->j->user, t, w->hessian);
    if (status != OD_OK) {
        return od_fail(w->ctx, status, NULL, "the Hessian could not be evaluated on the path at t = %.9g", t);
    }
    w->norm = norm_of(w, w->hessian);
    return isfinite(w->norm)
               ? OD_OK
               : od_fail(w->ctx, OD_ENUMERIC, NULL, "the Hessian is not finite on the path at t = %.9g", t);
}

/* The norm of the equation for (X, X'/scale), less the mean of its diagonal, which only stretches the frame. */
static double generator_norm(const walk *w, double force, double damping)
{
    return fmax(w->scale, force * w->norm / w->scale) + fabs(damping) / 2;
}

static od_status rate(walk *w, double t, const double *frame, double *out)
{
    const size_t d = w->d;
    const int n = (int)d;
    od_status status = look(w, t);
    if (status != OD_OK) {
        return status;
    }
    double damping;
    const double force = coefficients(w->j, t, &damping);
    w->reached = fmax(w->reached, generator_norm(w, force, damping));
    for (size_t k = 0; k < d; k++) {
        const double *y = frame + k * 2 * d + d;
        for (size_t i = 0; i < d; i++) {
            out[k * 2 * d + i] = w->scale * y[i];
            out[k * 2 * d + d + i] = -damping * y[i];
        }
    }
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, -force / w->scale, w->hessian, n, frame, 2 * n, 1,
                out + d, 2 * n);
    return OD_OK;
}

/* The frame of `to` is that of BASE after a time h. */
static od_status step(walk *w, double h, od_plane *to)
{
    const size_t size = w->size;
    const double *from = w->plane[BASE].frame;
    w->reached = 0;
    for (size_t s = 0; s < OD_STAGES; s++) {
        memcpy(w->stage, from, size * sizeof *from);
        for (size_t r = 0; r < s; r++) {
            if (od_dop853_a[s][r] != 0) {
                cblas_daxpy((int)size, h * od_dop853_a[s][r], w->rate + r * size, 1, w->stage, 1);
            }
        }
        od_status status = rate(w, w->t + od_dop853_c[s] * h, w->stage, w->rate + s * size);
        if (status != OD_OK) {
            return status;
        }
    }
    memcpy(to->frame, from, size * sizeof *from);
    for (size_t s = 0; s < OD_STAGES; s++) {
        if (od_dop853_b[s] != 0) {
            cblas_daxpy((int)size, h * od_dop853_b[s], w->rate + s * size, 1, to->frame, 1);
        }
    }
    return OD_OK;
}

static double longest_column(const walk *w, const double *frame)
{
    double longest = 0;
    for (size_t k = 0; k < w->d; k++) {
        longest = fmax(longest, cblas_dnrm2((int)(2 * w->d), frame + k * 2 * w->d, 1));
    }
    return longest;
}

/* Error of the last step relative to the frame, by the estimates of orders 5 and 3. */
static double step_error(walk *w, double h)
{
    memset(w->stage, 0, w->size * sizeof *w->stage);
    for (size_t s = 0; s < OD_STAGES; s++) {
        cblas_daxpy((int)w->size, od_dop853_e5[s], w->rate + s * w->size, 1, w->stage, 1);
    }
    const double five = longest_column(w, w->stage);
    memset(w->stage, 0, w->size * sizeof *w->stage);
    for (size_t s = 0; s < OD_STAGES; s++) {
        const double third = s == 0 ? od_dop853_b3[0] : s == 8 ? od_dop853_b3[1] : s == 11 ? od_dop853_b3[2] : 0;
        cblas_daxpy((int)w->size, od_dop853_b[s] - third, w->rate + s * w->size, 1, w->stage, 1);
    }
    const double three = longest_column(w, w->stage), bottom = sqrt(five * five + 0.01 * three * three);
    return bottom > 0 ? h * five * five / bottom : 0;
}

/* ------------------------------------------------------------------------------------------------ points */

/* Orthonormal coordinates at t1 of the fields that vanish at `plane` with phases number `first` and on. */
static od_status kernel_of(walk *w, const od_plane *plane, long first, od_conjugate *c)
{
    const int d = (int)w->d, m = (int)c->multiplicity;
    c->kernel = od_zalloc(w->d * c->multiplicity, sizeof *c->kernel);
    double *tau = w->phases.work, *coordinates = w->phases.product;
    if (c->kernel == NULL) {
        return od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for the kernels");
    }
    for (size_t k = 0; k < c->multiplicity; k++) {
        /* v is orthogonal to the range of X, and the frame orthonormal: X Y^T v = 0 */
        const double *v = plane->direction + od_plane_column(plane, w->d, first + (long)k) * w->d;
        double *at = coordinates + k * w->d;
        cblas_dgemv(CblasColMajor, CblasTrans, d, d, 1, plane->frame + w->d, 2 * d, v, 1, 0, at, 1);
        cblas_dtrsv(CblasColMajor, CblasUpper, CblasNoTrans, CblasNonUnit, d, plane->triangle, d, at, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, d, d, 1, w->back, d, at, 1, 0, c->kernel + k * w->d, 1);
        cblas_dscal(d, 1 / cblas_dnrm2(d, c->kernel + k * w->d, 1), c->kernel + k * w->d, 1);
    }
    const int room = (int)w->phases.room - m;
    const bool ok = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, d, m, c->kernel, d, tau, tau + m, room) == 0 &&
                    LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, d, m, m, c->kernel, d, tau, tau + m, room) == 0;
    for (size_t k = 0; k < c->multiplicity; k++) {
        double *v = c->kernel + k * w->d;
        cblas_dscal(d, v[cblas_idamax(d, v, 1)] < 0 ? -1 : 1, v, 1);
        for (size_t i = 0; i < w->d; i++) {
            v[i] += 0.0; /* no -0 */
        }
    }
    return ok ? OD_OK : od_fail(w->ctx, OD_ENUMERIC, NULL, "the kernel at t = %.9g could not be found", c->t);
}

static double near(const walk *w, double t)
{
    return w->scale * od_conjugate_apart * fmax(fabs(t), w->j->t2 - w->j->t1);
}

/* Phase `k` at BASE's time + tau; the plane is left in TRIAL. */
static od_status phase_at(walk *w, double tau, long k, double *phase)
{
    od_status status = step(w, tau, &w->plane[TRIAL]);
    status = status == OD_OK ? od_phases_follow(w->ctx, &w->phases, &w->plane[BASE], &w->plane[TRIAL]) : status;
    *phase = status == OD_OK ? od_plane_phase(&w->plane[TRIAL], w->d, k) : NAN;
    return status;
}

/*
 * How long phase k of `plane` still goes to 0, as if its direction v were coupled to no other: r = h/h' obeys r' = 1 +
 * c r + kappa r^2 with kappa = force v^T H v. NaN where it is far from 0.
 */
static double time_left(walk *w, const od_plane *plane, double t, long k)
{
    const double phase = od_plane_phase(plane, w->d, k);
    const double *v = plane->direction + od_plane_column(plane, w->d, k) * w->d;
    double damping;
    const double force = coefficients(w->j, t, &damping), r = tan(phase) / w->scale;
    cblas_dsymv(CblasColMajor, CblasUpper, (int)w->d, 1, w->hessian, (int)w->d, v, 1, 0, w->phases.values, 1);
    const double kappa = force * cblas_ddot((int)w->d, v, 1, w->phases.values, 1);
    double sum = 0;
    for (int node = -1; node <= 1; node++) {
        const double x = r / 2 * (1 + node * 0.774596669241483377), rate = 1 + damping * x + kappa * x * x;
        sum += (node == 0 ? 4.0 / 9 : 5.0 / 18) / rate;
    }
    return fabs(phase) < 1 ? -r * sum : NAN;
}

/* The zero of phase k between BASE and NEXT; the plane there is left in TRIAL. */
static od_status locate(walk *w, long k, double *tau)
{
    double a = 0, b = w->h, fa = od_plane_phase(&w->plane[BASE], w->d, k);
    double fb = od_plane_phase(&w->plane[NEXT], w->d, k), f = INFINITY, c = time_left(w, &w->plane[BASE], w->t, k);
    const double fine = 2 * 0x1p-52 * fmax(fabs(w->t), w->h);
    for (int trial = 0; trial < MAX_TRIALS; trial++) {
        if (!(c > a && c < b)) {
            c = trial % 8 == 7 ? (a + b) / 2 : a + (b - a) * (fa / (fa - fb));
        }
        const double before = f;
        od_status status = phase_at(w, c, k, &f);
        const double left = status == OD_OK ? time_left(w, &w->plane[TRIAL], w->t + c, k) : 0;
        *tau = c;
        if (status != OD_OK || b - a <= fine) {
            return status;
        }
        if (fabs(f) < 1e-12 || fabs(left) <= fine) {
            *tau = fmin(w->h, c + left);
            return OD_OK;
        }
        if (f > 0) {
            b = c;
            fb = f;
        } else {
            a = c;
            fa = f;
        }
        /* where phases meet, the time left tells little: then the chord and the middle do */
        c = fabs(f) < fabs(before) / 4 ? c + left : NAN;
    }
    return OD_OK;
}

/* Adds the points whose phases pass between BASE and NEXT, up to number `last`; with them, none above `most`. */
static od_status locate_all(walk *w, long last, long most)
{
    od_status status = OD_OK;
    while (status == OD_OK && w->located < last) {
        double tau;
        const long k = w->located + 1;
        status = locate(w, k, &tau);
        if (status != OD_OK || !od_conjugates_grow(w->found)) {
            return status != OD_OK ? status : od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for the conjugate points");
        }
        od_conjugate *c = &w->found->point[w->found->count];
        *c = (od_conjugate){.t = w->t + tau, .multiplicity = 1};
        while (k + (long)c->multiplicity <= most && c->multiplicity < w->d &&
               k + (long)c->multiplicity <= w->plane[TRIAL].crossed + (long)w->d &&
               od_plane_phase(&w->plane[TRIAL], w->d, k + (long)c->multiplicity) >= -near(w, c->t)) {
            c->multiplicity++;
        }
        w->located += (long)c->multiplicity;
        w->found->index += c->multiplicity;
        w->found->count++;
        status = w->j->kernels ? kernel_of(w, &w->plane[TRIAL], k, c) : OD_OK;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ the walk */

static double wanted_scale(const walk *w, double force)
{
    const double least = 1 / (w->j->t2 - w->j->t1);
    return fmax(sqrt(force * w->norm), least);
}

/* In free directions the frame begins with displacements, in the others with slopes. */
static void begin(walk *w, double value, double slope)
{
    const size_t d = w->d;
    double *frame = w->plane[BASE].frame;
    for (size_t k = 0; k < d; k++) {
        double *x = frame + k * 2 * d, *y = x + d;
        memset(x, 0, 2 * d * sizeof *x);
        x[k] = value;
        y[k] = slope / w->scale;
        for (size_t f = 0; f < w->j->free_count; f++) {
            const double *u = w->j->free + f * d;
            for (size_t i = 0; i < d; i++) {
                x[i] += (1 - value) * u[i] * u[k];
                y[i] += (w->j->bend - slope) / w->scale * u[i] * u[k];
            }
        }
    }
}

/*
 * The limit t1 -> 0 with a' ~ q/t: fields that vanish at t1 tend to the bounded solution 1 + O(force t^2) if q >= 1,
 * and to t^{1-q} (1 + O(force t^2)) if q < 1. They are taken at a time so small that the second term does not show.
 */
static od_status begin_singular(walk *w)
{
    const od_jacobi *j = w->j;
    double damping, force, t = 1e-8 * j->t2;
    od_status status = look(w, t);
    while (status == OD_OK && coefficients(j, t, &damping) * w->norm * t * t > 1e-15) {
        t /= 4;
        status = look(w, t);
    }
    if (status != OD_OK) {
        return status;
    }
    force = coefficients(j, t, &damping);
    const double q = damping * t;
    const bool bounded = q > 1 - 1e-4;
    w->t = t;
    w->scale = wanted_scale(w, force);
    begin(w, bounded ? 1 : t, bounded ? 0 : 1 - q);
    return OD_OK;
}

static od_status begin_walk(walk *w)
{
    const od_jacobi *j = w->j;
    double damping;
    od_status status;
    w->t = j->t1;
    w->norm = -1;
    if (j->singular) {
        status = begin_singular(w);
    } else {
        status = look(w, j->t1);
        w->scale = status == OD_OK ? wanted_scale(w, coefficients(j, j->t1, &damping)) : 1;
        begin(w, 0, 1);
    }
    if (status == OD_OK) {
        status = od_phases_start(w->ctx, &w->phases, &w->plane[BASE]);
    }
    for (size_t i = 0; i < w->d; i++) {
        w->back[i * w->d + i] = 1;
    }
    cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, (int)w->d, (int)w->d, 1,
                w->plane[BASE].triangle, (int)w->d, w->back, (int)w->d);
    return status;
}

/* Makes `plane` the BASE. `back` takes coordinates in its frame to those at t1, but for a factor. */
static void accept(walk *w, size_t which)
{
    const int d = (int)w->d;
    const od_plane base = w->plane[BASE];
    w->plane[BASE] = w->plane[which];
    w->plane[which] = base;
    cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, d, d, 1, w->plane[BASE].triangle, d,
                w->back, d);
    const double largest = fabs(w->back[cblas_idamax(d * d, w->back, 1)]);
    cblas_dscal(d * d, 1 / largest, w->back, 1);
}

/* The scale follows the curvature, so that phases turn evenly. It moves no phase through 0. */
static od_status rescale(walk *w, double force)
{
    const double wanted = wanted_scale(w, force);
    if (wanted < 2 * w->scale && wanted > w->scale / 2) {
        return OD_OK;
    }
    /* Y becomes r Y; the pivots are safe for |r - 1| < 1, here below 1/sqrt 2 */
    const double r = fmin(1.6, fmax(0.4, w->scale / wanted));
    od_plane *to = &w->plane[NEXT];
    memcpy(to->frame, w->plane[BASE].frame, w->size * sizeof *to->frame);
    for (size_t k = 0; k < w->d; k++) {
        cblas_dscal((int)w->d, r, to->frame + k * 2 * w->d + w->d, 1);
    }
    od_status status = od_phases_follow(w->ctx, &w->phases, &w->plane[BASE], to);
    if (status == OD_OK) {
        accept(w, NEXT);
        w->scale /= r;
    }
    return status == OD_OK ? rescale(w, force) : status;
}

/* From BASE to NEXT, at most to t2; sets w->h, and *next to what the following step may be. */
static od_status take_step(walk *w, double wanted, double *next)
{
    const od_jacobi *j = w->j;
    for (;;) {
        const bool last = w->t + wanted * (1 + 1e-9) >= j->t2;
        w->h = last ? j->t2 - w->t : wanted;
        od_status status = step(w, w->h, &w->plane[NEXT]);
        if (status != OD_OK) {
            return status;
        }
        const double error = step_error(w, w->h) / j->tolerance, reach = w->h * w->reached / od_phases_reach;
        if (!isfinite(error) || !isfinite(reach)) {
            return od_fail(w->ctx, OD_ENUMERIC, NULL, "the Jacobi fields are not finite near t = %.9g", w->t);
        }
        const double factor = fmin(0.9 * pow(fmax(error, 1e-9), -1.0 / 8), 0.98 / fmax(reach, 1e-9));
        *next = w->h * fmin(3, fmax(0.1, factor));
        if (error <= 1 && reach <= 1) {
            return OD_OK;
        }
        wanted = *next;
        if (w->t + wanted == w->t) {
            return od_fail(w->ctx, OD_ENUMERIC, NULL, "the Jacobi fields need steps too small to take at t = %.9g",
                           w->t);
        }
    }
}

/* Fields that vanish at t2, or so near to it that nobody can tell. */
static od_status end(walk *w)
{
    const od_plane *plane = &w->plane[NEXT];
    const size_t d = w->d;
    const double close = near(w, w->j->t2);
    long last = plane->crossed > w->located ? plane->crossed : w->located, first = last + 1;
    while (first - 1 > w->located && plane->crossed - first + 1 < (long)d &&
           od_plane_phase(plane, d, first - 1) <= close) {
        first--;
    }
    while (last - plane->crossed < (long)d && last - first + 1 < (long)d &&
           od_plane_phase(plane, d, last + 1) >= -close) {
        last++;
    }
    od_status status = locate_all(w, first - 1, first - 1);
    w->found->end = (od_conjugate){.t = w->j->t2, .multiplicity = (size_t)(last - first + 1)};
    return status == OD_OK && last >= first && w->j->kernels ? kernel_of(w, plane, first, &w->found->end) : status;
}

static od_status go(walk *w)
{
    double damping, next;
    od_status status = begin_walk(w);
    if (status != OD_OK) {
        return status;
    }
    const double force = coefficients(w->j, w->t, &damping);
    next = 0.2 * od_phases_reach / generator_norm(w, force, damping);
    for (;;) {
        status = rescale(w, coefficients(w->j, w->t, &damping));
        status = status == OD_OK ? take_step(w, next, &next) : status;
        status = status == OD_OK ? od_phases_follow(w->ctx, &w->phases, &w->plane[BASE], &w->plane[NEXT]) : status;
        if (status != OD_OK || od_cancelled(w->ctx)) {
            return status != OD_OK ? status : od_fail(w->ctx, OD_EINTERRUPTED, NULL, "interrupted; nothing was kept");
        }
        w->found->steps++;
        if (w->t + w->h >= w->j->t2) {
            return end(w);
        }
        status = locate_all(w, w->plane[NEXT].crossed, w->plane[NEXT].crossed + (long)w->d);
        if (status != OD_OK) {
            return status;
        }
        accept(w, NEXT);
        w->t += w->h;
    }
}

od_status od_jacobi_conjugates(od_context *ctx, const od_jacobi *j, od_conjugates *found)
{
    const size_t d = j->d;
    walk w = {.ctx = ctx, .j = j, .d = d, .size = 2 * d * d, .found = found};
    od_status status = od_phases_open(ctx, d, PLANES, w.plane, &w.phases);
    w.memory = status == OD_OK ? od_zalloc(2 * d * d + (OD_STAGES + 1) * w.size, sizeof *w.memory) : NULL;
    if (status == OD_OK && w.memory == NULL) {
        status = od_fail(ctx, OD_ENOMEM, NULL, "no memory for Jacobi fields in %zu dimensions", d);
    }
    if (status == OD_OK) {
        w.hessian = w.memory;
        w.back = w.hessian + d * d;
        w.stage = w.back + d * d;
        w.rate = w.stage + w.size;
        status = go(&w);
    }
    free(w.memory);
    od_phases_close(&w.phases);
    if (status != OD_OK) {
        od_conjugates_free(found);
    }
    return status;
}

void od_conjugates_free(od_conjugates *found)
{
    for (size_t i = 0; i < found->count; i++) {
        free(found->point[i].kernel);
    }
    free(found->point);
    free(found->end.kernel);
    *found = (od_conjugates){0};
}

bool od_conjugates_grow(od_conjugates *found)
{
    if (found->count < found->room) {
        return true;
    }
    const size_t room = 2 * found->room + 8;
    od_conjugate *point = realloc(found->point, room * sizeof *point);
    found->point = point != NULL ? point : found->point;
    found->room = point != NULL ? room : found->room;
    return point != NULL;
}
