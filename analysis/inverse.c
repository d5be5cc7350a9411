/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "inverse.h"

#include "vector.h"

#include "../src/memory.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FACTORED = 64, FACTORED_AFFINE = 512, NEWTON_TRIALS = 60, KRYLOV = 80 };

struct od_inverse {
    od_chain *chain;
    size_t dim;
    double *memory, *image, *off, *change, *kept, *work;
    double *factors, *unit; /* NULL: by GMRES */
    double *basis;          /* [(KRYLOV+1)*dim] */
    lapack_int *pivot, *integers;
    bool factored;
};

od_status od_inverse_open(od_context *ctx, od_chain *chain, od_inverse **inverse)
{
    const size_t dim = chain->dim;
    const bool dense = dim <= (chain->affine ? FACTORED_AFFINE : FACTORED);
    od_inverse *v = *inverse = od_zalloc(1, sizeof *v);
    if (v != NULL) {
        v->memory = od_zalloc(8 * dim + (dense ? 2 * dim * dim : (KRYLOV + 1) * dim), sizeof *v->memory);
        v->pivot = od_zalloc(2 * dim, sizeof *v->pivot);
    }
    if (v == NULL || v->memory == NULL || v->pivot == NULL) {
        od_inverse_free(v);
        *inverse = NULL;
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for inverse steps in %zu components", dim);
    }
    v->chain = chain;
    v->dim = dim;
    v->image = v->memory;
    v->off = v->image + dim;
    v->change = v->off + dim;
    v->kept = v->change + dim;
    v->work = v->kept + dim;
    v->basis = v->work + 4 * dim;
    v->integers = v->pivot + dim;
    if (dense) {
        v->factors = v->basis;
        v->unit = v->factors + dim * dim;
        for (size_t i = 0; i < dim; i++) {
            v->unit[i * dim + i] = 1;
        }
    }
    return OD_OK;
}

void od_inverse_free(od_inverse *v)
{
    if (v != NULL) {
        free(v->memory);
        free(v->pivot);
        free(v);
    }
}

/* Factors the derivative of step k at x; *condition is its reciprocal condition number, 0 if it is singular. */
static od_status factor(od_inverse *v, uint64_t k, const double *x, double *condition)
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

/* off = z - Psi_k(x), and its length; infinite where the step diverges. */
static od_status defect(od_inverse *v, uint64_t k, const double *z, const double *x, double *norm)
{
    od_status status = v->chain->step(v->chain, k, x, v->image);
    for (size_t i = 0; i < v->dim; i++) {
        v->off[i] = z[i] - v->image[i];
    }
    *norm = status == OD_OK ? od_distance(v->dim, NULL, v->off, NULL) : INFINITY;
    return status == OD_EDIVERGED ? OD_OK : status;
}

/* ------------------------------------------------------------------------------------------------ GMRES */

/* Rotates column j of the Hessenberg matrix by the earlier rotations, and makes the one that clears its last entry. */
static void rotate(size_t j, double *column, double *cosine, double *sine, double *rest)
{
    for (size_t i = 0; i < j; i++) {
        const double above = column[i];
        column[i] = cosine[i] * above + sine[i] * column[i + 1];
        column[i + 1] = -sine[i] * above + cosine[i] * column[i + 1];
    }
    const double length = hypot(column[j], column[j + 1]);
    cosine[j] = length > 0 ? column[j] / length : 1;
    sine[j] = length > 0 ? column[j + 1] / length : 0;
    column[j] = length;
    rest[j + 1] = -sine[j] * rest[j];
    rest[j] *= cosine[j];
}

/* change = J^{-1} off to a thousandth, or as near as the space allows; J is the derivative of step k at x. */
static od_status solve_by_products(od_inverse *v, uint64_t k, const double *x)
{
    const int n = (int)v->dim;
    double h[KRYLOV][KRYLOV + 1] = {{0}}, cosine[KRYLOV], sine[KRYLOV], rest[KRYLOV + 1] = {0}, y[KRYLOV];
    const double size = cblas_dnrm2(n, v->off, 1);
    size_t j = 0;
    memset(v->change, 0, v->dim * sizeof *v->change);
    memcpy(v->basis, v->off, v->dim * sizeof *v->off);
    cblas_dscal(n, size > 0 ? 1 / size : 0, v->basis, 1);
    rest[0] = size;
    while (j < KRYLOV && j < v->dim && fabs(rest[j]) > 1e-3 * size) {
        double *next = v->basis + (j + 1) * v->dim;
        od_status status = v->chain->jvp(v->chain, k, x, 1, v->basis + j * v->dim, next);
        if (status != OD_OK) {
            return status;
        }
        const double before = cblas_dnrm2(n, next, 1);
        for (unsigned pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i <= j; i++) {
                const double part = cblas_ddot(n, v->basis + i * v->dim, 1, next, 1);
                cblas_daxpy(n, -part, v->basis + i * v->dim, 1, next, 1);
                h[j][i] += part;
            }
        }
        const double left = cblas_dnrm2(n, next, 1);
        h[j][j + 1] = left > 1e-15 * before ? left : 0;
        cblas_dscal(n, h[j][j + 1] > 0 ? 1 / left : 0, next, 1);
        rotate(j, h[j], cosine, sine, rest);
        j++;
        if (left <= 1e-15 * before) {
            break;
        }
    }
    for (size_t i = j; i-- > 0;) {
        y[i] = rest[i];
        for (size_t l = i + 1; l < j; l++) {
            y[i] -= h[l][i] * y[l];
        }
        y[i] = h[i][i] != 0 ? y[i] / h[i][i] : 0;
        cblas_daxpy(n, y[i], v->basis + i * v->dim, 1, v->change, 1);
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ Newton's method */

/* x += part of the step that the derivative and `off` at x give, halved until the defect falls to `goal` of what it
 * was.
 */
static od_status improve(od_inverse *v, uint64_t k, const double *z, double *x, double goal, unsigned halvings,
                         double *norm)
{
    const lapack_int n = (lapack_int)v->dim;
    const double before = *norm;
    od_status status = OD_OK;
    if (v->factors != NULL) {
        memcpy(v->change, v->off, v->dim * sizeof *v->off);
        LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'N', n, 1, v->factors, n, v->pivot, v->change, n);
    } else {
        status = solve_by_products(v, k, x);
    }
    memcpy(v->kept, x, v->dim * sizeof *x);
    double part = 1;
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

od_status od_inverse_step(od_inverse *v, uint64_t k, const double *z, double *x, char reason[OD_REASON_ROOM])
{
    double norm, condition;
    od_status status = defect(v, k, z, x, &norm);
    for (unsigned trial = 0; trial < NEWTON_TRIALS && status == OD_OK; trial++) {
        const double size = od_distance(v->dim, NULL, z, NULL) + od_distance(v->dim, NULL, x, NULL), before = norm;
        if (norm <= 4 * 0x1p-53 * size) {
            return OD_OK;
        }
        if (v->factored) { /* kept from a neighbour: good if it does well at once */
            status = improve(v, k, z, x, 0.25, 0, &norm);
            if (status != OD_OK || norm < before) {
                continue;
            }
        }
        status = v->factors != NULL ? factor(v, k, x, &condition) : OD_OK;
        if (status == OD_OK && v->factors != NULL && !(condition > 1e-13)) {
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
