/* How a number found depends on a parameter that is swept over. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RELATION_H
#define OD_RELATION_H

#include <stddef.h>

/** ln y = slope ln x + constant. */
typedef struct od_relation {
    size_t used;             /* points; the others are not positive, or not known */
    double slope, low, high; /* NaN with fewer than two points at different x; the interval with fewer than three */
} od_relation;

/**
 * Least squares. The interval is Student's, 95 %, from the scatter about the line: it tells how far the points are from
 * a pure power, not how accurate they are.
 */
od_relation od_relation_fit(size_t n, const double *x, const double *y);

/** t with P(|T| <= t) = 0.95 of Student's law with so many degrees of freedom. Abramowitz, Stegun (1964), 26.7.3-4. */
double od_relation_student(size_t degrees);

#endif
