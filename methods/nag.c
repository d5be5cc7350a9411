/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nag.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

/* draw first, so that the map's data is an od_draw as for every map */
typedef struct nag_data {
    od_draw draw;
    double (*momentum)(const double *p, uint64_t k);
} nag_data;

/* y = x + a v, where the gradient is taken. */
static void look_ahead(size_t size, double a, const double *z, double *y)
{
    for (size_t i = 0; i < size; i++) {
        y[i] = z[i] + a * z[size + i];
    }
}

OD_CLONES static od_status nag_step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw,
                                    const uint32_t *index, double *tau, double *ws)
{
    const nag_data *a = map->data;
    const size_t size = a->draw.f->dim * n;
    const double s = a->draw.tau, m = a->momentum(a->draw.p, k);
    double *x = z, *v = z + size, *g = ws, *y = ws + size;
    look_ahead(size, m * s, z, y);
    od_status status = od_draw_gradient(&a->draw, n, y, dw, index, g, ws + 2 * size);
    for (size_t i = 0; i < size; i++) {
        v[i] = m * v[i] - s * g[i];
        x[i] += s * v[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = s;
    }
    return status;
}

static od_status nag_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t count, const double *u,
                         double *ju, double *ws)
{
    const nag_data *a = map->data;
    const size_t size = a->draw.f->dim * n;
    const double s = a->draw.tau, m = a->momentum(a->draw.p, k);
    double *y = ws, *uy = ws + size;
    look_ahead(size, m * s, z, y);
    for (size_t j = 0; j < count; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        for (size_t i = 0; i < size; i++) {
            uy[i] = ux[i] + m * s * uv[i];
        }
        od_status status = a->draw.f->hvp(a->draw.f, n, y, 1, uy, jv, ws + 2 * size);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            jv[i] = m * uv[i] - s * jv[i];
            jx[i] = ux[i] + s * jv[i];
        }
    }
    return OD_OK;
}

static od_status nag_vjp(const od_map *map, uint64_t k, size_t n, const double *z, size_t count, const double *u,
                         double *ju, double *ws)
{
    const nag_data *a = map->data;
    const size_t size = a->draw.f->dim * n;
    const double s = a->draw.tau, m = a->momentum(a->draw.p, k);
    double *y = ws, *w = ws + size; /* w: weight of v+, through itself and through x+ */
    look_ahead(size, m * s, z, y);
    for (size_t j = 0; j < count; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        for (size_t i = 0; i < size; i++) {
            w[i] = uv[i] + s * ux[i];
        }
        od_status status = a->draw.f->hvp(a->draw.f, n, y, 1, w, jx, ws + 2 * size);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            const double hw = jx[i];
            jx[i] = ux[i] - s * hw;
            jv[i] = m * w[i] - m * s * s * hw;
        }
    }
    return OD_OK;
}

od_status od_nag_map(od_context *ctx, const od_settings *s, const od_problem *f, const double p[OD_DRAW_PARAMS],
                     double (*momentum)(const double *p, uint64_t k), od_map *map)
{
    od_status status = od_draw_need_step(ctx, s, "the learning rate eta; one iteration stands for time sqrt(eta)");
    if (status == OD_OK) {
        status = od_draw_map(ctx, s, f, sqrt(od_setting_real(s, "step")), 2, p, map);
    }
    if (status != OD_OK) {
        return status;
    }
    nag_data *a = od_zalloc(1, sizeof *a);
    if (a != NULL) {
        a->draw = *(const od_draw *)map->data;
        a->momentum = momentum;
    }
    free((void *)map->data);
    map->data = a;
    map->step = nag_step;
    map->jvp = f->hvp != NULL ? nag_jvp : NULL;
    map->vjp = f->hvp != NULL ? nag_vjp : NULL;
    return a != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, "method", "no memory for the iteration");
}
