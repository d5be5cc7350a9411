/*
 * Antithetic paths: pairs with opposite noise. Means of linear models are exact, standard errors are those of the
 * pairs.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include "analysis/gaussian.h"

#define QUADRATIC "problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, start: {t: 0.1, x: [1, -2]}"

/* The mean of a pair is the noise-free path of the chain, whose moments analysis/gaussian.h knows. */
static void means_of_linear_flows_are_exact(void **state)
{
    od_context *ctx = *state;
    static const char *const cases[][2] = {{"{name: nesterov, noise: 0.1}", "euler-maruyama"},
                                           {"{name: nesterov, noise: [[0.2, 0.1], [0, 0.3]]}", "sra1"},
                                           {"{name: memory, forgetting: polynomial, p: 3, noise: 0.1}", "milstein"},
                                           {"{name: gradient, noise: 0.3}", "sra1"}};
    for (size_t k = 0; k < 4; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{" QUADRATIC
                 ", method: %s, integrator: {name: %s, step: 0.05}, until: 5.1, paths: 150, antithetic: true}",
                 cases[k][0], cases[k][1]);
        od_experiment *e = od_experiment_parse(ctx, text, NULL);
        check_done(ctx, e != NULL);
        const od_member *m = &e->member[0];
        od_law_chain chain;
        check_done(ctx, od_law_chain_open(ctx, m, m->integrator_choice.integrator, 0.05, &chain) == OD_OK);
        check_done(ctx, od_law_chain_advance(ctx, &chain, 100) == OD_OK);
        od_result *result = NULL;
        check_done(ctx, od_experiment_run(ctx, e, &result) == OD_OK);
        const od_outcome *o = &result->outcome[0];
        for (size_t i = 0; i < m->dim; i++) {
            const double spread = sqrt(chain.cov[i * m->dim + i]);
            /* 100 steps of roundings of paths that are a few spreads from zero */
            check_close(o->mean[i], chain.mean[i], 1e-13 * (spread + fabs(chain.mean[i])));
            assert_true(o->stderr_mean[i] <= 1e-14 * (spread + 1) && o->var[i] > 0.5 * spread * spread);
        }
        od_law_chain_close(&chain);
        od_result_free(result);
        od_experiment_free(e);
    }
}

/* The first paths of two ensembles as their tables show them. */
static void every_pair_is_a_path_and_its_mirror(void **state)
{
    od_context *ctx = *state;
    static const char *const runs[] = {
        "integrator: {name: sra1, step: 0.1}, until: 2.1, record: {every: 1, paths: 8, quantities: [x]}",
        "iterations: 20, record: {stride: 10, paths: 8, quantities: [x]}",
        "iterations: 20, record: {stride: 10, paths: 8, quantities: [x]}, start: {x: {normal: 1}}"};
    for (size_t k = 0; k < 3; k++) {
        char text[512], one[32], other[32];
        const char *name = k == 0 ? "flow-paths.csv" : "iteration-paths.csv";
        snprintf(text, sizeof text,
                 "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: heavy-ball, alpha: 0.3, "
                 "noise: 0.1, "
                 "step: 0.1}, seed: 5, paths: 8, antithetic: true, %s%s}",
                 runs[k], k < 2 ? ", start: {t: 0.1, x: [1, -2]}" : "");
        od_result_free(run_text(ctx, text, &(od_options){.output = make_folder(one), .block = 3}, OD_OK));
        const char *plain[] = {"antithetic=false", NULL};
        od_result_free(run_text(ctx, text, &(od_options){.output = make_folder(other), .set = plain}, OD_OK));
        const table pairs = read_table(one, name), paths = read_table(other, name);
        const size_t rows = pairs.rows / 8;
        assert_true(rows >= 3 && paths.rows == pairs.rows);
        for (size_t j = 0; j < 4; j++) {
            for (size_t r = 0; r < rows; r++) {
                const double up = table_at(&pairs, 2 * j * rows + r, "x_1");
                const double down = table_at(&pairs, (2 * j + 1) * rows + r, "x_1");
                assert_true(up == table_at(&paths, j * rows + r, "x_1"));
                /* from one start all pairs have one mean, the noise-free path; a random start is the pair's */
                const double zero = (table_at(&pairs, r, "x_1") + table_at(&pairs, rows + r, "x_1")) / 2;
                check_close((up + down) / 2, k < 2 ? zero : (up + down) / 2, 1e-14);
                assert_true(r == 0 ? up == down : up != down);
            }
        }
        free(pairs.value);
        free(paths.value);
        remove_folder(one);
        remove_folder(other);
    }
}

/*
 * 1000 seeds of 40 paths, from one start and from random ones: the variance of the means over the mean square of their
 * standard errors. Its standard deviation is 0.045 to 0.05; 0.2 is a false alarm of 1e-4 in all.
 */
static void standard_errors_are_honest(void **state)
{
    enum { SEEDS = 1000 };
    static const char *const starts[] = {"[0.2, -0.4]", "{normal: 0.3}"};
    for (size_t k = 0; k < 2; k++) {
        double sum = 0, square = 0, claimed = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            char text[512];
            snprintf(text, sizeof text,
                     "{problem: styblinski-tang, start: {x: %s}, method: {name: gradient, noise: 0.5}, integrator: "
                     "{name: euler-maruyama, step: 0.01}, until: 0.05, paths: 40, antithetic: true, seed: %d}",
                     starts[k], seed);
            od_result *result = run_text(*state, text, NULL, OD_OK);
            const od_outcome *o = &result->outcome[0];
            sum += o->loss / SEEDS;
            square += o->loss * o->loss / SEEDS;
            claimed += o->loss_stderr * o->loss_stderr / SEEDS;
            od_result_free(result);
        }
        const double ratio = (square - sum * sum) * SEEDS / (SEEDS - 1) / claimed;
        print_message("# start %s: variance ratio %.3f\n", starts[k], ratio);
        check_close(ratio, 1, 0.2);
    }
}

typedef struct ending {
    double x[512];
    bool alive[512];
    double t;
} ending;

static od_status keep(void *user, const od_view *view)
{
    ending *end = user;
    for (size_t p = 0; p < view->n && view->t >= end->t; p++) {
        end->x[view->first_path + p] = view->z[p];
        end->alive[view->first_path + p] = view->alive[p];
    }
    return OD_OK;
}

/* With this seed no path is on its way to infinity at the end. Where one path of a pair stops, so does the other. */
static void paths_stop_in_pairs(void **state)
{
    od_context *ctx = *state;
    enum { PATHS = 400 };
    static ending end;
    end.t = 10;
    od_experiment *e = od_experiment_parse(
        ctx,
        "{problem: {name: power, p: 4, dim: 1}, start: {x: [0.5]}, method: {name: gradient, noise: 0.8}, integrator: "
        "{name: "
        "euler-maruyama, step: 0.25}, until: 10, paths: 400, antithetic: true, seed: 7, record: {every: 10, "
        "quantities: [x]}}",
        NULL);
    check_done(ctx, e != NULL);
    check_done(ctx, od_experiment_observe(ctx, e, (od_observer){keep, &end}) == OD_OK);
    od_result *result = NULL;
    check_done(ctx, od_experiment_run(ctx, e, &result) == OD_OK);
    double mean = 0, pair_mean = 0, square = 0;
    size_t alive = 0, pairs = 0, halves = 0;
    for (size_t p = 0; p < PATHS; p++) {
        mean += end.alive[p] ? end.x[p] : 0;
        alive += end.alive[p];
    }
    for (size_t p = 0; p < PATHS; p += 2) {
        const double x = (end.x[p] + end.x[p + 1]) / 2;
        const bool both = end.alive[p] && end.alive[p + 1];
        halves += end.alive[p] != end.alive[p + 1];
        pair_mean += both ? x : 0;
        square += both ? x * x : 0;
        pairs += both;
    }
    assert_true(halves == 0 && pairs > 5 && pairs < PATHS / 2 - 5);
    const double n = (double)pairs, variance = (square - pair_mean * pair_mean / n) / (n - 1);
    const od_outcome *o = &result->outcome[0];
    assert_true(o->paths == PATHS && o->stopped == PATHS - alive);
    check_relative(o->mean[0], mean / (double)alive, 1e-12);
    check_relative(o->stderr_mean[0], sqrt(variance / n), 1e-10);
    od_result_free(result);
    od_experiment_free(e);
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {"method: {name: nesterov, noise: 0.1}, paths: 7", "an even number of paths"},
        {"method: {name: nesterov, noise: 0.1}", "an even number of paths"},
        {"method: nesterov, paths: 8", "has no noise"},
        {"method: {name: nesterov, noise: 0.1}, paths: auto, tolerance: 1", "an even number of paths"},
        {"method: {name: nesterov, noise: 0.1}, paths: 8, record: {quantiles: [0.5]}", "independent paths"}};
    od_context *ctx = *state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{" QUADRATIC ", integrator: {name: euler-maruyama, step: 0.1}, until: 1.1, antithetic: true, %s}",
                 cases[k][0]);
        assert_null(od_experiment_parse(ctx, text, NULL));
        check_message(ctx, cases[k][1]);
    }
    od_experiment *e = od_experiment_parse(
        ctx,
        "{" QUADRATIC ", integrator: {name: euler-maruyama, step: 0.1}, until: 1.1, antithetic: true, paths: 2000, "
        "method: {name: nesterov, noise: 0.1}}",
        NULL);
    check_done(ctx, e != NULL);
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        assert_int_equal(od_experiment_analyse(ctx, e, od_analysis_types[i]->name, stdout, true), OD_EUNSUPPORTED);
        check_message(ctx, "takes its paths as independent");
    }
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(means_of_linear_flows_are_exact), test_with_context(every_pair_is_a_path_and_its_mirror),
        test_with_context(standard_errors_are_honest),      test_with_context(paths_stop_in_pairs),
        test_with_context(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
