/* Slopes over a sweep of what an analysis finds. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_FITS_H
#define OD_FITS_H

#include "../src/experiment.h"

/**
 * Writes, after the members, the slope of the logarithm of each named number against that of the last parameter swept,
 * for each series of members that differ in it alone: , "fits": [...], or lines. Nothing where no parameter is swept
 * over numbers above 0. swept[members] are its values; number k of member i is number[k*members + i].
 */
void od_fits_write(const od_experiment *e, const char *const *names, const double *swept, const double *number,
                   FILE *out, bool json);

#endif
