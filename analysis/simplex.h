/* A small linear program, for branch and bound. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SIMPLEX_H
#define OD_SIMPLEX_H

#include <stddef.h>
#include <stdint.h>

enum { OD_SIMPLEX_MAX = 4 };

typedef struct od_simplex_column {
    double row[OD_SIMPLEX_MAX], value;
} od_simplex_column;

/**
 * Minimises max_k (row_k e + value_k) over the box low <= e <= high of n <= OD_SIMPLEX_MAX dimensions, by its dual: the
 * mean of forms whose least value over the box is largest. Gives minimiser[n], the forms in that mean and their
 * shares, which are positive; returns their number, at most n + 1. In doubles, to rounding; the program is not
 * degenerate for long (a fixed number of exchanges is not exceeded), so the mean may not be the best one.
 *
 * Source  G. B. Dantzig, Linear programming and extensions (1963), ch. 9: the revised simplex method.
 */
size_t od_simplex_mean(size_t n, uint64_t count, const od_simplex_column *form, const double *low, const double *high,
                       double *minimiser, uint64_t *which, double *share);

#endif
