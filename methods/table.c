/* The methods there are. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

extern const od_method_type od_method_gradient, od_method_heavy_ball, od_method_nesterov;

const od_method_type *const od_method_types[] = {
    &od_method_gradient,
    &od_method_heavy_ball,
    &od_method_nesterov,
    NULL,
};
