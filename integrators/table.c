/* The integrators there are. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

extern const od_integrator_type od_integrator_exact, od_integrator_euler, od_integrator_semi_implicit_euler,
    od_integrator_rk4, od_integrator_rk4_tracked, od_integrator_euler_maruyama, od_integrator_milstein,
    od_integrator_sra1, od_integrator_cvode;

const od_integrator_type *const od_integrator_types[] = {
    &od_integrator_exact,
    &od_integrator_euler,
    &od_integrator_semi_implicit_euler,
    &od_integrator_rk4,
    &od_integrator_rk4_tracked,
    &od_integrator_cvode,
    &od_integrator_euler_maruyama,
    &od_integrator_milstein,
    &od_integrator_sra1,
    NULL,
};
