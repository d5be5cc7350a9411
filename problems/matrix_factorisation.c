/*
 * f(W_1, ..., W_L) = |W_L ... W_1 - M|_F^2/2, with lambda |W|^2/2: a matrix as a product, or a linear network on
 * whitened data. W_1 is rank x columns, W_L rows x rank, those between rank x rank. Symmetric: f(U) = |U U' - M|_F^2/2,
 * U rows x rank.
 *
 * It is a linear network on the samples sqrt(c) e_j with targets sqrt(c) M e_j, c the number of columns: the mean over
 * them is the sum above, and a mini-batch takes columns.
 *
 * Source: P. Baldi, K. Hornik, Neural Networks 2 (1989), 53-58 (all minima are global); symmetric: S. Burer, R. D. C.
 * Monteiro, Mathematical Programming 95 (2003), 329-357; the minimum: C. Eckart, G. Young, Psychometrika 1 (1936),
 * 211-218.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include "../src/memory.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SIDE = 2048 };

/* M[rows*cols]: the one given, or A B'/sqrt(r) with standard normal A and B of r columns; symmetric: A = B. */
static od_status read_matrix(od_context *ctx, const od_settings *s, size_t *rows, size_t *cols, double **matrix)
{
    const od_value *given = od_setting(s, "matrix");
    const uint64_t seed = (uint64_t)od_setting_real(s, "data_seed");
    const bool symmetric = od_setting_real(s, "symmetric") != 0;
    *rows = given->present ? given->rows : (size_t)od_setting_real(s, "rows");
    *cols = given->present ? given->cols : (size_t)od_setting_real(s, "columns");
    const size_t rank = (size_t)od_setting_real(s, "true_rank");
    if (!given->present && rank > fmin((double)*rows, (double)*cols)) {
        return od_setting_fail(ctx, s, "true_rank", "a %zu x %zu matrix has no rank of %zu; take less", *rows, *cols,
                               rank);
    }
    double *m = od_zalloc(*rows * *cols, sizeof *m);
    if (m == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.matrix", "no memory for %zu x %zu numbers", *rows, *cols);
    }
    for (size_t i = 0; i < *rows * *cols; i++) {
        const size_t r = i / *cols, c = i % *cols;
        for (size_t k = 0; k < rank && !given->present; k++) {
            m[i] += od_normal(seed, OD_STREAM_DATA, 0, r, k) *
                    od_normal(seed, OD_STREAM_DATA, symmetric ? 0 : 1, c, k) / sqrt((double)rank);
        }
        m[i] = given->present ? given->list[i] : m[i];
    }
    *matrix = m;
    return OD_OK;
}

/* Half the squares of the singular values behind the first `rank`; spoils m. */
static od_status least(od_context *ctx, size_t rows, size_t cols, size_t rank, double *m, double *minimum)
{
    const size_t count = rows < cols ? rows : cols;
    double *value = od_zalloc(2 * count, sizeof *value);
    if (value == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.matrix", "no memory for %zu singular values", count);
    }
    const lapack_int info = LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', (lapack_int)rows, (lapack_int)cols, m,
                                           (lapack_int)cols, value, NULL, 1, NULL, 1, value + count);
    *minimum = 0;
    for (size_t k = rank; k < count; k++) {
        *minimum += 0.5 * value[k] * value[k];
    }
    free(value);
    return info == 0 ? OD_OK : od_fail(ctx, OD_ENUMERIC, "problem.matrix", "its singular values were not found");
}

/* Half the squares of all eigenvalues but the `rank` largest ones that are positive; spoils m. */
static od_status least_symmetric(od_context *ctx, size_t side, size_t rank, double *m, double *minimum)
{
    double *value = od_zalloc(side, sizeof *value);
    if (value == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.matrix", "no memory for %zu eigenvalues", side);
    }
    const lapack_int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)side, m, (lapack_int)side, value);
    *minimum = 0;
    for (size_t k = 0; k < side; k++) { /* ascending */
        const bool kept = side - k <= rank && value[k] > 0;
        *minimum += kept ? 0 : 0.5 * value[k] * value[k];
    }
    free(value);
    return info == 0 ? OD_OK : od_fail(ctx, OD_ENUMERIC, "problem.matrix", "its eigenvalues were not found");
}

static od_status check_symmetric(od_context *ctx, const od_settings *s, size_t rows, size_t cols, const double *m)
{
    if (od_setting_real(s, "depth") != 2) {
        return od_setting_fail(ctx, s, "depth", "U U' has two factors; leave the entry out, or symmetric");
    }
    if (rows != cols) {
        return od_setting_fail(ctx, s, od_setting_present(s, "matrix") ? "matrix" : "columns",
                               "U U' is square, but M is %zu x %zu; make it square, or leave symmetric out", rows,
                               cols);
    }
    for (size_t i = 0; i < rows * cols; i++) {
        const size_t r = i / cols, c = i % cols;
        if (m[r * cols + c] != m[c * cols + r]) {
            return od_setting_fail(ctx, s, "matrix", "U U' is symmetric, but M(%zu, %zu) = %g and M(%zu, %zu) = %g",
                                   r + 1, c + 1, m[r * cols + c], c + 1, r + 1, m[c * cols + r]);
        }
    }
    return OD_OK;
}

static void fill_samples(od_data *data, const double *m)
{
    const size_t rows = data->outputs, cols = data->cols;
    const double scale = sqrt((double)cols);
    for (size_t j = 0; j < cols; j++) {
        data->row[j * cols + j] = scale;
        for (size_t i = 0; i < rows; i++) {
            data->target[j * rows + i] = scale * m[i * cols + j];
        }
    }
}

static od_status matrix_factorisation_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    static const char *const drawn[] = {"rows", "columns", "true_rank", "data_seed", NULL};
    size_t width[OD_NETWORK_LAYERS], rows, cols;
    const size_t rank = (size_t)od_setting_real(s, "rank");
    const bool symmetric = od_setting_real(s, "symmetric") != 0;
    od_network_problem *np;
    od_network_spec spec = {.kind = symmetric ? OD_NETWORK_GRAM : OD_NETWORK_MLP,
                            .depth = (size_t)od_setting_real(s, "depth") - 1,
                            .width = width,
                            .rank = rank};
    double *m = NULL, minimum = NAN;
    od_status status = od_network_drawn_only(ctx, s, "matrix", drawn);
    status = status == OD_OK ? read_matrix(ctx, s, &rows, &cols, &m) : status;
    if (status != OD_OK) {
        return status;
    }
    for (size_t l = 0; l < spec.depth; l++) {
        width[l] = rank;
    }
    status = symmetric ? check_symmetric(ctx, s, rows, cols, m) : OD_OK;
    status = status == OD_OK ? od_network_make(ctx, cols, cols, rows, &spec, &np) : status;
    if (status == OD_OK) {
        fill_samples(&np->data, m);
        status = symmetric ? least_symmetric(ctx, rows, rank, m, &minimum)
                           : least(ctx, rows, cols, spec.depth > 0 ? rank : SIZE_MAX, m, &minimum);
        if (status != OD_OK) {
            od_network_discard(np);
        }
    }
    free(m);
    status = status == OD_OK ? od_network_open(ctx, s, &spec, np, problem) : status;
    if (status == OD_OK && od_setting_real(s, "lambda") == 0) {
        problem->minimum = (od_constant){minimum, "closed form: half the squares of the singular values left out"};
    }
    return status;
}

const od_problem_type od_problem_matrix_factorisation = {
    .name = "matrix-factorisation",
    .summary = "|W_L ... W_1 - M|^2/2: a matrix as a product, a deep linear network on whitened data",
    .source = "P. Baldi and K. Hornik, Neural Networks 2 (1989), 53-58",
    .params =
        (const od_param[]){
            {.name = "matrix", .kind = OD_MATRIX, .fallback = "", .meaning = "M; drawn if absent"},
            {.name = "rows",
             .kind = OD_INTEGER,
             .fallback = "10",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "of M if drawn"},
            {.name = "columns",
             .kind = OD_INTEGER,
             .fallback = "10",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "of M if drawn"},
            {.name = "true_rank",
             .kind = OD_INTEGER,
             .fallback = "2",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "of M if drawn"},
            {.name = "data_seed",
             .kind = OD_INTEGER,
             .fallback = "1",
             .low = 0,
             .high = 9007199254740991.0,
             .meaning = "seed of M if drawn"},
            {.name = "rank",
             .kind = OD_INTEGER,
             .fallback = "2",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "inner dimension of the factors"},
            {.name = "symmetric",
             .kind = OD_FLAG,
             .fallback = "false",
             .meaning = "U U' in place of W_2 W_1, for a symmetric M"},
            {.name = "depth",
             .kind = OD_INTEGER,
             .fallback = "2",
             .unit = "layers",
             .low = 1,
             .high = 64,
             .meaning = "number of factors"},
            OD_NETWORK_LAMBDA_PARAM,
            OD_NETWORK_INIT_PARAMS("lecun"),
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .needs = "LibTorch",
    .create = matrix_factorisation_create,
};
