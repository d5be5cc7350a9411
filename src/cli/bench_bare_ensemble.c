/*
 * What `optdyn bench ensemble` compares with: whole steps of a block of paths in one loop each, written by hand for one
 * equation and one scheme, with the arithmetic and the noise of optdyn, compiled for the same instruction sets.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench_ensemble.h"

#include "src/clones.h"
#include "src/random.h"

#include <math.h>

/* v' = -(r/t) v - lambda x and noise sigma in v, in two dimensions by Euler-Maruyama; kick is -sigma dW. */
OD_CLONES static void nesterov_step(size_t n, double damping, double h, double sigma, double *restrict x,
                                    double *restrict v, const double *restrict dw)
{
    for (size_t i = 0; i < 2; i++) {
        const double lambda = bench_curvature[i];
        for (size_t p = i * n; p < (i + 1) * n; p++) {
            const double slope = -damping * v[p] + -1 * (lambda * (x[p] - 0));
            x[p] = x[p] + h * v[p];
            v[p] = v[p] + h * slope + -sigma * dw[p];
        }
    }
}

void bench_bare_sde(uint64_t seed, uint64_t first, size_t n, size_t steps, double *z)
{
    od_normals *normals = od_normals_best();
    double dw[2 * BENCH_BLOCK];
    for (size_t k = 0; k < steps; k++) {
        const double t = bench_begin + (double)k * bench_step;
        normals(seed, OD_STREAM_BROWNIAN, 0, first, 0, k, sqrt(bench_step), n, dw, dw + n);
        nesterov_step(n, BENCH_VISCOSITY / t, bench_step, bench_sigma, z, z + 2 * n, dw);
    }
}

typedef struct point {
    double x, y, z;
} point;

static inline point lorenz(point a)
{
    return (point){10 * (a.y - a.x), a.x * (28 - a.z) - a.y, a.x * a.y - 8.0 / 3 * a.z};
}

static inline point move(point a, double h, point k)
{
    return (point){a.x + h * k.x, a.y + h * k.y, a.z + h * k.z};
}

static inline double gather(double a, double h, double k1, double k2, double k3, double k4)
{
    const double sixth = h / 6, third = h / 3;
    return a + sixth * k1 + third * k2 + third * k3 + sixth * k4;
}

OD_CLONES static void lorenz_step(size_t n, double h, double *restrict x, double *restrict y, double *restrict z)
{
    for (size_t p = 0; p < n; p++) {
        const point a = {x[p], y[p], z[p]};
        const point k1 = lorenz(a), k2 = lorenz(move(a, h / 2, k1)), k3 = lorenz(move(a, h / 2, k2));
        const point k4 = lorenz(move(a, h, k3));
        x[p] = gather(a.x, h, k1.x, k2.x, k3.x, k4.x);
        y[p] = gather(a.y, h, k1.y, k2.y, k3.y, k4.y);
        z[p] = gather(a.z, h, k1.z, k2.z, k3.z, k4.z);
    }
}

void bench_bare_lorenz(size_t n, size_t steps, double *z)
{
    for (size_t k = 0; k < steps; k++) {
        const double t = bench_begin + (double)k * bench_step, t1 = bench_begin + (double)(k + 1) * bench_step;
        lorenz_step(n, t1 - t, z, z + n, z + 2 * n);
    }
}

/* One coordinate x with its velocity v; damping at the beginning, the middle and the end of the step. */
OD_CLONES static void nag_step(size_t n, double lambda, const double damping[3], double h, double *restrict x,
                               double *restrict v)
{
    const double begin = -damping[0], middle = -damping[1], end = -damping[2], half = h / 2;
    for (size_t p = 0; p < n; p++) {
        const double kx1 = v[p], kv1 = begin * v[p] + -1 * (lambda * (x[p] - 0));
        const double kx2 = v[p] + half * kv1, kv2 = middle * kx2 + -1 * (lambda * (x[p] + half * kx1 - 0));
        const double kx3 = v[p] + half * kv2, kv3 = middle * kx3 + -1 * (lambda * (x[p] + half * kx2 - 0));
        const double kx4 = v[p] + h * kv3, kv4 = end * kx4 + -1 * (lambda * (x[p] + h * kx3 - 0));
        x[p] = gather(x[p], h, kx1, kx2, kx3, kx4);
        v[p] = gather(v[p], h, kv1, kv2, kv3, kv4);
    }
}

void bench_bare_nag(size_t n, size_t steps, double *z)
{
    for (size_t k = 0; k < steps; k++) {
        const double t = bench_begin + (double)k * bench_step, t1 = bench_begin + (double)(k + 1) * bench_step;
        const double h = t1 - t;
        const double damping[3] = {BENCH_VISCOSITY / t, BENCH_VISCOSITY / (t + h / 2), BENCH_VISCOSITY / (t + h)};
        for (size_t i = 0; i < 2; i++) {
            nag_step(n, bench_curvature[i], damping, h, z + i * n, z + (2 + i) * n);
        }
    }
}
