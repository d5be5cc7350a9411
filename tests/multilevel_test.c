/*
 * Multilevel Monte Carlo (`paths: auto`) against exact values, against plain ensembles, and against what its theory
 * says of variances and costs.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "folder.h"
#include "run_check.h"

/* The first result's levels; the caller frees the result. */
static od_result *climb(od_context *ctx, const char *yaml, const od_options *options)
{
    od_result *result = run_text(ctx, yaml, options, OD_OK);
    assert_int_equal(result->count, 1);
    assert_non_null(result->outcome[0].multilevel);
    return result;
}

#define QUADRATIC "problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, start: {t: 0.01, x: [1, 1]}"
#define NESTEROV QUADRATIC ", method: {name: nesterov, noise: 0.1}, until: 10, paths: auto"

/*
 * References sde-quad, t0 = 0.01, v = 0 or at rest: quadratures in 25 digits. An error is at most 4.5 standard errors
 * and twice the estimated bias; a right program fails one of these 8 numbers with probability 6e-5.
 */
static void estimates_agree_with_exact_values(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *yaml;
        size_t count;
        double want[2];
    } cases[] = {
        {"{" NESTEROV ", tolerance: 1.0e-4, integrator: {name: euler-maruyama, step: 0.4995}}",
         1,
         {0.014246744144238967}},
        {"{" NESTEROV ", tolerance: 2.0e-5, integrator: {name: sra1, step: 0.4995}}", 1, {0.014246744144238967}},
        {"{" NESTEROV ", tolerance: 4.0e-3, integrator: {name: milstein, step: 0.4995}, record: {quantities: [x]}}",
         2,
         {0.5767253844855965, 0.8801013915154341}},
        {"{" NESTEROV ", tolerance: 4.0e-3, integrator: {name: sra1, step: 0.999}, record: {quantities: [x, loss]}}",
         2,
         {0.5767253844855965, 0.8801013915154341}},
        {"{" QUADRATIC ", method: {name: memory, forgetting: polynomial, p: 3, noise: 0.1}, until: 10, paths: auto, "
         "tolerance: 1.0e-4, integrator: {name: euler-maruyama, step: 0.00999}}",
         1,
         {0.014944998817967507}},
        {"{" QUADRATIC ", method: {name: memory, forgetting: polynomial, p: 2, noise: 0.1}, until: 1, paths: auto, "
         "tolerance: 2.0e-5, integrator: {name: sra1, step: 0.0099}}",
         1,
         {0.023699351669885307}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        od_result *result = climb(ctx, cases[k].yaml, NULL);
        const od_multilevel *a = result->outcome[0].multilevel;
        assert_int_equal(a->bound, cases[k].count);
        for (size_t c = 0; c < a->bound; c++) {
            check_close(a->mean[c], cases[k].want[c], 4.5 * a->stderr_mean[c] + 2 * a->bias[c]);
            assert_true(a->stderr_mean[c] <= a->tolerance / sqrt(2) && a->bias[c] <= a->tolerance / sqrt(2));
        }
        od_result_free(result);
    }
}

/* The root-mean-square error over 40 seeds is at most the tolerance. If it were just that, sampling error alone, the
 * sum of squares in units of eps^2/2 would be chi-square with 40 degrees of freedom, above 80 with probability 2e-4. */
static void the_tolerance_is_honoured(void **state)
{
    enum { SEEDS = 40 };
    od_context *ctx = *state;
    static const char *const schemes[] = {"euler-maruyama", "sra1"};
    for (size_t k = 0; k < 2; k++) {
        const double tolerance = 2e-4, exact = 0.014246744144238967;
        double sum = 0;
        for (int seed = 1; seed <= SEEDS; seed++) {
            char text[512];
            snprintf(text, sizeof text, "{" NESTEROV ", tolerance: %g, seed: %d, integrator: {name: %s, step: 0.4995}}",
                     tolerance, seed, schemes[k]);
            od_result *result = climb(ctx, text, NULL);
            const double error = result->outcome[0].loss - exact;
            sum += error * error;
            od_result_free(result);
        }
        print_message("# %s: root-mean-square error %.3g of tolerance %g\n", schemes[k], sqrt(sum / SEEDS), tolerance);
        assert_true(sum / SEEDS <= tolerance * tolerance);
        /* nor is it met by far too many paths: half the tolerance allowed for, chi-square_40 is below 10 with 1e-7 */
        assert_true(sum / SEEDS >= tolerance * tolerance / 8);
    }
}

/*
 * The variance of x's differences falls with twice the strong order of the scheme: 1 of Euler-Maruyama with additive
 * noise, 2 of SRA1 on a second-order flow (tests/sra_test.c). Variances of 512 paths and more are known to 6 %, ratios
 * to 9 %, and 0.4 in the rate are three standard errors at the least.
 */
static void variances_fall_with_the_strong_order(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *scheme;
        double step, rate;
    } cases[] = {{"euler-maruyama", 0.015625, 2}, {"sra1", 0.125, 4}};
    for (size_t k = 0; k < 2; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: styblinski-tang, method: {name: heavy-ball, alpha: 1, noise: 0.5}, start: {x: [-2.5, -3]}, "
                 "until: 2, paths: auto, tolerance: 0.01, integrator: {name: %s, step: %g}, record: {quantities: [x]}}",
                 cases[k].scheme, cases[k].step);
        od_result *result = climb(ctx, text, NULL);
        const od_multilevel *a = result->outcome[0].multilevel;
        assert_true(a->levels >= 3);
        const double last = a->level[a->levels - 1].var[0], before = a->level[a->levels - 2].var[0];
        print_message("# %s: %zu levels, rate %.2f\n", cases[k].scheme, a->levels, log2(before / last));
        check_close(log2(before / last), cases[k].rate, 0.4);
        od_result_free(result);
    }
}

/* Counts of drift evaluations; that the share falls with the tolerance is what the method is for. */
static void it_costs_less_than_plain_ensembles(void **state)
{
    od_context *ctx = *state;
    double share[2];
    for (size_t k = 0; k < 2; k++) {
        char text[512];
        snprintf(text, sizeof text, "{" NESTEROV ", tolerance: %g, integrator: {name: euler-maruyama, step: 0.4995}}",
                 k == 0 ? 2e-4 : 2e-5);
        od_result *result = climb(ctx, text, NULL);
        const od_multilevel *a = result->outcome[0].multilevel;
        double sum = 0;
        for (size_t l = 0; l < a->levels; l++) {
            /* 20 steps at level 0; a fine and a coarse run above */
            assert_true(a->level[l].cost == (l == 0 ? 20 : 30 * ldexp(1, (int)l)));
            sum += a->level[l].cost * (double)a->level[l].paths;
        }
        assert_true((double)a->evaluations == sum && result->outcome[0].evaluations == a->evaluations);
        const double var = a->plain_paths * a->stderr_mean[0] * a->stderr_mean[0];
        check_relative(var, 1.1e-4, 0.2); /* of the loss, tr (H cov)^2/2 + mean H cov H mean */
        check_relative(a->plain_evaluations, a->plain_paths * 20 * ldexp(1, (int)a->levels - 1), 1e-12);
        share[k] = sum / a->plain_evaluations;
        od_result_free(result);
    }
    print_message("# share of plain Monte Carlo: %.3f, %.3f\n", share[0], share[1]);
    assert_true(share[0] < 1 && share[1] < 0.15 && share[1] < share[0]);
}

/* The means of levels are those of ordinary ensembles: level 0 of the very same paths. */
static void level_zero_is_the_plain_ensemble(void **state)
{
    od_context *ctx = *state;
    od_result *result = climb(ctx, "{" NESTEROV ", tolerance: 2.0e-4, seed: 3, integrator: {name: sra1, step: 0.4995}}",
                              NULL);
    const od_level *zero = &result->outcome[0].multilevel->level[0];
    char text[512];
    snprintf(text, sizeof text,
             "{" QUADRATIC
             ", method: {name: nesterov, noise: 0.1}, until: 10, paths: %llu, seed: 3, integrator: {name: "
             "sra1, step: 0.4995}}",
             (unsigned long long)zero->paths);
    od_result *plain = run_text(ctx, text, NULL, OD_OK);
    /* the same numbers, merged in another order */
    check_relative(zero->mean[0], plain->outcome[0].loss, 1e-13);
    check_relative(zero->mean[2], plain->outcome[0].mean[0], 1e-13);
    check_relative(zero->var[2], plain->outcome[0].var[0], 1e-12);
    od_result_free(plain);
    od_result_free(result);
}

/* 2^16 paths at a step whose bias is far below the errors here; 4.5 standard errors: 7e-6. */
static void a_nonlinear_loss_agrees_with_a_plain_ensemble(void **state)
{
    od_context *ctx = *state;
#define STYBLINSKI                                                                                                     \
    "problem: styblinski-tang, method: {name: heavy-ball, alpha: 1, noise: 1}, start: {x: {normal: 0.5}}, until: 2"
    od_result *plain = run_text(
        ctx, "{" STYBLINSKI ", paths: 65536, seed: 11, integrator: {name: sra1, step: 0.015625}}", NULL, OD_OK);
    od_result *result = climb(
        ctx, "{" STYBLINSKI ", paths: auto, tolerance: 0.1, integrator: {name: euler-maruyama, step: 0.03125}}", NULL);
    const od_multilevel *a = result->outcome[0].multilevel;
    const double error = hypot(plain->outcome[0].loss_stderr, a->stderr_mean[0]);
    check_close(a->mean[0], plain->outcome[0].loss, 4.5 * error + 2 * a->bias[0]);
    assert_true(error < 0.2);
    od_result_free(plain);
    od_result_free(result);
}

static void threads_do_not_change_a_bit(void **state)
{
    od_context *ctx = *state;
    const char *text = "{" NESTEROV ", tolerance: 5.0e-5, integrator: {name: euler-maruyama, step: 0.4995}}";
    od_result *one = climb(ctx, text, &(od_options){.threads = 1});
    od_result *three = climb(ctx, text, &(od_options){.threads = 3, .block = 7});
    const od_multilevel *a = one->outcome[0].multilevel, *b = three->outcome[0].multilevel;
    assert_int_equal(a->levels, b->levels);
    assert_memory_equal(a->mean, b->mean, a->count * sizeof *a->mean);
    assert_memory_equal(a->stderr_mean, b->stderr_mean, a->count * sizeof *a->mean);
    for (size_t l = 0; l < a->levels; l++) {
        assert_true(a->level[l].paths == b->level[l].paths);
        assert_memory_equal(a->level[l].var, b->level[l].var, a->count * sizeof *a->mean);
    }
    od_result_free(one);
    od_result_free(three);
}

static void cancel(void *user, double fraction)
{
    if (fraction > 0.3) {
        od_cancel(user);
    }
}

static void an_interruption_keeps_what_is_known(void **state)
{
    od_context *ctx = *state;
    od_context_on_progress(ctx, cancel, ctx);
    od_result *result = run_text(ctx,
                                 "{" NESTEROV ", tolerance: 5.0e-6, integrator: {name: euler-maruyama, step: 0.4995}}",
                                 NULL, OD_EINTERRUPTED);
    assert_true(result->interrupted && result->count == 1);
    const od_multilevel *a = result->outcome[0].multilevel;
    assert_true(a->levels >= 3 && a->stderr_mean[0] > a->tolerance);
    check_close(a->mean[0], 0.014246744144238967, 4.5 * a->stderr_mean[0] + 2 * a->bias[0]);
    od_result_free(result);
    /* and nothing is known of what has not begun */
    result = run_text(ctx, "{" NESTEROV ", tolerance: 1.0e-4, integrator: {name: sra1, step: 0.4995}}", NULL,
                      OD_EINTERRUPTED);
    assert_true(result->outcome[0].multilevel->levels == 0 && isnan(result->outcome[0].loss));
    od_result_free(result);
}

static void the_levels_are_written(void **state)
{
    od_context *ctx = *state;
    char folder[FOLDER_ROOM], text[256];
    folder_make(folder);
    od_result *result = climb(
        ctx, "{" NESTEROV ", tolerance: 2.0e-4, integrator: {name: sra1, step: 0.4995}, record: {quantities: [loss]}}",
        &(od_options){.output = folder});
    const od_multilevel *a = result->outcome[0].multilevel;
    assert_int_equal(result->outcome[0].more_count, 1);
    FILE *in = fopen(result->outcome[0].more_file[0], "r");
    assert_non_null(in);
    while (fgets(text, sizeof text, in) != NULL && text[0] == '#') {
    }
    assert_string_equal(text, "level,step,paths,cost,loss_mean,loss_var\n");
    for (size_t l = 0; l < a->levels; l++) {
        double v[6];
        assert_int_equal(fscanf(in, "%lf,%lf,%lf,%lf,%lf,%lf", v, v + 1, v + 2, v + 3, v + 4, v + 5), 6);
        assert_true(v[0] == (double)l && v[1] == a->level[l].step && v[2] == (double)a->level[l].paths);
        assert_true(v[3] == a->level[l].cost && v[4] == a->level[l].mean[0] && v[5] == a->level[l].var[0]);
    }
    fclose(in);
    /* the folder holds an experiment that gives the same bits */
    snprintf(text, sizeof text, "%s/experiment.yaml", folder);
    od_experiment *e = od_experiment_load(ctx, text, &(od_options){.output = folder});
    check_done(ctx, e != NULL);
    assert_true(od_experiment_complete(e));
    od_result *again = NULL;
    check_done(ctx, od_experiment_run(ctx, e, &again) == OD_OK);
    assert_true(again->outcome[0].loss == result->outcome[0].loss);
    od_result_free(again);
    od_experiment_free(e);
    od_result_free(result);
    folder_remove(folder);
}

static void what_makes_no_sense_is_refused(void **state)
{
    od_context *ctx = *state;
#define EULER "integrator: {name: euler-maruyama, step: 0.4995}"
    static const char *const cases[][2] = {
        {"{" NESTEROV ", " EULER "}", "give tolerance: 1.0e-3, say"},
        {"{" NESTEROV ", tolerance: -1, " EULER "}", "must be greater than 0"},
        {"{" NESTEROV ", tolerance: 1, noise_step: 0.1, " EULER "}", "a grid of its own"},
        {"{" NESTEROV ", tolerance: 1, stop: {loss: 1}, " EULER "}", "ends a single path"},
        {"{" NESTEROV ", tolerance: 1, record: {covariance: true}, " EULER "}", "means at the end alone"},
        {"{" QUADRATIC ", method: nesterov, until: 10, paths: auto, tolerance: 1, " EULER "}", "has no noise"},
        {"{" QUADRATIC ", method: {name: gradient, step: 1}, iterations: 9, paths: auto, tolerance: 1}",
         "an iteration has no finer steps"},
        {"{" QUADRATIC ", method: {name: nesterov, noise: 0.1}, until: 10, tolerance: 1, " EULER "}",
         "a tolerance is for paths: auto"},
        {"{" QUADRATIC ", method: {name: nesterov, noise: 0.1}, until: 10, " EULER
         ", compare: [{paths: auto, tolerance: 1}, {label: b, paths: 3}]}",
         "give all the same"},
        {"{" NESTEROV ", tolerance: 1, " EULER ", sweep: {paths: [many]}}", "expected a whole number or auto"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        od_experiment *e = od_experiment_parse(ctx, cases[k][0], NULL);
        if (e != NULL) {
            print_error("not refused: %s\n", cases[k][0]);
            fail();
        }
        check_message(ctx, cases[k][1]);
    }
}

static void what_cannot_be_reached_is_said(void **state)
{
    od_context *ctx = *state;
    assert_null(run_text(ctx, "{" NESTEROV ", tolerance: 1.0e-9, " EULER "}", NULL, OD_EUNSUPPORTED));
    check_message(ctx, "give a larger tolerance");
    od_result *result = run_text(ctx,
                                 "{problem: styblinski-tang, method: {name: gradient, noise: 1}, start: {x: [3, 30]}, "
                                 "until: 10, paths: auto, tolerance: 1, integrator: {name: milstein, step: 0.5}}",
                                 NULL, OD_EDIVERGED);
    check_message(ctx, "give a smaller integrator.step");
    assert_true(result->diverged && isnan(result->outcome[0].loss));
    od_result_free(result);
    od_experiment *e = od_experiment_parse(ctx, "{" NESTEROV ", tolerance: 1, " EULER "}",
                                           &(od_options){.output = "/nowhere", .shard = 1, .shards = 2});
    assert_null(e);
    check_message(ctx, "shards or ranks");
}

static void every_scheme_with_noise_states_its_weak_order(void **state)
{
    (void)state;
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        assert_true((od_integrator_types[i]->weak_order > 0) == od_integrator_types[i]->noise);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(estimates_agree_with_exact_values),
        test_with_context(the_tolerance_is_honoured),
        test_with_context(variances_fall_with_the_strong_order),
        test_with_context(it_costs_less_than_plain_ensembles),
        test_with_context(level_zero_is_the_plain_ensemble),
        test_with_context(a_nonlinear_loss_agrees_with_a_plain_ensemble),
        test_with_context(threads_do_not_change_a_bit),
        test_with_context(an_interruption_keeps_what_is_known),
        test_with_context(the_levels_are_written),
        test_with_context(what_makes_no_sense_is_refused),
        test_with_context(what_cannot_be_reached_is_said),
        test_with_context(every_scheme_with_noise_states_its_weak_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
