/*
 * A track: states y_0, ..., y_K read one at a time, wherever they come from. What reads them needs no room for all.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TRACK_H
#define OD_TRACK_H

#include "chain.h"

typedef struct od_track od_track;

/** Belongs to one thread. */
struct od_track {
    size_t dim;
    uint64_t steps; /* K */
    /** y[dim] = y_k for 0 <= k <= K. Any order; k after k - 1 is cheap, and so is going backwards step by step. */
    od_status (*at)(od_track *, uint64_t k, double *y);
    void *data;
};

/** States in memory, y[(K+1)*dim] one after another, which must outlive the track. Nothing to close. */
od_track od_track_stored(const double *y, size_t dim, uint64_t steps);

/**
 * The orbit of a chain from y0[dim], kept as about sqrt(K) checkpoints and the states of one stretch between two, which
 * are recomputed when the reader leaves it: memory 2 sqrt(K) dim, and at most two runs of the chain for a reading
 * forward or backward.
 *
 * Errors  OD_ENOMEM; OD_EDIVERGED with the step at which a state is no longer finite.
 */
od_status od_track_open(od_context *ctx, od_chain *chain, const double *y0, od_track *track);
void od_track_close(od_track *track); /* only for tracks of od_track_open; accepts one that is zero */

#endif
