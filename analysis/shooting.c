/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shooting.h"
#include "vector.h"

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

/* Subnormal numbers cost a hundred times as much and mean nothing here. */
static void flush(size_t n, double *a)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = fabs(a[i]) < DBL_MIN ? 0 : a[i];
    }
}

od_status od_shooting_advance(od_context *ctx, od_shooting *s, uint64_t k, double *z)
{
    od_status status = s->chain->step(s->chain, k, z, s->next);
    if (status != OD_OK && status != OD_EDIVERGED) {
        return status == OD_EINTERRUPTED ? status
                                         : od_fail(ctx, status, "method", "step %llu of the %s could not be computed",
                                                   (unsigned long long)k, s->chain->what);
    }
    memcpy(z, s->next, s->d * sizeof *z);
    flush(s->d, z);
    return status == OD_OK && isfinite(od_largest(s->d, z)) ? OD_OK : OD_EDIVERGED;
}

static od_status fail_derivative(od_context *ctx, const od_shooting *s, od_status status, uint64_t k)
{
    return status == OD_EINTERRUPTED
               ? status
               : od_fail(ctx, status, "method", "the derivative of step %llu of the %s could not be computed",
                         (unsigned long long)k, s->chain->what);
}

od_status od_shooting_derive(od_context *ctx, od_shooting *s, uint64_t k, const double *z, size_t m, double *u,
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

od_status od_shooting_pull(od_context *ctx, od_shooting *s, uint64_t k, const double *z, double *u)
{
    od_status status = s->chain->vjp(s->chain, k, z, 1, u, s->jv);
    if (status != OD_OK) {
        return fail_derivative(ctx, s, status, k);
    }
    memcpy(u, s->jv, s->d * sizeof *u);
    flush(s->d, u);
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

/* Before there is memory. */
static od_status check_size(od_context *ctx, const od_shooting *s)
{
    const double wanted = 24.0 * (double)s->nodes * (double)s->d * (double)s->d;
    if (!(wanted <= 2 * room_without_transposed)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "shadow",
                       "the nearest orbit of the %s with %zu components takes %.0f GiB of matrices, more than the %.0f "
                       "allowed; take fewer dimensions",
                       s->chain->what, s->d, wanted * 0x1p-30, 2 * room_without_transposed * 0x1p-30);
    }
    return OD_OK;
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
    if (!isfinite(od_largest(all, s->target->y))) {
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
    return OD_OK;
}

static void weigh(od_shooting *s)
{
    const size_t d = s->d, nodes = s->nodes;
    for (size_t j = 0; j < nodes; j++) {
        const double before = j > 0 ? (double)(s->node[j] - s->node[j - 1]) : 1;
        const double after = j + 1 < nodes ? (double)(s->node[j + 1] - s->node[j]) : 1;
        s->share[j] = sqrt((before + after) / 2);
    }
    const double most = od_largest(d, s->target->weight);
    for (size_t i = 0; i < d; i++) {
        s->metric[i] = s->target->weight[i] > 0 ? s->target->weight[i] : raised * most;
    }
    s->scale = od_largest((size_t)(s->chain->steps + 1) * d, s->target->y);
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
    const bool wide = od_wide_suits(chain, target);
    s->nodes = wide ? 0 : place(chain, NULL);
    od_status status = wide ? check(ctx, s) : check_size(ctx, s);
    if (wide && status == OD_OK) {
        status = od_wide_create(ctx, chain, target, &s->wide);
    } else if (status == OD_OK && (status = fill(ctx, s)) == OD_OK) {
        weigh(s);
        status = check(ctx, s);
    }
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
        od_wide_free(shooting->wide);
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
        q[c] = od_dot(d, e + c * d, s->jv);
    }
    for (size_t c = 0; c < d; c++) {
        od_add(d, -q[c], e + c * d, f);
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
                status = od_shooting_derive(ctx, s, k, s->z, 1, s->v, s->jv);
            }
            status = status == OD_OK ? od_shooting_advance(ctx, s, k, s->z) : status;
        }
        if (how == OD_WALK_THROUGH || status != OD_OK) {
            continue;
        }
        for (size_t i = 0; i < d; i++) {
            s->next[i] = s->z[i] - end[i];
        }
        const double jump = od_largest(d, s->next),
                     size = od_largest(d, node) + od_largest(d, end) + 0x1p-26 * s->scale;
        walk->defect = fmax(walk->defect, od_distance(d, NULL, s->next, NULL));
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
            status = od_shooting_advance(ctx, s, k, end);
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
    const double rounded = zero * od_largest(s->d, s->target->y) * od_largest(s->d, s->target->weight);
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
