/*
 * How hyperbolic a chain is along a track: exponents, the angle between the stable and the unstable space, and the time
 * from which no orbit stays near.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_HYPERBOLICITY_H
#define OD_HYPERBOLICITY_H

#include "ladder.h"
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
 * The first k in [1, K] such that no orbit is within epsilon of y_0, ..., y_k, as far as the bound can tell: prefixes
 * are doubled until one has a glitch, then halved, so that no long one is looked at for an early glitch. *k = K + 1 if
 * there is none.
 */
od_status od_glitch_find(od_context *ctx, uint64_t steps, double epsilon, od_prefix_bound *bound, void *user,
                         uint64_t *k);

/** All of it, along given states. Freed by od_hyperbolicity_free. */
typedef struct od_hyperbolicity {
    od_growth growth;
    od_space_angle angle;
    od_split_orbit split; /* radius NaN where there is none */
    /* Why there is no growth, or no orbit by splitting; else "". */
    char growth_missing[OD_REASON_ROOM], split_missing[OD_REASON_ROOM];
} od_hyperbolicity;

/**
 * Growth, angle and orbit by splitting of a chain along the target's states and in its norm.
 *
 * Errors  OD_ENOMEM, OD_EINTERRUPTED, OD_EUSER; what else goes wrong is a sentence in the result.
 */
od_status od_hyperbolicity_find(od_context *ctx, od_chain *chain, const od_target *target, od_hyperbolicity *found);
void od_hyperbolicity_free(od_hyperbolicity *found);

/** A JSON object or null. Exponents of minus infinity are null; a sentence in "missing" says so. */
void od_hyperbolicity_write_json(const od_hyperbolicity *found, FILE *out);
/** A few lines, indented by two. */
void od_hyperbolicity_write_text(const od_hyperbolicity *found, FILE *out);

#endif
