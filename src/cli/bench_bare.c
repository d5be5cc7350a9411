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
                 double *restrict x1, double *restrict k1, double *restrict k2, double *restrict y)
{
    const double half = h / 2, sixth = h / 6, third = h / 3;
    drift(d, lambda, c, x, k1);
    for (size_t i = 0; i < d; i++) {
        y[i] = x[i] + half * k1[i];
    }
    drift(d, lambda, c, y, k2);
    for (size_t i = 0; i < d; i++) {
        y[i] = x[i] + half * k2[i];
    }
    drift(d, lambda, c, y, x1);
    for (size_t i = 0; i < d; i++) {
        const double k3 = x1[i];
        x1[i] = x[i] + sixth * k1[i] + third * k2[i] + third * k3;
        y[i] = x[i] + h * k3;
    }
    drift(d, lambda, c, y, k1);
    for (size_t i = 0; i < d; i++) {
        x1[i] += sixth * k1[i];
    }
}

bool bench_bare_rk4(size_t d, uint64_t steps, double h, const double *lambda, const double *c, double *x,
                    double *seconds)
{
    double *memory = malloc(4 * d * sizeof *memory);
    if (memory == NULL) {
        return false;
    }
    for (size_t i = 0; i < 4 * d; i++) {
        memory[i] = 0; /* the pages are there before the clock starts */
    }
    double *from = x, *to = memory;
    const double begin = bench_cpu_clock();
    for (uint64_t i = 0; i < steps; i++) {
        step(d, h, lambda, c, from, to, memory + d, memory + 2 * d, memory + 3 * d);
        double *swap = from;
        from = to;
        to = swap;
    }
    *seconds = bench_cpu_clock() - begin;
    for (size_t i = 0; i < d && from != x; i++) {
        x[i] = from[i];
    }
    free(memory);
    return true;
}
