/* Gauss and Legendre's quadrature. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_GAUSS_H
#define OD_GAUSS_H

#include <stddef.h>

/** Nodes in (-1, 1), ascending, and weights of the rule with n >= 1 points, exact to degree 2 n - 1, to rounding. */
void od_gauss(size_t n, double *node, double *weight);

#endif
