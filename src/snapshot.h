/* What a run has done so far, as bytes. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SNAPSHOT_H
#define OD_SNAPSHOT_H

#include "bytes.h"
#include "simulate.h"

/**
 * Between two rounds: writes what has changed since the last time, or `all` there is. Subtrees are written when they
 * have grown, of a block under way the rows added since, its state, and of the counts in the bins all.
 */
void od_snapshot_write(od_simulation *s, bool all, od_bytes *to);

/**
 * Applies a snapshot after the others of its run or, with `add`, the only one of another shard. OD_EINVAL, without a
 * sentence, if the bytes are not of this experiment; the simulation can then only be closed. When all are read, call
 * od_simulation_loaded.
 */
od_status od_snapshot_read(od_simulation *s, od_reader *from, bool add);

#endif
