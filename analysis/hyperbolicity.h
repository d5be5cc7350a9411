/*
 * How hyperbolic a chain is along a track: exponents, the angle between the stable and the unstable space, and the time
 * from which no orbit stays near.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_HYPERBOLICITY_H
#define OD_HYPERBOLICITY_H

#include "splitting.h"

/** The smallest angle between a vector of the unstable and one of the stable space. */
typedef struct od_space_angle {
    double radians;      /* in [0, pi/2]; NaN if one of the spaces is trivial or the chain has no vjp */
    uint64_t at;         /* the k of it */
    uint64_t stride;     /* it was looked at every so many steps, which is 1 where memory allows */
    const char *missing; /* why it is NaN, as a sentence; else NULL */
} od_space_angle;

/**
 * Unstable spaces by products with the Jacobians from growth->start forward, complements of stable spaces by products
 * with their transposes from growth->end backward.
 */
od_status od_space_angle_find(od_context *ctx, od_chain *chain, od_track *track, const od_growth *growth,
                              od_space_angle *angle);

/** A lower bound of the shadowing radius of y_0, ..., y_steps, which grows with `steps`. */
typedef od_status od_prefix_bound(void *user, uint64_t steps, double *lower);

/**
 * The first k in [1, K] such that no orbit is within epsilon of y_0, ..., y_k, as far as the bound can tell, by
 * bisection: about log2(K) evaluations. *k = K + 1 if there is none.
 */
od_status od_glitch_find(od_context *ctx, uint64_t steps, double epsilon, od_prefix_bound *bound, void *user,
                         uint64_t *k);

#endif
