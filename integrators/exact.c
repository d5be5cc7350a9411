/* The flow's own closed form, evaluated from the start at every recorded time. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "optdyn.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static od_status exact_suits(od_context *ctx, const od_settings *s, const od_flow *flow)
{
    (void)s;
    if (flow->exact != NULL) {
        return OD_OK;
    }
    return od_fail(ctx, OD_EUNSUPPORTED, "integrator", "there is no closed form here: %s; use rk4 or cvode",
                   flow->exact_missing != NULL ? flow->exact_missing : "the flow offers none");
}

static od_status exact_open(od_context *ctx, od_stepper *s, double t0, size_t n, const double *z0)
{
    (void)t0;
    double *copy = od_zalloc(s->flow->dim * n, sizeof *copy);
    if (copy == NULL) {
        return od_fail(ctx, OD_ENOMEM, "integrator", "no memory for the start");
    }
    memcpy(copy, z0, s->flow->dim * n * sizeof *copy);
    s->state = copy;
    return OD_OK;
}

static od_status exact_advance(od_stepper *s, double t, double t1, size_t n, double *z, double *ws)
{
    (void)t;
    const size_t size = s->flow->dim * n;
    double *reached = ws; /* so that a failure leaves z as it was */
    od_status status = s->flow->exact(s->flow, s->origin, n, s->state, t1, reached, ws + size);
    if (status != OD_OK) {
        snprintf(s->trouble, sizeof s->trouble, "the closed form could not be evaluated at t = %g", t1);
        return status;
    }
    memcpy(z, reached, size * sizeof *z);
    return OD_OK;
}

static void exact_close(od_stepper *s)
{
    free(s->state);
    s->state = NULL;
}

static od_scratch exact_scratch(const od_flow *flow)
{
    return (od_scratch){0, flow->dim};
}

const od_integrator_type od_integrator_exact = {
    .name = "exact",
    .summary = "closed forms on quadratic losses; refused elsewhere",
    .source = "each method's own file",
    .params = (const od_param[]){{.name = NULL}},
    .order = "exact to rounding",
    .suits = exact_suits,
    .scratch = exact_scratch,
    .open = exact_open,
    .advance = exact_advance,
    .close = exact_close,
};
