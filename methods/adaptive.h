/*
 * Methods whose step is divided, component by component, by the root of a mean of squared gradients: Adam, AMSGrad and
 * RMSprop. They share one flow and one iteration; a method states which of these apply.
 *
 * State    x, m (mean of gradients; only with `momentum`), s (mean of their squares), s_max (only `running`).
 *
 *   flow       x' = -c(t) m^/root(s^), m' = a1 (g - m), s' = a2 (E g^2 - s), c(t) = (1 + t/step)^-decay
 *   iteration  m+ = beta1 m + (1 - beta1) g, s+ = beta2 s + (1 - beta2) g^2, x+ = x - step (k+1)^-decay m^/root(s^)
 *
 * Without momentum m^ is g. root(s) is sqrt(s) + eps, or sqrt(s + eps) with `inside`; 0 divided by 0 is 0. The rates
 * are a = (1 - beta)/step: the flow is that of which the iteration is a step of length `step`.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_METHODS_ADAPTIVE_H
#define OD_METHODS_ADAPTIVE_H

#include "draw.h"

typedef struct od_adaptive {
    /* what the face says */
    bool momentum;  /* x moves by m; a beta1 of 0 takes it away, unless it is lagged: then x moves by the last g */
    bool corrected; /* m^ and s^ are m and s over 1 - beta^{k+1}, in the flow over 1 - e^{-a t}; else m and s */
    bool lagged;    /* iteration: x moves by m and s before their update */
    bool shifted;   /* iteration: s is first updated in the second step */
    bool running;   /* iteration: s^ is the largest s so far */
    bool settled;   /* s starts at g(x_0)^2 instead of 0 */
    bool inside;    /* eps stands inside the root, unless the settings say otherwise */
    /* what the settings say */
    double beta[2], rate[2]; /* of m and s */
    double eps, step, decay; /* step is NaN if there is none */
} od_adaptive;

/** Parameters of all of them; the default of beta2 is the method's. */
#define OD_ADAPTIVE_PARAMS(beta2)                                                                                      \
    {.name = "beta2",                                                                                                  \
     .kind = OD_REAL,                                                                                                  \
     .fallback = "",                                                                                                   \
     .unit = "",                                                                                                       \
     .low = 0,                                                                                                         \
     .high = 1,                                                                                                        \
     .high_open = true,                                                                                                \
     .meaning = "what the mean of squared gradients keeps in an iteration; " beta2 " unless a2 is given"},             \
        {.name = "a2",                                                                                                 \
         .kind = OD_REAL,                                                                                              \
         .fallback = "",                                                                                               \
         .unit = "1/time",                                                                                             \
         .low = 0,                                                                                                     \
         .high = INFINITY,                                                                                             \
         .low_open = true,                                                                                             \
         .high_open = true,                                                                                            \
         .meaning = "rate (1 - beta2)/step of the mean of squared gradients, in place of beta2"},                      \
        {.name = "eps",                                                                                                \
         .kind = OD_REAL,                                                                                              \
         .fallback = "1.0e-8",                                                                                         \
         .unit = "gradient",                                                                                           \
         .low = 0,                                                                                                     \
         .high = INFINITY,                                                                                             \
         .high_open = true,                                                                                            \
         .meaning = "added to the root, or inside it; 0 makes the iteration independent of the loss' scale"},          \
        {.name = "eps_place",                                                                                          \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "",                                                                                               \
         .choices = "outside|inside",                                                                                  \
         .meaning = "sqrt(s) + eps or sqrt(s + eps), where eps is a squared gradient; that of the face by default"},   \
    {                                                                                                                  \
        .name = "decay", .kind = OD_REAL, .fallback = "0", .unit = "", .low = 0, .high = INFINITY, .high_open = true,  \
        .meaning = "exponent of the learning rate step/(k+1)^decay, in the flow (1 + t/step)^-decay; 0.5 is "          \
                   "step/sqrt(k+1)"                                                                                    \
    }

/**
 * Adds what the settings say to a face; default_beta[2]. The flow needs step or both rates, and with decay or noise
 * step; the iteration needs step.
 */
od_status od_adaptive_read(od_context *ctx, const od_settings *s, const double default_beta[2], bool map,
                           od_adaptive *a);
od_status od_adaptive_flow(od_context *ctx, const od_settings *s, const od_problem *f, const od_adaptive *a,
                           od_flow *flow);
od_status od_adaptive_map(od_context *ctx, const od_settings *s, const od_problem *f, const od_adaptive *a,
                          od_map *map);

/* ------------------------------------------------------------------------------- shared by the flow and the iteration
 */

/** out = c m^/root(s^), m^ = m/correction[0], s^ = s/correction[1]. */
void od_adaptive_direction(const od_adaptive *a, size_t size, double c, const double correction[2], const double *m,
                           const double *s, double *out);
/** scale[size] = correction[0] root(s^): what m is divided by in all. */
void od_adaptive_metric(const od_adaptive *a, size_t size, const double correction[2], const double *s, double *scale);
/** Its derivatives: by_m and by_s. Infinite by s where s^ = 0 and m is not, for a root has no slope there. */
void od_adaptive_slopes(const od_adaptive *a, size_t size, double c, const double correction[2], const double *m,
                        const double *s, double *by_m, double *by_s);
/** A component of s[d] that is no mean of squares, d if there is none. */
size_t od_adaptive_negative(size_t d, const double *s);
extern const char *const od_adaptive_negative_words;
/** Squares of what the iteration sees besides g, for noise that is a number or a matrix: out[d*n] += its variance. */
void od_adaptive_add_variance(const od_sigma *sigma, double tau, double c, size_t n, double *out);

#endif
