/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include <stddef.h>

extern const char od_fig_06_yaml[], od_fig_06_gp[];

const od_figure od_figures[] = {
    {"fig-06", "gradient, Nesterov and heavy-ball flows on an ill-conditioned quadratic", false, od_fig_06_yaml,
     od_fig_06_gp, NULL},
    {NULL, NULL, false, NULL, NULL, NULL},
};
