/*
 * Eigenvalues at the top of a spectrum with their multiplicities: Lanczos' iteration, run after run, with what was
 * found set aside.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "krylov.h"

#include "memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double chance = 1e-9; /* of a miss that is let pass */
enum { FIRST_CHECK = 8, COLUMNS = 256 };

typedef struct search {
    od_context *ctx;
    od_krylov *k;
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
    od_krylov *k = s->k;
    if (!od_krylov_decompose(k, n)) {
        return od_fail(s->ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of a tridiagonal matrix");
    }
    s->scale = fmax(s->scale, fmax(fabs(k->diagonal[0]), fabs(k->diagonal[n - 1])));
    size_t wanted = 0;
    s->take = 0;
    while (wanted < n && wanted < s->cap && k->diagonal[n - 1 - wanted] > s->bar) {
        const bool converged = closed || od_krylov_residual(k, n, n - 1 - wanted) <= s->wish->tolerance * s->scale;
        s->take += converged && s->take == wanted;
        wanted++;
    }
    s->found->next = k->diagonal[n - 1];
    s->found->next_error = closed ? 0 : od_krylov_residual(k, n, n - 1);
    s->found->ceiling = (closed ? s->found->next
                                : ceiling_of(k->d, n, k->diagonal[0] - od_krylov_residual(k, n, 0), s->found->next)) +
                        s->off;
    const bool settled = s->wish->most > 0 ? closed || s->found->next_error <= s->wish->tolerance * s->scale
                                           : s->found->ceiling < s->wish->level;
    s->last = wanted == 0 && settled;
    s->done = s->last || (wanted > 0 && s->take == wanted);
    return OD_OK;
}

/* The Ritz vectors that were taken replace the first rows of the run's basis, a few columns at a time. */
static bool set_aside(search *s)
{
    od_krylov *k = s->k;
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
    od_krylov *k = s->k;
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
    od_krylov *k = s->k;
    const size_t left = k->d - k->aside, room = s->wish->room - k->aside, most = left < room ? left : room;
    const size_t steps = most < k->most ? most : k->most;
    bool closed = false;
    size_t check = FIRST_CHECK;
    od_status status = OD_OK;
    od_krylov_start(k, s->found->runs);
    s->done = s->last = false;
    s->steps = s->take = 0;
    while (s->steps < steps && !closed && !s->done && status == OD_OK) {
        status = od_cancelled(s->ctx)
                     ? od_fail(s->ctx, OD_EINTERRUPTED, NULL, "interrupted while eigenvalues were sought")
                     : od_krylov_advance(s->ctx, k, s->steps, s->apply, s->user, &closed);
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
    od_krylov *k = s->k;
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
    od_krylov k;
    *found = (od_leading){.next = NAN, .next_error = NAN, .ceiling = INFINITY};
    search s = {.ctx = ctx, .k = &k, .apply = apply, .user = user, .wish = &fitting, .found = found};
    double *sorted = od_zalloc(room, sizeof *sorted);
    found->value = od_zalloc(room, sizeof *found->value);
    found->error = od_zalloc(room, sizeof *found->error);
    od_status status = od_krylov_open(&k, d, steps, room) && sorted != NULL && found->value != NULL &&
                               found->error != NULL
                           ? seek(&s, sorted)
                           : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu vectors of %zu dimensions", room, d);
    free(sorted);
    if (status == OD_OK) {
        arrange(&s);
        count_above(&s);
        found->vectors = k.basis;
        k.basis = NULL;
    }
    od_krylov_clear(&k);
    return status;
}

void od_leading_free(od_leading *found)
{
    free(found->value);
    free(found->error);
    free(found->vectors);
    *found = (od_leading){0};
}
