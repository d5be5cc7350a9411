// Boost.odeint's runge_kutta4 as a peer of `optdyn bench`. SPDX-License-Identifier: GPL-3.0-or-later
#include "peer.h"

#include <algorithm>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <vector>

typedef std::vector<double> state;

namespace
{
struct drift {
    const peer_task *task;
    void operator()(const state &x, state &dx, double) const
    {
        const double *lambda = task->lambda, *centre = task->centre;
        for (std::size_t i = 0; i < task->d; i++) {
            dx[i] = -(lambda[i] * (x[i] - centre[i]));
        }
    }
};

double run(peer_task *task)
{
    state x(task->x, task->x + task->d);
    boost::numeric::odeint::runge_kutta4<state> stepper;
    const drift f = {task};
    // the first step allocates
    state copy(x);
    stepper.do_step(f, copy, 0, task->step);
    const double begin = peer_clock();
    for (unsigned long k = 0; k < task->steps; k++) {
        stepper.do_step(f, x, static_cast<double>(k) * task->step, task->step);
    }
    const double seconds = peer_clock() - begin;
    std::copy(x.begin(), x.end(), task->x);
    return seconds;
}
} // namespace

int main()
{
    return peer_serve(run);
}
