/* The block driver: runs one member over all its paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SIMULATE_H
#define OD_SIMULATE_H

#include "experiment.h"
#include "statistics.h"

/** Paths are merged over a binary tree whose leaves hold this many, whatever the block size and the threads. */
enum { OD_LEAF = 128, OD_MAX_COVARIANCE = 64 };

/** Share of a run within all runs, for the progress. */
typedef struct od_share {
    double begin, size;
} od_share;

/**
 * Runs a member. *tally is initialised and, also after OD_EINTERRUPTED, holds what was computed; on other failures
 * there is nothing to free. Paths that diverge are counted in the tally, they are no failure here.
 */
od_status od_simulate(od_context *ctx, const od_experiment *e, const od_member *m, od_share share, od_tally *tally);
void od_tally_free(od_tally *tally);

/** Numbers per recorded row of the iteration: the quantities and, in lock-step, gap and relative gap. */
size_t od_member_map_columns(const od_member *m);
/** Bytes one tally and one thread's block take. */
double od_simulate_memory(const od_experiment *e, const od_member *m);

#endif
