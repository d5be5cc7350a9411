/*
 * A chain z_{k+1} = Psi_k(z_k), k = 0, ..., K-1: an iteration, or a flow over the times of an iteration. Both directions
 * of shadowing ask for an orbit of one chain near a given sequence of states.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CHAIN_H
#define OD_CHAIN_H

#include "optdyn.h"

typedef struct od_chain od_chain;

/** Belongs to one thread: its callbacks use scratch memory of their own. OD_EDIVERGED for a result that is not finite. */
struct od_chain {
    const char *what; /* "iteration" or "flow", for sentences */
    size_t dim;       /* of the state */
    uint64_t steps;   /* K >= 1 */
    bool affine;      /* no derivative depends on z */
    od_status (*step)(od_chain *, uint64_t k, const double *z, double *next);
    /** Derivative of step k at z times m directions u[m*dim], one after another, and its transpose; NULL: none. */
    od_status (*jvp)(od_chain *, uint64_t k, const double *z, size_t m, const double *u, double *ju);
    od_status (*vjp)(od_chain *, uint64_t k, const double *z, size_t m, const double *u, double *ju);
    void *data;
};

#endif
