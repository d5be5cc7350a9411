/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ladder.h"

#include "../src/memory.h"
#include "sample.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FACTORED = 512, MOST_STRETCHED = 256, NEWTON_TRIALS = 60 };

static void see(od_shadow *shadow, const od_chain *chain, const od_target *target, uint64_t k, const double *x)
{
    const double distance = od_weighted_distance(chain->dim, target->weight, x, target->y + k * chain->dim);
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
        const double off = od_weighted_distance(dim, target->weight, image, target->y + (k + 1) * dim);
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

/* Inverse steps, with the factors of the last derivative that was needed. */
typedef struct inverse {
    od_chain *chain;
    size_t dim;
    double *memory, *factors, *unit, *image, *off, *change, *kept, *work;
    lapack_int *pivot, *integers;
    bool factored;
} inverse;

static bool open_inverse(inverse *v, od_chain *chain)
{
    const size_t dim = chain->dim;
    *v = (inverse){.chain = chain, .dim = dim};
    v->memory = od_zalloc(2 * dim * dim + 8 * dim, sizeof *v->memory);
    v->pivot = od_zalloc(2 * dim, sizeof *v->pivot);
    if (v->memory == NULL || v->pivot == NULL) {
        return false;
    }
    v->factors = v->memory;
    v->unit = v->factors + dim * dim;
    v->image = v->unit + dim * dim;
    v->off = v->image + dim;
    v->change = v->off + dim;
    v->kept = v->change + dim;
    v->work = v->kept + dim;
    v->integers = v->pivot + dim;
    for (size_t i = 0; i < dim; i++) {
        v->unit[i * dim + i] = 1;
    }
    return true;
}

static void close_inverse(inverse *v)
{
    free(v->memory);
    free(v->pivot);
}

/* Factors the derivative of step k at x; *condition is its reciprocal condition number, 0 if it is singular. */
static od_status factor(inverse *v, uint64_t k, const double *x, double *condition)
{
    const lapack_int n = (lapack_int)v->dim;
    od_status status = v->chain->jvp(v->chain, k, x, v->dim, v->unit, v->factors);
    double norm = 0;
    for (size_t j = 0; j < v->dim && status == OD_OK; j++) {
        double sum = 0;
        for (size_t i = 0; i < v->dim; i++) {
            sum += fabs(v->factors[j * v->dim + i]);
        }
        norm = fmax(norm, sum);
    }
    *condition = 0;
    v->factored = false;
    if (status == OD_OK && LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, n, n, v->factors, n, v->pivot) == 0) {
        v->factored = LAPACKE_dgecon_work(LAPACK_COL_MAJOR, '1', n, v->factors, n, norm, condition, v->work,
                                          v->integers) == 0;
    }
    return status;
}

static double length(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

/* off = z - Psi_k(x), and its length; infinite where the step diverges. */
static od_status defect(inverse *v, uint64_t k, const double *z, const double *x, double *norm)
{
    od_status status = v->chain->step(v->chain, k, x, v->image);
    for (size_t i = 0; i < v->dim; i++) {
        v->off[i] = z[i] - v->image[i];
    }
    *norm = status == OD_OK ? length(v->dim, v->off) : INFINITY;
    return status == OD_EDIVERGED ? OD_OK : status;
}

/* x += part of the step that the factors and `off` at x give, halved until the defect falls to `goal` of what it was.
 */
static od_status improve(inverse *v, uint64_t k, const double *z, double *x, double goal, unsigned halvings,
                         double *norm)
{
    const lapack_int n = (lapack_int)v->dim;
    const double before = *norm;
    LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'N', n, 1, v->factors, n, v->pivot, v->off, n);
    memcpy(v->change, v->off, v->dim * sizeof *v->off);
    memcpy(v->kept, x, v->dim * sizeof *x);
    double part = 1;
    od_status status = OD_OK;
    for (unsigned trial = 0; trial <= halvings && status == OD_OK; trial++, part /= 2) {
        for (size_t i = 0; i < v->dim; i++) {
            x[i] = v->kept[i] + part * v->change[i];
        }
        status = defect(v, k, z, x, norm);
        if (*norm < goal * before) {
            return status;
        }
    }
    memcpy(x, v->kept, v->dim * sizeof *x);
    return status == OD_OK ? defect(v, k, z, x, norm) : status;
}

/* x with Psi_k(x) = z, from a guess; the reason if there is none. */
static od_status invert(inverse *v, uint64_t k, const double *z, double *x, char reason[OD_REASON_ROOM])
{
    double norm, condition;
    od_status status = defect(v, k, z, x, &norm);
    for (unsigned trial = 0; trial < NEWTON_TRIALS && status == OD_OK; trial++) {
        const double size = length(v->dim, z) + length(v->dim, x), before = norm;
        if (norm <= 4 * 0x1p-53 * size) {
            return OD_OK;
        }
        if (v->factored) { /* kept from a neighbour: good if it does well at once */
            status = improve(v, k, z, x, 0.25, 0, &norm);
            if (status != OD_OK || norm < before) {
                continue;
            }
        }
        status = factor(v, k, x, &condition);
        if (status == OD_OK && !(condition > 1e-13)) {
            snprintf(reason, OD_REASON_ROOM,
                     "step k = %llu cannot be inverted: the reciprocal condition number of its derivative is %.2g",
                     (unsigned long long)k, condition);
            return OD_OK;
        }
        status = status == OD_OK ? improve(v, k, z, x, 1, 20, &norm) : status;
        if (status == OD_OK && !(norm < before)) {
            if (norm <= 1e-13 * size) { /* rounding */
                return OD_OK;
            }
            break;
        }
    }
    snprintf(reason, OD_REASON_ROOM, "Newton's method found no state that step k = %llu takes to the shadow",
             (unsigned long long)k);
    return status == OD_ENOMEM || status == OD_EINTERRUPTED ? status : OD_OK;
}

od_status od_shadow_backward(od_context *ctx, od_chain *chain, const od_target *target, od_shadow *shadow,
                             char reason[OD_REASON_ROOM])
{
    const size_t dim = chain->dim;
    shadow->radius = NAN;
    shadow->at = 0;
    reason[0] = '\0';
    if (chain->jvp == NULL || dim > MOST_FACTORED) {
        snprintf(reason, OD_REASON_ROOM,
                 chain->jvp == NULL ? "inverse steps need the derivative of the %s, which it does not offer"
                                    : "inverse steps of the %s are taken for at most 512 components",
                 chain->what);
        return OD_OK;
    }
    inverse v;
    double *x = od_zalloc(2 * dim, sizeof *x);
    if (!open_inverse(&v, chain) || x == NULL) {
        close_inverse(&v);
        free(x);
        return no_memory(ctx, dim);
    }
    double *before = x + dim;
    od_status status = OD_OK;
    shadow->radius = 0;
    memcpy(x, target->y + chain->steps * dim, dim * sizeof *x);
    see(shadow, chain, target, chain->steps, x);
    for (uint64_t k = chain->steps; k > 0 && status == OD_OK && reason[0] == '\0'; k--) {
        memcpy(before, target->y + (k - 1) * dim, dim * sizeof *x);
        status = od_cancelled(ctx) ? interrupted(ctx) : invert(&v, k - 1, x, before, reason);
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
    close_inverse(&v);
    free(x);
    return status;
}

/* ------------------------------------------------------------------------------------------------ stretching */

od_status od_shadow_stretch(od_context *ctx, od_chain *chain, const od_target *target, od_stretch *stretch)
{
    const size_t dim = chain->dim;
    *stretch = (od_stretch){NAN, NAN};
    if (chain->jvp == NULL || dim > MOST_STRETCHED) {
        return OD_OK;
    }
    bool weighted = true;
    for (size_t i = 0; i < dim; i++) {
        weighted = weighted && target->weight[i] > 0;
    }
    const size_t room = 8 * dim + 64;
    double *memory = od_zalloc(2 * dim * dim + dim + room, sizeof *memory);
    if (memory == NULL) {
        return no_memory(ctx, dim);
    }
    double *unit = memory, *matrix = unit + dim * dim, *values = matrix + dim * dim, *work = values + dim;
    for (size_t i = 0; i < dim; i++) {
        unit[i * dim + i] = 1;
    }
    const uint64_t most = dim <= 16 ? 256 : 16, stride = (chain->steps + most - 1) / most;
    *stretch = (od_stretch){INFINITY, 0};
    od_status status = OD_OK;
    for (uint64_t k = 0; k < chain->steps && status == OD_OK; k += stride) {
        status = chain->jvp(chain, k, target->y + k * dim, dim, unit, matrix);
        for (size_t j = 0; j < dim && weighted; j++) {
            for (size_t i = 0; i < dim; i++) {
                matrix[j * dim + i] *= target->weight[i] / target->weight[j];
            }
        }
        const lapack_int n = (lapack_int)dim;
        const bool ok = status == OD_OK && LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'N', 'N', n, n, matrix, n, values,
                                                               NULL, 1, NULL, 1, work, (lapack_int)room) == 0;
        stretch->high = fmax(stretch->high, ok ? values[0] : NAN);
        stretch->low = fmin(stretch->low, ok ? values[dim - 1] : NAN);
    }
    free(memory);
    return status == OD_OK ? OD_OK
                           : od_fail(ctx, status, NULL, "the derivative of the %s could not be evaluated", chain->what);
}
