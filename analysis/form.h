/*
 * The second variation along a path as a quadratic form on a mesh of elements.
 *
 * With K the form of e^a |h'|^2 and M that of e^b <h, H h>, the number of negative eigenvalues of c K - M is the number
 * of members of the spectrum of M against K above c (Sylvester), for any c > 0.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_FORM_H
#define OD_FORM_H

#include "trajectory.h"

typedef struct od_mesh {
    size_t elements, degree;
    double *edge; /* [elements + 1] times */
} od_mesh;

/** Elements short enough for curvature and damping along the path; curvature as in od_form_open. */
od_status od_mesh_open(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                       size_t elements, od_mesh *mesh);
od_status od_mesh_halve(od_context *ctx, od_mesh *mesh);
void od_mesh_close(od_mesh *mesh);

typedef struct od_form {
    const od_mesh *mesh;
    size_t d;        /* of the blocks: dim, or 1 for a single curvature */
    bool free_start; /* displacements need not vanish at the first edge */
    /* per element, functions in the order left hat, bubbles, right hat; scaled as od_form_open says */
    double *k; /* [elements*(p+1)^2], times the identity of d x d */
    double *m; /* [elements*((p+1)*d)^2] */
    double *a, *right, *schur, *work;
    int *pivot;
    int work_size;
} od_form;

/**
 * Assembles the form by Gauss quadrature. curvature: NULL for the Hessian along the path, or the one number that stands
 * for it. Node i is scaled by e^{-a(t_i)/2}, bubbles by that of the element's middle. Close it also after a failure.
 */
od_status od_form_open(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const double *curvature,
                       bool free_start, od_form *form);
void od_form_close(od_form *form);

/** Negative eigenvalues of c K - M. OD_ENUMERIC where a pivot is not finite. */
od_status od_form_negative(od_form *form, double c, size_t *count);

#endif
