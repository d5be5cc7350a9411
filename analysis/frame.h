/*
 * Frames: a few columns of `dim` numbers, one after another, made orthonormal; and the invariant spaces of a matrix.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_FRAME_H
#define OD_FRAME_H

#include "optdyn.h"

/** Workspace for frames of at most `most` <= dim columns. */
typedef struct od_frames {
    size_t dim, most;
    double *memory, *scale, *work;
    double *triangle; /* [most*most] R of the last factorisation, column-major with leading dimension `count` */
    int room;
} od_frames;

od_status od_frames_open(od_context *ctx, size_t dim, size_t most, od_frames *frames);
void od_frames_close(od_frames *frames); /* accepts one that is zero */

/**
 * frame[count*dim] = Q R by Householder's reflections: the columns become those of Q, orthonormal even where the frame
 * is singular, and the diagonal of R is not negative. OD_ENUMERIC if a number is not finite.
 */
od_status od_frame_orthonormalise(od_frames *frames, size_t count, double *frame);
/** frame[count*dim] = orthonormal columns that depend on the counts alone. */
od_status od_frame_random(od_frames *frames, size_t count, double *frame);

/** c[count] = frame^T x, and x less its part in the frame. */
void od_frame_project(size_t dim, size_t count, const double *frame, double *x, double *c);

/**
 * Real Schur form of a[n*n], column-major, with eigenvalues of large modulus first: a becomes the triangle,
 * vectors[n*n] the orthonormal basis, whose first columns span invariant spaces (complex pairs stay together),
 * modulus[n] descends. Moduli that rounding cannot tell from 0 are 0. work[2n]. OD_ENUMERIC if LAPACK gives up.
 */
od_status od_schur_ordered(size_t n, double *a, double *vectors, double *modulus, double *work);

#endif
