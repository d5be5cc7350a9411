/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linear_model.h"

#include "../src/lanczos.h"
#include "../src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, MARGIN_STEPS = 200 };

/* Scratch. Columns come first, so that a column is aligned in the same way in any batch. */
typedef struct workspace {
    double *margin, *first, *second; /* [ROWS] */
    double *x, *sum, *along;         /* [n*stride], point after point */
    double *scalar;                  /* [n] */
} workspace;

static workspace share(const od_linear_model *m, size_t n, double *ws)
{
    const size_t columns = n * m->data.stride;
    double *x = ws + 3 * ROWS;
    return (workspace){.margin = ws,
                       .first = ws + ROWS,
                       .second = ws + 2 * ROWS,
                       .x = x,
                       .sum = x + columns,
                       .along = x + 2 * columns,
                       .scalar = x + 3 * columns};
}

/* Points to columns: BLAS wants each one contiguous. */
static void gather(const od_linear_model *m, size_t n, const double *x, double *columns)
{
    for (size_t p = 0; p < n; p++) {
        for (size_t j = 0; j < m->data.cols; j++) {
            columns[p * m->data.stride + j] = x[j * n + p];
        }
    }
}

/* out = scale columns + lambda x, components again with p fast; x may be NULL. */
static void scatter(const od_linear_model *m, size_t n, const double *columns, double scale, const double *x,
                    double *out)
{
    for (size_t j = 0; j < m->data.cols; j++) {
        for (size_t p = 0; p < n; p++) {
            const double sum = scale * columns[p * m->data.stride + j];
            out[j * n + p] = x != NULL ? sum + m->lambda * x[j * n + p] : sum;
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

/* t = A v over a chunk. */
static void forward(const od_linear_model *m, size_t from, size_t rows, const double *v, double *t)
{
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)m->data.cols, 1, m->data.row + from * m->data.stride,
                (int)m->data.stride, v, 1, 0, t, 1);
}

/* sum += A^T t over a chunk. */
static void backward(const od_linear_model *m, size_t from, size_t rows, const double *t, double *sum)
{
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, (int)m->data.cols, 1, m->data.row + from * m->data.stride,
                (int)m->data.stride, t, 1, 1, sum, 1);
}

static od_status model_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                            double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    const bool value = (want & OD_VALUE) != 0, gradient = (want & OD_GRADIENT) != 0;
    gather(m, n, x, w.x);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    memset(w.sum, 0, gradient ? n * m->data.stride * sizeof *w.sum : 0);
    for (size_t from = 0; from < m->data.rows; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        for (size_t p = 0; p < n; p++) {
            forward(m, from, rows, w.x + p * m->data.stride, w.margin);
            m->link(rows, w.margin, m->data.target + from, value ? w.first : NULL, gradient ? w.second : NULL, NULL);
            if (value) {
                double sum = 0;
                for (size_t r = 0; r < rows; r++) {
                    sum += w.first[r];
                }
                w.scalar[p] += sum;
            }
            if (gradient) {
                backward(m, from, rows, w.second, w.sum + p * m->data.stride);
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
        scatter(m, n, w.sum, scale, x, g);
    }
    return OD_OK;
}

static od_status model_hvp(const od_problem *problem, size_t n, const double *x, size_t directions, const double *u,
                           double *hu, double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    gather(m, n, x, w.x);
    for (size_t j = 0; j < directions; j++) {
        const double *direction = u + j * m->data.cols * n;
        gather(m, n, direction, w.along);
        memset(w.sum, 0, n * m->data.stride * sizeof *w.sum);
        for (size_t from = 0; from < m->data.rows; from += ROWS) {
            const size_t rows = chunk_rows(m, from);
            for (size_t p = 0; p < n; p++) {
                forward(m, from, rows, w.x + p * m->data.stride, w.margin);
                m->link(rows, w.margin, m->data.target + from, NULL, NULL, w.first);
                forward(m, from, rows, w.along + p * m->data.stride, w.second);
                for (size_t r = 0; r < rows; r++) {
                    w.second[r] *= w.first[r];
                }
                backward(m, from, rows, w.second, w.sum + p * m->data.stride);
            }
        }
        scatter(m, n, w.sum, 1 / (double)m->data.rows, direction, hu + j * m->data.cols * n);
    }
    return OD_OK;
}

static od_status model_samples(const od_problem *problem, unsigned want, size_t n, const double *x, size_t batch,
                               const uint32_t *index, double *f, double *g, double *ws)
{
    const od_linear_model *m = problem->data;
    const workspace w = share(m, n, ws);
    const bool value = (want & OD_VALUE) != 0, gradient = (want & OD_GRADIENT) != 0;
    const int d = (int)m->data.cols;
    gather(m, n, x, w.x);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    memset(w.sum, 0, gradient ? n * m->data.stride * sizeof *w.sum : 0);
    for (size_t p = 0; p < n; p++) {
        for (size_t b = 0; b < batch; b++) {
            const size_t i = index[b * n + p];
            if (i >= m->data.rows) {
                return OD_EINVAL;
            }
            const double *row = m->data.row + i * m->data.stride;
            const double t = cblas_ddot(d, row, 1, w.x + p * m->data.stride, 1);
            double term = 0, slope = 0;
            m->link(1, &t, &m->data.target[i], value ? &term : NULL, gradient ? &slope : NULL, NULL);
            w.scalar[p] += term;
            if (gradient) {
                cblas_daxpy(d, slope, row, 1, w.sum + p * m->data.stride, 1);
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
        scatter(m, n, w.sum, 1 / (double)batch, x, g);
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
    gather(m, n, x, w.x);
    memset(w.sum, 0, n * m->data.stride * sizeof *w.sum);
    memset(w.scalar, 0, n * sizeof *w.scalar);
    for (size_t i = 0; i < samples; i++) {
        for (size_t p = 0; p < n; p++) {
            w.scalar[p] += weight[i * n + p];
        }
    }
    for (size_t from = 0; from < samples; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        for (size_t p = 0; p < n; p++) {
            const double mean = w.scalar[p] / (double)samples;
            forward(m, from, rows, w.x + p * m->data.stride, w.margin);
            m->link(rows, w.margin, m->data.target + from, NULL, w.first, NULL);
            for (size_t r = 0; r < rows; r++) {
                w.first[r] *= weight[(from + r) * n + p] - mean;
            }
            backward(m, from, rows, w.first, w.sum + p * m->data.stride);
        }
    }
    scatter(m, n, w.sum, 1 / (double)samples, NULL, out);
    return OD_OK;
}

void od_linear_model_close(od_linear_model *model)
{
    od_data_free(&model->data);
}

od_status od_linear_model_open(od_context *ctx, const od_settings *s, od_link *link, bool classify,
                               od_linear_model *model, od_problem *problem)
{
    openblas_set_num_threads(1);
    od_status status = od_data_read(ctx, s, classify, &model->data);
    if (status != OD_OK) {
        return status;
    }
    model->lambda = od_setting_real(s, "lambda");
    model->link = link;
    problem->dim = model->data.cols;
    problem->samples = model->data.rows;
    problem->scratch = (od_scratch){3 * ROWS, 3 * model->data.stride + 1};
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
    double *margin; /* [ROWS] */
} gram;

static od_status gram_product(void *user, const double *v, double *av)
{
    const gram *q = user;
    const od_linear_model *m = q->model;
    memset(av, 0, m->data.cols * sizeof *av);
    for (size_t from = 0; from < m->data.rows; from += ROWS) {
        const size_t rows = chunk_rows(m, from);
        forward(m, from, rows, v, q->margin);
        backward(m, from, rows, q->margin, av);
    }
    cblas_dscal((int)m->data.cols, 1 / (double)m->data.rows, av, 1);
    return OD_OK;
}

od_status od_linear_model_gram(od_context *ctx, const od_linear_model *model, double *largest)
{
    double margin[ROWS];
    gram q = {model, margin};
    od_extremes e;
    od_status status = od_lanczos(ctx, model->data.cols, gram_product, &q, MARGIN_STEPS, 1e-10, true, &e);
    *largest = status == OD_OK ? e.high + e.high_error : NAN;
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
        status = od_linear_model_gram(ctx, m, &largest);
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
