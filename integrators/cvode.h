/* Event location by CVODE, for analyses. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CVODE_H
#define OD_CVODE_H

#include "optdyn.h"

/** How CVODE works; `od_cvode_defaults` holds what the integrator's entries default to. */
typedef struct od_cvode_control {
    bool bdf; /* false: Adams */
    double rtol, atol;
    long max_steps; /* of one path in all */
} od_cvode_control;

extern const od_cvode_control od_cvode_defaults;

/** Fills g[m] at (t, z); z[dim] is one point. */
typedef od_status od_cvode_function(void *user, double t, const double *z, double *g);

/** Function `which` changed sign at time t, upwards (direction 1) or downwards (-1). */
typedef struct od_cvode_event {
    double t;
    size_t which;
    int direction;
} od_cvode_event;

/**
 * Follows one path z[dim] of a flow from *t to t1 and locates the sign changes of m functions.
 *
 * A function that is zero at the start counts only after it has left zero. Events come in the order of the path; two
 * functions that vanish together make two events. The run ends at t1, or as soon as `room` events are found; *t and z
 * then hold where it ended and *count how many there are. On failure they hold the last event or the start.
 *
 * events   [room]
 * states   [room * dim], the state at event k in states[k*dim + i]; or NULL
 * Errors   OD_ENUMERIC with a sentence where CVODE gives up; the status of the flow or of g where they fail.
 */
od_status od_cvode_roots(od_context *ctx, const od_flow *flow, const od_cvode_control *control, double *t, double t1,
                         double *z, size_t m, od_cvode_function *g, void *user, size_t room, od_cvode_event *events,
                         double *states, size_t *count);

#endif
