/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compression.h"

#include "../src/lanczos.h"
#include "../src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 400 };

od_status od_compression_open(od_context *ctx, const od_extremal *x, size_t k, od_compression *c)
{
    const size_t d = od_trajectory_member(x->path)->problem->dim;
    *c = (od_compression){.extremal = *x, .d = d, .k = k};
    if (k > d) {
        return od_fail(ctx, OD_EINVAL, "conjugate.directions",
                       "%zu directions are more than %zu dimensions; give at "
                       "most as many",
                       k, d);
    }
    od_instant middle = {x->path, (x->t1 + x->t2) / 2};
    const od_leading_wish wish = {
        .most = k, .level = -INFINITY, .tolerance = 1e-6, .steps = STEPS, .room = 2 * k + STEPS};
    od_leading found = {0};
    od_status status = od_lanczos_leading(ctx, d, od_trajectory_product, &middle, &wish, &found);
    if (status == OD_OK && found.count < k) {
        status = od_fail(ctx, OD_ENUMERIC, "conjugate.directions",
                         "only %zu of %zu largest curvatures were found in %d steps of Lanczos' iteration; take fewer",
                         found.count, k, STEPS);
    }
    c->v = found.vectors;
    found.vectors = NULL;
    od_leading_free(&found);
    c->hv = od_zalloc(k * d, sizeof *c->hv);
    return status != OD_OK || c->hv != NULL
               ? status
               : od_fail(ctx, OD_ENOMEM, "conjugate.directions", "no memory for %zu directions", k);
}

void od_compression_close(od_compression *c)
{
    free(c->v);
    free(c->hv);
    *c = (od_compression){0};
}

static od_status hessian(const void *user, double t, double *h)
{
    const od_compression *c = user;
    const int d = (int)c->d, k = (int)c->k;
    const od_status status = od_trajectory_products(c->extremal.path, fmin(t, c->extremal.t2), c->k, c->v, c->hv);
    if (status == OD_OK) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, k, d, 1, c->v, d, c->hv, d, 0, h, k);
    }
    for (size_t i = 0; i < c->k && status == OD_OK; i++) {
        for (size_t j = 0; j < i; j++) {
            h[i * c->k + j] = h[j * c->k + i] = (h[i * c->k + j] + h[j * c->k + i]) / 2;
        }
    }
    return status;
}

od_jacobi od_compression_jacobi(const od_compression *c)
{
    od_jacobi j = od_extremal_jacobi(&c->extremal);
    j.d = c->k;
    j.hessian = hessian;
    j.user = c;
    return j;
}

static bool expand(const od_compression *c, od_conjugate *point)
{
    if (point->kernel == NULL || point->multiplicity == 0) {
        return true;
    }
    double *whole = od_zalloc(point->multiplicity * c->d, sizeof *whole);
    if (whole != NULL) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)point->multiplicity, (int)c->d, (int)c->k, 1,
                    point->kernel, (int)c->k, c->v, (int)c->d, 0, whole, (int)c->d);
        free(point->kernel);
        point->kernel = whole;
    }
    return whole != NULL;
}

od_status od_compression_expand(od_context *ctx, const od_compression *c, od_conjugates *found)
{
    bool done = expand(c, &found->end);
    for (size_t i = 0; i < found->count; i++) {
        done = done && expand(c, &found->point[i]);
    }
    return done ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the kernels of conjugate points");
}
