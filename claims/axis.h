/* Quadratics along their eigenvectors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_AXIS_H
#define OD_AXIS_H

#include "optdyn.h"

/** Component k of eigenvector i, of d. */
double od_axis_entry(const od_spectrum *s, size_t d, size_t i, size_t k);
/** sum_k u[k] times component k of eigenvector i. */
double od_axis_dot(const od_spectrum *s, size_t d, size_t i, const double *u);
/** The same of x - x*. */
double od_axis_along(const od_spectrum *s, size_t d, size_t i, const double *x);
/** The eigenvalue of largest modulus. */
size_t od_axis_steepest(const od_spectrum *s, size_t d);

/** An iteration on a quadratic, and room for a state. */
typedef struct od_axis_map {
    const od_map *map;
    const od_spectrum *s;
    size_t d;
    double *z, *ws; /* [map->dim] and its scratch */
} od_axis_map;

/**
 * What iteration k makes of position x and velocity v along eigenvector i: out[2], and how far that is off the
 * eigenvector. Without a velocity v and out[1] are 0. The status of the iteration.
 */
od_status od_axis_image(const od_axis_map *a, uint64_t k, size_t i, double x, double v, double out[2], double *off);
/** Rows of the matrix that takes (x, v) to that, of an iteration with a velocity. */
od_status od_axis_matrix(const od_axis_map *a, uint64_t k, size_t i, double matrix[2][2]);
/** Moduli of its eigenvalues, the larger first. */
void od_axis_moduli(double matrix[2][2], double modulus[2]);

#endif
