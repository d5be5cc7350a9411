/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ito.h"

#include "../src/clones.h"

size_t od_ito_first(const od_flow *flow)
{
    size_t first = 0;
    for (size_t b = 0; b < flow->noise.block; b++) {
        first += flow->block[b].length;
    }
    return first;
}

/* z1 = z + h z1 */
OD_CLONES static void move(size_t size, double h, const double *restrict z, double *restrict z1)
{
    for (size_t i = 0; i < size; i++) {
        z1[i] = z[i] + h * z1[i];
    }
}

/* z1 = z + h z1 + kick */
OD_CLONES static void move_and_kick(size_t size, double h, const double *restrict z, const double *restrict kick,
                                    double *restrict z1)
{
    for (size_t i = 0; i < size; i++) {
        z1[i] = z[i] + h * z1[i] + kick[i];
    }
}

od_status od_ito_euler(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw, double *z1,
                       double *ws)
{
    const size_t size = flow->dim * n;
    od_status status = flow->drift(flow, t, n, z, z1, ws);
    if (status != OD_OK || flow->noise.shape == OD_NOISE_NONE) {
        move(size, h, z, z1);
        return status;
    }
    const size_t before = od_ito_first(flow) * n, entered = flow->block[flow->noise.block].length * n;
    const size_t after = before + entered;
    double *kick = ws;
    status = flow->noise.apply(flow, t, n, z, dw, kick, ws + entered);
    move(before, h, z, z1);
    move_and_kick(entered, h, z + before, kick, z1 + before);
    move(size - after, h, z + after, z1 + after);
    return status;
}

od_scratch od_ito_scratch(const od_flow *flow)
{
    return (od_scratch){0, flow->noise.shape == OD_NOISE_NONE ? 0 : flow->block[flow->noise.block].length};
}
