/*
 * Multiple shooting: an orbit of a chain kept at nodes, and the orbits next to it in coordinates that no growth spoils.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_SHOOTING_H
#define OD_SHOOTING_H

#include "minimax.h"
#include "wide.h"

/**
 * Neighbours of an orbit x are x_k + U_k c, c in R^d, with U_{k+1} = Psi_k'(x_k) U_k and sum_j share_j^2 U_j^T M^2 U_j
 * = I over the nodes j, M the metric (W if no component is free; then the same is done with W). The columns come from
 * U_j = E_j R_{j+1}^{-1} ... R_n^{-1}, where E_j spans the neighbours at node j scaled by their size up to there: no
 * factor is longer than 1, however the chain grows or shrinks and whether or not it can be run backwards. All matrices
 * are held by columns, one direction after another.
 */
struct od_shooting {
    od_chain *chain;
    const od_target *target;
    size_t d, nodes, longest; /* longest: most steps from a node to the next */
    double scale;             /* largest |y| of a component */
    uint64_t *node;           /* [nodes] the steps at which states are kept; the first 0, the last K */
    double *share;            /* [nodes] root of the number of steps that a node stands for */
    double *metric;           /* [d] the weights; those of free components are raised */
    double *e, *r, *u;        /* [nodes*d*d] */
    double *filtered, *q;     /* [nodes*d] of the last walk that was to be corrected */
    double *shift, *kept;     /* [nodes*d] */
    double *states, *values;  /* [longest*d] along one segment */
    double *z, *next, *v, *jv, *residual;
    double *columns, *more; /* [d*d] each */
    double *least;          /* [nodes*d] the orbit of least squares once it is `solved` */
    bool made, solved;      /* made: the neighbours of an affine chain, the same for all orbits */
    od_wide *wide;          /* not NULL: it answers, and nothing below `target` is there */
    double *memory;
};

typedef struct od_walk {
    double radius, sum; /* max_k |x_k - y_k| and the sum of the squares */
    uint64_t at;
    double defect; /* largest jump at a node */
    double merit;  /* largest jump over the size of the states beside it */
} od_walk;

/** Told every step with its weighted residual[d] and the length of that. */
typedef void od_seen(void *data, uint64_t k, const double *residual, double distance);

/** How a walk treats nodes after the first: start again from them; the same and prepare a correction; pass them by. */
enum { OD_WALK_NODES, OD_WALK_CORRECT, OD_WALK_THROUGH };

/** z becomes what step k makes of it. OD_EDIVERGED, without a sentence, if that is not finite. */
od_status od_shooting_advance(od_context *ctx, od_shooting *s, uint64_t k, double *z);
/** Directions u[m*d] through step k at z; `image` is scratch memory of their size. */
od_status od_shooting_derive(od_context *ctx, od_shooting *s, uint64_t k, const double *z, size_t m, double *u,
                             double *image);
/** The transposed derivative of step k at z times u[d]. */
od_status od_shooting_pull(od_context *ctx, od_shooting *s, uint64_t k, const double *z, double *u);

/** Runs the chain along x[nodes*d]. OD_EDIVERGED if a state is not finite. `see` may be NULL. */
od_status od_shooting_walk(od_context *ctx, od_shooting *s, const double *x, int how, od_seen *see, void *data,
                           od_walk *walk);
/** Makes the neighbours of x. */
od_status od_shooting_linearise(od_context *ctx, od_shooting *s, const double *x);
/**
 * Moves the nodes onto an orbit, to rounding: Newton's steps of least norm with the neighbours made last. OD_EDIVERGED
 * if they do not get there; x is then of no use.
 */
od_status od_shooting_restore(od_context *ctx, od_shooting *s, double *x);
/** x + factor U c at the nodes. */
void od_shooting_move(const od_shooting *s, const double *x, double factor, const double *c, double *moved);
/** sum[d] = sum over all k of U_k^T W^2 v_k, where v_k is U_k c, or the residual of x where c is NULL. */
od_status od_shooting_gather(od_context *ctx, od_shooting *s, const double *x, const double *c, double *sum);
/** W U_k, [d*d]. */
od_status od_shooting_block(od_context *ctx, od_shooting *s, const double *x, uint64_t k, double *block);
/** What to tell of x: the orbit that its start gives, unless rounding makes that leave the nodes. */
od_status od_shooting_report(od_context *ctx, od_shooting *s, const double *x, od_shadow *shadow, double *sum);
/** Fills found->active with the step[count] (NULL: 0, 1, ...) of large multipliers; the largest if they are many. */
void od_minimax_name_active(od_minimax *found, size_t count, const uint64_t *step, const double *multiplier);
/** OD_EDIVERGED with its sentence. */
od_status od_shooting_diverged(od_context *ctx, const od_shooting *s);
/** Finds s->least. OD_EDIVERGED as od_shadow_least_squares. */
od_status od_shooting_least_squares(od_context *ctx, od_shooting *s);
/** The nodes of the orbit that starts at y_0; OD_EDIVERGED if it does not stay finite. */
od_status od_shooting_same_start(od_context *ctx, od_shooting *s, double *x);

#endif
