/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quadrature.h"

#include "gauss.h"

#include <math.h>

enum { FINE = 10, COARSE = 7, MAX_DEPTH = 20 };

typedef struct work {
    od_context *ctx;
    size_t m;
    od_integrand *f;
    void *user;
    double node[2][FINE], weight[2][FINE];
    od_integral *out;
    double scale[OD_MAX_INTEGRALS]; /* of the first pass */
} work;

static od_status apply(const work *w, int rule, double begin, double end, double *value, double *size)
{
    const double middle = (begin + end) / 2, half = (end - begin) / 2;
    od_status status = od_cancelled(w->ctx)
                           ? od_fail(w->ctx, OD_EINTERRUPTED, NULL, "interrupted while an integral was taken")
                           : OD_OK;
    for (size_t i = 0; i < w->m; i++) {
        value[i] = size[i] = 0;
    }
    for (size_t q = 0; q < (rule == 0 ? FINE : COARSE) && status == OD_OK; q++) {
        double y[OD_MAX_INTEGRALS] = {0}, terms[OD_MAX_INTEGRALS] = {0};
        status = w->f(w->user, middle + half * w->node[rule][q], y, terms);
        for (size_t i = 0; i < w->m; i++) {
            value[i] += half * w->weight[rule][q] * y[i];
            size[i] += half * w->weight[rule][q] * terms[i];
        }
    }
    for (size_t i = 0; i < w->m && status == OD_OK; i++) { /* halves of what is not finite never agree */
        status = isfinite(value[i]) ? OD_OK : OD_EDIVERGED;
    }
    return status;
}

static od_status refine(work *w, double begin, double end, int depth)
{
    double fine[OD_MAX_INTEGRALS], coarse[OD_MAX_INTEGRALS], size[OD_MAX_INTEGRALS], unused[OD_MAX_INTEGRALS];
    od_status status = apply(w, 0, begin, end, fine, size);
    status = status == OD_OK ? apply(w, 1, begin, end, coarse, unused) : status;
    bool agree = true;
    for (size_t i = 0; i < w->m; i++) {
        agree = agree && fabs(fine[i] - coarse[i]) <= 2e-15 * w->scale[i];
    }
    if (status == OD_OK && !agree && depth < MAX_DEPTH) {
        const double middle = (begin + end) / 2;
        status = refine(w, begin, middle, depth + 1);
        return status == OD_OK ? refine(w, middle, end, depth + 1) : status;
    }
    for (size_t i = 0; i < w->m; i++) {
        w->out[i].value += fine[i];
        w->out[i].size += size[i];
        /* where the rules never agreed, as at a jump, they may be wrong together */
        w->out[i].error += agree ? fabs(fine[i] - coarse[i]) : fmax(fabs(fine[i] - coarse[i]), size[i]);
    }
    return status;
}

od_status od_integrate(od_context *ctx, const double *edge, size_t panels, size_t m, od_integrand *f, void *user,
                       od_integral *out)
{
    work w = {.ctx = ctx, .m = m, .f = f, .user = user, .out = out};
    od_gauss(FINE, w.node[0], w.weight[0]);
    od_gauss(COARSE, w.node[1], w.weight[1]);
    od_status status = OD_OK;
    for (size_t i = 0; i < m; i++) {
        out[i] = (od_integral){0};
    }
    for (size_t k = 0; k < panels && status == OD_OK; k++) {
        double value[OD_MAX_INTEGRALS], size[OD_MAX_INTEGRALS];
        status = apply(&w, 0, edge[k], edge[k + 1], value, size);
        for (size_t i = 0; i < m; i++) {
            w.scale[i] += size[i];
        }
    }
    for (size_t k = 0; k < panels && status == OD_OK; k++) {
        status = refine(&w, edge[k], edge[k + 1], 0);
    }
    for (size_t i = 0; i < m; i++) {
        out[i].error += 16 * 0x1p-52 * out[i].size;
    }
    return status;
}
