/*
 * Networks of width one: f(w) = (1/N) sum_i (y_i - F(x_i))^2/2, where F(x) = w_L act(w_{L-1} ... act(w_1 x)), with
 * lambda |w|^2/2. Linear, it is the smallest loss with the saddles and the flat regions of deep networks.
 *
 * Source: A. M. Saxe, J. L. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep
 * linear neural networks, ICLR 2014; A. Orvieto et al., Vanishing curvature in randomly initialized deep ReLU networks,
 * AISTATS 2022.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include <math.h>
#include <string.h>

static od_status neural_chain_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    size_t width[OD_NETWORK_LAYERS];
    const od_value *x = od_setting(s, "x"), *y = od_setting(s, "y");
    od_network_problem *np;
    od_network_spec spec = {
        .kind = OD_NETWORK_MLP,
        .depth = (size_t)od_setting_real(s, "depth") - 1,
        .width = width,
        .activation = od_activation_named(od_setting_text(s, "activation")),
        .biases = od_setting_real(s, "biases") != 0,
        .residual = od_setting_real(s, "residual") != 0,
        .depth_scaling = od_setting_real(s, "depth_scaling") != 0,
    };
    if (x->cols != y->cols) {
        return od_setting_fail(ctx, s, "y", "%zu targets for %zu inputs; give as many", y->cols, x->cols);
    }
    if (spec.depth_scaling && !spec.residual) {
        return od_setting_fail(ctx, s, "depth_scaling", "it scales what residual layers add; set residual: true");
    }
    for (size_t l = 0; l < spec.depth; l++) {
        width[l] = 1;
    }
    od_status status = od_network_make(ctx, x->cols, 1, 1, &spec, &np);
    if (status != OD_OK) {
        return status;
    }
    memcpy(np->data.row, x->list, x->cols * sizeof *x->list);
    memcpy(np->data.target, y->list, y->cols * sizeof *y->list);
    return od_network_open(ctx, s, &spec, np, problem);
}

const od_problem_type od_problem_neural_chain = {
    .name = "neural-chain",
    .summary = "network of width one: mean of (y - w_L act(... act(w_1 x)))^2/2, with lambda |w|^2/2",
    .source = "A. M. Saxe, J. L. McClelland and S. Ganguli, ICLR 2014",
    .params =
        (const od_param[]){
            {.name = "depth",
             .kind = OD_INTEGER,
             .fallback = "5",
             .unit = "layers",
             .low = 1,
             .high = OD_NETWORK_LAYERS,
             .meaning = "L, the number of weights"},
            {.name = "x", .kind = OD_VECTOR, .fallback = "[1]", .meaning = "inputs"},
            {.name = "y", .kind = OD_VECTOR, .fallback = "[1]", .meaning = "targets, one for each input"},
            OD_NETWORK_ACTIVATION_PARAMS("linear", "false"),
            OD_NETWORK_RESIDUAL_PARAMS,
            OD_NETWORK_LAMBDA_PARAM,
            OD_NETWORK_INIT_PARAMS("own"),
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .needs = "LibTorch",
    .create = neural_chain_create,
};
