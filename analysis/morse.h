/*
 * The Morse index of a path: how many independent displacements lower the action to second order.
 *
 * The second variation 2 d2J[h] = int e^a |h'|^2 - e^b <h, H(x(t)) h> is discretised and its negative eigenvalues are
 * counted. No Jacobi equation is solved: this is the independent second opinion on a count of conjugate points.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_MORSE_H
#define OD_MORSE_H

#include "form.h"

typedef struct od_morse {
    size_t index;    /* independent displacements that lower the action; of a degenerate path those that surely do */
    size_t nullity;  /* of a degenerate path, displacements that cannot be told from neutral ones; else 0 */
    bool degenerate; /* an eigenvalue is nearer to 1 than 1e-10, or than what can be resolved */
    /*
     * The ratio int e^b <h, H h> / int e^a |h'|^2 has a discrete spectrum whose members above 1 make the index. This is
     * 1 less the member nearest to 1, and how far that may be off; 1 stands for no member between 1/4 and 7/4.
     */
    double nearest, error;
    bool lower_bound; /* the index is at least this; nothing is known of the nullity and the nearest member, NaN */
    double miss;  /* bounds the chance, over random start vectors, that the index is larger; 0: no chance is taken */
    size_t nodes; /* of the finest mesh, ends included */
} od_morse;

/**
 * Index of the path on [t1, t2] for displacements that vanish at t2, and at t1 where `first` does not free them; NULL:
 * at both ends.
 *
 * Hat functions, enriched on each element by integrated Legendre polynomials (degree 8 for d <= 16, less above);
 * negative eigenvalues are counted by block LDL^T (Bunch and Kaufman 1977), element after element, so that only blocks
 * are ever stored (Haynsworth 1968). Nodes are scaled by e^{-a/2}: only ratios of weights within an element occur. All
 * elements are halved until index and nearest member agree and the latter is farther from 1 than it has moved. On
 * quadratics d scalar forms are counted instead of one of d x d blocks, unless the first end couples them.
 *
 * In more than 2000 coupled dimensions od_morse_matrix_free answers.
 *
 * Errors  OD_ENOMEM; OD_EINVAL if [t1, t2] is not on the path; OD_EUNSUPPORTED where the elements would take more than
 *         4 GB. OD_EINTERRUPTED.
 * Cost    mesh (e elements of degree p): 30 e (p d)^3 / 3 and 8 e (p d)^2 bytes; quadratics 30 e d p^3.
 */
od_status od_morse_index(od_context *ctx, od_trajectory *path, double t1, double t2, const od_first_end *first,
                         od_morse *morse);

/** The same for one direction of this constant curvature, held at both ends. */
od_status od_morse_scalar(od_context *ctx, od_trajectory *path, double t1, double t2, double curvature,
                          od_morse *morse);

/**
 * The same without a dense matrix: eigenvalues above 1 by Lanczos' iteration (od_lanczos_leading) on hat functions, on
 * meshes that are halved three times at most. The index is the mesh's, but for a chance `miss` <= 1e-9, where
 * od_lanczos_leading is complete; it is taken as the path's where two meshes agree and the member nearest to 1 has
 * moved by less than half its distance from it. Else it is a lower bound: 400 steps or 4 GB were too few, or a member
 * is too near to 1.
 *
 * Errors  OD_ENOMEM; OD_EUNSUPPORTED where 4 vectors of all unknowns do not fit into 4 GB; OD_EINTERRUPTED.
 * Cost    each step of a run, 400 at most: 3 Hessian products an element and products with all vectors before.
 */
od_status od_morse_matrix_free(od_context *ctx, od_trajectory *path, double t1, double t2, const od_first_end *first,
                               od_morse *morse);

/**
 * Mode number `mode`, from 0, of the ratio above on `count` equal intervals with hat functions: the one with the
 * mode-th largest ratio, h[(count + 1)*d] at the nodes, zero at both ends, scaled to maximum norm 1. With a `curvature`
 * that is the Hessian and h has one component, d = 1. The ratio of a mode of hats is no larger than the true one, so a
 * mode with ratio > 1 lowers the action to second order.
 *
 * Cost  (count d)^2 doubles and about 6 d (count d)^2 operations.
 */
od_status od_morse_mode(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                        size_t count, size_t mode, double *h, double *ratio);

#endif
