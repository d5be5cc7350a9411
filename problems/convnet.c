/*
 * Small convolutional networks on images: layers of filters with zero padding, the activation and means over 2 x 2
 * pixels, then one linear layer. Means and not maxima, so that the loss is as smooth as the activation.
 *
 * Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86 (1998), 2278-2324 (LeNet averages too).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "network.h"

#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 16, MOST_CHANNELS = 4096 };

static od_status read_shape(od_context *ctx, const od_settings *s, const od_network_problem *np, size_t shape[3])
{
    size_t count;
    od_status status = od_network_widths(ctx, s, "shape", 3, OD_NETWORK_UNITS, shape, &count);
    if (status == OD_OK && count == 0) {
        memcpy(shape, np->data.shape, sizeof np->data.shape);
        return shape[0] > 0 ? OD_OK
                            : od_setting_fail(ctx, s, "shape",
                                              "the samples of %s do not say that they are images; give [channels, "
                                              "height, width]",
                                              od_setting_text(s, "data"));
    }
    if (status == OD_OK && (count != 3 || shape[0] * shape[1] * shape[2] != np->data.cols)) {
        status = od_setting_fail(ctx, s, "shape",
                                 "expected [channels, height, width] whose product is the %zu numbers of a sample",
                                 np->data.cols);
    }
    return status;
}

static od_status convnet_create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    size_t channels[MOST_LAYERS];
    od_network_problem *np;
    od_network_spec spec = {
        .kind = OD_NETWORK_CONVNET,
        .width = channels,
        .kernel = (size_t)od_setting_real(s, "kernel"),
        .activation = od_activation_named(od_setting_text(s, "activation")),
        .biases = od_setting_real(s, "biases") != 0,
    };
    if (spec.kernel % 2 == 0) {
        return od_setting_fail(ctx, s, "kernel", "the side of a filter is odd, so that it has a middle; got %zu",
                               spec.kernel);
    }
    od_status status = od_network_widths(ctx, s, "channels", MOST_LAYERS, MOST_CHANNELS, channels, &spec.depth);
    status = status == OD_OK ? od_network_read(ctx, s, &spec, &np) : status;
    if (status != OD_OK) {
        return status;
    }
    status = read_shape(ctx, s, np, spec.shape);
    if (status != OD_OK) {
        od_network_discard(np);
        return status;
    }
    return od_network_open(ctx, s, &spec, np, problem);
}

const od_problem_type od_problem_convnet = {
    .name = "convnet",
    .summary = "small convolutional network on images, with lambda |w|^2/2",
    .source = "Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Proc. IEEE 86 (1998), 2278-2324",
    .params =
        (const od_param[]){
            {.name = "channels", .kind = OD_VECTOR, .fallback = "[8, 16]", .meaning = "filters of each layer"},
            {.name = "kernel",
             .kind = OD_INTEGER,
             .fallback = "3",
             .unit = "pixels",
             .low = 1,
             .high = 31,
             .meaning = "side of the filters, odd"},
            {.name = "shape",
             .kind = OD_VECTOR,
             .fallback = "",
             .meaning = "[channels, height, width] of a sample, channel after channel; known of IDX and CIFAR-10"},
            OD_NETWORK_ACTIVATION_PARAMS("tanh", "true"),
            OD_NETWORK_LOSS_PARAM,
            OD_NETWORK_DATA_PARAMS,
            OD_NETWORK_INIT_PARAMS("lecun"),
            OD_NETWORK_COMPUTE_PARAMS,
            {.name = NULL},
        },
    .example = "features: 64, shape: [1, 8, 8]",
    .needs = "LibTorch",
    .create = convnet_create,
};
