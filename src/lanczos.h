/* Largest and smallest eigenvalue of a symmetric operator from its products. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_LANCZOS_H
#define OD_LANCZOS_H

#include "optdyn.h"

/** av[d] = A v[d] for a symmetric A. */
typedef od_status od_operator(void *user, const double *v, double *av);

/** Extreme Ritz values; an eigenvalue lies within `error` of each, and none is found outside [low, high]. */
typedef struct od_extremes {
    double low, high;
    double low_error, high_error; /* norms of the residuals */
    size_t steps;                 /* products that were needed */
} od_extremes;

/**
 * Lanczos' iteration (1950) with full reorthogonalisation, from a fixed random vector, in at most `most` steps. It ends
 * once both residuals (only the upper one if `upper_only`) are below tolerance times the largest modulus. For d <= most
 * the whole spectrum is covered.
 */
od_status od_lanczos(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double tolerance,
                     bool upper_only, od_extremes *extremes);

/**
 * How many Ritz values of the same iteration lie above a level: at most as many as eigenvalues do, and repeated
 * ones may count once. It ends after `most` steps, or once the count has not changed over 20 steps and a quarter of
 * all.
 */
od_status od_lanczos_above(od_context *ctx, size_t d, od_operator *apply, void *user, size_t most, double level,
                           size_t *count);

/** Extreme curvatures of a loss at x[dim], in at most 60 Hessian-vector products. */
od_status od_lanczos_extremes(od_context *ctx, const od_problem *problem, const double *x, od_extremes *extremes);

#endif
