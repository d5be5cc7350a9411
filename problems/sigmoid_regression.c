/*
 * f(w) = lambda |w|^2/2 + (1/N) sum_i phi(b_i <a_i, w>), phi(t) = 1/(1 + e^t), b_i = +1 or -1: the smooth count of
 * mistakes of a linear classifier. It is not convex.
 *
 * phi' = -phi (1 - phi), phi'' = phi (1 - phi)(1 - 2 phi), |phi''| <= 1/(6 sqrt 3), hence the bounds
 * lambda -+ lambda_max(A'A)/(6 sqrt 3 N) on the curvature.
 *
 * Source: the shadowing experiment of A. Orvieto and A. Lucchi, Shadowing properties of optimization algorithms,
 * NeurIPS 2019, section 4 (MNIST, two classes).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "linear_model.h"

#include "../src/program.h"

#include <math.h>

/* With e = e^-|t| no exponential overflows and neither phi nor 1 - phi cancels. */
static void sigmoid_link(size_t count, const double *t, const double *target, double *value, double *slope,
                         double *curvature)
{
    double decay[OD_LINK_MOST];
    for (size_t i = 0; i < count; i++) {
        decay[i] = -fabs(target[i] * t[i]);
    }
    od_apply(OD_CODE_EXP, 0, count, decay);
    for (size_t i = 0; i < count; i++) {
        const double margin = target[i] * t[i], e = decay[i];
        const double small = e / (1 + e), large = 1 / (1 + e);
        if (value != NULL) {
            value[i] = margin > 0 ? small : large;
        }
        if (slope != NULL) {
            slope[i] = -target[i] * small * large;
        }
        if (curvature != NULL) {
            curvature[i] = small * large * copysign((1 - e) / (1 + e), margin);
        }
    }
}

static od_status sigmoid_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    return od_linear_model_create(ctx, s, sigmoid_link, 1 / (6 * sqrt(3)), false,
                                  "bound: lambda + lambda_max(A'A)/(6 sqrt(3) N), lambda_max by Lanczos",
                                  "bound: lambda - lambda_max(A'A)/(6 sqrt(3) N), lambda_max by Lanczos", problem);
}

const od_problem_type od_problem_sigmoid_regression = {
    .name = "sigmoid-regression",
    .summary = "mean of 1/(1 + exp(b <a, w>)) over a data set, with lambda |w|^2/2: not convex",
    .source = "A. Orvieto and A. Lucchi, Shadowing properties of optimization algorithms, NeurIPS 2019, sec. 4",
    .params = (const od_param[]){OD_DATA_PARAMS("clusters", "true"), {.name = NULL}},
    .create = sigmoid_create,
};
