/*
 * A nonlinear loss made of bare callbacks, for the tests of methods:
 *
 *   f(x) = sum_{i<2} 0.7 (x_{i+1} - x_i^2)^2 + 0.3 (1 - x_i)^2 + <tilt, x>,   d = 3.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_VALLEY_H
#define OD_TESTS_VALLEY_H

#include "optdyn.h"

enum { VALLEY_DIM = 3 };

static inline od_status valley_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f,
                                    double *g, double *ws)
{
    (void)ws;
    const double *tilt = problem->data;
    for (size_t p = 0; p < n; p++) {
        double value = 0, slope[VALLEY_DIM] = {tilt[0], tilt[1], tilt[2]};
        for (size_t i = 0; i + 1 < VALLEY_DIM; i++) {
            const double a = x[i * n + p], e = x[(i + 1) * n + p] - a * a;
            value += 0.7 * e * e + 0.3 * (1 - a) * (1 - a);
            slope[i] += -2.8 * e * a - 0.6 * (1 - a);
            slope[i + 1] += 1.4 * e;
        }
        for (size_t i = 0; i < VALLEY_DIM; i++) {
            value += tilt[i] * x[i * n + p];
            if ((want & OD_GRADIENT) != 0) {
                g[i * n + p] = slope[i];
            }
        }
        if ((want & OD_VALUE) != 0) {
            f[p] = value;
        }
    }
    return OD_OK;
}

static inline od_status valley_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                                   double *hu, double *ws)
{
    (void)problem;
    (void)ws;
    for (size_t j = 0; j < m; j++) {
        const double *uj = u + j * VALLEY_DIM * n;
        double *h = hu + j * VALLEY_DIM * n;
        for (size_t p = 0; p < n; p++) {
            double out[VALLEY_DIM] = {0};
            for (size_t i = 0; i + 1 < VALLEY_DIM; i++) {
                const double a = x[i * n + p], e = x[(i + 1) * n + p] - a * a;
                const double du = uj[i * n + p], de = uj[(i + 1) * n + p] - 2 * a * du;
                out[i] += -2.8 * (de * a + e * du) + 0.6 * du;
                out[i + 1] += 1.4 * de;
            }
            for (size_t i = 0; i < VALLEY_DIM; i++) {
                h[i * n + p] = out[i];
            }
        }
    }
    return OD_OK;
}

/** The loss with a tilt of 3 numbers, owned by the caller. */
static inline od_problem valley(double *tilt)
{
    return (od_problem){.name = "valley",
                        .dim = VALLEY_DIM,
                        .eval = valley_eval,
                        .hvp = valley_hvp,
                        .lipschitz = {NAN, ""},
                        .convexity = {NAN, ""},
                        .minimum = {NAN, ""},
                        .data = tilt};
}

#endif
