/*
 * Integrals with errors that hold, and the second variation against the closed forms of hats and sines.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/variation.h"

typedef double function(double t);

static double runge(double t)
{
    return 1 / (1 + 400 * t * t);
}

static double kink(double t)
{
    return fabs(t - 0.123456789);
}

static double root(double t)
{
    return sqrt(t + 1);
}

static double wave(double t)
{
    return sin(173.1 * t) * exp(t);
}

static double steep(double t)
{
    return exp(40 * t);
}

static od_status call(void *user, double t, double *y, double *size)
{
    function *const *f = user;
    y[0] = (*f)(t);
    size[0] = fabs(y[0]);
    return OD_OK;
}

/* Known integrals over [-1, 1] in three panels that know nothing of where the trouble is. */
static void the_error_covers_the_true_one(void **state)
{
    (void)state;
    const double c = 0.123456789, w = 173.1;
    const struct {
        function *f;
        double want;
    } cases[] = {{runge, atan(20.0) / 10},
                 {kink, ((1 + c) * (1 + c) + (1 - c) * (1 - c)) / 2},
                 {root, 4 * sqrt(2.0) / 3},
                 {wave, (exp(1.0) * (sin(w) - w * cos(w)) - exp(-1.0) * (sin(-w) - w * cos(-w))) / (1 + w * w)},
                 {steep, (exp(40.0) - exp(-40.0)) / 40}};
    const double edge[4] = {-1, -0.37, 0.51, 1};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        function *f = cases[k].f;
        od_integral x;
        assert_true(od_integrate(edge, 3, 1, call, &f, &x) == OD_OK);
        check_close(x.value, cases[k].want, x.error);
        assert_true(x.error <= 1e-9 * x.size); /* and is no empty promise */
    }
}

/* A step function: the error that is left is stated. */
static od_status starved(void *user, double t, double *y, double *size)
{
    (void)user;
    y[0] = t > 0.3 ? 1 : 0;
    size[0] = 1;
    return OD_OK;
}

static void a_jump_keeps_an_error(void **state)
{
    (void)state;
    const double edge[2] = {0, 1};
    od_integral x;
    assert_true(od_integrate(edge, 1, 1, starved, NULL, &x) == OD_OK);
    check_close(x.value, 0.7, x.error);
}

/* Height 1, half-width eps at c, beta = 1, damping 3/t: -c (3 eps^4/10 + (c^2 - 3) eps^2 - 3 c^2)/(3 eps), which
 * changes its sign at eps^2 = (15 - 5 u + sqrt(25 u^2 - 60 u + 225))/3, u = c^2. */
static void hats_have_their_closed_form(void **state)
{
    od_context *ctx = *state;
    od_experiment *e = od_experiment_parse(ctx,
                                           "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: nesterov}, "
                                           "integrator: {name: exact}, start: {x: [1]}, until: 20}",
                                           NULL);
    check_done(ctx, e != NULL);
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], 20, 1e-13, &path) == OD_OK);
    const od_curve curve = {.d = 1, .path = path};
    const double one = 1, centre[3] = {4.385, 7, 10}, width[3] = {0.3, 1.9, 3.7};
    od_action a;
    check_done(ctx, od_action_open(ctx, &e->member[0], &curve, 0, 20, &a) == OD_OK);
    for (size_t k = 0; k < 9; k++) {
        const double c = centre[k / 3], eps = width[k % 3], s = 0.7;
        const od_displacement h = {.kind = OD_HAT, .centre = c, .width = eps, .direction = &one};
        od_variations v;
        check_done(ctx, od_action_variations(ctx, &a, &h, s, &v) == OD_OK);
        const double want = -s * s * c * (3 * pow(eps, 4) / 10 + (c * c - 3) * eps * eps - 3 * c * c) / (3 * eps);
        check_close(v.second.value, want, v.second.error);
        check_relative(v.difference.value, want, 1e-11);
    }
    const double u = 100.0, zero = sqrt((15 - 5 * u + sqrt(25 * u * u - 60 * u + 225)) / 3);
    const od_displacement level = {.kind = OD_HAT, .centre = 10, .width = zero, .direction = &one};
    od_variations v;
    check_done(ctx, od_action_variations(ctx, &a, &level, 1, &v) == OD_OK);
    check_close(zero * zero, 3.06375284081565, 1e-13);
    check_close(v.second.value, 0.0, v.second.error + 1e-10);
    od_action_close(&a);
    od_trajectory_free(path);
    od_experiment_free(e);
}

/* Constant damping: sigma^2 e^{alpha t1} (e^{alpha T} - 1)/(2 alpha) w^2 (2 w^2 + alpha^2 - 2 beta)/(alpha^2 + 4 w^2),
 * in any direction of an isotropic loss, and half of each eigenvalue's in a direction between two. */
static void sines_have_their_closed_form(void **state)
{
    od_context *ctx = *state;
    const double alpha = 0.7, t1 = 0.4, t2 = 5.385, length = t2 - t1, beta[2] = {2.3, 0.4};
    od_experiment *e = od_experiment_parse(ctx,
                                           "{problem: {name: quadratic, eigenvalues: [2.3, 0.4]}, method: {name: "
                                           "heavy-ball, alpha: 0.7}, integrator: {name: exact}, start: {x: [1, -2]}, "
                                           "until: 5.385}",
                                           NULL);
    check_done(ctx, e != NULL);
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], t2, 1e-13, &path) == OD_OK);
    const od_curve curve = {.d = 2, .path = path};
    const double direction[2] = {sqrt(0.5), sqrt(0.5)};
    od_action a;
    check_done(ctx, od_action_open(ctx, &e->member[0], &curve, t1, t2, &a) == OD_OK);
    for (int k = 1; k <= 7; k++) {
        const od_displacement h = {.kind = OD_SINE, .number = k, .direction = direction};
        const double w = k * 3.14159265358979323846 / length, sigma = 1.3;
        od_variations v;
        check_done(ctx, od_action_variations(ctx, &a, &h, sigma, &v) == OD_OK);
        double want = 0;
        for (int i = 0; i < 2; i++) {
            want += sigma * sigma * exp(alpha * t1) * expm1(alpha * length) / (2 * alpha) * w * w *
                    (2 * w * w + alpha * alpha - 2 * beta[i]) / (alpha * alpha + 4 * w * w) / 2;
        }
        check_relative(v.second.value, want, 1e-12);
        check_close(v.first.value, 0.0, 1e-11);
        check_relative(v.difference.value, want, 1e-11);
    }
    od_action_close(&a);
    od_trajectory_free(path);
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(the_error_covers_the_true_one),
        test_with_context(a_jump_keeps_an_error),
        test_with_context(hats_have_their_closed_form),
        test_with_context(sines_have_their_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
