/*
 * Directions that grow and directions that shrink along a track of a chain, by discrete QR, and the orbit that a
 * splitting into the two gives.
 *
 * Jacobians are used by their products only: A_k = DPsi_k(y_k) acts on a frame Q_k of `count` orthonormal columns, and
 * A_k Q_k = Q_{k+1} R_k. Columns are ordered by growth; an exponent is the mean of ln |R_ii| over the steps.
 *
 * Source  L. Dieci, E. S. Van Vleck, Computation of a few Lyapunov exponents for continuous and discrete dynamical
 *         systems, Appl. Numer. Math. 17 (1995); S.-N. Chow, E. S. Van Vleck, A shadowing lemma approach to global
 *         error analysis for initial value ODEs, SIAM J. Sci. Comput. 15 (1994).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_SPLITTING_H
#define OD_SPLITTING_H

#include "track.h"

/** How the directions of a chain grow along a track. Freed by od_growth_free. */
typedef struct od_growth {
    size_t dim, count; /* `count` <= dim directions were followed, the fastest growing ones */
    double *exponent;  /* [count] per step, descending; -INFINITY where a Jacobian is singular */
    /*
     * A direction is unstable if it grows by more than one per cent over the whole track, stable if it shrinks by more,
     * else neutral. Directions that were not followed shrink at least as fast as the last one that was.
     */
    size_t unstable, neutral;
    size_t singular; /* of those followed, the ones that a Jacobian takes to 0 */
    /*
     * A direction may grow first and shrink afterwards, as where a saddle is left for a minimum: it turns if it has
     * been larger by more than a factor of 2 than at both ends. Corrections of an orbit vanish in it where it is
     * largest, as they vanish at 0 in stable directions and at K in unstable ones.
     */
    size_t turning;
    size_t carried; /* so many columns, from the first, are unstable or turning; a few between may be stable */
    size_t *anchor; /* [carried] the node at which each is largest */
    double *start;  /* [carried*dim] orthonormal at 0; the first `unstable` columns span the unstable space */
    double *end;    /* [unstable*dim] orthonormal: the orthogonal complement of the stable space at K */
    /* Where the stable and the unstable space at 0 and K come from, for people. */
    const char *start_how, *end_how;
    size_t segments; /* cut so that no direction grows by more than a factor of 10 within one */
    uint64_t *node;  /* [segments + 1] from 0 to K */
} od_growth;

/**
 * Follows directions along the track: all if `columns` is 0 and there are few, else `columns` of them, and more as long
 * as the last one is not stable.
 *
 * Errors  OD_EUNSUPPORTED, with a sentence, if the chain has no jvp; OD_EDIVERGED; OD_ENOMEM; OD_EINTERRUPTED.
 * Cost    K products with `count` directions, once or twice.
 */
od_status od_growth_find(od_context *ctx, od_chain *chain, od_track *track, size_t columns, od_growth *growth);
void od_growth_free(od_growth *growth); /* accepts one that is zero */

/** An orbit of the chain near a track whose offset is unstable at 0, stable at K, and 0 where a direction turns. */
typedef struct od_split_orbit {
    double *start;     /* [dim] x_0; owned */
    double radius;     /* max_k |x_k - y_k| in the norm sqrt(sum_i (weight_i r_i)^2) */
    uint64_t at;       /* the k of it */
    double residual;   /* largest |Psi(x_k) - x_{k+1}| that is left, relative to |x|: rounding, if it converged */
    unsigned rounds;   /* of Newton's method */
    double defect[24]; /* [rounds + 1] largest jump between segments, before each round and after the last */
} od_split_orbit;

/**
 * Newton's method for the orbit x of the chain with x_0 - y_0 in the unstable space at 0 and x_K - y_K in the stable
 * space at K, and in turning directions 0 at their anchors: multiple shooting on the segments of `growth`, each
 * correction swept forward in the stable components and backward in the unstable ones. One round on affine chains,
 * besides one for rounding. weight[dim] or NULL: ones.
 *
 * Errors  OD_EUNSUPPORTED with a sentence if Newton's method does not converge; those of od_growth_find.
 * Cost    for each round K steps and products with `carried` + 1 directions. Memory: `carried` + 4 states for each
 *         segment.
 */
od_status od_split_find(od_context *ctx, od_chain *chain, od_track *track, const od_growth *growth,
                        const double *weight, od_split_orbit *orbit);
void od_split_free(od_split_orbit *orbit);

#endif
