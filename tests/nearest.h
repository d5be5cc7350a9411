/*
 * Chains that are matrices, and their nearest orbits, for the tests of these.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_NEAREST_H
#define OD_TESTS_NEAREST_H

#include "check.h"

#include "analysis/cones.h"
#include "analysis/shooting.h"

/* z -> A z + b, A[dim*dim] by rows; with `period` that many A one after another, in turn. */
typedef struct affine {
    size_t dim;
    const double *a, *b;
    uint64_t period;
} affine;

static inline const double *affine_matrix(const affine *f, uint64_t k)
{
    return f->a + (f->period > 0 ? (size_t)(k % f->period) * f->dim * f->dim : 0);
}

static inline od_status affine_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const affine *f = chain->data;
    const double *a = affine_matrix(f, k);
    for (size_t i = 0; i < f->dim; i++) {
        next[i] = f->b != NULL ? f->b[i] : 0;
        for (size_t j = 0; j < f->dim; j++) {
            next[i] += a[i * f->dim + j] * z[j];
        }
    }
    return OD_OK;
}

static inline od_status affine_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    const affine *f = chain->data;
    const double *a = affine_matrix(f, k);
    for (size_t c = 0; c < m; c++) {
        for (size_t i = 0; i < f->dim; i++) {
            ju[c * f->dim + i] = 0;
            for (size_t j = 0; j < f->dim; j++) {
                ju[c * f->dim + i] += a[i * f->dim + j] * u[c * f->dim + j];
            }
        }
    }
    return OD_OK;
}

static inline od_chain affine_chain(affine *f, uint64_t steps)
{
    return (od_chain){.what = "iteration",
                      .dim = f->dim,
                      .steps = steps,
                      .affine = true,
                      .step = affine_step,
                      .jvp = affine_jvp,
                      .data = f};
}

static inline void solve(od_context *ctx, od_chain *chain, const double *y, const double *weight, od_shadow *least,
                         double *rms, od_minimax *best)
{
    const od_target target = {y, weight};
    od_shooting *s;
    check_done(ctx, od_shooting_create(ctx, chain, &target, &s) == OD_OK);
    check_done(ctx, od_shadow_least_squares(ctx, s, least, rms) == OD_OK);
    check_done(ctx, od_shadow_minimax(ctx, s, best) == OD_OK);
    od_shooting_free(s);
}

/* splitmix64, a generator of the tests' own */
static inline double uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static inline double between(uint64_t *state, double low, double high)
{
    return low + (high - low) * uniform(state);
}

#endif
