/*
 * The losses in closed form: values, minima, stated constants, and the same bits for any batch size.
 *
 * Tolerances: values are compared to a few rounding errors of their largest term. Derivatives are compared with
 * differences in check_problem_test.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

static od_problem *create(od_context *ctx, const char *yaml)
{
    od_problem *f = od_problem_create(ctx, yaml);
    check_done(ctx, f != NULL);
    return f;
}

/* Value, gradient and Hessian-vector product of one point of at most 8 dimensions. */
static void evaluate(const od_problem *problem, const double *x, const double *u, double *f, double *g, double *hu)
{
    double ws[512];
    assert_true(od_scratch_size(&problem->scratch, 1) <= 512);
    assert_int_equal(problem->eval(problem, OD_VALUE | OD_GRADIENT, 1, x, f, g, ws), OD_OK);
    assert_int_equal(problem->hvp(problem, 1, x, 1, u, hu, ws), OD_OK);
}

/* The stated minimiser: its value is the stated minimum and its gradient is zero. */
static void check_minimum(const od_problem *problem, double value, double tolerance)
{
    double f, g[8], hu[8], u[8] = {0};
    assert_non_null(problem->minimiser);
    assert_non_null(problem->minimiser_how);
    evaluate(problem, problem->minimiser, u, &f, g, hu);
    check_close(f, value, tolerance);
    for (size_t i = 0; i < problem->dim; i++) {
        check_close(g[i], 0, 40 * tolerance);
    }
}

static void power_in_closed_form(void **state)
{
    od_context *ctx = *state;
    const double x[3] = {-2.385, 0.7, 1.31}, u[3] = {0.9, -1.7, 2.3};
    double f, g[3], hu[3];
    od_problem *quartic = create(ctx, "{name: power, p: 4, c: 1.7, dim: 3}");
    evaluate(quartic, x, u, &f, g, hu);
    /* 1.7 (32.356... + 0.2401 + 2.9450...), written out as products */
    check_relative(f, 1.7 * (2.385 * 2.385 * 2.385 * 2.385 + 0.2401 + 1.31 * 1.31 * 1.31 * 1.31), 1e-15);
    check_relative(g[0], -1.7 * 4 * 2.385 * 2.385 * 2.385, 1e-15);
    check_relative(g[1], 1.7 * 4 * 0.343, 1e-15);
    check_relative(hu[2], 1.7 * 12 * 1.31 * 1.31 * 2.3, 1e-15);
    check_minimum(quartic, 0, 0);
    assert_true(isnan(quartic->lipschitz.value));
    check_close(quartic->convexity.value, 0, 0);
    od_problem_free(quartic);

    od_problem *sharp = create(ctx, "{name: power, p: 1.5, c: 2, dim: 3}");
    const double y[3] = {-2.25, 0, 6.25}, along[3] = {1, 0, 3};
    evaluate(sharp, y, along, &f, g, hu);
    check_relative(f, 2 * (3.375 + 15.625), 1e-15);
    check_relative(g[0], -2 * 1.5 * 1.5, 1e-15);
    check_close(g[1], 0, 0);
    check_relative(hu[0], 2 * 1.5 * 0.5 / 1.5, 1e-15);
    check_close(hu[1], 0, 0); /* the direction does not enter the infinite curvature */
    check_relative(hu[2], 2 * 1.5 * 0.5 / 2.5 * 3, 1e-15);
    const double into[3] = {0, 1, 0};
    evaluate(sharp, y, into, &f, g, hu);
    assert_true(isinf(hu[1]) && hu[1] > 0);
    od_problem_free(sharp);

    od_problem *kink = create(ctx, "{name: power, p: 1, dim: 3}");
    const double z[3] = {-2.385, 0, 1.31};
    evaluate(kink, z, u, &f, g, hu);
    check_relative(f, 3.695, 1e-15);
    assert_true(g[0] == -1 && g[1] == 0 && g[2] == 1);
    assert_true(hu[0] == 0 && hu[1] == 0 && hu[2] == 0);
    od_problem_free(kink);

    od_problem *square = create(ctx, "{name: power, p: 2, c: 0.35, dim: 2}");
    check_close(square->lipschitz.value, 0.7, 0);
    check_close(square->convexity.value, 0.7, 0);
    od_problem_free(square);
}

/* The two ways to raise to a power must agree: multiplication at a whole exponent, pow just beside it. */
static void whole_powers_meet_the_others(void **state)
{
    od_context *ctx = *state;
    const char *whole[] = {"{name: power, p: 3}", "{name: power, p: 5}", "{name: power, p: 64}"};
    const char *beside[] = {"{name: power, p: 3.000000000001}", "{name: power, p: 5.000000000001}",
                            "{name: power, p: 64.000000000001}"};
    const double x = 1.2385, u = 0.3;
    for (size_t i = 0; i < 3; i++) {
        double f[2], g[2], hu[2];
        od_problem *a = create(ctx, whole[i]), *b = create(ctx, beside[i]);
        evaluate(a, &x, &u, &f[0], &g[0], &hu[0]);
        evaluate(b, &x, &u, &f[1], &g[1], &hu[1]);
        check_relative(f[0], f[1], 1e-11); /* d/dp |x|^p = |x|^p ln x, times the 1e-12 between them */
        check_relative(g[0], g[1], 1e-11);
        check_relative(hu[0], hu[1], 1e-11);
        od_problem_free(a);
        od_problem_free(b);
    }
}

static void rosenbrock_in_closed_form(void **state)
{
    od_context *ctx = *state;
    const double x[2] = {-1.2, 1}, u[2] = {2.385, -0.7};
    double f, g[8], hu[8];
    od_problem *q = create(ctx, "{name: rosenbrock}");
    evaluate(q, x, u, &f, g, hu);
    /* the classical start: f = 24.2, gradient (-215.6, -88), Hessian [[1330, 480], [480, 200]] */
    check_relative(f, 24.2, 1e-14);
    check_relative(g[0], -215.6, 1e-14);
    check_relative(g[1], -88.0, 1e-14);
    check_relative(hu[0], 1330 * 2.385 - 480 * 0.7, 1e-14);
    check_relative(hu[1], 480 * 2.385 - 200 * 0.7, 1e-14);
    check_minimum(q, 0, 0);
    assert_true(isnan(q->lipschitz.value) && isnan(q->convexity.value));
    od_problem_free(q);

    od_problem *wide = create(ctx, "{name: rosenbrock, a: 1.5, b: 7}");
    check_close(wide->minimiser[0], 1.5, 0);
    check_close(wide->minimiser[1], 2.25, 0);
    check_minimum(wide, 0, 0);
    od_problem_free(wide);

    od_problem *chain = create(ctx, "{name: rosenbrock, dim: 5}");
    check_minimum(chain, 0, 0);
    od_problem_free(chain);
    od_problem *unknown = create(ctx, "{name: rosenbrock, dim: 5, a: 1.5}");
    assert_null(unknown->minimiser);
    assert_true(isnan(unknown->minimum.value));
    od_problem_free(unknown);
}

/* Oracles hosaki/global_min, hosaki/local_min, hosaki/saddle: exact evaluation. */
static void hosaki_matches_the_oracle(void **state)
{
    od_context *ctx = *state;
    od_problem *q = create(ctx, "hosaki");
    const double at[3] = {4, 1, 2};
    const double value[3] = {-2.3458115761012865, -1.1277940269717723, -0.902235221577418};
    const double xx[3] = {3.2480467976787044, 1.6240233988393522, -1.0826822658929016};
    const double yy[3] = {1.1729057880506433, 0.5638970134858862, 0.451117610788709};
    for (size_t i = 0; i < 3; i++) {
        const double x[2] = {at[i], 2}, u[2] = {1, 1};
        double f, g[2], hu[2];
        evaluate(q, x, u, &f, g, hu);
        check_relative(f, value[i], 1e-13);
        check_close(g[0], 0, 1e-14);
        check_close(g[1], 0, 1e-14);
        check_relative(hu[0], xx[i], 1e-13);
        check_relative(hu[1], yy[i], 1e-13);
    }
    /* off the critical points: P(3) = 1 - 24 + 63 - 63 + 81/4 = -11/4, P' = -2, P'' = -1; e^y E = E' = 1, E'' = -1 */
    const double x[2] = {3, 1}, u[2] = {2.385, -0.7}, e = exp(-1);
    double f, g[2], hu[2];
    evaluate(q, x, u, &f, g, hu);
    check_relative(f, -2.75 * e, 1e-14);
    check_relative(g[0], -2 * e, 1e-14);
    check_relative(g[1], -2.75 * e, 1e-14);
    check_relative(hu[0], (-1 * 2.385 + 2 * 0.7) * e, 1e-14);
    check_relative(hu[1], (-2 * 2.385 + 2.75 * -0.7) * e, 1e-14);
    assert_true(isinf(q->minimum.value) && q->minimum.value < 0);
    assert_true(isnan(q->lipschitz.value));
    check_minimum(q, -2.3458115761012865, 1e-14);
    od_problem_free(q);
}

static void styblinski_tang_in_closed_form(void **state)
{
    od_context *ctx = *state;
    od_problem *q = create(ctx, "{name: styblinski-tang, dim: 3}");
    check_close(q->minimum.value, 3 * -39.16616570377142, 1e-13);
    check_minimum(q, 3 * -39.16616570377142, 1e-13);
    const double x[3] = {0.156731257, 2.746802771, 1.5}, u[3] = {1, 1, 2.385};
    double f, g[3], hu[3];
    evaluate(q, x, u, &f, g, hu);
    /* critical points of one coordinate, to the ten digits they are printed with: value, slope 0, curvature */
    check_close(f, 0.195612359 - 25.029446655 + 0.5 * (5.0625 - 36 + 7.5), 2e-9);
    check_close(g[0], 0, 1e-7);
    check_close(g[1], 0, 1e-7);
    check_relative(g[2], 2 * 3.375 - 24 + 2.5, 1e-14);
    check_close(hu[0], -15.8526, 5e-5);
    check_close(hu[1], 29.2696, 5e-5);
    check_relative(hu[2], (6 * 2.25 - 16) * 2.385, 1e-14);
    check_close(q->convexity.value, -16, 0);
    od_problem_free(q);
}

static void constant_gradient_in_closed_form(void **state)
{
    od_context *ctx = *state;
    od_problem *q = create(ctx, "{name: constant-gradient, gradient: [1.7, -2.385, 0.25]}");
    const double x[3] = {0.3, 0.7, -2}, u[3] = {1, 2, 3};
    double f, g[3], hu[3];
    evaluate(q, x, u, &f, g, hu);
    check_relative(f, 0.51 - 1.6695 - 0.5, 1e-14);
    assert_true(g[0] == 1.7 && g[1] == -2.385 && g[2] == 0.25);
    assert_true(hu[0] == 0 && hu[1] == 0 && hu[2] == 0);
    assert_true(q->lipschitz.value == 0 && q->convexity.value == 0);
    assert_true(isinf(q->minimum.value) && q->minimiser == NULL);
    od_problem_free(q);
}

/* Each path alone and in blocks of several sizes: values, gradients and products have the same bits. */
static void blocks_do_not_change_the_bits(void **state)
{
    od_context *ctx = *state;
    const char *yaml[] = {"{name: quadratic, eigenvalues: [4, 1, 0.3], rotation: 5}",
                          "{name: power, p: 4, dim: 3}",
                          "{name: power, p: 2.385, dim: 3}",
                          "{name: rosenbrock, dim: 3}",
                          "hosaki",
                          "{name: styblinski-tang, dim: 3}",
                          "{name: constant-gradient, gradient: [1, 2, 3]}"};
    enum { PATHS = 128, DIM = 3, M = 2 };
    for (size_t which = 0; which < sizeof yaml / sizeof *yaml; which++) {
        od_problem *q = create(ctx, yaml[which]);
        const size_t d = q->dim;
        static double x[DIM * PATHS], u[M * DIM * PATHS], f[PATHS], g[DIM * PATHS], hu[M * DIM * PATHS];
        double *ws = calloc(od_scratch_size(&q->scratch, PATHS) + 1, sizeof *ws);
        const size_t sizes[] = {1, 3, 7, 64, PATHS};
        double f1[PATHS], g1[DIM * PATHS], hu1[M * DIM * PATHS]; /* path-major, from blocks of one */
        for (size_t s = 0; s < 5; s++) {
            for (size_t first = 0; first < PATHS; first += sizes[s]) {
                const size_t n = first + sizes[s] <= PATHS ? sizes[s] : PATHS - first;
                for (size_t k = 0; k < n; k++) {
                    for (size_t i = 0; i < d; i++) {
                        x[i * n + k] = 2 * od_normal(1, OD_STREAM_CHECK, first + k, i, 0);
                    }
                    for (size_t i = 0; i < M * d; i++) {
                        u[i * n + k] = od_normal(2, OD_STREAM_CHECK, first + k, i, 0);
                    }
                }
                assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, n, x, f, g, ws), OD_OK);
                assert_int_equal(q->hvp(q, n, x, M, u, hu, ws), OD_OK);
                for (size_t k = 0; k < n; k++) {
                    const size_t p = first + k;
                    if (s == 0) {
                        f1[p] = f[k];
                    }
                    assert_memory_equal(&f[k], &f1[p], sizeof(double));
                    for (size_t i = 0; i < d; i++) {
                        if (s == 0) {
                            g1[p * d + i] = g[i * n + k];
                        }
                        assert_memory_equal(&g[i * n + k], &g1[p * d + i], sizeof(double));
                    }
                    for (size_t i = 0; i < M * d; i++) {
                        if (s == 0) {
                            hu1[p * M * d + i] = hu[i * n + k];
                        }
                        assert_memory_equal(&hu[i * n + k], &hu1[p * M * d + i], sizeof(double));
                    }
                }
            }
        }
        free(ws);
        od_problem_free(q);
    }
}

static void bad_parameters_are_named(void **state)
{
    od_context *ctx = *state;
    assert_null(od_problem_create(ctx, "power"));
    assert_string_equal(od_message_entry(ctx), "problem.p");
    assert_null(od_problem_create(ctx, "{name: power, p: 0.5}"));
    check_message(ctx, "at least 1");
    assert_null(od_problem_create(ctx, "{name: power, p: 2, c: 0}"));
    check_message(ctx, "greater than 0");
    assert_null(od_problem_create(ctx, "{name: rosenbrock, dim: 1}"));
    check_message(ctx, "at least 2");
    assert_null(od_problem_create(ctx, "{name: styblinski-tang, dim: 2.5}"));
    assert_string_equal(od_message_entry(ctx), "problem.dim");
    assert_null(od_problem_create(ctx, "constant-gradient"));
    assert_string_equal(od_message_entry(ctx), "problem.gradient");
    assert_null(od_problem_create(ctx, "{name: rosenbrok}"));
    check_message(ctx, "did you mean 'rosenbrock'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(power_in_closed_form),           test_with_context(whole_powers_meet_the_others),
        test_with_context(rosenbrock_in_closed_form),      test_with_context(hosaki_matches_the_oracle),
        test_with_context(styblinski_tang_in_closed_form), test_with_context(constant_gradient_in_closed_form),
        test_with_context(blocks_do_not_change_the_bits),  test_with_context(bad_parameters_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
