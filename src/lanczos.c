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

struct od_krylov {
    size_t d, most;
    size_t aside;                     /* rows at the start of the basis that are kept out of the iteration */
    double *basis;                    /* [(most+1)*d], rows orthonormal */
    double *alpha, *beta;             /* [most] diagonal and what follows it */
    double *coefficient;              /* [most+1] */
    double *diagonal, *off, *vectors; /* copies for LAPACK: [most], [most], [most*most] */
};

typedef od_krylov krylov;

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

/* For `most` steps and `room` rows of the basis. */
static bool open_krylov(krylov *k, size_t d, size_t most, size_t room)
{
    *k = (krylov){.d = d, .most = most};
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
static void orthogonalise(krylov *k, size_t count, double *w)
{
    const int d = (int)k->d, n = (int)count;
    for (int pass = 0; pass < 2; pass++) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1, k->basis, d, w, 1, 0, k->coefficient, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, n, d, -1, k->basis, d, k->coefficient, 1, 1, w, 1);
    }
}

/* Ritz values of the first `count` steps, ascending in k->diagonal, with vectors; false if LAPACK failed. */
static bool decompose(krylov *k, size_t count)
{
    const int n = (int)count;
    memcpy(k->diagonal, k->alpha, count * sizeof(double));
    memcpy(k->off, k->beta, count * sizeof(double));
    return LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', n, k->diagonal, k->off, k->vectors, n) == 0;
}

/* The residual of Ritz value i of `count`. */
static double residual(const krylov *k, size_t count, size_t i)
{
    return fabs(k->beta[count - 1] * k->vectors[i * count + count - 1]);
}

static bool ritz(krylov *k, size_t count, od_extremes *e)
{
    if (!decompose(k, count)) {
        return false;
    }
    *e = (od_extremes){.low = k->diagonal[0],
                       .high = k->diagonal[count - 1],
                       .low_error = residual(k, count, 0),
                       .high_error = residual(k, count, count - 1),
                       .steps = count};
    return true;
}

/* A random first vector, orthogonal to those set aside. */
static void start(krylov *k, size_t run)
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

/* Step j. What is left after it may be rounding: then the basis is closed, it already spans an invariant space. */
static od_status advance(od_context *ctx, krylov *k, size_t j, od_operator *apply, void *user, bool *closed)
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

static od_status iterate(od_context *ctx, krylov *k, od_operator *apply, void *user, double tolerance, bool upper_only,
                         od_extremes *e)
{
    bool closed = false;
    start(k, 0);
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

od_status od_lanczos(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double tolerance,
                     bool upper_only, od_extremes *extremes)
{
    krylov k;
    od_status status = open_krylov(&k, d, most < d ? most : d, most < d ? most : d)
                           ? iterate(ctx, &k, apply, user, tolerance, upper_only, extremes)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", most, d);
    clear(&k);
    return status;
}

/* ------------------------------------------------------------------------------------------- leading eigenvalues */

static const double chance = 1e-9; /* of a miss that is let pass */
enum { FIRST_CHECK = 8, COLUMNS = 256 };

typedef struct search {
    od_context *ctx;
    krylov *k;
    od_operator *apply;
    void *user;
    const od_leading_wish *wish;
    od_leading *found; /* count, value and error; the vectors are the first rows of the basis */
    double scale;      /* largest modulus of a Ritz value */
    double off;        /* norm of all residuals */
    size_t steps;      /* of the run */
    double bar;        /* of the run: only Ritz values above it are wanted, */
    size_t cap;        /* and only so many */
    size_t take;       /* leading ones of these that have converged */
    bool done, last;   /* last: the run has shown that nothing is left to find */
} search;

/* What the largest eigenvalue is below but for the chance above, after n steps with these extreme Ritz values. */
static double ceiling_of(size_t d, size_t n, double low, double high)
{
    const double root = log(1.648 * sqrt((double)d) / chance) / (2 * (double)n - 1), share = root * root;
    return share < 1 ? (high - share * low) / (1 - share) : INFINITY;
}

static od_status judge(search *s, size_t n, bool closed)
{
    krylov *k = s->k;
    if (!decompose(k, n)) {
        return od_fail(s->ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a tridiagonal matrix");
    }
    s->scale = fmax(s->scale, fmax(fabs(k->diagonal[0]), fabs(k->diagonal[n - 1])));
    size_t wanted = 0;
    s->take = 0;
    while (wanted < n && wanted < s->cap && k->diagonal[n - 1 - wanted] > s->bar) {
        const bool converged = closed || residual(k, n, n - 1 - wanted) <= s->wish->tolerance * s->scale;
        s->take += converged && s->take == wanted;
        wanted++;
    }
    s->found->next = k->diagonal[n - 1];
    s->found->next_error = closed ? 0 : residual(k, n, n - 1);
    s->found->ceiling =
        (closed ? s->found->next : ceiling_of(k->d, n, k->diagonal[0] - residual(k, n, 0), s->found->next)) + s->off;
    const bool settled = s->wish->most > 0 ? closed || s->found->next_error <= s->wish->tolerance * s->scale
                                           : s->found->ceiling < s->wish->level;
    s->last = wanted == 0 && settled;
    s->done = s->last || (wanted > 0 && s->take == wanted);
    return OD_OK;
}

/* The Ritz vectors that were taken replace the first rows of the run's basis, a few columns at a time. */
static bool set_aside(search *s)
{
    krylov *k = s->k;
    const size_t n = s->steps, d = k->d, take = s->take;
    double *part = od_zalloc(take * COLUMNS, sizeof *part);
    if (part == NULL) {
        return false;
    }
    double *rows = k->basis + k->aside * d;
    for (size_t from = 0; from < d; from += COLUMNS) {
        const size_t width = d - from < COLUMNS ? d - from : COLUMNS;
        /* column n - 1 - i of the eigenvectors belongs to vector i */
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)take, (int)width, (int)n, 1,
                    k->vectors + (n - take) * n, (int)n, rows + from, (int)d, 0, part, COLUMNS);
        for (size_t i = 0; i < take; i++) {
            memcpy(rows + i * d + from, part + (take - 1 - i) * COLUMNS, width * sizeof *part);
        }
    }
    free(part);
    return true;
}

/* Rayleigh quotients and true residuals of the vectors that were set aside; the row behind them is free of use. */
static od_status measure(search *s)
{
    krylov *k = s->k;
    od_leading *f = s->found;
    const int d = (int)k->d;
    double *w = k->basis + (k->aside + s->take) * k->d;
    for (size_t i = k->aside; i < k->aside + s->take; i++) {
        const double *v = k->basis + i * k->d;
        const od_status status = s->apply(s->user, v, w);
        if (status != OD_OK) {
            return od_fail(s->ctx, status, NULL, "a Hessian-vector product failed");
        }
        f->value[i] = cblas_ddot(d, v, 1, w, 1);
        cblas_daxpy(d, -f->value[i], v, 1, w, 1);
        f->error[i] = cblas_dnrm2(d, w, 1);
        s->off = hypot(s->off, f->error[i]);
        f->products++;
    }
    k->aside = f->count = k->aside + s->take;
    return OD_OK;
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static od_status run(search *s)
{
    krylov *k = s->k;
    const size_t left = k->d - k->aside, room = s->wish->room - k->aside, most = left < room ? left : room;
    const size_t steps = most < k->most ? most : k->most;
    bool closed = false;
    size_t check = FIRST_CHECK;
    od_status status = OD_OK;
    start(k, s->found->runs);
    s->done = s->last = false;
    s->steps = s->take = 0;
    while (s->steps < steps && !closed && !s->done && status == OD_OK) {
        status = od_cancelled(s->ctx)
                     ? od_fail(s->ctx, OD_EINTERRUPTED, NULL, "interrupted while eigenvalues were sought")
                     : advance(s->ctx, k, s->steps, s->apply, s->user, &closed);
        s->steps++;
        s->found->products++;
        if (status == OD_OK && (closed || s->steps == steps || s->steps == check)) {
            check += check / 4;
            status = judge(s, s->steps, closed);
        }
    }
    s->found->runs++;
    return status;
}

/* The bar that the next run has to pass. */
static void raise_bar(search *s, double *sorted)
{
    const od_leading_wish *wish = s->wish;
    s->bar = wish->level;
    s->cap = wish->most == 0 ? SIZE_MAX : wish->most - s->k->aside;
    if (wish->most > 0 && s->k->aside >= wish->most) {
        memcpy(sorted, s->found->value, s->k->aside * sizeof *sorted);
        qsort(sorted, s->k->aside, sizeof *sorted, descending);
        s->bar = fmax(s->bar, sorted[wish->most - 1]);
        s->cap = SIZE_MAX;
    }
}

static od_status seek(search *s, double *sorted)
{
    krylov *k = s->k;
    od_leading *f = s->found;
    od_status status = OD_OK;
    bool moved = true;
    f->miss = chance;
    while (moved && !f->complete && status == OD_OK) {
        if (k->aside == k->d) {
            f->complete = true;
            f->miss = 0;
            f->ceiling = f->next = -INFINITY;
            return OD_OK;
        }
        if (k->aside >= s->wish->room) {
            return OD_OK;
        }
        raise_bar(s, sorted);
        status = run(s);
        f->complete = status == OD_OK && s->last;
        moved = s->take > 0;
        if (status == OD_OK && moved) {
            status = set_aside(s) ? measure(s) : od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for Ritz vectors");
        }
    }
    return status;
}

/* Values and vectors in descending order, and no more of them than were wanted. */
static void arrange(search *s)
{
    od_leading *f = s->found;
    const size_t d = s->k->d;
    for (size_t i = 0; i + 1 < f->count; i++) {
        size_t best = i;
        for (size_t j = i + 1; j < f->count; j++) {
            best = f->value[j] > f->value[best] ? j : best;
        }
        if (best != i) {
            cblas_dswap((int)d, s->k->basis + i * d, 1, s->k->basis + best * d, 1);
            cblas_dswap(1, f->value + i, 1, f->value + best, 1);
            cblas_dswap(1, f->error + i, 1, f->error + best, 1);
        }
    }
    const size_t most = s->wish->most;
    if (most > 0 && f->count > most) {
        f->ceiling = fmax(f->ceiling, f->value[most] + f->error[most]);
        f->count = most;
    }
}

/* What is surely above the level: the residuals couple what was set aside to the last run by no more than their norm.
 */
static void count_above(search *s)
{
    od_leading *f = s->found;
    for (size_t i = 0; i < f->count; i++) {
        f->above += f->value[i] > s->wish->level + s->off;
    }
    for (size_t i = 0; i < s->steps && s->take == 0; i++) {
        f->above += s->k->diagonal[i] > s->wish->level + s->off;
    }
    f->complete = f->complete && (s->wish->most > 0 || f->above == f->count);
}

od_status od_lanczos_leading(od_context *ctx, size_t d, od_operator *apply, void *user, const od_leading_wish *wish,
                             od_leading *found)
{
    const size_t room = wish->room < d ? wish->room : d, steps = wish->steps < room ? wish->steps : room;
    od_leading_wish fitting = *wish;
    fitting.room = room;
    krylov k;
    *found = (od_leading){.next = NAN, .next_error = NAN, .ceiling = INFINITY};
    search s = {.ctx = ctx, .k = &k, .apply = apply, .user = user, .wish = &fitting, .found = found};
    double *sorted = od_zalloc(room, sizeof *sorted);
    found->value = od_zalloc(room, sizeof *found->value);
    found->error = od_zalloc(room, sizeof *found->error);
    od_status status = open_krylov(&k, d, steps, room) && sorted != NULL && found->value != NULL && found->error != NULL
                           ? seek(&s, sorted)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", room, d);
    free(sorted);
    if (status == OD_OK) {
        arrange(&s);
        count_above(&s);
        found->vectors = k.basis;
        k.basis = NULL;
    }
    clear(&k);
    return status;
}

void od_leading_free(od_leading *found)
{
    free(found->value);
    free(found->error);
    free(found->vectors);
    *found = (od_leading){0};
}

/* ------------------------------------------------------------------------------------------- given vectors */

od_krylov *od_krylov_create(size_t d, size_t most)
{
    od_krylov *k = od_zalloc(1, sizeof *k);
    const size_t steps = most < d ? most : d;
    if (k != NULL && !open_krylov(k, d, steps, steps)) {
        od_krylov_free(k);
        return NULL;
    }
    return k;
}

void od_krylov_free(od_krylov *k)
{
    if (k != NULL) {
        clear(k);
        free(k);
    }
}

od_status od_krylov_largest(od_context *ctx, od_krylov *k, od_operator *apply, void *user, double tolerance,
                            uint64_t run, double *vector, od_extremes *found)
{
    const int d = (int)k->d;
    const double guess = cblas_dnrm2(d, vector, 1);
    start(k, run);
    if (guess > 0) {
        cblas_dscal(d, 0.1, k->basis, 1);
        cblas_daxpy(d, 1 / guess, vector, 1, k->basis, 1);
        cblas_dscal(d, 1 / cblas_dnrm2(d, k->basis, 1), k->basis, 1);
    }
    bool closed = false, enough = false;
    size_t n = 0;
    while (n < k->most && !closed && !enough) {
        const od_status status = advance(ctx, k, n, apply, user, &closed);
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
                                     : advance(ctx, k, n, apply, user, &closed);
        if (status != OD_OK) {
            return status;
        }
        n++;
    }
    if (!decompose(k, n)) {
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
