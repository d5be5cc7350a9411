/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pair.h"

#include "vector.h"

#include "../src/lanczos.h"
#include "../src/memory.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DENSE_MOST = 64, POINTS_DENSE = 256, POINTS_LANCZOS = 16 };

typedef struct probe {
    od_pair *pair;
    size_t d, dim;
    double *memory, *z, *next, *rate, *g, *matrix, *unit, *values, *ws;
} probe;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool open_probe(probe *p, od_pair *pair)
{
    const od_problem *f = pair->flow->problem;
    const size_t d = f->dim, dim = pair->flow->dim, dense = d <= DENSE_MOST ? 2 * d * d + 4 * d : 0;
    const size_t a = od_scratch_size(&pair->flow->scratch, 1), b = od_scratch_size(&pair->map->scratch, 1);
    const size_t ws = larger(larger(a, b), od_scratch_size(&f->scratch, 1));
    *p = (probe){.pair = pair, .d = d, .dim = dim, .memory = od_zalloc(3 * dim + d + dense + ws, sizeof(double))};
    if (p->memory == NULL) {
        return false;
    }
    p->z = p->memory;
    p->next = p->z + dim;
    p->rate = p->next + dim;
    p->g = p->rate + dim;
    p->matrix = p->g + d;
    p->unit = p->matrix + (dense > 0 ? d * d : 0);
    p->values = p->unit + (dense > 0 ? d * d : 0);
    p->ws = p->matrix + dense;
    return true;
}

static od_status gradient(probe *p, const double *x, double *norm)
{
    const od_problem *f = p->pair->flow->problem;
    od_status status = f->eval(f, OD_GRADIENT, 1, x, NULL, p->g, p->ws);
    *norm = od_distance(p->d, NULL, p->g, NULL);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the kind */

static bool near(double a, double b, double size)
{
    return fabs(a - b) <= 1e-12 * size;
}

/* Do drift and step k agree with the pair's formulas at z? alpha is known from the velocities' part of the drift. */
static bool agrees(probe *p, uint64_t k, const double *z, bool momentum)
{
    const od_pair *q = p->pair;
    const double t = q->t0 + (double)k * q->h;
    double norm, tau;
    memcpy(p->next, z, p->dim * sizeof *z);
    if (gradient(p, z, &norm) != OD_OK || q->flow->drift(q->flow, t, 1, z, p->rate, p->ws) != OD_OK ||
        q->map->step(q->map, k, 1, p->next, NULL, NULL, &tau, p->ws) != OD_OK || gradient(p, z, &norm) != OD_OK) {
        return false;
    }
    bool same = true;
    for (size_t i = 0; i < p->d; i++) {
        const double v = momentum ? z[p->d + i] : 0, force = -q->alpha * v - p->g[i];
        const double size = fabs(z[i]) + (1 + q->h) * (fabs(v) * (1 + fabs(q->alpha)) + norm);
        if (momentum) {
            same = same && near(p->rate[p->d + i], force, size) && near(p->next[p->d + i], v + q->h * force, size) &&
                   near(p->next[i], z[i] + q->h * (v + q->h * force), size * (1 + q->h));
        } else {
            same = same && near(p->rate[i], -p->g[i], norm) && near(p->next[i], z[i] - q->h * p->g[i], size);
        }
    }
    return same;
}

static void recognise(probe *p, const double *states)
{
    od_pair *q = p->pair;
    const bool momentum = q->flow->second_order && p->dim == 2 * p->d;
    if ((!momentum && p->dim != p->d) || q->flow->singular) {
        return;
    }
    int exponent; /* velocities that are lost beside the gradient would say nothing of alpha */
    frexp(od_largest(p->d, states), &exponent);
    const double speed = exponent > 20 ? ldexp(1, exponent) : 1;
    q->alpha = 0;
    bool same = true;
    const uint64_t looked[3] = {0, q->steps / 2, q->steps - 1};
    for (unsigned which = 0; which < 3 && same; which++) {
        memcpy(p->z, states + looked[which] * p->dim, p->dim * sizeof *p->z);
        for (size_t i = 0; i < p->d && momentum; i++) { /* velocities that are no accident */
            p->z[p->d + i] = speed * od_normal(1, OD_STREAM_CHECK, 4, i, which);
        }
        double norm;
        if (momentum && which == 0) {
            same = gradient(p, p->z, &norm) == OD_OK &&
                   q->flow->drift(q->flow, q->t0, 1, p->z, p->rate, p->ws) == OD_OK &&
                   gradient(p, p->z, &norm) == OD_OK;
            q->alpha = -(p->rate[p->d] + p->g[0]) / p->z[p->d];
        }
        same = same && agrees(p, looked[which], p->z, momentum);
    }
    q->kind = !same ? OD_PAIR_OTHER : momentum ? OD_PAIR_HEAVY_BALL : OD_PAIR_DESCENT;
    q->alpha = q->kind == OD_PAIR_HEAVY_BALL ? q->alpha : NAN;
}

/* ------------------------------------------------------------------------------------------------ constants */

static od_status curvature(od_context *ctx, probe *p, const double *x)
{
    od_pair *q = p->pair;
    const od_problem *f = q->flow->problem;
    double low = NAN, high = NAN;
    od_status status = OD_OK;
    if (p->d <= DENSE_MOST) {
        for (size_t i = 0; i < p->d * p->d; i++) {
            p->unit[i] = i % (p->d + 1) == 0;
        }
        status = f->hvp(f, 1, x, p->d, p->unit, p->matrix, p->ws);
        const lapack_int n = (lapack_int)p->d;
        if (status == OD_OK &&
            LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'U', n, p->matrix, n, p->values, p->values + p->d, 3 * n) == 0) {
            low = p->values[0];
            high = p->values[p->d - 1];
        }
    } else {
        od_extremes e;
        status = od_lanczos_extremes(ctx, f, x, &e);
        low = e.low;
        high = e.high;
    }
    if (status == OD_OK) { /* unknown at one point, they are unknown */
        const bool known = !isnan(low) && (q->seen == 0 || !isnan(q->low));
        q->low = !known ? NAN : q->seen == 0 ? low : fmin(low, q->low);
        q->high = !known ? NAN : q->seen == 0 ? high : fmax(high, q->high);
        q->seen++;
    }
    return status;
}

static od_status look_around(od_context *ctx, probe *p, const double *states, const double *start)
{
    od_pair *q = p->pair;
    const uint64_t points = p->d <= DENSE_MOST ? POINTS_DENSE : POINTS_LANCZOS, stride = q->steps / points + 1;
    const od_map *map = q->map;
    double tau;
    od_status status = OD_OK;
    bool follows = true;
    memcpy(p->z, start, p->dim * sizeof *start);
    for (uint64_t k = 0; k <= q->steps && status == OD_OK; k++) {
        if (k % stride == 0 || k == q->steps) {
            status = curvature(ctx, p, states + k * p->dim);
            status = status == OD_OK && follows && k > 0 ? curvature(ctx, p, p->z) : status;
        }
        if (status == OD_OK && follows && k < q->steps) {
            const od_status step = map->step(map, k, 1, p->z, NULL, NULL, &tau, p->ws);
            follows = step != OD_EDIVERGED;
            status = follows ? step : OD_OK;
        }
        for (size_t i = 0; i < p->d; i++) {
            follows = follows && isfinite(p->z[i]);
        }
    }
    return status;
}

static od_status measure(od_context *ctx, probe *p, const double *states, const double *start)
{
    od_pair *q = p->pair;
    const od_problem *f = q->flow->problem;
    od_status status = OD_OK;
    for (uint64_t k = 0; k <= q->steps && status == OD_OK; k++) {
        const double *x = states + k * p->dim;
        double norm;
        status = gradient(p, x, &norm);
        q->steepest = fmax(q->steepest, norm);
        q->path += k > 0 ? od_distance(p->d, NULL, x, x - p->dim) : 0;
    }
    for (size_t i = p->d; i < p->dim; i++) {
        q->start_speed = hypot(q->start_speed, states[i]);
    }
    if (f->spectrum != NULL) {
        for (size_t i = 0; i < p->d; i++) {
            q->low = i == 0 ? f->spectrum->eigenvalues[i] : fmin(q->low, f->spectrum->eigenvalues[i]);
            q->high = i == 0 ? f->spectrum->eigenvalues[i] : fmax(q->high, f->spectrum->eigenvalues[i]);
        }
    } else if (status == OD_OK && f->hvp != NULL && f->rough == NULL) {
        status = look_around(ctx, p, states, start);
    }
    q->global = f->spectrum != NULL || (isfinite(f->lipschitz.value) && isfinite(f->convexity.value));
    const double low = f->spectrum != NULL || !q->global ? q->low : f->convexity.value;
    const double high = f->spectrum != NULL || !q->global ? q->high : f->lipschitz.value;
    q->mu = low;
    q->lipschitz = isnan(low) ? NAN : fmax(fabs(low), fabs(high));
    return status == OD_OK || status == OD_ENOMEM || status == OD_EINTERRUPTED
               ? status
               : od_fail(ctx, status, "problem", "the loss could not be evaluated at the states");
}

od_status od_pair_measure(od_context *ctx, const od_map *map, const od_flow *flow, double t0, uint64_t steps,
                          const double *states, const double *start, od_pair *pair)
{
    *pair = (od_pair){
        .map = map, .flow = flow, .t0 = t0, .steps = steps, .alpha = NAN, .h = map->tau, .low = NAN, .high = NAN};
    probe p;
    if (flow->problem == NULL) {
        pair->steepest = pair->path = pair->mu = pair->lipschitz = NAN;
        return OD_OK;
    }
    if (!open_probe(&p, pair)) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for states of %zu components", flow->dim);
    }
    recognise(&p, states);
    od_status status = measure(ctx, &p, states, start);
    free(p.memory);
    return status;
}

/* ------------------------------------------------------------------------------------------------ bounds */

static od_pair_bounds bound_descent(const od_pair *q)
{
    const double h = q->h, l = q->steepest, big = q->lipschitz;
    od_pair_bounds b = {.delta = l * big * h * h / 2, .radius = NAN};
    b.delta_printed = b.delta;
    const double most = q->global ? q->high : fmax(q->high, q->mu); /* largest curvature */
    if (q->mu > 0 && h * big <= 1) {
        b.radius = h * l * big / (2 * q->mu);
        b.theorem = "strongly convex: h l L/(2 mu)";
    } else if (q->mu >= 0 && h * big <= 2) {
        b.radius = (double)q->steps * b.delta;
        b.theorem = "convex: K l L h^2/2";
    } else if (most < 0) {
        b.radius = h * l * big / (2 * -most);
        b.theorem = "strongly concave: h l L/(2 gamma)";
    } else {
        b.theorem = q->mu >= 0 ? "h L is above 2: a step is no contraction, and no theorem applies"
                               : "the curvature changes its sign near the states, and no theorem bounds the radius "
                                 "for a given step";
    }
    return b;
}

od_pair_bounds od_pair_bound(const od_pair *q)
{
    od_pair_bounds b = {NAN, NAN, NAN, "no theorem is known for this iteration"};
    if (isnan(q->lipschitz)) {
        b.theorem = "the curvature of the loss is not known";
    } else if (q->kind == OD_PAIR_DESCENT) {
        b = bound_descent(q);
    } else if (q->kind == OD_PAIR_HEAVY_BALL) {
        const double h = q->h, l = q->steepest, big = q->lipschitz, alpha = q->alpha;
        b.theorem = "for heavy ball the local error is bounded, not the radius";
        if (alpha > 0 && q->start_speed <= l / alpha) {
            b.delta_printed = l * (alpha + 1 + big) * h * h;
            b.delta = l * h * h * ((alpha + big / (2 * alpha)) * (1 + h) + 1);
        }
    }
    return b;
}
