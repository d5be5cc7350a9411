/* How much work a set of claims would be on an experiment. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_COST_H
#define OD_COST_H

#include "ledger.h"

/**
 * OD_EUNSUPPORTED with a sentence where a set's claims would take more than about half a minute on the member: counted
 * in evaluations times parameters and samples, so that it is the same on all machines.
 */
od_status od_claims_check_cost(od_context *ctx, const od_claim_set *set, const od_member *m);

/** Evaluations of the gradient along an orbit of the member's flow, by an explicit scheme of high order; 0: no flow. */
double od_claims_orbit_cost(const od_member *m);

#endif
