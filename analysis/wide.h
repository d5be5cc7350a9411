/*
 * Nearest orbits of a chain with many components, by products with its derivatives alone.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_WIDE_H
#define OD_WIDE_H

#include "minimax.h"

/** Parts of a gradient, which a round adds to the directions. */
enum { OD_WIDE_PARTS = 4 };

/**
 * Orbits are known by their start. Next to the orbit x they are x_k + W^{-1} A_k V c with A_k = W J_{k-1} ... J_0
 * W^{-1} and a few orthonormal columns V. For multipliers m the optimum c in their span leaves the gradient g = sum m_k
 * A_k^T s_k, s_k the residual; its parts over groups of steps become further columns. That is the Krylov space of
 * conjugate gradients, kept while the multipliers and the orbit change. What |g| is bounds what all other columns could
 * give.
 */
typedef struct od_wide {
    od_chain *chain;
    const od_target *target;
    size_t d, all, most, count; /* all = (K+1) d; at most so many columns, and how many there are */
    double *x, *r;              /* [all] an orbit and its weighted residuals */
    double *trial, *s;          /* [all] another orbit; residuals of the linearisation */
    double *v;                  /* [most*d] by columns */
    double *image;              /* [most*all] A_k V, column after column */
    double *c, *along;          /* [most], [d] = V c */
    double *u, *ju;             /* [most*d] */
    double *matrix;             /* [most*most] */
    double *qr, *tau, *work;    /* [(most+1)*d], [most+1], [32*(most+1)] */
    double *multiplier, *far;   /* [K+1] and the length of s_k */
    double *g;                  /* [(OD_WIDE_PARTS+1)*d] parts of the gradient, and it */
    uint64_t *step;             /* [K+1] the steps that the smallest radius is sought over */
    size_t steps;               /* how many they are */
    double radius, sum;         /* of x */
    double same;                /* radius of the orbit that starts at y_0 */
    uint64_t at;
    double value, lower; /* of the linearisation: what c gives, and what is proven */
    bool imaged, solved;
    double *memory;
} od_wide;

typedef struct od_wide_walk {
    double radius, sum; /* max_k |x_k - y_k| and the sum of the squares */
    uint64_t at;
} od_wide_walk;

/**
 * Whether a chain is for this file: more components than dense matrices serve, a derivative and its transpose, and no
 * component free, so that orbits no further than a known one have starts in a ball.
 */
bool od_wide_suits(const od_chain *chain, const od_target *target);

/** Keeps the pointers. Holds a few orbits, and one for each direction. OD_EUNSUPPORTED if that is too much. */
od_status od_wide_create(od_context *ctx, od_chain *chain, const od_target *target, od_wide **wide);
void od_wide_free(od_wide *wide); /* accepts NULL */

/** Runs the chain along x[(K+1)*d] from its first state; OD_EDIVERGED without a sentence. */
od_status od_wide_run(od_context *ctx, od_wide *wide, double *x, od_wide_walk *walk);
/** wide->trial, which `walk` is of, becomes wide->x. */
void od_wide_accept(od_wide *wide, const od_wide_walk *walk);
/** The images of the columns from `first` on, along x. */
od_status od_wide_push(od_context *ctx, od_wide *wide, size_t first);
/** The gradient of sum_k multiplier_k |s_k|^2/2 at x in wide->g, and before it parts of like weight that make it up. */
od_status od_wide_pull(od_context *ctx, od_wide *wide);

/** As od_shadow_least_squares and od_shadow_minimax; `lower` and `local_lower` are off by what products were saved. */
od_status od_wide_least_squares(od_context *ctx, od_wide *wide, od_shadow *best, double *rms);
od_status od_wide_minimax(od_context *ctx, od_wide *wide, od_minimax *found);

#endif
