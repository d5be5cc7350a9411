/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "projection.h"

#include "random.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 128 };

/* q[p] += sum_i e[i] x[i*n + p] */
static void add_products(size_t length, size_t n, const double *e, const double *x, double *q)
{
    for (size_t i = 0; i < length; i++) {
        for (size_t p = 0; p < n; p++) {
            q[p] += e[i] * x[i * n + p];
        }
    }
}

static double square(size_t length, const double *e)
{
    double sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += e[i] * e[i];
    }
    return sum;
}

void od_project(uint64_t seed, size_t count, size_t d, size_t n, const double *x, double *q)
{
    od_normals *normals = od_normals_best();
    double norm[OD_MAX_PROJECTIONS + 1] = {0}, a[BLOCK], b[BLOCK];
    memset(q, 0, count * n * sizeof *q);
    for (size_t first = 0; first < d; first += BLOCK) {
        const size_t length = d - first < BLOCK ? d - first : BLOCK;
        for (size_t j = 0; j < count; j += 2) {
            /* the counter's path is the component: consecutive ones come in one call, for two directions */
            normals(seed, OD_STREAM_PROJECTION, 0, first, j / 2, 0, 1, length, a, b);
            norm[j] += square(length, a);
            add_products(length, n, a, x + first * n, q + j * n);
            if (j + 1 < count) {
                norm[j + 1] += square(length, b);
                add_products(length, n, b, x + first * n, q + (j + 1) * n);
            }
        }
    }
    for (size_t j = 0; j < count; j++) {
        for (size_t p = 0; p < n; p++) {
            q[j * n + p] /= sqrt(norm[j]);
        }
    }
}
