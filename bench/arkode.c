/*
 * ARKODE (SUNDIALS 6) as a peer of `optdyn bench`: ERKStep with the classical table and a fixed step. Lagrange
 * interpolation of degree 1 spares it the additional evaluation of Hermite's.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "peer.h"

#include <arkode/arkode_erkstep.h>
#include <math.h>
#include <nvector/nvector_serial.h>

static int drift(realtype t, N_Vector z, N_Vector dz, void *user)
{
    const peer_task *task = user;
    const double *x = N_VGetArrayPointer(z), *lambda = task->lambda, *centre = task->centre;
    double *dx = N_VGetArrayPointer(dz);
    (void)t;
    for (size_t i = 0; i < task->d; i++) {
        dx[i] = -(lambda[i] * (x[i] - centre[i]));
    }
    return 0;
}

static int take_steps(void *memory, const peer_task *task, N_Vector z)
{
    double t = 0;
    int status = 0;
    for (unsigned long k = 0; k < task->steps && status >= 0; k++) {
        status = ERKStepEvolve(memory, INFINITY, z, &t, ARK_ONE_STEP);
    }
    return status;
}

static double run(peer_task *task)
{
    double c[4] = {0, 0.5, 0.5, 1}, b[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, a[16] = {0};
    a[4] = a[9] = 0.5;
    a[14] = 1;
    SUNContext context = NULL;
    double seconds = -1;
    if (SUNContext_Create(NULL, &context) != 0) {
        return -1;
    }
    N_Vector z = N_VMake_Serial((sunindextype)task->d, task->x, context);
    void *memory = z != NULL ? ERKStepCreate(drift, 0, z, context) : NULL;
    ARKodeButcherTable table = ARKodeButcherTable_Create(4, 4, 0, c, a, b, NULL);
    if (memory != NULL && table != NULL && ERKStepSetUserData(memory, task) == 0 &&
        ERKStepSetTable(memory, table) == 0 && ERKStepSetFixedStep(memory, task->step) == 0 &&
        ERKStepSetInterpolantType(memory, ARK_INTERP_LAGRANGE) == 0 && ERKStepSetInterpolantDegree(memory, 1) == 0) {
        const double begin = peer_clock();
        const int status = take_steps(memory, task, z);
        seconds = status >= 0 ? peer_clock() - begin : -1;
    }
    ARKodeButcherTable_Free(table);
    ERKStepFree(&memory);
    if (z != NULL) {
        N_VDestroy(z);
    }
    SUNContext_Free(&context);
    return seconds;
}

int main(void)
{
    return peer_serve(run);
}
