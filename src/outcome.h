/* What a member gave. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_OUTCOME_H
#define OD_OUTCOME_H

#include "tally.h"

/** Fills the numbers of an outcome; its files are the caller's. */
od_status od_outcome_describe(od_context *ctx, const od_member *m, const od_tally *tally, od_outcome *outcome);
/** The same of levels, which become the outcome's. */
void od_outcome_describe_levels(const od_member *m, od_multilevel *levels, od_outcome *outcome);

#endif
