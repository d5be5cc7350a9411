/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "network_module.h"

static const od_module network = {.name = "network",
                                  .folder = "src/nn",
                                  .version = OD_NETWORK_VERSION,
                                  .use = "networks need",
                                  .entry = "problem.name",
                                  .remedy = "install libtorch-dev and build with -Dlibtorch=enabled "
                                            "(./quickstart.sh --with-torch does both)"};

const od_network_api *od_network_load(od_context *ctx)
{
    return od_module_load(ctx, &network);
}
