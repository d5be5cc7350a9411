/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shooting.h"

#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the matrices at the nodes; beyond, nodes are thinned out, for which the chain needs a transposed derivative.
 */
static const double room = 0x1p26, room_without_transposed = 0x1p32;
/* Free components get this share of the largest weight, so that neighbours have a size. */
static const double raised = 1e-3;

static double dot(size_t n, const double *a, const double *b)
{
    double part[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            part[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        part[0] += a[i] * b[i];
    }
    return (part[0] + part[1]) + (part[2] + part[3]);
}

static void add(size_t n, double factor, const double *a, double *b)
{
    for (size_t i = 0; i < n; i++) {
        b[i] += factor * a[i];
    }
}

static double largest(size_t n, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabs(a[i]) > most || isnan(a[i]) ? fabs(a[i]) : most;
    }
    return most;
}

/* Subnormal numbers cost a hundred times as much and mean nothing here. */
static void flush(size_t n, double *a)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = fabs(a[i]) < DBL_MIN ? 0 : a[i];
    }
}

static od_status advance(od_context *ctx, od_shooting *s, uint64_t k, double *z)
{
    od_status status = s->chain->step(s->chain, k, z, s->next);
    if (status != OD_OK && status != OD_EDIVERGED) {
        return od_fail(ctx, status, "method", "step %llu of the %s could not be computed", (unsigned long long)k,
                       s->chain->what);
    }
    memcpy(z, s->next, s->d * sizeof *z);
    flush(s->d, z);
    return status == OD_OK && isfinite(largest(s->d, z)) ? OD_OK : OD_EDIVERGED;
}

static od_status fail_derivative(od_context *ctx, const od_shooting *s, od_status status, uint64_t k)
{
    return od_fail(ctx, status, "method", "the derivative of step %llu of the %s could not be computed",
                   (unsigned long long)k, s->chain->what);
}

/* Directions u[m*d] through step k at z; `image` is scratch memory of their size. */
static od_status derive(od_context *ctx, od_shooting *s, uint64_t k, const double *z, size_t m, double *u,
                        double *image)
{
    od_status status = s->chain->jvp(s->chain, k, z, m, u, image);
    if (status != OD_OK) {
        return fail_derivative(ctx, s, status, k);
    }
    memcpy(u, image, m * s->d * sizeof *u);
    flush(m * s->d, u);
    return OD_OK;
}

od_status od_shooting_diverged(od_context *ctx, const od_shooting *s)
{
    return od_fail(
        ctx, OD_EDIVERGED, "shadow",
        "no orbit of the %s near the states to be shadowed was found that stays finite; run fewer iterations "
        "or take a smaller step",
        s->chain->what);
}

/* ------------------------------------------------------------------------------------------- the object */

/* Every step where there is room; else densest at both ends, where what decays and what grows is large. */
static size_t place(const od_chain *chain, uint64_t *node)
{
    const uint64_t steps = chain->steps;
    const size_t d = chain->dim;
    const double bytes = chain->vjp != NULL ? room : room_without_transposed;
    const double most = fmax(bytes / (24.0 * (double)d * (double)d), 16);
    const uint64_t stride = (double)steps <= most ? 1 : (uint64_t)ceil((double)steps / most);
    size_t count = 0;
    for (uint64_t k = 0; k < steps; count++) {
        const uint64_t end = k < steps - k ? k : steps - k, gap = 1 + end / 16;
        if (node != NULL) {
            node[count] = k;
        }
        k += gap < stride ? gap : stride;
        k = k < steps ? k : steps;
    }
    if (node != NULL) {
        node[count] = steps;
    }
    return count + 1;
}

static od_status check(od_context *ctx, const od_shooting *s)
{
    const size_t d = s->d, all = (size_t)(s->chain->steps + 1) * d;
    double weights = 0;
    for (size_t i = 0; i < d; i++) {
        const double w = s->target->weight[i];
        weights = !(w >= 0) || !isfinite(w) ? NAN : fmax(weights, w);
        if (isnan(weights)) {
            return od_fail(ctx, OD_EINVAL, "shadow.weights", "weight %zu is %g; give finite weights >= 0", i, w);
        }
    }
    if (weights == 0) {
        return od_fail(ctx, OD_EINVAL, "shadow.weights", "all weights are 0; give at least one that is positive");
    }
    if (!isfinite(largest(all, s->target->y))) {
        return od_fail(ctx, OD_EDIVERGED, "shadow", "the states to be shadowed diverged; end the run before");
    }
    if (s->chain->jvp == NULL || (s->longest > 1 && s->chain->vjp == NULL)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "shadow",
                       "the nearest orbit of the %s needs its derivative, which is not offered%s", s->chain->what,
                       s->chain->jvp == NULL ? "" : " transposed, as so many steps take; run fewer iterations");
    }
    return OD_OK;
}

static od_status fill(od_context *ctx, od_shooting *s)
{
    const size_t d = s->d, nodes = s->nodes;
    s->node = od_zalloc(nodes, sizeof *s->node);
    if (s->node == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu nodes", nodes);
    }
    place(s->chain, s->node);
    s->longest = 1;
    for (size_t j = 1; j < nodes; j++) {
        const size_t gap = (size_t)(s->node[j] - s->node[j - 1]);
        s->longest = gap > s->longest ? gap : s->longest;
    }
    const size_t square = d * d, along = nodes * d, wide = nodes * square;
    const struct {
        double **part;
        size_t size;
    } parts[] = {
        {&s->share, nodes},
        {&s->metric, d},
        {&s->e, wide},
        {&s->r, wide},
        {&s->u, wide},
        {&s->filtered, along},
        {&s->q, along},
        {&s->shift, along},
        {&s->kept, along},
        {&s->least, along},
        {&s->states, s->longest * d},
        {&s->values, s->longest * d},
        {&s->z, d},
        {&s->next, d},
        {&s->v, d},
        {&s->jv, d},
        {&s->residual, d},
        {&s->columns, square},
        {&s->more, square},
    };
    size_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sum += parts[i].size;
    }
    double *next = s->memory = od_zalloc(sum, sizeof *s->memory);
    if (next == NULL) {
        return od_fail(ctx, OD_ENOMEM, "shadow", "no memory for %zu nodes with matrices of %zu rows", nodes, d);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].part = next;
        next += parts[i].size;
    }
    for (size_t j = 0; j < nodes; j++) {
        const double before = j > 0 ? (double)(s->node[j] - s->node[j - 1]) : 1;
        const double after = j + 1 < nodes ? (double)(s->node[j + 1] - s->node[j]) : 1;
        s->share[j] = sqrt((before + after) / 2);
    }
    const double most = largest(d, s->target->weight);
    for (size_t i = 0; i < d; i++) {
        s->metric[i] = s->target->weight[i] > 0 ? s->target->weight[i] : raised * most;
    }
    s->scale = largest((size_t)(s->chain->steps + 1) * d, s->target->y);
    return OD_OK;
}

od_status od_shooting_create(od_context *ctx, od_chain *chain, const od_target *target, od_shooting **shooting)
{
    *shooting = NULL;
    od_shooting *s = od_zalloc(1, sizeof *s);
    if (s == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a shooting problem");
    }
    s->chain = chain;
    s->target = target;
    s->d = chain->dim;
    s->nodes = place(chain, NULL);
    od_status status = fill(ctx, s);
    status = status == OD_OK ? check(ctx, s) : status;
    if (status != OD_OK) {
        od_shooting_free(s);
        return status;
    }
    *shooting = s;
    return OD_OK;
}

void od_shooting_free(od_shooting *shooting)
{
    if (shooting != NULL) {
        free(shooting->node);
        free(shooting->memory);
        free(shooting);
    }
}

/* ------------------------------------------------------------------------------------------- orbits */

static void look(od_shooting *s, uint64_t k, const double *z, od_seen *see, void *data, od_walk *walk)
{
    const double *y = s->target->y + (size_t)k * s->d, *w = s->target->weight;
    double square = 0;
    for (size_t i = 0; i < s->d; i++) {
        s->residual[i] = w[i] * (z[i] - y[i]);
        square += s->residual[i] * s->residual[i];
    }
    const double distance = sqrt(square);
    walk->sum += square;
    if (distance > walk->radius) {
        walk->radius = distance;
        walk->at = k;
    }
    if (see != NULL) {
        see(data, k, s->residual, distance);
    }
}

/*
 * At node j the neighbours that meet the jumps so far are E_j s + filtered_j, |s|^2 their size up to a constant. A jump
 * makes that |R s + q|^2.
 */
static void filter(od_shooting *s, size_t j, const double *image, const double *jump)
{
    const size_t d = s->d;
    const double *e = s->e + j * d * d;
    double *f = s->filtered + j * d, *q = s->q + j * d;
    for (size_t i = 0; i < d; i++) {
        f[i] = image[i] + jump[i];
        s->jv[i] = s->share[j] * s->metric[i] * (s->share[j] * s->metric[i] * f[i]);
    }
    for (size_t c = 0; c < d; c++) {
        q[c] = dot(d, e + c * d, s->jv);
    }
    for (size_t c = 0; c < d; c++) {
        add(d, -q[c], e + c * d, f);
    }
}

od_status od_shooting_walk(od_context *ctx, od_shooting *s, const double *x, int how, od_seen *see, void *data,
                           od_walk *walk)
{
    const size_t d = s->d;
    od_status status = OD_OK;
    *walk = (od_walk){0};
    memcpy(s->z, x, d * sizeof *x);
    memset(s->filtered, 0, d * sizeof *s->filtered);
    for (size_t j = 0; j + 1 < s->nodes && status == OD_OK; j++) {
        const double *node = x + j * d, *end = node + d;
        if (how != OD_WALK_THROUGH) {
            memcpy(s->z, node, d * sizeof *node);
        }
        memcpy(s->v, s->filtered + j * d, d * sizeof *s->v);
        if (od_cancelled(ctx)) {
            return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the nearest orbit was sought");
        }
        for (uint64_t k = s->node[j]; k < s->node[j + 1] && status == OD_OK; k++) {
            look(s, k, s->z, see, data, walk);
            if (how == OD_WALK_CORRECT) {
                status = derive(ctx, s, k, s->z, 1, s->v, s->jv);
            }
            status = status == OD_OK ? advance(ctx, s, k, s->z) : status;
        }
        if (how == OD_WALK_THROUGH || status != OD_OK) {
            continue;
        }
        for (size_t i = 0; i < d; i++) {
            s->next[i] = s->z[i] - end[i];
        }
        const double jump = largest(d, s->next), size = largest(d, node) + largest(d, end) + 0x1p-26 * s->scale;
        walk->defect = fmax(walk->defect, sqrt(dot(d, s->next, s->next)));
        walk->merit = fmax(walk->merit, jump > 0 ? jump / size : jump);
        status = isfinite(jump) ? OD_OK : OD_EDIVERGED;
        if (how == OD_WALK_CORRECT) {
            filter(s, j + 1, s->v, s->next);
        }
    }
    if (status == OD_OK) {
        look(s, s->chain->steps, how == OD_WALK_THROUGH ? s->z : x + (s->nodes - 1) * d, see, data, walk);
    }
    return status == OD_OK && !isfinite(walk->radius) ? OD_EDIVERGED : status;
}

od_status od_shooting_same_start(od_context *ctx, od_shooting *s, double *x)
{
    const size_t d = s->d;
    od_status status = OD_OK;
    memcpy(x, s->target->y, d * sizeof *x);
    for (size_t j = 0; j + 1 < s->nodes && status == OD_OK; j++) {
        double *end = x + (j + 1) * d;
        memcpy(end, x + j * d, d * sizeof *end);
        for (uint64_t k = s->node[j]; k < s->node[j + 1] && status == OD_OK; k++) {
            status = advance(ctx, s, k, end);
        }
    }
    return status;
}

/* t = R^{-1} t */
static void solve_upper(size_t d, const double *r, double *t)
{
    for (size_t c = d; c-- > 0;) {
        t[c] /= r[c * d + c];
        add(c, -t[c], r + c * d, t);
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
            add(d, t[c], e + c * d, shift);
        }
        if (j > 0) {
            add(d, -1, s->q + j * d, t);
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
        add(all, length, s->shift, x);
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
        const double length = sqrt(1 + dot(d, v, v));
        /* the reflection takes (1, v) to (-length, 0); its vector is (1, v / (1 + length)) */
        for (size_t k = 0; k < d; k++) {
            v[k] /= 1 + length;
        }
        r[i * d + i] = -length;
        for (size_t c = i + 1; c < d; c++) {
            const double w = (1 + 1 / length) * dot(d, v, b + c * d);
            r[c * d + i] = -w;
            add(d, -w, v, b + c * d);
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
                add(d, t[c * d + i], e + i * d, u + c * d);
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
                gram[c * d + i] += dot(d, wu + i * d, wu + c * d);
            }
        }
    }
    /* gram = L L^T, L by rows with the inverses of its diagonal, 0 for what is left out */
    for (size_t c = 0; c < d; c++) {
        double *row = gram + c * d;
        for (size_t i = 0; i < c; i++) {
            row[i] = (row[i] - dot(i, row, gram + i * d)) * gram[i * d + i];
        }
        const double pivot = row[c] - dot(c, row, row);
        row[c] = pivot > seen ? 1 / sqrt(pivot) : 0;
    }
    for (size_t j = 0; j < s->nodes; j++) {
        double *u = s->u + j * square;
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < c; i++) {
                add(d, -gram[c * d + i], u + i * d, u + c * d);
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
            status = derive(ctx, s, k, s->z, d, e, s->columns);
            status = status == OD_OK && k + 1 < s->node[j] ? advance(ctx, s, k, s->z) : status;
        }
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < d; i++) {
                s->columns[c * d + i] = s->share[j] * s->metric[i] * e[c * d + i];
            }
        }
        triangulate(d, s->columns, r);
        for (size_t c = 0; c < d; c++) {
            for (size_t i = 0; i < c; i++) {
                add(d, -r[c * d + i], e + i * d, e + c * d);
            }
            for (size_t i = 0; i < d; i++) {
                e[c * d + i] /= r[c * d + c];
            }
        }
        status = status == OD_OK && !isfinite(largest(square, e)) ? OD_EDIVERGED : status;
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
            add(d, factor * c[i], s->u + (j * d + i) * d, to);
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
        status = derive(ctx, s, at, s->z, d, block, s->columns);
        status = status == OD_OK && at + 1 < k ? advance(ctx, s, at, s->z) : status;
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
        add(d, c[i], s->u + (j * d + i) * d, s->values);
    }
    for (size_t k = 1; k < length && status == OD_OK; k++) {
        double *z = s->states + k * d, *v = s->values + k * d;
        memcpy(z, z - d, d * sizeof *z);
        memcpy(v, v - d, d * sizeof *v);
        if (c != NULL) {
            status = derive(ctx, s, s->node[j] + k - 1, z, 1, v, s->jv);
        }
        status = status == OD_OK ? advance(ctx, s, s->node[j] + k - 1, z) : status;
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
                status = s->chain->vjp(s->chain, s->node[j] + k, z, 1, b, s->jv);
                if (status != OD_OK) {
                    return fail_derivative(ctx, s, status, s->node[j] + k);
                }
                memcpy(b, s->jv, d * sizeof *b);
                flush(d, b);
            }
            const double *y = s->target->y + (size_t)(s->node[j] + k) * d;
            for (size_t i = 0; i < d; i++) {
                b[i] += w[i] * (w[i] * (c != NULL ? v[i] : z[i] - y[i]));
            }
        }
        for (size_t i = 0; i < d; i++) {
            sum[i] += dot(d, s->u + (j * d + i) * d, b);
        }
    }
    return status;
}

od_status od_shooting_report(od_context *ctx, od_shooting *s, const double *x, od_shadow *shadow, double *sum)
{
    /* rounding of the start may cost this share of the radius; where it costs more the nodes are the better answer */
    static const double slack = 1e-9, zero = 1e-14;
    od_walk nodes, orbit;
    od_status status = od_shooting_walk(ctx, s, x, OD_WALK_NODES, NULL, NULL, &nodes);
    od_status through = status == OD_OK ? od_shooting_walk(ctx, s, x, OD_WALK_THROUGH, NULL, NULL, &orbit) : status;
    if (through != OD_OK && through != OD_EDIVERGED) {
        return through;
    }
    const double rounded = zero * largest(s->d, s->target->y);
    const bool exact = through == OD_OK && orbit.radius <= fmax(nodes.radius * (1 + slack), rounded);
    const od_walk *told = exact ? &orbit : &nodes;
    shadow->radius = told->radius;
    shadow->at = told->at;
    shadow->defect = exact ? 0 : nodes.defect;
    if (shadow->start != NULL) {
        memcpy(shadow->start, x, s->d * sizeof *x);
    }
    *sum = told->sum;
    return status;
}
