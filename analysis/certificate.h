/*
 * A certificate: there is an exact orbit of the iteration, over the real numbers, within epsilon of computed states. It
 * is about orbits of the map, not of the flow.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_CERTIFICATE_H
#define OD_CERTIFICATE_H

#include "minimax.h"
#include "rule.h"

typedef struct od_certificate od_certificate;

/** What was proven; every number is an upper bound. */
typedef struct od_certified {
    double epsilon;  /* an exact orbit is within this of the states x, Euclidean, at every k */
    double residual; /* max_k |x_{k+1} - Psi(x_k)| */
    double inverse;  /* of the linearised difference operator, in the same norm */
    double defect;   /* of its linearisation on the tube of epsilon */
} od_certified;

/**
 * Proves that an exact orbit of the rule is near the states x_0, ..., x_K, x[(K+1)*dim], which are kept by reference,
 * like the rule.
 *
 * Errors  OD_EUNSUPPORTED if the module for ball arithmetic is not there, or the theorem does not hold, with the
 * reason: then nothing is known. OD_ENOMEM, OD_EINTERRUPTED. Memory  5 (K+1) dim^2 doubles; 2^27 doubles at most.
 */
od_status od_certificate_create(od_context *ctx, const od_rule *rule, uint64_t steps, const double *x,
                                od_certificate **certificate);
void od_certificate_free(od_certificate *certificate); /* accepts NULL */

od_certified od_certificate_result(const od_certificate *certificate);
/** max_k |x_k - y_k| + epsilon in the target's norm, rounded up: an exact orbit is as near as that to y. */
double od_certificate_radius(const od_certificate *certificate, const od_target *target);

/** A bound as a decimal of ten digits, rounded up. */
const char *od_certificate_decimal(double bound, char text[32]);

/**
 * Writes all that a checker needs, every number exactly; tools/check_certificate.py is one. With a target, also that
 * and the radius. m is the member that the rule was made of. OD_ENOMEM.
 */
od_status od_certificate_write(od_context *ctx, const od_certificate *certificate, const od_member *m,
                               const od_target *target, FILE *out);

#endif
