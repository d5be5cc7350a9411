/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rescale.h"

#include "../src/memory.h"
#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 16, BEYOND = 8, INNER = 60 };

/* The flow as nodes with their drift. */
typedef struct curve {
    const od_flow *flow;
    size_t dim;
    uint64_t pieces;
    double length; /* of a piece, in time */
    const double *weight;
    double *memory, *node, *slope;
} curve;

/* |W (x - y(T))| at T = t0 + (piece + s) length, and half the derivative of its square along s. */
static double distance(const curve *c, const double *x, uint64_t piece, double s, double *slope)
{
    const double *a = c->node + piece * c->dim, *b = a + c->dim;
    const double *da = c->slope + piece * c->dim, *db = da + c->dim;
    const double q = 1 - s, h = c->length;
    double sum = 0, rate = 0;
    for (size_t i = 0; i < c->dim; i++) {
        const double y = a[i] + s * s * (3 - 2 * s) * (b[i] - a[i]) + h * s * q * (q * da[i] - s * db[i]);
        const double dy = 6 * s * q * (b[i] - a[i]) + h * (q * (1 - 3 * s) * da[i] + s * (3 * s - 2) * db[i]);
        const double off = c->weight[i] * (y - x[i]);
        sum += off * off;
        rate += off * (c->weight[i] * dy);
    }
    *slope = rate;
    return sqrt(sum);
}

/* The least s in [low, 1] of a piece with distance <= r; false if there is none. */
static bool reach(const curve *c, const double *x, uint64_t piece, double low, double r, double *s)
{
    double fall, rise, slope, far = low, near = 1;
    if (distance(c, x, piece, low, &fall) <= r) {
        *s = low;
        return true;
    }
    if (!(distance(c, x, piece, 1, &rise) <= r)) {
        if (!(fall < 0 && rise > 0)) {
            return false;
        }
        double a = low, b = 1; /* a dip inside: its bottom */
        for (int trial = 0; trial < INNER; trial++) {
            near = (a + b) / 2;
            distance(c, x, piece, near, &slope);
            *(slope < 0 ? &a : &b) = near;
        }
        if (!(distance(c, x, piece, near, &slope) <= r)) {
            return false;
        }
    }
    for (int trial = 0; trial < INNER && near - far > 1e-13; trial++) {
        const double middle = (far + near) / 2;
        *(distance(c, x, piece, middle, &slope) <= r ? &near : &far) = middle;
    }
    *s = near;
    return true;
}

/* Can all states be reached within r, each as early as possible? Else `at` is the first that cannot. */
static bool within(const curve *c, uint64_t steps, const double *x, double r, od_rescaled *found)
{
    uint64_t piece = 0;
    double s = 0;
    found->early = INFINITY;
    found->late = -INFINITY;
    for (uint64_t k = 0; k <= steps; k++) {
        while (!reach(c, x + k * c->dim, piece, s, r, &s)) {
            s = 0;
            if (++piece == c->pieces) {
                found->at = k;
                return false;
            }
        }
        const double shift = ((double)piece + s - (double)k * PARTS) * c->length;
        found->early = fmin(found->early, shift);
        found->late = fmax(found->late, shift);
    }
    return true;
}

static od_status open_curve(od_context *ctx, curve *c, double t0, double tau, const double *z0, double rtol)
{
    const size_t dim = c->dim, count = (size_t)c->pieces + 1;
    const size_t ws = od_scratch_size(&c->flow->scratch, 1);
    double error;
    c->memory = count < SIZE_MAX / 32 / dim ? od_zalloc(2 * count * dim + ws, sizeof *c->memory) : NULL;
    if (c->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, "shadow.rescaled",
                       "no memory for %zu states of the flow; leave the shadow with free times out "
                       "(shadow: {rescaled: false})",
                       count);
    }
    c->node = c->memory;
    c->slope = c->node + count * dim;
    c->length = tau / PARTS;
    od_status status = od_flow_sample(ctx, c->flow, t0, c->length, count, z0, rtol, c->weight, c->node, &error);
    for (size_t k = 0; k < count && status == OD_OK; k++) {
        status = c->flow->drift(c->flow, t0 + (double)k * c->length, 1, c->node + k * dim, c->slope + k * dim,
                                c->slope + count * dim);
        if (status != OD_OK) {
            return od_fail(ctx, status, "problem", "the flow could not be evaluated at step %zu of its %zu", k, count);
        }
    }
    return status;
}

static uint64_t pieces_of(uint64_t steps)
{
    return PARTS * (steps + (steps / 10 > BEYOND ? steps / 10 : BEYOND));
}

double od_rescaled_numbers(size_t dim, uint64_t steps)
{
    return 2.0 * ((double)pieces_of(steps) + 1) * (double)dim;
}

od_status od_rescaled_find(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t steps,
                           const double *z0, double rtol, const double *weight, const double *x, od_rescaled *found)
{
    curve c = {.flow = flow, .dim = flow->dim, .weight = weight};
    c.pieces = pieces_of(steps);
    od_status status = open_curve(ctx, &c, t0, tau, z0, rtol);
    double low = 0, high = 0, slope;
    for (uint64_t k = 0; k <= steps && status == OD_OK; k++) {
        high = fmax(high, distance(&c, x + k * c.dim, k * PARTS, 0, &slope));
    }
    uint64_t at = 0;
    if (status == OD_OK && !within(&c, steps, x, high, found)) { /* rounding alone */
        high *= 1 + 1e-9;
    }
    while (status == OD_OK && high - low > 1e-10 * high) {
        const double middle = (low + high) / 2;
        if (od_cancelled(ctx)) {
            status = od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while times were shifted");
        } else if (within(&c, steps, x, middle, found)) {
            high = middle;
        } else {
            low = middle;
            at = found->at;
        }
    }
    if (status == OD_OK) {
        within(&c, steps, x, high, found);
        found->radius = high;
        found->at = at;
    }
    free(c.memory);
    return status;
}
