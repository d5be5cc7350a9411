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

/** Elements short enough for curvature and damping along the path; curvature as in od_form_open. Without one the
 * Hessian is formed, d x d, of which the form itself needs several an element. */
od_status od_mesh_open(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                       size_t elements, od_mesh *mesh);
od_status od_mesh_halve(od_context *ctx, od_mesh *mesh);
void od_mesh_close(od_mesh *mesh);

/** Displacements at the first edge: zero, but for parts in these directions. */
typedef struct od_first_end {
    size_t free_count;
    const double *free; /* [free_count * dim] orthonormal, one after another; not read if all are free */
    double bend;        /* e^a bend |h|^2 at t1 joins the form: then h' = bend h is the natural condition */
} od_first_end;

typedef struct od_form {
    const od_mesh *mesh;
    size_t d;      /* of the blocks: dim, or 1 for a single curvature */
    size_t held;   /* directions in which displacements vanish at the first edge */
    double *basis; /* [d*d] orthonormal coordinates of the first node, those held first; NULL for the given ones */
    /* per element, functions in the order left hat, bubbles, right hat; scaled as od_form_open says */
    double *k; /* [elements*(p+1)^2], times the identity of d x d */
    double *m; /* [elements*((p+1)*d)^2] */
    double *a, *right, *schur, *work;
    int *pivot;
    int work_size;
} od_form;

/**
 * Assembles the form by Gauss quadrature. curvature: NULL for the Hessian along the path, or the one number that stands
 * for it. first: NULL for a first end that is held. Node i is scaled by e^{-a(t_i)/2}, bubbles and the first node by
 * that of the element's middle. Close it also after a failure.
 */
od_status od_form_open(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const double *curvature,
                       const od_first_end *first, od_form *form);
void od_form_close(od_form *form);

/** Negative eigenvalues of c K - M. OD_ENUMERIC where a pivot is not finite. */
od_status od_form_negative(od_form *form, double c, size_t *count);

#endif
