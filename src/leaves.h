/* Numbers of many paths, reduced to moments on all cores. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_LEAVES_H
#define OD_LEAVES_H

#include "statistics.h"

/**
 * Computes paths first .. first + n - 1, n at most 128, and adds each path's numbers to the moments of its leaf, rows
 * in any order, paths in theirs. Runs in several threads at once; a failure's sentence goes into `errors`.
 */
typedef od_status od_leaf_task(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf);

/**
 * Moments of rows x cols numbers over all paths. Leaves are merged over a fixed tree: the same bits for any number of
 * threads. *total is owned by the caller after OD_OK. OD_EINTERRUPTED if cancelled: nothing is kept.
 */
od_status od_leaves_reduce(od_context *ctx, unsigned threads, uint64_t paths, size_t rows, size_t cols,
                           od_leaf_task *task, void *user, od_moments *total);

#endif
