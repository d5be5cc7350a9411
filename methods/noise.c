/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "noise.h"

#include "../src/clones.h"

#include <math.h>
#include <string.h>

static od_status read_covariance(od_context *ctx, const od_settings *s, const od_problem *f, double tau,
                                 od_sigma *sigma)
{
    if (f->weighted_gradients == NULL) {
        return od_setting_fail(
            ctx, s, "noise",
            "gradient-covariance needs a finite sum, and the problem '%s' is none; give a number or a "
            "matrix, or a problem on data",
            f->name);
    }
    if (isnan(tau)) {
        return od_setting_fail(ctx, s, "noise",
                               "gradient-covariance is sqrt(tau Sigma / batch): give method.step, the learning rate");
    }
    const double batch = od_setting_present(s, "batch") ? od_setting_real(s, "batch") : 1;
    sigma->kind = OD_SIGMA_COVARIANCE;
    sigma->dim = f->samples;
    sigma->number = sqrt(tau * (double)f->samples / batch);
    return OD_OK;
}

od_status od_sigma_read(od_context *ctx, const od_settings *s, const od_problem *f, double tau, od_sigma *sigma)
{
    *sigma = (od_sigma){.kind = OD_SIGMA_NONE, .f = f};
    const od_value *v = od_setting(s, "noise");
    if (!v->present) {
        return OD_OK;
    }
    if (v->kind == OD_TEXT) {
        if (strcmp(v->text, "gradient-covariance") != 0) {
            return od_setting_fail(ctx, s, "noise",
                                   "'%s' is not a noise; give a number, a matrix or gradient-covariance", v->text);
        }
        return read_covariance(ctx, s, f, tau, sigma);
    }
    if (v->kind == OD_REAL) {
        sigma->kind = OD_SIGMA_NUMBER;
        sigma->number = v->real;
        sigma->dim = f->dim;
        return OD_OK;
    }
    if (v->kind != OD_MATRIX || v->rows != f->dim) {
        return od_setting_fail(ctx, s, "noise",
                               "expected a number or a matrix with %zu rows, one per dimension of the problem, got %zu",
                               f->dim, v->kind == OD_MATRIX ? v->rows : (size_t)1);
    }
    sigma->kind = OD_SIGMA_MATRIX;
    sigma->dim = v->cols;
    sigma->matrix = v->list;
    return OD_OK;
}

OD_CLONES static void apply_number(double c, size_t size, const double *restrict dw, double *restrict out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = c * dw[i];
    }
}

OD_CLONES static void apply_matrix(const od_sigma *sigma, double scale, size_t n, const double *restrict dw,
                                   double *restrict out)
{
    const size_t d = sigma->f->dim;
    memset(out, 0, d * n * sizeof *out);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < sigma->dim; j++) {
            const double c = scale * sigma->matrix[i * sigma->dim + j];
            for (size_t p = 0; p < n; p++) {
                out[i * n + p] += c * dw[j * n + p];
            }
        }
    }
}

od_status od_sigma_apply(const od_sigma *sigma, double scale, size_t n, const double *x, const double *dw, double *out,
                         double *ws)
{
    const size_t size = sigma->f->dim * n;
    if (sigma->kind == OD_SIGMA_NUMBER) {
        apply_number(scale * sigma->number, size, dw, out);
        return OD_OK;
    }
    if (sigma->kind == OD_SIGMA_MATRIX) {
        apply_matrix(sigma, scale, n, dw, out);
        return OD_OK;
    }
    od_status status = sigma->f->weighted_gradients(sigma->f, n, x, dw, out, ws);
    const double c = scale * sigma->number;
    for (size_t i = 0; i < size; i++) {
        out[i] *= c;
    }
    return status;
}
