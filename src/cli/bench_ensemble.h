/* What the two sides of `optdyn bench ensemble` share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CLI_BENCH_ENSEMBLE_H
#define OD_CLI_BENCH_ENSEMBLE_H

#include "optdyn.h"

enum { BENCH_PATHS = 100000, BENCH_BLOCK = 128, BENCH_VISCOSITY = 3 };

/* The same in bench/ensemble.h, for the peers. */
static const double bench_begin = 0.1, bench_step = 0.01, bench_sigma = 0.1, bench_curvature[2] = {1, 0.1};

/** The state z[dim*n] of n paths through so many steps, in place. Nesterov's flow: x_0, x_1, v_0, v_1. */
void bench_bare_sde(uint64_t seed, uint64_t first, size_t n, size_t steps, double *z);
void bench_bare_nag(size_t n, size_t steps, double *z);
void bench_bare_lorenz(size_t n, size_t steps, double *z);

#endif
