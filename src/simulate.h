/* The driver: runs all members of an experiment over all their paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SIMULATE_H
#define OD_SIMULATE_H

#include "tally.h"

/** Called once for each member when its last path is in, by one thread at a time; not in the order of the members. */
typedef od_status od_finished(void *user, size_t member, const od_tally *tally);

/**
 * Runs all members; tally[member_count] starts zeroed. The first *begun members have begun, and after OD_OK and
 * OD_EINTERRUPTED their tallies hold what was computed and `finished` was called for each. Paths that diverge are
 * counted in the tally, they are no failure here. The caller frees the tallies in any case.
 */
od_status od_simulate(od_context *ctx, const od_experiment *e, od_finished *finished, void *user, od_tally *tally,
                      size_t *begun);

#endif
