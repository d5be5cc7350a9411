/*
 * Shadows that are constructed, not optimised: forward from the first state, backward from the last.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_LADDER_H
#define OD_LADDER_H

#include "minimax.h"

enum { OD_REASON_ROOM = 240 };

/** The distance of the orbit from shadow->start; OD_EDIVERGED with a sentence. */
od_status od_shadow_forward(od_context *ctx, od_chain *chain, const od_target *target, od_shadow *shadow);

/**
 * The orbit that ends in y_K, by inverse steps: Newton's method with the derivative factored, and the factors kept as
 * long as they serve. Source: Orvieto and Lucchi (2019), Shadowing properties of optimization algorithms, expansion
 * theorem.
 *
 * reason  "" if there is such an orbit, else one sentence why not; the radius is then NaN
 * Errors  OD_ENOMEM, OD_EINTERRUPTED
 */
od_status od_shadow_backward(od_context *ctx, od_chain *chain, const od_target *target, od_shadow *shadow,
                             char reason[OD_REASON_ROOM]);

/** |y_{k+1} - Psi_k(y_k)|: the largest, and the k of it. */
typedef struct od_local_error {
    double max;
    uint64_t at;
} od_local_error;

od_status od_shadow_local_error(od_context *ctx, od_chain *chain, const od_target *target, od_local_error *error);

/**
 * Smallest and largest factor by which a step stretches near the states, in their norm (plain where a weight is 0): the
 * singular values of its derivative at no more than 256 of them, above 16 components 16. Above 64 components they come
 * from Lanczos' iteration. NaN where there is no derivative, or no transpose of one that is needed.
 */
typedef struct od_stretch {
    double low, high;
} od_stretch;

od_status od_shadow_stretch(od_context *ctx, od_chain *chain, const od_target *target, od_stretch *stretch);

#endif
