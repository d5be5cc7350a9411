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
