// Boost.odeint's runge_kutta4, one trajectory after the other, as a peer of `optdyn bench ensemble`.
// SPDX-License-Identifier: GPL-3.0-or-later
#include "ensemble.h"

#include <array>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>

namespace
{
struct lorenz {
    typedef std::array<double, 3> state;
    void operator()(const state &z, state &dz, double) const
    {
        dz[0] = 10 * (z[1] - z[0]);
        dz[1] = z[0] * (28 - z[2]) - z[1];
        dz[2] = z[0] * z[1] - 8.0 / 3 * z[2];
    }
};

struct nag {
    typedef std::array<double, 4> state;
    void operator()(const state &z, state &dz, double t) const
    {
        const double damping = viscosity / t;
        for (int i = 0; i < 2; i++) {
            dz[i] = z[2 + i];
            dz[2 + i] = -damping * z[2 + i] - curvature[i] * z[i];
        }
    }
};

template <class flow> double trajectories(std::size_t n, std::size_t steps, double *value)
{
    boost::numeric::odeint::runge_kutta4<typename flow::state> stepper;
    const flow f = flow();
    const double begin = processor_time();
    for (std::size_t p = 0; p < n; p++) {
        typename flow::state z;
        z.fill(1 + static_cast<double>(p) / static_cast<double>(n));
        for (std::size_t k = 0; k < steps; k++) {
            stepper.do_step(f, z, begin_time + static_cast<double>(k) * step_size, step_size);
        }
        *value = z[0];
    }
    return processor_time() - begin;
}
} // namespace

int main()
{
    const char *const kind[] = {"lorenz", "nag"};
    ensemble *const run[] = {trajectories<lorenz>, trajectories<nag>};
    return serve_ensembles(2, kind, run);
}
