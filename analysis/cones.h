/*
 * The smallest largest of a few distances: min over c of max_k |r_k + A_k c|.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CONES_H
#define OD_CONES_H

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialise and set d; od_cones_add grows it. */
typedef struct od_cones {
    size_t d, count, room;
    double **block; /* [count] A_k[d*d], by columns, and after it A_k^T A_k[d*d] */
    double *r;      /* [count*d] */
    double *weight; /* [count] multipliers of the last solution: >= 0, sum 1 */
    double *work;
    size_t work_size;
} od_cones;

/** Memory for one more A_k[d*d] and r_k[d], to be filled in; od_cones_set follows. false: no memory. */
bool od_cones_add(od_cones *cones, double **block, double **residual);
/** A_k has been filled in. */
void od_cones_set(od_cones *cones, size_t k);
/**
 * c[d] of least *radius = max_k |r_k + A_k c| with |c| <= reach (may be INFINITY), by a primal-dual interior point
 * method on t >= |r_k + A_k c|^2 (Boyd and Vandenberghe, 2004, section 11.7). false: no memory.
 */
bool od_cones_solve(od_cones *cones, double reach, double *c, double *radius);
/**
 * The bound that the multipliers prove of the present r: the root of min over |c| <= reach of
 * sum_k weight_k |r_k + A_k c|^2, up to rounding and a share of 10^-14.
 */
double od_cones_bound(const od_cones *cones, double reach);
void od_cones_free(od_cones *cones);

#endif
