/*
 * f(w) = lambda |w|^2/2 + (1/N) sum_i phi(<a_i, w>, b_i): the finite sums that see a sample only through <a_i, w>.
 *
 * Rows are taken in chunks, so that a chunk is still in the cache when the second product needs it; design.h says how
 * the products are summed, chunks are added in their order, and a point's bits depend neither on its batch nor on
 * threads. Where BLAS serves (normal equations), OpenBLAS is set to one thread for the whole process: the driver runs
 * points side by side, and more threads inside would only change the bits.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PROBLEMS_LINEAR_MODEL_H
#define OD_PROBLEMS_LINEAR_MODEL_H

#include "design.h"

enum { OD_LINK_MOST = 64 };

/**
 * phi and its derivatives in the margin t = <a, w>, for `count` samples, at most OD_LINK_MOST; an output that is not
 * wanted is NULL.
 */
typedef void od_link(size_t count, const double *t, const double *target, double *value, double *slope,
                     double *curvature);

typedef struct od_linear_model {
    od_data data; /* its rows until they are forgotten */
    od_design design;
    double lambda;
    od_link *link;
} od_linear_model;

/**
 * Reads the data and fills all callbacks of `problem`, whose `data` must point to the model. The caller frees the model
 * by od_linear_model_close, also after a failure.
 */
od_status od_linear_model_open(od_context *ctx, const od_settings *s, od_link *link, bool classify,
                               od_linear_model *model, od_problem *problem);
/** Frees the full matrix, once all that needs it is done. */
void od_linear_model_forget_rows(od_linear_model *model);
void od_linear_model_close(od_linear_model *model);

/** A whole problem with nothing to add: allocates the model, and states L and mu from a bound on |phi''|. */
od_status od_linear_model_create(od_context *ctx, const od_settings *s, od_link *link, double curvature_bound,
                                 bool convex, const char *bound, const char *lower_bound, od_problem *problem);

/** Upper bound of the largest eigenvalue of A'A/N: Lanczos' value plus its residual. */
od_status od_linear_model_gram(od_context *ctx, const od_linear_model *model, const od_problem *problem,
                               double *largest);

#endif
