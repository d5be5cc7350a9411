/* The module that computes networks, loaded when the first one is built. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_NETWORK_MODULE_H
#define OD_NETWORK_MODULE_H

#include "nn/network.h"

/** NULL with a sentence on how to get it where it is not there. */
const od_network_api *od_network_load(od_context *ctx);

#endif
