/* Short loops over vectors, in an order of additions that is the same everywhere. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_VECTOR_H
#define OD_VECTOR_H

#include <math.h>
#include <stddef.h>

/** Four partial sums, which compilers turn into vectors. */
static inline double od_dot(size_t n, const double *a, const double *b)
{
    double part[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            part[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        part[0] += a[i] * b[i];
    }
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/**
 * |W (a - b)|, W diagonal or NULL for 1, b or NULL for 0. Where the sum of the squares comes near to the ends of the
 * doubles it is taken anew without squares.
 */
static inline double od_distance(size_t n, const double *weight, const double *a, const double *b)
{
    double sum = 0, far = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = (weight != NULL ? weight[i] : 1) * (a[i] - (b != NULL ? b[i] : 0));
        sum += off * off;
    }
    if (sum > 0x1p-900 && sum < 0x1p900) {
        return sqrt(sum);
    }
    for (size_t i = 0; i < n; i++) {
        far = hypot(far, (weight != NULL ? weight[i] : 1) * (a[i] - (b != NULL ? b[i] : 0)));
    }
    return far;
}

/** b += factor a */
static inline void od_add(size_t n, double factor, const double *a, double *b)
{
    for (size_t i = 0; i < n; i++) {
        b[i] += factor * a[i];
    }
}

/** Largest |a_i|; NaN if one is NaN. */
static inline double od_largest(size_t n, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabs(a[i]) > most || isnan(a[i]) ? fabs(a[i]) : most;
    }
    return most;
}

#endif
