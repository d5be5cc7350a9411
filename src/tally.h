/* What a run of a member's paths gives. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TALLY_H
#define OD_TALLY_H

#include "experiment.h"
#include "statistics.h"

/** Paths are merged over a binary tree whose leaves hold this many, whatever the block size and the threads. */
enum { OD_LEAF = 128 };

/** The tally of a leaf; single paths are kept by the first. False: no memory; nothing to free. */
bool od_tally_init(const od_member *m, uint64_t leaf, od_tally *tally);
void od_tally_free(od_tally *tally);

/** Numbers per recorded row of the iteration: the quantities and, in lock-step, gap and relative gap. */
size_t od_member_map_columns(const od_member *m);
/** Counters of the bins of all recorded numbers, 0 if no quantiles are asked for. */
uint64_t od_member_flow_bins(const od_member *m);
uint64_t od_member_map_bins(const od_member *m);
/** Bytes that running a member takes. */
double od_simulate_memory(const od_experiment *e, const od_member *m);

#endif
