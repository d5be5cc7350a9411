/*
 * f(w) = lambda |w|^2/2 + (1/N) sum_i (<a_i, w> - b_i)^2/2, b_i a number or, with `classes`, +1 or -1.
 *
 * It is quadratic with Hessian H = A'A/N + lambda. Up to 512 dimensions its spectrum is stated, so that closed forms
 * apply; up to 2048 its extreme curvatures, minimum and minimiser come from LAPACK; beyond, L comes from Lanczos.
 *
 * Source: A.-M. Legendre (1805); ridge: A. E. Hoerl and R. W. Kennard, Technometrics 12 (1970), 55-67.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "linear_model.h"

#include "../src/memory.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPECTRUM = 512, MAX_SOLVE = 2048 };

typedef struct least_squares {
    od_linear_model model;
    od_spectrum spectrum;
    double *eigenvalues, *minimiser; /* [d] */
    double *matrix;                  /* [d*d]: H, then its eigenvectors or its factor */
} least_squares;

static void least_squares_link(size_t count, const double *t, const double *target, double *value, double *slope,
                               double *curvature)
{
    for (size_t i = 0; i < count; i++) {
        const double residual = t[i] - target[i];
        if (value != NULL) {
            value[i] = 0.5 * residual * residual;
        }
        if (slope != NULL) {
            slope[i] = residual;
        }
        if (curvature != NULL) {
            curvature[i] = 1;
        }
    }
}

static void least_squares_free(void *data)
{
    least_squares *q = data;
    if (q != NULL) {
        od_linear_model_close(&q->model);
        free(q->eigenvalues);
        free(q->minimiser);
        free(q->matrix);
        free(q);
    }
}

/* matrix = A'A/N + lambda, both triangles; minimiser = A'b/N, the right side of the normal equations. */
static void normal_equations(least_squares *q)
{
    const od_data *a = &q->model.data;
    const int d = (int)a->cols, rows = (int)a->rows, stride = (int)a->stride;
    const double scale = 1 / (double)a->rows;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, rows, scale, a->row, stride, 0, q->matrix, d);
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, d, scale, a->row, stride, a->target, 1, 0, q->minimiser, 1);
    for (size_t i = 0; i < a->cols; i++) {
        q->matrix[i * a->cols + i] += q->model.lambda;
        for (size_t j = 0; j < i; j++) {
            q->matrix[i * a->cols + j] = q->matrix[j * a->cols + i];
        }
    }
}

/* Rounding can put an eigenvalue below lambda, where none is. Returns what counts as no more than lambda. */
static double clip(least_squares *q)
{
    const size_t d = q->model.data.cols;
    for (size_t i = 0; i < d; i++) {
        q->eigenvalues[i] = fmax(q->eigenvalues[i], q->model.lambda);
    }
    return q->model.lambda + (double)d * DBL_EPSILON * q->eigenvalues[d - 1];
}

/* All eigenvectors, with room for d numbers; the minimiser is the shortest one where there are several. */
static bool diagonalise(least_squares *q, double *y)
{
    const int d = (int)q->model.data.cols;
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', d, q->matrix, d, q->eigenvalues) != 0) {
        return false;
    }
    const double flat = clip(q);
    cblas_dgemv(CblasRowMajor, CblasTrans, d, d, 1, q->matrix, d, q->minimiser, 1, 0, y, 1);
    for (int i = 0; i < d; i++) {
        y[i] = q->eigenvalues[i] > flat ? y[i] / q->eigenvalues[i] : 0;
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, d, d, 1, q->matrix, d, y, 1, 0, q->minimiser, 1);
    return true;
}

/* Eigenvalues alone, and Cholesky, with room for d*d numbers; *solved is false where the normal equations are singular
 * to rounding. */
static bool solve(least_squares *q, double *copy, bool *solved)
{
    const int d = (int)q->model.data.cols;
    memcpy(copy, q->matrix, (size_t)d * (size_t)d * sizeof *copy);
    const bool ok = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', d, copy, d, q->eigenvalues) == 0;
    if (ok) {
        clip(q);
        *solved = q->eigenvalues[0] > (double)d * DBL_EPSILON * q->eigenvalues[d - 1] &&
                  LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', d, 1, q->matrix, d, q->minimiser, 1) == 0;
    }
    return ok;
}

/* Value at the minimiser, which errs only in second order. */
static od_status state_minimum(least_squares *q, const char *how, od_problem *problem)
{
    double *ws = od_zalloc(od_scratch_size(&problem->scratch, 1), sizeof *ws);
    if (ws == NULL) {
        return OD_ENOMEM;
    }
    problem->eval(problem, OD_VALUE, 1, q->minimiser, &problem->minimum.value, NULL, ws);
    free(ws);
    problem->minimum.how = "value at the minimiser";
    problem->minimiser = q->minimiser;
    problem->minimiser_how = how;
    return OD_OK;
}

static od_status state_closed_forms(od_context *ctx, least_squares *q, od_problem *problem)
{
    const size_t d = problem->dim;
    q->eigenvalues = od_zalloc(d, sizeof(double));
    q->minimiser = od_zalloc(d, sizeof(double));
    q->matrix = od_zalloc(d * d, sizeof(double));
    const bool whole = d <= MAX_SPECTRUM;
    double *room = od_zalloc(whole ? d : d * d, sizeof *room);
    if (q->eigenvalues == NULL || q->minimiser == NULL || q->matrix == NULL || room == NULL) {
        free(room);
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for a matrix of %zu dimensions", d);
    }
    normal_equations(q);
    bool solved = whole;
    const bool found = whole ? diagonalise(q, room) : solve(q, room, &solved);
    free(room);
    if (!found) {
        return od_fail(ctx, OD_ENUMERIC, "problem", "LAPACK found no eigenvalues of the normal equations");
    }
    problem->lipschitz = (od_constant){q->eigenvalues[d - 1], "largest eigenvalue of A'A/N + lambda (LAPACK)"};
    problem->convexity = (od_constant){q->eigenvalues[0], "smallest eigenvalue of A'A/N + lambda (LAPACK)"};
    if (whole) {
        q->spectrum = (od_spectrum){q->eigenvalues, q->matrix, q->minimiser};
        problem->spectrum = &q->spectrum;
    }
    if (!solved) {
        problem->minimum.how = "unknown: the normal equations are singular to rounding; give lambda > 0";
        return OD_OK;
    }
    const char *how = whole ? "normal equations by LAPACK's eigenvectors, the shortest solution"
                            : "normal equations by LAPACK's Cholesky factor";
    return state_minimum(q, how, problem) == OD_OK
               ? OD_OK
               : od_fail(ctx, OD_ENOMEM, "problem", "no memory to evaluate the minimum");
}

static od_status state_bounds(od_context *ctx, const least_squares *q, od_problem *problem)
{
    double largest;
    od_status status = od_linear_model_gram(ctx, &q->model, problem, &largest);
    problem->lipschitz = (od_constant){q->model.lambda + largest, "lambda + lambda_max(A'A)/N by Lanczos"};
    problem->convexity = (od_constant){q->model.lambda, "bound: at least lambda"};
    problem->minimum.how = "unknown: too many dimensions to solve the normal equations";
    return status;
}

static od_status least_squares_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    least_squares *q = od_zalloc(1, sizeof *q);
    od_status status = q != NULL ? od_linear_model_open(ctx, s, least_squares_link, false, &q->model, problem)
                                 : od_fail(ctx, OD_ENOMEM, "problem", "no memory for a problem");
    if (status == OD_OK) {
        status = problem->dim <= MAX_SOLVE ? state_closed_forms(ctx, q, problem) : state_bounds(ctx, q, problem);
    }
    if (q != NULL) {
        od_linear_model_forget_rows(&q->model);
    }
    problem->free = least_squares_free;
    if (status != OD_OK) {
        least_squares_free(q);
    }
    return status;
}

const od_problem_type od_problem_least_squares = {
    .name = "least-squares",
    .summary = "mean of (<a, w> - b)^2/2 over a data set, with lambda |w|^2/2: quadratic",
    .source = "A.-M. Legendre (1805); A. E. Hoerl and R. W. Kennard, Technometrics 12 (1970), 55-67",
    .params = (const od_param[]){OD_DATA_PARAMS("teacher", "false"), {.name = NULL}},
    .create = least_squares_create,
};
