/*
 * What the literature says of a thing that was analysed, and what was found.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CLAIMS_H
#define OD_CLAIMS_H

#include "analysis/extremal.h"

/** [{"id": ..., "predicted": ..., "verdict": "holds", ...}, ...] */
void od_claims_write_json(FILE *out, const od_claim *claim, size_t count);
/** One line for each. */
void od_claims_write_text(FILE *out, const od_claim *claim, size_t count);

enum { OD_VARIATIONAL_CLAIMS = 8 };

/**
 * Claims of Orvieto (2023), section 2.2, that apply to a path and its conjugate points with both ends fixed; returns
 * how many of claim[OD_VARIATIONAL_CLAIMS] were filled.
 *
 * A statement whose printed form is wrong or not sharp is followed by the corrected one. What is said of all intervals
 * on a quadratic is judged on the curvature that is largest, also beyond t2.
 *
 * Errors  OD_ENOMEM and those of od_jacobi_split.
 */
od_status od_variational_claims(od_context *ctx, const od_extremal *x, const od_conjugates *found, od_claim *claim,
                                size_t *count);

#endif
