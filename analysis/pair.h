/*
 * What is known of an iteration beside its flow: which of the pairs that theorems speak of they are, the constants of
 * the loss along the states, and the bounds that follow.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PAIR_H
#define OD_PAIR_H

#include "optdyn.h"

typedef enum od_pair_kind {
    OD_PAIR_OTHER,
    OD_PAIR_DESCENT,   /* x' = -g(x) and x+ = x - h g(x) */
    OD_PAIR_HEAVY_BALL /* x'' + alpha x' + g(x) = 0 and its semi-implicit Euler step */
} od_pair_kind;

typedef struct od_pair {
    const od_map *map;
    const od_flow *flow;
    double t0;
    uint64_t steps;
    od_pair_kind kind;
    double alpha;         /* of heavy ball, else NaN */
    double h;             /* time of one iteration */
    double steepest;      /* l, the largest |g| at the states */
    double path;          /* length of the polygon through their positions */
    double low, high;     /* extreme curvatures seen near the states; NaN without a Hessian */
    size_t seen;          /* at so many states; 0: the curvature is the same everywhere */
    double mu, lipschitz; /* smallest curvature and largest modulus: global where the problem states them, else seen */
    bool global;          /* they are global */
    double start_speed;   /* |v_0| */
} od_pair;

/**
 * Finds out the kind by evaluating both faces at `states`, not by a name, and measures the constants there.
 *
 * states  [(steps+1)*dim] along the flow
 * shadow  the orbit of the iteration that is looked at besides, by its start [dim]; ends where it diverges
 * Errors  OD_ENOMEM, OD_EUSER
 */
od_status od_pair_measure(od_context *ctx, const od_map *map, const od_flow *flow, double t0, uint64_t steps,
                          const double *states, const double *start, od_pair *pair);

/** What theorems bound, NaN where none applies. */
typedef struct od_pair_bounds {
    double delta;         /* of the local error of the sampled flow under the iteration */
    double delta_printed; /* as the source prints it, where that differs */
    double radius;        /* of the orbit of the iteration near the sampled flow */
    const char *theorem;  /* the one that bounds the radius, or why none does */
} od_pair_bounds;

/**
 * Source  Orvieto (2023), Diss. ETH 29649, Proposition 2.4.2, Corollary 2.4.1, Theorem B.2.3, section B.2.2.1; heavy
 *         ball: Proposition 2.4.5, with |x'''| <= (2 alpha + L/alpha) l and the velocity's remainder kept.
 */
od_pair_bounds od_pair_bound(const od_pair *pair);

#endif
