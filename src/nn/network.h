/*
 * What the network module (optdyn-network.so, C++ on LibTorch) offers the core. Plain C on both sides; no exception
 * crosses it.
 *
 * A network is a loss (1/N) sum_i l(F(a_i; x), b_i) in one flat vector x of doubles. Vectors come with a stride:
 * component i of x is x[i*stride], so that one point of a batch is read where it lies.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_NN_NETWORK_H
#define OD_NN_NETWORK_H

#include "src/module.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OD_NETWORK_VERSION = 1, OD_NETWORK_TROUBLE = 1024 };

typedef enum od_network_kind {
    OD_NETWORK_MLP,
    OD_NETWORK_CONVNET,
    OD_NETWORK_SENSING, /* <A_i, U U'>, each A_i a row of d*d inputs */
    OD_NETWORK_GRAM,    /* U U' a_i */
    OD_NETWORK_TORCHSCRIPT
} od_network_kind;

typedef enum od_network_loss {
    OD_NETWORK_MSE,           /* |F - b|^2/2 */
    OD_NETWORK_CROSS_ENTROPY, /* -log softmax(F)_class */
    OD_NETWORK_LOGISTIC,      /* log(1 + exp(-b F)) */
    OD_NETWORK_SIGMOID,       /* 1/(1 + exp(b F)) */
    OD_NETWORK_OWN            /* the model's forward takes inputs and targets and returns the mean loss */
} od_network_loss;

typedef enum od_activation {
    OD_ACTIVATION_LINEAR,
    OD_ACTIVATION_RELU,
    OD_ACTIVATION_TANH,
    OD_ACTIVATION_SIGMOID,
    OD_ACTIVATION_SOFTPLUS,
    OD_ACTIVATION_GELU
} od_activation;

/** Read during create only, but for the samples: the network keeps pointers to `row`. */
typedef struct od_network_spec {
    od_network_kind kind;
    od_network_loss loss;
    bool single; /* compute in float32 */
    int threads; /* that share the samples of one evaluation; they do not change a bit */

    size_t rows, cols, stride; /* samples; stride doubles from one row to the next */
    const double *row;         /* [rows*stride], outlives the network */
    size_t outputs;            /* numbers of a target, or classes */
    const double *target;      /* [rows*outputs]; NULL with class_index */
    const uint32_t *class_index;

    size_t depth;        /* hidden layers */
    const size_t *width; /* [depth] units; of a convnet channels */
    od_activation activation;
    bool biases, residual, depth_scaling, layer_norm;
    size_t shape[3]; /* convnet: channels, height, width of a sample */
    size_t kernel;   /* convnet: side of the filters */
    size_t rank;     /* sensing, Gram: columns of U */

    const char *file; /* TorchScript */
} od_network_spec;

typedef enum od_network_role {
    OD_ROLE_WEIGHT,
    OD_ROLE_BIAS, /* starts at 0 */
    OD_ROLE_GAIN, /* starts at 1 */
    OD_ROLE_STORED
} od_network_role;

/** Parameters that belong together: components offset .. offset + count - 1 of x. */
typedef struct od_network_piece {
    char name[96];
    od_network_role role;
    size_t offset, count;
    size_t fan_in, fan_out;
} od_network_piece;

typedef struct od_network od_network;

/** What create found. */
typedef struct od_network_facts {
    size_t dim;
    size_t outputs; /* numbers the model gives for a sample; 0 where it returns its own loss */
    bool single;
    size_t piece_count;
    const od_network_piece *piece; /* [piece_count], owned by the network */
    const double *stored;          /* [dim] parameters of a model file, owned by the network; else NULL */
    const char *rough;             /* why there is no Hessian everywhere, or NULL; owned by the network */
    const char *pieces;            /* an operation of a model file that may be a reason for that, or NULL; the same */
    size_t frozen;                 /* parameters of a model file that take no gradient and stay as they are */
    bool sum;                      /* a sample's loss does not depend on the others; else only eval and hvp serve */
    char dtype[24];                /* of the parameters in a model file */
} od_network_facts;

/** Samples a sum runs over: index[k*stride], k < count, or 0 .. count - 1 where index is NULL. */
typedef struct od_network_samples {
    size_t count;
    const uint32_t *index;
    size_t index_stride;
    const double *weight; /* weight[k*weight_stride]; NULL: 1/count */
    size_t weight_stride;
} od_network_samples;

/**
 * All functions may be called from several threads at once. They return OD_EUSER if the model fails; then `trouble`
 * says why, in the model's own words (the first failure of a network is kept).
 */
typedef struct od_network_api {
    od_module_head head; /* version OD_NETWORK_VERSION */
    const char *libraries;
    /** NULL on failure; then trouble[OD_NETWORK_TROUBLE] holds a sentence. */
    od_network *(*create)(const od_network_spec *spec, od_network_facts *facts, char *trouble);
    void (*destroy)(od_network *);
    const char *(*trouble)(const od_network *);

    /** *f = sum_k w_k l_k and its gradient g[dim], as `want` says. */
    od_status (*eval)(const od_network *, unsigned want, const od_network_samples *, size_t stride, const double *x,
                      double *f, double *g);
    /** Product of the Hessian of the mean over all samples with m directions, direction j at u + j*dim*stride. */
    od_status (*hvp)(const od_network *, size_t stride, const double *x, size_t m, const double *u, double *hu);
    /** Outputs of all samples: number k of sample i is out[(i*outputs + k)*stride]. */
    od_status (*outputs)(const od_network *, size_t stride, const double *x, double *out);
    /** Their Jacobian times u[dim], and its transpose times v[rows*outputs]. */
    od_status (*outputs_jvp)(const od_network *, size_t stride, const double *x, const double *u, double *out);
    od_status (*outputs_vjp)(const od_network *, size_t stride, const double *x, const double *v, double *g);
    /** slope[i*stride] = <grad l_i, u> of all samples. */
    od_status (*slopes)(const od_network *, size_t stride, const double *x, const double *u, double *slope);
} od_network_api;

extern OD_MODULE_SYMBOL const od_network_api od_network_module;

#ifdef __cplusplus
}
#endif
#endif
