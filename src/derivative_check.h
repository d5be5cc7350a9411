/* A problem's derivatives compared with differences, for `optdyn check problem`. SPDX-License-Identifier:
 * GPL-3.0-or-later
 */
#ifndef OD_DERIVATIVE_CHECK_H
#define OD_DERIVATIVE_CHECK_H

#include "optdyn.h"

/** One comparison: the largest relative error over all points and directions. NaN error: not applicable. */
typedef struct od_derivative_error {
    double error, tolerance;
    bool passed; /* true if not applicable */
} od_derivative_error;

typedef struct od_derivative_report {
    size_t points, directions;            /* directions at each point */
    od_derivative_error gradient;         /* with central differences of the value */
    od_derivative_error hessian;          /* products with central differences of the gradient */
    od_derivative_error samples;          /* mean over all samples with the whole value and gradient */
    od_derivative_error weighted;         /* equal weights give 0, one weight gives that sample's (g_i - g)/N */
    od_derivative_error covariance;       /* products with (1/N) sum_i (g_i - g)(g_i - g)', sample by sample */
    od_derivative_error outputs;          /* derivative of a model's outputs with differences, and its transpose */
    od_derivative_error constants;        /* how far a curvature found lies outside the stated [mu, L], relative to L */
    double curvature_low, curvature_high; /* extreme curvatures found, by Lanczos; NaN if the problem has no products */
    bool passed;
} od_derivative_report;

/**
 * Compares at `points` random points (a function of the seed) around the origin, spread 1, 1/2, 1/4 and 1/8 in turn. A
 * failed comparison is in the report; the status fails only if a callback does or memory is short.
 */
od_status od_derivative_check(od_context *ctx, const od_problem *problem, uint64_t seed, size_t points,
                              od_derivative_report *report);

#endif
