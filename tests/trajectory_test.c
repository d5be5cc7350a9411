/*
 * One path of a flow, solved once: against closed forms, a conserved quantity and CVODE.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/trajectory.h"

static od_experiment *parse(od_context *ctx, const char *text)
{
    od_experiment *e = od_experiment_parse(ctx, text, NULL);
    check_done(ctx, e != NULL);
    return e;
}

static od_trajectory *solve(od_context *ctx, const od_experiment *e, double rtol)
{
    const od_member *m = &e->member[0];
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, m, m->interval[1], rtol, &path) == OD_OK);
    return path;
}

/* f = c |x|^p, p = 2 (r + 1)/(r - 1): x = x0 (1 + a t^2)^{-(r - 1)/2}, a = c p x0^{p-2}/((r + 1)(r - 1)); 1 ulp of x is
 * 2e-16 and the bound on a panel 1e-13. */
static void a_singular_start_from_rest_gives_the_closed_form(void **state)
{
    static const struct {
        double r, p, c, x0;
    } cases[] = {{3, 4, 1, 1}, {3, 4, 2.385, 0.7}, {2, 6, 1, 1}, {5, 3, 1, 1}};
    for (size_t k = 0; k < 4; k++) {
        const double r = cases[k].r, p = cases[k].p, c = cases[k].c, x0 = cases[k].x0;
        const double a = c * p * pow(x0, p - 2) / ((r + 1) * (r - 1));
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: {name: power, p: %g, c: %.17g}, method: {name: nesterov, r: %g}, integrator: {name: rk4, "
                 "step: 0.1}, start: {x: [%.17g]}, until: 40}",
                 p, c, r, x0);
        od_experiment *e = parse(*state, text);
        od_trajectory *path = solve(*state, e, 1e-13);
        for (int i = 0; i <= 997; i++) {
            const double t = 40.0 * i / 997, base = 1 + a * t * t;
            double x, v, h;
            assert_true(od_trajectory_at(path, t, &x, &v) == OD_OK);
            check_relative(x, x0 * pow(base, -(r - 1) / 2), 2e-11);
            check_close(v, -x0 * (r - 1) * a * t * pow(base, -(r + 1) / 2), 2e-11 * fabs(x0) / base);
            assert_true(od_trajectory_hessian(path, t, &h) == OD_OK);
            check_relative(h, c * p * (p - 1) * pow(x, p - 2), 1e-12);
        }
        od_trajectory_free(path);
        od_experiment_free(e);
    }
}

/* On f = x^4 with damping 3/t, K = y_tau^2/2 - y^2/2 + y^4 with y = t x, y_tau = t (x + t v) is conserved. */
static void an_oscillating_path_conserves_what_it_should(void **state)
{
    od_experiment *e = parse(*state, "{problem: {name: power, p: 4}, method: {name: nesterov}, integrator: {name: rk4, "
                                     "step: 0.1}, start: {t: 1, x: [1], v: [0.3]}, until: 200}");
    od_trajectory *path = solve(*state, e, 1e-13);
    for (int i = 0; i <= 1000; i++) {
        const double t = 1 + 199.0 * i / 1000;
        double x, v;
        assert_true(od_trajectory_at(path, t, &x, &v) == OD_OK);
        const double y = t * x, w = t * (x + t * v);
        check_close(w * w / 2 - y * y / 2 + y * y * y * y, 1.3 * 1.3 / 2 - 0.5 + 1, 2e-10);
    }
    double x;
    assert_true(od_trajectory_at(path, 0.999, &x, NULL) == OD_EINVAL);
    assert_true(od_trajectory_at(path, 200.1, &x, NULL) == OD_EINVAL);
    assert_true(od_trajectory_at(path, NAN, &x, NULL) == OD_EINVAL);
    od_trajectory_free(path);
    od_experiment_free(e);
}

/* CVODE with rtol 1e-12 is another program's way to the same path. */
static void paths_of_other_losses_are_those_of_cvode(void **state)
{
    static const char *const parts[] = {
        "problem: {name: rosenbrock}, method: {name: nesterov}, start: {t: 0.5, x: [-1.2, 1]}, until: 6",
        "problem: {name: hosaki}, method: {name: heavy-ball, alpha: 0.7}, start: {x: [2.05, 3.2], v: [0.1, -0.2]}, "
        "until: 12",
        "problem: {name: styblinski-tang, dim: 2}, method: {name: memory, forgetting: quadratic}, start: {t: 0.3, x: "
        "[1, -0.4]}, until: 3",
        "problem: {name: hosaki}, method: {name: bregman, p: 3}, start: {t: 0.4, x: [2.05, 3.2]}, until: 3"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        char text[640];
        snprintf(text, sizeof text,
                 "{%s, integrator: {name: cvode, rtol: 1e-12, atol: 1e-13}, record: {every: 0.5, quantities: [x]}}",
                 parts[k]);
        od_experiment *e = parse(*state, text);
        od_trajectory *path = solve(*state, e, 1e-13);
        od_result *result = NULL;
        check_done(*state, od_experiment_run(*state, e, &result) == OD_OK);
        double x[2], v[2];
        assert_true(od_trajectory_at(path, result->outcome[0].t, x, v) == OD_OK);
        for (size_t i = 0; i < 2; i++) {
            check_close(x[i], result->outcome[0].mean[i], 1e-8);
            check_close(v[i], result->outcome[0].mean[2 + i], 1e-7);
        }
        od_trajectory_free(path);
        od_result_free(result);
        od_experiment_free(e);
    }
}

static void the_hessian_and_its_products_agree(void **state)
{
    od_experiment *e = parse(*state, "{problem: {name: rosenbrock}, method: {name: nesterov}, integrator: {name: rk4, "
                                     "step: 0.1}, start: {t: 0.5, x: [-1.2, 1]}, until: 3, interval: [1, 2.5]}");
    od_trajectory *path = solve(*state, e, 1e-12);
    double x[2], h[4], hu[4];
    const double u[4] = {0.3, -1.7, 2.385, 0.6};
    assert_true(od_trajectory_at(path, 2.2, x, NULL) == OD_OK && !od_trajectory_is_quadratic(path));
    assert_true(od_trajectory_hessian(path, 2.2, h) == OD_OK);
    assert_true(od_trajectory_products(path, 2.2, 2, u, hu) == OD_OK);
    check_relative(h[0], 1200 * x[0] * x[0] - 400 * x[1] + 2, 1e-13);
    check_relative(h[1], -400 * x[0], 1e-13);
    check_relative(h[3], 200.0, 1e-13);
    for (size_t j = 0; j < 2; j++) {
        check_relative(hu[2 * j], h[0] * u[2 * j] + h[1] * u[2 * j + 1], 1e-12);
        check_relative(hu[2 * j + 1], h[2] * u[2 * j] + h[3] * u[2 * j + 1], 1e-12);
    }
    od_trajectory_free(path);
    od_experiment_free(e);
}

static void what_has_no_action_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *problem, *method, *reason;
    } cases[] = {{"quadratic, eigenvalues: [1]", "gradient", "'gradient' is not the Euler-Lagrange equation"},
                 {"quadratic, eigenvalues: [1]", "nesterov, noise: 0.1", "remove method.noise"},
                 {"power, p: 1.5", "nesterov", "its curvature is infinite at 0"},
                 {"power, p: 1", "nesterov", "its gradient jumps at 0"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char text[400];
        snprintf(text, sizeof text,
                 "{problem: {name: %s}, method: {name: %s}, integrator: {name: euler-maruyama, step: 0.1}, start: {t: "
                 "1, x: [1]}, until: 2}",
                 cases[k].problem, cases[k].method);
        od_experiment *e = parse(*state, text);
        od_trajectory *path;
        assert_true(od_trajectory_create(*state, &e->member[0], 2, 1e-10, &path) == OD_EUNSUPPORTED && path == NULL);
        check_message(*state, cases[k].reason);
        od_experiment_free(e);
    }
    /* x'' = -x' / ... on -x^4 leaves every bound in finite time */
    od_experiment *e = parse(*state, "{problem: {name: styblinski-tang, dim: 1}, method: {name: heavy-ball, alpha: 1}, "
                                     "integrator: {name: rk4, step: 0.1}, start: {x: [1e160]}, until: 2}");
    od_trajectory *path;
    assert_true(od_trajectory_create(*state, &e->member[0], 2, 1e-10, &path) == OD_EDIVERGED);
    check_message(*state, "diverged at t =");
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(a_singular_start_from_rest_gives_the_closed_form),
        test_with_context(an_oscillating_path_conserves_what_it_should),
        test_with_context(paths_of_other_losses_are_those_of_cvode),
        test_with_context(the_hessian_and_its_products_agree),
        test_with_context(what_has_no_action_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
