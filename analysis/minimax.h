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
    double *start; /* [dim] x_0; memory of the caller */
} od_shadow;

typedef struct od_minimax {
    od_shadow best;     /* radius: an upper bound of the smallest one, which this orbit attains */
    double lower;       /* proven of every orbit; NaN if nothing is */
    double local_lower; /* of every orbit of the linearisation at the one found; equal to `lower` on affine chains */
    uint64_t active[64];
    size_t active_count; /* steps at which the radius is attained, those with a multiplier */
    unsigned rounds;
} od_minimax;

#endif
