/*
 * The action and its variations along a curve.
 *
 *   J[X] = int e^a |X'|^2/2 - e^b f(X),   J[X + s h] - J[X] = s dJ[h] + s^2 d2J[h] + O(s^3)
 *   dJ[h] = int e^a <X', h'> - e^b <g, h>,   d2J[h] = 1/2 int e^a |h'|^2 - e^b <h, H h>
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_VARIATION_H
#define OD_VARIATION_H

#include "curve.h"
#include "quadrature.h"

/** A displacement of a curve. */
typedef struct od_displacement {
    enum { OD_SINE, OD_HAT, OD_TABLE } kind;
    double number;           /* k of sin(k pi (t - t1)/(t2 - t1)) */
    double centre, width;    /* of a hat: 1 at the centre, 0 from centre -+ width on */
    const double *direction; /* [d] of a sine or a hat */
    const od_curve *table;
} od_displacement;

/** What a displacement of size s does, s included: difference = J[X + s h] - J[X], first = s dJ[h], second = s^2
 * d2J[h]. */
typedef struct od_variations {
    od_integral difference, first, second;
} od_variations;

/** The largest residual |x'' + a' x' + e^{b-a} g| at 400 times between the ends; at 40000/d, but no fewer than 40, from
 * d = 100 on. */
typedef struct od_residual {
    double largest, at;
    double relative; /* the largest over the largest |x''| + |a' x'| + |e^{b-a} g| */
} od_residual;

typedef struct od_action {
    const od_member *m;
    const od_curve *curve;
    double t1, t2;
    double ln_factor; /* all integrals are to be multiplied by e^this; 0 unless weights would overflow */
    size_t d;
    double *memory, *x, *v, *g, *h, *hv, *hh, *ws;
    const od_displacement *displacement;
    double amplitude;
} od_action;

/** The member's Lagrangian on the curve; close it also after a failure. */
od_status od_action_open(od_context *ctx, const od_member *m, const od_curve *curve, double t1, double t2,
                         od_action *a);
void od_action_close(od_action *a);

/** J / e^ln_factor. The error is that of the quadrature. */
od_status od_action_value(od_context *ctx, od_action *a, od_integral *value);
od_status od_action_variations(od_context *ctx, od_action *a, const od_displacement *h, double amplitude,
                               od_variations *out);
od_status od_action_residual(od_context *ctx, od_action *a, od_residual *out);

#endif
