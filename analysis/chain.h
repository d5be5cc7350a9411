/*
 * A chain z_{k+1} = Psi_k(z_k), k = 0, ..., K-1: an iteration, or a flow over the times of an iteration. Both
 * directions of shadowing ask for an orbit of one chain near a given sequence of states.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CHAIN_H
#define OD_CHAIN_H

#include "optdyn.h"

typedef struct od_chain od_chain;

/** Belongs to one thread: its callbacks use scratch memory of their own. OD_EDIVERGED for a result that is not finite.
 */
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
    void (*free)(void *data); /* NULL: nothing to free */
};

/**
 * The iterations k = 0, ..., steps - 1 of a map, which must outlive the chain.
 *
 * Errors  OD_EUNSUPPORTED for a map with noise, with mini-batches, or whose time varies. OD_ENOMEM.
 */
od_status od_chain_of_map(od_context *ctx, const od_map *map, uint64_t steps, od_chain *chain);

/**
 * A flow from t0 + k tau to t0 + (k+1) tau, by its closed form where it has one, else integrated (passage.h) with error
 * rtol of one step. At a singular t0 only the regular velocity is taken: others are replaced by it.
 *
 * Derivatives come from the variational equation; by differences where flow and loss are linear, with nothing lost, and
 * where the flow offers none (modified flows, a memory flow at its start t = 0), wrong by some 1e-10. The transpose is
 * made of the whole matrix, for at most 128 components; of more only where flow and loss are linear and its blocks
 * symmetric.
 *
 * Errors  OD_EUNSUPPORTED for a flow with noise, or one that cannot start at t0. OD_ENOMEM.
 */
od_status od_chain_of_flow(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t steps, double rtol,
                           od_chain *chain);

/** Says that step k or its derivative failed, and returns `status`. What was interrupted has said so itself. */
od_status od_chain_fail(od_context *ctx, const od_chain *chain, od_status status, uint64_t k);

/** Accepts a chain of zeros. */
void od_chain_clear(od_chain *chain);

/**
 * Whether no step's derivative depends on z, found out by superposition at the first and the last step; always false
 * unless the loss is quadratic. *affine is set.
 */
od_status od_chain_probe(od_context *ctx, od_chain *chain, const od_problem *problem, double tolerance);

#endif
