/* The parameter `step`, the same for every fixed-step scheme. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_STEP_PARAM_H
#define OD_STEP_PARAM_H

#include <math.h>

#define OD_STEP_PARAM                                                                                                  \
    {                                                                                                                  \
        .name = "step", .kind = OD_REAL, .fallback = NULL, .unit = "time", .low = 0, .high = INFINITY,                 \
        .low_open = true, .meaning = "the step h; t_n = t0 + n h"                                                      \
    }

#endif
