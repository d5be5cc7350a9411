/*
 * rk4-tracked: the steps it takes against the scheme's region of stability, its order, stiff nonlinear flows.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

/* The real and the imaginary end of the region: |1 + z + z^2/2 + z^3/6 + z^4/24| = 1. */
static const double real_end = 2.785293563405282, imaginary_end = 2.8284271247461903;

static uint64_t run(od_context *ctx, const char *scheme, const od_flow *flow, double t0, double t1, size_t pieces,
                    size_t n, double *z)
{
    od_stepper *s = od_stepper_create(ctx, scheme, flow, t0, n, z);
    check_done(ctx, s != NULL);
    for (size_t k = 0; k < pieces; k++) {
        const double from = t0 + (t1 - t0) * (double)k / (double)pieces;
        const double to = t0 + (t1 - t0) * (double)(k + 1) / (double)pieces;
        check_done(ctx, od_stepper_advance(ctx, s, from, to, n, z, NULL) == OD_OK);
    }
    const uint64_t evaluations = s->evaluations;
    od_stepper_free(s);
    return evaluations;
}

/* On quadratics the longest stable step is known. With a loose tolerance as many steps are taken as it asks for (the
 * first ones, by their error, are more), and 8 products every 32 steps, more often at first. */
static void steps_are_the_longest_stable_ones(void **state)
{
    static const struct {
        const char *method;
        double rate; /* |eigenvalue| of the Jacobian that matters */
        double end;  /* of the region in its direction */
    } cases[] = {{"gradient", 1000, 2.785293563405282},
                 {"{name: heavy-ball, alpha: 0}", 31.622776601683793, 2.8284271247461903}};
    od_problem *f = od_problem_create(
        *state, "{name: quadratic, eigenvalues: [3, 1000, 0.5, 220, 17, 90, 440, 630, 8, 55, 300, 2], rotation: 5}");
    check_done(*state, f != NULL);
    for (size_t i = 0; i < 2; i++) {
        od_flow *flow = od_flow_create(*state, cases[i].method, f);
        check_done(*state, flow != NULL);
        double z[24], exact[24], ws[4096];
        assert_true(od_scratch_size(&flow->scratch, 1) <= 4096);
        for (size_t k = 0; k < 24; k++) {
            z[k] = k < 12 ? 1 + 0.385 * (double)k : 0;
        }
        assert_int_equal(flow->exact(flow, 0, 1, z, 20, exact, ws), OD_OK);
        const uint64_t evaluations = run(*state, "{name: rk4-tracked, rtol: 0.1, atol: 0.1}", flow, 0, 20, 1, 1, z);
        const double steps = 20 * cases[i].rate / (0.9 * cases[i].end);
        if (!((double)evaluations >= 4 * steps * 0.999 && (double)evaluations <= 4 * steps * 1.09 + 300)) {
            print_error("%s: %llu evaluations for %g steps\n", cases[i].method, (unsigned long long)evaluations, steps);
            fail();
        }
        /* the curvatures that are resolved are right; of undamped ones at the end of the region nothing is left */
        for (size_t k = 0; k < 12 && i == 0; k++) {
            check_close(z[k], exact[k], 1e-3);
        }
        od_flow_free(flow);
    }
    od_problem_free(f);
    assert_true(real_end < imaginary_end);
}

/* Rosenbrock's valley, curvature 101 at the start to 1001.6 at the end: a fixed step that suits the start diverges. */
static void a_curvature_that_grows_is_followed(void **state)
{
    od_problem *f = od_problem_create(*state, "rosenbrock");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "gradient", f);
    check_done(*state, flow != NULL);
    double z[2] = {0.1, 0.3}, w[2] = {0.1, 0.3}, fixed[2] = {0.1, 0.3};
    const uint64_t evaluations = run(*state, "{name: rk4-tracked}", flow, 0, 8, 1, 1, z);
    assert_true(evaluations < 4 * 8 * 1001.6 / (0.9 * real_end) * 1.1);
    run(*state, "{name: cvode, family: bdf, rtol: 1e-12, atol: 1e-13}", flow, 0, 8, 1, 1, w);
    check_close(z[0], w[0], 1e-5);
    check_close(z[1], w[1], 1e-5);
    od_stepper *s = od_stepper_create(*state, "{name: rk4, step: 0.005}", flow, 0, 1, fixed);
    check_done(*state, s != NULL);
    double worst = 0;
    for (int k = 0; k < 1600; k++) {
        check_done(*state, od_stepper_advance(*state, s, 0.005 * k, 0.005 * (k + 1), 1, fixed, NULL) == OD_OK);
        worst = fmax(worst, fabs(fixed[0] - w[0]));
    }
    assert_true(!(fabs(fixed[0] - w[0]) < 1e-2));
    od_stepper_free(s);
    od_flow_free(flow);
    od_problem_free(f);
}

/* Slope of log2(error) over four halvings of `longest`, which a loose tolerance leaves in charge, on a flow that is
 * nonlinear and depends on time; and the error falls with the tolerance where that is in charge. */
static void the_order_is_four(void **state)
{
    od_problem *f = od_problem_create(*state, "{name: styblinski-tang, dim: 2}");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "{name: nesterov, r: 3}", f);
    check_done(*state, flow != NULL);
    const double start[4] = {-2.3, 1.7, 0.4, -0.2};
    double reference[4], z[4], error[5];
    memcpy(reference, start, sizeof start);
    run(*state, "{name: rk4, step: 0.0001}", flow, 0.5, 2.137, 16370, 1, reference);
    for (int k = 0; k < 5; k++) {
        char scheme[96];
        memcpy(z, start, sizeof start);
        /* no whole number of steps fits: the end is dense output, and where it lies in its step differs */
        snprintf(scheme, sizeof scheme, "{name: rk4-tracked, rtol: 0.1, atol: 0.1, longest: %.17g}",
                 0.0731 * pow(0.5, k));
        run(*state, scheme, flow, 0.5, 2.137, 3, 1, z);
        error[k] = hypot(z[0] - reference[0], z[1] - reference[1]);
    }
    check_close((2 * log2(error[0] / error[4]) + log2(error[1] / error[3])) / 10, 4, 0.25);
    for (int k = 4; k <= 10; k += 2) {
        char scheme[96];
        memcpy(z, start, sizeof start);
        snprintf(scheme, sizeof scheme, "{name: rk4-tracked, rtol: 1e-%d, atol: 1e-%d}", k, k);
        run(*state, scheme, flow, 0.5, 2.137, 3, 1, z);
        check_close(hypot(z[0] - reference[0], z[1] - reference[1]), 0, 10 * pow(10, -k));
    }
    od_flow_free(flow);
    od_problem_free(f);
}

/* Asking for more times, or for more paths at once, changes nothing. */
static void output_and_batches_do_not_change_the_path(void **state)
{
    od_problem *f = od_problem_create(*state, "{name: styblinski-tang, dim: 2}");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "{name: heavy-ball, alpha: 0.7}", f);
    check_done(*state, flow != NULL);
    double one[4] = {-2.3, 1.7, 0.4, -0.2}, many[4] = {-2.3, 1.7, 0.4, -0.2};
    double three[12] = {1.1, -2.3, 0.7, -0.9, 1.7, 2.2, 0.3, 0.4, -1, 0.5, -0.2, 0};
    run(*state, "{name: rk4-tracked}", flow, 0, 5, 1, 1, one);
    run(*state, "{name: rk4-tracked}", flow, 0, 5, 37, 1, many);
    run(*state, "{name: rk4-tracked}", flow, 0, 5, 4, 3, three);
    for (size_t i = 0; i < 4; i++) {
        assert_true(one[i] == many[i]);
        assert_true(one[i] == three[3 * i + 1]);
    }
    od_flow_free(flow);
    od_problem_free(f);
}

static void refusals_have_a_reason(void **state)
{
    od_problem *f = od_problem_create(*state, "rosenbrock");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "{name: gradient, flow: modified, step: 0.001}", f);
    check_done(*state, flow != NULL);
    const double z[2] = {0, 0};
    assert_null(od_stepper_create(*state, "{name: rk4-tracked}", flow, 0, 1, z));
    check_message(*state, "needs the Jacobian of the drift");
    od_flow_free(flow);
    od_problem_free(f);
}

/* Where no step comes far the scheme gives up instead of running for ever. */
static void steps_are_counted(void **state)
{
    od_problem *f = od_problem_create(*state, "{name: power, p: 1}");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "{name: gradient}", f);
    check_done(*state, flow != NULL);
    static const char *const scheme[] = {"{name: rk4-tracked, max_steps: 2000}",
                                         "{name: rk4-tracked, longest: 1.0e-300, max_steps: 2000}"};
    for (size_t i = 0; i < 2; i++) {
        double z[1] = {1};
        od_stepper *s = od_stepper_create(*state, scheme[i], flow, 0, 1, z);
        check_done(*state, s != NULL);
        assert_int_equal(od_stepper_advance(*state, s, 0, 5, 1, z, NULL), OD_ENUMERIC);
        check_message(*state, "all max_steps = 2000 steps are used at t = ");
        assert_true(z[0] == 1);
        od_stepper_free(s);
    }
    od_flow_free(flow);
    od_problem_free(f);
}

/* Memory flows have no Jacobian at t = 0, and damping 3/t is infinite there. */
static void singular_starts_are_taken(void **state)
{
    static const char *const method[] = {"{name: nesterov, r: 3}", "{name: memory, forgetting: polynomial, p: 2}"};
    od_problem *f = od_problem_create(*state, "{name: quadratic, eigenvalues: [1, 7.3]}");
    check_done(*state, f != NULL);
    for (size_t i = 0; i < 2; i++) {
        od_flow *flow = od_flow_create(*state, method[i], f);
        check_done(*state, flow != NULL);
        double z[4] = {0.3, -0.7}, exact[4], ws[1024];
        assert_true(od_scratch_size(&flow->scratch, 1) <= 1024);
        assert_int_equal(flow->rest(flow, 0, 1, z, ws), OD_OK);
        assert_int_equal(flow->exact(flow, 0, 1, z, 5, exact, ws), OD_OK);
        run(*state, "{name: rk4-tracked, rtol: 1e-8, atol: 1e-10}", flow, 0, 5, 1, 1, z);
        for (size_t k = 0; k < 4; k++) {
            check_close(z[k], exact[k], 1e-6);
        }
        od_flow_free(flow);
    }
    od_problem_free(f);
}

/* x' = c, x' = x^2, x' = -x with a Jacobian that is no number from t = 1 on: `which` of them is in flow->data. */
static od_status few_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)t, (void)ws;
    const int which = *(const int *)flow->data;
    for (size_t p = 0; p < n; p++) {
        dz[p] = which < 2 ? which : which == 2 ? z[p] * z[p] : -z[p];
    }
    return OD_OK;
}

static od_status few_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u,
                         double *ju, double *ws)
{
    (void)ws;
    const int which = *(const int *)flow->data;
    for (size_t i = 0; i < n * m; i++) {
        ju[i] = (which < 2 ? 0 : which == 2 ? 2 * z[i % n] : t > 1 ? NAN : -1) * u[i];
    }
    return OD_OK;
}

static od_flow few(const int *which)
{
    return (od_flow){.name = "few",
                     .block_count = 1,
                     .block = {{"x", 1}},
                     .dim = 1,
                     .drift = few_drift,
                     .jvp = few_jvp,
                     .data = which};
}

/* A drift that is constant, or 0, has no curvature and no error: one step goes all the way. */
static void straight_lines_are_one_step(void **state)
{
    for (int which = 0; which < 2; which++) {
        const od_flow flow = few(&which);
        double z = 0.385;
        const uint64_t evaluations = run(*state, "rk4-tracked", &flow, 0, 50, 1, 1, &z);
        check_close(z, 0.385 + 50 * which, 1e-12);
        assert_true(which > 0 || evaluations <= 8);
    }
}

/* Equal curvatures are one direction; and a state that was changed in one component is followed from there. */
static void equal_curvatures_and_a_changed_state(void **state)
{
    od_problem *f = od_problem_create(*state, "{name: quadratic, eigenvalues: [2, 2, 2]}");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "gradient", f);
    check_done(*state, flow != NULL);
    double z[3] = {1, -0.5, 2};
    od_stepper *s = od_stepper_create(*state, "{name: rk4-tracked, rtol: 1e-9, atol: 1e-12}", flow, 0, 1, z);
    check_done(*state, s != NULL);
    check_done(*state, od_stepper_advance(*state, s, 0, 0.5, 1, z, NULL) == OD_OK);
    check_close(z[2], 2 * exp(-1), 1e-8);
    z[2] = 3;
    check_done(*state, od_stepper_advance(*state, s, 0.5, 1, 1, z, NULL) == OD_OK);
    check_close(z[0], exp(-2), 1e-8);
    check_close(z[2], 3 * exp(-1), 1e-8);
    od_stepper_free(s);
    od_flow_free(flow);
    od_problem_free(f);
}

static void what_ends_says_where(void **state)
{
    static const struct {
        int which;
        double start, end;
        od_status status;
        const char *sentence;
    } cases[] = {{2, 1, 2, OD_ENUMERIC, "no longer moves t = 1"},
                 {3, 1, 2, OD_ENUMERIC, "the drift or its Jacobian failed or is not finite at t = 1."},
                 {3, 1, -1, OD_EUNSUPPORTED, "it runs forward in time only"}};
    for (size_t i = 0; i < 3; i++) {
        const od_flow flow = few(&cases[i].which);
        double z = cases[i].start;
        od_stepper *s = od_stepper_create(*state, "rk4-tracked", &flow, 0, 1, &z);
        check_done(*state, s != NULL);
        assert_int_equal(od_stepper_advance(*state, s, 0, cases[i].end, 1, &z, NULL), cases[i].status);
        check_message(*state, cases[i].sentence);
        assert_true(z == cases[i].start);
        /* from elsewhere it goes on */
        z = 0.1;
        check_done(*state, od_stepper_advance(*state, s, 0, 0, 1, &z, NULL) == OD_OK && z == 0.1);
        check_done(*state, od_stepper_advance(*state, s, 0, 0.5, 1, &z, NULL) == OD_OK);
        check_close(z, i == 0 ? 0.1 / 0.95 : 0.1 * exp(-0.5), 1e-5);
        od_stepper_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(steps_are_the_longest_stable_ones),
        test_with_context(a_curvature_that_grows_is_followed),
        test_with_context(the_order_is_four),
        test_with_context(output_and_batches_do_not_change_the_path),
        test_with_context(steps_are_counted),
        test_with_context(singular_starts_are_taken),
        test_with_context(refusals_have_a_reason),
        test_with_context(straight_lines_are_one_step),
        test_with_context(equal_curvatures_and_a_changed_state),
        test_with_context(what_ends_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
