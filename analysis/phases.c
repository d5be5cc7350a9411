/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phases.h"

#include "../src/memory.h"

#include <complex.h>
/* LAPACKE names complex numbers by these */
#define lapack_complex_float float _Complex
#define lapack_complex_double double _Complex
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 48, SWEEPS = 30 };
static const double PI = 3.14159265358979323846;

od_status od_phases_open(od_context *ctx, size_t d, size_t planes, od_plane *plane, od_phases *p)
{
    *p = (od_phases){.d = d, .room = 1 + 6 * d + 2 * d * d, .integer_room = 3 + 5 * d};
    const size_t own = 4 * d * d + d, shared = 3 * d * d + d + p->room + 6 * d * d;
    p->memory = d < 20000 ? od_zalloc(planes * own + shared, sizeof *p->memory) : NULL;
    p->integers = od_zalloc(p->integer_room, sizeof *p->integers);
    p->order = od_zalloc(d, sizeof *p->order);
    if (p->memory == NULL || p->integers == NULL || p->order == NULL) {
        od_phases_close(p);
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for Jacobi fields in %zu dimensions", d);
    }
    double *next = p->memory;
    for (size_t i = 0; i < planes; i++, next += own) {
        plane[i] = (od_plane){.frame = next, .direction = next + 2 * d * d, .triangle = next + 3 * d * d};
        plane[i].angle = next + 4 * d * d;
    }
    p->c = next;
    p->s = p->c + d * d;
    p->product = p->s + d * d;
    p->z0 = p->product + d * d;
    p->z1 = p->z0 + 2 * d * d;
    p->m = p->z1 + 2 * d * d;
    p->values = p->m + 2 * d * d;
    p->work = p->values + d;
    return OD_OK;
}

void od_phases_close(od_phases *p)
{
    free(p->memory);
    free(p->integers);
    free(p->order);
    *p = (od_phases){0};
}

/* ------------------------------------------------------------------------------------------------ one plane */

static bool orthonormalise(od_phases *p, od_plane *plane)
{
    const int d = (int)p->d, rows = 2 * d;
    const int room = (int)p->room;
    if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, d, plane->frame, rows, p->values, p->work, room) != 0) {
        return false;
    }
    for (int j = 0; j < d; j++) {
        memcpy(plane->triangle + (size_t)j * p->d, plane->frame + (size_t)j * 2 * p->d,
               (size_t)(j + 1) * sizeof(double));
    }
    return LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, rows, d, d, plane->frame, rows, p->values, p->work, room) == 0;
}

/* to = V^T of V for symmetric `of`. */
static void turn(od_phases *p, const double *v, double *of)
{
    const int d = (int)p->d;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, of, d, v, d, 0, p->product, d);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, d, d, d, 1, v, d, p->product, d, 0, of, d);
}

static void rotate(int d, double *a, int i, int j, double c, double s)
{
    cblas_drot(d, a + (size_t)i * (size_t)d, 1, a + (size_t)j * (size_t)d, 1, c, s);
    cblas_drot(d, a + i, d, a + j, d, c, s);
}

/*
 * The real and imaginary part of Z Z^T are symmetric and commute. A mixture of both is diagonalised by LAPACK; where
 * two phases give the mixture nearly one eigenvalue the two directions are told apart by Jacobi rotations for both
 * parts at once (Cardoso and Souloumiac 1996).
 */
static void separate(od_phases *p, double *v)
{
    const size_t d = p->d;
    const double small = 1e-15 * (4 + sqrt((double)d));
    bool moved = true;
    for (int sweep = 0; sweep < SWEEPS && moved; sweep++) {
        moved = false;
        for (size_t j = 1; j < d; j++) {
            for (size_t i = 0; i < j; i++) {
                double *c = p->c + i + j * d, *s = p->s + i + j * d;
                if (fabs(*c) + fabs(*s) <= small) {
                    continue;
                }
                const double dc = p->c[i + i * d] - p->c[j + j * d], ds = p->s[i + i * d] - p->s[j + j * d];
                const double on = dc * dc + ds * ds - 4 * (*c * *c + *s * *s), off = 4 * (dc * *c + ds * *s);
                const double turned = 0.5 * atan2(off, on + hypot(on, off));
                if (fabs(turned) < 1e-15) {
                    continue;
                }
                moved = true;
                const double cosine = cos(turned), sine = sin(turned);
                rotate((int)d, p->c, (int)i, (int)j, cosine, sine);
                rotate((int)d, p->s, (int)i, (int)j, cosine, sine);
                cblas_drot((int)d, v + i * d, 1, v + j * d, 1, cosine, sine);
            }
        }
    }
}

/* Angles and directions of an orthonormal frame. */
static bool find_angles(od_phases *p, od_plane *plane)
{
    const size_t d = p->d;
    const int n = (int)d, rows = 2 * n;
    const double *x = plane->frame, *y = plane->frame + d;
    double *v = p->m; /* free here */
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1, y, rows, y, rows, 0, p->c, n);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, -1, x, rows, x, rows, 1, p->c, n);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1, x, rows, y, rows, 0, p->s, n);
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i <= j; i++) {
            p->s[i + j * d] = p->s[j + i * d] = p->s[i + j * d] + p->s[j + i * d];
            p->c[j + i * d] = p->c[i + j * d];
            v[i + j * d] = v[j + i * d] = cos(1) * p->c[i + j * d] + sin(1) * p->s[i + j * d];
        }
    }
    if (LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, v, n, p->values, p->work, (int)p->room, p->integers,
                            (int)p->integer_room) != 0) {
        return false;
    }
    turn(p, v, p->c);
    turn(p, v, p->s);
    separate(p, v);
    for (size_t i = 0; i < d; i++) {
        double angle = 0.5 * atan2(p->s[i + i * d], p->c[i + i * d]);
        angle = angle < 0 ? angle + PI : angle;
        /* insertion: the angles of one step hardly change their order */
        size_t at = i;
        for (; at > 0 && p->values[p->order[at - 1]] > angle; at--) {
            p->order[at] = p->order[at - 1];
        }
        p->order[at] = i;
        p->values[i] = angle;
    }
    plane->sum = 0;
    for (size_t k = 0; k < d; k++) {
        plane->angle[k] = p->values[p->order[k]];
        plane->sum += plane->angle[k];
        memcpy(plane->direction + k * d, v + p->order[k] * d, d * sizeof *v);
    }
    return isfinite(plane->sum);
}

od_status od_phases_start(od_context *ctx, od_phases *p, od_plane *plane)
{
    const size_t d = p->d;
    if (!orthonormalise(p, plane) || !find_angles(p, plane)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "the phases of the Jacobi fields could not be found at the start");
    }
    plane->crossed = 0;
    /* rounding may put a 0 just below pi: it has passed as well */
    while (plane->angle[d - 1] > PI - 1e-10) {
        double *last = plane->direction + (d - 1) * d;
        memmove(plane->angle + 1, plane->angle, (d - 1) * sizeof *plane->angle);
        plane->angle[0] = 0;
        memcpy(p->product, last, d * sizeof *last);
        memmove(plane->direction + d, plane->direction, (d - 1) * d * sizeof *last);
        memcpy(plane->direction, p->product, d * sizeof *last);
    }
    plane->sum = 0;
    for (size_t k = 0; k < d; k++) {
        plane->sum += plane->angle[k];
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ between two */

/* Sum of the arguments of the pivots of m, eliminated without exchanges. */
static double arguments(size_t d, double _Complex *m)
{
    static const double _Complex one = 1, minus = -1;
    double sum = 0;
    for (size_t k = 0; k < d; k += BLOCK) {
        const size_t width = d - k < BLOCK ? d - k : BLOCK, left = d - k - width;
        double _Complex *a = m + k + k * d;
        for (size_t j = 0; j < width; j++) {
            sum += carg(a[j + j * d]);
            for (size_t i = j + 1; i < width; i++) {
                const double _Complex factor = a[i + j * d] /= a[j + j * d];
                for (size_t l = j + 1; l < width; l++) {
                    a[i + l * d] -= factor * a[j + l * d];
                }
            }
        }
        if (left > 0) {
            cblas_ztrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasUnit, (int)width, (int)left, &one, a,
                        (int)d, a + width * d, (int)d);
            cblas_ztrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, (int)left, (int)width, &one,
                        a, (int)d, a + width, (int)d);
            cblas_zgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (int)left, (int)left, (int)width, &minus, a + width,
                        (int)d, a + width * d, (int)d, &one, a + width + width * d, (int)d);
        }
    }
    return sum;
}

static void to_complex(size_t d, const double *frame, double _Complex *z)
{
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i < d; i++) {
            z[i + j * d] = frame[d + i + j * 2 * d] + I * frame[i + j * 2 * d];
        }
    }
}

od_status od_phases_follow(od_context *ctx, od_phases *p, const od_plane *from, od_plane *to)
{
    static const double _Complex one = 1, zero = 0;
    const size_t d = p->d;
    const int n = (int)d;
    double _Complex *z0 = (double _Complex *)p->z0, *z1 = (double _Complex *)p->z1, *m = (double _Complex *)p->m;
    to_complex(d, from->frame, z0);
    to_complex(d, to->frame, z1);
    cblas_zgemm(CblasColMajor, CblasNoTrans, CblasConjTrans, n, n, n, &one, z1, n, z0, n, &zero, m, n);
    const double growth = arguments(d, m);
    if (!isfinite(growth) || !orthonormalise(p, to) || !find_angles(p, to)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "the phases of the Jacobi fields could not be found");
    }
    const double turns = (growth - (to->sum - from->sum)) / PI, whole = nearbyint(turns);
    if (!(fabs(turns - whole) < 1e-3)) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "the phases of the Jacobi fields lost count by %g", turns - whole);
    }
    to->crossed = from->crossed + (long)whole;
    return OD_OK;
}

/* Phases that have passed lie at the bottom, the last one first; those to come lie at the top, the next one last. */
size_t od_plane_column(const od_plane *plane, size_t d, long k)
{
    return k <= plane->crossed ? (size_t)(plane->crossed - k) : d - (size_t)(k - plane->crossed);
}

double od_plane_phase(const od_plane *plane, size_t d, long k)
{
    return plane->angle[od_plane_column(plane, d, k)] - (k <= plane->crossed ? 0 : PI);
}
