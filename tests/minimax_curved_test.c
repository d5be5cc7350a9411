/*
 * The nearest orbits of maps that are not linear, against searches over their starts and the noise they were made with.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "nearest.h"

/* ------------------------------------------------------------------------------------------- nonlinear maps */

/* Gradient descent with step h on Hosaki's function, h in data. */
static void hosaki_gradient(const double z[2], double g[2], double hessian[3])
{
    const double x = z[0], y = z[1], e = exp(-y);
    const double p = 1 + x * (-8 + x * (7 + x * (-7.0 / 3 + x / 4))), p1 = (x - 1) * (x - 2) * (x - 4);
    g[0] = p1 * y * y * e;
    g[1] = p * y * (2 - y) * e;
    if (hessian != NULL) {
        hessian[0] = (14 + x * (-14 + 3 * x)) * y * y * e;
        hessian[1] = p1 * y * (2 - y) * e;
        hessian[2] = p * (y * y - 4 * y + 2) * e;
    }
}

static od_status hosaki_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const double h = *(const double *)chain->data;
    double g[2];
    hosaki_gradient(z, g, NULL);
    next[0] = z[0] - h * g[0];
    next[1] = z[1] - h * g[1];
    return isfinite(next[0]) && isfinite(next[1]) ? OD_OK : OD_EDIVERGED;
}

static od_status hosaki_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    const double h = *(const double *)chain->data;
    double g[2], q[3];
    hosaki_gradient(z, g, q);
    for (size_t c = 0; c < m; c++) {
        const double *v = u + 2 * c;
        ju[2 * c] = v[0] - h * (q[0] * v[0] + q[1] * v[1]);
        ju[2 * c + 1] = v[1] - h * (q[1] * v[0] + q[2] * v[1]);
    }
    return OD_OK;
}

/* The flow over time h, by 200 steps of the classical Runge-Kutta method. */
static void hosaki_flow(double h, const double from[2], double to[2])
{
    const double step = h / 200;
    to[0] = from[0];
    to[1] = from[1];
    for (int n = 0; n < 200; n++) {
        double k[4][2], z[2];
        for (int stage = 0; stage < 4; stage++) {
            const double reach = stage == 0 ? 0 : stage == 3 ? step : step / 2;
            for (int i = 0; i < 2; i++) {
                z[i] = to[i] - (stage > 0 ? reach * k[stage - 1][i] : 0);
            }
            hosaki_gradient(z, k[stage], NULL);
        }
        for (int i = 0; i < 2; i++) {
            to[i] -= step / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
        }
    }
}

static double hosaki_radius(od_chain *chain, const double *y, const double x0[2], uint64_t *at)
{
    double x[2] = {x0[0], x0[1]}, next[2], most = 0;
    for (uint64_t k = 0; k <= chain->steps; k++) {
        const double distance = hypot(x[0] - y[2 * k], x[1] - y[2 * k + 1]);
        if (distance > most) {
            most = distance;
            *at = k;
        }
        hosaki_step(chain, k, x, next);
        memcpy(x, next, sizeof x);
    }
    return most;
}

/* The same start is 0.4456 off at k = 11, and the best start 0.0527, as a search over a grid of starts found it. */
static void hosaki_has_the_radius_of_a_search_over_starts(void **state)
{
    enum { K = 40 };
    double h = 0.3, y[2 * (K + 1)] = {2.05, 3.2}, start[2], other[2], rms;
    const double weight[2] = {1, 1};
    uint64_t at;
    for (size_t k = 0; k < K; k++) {
        hosaki_flow(h, y + 2 * k, y + 2 * k + 2);
    }
    od_chain chain = {.what = "iteration", .dim = 2, .steps = K, .step = hosaki_step, .jvp = hosaki_jvp, .data = &h};
    check_close(hosaki_radius(&chain, y, y, &at), 0.4456, 5e-5);
    assert_int_equal(at, 11);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &chain, y, weight, &least, &rms, &best);
    check_close(best.best.radius, 0.0527, 5e-5);
    assert_true(isnan(best.lower));
    assert_true(best.local_lower <= best.best.radius && best.best.radius <= least.radius);
    check_close(best.local_lower, best.best.radius, 1e-8);
    check_close(hosaki_radius(&chain, y, start, &at), best.best.radius, 1e-12);
    /* no start on a grid around, ever finer, is better */
    uint64_t random = 8;
    for (int n = 0; n < 20000; n++) {
        const double size = pow(10, between(&random, -9, 0));
        const double trial[2] = {start[0] + size * between(&random, -1, 1), start[1] + size * between(&random, -1, 1)};
        assert_true(hosaki_radius(&chain, y, trial, &at) >= best.best.radius * (1 - 1e-9));
    }
}

/* At a minimum of the nonlinear problem no orbit of the linearisation is nearer. */
static void hosaki_radii_are_those_of_their_linearisations(void **state)
{
    uint64_t random = 77;
    double y[2 * 61];
    const double weight[2] = {1, 1};
    for (int n = 0; n < 40; n++) {
        double h = between(&random, 0.05, 0.35), start[2], other[2], rms;
        const uint64_t steps = 1 + (uint64_t)between(&random, 0, 60);
        uint64_t at;
        od_chain chain = {
            .what = "iteration", .dim = 2, .steps = steps, .step = hosaki_step, .jvp = hosaki_jvp, .data = &h};
        y[0] = between(&random, 0.5, 4.5);
        y[1] = between(&random, 1, 5);
        for (size_t k = 0; k < steps; k++) {
            hosaki_flow(h, y + 2 * k, y + 2 * k + 2);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        assert_true(best.best.radius <= least.radius);
        assert_true(best.best.radius <= hosaki_radius(&chain, y, y, &at));
        check_close(hosaki_radius(&chain, y, start, &at), best.best.radius, 1e-11);
        assert_true(best.local_lower <= best.best.radius);
        check_relative(best.local_lower, best.best.radius, 1e-6);
    }
}

/* Henon's map, chaotic: 0.42 a step. */
static od_status henon_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    next[0] = 1 - 1.4 * z[0] * z[0] + z[1];
    next[1] = 0.3 * z[0];
    return isfinite(next[0]) && fabs(next[0]) < 1e6 ? OD_OK : OD_EDIVERGED;
}

static od_status henon_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    for (size_t c = 0; c < m; c++) {
        ju[2 * c] = -2.8 * z[0] * u[2 * c] + u[2 * c + 1];
        ju[2 * c + 1] = 0.3 * u[2 * c];
    }
    return OD_OK;
}

typedef struct noisy {
    double y[2 * 201], noise;
    od_chain chain;
} noisy;

static noisy noisy_henon(uint64_t steps)
{
    noisy p = {.chain = {.what = "iteration", .dim = 2, .steps = steps, .step = henon_step, .jvp = henon_jvp}};
    uint64_t random = 12;
    double x[2] = {0.1, 0.1}, next[2];
    for (size_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < 2; i++) {
            p.y[2 * k + i] = x[i] + between(&random, -1, 1) * 1e-3;
        }
        p.noise = fmax(p.noise, hypot(x[0] - p.y[2 * k], x[1] - p.y[2 * k + 1]));
        henon_step(&p.chain, k, x, next);
        memcpy(x, next, sizeof x);
    }
    return p;
}

/* An orbit hidden in noise is within the noise; growth is 10^36, so that neither y_0 nor any other start leads along.
 */
static void a_noisy_chaotic_orbit_has_a_shadow_within_the_noise(void **state)
{
    double start[2], other[2], rms;
    const double weight[2] = {1, 1};
    noisy p = noisy_henon(200);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &p.chain, p.y, weight, &least, &rms, &best);
    assert_true(best.best.radius <= p.noise);
    assert_true(best.best.radius <= least.radius);
    assert_true(best.best.defect > 0 && best.best.defect < 1e-14);
    assert_true(least.defect > 0 && least.defect < 1e-14);
    check_close(best.local_lower, best.best.radius, 1e-9 * p.noise);
    /* 402 numbers uniform in +-10^-3 on 2 parameters: 10^-3/sqrt(3) for each component */
    check_relative(rms, 1e-3 * sqrt(2.0 / 3), 0.1);
}

static void a_short_chaotic_orbit_has_the_radius_of_a_search(void **state)
{
    double start[2], other[2], rms;
    const double weight[2] = {1, 1};
    noisy p = noisy_henon(12);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &p.chain, p.y, weight, &least, &rms, &best);
    check_close(best.best.defect, 0, 0);
    check_close(best.local_lower, best.best.radius, 1e-9 * p.noise);
    uint64_t random = 9;
    for (int n = 0; n < 20000; n++) {
        const double size = pow(10, between(&random, -9, -3));
        double x[2], next[2], most = 0;
        for (int i = 0; i < 2; i++) {
            x[i] = start[i] + size * between(&random, -1, 1);
        }
        for (uint64_t k = 0; k <= p.chain.steps; k++) {
            most = fmax(most, hypot(x[0] - p.y[2 * k], x[1] - p.y[2 * k + 1]));
            henon_step(&p.chain, k, x, next);
            memcpy(x, next, sizeof x);
        }
        assert_true(most >= best.best.radius * (1 - 1e-9));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(hosaki_has_the_radius_of_a_search_over_starts),
        test_with_context(hosaki_radii_are_those_of_their_linearisations),
        test_with_context(a_noisy_chaotic_orbit_has_a_shadow_within_the_noise),
        test_with_context(a_short_chaotic_orbit_has_the_radius_of_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
