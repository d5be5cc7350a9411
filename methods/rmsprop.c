/*
 * RMSprop (Tieleman and Hinton 2012): the gradient over the root of a mean s of its squares. The literature updates x
 * and s in three orders:
 *
 *   rmsprop  s+ = beta s + (1 - beta) g^2, x+ = x - eta g/(sqrt(s+) + eps), s_0 = 0: what libraries do. A component
 *            moves by at most eta/sqrt(1 - beta), in the first step exactly so far.
 *   lagged   x+ = x - eta g/(sqrt(s) + eps), then s+; s_0 = g(x_0)^2, for from 0 the first step would be eta g/eps.
 *            Steps have no bound where gradients grow.
 *   shifted  x_{k+1} = x_k - eta g(x_k)/(sqrt(v_k) + eps), v_{k+1} = beta v_k + (1 - beta) g(x_{k+1})^2, v_0 =
 *            g(x_0)^2: rmsprop, but for the first step, which leaves s. After k + 1 iterations s is v_k, so that each
 *            takes one gradient.
 *
 * All have the flow x' = -g/(sqrt(s) + eps), s' = a2 (g^2 - s); lagged is Euler's step of it. From s = 0 its x' is
 * g/eps, so it starts with s = g(x_0)^2 by default, and an iteration in lock-step with it. One iteration stands for
 * time eta.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "adaptive.h"

#include <math.h>
#include <string.h>

static const double usual[2] = {0, 0.9};

static od_status rmsprop_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                              od_flow *flow)
{
    (void)face;
    od_adaptive a = {.settled = true};
    od_status status = od_adaptive_read(ctx, s, usual, false, &a);
    return status != OD_OK ? status : od_adaptive_flow(ctx, s, f, &a, flow);
}

static od_status rmsprop_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    od_adaptive a = {.lagged = strcmp(face, "lagged") == 0, .shifted = strcmp(face, "shifted") == 0};
    a.settled = a.lagged || a.shifted;
    od_status status = od_adaptive_read(ctx, s, usual, true, &a);
    return status != OD_OK ? status : od_adaptive_map(ctx, s, f, &a, map);
}

const od_method_type od_method_rmsprop = {
    .name = "rmsprop",
    .summary = "the gradient over the root of a mean of its squares",
    .source =
        "Tieleman and Hinton (2012), lecture 6.5; lagged, shifted and the flow: Orvieto (2023), chapter 1, eq. (59) "
        "and section 3.2.2",
    .params = (const od_param[]){OD_ADAPTIVE_PARAMS("0.9"), {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x' = -g/(sqrt(s) + eps), s' = a2 (g^2 - s); s starts at g(x_0)^2"},
                               {NULL, NULL}},
    .maps =
        (const od_face[]){{"rmsprop", "s first, x+ = x - step g/(sqrt(s) + eps); s starts at 0 (with the flow beside "
                                      "it at g(x_0)^2)"},
                          {"lagged", "x+ = x - step g/(sqrt(s) + eps) with the old s; s starts at g(x_0)^2"},
                          {"shifted", "as rmsprop from the second step on; the first takes s as it is, which starts "
                                      "at g(x_0)^2"},
                          {NULL, NULL}},
    .flow = rmsprop_flow,
    .map = rmsprop_map,
    .correspondence = "one iteration stands for time step; a2 = (1 - beta2)/step",
};
