/*
 * GSL's rk4 as a peer of `optdyn bench`. Its step always estimates an error by halving, which costs three times the
 * evaluations of the scheme; there is no switch for that.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "peer.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>

static int drift(double t, const double x[], double dx[], void *user)
{
    const peer_task *task = user;
    const double *lambda = task->lambda, *centre = task->centre;
    (void)t;
    for (size_t i = 0; i < task->d; i++) {
        dx[i] = -(lambda[i] * (x[i] - centre[i]));
    }
    return GSL_SUCCESS;
}

static double run(peer_task *task)
{
    const gsl_odeiv2_system system = {drift, NULL, task->d, task};
    gsl_odeiv2_step *step = gsl_odeiv2_step_alloc(gsl_odeiv2_step_rk4, task->d);
    double *error = malloc(task->d * sizeof *error), seconds = -1;
    if (step != NULL && error != NULL) {
        int status = GSL_SUCCESS;
        const double begin = peer_clock();
        for (unsigned long k = 0; k < task->steps && status == GSL_SUCCESS; k++) {
            status = gsl_odeiv2_step_apply(step, (double)k * task->step, task->step, task->x, error, NULL, NULL,
                                           &system);
        }
        seconds = status == GSL_SUCCESS ? peer_clock() - begin : -1;
    }
    gsl_odeiv2_step_free(step);
    free(error);
    return seconds;
}

int main(void)
{
    gsl_set_error_handler_off();
    return peer_serve(run);
}
