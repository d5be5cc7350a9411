/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cones.h"
#include "shooting.h"
#include "vector.h"

#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PEAKS = 32 };

/*
 * Outer approximation: the largest distance is minimised over a few steps only, those at which it is largest join them,
 * and so on. The multipliers of any choice of steps bound all orbits from below.
 */
typedef struct search {
    od_shooting *s;
    od_cones cones;
    uint64_t *step; /* [cones.room] of each cone */
    size_t *order;  /* [cones.room] cones by step */
    double *seen;   /* [cones.room*d] residuals that the last walk found at them */
    size_t room, cursor;
    double *x, *trial, *best; /* [nodes*d] */
    double *c;                /* [d] */
    double radius, best_radius, lower;
    uint64_t at, peak[PEAKS];
    double height[PEAKS];
    size_t peaks;
    double before[2]; /* distances at the two steps before */
    double *memory;
} search;

/* ------------------------------------------------------------------------------------------- walks */

static void keep_peak(search *a, uint64_t k, double height)
{
    size_t at = a->peaks < PEAKS ? a->peaks++ : PEAKS - 1;
    if (at == PEAKS - 1 && a->peaks == PEAKS && height <= a->height[at] && a->height[at] > 0) {
        return;
    }
    for (; at > 0 && a->height[at - 1] < height; at--) {
        a->height[at] = a->height[at - 1];
        a->peak[at] = a->peak[at - 1];
    }
    a->height[at] = height;
    a->peak[at] = k;
}

static void see(void *data, uint64_t k, const double *residual, double distance)
{
    search *a = data;
    if (k > 0 && a->before[1] >= a->before[0] && a->before[1] >= distance) {
        keep_peak(a, k - 1, a->before[1]);
    }
    if (k == a->s->chain->steps && distance >= a->before[1]) {
        keep_peak(a, k, distance);
    }
    a->before[0] = a->before[1];
    a->before[1] = distance;
    if (a->cursor < a->cones.count && a->step[a->order[a->cursor]] == k) {
        memcpy(a->seen + a->order[a->cursor] * a->s->d, residual, a->s->d * sizeof *residual);
        a->cursor++;
    }
}

static od_status walk(od_context *ctx, search *a, const double *x, od_walk *found)
{
    a->cursor = a->peaks = 0;
    a->before[0] = a->before[1] = -1;
    memset(a->height, 0, sizeof a->height);
    return od_shooting_walk(ctx, a->s, x, OD_WALK_NODES, see, a, found);
}

/* ------------------------------------------------------------------------------------------- cones */

static od_status grow(od_context *ctx, search *a)
{
    if (a->cones.count < a->room) {
        return OD_OK;
    }
    const size_t room = 2 * a->room + 64;
    uint64_t *step = realloc(a->step, room * sizeof *step);
    a->step = step != NULL ? step : a->step;
    size_t *order = realloc(a->order, room * sizeof *order);
    a->order = order != NULL ? order : a->order;
    double *seen = realloc(a->seen, room * a->s->d * sizeof *seen);
    a->seen = seen != NULL ? seen : a->seen;
    if (step == NULL || order == NULL || seen == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu steps of the smallest radius", room);
    }
    a->room = room;
    return OD_OK;
}

/* Step k joins, with its block at x; its residual is still to be seen. */
static od_status join(od_context *ctx, search *a, uint64_t k)
{
    size_t at = a->cones.count;
    double *block, *residual;
    while (at > 0 && a->step[a->order[at - 1]] >= k) {
        at--;
        if (a->step[a->order[at]] == k) {
            return OD_OK;
        }
    }
    od_status status = grow(ctx, a);
    if (status != OD_OK) {
        return status;
    }
    if (!od_cones_add(&a->cones, &block, &residual)) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the matrix of step %llu", (unsigned long long)k);
    }
    const size_t index = a->cones.count - 1;
    memmove(a->order + at + 1, a->order + at, (index - at) * sizeof *a->order);
    a->order[at] = index;
    a->step[index] = k;
    status = od_shooting_block(ctx, a->s, a->x, k, block);
    od_cones_set(&a->cones, index);
    return status;
}

static void take_residuals(search *a)
{
    memcpy(a->cones.r, a->seen, a->cones.count * a->s->d * sizeof *a->seen);
}

/* The highest peaks of the last walk above `bar` join; if there are any, all residuals are taken anew, at x. */
static od_status join_peaks(od_context *ctx, search *a, double bar)
{
    const size_t before = a->cones.count;
    od_status status = OD_OK;
    for (size_t i = 0; i < a->peaks && a->height[i] > bar && status == OD_OK; i++) {
        status = join(ctx, a, a->peak[i]);
    }
    if (status == OD_OK && a->cones.count > before) {
        od_walk found;
        status = walk(ctx, a, a->x, &found);
        take_residuals(a);
    }
    return status;
}

/* The first steps: all of a small problem, else both ends and the peaks. */
static od_status begin(od_context *ctx, search *a)
{
    const uint64_t steps = a->s->chain->steps;
    const double size = ((double)steps + 1) * (double)a->s->d * (double)a->s->d;
    const bool all = size <= 4096;
    od_walk found;
    od_status status = walk(ctx, a, a->x, &found);
    a->radius = found.radius;
    a->at = found.at;
    for (uint64_t k = 0; k <= steps && status == OD_OK; k += all ? 1 : steps) {
        status = join(ctx, a, k);
    }
    for (size_t i = 0; i < a->peaks && status == OD_OK; i++) {
        status = join(ctx, a, a->peak[i]);
    }
    status = status == OD_OK ? walk(ctx, a, a->x, &found) : status;
    if (status == OD_OK) {
        take_residuals(a);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- search */

static void keep_best(search *a)
{
    if (a->radius < a->best_radius) {
        a->best_radius = a->radius;
        memcpy(a->best, a->x, a->s->nodes * a->s->d * sizeof *a->x);
    }
}

static void accept(search *a, const od_walk *found)
{
    double *swap = a->x;
    a->x = a->trial;
    a->trial = swap;
    a->radius = found->radius;
    a->at = found->at;
}

static od_status solve(od_context *ctx, search *a, double reach, double *predicted)
{
    return od_cones_solve(&a->cones, reach, a->c, predicted)
               ? OD_OK
               : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu steps of the smallest radius", a->cones.count);
}

/* Orbits as near as x, or nearer, are in this ball around it: sum_k |U_k c|^2 <= (2 radius)^2 (K+1). */
static double widest(const search *a)
{
    return 2.1 * sqrt((double)a->s->chain->steps + 1) * a->radius;
}

/* What the multipliers prove, less what the rounding of states may add to it; at least 0. */
static double bound(const search *a)
{
    static const double rounding = 8 * DBL_EPSILON;
    const size_t d = a->s->d;
    double noise = 0;
    for (size_t k = 0; k < a->cones.count; k++) {
        const double *y = a->s->target->y + (size_t)a->step[k] * d;
        double size = 0;
        for (size_t i = 0; i < d; i++) {
            size = fmax(size, fabs(a->s->target->weight[i] * y[i]));
        }
        noise += a->cones.weight[k] * rounding * size;
    }
    return fmax(od_cones_bound(&a->cones, widest(a)) - noise, 0);
}

static od_status search_affine(od_context *ctx, search *a, unsigned *rounds)
{
    enum { MOST = 300, PATIENCE = 3 };
    static const double accuracy = 1e-13, jump = 1e-12;
    od_status status = begin(ctx, a);
    double gap = INFINITY;
    keep_best(a);
    for (int idle = 0; status == OD_OK && idle < PATIENCE && *rounds < MOST;) {
        double predicted;
        ++*rounds;
        od_walk found;
        status = solve(ctx, a, widest(a), &predicted);
        if (status != OD_OK) {
            break;
        }
        od_shooting_move(a->s, a->x, 1, a->c, a->trial);
        status = walk(ctx, a, a->trial, &found);
        if (status == OD_OK && found.merit > jump) {
            status = od_shooting_restore(ctx, a->s, a->trial);
            status = status == OD_OK ? walk(ctx, a, a->trial, &found) : status;
        }
        if (status != OD_OK) {
            break;
        }
        accept(a, &found);
        keep_best(a);
        take_residuals(a);
        a->lower = fmax(a->lower, bound(a));
        const size_t before = a->cones.count;
        status = join_peaks(ctx, a, fmax(predicted, a->lower));
        const double now = a->best_radius - a->lower;
        if (now <= accuracy * a->best_radius) {
            break;
        }
        idle = now < 0.9 * gap || a->cones.count > before ? 0 : idle + 1;
        gap = fmin(gap, now);
    }
    return status;
}

/* The neighbours and the blocks at x. */
static od_status renew(od_context *ctx, search *a)
{
    od_status status = od_shooting_linearise(ctx, a->s, a->x);
    for (size_t k = 0; k < a->cones.count && status == OD_OK; k++) {
        status = od_shooting_block(ctx, a->s, a->x, a->step[k], a->cones.block[k]);
        od_cones_set(&a->cones, k);
    }
    return status;
}

static od_status attempt(od_context *ctx, search *a, od_walk *found)
{
    od_shooting_move(a->s, a->x, 1, a->c, a->trial);
    od_status status = od_shooting_restore(ctx, a->s, a->trial);
    return status == OD_OK ? walk(ctx, a, a->trial, found) : status;
}

/* Sequential convex steps in a ball that shrinks where the linearisation fails. */
static od_status search_nonlinear(od_context *ctx, search *a, unsigned *rounds)
{
    enum { MOST = 200, PATIENCE = 6 };
    static const double accuracy = 1e-12, good = 0.1, slow = 1e-9;
    od_status status = renew(ctx, a);
    status = status == OD_OK ? begin(ctx, a) : status;
    double reach = widest(a);
    const double least = 1e-14 * reach;
    for (int idle = 0, round = 0; status == OD_OK && idle < PATIENCE && round < MOST && reach > least; round++) {
        double predicted;
        od_walk found;
        status = solve(ctx, a, reach, &predicted);
        const double hoped = a->radius - predicted, length = sqrt(od_dot(a->s->d, a->c, a->c));
        if (status != OD_OK || !(hoped > accuracy * a->radius)) {
            break;
        }
        ++*rounds;
        od_status tried = attempt(ctx, a, &found);
        if (tried != OD_OK && tried != OD_EDIVERGED) {
            return tried;
        }
        const double gain = tried == OD_OK ? a->radius - found.radius : -INFINITY;
        const size_t before = a->cones.count;
        if (gain >= good * hoped) {
            idle = gain > slow * a->radius ? 0 : idle + 1;
            reach *= gain > 0.75 * hoped && length > 0.9 * reach ? 3 : 1;
            accept(a, &found);
            take_residuals(a);
            status = renew(ctx, a);
            status = status == OD_OK ? join_peaks(ctx, a, predicted) : status;
        } else {
            if (tried == OD_OK) {
                status = join_peaks(ctx, a, predicted);
            }
            reach = a->cones.count > before ? reach : fmin(reach, length) / 4;
        }
    }
    keep_best(a);
    return status;
}

/* ------------------------------------------------------------------------------------------- answers */

static od_status open_search(od_context *ctx, od_shooting *s, search *a)
{
    const size_t all = s->nodes * s->d;
    *a = (search){.s = s, .cones = {.d = s->d}, .best_radius = INFINITY};
    a->memory = od_zalloc(3 * all + s->d, sizeof *a->memory);
    if (a->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the smallest radius");
    }
    a->x = a->memory;
    a->trial = a->x + all;
    a->best = a->trial + all;
    a->c = a->best + all;
    return OD_OK;
}

static void clear_cones(search *a)
{
    od_cones_free(&a->cones);
    free(a->step);
    free(a->order);
    free(a->seen);
    a->step = NULL;
    a->order = NULL;
    a->seen = NULL;
    a->room = 0;
}

static int compare_steps(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void od_minimax_name_active(od_minimax *found, size_t count, const uint64_t *step, const double *multiplier)
{
    const size_t most = sizeof found->active / sizeof *found->active;
    for (double bar = 1e-6; bar < 1; bar *= 10) {
        size_t above = 0;
        for (size_t k = 0; k < count; k++) {
            if (multiplier[k] > bar) {
                found->active[above < most ? above : most - 1] = step != NULL ? step[k] : k;
                above++;
            }
        }
        found->active_count = above;
        if (above <= most) {
            break;
        }
    }
    qsort(found->active, found->active_count, sizeof *found->active, compare_steps);
}

/* Both starts of a chain that is not affine; the better end stands in a->best. */
static od_status search_twice(od_context *ctx, search *a, unsigned *rounds)
{
    od_status least = od_shooting_least_squares(ctx, a->s);
    if (least == OD_OK) {
        memcpy(a->x, a->s->least, a->s->nodes * a->s->d * sizeof *a->x);
        least = search_nonlinear(ctx, a, rounds);
        clear_cones(a);
    }
    if (least != OD_OK && least != OD_EDIVERGED) {
        return least;
    }
    od_status same = od_shooting_same_start(ctx, a->s, a->x);
    if (same == OD_OK) {
        same = search_nonlinear(ctx, a, rounds);
        clear_cones(a);
    }
    if (same != OD_OK && same != OD_EDIVERGED) {
        return same;
    }
    if (!isfinite(a->best_radius)) {
        return OD_EDIVERGED;
    }
    memcpy(a->x, a->best, a->s->nodes * a->s->d * sizeof *a->x);
    od_status status = od_shooting_linearise(ctx, a->s, a->x);
    status = status == OD_OK ? begin(ctx, a) : status;
    double predicted;
    status = status == OD_OK ? solve(ctx, a, widest(a), &predicted) : status;
    a->lower = status == OD_OK ? bound(a) : 0;
    return status;
}

/* The orbit at x instead, if it is nearer: where all distances are rounding the search has no say. */
static od_status prefer(od_context *ctx, search *a, const double *x, od_shadow *best)
{
    double sum;
    od_shadow other = {.start = a->c};
    od_status status = od_shooting_report(ctx, a->s, x, &other, &sum);
    if (status == OD_OK && other.radius < best->radius) {
        double *start = best->start;
        *best = other;
        best->start = start;
        if (start != NULL) {
            memcpy(start, a->c, a->s->d * sizeof *start);
        }
    }
    return status;
}

static od_status tell(od_context *ctx, search *a, od_minimax *found)
{
    od_walk same;
    found->best.radius = INFINITY;
    od_status status = prefer(ctx, a, a->best, &found->best);
    if (status == OD_OK && a->s->solved) {
        status = prefer(ctx, a, a->s->least, &found->best);
    }
    od_status through = od_shooting_walk(ctx, a->s, a->s->target->y, OD_WALK_THROUGH, NULL, NULL, &same);
    if (status == OD_OK && through == OD_OK && same.radius < found->best.radius) {
        status = od_shooting_same_start(ctx, a->s, a->x);
        status = status == OD_OK ? prefer(ctx, a, a->x, &found->best) : status;
    }
    if (status != OD_OK || (through != OD_OK && through != OD_EDIVERGED)) {
        return status != OD_OK ? status : through;
    }
    if (a->lower > found->best.radius * (1 + 1e-9)) {
        return od_fail(ctx, OD_ENUMERIC, "shadow",
                       "the lower bound %.17g of the radius exceeds the radius %.17g found; the states differ too much "
                       "in size",
                       a->lower, found->best.radius);
    }
    found->local_lower = fmin(a->lower, found->best.radius);
    found->lower = a->s->chain->affine ? found->local_lower : NAN;
    if (a->lower > 0) {
        od_minimax_name_active(found, a->cones.count, a->step, a->cones.weight);
    }
    return OD_OK;
}

od_status od_shadow_minimax(od_context *ctx, od_shooting *shooting, od_minimax *found)
{
    search a;
    if (shooting->wide != NULL) {
        return od_wide_minimax(ctx, shooting->wide, found);
    }
    *found = (od_minimax){.best.start = found->best.start, .lower = NAN};
    od_status status = open_search(ctx, shooting, &a);
    if (status == OD_OK && shooting->chain->affine) {
        status = od_shooting_least_squares(ctx, shooting);
        memcpy(a.x, shooting->least, shooting->nodes * shooting->d * sizeof *a.x);
        status = status == OD_OK ? search_affine(ctx, &a, &found->rounds) : status;
    } else if (status == OD_OK) {
        status = search_twice(ctx, &a, &found->rounds);
    }
    status = status == OD_OK ? tell(ctx, &a, found) : status;
    clear_cones(&a);
    free(a.memory);
    return status == OD_EDIVERGED ? od_shooting_diverged(ctx, shooting) : status;
}
