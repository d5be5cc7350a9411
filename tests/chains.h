/*
 * Chains and states along them, for the tests of their directions.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_CHAINS_H
#define OD_TESTS_CHAINS_H

#include "check.h"

#include "analysis/hyperbolicity.h"

/* A chain of a method's iteration on a diagonal quadratic. */
typedef struct iteration {
    od_problem *problem;
    od_map *map;
    od_chain chain;
} iteration;

static inline void open_iteration(od_context *ctx, iteration *it, const char *method, const char *problem,
                                  uint64_t steps)
{
    it->problem = od_problem_create(ctx, problem);
    check_done(ctx, it->problem != NULL);
    it->map = od_map_create(ctx, method, it->problem);
    check_done(ctx, it->map != NULL);
    check_done(ctx, od_chain_of_map(ctx, it->map, steps, &it->chain) == OD_OK);
}

static inline void close_iteration(iteration *it)
{
    od_chain_clear(&it->chain);
    od_map_free(it->map);
    od_problem_free(it->problem);
}

/* Maps of one or two numbers, with the Jacobian [dx'/dx, dx'/dy, dy'/dx, dy'/dy]. */
typedef struct plane_map {
    void (*map)(uint64_t k, const double *z, double *next);
    void (*jacobian)(const double *z, double j[4]);
} plane_map;

static inline od_status plane_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    ((const plane_map *)chain->data)->map(k, z, next);
    return isfinite(next[0]) ? OD_OK : OD_EDIVERGED;
}

static inline od_status plane_products(const od_chain *chain, const double *z, bool transposed, size_t m,
                                       const double *u, double *ju)
{
    double j[4];
    ((const plane_map *)chain->data)->jacobian(z, j);
    for (size_t i = 0; i < m; i++, u += chain->dim, ju += chain->dim) {
        ju[0] = j[0] * u[0];
        if (chain->dim == 2) {
            ju[0] += j[transposed ? 2 : 1] * u[1];
            ju[1] = j[transposed ? 1 : 2] * u[0] + j[3] * u[1];
        }
    }
    return OD_OK;
}

static inline od_status plane_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    (void)k;
    return plane_products(chain, z, false, m, u, ju);
}

static inline od_status plane_vjp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    (void)k;
    return plane_products(chain, z, true, m, u, ju);
}

static inline od_chain plane_chain(plane_map *map, size_t dim, uint64_t steps)
{
    return (od_chain){.what = "iteration",
                      .dim = dim,
                      .steps = steps,
                      .step = plane_step,
                      .jvp = plane_jvp,
                      .vjp = plane_vjp,
                      .data = map};
}

/* y_k = e^{-lambda_i h k} y_i: the gradient flow on a diagonal quadratic. */
static inline double *gradient_flow(size_t d, const double *lambda, const double *y0, double h, uint64_t steps)
{
    double *y = calloc((steps + 1) * d, sizeof *y);
    assert_non_null(y);
    for (uint64_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < d; i++) {
            y[k * d + i] = y0[i] * exp(-lambda[i] * h * (double)k);
        }
    }
    return y;
}

static inline double distance(size_t d, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return sqrt(sum);
}

/* The orbit of a chain from y0[dim], one state after another; freed by the caller. */
static inline double *orbit_of(od_chain *chain, const double *y0)
{
    const size_t dim = chain->dim;
    double *y = calloc((size_t)(chain->steps + 1) * dim, sizeof *y);
    memcpy(y, y0, dim * sizeof *y);
    for (uint64_t k = 0; k < chain->steps; k++) {
        assert_int_equal(chain->step(chain, k, y + k * dim, y + (k + 1) * dim), OD_OK);
    }
    return y;
}

static inline void henon(uint64_t k, const double *z, double *next)
{
    (void)k;
    next[0] = 1 - 1.4 * z[0] * z[0] + z[1];
    next[1] = 0.3 * z[0];
}

static inline void henon_jacobian(const double *z, double j[4])
{
    j[0] = -2.8 * z[0];
    j[1] = 1;
    j[2] = 0.3;
    j[3] = 0;
}

#endif
