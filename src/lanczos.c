/*
 * C. Lanczos, An iteration method for the solution of the eigenvalue problem of linear differential and integral
 * operators, J. Res. Nat. Bur. Standards 45 (1950), 255-282; reorthogonalised twice against the whole basis, which a
 * basis this small affords and which makes the Ritz values trustworthy (B. N. Parlett, The Symmetric Eigenvalue
 * Problem, 1980, ch. 13). The residual of a Ritz pair is beta_k |s_k|, s_k the last entry of its tridiagonal
 * eigenvector.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "krylov.h"

#include "memory.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HESSIAN_STEPS = 60, CHECK_EVERY = 5 };

void od_krylov_clear(od_krylov *k)
{
    free(k->basis);
    free(k->alpha);
    free(k->beta);
    free(k->coefficient);
    free(k->diagonal);
    free(k->off);
    free(k->vectors);
}

bool od_krylov_open(od_krylov *k, size_t d, size_t most, size_t room)
{
    *k = (od_krylov){.d = d, .most = most};
    k->basis = od_zalloc((room + 1) * d, sizeof(double));
    k->alpha = od_zalloc(most, sizeof(double));
    k->beta = od_zalloc(most, sizeof(double));
    k->coefficient = od_zalloc(room + 1, sizeof(double));
    k->diagonal = od_zalloc(most, sizeof(double));
    k->off = od_zalloc(most, sizeof(double));
    k->vectors = od_zalloc(most * most, sizeof(double));
    return k->basis != NULL && k->alpha != NULL && k->beta != NULL && k->coefficient != NULL && k->diagonal != NULL &&
           k->off != NULL && k->vectors != NULL;
}

/* w -= V^T V w over the first `count` rows of the basis, twice. */
static void orthogonalise(od_krylov *k, size_t count, double *w)
{
    const int d = (int)k->d, n = (int)count;
    for (int pass = 0; pass < 2; pass++) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1, k->basis, d, w, 1, 0, k->coefficient, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, n, d, -1, k->basis, d, k->coefficient, 1, 1, w, 1);
    }
}

bool od_krylov_decompose(od_krylov *k, size_t count)
{
    const int n = (int)count;
    memcpy(k->diagonal, k->alpha, count * sizeof(double));
    memcpy(k->off, k->beta, count * sizeof(double));
    return LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', n, k->diagonal, k->off, k->vectors, n) == 0;
}

double od_krylov_residual(const od_krylov *k, size_t count, size_t i)
{
    return fabs(k->beta[count - 1] * k->vectors[i * count + count - 1]);
}

static bool ritz(od_krylov *k, size_t count, od_extremes *e)
{
    if (!od_krylov_decompose(k, count)) {
        return false;
    }
    *e = (od_extremes){.low = k->diagonal[0],
                       .high = k->diagonal[count - 1],
                       .low_error = od_krylov_residual(k, count, 0),
                       .high_error = od_krylov_residual(k, count, count - 1),
                       .steps = count};
    return true;
}

void od_krylov_start(od_krylov *k, size_t run)
{
    double *first = k->basis + k->aside * k->d;
    for (size_t i = 0; i < k->d; i++) {
        first[i] = od_normal(0, OD_STREAM_CHECK, run, i, 0);
    }
    if (k->aside > 0) {
        orthogonalise(k, k->aside, first);
    }
    cblas_dscal((int)k->d, 1 / cblas_dnrm2((int)k->d, first, 1), first, 1);
}

od_status od_krylov_advance(od_context *ctx, od_krylov *k, size_t j, od_operator *apply, void *user, bool *closed)
{
    const size_t row = k->aside + j;
    const double *v = k->basis + row * k->d;
    double *w = k->basis + (row + 1) * k->d;
    const od_status status = apply(user, v, w);
    if (status != OD_OK) {
        return od_fail(ctx, status, NULL, "a Hessian-vector product failed");
    }
    const double size = cblas_dnrm2((int)k->d, w, 1);
    if (!isfinite(size)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "a Hessian-vector product is not finite at this point");
    }
    k->alpha[j] = cblas_ddot((int)k->d, v, 1, w, 1);
    orthogonalise(k, row + 1, w);
    k->beta[j] = cblas_dnrm2((int)k->d, w, 1);
    *closed = k->beta[j] <= 100 * DBL_EPSILON * size || row + 1 == k->d;
    if (!*closed) {
        cblas_dscal((int)k->d, 1 / k->beta[j], w, 1);
    }
    return OD_OK;
}

static od_status iterate(od_context *ctx, od_krylov *k, od_operator *apply, void *user, double tolerance,
                         bool upper_only, od_extremes *e)
{
    bool closed = false;
    od_krylov_start(k, 0);
    for (size_t j = 0; j < k->most && !closed; j++) {
        const od_status status = od_krylov_advance(ctx, k, j, apply, user, &closed);
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

od_status od_lanczos(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double tolerance,
                     bool upper_only, od_extremes *extremes)
{
    od_krylov k;
    od_status status = od_krylov_open(&k, d, most < d ? most : d, most < d ? most : d)
                           ? iterate(ctx, &k, apply, user, tolerance, upper_only, extremes)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", most, d);
    od_krylov_clear(&k);
    return status;
}

/* ------------------------------------------------------------------------------------------- given vectors */

od_krylov *od_krylov_create(size_t d, size_t most)
{
    od_krylov *k = od_zalloc(1, sizeof *k);
    const size_t steps = most < d ? most : d;
    if (k != NULL && !od_krylov_open(k, d, steps, steps)) {
        od_krylov_free(k);
        return NULL;
    }
    return k;
}

void od_krylov_free(od_krylov *k)
{
    if (k != NULL) {
        od_krylov_clear(k);
        free(k);
    }
}

od_status od_krylov_largest(od_context *ctx, od_krylov *k, od_operator *apply, void *user, double tolerance,
                            uint64_t run, double *vector, od_extremes *found)
{
    const int d = (int)k->d;
    const double guess = cblas_dnrm2(d, vector, 1);
    od_krylov_start(k, run);
    if (guess > 0) {
        cblas_dscal(d, 0.1, k->basis, 1);
        cblas_daxpy(d, 1 / guess, vector, 1, k->basis, 1);
        cblas_dscal(d, 1 / cblas_dnrm2(d, k->basis, 1), k->basis, 1);
    }
    bool closed = false, enough = false;
    size_t n = 0;
    while (n < k->most && !closed && !enough) {
        const od_status status = od_krylov_advance(ctx, k, n, apply, user, &closed);
        if (status != OD_OK) {
            return status;
        }
        n++;
        if (!ritz(k, n, found)) {
            return od_fail(ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a tridiagonal matrix");
        }
        enough = found->high_error <= tolerance * fmax(fabs(found->low), fabs(found->high));
    }
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)n, d, 1, k->basis, d, k->vectors + (n - 1) * n, 1, 0, vector, 1);
    return OD_OK;
}

od_status od_krylov_rule(od_context *ctx, od_krylov *k, od_operator *apply, void *user, const double *vector,
                         double *node, double *weight, size_t *count)
{
    bool closed = false;
    size_t n = 0;
    memcpy(k->basis, vector, k->d * sizeof *vector);
    while (n < k->most && !closed) {
        const od_status status = od_cancelled(ctx)
                                     ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while a spectrum was sampled")
                                     : od_krylov_advance(ctx, k, n, apply, user, &closed);
        if (status != OD_OK) {
            return status;
        }
        n++;
    }
    if (!od_krylov_decompose(k, n)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a tridiagonal matrix");
    }
    for (size_t i = 0; i < n; i++) {
        node[i] = k->diagonal[i];
        weight[i] = k->vectors[i * n] * k->vectors[i * n];
    }
    *count = n;
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- Hessians */

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
