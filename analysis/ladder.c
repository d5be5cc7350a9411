/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ladder.h"

#include "../src/finite.h"
#include "../src/lanczos.h"
#include "../src/memory.h"
#include "inverse.h"
#include "vector.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DENSE_STRETCH = 64 };

static void see(od_shadow *shadow, const od_chain *chain, const od_target *target, uint64_t k, const double *x)
{
    const double distance = od_distance(chain->dim, target->weight, x, target->y + k * chain->dim);
    if (!(distance <= shadow->radius)) {
        shadow->radius = distance;
        shadow->at = k;
    }
}

static od_status interrupted(od_context *ctx)
{
    return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while shadows were constructed");
}

static od_status no_memory(od_context *ctx, size_t dim)
{
    return od_fail(ctx, OD_ENOMEM, NULL, "no memory for shadows in %zu components", dim);
}

od_status od_shadow_forward(od_context *ctx, od_chain *chain, const od_target *target, od_shadow *shadow)
{
    const size_t dim = chain->dim;
    double *x = od_zalloc(2 * dim, sizeof *x);
    if (x == NULL) {
        return no_memory(ctx, dim);
    }
    double *next = x + dim;
    od_status status = OD_OK;
    shadow->radius = 0;
    shadow->at = 0;
    memcpy(x, shadow->start, dim * sizeof *x);
    see(shadow, chain, target, 0, x);
    for (uint64_t k = 0; k < chain->steps && status == OD_OK; k++) {
        status = od_cancelled(ctx) ? interrupted(ctx) : chain->step(chain, k, x, next);
        if (status == OD_EDIVERGED) {
            od_fail(ctx, status, "method.step",
                    "the orbit of the %s from the same start diverged at k = %llu; give a smaller step or fewer "
                    "iterations",
                    chain->what, (unsigned long long)k + 1);
        } else if (status == OD_OK) {
            memcpy(x, next, dim * sizeof *x);
            see(shadow, chain, target, k + 1, x);
        }
    }
    if (status == OD_OK && !isfinite(shadow->radius)) {
        status = od_fail(ctx, OD_EDIVERGED, "start.x",
                         "the distances are beyond double precision; start nearer to 0 or scale the loss");
    }
    free(x);
    return status;
}

od_status od_shadow_local_error(od_context *ctx, od_chain *chain, const od_target *target, od_local_error *error)
{
    const size_t dim = chain->dim;
    double *image = od_zalloc(dim, sizeof *image);
    if (image == NULL) {
        return no_memory(ctx, dim);
    }
    *error = (od_local_error){0, 0};
    od_status status = OD_OK;
    for (uint64_t k = 0; k < chain->steps && status == OD_OK; k++) {
        status = od_cancelled(ctx) ? interrupted(ctx) : chain->step(chain, k, target->y + k * dim, image);
        const double off = od_distance(dim, target->weight, image, target->y + (k + 1) * dim);
        if (status == OD_OK && off > error->max) {
            *error = (od_local_error){off, k};
        }
        if (status == OD_EDIVERGED) {
            od_fail(ctx, status, "method.step", "the step k = %llu of the %s diverged; give a smaller step",
                    (unsigned long long)k, chain->what);
        }
    }
    free(image);
    return status;
}

/* ------------------------------------------------------------------------------------------------ backward */

od_status od_shadow_backward(od_context *ctx, od_chain *chain, const od_target *target, od_shadow *shadow,
                             char reason[OD_REASON_ROOM])
{
    const size_t dim = chain->dim;
    shadow->radius = NAN;
    shadow->at = 0;
    reason[0] = '\0';
    if (chain->jvp == NULL) {
        snprintf(reason, OD_REASON_ROOM, "inverse steps need the derivative of the %s, which it does not offer",
                 chain->what);
        return OD_OK;
    }
    od_inverse *v = NULL;
    double *x = od_zalloc(2 * dim, sizeof *x);
    od_status status = x != NULL ? od_inverse_open(ctx, chain, &v) : no_memory(ctx, dim);
    if (status != OD_OK) {
        free(x);
        return status;
    }
    double *before = x + dim;
    shadow->radius = 0;
    memcpy(x, target->y + chain->steps * dim, dim * sizeof *x);
    see(shadow, chain, target, chain->steps, x);
    for (uint64_t k = chain->steps; k > 0 && status == OD_OK && reason[0] == '\0'; k--) {
        memcpy(before, target->y + (k - 1) * dim, dim * sizeof *x);
        status = od_cancelled(ctx) ? interrupted(ctx) : od_inverse_step(v, k - 1, x, before, reason);
        memcpy(x, before, dim * sizeof *x);
        see(shadow, chain, target, k - 1, x);
    }
    if (status == OD_OK && !isfinite(shadow->radius) && reason[0] == '\0') {
        snprintf(reason, OD_REASON_ROOM, "the orbit taken backward diverged");
    }
    shadow->radius = reason[0] != '\0' ? NAN : shadow->radius;
    if (status == OD_OK) {
        memcpy(shadow->start, x, dim * sizeof *x);
    }
    od_inverse_free(v);
    free(x);
    return status;
}

/* ------------------------------------------------------------------------------------------------ stretching */

typedef struct stretching {
    od_chain *chain;
    const double *weight; /* NULL: plain */
    uint64_t k;
    const double *y;
    double *unit, *matrix, *values, *work; /* dense */
    size_t room;
} stretching;

/* Singular values of the whole derivative. */
static od_status stretch_dense(stretching *s, double *low, double *high)
{
    const size_t dim = s->chain->dim;
    const lapack_int n = (lapack_int)dim;
    od_status status = s->chain->jvp(s->chain, s->k, s->y, dim, s->unit, s->matrix);
    for (size_t j = 0; j < dim && s->weight != NULL; j++) {
        for (size_t i = 0; i < dim; i++) {
            s->matrix[j * dim + i] *= s->weight[i] / s->weight[j];
        }
    }
    const bool ok = status == OD_OK && od_all_finite(s->matrix, dim * dim) &&
                    LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'N', 'N', n, n, s->matrix, n, s->values, NULL, 1, NULL, 1,
                                        s->work, (lapack_int)s->room) == 0;
    *high = ok ? s->values[0] : NAN;
    *low = ok ? s->values[dim - 1] : NAN;
    return ok || status != OD_OK ? status : OD_ENUMERIC;
}

/* (W J W^-1)^T (W J W^-1) times a vector. */
static od_status square_product(void *user, const double *v, double *av)
{
    stretching *s = user;
    const size_t dim = s->chain->dim;
    double *turned = s->work, *image = turned + dim;
    for (size_t i = 0; i < dim; i++) {
        turned[i] = s->weight != NULL ? v[i] / s->weight[i] : v[i];
    }
    od_status status = s->chain->jvp(s->chain, s->k, s->y, 1, turned, image);
    for (size_t i = 0; i < dim && s->weight != NULL; i++) {
        image[i] *= s->weight[i] * s->weight[i];
    }
    status = status == OD_OK ? s->chain->vjp(s->chain, s->k, s->y, 1, image, av) : status;
    for (size_t i = 0; i < dim && s->weight != NULL; i++) {
        av[i] /= s->weight[i];
    }
    return status;
}

static od_status stretch_by_products(od_context *ctx, stretching *s, double *low, double *high)
{
    od_extremes found;
    od_status status = od_lanczos(ctx, s->chain->dim, square_product, s, 60, 1e-6, false, &found);
    *low = status == OD_OK ? sqrt(fmax(0, found.low)) : NAN;
    *high = status == OD_OK ? sqrt(found.high) : NAN;
    return status;
}

od_status od_shadow_stretch(od_context *ctx, od_chain *chain, const od_target *target, od_stretch *stretch)
{
    const size_t dim = chain->dim;
    const bool dense = dim <= DENSE_STRETCH;
    *stretch = (od_stretch){NAN, NAN};
    if (chain->jvp == NULL || (!dense && chain->vjp == NULL)) {
        return OD_OK;
    }
    stretching s = {.chain = chain, .weight = target->weight, .room = 8 * dim + 64};
    for (size_t i = 0; i < dim; i++) {
        s.weight = target->weight[i] > 0 ? s.weight : NULL;
    }
    double *memory = od_zalloc((dense ? 2 * dim * dim : 0) + dim + s.room, sizeof *memory);
    if (memory == NULL) {
        return no_memory(ctx, dim);
    }
    s.values = memory;
    s.work = s.values + dim;
    s.unit = s.work + s.room;
    s.matrix = s.unit + (dense ? dim * dim : 0);
    for (size_t i = 0; i < dim && dense; i++) {
        s.unit[i * dim + i] = 1;
    }
    const uint64_t most = dim <= 16 ? 256 : 16, stride = (chain->steps + most - 1) / most;
    *stretch = (od_stretch){INFINITY, 0};
    od_status status = OD_OK;
    for (s.k = 0; s.k < chain->steps && status == OD_OK; s.k += stride) {
        double low, high;
        s.y = target->y + s.k * dim;
        status = dense ? stretch_dense(&s, &low, &high) : stretch_by_products(ctx, &s, &low, &high);
        stretch->high = fmax(stretch->high, high);
        stretch->low = fmin(stretch->low, low);
    }
    free(memory);
    if (status != OD_OK && status != OD_ENOMEM && status != OD_EINTERRUPTED) { /* a loss without curvature there */
        *stretch = (od_stretch){NAN, NAN};
        return OD_OK;
    }
    return status;
}
