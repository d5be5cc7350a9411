/* A flow over the times of an iteration as a chain. SPDX-License-Identifier: GPL-3.0-or-later */
#include "chain.h"
#include "passage.h"

#include "../src/finite.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MATRIX_MOST = 128, CARRIED = 16 };

typedef struct flow_chain {
    const od_flow *flow;
    double t0, tau;
    od_passage *passage; /* NULL where there is a closed form */
    double *state;       /* [2*dim] */
    double *u;           /* [4*dim] parts of directions */
    double *matrix;      /* [dim*dim] of step cached_k at `cached`, column by column; NULL until asked for */
    double *cached;      /* [dim] */
    double *probe;       /* [4*dim] */
    uint64_t cached_k;
    double *memory, *ws;
} flow_chain;

static double time_of(const flow_chain *a, uint64_t k)
{
    return a->t0 + (double)k * a->tau;
}

/* At a singular start other blocks than x are functions of x. */
static od_status make_regular(const flow_chain *a, uint64_t k, double *z)
{
    const od_flow *flow = a->flow;
    return k == 0 && a->t0 == 0 && flow->singular && flow->rest != NULL ? flow->rest(flow, 0, 1, z, a->ws) : OD_OK;
}

static od_status finite(size_t n, const double *z)
{
    return od_all_finite(z, n) ? OD_OK : OD_EDIVERGED;
}

static od_status flow_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    flow_chain *a = chain->data;
    const od_flow *flow = a->flow;
    memcpy(a->state, z, chain->dim * sizeof *z);
    od_status status = make_regular(a, k, a->state);
    if (status == OD_OK && flow->exact != NULL) {
        status = flow->exact(flow, time_of(a, k), 1, a->state, time_of(a, k + 1), next, a->ws);
    } else if (status == OD_OK) {
        status = od_passage_cross(a->passage, time_of(a, k), time_of(a, k + 1), a->state, 0, NULL, NULL);
        memcpy(next, a->state, chain->dim * sizeof *next);
    }
    return status == OD_OK ? finite(chain->dim, next) : status;
}

/* ------------------------------------------------------------------------------------------------ derivatives */

/* Of linear flows: a difference, taken at the centre of the loss, where little cancels. */
static od_status linear_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    (void)z;
    flow_chain *a = chain->data;
    const size_t dim = chain->dim;
    const od_spectrum *spectrum = a->flow->problem->spectrum;
    double *from = a->u, *base = a->u + dim;
    const size_t d = spectrum != NULL ? a->flow->problem->dim : 0;
    for (size_t i = 0; i < dim; i++) {
        from[i] = i < d ? spectrum->centre[i] : 0;
    }
    od_status status = flow_step(chain, k, from, base);
    for (size_t j = 0; j < m && status == OD_OK; j++) {
        for (size_t i = 0; i < dim; i++) {
            from[i] = u[j * dim + i] + (i < d ? spectrum->centre[i] : 0);
        }
        status = flow_step(chain, k, from, ju + j * dim);
        for (size_t i = 0; i < dim && status == OD_OK; i++) {
            ju[j * dim + i] -= base[i];
        }
    }
    return status;
}

/* Where the flow offers no derivative: five points in a line, wrong by some 1e-10. */
static od_status difference_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    flow_chain *a = chain->data;
    const size_t dim = chain->dim;
    double *at = a->u, *image = a->u + dim, scale = 0;
    for (size_t i = 0; i < dim; i++) {
        scale = hypot(scale, z[i]);
    }
    od_status status = OD_OK;
    memset(ju, 0, m * dim * sizeof *ju);
    for (size_t j = 0; j < m && status == OD_OK; j++) {
        double length = 0;
        for (size_t i = 0; i < dim; i++) {
            length = hypot(length, u[j * dim + i]);
        }
        const double h = 1e-3 * (scale > 0 ? scale : 1) / length;
        for (int point = -2; point <= 2 && length > 0 && status == OD_OK; point++) {
            const double weight = (point % 2 != 0 ? 8 : point == 0 ? 0 : -1) * (point < 0 ? -1 : 1) / (12 * h);
            for (size_t i = 0; i < dim; i++) {
                at[i] = z[i] + point * h * u[j * dim + i];
            }
            status = weight != 0 ? flow_step(chain, k, at, image) : OD_OK;
            for (size_t i = 0; i < dim && weight != 0; i++) {
                ju[j * dim + i] += weight * image[i];
            }
        }
    }
    return status;
}

static od_status flow_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    flow_chain *a = chain->data;
    const size_t dim = chain->dim;
    const bool singular = k == 0 && a->t0 == 0 && a->flow->singular && a->flow->rest != NULL;
    od_status status = OD_OK;
    memmove(ju, u, m * dim * sizeof *ju);
    for (size_t j = 0; j < m && singular; j++) { /* at rest: velocities are 0 and so are their directions */
        const size_t d = a->flow->block[0].length;
        memset(ju + j * dim + d, 0, (dim - d) * sizeof *ju);
    }
    for (size_t j = 0; j < m && status == OD_OK; j += CARRIED) {
        const size_t count = m - j < CARRIED ? m - j : CARRIED;
        memcpy(a->state, z, dim * sizeof *z);
        status = make_regular(a, k, a->state);
        status = status == OD_OK ? od_passage_cross(a->passage, time_of(a, k), time_of(a, k + 1), a->state, count,
                                                    ju + j * dim, NULL)
                                 : status;
    }
    return status == OD_OK ? finite(m * dim, ju) : status;
}

/* The transpose of a matrix whose blocks are symmetric: first order, or two blocks of one size. */
static od_status symmetric_vjp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    flow_chain *a = chain->data;
    const size_t dim = chain->dim, d = a->flow->block[0].length;
    if (d == dim) {
        return linear_jvp(chain, k, z, m, u, ju);
    }
    /* (A, B; C, D)^T (u, w) = (A u + C w, B u + D w) */
    double *part = a->u + 2 * dim, *image = part + dim;
    od_status status = OD_OK;
    for (size_t j = 0; j < m && status == OD_OK; j++) {
        const double *from = u + j * dim;
        double *to = ju + j * dim;
        memset(to, 0, dim * sizeof *to);
        for (unsigned which = 0; which < 4 && status == OD_OK; which++) {
            const size_t source = which & 1, row = which >> 1; /* half of u, half it is put into */
            memset(part, 0, dim * sizeof *part);
            memcpy(part + row * d, from + source * d, d * sizeof *part);
            status = linear_jvp(chain, k, z, 1, part, image);
            for (size_t i = 0; i < d; i++) {
                to[row * d + i] += image[source * d + i];
            }
        }
    }
    return status;
}

static od_status matrix_vjp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    flow_chain *a = chain->data;
    const size_t dim = chain->dim;
    const bool cached = a->cached_k == k && (chain->affine || memcmp(a->cached, z, dim * sizeof *z) == 0);
    if (!cached) {
        double *unit = a->matrix + dim * dim;
        memset(unit, 0, dim * dim * sizeof *unit);
        for (size_t i = 0; i < dim; i++) {
            unit[i * dim + i] = 1;
        }
        a->cached_k = UINT64_MAX;
        od_status status = chain->jvp(chain, k, z, dim, unit, a->matrix);
        if (status != OD_OK) {
            return status;
        }
        a->cached_k = k;
        memcpy(a->cached, z, dim * sizeof *z);
    }
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < dim; i++) {
            double sum = 0;
            for (size_t r = 0; r < dim; r++) {
                sum += a->matrix[i * dim + r] * u[j * dim + r];
            }
            ju[j * dim + i] = sum;
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------ the object */

static void flow_free(void *data)
{
    flow_chain *a = data;
    od_passage_close(a->passage);
    free(a->memory);
    free(a);
}

/* Is <w, J u> = <J^T w, u> for the transpose by symmetric blocks? */
static bool blocks_symmetric(od_chain *chain)
{
    flow_chain *a = chain->data;
    const size_t dim = chain->dim;
    if (a->flow->block_count > 2 || dim % a->flow->block[0].length != 0) {
        return false;
    }
    double *u = a->probe, *w = u + dim, *ju = w + dim, *jw = ju + dim, left = 0, right = 0, size = 0;
    for (size_t i = 0; i < dim; i++) {
        u[i] = od_normal(1, OD_STREAM_CHECK, 2, i, 0);
        w[i] = od_normal(1, OD_STREAM_CHECK, 3, i, 0);
    }
    const bool done = linear_jvp(chain, 0, NULL, 1, u, ju) == OD_OK && symmetric_vjp(chain, 0, NULL, 1, w, jw) == OD_OK;
    for (size_t i = 0; i < dim; i++) {
        left += w[i] * ju[i];
        right += jw[i] * u[i];
        size += fabs(w[i] * ju[i]) + fabs(jw[i] * u[i]);
    }
    return done && fabs(left - right) <= (a->passage != NULL ? 1e-10 : 1e-12) * size;
}

/* True if the flow's derivative can be taken at its singular start. */
static bool starts_smoothly(const flow_chain *a)
{
    const od_flow *flow = a->flow;
    if (!flow->singular || a->t0 != 0) {
        return true;
    }
    double *z = a->state, *u = a->state + flow->dim;
    memset(z, 0, flow->dim * sizeof *z);
    memset(u, 0, flow->dim * sizeof *u);
    return flow->jvp(flow, 0, 1, z, 1, u, a->u, a->ws) == OD_OK;
}

static void add_derivatives(od_chain *chain)
{
    flow_chain *a = chain->data;
    const bool exact = a->passage != NULL && a->flow->jvp != NULL && starts_smoothly(a);
    chain->jvp = chain->affine ? linear_jvp : exact ? flow_jvp : difference_jvp;
    chain->vjp = chain->affine && blocks_symmetric(chain) ? symmetric_vjp
                 : chain->dim <= MATRIX_MOST              ? matrix_vjp
                                                          : NULL;
}

od_status od_chain_of_flow(od_context *ctx, const od_flow *flow, double t0, double tau, uint64_t steps, double rtol,
                           od_chain *chain)
{
    *chain = (od_chain){0};
    if (flow->noise.shape != OD_NOISE_NONE) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.noise",
                       "an orbit of the flow is one that a start decides; remove method.noise");
    }
    if (flow->start_refused != NULL && t0 == 0 && flow->exact == NULL) {
        return od_fail(ctx, OD_EUNSUPPORTED, "start.t", "the flow '%s' cannot start at t = 0: %s", flow->name,
                       flow->start_refused);
    }
    const size_t dim = flow->dim, matrix = dim <= MATRIX_MOST ? 2 * dim * dim : 0;
    flow_chain *a = od_zalloc(1, sizeof *a);
    double *memory = a != NULL ? od_zalloc(11 * dim + matrix + od_scratch_size(&flow->scratch, 1), sizeof *memory)
                               : NULL;
    if (memory == NULL) {
        free(a);
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a flow of %zu components", dim);
    }
    *a = (flow_chain){.flow = flow, .t0 = t0, .tau = tau, .cached_k = UINT64_MAX, .memory = memory};
    a->state = memory;
    a->u = a->state + 2 * dim;
    a->cached = a->u + 4 * dim;
    a->probe = a->cached + dim;
    a->matrix = a->probe + 4 * dim;
    a->ws = a->matrix + matrix;
    *chain = (od_chain){.what = "flow", .dim = dim, .steps = steps, .step = flow_step, .data = a, .free = flow_free};
    od_status status = flow->exact != NULL ? OD_OK : od_passage_open(ctx, flow, rtol, CARRIED, &a->passage);
    if (status == OD_OK) {
        status = od_chain_probe(ctx, chain, flow->problem, flow->exact != NULL ? 1e-12 : 1e3 * rtol);
    }
    if (status == OD_OK && flow->exact != NULL && !chain->affine) { /* its derivative has no closed form */
        status = od_passage_open(ctx, flow, rtol, CARRIED, &a->passage);
    }
    if (status == OD_OK) {
        add_derivatives(chain);
    } else {
        od_chain_clear(chain);
    }
    return status;
}
