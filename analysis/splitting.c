/*
 * Multiple shooting. Unknowns are the states x_n at the nodes; between them the orbit is exact. A correction obeys
 *
 *     delta_{n+1} = A delta_n + g_n,   g_n = Psi(x_n) - x_{n+1},
 *
 * with Psi and A the map of a whole segment and its derivative. With Q_n the unstable frame, delta_n = e_n + Q_n w_n,
 * e_n orthogonal to Q_n: e is swept forward from e_0 = 0, w backward from L^T delta_N = 0, L the complement of the
 * stable space at K; component by component from the last, since R_n is triangular, and those that turn both ways from
 * their anchors. A segment's growth is bounded, so its product needs one factorisation.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "splitting.h"

#include "frame.h"
#include "vector.h"

#include "../src/memory.h"

#include <complex.h>
/* LAPACKE names complex numbers by these */
#define lapack_complex_float float _Complex
#define lapack_complex_double double _Complex
#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = sizeof((od_split_orbit *)0)->defect / sizeof(double) - 1, HALVINGS = 8 };

typedef struct shooting {
    od_context *ctx;
    od_chain *chain;
    od_track *track;
    const od_growth *growth;
    const double *weight;
    size_t dim, p, segments;
    od_frames frames;
    double *memory;
    double *node;       /* [(segments+1)*dim] x_n before the correction */
    double *trial;      /* [(segments+1)*dim] x_n with a part of it */
    double *correction; /* [(segments+1)*dim] delta_n */
    double *even;       /* [(segments+1)*dim] e_n */
    double *frame;      /* [segments*p*dim] Q_n */
    double *triangle;   /* [segments*p*p] Q_{n+1} R_n = A Q_n, column-major */
    double *source;     /* [segments*p] Q_{n+1}^T (A e_n + g_n) */
    double *w;          /* [(segments+1)*p] */
    double *u, *next;   /* [(p+1)*dim] directions within a segment */
    double *x, *y;      /* [dim] */
    double *z;          /* [dim] */
    double *square;     /* [p*p] */
    int *pivot;         /* [p] */
    double radius, defect, size;
    uint64_t at;
} shooting;

static void close_shooting(shooting *s)
{
    od_frames_close(&s->frames);
    free(s->memory);
    free(s->pivot);
}

static od_status open_shooting(shooting *s)
{
    const size_t d = s->dim, p = s->p, n = s->segments;
    s->memory = od_zalloc(4 * (n + 1) * d + n * p * (d + p + 1) + (n + 1) * p + 2 * (p + 1) * d + 3 * d + p * p,
                          sizeof(double));
    s->pivot = od_zalloc(p + 1, sizeof *s->pivot);
    if (s->memory == NULL || s->pivot == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for %zu segments of %zu states", n, p + 4);
    }
    s->node = s->memory;
    s->trial = s->node + (n + 1) * d;
    s->correction = s->trial + (n + 1) * d;
    s->even = s->correction + (n + 1) * d;
    s->frame = s->even + (n + 1) * d;
    s->triangle = s->frame + n * p * d;
    s->source = s->triangle + n * p * p;
    s->w = s->source + n * p;
    s->u = s->w + (n + 1) * p;
    s->next = s->u + (p + 1) * d;
    s->x = s->next + (p + 1) * d;
    s->y = s->x + d;
    s->z = s->y + d;
    s->square = s->z + d;
    return od_frames_open(s->ctx, d, p, &s->frames);
}

/* Distance of x from y_k, in `radius`. */
static od_status compare(shooting *s, uint64_t k)
{
    const od_status status = s->track->at(s->track, k, s->y);
    const double distance = od_distance(s->dim, s->weight, s->x, s->y);
    if (distance > s->radius) {
        s->radius = distance;
        s->at = k;
    }
    return status == OD_OK ? OD_OK : od_chain_fail(s->ctx, s->chain, status, k);
}

/*
 * One segment from trial[n]: x = its end, and the directions u carried along. Q_{n+1}, R_n and e_{n+1} are made of
 * them.
 */
static od_status run_segment(shooting *s, size_t n)
{
    const size_t d = s->dim, p = s->p, bytes = d * sizeof(double);
    const uint64_t *node = s->growth->node;
    double *e = s->even + n * d;
    const size_t carried = cblas_dasum((int)d, e, 1) > 0 ? p + 1 : p;
    memcpy(s->x, s->trial + n * d, bytes);
    memcpy(s->u + p * d, e, bytes);
    for (uint64_t k = node[n]; k < node[n + 1]; k++) {
        od_status status = compare(s, k);
        if (status == OD_OK && carried > 0) {
            status = s->chain->jvp(s->chain, k, s->x, carried, s->u, s->next);
            double *swap = s->u;
            s->u = s->next;
            s->next = swap;
        }
        if (status == OD_OK) {
            status = s->chain->step(s->chain, k, s->x, s->z);
            double *swap = s->x;
            s->x = s->z;
            s->z = swap;
        }
        if (status != OD_OK) {
            return od_chain_fail(s->ctx, s->chain, status, k);
        }
    }
    if (carried == p) {
        memset(s->u + p * d, 0, bytes);
    }
    return OD_OK;
}

/* The jump behind segment n, added to what e has become; Q, R, e and the source of the next node. */
static od_status join(shooting *s, size_t n)
{
    const size_t d = s->dim, p = s->p;
    double *next = s->trial + (n + 1) * d, *e = s->even + (n + 1) * d;
    const double jump = od_distance(d, NULL, s->x, next);
    memcpy(e, s->u + p * d, d * sizeof *e);
    for (size_t i = 0; i < d; i++) {
        e[i] += s->x[i] - next[i];
    }
    const double size = cblas_dnrm2((int)d, next, 1);
    s->defect = fmax(s->defect, jump);
    s->size = fmax(s->size, size);
    if (!isfinite(jump)) {
        return od_chain_fail(s->ctx, s->chain, OD_EDIVERGED, s->growth->node[n + 1] - 1);
    }
    if (od_frame_orthonormalise(&s->frames, p, s->u) != OD_OK) {
        return od_chain_fail(s->ctx, s->chain, OD_ENUMERIC, s->growth->node[n + 1] - 1);
    }
    memcpy(s->triangle + n * p * p, s->frames.triangle, p * p * sizeof(double));
    od_frame_project(d, p, s->u, e, s->source + n * p);
    if (n + 1 < s->segments) {
        memcpy(s->frame + (n + 1) * p * d, s->u, p * d * sizeof(double));
    }
    return OD_OK;
}

/* Jumps, radius and the forward sweep at `trial`. */
static od_status sweep_forward(shooting *s)
{
    const size_t d = s->dim, p = s->p;
    s->radius = -1;
    s->defect = 0;
    s->size = cblas_dnrm2((int)d, s->trial, 1);
    memset(s->even, 0, d * sizeof(double));
    memcpy(s->frame, s->growth->start, p * d * sizeof(double));
    memcpy(s->u, s->frame, p * d * sizeof(double));
    od_status status = OD_OK;
    for (size_t n = 0; n < s->segments && status == OD_OK; n++) {
        status = run_segment(s, n);
        if (status == OD_OK) {
            status = join(s, n);
        }
        if (status == OD_OK && od_cancelled(s->ctx)) {
            status = od_fail(s->ctx, OD_EINTERRUPTED, NULL, "interrupted while an orbit was sought");
        }
    }
    if (status == OD_OK) {
        memcpy(s->x, s->trial + s->segments * d, d * sizeof(double));
        status = compare(s, s->track->steps);
    }
    return status;
}

/*
 * The unstable part of w_N from L^T (x_N + e_N + Q_N w_N - y_K) = 0, the others being known or orthogonal to L; u holds
 * Q_N, x holds x_N and y holds y_K.
 */
static od_status close_end(shooting *s)
{
    const int d = (int)s->dim, p = (int)s->p, q = (int)s->growth->unstable;
    double *w = s->w + s->segments * s->p, *e = s->even + s->segments * s->dim;
    for (size_t i = 0; i < s->dim; i++) {
        s->z[i] = s->y[i] - s->x[i] - e[i];
    }
    cblas_dgemv(CblasColMajor, CblasNoTrans, d, p - q, -1, s->u + s->growth->unstable * s->dim, d, w + q, 1, 1, s->z,
                1);
    cblas_dgemv(CblasColMajor, CblasTrans, d, q, 1, s->growth->end, d, s->z, 1, 0, w, 1);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, q, q, d, 1, s->growth->end, d, s->u, d, 0, s->square, q);
    if (LAPACKE_dgesv_work(LAPACK_COL_MAJOR, q, 1, s->square, q, s->pivot, w, q) != 0) {
        return od_fail(s->ctx, OD_EUNSUPPORTED, NULL, "the stable and the unstable space meet at step %llu",
                       (unsigned long long)s->track->steps);
    }
    return OD_OK;
}

/* Component i of A (e_n + Q_n w_n) + g_n in Q_{n+1}, without the part of component i of w_n itself. */
static double coupled(const shooting *s, size_t n, size_t i)
{
    const double *r = s->triangle + n * s->p * s->p, *w = s->w + n * s->p;
    double sum = s->source[n * s->p + i];
    for (size_t j = i + 1; j < s->p; j++) {
        sum += r[j * s->p + i] * w[j];
    }
    return sum;
}

/* Component i of all w_n from its anchor, both ways; the components behind it are known. */
static od_status sweep_component(shooting *s, size_t i)
{
    const size_t p = s->p, anchor = s->growth->anchor[i], last = s->segments;
    double *w = s->w + i;
    if (anchor < last) {
        w[anchor * p] = 0;
    }
    for (size_t n = anchor; n-- > 0;) {
        const double r = s->triangle[n * p * p + i * p + i];
        if (r == 0) {
            return od_fail(s->ctx, OD_EUNSUPPORTED, NULL,
                           "the %s is not invertible in its unstable directions before step %llu", s->chain->what,
                           (unsigned long long)s->growth->node[n + 1]);
        }
        w[n * p] = (w[(n + 1) * p] - coupled(s, n, i)) / r;
    }
    for (size_t n = anchor; n < last; n++) {
        w[(n + 1) * p] = s->triangle[n * p * p + i * p + i] * w[n * p] + coupled(s, n, i);
    }
    return OD_OK;
}

/* The correction of all nodes, in `even`. */
static od_status sweep_backward(shooting *s)
{
    const size_t d = s->dim, p = s->p, unstable = s->growth->unstable;
    od_status status = OD_OK;
    for (size_t i = p; i-- > 0 && status == OD_OK;) {
        if (i + 1 == unstable) {
            status = close_end(s);
        }
        status = status == OD_OK ? sweep_component(s, i) : status;
    }
    for (size_t n = 0; n <= s->segments && p > 0 && status == OD_OK; n++) {
        const double *frame = n < s->segments ? s->frame + n * p * d : s->u;
        cblas_dgemv(CblasColMajor, CblasNoTrans, (int)d, (int)p, 1, frame, (int)d, s->w + n * p, 1, 1, s->even + n * d,
                    1);
    }
    return status;
}

/*
 * Rounding leaves jumps of some units in the last place of the states for every step of a segment; where they stop
 * falling below that, they have become rounding.
 */
static bool converged(const shooting *s, double before)
{
    return s->defect <= 4 * DBL_EPSILON * s->size || (s->defect <= 1e-10 * s->size && s->defect > before / 4);
}

static od_status begin(shooting *s)
{
    od_status status = OD_OK;
    for (size_t n = 0; n <= s->segments && status == OD_OK; n++) {
        status = s->track->at(s->track, s->growth->node[n], s->trial + n * s->dim);
    }
    return status == OD_OK ? sweep_forward(s) : od_chain_fail(s->ctx, s->chain, status, 0);
}

/* node = trial, and trial = node + part * correction, for smaller and smaller parts until the jumps fall. */
static od_status improve(shooting *s)
{
    const size_t count = (s->segments + 1) * s->dim;
    const double before = s->defect;
    od_status status = sweep_backward(s);
    if (status != OD_OK) {
        return status;
    }
    memcpy(s->correction, s->even, count * sizeof(double));
    memcpy(s->node, s->trial, count * sizeof(double));
    double part = 1;
    for (unsigned i = 0; i <= HALVINGS; i++, part /= 2) {
        for (size_t j = 0; j < count; j++) {
            s->trial[j] = s->node[j] + part * s->correction[j];
        }
        status = sweep_forward(s);
        if (status == OD_EINTERRUPTED || (status == OD_OK && (s->defect < before || converged(s, before)))) {
            break;
        }
    }
    return status;
}

static od_status iterate(shooting *s, od_split_orbit *orbit)
{
    od_status status = begin(s);
    if (status == OD_OK) {
        orbit->defect[0] = s->defect;
    }
    for (double before = INFINITY; status == OD_OK && !converged(s, before);) {
        if (orbit->rounds == ROUNDS || s->defect >= before) {
            return od_fail(
                s->ctx, OD_EUNSUPPORTED, NULL,
                "Newton's method finds no orbit with this splitting: after %u rounds states still jump by %g",
                orbit->rounds, s->defect);
        }
        before = s->defect;
        status = improve(s);
        if (status == OD_OK) {
            orbit->defect[++orbit->rounds] = s->defect;
        }
    }
    return status;
}

od_status od_split_find(od_context *ctx, od_chain *chain, od_track *track, const od_growth *growth,
                        const double *weight, od_split_orbit *orbit)
{
    shooting s = {.ctx = ctx,
                  .chain = chain,
                  .track = track,
                  .growth = growth,
                  .weight = weight,
                  .dim = chain->dim,
                  .p = growth->carried,
                  .segments = growth->segments};
    *orbit = (od_split_orbit){.start = od_zalloc(chain->dim, sizeof(double))};
    od_status status = orbit->start != NULL ? open_shooting(&s)
                                            : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a state");
    if (status == OD_OK) {
        status = iterate(&s, orbit);
    }
    if (status == OD_OK) {
        memcpy(orbit->start, s.trial, chain->dim * sizeof(double));
        orbit->radius = s.radius;
        orbit->at = s.at;
        orbit->residual = s.size > 0 ? s.defect / s.size : s.defect;
    } else {
        od_split_free(orbit);
    }
    close_shooting(&s);
    return status;
}

void od_split_free(od_split_orbit *orbit)
{
    free(orbit->start);
    *orbit = (od_split_orbit){0};
}
