/* The sets of claims there are, in the order of the literature. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger.h"

extern const od_claim_set od_claims_action;
extern const od_claim_set od_claims_descent;
extern const od_claim_set od_claims_diffusions;
extern const od_claim_set od_claims_discrete;
extern const od_claim_set od_claims_ensemble;
extern const od_claim_set od_claims_flows;
extern const od_claim_set od_claims_forgetting;
extern const od_claim_set od_claims_formulas;
extern const od_claim_set od_claims_inequalities;
extern const od_claim_set od_claims_iterations;
extern const od_claim_set od_claims_memory;
extern const od_claim_set od_claims_momentum;
extern const od_claim_set od_claims_noise;
extern const od_claim_set od_claims_rates;
extern const od_claim_set od_claims_schemes;
extern const od_claim_set od_claims_sequences;
extern const od_claim_set od_claims_shadow;
extern const od_claim_set od_claims_sharp;
extern const od_claim_set od_claims_torus;
extern const od_claim_set od_claims_variational;

/* clang-format off */
const od_claim_set *const od_claim_sets[] = {
    &od_claims_rates,
    &od_claims_formulas,
    &od_claims_iterations,
    &od_claims_variational,
    &od_claims_action,
    &od_claims_memory,
    &od_claims_noise,
    &od_claims_ensemble,
    &od_claims_schemes,
    &od_claims_discrete,
    &od_claims_shadow,
    &od_claims_flows,
    &od_claims_torus,
    &od_claims_diffusions,
    &od_claims_inequalities,
    &od_claims_descent,
    &od_claims_momentum,
    &od_claims_forgetting,
    &od_claims_sequences,
    &od_claims_sharp,
    NULL,
};
