/*
 * The form that the flows of all methods share, so that a method states only its coefficients:
 *
 *   first order   x' = -force(t) (g(x) dt + sigma dB)/dt
 *   second order  x' = v,   v' = -damping(t) v - force(t) (g(x) + sigma dB/dt)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_METHODS_LAW_H
#define OD_METHODS_LAW_H

#include "noise.h"

/** What happens at t = 0. */
typedef enum od_law_start {
    OD_START_REGULAR,
    OD_START_AT_REST, /* damping ~ q/t, force finite: v(0) = 0, v'(0) = -force(0) g / (1 + q) */
    OD_START_MEMORY,  /* damping ~ q/t, force ~ c q/t: v(0) = -c g, v'(0) = c^2 q/(1 + q) H g */
    OD_START_REFUSED  /* no regular start */
} od_law_start;

enum { OD_LAW_PARAMS = 4 };

/** Coefficients of time; `p` are the method's own parameters: those below, or the table if there is one. */
typedef struct od_law {
    int order; /* 1 or 2 */
    double p[OD_LAW_PARAMS];
    const double *table; /* [table_size], copied by od_law_flow; NULL: none */
    size_t table_size;
    double (*damping)(const double *p, double t); /* second order only */
    double (*force)(const double *p, double t);
    od_law_start start;
    double q;        /* leading exponent of the singular coefficient */
    double c;        /* force over damping at a start with memory */
    double graded;   /* as od_flow.graded */
    double modified; /* first order: the step h of the modified loss f + h/4 |g|^2, 0 for none */
    /**
     * Closed form in an eigendirection of curvature lambda: (y, w)(t) = phi (y, w)(t0), phi row-major 2 x 2, w = y'.
     * First order: only phi[0]. From a singular t0 = 0 the second column is 0 (the start has no free velocity).
     * Returns false where there is none.
     */
    bool (*propagator)(const double *p, double lambda, double t0, double t, double phi[4]);
    const char *no_propagator;                                               /* why there is none */
    void (*lagrangian)(const double *p, double t, double a[2], double b[2]); /* NULL if none */
} od_law;

/** Fills a flow from a law; reads the noise from the settings. tau: time of one iteration, NaN without a step. */
od_status od_law_flow(od_context *ctx, const od_settings *s, const od_problem *f, const od_law *law, double tau,
                      od_flow *flow);

#endif
