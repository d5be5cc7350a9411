/*
 * What the peers of `optdyn bench ensemble` share.
 *
 * Ensembles from t = 0.1 with step 0.01 of
 *   sde     dx = v dt, dv = -(3/t) v dt - (lambda x dt + 0.1 dW), lambda = (1, 0.1), from x = (1, 1), v = 0,
 * Euler-Maruyama nag     the same without noise, by the classical Runge-Kutta scheme lorenz  Lorenz-63 (10, 28, 8/3),
 * by the same scheme Trajectory p of the last two starts in all components at 1 + p/n. Protocol, one line each way:
 * "KIND N STEPS" asks for n trajectories; the answer is "SECONDS VALUE", the processor time of the steps alone, and for
 * sde the mean of the final x_0, else the first component of the last trajectory.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_BENCH_ENSEMBLE_H
#define OD_BENCH_ENSEMBLE_H

#include <stdio.h>
#include <string.h>
#include <time.h>

static const double begin_time = 0.1, step_size = 0.01, sigma = 0.1, curvature[2] = {1, 0.1}, viscosity = 3;

static inline double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef double ensemble(size_t n, size_t steps, double *value);

/* Answers requests until the input ends; the functions return the seconds of the steps. */
static inline int serve_ensembles(size_t count, const char *const *kind, ensemble *const *run)
{
    char asked[16];
    size_t n, steps;
    while (scanf("%15s %zu %zu", asked, &n, &steps) == 3) {
        double value = 0, seconds = -1;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(kind[i], asked) == 0) {
                seconds = run[i](n, steps, &value);
            }
        }
        printf("%.9e %.17g\n", seconds, value);
        fflush(stdout);
    }
    return 0;
}

#endif
