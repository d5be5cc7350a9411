/* Files of a run. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RESULTS_H
#define OD_RESULTS_H

#include "rows.h"

/**
 * Claims the folder for this experiment: refuses another's results, writes experiment.yaml. *lock keeps other runs out
 * of the folder (but shards share it) until od_results_release.
 */
od_status od_results_claim(od_context *ctx, const od_experiment *e, int *lock);
/** True if the folder holds results that keep the experiment from being run there, and no run is at work in it. */
bool od_results_foreign(od_context *ctx, const od_experiment *e);
void od_results_release(int lock);
/** True if all tables are in the folder, and whole. */
bool od_results_complete(const od_experiment *e);
/** True if a table is in the folder, and whole; *path is then its file (malloc). */
bool od_results_has(const od_experiment *e, const od_rows *rows, char **path);
/** Writes the CSV file of a table, which says so if the run was interrupted, and returns its path in *path (malloc). */
od_status od_results_write_csv(od_context *ctx, const od_experiment *e, const od_rows *rows, bool interrupted,
                               char **path);
/** Writes multilevel.csv: one row for each level. */
od_status od_results_write_levels(od_context *ctx, const od_experiment *e, const od_member *m,
                                  const od_multilevel *levels, char **path);
/** Writes a file of all tables as HDF5; does nothing where HDF5 is not built in. */
od_status od_results_write_hdf5(od_context *ctx, const od_experiment *e, size_t count, const od_rows *rows);
/** Lines of the provenance, each after `prefix`. */
void od_results_provenance(FILE *out, const od_experiment *e, const od_member *m, const char *prefix);

#endif
