/* The form of maps without momentum. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_DESCENT_H
#define OD_METHODS_DESCENT_H

#include "draw.h"

/** x+ = x - c_k G(x); one iteration stands for tau. `coefficients` sets c[0] = c_k from the parameters p and k. */
od_status od_descent_map(od_context *ctx, const od_settings *s, const od_problem *f, double tau,
                         const double p[OD_DRAW_PARAMS], void (*coefficients)(const double *p, uint64_t k, double c[2]),
                         od_map *map);

#endif
