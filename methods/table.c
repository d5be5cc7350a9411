/* The methods there are. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

extern const od_method_type od_method_gradient, od_method_amplified_gradient, od_method_heavy_ball, od_method_nesterov,
    od_method_nesterov_strongly_convex, od_method_memory, od_method_bregman, od_method_lagrangian, od_method_adam,
    od_method_rmsprop, od_method_plugin;

const od_method_type *const od_method_types[] = {
    &od_method_gradient,
    &od_method_amplified_gradient,
    &od_method_heavy_ball,
    &od_method_nesterov,
    &od_method_nesterov_strongly_convex,
    &od_method_memory,
    &od_method_bregman,
    &od_method_lagrangian,
    &od_method_adam,
    &od_method_rmsprop,
    &od_method_plugin,
    NULL,
};
