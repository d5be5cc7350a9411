/*
 * f(U) = (1/4n) sum_i (<A_i, U U'> - y_i)^2, with lambda |U|^2/2: a positive matrix of low rank from n measurements.
 *
 * U is dim x rank. A_i and y_i are given, or drawn: A_i = (G + G')/2 with standard normal G; y_i = <A_i, V V'>, V dim x
 * true_rank with entries of variance 1/dim. They are stored over sqrt(2), so that the mean of squares over 2 is the
 * loss.
 *
 * Source: Y. Li, T. Ma, H. Zhang, COLT 2018.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include <math.h>

enum { MOST_SIDE = 512, MOST_MEASUREMENTS = 1 << 20 };

static void measure(od_data *data, size_t d, size_t rank, uint64_t seed)
{
    enum { MATRICES, TRUTH };
    for (size_t i = 0; i < data->rows; i++) {
        double *a = data->row + i * data->stride, y = 0;
        for (size_t r = 0; r < d; r++) {
            for (size_t c = 0; c < d; c++) {
                a[r * d + c] = (od_normal(seed, OD_STREAM_DATA, MATRICES, r * d + c, i) +
                                od_normal(seed, OD_STREAM_DATA, MATRICES, c * d + r, i)) /
                               sqrt(8);
            }
        }
        for (size_t k = 0; k < rank; k++) {
            for (size_t r = 0; r < d; r++) {
                const double v = od_normal(seed, OD_STREAM_DATA, TRUTH, r, k) / (double)d;
                for (size_t c = 0; c < d; c++) {
                    y += a[r * d + c] * v * od_normal(seed, OD_STREAM_DATA, TRUTH, c, k);
                }
            }
        }
        data->target[i] = y;
    }
}

static void take(od_data *data, const od_value *matrices, const od_value *values)
{
    for (size_t i = 0; i < data->rows; i++) {
        for (size_t k = 0; k < data->cols; k++) {
            data->row[i * data->stride + k] = matrices->list[i * data->cols + k] / sqrt(2);
        }
        data->target[i] = values->list[i] / sqrt(2);
    }
}

static od_status check_given(od_context *ctx, const od_settings *s, size_t d)
{
    static const char *const drawn[] = {"true_rank", "measurements", "data_seed", NULL};
    const od_value *matrices = od_setting(s, "matrices"), *values = od_setting(s, "values");
    if (matrices->present != values->present) {
        return od_setting_fail(ctx, s, matrices->present ? "values" : "matrices",
                               "`matrices` and `values` go together: give both, or neither to have them drawn");
    }
    if (matrices->present && matrices->cols != d * d) {
        return od_setting_fail(ctx, s, "matrices", "a row holds dim^2 = %zu numbers, one matrix row by row; got %zu",
                               d * d, matrices->cols);
    }
    if (matrices->present && matrices->rows != values->cols) {
        return od_setting_fail(ctx, s, "values", "%zu values for %zu matrices; give as many", values->cols,
                               matrices->rows);
    }
    return od_network_drawn_only(ctx, s, "matrices", drawn);
}

static od_status matrix_sensing_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    const size_t d = (size_t)od_setting_real(s, "dim"), true_rank = (size_t)od_setting_real(s, "true_rank");
    const od_value *matrices = od_setting(s, "matrices");
    const size_t n = matrices->present ? matrices->rows : (size_t)od_setting_real(s, "measurements");
    od_network_problem *np;
    od_network_spec spec = {.kind = OD_NETWORK_SENSING,
                            .rank = od_setting_present(s, "rank") ? (size_t)od_setting_real(s, "rank") : d};
    if (true_rank > d && !matrices->present) {
        return od_setting_fail(ctx, s, "true_rank", "it is at most dim = %zu", d);
    }
    od_status status = check_given(ctx, s, d);
    status = status == OD_OK ? od_network_make(ctx, n, d * d, 1, &spec, &np) : status;
    if (status != OD_OK) {
        return status;
    }
    if (matrices->present) {
        take(&np->data, matrices, od_setting(s, "values"));
    } else {
        measure(&np->data, d, true_rank, (uint64_t)od_setting_real(s, "data_seed"));
    }
    status = od_network_open(ctx, s, &spec, np, problem);
    if (status == OD_OK && !matrices->present && od_setting_real(s, "lambda") == 0 && spec.rank >= true_rank) {
        problem->minimum = (od_constant){0, "closed form: the measured matrix is one of the candidates"};
    }
    return status;
}

const od_problem_type od_problem_matrix_sensing = {
    .name = "matrix-sensing",
    .summary = "mean of (<A, U U'> - y)^2/4 over symmetric A: a low-rank matrix from measurements",
    .source = "Y. Li, T. Ma and H. Zhang, COLT 2018",
    .params =
        (const od_param[]){
            {.name = "dim", .kind = OD_INTEGER, .fallback = "10", .low = 1, .high = MOST_SIDE, .meaning = "rows of U"},
            {.name = "rank",
             .kind = OD_INTEGER,
             .fallback = "",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "columns of U; dim if absent"},
            {.name = "matrices",
             .kind = OD_MATRIX,
             .fallback = "",
             .meaning = "A_i, each a row of dim^2 numbers; drawn if absent"},
            {.name = "values", .kind = OD_VECTOR, .fallback = "", .meaning = "y_i, one for each of the matrices"},
            {.name = "true_rank",
             .kind = OD_INTEGER,
             .fallback = "2",
             .low = 1,
             .high = MOST_SIDE,
             .meaning = "of the matrix that is measured, if drawn"},
            {.name = "measurements",
             .kind = OD_INTEGER,
             .fallback = "50",
             .unit = "samples",
             .low = 1,
             .high = MOST_MEASUREMENTS,
             .meaning = "n, if drawn"},
            {.name = "data_seed",
             .kind = OD_INTEGER,
             .fallback = "1",
             .low = 0,
             .high = 9007199254740991.0,
             .meaning = "seed of the matrices and of the one measured"},
            OD_NETWORK_LAMBDA_PARAM,
            OD_NETWORK_INIT_PARAMS("lecun"),
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .needs = "LibTorch",
    .create = matrix_sensing_create,
};
