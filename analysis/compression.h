/*
 * Jacobi fields within a few directions, for dimensions in which a whole frame is too large.
 *
 * Displacements that stay in the span of k fixed directions have the second variation with the compressed Hessian
 * V^T H V, and the Jacobi fields of that one. Fewer displacements can lower the action: of the conjugate points found,
 * the j-th comes no earlier than that of all directions, and the index is a lower bound; it is the index where a count
 * in all directions agrees.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_COMPRESSION_H
#define OD_COMPRESSION_H

#include "extremal.h"

typedef struct od_compression {
    od_extremal extremal; /* first: the weights are its own */
    size_t d, k;
    double *v;  /* [k*d] orthonormal, one after another */
    double *hv; /* [k*d] */
} od_compression;

/**
 * The eigenvectors of the k largest curvatures in the middle of the interval. Close it also after a failure.
 *
 * Errors  OD_EINVAL for more directions than dimensions; OD_ENUMERIC where 400 steps of Lanczos' iteration do not
 *         suffice for so many; OD_ENOMEM, OD_EINTERRUPTED.
 */
od_status od_compression_open(od_context *ctx, const od_extremal *x, size_t k, od_compression *c);
void od_compression_close(od_compression *c);

/** Jacobi fields within the directions, as od_extremal_jacobi. */
od_jacobi od_compression_jacobi(const od_compression *c);
/** Takes kernels from coordinates in the directions to all components. OD_ENOMEM. */
od_status od_compression_expand(od_context *ctx, const od_compression *c, od_conjugates *found);

#endif
