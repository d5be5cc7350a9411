/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "frame.h"

#include "../src/memory.h"

#include <complex.h>
/* LAPACKE names complex numbers by these */
#define lapack_complex_float float _Complex
#define lapack_complex_double double _Complex
#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

enum { BLOCK = 32 };

od_status od_frames_open(od_context *ctx, size_t dim, size_t most, od_frames *frames)
{
    *frames = (od_frames){.dim = dim, .most = most, .room = (int)(BLOCK * (most + 1))};
    frames->memory = od_zalloc(most + (size_t)frames->room + most * most + 1, sizeof(double));
    if (frames->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu directions", most);
    }
    frames->scale = frames->memory;
    frames->triangle = frames->scale + most;
    frames->work = frames->triangle + most * most;
    return OD_OK;
}

void od_frames_close(od_frames *frames)
{
    free(frames->memory);
    *frames = (od_frames){0};
}

od_status od_frame_orthonormalise(od_frames *frames, size_t count, double *frame)
{
    const int d = (int)frames->dim, n = (int)count;
    double *r = frames->triangle;
    if (count == 0) {
        return OD_OK;
    }
    if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, d, n, frame, d, frames->scale, frames->work, frames->room) != 0) {
        return OD_ENUMERIC;
    }
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < count; i++) {
            r[j * count + i] = i <= j ? frame[j * frames->dim + i] : 0;
        }
    }
    if (LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, d, n, n, frame, d, frames->scale, frames->work, frames->room) != 0) {
        return OD_ENUMERIC;
    }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(r[i * count + i])) {
            return OD_ENUMERIC;
        }
        if (r[i * count + i] < 0) {
            cblas_dscal(d, -1, frame + i * frames->dim, 1);
            cblas_dscal(n - (int)i, -1, r + i * count + i, n);
        }
    }
    return OD_OK;
}

od_status od_frame_random(od_frames *frames, size_t count, double *frame)
{
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < frames->dim; i++) {
            frame[j * frames->dim + i] = od_normal(0, OD_STREAM_CHECK, 0, i, j);
        }
    }
    return od_frame_orthonormalise(frames, count, frame);
}

void od_frame_project(size_t dim, size_t count, const double *frame, double *x, double *c)
{
    const int d = (int)dim, n = (int)count;
    if (count > 0) {
        cblas_dgemv(CblasColMajor, CblasTrans, d, n, 1, frame, d, x, 1, 0, c, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, d, n, -1, frame, d, c, 1, 1, x, 1);
    }
}

static size_t block_size(size_t n, const double *t, size_t i)
{
    return i + 1 < n && t[i * n + i + 1] != 0 ? 2 : 1;
}

/* Of a block of LAPACK's standard form: a complex pair has equal diagonal entries, and its determinant is |z|^2. */
static double block_modulus(size_t n, const double *t, size_t i)
{
    const double a = t[i * n + i];
    return block_size(n, t, i) == 1 ? fabs(a)
                                    : sqrt(fabs(a * t[(i + 1) * n + i + 1] - t[i * n + i + 1] * t[(i + 1) * n + i]));
}

od_status od_schur_ordered(size_t n, double *a, double *vectors, double *modulus, double *work)
{
    const int m = (int)n;
    int kept = 0;
    if (LAPACKE_dgees(LAPACK_COL_MAJOR, 'V', 'N', NULL, m, a, m, &kept, work, work + n, vectors, m) != 0) {
        return OD_ENUMERIC;
    }
    for (size_t i = 0; i < n; i += block_size(n, a, i)) {
        size_t best = i;
        for (size_t j = i; j < n; j += block_size(n, a, j)) {
            best = block_modulus(n, a, j) > block_modulus(n, a, best) ? j : best;
        }
        int from = (int)best + 1, to = (int)i + 1;
        /* 1: the blocks are too close to be exchanged, and their order does not matter */
        if (best > i && LAPACKE_dtrexc(LAPACK_COL_MAJOR, 'V', m, a, m, vectors, m, &from, &to) < 0) {
            return OD_ENUMERIC;
        }
    }
    const double scale = LAPACKE_dlange(LAPACK_COL_MAJOR, 'F', m, m, a, m);
    for (size_t i = 0; i < n;) {
        const size_t size = block_size(n, a, i);
        const double r = block_modulus(n, a, i);
        for (size_t j = 0; j < size; j++) {
            modulus[i + j] = r <= (double)n * DBL_EPSILON * scale ? 0 : r;
        }
        i += size;
    }
    return OD_OK;
}
