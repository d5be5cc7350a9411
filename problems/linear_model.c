/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linear_model.h"

#include "../src/lanczos.h"
#include "../src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a chunk: few enough for their groups to be in the cache still when they are added to the gradient. */
enum { ROWS = OD_LINK_MOST, MARGIN_STEPS = 200, SIDE = 2 * OD_PANEL };

/* Scratch of a call. */
typedef struct workspace {
    double *margin, *first, *second; /* [OD_PANEL*ROWS], point after point */
    double *beside, *beside_sum;     /* [SIDE*stride] directions of one point, packed */
    double *x, *sum, *along;         /* [n*stride], packed */
    double *scalar;                  /* [n] */
} workspace;

static workspace share(const od_linear_model *m, size_t n, double *ws)
{
    const size_t packed = n * m->data.stride;
    double *beside = ws + 3 * OD_PANEL * ROWS, *x = beside + 2 * SIDE * m->data.stride;
    return (workspace){.margin = ws,
                       .first = ws + OD_PANEL * ROWS,
                       .second = ws + 2 * OD_PANEL * ROWS,
                       .beside = beside,
                       .beside_sum = beside + SIDE * m->data.stride,
                       .x = x,
                       .sum = x + packed,
                       .along = x + 2 * packed,
                       .scalar = x + 3 * packed};
}

static void pack(const od_linear_model *m, bool panels, size_t n, const double *x, double *packed)
{
    od_design_pack(&m->design, m->data.cols, panels, n, x, packed);
}

/* out = scale packed + lambda x, components again with p fast; x may be NULL. */
static void unpack(const od_linear_model *m, bool panels, size_t n, const double *packed, double scale, const double *x,
                   double *out)
{
    for (size_t p = 0, width; p < n; p += width) {
        width = panels ? od_design_width(n, p) : 1;
        const double *point = packed + p * m->data.stride;
        for (size_t j = 0; j < m->data.cols; j++) {
            for (size_t k = 0; k < width; k++) {
                const double sum = scale * point[j * width + k];
                const size_t at = j * n + p + k;
                out[at] = x != NULL ? sum + m->lambda * x[at] : sum;
            }
        }
    }
}

static void add_penalty(const od_linear_model *m, size_t n, const double *x, double *f)
{
    for (size_t j = 0; j < m->data.cols; j++) {
        for (size_t p = 0; p < n; p++) {
            f[p] += 0.5 * m->lambda * x[j * n + p] * x[j * n + p];
        }
    }
}

static size_t chunk_rows(const od_linear_model *m, size_t from)
{
    return m->data.rows - from < ROWS ? m->data.rows - from : ROWS;
}

static double sum_of(const double *term, size_t count)
{
    double sum = 0;
    for (size_t r = 0; r < count; r++) {
        sum += term[r];
    }
    return sum;
}

static od_status model_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                            double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    const bool value = (want & OD_VALUE) != 0, gradient = (want & OD_GRADIENT) != 0;
    pack(m, true, n, x, w.x);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    memset(w.sum, 0, gradient ? n * m->data.stride * sizeof *w.sum : 0);
    for (size_t from = 0; from < m->data.rows; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        for (size_t p = 0, width; p < n; p += width) {
            width = od_design_width(n, p);
            od_design_apply(&m->design, from, rows, width, w.x + p * m->data.stride, w.margin);
            for (size_t k = 0; k < width; k++) {
                m->link(rows, w.margin + k * rows, m->data.target + from, value ? w.first : NULL,
                        gradient ? w.second + k * rows : NULL, NULL);
                w.scalar[p + k] += value ? sum_of(w.first, rows) : 0;
            }
            if (gradient) {
                od_design_add(&m->design, from, rows, width, w.second, w.sum + p * m->data.stride);
            }
        }
    }
    const double scale = 1 / (double)m->data.rows;
    if (value) {
        for (size_t p = 0; p < n; p++) {
            f[p] = scale * w.scalar[p];
        }
        add_penalty(m, n, x, f);
    }
    if (gradient) {
        unpack(m, true, n, w.sum, scale, x, g);
    }
    return OD_OK;
}

/* hu[count*cols] of directions u[count*cols] of one point, which is packed: its curvatures are taken once for all. */
static void multiply_beside(const od_linear_model *m, const workspace *w, size_t count, const double *u, double *hu)
{
    const size_t cols = m->data.cols, stride = m->data.stride;
    memset(w->beside, 0, 2 * SIDE * stride * sizeof *w->beside);
    for (size_t p = 0, width; p < count; p += width) {
        width = od_design_width(count, p);
        for (size_t j = 0; j < cols * width; j++) {
            w->beside[p * stride + j] = u[(p + j % width) * cols + j / width];
        }
    }
    for (size_t from = 0; from < m->data.rows; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        od_design_apply(&m->design, from, rows, 1, w->x, w->margin);
        m->link(rows, w->margin, m->data.target + from, NULL, NULL, w->first);
        for (size_t p = 0, width; p < count; p += width) {
            width = od_design_width(count, p);
            od_design_apply(&m->design, from, rows, width, w->beside + p * stride, w->second);
            for (size_t k = 0; k < width; k++) {
                for (size_t r = 0; r < rows; r++) {
                    w->second[k * rows + r] *= w->first[r];
                }
            }
            od_design_add(&m->design, from, rows, width, w->second, w->beside_sum + p * stride);
        }
    }
    const double scale = 1 / (double)m->data.rows;
    for (size_t p = 0, width; p < count; p += width) {
        width = od_design_width(count, p);
        for (size_t j = 0; j < cols * width; j++) {
            const size_t at = (p + j % width) * cols + j / width;
            hu[at] = scale * w->beside_sum[p * stride + j] + m->lambda * u[at];
        }
    }
}

static od_status model_hvp(const od_problem *problem, size_t n, const double *x, size_t directions, const double *u,
                           double *hu, double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    pack(m, true, n, x, w.x);
    for (size_t j = 0; n == 1 && j < directions; j += SIDE) {
        const size_t count = directions - j < SIDE ? directions - j : SIDE;
        multiply_beside(m, &w, count, u + j * m->data.cols, hu + j * m->data.cols);
    }
    for (size_t j = 0; n > 1 && j < directions; j++) {
        const double *direction = u + j * m->data.cols * n;
        pack(m, true, n, direction, w.along);
        memset(w.sum, 0, n * m->data.stride * sizeof *w.sum);
        for (size_t from = 0; from < m->data.rows; from += ROWS) {
            const size_t rows = chunk_rows(m, from);
            for (size_t p = 0, width; p < n; p += width) {
                const size_t at = p * m->data.stride;
                width = od_design_width(n, p);
                od_design_apply(&m->design, from, rows, width, w.x + at, w.margin);
                od_design_apply(&m->design, from, rows, width, w.along + at, w.second);
                for (size_t k = 0; k < width; k++) {
                    m->link(rows, w.margin + k * rows, m->data.target + from, NULL, NULL, w.first + k * rows);
                }
                for (size_t i = 0; i < width * rows; i++) {
                    w.second[i] *= w.first[i];
                }
                od_design_add(&m->design, from, rows, width, w.second, w.sum + at);
            }
        }
        unpack(m, true, n, w.sum, 1 / (double)m->data.rows, direction, hu + j * m->data.cols * n);
    }
    return OD_OK;
}

/* Every point has samples of its own, so all go one by one. */
static od_status model_samples(const od_problem *problem, unsigned want, size_t n, const double *x, size_t batch,
                               const uint32_t *index, double *f, double *g, double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    const bool value = (want & OD_VALUE) != 0, gradient = (want & OD_GRADIENT) != 0;
    pack(m, false, n, x, w.x);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    memset(w.sum, 0, gradient ? n * m->data.stride * sizeof *w.sum : 0);
    for (size_t p = 0; p < n; p++) {
        const size_t at = p * m->data.stride;
        for (size_t b = 0; b < batch; b++) {
            const size_t i = index[b * n + p];
            if (i >= m->data.rows) {
                return OD_EINVAL;
            }
            double t, term = 0, slope = 0;
            od_design_apply(&m->design, i, 1, 1, w.x + at, &t);
            m->link(1, &t, &m->data.target[i], value ? &term : NULL, gradient ? &slope : NULL, NULL);
            w.scalar[p] += term;
            if (gradient) {
                od_design_add(&m->design, i, 1, 1, &slope, w.sum + at);
            }
        }
    }
    if (value) {
        for (size_t p = 0; p < n; p++) {
            f[p] = w.scalar[p] / (double)batch;
        }
        add_penalty(m, n, x, f);
    }
    if (gradient) {
        unpack(m, false, n, w.sum, 1 / (double)batch, x, g);
    }
    return OD_OK;
}

/* sum_i w_i (g_i - mean g) = sum_i (w_i - mean w) g_i, and the penalty, the same in every g_i, drops out. */
static od_status model_weighted(const od_problem *problem, size_t n, const double *x, const double *weight, double *out,
                                double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    const size_t samples = m->data.rows;
    pack(m, true, n, x, w.x);
    memset(w.sum, 0, n * m->data.stride * sizeof *w.sum);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    for (size_t i = 0; i < samples; i++) {
        for (size_t p = 0; p < n; p++) {
            w.scalar[p] += weight[i * n + p];
        }
    }
    for (size_t from = 0; from < samples; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        for (size_t p = 0, width; p < n; p += width) {
            width = od_design_width(n, p);
            od_design_apply(&m->design, from, rows, width, w.x + p * m->data.stride, w.margin);
            for (size_t k = 0; k < width; k++) {
                const double mean = w.scalar[p + k] / (double)samples;
                double *slope = w.first + k * rows;
                m->link(rows, w.margin + k * rows, m->data.target + from, NULL, slope, NULL);
                for (size_t r = 0; r < rows; r++) {
                    slope[r] *= weight[(from + r) * n + p + k] - mean;
                }
            }
            od_design_add(&m->design, from, rows, width, w.first, w.sum + p * m->data.stride);
        }
    }
    unpack(m, true, n, w.sum, 1 / (double)samples, NULL, out);
    return OD_OK;
}

void od_linear_model_forget_rows(od_linear_model *model)
{
    free(model->data.row);
    model->data.row = NULL;
}

void od_linear_model_close(od_linear_model *model)
{
    od_design_free(&model->design);
    od_data_free(&model->data);
}

od_status od_linear_model_open(od_context *ctx, const od_settings *s, od_link *link, bool classify,
                               od_linear_model *model, od_problem *problem)
{
    openblas_set_num_threads(1);
    od_status status = od_data_read(ctx, s, classify ? OD_TARGETS_SIGNS : OD_TARGETS_NUMBERS,
                                    od_setting_real(s, "bias") != 0, &model->data);
    if (status != OD_OK) {
        return status;
    }
    if (model->data.outputs != 1) {
        return od_setting_fail(ctx, s, "data", "its targets are lists of %zu numbers; a regression takes one",
                               model->data.outputs);
    }
    if (!od_design_create(&model->data, &model->design)) {
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for %zu samples", model->data.rows);
    }
    model->lambda = od_setting_real(s, "lambda");
    model->link = link;
    problem->dim = model->data.cols;
    problem->samples = model->data.rows;
    problem->scratch = (od_scratch){3 * OD_PANEL * ROWS + 2 * SIDE * model->data.stride, 3 * model->data.stride + 1};
    problem->eval = model_eval;
    problem->hvp = model_hvp;
    problem->eval_samples = model_samples;
    problem->weighted_gradients = model_weighted;
    problem->inputs = model->data.inputs;
    problem->data = model;
    return OD_OK;
}

typedef struct gram {
    const od_linear_model *model;
    double *ws;
} gram;

static od_status gram_product(void *user, const double *v, double *av)
{
    const gram *q = user;
    const od_linear_model *m = q->model;
    const workspace w = share(m, 1, q->ws);
    pack(m, true, 1, v, w.x);
    memset(w.sum, 0, m->data.stride * sizeof *w.sum);
    for (size_t from = 0; from < m->data.rows; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        od_design_apply(&m->design, from, rows, 1, w.x, w.margin);
        od_design_add(&m->design, from, rows, 1, w.margin, w.sum);
    }
    unpack(m, true, 1, w.sum, 1 / (double)m->data.rows, NULL, av);
    return OD_OK;
}

od_status od_linear_model_gram(od_context *ctx, const od_linear_model *model, const od_problem *problem,
                               double *largest)
{
    double *ws = od_zalloc(od_scratch_size(&problem->scratch, 1), sizeof *ws);
    if (ws == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for the largest curvature");
    }
    gram q = {model, ws};
    od_extremes e;
    od_status status = od_lanczos(ctx, model->data.cols, gram_product, &q, MARGIN_STEPS, 1e-10, true, &e);
    *largest = status == OD_OK ? e.high + e.high_error : NAN;
    free(ws);
    return status;
}

static void model_free(void *data)
{
    od_linear_model_close(data);
    free(data);
}

od_status od_linear_model_create(od_context *ctx, const od_settings *s, od_link *link, double curvature_bound,
                                 bool convex, const char *bound, const char *lower_bound, od_problem *problem)
{
    od_linear_model *m = od_zalloc(1, sizeof *m);
    double largest = NAN;
    od_status status = m != NULL ? od_linear_model_open(ctx, s, link, true, m, problem)
                                 : od_fail(ctx, OD_ENOMEM, "problem", "no memory for a problem");
    if (status == OD_OK) {
        od_linear_model_forget_rows(m);
        status = od_linear_model_gram(ctx, m, problem, &largest);
    }
    if (status != OD_OK) {
        if (m != NULL) {
            model_free(m);
        }
        return status;
    }
    problem->lipschitz = (od_constant){m->lambda + curvature_bound * largest, bound};
    problem->convexity = (od_constant){convex ? m->lambda : m->lambda - curvature_bound * largest, lower_bound};
    problem->minimum.how = "unknown: no closed form";
    problem->free = model_free;
    return OD_OK;
}
