/*
 * Orbits that may run ahead of the flow or behind it: each x_k is compared with the flow at a time of its own, as long
 * as these times do not go back.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_RESCALE_H
#define OD_RESCALE_H

#include "optdyn.h"

typedef struct od_rescaled {
    double radius;      /* least max_k |x_k - y(T_k)| over T_0 <= T_1 <= ... */
    uint64_t at;        /* the k that holds it up */
    double early, late; /* least and largest T_k - t_k of times that attain it, each as small as it can be */
} od_rescaled;

/**
 * x[(steps+1)*dim] are states at t0 + k tau, and y the flow from z0[dim]. Times end a tenth of the interval, or 8 tau,
 * after the last one. Between 16 states in each tau the flow is the cubic with its drift.
 *
 * The least radius is found by bisection to 1e-10 of itself: for a given one it is best to take each T_k as early as
 * possible.
 *
 * weight  [dim] of the norm
 * Errors  OD_ENOMEM; OD_EDIVERGED, OD_ENUMERIC with the time.
 */
od_status od_rescaled_find(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t steps,
                           const double *z0, double rtol, const double *weight, const double *x, od_rescaled *found);

/** How many numbers it keeps. */
double od_rescaled_numbers(size_t dim, uint64_t steps);

#endif
