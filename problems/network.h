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
    char *inputs;    /* of the samples and a model file */
    char rough[256]; /* of a model file, where kinks were found by evaluating it */
    double lambda;
    od_init init;
    bool uniform;
    double init_scale;
} od_network_problem;

/** A row of a parameter table: the penalty. */
#define OD_NETWORK_LAMBDA_PARAM                                                                                        \
    {                                                                                                                  \
        .name = "lambda", .kind = OD_REAL, .fallback = "0", .unit = "curvature", .low = 0, .high = INFINITY,           \
        .meaning = "weight of the term lambda |w|^2/2"                                                                 \
    }

/** Rows of a parameter table: hidden layers. */
#define OD_NETWORK_ACTIVATION_PARAMS(usual, with_biases)                                                               \
    {.name = "activation",                                                                                             \
     .kind = OD_CHOICE,                                                                                                \
     .fallback = usual,                                                                                                \
     .choices = "linear|relu|tanh|sigmoid|softplus|gelu",                                                              \
     .meaning = "of the hidden layers"},                                                                               \
    {                                                                                                                  \
        .name = "biases", .kind = OD_FLAG, .fallback = with_biases, .meaning = "whether layers have biases"            \
    }

/** Rows of a parameter table: residual layers. */
#define OD_NETWORK_RESIDUAL_PARAMS                                                                                     \
    {.name = "residual",                                                                                               \
     .kind = OD_FLAG,                                                                                                  \
     .fallback = "false",                                                                                              \
     .meaning = "whether a layer as wide as the one before adds its input"},                                           \
    {                                                                                                                  \
        .name = "depth_scaling", .kind = OD_FLAG, .fallback = "false",                                                 \
        .meaning = "whether residual layers add 1/sqrt(hidden layers) of their outputs"                                \
    }

/** Rows of a parameter table: samples, targets and the penalty. */
#define OD_NETWORK_DATA_PARAMS                                                                                         \
    OD_DATA_SOURCE_PARAMS("clusters"),                                                                                 \
        {.name = "targets",                                                                                            \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "auto",                                                                                           \
         .choices = "auto|numbers|signs|classes",                                                                      \
         .meaning = "what labels become; auto: classes for cross-entropy, signs for logistic and sigmoid, else "       \
                    "numbers; classes are one-hot for mse"},                                                           \
        OD_NETWORK_LAMBDA_PARAM

/** A row of a parameter table: the losses of a built-in network. */
#define OD_NETWORK_LOSS_PARAM                                                                                          \
    {                                                                                                                  \
        .name = "loss", .kind = OD_CHOICE, .fallback = "cross-entropy",                                                \
        .choices = "mse|cross-entropy|logistic|sigmoid",                                                               \
        .meaning = "mse: |F - b|^2/2; logistic and sigmoid: two classes and one output"                                \
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
        .meaning = "that share the samples of one evaluation, 1024 at a time; the bits stay the same"                  \
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
/** The same for samples that the problem makes itself: room for `rows` rows of `cols` numbers and targets. Loss mse. */
od_status od_network_make(od_context *ctx, size_t rows, size_t cols, size_t outputs, od_network_spec *spec,
                          od_network_problem **np);
/** Frees what read or make allocated. */
void od_network_discard(od_network_problem *np);
/** Builds the network and fills the callbacks; frees np on failure. The caller has filled the rest of `spec`. */
od_status od_network_open(od_context *ctx, const od_settings *s, od_network_spec *spec, od_network_problem *np,
                          od_problem *problem);

/** Refuses entries that shape what is drawn (names, ends with NULL) where `given` says that nothing is. */
od_status od_network_drawn_only(od_context *ctx, const od_settings *s, const char *given, const char *const *names);

od_activation od_activation_named(const char *name);
/** A list of whole numbers from 1 to `most`, at most `room` of them; none if the entry is absent. */
od_status od_network_widths(od_context *ctx, const od_settings *s, const char *entry, size_t room, size_t most,
                            size_t *width, size_t *count);

enum { OD_NETWORK_LAYERS = 1024, OD_NETWORK_UNITS = 1 << 20 };

#endif
