/*
 * Courses that a run may take besides the usual one: with observers, merged of nothing, of pairs that part, of levels
 * without variance. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include "src/label.h"

#include <gsl/gsl_sf_bessel.h>

#define SQUARE "problem: {name: quadratic, eigenvalues: [2, 1]}, start: {x: [1, 0.5]}"

static od_status count_rows(void *user, const od_view *view)
{
    (void)view;
    ++*(size_t *)user;
    return OD_OK;
}

/* What observers saw they would not see again, so an observed run keeps no journal; with levels there are no rows. */
static void observed_runs_keep_files_and_no_journal(void **state)
{
    od_context *ctx = *state;
    char folder[32];
    size_t rows = 0;
    od_result *result = NULL;
    const od_observer observer = {count_rows, &rows};
    od_experiment *e = od_experiment_parse(ctx, "{" SQUARE ", method: {name: gradient, step: 0.1}, iterations: 5}",
                                           &(od_options){.output = make_folder(folder), .checkpoint = 1e-9});
    check_done(ctx, e != NULL);
    assert_false(od_experiment_complete(e));
    check_done(ctx, od_experiment_observe(ctx, e, observer) == OD_OK);
    check_done(ctx, od_experiment_run(ctx, e, &result) == OD_OK);
    assert_int_equal(rows, 6);
    assert_null(result->journal);
    assert_true(od_experiment_complete(e));
    od_result_free(result);
    od_experiment_free(e);
    remove_folder(folder);

    e = od_experiment_parse(ctx,
                            "{" SQUARE ", method: {name: gradient, noise: 1}, until: 1, paths: auto, tolerance: 1, "
                            "integrator: {name: euler-maruyama, step: 0.5}}",
                            NULL);
    check_done(ctx, e != NULL);
    assert_false(od_experiment_complete(e)); /* no folder holds it */
    check_done(ctx, od_experiment_observe(ctx, e, observer) == OD_OK);
    assert_int_equal(od_experiment_run(ctx, e, &result), OD_EUNSUPPORTED);
    check_message(ctx, "auto records nothing that an observer sees; give a number of paths");
    assert_null(result);
    od_experiment_free(e);
}

/* Stems of files are cut off where labels are. */
static void long_labels_give_short_stems(void **state)
{
    (void)state;
    char label[2 * OD_LABEL_ROOM], stem[OD_LABEL_ROOM];
    memset(label, 'a', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    label[0] = '.';
    od_label_stem(label, stem);
    assert_int_equal(strlen(stem), OD_LABEL_ROOM - 1);
    assert_int_equal(strncmp(stem, "_aaa", 4), 0);
}

static void nothing_is_not_merged(void **state)
{
    od_context *ctx = *state;
    od_result *result;
    od_experiment *e = od_experiment_parse(ctx, "{" SQUARE ", method: {name: gradient, step: 0.1}, iterations: 5}",
                                           NULL);
    check_done(ctx, e != NULL);
    assert_int_equal(od_experiment_merge(ctx, e, (const char *const[]){NULL}, &result), OD_EINVAL);
    check_message(ctx, "there is no shard to merge");
    od_experiment_free(e);
}

/*
 * dx = -3 x^2 dt + dB from 0 leaves to minus infinity, each path at its own time; a path whose other half is gone is no
 * sample of the pairs and stops with it. Euler's steps x+ = x - 3 h x^2 +- dW are made here again of the same
 * increments.
 */
static void pairs_that_part_are_left_out(void **state)
{
    enum { PAIRS = 40, STEPS = 20 };
    const double h = 0.1;
    od_result *result = run_text(
        *state,
        "{problem: {name: formula, f: x^3, variables: [x]}, start: {x: [0]}, method: {name: "
        "gradient, noise: 1}, until: 2, paths: 80, antithetic: true, seed: 5, integrator: {name: "
        "euler-maruyama, step: 0.1}, record: {every: 2, quantities: [x]}}",
        NULL, OD_OK);
    const od_brownian motion = {.seed = 5, .dim = 1, .base = h};
    double x[2 * PAIRS] = {0}, mean = 0;
    size_t left = 0, halves = 0;
    for (size_t k = 0; k < STEPS; k++) {
        const od_interval cell = {k, 1, 0};
        double dw[2 * PAIRS];
        od_brownian_increment(&motion, &cell, 0, PAIRS, dw, NULL);
        for (size_t p = 0; p < 2 * PAIRS; p++) {
            x[p] += -3 * h * x[p] * x[p] + (p % 2 == 0 ? dw[p / 2] : -dw[p / 2]);
        }
    }
    for (size_t p = 0; p < 2 * PAIRS; p += 2) {
        const bool first = isfinite(x[p]), second = isfinite(x[p + 1]);
        halves += first != second;
        left += first && second;
        mean += first && second ? (x[p] + x[p + 1]) / 2 : 0;
    }
    assert_true(halves > 0 && left > 0);
    const od_outcome *o = &result->outcome[0];
    assert_int_equal(o->paths, 2 * PAIRS);
    assert_int_equal(o->stopped, 2 * (PAIRS - left));
    check_relative(o->mean[0], mean / (double)left, 1e-12);
    od_result_free(result);
}

/* Noise that never reaches the loss: all paths of a level agree, and the mean is the finest Euler polygon's. */
static void levels_without_variance_need_one_path(void **state)
{
    od_result *result = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 0]}, start: {x: [1, 0.5]}, method: {name: "
        "gradient, noise: [[0, 0], [0, 0.5]]}, until: 1, paths: auto, tolerance: 0.1, integrator: "
        "{name: euler-maruyama, step: 0.25}, record: {quantities: [loss, x]}}",
        NULL, OD_OK);
    const od_multilevel *a = result->outcome[0].multilevel;
    assert_int_equal(a->levels, 3);
    const double x = pow(1 - 1.0 / 16, 16);
    check_close(a->mean[0], x * x / 2, 1e-15);
    check_close(a->mean[1], x, 1e-15);
    check_close(a->stderr_mean[0], 0, 0);
    check_close(a->plain_paths, 1, 0);
    check_close(a->plain_evaluations, 16, 0);
    assert_true(a->stderr_mean[2] > 0);
    od_result_free(result);
}

/*
 * x'' + (p + 1) x'/t + t^(p-2) a x = 0 has the solution J_1(2 w)/w, w^2 = a t^p/p^2, which starts at rest at t = 0
 * though the coefficients have no limit there for p < 2: the closed form begins where a scheme that evaluates the drift
 * cannot.
 */
static void a_closed_form_starts_where_no_step_does(void **state)
{
#define SINGULAR                                                                                                       \
    "{problem: {name: quadratic, eigenvalues: [2, 1]}, start: {x: [1, 1]}, until: 1, method: {name: bregman, p: 1.5}"
    od_result *result = run_text(*state, SINGULAR ", integrator: exact}", NULL, OD_OK);
    for (size_t i = 0; i < 2; i++) {
        const double w = sqrt(i == 0 ? 2 : 1) / 1.5;
        check_relative(result->outcome[0].mean[i], gsl_sf_bessel_J1(2 * w) / w, 1e-14);
    }
    od_result_free(result);
    assert_null(od_experiment_parse(*state, SINGULAR ", integrator: {name: rk4, step: 0.1}}", NULL));
    check_message(*state, "'bregman' cannot start at t = 0: its coefficients have no limit at t = 0");
}

static void hear(void *user, const char *sentence)
{
    snprintf(user, 256, "%s", sentence);
}

/* The iteration begins at k = 0 wherever the flow starts. */
static void a_late_start_in_lock_step_is_remarked(void **state)
{
    char heard[256] = "";
    od_context_on_remark(*state, hear, heard);
    for (int late = 0; late < 2; late++) {
        char yaml[512];
        snprintf(
            yaml, sizeof yaml,
            "{problem: {name: quadratic, eigenvalues: [2, 1]}, start: {x: [1, 0.5], t: %s}, method: {name: nesterov, "
            "step: 0.01}, until: 2, iterations: 5, integrator: {name: rk4, step: 0.1}}",
            late ? "1" : "0.1");
        od_result_free(run_text(*state, yaml, NULL, OD_OK));
        assert_int_equal(strstr(heard, "nesterov: the iteration starts at k = 0, while") != NULL, late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(observed_runs_keep_files_and_no_journal),
        cmocka_unit_test(long_labels_give_short_stems),
        test_with_context(nothing_is_not_merged),
        test_with_context(pairs_that_part_are_left_out),
        test_with_context(levels_without_variance_need_one_path),
        test_with_context(a_closed_form_starts_where_no_step_does),
        test_with_context(a_late_start_in_lock_step_is_remarked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
