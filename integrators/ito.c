/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ito.h"

size_t od_ito_first(const od_flow *flow)
{
    size_t first = 0;
    for (size_t b = 0; b < flow->noise.block; b++) {
        first += flow->block[b].length;
    }
    return first;
}

od_status od_ito_euler(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw, double *z1,
                       double *ws)
{
    const size_t size = flow->dim * n;
    od_status status = flow->drift(flow, t, n, z, z1, ws);
    for (size_t i = 0; i < size; i++) {
        z1[i] = z[i] + h * z1[i];
    }
    if (status != OD_OK || flow->noise.shape == OD_NOISE_NONE) {
        return status;
    }
    const size_t entered = flow->block[flow->noise.block].length * n;
    double *kick = ws, *target = z1 + od_ito_first(flow) * n;
    status = flow->noise.apply(flow, t, n, z, dw, kick, ws + entered);
    for (size_t i = 0; i < entered; i++) {
        target[i] += kick[i];
    }
    return status;
}

od_scratch od_ito_scratch(const od_flow *flow)
{
    return (od_scratch){0, flow->noise.shape == OD_NOISE_NONE ? 0 : flow->block[flow->noise.block].length};
}
