/*
 * The orbit of a chain that stays nearest to given states: least squares, and the smallest largest distance.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_MINIMAX_H
#define OD_MINIMAX_H

#include "chain.h"

/** States y_0, ..., y_K to be shadowed, one after another, and the norm |r|^2 = sum_i (weight_i r_i)^2. */
typedef struct od_target {
    const double *y;      /* [(K+1)*dim] */
    const double *weight; /* [dim], >= 0, not all 0; a component of weight 0 is free */
} od_target;

/** An orbit and how far it is. */
typedef struct od_shadow {
    double radius; /* max_k |x_k - y_k| */
    uint64_t at;   /* the k of it */
    double *start; /* [dim] x_0; memory of the caller, NULL: not wanted */
    /**
     * 0: x_k is what the chain makes of x_0. Else no x_0 in doubles leads there, and x is an orbit but for jumps: the
     * largest |x_{k+1} - Psi_k(x_k)|, of the order of rounding.
     */
    double defect;
} od_shadow;

typedef struct od_minimax {
    od_shadow best;     /* radius: an upper bound of the smallest one, which this orbit attains */
    double lower;       /* proven of every orbit, up to rounding; NaN if nothing is */
    double local_lower; /* of every orbit of the linearisation at the one found; equal to `lower` on affine chains */
    uint64_t active[64];
    size_t active_count; /* steps at which the radius is attained, those with a multiplier; ascending */
    unsigned rounds;
} od_minimax;

/** Both questions share the chain's derivatives along an orbit. */
typedef struct od_shooting od_shooting;

/**
 * Keeps the pointers of chain and target. Needs chain->jvp, and chain->vjp where K dim^2 exceeds 1.8 10^8. Holds 64 MiB
 * of matrices (4 GiB without vjp) and a few vectors for each step of a small problem, each kept state of a large one.
 * OD_EINVAL for a target that is not finite or has no weight, OD_EUNSUPPORTED without the derivatives.
 */
od_status od_shooting_create(od_context *ctx, od_chain *chain, const od_target *target, od_shooting **shooting);
void od_shooting_free(od_shooting *shooting); /* accepts NULL */

/**
 * The orbit of least sum_k |x_k - y_k|^2, by multiple shooting: exact on affine chains, a local minimum by Gauss and
 * Newton's steps else. *rms = sqrt(sum/(K+1)). OD_EDIVERGED if no orbit near the target was found that stays finite.
 */
od_status od_shadow_least_squares(od_context *ctx, od_shooting *shooting, od_shadow *best, double *rms);

/**
 * The orbit of least max_k |x_k - y_k|. On affine chains with a lower bound: for multipliers m_k >= 0 of sum 1 no orbit
 * has a radius below the root of min sum_k m_k |x_k - y_k|^2. On others the best that sequential convex steps find from
 * the least-squares orbit and from the orbit that starts at y_0.
 */
od_status od_shadow_minimax(od_context *ctx, od_shooting *shooting, od_minimax *found);

#endif
