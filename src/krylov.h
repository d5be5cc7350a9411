/* A Krylov space under way, for the parts of Lanczos' iteration. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_KRYLOV_H
#define OD_KRYLOV_H

#include "lanczos.h"

struct od_krylov {
    size_t d, most;
    size_t aside;                     /* rows at the start of the basis that are kept out of the iteration */
    double *basis;                    /* [(room+1)*d], rows orthonormal */
    double *alpha, *beta;             /* [most] diagonal and what follows it */
    double *coefficient;              /* [room+1] */
    double *diagonal, *off, *vectors; /* copies for LAPACK: [most], [most], [most*most] */
};

/** For `most` steps and `room` rows of the basis; false: no memory, clear it all the same. */
bool od_krylov_open(od_krylov *k, size_t d, size_t most, size_t room);
void od_krylov_clear(od_krylov *k);

/** A random first vector of stream `run`, orthogonal to those set aside. */
void od_krylov_start(od_krylov *k, uint64_t run);
/**
 * Step j. What is left after it may be rounding: then the basis is *closed, it already spans an invariant space. Errors
 * OD_ENUMERIC where a product is not finite, the status of `apply`.
 */
od_status od_krylov_advance(od_context *ctx, od_krylov *k, size_t j, od_operator *apply, void *user, bool *closed);
/** Ritz values of the first `count` steps, ascending in k->diagonal, with vectors; false if LAPACK failed. */
bool od_krylov_decompose(od_krylov *k, size_t count);
/** The residual of Ritz value i of `count`. */
double od_krylov_residual(const od_krylov *k, size_t count, size_t i);

#endif
