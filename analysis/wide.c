/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wide.h"
#include "sample.h"
#include "vector.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 256, DIRECTIONS = 128 }; /* LEAST: components above which dense matrices take longer */

static const double room = 0x1p32; /* bytes of the directions' images */

/* ------------------------------------------------------------------------------------------- the object */

bool od_wide_suits(const od_chain *chain, const od_target *target)
{
    bool all = chain->dim > LEAST && chain->jvp != NULL && chain->vjp != NULL;
    for (size_t i = 0; i < chain->dim && all; i++) {
        all = target->weight[i] > 0;
    }
    return all;
}

static od_status allocate(od_context *ctx, od_wide *w)
{
    const size_t d = w->d, all = w->all, most = w->most, steps = all / d;
    const struct {
        double **part;
        size_t size;
    } parts[] = {
        {&w->x, all},
        {&w->r, all},
        {&w->trial, all},
        {&w->s, all},
        {&w->v, most * d},
        {&w->image, most * all},
        {&w->c, most + 1},
        {&w->along, d},
        {&w->u, most * d},
        {&w->ju, most * d},
        {&w->matrix, most * most},
        {&w->qr, (most + 1) * d},
        {&w->tau, most + 1},
        {&w->work, 32 * (most + 1)},
        {&w->multiplier, steps},
        {&w->far, steps},
        {&w->g, (OD_WIDE_PARTS + 1) * d},
    };
    size_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sum += parts[i].size;
    }
    double *next = w->memory = od_zalloc(sum, sizeof *w->memory);
    w->step = od_zalloc(steps, sizeof *w->step);
    if (next == NULL || w->step == NULL) {
        return od_fail(ctx, OD_ENOMEM, "shadow", "no memory for %zu directions along %zu states of %zu components",
                       most, steps, d);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].part = next;
        next += parts[i].size;
    }
    return OD_OK;
}

od_status od_wide_create(od_context *ctx, od_chain *chain, const od_target *target, od_wide **wide)
{
    const size_t d = chain->dim, all = (size_t)(chain->steps + 1) * d;
    const double fit = floor(room / 8 / (double)all);
    *wide = NULL;
    if (fit < 4 * OD_WIDE_PARTS) {
        return od_fail(
            ctx, OD_EUNSUPPORTED, "shadow",
            "the nearest orbit of the %s with %zu components takes %.0f GiB, more than the %.0f allowed; run "
            "fewer iterations",
            chain->what, d, 32.0 * OD_WIDE_PARTS * (double)all * 0x1p-30, room * 0x1p-30);
    }
    od_wide *w = od_zalloc(1, sizeof *w);
    if (w == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a shooting problem");
    }
    *w = (od_wide){.chain = chain, .target = target, .d = d, .all = all};
    w->most = fit < DIRECTIONS ? (size_t)fit : DIRECTIONS;
    w->most = w->most < d ? w->most : d - 1; /* so many and a residual are independent */
    od_status status = allocate(ctx, w);
    if (status != OD_OK) {
        od_wide_free(w);
        return status;
    }
    *wide = w;
    return OD_OK;
}

void od_wide_free(od_wide *wide)
{
    if (wide != NULL) {
        free(wide->memory);
        free(wide->step);
        free(wide);
    }
}

/* ------------------------------------------------------------------------------------------- passes */

static od_status failed(od_context *ctx, const od_wide *w, od_status status, uint64_t k)
{
    return od_cancelled(ctx)
               ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the nearest orbit was sought")
               : od_fail(ctx, status, "method", "step %llu of the %s or its derivative could not be computed",
                         (unsigned long long)k, w->chain->what);
}

od_status od_wide_run(od_context *ctx, od_wide *w, double *x, od_wide_walk *found)
{
    const size_t d = w->d;
    od_status status = OD_OK;
    *found = (od_wide_walk){0};
    for (uint64_t k = 0; k <= w->chain->steps && status == OD_OK; k++) {
        const double off = od_distance(d, w->target->weight, x + k * d, w->target->y + k * d);
        found->sum += off * off;
        if (!(off <= found->radius)) {
            found->radius = off;
            found->at = k;
        }
        if (k < w->chain->steps) {
            status = od_cancelled(ctx) ? OD_EINTERRUPTED : w->chain->step(w->chain, k, x + k * d, x + (k + 1) * d);
        }
        if (status != OD_OK && status != OD_EDIVERGED) {
            return failed(ctx, w, status, k);
        }
    }
    return status == OD_OK && !isfinite(found->sum) ? OD_EDIVERGED : status;
}

void od_wide_accept(od_wide *w, const od_wide_walk *found)
{
    const double *weight = w->target->weight;
    double *swap = w->x;
    w->x = w->trial;
    w->trial = swap;
    w->radius = found->radius;
    w->sum = found->sum;
    w->at = found->at;
    for (size_t n = 0; n < w->all; n++) {
        w->r[n] = weight[n % w->d] * (w->x[n] - w->target->y[n]);
    }
    w->imaged = w->imaged && w->chain->affine;
}

od_status od_wide_push(od_context *ctx, od_wide *w, size_t first)
{
    const size_t d = w->d, count = w->count - first;
    const double *weight = w->target->weight;
    od_status status = OD_OK;
    for (size_t n = 0; n < count * d; n++) {
        w->u[n] = w->v[first * d + n] / weight[n % d];
    }
    for (uint64_t k = 0; status == OD_OK; k++) {
        for (size_t j = 0; j < count; j++) {
            double *image = w->image + (first + j) * w->all + k * d;
            for (size_t i = 0; i < d; i++) {
                image[i] = weight[i] * w->u[j * d + i];
            }
        }
        if (k == w->chain->steps || count == 0) {
            break;
        }
        status = od_cancelled(ctx) ? OD_EINTERRUPTED : w->chain->jvp(w->chain, k, w->x + k * d, count, w->u, w->ju);
        status = status == OD_OK ? OD_OK : failed(ctx, w, status, k);
        double *swap = w->u;
        w->u = w->ju;
        w->ju = swap;
    }
    return status;
}

od_status od_wide_pull(od_context *ctx, od_wide *w)
{
    const size_t d = w->d;
    const double *weight = w->target->weight;
    double total = 0, left = 0;
    for (uint64_t k = 0; k <= w->chain->steps; k++) {
        total += w->multiplier[k] * w->far[k];
    }
    od_status status = OD_OK;
    double *b = w->u, *jb = w->ju;
    memset(b, 0, OD_WIDE_PARTS * d * sizeof *b);
    for (uint64_t k = w->chain->steps + 1; k-- > 0 && status == OD_OK;) {
        if (left > 0) {
            status = od_cancelled(ctx) ? OD_EINTERRUPTED
                                       : w->chain->vjp(w->chain, k, w->x + k * d, OD_WIDE_PARTS, b, jb);
            status = status == OD_OK ? OD_OK : failed(ctx, w, status, k);
            double *swap = b;
            b = jb;
            jb = swap;
        }
        /* a state that is not finite makes this no number either */
        const double share = OD_WIDE_PARTS * left / (total > 0 ? total : 1);
        double *to = b + (share < OD_WIDE_PARTS ? (size_t)share : OD_WIDE_PARTS - 1) * d;
        for (size_t i = 0; i < d; i++) {
            to[i] += w->multiplier[k] * weight[i] * w->s[k * d + i];
        }
        left += w->multiplier[k] * w->far[k];
    }
    double *g = w->g + OD_WIDE_PARTS * d;
    memset(g, 0, d * sizeof *g);
    for (size_t j = 0; j < OD_WIDE_PARTS; j++) {
        for (size_t i = 0; i < d; i++) {
            w->g[j * d + i] = b[j * d + i] / weight[i];
        }
        od_add(d, 1, w->g + j * d, g);
    }
    return status;
}
