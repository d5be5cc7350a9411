/* The form of maps whose gradient is taken at x and enters the velocity. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_MOMENTUM_H
#define OD_METHODS_MOMENTUM_H

#include "draw.h"

/**
 * v+ = a_k v - b_k G(x), x+ = x + tau v+, so that v_k = (x_k - x_{k-1})/tau; one iteration stands for tau.
 * `coefficients` sets c = {a_k, b_k} from the parameters p and k.
 */
od_status od_momentum_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau,
                          const double p[OD_DRAW_PARAMS],
                          void (*coefficients)(const double *p, uint64_t k, double c[2]), od_map *map);

#endif
