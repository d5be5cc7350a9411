/*
 * Design matrices: the rows a_i of a finite sum that sees a sample only through <a_i, w>.
 *
 * A row keeps its groups of four columns that hold a number other than 0 (of images of digits two sevenths), four
 * numbers each, so that a product goes through a group in vectors and skips the empty ones. Groups come in pairs: where
 * their number is odd, one of zeros is added.
 *
 * Points come packed: in panels of OD_PANEL points side by side, component j of point k at [j*OD_PANEL + k], as far as
 * they go, then one by one. A point's numbers are added in one order in either place: eight sums, one for each column
 * of a pair, over the pairs of a row, then a binary tree; columns of A^T s over the rows in their order. Hence the
 * bits of a point depend neither on the batch it is in nor on threads nor on the processor.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PROBLEMS_DESIGN_H
#define OD_PROBLEMS_DESIGN_H

#include "../src/data.h"

enum { OD_GROUP = 4, OD_PANEL = 4 };

typedef struct od_design {
    size_t rows, stride; /* stride: columns, and zeros up to a multiple of 8 */
    bool full;           /* no group is empty: rows lie `stride` apart */
    size_t *start;       /* [rows + 1]: number of the first group of a row */
    uint32_t *column;    /* [groups]: its first column */
    double *value;       /* [groups*OD_GROUP] */
} od_design;

/** The rows of `data`, whose stride is a multiple of 8; false if there is no memory. Freed by od_design_free. */
bool od_design_create(const od_data *data, od_design *design);
void od_design_free(od_design *design);

/** Points x[cols*n], p fast, to n*stride numbers, packed; `panels` false: all one by one. */
void od_design_pack(const od_design *a, size_t cols, bool panels, size_t n, const double *x, double *packed);
/** How many points, 1 or OD_PANEL, lie side by side from point p of n on, which starts at p*stride. */
size_t od_design_width(size_t n, size_t p);

/** t[k*count + r] = <a_{first + r}, v_k> for `width` points side by side, r < count. */
void od_design_apply(const od_design *a, size_t first, size_t count, size_t width, const double *v, double *t);
/** sum_k += s[k*count + r] a_{first + r} over r < count, for `width` points side by side. */
void od_design_add(const od_design *a, size_t first, size_t count, size_t width, const double *s, double *sum);

#endif
