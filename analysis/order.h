/* Orders fitted to errors that carry sampling noise. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_ORDER_H
#define OD_ORDER_H

#include "../src/statistics.h"

/** Path p belongs to group p % OD_GROUPS; a group is a row of the moments. */
enum { OD_GROUPS = 32, OD_MAX_LEVELS = 16 };

/** What OD_GROUPS groups give as a 95 % interval: the 0.975 quantile of Student's law with 31 degrees of freedom. */
extern const double od_order_student;

/**
 * Errors |mean of a column + shift|^power at steps h 2^l. Their standard errors come from the jackknife that leaves out
 * one group of paths at a time (Tukey 1958), which knows that all levels see the same paths.
 */
typedef struct od_errors {
    const od_moments *groups; /* [OD_GROUPS] rows */
    size_t levels, column[OD_MAX_LEVELS];
    double shift[OD_MAX_LEVELS], power;
    bool used[OD_MAX_LEVELS]; /* in the fit */
} od_errors;

/** The signed mean of a level, shift included, and its standard error. */
double od_errors_mean(const od_errors *e, size_t level, double *standard_error);
/** The error of a level and its standard error. */
double od_errors_at(const od_errors *e, size_t level, double *standard_error);

/** Least-squares slope of log2 error against l over the levels used, and its 95 % interval; NaN with fewer than two. */
typedef struct od_fit {
    size_t used;
    double order, low, high;
} od_fit;
od_fit od_errors_fit(const od_errors *e);

/** The same slope of errors that are known; `used` NULL: all levels. NaN if one is not positive. */
double od_order_slope(const double *error, const bool *used, size_t levels);

#endif
