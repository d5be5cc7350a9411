/*
 * Measured strong and weak orders, each on the same Brownian paths at refined steps.
 *
 * An order is the least-squares slope of log2(mean error) against log2(step). The paths are cut into 16 groups, whose
 * slopes give the standard error of the whole; the check demands that five of them fit into the tolerance 0.1, so that
 * over seeds a right scheme would be refused with probability below 6e-7 a case (about 1e-5 for a file). Seeds are
 * fixed, so each case passes always or never.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_SDE_ORDER_H
#define OD_TESTS_SDE_ORDER_H

#include "check.h"

#include "src/parts.h"

enum { BLOCK = 128, GROUPS = 16, MAX_DIM = 4, MAX_LEVELS = 8, ALL = 99 };

/* Paths `first` .. first + BLOCK - 1 from z (all start alike) over [0, 1] in `steps` equal steps. */
static inline void run(od_context *ctx, const char *scheme, const od_flow *flow, const od_brownian *w, uint64_t first,
                       unsigned steps, const double *z0, double *z)
{
    char yaml[64];
    double dw[2 * MAX_DIM * BLOCK];
    snprintf(yaml, sizeof yaml, "{name: %s, step: %.17g}", scheme, 1.0 / steps);
    for (size_t i = 0; i < flow->dim * BLOCK; i++) {
        z[i] = z0[i / BLOCK];
    }
    od_stepper *s = od_stepper_create(ctx, yaml, flow, 0, BLOCK, z);
    check_done(ctx, s != NULL);
    for (unsigned k = 0; k < steps; k++) {
        const double t = (double)k / steps, t1 = (double)(k + 1) / steps;
        od_interval interval;
        assert_int_equal(od_brownian_interval(w, t, t1, &interval), OD_OK);
        od_brownian_increment(w, &interval, first, BLOCK, dw, s->type->integral ? dw + w->dim * BLOCK : NULL);
        check_done(ctx, od_stepper_advance(ctx, s, t, t1, BLOCK, z, dw) == OD_OK);
    }
    od_stepper_free(s);
}

typedef struct setup {
    const char *scheme;
    const od_flow *flow;
    void (*exact)(const od_flow *, double t, const double *z0, const double *w, double *z); /* NULL: a finer run */
    double z0[MAX_DIM];
    size_t component;
    double (*observe)(double x); /* NULL: strong, mean |x_h - x|; else weak, |mean of observe(x_h) - observe(x)| */
    double order;
    unsigned first, levels; /* steps: 2^first .. 2^(first + levels - 1) */
    size_t blocks;          /* of BLOCK paths, a multiple of GROUPS */
    bool refine;            /* base grid of the coarsest run, refined by the bridge; else of the finest, summed */
} setup;

enum { FINER = 5 }; /* the finer run has 2^FINER times the steps of the finest */

/* The state at time 1 of BLOCK paths, in closed form or by a finer run. */
static inline void truth(od_context *ctx, const setup *c, const od_brownian *w, uint64_t first, double *x)
{
    double end[MAX_DIM * BLOCK], one[MAX_DIM], motion[MAX_DIM];
    if (c->exact == NULL) {
        run(ctx, c->scheme, c->flow, w, first, 1u << (c->first + c->levels - 1 + FINER), c->z0, x);
        return;
    }
    od_interval whole;
    assert_int_equal(od_brownian_interval(w, 0, 1, &whole), OD_OK);
    od_brownian_increment(w, &whole, first, BLOCK, end, NULL);
    for (size_t p = 0; p < BLOCK; p++) {
        for (size_t j = 0; j < w->dim; j++) {
            motion[j] = end[j * BLOCK + p];
        }
        c->exact(c->flow, 1, c->z0, motion, one);
        for (size_t i = 0; i < c->flow->dim; i++) {
            x[i * BLOCK + p] = one[i];
        }
    }
}

static inline double slope_of(const double *error, unsigned levels)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (unsigned k = 0; k < levels; k++) {
        const double x = -(double)k, y = log2(fabs(error[k]));
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return (levels * sxy - sx * sy) / (levels * sxx - sx * sx);
}

/* Summed over the paths; strong errors over all components if `component` says so. */
static inline double error_of_block(const setup *c, const double *z, const double *x)
{
    const size_t first = c->component == ALL ? 0 : c->component * BLOCK;
    const size_t size = c->component == ALL ? c->flow->dim * BLOCK : BLOCK;
    double sum = 0;
    for (size_t i = first; i < first + size; i++) {
        sum += c->observe != NULL ? c->observe(z[i]) - c->observe(x[i]) : fabs(z[i] - x[i]);
    }
    return sum;
}

static inline void check_order(od_context *ctx, const char *what, const setup *c)
{
    double group[GROUPS][MAX_LEVELS] = {{0}}, total[MAX_LEVELS] = {0}, z[MAX_DIM * BLOCK], x[MAX_DIM * BLOCK];
    const unsigned base = c->refine ? c->first : c->first + c->levels - 1 + (c->exact == NULL ? FINER : 0);
    const od_brownian w = {.seed = 2385, .origin = 0, .base = ldexp(1, -(int)base), .dim = c->flow->noise.dim};
    assert_true(c->blocks % GROUPS == 0 && c->levels <= MAX_LEVELS);
    for (size_t b = 0; b < c->blocks; b++) {
        truth(ctx, c, &w, b * BLOCK, x);
        for (unsigned k = 0; k < c->levels; k++) {
            run(ctx, c->scheme, c->flow, &w, b * BLOCK, 1u << (c->first + k), c->z0, z);
            const double sum = error_of_block(c, z, x);
            group[b % GROUPS][k] += sum;
            total[k] += sum / (double)(c->blocks * BLOCK);
        }
    }
    double mean = 0, square = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        const double slope = slope_of(group[g], c->levels);
        mean += slope / GROUPS;
        square += slope * slope / GROUPS;
    }
    const double slope = slope_of(total, c->levels), error = sqrt((square - mean * mean) / (GROUPS - 1));
    print_message("# %s, %s, %s: order %.3f +- %.3f\n", what, c->scheme, c->observe != NULL ? "weak" : "strong", slope,
                  error);
    assert_true(5 * error < 0.1);
    check_close(slope, c->order, 0.1);
}

#endif
