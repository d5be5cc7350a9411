/* Orbits next to an orbit of a chain. SPDX-License-Identifier: GPL-3.0-or-later */
#include "shooting.h"
#include "vector.h"

#include <math.h>
#include <string.h>

/* t = R^{-1} t */
static void solve_upper(size_t d, const double *r, double *t)
{
    for (size_t c = d; c-- > 0;) {
        t[c] /= r[c * d + c];
        od_add(c, -t[c], r + c * d, t);
    }
}

/* The correction that the last walk prepared, of least size. */
static void smooth(od_shooting *s)
{
    const size_t d = s->d;
    double *t = s->v;
    memset(t, 0, d * sizeof *t);
    for (size_t j = s->nodes; j-- > 0;) {
        double *shift = s->shift + j * d;
        const double *e = s->e + j * d * d;
        memcpy(shift, s->filtered + j * d, d * sizeof *shift);
        for (size_t c = 0; c < d; c++) {
            od_add(d, t[c], e + c * d, shift);
        }
        if (j > 0) {
            od_add(d, -1, s->q + j * d, t);
            solve_upper(d, s->r + j * d * d, t);
        }
    }
}

od_status od_shooting_restore(od_context *ctx, od_shooting *s, double *x)
{
    enum { MOST = 60 };
    static const double enough = 1e-9, least = 1e-3;
    const size_t all = s->nodes * s->d;
    double merit = INFINITY, length = 1;
    for (int round = 0; round < MOST; round++) {
        od_walk walk;
        od_status status = od_shooting_walk(ctx, s, x, OD_WALK_CORRECT, NULL, NULL, &walk);
        if (status != OD_OK && status != OD_EDIVERGED) {
            return status;
        }
        const bool better = status == OD_OK && walk.merit < merit;
        if (better && walk.merit == 0) {
            return OD_OK;
        }
        if (better && walk.merit < (1 - length / 2) * merit) {
            merit = walk.merit;
            length = 1;
            smooth(s);
            memcpy(s->kept, x, all * sizeof *x);
        } else if (merit <= enough) {
            if (!better) {
                memcpy(x, s->kept, all * sizeof *x);
            }
            return OD_OK;
        } else {
            length /= 4;
            if (length < least || !isfinite(merit)) {
                return OD_EDIVERGED;
            }
            memcpy(x, s->kept, all * sizeof *x);
        }
        od_add(all, length, s->shift, x);
    }
    return OD_EDIVERGED;
}

/* ------------------------------------------------------------------------------------------- neighbours */

/* [I; B] = Q R by reflections, B[d*d] overwritten; R upper triangular with |R_ii| >= 1. */
static void triangulate(size_t d, double *b, double *r)
{
    memset(r, 0, d * d * sizeof *r);
    for (size_t i = 0; i < d; i++) {
        double *v = b + i * d;
        const double length = sqrt(1 + od_dot(d, v, v));
        /* the reflection takes (1, v) to (-length, 0); its vector is (1, v / (1 + length)) */
        for (size_t k = 0; k < d; k++) {
            v[k] /= 1 + length;
        }
        r[i * d + i] = -length;
        for (size_t c = i + 1; c < d; c++) {
            const double w = (1 + 1 / length) * od_dot(d, v, b + c * d);
            r[c * d + i] = -w;
            od_add(d, -w, v, b + c * d);
        }
    }
}

/* U_j = E_j T, T = R_{j+1}^{-1} ... R_n^{-1} */
static void spread(od_shooting *s)
{
    const size_t d = s->d, square = d * d;
    double *t = s->more;
    memset(t, 0, square * sizeof *t);
    for (size_t i = 0; i < d; i++) {
        t[i * d + i] = 1;
    }
    for (size_t j = s->nodes; j-- > 0;) {
        const double *e = s->e + j * square;
        double *u = s->u + j * square;
        memset(u, 0, square * sizeof *u);
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < d; i++) {
                od_add(d, t[c * d + i], e + i * d, u + c * d);
            }
            if (j > 0) {
                solve_upper(d, s->r + j * square, t + c * d);
            }
        }
    }
}

/*
 * Where components are free, what the weights see of the neighbours is made orthonormal; directions of which they see
 * less than a millionth are left out.
 */
static void normalise(od_shooting *s)
{
    static const double seen = 1e-12;
    const size_t d = s->d, square = d * d;
    double *gram = s->more, *wu = s->columns;
    memset(gram, 0, square * sizeof *gram);
    for (size_t j = 0; j < s->nodes; j++) {
        for (size_t n = 0; n < square; n++) {
            wu[n] = s->share[j] * s->target->weight[n % d] * s->u[j * square + n];
        }
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i <= c; i++) {
                gram[c * d + i] += od_dot(d, wu + i * d, wu + c * d);
            }
        }
    }
    /* gram = L L^T, L by rows with the inverses of its diagonal, 0 for what is left out */
    for (size_t c = 0; c < d; c++) {
        double *row = gram + c * d;
        for (size_t i = 0; i < c; i++) {
            row[i] = (row[i] - od_dot(i, row, gram + i * d)) * gram[i * d + i];
        }
        const double pivot = row[c] - od_dot(c, row, row);
        row[c] = pivot > seen ? 1 / sqrt(pivot) : 0;
    }
    for (size_t j = 0; j < s->nodes; j++) {
        double *u = s->u + j * square;
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < c; i++) {
                od_add(d, -gram[c * d + i], u + i * d, u + c * d);
            }
            for (size_t i = 0; i < d; i++) {
                u[c * d + i] *= gram[c * d + c];
            }
        }
    }
}

od_status od_shooting_linearise(od_context *ctx, od_shooting *s, const double *x)
{
    const size_t d = s->d, square = d * d;
    od_status status = OD_OK;
    if (s->made) {
        return OD_OK;
    }
    memset(s->e, 0, square * sizeof *s->e);
    for (size_t i = 0; i < d; i++) {
        s->e[i * d + i] = 1 / (s->share[0] * s->metric[i]);
    }
    for (size_t j = 1; j < s->nodes && status == OD_OK; j++) {
        double *e = s->e + j * square, *r = s->r + j * square;
        memcpy(e, e - square, square * sizeof *e);
        memcpy(s->z, x + (j - 1) * d, d * sizeof *x);
        for (uint64_t k = s->node[j - 1]; k < s->node[j] && status == OD_OK; k++) {
            status = od_shooting_derive(ctx, s, k, s->z, d, e, s->columns);
            status = status == OD_OK && k + 1 < s->node[j] ? od_shooting_advance(ctx, s, k, s->z) : status;
        }
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < d; i++) {
                s->columns[c * d + i] = s->share[j] * s->metric[i] * e[c * d + i];
            }
        }
        triangulate(d, s->columns, r);
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < c; i++) {
                od_add(d, -r[c * d + i], e + i * d, e + c * d);
            }
            for (size_t i = 0; i < d; i++) {
                e[c * d + i] /= r[c * d + c];
            }
        }
        status = status == OD_OK && !isfinite(od_largest(square, e)) ? OD_EDIVERGED : status;
    }
    if (status == OD_OK) {
        spread(s);
        if (memcmp(s->metric, s->target->weight, d * sizeof *s->metric) != 0) {
            normalise(s);
        }
        s->made = s->chain->affine;
    }
    return status;
}

void od_shooting_move(const od_shooting *s, const double *x, double factor, const double *c, double *moved)
{
    const size_t d = s->d;
    for (size_t j = 0; j < s->nodes; j++) {
        double *to = moved + j * d;
        memmove(to, x + j * d, d * sizeof *to);
        for (size_t i = 0; i < d; i++) {
            od_add(d, factor * c[i], s->u + (j * d + i) * d, to);
        }
    }
}

od_status od_shooting_block(od_context *ctx, od_shooting *s, const double *x, uint64_t k, double *block)
{
    const size_t d = s->d;
    size_t from = 0, to = s->nodes;
    while (to - from > 1) {
        const size_t middle = (from + to) / 2;
        *(s->node[middle] <= k ? &from : &to) = middle;
    }
    od_status status = OD_OK;
    memcpy(block, s->u + from * d * d, d * d * sizeof *block);
    memcpy(s->z, x + from * d, d * sizeof *x);
    for (uint64_t at = s->node[from]; at < k && status == OD_OK; at++) {
        status = od_shooting_derive(ctx, s, at, s->z, d, block, s->columns);
        status = status == OD_OK && at + 1 < k ? od_shooting_advance(ctx, s, at, s->z) : status;
    }
    for (size_t c = 0; c < d; c++) {
        for (size_t i = 0; i < d; i++) {
            block[c * d + i] *= s->target->weight[i];
        }
    }
    return status;
}

/* The states z and the vectors v of the segment from node j, up to the next. */
static od_status run_segment(od_context *ctx, od_shooting *s, const double *x, size_t j, size_t length, const double *c)
{
    const size_t d = s->d;
    od_status status = OD_OK;
    memcpy(s->states, x + j * d, d * sizeof *x);
    memset(s->values, 0, d * sizeof *s->values);
    for (size_t i = 0; i < d && c != NULL; i++) {
        od_add(d, c[i], s->u + (j * d + i) * d, s->values);
    }
    for (size_t k = 1; k < length && status == OD_OK; k++) {
        double *z = s->states + k * d, *v = s->values + k * d;
        memcpy(z, z - d, d * sizeof *z);
        memcpy(v, v - d, d * sizeof *v);
        if (c != NULL) {
            status = od_shooting_derive(ctx, s, s->node[j] + k - 1, z, 1, v, s->jv);
        }
        status = status == OD_OK ? od_shooting_advance(ctx, s, s->node[j] + k - 1, z) : status;
    }
    return status;
}

od_status od_shooting_gather(od_context *ctx, od_shooting *s, const double *x, const double *c, double *sum)
{
    const size_t d = s->d;
    const double *w = s->target->weight;
    od_status status = OD_OK;
    memset(sum, 0, d * sizeof *sum);
    for (size_t j = 0; j < s->nodes && status == OD_OK; j++) {
        const size_t length = j + 1 < s->nodes ? (size_t)(s->node[j + 1] - s->node[j]) : 1;
        double *b = s->v;
        if (od_cancelled(ctx)) {
            return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the nearest orbit was sought");
        }
        memset(b, 0, d * sizeof *b);
        status = run_segment(ctx, s, x, j, length, c);
        for (size_t k = length; k-- > 0 && status == OD_OK;) {
            const double *z = s->states + k * d, *v = s->values + k * d;
            if (k + 1 < length) {
                status = od_shooting_pull(ctx, s, s->node[j] + k, z, b);
            }
            const double *y = s->target->y + (size_t)(s->node[j] + k) * d;
            for (size_t i = 0; i < d; i++) {
                b[i] += w[i] * (w[i] * (c != NULL ? v[i] : z[i] - y[i]));
            }
        }
        for (size_t i = 0; i < d; i++) {
            sum[i] += od_dot(d, s->u + (j * d + i) * d, b);
        }
    }
    return status;
}
