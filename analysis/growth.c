/*
 * The spaces at both ends. A finite track has no stable and unstable spaces of its own: they are those of the chain
 * continued before 0 with its first Jacobian and after K with its last one, where these have as many unstable
 * directions as the track; on a chain of constant Jacobians these are the exact ones. Else they are the spaces of the
 * largest singular values of the product of all Jacobians.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "splitting.h"

#include "frame.h"

#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DENSE = 200,       /* dimensions up to which eigenvalues of a Jacobian are computed */
    FEW = 8,           /* directions followed at first where all would be many */
    FEWER = 4,         /* the same in more than DENSE dimensions */
    MOST_STEPS = 1024, /* between two factorisations */
    ROUNDS = 4         /* of products forward and backward, for the largest singular values */
};
static const double CHEAP = 2e9;         /* products of numbers below which all directions are followed */
static const double MARGIN = 0.01;       /* growth over the whole track that makes a direction unstable */
static const double TURN = 2;            /* growth and decay that make a direction turn */
static const double SEGMENT_GROWTH = 10; /* of one segment */
static const double ROUNDING = 1e-13;    /* of Jacobians that are the same, relative to their largest entry */

typedef struct walk {
    od_context *ctx;
    od_chain *chain;
    od_track *track;
    size_t dim, count;
    od_frames frames;
    double *memory;
    double *first;                /* [count*dim] the frame at 0 */
    double *frame, *next, *saved; /* [count*dim] */
    double *y;                    /* [dim] */
    double *sum, *since;          /* [count] ln of the growth from 0, and from the last node */
    double *peak, *low;           /* [count] largest and smallest of `sum` along the track, and 0 */
    double rise;                  /* the most by which a column has ever grown from some step to a later one, ln */
    uint64_t *peak_at;            /* [count] the k of it */
    uint64_t *node;
    size_t nodes, room;
} walk;

static void leave(walk *w)
{
    od_frames_close(&w->frames);
    free(w->memory);
    free(w->node);
    free(w->peak_at);
    w->memory = NULL;
    w->node = w->peak_at = NULL;
    w->nodes = w->room = 0;
}

static od_status enter(walk *w, size_t count)
{
    leave(w);
    w->count = count;
    const size_t size = count * w->dim;
    w->memory = od_zalloc(4 * size + w->dim + 4 * count, sizeof(double));
    w->peak_at = od_zalloc(count, sizeof *w->peak_at);
    if (w->memory == NULL || w->peak_at == NULL) {
        return od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for %zu directions of %zu numbers", count, w->dim);
    }
    w->first = w->memory;
    w->frame = w->first + size;
    w->next = w->frame + size;
    w->saved = w->next + size;
    w->y = w->saved + size;
    w->sum = w->y + w->dim;
    w->since = w->sum + count;
    w->peak = w->since + count;
    w->low = w->peak + count;
    return od_frames_open(w->ctx, w->dim, count, &w->frames);
}

/* frame = A_k frame, or A_k^T frame */
static od_status push(walk *w, uint64_t k, bool backward)
{
    od_status status = w->track->at(w->track, k, w->y);
    if (status == OD_OK) {
        status = (backward ? w->chain->vjp : w->chain->jvp)(w->chain, k, w->y, w->count, w->frame, w->next);
    }
    double *swap = w->frame;
    w->frame = w->next;
    w->next = swap;
    return status == OD_OK ? OD_OK : od_chain_fail(w->ctx, w->chain, status, k);
}

static od_status add_node(walk *w, uint64_t k)
{
    if (w->nodes == w->room) {
        const size_t room = 2 * w->room + 16;
        uint64_t *more = realloc(w->node, room * sizeof *more);
        if (more == NULL) {
            return od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for %zu segments", room);
        }
        w->node = more;
        w->room = room;
    }
    w->node[w->nodes++] = k;
    return OD_OK;
}

/* Of the triangle: the largest entry, and the smallest on the diagonal. */
static void extremes(const walk *w, double *largest, double *smallest)
{
    const double *r = w->frames.triangle;
    *largest = 0;
    *smallest = INFINITY;
    for (size_t j = 0; j < w->count; j++) {
        for (size_t i = 0; i <= j; i++) {
            *largest = fmax(*largest, fabs(r[j * w->count + i]));
        }
        *smallest = fmin(*smallest, r[j * w->count + j]);
    }
}

/* Adds the growth of the last factorisation; a node where a direction has grown enough. */
static od_status account(walk *w, uint64_t k, double largest)
{
    double most = 0;
    for (size_t i = 0; i < w->count; i++) {
        const double r = w->frames.triangle[i * w->count + i];
        const double growth = r <= 8 * DBL_EPSILON * largest ? -INFINITY : log(r);
        w->sum[i] += growth;
        w->since[i] += growth;
        most = fmax(most, w->since[i]);
        w->low[i] = fmin(w->low[i], w->sum[i]);
        w->rise = fmax(w->rise, w->sum[i] - w->low[i]);
        if (w->sum[i] > w->peak[i]) {
            w->peak[i] = w->sum[i];
            w->peak_at[i] = k;
        }
    }
    if (most < log(SEGMENT_GROWTH) / 2 || k == w->track->steps) {
        return OD_OK;
    }
    memset(w->since, 0, w->count * sizeof *w->since);
    return add_node(w, k);
}

/*
 * Q R along the track, by products with the Jacobians, or backward with their transposes. Factorisations are as rare as
 * the columns allow: after a stretch that made them nearly dependent, or grow by more than half a segment's factor, the
 * stretch is done again in two.
 */
static od_status walk_along(walk *w, bool backward)
{
    const uint64_t steps = w->track->steps;
    const size_t bytes = w->count * w->dim * sizeof(double);
    uint64_t stretch = 1;
    od_status status = OD_OK;
    for (uint64_t k = 0; k < steps && status == OD_OK;) {
        const uint64_t n = steps - k < stretch ? steps - k : stretch;
        memcpy(w->saved, w->frame, bytes);
        for (uint64_t j = k; j < k + n && status == OD_OK; j++) {
            status = push(w, backward ? steps - 1 - j : j, backward);
        }
        if (status != OD_OK) {
            break;
        }
        const od_status factored = od_frame_orthonormalise(&w->frames, w->count, w->frame);
        double largest, smallest;
        extremes(w, &largest, &smallest);
        if (n > 1 && (factored != OD_OK || smallest < 1e-6 * largest || largest > sqrt(SEGMENT_GROWTH))) {
            memcpy(w->frame, w->saved, bytes);
            stretch = n / 2;
            continue;
        }
        if (factored != OD_OK) {
            return od_chain_fail(w->ctx, w->chain, OD_ENUMERIC, backward ? steps - 1 - k : k);
        }
        k += n;
        status = backward ? OD_OK : account(w, k, largest);
        if (smallest > 1e-3 * largest && largest < 1.5 && stretch < MOST_STEPS) {
            stretch *= 2;
        }
        if (status == OD_OK && od_cancelled(w->ctx)) {
            status = od_fail(w->ctx, OD_EINTERRUPTED, NULL, "interrupted while directions were followed");
        }
    }
    return status;
}

/* Growth and nodes, from the frame at 0. */
static od_status follow(walk *w)
{
    memset(w->sum, 0, w->count * sizeof *w->sum);
    memset(w->since, 0, w->count * sizeof *w->since);
    memset(w->peak, 0, w->count * sizeof *w->peak);
    memset(w->low, 0, w->count * sizeof *w->low);
    w->rise = 0;
    memset(w->peak_at, 0, w->count * sizeof *w->peak_at);
    memcpy(w->frame, w->first, w->count * w->dim * sizeof(double));
    w->nodes = 0;
    od_status status = add_node(w, 0);
    if (status == OD_OK) {
        status = walk_along(w, false);
    }
    return status == OD_OK ? add_node(w, w->track->steps) : status;
}

/*
 * Growth by the largest singular values, which a few passes forward and backward bring forth. A frame at random turns
 * towards what grows; if it never rises, nothing does.
 */
static od_status follow_singular(walk *w)
{
    od_status status = od_frame_random(&w->frames, w->count, w->first);
    double before = INFINITY;
    for (unsigned round = 0; round < ROUNDS && status == OD_OK; round++) {
        double grown = 0;
        status = follow(w);
        for (size_t i = 0; i < w->count; i++) {
            grown += fmax(w->sum[i], 0);
        }
        if (status != OD_OK || w->chain->vjp == NULL || w->rise <= MARGIN || fabs(grown - before) <= MARGIN) {
            return status;
        }
        before = grown;
        status = walk_along(w, true);
        memcpy(w->first, w->frame, w->count * w->dim * sizeof(double));
    }
    return status == OD_OK ? follow(w) : status;
}

/* ------------------------------------------------------------------------------------------------ dense Jacobians */

typedef struct dense {
    double *memory, *jacobian, *schur, *vectors, *modulus, *work, *unit;
} dense;

static od_status open_dense(od_context *ctx, size_t n, dense *d)
{
    d->memory = od_zalloc(4 * n * n + 3 * n, sizeof(double));
    if (d->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a Jacobian of %zu dimensions", n);
    }
    d->jacobian = d->memory;
    d->schur = d->jacobian + n * n;
    d->vectors = d->schur + n * n;
    d->unit = d->vectors + n * n;
    d->modulus = d->unit + n * n;
    d->work = d->modulus + n;
    for (size_t i = 0; i < n; i++) {
        d->unit[i * n + i] = 1;
    }
    return OD_OK;
}

/* to[n*n] = A_k, column-major */
static od_status jacobian_at(walk *w, dense *d, uint64_t k, double *to)
{
    od_status status = w->track->at(w->track, k, w->y);
    if (status == OD_OK) {
        status = w->chain->jvp(w->chain, k, w->y, w->dim, d->unit, to);
    }
    for (size_t i = 0; i < w->dim * w->dim && status == OD_OK; i++) {
        status = isfinite(to[i]) ? OD_OK : OD_EDIVERGED;
    }
    return status == OD_OK ? OD_OK : od_chain_fail(w->ctx, w->chain, status, k);
}

/* Eigenspaces of A_k, or of its transpose. */
static od_status eigenspaces(walk *w, dense *d, uint64_t k, bool transposed)
{
    const size_t n = w->dim;
    od_status status = jacobian_at(w, d, k, d->jacobian);
    if (status != OD_OK) {
        return status;
    }
    for (size_t j = 0; j < n; j++) {
        for (size_t i = 0; i < n; i++) {
            d->schur[j * n + i] = d->jacobian[transposed ? i * n + j : j * n + i];
        }
    }
    return od_schur_ordered(n, d->schur, d->vectors, d->modulus, d->work) == OD_OK
               ? OD_OK
               : od_fail(w->ctx, OD_ENUMERIC, NULL, "LAPACK found no eigenvalues of the Jacobian at step %llu",
                         (unsigned long long)k);
}

static size_t count_unstable(size_t n, const double *modulus, uint64_t steps)
{
    size_t count = 0;
    while (count < n && (double)steps * log(modulus[count]) > MARGIN) {
        count++;
    }
    return count;
}

/* Whether the Jacobian at 1, in the middle and at the end is, up to rounding, that of step 0, held in d->jacobian. */
static od_status looks_constant(walk *w, dense *d, bool *constant)
{
    const uint64_t steps = w->track->steps, at[] = {1, steps / 2, steps - 1};
    const size_t size = w->dim * w->dim;
    od_status status = OD_OK;
    double largest = 0;
    for (size_t j = 0; j < size; j++) {
        largest = fmax(largest, fabs(d->jacobian[j]));
    }
    *constant = w->chain->affine;
    for (size_t i = 0; i < 3 && *constant && status == OD_OK; i++) {
        status = jacobian_at(w, d, at[i] < steps ? at[i] : 0, d->schur);
        for (size_t j = 0; j < size && status == OD_OK; j++) {
            *constant &= fabs(d->schur[j] - d->jacobian[j]) <= ROUNDING * largest;
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------ results */

/* Where corrections in column i vanish: where it is largest, if it is an end, or larger than both by a factor. */
static uint64_t anchor_of(const walk *w, size_t i)
{
    const bool unstable = w->sum[i] > MARGIN, high = w->peak[i] > log(TURN) + fmax(w->sum[i], 0);
    return high ? w->peak_at[i] : unstable ? w->track->steps : 0;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The carried columns with their anchors, which become nodes. */
static od_status keep_anchors(walk *w, od_growth *g)
{
    const uint64_t steps = w->track->steps;
    od_status status = OD_OK;
    for (size_t i = 0; i < w->count && status == OD_OK; i++) {
        const uint64_t k = anchor_of(w, i);
        g->carried = k > 0 ? i + 1 : g->carried;
        if (k > 0 && k < steps) {
            g->turning++;
            status = add_node(w, k);
        }
    }
    g->anchor = od_zalloc(g->carried + 1, sizeof *g->anchor);
    if (status != OD_OK || g->anchor == NULL) {
        return od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for %zu directions", g->carried);
    }
    qsort(w->node, w->nodes, sizeof *w->node, ascending);
    size_t nodes = 1;
    for (size_t i = 1; i < w->nodes; i++) {
        if (w->node[i] > w->node[nodes - 1]) {
            w->node[nodes++] = w->node[i];
        }
    }
    w->nodes = nodes;
    for (size_t i = 0; i < g->carried; i++) {
        const uint64_t k = anchor_of(w, i);
        while (w->node[g->anchor[i]] < k) {
            g->anchor[i]++;
        }
    }
    return OD_OK;
}

static od_status keep(walk *w, od_growth *g)
{
    g->dim = w->dim;
    g->count = w->count;
    g->exponent = od_zalloc(w->count, sizeof(double));
    od_status status = g->exponent != NULL ? keep_anchors(w, g)
                                           : od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for %zu exponents", w->count);
    if (status != OD_OK) {
        return status;
    }
    for (size_t i = 0; i < w->count; i++) { /* by insertion: the columns are nearly in order */
        size_t j = i;
        for (; j > 0 && g->exponent[j - 1] < w->sum[i]; j--) {
            g->exponent[j] = g->exponent[j - 1];
        }
        g->exponent[j] = w->sum[i];
    }
    for (size_t i = 0; i < w->count; i++) {
        g->unstable += g->exponent[i] > MARGIN;
        g->neutral += fabs(g->exponent[i]) <= MARGIN;
        g->singular += isinf(g->exponent[i]) ? 1 : 0;
        g->exponent[i] /= (double)w->track->steps;
    }
    g->segments = w->nodes - 1;
    g->node = w->node;
    w->node = NULL;
    w->nodes = w->room = 0;
    return OD_OK;
}

static od_status keep_space(walk *w, size_t count, const double *from, double **to)
{
    *to = od_zalloc(count * w->dim + 1, sizeof(double));
    if (*to == NULL) {
        return od_fail(w->ctx, OD_ENOMEM, NULL, "no memory for %zu directions", count);
    }
    memcpy(*to, from, count * w->dim * sizeof(double));
    return OD_OK;
}

static const char *const exact = "the eigenspaces of the constant Jacobian";
static const char *const first_jacobian = "the eigenspaces of the first Jacobian";
static const char *const last_jacobian = "the eigenspaces of the last Jacobian";
static const char *const largest_growth = "the directions of largest growth over the whole orbit";
static const char *const grown = "orthogonal to the directions that have grown at the last step";

/* Whether all that may be unstable has been followed; the last direction is the one that grows least. */
static bool enough(const walk *w)
{
    double least = INFINITY;
    for (size_t i = 0; i < w->count; i++) {
        least = fmin(least, w->sum[i]);
    }
    return w->count == w->dim || least < -MARGIN;
}

/* All directions, or `columns` and more until one is stable; the frame at 0 is that of the growth or of `d`. */
static od_status find_exponents(walk *w, const dense *d, size_t columns)
{
    od_status status = OD_OK;
    for (size_t count = columns;; count = 2 * count < w->dim ? 2 * count : w->dim) {
        status = enter(w, count);
        if (status == OD_OK && d != NULL) {
            memcpy(w->first, d->vectors, count * w->dim * sizeof(double));
            status = follow(w);
        } else if (status == OD_OK) {
            status = follow_singular(w);
        }
        if (status != OD_OK || enough(w)) {
            return status;
        }
    }
}

/* Whether the first `growing` columns grow at some time and the others never do. */
static bool leads(const walk *w, size_t growing)
{
    bool as_expected = growing <= w->count;
    for (size_t i = 0; i < w->count; i++) {
        as_expected &= (anchor_of(w, i) > 0) == (i < growing) && (i == 0 || w->sum[i] <= fmax(w->sum[i - 1], MARGIN));
    }
    return as_expected;
}

/* Exponents and the space at 0, by the eigenvalues of a constant Jacobian, else by the growth itself. */
static od_status find_start(walk *w, dense *d, size_t columns, bool *constant, od_growth *g)
{
    const uint64_t steps = w->track->steps;
    od_status status = eigenspaces(w, d, 0, false);
    if (status == OD_OK) {
        status = looks_constant(w, d, constant);
    }
    if (status == OD_OK) {
        status = find_exponents(w, d, columns);
    }
    g->start_how = *constant ? exact : first_jacobian;
    if (status == OD_OK && *constant) {
        for (size_t i = 0; i < w->count; i++) {
            w->sum[i] = (double)steps * log(d->modulus[i]);
            w->peak[i] = fmax(w->sum[i], 0);
        }
    } else if (status == OD_OK && !leads(w, count_unstable(w->dim, d->modulus, steps))) {
        g->start_how = largest_growth;
        status = find_exponents(w, NULL, w->count);
    }
    return status;
}

static od_status find_dense(walk *w, dense *d, size_t columns, od_growth *g)
{
    const uint64_t steps = w->track->steps;
    bool constant = false, same = false;
    od_status status = enter(w, 1); /* for y */
    if (status == OD_OK) {
        status = find_start(w, d, columns, &constant, g);
    }
    if (status == OD_OK) {
        status = keep(w, g);
    }
    if (status == OD_OK) {
        status = keep_space(w, g->carried, w->first, &g->start);
    }
    if (status == OD_OK) {
        status = eigenspaces(w, d, steps - 1, true);
    }
    if (status == OD_OK) {
        same = g->turning == 0 && count_unstable(w->dim, d->modulus, steps) == g->unstable;
        status = keep_space(w, g->unstable, same ? d->vectors : w->frame, &g->end);
    }
    g->end_how = constant ? exact : same ? last_jacobian : grown;
    return status;
}

static od_status find_large(walk *w, size_t columns, od_growth *g)
{
    od_status status = find_exponents(w, NULL, columns);
    if (status == OD_OK) {
        status = keep(w, g);
    }
    if (status == OD_OK) {
        status = keep_space(w, g->carried, w->first, &g->start);
    }
    g->start_how = largest_growth;
    g->end_how = grown;
    return status == OD_OK ? keep_space(w, g->unstable, w->frame, &g->end) : status;
}

od_status od_growth_find(od_context *ctx, od_chain *chain, od_track *track, size_t columns, od_growth *growth)
{
    *growth = (od_growth){0};
    if (chain->jvp == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, NULL, "the %s has no derivative here, so no directions can be followed",
                       chain->what);
    }
    walk w = {.ctx = ctx, .chain = chain, .track = track, .dim = chain->dim};
    const double all = (double)track->steps * (double)w.dim * (double)w.dim;
    if (columns == 0 || columns > w.dim) {
        columns = w.dim <= FEW || (w.dim <= DENSE && all <= CHEAP) ? w.dim : w.dim <= DENSE ? FEW : FEWER;
    }
    dense d = {0};
    od_status status = OD_OK;
    if (w.dim <= DENSE) {
        status = open_dense(ctx, w.dim, &d);
        if (status == OD_OK) {
            status = find_dense(&w, &d, columns, growth);
        }
    } else {
        status = find_large(&w, columns, growth);
    }
    free(d.memory);
    leave(&w);
    if (status != OD_OK) {
        od_growth_free(growth);
    }
    return status;
}

void od_growth_free(od_growth *growth)
{
    free(growth->exponent);
    free(growth->anchor);
    free(growth->start);
    free(growth->end);
    free(growth->node);
    *growth = (od_growth){0};
}
