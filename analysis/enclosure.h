/*
 * A rule evaluated in intervals of doubles: enclosures of its step and of its derivative over a box of states.
 *
 * The same source evaluates rules in balls of any precision (src/arb/); there every name starts with od_ball_.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_ENCLOSURE_H
#define OD_ENCLOSURE_H

#include "interval.h"
#include "rule.h"

/** Intervals that the functions below need as `ws`. */
size_t od_span_room(const od_rule *rule);
/** Fills in what of `ws` is the same for all states; before anything else. */
void od_span_begin(const od_rule *rule, od_span *ws);
/** next[dim] holds Psi_k(z) for every z[dim] of the box. next is not z. */
void od_span_step(const od_rule *rule, uint64_t k, const od_span *z, od_span *next, od_span *ws);
/** jacobian[dim*dim], row-major, holds the derivative of Psi_k at every z[dim] of the box. */
void od_span_jacobian(const od_rule *rule, uint64_t k, const od_span *z, od_span *jacobian, od_span *ws);

#endif
