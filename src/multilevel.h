/* Multilevel Monte Carlo: `paths: auto`. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_MULTILEVEL_H
#define OD_MULTILEVEL_H

#include "experiment.h"

/** Refuses, with a sentence, a member whose levels make no sense. Called once all of it is read. */
od_status od_multilevel_check(od_context *ctx, const od_member *m);
/**
 * Estimates the member's quantities at the end to its tolerance. *result is the caller's also after OD_EINTERRUPTED,
 * with what is known then, and after other failures.
 */
od_status od_multilevel_run(od_context *ctx, const od_experiment *e, const od_member *m, od_multilevel **result);

/** Accepts NULL. */
void od_multilevel_free(od_multilevel *a);
/** A JSON object. */
void od_multilevel_write_json(FILE *out, const od_multilevel *a);
/** A line of names, then one for each level. */
void od_multilevel_write_csv(FILE *out, const od_multilevel *a);

#endif
