/* The problems there are. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

extern const od_problem_type od_problem_quadratic;

const od_problem_type *const od_problem_types[] = {
    &od_problem_quadratic,
    NULL,
};
