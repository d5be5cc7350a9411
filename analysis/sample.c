/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample.h"

#include "../src/memory.h"
#include "passage.h"
#include "vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPARED = 64, COARSER = 16, MOST_STEPS = 10000 /* of half an iteration; one or two are usual */ };

static od_status ended(od_context *ctx, od_status status, double t)
{
    return status == OD_EINTERRUPTED ? status
           : status == OD_EDIVERGED
               ? od_fail(ctx, status, "iterations",
                         "the flow diverged at t = %.9g; give fewer iterations, or a start where the loss is finite", t)
               : od_fail(ctx, status, "iterations",
                         "the flow could not be followed beyond t = %.9g, where it may blow up or meet a kink of the "
                         "loss; give fewer iterations, or a smooth loss",
                         t);
}

static od_status sample_exact(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t count,
                              const double *z0, const double *weight, double *y, double *error, double *room)
{
    const size_t dim = flow->dim;
    double *other = room, *ws = room + dim;
    const uint64_t stride = (count + COMPARED - 1) / COMPARED;
    memcpy(y, z0, dim * sizeof *y);
    for (uint64_t k = 1; k < count; k++) {
        const double t = t0 + (double)k * tau;
        const uint64_t middle = k / 2;
        double *at = y + k * dim, size = 0;
        od_status status = flow->exact(flow, t0, 1, z0, t, at, ws);
        for (size_t i = 0; i < dim && status == OD_OK; i++) {
            status = isfinite(at[i]) ? OD_OK : OD_EDIVERGED;
            size = fmax(size, fabs(weight[i] * at[i]));
        }
        *error = fmax(*error, size * 0x1p-53);
        if (status == OD_OK && middle > 0 && k % stride == 0) {
            status = flow->exact(flow, t0 + (double)middle * tau, 1, y + middle * dim, t, other, ws);
            *error = fmax(*error, od_distance(dim, weight, at, other));
        }
        if (status != OD_OK) {
            return ended(ctx, status, t);
        }
    }
    return OD_OK;
}

static od_status sample_steps(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t count,
                              const double *z0, double rtol, const double *weight, double *y, double *error,
                              double *room)
{
    const size_t dim = flow->dim;
    double *fine = room, *coarse = room + dim, h[2] = {0, 0};
    od_passage *passage[2] = {NULL, NULL};
    od_status status = od_passage_open(ctx, flow, rtol, 0, &passage[0]);
    status = status == OD_OK ? od_passage_open(ctx, flow, COARSER * fmax(rtol, 1e-14), 0, &passage[1]) : status;
    memcpy(fine, z0, dim * sizeof *fine);
    memcpy(coarse, z0, dim * sizeof *coarse);
    memcpy(y, z0, dim * sizeof *y);
    bool open = status == OD_OK;
    for (size_t i = 0; i < 2 && open; i++) {
        od_passage_limit(passage[i], MOST_STEPS);
    }
    for (uint64_t k = 1; k < count && status == OD_OK; k++) {
        const double from = t0 + (double)(k - 1) * tau, to = t0 + (double)k * tau;
        if (od_cancelled(ctx)) {
            status = od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the flow was sampled");
            open = false;
            break;
        }
        /* by way of the middle, so that the two differ also where one step of either is enough */
        status = od_passage_cross(passage[0], from, from + tau / 2, fine, 0, NULL, &h[0]);
        status = status == OD_OK ? od_passage_cross(passage[0], from + tau / 2, to, fine, 0, NULL, &h[0]) : status;
        status = status == OD_OK ? od_passage_cross(passage[1], from, to, coarse, 0, NULL, &h[1]) : status;
        memcpy(y + k * dim, fine, dim * sizeof *y);
        *error = fmax(*error, od_distance(dim, weight, fine, coarse));
    }
    if (open && status != OD_OK) {
        ended(ctx, status, od_passage_reached(passage[0]));
    }
    od_passage_close(passage[0]);
    od_passage_close(passage[1]);
    return status;
}

od_status od_flow_sample(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t count, const double *z0,
                         double rtol, const double *weight, double *y, double *error)
{
    double *room = od_zalloc(2 * flow->dim + od_scratch_size(&flow->scratch, 1), sizeof *room);
    if (room == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for states of %zu components", flow->dim);
    }
    *error = 0;
    od_status status = flow->exact != NULL ? sample_exact(ctx, flow, t0, tau, count, z0, weight, y, error, room)
                                           : sample_steps(ctx, flow, t0, tau, count, z0, rtol, weight, y, error, room);
    free(room);
    return status;
}
