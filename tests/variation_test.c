/*
 * Integrals with errors that hold, and the second variation against the closed forms of hats and sines.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/variation.h"

typedef double function(double t);

static double runge(double t)
{
    return 1 / (1 + 400 * t * t);
}

static double kink(double t)
{
    return fabs(t - 0.123456789);
}

static double root(double t)
{
    return sqrt(t + 1);
}

static double wave(double t)
{
    return sin(173.1 * t) * exp(t);
}

static double steep(double t)
{
    return exp(40 * t);
}

static od_status call(void *user, double t, double *y, double *size)
{
    function *const *f = user;
    y[0] = (*f)(t);
    size[0] = fabs(y[0]);
    return OD_OK;
}

/* Known integrals over [-1, 1] in three panels that know nothing of where the trouble is. */
static void the_error_covers_the_true_one(void **state)
{
    const double c = 0.123456789, w = 173.1;
    const struct {
        function *f;
        double want;
    } cases[] = {{runge, atan(20.0) / 10},
                 {kink, ((1 + c) * (1 + c) + (1 - c) * (1 - c)) / 2},
                 {root, 4 * sqrt(2.0) / 3},
                 {wave, (exp(1.0) * (sin(w) - w * cos(w)) - exp(-1.0) * (sin(-w) - w * cos(-w))) / (1 + w * w)},
                 {steep, (exp(40.0) - exp(-40.0)) / 40}};
    const double edge[4] = {-1, -0.37, 0.51, 1};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        function *f = cases[k].f;
        od_integral x;
        assert_true(od_integrate(*state, edge, 3, 1, call, &f, &x) == OD_OK);
        check_close(x.value, cases[k].want, x.error);
        assert_true(x.error <= 1e-9 * x.size); /* and is no empty promise */
    }
}

/* A step function: the error that is left is stated. */
static od_status starved(void *user, double t, double *y, double *size)
{
    (void)user;
    y[0] = t > 0.3 ? 1 : 0;
    size[0] = 1;
    return OD_OK;
}

static void a_jump_keeps_an_error(void **state)
{
    const double edge[2] = {0, 1};
    od_integral x;
    assert_true(od_integrate(*state, edge, 1, 1, starved, NULL, &x) == OD_OK);
    check_close(x.value, 0.7, x.error);
}

/* Counts its calls and asks to stop at the third. */
typedef struct stopper {
    od_context *ctx;
    int calls;
} stopper;

static od_status stop_soon(void *user, double t, double *y, double *size)
{
    stopper *s = user;
    y[0] = size[0] = t;
    if (++s->calls == 3) {
        od_cancel(s->ctx);
    }
    return OD_OK;
}

static void an_integral_is_interrupted(void **state)
{
    (void)state;
    const double edge[3] = {0, 1, 2};
    od_integral x;
    stopper s = {.ctx = od_context_create()};
    assert_non_null(s.ctx);
    assert_int_equal(od_integrate(s.ctx, edge, 2, 1, stop_soon, &s, &x), OD_EINTERRUPTED);
    assert_true(s.calls <= 10); /* no more than the panel under way */
    od_context_free(s.ctx);
}

/* Height 1, half-width eps at c, beta = 1, damping 3/t: -c (3 eps^4/10 + (c^2 - 3) eps^2 - 3 c^2)/(3 eps), which
 * changes its sign at eps^2 = (15 - 5 u + sqrt(25 u^2 - 60 u + 225))/3, u = c^2. */
static void hats_have_their_closed_form(void **state)
{
    od_context *ctx = *state;
    od_experiment *e = od_experiment_parse(ctx,
                                           "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: nesterov}, "
                                           "integrator: {name: exact}, start: {x: [1]}, until: 20}",
                                           NULL);
    check_done(ctx, e != NULL);
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], 20, 1e-13, &path) == OD_OK);
    const od_curve curve = {.d = 1, .path = path};
    const double one = 1, centre[3] = {4.385, 7, 10}, width[3] = {0.3, 1.9, 3.7};
    od_action a;
    check_done(ctx, od_action_open(ctx, &e->member[0], &curve, 0, 20, &a) == OD_OK);
    for (size_t k = 0; k < 9; k++) {
        const double c = centre[k / 3], eps = width[k % 3], s = 0.7;
        const od_displacement h = {.kind = OD_HAT, .centre = c, .width = eps, .direction = &one};
        od_variations v;
        check_done(ctx, od_action_variations(ctx, &a, &h, s, &v) == OD_OK);
        const double want = -s * s * c * (3 * pow(eps, 4) / 10 + (c * c - 3) * eps * eps - 3 * c * c) / (3 * eps);
        check_close(v.second.value, want, v.second.error);
        check_relative(v.difference.value, want, 1e-11);
    }
    const double u = 100.0, zero = sqrt((15 - 5 * u + sqrt(25 * u * u - 60 * u + 225)) / 3);
    const od_displacement level = {.kind = OD_HAT, .centre = 10, .width = zero, .direction = &one};
    od_variations v;
    check_done(ctx, od_action_variations(ctx, &a, &level, 1, &v) == OD_OK);
    check_close(zero * zero, 3.06375284081565, 1e-13);
    check_close(v.second.value, 0.0, v.second.error + 1e-10);
    od_action_close(&a);
    od_trajectory_free(path);
    od_experiment_free(e);
}

/* Constant damping: sigma^2 e^{alpha t1} (e^{alpha T} - 1)/(2 alpha) w^2 (2 w^2 + alpha^2 - 2 beta)/(alpha^2 + 4 w^2),
 * in any direction of an isotropic loss, and half of each eigenvalue's in a direction between two. */
static void sines_have_their_closed_form(void **state)
{
    od_context *ctx = *state;
    const double alpha = 0.7, t1 = 0.4, t2 = 5.385, length = t2 - t1, beta[2] = {2.3, 0.4};
    od_experiment *e = od_experiment_parse(ctx,
                                           "{problem: {name: quadratic, eigenvalues: [2.3, 0.4]}, method: {name: "
                                           "heavy-ball, alpha: 0.7}, integrator: {name: exact}, start: {x: [1, -2]}, "
                                           "until: 5.385}",
                                           NULL);
    check_done(ctx, e != NULL);
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], t2, 1e-13, &path) == OD_OK);
    const od_curve curve = {.d = 2, .path = path};
    const double direction[2] = {sqrt(0.5), sqrt(0.5)};
    od_action a;
    check_done(ctx, od_action_open(ctx, &e->member[0], &curve, t1, t2, &a) == OD_OK);
    for (int k = 1; k <= 7; k++) {
        const od_displacement h = {.kind = OD_SINE, .number = k, .direction = direction};
        const double w = k * 3.14159265358979323846 / length, sigma = 1.3;
        od_variations v;
        check_done(ctx, od_action_variations(ctx, &a, &h, sigma, &v) == OD_OK);
        double want = 0;
        for (int i = 0; i < 2; i++) {
            want += sigma * sigma * exp(alpha * t1) * expm1(alpha * length) / (2 * alpha) * w * w *
                    (2 * w * w + alpha * alpha - 2 * beta[i]) / (alpha * alpha + 4 * w * w) / 2;
        }
        check_relative(v.second.value, want, 1e-12);
        check_close(v.first.value, 0.0, 1e-11);
        check_relative(v.difference.value, want, 1e-11);
    }
    od_action_close(&a);
    od_trajectory_free(path);
    od_experiment_free(e);
}

static od_flow *tabled(od_context *ctx, const od_problem *f, size_t rows, double begin, double end, function *a,
                       function *b)
{
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "{name: lagrangian, weights: [");
    for (size_t i = 0; i < rows; i++) {
        /* not equally far apart */
        const double u = (double)i / (double)(rows - 1),
                     t = begin + (end - begin) * (u + 0.1 * sin(6 * u) * u * (1 - u));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s[%.17g, %.17g, %.17g]", i > 0 ? ", " : "", t,
                                 exp(a(t)), exp(b(t)));
    }
    snprintf(text + used, sizeof text - used, "]}");
    od_flow *flow = od_flow_create(ctx, text, f);
    check_done(ctx, flow != NULL);
    return flow;
}

static double line(double t)
{
    return 0.7 * t - 2;
}

static double parabola(double t)
{
    return 0.1 * t * t - 1.385 * t;
}

static double slow(double t)
{
    return sin(t);
}

/* A spline reproduces lines and, with end slopes of parabolas, parabolas; of sin t its error falls as the fourth power.
 */
static void weights_from_a_table_are_splines(void **state)
{
    od_problem *f = od_problem_create(*state, "{name: quadratic, eigenvalues: [1]}");
    check_done(*state, f != NULL);
    od_flow *flow = tabled(*state, f, 7, 0.5, 6, line, parabola);
    for (double t = 0.5; t <= 6; t += 0.1) {
        double a[2], b[2];
        flow->lagrangian(flow, t, a, b);
        check_close(a[0], line(t), 1e-14);
        check_close(a[1], 0.7, 1e-14);
        check_close(b[0], parabola(t), 1e-13);
        check_close(b[1], 0.2 * t - 1.385, 1e-13);
    }
    double outside[2], unused[2];
    flow->lagrangian(flow, 8, outside, unused);
    check_close(outside[0], line(8), 1e-13);
    flow->lagrangian(flow, 8, unused, outside);
    check_close(outside[0], parabola(6) + 2 * (0.2 * 6 - 1.385), 1e-13);
    od_flow_free(flow);
    double error[2] = {0, 0};
    for (size_t k = 0; k < 2; k++) {
        flow = tabled(*state, f, k == 0 ? 41 : 81, 0.5, 6, slow, line);
        for (double t = 2; t <= 5; t += 0.01) { /* away from the ends, whose slopes are known to second order */
            double a[2], b[2];
            flow->lagrangian(flow, t, a, b);
            error[k] = fmax(error[k], fabs(a[0] - sin(t)));
        }
        od_flow_free(flow);
    }
    assert_true(error[0] > 12 * error[1] && error[1] < 1e-7);
    od_problem_free(f);
}

/* Tables of e^{alpha t} make heavy ball, to the rounding of exp and ln. */
static void a_table_of_exponentials_is_heavy_ball(void **state)
{
    static const char *const methods[2] = {
        "heavy-ball, alpha: 0.5",
        "lagrangian, weights: [[0, 1, 1], [3, 4.4816890703380645, 4.4816890703380645], [7, 33.115451958692312, "
        "33.115451958692312]]"};
    double value[2];
    for (size_t k = 0; k < 2; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: {name: hosaki}, method: {name: %s}, integrator: {name: rk4, step: 0.1}, start: {x: [2.05, "
                 "3.2]}, until: 7}",
                 methods[k]);
        od_experiment *e = od_experiment_parse(*state, text, NULL);
        check_done(*state, e != NULL);
        od_trajectory *path;
        check_done(*state, od_trajectory_create(*state, &e->member[0], 7, 1e-13, &path) == OD_OK);
        const od_curve curve = {.d = 2, .path = path};
        od_action a;
        od_integral x;
        check_done(*state, od_action_open(*state, &e->member[0], &curve, 0, 7, &a) == OD_OK);
        check_done(*state, od_action_value(*state, &a, &x) == OD_OK);
        value[k] = x.value;
        od_action_close(&a);
        od_trajectory_free(path);
        od_experiment_free(e);
    }
    check_relative(value[1], value[0], 1e-10);
}

static void tables_that_are_none_are_refused(void **state)
{
    static const char *const wrong[][2] = {{"[[0, 1, 1]]", "at least two rows"},
                                           {"[[0, 1], [1, 2]]", "at least two rows"},
                                           {"[[0, 1, 1], [0, 2, 2]]", "row 2 is [0, 2, 2]"},
                                           {"[[0, 1, 1], [1, 0, 2]]", "weights be positive"},
                                           {"[[0, 1, 1], [1, 1, -2]]", "weights be positive"}};
    od_problem *f = od_problem_create(*state, "{name: quadratic, eigenvalues: [1]}");
    check_done(*state, f != NULL);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        char text[128];
        snprintf(text, sizeof text, "{name: lagrangian, weights: %s}", wrong[k][0]);
        assert_null(od_flow_create(*state, text, f));
        check_message(*state, wrong[k][1]);
    }
    od_problem_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(the_error_covers_the_true_one),
        test_with_context(a_jump_keeps_an_error),
        test_with_context(an_integral_is_interrupted),
        test_with_context(an_integral_is_interrupted),
        test_with_context(hats_have_their_closed_form),
        test_with_context(weights_from_a_table_are_splines),
        test_with_context(a_table_of_exponentials_is_heavy_ball),
        test_with_context(tables_that_are_none_are_refused),
        test_with_context(sines_have_their_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
