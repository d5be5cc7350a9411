/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gauss.h"

#include <math.h>

void od_gauss(size_t n, double *node, double *weight)
{
    for (size_t i = 0; i < n; i++) {
        double x = -cos(3.14159265358979323846 * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;
        for (int newton = 0; newton < 10; newton++) {
            double before = 1, now = x;
            for (size_t k = 2; k <= n; k++) {
                const double next = ((2 * (double)k - 1) * x * now - ((double)k - 1) * before) / (double)k;
                before = now;
                now = next;
            }
            slope = (double)n * (before - x * now) / ((1 - x) * (1 + x));
            x -= now / slope;
        }
        node[i] = x;
        weight[i] = 2 / ((1 - x) * (1 + x) * slope * slope);
    }
}
