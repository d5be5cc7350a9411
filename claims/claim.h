/* Claims: how they are made, judged and written. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CLAIM_H
#define OD_CLAIM_H

#include "optdyn.h"

/** Appends to a list with room: no numbers yet, expected to hold. */
od_claim *od_claims_add(od_claim *list, size_t *count, const char *id, const char *source, const char *statement);
/** The verdict; the counterexample is kept only where it fails. */
void od_claims_judge(od_claim *c, bool holds, const char *counterexample);

/** "holds", "fails" or "undecided". */
const char *od_verdict_text(od_verdict v);
/** [{"id": ..., "predicted": ..., "verdict": "holds", ...}, ...] */
void od_claims_write_json(FILE *out, const od_claim *claim, size_t count);
/** One line for each. */
void od_claims_write_text(FILE *out, const od_claim *claim, size_t count);

#endif
