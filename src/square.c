/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "square.h"

#include "clones.h"

#include <string.h>

enum { ROWS = 8 };

/* One point: sums of several rows go side by side, for a single one would wait for each of its additions. */
OD_CLONES static void times_one(const double *restrict a, size_t d, const double *restrict x, double *restrict y)
{
    for (size_t i = 0; i < d; i += ROWS) {
        const size_t rows = d - i < ROWS ? d - i : ROWS;
        double sum[ROWS] = {0};
        const double *row[ROWS];
        for (size_t r = 0; r < ROWS; r++) {
            row[r] = a + (i + (r < rows ? r : 0)) * d;
        }
        for (size_t j = 0; j < d; j++) {
            for (size_t r = 0; r < ROWS; r++) {
                sum[r] += row[r][j] * x[j];
            }
        }
        memcpy(y + i, sum, rows * sizeof *y);
    }
}

OD_CLONES static void transpose_times_one(const double *restrict a, size_t d, const double *restrict x,
                                          double *restrict y)
{
    memset(y, 0, d * sizeof *y);
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i < d; i++) {
            y[i] += a[j * d + i] * x[j];
        }
    }
}

OD_CLONES static void times_many(const double *restrict a, bool transpose, size_t d, size_t n, const double *restrict x,
                                 double *restrict y)
{
    for (size_t i = 0; i < d; i++) {
        double *row = y + i * n;
        memset(row, 0, n * sizeof *row);
        for (size_t j = 0; j < d; j++) {
            const double c = transpose ? a[j * d + i] : a[i * d + j];
            for (size_t p = 0; p < n; p++) {
                row[p] += c * x[j * n + p];
            }
        }
    }
}

void od_square_times(const double *a, bool transpose, size_t d, size_t n, const double *x, double *y)
{
    if (n > 1) {
        times_many(a, transpose, d, n, x, y);
    } else if (transpose) {
        transpose_times_one(a, d, x, y);
    } else {
        times_one(a, d, x, y);
    }
}
