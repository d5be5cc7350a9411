/*
 * An orbit of a member's flow without its noise, by its drift alone: claims must not compare a closed form with itself.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_ORBIT_H
#define OD_ORBIT_H

#include "analysis/passage.h"
#include "src/experiment.h"

/** Relative error of orbits: the closed forms are met to 1e-9 in the standard experiments, to this over 10^3 radians.
 */
#define OD_ORBIT_ERROR 1e-8

typedef struct od_orbit {
    const od_flow *flow;
    const od_problem *f;
    size_t d; /* of positions */
    double t;
    double *z, *x, *v; /* the state; v is NULL where it has no velocity */
    double *rate;      /* [dim] the drift at it */
    double *g, loss;   /* [d] gradient, and the loss */
    od_passage *passage;
    double *memory, *ws;
} od_orbit;

/**
 * At a start; z0 [dim], NULL: path 0 of the member's start. `flow` must outlive it. Close it also after a failure.
 *
 * Errors  OD_ENOMEM, OD_EUSER
 */
od_status od_orbit_open(od_context *ctx, const od_member *m, const od_flow *flow, double t, const double *z0,
                        od_orbit *o);
/** To a time not before the present one. OD_EDIVERGED, OD_ENUMERIC with the time it got to. */
od_status od_orbit_advance(od_context *ctx, od_orbit *o, double t);
void od_orbit_close(od_orbit *o);

/** Flows of first order, by their drift at until and half of it. */
typedef enum od_descent_kind {
    OD_DESCENT_NONE,
    OD_DESCENT_PLAIN,    /* x' = -g */
    OD_DESCENT_AMPLIFIED /* x' = -t g */
} od_descent_kind;
od_descent_kind od_orbit_descent(od_orbit *o, double until);

/** |x - x*|^2 of the problem's minimiser. */
double od_orbit_square(const od_orbit *o);
/** |x - x* + c v|^2. */
double od_orbit_ahead(const od_orbit *o, double c);
/** f - f*. */
double od_orbit_excess(const od_orbit *o);

#endif
