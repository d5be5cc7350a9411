/* The entry `start`: where all paths begin. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_START_H
#define OD_START_H

#include "experiment.h"

/** Reads start.t and the blocks: a list, {normal: s}, {file: x.csv} or, of x, `initial`: where the problem starts. */
od_status od_start_read(od_context *ctx, od_experiment *e, const od_node *root, od_member *m);
/** Refuses starts of blocks other than x that the method's faces have no use for. */
od_status od_start_check(od_context *ctx, const od_member *m);
/** At a singular start, refuses blocks other than the regular ones. */
od_status od_start_check_singular(od_context *ctx, const od_member *m);
/** z[dim*n] for paths first .. first + n - 1. ws: the flow's scratch, the map's where there is no flow. */
od_status od_start_fill(const od_member *m, uint64_t first, size_t n, double *z, double *ws);
/** Writes the entry as it would be read again. */
void od_start_write(FILE *out, const od_experiment *e, const od_member *m);

#endif
