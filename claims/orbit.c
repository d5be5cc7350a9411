/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "orbit.h"

#include "analysis/vector.h"
#include "src/memory.h"
#include "src/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static od_status look(od_context *ctx, od_orbit *o)
{
    od_status status = o->f->eval(o->f, OD_VALUE | OD_GRADIENT, 1, o->x, &o->loss, o->g, o->ws);
    status = status == OD_OK ? o->flow->drift(o->flow, o->t, 1, o->z, o->rate, o->ws) : status;
    return status == OD_OK
               ? OD_OK
               : od_fail(ctx, status, NULL, "the flow could not be evaluated at t = %.9g for a claim", o->t);
}

od_status od_orbit_open(od_context *ctx, const od_member *m, const od_flow *flow, double t, const double *z0,
                        od_orbit *o)
{
    const od_problem *f = m->problem;
    const size_t a = od_scratch_size(&flow->scratch, 1), b = od_scratch_size(&f->scratch, 1);
    *o = (od_orbit){.flow = flow, .f = f, .d = f->dim, .t = t};
    o->memory = od_zalloc(2 * flow->dim + f->dim + (a > b ? a : b), sizeof *o->memory);
    if (o->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for an orbit");
    }
    o->z = o->x = o->memory;
    o->v = flow->second_order ? o->z + f->dim : NULL;
    o->rate = o->z + flow->dim;
    o->g = o->rate + flow->dim;
    o->ws = o->g + f->dim;
    od_status status = od_passage_open(ctx, flow, 1e-13, 0, &o->passage);
    if (status == OD_OK && z0 != NULL) {
        memcpy(o->z, z0, flow->dim * sizeof *z0);
    } else if (status == OD_OK && od_start_fill(m, 0, 1, o->z, o->ws) != OD_OK) {
        status = od_fail(ctx, OD_EUSER, "start", "the start could not be evaluated");
    }
    return status == OD_OK ? look(ctx, o) : status;
}

/* At a singular start no scheme has an order in relative terms: a Taylor step of errors O(t^3) goes over it, which is
 * short where v changes fast. */
static void leave_start(od_orbit *o, double t)
{
    const double speed = od_distance(o->d, NULL, o->v, NULL), bend = od_distance(o->d, NULL, o->rate + o->d, NULL);
    const double step = fmin(1e-5 * (speed > 0 ? fmin(1, speed / bend) : 1), t / 2);
    for (size_t i = 0; i < o->d; i++) {
        o->x[i] += step * (o->v[i] + step / 2 * o->rate[o->d + i]);
        o->v[i] += step * o->rate[o->d + i];
    }
    o->t = step;
}

od_status od_orbit_advance(od_context *ctx, od_orbit *o, double t)
{
    if (o->flow->singular && o->t == 0 && t > 0 && o->v != NULL) {
        leave_start(o, t);
    }
    const od_status status = t > o->t ? od_passage_cross(o->passage, o->t, t, o->z, 0, NULL, NULL) : OD_OK;
    if (status != OD_OK) {
        return status == OD_EINTERRUPTED
                   ? status
                   : od_fail(ctx, status, NULL, "an orbit ended at t = %.9g", od_passage_reached(o->passage));
    }
    o->t = t;
    return od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : look(ctx, o);
}

void od_orbit_close(od_orbit *o)
{
    od_passage_close(o->passage);
    free(o->memory);
}

double od_orbit_ahead(const od_orbit *o, double c)
{
    double sum = 0;
    for (size_t i = 0; i < o->d; i++) {
        const double off = o->x[i] - o->f->minimiser[i] + (o->v != NULL ? c * o->v[i] : 0);
        sum += off * off;
    }
    return sum;
}

double od_orbit_square(const od_orbit *o)
{
    return od_orbit_ahead(o, 0);
}

double od_orbit_excess(const od_orbit *o)
{
    return o->loss - o->f->minimum.value;
}

/* The factor of g in a first-order flow; NaN where it is none. */
static double descent_rate(od_orbit *o, double t)
{
    double along = 0, square = 0, off = 0;
    if (o->v != NULL || o->flow->drift(o->flow, t, 1, o->z, o->rate, o->ws) != OD_OK) {
        return NAN;
    }
    for (size_t i = 0; i < o->d; i++) {
        along -= o->rate[i] * o->g[i];
        square += o->g[i] * o->g[i];
    }
    for (size_t i = 0; i < o->d; i++) {
        off = fmax(off, fabs(o->rate[i] + along / square * o->g[i]));
    }
    return off <= 1e-12 * sqrt(square) * (1 + t) ? along / square : NAN;
}

od_descent_kind od_orbit_descent(od_orbit *o, double until)
{
    const double early = descent_rate(o, until / 2), late = descent_rate(o, until);
    return fabs(early - 1) <= 1e-12 && fabs(late - 1) <= 1e-12                               ? OD_DESCENT_PLAIN
           : fabs(early - until / 2) <= 1e-12 * until && fabs(late - until) <= 1e-12 * until ? OD_DESCENT_AMPLIFIED
                                                                                             : OD_DESCENT_NONE;
}
