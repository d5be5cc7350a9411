/*
 * Nesterov's accelerated gradient (1983) and its flow (Su, Boyd, Candes 2016), with damping r/t.
 *
 *   flow   x'' + (r/t) x' + g(x) = 0; from rest at t = 0: v = 0, v' = -g/(r + 1)
 *   map    momentum max(k-1, 0)/(k + r - 1), learning rate eta; x_{-1} = x_0. One iteration stands for sqrt(eta).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"
#include "law.h"
#include "nag.h"

#include <math.h>

enum { R };

static double damping(const double *p, double t)
{
    return p[R] / t;
}

static void lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = b[0] = p[R] * log(t);
    a[1] = b[1] = p[R] / t;
}

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    od_closed_viscous(p[R], lambda, t0, t, phi);
    return true;
}

static od_status nesterov_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                               od_flow *flow)
{
    (void)face;
    const double r = od_setting_real(s, "r");
    const od_law law = {.order = 2,
                        .p = {r},
                        .damping = damping,
                        .start = OD_START_AT_REST,
                        .q = r,
                        /* below r = 1 the errors of the first steps die out too slowly for the scheme's order */
                        .graded = r < 1 ? 1 : 0,
                        .propagator = propagator,
                        .lagrangian = lagrangian};
    return od_law_flow(ctx, s, f, &law, sqrt(od_setting_real(s, "step")), flow);
}

static double momentum(const double *p, uint64_t k)
{
    return k <= 1 ? 0 : ((double)k - 1) / ((double)k + p[R] - 1);
}

static od_status nesterov_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    (void)face;
    const double own[OD_DRAW_PARAMS] = {od_setting_real(s, "r")};
    return od_nag_map(ctx, s, f, own, momentum, map);
}

const od_method_type od_method_nesterov = {
    .name = "nesterov",
    .summary = "Nesterov's accelerated gradient, damping r/t",
    .source = "iteration: Nesterov (1983); flow: Su, Boyd, Candes (2016), eq. (3)",
    .params = (const od_param[]){{.name = "r",
                                  .kind = OD_REAL,
                                  .fallback = "3",
                                  .unit = "",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "viscosity r/t; 3 is Nesterov's"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + (r/t) x' + grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{"nag", "y = x + m_k (x - x_prev), x+ = y - step grad f(y), m_k = max(k-1,0)/(k+r-1)"},
                              {NULL, NULL}},
    .flow = nesterov_flow,
    .map = nesterov_map,
    .correspondence = "one iteration stands for time sqrt(step)",
};
