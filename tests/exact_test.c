/*
 * Closed forms against reference values, against rk4, and against themselves (semigroup property).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"
#include "references.h"

static double *scratch(const od_flow *flow, size_t n)
{
    return calloc(od_scratch_size(&flow->scratch, n) + 1, sizeof(double));
}

static void closed_forms_match_references(void **state)
{
    od_context *ctx = *state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        const reference *r = &references[i];
        char yaml[80];
        snprintf(yaml, sizeof yaml, "{name: quadratic, eigenvalues: [%.17g]}", r->lambda);
        od_problem *f = od_problem_create(ctx, yaml);
        check_done(ctx, f != NULL);
        od_flow *flow = od_flow_create(ctx, r->method, f);
        check_done(ctx, flow != NULL && flow->exact != NULL);
        double *ws = scratch(flow, 1);
        for (size_t j = 0; j < r->count; j++) {
            const double z0[2] = {r->x0, r->v0};
            double z[2] = {NAN, NAN};
            assert_int_equal(flow->exact(flow, 0, 1, z0, r->t[j], z, ws), OD_OK);
            print_message("# %s at t = %g\n", r->id, r->t[j]);
            if (isnan(r->v[j])) {
                /* amplitude 1 at the start; reference accuracy */
                check_close(z[0], r->x[j], strncmp(r->id, "mg-ode-exp", 10) == 0 ? 1e-12 : 1e-13);
                continue;
            }
            /* relative to the size of the oscillation, since x or v may be near a zero; its frequency is at most
             * sqrt(lambda) or, for memory p/t, sqrt(p lambda/t), below 2 sqrt(lambda) where the values were taken */
            const double size = fabs(r->x[j]) + fabs(r->v[j]) * (1 + 1 / sqrt(r->lambda));
            check_close(z[0], r->x[j], 2e-13 * size);
            check_close(z[1], r->v[j], 2e-13 * size * (1 + sqrt(r->lambda)));
        }
        free(ws);
        od_flow_free(flow);
        od_problem_free(f);
    }
}

/* Every method that has a closed form, with odd parameters; `from` is its earliest start. */
static const struct variant {
    const char *yaml;
    double from;
} variants[] = {
    {"gradient", 0},
    {"{name: gradient, flow: modified, step: 0.137}", 0},
    {"amplified-gradient", 0},
    {"{name: heavy-ball, alpha: 0.785}", 0},
    {"{name: heavy-ball, alpha: 5.43}", 0},
    {"{name: heavy-ball, alpha: 0}", 0},
    {"{name: nesterov-strongly-convex, mu: 0.213}", 0},
    {"nesterov", 0},
    {"{name: nesterov, r: 1}", 0},
    {"{name: nesterov, r: 0.385}", 0},
    {"{name: nesterov, r: 2}", 0},
    {"{name: nesterov, r: 6.77}", 0},
    {"{name: memory, forgetting: constant}", 0},
    {"{name: memory, forgetting: square-root}", 0},
    {"{name: memory, forgetting: linear}", 0},
    {"{name: memory, forgetting: quadratic}", 0},
    {"{name: memory, forgetting: polynomial, p: 2.385}", 0},
    {"{name: memory, forgetting: polynomial, p: 0.7}", 0},
    {"{name: memory, forgetting: exponential, alpha: 0.385}", 0},
    {"{name: memory, forgetting: exponential, alpha: 6.7}", 0},
    {"{name: memory, forgetting: instantaneous}", 0},
    {"bregman", 0},
    {"{name: bregman, p: 2.5}", 0},
    {"{name: bregman, p: 3, C: 0.385}", 0},
    {"{name: bregman, p: 4}", 0},
    {"{name: bregman, p: 1, C: 1.37}", 0},
    {"{name: bregman, p: 1.3}", 0.3},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* Curvatures of every sign, two of them close to each other, turned and moved away from the origin. */
static const char *const problem_yaml =
    "{name: quadratic, eigenvalues: [2.385, 0.713, 0, -0.37], rotation: 5, centre: [0.3, -1.7, 0.9, 2.1]}";
enum { DIM = 4, PATHS = 3 };

/* Different data on every path; from a singular start the regular values. */
static void start(const od_flow *flow, double t0, size_t n, double *z, double *ws)
{
    for (size_t i = 0; i < flow->dim * n; i++) {
        z[i] = od_normal(2385, OD_STREAM_CHECK, i % n, i / n, 0);
    }
    if (t0 == 0 && flow->singular) {
        assert_int_equal(flow->rest(flow, t0, n, z, ws), OD_OK);
    }
}

/* rk4 with h = 1/1024 from t0 to t0 + 2: its error is of order h^4 = 1e-12 times constants up to 1e2 (the coefficients'
 * derivatives), and up to 1e4 in the first steps from a singular start. */
static void closed_forms_match_rk4(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, problem_yaml);
    check_done(ctx, f != NULL);
    for (size_t i = 0; i < 2 * VARIANTS; i++) {
        const struct variant *v = &variants[i / 2];
        const double t0 = i % 2 == 0 ? v->from : 0.7;
        enum { STEPS = 2048 };
        od_flow *flow = od_flow_create(ctx, v->yaml, f);
        check_done(ctx, flow != NULL && flow->exact != NULL);
        double z0[2 * DIM * PATHS], z[2 * DIM * PATHS], y[2 * DIM * PATHS], *ws = scratch(flow, PATHS);
        start(flow, t0, PATHS, z0, ws);
        memcpy(y, z0, sizeof y);
        od_stepper *rk4 = od_stepper_create(ctx, "{name: rk4, step: 0.0009765625}", flow, t0, PATHS, z0);
        check_done(ctx, rk4 != NULL);
        for (int k = 0; k < STEPS; k++) {
            check_done(ctx,
                       od_stepper_advance(ctx, rk4, t0 + k / 1024.0, t0 + (k + 1) / 1024.0, PATHS, y, NULL) == OD_OK);
        }
        assert_int_equal(flow->exact(flow, t0, PATHS, z0, t0 + 2, z, ws), OD_OK);
        print_message("# %s from %g\n", v->yaml, t0);
        for (size_t j = 0; j < flow->dim * PATHS; j++) {
            check_close(y[j], z[j], t0 == 0 ? 1e-8 : 1e-9);
        }
        od_stepper_free(rk4);
        free(ws);
        od_flow_free(flow);
    }
    od_problem_free(f);
}

/* exact(t0 -> t2) = exact(t1 -> t2) after exact(t0 -> t1), to the accuracy of each: 1e-13 of the solution's size, which
 * is that of its largest component (the concave direction grows). */
static void closed_forms_compose(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, problem_yaml);
    check_done(ctx, f != NULL);
    static const double times[][3] = {{0, 1.1, 2.9},       {0, 0.013, 0.7},     {0.3, 0.300001, 4.9},
                                      {0.7, 1.9, 1.90003}, {2.3, 11.7, 15.385}, {0.001, 0.02, 1.37}};
    for (size_t i = 0; i < VARIANTS; i++) {
        for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
            const double t0 = fmax(times[k][0], times[k][0] == 0 ? variants[i].from : 0);
            od_flow *flow = od_flow_create(ctx, variants[i].yaml, f);
            check_done(ctx, flow != NULL);
            double z0[2 * DIM * PATHS], whole[2 * DIM * PATHS], first[2 * DIM * PATHS], second[2 * DIM * PATHS];
            double *ws = scratch(flow, PATHS), size = 0;
            if (t0 > times[k][1]) {
                free(ws);
                od_flow_free(flow);
                continue;
            }
            start(flow, t0, PATHS, z0, ws);
            assert_int_equal(flow->exact(flow, t0, PATHS, z0, times[k][2], whole, ws), OD_OK);
            assert_int_equal(flow->exact(flow, t0, PATHS, z0, times[k][1], first, ws), OD_OK);
            assert_int_equal(flow->exact(flow, times[k][1], PATHS, first, times[k][2], second, ws), OD_OK);
            for (size_t j = 0; j < flow->dim * PATHS; j++) {
                size = fmax(size, fabs(whole[j]));
                size = fmax(size, fabs(first[j]));
            }
            print_message("# %s: %g, %g, %g\n", variants[i].yaml, t0, times[k][1], times[k][2]);
            for (size_t j = 0; j < flow->dim * PATHS; j++) {
                check_close(second[j], whole[j], 1e-13 * size);
            }
            free(ws);
            od_flow_free(flow);
        }
    }
    od_problem_free(f);
}

/* The exact solution at the start is the start, also at a singular one. */
static void closed_forms_start_at_the_start(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, problem_yaml);
    check_done(ctx, f != NULL);
    for (size_t i = 0; i < 2 * VARIANTS; i++) {
        const double t0 = i % 2 == 0 ? 0 : 0.7;
        od_flow *flow = od_flow_create(ctx, variants[i / 2].yaml, f);
        check_done(ctx, flow != NULL);
        double z0[2 * DIM * PATHS], z[2 * DIM * PATHS], *ws = scratch(flow, PATHS);
        start(flow, t0, PATHS, z0, ws);
        assert_int_equal(flow->exact(flow, t0, PATHS, z0, t0, z, ws), OD_OK);
        print_message("# %s at %g\n", variants[i / 2].yaml, t0);
        for (size_t j = 0; j < flow->dim * PATHS; j++) {
            check_close(z[j], z0[j], 1e-14 * (1 + fabs(z0[j]))); /* two rotations of length 4 */
        }
        free(ws);
        od_flow_free(flow);
    }
    od_problem_free(f);
}

/* The time change t^{p/2} of the Bregman family: p < 2 from t = 0, where only the closed form starts. */
static void bregman_members_are_one_curve(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, problem_yaml);
    check_done(ctx, f != NULL);
    od_flow *two = od_flow_create(ctx, "{name: bregman, p: 2, C: 0.385}", f);
    check_done(ctx, two != NULL);
    double z0[2 * DIM], a[2 * DIM], b[2 * DIM], *ws = scratch(two, 1);
    start(two, 0, 1, z0, ws);
    for (double p = 0.6; p < 5; p += 0.7) {
        char yaml[64];
        snprintf(yaml, sizeof yaml, "{name: bregman, p: %.17g, C: 0.385}", p);
        od_flow *flow = od_flow_create(ctx, yaml, f);
        check_done(ctx, flow != NULL);
        assert_true((flow->start_refused != NULL) == (p < 2));
        const double t = 1.7, w = pow(t, p / 2);
        assert_int_equal(flow->exact(flow, 0, 1, z0, t, a, ws), OD_OK);
        assert_int_equal(two->exact(two, 0, 1, z0, w, b, ws), OD_OK);
        for (size_t i = 0; i < DIM; i++) {
            check_close(a[i], b[i], 1e-13);
            check_close(a[DIM + i], b[DIM + i] * p / 2 * w / t, 1e-13);
        }
        od_flow_free(flow);
    }
    free(ws);
    od_flow_free(two);
    od_problem_free(f);
}

/* A solution that decays is still there when cosh and e^{-alpha t/2} alone would overflow and underflow: alpha = 2,
 * lambda = -0.01 grows like e^{slow t}, slow = 0.01/(1 + sqrt(1.01)); at t = 800 the fast mode is gone. */
static void overdamped_solutions_neither_overflow_nor_vanish(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [-0.01]}");
    check_done(ctx, f != NULL);
    od_flow *flow = od_flow_create(ctx, "{name: heavy-ball, alpha: 2}", f);
    check_done(ctx, flow != NULL);
    const double z0[2] = {1, 0}, w = sqrt(1.01), slow = 0.01 / (1 + w);
    double z[2], *ws = scratch(flow, 1);
    assert_int_equal(flow->exact(flow, 0, 1, z0, 800, z, ws), OD_OK);
    check_relative(z[0], exp(slow * 800) * (1 + w) / (2 * w), 1e-13);
    check_relative(z[1], exp(slow * 800) * 0.01 / (2 * w), 1e-13);
    free(ws);
    od_flow_free(flow);
    od_problem_free(f);
}

static void missing_closed_forms_say_why(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, problem_yaml);
    check_done(ctx, f != NULL);
    static const char *const without[] = {"{name: memory, forgetting: decaying}",
                                          "{name: memory, forgetting: super-exponential, alpha: 1.5}"};
    for (size_t i = 0; i < 2; i++) {
        od_flow *flow = od_flow_create(ctx, without[i], f);
        check_done(ctx, flow != NULL);
        assert_null(flow->exact);
        const double z0[2 * DIM] = {0};
        assert_null(od_stepper_create(ctx, "exact", flow, 0, 1, z0));
        check_message(ctx, "none is known for decaying and super-exponential forgetting");
        od_flow_free(flow);
    }
    od_problem_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(closed_forms_match_references),
        test_with_context(closed_forms_match_rk4),
        test_with_context(closed_forms_compose),
        test_with_context(closed_forms_start_at_the_start),
        test_with_context(bregman_members_are_one_curve),
        test_with_context(overdamped_solutions_neither_overflow_nor_vanish),
        test_with_context(missing_closed_forms_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
