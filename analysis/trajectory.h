/*
 * One path of a member's flow, solved once and evaluated anywhere, with the Hessian along it: what the questions of the
 * calculus of variations ask about.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TRAJECTORY_H
#define OD_TRAJECTORY_H

#include "../src/experiment.h"

/** Belongs to one thread: evaluating it uses scratch memory of its own. */
typedef struct od_trajectory od_trajectory;

/**
 * Solves x' = v, v' = drift of a member's flow on [start.t, t2] from the start of its path 0.
 *
 * Where the flow has a closed form that is used; else Gragg's extrapolated midpoint rule (order 8) on panels of two
 * equal steps. Between, x is the polynomial of degree 8 through x, v and v' at the panel's three nodes. A panel is cut
 * until the extrapolation's last correction, and what the polynomial leaves of the equation at its quarters, are below
 * rtol times the size of x and v on the panel; rtol is kept at 1e-14 at least.
 *
 * Errors  OD_EUNSUPPORTED with the reason: no Lagrangian, noise, a loss without Hessian products, or one that is not
 *         smooth. OD_EDIVERGED, OD_ENUMERIC where the path ends before t2, with the time. OD_ENOMEM.
 * Source  Gragg (1965); Hairer, Norsett, Wanner (1993), section II.9.
 */
od_status od_trajectory_create(od_context *ctx, const od_member *m, double t2, double rtol, od_trajectory **path);
void od_trajectory_free(od_trajectory *path); /* accepts NULL */
/** Refuses, as above, members that have no action with a second variation. */
od_status od_trajectory_check(od_context *ctx, const od_member *m);

/** Whose path it is. */
const od_member *od_trajectory_member(const od_trajectory *path);

/** x[d] and v[d] at a time in [start.t, t2]; either may be NULL. OD_EINVAL outside, without a sentence. */
od_status od_trajectory_at(od_trajectory *path, double t, double *x, double *v);

/** x'' as the path has it, a[d]: off its polynomial, or by differences of v where it is a closed form. */
od_status od_trajectory_acceleration(od_trajectory *path, double t, double *a);

/** Products hu[m*d] of the loss's Hessian at x(t) with m directions u[m*d], one after another. */
od_status od_trajectory_products(od_trajectory *path, double t, size_t m, const double *u, double *hu);
/** The product at one time with one direction, for od_lanczos; user is an od_instant. */
typedef struct od_instant {
    od_trajectory *path;
    double t;
} od_instant;
od_status od_trajectory_product(void *user, const double *v, double *av);
/** The Hessian at x(t), row-major [d*d], made symmetric. */
od_status od_trajectory_hessian(od_trajectory *path, double t, double *h);
/** True if the Hessian is the same everywhere (quadratic losses). */
bool od_trajectory_is_quadratic(const od_trajectory *path);

#endif
