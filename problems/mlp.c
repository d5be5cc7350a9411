/*
 * Fully connected networks: h_l = act(N(W_l h_{l-1} + b_l)), outputs W h + b.
 *
 * N is nothing or LayerNorm. With `residual` a layer whose width is that of the one before adds its input; with
 * `depth_scaling` what it adds is multiplied by 1/sqrt(number of hidden layers).
 *
 * Source: D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323 (1986), 533-536; residual layers: K. He, X. Zhang,
 * S. Ren, J. Sun, CVPR 2016; their scaling: S. Hayou et al., Stable ResNet, AISTATS 2021.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include <math.h>

/* Who names all layers gets two more than meant. */
static void note_widths(od_context *ctx, const od_network_spec *spec)
{
    const size_t last = spec->depth - 1;
    if (spec->depth >= 2 && spec->width[0] == spec->cols && spec->width[last] == spec->outputs) {
        od_note(ctx,
                "problem.widths are those of the hidden layers, and these begin and end with the %zu features and %zu "
                "outputs, which every network has anyway; leave these two out unless you mean %zu hidden layers",
                spec->cols, spec->outputs, spec->depth);
    }
}

static od_status mlp_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    size_t width[OD_NETWORK_LAYERS];
    od_network_problem *np;
    od_network_spec spec = {
        .kind = OD_NETWORK_MLP,
        .width = width,
        .activation = od_activation_named(od_setting_text(s, "activation")),
        .biases = od_setting_real(s, "biases") != 0,
        .residual = od_setting_real(s, "residual") != 0,
        .depth_scaling = od_setting_real(s, "depth_scaling") != 0,
        .layer_norm = od_setting_real(s, "layer_norm") != 0,
    };
    od_status status = od_network_widths(ctx, s, "widths", OD_NETWORK_LAYERS, OD_NETWORK_UNITS, width, &spec.depth);
    if (status == OD_OK && spec.depth_scaling && !spec.residual) {
        status = od_setting_fail(ctx, s, "depth_scaling", "it scales what residual layers add; set residual: true");
    }
    status = status == OD_OK ? od_network_read(ctx, s, &spec, &np) : status;
    if (status == OD_OK) {
        note_widths(ctx, &spec);
        status = od_network_open(ctx, s, &spec, np, problem);
    }
    return status;
}

const od_problem_type od_problem_mlp = {
    .name = "mlp",
    .summary = "fully connected network on a data set, with lambda |w|^2/2",
    .source = "D. E. Rumelhart, G. E. Hinton and R. J. Williams, Nature 323 (1986), 533-536",
    .params =
        (const od_param[]){
            {.name = "widths",
             .kind = OD_VECTOR,
             .fallback = "",
             .meaning = "units of the hidden layers alone, without features and outputs, such as [64, 64]; a linear "
                        "model if absent"},
            OD_NETWORK_ACTIVATION_PARAMS("tanh", "true"),
            OD_NETWORK_RESIDUAL_PARAMS,
            {.name = "layer_norm",
             .kind = OD_FLAG,
             .fallback = "false",
             .meaning = "whether hidden layers are normalised before the activation"},
            OD_NETWORK_LOSS_PARAM,
            OD_NETWORK_DATA_PARAMS,
            OD_NETWORK_INIT_PARAMS("lecun"),
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .needs = "LibTorch",
    .create = mlp_create,
};
