/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hyperbolicity.h"

#include "frame.h"

#include "../src/memory.h"

#include <complex.h>
/* LAPACKE names complex numbers by these */
#define lapack_complex_float float _Complex
#define lapack_complex_double double _Complex
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 26 }; /* numbers of the frames that are kept: half a gigabyte */

typedef struct sight {
    od_context *ctx;
    od_chain *chain;
    od_track *track;
    const od_growth *growth;
    size_t dim, p;
    uint64_t stride;
    od_frames frames;
    double *kept; /* [(K/stride + 1)*p*dim] unstable spaces */
    double *memory;
    double *frame, *next; /* [p*dim] */
    double *rest;         /* [p*dim] of a frame, less its part in another */
    double *y;            /* [dim] */
    double *square;       /* [p*p] */
    double *values;       /* [6p] singular values and room for LAPACK */
} sight;

static od_status open_sight(sight *s)
{
    const size_t size = s->p * s->dim;
    s->stride = 1 + s->track->steps / (ROOM / size + 1);
    s->kept = od_zalloc((s->track->steps / s->stride + 1) * size, sizeof(double));
    s->memory = od_zalloc(3 * size + s->dim + s->p * s->p + 8 * s->p, sizeof(double));
    if (s->kept == NULL || s->memory == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for the unstable spaces along the orbit");
    }
    s->frame = s->memory;
    s->next = s->frame + size;
    s->rest = s->next + size;
    s->y = s->rest + size;
    s->square = s->y + s->dim;
    s->values = s->square + s->p * s->p;
    return od_frames_open(s->ctx, s->dim, s->p, &s->frames);
}

static void close_sight(sight *s)
{
    od_frames_close(&s->frames);
    free(s->kept);
    free(s->memory);
}

/* frame = A_k frame, or A_k^T frame, made orthonormal. */
static od_status push(sight *s, uint64_t k, bool transposed)
{
    od_status status = s->track->at(s->track, k, s->y);
    if (status == OD_OK) {
        status = (transposed ? s->chain->vjp : s->chain->jvp)(s->chain, k, s->y, s->p, s->frame, s->next);
    }
    double *swap = s->frame;
    s->frame = s->next;
    s->next = swap;
    if (status == OD_OK) {
        status = od_frame_orthonormalise(&s->frames, s->p, s->frame);
    }
    if (status == OD_OK && k % 1024 == 0 && od_cancelled(s->ctx)) {
        return od_fail(s->ctx, OD_EINTERRUPTED, NULL, "interrupted at step %llu", (unsigned long long)k);
    }
    return status == OD_OK ? OD_OK
                           : od_fail(s->ctx, status, NULL, "the derivative of the %s cannot be evaluated at step %llu",
                                     s->chain->what, (unsigned long long)k);
}

/* Singular values of the p x p matrix in `square`, descending. */
static bool singular_values(sight *s)
{
    const int p = (int)s->p;
    double none;
    return LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'N', 'N', p, p, s->square, p, s->values, &none, 1, &none, 1,
                               s->values + p, 6 * p) == 0;
}

/*
 * Of the unstable space Q to the stable one, the complement of L: a unit vector u of the first is |L^T u| away from the
 * second and |u - L L^T u| long within it. Near 0 the sine tells, near pi/2 the cosine.
 */
static od_status angle_between(sight *s, const double *q, const double *l, double *radians)
{
    const int d = (int)s->dim, p = (int)s->p;
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, p, p, d, 1, l, d, q, d, 0, s->square, p);
    memcpy(s->rest, q, s->p * s->dim * sizeof(double));
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, p, p, -1, l, d, s->square, p, 1, s->rest, d);
    bool done = singular_values(s);
    const double sine = fmin(s->values[p - 1], 1);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, p, p, d, 1, s->rest, d, s->rest, d, 0, s->square, p);
    done &= singular_values(s);
    const double cosine = fmin(sqrt(s->values[0]), 1);
    *radians = sine < cosine ? asin(sine) : acos(cosine);
    return done ? OD_OK : od_fail(s->ctx, OD_ENUMERIC, NULL, "LAPACK found no singular values");
}

static od_status keep_unstable(sight *s)
{
    const size_t size = s->p * s->dim;
    od_status status = OD_OK;
    memcpy(s->frame, s->growth->start, size * sizeof(double));
    for (uint64_t k = 0; status == OD_OK; k++) {
        if (k % s->stride == 0) {
            memcpy(s->kept + k / s->stride * size, s->frame, size * sizeof(double));
        }
        if (k == s->track->steps) {
            break;
        }
        status = push(s, k, false);
    }
    return status;
}

/* Equal angles differ by rounding; the first of them counts. */
static od_status meet_stable(sight *s, od_space_angle *angle)
{
    const size_t size = s->p * s->dim;
    od_status status = OD_OK;
    angle->radians = INFINITY;
    memcpy(s->frame, s->growth->end, size * sizeof(double));
    for (uint64_t k = s->track->steps; status == OD_OK; k--) {
        double radians;
        if (k % s->stride == 0) {
            status = angle_between(s, s->kept + k / s->stride * size, s->frame, &radians);
            if (status == OD_OK && radians <= angle->radians * (1 + 1e-9)) {
                angle->radians = radians;
                angle->at = k;
            }
        }
        if (k == 0) {
            break;
        }
        status = status == OD_OK ? push(s, k - 1, true) : status;
    }
    return status;
}

od_status od_space_angle_find(od_context *ctx, od_chain *chain, od_track *track, const od_growth *growth,
                              od_space_angle *angle)
{
    *angle = (od_space_angle){.radians = NAN};
    if (growth->unstable == 0) {
        angle->missing = "no direction is unstable";
    } else if (growth->unstable == growth->dim) {
        angle->missing = "every direction is unstable";
    } else if (chain->vjp == NULL) {
        angle->missing = "products with the transposed Jacobian are not available";
    }
    if (angle->missing != NULL) {
        return OD_OK;
    }
    sight s = {.ctx = ctx, .chain = chain, .track = track, .growth = growth, .dim = growth->dim, .p = growth->unstable};
    od_status status = open_sight(&s);
    if (status == OD_OK) {
        status = keep_unstable(&s);
    }
    if (status == OD_OK) {
        status = meet_stable(&s, angle);
    }
    angle->stride = s.stride;
    close_sight(&s);
    return status;
}

od_status od_glitch_find(od_context *ctx, uint64_t steps, double epsilon, od_prefix_bound *bound, void *user,
                         uint64_t *k)
{
    uint64_t near = 0, far = steps + 1, next = steps < 8 ? steps : 8;
    od_status status = OD_OK;
    while (status == OD_OK && far - near > 1) {
        double lower;
        status = od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the glitch was sought")
                                   : bound(user, next, &lower);
        if (status == OD_OK) {
            *(lower > epsilon ? &far : &near) = next;
        }
        next = far <= steps ? near + (far - near) / 2 : near < steps / 2 ? 2 * near : steps;
    }
    *k = far;
    return status;
}
