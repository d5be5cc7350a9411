/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "draw.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <stdlib.h>

od_status od_draw_need_step(od_context *ctx, const od_settings *s, const char *meaning)
{
    if (od_setting_present(s, "step")) {
        return OD_OK;
    }
    return od_setting_fail(ctx, s, "step", "the iteration needs it: %s", meaning);
}

od_status od_draw_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau, size_t blocks,
                      const double p[OD_DRAW_PARAMS], od_map *map)
{
    od_draw draw = {.f = f, .tau = tau};
    for (size_t i = 0; i < OD_DRAW_PARAMS; i++) {
        draw.p[i] = p[i];
    }
    od_status status = od_sigma_read(ctx, s, f, tau, &draw.sigma);
    if (status != OD_OK) {
        return status;
    }
    if (od_setting_present(s, "batch") && draw.sigma.kind != OD_SIGMA_COVARIANCE) {
        draw.batch = (size_t)od_setting_real(s, "batch");
        if (f->eval_samples == NULL) {
            return od_setting_fail(ctx, s, "batch",
                                   "the problem '%s' is not a finite sum, so it has no mini-batches; "
                                   "remove method.batch or use a problem on data",
                                   f->name);
        }
        if (draw.batch > f->samples) {
            return od_setting_fail(ctx, s, "batch", "%zu is more than the %zu samples there are", draw.batch,
                                   f->samples);
        }
    }
    od_draw *data = od_zalloc(1, sizeof *data);
    if (data == NULL) {
        return od_fail(ctx, OD_ENOMEM, "method", "no memory for the iteration");
    }
    *data = draw;
    map->block_count = blocks;
    map->block[0] = (od_block){"x", f->dim};
    map->block[1] = (od_block){"v", f->dim};
    map->dim = blocks * f->dim;
    map->tau = tau;
    map->noise_dim = draw.sigma.kind == OD_SIGMA_NONE ? 0 : draw.sigma.dim;
    map->batch = draw.batch;
    map->sampling = od_setting_text(s, "sampling");
    /* two vectors of the method and the noise */
    map->scratch = (od_scratch){f->scratch.fixed, f->scratch.per_point + 3 * f->dim};
    map->problem = f;
    map->data = data;
    map->free = free;
    return OD_OK;
}

OD_CLONES static void add(size_t size, const double *restrict x, double *restrict to)
{
    for (size_t i = 0; i < size; i++) {
        to[i] += x[i];
    }
}

od_status od_draw_gradient(const od_draw *draw, size_t n, const double *x, const double *dw, const uint32_t *index,
                           double *g, double *ws)
{
    const od_problem *f = draw->f;
    const size_t size = f->dim * n;
    od_status status = draw->batch > 0 ? f->eval_samples(f, OD_GRADIENT, n, x, draw->batch, index, NULL, g, ws)
                                       : f->eval(f, OD_GRADIENT, n, x, NULL, g, ws);
    if (status != OD_OK || draw->sigma.kind == OD_SIGMA_NONE) {
        return status;
    }
    double *noise = ws;
    status = od_sigma_apply(&draw->sigma, 1 / draw->tau, n, x, dw, noise, ws + size);
    add(size, noise, g);
    return status;
}
