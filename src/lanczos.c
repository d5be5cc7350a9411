/*
 * C. Lanczos, An iteration method for the solution of the eigenvalue problem of linear differential and integral
 * operators, J. Res. Nat. Bur. Standards 45 (1950), 255-282; reorthogonalised twice against the whole basis, which a
 * basis this small affords and which makes the Ritz values trustworthy (B. N. Parlett, The Symmetric Eigenvalue
 * Problem, 1980, ch. 13). The residual of a Ritz pair is beta_k |s_k|, s_k the last entry of its tridiagonal
 * eigenvector.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "lanczos.h"

#include "memory.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HESSIAN_STEPS = 60, CHECK_EVERY = 5 };

typedef struct krylov {
    size_t d, most;
    double *basis;                    /* [(most+1)*d], rows orthonormal */
    double *alpha, *beta;             /* [most] diagonal and what follows it */
    double *coefficient;              /* [most+1] */
    double *diagonal, *off, *vectors; /* copies for LAPACK: [most], [most], [most*most] */
} krylov;

static void clear(krylov *k)
{
    free(k->basis);
    free(k->alpha);
    free(k->beta);
    free(k->coefficient);
    free(k->diagonal);
    free(k->off);
    free(k->vectors);
}

static bool open_krylov(krylov *k, size_t d, size_t most)
{
    *k = (krylov){.d = d, .most = most};
    k->basis = od_zalloc((most + 1) * d, sizeof(double));
    k->alpha = od_zalloc(most, sizeof(double));
    k->beta = od_zalloc(most, sizeof(double));
    k->coefficient = od_zalloc(most + 1, sizeof(double));
    k->diagonal = od_zalloc(most, sizeof(double));
    k->off = od_zalloc(most, sizeof(double));
    k->vectors = od_zalloc(most * most, sizeof(double));
    return k->basis != NULL && k->alpha != NULL && k->beta != NULL && k->coefficient != NULL && k->diagonal != NULL &&
           k->off != NULL && k->vectors != NULL;
}

/* w -= V^T V w over the first `count` rows of the basis, twice. */
static void orthogonalise(krylov *k, size_t count, double *w)
{
    const int d = (int)k->d, n = (int)count;
    for (int pass = 0; pass < 2; pass++) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1, k->basis, d, w, 1, 0, k->coefficient, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, n, d, -1, k->basis, d, k->coefficient, 1, 1, w, 1);
    }
}

/* Ritz values of the first `count` steps; false if LAPACK failed. */
static bool ritz(krylov *k, size_t count, od_extremes *e)
{
    const int n = (int)count;
    memcpy(k->diagonal, k->alpha, count * sizeof(double));
    memcpy(k->off, k->beta, count * sizeof(double));
    if (LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', n, k->diagonal, k->off, k->vectors, n) != 0) {
        return false;
    }
    *e = (od_extremes){.low = k->diagonal[0],
                       .high = k->diagonal[count - 1],
                       .low_error = fabs(k->beta[count - 1] * k->vectors[count - 1]),
                       .high_error = fabs(k->beta[count - 1] * k->vectors[count * count - 1]),
                       .steps = count};
    return true;
}

static void start(krylov *k)
{
    double *first = k->basis;
    for (size_t i = 0; i < k->d; i++) {
        first[i] = od_normal(0, OD_STREAM_CHECK, 0, i, 0);
    }
    cblas_dscal((int)k->d, 1 / cblas_dnrm2((int)k->d, first, 1), first, 1);
}

/* Step j. What is left after it may be rounding: then the basis is closed, it already spans an invariant space. */
static od_status advance(od_context *ctx, krylov *k, size_t j, od_operator *apply, void *user, bool *closed)
{
    const double *v = k->basis + j * k->d;
    double *w = k->basis + (j + 1) * k->d;
    const od_status status = apply(user, v, w);
    if (status != OD_OK) {
        return od_fail(ctx, status, NULL, "a Hessian-vector product failed");
    }
    const double size = cblas_dnrm2((int)k->d, w, 1);
    if (!isfinite(size)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "a Hessian-vector product is not finite at this point");
    }
    k->alpha[j] = cblas_ddot((int)k->d, v, 1, w, 1);
    orthogonalise(k, j + 1, w);
    k->beta[j] = cblas_dnrm2((int)k->d, w, 1);
    *closed = k->beta[j] <= 100 * DBL_EPSILON * size || j + 1 == k->d;
    if (!*closed) {
        cblas_dscal((int)k->d, 1 / k->beta[j], w, 1);
    }
    return OD_OK;
}

static od_status iterate(od_context *ctx, krylov *k, od_operator *apply, void *user, double tolerance, bool upper_only,
                         od_extremes *e)
{
    bool closed = false;
    start(k);
    for (size_t j = 0; j < k->most && !closed; j++) {
        const od_status status = advance(ctx, k, j, apply, user, &closed);
        if (status != OD_OK) {
            return status;
        }
        if (closed || j + 1 == k->most || (j + 1) % CHECK_EVERY == 0) {
            if (!ritz(k, j + 1, e)) {
                return od_fail(ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a tridiagonal matrix");
            }
            const double enough = tolerance * fmax(fabs(e->low), fabs(e->high));
            if (e->high_error <= enough && (upper_only || e->low_error <= enough)) {
                return OD_OK;
            }
        }
    }
    return OD_OK;
}

/* Ritz values of the first `count` steps above a level: negative pivots of level - T (Sylvester). */
static size_t ritz_above(const krylov *k, size_t count, double level)
{
    size_t above = 0;
    double pivot = 1;
    for (size_t i = 0; i < count; i++) {
        const double before = i > 0 ? k->beta[i - 1] * k->beta[i - 1] / pivot : 0;
        pivot = level - k->alpha[i] - before;
        pivot = pivot == 0 ? DBL_MIN : pivot;
        above += pivot < 0;
    }
    return above;
}

od_status od_lanczos_above(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double level,
                           size_t *count)
{
    krylov k;
    od_status status = open_krylov(&k, d, most < d ? most : d)
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", most, d);
    bool closed = false;
    size_t changed = 0;
    *count = 0;
    if (status == OD_OK) {
        start(&k);
    }
    for (size_t j = 0; j < k.most && !closed && status == OD_OK && j - changed <= 20 + j / 4; j++) {
        status = od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while Ritz values were counted")
                                   : advance(ctx, &k, j, apply, user, &closed);
        const size_t now = status == OD_OK ? ritz_above(&k, j + 1, level) : *count;
        changed = now != *count ? j : changed;
        *count = now;
    }
    clear(&k);
    return status;
}

od_status od_lanczos(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double tolerance,
                     bool upper_only, od_extremes *extremes)
{
    krylov k;
    od_status status = open_krylov(&k, d, most < d ? most : d)
                           ? iterate(ctx, &k, apply, user, tolerance, upper_only, extremes)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", most, d);
    clear(&k);
    return status;
}

typedef struct hessian {
    const od_problem *problem;
    const double *x;
    double *ws;
} hessian;

static od_status hessian_product(void *user, const double *v, double *av)
{
    const hessian *h = user;
    return h->problem->hvp(h->problem, 1, h->x, 1, v, av, h->ws);
}

od_status od_lanczos_extremes(od_context *ctx, const od_problem *problem, const double *x, od_extremes *extremes)
{
    hessian h = {problem, x, od_zalloc(od_scratch_size(&problem->scratch, 1) + 1, sizeof(double))};
    od_status status = h.ws != NULL
                           ? od_lanczos(ctx, problem->dim, hessian_product, &h, HESSIAN_STEPS, 1e-10, false, extremes)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for Hessian-vector products");
    free(h.ws);
    return status;
}
