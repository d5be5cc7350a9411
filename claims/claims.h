/*
 * What the literature says of a thing that was analysed, and what was found.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CLAIMS_H
#define OD_CLAIMS_H

#include "claim.h"
#include "kind.h"

#include "analysis/extremal.h"
#include "analysis/shadow.h"
#include "analysis/variation.h"

enum { OD_VARIATIONAL_CLAIMS = 10 };

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

enum { OD_ACTION_CLAIMS = 20 };

/**
 * Claims of Orvieto (2023), section 2.2, on the action of a path of a flow and its second variation; fills
 * claim[OD_ACTION_CLAIMS] and how many they are, none if the curve is no path of the flow.
 *
 * value      J of the path
 * direction  [d], of the displacements where the loss has no spectrum; else they go along its largest curvature
 * amplitude  their size in what is judged by differences of J on losses that are not quadratic
 *
 * Errors  OD_ENOMEM and those of od_action_variations.
 * Cost    about 40 quadratures.
 */
od_status od_action_claims(od_context *ctx, od_action *a, const od_integral *value, const double *direction,
                           double amplitude, od_claim *claim, size_t *count);

/**
 * Appends what is said of the nearness of smooth curves to a hat, whose second variation on the action's interval is
 * of->second at amplitude 1, on a quadratic of curvature beta along it. Errors: those of od_integrate.
 */
od_status od_hat_claims(od_context *ctx, const od_action *a, double beta, const od_displacement *hat,
                        const od_variations *of, od_claim *claim, size_t *count);

/**
 * Claims of Orvieto (2023), section 2.4 and Appendix B.2, and sharper ones, that apply to a sampled flow and the
 * iteration whose orbits shadow it; fills claim[OD_SHADOW_CLAIMS]. Constants that are not global are those seen at the
 * states: the model error of the claim is then NaN.
 *
 * Errors  OD_ENOMEM, and those of the flow and the loss.
 * Cost    three passes of the iteration.
 */
od_status od_shadow_claims(od_context *ctx, od_shadowing *s, od_claim *claim, size_t *count);

/** The radius of Theorem 2.4.4, by min(gamma/2, mu) - 4 L_phi. */
double od_perturbed_saddle_bound(const od_pair *pair, double margin);
/** Whether Theorem 2.4.4 may apply, which is about the nearest orbit. */
bool od_perturbed_saddle_applies(const od_shadowing *s);
/** Theorem 2.4.4 alone, where it applies; the same errors. */
od_status od_perturbed_saddle_claim(od_context *ctx, od_shadowing *s, od_claim *claim, size_t *count);

#endif
