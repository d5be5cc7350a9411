/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include <stddef.h>

const od_figure od_figures[] = {
    {NULL, NULL},
};
