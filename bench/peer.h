/*
 * The loop that all peers of `optdyn bench` share.
 *
 * The problem: x_i' = -lambda_i (x_i - c_i) for i < d, lambda_i = 1/2 + i/d, c_i = 0, from x_i = 1, by the classical
 * Runge-Kutta scheme with a fixed step. Protocol, one line each way: "D STEPS STEP" asks for STEPS steps of size STEP
 * in dimension D; the answer is "SECONDS LAST", the processor time of the steps alone and the last component of the
 * final state, which the asker compares with the closed form.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_BENCH_PEER_H
#define OD_BENCH_PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct peer_task {
    size_t d;
    unsigned long steps;
    double step;
    double *lambda, *centre; /* [d] */
    double *x;               /* [d] start, then final state */
} peer_task;

/* Processor time, as optdyn measures its own loop. */
static inline double peer_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline int peer_open(peer_task *t)
{
    t->lambda = (double *)malloc(t->d * sizeof(double));
    t->centre = (double *)calloc(t->d, sizeof(double));
    t->x = (double *)malloc(t->d * sizeof(double));
    if (t->lambda == NULL || t->centre == NULL || t->x == NULL) {
        return 0;
    }
    for (size_t i = 0; i < t->d; i++) {
        t->lambda[i] = 0.5 + (double)i / (double)t->d;
        t->x[i] = 1;
    }
    return 1;
}

static inline void peer_close(peer_task *t)
{
    free(t->lambda);
    free(t->centre);
    free(t->x);
}

/* Answers requests until the input ends. `run` returns the seconds of the steps, or a negative number if it failed. */
static inline int peer_serve(double (*run)(peer_task *))
{
    peer_task t;
    while (scanf("%zu %lu %lf", &t.d, &t.steps, &t.step) == 3) {
        const double seconds = peer_open(&t) ? run(&t) : -1;
        printf("%.9e %.17g\n", seconds, seconds >= 0 ? t.x[t.d - 1] : 0);
        fflush(stdout);
        peer_close(&t);
    }
    return 0;
}

#endif
