/*
 * f(w) = lambda |w|^2/2 + (1/N) sum_i log(1 + exp(-b_i <a_i, w>)), b_i = +1 or -1.
 *
 * Convex, strongly so for lambda > 0: 0 < phi'' <= 1/4, hence lambda <= curvature <= lambda + lambda_max(A'A)/(4N).
 *
 * Source: D. R. Cox, The regression analysis of binary sequences, J. R. Stat. Soc. B 20 (1958), 215-242.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "linear_model.h"

#include "../src/program.h"

#include <math.h>

/* log(1 + e^-t) = log1p(e^-|t|) + max(-t, 0): nothing overflows, nothing cancels. */
static void logistic_link(size_t count, const double *t, const double *target, double *value, double *slope,
                          double *curvature)
{
    double decay[OD_LINK_MOST];
    for (size_t i = 0; i < count; i++) {
        decay[i] = -fabs(target[i] * t[i]);
        if (value != NULL) {
            value[i] = -target[i] * t[i];
        }
    }
    if (value != NULL) {
        od_apply(OD_CODE_SOFTPLUS, 0, count, value);
    }
    od_apply(OD_CODE_EXP, 0, count, decay);
    for (size_t i = 0; i < count; i++) {
        const double margin = target[i] * t[i], e = decay[i];
        const double small = e / (1 + e), large = 1 / (1 + e);
        if (slope != NULL) {
            slope[i] = -target[i] * (margin > 0 ? small : large);
        }
        if (curvature != NULL) {
            curvature[i] = small * large;
        }
    }
}

static od_status logistic_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    return od_linear_model_create(ctx, s, logistic_link, 0.25, true,
                                  "bound: lambda + lambda_max(A'A)/(4N), lambda_max by Lanczos",
                                  "bound: at least lambda", problem);
}

const od_problem_type od_problem_logistic_regression = {
    .name = "logistic-regression",
    .summary = "mean of log(1 + exp(-b <a, w>)) over a data set, with lambda |w|^2/2: convex",
    .source = "D. R. Cox, J. R. Stat. Soc. B 20 (1958), 215-242",
    .params = (const od_param[]){OD_DATA_PARAMS("clusters", "true"), {.name = NULL}},
    .create = logistic_create,
};
