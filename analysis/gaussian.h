/* Exact first and second moments of linear flows with additive noise. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_GAUSSIAN_H
#define OD_GAUSSIAN_H

#include "../src/experiment.h"

enum { OD_MAX_GAUSSIAN = 64 }; /* components of a state whose covariance is followed */

/** Refuses members whose law is not Gaussian and known: the flow must be linear, its noise additive. */
od_status od_gaussian_check(od_context *ctx, const od_member *m, const char *analysis);
/** *yes is false where od_gaussian_check refuses. OD_ENOMEM; a status of the drift. */
od_status od_gaussian_applies(od_context *ctx, const od_member *m, bool *yes);

/**
 * The chain that a fixed-step scheme runs: each step is z+ = M z + b + N dW (+ N' I), which the scheme's own step shows
 * when it is applied to basis vectors; so mean and covariance follow by recursion, to rounding.
 */
typedef struct od_law_chain {
    const od_member *m;
    const od_integrator_type *type;
    double h;
    uint64_t step;
    double *mean, *cov; /* [dim], [dim*dim]: at start.t + step h */
    size_t points, columns;
    double *memory, *z, *z1, *dw, *product, *ws;
} od_law_chain;

/** Starts at the law of the member's start. Close it also after a failure. */
od_status od_law_chain_open(od_context *ctx, const od_member *m, const od_integrator_type *type, double h,
                            od_law_chain *c);
/** To step number `step`, not before the present one. */
od_status od_law_chain_advance(od_context *ctx, od_law_chain *c, uint64_t step);
void od_law_chain_close(od_law_chain *c);

/**
 * The law of the equation itself: with drift A z + b and noise B, mean' = A mean + b, cov' = A cov + cov A^T + B B^T,
 * integrated by CVODE with rtol 1e-11.
 */
typedef struct od_law_moments {
    const od_member *m;
    od_flow flow; /* of (mean, cov) */
    od_stepper *stepper;
    double t;
    double *mean, *cov; /* [dim], [dim*dim]: at t */
} od_law_moments;

/** Fills *a, which must stay where it is. Starts at the law of the member's start. Close it also after a failure. */
od_status od_law_moments_open(od_context *ctx, const od_member *m, od_law_moments *a);
od_status od_law_moments_advance(od_context *ctx, od_law_moments *a, double t);
void od_law_moments_close(od_law_moments *a);

/** E f of a Gaussian x (first block of the state) for a quadratic loss: f(mean) + tr(H cov)/2. */
od_status od_gaussian_loss(od_context *ctx, const od_member *m, const double *mean, const double *cov, double *loss);

#endif
