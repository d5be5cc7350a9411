/* Least squares over the orbits of a chain: Gauss-Newton steps. SPDX-License-Identifier: GPL-3.0-or-later */
#include "shooting.h"
#include "vector.h"

#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory of one search. */
typedef struct search {
    double *x, *trial;                  /* [nodes*d] */
    double *g, *c, *rest, *p, *product; /* [d] */
    double *memory;
} search;

/*
 * c of least sum |r_k + U_k c|^2 by conjugate gradients: the neighbours are orthonormal if every step is a node and has
 * all weights, and nearly so otherwise. *gain is what the squares lose by it.
 */
static od_status step(od_context *ctx, od_shooting *s, search *a, double squares, double *gain)
{
    const size_t d = s->d;
    od_status status = od_shooting_gather(ctx, s, a->x, NULL, a->g);
    memset(a->c, 0, d * sizeof *a->c);
    for (size_t i = 0; i < d; i++) {
        a->rest[i] = a->p[i] = -a->g[i];
    }
    const double enough = 4 * DBL_EPSILON * DBL_EPSILON * squares;
    double size = od_dot(d, a->rest, a->rest);
    for (size_t round = 0; round < 4 * d + 20 && size > enough && status == OD_OK; round++) {
        status = od_shooting_gather(ctx, s, a->x, a->p, a->product);
        const double curvature = od_dot(d, a->p, a->product);
        if (!(curvature > 0)) {
            break;
        }
        const double length = size / curvature, before = size;
        for (size_t i = 0; i < d; i++) {
            a->c[i] += length * a->p[i];
            a->rest[i] -= length * a->product[i];
        }
        size = od_dot(d, a->rest, a->rest);
        for (size_t i = 0; i < d; i++) {
            a->p[i] = a->rest[i] + size / before * a->p[i];
        }
    }
    *gain = -od_dot(d, a->g, a->c);
    return status;
}

/* From an orbit in a->x to the one of least squares nearby. */
static od_status descend(od_context *ctx, od_shooting *s, search *a)
{
    enum { MOST = 200 };
    static const double least = 1e-6;
    const bool affine = s->chain->affine;
    od_walk walk;
    od_status status = od_shooting_walk(ctx, s, a->x, OD_WALK_NODES, NULL, NULL, &walk);
    for (int round = 0; round < MOST && status == OD_OK; round++) {
        double gain, length = 1;
        if (!affine) {
            status = od_shooting_linearise(ctx, s, a->x);
        }
        status = status == OD_OK ? step(ctx, s, a, walk.sum, &gain) : status;
        if (status != OD_OK || !(gain > 64 * DBL_EPSILON * DBL_EPSILON * walk.sum)) {
            break;
        }
        od_walk now;
        od_status tried;
        for (;; length /= 4) {
            od_shooting_move(s, a->x, length, a->c, a->trial);
            tried = od_shooting_restore(ctx, s, a->trial);
            tried = tried == OD_OK ? od_shooting_walk(ctx, s, a->trial, OD_WALK_NODES, NULL, NULL, &now) : tried;
            if ((tried != OD_OK && tried != OD_EDIVERGED) || length < least ||
                (tried == OD_OK && now.sum <= walk.sum - 1e-4 * length * gain)) {
                break;
            }
        }
        if (tried != OD_OK && tried != OD_EDIVERGED) {
            return tried;
        }
        /* the last step gains less than rounding shows; on affine chains the first is exact but for it */
        const bool lower = tried == OD_OK && now.sum <= walk.sum;
        if (lower) {
            walk = now;
            double *swap = a->x;
            a->x = a->trial;
            a->trial = swap;
        }
        if (!lower || length < least || affine || gain <= 1e-15 * walk.sum) {
            break;
        }
    }
    return status;
}

static od_status from(od_context *ctx, od_shooting *s, search *a, int start)
{
    const size_t d = s->d;
    if (start == 1) {
        od_status status = od_shooting_same_start(ctx, s, a->x);
        return status == OD_OK ? descend(ctx, s, a) : status;
    }
    for (size_t j = 0; j < s->nodes; j++) {
        memcpy(a->x + j * d, s->target->y + (size_t)s->node[j] * d, d * sizeof *a->x);
    }
    od_status status = od_shooting_linearise(ctx, s, a->x);
    status = status == OD_OK ? od_shooting_restore(ctx, s, a->x) : status;
    return status == OD_OK ? descend(ctx, s, a) : status;
}

od_status od_shooting_least_squares(od_context *ctx, od_shooting *s)
{
    if (s->solved) {
        return OD_OK;
    }
    const size_t d = s->d, all = s->nodes * d;
    search a = {.memory = od_zalloc(2 * all + 5 * d, sizeof *a.memory)};
    if (a.memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the orbit of least squares");
    }
    double **const parts[] = {&a.g, &a.c, &a.rest, &a.p, &a.product};
    for (size_t i = 0; i < 5; i++) {
        *parts[i] = a.memory + 2 * all + i * d;
    }
    double best = INFINITY;
    od_status result = OD_EDIVERGED;
    for (int start = 0; start < (s->chain->affine ? 1 : 2); start++) {
        od_walk walk;
        a.x = a.memory;
        a.trial = a.memory + all;
        od_status status = from(ctx, s, &a, start);
        status = status == OD_OK ? od_shooting_walk(ctx, s, a.x, OD_WALK_NODES, NULL, NULL, &walk) : status;
        if (status != OD_OK && status != OD_EDIVERGED) {
            result = status;
            break;
        }
        if (status == OD_OK && walk.sum < best) {
            best = walk.sum;
            memcpy(s->least, a.x, all * sizeof *a.x);
            result = OD_OK;
        }
    }
    free(a.memory);
    s->solved = result == OD_OK;
    return result != OD_EDIVERGED ? result : od_shooting_diverged(ctx, s);
}

od_status od_shadow_least_squares(od_context *ctx, od_shooting *shooting, od_shadow *best, double *rms)
{
    double sum;
    if (shooting->wide != NULL) {
        return od_wide_least_squares(ctx, shooting->wide, best, rms);
    }
    od_status status = od_shooting_least_squares(ctx, shooting);
    status = status == OD_OK ? od_shooting_report(ctx, shooting, shooting->least, best, &sum) : status;
    if (status == OD_OK && rms != NULL) {
        *rms = sqrt(sum / (double)(shooting->chain->steps + 1));
    }
    return status == OD_EDIVERGED ? od_shooting_diverged(ctx, shooting) : status;
}
