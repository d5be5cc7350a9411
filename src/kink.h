/*
 * Whether a function that can be evaluated has kinks or jumps, by its values and slopes along a line.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_KINK_H
#define OD_KINK_H

#include "optdyn.h"

/** The function at s of the line, and its slope there as derivatives are computed. */
typedef od_status od_line(void *user, double s, double *f, double *slope);

typedef enum od_kink { OD_KINK_NONE, OD_KINK_SLOPE, OD_KINK_VALUE } od_kink;

/**
 * Looks on [-reach, reach] for a point where the slope or the value jumps. What is found is there, but for functions
 * that change within 1e-10 of the reach (single: 1e-5): a second difference of slopes falls by 4 with each halving of
 * the interval where the function is smooth, and stays where the slope jumps. What is not found may still be elsewhere.
 *
 * Output  *size: the jump over the largest slope on the line, or over the range of values; 0 if none is found.
 * Errors  what `line` returns.
 * Cost    17 evaluations and two for each halving, which end early where the function is smooth.
 */
od_status od_kink_seek(od_line *line, void *user, double reach, bool single, od_kink *kink, double *size);

#endif
