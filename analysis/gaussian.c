/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gaussian.h"

#include "../src/memory.h"
#include "../src/start.h"
#include "../src/stepper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The gradient is affine: a quadratic, or no curvature at all. */
static bool is_affine(const od_problem *f)
{
    return f->spectrum != NULL || (f->lipschitz.value == 0 && f->convexity.value == 0);
}

/* Where the gradient is, most flows are affine too, but not those that divide by a root of it: asked of the drift at
 * two points, their sum and 0. */
static od_status superposes(od_context *ctx, const od_member *m, bool *yes)
{
    enum { POINTS = 4 };
    const size_t dim = m->dim;
    double *z = od_zalloc(2 * POINTS * dim + od_scratch_size(&m->flow.scratch, POINTS), sizeof *z);
    double *dz = z + POINTS * dim, defect = 0, size = 0;
    if (z == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for states of %zu components", dim);
    }
    for (size_t i = 0; i < dim; i++) {
        for (unsigned p = 0; p < POINTS; p++) {
            z[i * POINTS + p] = ((p & 1) != 0 ? od_normal(1, OD_STREAM_CHECK, 0, i, 0) : 0) +
                                ((p & 2) != 0 ? od_normal(1, OD_STREAM_CHECK, 1, i, 0) : 0);
        }
    }
    const double t = m->start.t + (m->until - m->start.t) / 2;
    const od_status status = m->flow.drift(&m->flow, t, POINTS, z, dz, dz + POINTS * dim);
    for (size_t i = 0; i < dim && status == OD_OK; i++) {
        const double *at = dz + i * POINTS;
        defect += fabs(at[3] - at[2] - at[1] + at[0]);
        size += fabs(at[3]) + fabs(at[2]) + fabs(at[1]) + fabs(at[0]);
    }
    *yes = defect <= 1e-9 * size;
    free(z);
    return status == OD_OK ? OD_OK : od_fail(ctx, status, "method.flow", "the drift could not be evaluated");
}

/* All but the linearity of the flow. */
static bool may_apply(const od_member *m)
{
    return m->has_flow && is_affine(m->problem) && m->flow.noise.shape == OD_NOISE_ADDITIVE &&
           m->dim <= OD_MAX_GAUSSIAN;
}

od_status od_gaussian_applies(od_context *ctx, const od_member *m, bool *yes)
{
    *yes = false;
    return may_apply(m) ? superposes(ctx, m, yes) : OD_OK;
}

static od_status refuse(od_context *ctx, const od_member *m, const char *analysis)
{
    if (!m->has_flow) {
        return od_fail(ctx, OD_EUNSUPPORTED, "until", "%s looks at a flow; give until and integrator", analysis);
    }
    if (m->flow.noise.shape != OD_NOISE_ADDITIVE) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method.noise", "%s needs additive noise, and the flow of '%s' has %s",
                       analysis, m->label,
                       m->flow.noise.shape == OD_NOISE_NONE ? "none; give method.noise: 0.1, say"
                                                            : "noise that depends on the state; give a number or a "
                                                              "matrix");
    }
    if (!is_affine(m->problem)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "problem.name",
                       "%s needs a linear flow, whose moments are exactly known, and '%s' is no quadratic loss; use "
                       "weak-order, or problem: {name: quadratic, ...}",
                       analysis, m->problem->name);
    }
    if (m->dim <= OD_MAX_GAUSSIAN) {
        return od_fail(
            ctx, OD_EUNSUPPORTED, "method.name",
            "%s needs a linear flow, whose moments are exactly known, and that of '%s' is none even where the "
            "gradient is linear; use weak-order or an ensemble",
            analysis, m->method_choice.method->name);
    }
    return od_fail(ctx, OD_EUNSUPPORTED, "problem", "%s follows the covariance of at most %d components, not of %zu",
                   analysis, OD_MAX_GAUSSIAN, m->dim);
}

od_status od_gaussian_check(od_context *ctx, const od_member *m, const char *analysis)
{
    bool yes;
    const od_status status = od_gaussian_applies(ctx, m, &yes);
    return status != OD_OK || yes ? status : refuse(ctx, m, analysis);
}

/* The law of the starts: the mean without what is random, and independent variances. */
static od_status start_law(od_context *ctx, const od_member *m, double *mean, double *cov)
{
    double *ws = od_zalloc(od_scratch_size(&m->flow.scratch, 1), sizeof *ws);
    if (ws == NULL) {
        return od_fail(ctx, OD_ENOMEM, "start", "no memory for the start");
    }
    od_member still = *m;
    size_t component = 0;
    memset(cov, 0, m->dim * m->dim * sizeof *cov);
    for (size_t b = 0; b < m->block_count; b++) {
        const double s = m->start.normal[b];
        for (size_t i = 0; i < m->block[b].length; i++, component++) {
            cov[component * m->dim + component] = isnan(s) ? 0 : s * s;
        }
        still.start.normal[b] = isnan(s) ? NAN : 0;
    }
    /* what is left out starts at rest; with noise no such rest depends on the position (see singular_noise) */
    od_status status = od_start_fill(&still, 0, 1, mean, ws);
    free(ws);
    return status == OD_OK ? OD_OK : od_fail(ctx, status, "start", "the start could not be evaluated");
}

/* ------------------------------------------------------------------------------------------------ the chain */

od_status od_law_chain_open(od_context *ctx, const od_member *m, const od_integrator_type *type, double h,
                            od_law_chain *c)
{
    const size_t d = m->dim, columns = m->flow.noise.dim * (type->integral ? 2 : 1), points = 2 + d + columns;
    *c = (od_law_chain){.m = m, .type = type, .h = h, .points = points, .columns = columns};
    c->memory = od_zalloc(d + 2 * d * d + 2 * d * points + columns * points +
                              od_stepper_scratch(type, &m->flow, points),
                          sizeof *c->memory);
    if (c->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the moments of the chain");
    }
    c->mean = c->memory;
    c->cov = c->mean + d;
    c->product = c->cov + d * d;
    c->z = c->product + d * d;
    c->z1 = c->z + d * points;
    c->dw = c->z1 + d * points;
    c->ws = c->dw + columns * points;
    /* point 0 is zero, point 1 the mean, then come the basis vectors and the columns of the noise */
    for (size_t i = 0; i < d; i++) {
        c->z[i * points + 2 + i] = 1;
    }
    for (size_t j = 0; j < columns; j++) {
        c->dw[j * points + 2 + d + j] = 1;
    }
    return start_law(ctx, m, c->mean, c->cov);
}

/* cov = M cov M^T + N Cov(dW, I) N^T, with Var dW = h, Cov(dW, I) = h^2/2, Var I = h^3/3. */
static void spread(od_law_chain *c)
{
    const size_t d = c->m->dim, n = c->points, brownian = c->m->flow.noise.dim;
    const double *m = c->z1 + 2, *noise = c->z1 + 2 + d, h = c->h;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += m[i * n + k] * c->cov[k * d + j];
            }
            c->product[i * d + j] = sum;
        }
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += c->product[i * d + k] * m[j * n + k];
            }
            for (size_t k = 0; k < brownian; k++) {
                const double wi = noise[i * n + k], wj = noise[j * n + k];
                sum += h * wi * wj;
                if (c->columns > brownian) {
                    const double ji = noise[i * n + brownian + k], jj = noise[j * n + brownian + k];
                    sum += h * h / 2 * (wi * jj + ji * wj) + h * h * h / 3 * ji * jj;
                }
            }
            c->cov[i * d + j] = c->cov[j * d + i] = sum;
        }
    }
}

od_status od_law_chain_advance(od_context *ctx, od_law_chain *c, uint64_t step)
{
    const size_t d = c->m->dim, n = c->points;
    const od_stepper stepper = {
        .type = c->type, .settings = c->m->integrator_choice.settings, .flow = &c->m->flow, .origin = c->m->start.t};
    for (; c->step < step; c->step++) {
        const double t = c->m->start.t + (double)c->step * c->h;
        for (size_t i = 0; i < d; i++) {
            c->z[i * n + 1] = c->mean[i];
        }
        od_status status = c->type->step(&stepper, t, c->h, n, c->z, c->dw, c->z1, c->ws);
        if (status != OD_OK || od_cancelled(ctx)) {
            return status != OD_OK ? od_fail(ctx, status, "integrator", "%s failed at t = %g", c->type->name, t)
                                   : od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted; nothing was kept");
        }
        for (size_t i = 0; i < d; i++) {
            double *row = c->z1 + i * n;
            c->mean[i] = row[1];
            for (size_t p = 2; p < n; p++) {
                row[p] -= row[0];
            }
        }
        spread(c);
    }
    return OD_OK;
}

void od_law_chain_close(od_law_chain *c)
{
    free(c->memory);
    *c = (od_law_chain){0};
}

/* ------------------------------------------------------------------------------------------------ the equation */

/* ws: points z[d*n], their drifts [d*n], with n = d + 2; noise columns [(d + 1) * brownian^2]; the flow's own. */
static od_status moment_drift(const od_flow *flow, double t, size_t one, const double *z, double *dz, double *ws)
{
    (void)one;
    const od_member *m = flow->data;
    const od_flow *inner = &m->flow;
    const size_t d = m->dim, n = d + 2, brownian = inner->noise.dim, entered = inner->block[inner->noise.block].length;
    double *points = ws, *drift = points + d * n, *at = drift + d * n, *unit = at + d * brownian;
    double *columns = unit + brownian * brownian, *rest = columns + entered * brownian;
    const double *cov = z + d;
    double *dcov = dz + d;
    /* point 0 is zero, point 1 the mean, then come the columns of the covariance */
    for (size_t i = 0; i < d; i++) {
        points[i * n] = 0;
        points[i * n + 1] = z[i];
        memcpy(points + i * n + 2, cov + i * d, d * sizeof *points);
    }
    od_status status = inner->drift(inner, t, n, points, drift, rest);
    for (size_t i = 0; i < d; i++) {
        dz[i] = drift[i * n + 1];
        for (size_t j = 0; j < d; j++) {
            dcov[i * d + j] = drift[i * n + 2 + j] - drift[i * n] + drift[j * n + 2 + i] - drift[j * n];
        }
    }
    memset(at, 0, d * brownian * sizeof *at);
    memset(unit, 0, brownian * brownian * sizeof *unit);
    for (size_t j = 0; j < brownian; j++) {
        unit[j * brownian + j] = 1;
    }
    if (status == OD_OK && brownian > 0) {
        status = inner->noise.apply(inner, t, brownian, at, unit, columns, rest);
    }
    size_t first = 0;
    for (size_t b = 0; b < inner->noise.block; b++) {
        first += inner->block[b].length;
    }
    for (size_t i = 0; i < entered; i++) {
        for (size_t j = 0; j < entered; j++) {
            double sum = 0;
            for (size_t k = 0; k < brownian; k++) {
                sum += columns[i * brownian + k] * columns[j * brownian + k];
            }
            dcov[(first + i) * d + first + j] += sum;
        }
    }
    return status;
}

od_status od_law_moments_open(od_context *ctx, const od_member *m, od_law_moments *a)
{
    const size_t d = m->dim, n = d + 2, brownian = m->flow.noise.dim, batch = n > brownian ? n : brownian;
    *a = (od_law_moments){.m = m, .t = m->start.t};
    a->mean = od_zalloc(d + d * d, sizeof *a->mean);
    if (a->mean == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the moments of the equation");
    }
    a->cov = a->mean + d;
    a->flow = (od_flow){
        .name = "moments",
        .block_count = 1,
        .block = {{"moments", d + d * d}},
        .dim = d + d * d,
        .scratch = {2 * d * n + (2 * d + brownian) * brownian + od_scratch_size(&m->flow.scratch, batch), 0},
        .drift = moment_drift,
        .data = m};
    od_status status = start_law(ctx, m, a->mean, a->cov);
    if (status == OD_OK) {
        a->stepper = od_stepper_create(ctx, "{name: cvode, rtol: 1.0e-11, atol: 1.0e-16}", &a->flow, a->t, 1, a->mean);
        status = a->stepper != NULL ? OD_OK : OD_ENOMEM;
    }
    return status;
}

/*
 * From variances of zero CVODE's first step is what atol allows at the rate at which they grow, for loud noise less
 * than moves t. One tiny step of rk4 gives all of them a size of their own; its error is of that size and does not
 * show.
 */
static od_status leave_start(od_context *ctx, od_law_moments *a, double end)
{
    const double t = fmin(a->t + 1e-8 * a->m->step, end);
    od_stepper *first = od_stepper_create(ctx, "{name: rk4, step: 1}", &a->flow, a->t, 1, a->mean);
    od_status status = first != NULL ? od_stepper_advance(ctx, first, a->t, t, 1, a->mean, NULL) : OD_ENOMEM;
    od_stepper_free(first);
    a->t = t;
    return status;
}

od_status od_law_moments_advance(od_context *ctx, od_law_moments *a, double t)
{
    od_status status = t > a->t && a->t == a->m->start.t ? leave_start(ctx, a, t) : OD_OK;
    if (status == OD_OK && t > a->t) {
        status = od_stepper_advance(ctx, a->stepper, a->t, t, 1, a->mean, NULL);
        a->t = t;
    }
    return status;
}

void od_law_moments_close(od_law_moments *a)
{
    od_stepper_free(a->stepper);
    free(a->mean);
    *a = (od_law_moments){0};
}

od_status od_gaussian_loss(od_context *ctx, const od_member *m, const double *mean, const double *cov, double *loss)
{
    const od_problem *f = m->problem;
    const size_t d = f->dim;
    double *columns = od_zalloc(2 * d * d + od_scratch_size(&f->scratch, 1), sizeof *columns);
    if (columns == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the Hessian times %zu columns", d);
    }
    double *products = columns + d * d, *ws = products + d * d;
    for (size_t j = 0; j < d; j++) {
        memcpy(columns + j * d, cov + j * m->dim, d * sizeof *columns);
    }
    od_status status = f->eval(f, OD_VALUE, 1, mean, loss, NULL, ws);
    status = status == OD_OK ? f->hvp(f, 1, mean, d, columns, products, ws) : status;
    for (size_t j = 0; j < d && status == OD_OK; j++) {
        *loss += products[j * d + j] / 2;
    }
    free(columns);
    return status == OD_OK ? OD_OK : od_fail(ctx, status, "problem", "the loss could not be evaluated");
}
