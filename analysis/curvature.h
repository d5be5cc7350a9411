/*
 * The curvature of a loss at the ends of a run and along it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CURVATURE_H
#define OD_CURVATURE_H

#include "spectrum.h"

#include "../src/experiment.h"

enum { OD_CURVATURE_POINTS = 3, OD_COURSE_FLOW = 0, OD_COURSE_ITERATION = 1 };

/** The sharpness at recorded times of the flow or of the iteration. */
typedef struct od_course {
    size_t count, room;
    double *t, *value, *error;          /* error: the residual; both NaN if it was not wanted along the run */
    double *preconditioned;             /* the same of D^-1 H, D the method's metric; NaN where there is none */
    double *x, *vector, *scaled_vector; /* [d] the last state, and the eigenvectors that are followed */
} od_course;

typedef struct od_curvature_point {
    const char *at;
    double t;
    const double *x;
    od_spectrum_found found;
} od_curvature_point;

typedef struct od_curvature {
    od_context *ctx, *errors; /* errors: of the observer, which may run in another thread */
    const od_member *m;
    const od_problem *f;
    const double *x;                    /* where the Hessian is taken */
    double *ws, *start, *root, *scaled; /* root: of the metric */
    bool along, diverged;
    od_krylov *krylov;
    od_course course[2]; /* OD_COURSE_FLOW, OD_COURSE_ITERATION; count 0 where there is none */
    size_t count;
    od_curvature_point point[OD_CURVATURE_POINTS];
} od_curvature;

/**
 * Runs one path of a member, and finds what the settings of its section `curvature` ask for. To be closed after a
 * failure too. A run that diverges is followed up to there.
 *
 * Errors  OD_EUNSUPPORTED where there are no Hessian-vector products; OD_ENOMEM; OD_EINTERRUPTED.
 */
od_status od_curvature_find(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                            od_curvature *s);
void od_curvature_close(od_curvature *s);

/** The curvature, over the method's metric, beyond which the iteration does not settle, 2/h for descent; NaN: unknown.
 */
double od_curvature_bound(const od_member *m);

#endif
