/*
 * Jacobi fields along a path and the times at which they vanish: conjugate points, or focal points where the path's
 * first end is free.
 *
 *   h'' + a' h' + e^{b-a} H(t) h = 0
 *
 * for the Lagrangian e^a |x'|^2/2 - e^b f with H the Hessian of f along the path.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_JACOBI_H
#define OD_JACOBI_H

#include "optdyn.h"

/** What Jacobi fields are about; read only. */
typedef struct od_jacobi {
    size_t d;
    double t1, t2;
    /** a = ln(kinetic weight), b = ln(potential weight): a[2] and b[2], value and time derivative. */
    void (*weights)(const void *user, double t, double a[2], double b[2]);
    /** Hessian h[d*d] along the path, symmetric. */
    od_status (*hessian)(const void *user, double t, double *h);
    const void *user;
    bool constant;      /* the Hessian is the same everywhere */
    bool singular;      /* t1 = 0 is a singular point of the weights: the limit t1 -> 0 is meant */
    size_t free_count;  /* directions in which the first end is free */
    const double *free; /* [free_count * d] orthonormal, one after another */
    double bend;        /* h'(t1) = bend h(t1) in free directions: the curvature of the set the end is free on */
    bool kernels;       /* wanted */
    double tolerance;   /* of one step, relative to the frame: 1e-14 to 1e-6 */
} od_jacobi;

/** A time at which fields vanish. */
typedef struct od_conjugate {
    double t;
    size_t multiplicity;
    /**
     * [multiplicity * d] orthonormal, one after another: the slopes h'(t1) of the fields that vanish at t. In free
     * directions, and from a singular start with a' t >= 1, their displacements h(t1) instead.
     */
    double *kernel;
} od_conjugate;

/** Everything found on the interval; zero-initialise. */
typedef struct od_conjugates {
    size_t count, room;
    od_conjugate *point; /* [count] in (t1, t2), ascending */
    size_t index;        /* sum of their multiplicities */
    od_conjugate end;    /* fields that vanish at t2 to relative 1e-10; multiplicity 0: none */
    size_t steps;
} od_conjugates;

/** Times nearer than this, relative to the larger of |t| and t2 - t1, are one. */
#define od_conjugate_apart 1e-10

/**
 * Finds them all by the phases of the frame (X, X'), which pass 0 in one direction only.
 *
 * The frame is carried by DOP853 and made orthonormal after every step, so growing and decaying fields keep it
 * well-conditioned and no weight such as e^{alpha t} appears. A step is at most od_phases_reach over the norm of the
 * equation at all its stages, so no phase can pass unseen. A time is the zero of its phase, each value of which is a
 * step from the last frame. From a singular start the frame begins with the limit of fields that vanish at t1 -> 0.
 *
 * Errors  OD_ENUMERIC with a sentence, OD_ENOMEM, OD_EINTERRUPTED, the status of `hessian`.
 * Source  Morse (1934), The calculus of variations in the large; phases: Atkinson (1964), chapter 10; Reid (1980).
 */
od_status od_jacobi_conjugates(od_context *ctx, const od_jacobi *j, od_conjugates *found);

/**
 * The same for a Hessian that is the same everywhere, with eigenvalues[d] and eigenvectors in the columns of
 * rotation[d*d], row-major, NULL for the identity: d scalar problems, or one for each different eigenvalue. j->hessian
 * is not called; the first end is not free.
 */
od_status od_jacobi_split(od_context *ctx, const od_jacobi *j, const double *eigenvalues, const double *rotation,
                          od_conjugates *found);
void od_conjugates_free(od_conjugates *found);
/** Makes room for one more point; false: no memory. */
bool od_conjugates_grow(od_conjugates *found);

#endif
