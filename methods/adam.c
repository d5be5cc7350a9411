/*
 * Adam (Kingma and Ba 2015) and AMSGrad (Reddi, Kale and Kumar 2018): x moves by a mean of past gradients, divided by
 * the root of a mean of their squares.
 *
 *   adam     m+ = beta1 m + (1 - beta1) g, s+ = beta2 s + (1 - beta2) g^2, x+ = x - eta m^/(sqrt(s^) + eps) with
 *            m^ = m+/(1 - beta1^{k+1}), s^ = s+/(1 - beta2^{k+1}). Its flow has m^ = m/(1 - e^{-a1 t}) and s^ =
 *            s/(1 - e^{-a2 t}), the means of g and g^2 over the path so far with weights e^{-a(t - u)} (Barakat and
 *            Bianchi 2021). From m = s = 0 at t = 0 the limit is x' = -g/(|g| + eps).
 *   lagged   x+ = x - eta m/sqrt(s + eps), then m and s: Euler's step, of length eta, of x' = -m/sqrt(s + eps),
 *            m' = a1 (g - m), s' = a2 (g^2 - s).
 *   amsgrad  as adam without corrections, divided by the root of the largest s so far. No flow: a running maximum has
 *            no rate.
 *
 * With beta1 = 0 adam and amsgrad move by the gradient itself, and there is no m. One iteration stands for time eta.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "adaptive.h"

#include <math.h>
#include <string.h>

static od_adaptive form(const char *face)
{
    const bool lagged = strcmp(face, "lagged") == 0, running = strcmp(face, "amsgrad") == 0;
    return (od_adaptive){
        .momentum = true, .corrected = !lagged && !running, .lagged = lagged, .running = running, .inside = lagged};
}

static const double usual[2] = {0.9, 0.999};

static od_status adam_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_flow *flow)
{
    od_adaptive a = form(face);
    od_status status = od_adaptive_read(ctx, s, usual, false, &a);
    return status != OD_OK ? status : od_adaptive_flow(ctx, s, f, &a, flow);
}

static od_status adam_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    od_adaptive a = form(face);
    od_status status = od_adaptive_read(ctx, s, usual, true, &a);
    return status != OD_OK ? status : od_adaptive_map(ctx, s, f, &a, map);
}

const od_method_type od_method_adam = {
    .name = "adam",
    .summary = "a mean of past gradients over the root of a mean of their squares",
    .source = "adam: Kingma and Ba (2015), Algorithm 1, its flow Barakat and Bianchi (2021); lagged: Orvieto (2023), "
              "chapter 1; amsgrad: Reddi, Kale and Kumar (2018), Algorithm 2",
    .params =
        (const od_param[]){{.name = "beta1",
                            .kind = OD_REAL,
                            .fallback = "",
                            .unit = "",
                            .low = 0,
                            .high = 1,
                            .high_open = true,
                            .meaning = "what the mean of gradients keeps in an iteration; 0.9 unless a1 is given"},
                           {.name = "a1",
                            .kind = OD_REAL,
                            .fallback = "",
                            .unit = "1/time",
                            .low = 0,
                            .high = INFINITY,
                            .low_open = true,
                            .high_open = true,
                            .meaning = "rate (1 - beta1)/step of the mean of gradients, in place of beta1"},
                           OD_ADAPTIVE_PARAMS("0.999"),
                           {.name = NULL}},
    .flows = (const od_face[]){{"adam", "x' = -m^/(sqrt(s^) + eps), m^ = m/(1 - e^{-a1 t}), s^ = s/(1 - e^{-a2 t}), "
                                        "m' = a1 (g - m), s' = a2 (g^2 - s)"},
                               {"lagged", "x' = -m/sqrt(s + eps), m' = a1 (g - m), s' = a2 (g^2 - s)"},
                               {NULL, NULL}},
    .maps = (const od_face[]){{"adam", "moments first, corrected for their start at 0; x+ = x - step m^/(sqrt(s^) + "
                                       "eps)"},
                              {"lagged", "x+ = x - step m/sqrt(s + eps), then the moments, uncorrected"},
                              {"amsgrad", "moments first, uncorrected; x+ = x - step m/(sqrt(s_max) + eps), s_max the "
                                          "largest s so far"},
                              {NULL, NULL}},
    .flow = adam_flow,
    .map = adam_map,
    .correspondence = "one iteration stands for time step; a1 = (1 - beta1)/step, a2 = (1 - beta2)/step",
};
