/*
 * Heavy ball (Polyak 1964).
 *
 *   flow   x'' + alpha x' + g(x) = 0
 *   map    v+ = v + h (-alpha v - g(x)), x+ = x + h v+: semi-implicit Euler, which is Polyak's
 *          x+ = x + beta (x - x_prev) - eta g(x) with beta = 1 - alpha h, eta = h^2, v_k = (x_k - x_{k-1})/h.
 *          One iteration stands for time h.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"
#include "law.h"
#include "momentum.h"

#include <math.h>

enum { ALPHA, STEP };

static double damping(const double *p, double t)
{
    (void)t;
    return p[ALPHA];
}

static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    od_closed_damped(p[ALPHA], lambda, t - t0, phi);
    return true;
}

static void lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = b[0] = p[ALPHA] * t;
    a[1] = b[1] = p[ALPHA];
}

/* alpha and h from the settings; h is NaN if there is no step. */
static od_status read(od_context *ctx, const od_settings *s, double *alpha, double *h)
{
    const bool pair = od_setting_present(s, "learning_rate") || od_setting_present(s, "momentum");
    *alpha = od_setting_real(s, "alpha");
    *h = od_setting_real(s, "step");
    if (!pair) {
        return od_setting_present(s, "alpha") ? OD_OK
                                              : od_setting_fail(ctx, s, "alpha",
                                                                "heavy-ball needs its viscosity alpha (or "
                                                                "learning_rate with momentum)");
    }
    if (!od_setting_present(s, "learning_rate") || !od_setting_present(s, "momentum")) {
        return od_setting_fail(ctx, s, "momentum",
                               "learning_rate and momentum go together; give both or alpha and step");
    }
    if (od_setting_present(s, "alpha") || od_setting_present(s, "step")) {
        return od_setting_fail(ctx, s, "learning_rate",
                               "learning_rate and momentum stand for alpha and step; give one pair, not both");
    }
    *h = sqrt(od_setting_real(s, "learning_rate"));
    *alpha = (1 - od_setting_real(s, "momentum")) / *h;
    return OD_OK;
}

static od_status heavy_ball_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                 od_flow *flow)
{
    (void)face;
    double h;
    od_law law = {.order = 2, .damping = damping, .propagator = propagator, .lagrangian = lagrangian};
    od_status status = read(ctx, s, &law.p[ALPHA], &h);
    return status != OD_OK ? status : od_law_flow(ctx, s, f, &law, h, flow);
}

static void polyak(const double *p, uint64_t k, double c[2])
{
    (void)k;
    c[0] = 1 - p[ALPHA] * p[STEP];
    c[1] = p[STEP];
}

static od_status heavy_ball_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                od_map *map)
{
    (void)face;
    double own[OD_DRAW_PARAMS] = {0}, h;
    od_status status = read(ctx, s, &own[ALPHA], &h);
    if (status == OD_OK && isnan(h)) {
        status = od_draw_need_step(ctx, s,
                                   "the h of the semi-implicit step, with momentum 1 - alpha h and learning rate h^2");
    }
    if (status != OD_OK) {
        return status;
    }
    own[STEP] = h;
    return od_momentum_map(ctx, s, f, h, own, polyak, map);
}

const od_method_type od_method_heavy_ball = {
    .name = "heavy-ball",
    .summary = "gradient descent with constant viscosity",
    .source = "Polyak (1964), Some methods of speeding up the convergence of iteration methods, eq. (9)",
    .params = (const od_param[]){{.name = "alpha",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "1/time",
                                  .low = 0,
                                  .high = INFINITY,
                                  .meaning = "viscosity of x'' + alpha x' + grad f = 0"},
                                 {.name = "learning_rate",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "time^2",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "eta = step^2, with momentum instead of alpha and step"},
                                 {.name = "momentum",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "",
                                  .low = -1,
                                  .high = 1,
                                  .meaning = "beta = 1 - alpha step, with learning_rate instead of alpha and step"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + alpha x' + grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{"polyak", "semi-implicit Euler with h = step, which is Polyak's iteration"},
                              {NULL, NULL}},
    .flow = heavy_ball_flow,
    .map = heavy_ball_map,
    .correspondence = "one iteration stands for time step; learning rate step^2, momentum 1 - alpha step",
};
