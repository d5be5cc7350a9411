/* Integrals over panels with an error. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_QUADRATURE_H
#define OD_QUADRATURE_H

#include "optdyn.h"

enum { OD_MAX_INTEGRALS = 4 };

/** An integral, what the sizes of its integrand's terms add up to, and a bound of its error. */
typedef struct od_integral {
    double value, size, error;
} od_integral;

/** Fills y[m] and the sizes of the terms that y is the sum of, at time t, which is never the end of a panel. */
typedef od_status od_integrand(void *user, double t, double *y, double *size);

/**
 * m <= OD_MAX_INTEGRALS integrals from edge[0] to edge[panels], smooth between neighbouring edges. Gauss' rule with ten
 * points on each panel is compared with that with seven; the panel is halved, twenty times at most, until they agree to
 * 2e-15 of the size of the whole. The error is the sum of all these differences, which are those of the coarser rule
 * (of the panel's whole size where they never agree), and 16 roundings of the size. Errors: the status of f;
 * OD_EINTERRUPTED without a sentence.
 */
od_status od_integrate(od_context *ctx, const double *edge, size_t panels, size_t m, od_integrand *f, void *user,
                       od_integral *out);

#endif
