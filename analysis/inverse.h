/* Steps of a chain taken backward. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_INVERSE_H
#define OD_INVERSE_H

#include "ladder.h"

/** Belongs to one thread; keeps what it learned of one step for the next. */
typedef struct od_inverse od_inverse;

/** For a chain with a derivative. OD_ENOMEM. */
od_status od_inverse_open(od_context *ctx, od_chain *chain, od_inverse **inverse);
void od_inverse_free(od_inverse *inverse); /* accepts NULL */

/**
 * x[dim] with Psi_k(x) = z, from the guess in x, by Newton's method with steps that are halved as long as the defect
 * grows. Derivatives are factored, and the factors kept while they serve, for at most 64 components, or 512 where the
 * chain is affine; else each linear equation is solved by GMRES, in products with directions.
 *
 * reason  is left as it is, or says in a sentence why there is no such x
 * Source  Saad, Schultz (1986), GMRES; Brown, Saad (1990), Hybrid Krylov methods for nonlinear systems
 */
od_status od_inverse_step(od_inverse *inverse, uint64_t k, const double *z, double *x, char reason[OD_REASON_ROOM]);

#endif
