/* The noise that replaces g dt by g dt + sigma dB, shared by the flows and maps of all methods.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_NOISE_H
#define OD_METHODS_NOISE_H

#include "optdyn.h"

typedef enum od_sigma_kind { OD_SIGMA_NONE, OD_SIGMA_NUMBER, OD_SIGMA_MATRIX, OD_SIGMA_COVARIANCE } od_sigma_kind;

/**
 * sigma as `method.noise` gives it: a number times the identity, a d x m matrix, or the gradient covariance
 * sigma(x) = sqrt(tau Sigma(x) / batch), drawn as sqrt(tau N / batch) sum_i dB_i (g_i - g) / N with one Brownian motion
 * per sample, which has exactly that law.
 */
typedef struct od_sigma {
    od_sigma_kind kind;
    double number;        /* sigma, or sqrt(tau N / batch) */
    size_t dim;           /* Brownian motions */
    const double *matrix; /* [d*dim] row-major */
    const od_problem *f;
} od_sigma;

/** Reads `noise` and `batch` of a method's settings; tau is the time of one iteration, NaN if there is no step. */
od_status od_sigma_read(od_context *ctx, const od_settings *s, const od_problem *f, double tau, od_sigma *sigma);
/** out[d*n] = scale * sigma(x) dw. ws holds the problem's scratch. */
od_status od_sigma_apply(const od_sigma *sigma, double scale, size_t n, const double *x, const double *dw, double *out,
                         double *ws);

#endif
