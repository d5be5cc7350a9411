/*
 * Ensembles: moments against exact recursions, the same bits whatever the threads and blocks, stopped paths, quantiles,
 * starts, and results remade from their own experiment.yaml.
 *
 * False-alarm rates: seeds are fixed, so each test passes always or never; over seeds a bound of four standard errors
 * is missed with probability 6.3e-5, and about fifty such bounds are checked here.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

/* ------------------------------------------------------------------------------------------- moments of a chain */

typedef struct chain_moments {
    double x, v, xx, xv, vv; /* means, then central second moments */
} chain_moments;

/*
 * Moments of X+ = X + h V, V+ = V + h (-c V - b lambda X) + s sqrt(h) Z, exactly: nesterov has c = p/t, b = 1, s =
 * sigma; memory with m = t^p has c = b = p/t, s = sigma p/t.
 */
static chain_moments exact_chain(bool memory, double p, double lambda, double sigma, double t0, double h, int steps,
                                 double x0, double v0)
{
    chain_moments a = {.x = x0, .v = v0};
    for (int k = 0; k < steps; k++) {
        const double t = t0 + k * h, c = p / t, b = memory ? c : 1, s = memory ? sigma * c : sigma;
        const double vx = -h * b * lambda, vv = 1 - h * c;
        const chain_moments n = {.x = a.x + h * a.v,
                                 .v = vv * a.v + vx * a.x,
                                 .xx = a.xx + 2 * h * a.xv + h * h * a.vv,
                                 .xv = vx * a.xx + (vv + h * vx) * a.xv + h * vv * a.vv,
                                 .vv = vx * vx * a.xx + 2 * vx * vv * a.xv + vv * vv * a.vv + s * s * h};
        a = n;
    }
    return a;
}

/* Four standard errors: of a mean sqrt(var/n), of a variance var sqrt(2/n), of a covariance sqrt((ac + b^2)/n). */
static void check_moments(const od_outcome *o, size_t i, const chain_moments *want)
{
    const double n = (double)o->paths;
    const size_t d = o->block[0].length, x = i, v = d + i;
    check_close(o->mean[x], want->x, 4 * sqrt(want->xx / n));
    check_close(o->mean[v], want->v, 4 * sqrt(want->vv / n));
    check_relative(o->var[x], want->xx, 4 * sqrt(2 / n));
    check_relative(o->var[v], want->vv, 4 * sqrt(2 / n));
    check_close(o->covariance[x * o->dim + v], want->xv, 4 * sqrt((want->xx * want->vv + want->xv * want->xv) / n));
    check_close(o->covariance[v * o->dim + x], o->covariance[x * o->dim + v], 0);
    check_close(o->covariance[x * o->dim + x], o->var[x], 1e-12 * want->xx);
    check_close(o->stderr_mean[x], sqrt(o->var[x] / n), 1e-15);
}

static void short_chains_have_their_exact_moments(void **state)
{
    for (int memory = 0; memory < 2; memory++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: %s, noise: 0.5}, integrator: {name: "
            "euler-maruyama, step: 0.1}, start: {t: 0.7, x: [1.7, -0.6], v: [0.2, 0.9]}, until: 2.7, paths: 50000, "
            "seed: 5}",
            memory ? "memory, forgetting: polynomial, p: 2.5" : "nesterov, r: 2.5");
        od_result *r = run_text(*state, text, NULL, OD_OK);
        assert_int_equal(r->outcome[0].paths, 50000);
        const chain_moments a = exact_chain(memory, 2.5, 1.3, 0.5, 0.7, 0.1, 20, 1.7, 0.2);
        const chain_moments b = exact_chain(memory, 2.5, 0.4, 0.5, 0.7, 0.1, 20, -0.6, 0.9);
        check_moments(&r->outcome[0], 0, &a);
        check_moments(&r->outcome[0], 1, &b);
        /* the two components see different Brownian motions */
        check_close(r->outcome[0].covariance[1], 0, 4 * sqrt(a.xx * b.xx / 50000));
        od_result_free(r);
    }
}

/* References em-chain/<kind>/p=<p>/h=0.001: 10^4 steps from t = 0.001 (their recursion in 30 digits). */
static void long_chains_have_the_moments_of_the_references(void **state)
{
    static const struct {
        const char *method;
        chain_moments x1, x2;
    } cases[] = {
        {"nesterov, r: 3",
         {0.5766743685984456, -0.0705723825462791, 0.14196461306022762, 0.01727057878102347, 0.012603889076269272},
         {0.8800885129230802, -0.022982938276372974, 0.17665259463074953, 0.025167957056943312, 0.013716981994917736}},
        {"memory, forgetting: polynomial, p: 3",
         {0.6554244442480186, -0.02934805682390828, 0.08556886074176091, 0.0028844668482463343, 0.0016710678417236695},
         {0.9036753464532605, -0.009272147910140813, 0.11002751670730189, 0.005026529377632154, 0.0017486177572751443}},
        {"memory, forgetting: polynomial, p: 2",
         {0.6499078861745534, -0.030345161421821774, 0.09627790884003662, 0.003286303636240328, 0.001179997610411407},
         {0.9032777008236924, -0.009349807063577225, 0.12273334041362537, 0.005629666839588384,
          0.0012751383299335478}}};
    /* 10^5 paths take half a minute; the suite `slow` asks for them */
    const char *asked = getenv("OPTDYN_TEST_PATHS");
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: %s, noise: 0.1}, integrator: "
            "{name: "
            "euler-maruyama, step: 0.001}, start: {t: 0.001, x: [1, 1], v: [0, 0]}, until: 10.001, paths: %s, seed: 7, "
            "record: {every: 10}}",
            cases[i].method, asked != NULL ? asked : "2000");
        od_result *r = run_text(*state, text, NULL, OD_OK);
        check_moments(&r->outcome[0], 0, &cases[i].x1);
        check_moments(&r->outcome[0], 1, &cases[i].x2);
        /* the recursion above is the references' */
        const chain_moments own = exact_chain(i > 0, i == 2 ? 2 : 3, 0.04, 0.1, 0.001, 0.001, 10000, 1, 0);
        check_relative(own.xv, cases[i].x1.xv, 1e-10);
        check_relative(own.x, cases[i].x1.x, 1e-11);
        od_result_free(r);
    }
}

/* ------------------------------------------------------------------------------------------- bits */

static void check_same_list(const double *a, const double *b, size_t count)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL) {
        assert_memory_equal(a, b, count * sizeof *a);
    }
}

static void check_same_outcome(const od_outcome *a, const od_outcome *b)
{
    check_same_list(a->mean, b->mean, a->dim);
    check_same_list(a->var, b->var, a->dim);
    check_same_list(a->stderr_mean, b->stderr_mean, a->dim);
    check_same_list(a->covariance, b->covariance, a->dim * a->dim);
    check_same_list(a->iteration_mean, b->iteration_mean, a->dim);
    check_same_list(a->iteration_var, b->iteration_var, a->dim);
    check_same_list(a->iteration_stderr, b->iteration_stderr, a->dim);
    const double numbers[2][7] = {{a->first_stop, a->t, a->gap_max, a->gap_at, a->loss, a->loss_stderr, a->distance},
                                  {b->first_stop, b->t, b->gap_max, b->gap_at, b->loss, b->loss_stderr, b->distance}};
    for (size_t i = 0; i < 7; i++) {
        assert_true(numbers[0][i] == numbers[1][i] || (isnan(numbers[0][i]) && isnan(numbers[1][i])));
    }
    assert_int_equal(a->paths, b->paths);
    assert_int_equal(a->stopped, b->stopped);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->evaluations, b->evaluations);
}

static const char *const ensembles[] = {
    /* flow and iteration in lock-step, with noise, random starts and quantiles; 300 paths are 128 + 128 + 44 */
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4, 0.1], rotation: 3}, method: {name: nesterov, noise: [[0.5, "
    "0.1, 0], "
    "[0, 0.3, 0.2], [0.1, 0, 0.4]], step: 0.01}, integrator: {name: euler-maruyama, step: 0.05}, start: {x: {normal: "
    "0.7}}, "
    "until: 2, iterations: 20, paths: 300, seed: 9, record: {every: 0.5, quantities: [x, loss, gradient], quantiles: "
    "[0.1, 0.5], covariance: true, histograms: true, paths: 3}}",
    /* some paths overflow */
    "{problem: {name: quadratic, eigenvalues: [1001, 1]}, method: {name: gradient, noise: 0.1}, integrator: {name: "
    "euler-maruyama, step: 1}, start: {x: {normal: 100}}, until: 102, paths: 411, seed: 4, record: {every: 34, "
    "quantities: [x], covariance: true, histograms: true, paths: 128}}",
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: memory, forgetting: linear}, integrator: "
    "{name: rk4, "
    "step: 0.1}, start: {x: {normal: 1}}, until: 1, paths: 200, record: {every: 0.25}}",
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: nesterov}, integrator: exact, start: {x: "
    "{normal: "
    "1}}, until: 1, paths: 130, record: {every: 0.25}}",
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: heavy-ball, alpha: 0.3}, integrator: {name: "
    "cvode, "
    "rtol: 1.0e-6, atol: 1.0e-8}, start: {x: {normal: 1}}, until: 1, paths: 140, record: {every: 0.25}}",
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: heavy-ball, alpha: 0.3, noise: 0.2, step: "
    "0.1}, "
    "start: {x: {normal: 1}}, iterations: 30, paths: 257, compare: [{label: one}, {label: two, seed: 8}]}",
    /* antithetic pairs in lock-step, with time integrals, and some that overflow; beside single paths */
    "{problem: {name: quadratic, eigenvalues: [1.3, 0.4, 0.1]}, method: {name: nesterov, noise: 0.5, step: 0.01}, "
    "integrator: {name: sra1, step: 0.05}, start: {x: {normal: 0.7}}, until: 2, iterations: 20, paths: 302, "
    "antithetic: true, seed: 9, record: {every: 0.5, quantities: [x, loss], covariance: true, paths: 3}, "
    "compare: [{label: pairs}, {label: alone, antithetic: false}]}",
    "{problem: {name: quadratic, eigenvalues: [1001, 1]}, method: {name: gradient, noise: 0.1}, integrator: {name: "
    "euler-maruyama, step: 1}, start: {x: {normal: 100}}, until: 102, paths: 410, antithetic: true, seed: 4, record: "
    "{every: 34, quantities: [x], histograms: true}}",
};

enum { ENSEMBLES = sizeof ensembles / sizeof *ensembles };

static void threads_and_blocks_do_not_change_the_bits(void **state)
{
    static const struct {
        unsigned threads, block;
    } ways[] = {{2, 0}, {1, 1}, {2, 3}, {1, 7}, {2, 64}, {1, 128}, {5, 128}, {3, 1}};
    for (size_t i = 0; i < ENSEMBLES; i++) {
        char first[32], other[32];
        od_result *want = run_text(*state, ensembles[i], &(od_options){.output = make_folder(first), .threads = 1},
                                   OD_OK);
        for (size_t j = 0; j < sizeof ways / sizeof *ways; j++) {
            od_result *got = run_text(
                *state, ensembles[i],
                &(od_options){.output = make_folder(other), .threads = ways[j].threads, .block = ways[j].block}, OD_OK);
            assert_int_equal(got->count, want->count);
            for (size_t m = 0; m < want->count; m++) {
                check_same_outcome(&want->outcome[m], &got->outcome[m]);
            }
            assert_true(check_same_folders(first, other) >= 2);
            remove_folder(other);
            od_result_free(got);
        }
        remove_folder(first);
        od_result_free(want);
    }
}

static void results_are_remade_from_their_own_file(void **state)
{
    static const char *const more[] = {
        "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, integrator: {name: rk4, step: 0.1}, start: {x: [1, 2], t: "
        "0.1}, "
        "until: 3.33, compare: [{method: gradient}, {method: {name: heavy-ball, alpha: 0.3}, label: \"a/b "
        "\\\"c\\\"\"}, "
        "{method: gradient, until: 1}]}",
        "{label: \"x: [1]\", problem: {name: quadratic, eigenvalues: [1, 0.1], rotation: 2}, method: {name: nesterov, "
        "step: "
        "0.01}, integrator: {name: rk4, step: 0.1}, start: {x: [1, 2]}, until: 7, iterations: 33, stop: {loss: 0.3}, "
        "sweep: "
        "{method.r: [3, 4.7], seed: [1, 2]}}",
        ("{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: {name: gradient, noise: 0.3}, integrator: {name: "
         "euler-maruyama, step: 0.1}, start: {x: {file: start.csv}}, until: 7, noise_step: 0.0125}"),
    };
    for (size_t i = 0; i < ENSEMBLES + 3; i++) {
        char text[1024], file[64], first[32], second[32];
        make_folder(first);
        make_folder(second);
        snprintf(text, sizeof text, "%s", i < ENSEMBLES ? ensembles[i] : more[i - ENSEMBLES]);
        /* a file of the start is found beside the experiment, from wherever it is read */
        snprintf(file, sizeof file, "%s/start.csv", second);
        FILE *out = fopen(file, "w");
        assert_non_null(out);
        fputs("1.5\n-2.385\n", out);
        fclose(out);
        snprintf(file, sizeof file, "%s/own.yaml", second);
        out = fopen(file, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
        od_experiment *e = od_experiment_load(*state, file, &(od_options){.output = first});
        check_done(*state, e != NULL);
        od_result *r = NULL;
        check_done(*state, od_experiment_run(*state, e, &r) == OD_OK);
        const size_t count = r->count;
        char label[128];
        snprintf(label, sizeof label, "%s", r->outcome[count - 1].label);
        od_result_free(r);
        od_experiment_free(e);

        char again[32];
        make_folder(again);
        snprintf(file, sizeof file, "%s/experiment.yaml", first);
        e = od_experiment_load(*state, file, &(od_options){.output = again, .block = 3});
        check_done(*state, e != NULL);
        check_done(*state, od_experiment_run(*state, e, &r) == OD_OK);
        assert_int_equal(r->count, count);
        assert_string_equal(r->outcome[count - 1].label, label);
        assert_true(check_same_folders(first, again) >= 2);
        od_result_free(r);
        od_experiment_free(e);
        remove_folder(first);
        remove_folder(second);
        remove_folder(again);
    }
}

/* ------------------------------------------------------------------------------------------- stopped paths */

static void stopped_paths_are_counted_and_left_out(void **state)
{
    /* x_n = (-1000)^n x_0 along the first axis: after 102 steps 10^306 x_0, so paths from beyond 179.8 have overflowed;
       a gradient of 1001 x_101 overflows too, which is the same at 0.1 % */
    enum { PATHS = 1000 };
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1001, 0.5]}, method: gradient, integrator: {name: euler, "
        "step: 1}, start: {x: {normal: 100}}, until: 102, paths: 1000, seed: 4, record: {every: 51, "
        "quantities: [x]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    uint64_t stopped = 0;
    double second = 0;
    for (uint64_t p = 0; p < PATHS; p++) {
        const double x = 100 * od_normal(4, OD_STREAM_START, p, 0, 0), y = 100 * od_normal(4, OD_STREAM_START, p, 1, 0);
        const bool over = fabs(x) * 1.001 > 179.769;
        stopped += over;
        second += over ? 0 : y;
    }
    const double left = (double)(PATHS - stopped);
    const od_outcome *o = &r->outcome[0];
    assert_true(stopped > 30 && stopped < 200);
    assert_int_equal(o->stopped, stopped);
    assert_int_equal(o->paths, PATHS);
    check_close(o->first_stop, 102, 0);
    assert_false(r->diverged);
    /* the first component is as large as a number can be, the second tells over whom the mean is */
    check_relative(o->mean[1], second / left * pow(0.5, 102), 1e-9);
    table t = read_table(folder, "flow.csv");
    assert_int_equal(t.rows, 3);
    assert_true(table_at(&t, 1, "paths") == PATHS && table_at(&t, 2, "paths") == left);
    assert_true(table_at(&t, 2, "x_2_mean") == o->mean[1]);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
    /* all of them: the run has diverged, and what was recorded before is kept */
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1001, 0.5]}, method: gradient, integrator: {name: euler, step: 1}, "
        "start: {x: {normal: 100}}, until: 120, paths: 150, record: {every: 60, quantities: [x]}}",
        &(od_options){.output = make_folder(folder)}, OD_EDIVERGED);
    check_message(*state, "every path diverged");
    assert_true(r->diverged && r->outcome[0].stopped == 150 && r->outcome[0].paths == 150);
    assert_true(isnan(r->outcome[0].mean[0]) && isnan(r->outcome[0].loss));
    t = read_table(folder, "flow.csv");
    assert_int_equal(t.rows, 2);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* ------------------------------------------------------------------------------------------- laws */

/* Without curvature x(2) is normal with mean x0 and covariance 2 B B^T. */
static void quantiles_and_covariances_are_gaussian(void **state)
{
    enum { PATHS = 40000 };
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [0, 0]}, method: {name: gradient, noise: [[0.5, 0, 0.2], "
        "[0.3, 0.4, 0]]}, integrator: {name: euler-maruyama, step: 0.5}, start: {x: [1.7, -0.1]}, until: 2, "
        "paths: 40000, seed: 12, record: {every: 2, quantities: [x], quantiles: [0.01, 0.25, 0.5, 0.95]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    const double cov[2][2] = {{2 * 0.29, 2 * 0.15}, {2 * 0.15, 2 * 0.25}}, x0[2] = {1.7, -0.1};
    static const double q[] = {0.01, 0.25, 0.5, 0.95},
                        z[] = {-2.3263478740408408, -0.6744897501960817, 0, 1.6448536269514722};
    static const char *const names[] = {"0.01", "0.25", "0.5", "0.95"};
    table t = read_table(folder, "flow.csv");
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            const double error = sqrt((cov[i][i] * cov[j][j] + cov[i][j] * cov[i][j]) / PATHS);
            check_close(r->outcome[0].covariance[2 * i + j], cov[i][j], 4 * error);
        }
        check_close(r->outcome[0].mean[i], x0[i], 4 * sqrt(cov[i][i] / PATHS));
        for (size_t k = 0; k < 4; k++) {
            const double want = x0[i] + sqrt(cov[i][i]) * z[k];
            const double density = exp(-z[k] * z[k] / 2) / sqrt(2 * acos(-1) * cov[i][i]);
            const double error = sqrt(q[k] * (1 - q[k]) / PATHS) / density;
            char name[32];
            snprintf(name, sizeof name, "x_%zu_q%s", i + 1, names[k]);
            check_close(table_at(&t, 1, name), want, 4 * error + fabs(want) / 128);
            snprintf(name, sizeof name, "x_%zu_q%s_stderr", i + 1, names[k]);
            /* half the distance of two order statistics, each known to its bin */
            check_close(table_at(&t, 1, name), error, 0.2 * error + fabs(want) / 128);
        }
        char name[32];
        snprintf(name, sizeof name, "x_%zu_mean", i + 1);
        assert_true(table_at(&t, 1, name) == r->outcome[0].mean[i]);
        snprintf(name, sizeof name, "x_%zu_var", i + 1);
        assert_true(table_at(&t, 1, name) == r->outcome[0].var[i]);
        /* at the start all paths are in one point */
        snprintf(name, sizeof name, "x_%zu_q0.95", i + 1);
        check_relative(table_at(&t, 0, name), x0[i], 1.0 / 128);
    }
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

static void random_starts_are_normal_and_shared(void **state)
{
    enum { PATHS = 40000 };
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 2]}, start: {x: {normal: 0.3}}, paths: 40000, until: "
        "1, integrator: exact, record: {every: 1, quantities: [x]}, compare: [{label: a, method: gradient}, "
        "{label: b, method: {name: heavy-ball, alpha: 0.2}, start: {x: {normal: 0.3}, v: {normal: 0.1}}}]}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    table a = read_table(folder, "a-flow.csv"), b = read_table(folder, "b-flow.csv");
    static const char *const components[] = {"x_1", "x_2"};
    for (size_t i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s_mean", components[i]);
        check_close(table_at(&a, 0, name), 0, 4 * 0.3 / sqrt(PATHS));
        assert_true(table_at(&a, 0, name) == table_at(&b, 0, name));
        snprintf(name, sizeof name, "%s_var", components[i]);
        check_relative(table_at(&a, 0, name), 0.09, 4 * sqrt(2.0 / PATHS));
        assert_true(table_at(&a, 0, name) == table_at(&b, 0, name));
    }
    /* x(1) = e^{-lambda} x(0), so is its deviation; components are independent */
    check_relative(sqrt(r->outcome[0].var[0]), sqrt(table_at(&a, 0, "x_1_var")) * exp(-1), 1e-12);
    check_close(r->outcome[0].covariance[1], 0, 4 * 0.09 * exp(-3) / sqrt(PATHS));
    free(a.value);
    free(b.value);
    od_result_free(r);
    remove_folder(folder);
}

/* The gap of an ensemble is the root of the mean square: with x_0 of variance s^2 it is s times that from x_0 = 1. */
static void gaps_of_ensembles_are_root_mean_squares(void **state)
{
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 0.1}, start: {x: "
        "{normal: 0.7}}, paths: 500, until: 3, iterations: 40, integrator: exact, record: {every: 1, "
        "stride: 1, quantities: [x, loss], quantiles: [0.5]}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    double square = 0;
    for (uint64_t p = 0; p < 500; p++) {
        const double x = 0.7 * od_normal(1, OD_STREAM_START, p, 0, 0);
        square += x * x / 500;
    }
    /* shadow-gd/H=1/h=0.1 */
    check_relative(r->outcome[0].gap_max, 0.019201001071442323 * sqrt(square), 1e-11);
    check_close(r->outcome[0].gap_at, 1, 1e-12);
    check_relative(r->outcome[0].loss, 0.5 * square * exp(-6), 1e-11);
    assert_true(r->outcome[0].loss_stderr > 0);
    table t = read_table(folder, "iteration.csv");
    assert_int_equal(t.rows, 41);
    assert_true(table_at(&t, 10, "gap_q0.5") > 0.005 && table_at(&t, 10, "gap_q0.5") < 0.02);
    /* after the end of the flow there is none */
    assert_true(isnan(table_at(&t, 40, "gap_mean")) && isnan(table_at(&t, 40, "gap_q0.5")));
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* ------------------------------------------------------------------------------------------- per recorded time */

enum { MAX_BINS = 16000 };

/* One row of a histogram's file. */
typedef struct bin {
    double t, paths, low, high, count;
    char quantity[40];
} bin;

static size_t read_histogram(const char *folder, bin list[MAX_BINS])
{
    size_t size, count = 0;
    char *text = read_text(folder, "flow-histogram.csv", &size), *rest = NULL;
    bool head = true;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == '#') {
            continue;
        }
        if (head) {
            assert_string_equal(line, "t,paths,quantity,low,high,count");
            head = false;
            continue;
        }
        assert_true(count < MAX_BINS);
        bin *b = &list[count++];
        assert_int_equal(
            sscanf(line, "%lf,%lf,%39[^,],%lf,%lf,%lf", &b->t, &b->paths, b->quantity, &b->low, &b->high, &b->count),
            6);
    }
    free(text);
    return count;
}

/* x_n = (1 - h lambda)^n x_0 with x_0 known from its definition: moments over the paths by sums over the paths. */
static void covariances_of_every_time_are_those_of_the_paths(void **state)
{
    enum { PATHS = 131, ROWS = 4 }; /* two leaves, one of three paths */
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.3, 0.4, -0.3]}, method: gradient, integrator: {name: euler, step: "
        "0.1}, start: {x: {normal: 2.385}}, until: 0.7, paths: 131, seed: 6, record: {every: 0.3, quantities: [loss], "
        "covariance: true}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    static const double factor[3] = {1 - 0.13, 1 - 0.04, 1 + 0.03};
    static const int steps[ROWS] = {0, 3, 6, 7};
    table t = read_table(folder, "flow-covariance.csv");
    assert_int_equal(t.rows, ROWS);
    assert_int_equal(t.columns, 2 + 6);
    for (size_t row = 0; row < ROWS; row++) {
        double mean[3] = {0};
        check_close(table_at(&t, row, "t"), 0.1 * steps[row], 1e-15);
        assert_true(table_at(&t, row, "paths") == PATHS);
        for (size_t i = 0; i < 3; i++) {
            for (uint64_t p = 0; p < PATHS; p++) {
                mean[i] += 2.385 * od_normal(6, OD_STREAM_START, p, i, 0) * pow(factor[i], steps[row]) / PATHS;
            }
        }
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = i; j < 3; j++) {
                double sum = 0;
                for (uint64_t p = 0; p < PATHS; p++) {
                    const double xi = 2.385 * od_normal(6, OD_STREAM_START, p, i, 0) * pow(factor[i], steps[row]);
                    const double xj = 2.385 * od_normal(6, OD_STREAM_START, p, j, 0) * pow(factor[j], steps[row]);
                    sum += (xi - mean[i]) * (xj - mean[j]);
                }
                char name[32];
                snprintf(name, sizeof name, "cov_x_%zu_x_%zu", i + 1, j + 1);
                check_close(table_at(&t, row, name), sum / (PATHS - 1), 1e-13);
                if (row == ROWS - 1) { /* the last row is the final state */
                    assert_true(table_at(&t, row, name) == r->outcome[0].covariance[3 * i + j]);
                }
            }
        }
    }
    assert_int_equal(r->outcome[0].more_count, 1);
    assert_non_null(strstr(r->outcome[0].more_file[0], "/flow-covariance.csv"));
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

static void large_states_keep_variances_only(void **state)
{
    char folder[32], text[1024] = "{problem: {name: quadratic, eigenvalues: [1";
    for (size_t i = 1; i < 65; i++) {
        strcat(text, ", 1");
    }
    strcat(text,
           "]}, method: gradient, integrator: exact, start: {x: {normal: 1}}, until: 1, paths: 40, record: {every: "
           "1, quantities: [x], covariance: true}}");
    od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
    size_t size;
    char *file = read_text(folder, "flow-covariance.csv", &size);
    assert_null(r->outcome[0].covariance);
    assert_non_null(strstr(file, ",cov_x_65_x_65\n"));
    assert_null(strstr(file, "cov_x_1_x_2"));
    free(file);
    od_result_free(r);
    remove_folder(folder);
}

/*
 * Starts are normal of deviation 0.3. The chi-square statistic of k bins has mean k - 1 and variance 2 (k - 1), and one
 * above six deviations is rarer than 1e-6 for the some 200 bins that hold at least ten of 40000 paths.
 */
static void histograms_count_known_normals(void **state)
{
    enum { PATHS = 40000 };
    static bin list[MAX_BINS];
    char folder[32];
    od_result *r = run_text(*state,
                            "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, start: {x: {normal: "
                            "0.3}}, paths: 40000, until: 1, integrator: exact, record: {every: 1, quantities: [x, "
                            "loss], histograms: true, quantiles: [0.3]}}",
                            &(od_options){.output = make_folder(folder)}, OD_OK);
    const size_t count = read_histogram(folder, list);
    double chi = 0, sum[2][2] = {{0}};
    size_t degrees = 0;
    for (size_t i = 0; i < count; i++) {
        const bin *b = &list[i];
        const bool x = strcmp(b->quantity, "x_1") == 0;
        assert_true((x || strcmp(b->quantity, "loss") == 0) && (b->t == 0 || b->t == 1) && b->paths == PATHS);
        sum[b->t == 1][x] += b->count;
        /* the states are exp(-t) x_0; bins around zero are narrow, those with few paths say nothing */
        const double s = 0.3 * exp(-b->t) * sqrt(2), want = PATHS * 0.5 * (erf(b->high / s) - erf(b->low / s));
        if (x && want >= 10) {
            chi += (b->count - want) * (b->count - want) / want;
            degrees++;
        }
        if (!x) {
            assert_true(b->high > 0 && b->count >= 1);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(sum[i / 2][i % 2] == PATHS);
    }
    assert_true(degrees > 200);
    check_close(chi, (double)degrees, 6 * sqrt(2.0 * (double)degrees));
    /* a quantile lies where the counts below it say */
    table t = read_table(folder, "flow.csv");
    double below = 0;
    for (size_t i = 0; i < count; i++) {
        const bool lower = list[i].t == 1 && strcmp(list[i].quantity, "x_1") == 0;
        below += lower && list[i].high <= table_at(&t, 1, "x_1_q0.3") ? list[i].count : 0;
    }
    check_close(below / PATHS, 0.3, 0.01);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* As in stopped_paths_are_counted_and_left_out: those that started beyond 179.6 have overflowed at t = 102. */
static void every_table_says_over_how_many_paths_it_is(void **state)
{
    static bin list[MAX_BINS];
    char folder[32];
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1001, 0.5]}, method: gradient, integrator: {name: euler, "
        "step: 1}, start: {x: {normal: 100}}, until: 102, paths: 200, seed: 4, record: {every: 51, "
        "quantities: [x], covariance: true, histograms: true, paths: 100}}",
        &(od_options){.output = make_folder(folder)}, OD_OK);
    const double left = 200 - (double)r->outcome[0].stopped;
    assert_true(left < 200 && left > 100);
    table t = read_table(folder, "flow-covariance.csv");
    assert_true(table_at(&t, 1, "paths") == 200 && table_at(&t, 2, "paths") == left);
    free(t.value);
    double sum = 0;
    const size_t count = read_histogram(folder, list);
    for (size_t i = 0; i < count; i++) {
        assert_true(list[i].paths == (list[i].t == 102 ? left : 200));
        sum += list[i].t == 102 && strcmp(list[i].quantity, "x_2") == 0 ? list[i].count : 0;
    }
    assert_true(sum == left);
    /* a single path has rows until it stops */
    t = read_table(folder, "flow-paths.csv");
    size_t row = 0;
    for (uint64_t p = 0; p < 100; p++) {
        const double x = 100 * od_normal(4, OD_STREAM_START, p, 0, 0);
        const size_t rows = fabs(x) * 1.001 > 179.769 ? 2 : 3;
        for (size_t i = 0; i < rows; i++, row++) {
            assert_true(table_at(&t, row, "path") == (double)p && table_at(&t, row, "t") == 51.0 * (double)i);
            check_relative(table_at(&t, row, "x_1"), x * pow(-1000, 51.0 * (double)i), 1e-9);
        }
    }
    assert_int_equal(row, t.rows);
    free(t.value);
    od_result_free(r);
    remove_folder(folder);
}

/* The first path of an ensemble is the run of one path, to the bit, flow and iteration. */
static void single_paths_are_runs_of_their_own(void **state)
{
    static const char text[] =
        "{problem: {name: quadratic, eigenvalues: [1.3, 0.4]}, method: {name: nesterov, noise: 0.5, step: 0.01}, "
        "integrator: {name: euler-maruyama, step: 0.05}, start: {t: 0.1, x: {normal: 0.7}}, until: 2.1, iterations: "
        "20, seed: 9, record: {every: 0.5, stride: 7, quantities: [x, loss], paths: 2}, paths: %d}";
    static const char *const files[2][2] = {{"flow.csv", "flow-paths.csv"}, {"iteration.csv", "iteration-paths.csv"}};
    char one[32], many[32], own[512];
    snprintf(own, sizeof own, text, 1);
    od_result *a = run_text(*state, own, &(od_options){.output = make_folder(one)}, OD_OK);
    snprintf(own, sizeof own, text, 300);
    od_result *b = run_text(*state, own, &(od_options){.output = make_folder(many)}, OD_OK);
    assert_int_equal(a->outcome[0].more_count, 0);
    assert_int_equal(b->outcome[0].more_count, 2);
    for (size_t i = 0; i < 2; i++) {
        table want = read_table(one, files[i][0]), got = read_table(many, files[i][1]);
        assert_int_equal(got.rows, 2 * want.rows);
        assert_int_equal(got.columns, want.columns + 1);
        for (size_t row = 0; row < want.rows; row++) {
            assert_memory_equal(got.value + row * got.columns + 1, want.value + row * want.columns,
                                want.columns * sizeof *want.value);
        }
        assert_true(table_at(&got, want.rows, "path") == 1);
        free(want.value);
        free(got.value);
    }
    od_result_free(a);
    od_result_free(b);
    remove_folder(one);
    remove_folder(many);
}

static void what_cannot_be_kept_is_refused(void **state)
{
    static const struct {
        const char *record, *words;
    } cases[] = {
        /* so that the bins, which are 32 bits wide, cannot overflow */
        {"paths: 4294967296, record: {histograms: true}", "paths: 4294967296 is out of range"},
        {"paths: 1000, record: {every: 1.0e-6, paths: 100}", "record.paths: the rows of these paths are"},
        {"paths: 1000, record: {paths: 129}", "record.paths"},
        {"paths: 1000, record: {covariance: yes}", "record.covariance"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, start: {x: {normal: 1}}, until: 1, "
                 "integrator: exact, %s}",
                 cases[i].record);
        assert_null(od_experiment_parse(*state, text, NULL));
        check_message(*state, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(short_chains_have_their_exact_moments),
        test_with_context(long_chains_have_the_moments_of_the_references),
        test_with_context(threads_and_blocks_do_not_change_the_bits),
        test_with_context(results_are_remade_from_their_own_file),
        test_with_context(stopped_paths_are_counted_and_left_out),
        test_with_context(quantiles_and_covariances_are_gaussian),
        test_with_context(random_starts_are_normal_and_shared),
        test_with_context(gaps_of_ensembles_are_root_mean_squares),
        test_with_context(covariances_of_every_time_are_those_of_the_paths),
        test_with_context(large_states_keep_variances_only),
        test_with_context(histograms_count_known_normals),
        test_with_context(every_table_says_over_how_many_paths_it_is),
        test_with_context(single_paths_are_runs_of_their_own),
        test_with_context(what_cannot_be_kept_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
