/*
 * What `optdyn bench` compares with: the classical Runge-Kutta scheme on x' = -lambda (x - c), written by hand, with
 * the arithmetic of integrators/rk4.c but nothing between the loops: no checks, no calls through pointers, no state but
 * the arrays. The right-hand side is a function of its own, as in any solver that can be given another one.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include <stdlib.h>

static inline void drift(size_t d, const double *restrict lambda, const double *restrict c, const double *restrict x,
                         double *restrict dx)
{
    for (size_t i = 0; i < d; i++) {
        dx[i] = -(lambda[i] * (x[i] - c[i]));
    }
}

static void step(size_t d, double h, const double *restrict lambda, const double *restrict c, const double *restrict x,
                 double *restrict x1, double *restrict k, double *restrict y)
{
    const double half = h / 2, sixth = h / 6, third = h / 3;
    drift(d, lambda, c, x, k);
    for (size_t i = 0; i < d; i++) {
        x1[i] = x[i] + sixth * k[i];
        y[i] = x[i] + half * k[i];
    }
    drift(d, lambda, c, y, k);
    for (size_t i = 0; i < d; i++) {
        x1[i] += third * k[i];
        y[i] = x[i] + half * k[i];
    }
    drift(d, lambda, c, y, k);
    for (size_t i = 0; i < d; i++) {
        x1[i] += third * k[i];
        y[i] = x[i] + h * k[i];
    }
    drift(d, lambda, c, y, k);
    for (size_t i = 0; i < d; i++) {
        x1[i] += sixth * k[i];
    }
}

bool bench_bare_rk4(size_t d, uint64_t steps, double h, const double *lambda, const double *c, double *x,
                    double *seconds)
{
    double *memory = calloc(3 * d, sizeof *memory);
    if (memory == NULL) {
        return false;
    }
    double *from = x, *to = memory;
    const double begin = bench_clock();
    for (uint64_t i = 0; i < steps; i++) {
        step(d, h, lambda, c, from, to, memory + d, memory + 2 * d);
        double *swap = from;
        from = to;
        to = swap;
    }
    *seconds = bench_clock() - begin;
    for (size_t i = 0; i < d && from != x; i++) {
        x[i] = from[i];
    }
    free(memory);
    return true;
}
