/*
 * Fast paths of a step: they change neither bits nor the step at which a divergence is found.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

static od_outcome run(od_context *ctx, const char *yaml, unsigned block, od_result **result)
{
    od_experiment *e = od_experiment_parse(ctx, yaml, &(od_options){.threads = 1, .block = block});
    check_done(ctx, e != NULL);
    const od_status status = od_experiment_run(ctx, e, result);
    check_done(ctx, status == OD_OK || status == OD_EDIVERGED);
    assert_non_null(*result);
    od_experiment_free(e);
    return (*result)->outcome[0];
}

/*
 * x' = -x by Euler's scheme with h = 3 is x_k = (-2)^k x_0, exactly. With x_0 = 1.375 the product h x_k = 4.125 * 2^k
 * is first too large at k = 1022, so step 1023 is the first without a finite result, and x_1022 is kept; half that
 * start takes one step more.
 */
static void test_divergence_is_found_at_its_step_in_any_component(void **state)
{
    enum { D = 37 };
    for (size_t j = 0; j < D; j++) {
        char yaml[2048], *at = yaml;
        const char *lists[2][2] = {{"0", "1"}, {"2.385", j % 2 == 0 ? "1.375" : "0.6875"}};
        const int kept = 1022 + (int)(j % 2);
        at += sprintf(at, "{problem: {name: quadratic, eigenvalues: [");
        for (size_t list = 0; list < 2; list++) {
            for (size_t i = 0; i < D; i++) {
                at += sprintf(at, "%s%s", i > 0 ? ", " : "", lists[list][i == j]);
            }
            at += sprintf(at, list == 0 ? "]}, start: {x: [" : "]}, ");
        }
        sprintf(at, "method: gradient, integrator: {name: euler, step: 3}, until: 4500, record: {every: 4500}}");
        od_result *result = NULL;
        const od_outcome o = run(*state, yaml, 0, &result);
        assert_int_equal(o.stopped, 1);
        check_close(o.first_stop, 3 * (kept + 1), 0);
        for (size_t i = 0; i < D; i++) {
            check_close(o.mean[i], i == j ? (j % 2 == 0 ? 1 : -1) * ldexp(1.375, 1022) : 2.385, 0);
        }
        od_result_free(result);
    }
}

/* Numbers whose sum overflows are finite all the same: x_k = 0.75^k x_0. */
static void test_large_finite_states_are_no_divergence(void **state)
{
    const char *yaml =
        "{problem: {name: quadratic, eigenvalues: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5,"
        " 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}, method: gradient, "
        "integrator: {name: euler, step: 0.5}, until: 1.5, record: {every: 1.5, quantities: [x]},"
        "start: {x: [1.7e308, 1.6e308, 1.5e308, -1.4e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, "
        "1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308]}}";
    od_result *result = NULL;
    const od_outcome o = run(*state, yaml, 0, &result);
    assert_int_equal(o.stopped, 0);
    check_relative(o.mean[0], 1.7e308 * 0.421875, 1e-15); /* three roundings */
    check_relative(o.mean[3], -1.4e308 * 0.421875, 1e-15);
    od_result_free(result);
}

/*
 * Each step multiplies by |1 + mu|, mu^2 + mu/2 + 1 = 0, that is 2^0.2925, so that paths diverge near step 3500: some
 * before and some after, and which ones is no matter of the block.
 */
static void test_paths_stop_alone(void **state)
{
    const char *yaml = "{problem: {name: quadratic, eigenvalues: [1, 0.25]}, method: {name: heavy-ball, alpha: 0.5}, "
                       "start: {x: {normal: 1}}, integrator: {name: euler, step: 1}, until: 3500, "
                       "record: {every: 3500, quantities: [x]}, paths: 29, seed: 3}";
    od_result *alone = NULL, *together = NULL;
    const od_outcome a = run(*state, yaml, 1, &alone), b = run(*state, yaml, 29, &together);
    assert_true(a.stopped > 0 && a.stopped < 29);
    assert_int_equal(a.stopped, b.stopped);
    check_close(a.first_stop, b.first_stop, 0);
    assert_memory_equal(a.mean, b.mean, 4 * sizeof(double));
    od_result_free(alone);
    od_result_free(together);
}

/* The drift by way of `force` has the bits of the drift by way of `eval`. */
static void test_force_is_eval_and_a_pass(void **state)
{
    enum { D = 5, N = 7 };
    od_context *ctx = *state;
    od_problem *fast = od_problem_create(
        ctx, "{name: quadratic, eigenvalues: [2.385, 0, -0.3, 1e3, 7.1], centre: [1, -2, 0.1, 3, 0]}");
    check_done(ctx, fast != NULL);
    od_problem slow = *fast;
    assert_non_null(fast->force);
    slow.force = NULL;
    double z[2 * D * N], ws[64 * D * N], with[2 * D * N], without[2 * D * N];
    for (size_t i = 0; i < 2 * D * N; i++) {
        z[i] = od_normal(5, OD_STREAM_CHECK, 0, i, 0);
    }
    const char *methods[] = {"gradient", "{name: heavy-ball, alpha: 0.7}", "{name: nesterov, r: 2.5}"};
    for (size_t m = 0; m < 3; m++) {
        od_flow *a = od_flow_create(ctx, methods[m], fast), *b = od_flow_create(ctx, methods[m], &slow);
        check_done(ctx, a != NULL && b != NULL);
        for (size_t n = 1; n <= N; n += 3) {
            assert_true(od_scratch_size(&a->scratch, n) <= sizeof ws / sizeof *ws);
            assert_int_equal(a->drift(a, 1.3, n, z, with, ws), OD_OK);
            assert_int_equal(b->drift(b, 1.3, n, z, without, ws), OD_OK);
            assert_memory_equal(with, without, a->dim * n * sizeof *with);
            const double lambda = 2.385, x = z[n - 1] - 1; /* the first component of the last path */
            check_close(with[n - 1], m == 0 ? -lambda * x : z[D * n + n - 1], 0);
        }
        od_flow_free(a);
        od_flow_free(b);
    }
    for (size_t n = 1; n <= N; n += 3) {
        assert_int_equal(fast->force(fast, -0.37, -0.61, n, z, z + D * n, with, ws), OD_OK);
        assert_int_equal(fast->eval(fast, OD_GRADIENT, n, z, NULL, without, ws), OD_OK);
        for (size_t i = 0; i < D * n; i++) {
            without[i] = -0.61 * z[D * n + i] + -0.37 * without[i];
        }
        assert_memory_equal(with, without, D * n * sizeof *with);
    }
    od_problem_free(fast);
}

/* x' = (t - x_0 x_1, x_0 - sin(t) x_1): nonlinear and dependent on time. */
static od_status swirl(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = t - z[p] * z[n + p];
        dz[n + p] = z[p] - sin(t) * z[n + p];
    }
    return OD_OK;
}

/* Kutta's scheme as the textbooks write it, slopes added one after the other, to the bit. */
static void test_rk4_is_the_textbook_scheme(void **state)
{
    enum { N = 3 };
    const od_flow flow = {.name = "swirl", .block_count = 1, .block = {{"x", 2}}, .dim = 2, .drift = swirl};
    double z[2 * N] = {1.1, -0.4, 2.385, 0.3, 1.7, -2.2}, want[2 * N], y[2 * N], k[2 * N];
    const double t = 0.75, h = 0.015625, /* binary, so that (t + h) - t = h */
        at[4] = {0, h / 2, h / 2, h}, weight[4] = {h / 6, h / 3, h / 3, h / 6};
    od_stepper *s = od_stepper_create(*state, "{name: rk4, step: 0.015625}", &flow, t, N, z);
    check_done(*state, s != NULL);
    memcpy(want, z, sizeof z);
    memcpy(y, z, sizeof z);
    for (size_t stage = 0; stage < 4; stage++) {
        swirl(&flow, t + at[stage], N, y, k, NULL);
        for (size_t i = 0; i < 2 * N; i++) {
            want[i] += weight[stage] * k[i];
            y[i] = z[i] + (stage < 3 ? at[stage + 1] : 0) * k[i];
        }
    }
    assert_int_equal(od_stepper_advance(*state, s, t, t + h, N, z, NULL), OD_OK);
    assert_memory_equal(z, want, sizeof z);
    od_stepper_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(test_divergence_is_found_at_its_step_in_any_component),
        test_with_context(test_large_finite_states_are_no_divergence),
        test_with_context(test_paths_stop_alone),
        test_with_context(test_force_is_eval_and_a_pass),
        test_with_context(test_rk4_is_the_textbook_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
