/*
 * Lagrangian frames and their phases.
 *
 * A frame (X, Y) of two d x d blocks spans a Lagrangian plane if X^T Y is symmetric. With orthonormal columns Z = Y +
 * iX is unitary and Z Z^T depends on the plane alone; its eigenvalues are e^{2 i theta_j}. X is singular where a phase
 * theta_j is 0 modulo pi, as often as its kernel has dimensions.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PHASES_H
#define OD_PHASES_H

#include "optdyn.h"

/** A plane on its path. */
typedef struct od_plane {
    double *frame; /* [2d * d] orthonormal columns, one after another; X above, Y below */
    double *angle; /* [d] phases in [0, pi), ascending */
    double
        *direction;   /* [d * d] column k belongs to angle[k]: where angle[k] = 0, it is orthogonal to the range of X */
    double *triangle; /* [d * d] R of the frame's last orthonormalisation, upper, column-major */
    double sum;       /* of the angles */
    long crossed;     /* phases that have passed 0 modulo pi upwards since the start, less those downwards */
} od_plane;

typedef struct od_phases {
    size_t d;
    double *memory, *c, *s, *product, *values, *work, *turned;
    double *z0, *z1, *m; /* complex [d * d], real and imaginary parts in turn */
    int *integers;
    size_t *order;
    size_t room, integer_room;
} od_phases;

/** Workspace for planes of d dimensions; memory for `planes` of them comes with it. OD_ENOMEM. */
od_status od_phases_open(od_context *ctx, size_t d, size_t planes, od_plane *plane, od_phases *p);
void od_phases_close(od_phases *p);

/** Takes plane->frame, of any Lagrangian basis, as the start: phases that are 0 count as having passed. */
od_status od_phases_start(od_context *ctx, od_phases *p, od_plane *plane);
/**
 * Takes to->frame, of any basis, as the continuation of `from`, and counts what has passed between.
 *
 * The basis must be that of `from` moved along a path on which it changes by less than 1/sqrt 2 of its length (see
 * od_phases_reach): then Z_to Z_from^* has a positive definite Hermitian part all along, its pivots stay in the right
 * half-plane, and the sum of their arguments is by how much the sum of the phases grew, with no multiple of pi lost.
 *
 * Errors  OD_ENUMERIC if the growth does not fit the phases at both ends.
 */
od_status od_phases_follow(od_context *ctx, od_phases *p, const od_plane *from, od_plane *to);

/** Phase k = 1, 2, ... in the order of their passing, less pi times k - 1 turns: negative before it passes 0. */
double od_plane_phase(const od_plane *plane, size_t d, long k);
/** The column of `direction` that belongs to it. */
size_t od_plane_column(const od_plane *plane, size_t d, long k);

/** The largest time times norm of the generator over which a basis is sure to change by less than 1/sqrt 2. */
#define od_phases_reach 0.5

#endif
