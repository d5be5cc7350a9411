/* Positions seen from a few random directions. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_PROJECTION_H
#define OD_PROJECTION_H

#include "optdyn.h"

enum { OD_MAX_PROJECTIONS = 64 };

/**
 * q[j*n + p] = <x_p, e_j> for directions j < count <= OD_MAX_PROJECTIONS: e_j is uniform on the unit sphere of R^d, a
 * function of (seed, d, j), the same for every count. Nothing is stored: the directions are drawn anew in each call,
 * for about count*d normals.
 *
 * (d/count) sum_j q_j^2 estimates |x|^2 with relative standard deviation about sqrt(2/count): W. B. Johnson and J.
 * Lindenstrauss, Contemp. Math. 26 (1984), 189-206.
 */
void od_project(uint64_t seed, size_t count, size_t d, size_t n, const double *x, double *q);

#endif
