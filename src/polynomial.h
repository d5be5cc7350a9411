/* Nodes of a tape that are polynomials of one other node. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_POLYNOMIAL_H
#define OD_POLYNOMIAL_H

#include "tape.h"

enum { OD_MOST_DEGREE = 8 };

/** sum_k coefficient[k] base^k; a constant has degree 0 and no base. */
typedef struct od_polynomial {
    uint32_t base, degree;
    double coefficient[OD_MOST_DEGREE + 1];
} od_polynomial;

/**
 * Node i, whose arguments' polynomials are polynomial[node]; itself^1 if nothing better is known. Powers are products.
 * Products are multiplied out only if one side is a constant or a power of the base.
 */
od_polynomial od_polynomial_of(const od_tape_node *node, uint32_t i, const od_polynomial *polynomial);

/** Whether one Horner scheme saves steps: degree 2 at least and two terms. */
bool od_polynomial_pays(const od_polynomial *p);

#endif
