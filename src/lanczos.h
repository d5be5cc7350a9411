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

/** Which eigenvalues at the top of a spectrum are wanted. */
typedef struct od_leading_wish {
    size_t most;      /* so many, the largest ones; 0: all above `level` */
    double level;     /* those at most this are not wanted; -INFINITY if `most` alone counts */
    double tolerance; /* residual over the largest modulus at which a Ritz value is taken as found */
    size_t steps;     /* most steps of one run */
    size_t room;      /* most vectors that are kept, those found included */
} od_leading_wish;

/** What was found; zero-initialise. */
typedef struct od_leading {
    size_t count;
    double *value;   /* [count] Rayleigh quotients, descending */
    double *error;   /* [count] norms of their residuals: within it lies an eigenvalue */
    double *vectors; /* [count*d] orthonormal, one after another */
    /**
     * All that were wanted are there, but for the chance `miss`, over random start vectors, that an eigenvalue above
     * `ceiling` is not in the list (Kuczynski and Wozniakowski 1992, theorem 4.2, with the Ritz value in place of the
     * smallest eigenvalue). Where a level was given the ceiling is below it.
     */
    bool complete;
    double ceiling, miss;
    double next, next_error; /* the largest Ritz value of the last run, orthogonal to all in the list */
    size_t above;            /* eigenvalues above the level there are at least (Cauchy's interlacing) */
    size_t runs, products;
} od_leading;

/**
 * Eigenvalues at the top of the spectrum, repeated ones as often as they are. A run of Lanczos' iteration sees of each
 * eigenspace one vector; so what it finds is set aside and the next run begins at random orthogonal to it, until one
 * finds nothing.
 *
 * Errors  OD_ENOMEM, OD_ENUMERIC, OD_EINTERRUPTED, the status of `apply`. Too few steps or too little room: not
 *         complete.
 * Cost    (room + 1) d doubles.
 */
od_status od_lanczos_leading(od_context *ctx, size_t d, od_operator *apply, void *user, const od_leading_wish *wish,
                             od_leading *found);
void od_leading_free(od_leading *found);

/** Room for runs of one length, each from a vector of the caller's. Belongs to one thread. */
typedef struct od_krylov od_krylov;

od_krylov *od_krylov_create(size_t d, size_t most); /* at most so many steps; NULL: no memory */
void od_krylov_free(od_krylov *k);                  /* accepts NULL */

/**
 * Largest eigenvalue from a guess vector[d] of its eigenvector, which the Ritz vector replaces; zeros: no guess. A
 * tenth of the start is random (stream of `run`), so that an eigenvalue that has risen above the one that was followed
 * is found. It ends once the residual is below tolerance times the largest modulus, or all steps are used.
 */
od_status od_krylov_largest(od_context *ctx, od_krylov *k, od_operator *apply, void *user, double tolerance,
                            uint64_t run, double *vector, od_extremes *found);

/**
 * Gauss' rule for the spectral measure of vector[d], |v| = 1: sum_i weight[i] f(node[i]) approximates <v, f(A) v>, and
 * is exact for polynomials below degree 2 count (Golub and Welsch 1969; Golub and Meurant 1994). `count` is the number
 * of steps, less where the vector's Krylov space is smaller. node and weight have room for all steps.
 */
od_status od_krylov_rule(od_context *ctx, od_krylov *k, od_operator *apply, void *user, const double *vector,
                         double *node, double *weight, size_t *count);

/** Extreme curvatures of a loss at x[dim], in at most 60 Hessian-vector products. */
od_status od_lanczos_extremes(od_context *ctx, const od_problem *problem, const double *x, od_extremes *extremes);

#endif
