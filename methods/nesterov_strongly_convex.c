/*
 * Nesterov's accelerated gradient for strongly convex losses, with constant momentum.
 *
 *   flow   x'' + 2 sqrt(mu) x' + g(x) = 0
 *   map    y = x + m (x - x_prev), x+ = y - eta g(y), m = (1 - sqrt(mu eta))/(1 + sqrt(mu eta)); x_{-1} = x_0, so that
 *          the momentum of the first iteration has nothing to carry. One iteration stands for sqrt(eta).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"
#include "law.h"
#include "nag.h"

#include <math.h>

enum { MU, ETA };

static double damping(const double *p, double t)
{
    (void)t;
    return 2 * sqrt(p[MU]);
}

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    od_closed_damped(2 * sqrt(p[MU]), lambda, t - t0, phi);
    return true;
}

static void lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[1] = b[1] = 2 * sqrt(p[MU]);
    a[0] = b[0] = a[1] * t;
}

static double momentum(const double *p, uint64_t k)
{
    (void)k;
    const double root = sqrt(p[MU] * p[ETA]);
    return (1 - root) / (1 + root);
}

/* mu as given, else the problem's own. */
static od_status read(od_context *ctx, const od_settings *s, const od_problem *f, double *mu)
{
    *mu = od_setting_present(s, "mu") ? od_setting_real(s, "mu") : f->convexity.value;
    if (*mu > 0) {
        return OD_OK;
    }
    if (isnan(*mu)) {
        return od_setting_fail(ctx, s, "mu", "the smallest curvature of the problem '%s' is not known; give method.mu",
                               f->name);
    }
    return od_setting_fail(ctx, s, "mu",
                           "the smallest curvature of the problem '%s' is %g, so it is not strongly convex; give a "
                           "method.mu > 0 or use nesterov",
                           f->name, *mu);
}

static od_status strongly_convex_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                      od_flow *flow)
{
    (void)face;
    od_law law = {.order = 2, .damping = damping, .propagator = propagator, .lagrangian = lagrangian};
    od_status status = read(ctx, s, f, &law.p[MU]);
    return status != OD_OK ? status : od_law_flow(ctx, s, f, &law, sqrt(od_setting_real(s, "step")), flow);
}

static od_status strongly_convex_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                     od_map *map)
{
    (void)face;
    double own[OD_DRAW_PARAMS] = {0};
    own[ETA] = od_setting_real(s, "step");
    od_status status = read(ctx, s, f, &own[MU]);
    return status != OD_OK ? status : od_nag_map(ctx, s, f, own, momentum, map);
}

const od_method_type od_method_nesterov_strongly_convex = {
    .name = "nesterov-strongly-convex",
    .summary = "Nesterov's accelerated gradient with constant momentum, for strongly convex losses",
    .source =
        "iteration: Nesterov (2004), Introductory lectures on convex optimization, constant step scheme III; flow: "
        "Polyak (1964) with viscosity 2 sqrt(mu)",
    .params = (const od_param[]){{.name = "mu",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "curvature",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "strong convexity; the problem's smallest curvature if absent"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + 2 sqrt(mu) x' + grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{"nag", "y = x + m (x - x_prev), x+ = y - step grad f(y), "
                                      "m = (1 - sqrt(mu step))/(1 + sqrt(mu step))"},
                              {NULL, NULL}},
    .flow = strongly_convex_flow,
    .map = strongly_convex_map,
    .correspondence = "one iteration stands for time sqrt(step)",
};
