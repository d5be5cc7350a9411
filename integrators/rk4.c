/*
 * The classical Runge-Kutta scheme of order 4 (Kutta 1901), with cubic Hermite dense output.
 *
 * From the singular start t = 0 of a flow whose damping behaves like q/t, the first steps would cost an order: there a
 * stage of size h sees the coefficient change by its own size, which leaves h^2/j^3 in v and h^3/j^2 in x at step j. A
 * flow that suffers from it says so by `graded`; a step that ends at t < graded is then cut into n =
 * ceil((graded/t)^(1/2)) parts, the first step at h (i/n)^2. This brings the sum of these errors to O(h^4), also for q
 * = 1, and costs as many steps again on [0, graded].
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include "../src/clones.h"
#include "step_param.h"

#include <string.h>

OD_CLONES static void move(size_t size, const double *restrict z, double h, const double *restrict k,
                           double *restrict y)
{
    for (size_t i = 0; i < size; i++) {
        y[i] = z[i] + h * k[i];
    }
}

/* The third stage's point, and z1 but for the fourth slope; on entry z1 holds the third. */
OD_CLONES static void gather(size_t size, const double *restrict z, double h, const double *restrict k1,
                             const double *restrict k2, double *restrict y, double *restrict z1)
{
    const double sixth = h / 6, third = h / 3;
    for (size_t i = 0; i < size; i++) {
        const double k3 = z1[i];
        z1[i] = z[i] + sixth * k1[i] + third * k2[i] + third * k3;
        y[i] = z[i] + h * k3;
    }
}

OD_CLONES static void add(size_t size, double a, const double *restrict k, double *restrict z1)
{
    for (size_t i = 0; i < size; i++) {
        z1[i] += a * k[i];
    }
}

/* The slopes are kept and added together at the third stage, which spares a load and a store of z1 at the others. */
static od_status one_step(const od_flow *flow, double t, double h, size_t n, const double *z, double *z1, double *ws)
{
    const size_t size = flow->dim * n;
    double *k1 = ws, *k2 = ws + size, *y = ws + 2 * size, *rest = ws + 3 * size;
    const double half = h / 2;
    od_status status = flow->drift(flow, t, n, z, k1, rest);
    if (status == OD_OK) {
        move(size, z, half, k1, y);
        status = flow->drift(flow, t + half, n, y, k2, rest);
    }
    if (status == OD_OK) {
        move(size, z, half, k2, y);
        status = flow->drift(flow, t + half, n, y, z1, rest);
    }
    if (status == OD_OK) {
        gather(size, z, h, k1, k2, y, z1);
        status = flow->drift(flow, t + h, n, y, k1, rest);
    }
    add(size, h / 6, k1, z1);
    return status;
}

static unsigned parts_of_step(const od_stepper *s, double t, double h)
{
    const double graded = s->flow->graded;
    if (s->origin != 0 || t + h >= graded) {
        return 1;
    }
    return (unsigned)ceil(sqrt(graded / (t + h)));
}

static od_status rk4_step(const od_stepper *s, double t, double h, size_t n, const double *z, const double *dw,
                          double *z1, double *ws)
{
    (void)dw;
    const unsigned parts = parts_of_step(s, t, h);
    if (parts == 1) {
        return one_step(s->flow, t, h, n, z, z1, ws);
    }
    const size_t size = s->flow->dim * n;
    double *from = ws;
    od_status status = OD_OK;
    memcpy(z1, z, size * sizeof *z1);
    for (unsigned i = 0; i < parts && status == OD_OK; i++) {
        const double a = (double)i / parts, b = (double)(i + 1) / parts;
        const double begin = t == 0 ? a * a : a, end = t == 0 ? b * b : b;
        memcpy(from, z1, size * sizeof *from);
        status = one_step(s->flow, t + h * begin, h * (end - begin), n, from, z1, ws + size);
    }
    return status;
}

OD_CLONES static od_status rk4_dense(const od_stepper *s, double t, double h, double theta, size_t n, const double *z,
                                     const double *z1, double *out, double *ws)
{
    const size_t size = s->flow->dim * n;
    double *f0 = ws, *f1 = ws + size, *rest = ws + 2 * size;
    od_status status = s->flow->drift(s->flow, t, n, z, f0, rest);
    if (status == OD_OK) {
        status = s->flow->drift(s->flow, t + h, n, z1, f1, rest);
    }
    const double u = 1 - theta, a = u * u * (1 + 2 * theta), b = theta * theta * (3 - 2 * theta);
    const double c = h * theta * u * u, d = -h * theta * theta * u;
    for (size_t i = 0; i < size; i++) {
        out[i] = a * z[i] + b * z1[i] + c * f0[i] + d * f1[i];
    }
    return status;
}

static unsigned rk4_drifts(const od_stepper *s, double t, double h)
{
    return 4 * parts_of_step(s, t, h);
}

static od_scratch rk4_scratch(const od_flow *flow)
{
    return (od_scratch){0, 4 * flow->dim};
}

const od_integrator_type od_integrator_rk4 = {
    .name = "rk4",
    .summary = "classical Runge-Kutta scheme, order 4",
    .source = "Kutta (1901)",
    .params = (const od_param[]){OD_STEP_PARAM, {.name = NULL}},
    .order =
        "4, also from the singular start t = 0 (there v in the first few steps: 3); dense output 4 (cubic Hermite)",
    .fixed_step = true,
    .scratch = rk4_scratch,
    .step = rk4_step,
    .drifts = rk4_drifts,
    .dense = rk4_dense,
};
