/*
 * Runs of a single path, from the text of an experiment to its rows: closed forms, records between steps, lock-step
 * gaps against references, one Brownian path for all, observers.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include <gsl/gsl_sf_bessel.h>

/* ------------------------------------------------------------------------------------------- closed forms */

static void gradient_flow_is_exponential(void **state)
{
    /* rk4: the relative error of e^{-1.3 t} at t = 2.385 is t lambda (lambda h)^4 / 120 = 7.4e-6 for h = 0.1 */
    static const struct {
        const char *integrator;
        double tolerance;
    } cases[] = {
        {"exact", 1e-14}, {"{name: rk4, step: 0.1}", 8e-6}, {"{name: cvode, rtol: 1.0e-10, atol: 1.0e-12}", 1e-8}};
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3, 0.4], centre: [0.2, 0]}, method: gradient, integrator: %s, "
            "start: {t: 0.5, x: [1.7, -0.6]}, until: 2.885}",
            cases[i].integrator);
        od_result *r = run_text(*state, text, NULL, OD_OK);
        const double x1 = 1.5 * exp(-1.3 * 2.385), x2 = -0.6 * exp(-0.4 * 2.385);
        check_relative(r->outcome[0].mean[0] - 0.2, x1, cases[i].tolerance * 3);
        check_relative(r->outcome[0].mean[1], x2, cases[i].tolerance);
        assert_true(r->outcome[0].t == 2.885);
        check_relative(r->outcome[0].loss, 0.65 * x1 * x1 + 0.2 * x2 * x2, 6 * cases[i].tolerance);
        check_relative(r->outcome[0].distance, hypot(x1, x2), 3 * cases[i].tolerance);
        assert_string_equal(r->outcome[0].label, "gradient");
        assert_int_equal(r->outcome[0].paths, 1);
        assert_int_equal(r->outcome[0].stopped, 0);
        assert_true(isnan(r->outcome[0].reached) && isnan(r->outcome[0].gap_max));
        od_result_free(r);
    }
}

static void heavy_ball_is_a_damped_oscillator(void **state)
{
    od_result *r = run_text(*state,
                            "{problem: {name: quadratic, eigenvalues: [2.3]}, method: {name: heavy-ball, alpha: 0.7}, "
                            "integrator: {name: rk4, step: 0.01}, start: {x: [1.7], v: [-0.9]}, until: 3.2}",
                            NULL, OD_OK);
    const double a = 0.35, w = sqrt(2.3 - a * a), t = 3.2, c = 1.7, s = (-0.9 + a * 1.7) / w;
    /* rk4: (w h)^4 w t / 120 = 3e-10 */
    check_close(r->outcome[0].mean[0], exp(-a * t) * (c * cos(w * t) + s * sin(w * t)), 1e-9);
    check_close(r->outcome[0].mean[1], exp(-a * t) * ((-a * c + w * s) * cos(w * t) - (a * s + w * c) * sin(w * t)),
                2e-9);
    assert_int_equal(r->outcome[0].evaluations, 4 * 320);
    od_result_free(r);
}

/* Su, Boyd, Candes (2016): X(t) = x0 2 J_1(w t)/(w t), w^2 the curvature; the start is singular. */
static void nesterov_flow_is_a_bessel_function(void **state)
{
    static const char *const integrators[] = {"exact", "{name: rk4, step: 0.01}"};
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3]}, method: nesterov, integrator: %s, start: {x: [1.7]}, "
            "until: 7.3}",
            integrators[i]);
        od_result *r = run_text(*state, text, NULL, OD_OK);
        const double wt = sqrt(1.3) * 7.3;
        check_close(r->outcome[0].mean[0], 1.7 * 2 * gsl_sf_bessel_J1(wt) / wt, i == 0 ? 1e-12 : 1e-8);
        od_result_free(r);
    }
}

/* ------------------------------------------------------------------------------------------- records */

static void records_lie_between_steps(void **state)
{
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3]}, method: gradient, integrator: {name: rk4, "
        "step: 0.1}, start: {t: 0.2, x: [1.7]}, until: 2.385, record: {every: 0.33, quantities: [x]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    table t = read_table(folder, "flow.csv");
    assert_int_equal(t.rows, 8); /* 0.2 + 0.33 j for j = 0..6, then 2.385 */
    for (size_t j = 0; j < 8; j++) {
        const double time = j < 7 ? 0.2 + (double)j * 0.33 : 2.385;
        assert_true(table_at(&t, j, "t") == time);
        /* Hermite's error h^4/384 |x''''| <= 1.3e-6 besides the scheme's own 7e-6 */
        check_close(table_at(&t, j, "x_1"), 1.7 * exp(-1.3 * (time - 0.2)), 9e-6);
    }
    check_close(table_at(&t, 7, "x_1"), r->outcome[0].mean[0], 0);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* Euler's states are known: (1 - lambda h)^n, with a shortened last step, and lines between them. */
static void euler_rows_are_those_of_the_polygon(void **state)
{
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3]}, method: gradient, integrator: {name: euler, "
        "step: 0.1}, start: {x: [1.7]}, until: 2.385, record: {every: 0.33, quantities: [x, loss]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    table t = read_table(folder, "flow.csv");
    assert_int_equal(t.rows, 9);
    for (size_t j = 0; j < 9; j++) {
        const double time = j < 8 ? (double)j * 0.33 : 2.385, n = fmin(23, floor(time / 0.1 + 1e-9));
        const double begin = 1.7 * pow(0.87, n), x = begin * (1 - 1.3 * (time - 0.1 * n));
        check_relative(table_at(&t, j, "x_1"), x, 1e-13);
        check_relative(table_at(&t, j, "loss"), 0.65 * x * x, 2e-13);
    }
    /* a step that is longer than the run is shortened as well */
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3]}, method: gradient, integrator: {name: euler, step: 5}, "
        "start: {x: [1.7]}, until: 0.385, record: {every: 1.0e+9}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    check_relative(r->outcome[0].mean[0], 1.7 * (1 - 1.3 * 0.385), 1e-15);
    t = read_table(folder, "flow.csv");
    assert_int_equal(t.rows, 2);
    assert_true(table_at(&t, 0, "t") == 0 && table_at(&t, 1, "t") == 0.385);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

static void strides_pick_iterations(void **state)
{
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3]}, method: {name: gradient, step: 0.1}, start: "
        "{x: [1.7]}, iterations: 23, record: {stride: 5, quantities: [x]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    table t = read_table(folder, "iteration.csv");
    static const double k[] = {0, 5, 10, 15, 20, 23};
    assert_int_equal(t.rows, 6);
    for (size_t j = 0; j < 6; j++) {
        assert_true(table_at(&t, j, "k") == k[j]);
        check_close(table_at(&t, j, "t"), 0.1 * k[j], 1e-15);
        check_relative(table_at(&t, j, "x_1"), 1.7 * pow(0.87, k[j]), 1e-14);
    }
    assert_int_equal(r->outcome[0].iterations, 23);
    assert_int_equal(r->outcome[0].evaluations, 23);
    assert_null(r->outcome[0].mean);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* ------------------------------------------------------------------------------------------- lock-step */

static void check_gap(od_context *ctx, const char *text, double want, double at, double tolerance)
{
    od_result *r = run_text(ctx, text, NULL, OD_OK);
    check_relative(r->outcome[0].gap_max, want, tolerance);
    check_relative(r->outcome[0].gap_at, at, 1e-12);
    od_result_free(r);
}

/* References nag-vs-ode, shadow-gd and shadow-hb (exact: closed forms to 40 digits), relative accuracy 1e-13. */
static void gaps_are_those_of_the_references(void **state)
{
    static const struct {
        const char *origin, *problem, *method, *x;
        int iterations;
        double tau, max;
        int at;
    } cases[] = {
        {"nag-vs-ode/eta=0.01", "[1]", "name: nesterov, step: 0.01", "[1]", 200, 0.1, 0.07374905375164197, 19},
        {"nag-vs-ode/eta=0.0001", "[1]", "name: nesterov, step: 0.0001", "[1]", 2000, 0.01, 0.007529185104209464, 191},
        {"shadow-gd/H=1/h=1", "[1]", "name: gradient, step: 1", "[1]", 30, 1, 0.36787944117144233, 1},
        {"shadow-gd/H=1/h=0.1", "[1]", "name: gradient, step: 0.1", "[1]", 200, 0.1, 0.019201001071442323, 10},
        {"shadow-gd/H=1_0.1/h=0.2", "[1, 0.1]", "name: gradient, step: 0.2", "[1, 1]", 300, 0.2, 0.04020989013895044,
         5},
        {"shadow-gd/H=5_0.5/h=0.2", "[5, 0.5]", "name: gradient, step: 0.2", "[1, -2]", 100, 0.2, 0.36800663810538964,
         1},
        {"shadow-gd/H=1_0.01/h=0.5", "[1, 0.01]", "name: gradient, step: 0.5", "[1, 1]", 400, 0.5, 0.11787944378731445,
         2},
        {"shadow-gd/H=4_1_0.25/h=0.05", "[4, 1, 0.25]", "name: gradient, step: 0.05", "[1, 1, 1]", 400, 0.05,
         0.04051334100711201, 5},
        {"shadow-hb/H=1/alpha=1/h=0.2", "[1]", "name: heavy-ball, alpha: 1, step: 0.2", "[1]", 200, 0.2,
         0.08423607192224951, 7},
        {"shadow-hb/H=1_0.1/alpha=1/h=0.2", "[1, 0.1]", "name: heavy-ball, alpha: 1, step: 0.2", "[1, 1]", 300, 0.2,
         0.08504710105483382, 7},
        {"shadow-hb/H=5_0.5/alpha=1/h=0.2", "[5, 0.5]", "name: heavy-ball, alpha: 1, step: 0.2", "[1, -2]", 200, 0.2,
         0.23634082855965716, 3},
        {"shadow-hb/H=1/alpha=1/h=0.1", "[1]", "name: heavy-ball, alpha: 1, step: 0.1", "[1]", 400, 0.1,
         0.041434106791894194, 13},
        {"shadow-hb/H=1/alpha=1/h=0.05", "[1]", "name: heavy-ball, alpha: 1, step: 0.05", "[1]", 800, 0.05,
         0.02055706970075232, 27},
        {"shadow-hb/H=4/alpha=0.3/h=0.1", "[4]", "name: heavy-ball, alpha: 0.3, step: 0.1", "[1]", 400, 0.1,
         0.10224199155386843, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: {name: quadratic, eigenvalues: %s}, method: {%s}, integrator: exact, start: {x: %s}, "
                 "until: %.17g, iterations: %d}",
                 cases[i].problem, cases[i].method, cases[i].x, cases[i].tau * cases[i].iterations,
                 cases[i].iterations);
        check_gap(*state, text, cases[i].max, cases[i].tau * cases[i].at, 1e-11);
    }
    /* rk4 on another grid than the iteration's: dense output between its steps; 0.03^4 leaves 1e-7 */
    check_gap(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: nesterov, step: 0.01}, integrator: {name: rk4, "
        "step: 0.03}, start: {x: [1]}, until: 20, iterations: 200}",
        0.07374905375164197, 1.9, 1e-6);
}

/* The iteration may end before the flow, and the flow before the iteration: then the gap ends. */
static void flow_and_iteration_may_end_apart(void **state)
{
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 0.25}, "
        "integrator: {name: rk4, step: 0.1}, start: {x: [1]}, until: 1, iterations: 9, record: {every: "
        "0.5, stride: 1, quantities: [x]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    table map = read_table(folder, "iteration.csv"), flow = read_table(folder, "flow.csv");
    assert_int_equal(map.rows, 10);
    assert_int_equal(flow.rows, 3);
    for (size_t k = 0; k < 10; k++) {
        const double x = pow(0.75, (double)k), y = exp(-0.25 * (double)k);
        check_relative(table_at(&map, k, "x_1"), x, 1e-14);
        assert_true(isnan(table_at(&map, k, "gap")) == (k > 4));
        if (k <= 4) {
            check_close(table_at(&map, k, "gap"), y - x, 1e-6); /* rk4 with h = 0.1: 1/120 1e-4 e^-1 = 3e-7 */
            check_close(table_at(&map, k, "relative_gap"), (y - x) / y, 2e-6);
        }
    }
    assert_int_equal(r->outcome[0].iterations, 9);
    check_close(r->outcome[0].iteration_t, 2.25, 0);
    assert_true(r->outcome[0].t == 1);
    check_close(r->outcome[0].gap_at, 1, 1e-15);
    free(map.value);
    free(flow.value);
    od_result_free(r);
    remove_folder(folder);
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 0.25}, integrator: {name: "
        "rk4, step: 0.1}, start: {x: [1]}, until: 3, iterations: 2}",
        NULL, OD_OK);
    assert_true(r->outcome[0].t == 3 && r->outcome[0].iterations == 2);
    check_close(r->outcome[0].mean[0], exp(-3), 1e-6);
    check_close(r->outcome[0].iteration_mean[0], 0.5625, 1e-16);
    check_close(r->outcome[0].gap_max, exp(-0.5) - 0.5625, 1e-6);
    od_result_free(r);
}

/* In lock-step each face has its own loss. */
static void flow_and_iteration_have_their_own_loss(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [0.7]}, method: {name: gradient, step: 0.5}, start: "
        "{x: [2.385]}, integrator: exact, until: 2, iterations: 4}",
        NULL, OD_OK);
    const double x = 2.385 * exp(-1.4), y = 2.385 * pow(0.65, 4);
    check_relative(r->outcome[0].loss, 0.35 * x * x, 1e-14);
    check_relative(r->outcome[0].iteration_loss, 0.35 * y * y, 1e-14);
    check_relative(r->outcome[0].iteration_distance, y, 1e-14);
    od_result_free(r);
}

/* ------------------------------------------------------------------------------------------- one Brownian path */

/* Without curvature x(t) - x0 = -sigma W(t) exactly, at any step: sums of the same numbers in another order. */
static void all_steps_see_one_brownian_path(void **state)
{
    static const char *const grids[] = {"noise_step: 0.01, ", "", "noise_step: 0.04, ", "noise_step: 0.005, "};
    static const double base[] = {0.01, 0.01, 0.04, 0.005};
    for (size_t g = 0; g < 4; g++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [0, 0, 0]}, start: {t: 0.3, x: [1, 2, 3]}, until: 2.3, seed: 11, "
            "%scompare: [{method: {name: gradient, noise: 0.7}, integrator: {name: euler-maruyama, step: 0.01}}, "
            "{method: {name: gradient, noise: 0.7}, integrator: {name: euler-maruyama, step: 0.02}}, {method: {name: "
            "gradient, noise: 0.7}, integrator: {name: milstein, step: 0.04}}, {method: {name: gradient, noise: 0.7, "
            "step: 0.08}, iterations: 25, integrator: {name: euler-maruyama, step: 0.04}}]}",
            grids[g]);
        od_result *r = run_text(*state, text, NULL, OD_OK);
        assert_int_equal(r->count, 4);
        double w[3];
        const od_brownian motion = {.seed = 11, .origin = 0.3, .base = base[g], .dim = 3};
        od_interval interval;
        assert_int_equal(od_brownian_interval(&motion, 0.3, 2.3, &interval), OD_OK);
        od_brownian_increment(&motion, &interval, 0, 1, w, NULL);
        for (size_t i = 0; i < 3; i++) {
            for (size_t m = 0; m < 4; m++) {
                check_close(r->outcome[m].mean[i], 1 + (double)i - 0.7 * w[i], 1e-13);
            }
            check_close(r->outcome[3].iteration_mean[i], 1 + (double)i - 0.7 * w[i], 1e-13);
            assert_true(fabs(w[i]) > 1e-3);
        }
        check_close(r->outcome[3].gap_max, 0, 1e-13);
        od_result_free(r);
    }
}

/* With curvature, Euler-Maruyama at the iteration's own step is the iteration: the noise and its scaling agree. */
static void the_iteration_is_euler_maruyama_on_the_same_path(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: gradient, noise: [[0.5, "
        "0.1, 0], [0, 0.3, 0.2]], step: 0.1}, integrator: {name: euler-maruyama, step: 0.1}, start: {x: "
        "[1, -2]}, until: 5, iterations: 50, seed: 3}",
        NULL, OD_OK);
    assert_true(r->outcome[0].gap_max < 1e-13);
    assert_true(fabs(r->outcome[0].mean[0] - pow(0.87, 50)) > 1e-3);
    od_result_free(r);
    /* heavy ball: the semi-implicit step on the same path */
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: heavy-ball, alpha: 0.5, noise: 0.3, "
        "step: 0.1}, integrator: {name: euler-maruyama, step: 0.0015625}, start: {x: [1, -2]}, until: 5, "
        "iterations: 50, seed: 3}",
        NULL, OD_OK);
    /* order 1 in the iteration's step: on another path the gap would be of the noise's size, 0.3 sqrt(5) */
    assert_true(r->outcome[0].gap_max < 0.15);
    od_result_free(r);
}

/* ------------------------------------------------------------------------------------------- observers */

typedef struct watch {
    size_t flow_rows, map_rows;
    double worst;
    od_status answer;
} watch;

static od_status watch_exponential(void *user, const od_view *view)
{
    watch *w = user;
    const size_t row = view->iteration ? w->map_rows++ : w->flow_rows++;
    const double want = view->iteration ? 2.385 * pow(1 - 0.2 * 0.7, 2.0 * (double)row) : 2.385 * exp(-0.7 * view->t);
    w->worst = fmax(w->worst, fabs(view->z[0] - want));
    assert_int_equal(view->row, row);
    assert_int_equal(view->n, 1);
    assert_true(view->alive[0] && view->problem->dim == 1);
    return w->answer;
}

/* Rows of flow and iteration come in order with their states; a refusal ends the run; a ninth observer is one too many.
 */
static void observers_see_every_row(void **state)
{
    const char *yaml = "{problem: {name: quadratic, eigenvalues: [0.7]}, method: {name: gradient, step: 0.2}, "
                       "integrator: exact, start: {x: [2.385]}, until: 2, iterations: 10, record: {every: 0.4}}";
    for (unsigned refuses = 0; refuses < 2; refuses++) {
        watch w = {.answer = refuses == 1 ? OD_EUSER : OD_OK};
        od_experiment *e = od_experiment_parse(*state, yaml, NULL);
        od_result *result = NULL;
        check_done(*state, e != NULL);
        assert_int_equal(od_experiment_observe(*state, e, (od_observer){watch_exponential, &w}), OD_OK);
        assert_int_equal(od_experiment_run(*state, e, &result), w.answer);
        assert_int_equal(w.flow_rows + w.map_rows, refuses == 1 ? 1 : 12);
        check_close(w.worst, 0, 1e-15 * 20);
        for (unsigned more = 1; more < 8; more++) {
            assert_int_equal(od_experiment_observe(*state, e, (od_observer){watch_exponential, &w}), OD_OK);
        }
        assert_int_equal(od_experiment_observe(*state, e, (od_observer){watch_exponential, &w}), OD_EINVAL);
        od_result_free(result);
        od_experiment_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(gradient_flow_is_exponential),
        test_with_context(heavy_ball_is_a_damped_oscillator),
        test_with_context(nesterov_flow_is_a_bessel_function),
        test_with_context(records_lie_between_steps),
        test_with_context(euler_rows_are_those_of_the_polygon),
        test_with_context(strides_pick_iterations),
        test_with_context(gaps_are_those_of_the_references),
        test_with_context(flow_and_iteration_may_end_apart),
        test_with_context(flow_and_iteration_have_their_own_loss),
        test_with_context(all_steps_see_one_brownian_path),
        test_with_context(the_iteration_is_euler_maruyama_on_the_same_path),
        test_with_context(observers_see_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
