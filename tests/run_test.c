/*
 * Runs of a single path, from the text of an experiment to its rows: closed forms, records between steps, lock-step
 * gaps against references, `stop`, one Brownian path for all, divergence, interruption and result files.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include <gsl/gsl_sf_bessel.h>
#include <sys/stat.h>

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

/* ------------------------------------------------------------------------------------------- stop */

static void stop_ends_at_the_first_step_that_meets_it(void **state)
{
    static const struct {
        const char *changes;
        double reached; /* 0.65 1.7^2 e^{-2.6 t} <= 0.01 from t = 2.013; 1.3 1.7 e^{-1.3 t} <= 0.1 from t = 2.381 */
    } cases[] = {{"stop: {loss: 0.01}, record: {every: 0.33}", 2.1},
                 {"stop: {loss: 0.01}, record: {every: 0.1}", 2.1},
                 {"stop: {loss: 0.01}, record: {every: 3}", 2.1},
                 {"stop: {gradient: 0.1}, record: {every: 0.7}", 2.4},
                 {"stop: {gradient: 0.1, loss: 0.01}, record: {every: 2.1}", 2.1},
                 {"stop: {loss: 5}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], folder[32];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3]}, method: gradient, integrator: {name: rk4, step: 0.1}, "
            "start: {x: [1.7]}, until: 20, %s}",
            cases[i].changes);
        od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
        const od_outcome *o = &r->outcome[0];
        check_close(o->reached, cases[i].reached, 1e-14);
        assert_true(o->t == o->reached);
        check_close(o->mean[0], 1.7 * exp(-1.3 * cases[i].reached), 1e-4);
        table t = read_table(folder, "flow.csv");
        for (size_t j = 1; j < t.rows; j++) {
            assert_true(table_at(&t, j, "t") > table_at(&t, j - 1, "t"));
        }
        assert_true(table_at(&t, t.rows - 1, "t") == o->reached);
        assert_true(table_at(&t, t.rows - 1, "x_1") == o->mean[0]);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
}

/* 0.65 1.7^2 0.87^{2k} <= 0.01 from k = 18.8 */
static void stop_ends_an_iteration(void **state)
{
    static const struct {
        const char *changes;
        uint64_t k;
    } cases[] = {{"stop: {loss: 0.01}, record: {stride: 1}", 19},
                 {"stop: {loss: 0.01}, record: {stride: 7}", 19},
                 {"stop: {loss: 0.01}, record: {stride: 19}", 19},
                 {"stop: {gradient: 3}, record: {stride: 4}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], folder[32];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3]}, method: {name: gradient, step: 0.1}, start: {x: [1.7]}, "
            "iterations: 1000, %s}",
            cases[i].changes);
        od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
        assert_int_equal(r->outcome[0].iterations, cases[i].k);
        check_relative(r->outcome[0].iteration_mean[0], 1.7 * pow(0.87, (double)cases[i].k), 1e-13);
        check_close(r->outcome[0].reached, 0.1 * (double)cases[i].k, 1e-14);
        table t = read_table(folder, "iteration.csv");
        for (size_t j = 1; j < t.rows; j++) {
            assert_true(table_at(&t, j, "k") > table_at(&t, j - 1, "k"));
        }
        assert_true(table_at(&t, t.rows - 1, "k") == (double)cases[i].k);
        assert_true(table_at(&t, t.rows - 1, "x_1") == r->outcome[0].iteration_mean[0]);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
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

/* ------------------------------------------------------------------------------------------- divergence */

static void a_diverging_flow_keeps_its_rows(void **state)
{
    /* x_n = (-99)^n; the gradient 1000 x_153 = 2.1e308 overflows, so there is no x_154; the loss does from n = 77 */
    static const char *const texts[] = {
        "{problem: {name: quadratic, eigenvalues: [1000, 1]}, method: gradient, integrator: {name: euler, step: 0.1}, "
        "start: {x: [1, 1]}, until: 100, record: {every: 0.25, quantities: [x, loss]}}",
        "{problem: {name: quadratic, eigenvalues: [1000, 1]}, method: {name: gradient, step: 0.1}, start: {x: [1, 1]}, "
        "iterations: 1000, record: {stride: 1, quantities: [x, loss]}}"};
    for (int map = 0; map < 2; map++) {
        char folder[32];
        od_result *r = run_text(*state, texts[map], &(od_options){.output = make_folder(folder)}, OD_EDIVERGED);
        check_message(*state, "diverged at t = 15.4");
        check_message(*state, "A smaller step may help");
        assert_non_null(r);
        assert_true(r->diverged && !r->interrupted);
        const od_outcome *o = &r->outcome[0];
        assert_int_equal(o->stopped, 1);
        check_close(o->first_stop, 15.4, 1e-12);
        const double *x = map ? o->iteration_mean : o->mean;
        check_relative(x[0], pow(-99, 153), 1e-12);
        check_close(map ? o->iteration_t : o->t, 15.3, 1e-12);
        assert_true(isinf(map ? o->iteration_loss : o->loss));
        table t = read_table(folder, map ? "iteration.csv" : "flow.csv");
        assert_int_equal(t.rows, map ? 154 : 62); /* k = 0..153; 0.25 j <= 15.3 */
        const double last = table_at(&t, t.rows - 1, "t");
        assert_true(last <= 15.3 + 1e-12 && last > 15);
        assert_true(isinf(table_at(&t, t.rows - 1, "loss")) && isfinite(table_at(&t, t.rows - 1, "x_1")));
        check_relative(table_at(&t, 4, "x_1"), map ? pow(-99, 4) : pow(-99, 10), 1e-12);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
}

/* One member of several diverges: the others are computed, the message names it. */
static void one_member_may_diverge(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [300]}, method: gradient, start: {x: [1]}, until: 100, "
        "compare: [{label: good, integrator: {name: euler, step: 0.001}}, {label: bad, integrator: {name: "
        "euler, step: 0.5}}, {label: last, integrator: exact}]}",
        NULL, OD_EDIVERGED);
    check_message(*state, "bad: diverged");
    assert_int_equal(r->count, 3);
    assert_true(r->outcome[0].stopped == 0 && r->outcome[1].stopped == 1 && r->outcome[2].stopped == 0);
    check_close(r->outcome[2].t, 100, 0);
    od_result_free(r);
}

/* ------------------------------------------------------------------------------------------- interruption */

typedef struct brake {
    od_context *ctx;
    double at, last;
    size_t calls;
} brake;

static void stop_at(void *user, double fraction)
{
    brake *b = user;
    assert_true(fraction >= b->last && fraction <= 1);
    b->last = fraction;
    b->calls++;
    if (fraction >= b->at) {
        od_cancel(b->ctx);
    }
}

static void an_interrupted_run_keeps_its_rows(void **state)
{
    static const char *const texts[] = {
        "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: nesterov, integrator: {name: rk4, step: 0.01}, "
        "start: "
        "{x: [1, 1]}, until: 1000, record: {every: 0.25}}",
        "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: {name: nesterov, step: 0.0001}, start: {x: [1, "
        "1]}, "
        "iterations: 100000, record: {stride: 25}}",
        ("{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: {name: nesterov, noise: 0.1}, integrator: {name: "
         "euler-maruyama, step: 0.01}, start: {x: [1, 1]}, until: 10, paths: 10000, record: {every: 0.1}}")};
    for (size_t i = 0; i < 3; i++) {
        char folder[32];
        od_context *ctx = od_context_create();
        brake b = {.ctx = ctx, .at = 0.3};
        od_context_on_progress(ctx, stop_at, &b);
        od_result *r = run_text(ctx, texts[i], &(od_options){.output = make_folder(folder)}, OD_EINTERRUPTED);
        check_message(ctx, "interrupted");
        assert_true(r->interrupted && !r->diverged && b.calls > 5);
        const od_outcome *o = &r->outcome[0];
        table t = read_table(folder, i == 1 ? "iteration.csv" : "flow.csv");
        if (i < 2) {
            const double end = i == 0 ? o->t : o->iteration_t;
            assert_true(end > 299 && end < 320);
            assert_true(table_at(&t, t.rows - 1, "t") > 298 && table_at(&t, t.rows - 1, "t") <= end);
            assert_int_equal(t.rows, 1 + (size_t)(table_at(&t, t.rows - 1, "t") / 0.25 + 0.5));
        } else {
            assert_true(o->paths > 2500 && o->paths < 6000);
            assert_int_equal(t.rows, 101);
            assert_true(table_at(&t, 100, "paths") == (double)o->paths);
        }
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
        od_context_free(ctx);
    }
    (void)state;
}

/* ------------------------------------------------------------------------------------------- folders */

static const char *const small =
    "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, integrator: exact, start: "
    "{x: [1]}, until: 1, record: {every: 0.5}}";

static void refuse_folder(od_context *ctx, const char *yaml, const char *folder, const char *words)
{
    od_result *r = run_text(ctx, yaml, &(od_options){.output = folder}, OD_EINVAL);
    assert_null(r);
    assert_string_equal(od_message_entry(ctx), "-o");
    check_message(ctx, words);
    check_message(ctx, "choose another");
}

static void folders_that_cannot_be_used_are_refused(void **state)
{
    char folder[32], inside[64];
    make_folder(folder);
    od_result_free(run_text(*state, small, &(od_options){.output = folder}, OD_OK));
    /* the same experiment may be run again, another may not */
    od_result_free(run_text(*state, small, &(od_options){.output = folder}, OD_OK));
    char other[512];
    snprintf(other, sizeof other, "%.*s, seed: 2}", (int)strlen(small) - 1, small);
    refuse_folder(*state, other, folder, "holds the results of another experiment");
    snprintf(inside, sizeof inside, "%s/flow.csv", folder);
    refuse_folder(*state, small, inside, "is not a folder");
    snprintf(inside, sizeof inside, "%s/flow.csv/below", folder);
    refuse_folder(*state, small, inside, "cannot be made");
    refuse_folder(*state, small, "/proc/optdyn", "cannot be made");
    assert_null(run_text(*state, small, &(od_options){.output = ""}, OD_EINVAL));
    /* folders are made on the way */
    snprintf(inside, sizeof inside, "%s/one", folder);
    od_result *r = run_text(*state, small, &(od_options){.output = inside}, OD_OK);
    assert_string_equal(r->folder, inside);
    assert_non_null(strstr(r->outcome[0].flow_file, "/one/flow.csv"));
    od_result_free(r);
    remove_folder(inside);
    remove_folder(folder);
    struct stat about;
    assert_int_equal(stat(folder, &about), -1); /* nothing was left behind */
}

/* Labels that would name one file get numbers, long ones are cut between letters, and all read back as they are. */
static void labels_name_files_of_their_own(void **state)
{
    static const char *const labels[] = {"a/b", "a_b", "a b", "a_b 2", ".", "..", "\xc3\xa9", "\xc3\xb6", "a_b", ""};
    enum { LABELS = sizeof labels / sizeof *labels, LONG = 3 };
    char text[4096] = "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, integrator: exact, start: {x: "
                      "[1]}, until: 1, record: {every: 1}, compare: [",
         folder[32], again[32], file[64];
    for (size_t i = 0; i < LABELS; i++) {
        sprintf(text + strlen(text), "{label: \"%s\"}, ", labels[i]);
    }
    /* 200 letters of two bytes, alike but for the last */
    for (size_t i = 0; i < LONG; i++) {
        strcat(text, "{label: \"x");
        for (int j = 0; j < 200; j++) {
            strcat(text, "\xc3\xa9");
        }
        sprintf(text + strlen(text), "%zu\"}, ", i);
    }
    strcat(text, "]}");
    od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
    assert_int_equal(r->count, LABELS + LONG);
    for (size_t i = 0; i < r->count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(r->outcome[i].label, r->outcome[j].label);
            assert_string_not_equal(r->outcome[i].flow_file, r->outcome[j].flow_file);
        }
        assert_int_equal(access(r->outcome[i].flow_file, R_OK), 0);
        assert_true(strlen(r->outcome[i].label) > (i < LABELS ? 0 : 100));
    }
    assert_string_equal(r->outcome[0].label, "a/b");
    assert_string_equal(r->outcome[LABELS - 1].label, "gradient");
    snprintf(file, sizeof file, "%s/experiment.yaml", folder);
    od_experiment *e = od_experiment_load(*state, file, &(od_options){.output = make_folder(again)});
    check_done(*state, e != NULL);
    od_result *second = NULL;
    check_done(*state, od_experiment_run(*state, e, &second) == OD_OK);
    for (size_t i = 0; i < r->count; i++) {
        assert_string_equal(second->outcome[i].label, r->outcome[i].label);
    }
    assert_true(check_same_folders(folder, again) >= LABELS + LONG + 1);
    od_experiment_free(e);
    od_result_free(r);
    od_result_free(second);
    remove_folder(folder);
    remove_folder(again);
}

/* An experiment of more than 64 KiB of text was once too long for an attribute of HDF5. */
static void long_experiments_are_kept_whole(void **state)
{
    enum { D = 20000 };
    char folder[32], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("{method: gradient, integrator: exact, start: {x: {normal: 1}}, until: 1, record: {every: 1, quantities: "
          "[loss]}, "
          "problem: {name: quadratic, eigenvalues: [",
          out);
    for (int i = 0; i < D; i++) {
        fprintf(out, "%d.5, ", i);
    }
    fputs("]}}", out);
    fclose(out);
    od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
    assert_int_equal(r->outcome[0].dim, D);
    char *kept = read_text(folder, "experiment.yaml", &size);
    assert_non_null(strstr(kept, "19999.5]"));
    free(kept);
    free(text);
    od_result_free(r);
    remove_folder(folder);
}

/* What is more than the machine can hold is refused before it is tried. */
static void huge_tables_are_refused(void **state)
{
    assert_null(run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 2, 3]}, method: nesterov, start: {x: [1, 2, 3]}, "
        "integrator: {name: rk4, step: 1.0e-9}, until: 1, record: {every: 1.0e-9, quantiles: [0.5]}, paths: 2}",
        NULL, OD_ENOMEM));
    check_message(*state, "record fewer rows");
    assert_null(run_text(*state,
                         "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 1}, start: {x: "
                         "[1]}, iterations: 9007199254740991, record: {stride: 1}}",
                         NULL, OD_ENOMEM));
    check_message(*state, "record fewer rows");
}

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

/* A scheme that gives up, and a closed form that overflows, leave the last finite state at its own time. */
static void a_path_that_ends_keeps_state_and_time(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: {name: heavy-ball, alpha: 0.5}, "
        "start: {x: [1, 1]}, integrator: {name: cvode, max_steps: 50}, until: 20, record: {every: 0.1}}",
        NULL, OD_EDIVERGED);
    check_message(*state, "diverged or could not be continued");
    check_message(*state, "max_steps");
    od_result *until = NULL;
    char yaml[400];
    snprintf(yaml, sizeof yaml,
             "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: {name: heavy-ball, alpha: 0.5}, start: {x: "
             "[1, 1]}, "
             "integrator: exact, until: %.17g}",
             r->outcome[0].t);
    until = run_text(*state, yaml, NULL, OD_OK);
    assert_true(r->outcome[0].t > 1 && r->outcome[0].t < 19);
    check_close(r->outcome[0].mean[0], until->outcome[0].mean[0], 1e-6);
    od_result_free(r);
    od_result_free(until);
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [-1]}, method: gradient, start: {x: [1]}, integrator: exact, "
        "until: 2000, record: {every: 2}}",
        NULL, OD_EDIVERGED);
    /* e^708 is finite, e^710 is not */
    check_close(r->outcome[0].t, 708, 0);
    check_relative(r->outcome[0].mean[0], exp(708), 1e-13);
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
        test_with_context(stop_ends_at_the_first_step_that_meets_it),
        test_with_context(stop_ends_an_iteration),
        test_with_context(all_steps_see_one_brownian_path),
        test_with_context(the_iteration_is_euler_maruyama_on_the_same_path),
        test_with_context(a_diverging_flow_keeps_its_rows),
        test_with_context(one_member_may_diverge),
        test_with_context(an_interrupted_run_keeps_its_rows),
        test_with_context(folders_that_cannot_be_used_are_refused),
        test_with_context(labels_name_files_of_their_own),
        test_with_context(long_experiments_are_kept_whole),
        test_with_context(huge_tables_are_refused),
        test_with_context(observers_see_every_row),
        test_with_context(a_path_that_ends_keeps_state_and_time),
        test_with_context(flow_and_iteration_have_their_own_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
