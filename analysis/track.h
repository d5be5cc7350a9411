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

/** States in memory, y[(K+1)*dim] one after another, which must outlive the track. */
od_track od_track_stored(const double *y, size_t dim, uint64_t steps);

#endif
