/*
 * A proven lower bound of the smallest largest distance between an orbit and given states, by branch and bound in
 * intervals.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_BRANCH_H
#define OD_BRANCH_H

#include "minimax.h"
#include "rule.h"

enum { OD_BRANCH_MAX_DIM = 4 };

typedef struct od_branch {
    double lower;   /* proven: no orbit is nearer; NaN if nothing was proven */
    double upper;   /* of the best orbit seen, `start` its start: the one given, or a better one in another valley */
    double *start;  /* [dim], memory of the caller */
    uint64_t boxes; /* that were looked at */
} od_branch;

/**
 * Seeks min over x_0 of max_k |x_k - y_k|, k = 0 to steps, over all orbits of a rule.
 *
 * shadow->radius and ->start (of an orbit that is as near as that) say where to look: a start that is further from y_0
 * is not better. lower is upper (1 - tolerance) unless more than `most` boxes are needed; then it is what was proven by
 * the last coarser tolerance (0.5, 0.1, 0.01, ...), or NaN.
 *
 * Errors  OD_EUNSUPPORTED for more than OD_BRANCH_MAX_DIM components of the state, or a component of weight 0 that no
 *         other component bounds; OD_ENOMEM, OD_EINTERRUPTED.
 * Cost    one enclosure of step and derivative for each box and k.
 */
od_status od_branch_lower(od_context *ctx, const od_rule *rule, uint64_t steps, const od_target *target,
                          const od_shadow *shadow, double tolerance, uint64_t most, od_branch *branch);

#endif
