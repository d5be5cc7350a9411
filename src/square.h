/* Products with square matrices for batches of points. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SQUARE_H
#define OD_SQUARE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * y[d*n] = A x, or A^T x, for n points and a[d*d] row-major; y is not x. Each component is summed in the order of the
 * columns, whatever n: the bits of a point do not depend on the batch.
 */
void od_square_times(const double *a, bool transpose, size_t d, size_t n, const double *x, double *y);

#endif
