/*
 * The polynomial family of Bregman Lagrangians, Euclidean case (Wibisono, Wilson, Jordan 2016): every p has the same
 * curves in another time, t -> t^{p/2}, and the loss falls like t^{-p}.
 *
 *   flow   x'' + ((p+1)/t) x' + C p^2 t^{p-2} g(x) = 0
 *   L      (t^{p+1}/p) |x'|^2/2 - C p t^{2p-1} f
 *
 * p = 2 is nesterov with r = 3 if C = 1/4, so the default is C = 1/p^2. (The thesis' choice C = 1 at p = 2 gives four
 * times the gradient.) For p < 2 the force is infinite at t = 0. For p = 1 force and damping are in balance there at v
 * = -C g/2; for all other p < 2 only the closed form starts at t = 0.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"
#include "law.h"

#include <math.h>

enum { P, C };

static double damping(const double *p, double t)
{
    return (p[P] + 1) / t;
}

static double force(const double *p, double t)
{
    return p[C] * p[P] * p[P] * pow(t, p[P] - 2);
}

/* w = t^{p/2} turns the equation into y'' + (3/w) y' + 4 C lambda y = 0. */
static bool propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    const double half = p[P] / 2;
    od_closed_viscous(3, 4 * p[C] * lambda, pow(t0, half), pow(t, half), phi);
    if (t == 0) {
        phi[2] = p[P] == 1 ? -p[C] / 2 * lambda : 0;
        return true;
    }
    const double speed = half * pow(t, half - 1);
    phi[2] *= speed;
    if (t0 > 0) {
        const double speed0 = half * pow(t0, half - 1);
        phi[1] /= speed0;
        phi[3] *= speed / speed0;
    }
    return true;
}

static void lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = (p[P] + 1) * log(t) - log(p[P]);
    a[1] = (p[P] + 1) / t;
    b[0] = log(p[C] * p[P]) + (2 * p[P] - 1) * log(t);
    b[1] = (2 * p[P] - 1) / t;
}

static od_status bregman_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                              od_flow *flow)
{
    (void)face;
    const double p = od_setting_real(s, "p");
    const double c = od_setting_present(s, "C") ? od_setting_real(s, "C") : 1 / (p * p);
    const od_law law = {
        .order = 2,
        .p = {p, c},
        .damping = damping,
        .force = force,
        .start = p == 1  ? OD_START_MEMORY
                 : p < 2 ? OD_START_REFUSED
                         : OD_START_AT_REST,
        .q = p + 1,
        .c = c / 2,
        /* below p = 3 the force t^{p-2} has a kink at 0, which costs explicit schemes their order:
         * measured for rk4 at p = 2.5, order 2.5 without grading, 3.3 with it, errors 20 to 200 times smaller */
        .graded = p == 1 || (p > 2 && p < 3) ? 1 : 0,
        .propagator = propagator,
        .lagrangian = lagrangian};
    return od_law_flow(ctx, s, f, &law, od_setting_real(s, "step"), flow);
}

const od_method_type od_method_bregman = {
    .name = "bregman",
    .summary = "flows of the polynomial Bregman Lagrangians, loss of order t^-p",
    .source = "Wibisono, Wilson, Jordan (2016), A variational perspective on accelerated methods in optimization, the "
              "polynomial subfamily alpha = ln(p/t), beta = p ln t + ln C, gamma = p ln t",
    .params = (const od_param[]){{.name = "p",
                                  .kind = OD_REAL,
                                  .fallback = "2",
                                  .unit = "",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "the loss falls like t^-p; p = 2 is nesterov with r = 3"},
                                 {.name = "C",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "time^-p",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "weight of the force C p^2 t^(p-2); 1/p^2 if absent"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + ((p+1)/t) x' + C p^2 t^(p-2) grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{NULL, NULL}},
    .flow = bregman_flow,
    .correspondence = "a flow only: no iteration with the same rate is known for p > 2",
};
