/*
 * A flow from one time to another, to rounding, with its derivative: an adaptive one-step scheme, so that every passage
 * starts afresh and depends on nothing but its ends.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PASSAGE_H
#define OD_PASSAGE_H

#include "optdyn.h"

/** Belongs to one thread. */
typedef struct od_passage od_passage;

/**
 * By the method of order 8 of Dormand and Prince. The error estimated of each step is kept below rtol times the size of
 * each block of the state and, in addition, 2^-54 of the size of the whole, and below rtol times that of each
 * direction.
 *
 * directions  how many may be carried at once
 * Errors      OD_ENOMEM
 * Source      Hairer, Norsett, Wanner (1993), Solving Ordinary Differential Equations I, section II.10
 */
od_status od_passage_open(od_context *ctx, const od_flow *flow, double rtol, size_t directions, od_passage **passage);
void od_passage_close(od_passage *passage); /* accepts NULL */
/** A crossing of more steps fails with OD_ENUMERIC. Without a limit it may take any number. */
void od_passage_limit(od_passage *passage, uint64_t steps);

/**
 * Takes z[dim] from t to t1 >= t in place, and m directions u[m*dim], one after another, by the derivative of the flow.
 *
 * h       length of the first step tried, replaced by the one to go on with; NULL: a quarter of t1 - t
 * Errors  OD_EDIVERGED where the state is not finite, OD_ENUMERIC where steps become too small or too many; both
 * without a sentence, z is then where it was reached (od_passage_reached). OD_EINTERRUPTED. What the flow's callbacks
 * return.
 */
od_status od_passage_cross(od_passage *passage, double t, double t1, double *z, size_t m, double *u, double *h);
/** Time that the last passage reached. */
double od_passage_reached(const od_passage *passage);

#endif
