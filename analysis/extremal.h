/*
 * A part of a path as an extremal of its action: Jacobi fields along it, and its conjugate points.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_EXTREMAL_H
#define OD_EXTREMAL_H

#include "jacobi.h"
#include "trajectory.h"

/** The path from t1 to t2. */
typedef struct od_extremal {
    od_trajectory *path;
    double t1, t2;
} od_extremal;

/** Its Jacobi fields with the first end fixed, no kernels wanted, tolerance 1e-12. *x stays in use. */
od_jacobi od_extremal_jacobi(const od_extremal *x);

/** Its conjugate points; on a quadratic loss those of each eigenvector. Errors of od_jacobi_conjugates. */
od_status od_extremal_conjugates(od_context *ctx, const od_extremal *x, od_conjugates *found);

#endif
