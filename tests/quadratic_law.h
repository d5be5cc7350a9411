/* Random quadratics under both dampings, and the zeros of their scalar fields in closed form. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_TESTS_QUADRATIC_LAW_H
#define OD_TESTS_QUADRATIC_LAW_H

#include "check.h"

#include <gsl/gsl_sf_bessel.h>

enum { VISCOUS, DAMPED };
static const double PI = 3.14159265358979323846;

/* w = t^r or e^{r t}, the same weight on both terms; curvature h = Q diag(lambda) Q^T. */
typedef struct law {
    int kind;
    double r;
    size_t d;
    double lambda[12], q[144];
} law;

typedef struct cup {
    uint64_t seed, drawn;
} cup;

static double uniform(cup *dice)
{
    return od_uniform(dice->seed, OD_STREAM_CHECK, 0, 0, dice->drawn++);
}

static inline size_t whole(cup *dice, size_t bound)
{
    return (size_t)((double)bound * uniform(dice));
}

/* The angle by which a solution of h'' + damping h' + lambda h = 0 has turned is what closed forms know best: here the
 * number of zeros of the field of t1 in (t1, t], by the zeros of Bessel's cross product or of the sine. */
static double bracket(double nu, double s1, double s)
{
    return gsl_sf_bessel_Jnu(nu, s1) * gsl_sf_bessel_Ynu(nu, s) - gsl_sf_bessel_Ynu(nu, s1) * gsl_sf_bessel_Jnu(nu, s);
}

/* Writes the zeros in (t1, t2 + slack) of the scalar field, ascending; returns how many. */
static inline size_t zeros(const law *w, double lambda, double t1, double t2, size_t room, double *zero)
{
    size_t count = 0;
    if (w->kind == DAMPED) {
        const double square = 4 * lambda - w->r * w->r;
        for (size_t k = 1; square > 0 && t1 + 2 * PI * (double)k / sqrt(square) < t2 && count < room; k++) {
            zero[count++] = t1 + 2 * PI * (double)k / sqrt(square);
        }
        return count;
    }
    if (lambda <= 0) {
        return 0;
    }
    /* the gaps are between pi (for nu >= 1/2, from above) and j_{nu,1}, so a grid of 0.4 brackets each zero */
    const double root = sqrt(lambda), nu = fabs(w->r - 1) / 2, end = root * t2;
    double a = root * t1 * (1 + 1e-9) + 1e-9, fa = bracket(nu, root * t1, a);
    while (a < end && count < room) {
        double b = a + 0.4, fb = bracket(nu, root * t1, b), low = a, high = b;
        const double flow = fa;
        a = b;
        fa = fb;
        if ((flow > 0) == (fb > 0)) {
            continue;
        }
        for (int k = 0; k < 60; k++) {
            const double middle = (low + high) / 2, f = bracket(nu, root * t1, middle);
            if ((f > 0) == (flow > 0)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        if (low < end) {
            zero[count++] = low / root;
        }
    }
    return count;
}

static void random_rotation(cup *dice, law *w)
{
    const size_t d = w->d;
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < d; k++) {
            w->q[i * d + k] = i == k;
        }
    }
    for (size_t k = 0; k + 1 < d; k++) {
        double u[12], square = 0;
        for (size_t i = 0; i < d; i++) {
            u[i] = od_normal(dice->seed, OD_STREAM_CHECK, 1, 0, dice->drawn++);
            square += u[i] * u[i];
        }
        for (size_t i = 0; i < d; i++) {
            double along = 0;
            for (size_t l = 0; l < d; l++) {
                along += w->q[i * d + l] * u[l];
            }
            for (size_t l = 0; l < d; l++) {
                w->q[i * d + l] -= 2 * along * u[l] / square;
            }
        }
    }
}

/* Repeated, zero and negative eigenvalues; critical ones; both dampings. */
static inline law random_law(cup *dice)
{
    law w = {.kind = whole(dice, 2) == 0 ? VISCOUS : DAMPED, .d = 1 + whole(dice, 12)};
    w.r = w.kind == VISCOUS ? 6 * uniform(dice) : whole(dice, 8) == 0 ? 0 : 3 * uniform(dice);
    for (size_t i = 0; i < w.d; i++) {
        const size_t sort = whole(dice, 8);
        w.lambda[i] = sort == 0            ? 0
                      : sort == 1          ? -2 * uniform(dice)
                      : sort <= 3 && i > 0 ? w.lambda[whole(dice, i)]
                      : sort == 4          ? w.r * w.r / 4
                                           : 0.05 * pow(200, uniform(dice));
    }
    random_rotation(dice, &w);
    return w;
}

enum { MAX_ZEROS = 4096 };

#endif
