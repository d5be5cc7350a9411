/*
 * What the module for ball arithmetic offers: a finite-time shadowing theorem, checked.
 *
 * Given states x_0, ..., x_K near an orbit of Psi, frames Q_k, triangular T_k with Psi' Q_k about Q_{k+1} T_k, and for
 * each step how many directions p_k, the first ones, are unstable (never more than for the step before). In coordinates
 * x + Q c an orbit is a solution of
 *
 *   c_{k+1} = T_k c_k + d_k,   d_k = Q_{k+1}^{-1} (E_k c_k - r_k),
 *
 * r_k = x_{k+1} - Psi_k(x_k), and E_k in Psi'(ball around x_k) Q_k - Q_{k+1} T_k by the mean value theorem. Stable
 * components are swept forward from 0, unstable ones backward from 0. If |d_k| <= omega for all k, then they stay in
 * the ellipsoids {c: c^T C^{-1} c <= omega^2} with shapes that obey, for shares in (0, 1),
 *
 *   C^s_{k+1}         >= T^ss C^s_k T^ss^T / a + I/(1 - a)
 *   T^uu C^u_k T^uu^T >= C^u_{k+1} / b + T^us C^s_k T^us^T / c + I/(1 - b - c),
 *
 * a Minkowski sum of ellipsoids on the right each. So if conversely states of these ellipsoids have |d_k| <= omega, the
 * continuous map from c to the solution keeps their product, and by Brouwer's theorem has a fixed point: an exact orbit
 * with |x_k - exact_k| <= |Q_k| omega sqrt(largest eigenvalues of C^s_k and C^u_k together).
 *
 * Source  S.-N. Chow, K. J. Palmer, On the numerical computation of orbits of dynamical systems, J. Complexity 8
 * (1992); ellipsoids: F. C. Schweppe, Recursive state estimation, IEEE Trans. Automatic Control 13 (1968).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PROOF_H
#define OD_PROOF_H

#include "analysis/rule.h"
#include "src/module.h"

enum { OD_ARB_VERSION = 1 };

/** Matrices are row-major n x n; of a shape the leading block counts, lower triangle. Node k is left by step k. */
typedef struct od_proof {
    const od_rule *rule;
    uint64_t steps;         /* K >= 1 */
    const double *x;        /* [(K+1)*n] */
    double *frame;          /* [(K+1)*n*n] Q_k */
    double *linear;         /* [K*n*n] T_k, upper triangular */
    uint32_t *unstable;     /* [K] p_k */
    double *stable_shape;   /* [(K+1)*n*n] of n - p_{k-1} directions; 0 at k = 0 */
    double *unstable_shape; /* [(K+1)*n*n] of p_k directions; 0 at k = K */
    double *stable_size;    /* [K+1] above the eigenvalues of the shapes */
    double *unstable_size;  /* [K+1] */
    double *share;          /* [K*3] a, b, c */
    double omega;           /* out */
} od_proof;

typedef struct od_proven {
    double epsilon;  /* there is an exact orbit within this of x, at every k */
    double residual; /* max |r_k| */
    double inverse;  /* how far a local error 1 at every step can push an orbit */
    double defect;   /* max |E_k| */
} od_proven;

typedef struct od_arb_api {
    od_module_head head; /* version OD_ARB_VERSION */
    /**
     * Finds omega and checks all of the above in balls of 128 bits; every number is rounded up. False if it does not
     * hold; trouble says where.
     */
    bool (*prove)(od_proof *proof, od_proven *proven, char trouble[256]);
} od_arb_api;

extern OD_MODULE_SYMBOL const od_arb_api od_arb_module;

#endif
