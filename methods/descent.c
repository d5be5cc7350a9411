/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "descent.h"

#include "../src/clones.h"

static double rate(const od_draw *draw, uint64_t k)
{
    double c[2];
    draw->coefficients(draw->p, k, c);
    return c[0];
}

OD_CLONES static od_status descend(const od_map *map, uint64_t k, size_t n, double *x, const double *dw,
                                   const uint32_t *index, double *tau, double *ws)
{
    const od_draw *draw = map->data;
    const size_t size = map->dim * n;
    const double c = rate(draw, k);
    double *g = ws;
    od_status status = od_draw_gradient(draw, n, x, dw, index, g, ws + size);
    for (size_t i = 0; i < size; i++) {
        x[i] -= c * g[i];
    }
    for (size_t p = 0; p < n; p++) {
        tau[p] = draw->tau;
    }
    return status;
}

/* I - c H is symmetric: its own transpose. */
static od_status descend_jvp(const od_map *map, uint64_t k, size_t n, const double *x, size_t m, const double *u,
                             double *ju, double *ws)
{
    const od_draw *draw = map->data;
    const double c = rate(draw, k);
    od_status status = draw->f->hvp(draw->f, n, x, m, u, ju, ws);
    for (size_t i = 0; i < m * map->dim * n; i++) {
        ju[i] = u[i] - c * ju[i];
    }
    return status;
}

od_status od_descent_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau,
                         const double p[OD_DRAW_PARAMS], void (*coefficients)(const double *p, uint64_t k, double c[2]),
                         od_map *map)
{
    od_status status = od_draw_map(ctx, s, f, tau, 1, p, map);
    if (status != OD_OK) {
        return status;
    }
    ((od_draw *)map->data)->coefficients = coefficients;
    map->step = descend;
    map->jvp = map->vjp = f->hvp != NULL ? descend_jvp : NULL;
    return OD_OK;
}
