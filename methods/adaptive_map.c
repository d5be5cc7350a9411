/* The iteration of Adam, AMSGrad and RMSprop; see adaptive.h. SPDX-License-Identifier: GPL-3.0-or-later */
#include "adaptive.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

/* draw first, so that the map's data is an od_draw as for every map */
typedef struct map_data {
    od_draw draw;
    od_adaptive a;
} map_data;

/* What iteration k multiplies with. */
typedef struct factors {
    double rate, beta[2], correction[2];
} factors;

static factors of_iteration(const od_adaptive *a, uint64_t k)
{
    const double count = (double)k + 1;
    factors c = {.rate = a->decay == 0 ? a->step : a->step * pow(count, -a->decay),
                 .beta = {a->beta[0], a->shifted && k == 0 ? 1 : a->beta[1]},
                 .correction = {1, 1}};
    for (size_t i = a->momentum ? 0 : 1; i < 2 && a->corrected; i++) {
        c.correction[i] = -expm1(count * log(a->beta[i])); /* 1 - beta^(k+1), also for beta near 1 */
    }
    return c;
}

OD_CLONES static void average(size_t size, double beta, const double *restrict g, double *restrict m)
{
    for (size_t i = 0; i < size; i++) {
        m[i] = beta * m[i] + (1 - beta) * g[i];
    }
}

OD_CLONES static void average_squares(size_t size, double beta, const double *restrict g, double *restrict s)
{
    for (size_t i = 0; i < size; i++) {
        s[i] = beta * s[i] + (1 - beta) * (g[i] * g[i]);
    }
}

OD_CLONES static void keep_largest(size_t size, const double *restrict s, double *restrict top)
{
    for (size_t i = 0; i < size; i++) {
        top[i] = s[i] > top[i] ? s[i] : top[i];
    }
}

OD_CLONES static void add(size_t size, const double *restrict by, double *restrict x)
{
    for (size_t i = 0; i < size; i++) {
        x[i] += by[i];
    }
}

/* The blocks of a state, or of a direction. */
typedef struct parts {
    double *x, *m, *s, *top; /* m and top NULL if there is none */
} parts;

static parts parts_of(const od_adaptive *a, size_t size, const double *z)
{
    double *next = (double *)z;
    parts p = {.x = next};
    p.m = a->momentum ? next += size : NULL;
    p.s = next += size;
    p.top = a->running ? next + size : NULL;
    return p;
}

static od_status adaptive_step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw,
                               const uint32_t *index, double *tau, double *ws)
{
    const map_data *d = map->data;
    const od_adaptive *a = &d->a;
    const size_t size = d->draw.f->dim * n;
    const factors c = of_iteration(a, k);
    const parts now = parts_of(a, size, z);
    const double *divisor = now.top != NULL ? now.top : now.s;
    double *g = ws, *by = ws + size;
    od_status status = od_draw_gradient(&d->draw, n, z, dw, index, g, ws + 2 * size);
    const double *first = now.m != NULL ? now.m : g;
    if (a->lagged) {
        od_adaptive_direction(a, size, -c.rate, c.correction, first, divisor, by);
    }
    if (now.m != NULL) {
        average(size, c.beta[0], g, now.m);
    }
    average_squares(size, c.beta[1], g, now.s);
    if (now.top != NULL) {
        keep_largest(size, now.s, now.top);
    }
    if (!a->lagged) {
        od_adaptive_direction(a, size, -c.rate, c.correction, first, divisor, by);
    }
    add(size, by, now.x);
    for (size_t p = 0; p < n; p++) {
        tau[p] = d->draw.tau;
    }
    return status;
}

/* What the derivatives at z are made of. */
typedef struct local {
    factors c;
    double *g, *by_m, *by_s; /* of the step of x by the moments it is made of */
    double *rises;           /* 1 where the largest s is the new one, else 0; running only */
    double *h, *rest;
} local;

static od_status linearise(const map_data *d, uint64_t k, size_t n, const double *z, double *ws, local *l)
{
    const od_adaptive *a = &d->a;
    const size_t size = d->draw.f->dim * n;
    const parts now = parts_of(a, size, z);
    double *m1 = ws + 4 * size, *s1 = ws + 5 * size; /* the moments that x moves by */
    *l = (local){of_iteration(a, k), ws, ws + size, ws + 2 * size, ws + 3 * size, ws + 4 * size, ws + 6 * size};
    od_status status = d->draw.f->eval(d->draw.f, OD_GRADIENT, n, z, NULL, l->g, l->rest);
    for (size_t i = 0; i < size; i++) {
        const double square = l->g[i] * l->g[i], beta1 = l->c.beta[0], beta2 = l->c.beta[1];
        m1[i] = now.m == NULL ? l->g[i] : a->lagged ? now.m[i] : beta1 * now.m[i] + (1 - beta1) * l->g[i];
        s1[i] = a->lagged ? now.s[i] : beta2 * now.s[i] + (1 - beta2) * square;
        if (now.top != NULL) {
            l->rises[i] = s1[i] > now.top[i] ? 1 : 0;
            s1[i] = l->rises[i] > 0 ? s1[i] : now.top[i];
        }
    }
    od_adaptive_slopes(a, size, -l->c.rate, l->c.correction, m1, s1, l->by_m, l->by_s);
    return status;
}

static od_status adaptive_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t count, const double *u,
                              double *ju, double *ws)
{
    const map_data *d = map->data;
    const od_adaptive *a = &d->a;
    const size_t size = d->draw.f->dim * n;
    local l;
    od_status status = linearise(d, k, n, z, ws, &l);
    for (size_t j = 0; j < count && status == OD_OK; j++) {
        const parts from = parts_of(a, size, u + j * map->dim * n), to = parts_of(a, size, ju + j * map->dim * n);
        status = d->draw.f->hvp(d->draw.f, n, z, 1, from.x, l.h, l.rest);
        for (size_t i = 0; i < size; i++) {
            const double beta1 = l.c.beta[0], beta2 = l.c.beta[1], dg = l.h[i];
            double dm = dg, ds = beta2 * from.s[i] + (1 - beta2) * 2 * l.g[i] * dg;
            to.s[i] = ds;
            if (to.m != NULL) {
                to.m[i] = beta1 * from.m[i] + (1 - beta1) * dg;
                dm = a->lagged ? from.m[i] : to.m[i];
            }
            if (to.top != NULL) {
                to.top[i] = ds = l.rises[i] > 0 ? ds : from.top[i];
            }
            to.x[i] = from.x[i] + l.by_m[i] * dm + l.by_s[i] * (a->lagged ? from.s[i] : ds);
        }
    }
    return status;
}

static od_status adaptive_vjp(const od_map *map, uint64_t k, size_t n, const double *z, size_t count, const double *u,
                              double *ju, double *ws)
{
    const map_data *d = map->data;
    const od_adaptive *a = &d->a;
    const size_t size = d->draw.f->dim * n;
    local l;
    od_status status = linearise(d, k, n, z, ws, &l);
    for (size_t j = 0; j < count && status == OD_OK; j++) {
        const parts w = parts_of(a, size, u + j * map->dim * n), to = parts_of(a, size, ju + j * map->dim * n);
        for (size_t i = 0; i < size; i++) {
            const double beta1 = l.c.beta[0], beta2 = l.c.beta[1];
            const double by_m = l.by_m[i] * w.x[i], by_s = l.by_s[i] * w.x[i];
            double on_g = by_m, on_s = w.s[i], on_top = by_s; /* weights of g, s+ and what x is divided by */
            if (w.m != NULL) {
                const double on_m = w.m[i] + (a->lagged ? 0 : by_m); /* of m+ */
                to.m[i] = beta1 * on_m + (a->lagged ? by_m : 0);
                on_g = (1 - beta1) * on_m;
            }
            if (w.top != NULL) {
                on_top += w.top[i];
                to.top[i] = l.rises[i] > 0 ? 0 : on_top;
                on_top = l.rises[i] > 0 ? on_top : 0;
            }
            on_s += a->lagged ? 0 : on_top;
            to.s[i] = beta2 * on_s + (a->lagged ? on_top : 0);
            l.h[i] = on_g + (1 - beta2) * 2 * l.g[i] * on_s;
        }
        status = d->draw.f->hvp(d->draw.f, n, z, 1, l.h, to.x, l.rest);
        for (size_t i = 0; i < size; i++) {
            to.x[i] += w.x[i];
        }
    }
    return status;
}

static od_status adaptive_rest(const od_map *map, size_t n, double *z, double *ws)
{
    const map_data *d = map->data;
    const size_t size = d->draw.f->dim * n;
    const parts now = parts_of(&d->a, size, z);
    od_status status = d->draw.f->eval(d->draw.f, OD_GRADIENT, n, z, NULL, now.s, ws);
    for (size_t i = 0; i < size; i++) {
        now.s[i] *= now.s[i];
    }
    od_adaptive_add_variance(&d->draw.sigma, d->draw.tau, 1, n, now.s);
    return status;
}

static const char *adaptive_refuse(const od_map *map, const double *z, size_t *component, double *ws)
{
    (void)ws;
    const map_data *d = map->data;
    const size_t dim = d->draw.f->dim, before = d->a.momentum ? 2 * dim : dim;
    *component = before + od_adaptive_negative(map->dim - before, z + before);
    return *component < map->dim ? od_adaptive_negative_words : NULL;
}

static void adaptive_metric(const od_map *map, uint64_t k, const double *z, double *scale)
{
    const map_data *d = map->data;
    const parts now = parts_of(&d->a, d->draw.f->dim, z);
    const factors c = k > 0 ? of_iteration(&d->a, k - 1) : (factors){.correction = {NAN, NAN}};
    od_adaptive_metric(&d->a, d->draw.f->dim, c.correction, now.top != NULL ? now.top : now.s, scale);
}

/* With the metric held, m+ = beta m + (1 - beta) g is heavy ball (Cohen et al. 2022, section 3.1); where steps are
 * moved by the old m, m_{k+1} waits one more iteration. */
static double stable(const od_adaptive *a)
{
    const double beta = a->momentum ? a->beta[0] : 0;
    return a->lagged && a->momentum ? 0 : (2 + 2 * beta) / ((1 - beta) * a->step);
}

od_status od_adaptive_map(od_context *ctx, const od_settings *s, const od_problem *f, const od_adaptive *a, od_map *map)
{
    od_status status = od_draw_map(ctx, s, f, a->step, 1, (const double[OD_DRAW_PARAMS]){0}, map);
    if (status != OD_OK) {
        return status;
    }
    map_data *d = od_zalloc(1, sizeof *d);
    if (d != NULL) {
        *d = (map_data){.draw = *(const od_draw *)map->data, .a = *a};
    }
    free((void *)map->data);
    map->data = d;
    if (a->momentum) {
        map->block[map->block_count++] = (od_block){"m", f->dim};
    }
    map->block[map->block_count++] = (od_block){"s", f->dim};
    if (a->running) {
        map->block[map->block_count++] = (od_block){"s_max", f->dim};
    }
    map->dim = map->block_count * f->dim;
    map->scratch.per_point = f->scratch.per_point + 6 * f->dim;
    map->step = adaptive_step;
    map->jvp = f->hvp != NULL ? adaptive_jvp : NULL;
    map->vjp = f->hvp != NULL ? adaptive_vjp : NULL;
    map->refuse = adaptive_refuse;
    map->metric = adaptive_metric;
    map->stable = a->decay == 0 ? stable(a) : 0;
    map->rest = a->settled ? adaptive_rest : NULL;
    return d != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, "method", "no memory for the iteration");
}
