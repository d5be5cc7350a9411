/* Claims: how they are made, judged and written. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CLAIM_H
#define OD_CLAIM_H

#include "optdyn.h"

/** Appends to a list with room: no numbers yet, expected to hold. */
od_claim *od_claims_add(od_claim *list, size_t *count, const char *id, const char *source, const char *statement);
/** The verdict; the counterexample is kept only where it fails. */
void od_claims_judge(od_claim *c, bool holds, const char *counterexample);

/**
 * How many standard errors a number may be off: a claim that holds is called wrong with probability below 6e-7 where
 * its sampling error is normal, 2e-5 for the standard experiments together.
 */
#define OD_SIGMAS 5

/** Holds if |measured - predicted| is within the claim's errors, which are to be there already. */
void od_claims_match(od_claim *c, double predicted, double measured, const char *counterexample);
/** Holds if measured <= predicted, fails if it is above by more than the errors, else is undecided. */
void od_claims_bound(od_claim *c, double predicted, double measured, const char *counterexample);

/**
 * Takes a refutation back where the model error is NaN: a bound that is exceeded with constants that were only seen at
 * some states may hold with the true ones. The claim says so in place of a counterexample.
 */
void od_claims_doubt(od_claim *c);

/** "holds", "fails" or "undecided". */
const char *od_verdict_text(od_verdict v);
/** [{"id": ..., "predicted": ..., "verdict": "holds", ...}, ...] */
void od_claims_write_json(FILE *out, const od_claim *claim, size_t count);
/** One line for each. */
void od_claims_write_text(FILE *out, const od_claim *claim, size_t count);

#endif
