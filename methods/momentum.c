/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "momentum.h"

#include "../src/clones.h"

OD_CLONES static od_status momentum_step(const od_map *map, uint64_t k, size_t n, double *z, const double *dw,
                                         const uint32_t *index, double *tau, double *ws)
{
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau;
    double *x = z, *v = z + size, *g = ws, c[2];
    draw->coefficients(draw->p, k, c);
    od_status status = od_draw_gradient(draw, n, x, dw, index, g, ws + size);
    for (size_t i = 0; i < size; i++) {
        v[i] = c[0] * v[i] - c[1] * g[i];
        x[i] += h * v[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = h;
    }
    return status;
}

static od_status momentum_jvp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                              double *ju, double *ws)
{
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau;
    double c[2];
    draw->coefficients(draw->p, k, c);
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        od_status status = draw->f->hvp(draw->f, n, z, 1, ux, jv, ws);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            jv[i] = c[0] * uv[i] - c[1] * jv[i];
            jx[i] = ux[i] + h * jv[i];
        }
    }
    return OD_OK;
}

static od_status momentum_vjp(const od_map *map, uint64_t k, size_t n, const double *z, size_t m, const double *u,
                              double *ju, double *ws)
{
    const od_draw *draw = map->data;
    const size_t size = draw->f->dim * n;
    const double h = draw->tau;
    double *w = ws, c[2]; /* w: weight of v+, through itself and through x+ */
    draw->coefficients(draw->p, k, c);
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * 2 * size, *uv = ux + size;
        double *jx = ju + j * 2 * size, *jv = jx + size;
        for (size_t i = 0; i < size; i++) {
            w[i] = uv[i] + h * ux[i];
        }
        od_status status = draw->f->hvp(draw->f, n, z, 1, w, jx, ws + size);
        if (status != OD_OK) {
            return status;
        }
        for (size_t i = 0; i < size; i++) {
            jx[i] = ux[i] - c[1] * jx[i];
            jv[i] = c[0] * w[i];
        }
    }
    return OD_OK;
}

od_status od_momentum_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau,
                          const double p[OD_DRAW_PARAMS],
                          void (*coefficients)(const double *p, uint64_t k, double c[2]), od_map *map)
{
    od_status status = od_draw_map(ctx, s, f, tau, 2, p, map);
    if (status != OD_OK) {
        return status;
    }
    ((od_draw *)map->data)->coefficients = coefficients;
    map->step = momentum_step;
    map->jvp = f->hvp != NULL ? momentum_jvp : NULL;
    map->vjp = f->hvp != NULL ? momentum_vjp : NULL;
    return OD_OK;
}
