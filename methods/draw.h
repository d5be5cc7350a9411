/* The gradient that an iteration sees: full or mini-batch, plus noise. Shared by the maps of all methods.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_DRAW_H
#define OD_METHODS_DRAW_H

#include "noise.h"

enum { OD_DRAW_PARAMS = 4 };

/** What a map's `data` points to. */
typedef struct od_draw {
    const od_problem *f;
    od_sigma sigma;
    double tau; /* time of one iteration */
    size_t batch;
    double p[OD_DRAW_PARAMS]; /* the method's own numbers */
    /* c of iteration k, for the forms that maps share (descent.h, momentum.h); NULL elsewhere */
    void (*coefficients)(const double *p, uint64_t k, double c[2]);
} od_draw;

/**
 * Fills blocks, noise, batch, scratch and ownership of a map of time tau whose state has `blocks` (1 or 2) copies of
 * x; the method adds step, jvp and vjp.
 */
od_status od_draw_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau, size_t blocks,
                      const double p[OD_DRAW_PARAMS], od_map *map);

/** g = gradient (or its mini-batch mean) + sigma dw / tau. ws: d n + the scratch of f. */
od_status od_draw_gradient(const od_draw *draw, size_t n, const double *x, const double *dw, const uint32_t *index,
                           double *g, double *ws);

/** Fails unless method.step is there. */
od_status od_draw_need_step(od_context *ctx, const od_settings *s, const char *meaning);

#endif
