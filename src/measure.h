/* The recorded quantities of a member's states. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_MEASURE_H
#define OD_MEASURE_H

#include "experiment.h"

/**
 * Quantities of n states z[dim*n] into q[columns*n], number c of path p at q[c*n + p]. `gradient` has room for one,
 * [d*n]; ws is the problem's scratch.
 */
od_status od_measure(const od_member *m, size_t n, const double *state, double *q, double *gradient, double *ws);
/** The name of a number: "loss", "x_1". */
void od_measure_name(const od_member *m, size_t column, char name[40]);

#endif
