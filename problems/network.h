/*
 * What problems on LibTorch share: samples, loss, penalty, precision, starts, and the way into the module.
 *
 * f(x) = lambda |x|^2/2 + (1/N) sum_i l(F(a_i; x), b_i)
 *
 * Losses: mse |F - b|^2/2; cross-entropy -log softmax(F)_b; logistic log(1 + exp(-b F)); sigmoid 1/(1 + exp(b F)).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PROBLEMS_NETWORK_H
#define OD_PROBLEMS_NETWORK_H

#include "../src/data.h"
#include "../src/network_module.h"

typedef enum od_init { OD_INIT_LECUN, OD_INIT_XAVIER, OD_INIT_HE, OD_INIT_OWN } od_init;

typedef struct od_network_problem {
    od_data data;
    const od_network_api *api;
    od_network *net;
    od_network_facts facts;
    char *inputs; /* of the samples and a model file */
    double lambda;
    od_init init;
    bool uniform;
    double init_scale;
} od_network_problem;

/** Rows of a parameter table: samples, targets and the penalty. */
#define OD_NETWORK_DATA_PARAMS                                                                                         \
    OD_DATA_SOURCE_PARAMS("clusters"),                                                                                 \
        {.name = "targets",                                                                                            \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "auto",                                                                                           \
         .choices = "auto|numbers|signs|classes",                                                                      \
         .meaning = "what labels become; auto: classes for cross-entropy, signs for logistic and sigmoid, else "       \
                    "numbers; classes are one-hot for mse"},                                                           \
    {                                                                                                                  \
        .name = "lambda", .kind = OD_REAL, .fallback = "0", .unit = "curvature", .low = 0, .high = INFINITY,           \
        .meaning = "weight of the term lambda |w|^2/2"                                                                 \
    }

/** Rows of a parameter table: precision and threads. */
#define OD_NETWORK_COMPUTE_PARAMS                                                                                      \
    {.name = "precision",                                                                                              \
     .kind = OD_CHOICE,                                                                                                \
     .fallback = "double",                                                                                             \
     .choices = "double|single",                                                                                       \
     .meaning = "of the model's arithmetic; states are double in any case"},                                           \
    {                                                                                                                  \
        .name = "threads", .kind = OD_INTEGER, .fallback = "1", .low = 1, .high = 1024,                                \
        .meaning = "threads LibTorch may use within one evaluation; more than 1 may change the last bits"              \
    }

/** Rows of a parameter table: the initial weights. */
#define OD_NETWORK_INIT_PARAMS(scheme)                                                                                 \
    {.name = "init",                                                                                                   \
     .kind = OD_CHOICE,                                                                                                \
     .fallback = scheme,                                                                                               \
     .choices = "lecun|xavier|he|own",                                                                                 \
     .meaning = "variance of initial weights: 1/in, 2/(in + out), 2/in, or init_scale^2 (own); biases are 0"},         \
        {.name = "init_law",                                                                                           \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "normal",                                                                                         \
         .choices = "normal|uniform",                                                                                  \
         .meaning = "law of initial weights"},                                                                         \
    {                                                                                                                  \
        .name = "init_scale", .kind = OD_REAL, .fallback = "1", .low = 0, .high = INFINITY,                            \
        .meaning = "factor of all initial weights; with init: own their standard deviation"                            \
    }

/** Allocates, reads the samples that the entry `loss` needs and fills in what `spec` says of them. */
od_status od_network_read(od_context *ctx, const od_settings *s, od_network_spec *spec, od_network_problem **np);
/** Builds the network and fills the callbacks; frees np on failure. The caller has filled the rest of `spec`. */
od_status od_network_open(od_context *ctx, const od_settings *s, od_network_spec *spec, od_network_problem *np,
                          od_problem *problem);

od_activation od_activation_named(const char *name);

#endif
