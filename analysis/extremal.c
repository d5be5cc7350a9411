/* Paths as extremals of their action. SPDX-License-Identifier: GPL-3.0-or-later */
#include "extremal.h"

#include <math.h>

static void weights(const void *user, double t, double a[2], double b[2])
{
    const od_extremal *x = user;
    const od_flow *flow = &od_trajectory_member(x->path)->flow;
    flow->lagrangian(flow, t, a, b);
}

static od_status hessian(const void *user, double t, double *h)
{
    const od_extremal *x = user;
    /* the last stage of a step may lie past t2 by a rounding */
    return od_trajectory_hessian(x->path, fmin(t, x->t2), h);
}

od_jacobi od_extremal_jacobi(const od_extremal *x)
{
    const od_member *m = od_trajectory_member(x->path);
    return (od_jacobi){.d = m->problem->dim,
                       .t1 = x->t1,
                       .t2 = x->t2,
                       .weights = weights,
                       .hessian = hessian,
                       .user = x,
                       .constant = m->problem->spectrum != NULL,
                       .singular = m->flow.singular && x->t1 == 0,
                       .tolerance = 1e-12};
}

od_status od_extremal_conjugates(od_context *ctx, const od_extremal *x, od_conjugates *found)
{
    const od_spectrum *spectrum = od_trajectory_member(x->path)->problem->spectrum;
    const od_jacobi j = od_extremal_jacobi(x);
    return spectrum != NULL ? od_jacobi_split(ctx, &j, spectrum->eigenvalues, spectrum->rotation, found)
                            : od_jacobi_conjugates(ctx, &j, found);
}
