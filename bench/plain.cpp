// A plain loop with the standard library's normals as a peer of `optdyn bench ensemble`.
// SPDX-License-Identifier: GPL-3.0-or-later
#include "ensemble.h"

#include <cmath>
#include <random>

static double sde(std::size_t n, std::size_t steps, double *value)
{
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal;
    const double root = std::sqrt(step_size);
    double sum = 0;
    const double begin = processor_time();
    for (std::size_t p = 0; p < n; p++) {
        double x[2] = {1, 1}, v[2] = {0, 0};
        for (std::size_t k = 0; k < steps; k++) {
            const double damping = viscosity / (begin_time + static_cast<double>(k) * step_size);
            for (int i = 0; i < 2; i++) {
                const double slope = -damping * v[i] - curvature[i] * x[i];
                x[i] += step_size * v[i];
                v[i] += step_size * slope - sigma * root * normal(generator);
            }
        }
        sum += x[0];
    }
    *value = sum / static_cast<double>(n);
    return processor_time() - begin;
}

int main()
{
    const char *const kind[] = {"sde"};
    ensemble *const run[] = {sde};
    return serve_ensembles(1, kind, run);
}
