/*
 * CVODE: accuracy against closed forms, stiffness, blow-up, events, batches, refusals.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "integrators/cvode.h"

#include <gsl/gsl_sf_bessel.h>
#include <unistd.h>

enum { MAX_STATE = 64 };

/* ------------------------------------------------------------------------------------------------ helpers */

/* Runs `yaml` from t[0] through all `count` times; z[dim*n] ends at the last. Returns the evaluations. */
static uint64_t run(od_context *ctx, const char *yaml, const od_flow *flow, size_t count, const double *t, size_t n,
                    double *z)
{
    od_stepper *s = od_stepper_create(ctx, yaml, flow, t[0], n, z);
    check_done(ctx, s != NULL);
    for (size_t k = 1; k < count; k++) {
        check_done(ctx, od_stepper_advance(ctx, s, t[k - 1], t[k], n, z, NULL) == OD_OK);
    }
    const uint64_t evaluations = s->evaluations;
    od_stepper_free(s);
    return evaluations;
}

/* A flow x' = -(lambda_i) x_i of bare callbacks with a Jacobian, and a counter of both. */
typedef struct decay {
    double lambda[2];
    size_t products;
} decay;

static od_status decay_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    const decay *a = flow->data;
    for (size_t i = 0; i < 2; i++) {
        for (size_t p = 0; p < n; p++) {
            dz[i * n + p] = -a->lambda[i] * (z[i * n + p] - cos(t));
        }
    }
    return OD_OK;
}

static od_status decay_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u,
                           double *ju, double *ws)
{
    (void)t;
    (void)z;
    (void)ws;
    decay *a = (decay *)flow->data;
    a->products++;
    for (size_t k = 0; k < m * 2 * n; k++) {
        ju[k] = -a->lambda[k / n % 2] * u[k];
    }
    return OD_OK;
}

/* x' = lambda (cos t - x), x(0) = 0: x = lambda (lambda cos t + sin t - lambda e^{-lambda t}) / (1 + lambda^2) */
static double decay_exact(double lambda, double t)
{
    return lambda * (lambda * cos(t) + sin(t) - lambda * exp(-lambda * t)) / (1 + lambda * lambda);
}

static od_status square_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[p] * z[p];
    }
    return OD_OK;
}

static od_status fragile_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    const double *limit = flow->data;
    for (size_t p = 0; p < n; p++) {
        dz[p] = t > *limit ? NAN : 1 + z[p] * 0;
    }
    return OD_OK;
}

static od_status failing_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    const double *limit = flow->data;
    for (size_t p = 0; p < n; p++) {
        dz[p] = -z[p];
    }
    return t > *limit ? OD_EUSER : OD_OK;
}

static od_flow bare(size_t dim, od_status (*drift)(const od_flow *, double, size_t, const double *, double *, double *),
                    const void *data)
{
    return (od_flow){.name = "bare", .block_count = 1, .block = {{"x", dim}}, .dim = dim, .drift = drift, .data = data};
}

/* ------------------------------------------------------------------------------------------------ accuracy */

static const struct {
    const char *method;
    double t0; /* 0: the singular start of nesterov */
} smooth[] = {{"{name: gradient}", 0.3},
              {"{name: heavy-ball, alpha: 0.41}", -0.7},
              {"{name: nesterov}", 0},
              {"{name: nesterov, r: 0.5}", 0},
              {"{name: nesterov, r: 7.3}", 0}};

/*
 * Closed forms on a rotated quadratic, 5 paths, through 7 output times. CVODE controls the error of a step; over the
 * few hundred steps here the error at the end stays within 100 (rtol |z| + atol).
 */
static void agrees_with_closed_forms(void **state)
{
    od_context *ctx = *state;
    enum { N = 5, TIMES = 8 };
    const char *solver[] = {"{name: cvode}", "{name: cvode, family: bdf}", "{name: cvode, rtol: 1e-5, atol: 1e-7}",
                            "{name: cvode, rtol: 1e-11, atol: 1e-13}",
                            "{name: cvode, family: bdf, rtol: 1e-5, atol: 1e-7}"};
    const double tolerance[] = {1e-8, 1e-8, 1e-5, 1e-11, 1e-5};
    od_problem *f = od_problem_create(
        ctx, "{name: quadratic, eigenvalues: [2.385, 0.31, 0.9], rotation: 5, centre: [0.2, -0.4, 1.1]}");
    check_done(ctx, f != NULL);
    for (size_t k = 0; k < sizeof smooth / sizeof *smooth; k++) {
        od_flow *flow = od_flow_create(ctx, smooth[k].method, f);
        check_done(ctx, flow != NULL);
        for (size_t j = 0; j < sizeof solver / sizeof *solver; j++) {
            double t[TIMES], z[MAX_STATE] = {0}, want[MAX_STATE] = {0};
            for (size_t i = 0; i < TIMES; i++) {
                t[i] = smooth[k].t0 + (double)i * 0.77;
            }
            for (size_t i = 0; i < 3 * N; i++) {
                z[i] = want[i] = 1.7 * sin(1 + (double)i);
            }
            run(ctx, solver[j], flow, TIMES, t, N, z);
            run(ctx, "exact", flow, 2, (const double[]){t[0], t[TIMES - 1]}, N, want);
            for (size_t i = 0; i < flow->dim * N; i++) {
                check_close(z[i], want[i], 100 * tolerance[j]);
            }
        }
        od_flow_free(flow);
    }
    od_problem_free(f);
}

/* Backwards in time, and a caller who changes the state: the solver starts afresh from what it is given. */
static void follows_the_caller(void **state)
{
    od_context *ctx = *state;
    const decay data = {.lambda = {0.8, 1.3}};
    const od_flow flow = bare(2, decay_drift, &data);
    double z[2] = {0, 0};
    od_stepper *s = od_stepper_create(ctx, "cvode", &flow, 0, 1, z);
    check_done(ctx, s != NULL);
    check_done(ctx, od_stepper_advance(ctx, s, 0, 2.5, 1, z, NULL) == OD_OK);
    check_close(z[0], decay_exact(0.8, 2.5), 1e-6);
    check_done(ctx, od_stepper_advance(ctx, s, 2.5, 0.5, 1, z, NULL) == OD_OK);
    check_close(z[0], decay_exact(0.8, 0.5), 1e-6);
    check_close(z[1], decay_exact(1.3, 0.5), 1e-6);
    check_done(ctx, od_stepper_advance(ctx, s, 0.5, 0.5 + 1e-16, 1, z, NULL) == OD_OK);
    check_done(ctx, od_stepper_advance(ctx, s, 0.5, nextafter(0.5, 1), 1, z, NULL) == OD_OK);
    check_close(z[1], decay_exact(1.3, 0.5), 1e-6);
    z[0] = z[1] = 0;
    check_done(ctx, od_stepper_advance(ctx, s, 0, 1.5, 1, z, NULL) == OD_OK);
    check_close(z[0], decay_exact(0.8, 1.5), 1e-6);
    check_close(z[1], decay_exact(1.3, 1.5), 1e-6);
    z[0] = 2.385; /* the difference of two solutions decays like e^{-lambda t} */
    check_done(ctx, od_stepper_advance(ctx, s, 1.5, 2.5, 1, z, NULL) == OD_OK);
    check_close(z[0], decay_exact(0.8, 2.5) + (2.385 - decay_exact(0.8, 1.5)) * exp(-0.8), 1e-6);
    check_close(z[1], decay_exact(1.3, 2.5), 1e-6);
    od_stepper_free(s);
}

/* Eigenvalues 1e4 and 1: Adams must follow the fast one to the end, BDF need not. */
static void bdf_is_for_stiff_problems(void **state)
{
    od_context *ctx = *state;
    decay data = {.lambda = {1e4, 1}};
    od_flow flow = bare(2, decay_drift, &data);
    const double t[] = {0, 3};
    double adams[2] = {0}, quotients[2] = {0}, products[2] = {0};
    const uint64_t a = run(ctx, "{name: cvode, rtol: 1e-6}", &flow, 2, t, 1, adams);
    const uint64_t b = run(ctx, "{name: cvode, rtol: 1e-6, family: bdf}", &flow, 2, t, 1, quotients);
    assert_int_equal(data.products, 0);
    flow.jvp = decay_jvp;
    const uint64_t c = run(ctx, "{name: cvode, rtol: 1e-6, family: bdf}", &flow, 2, t, 1, products);
    assert_true(data.products > 0);
    print_message("# evaluations: adams %llu, bdf %llu, bdf with products %llu\n", (unsigned long long)a,
                  (unsigned long long)b, (unsigned long long)c);
    assert_true(10 * b < a);
    assert_true(10 * c < a);
    assert_true(c > data.products && c - data.products < b); /* a product counts like a drift, and stands for one */
    for (size_t i = 0; i < 2; i++) {
        check_close(adams[i], decay_exact(data.lambda[i], 3), 1e-4);
        check_close(quotients[i], decay_exact(data.lambda[i], 3), 1e-4);
        check_close(products[i], decay_exact(data.lambda[i], 3), 1e-4);
    }
}

/* Output times inside the steps are interpolated: they cost nothing and keep the accuracy. */
static void many_output_times_cost_nothing(void **state)
{
    od_context *ctx = *state;
    enum { TIMES = 2001 };
    static double t[TIMES];
    for (size_t i = 0; i < TIMES; i++) {
        t[i] = (double)i * 0.005;
    }
    const decay data = {.lambda = {0.8, 1.3}};
    const od_flow flow = bare(2, decay_drift, &data);
    double once[2] = {0}, often[2] = {0}, z[2] = {0};
    const uint64_t few = run(ctx, "cvode", &flow, 2, (const double[]){0, 10}, 1, once);
    const uint64_t many = run(ctx, "cvode", &flow, TIMES, t, 1, often);
    assert_true(many <= few + 50); /* the first step is chosen by the distance of the first output */
    od_stepper *s = od_stepper_create(ctx, "cvode", &flow, 0, 1, z);
    for (size_t i = 1; i < TIMES; i++) {
        check_done(ctx, od_stepper_advance(ctx, s, t[i - 1], t[i], 1, z, NULL) == OD_OK);
        check_close(z[0], decay_exact(0.8, t[i]), 1e-6);
    }
    od_stepper_free(s);
}

/* ------------------------------------------------------------------------------------------------ batches */

static void paths_do_not_feel_each_other(void **state)
{
    od_context *ctx = *state;
    enum { N = 5, D = 2 };
    const char *solver[] = {"cvode", "{name: cvode, family: bdf}"};
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [2.385, 0.31], rotation: 5}");
    od_flow *flow = od_flow_create(ctx, "{name: nesterov}", f);
    check_done(ctx, flow != NULL);
    const double t[] = {0, 0.9, 1, 6.5};
    for (size_t j = 0; j < 2; j++) {
        double all[2 * D * N] = {0};
        for (size_t i = 0; i < D * N; i++) {
            all[i] = 1 + 0.37 * (double)(i * i);
        }
        double start[2 * D * N];
        memcpy(start, all, sizeof all);
        const uint64_t together = run(ctx, solver[j], flow, 4, t, N, all);
        uint64_t alone = 0;
        for (size_t p = 0; p < N; p++) {
            double one[2 * D];
            for (size_t i = 0; i < 2 * D; i++) {
                one[i] = start[i * N + p];
            }
            alone += run(ctx, solver[j], flow, 4, t, 1, one);
            for (size_t i = 0; i < 2 * D; i++) {
                assert_memory_equal(&one[i], &all[i * N + p], sizeof(double));
            }
        }
        assert_int_equal(together, alone);
    }
    od_flow_free(flow);
    od_problem_free(f);
}

static void a_thousand_dimensions(void **state)
{
    od_context *ctx = *state;
    enum { D = 1000 };
    static char yaml[32 * D];
    static double z[2 * D];
    int used = snprintf(yaml, sizeof yaml, "{name: quadratic, eigenvalues: [");
    for (int i = 0; i < D; i++) {
        used += snprintf(yaml + used, sizeof yaml - (size_t)used, "%s%.6f", i > 0 ? ", " : "", 0.05 + 0.0041 * i);
    }
    snprintf(yaml + used, sizeof yaml - (size_t)used, "]}");
    od_problem *f = od_problem_create(ctx, yaml);
    check_done(ctx, f != NULL);
    od_flow *flow = od_flow_create(ctx, "{name: nesterov}", f);
    check_done(ctx, flow != NULL);
    const char *solver[] = {"cvode", "{name: cvode, family: bdf, rtol: 1e-6, atol: 1e-8}"};
    const double tolerance[] = {1e-6, 1e-4}; /* 100 rtol */
    for (size_t j = 0; j < 2; j++) {
        for (size_t i = 0; i < D; i++) {
            z[i] = 1 + 0.001 * (double)i;
            z[D + i] = 0;
        }
        run(ctx, solver[j], flow, 3, (const double[]){0, 1.5, 6}, 1, z);
        for (size_t i = 0; i < D; i++) {
            const double s = sqrt(0.05 + 0.0041 * (double)i) * 6;
            check_close(z[i], (1 + 0.001 * (double)i) * 2 * gsl_sf_bessel_J1(s) / s, tolerance[j]);
        }
    }
    od_flow_free(flow);
    od_problem_free(f);
}

/* ------------------------------------------------------------------------------------------------ failures */

/* Runs to t1 and expects failure with `status`, `part` in the sentence, the state untouched, nothing printed. */
static void expect_failure(od_context *ctx, const char *yaml, const od_flow *flow, double t1, od_status status,
                           const char *part)
{
    FILE *caught = tmpfile();
    const int saved = dup(STDERR_FILENO);
    double z[2] = {1, 1};
    od_stepper *s = od_stepper_create(ctx, yaml, flow, 0, 1, z);
    check_done(ctx, s != NULL && caught != NULL && saved >= 0);
    dup2(fileno(caught), STDERR_FILENO);
    const od_status got = od_stepper_advance(ctx, s, 0, t1, 1, z, NULL);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(lseek(fileno(caught), 0, SEEK_END), 0);
    fclose(caught);
    assert_int_equal(got, status);
    check_message(ctx, part);
    check_close(z[0], 1, 0);
    assert_true(s->evaluations < 200000);
    od_stepper_free(s);
}

static void blow_up_is_reported(void **state)
{
    od_context *ctx = *state;
    const od_flow flow = bare(1, square_drift, NULL);
    /* x' = x^2, x(0) = 1: x = 1/(1 - t) */
    const char *solver[] = {"cvode", "{name: cvode, family: bdf}", "{name: cvode, rtol: 1e-4, atol: 1e-4}"};
    for (size_t j = 0; j < 3; j++) {
        expect_failure(ctx, solver[j], &flow, 2, OD_ENUMERIC, "may blow up there");
        const char *at = strstr(od_message(ctx), "t = ");
        at = strstr(at + 1, "t = "); /* the first is the start of the call */
        assert_non_null(at);
        check_close(strtod(at + 4, NULL), 1, 1e-3);
    }
    double z = 1;
    run(ctx, "cvode", &flow, 2, (const double[]){0, 0.9}, 1, &z);
    check_relative(z, 10.0, 1e-5);
    expect_failure(ctx, "{name: cvode, max_steps: 20}", &flow, 2, OD_ENUMERIC, "max_steps = 20");
}

static void failing_drifts_are_reported(void **state)
{
    od_context *ctx = *state;
    const double limit[] = {1.25, -1};
    for (size_t k = 0; k < 2; k++) {
        od_flow flow = bare(1, fragile_drift, &limit[k]);
        expect_failure(ctx, "cvode", &flow, 2, OD_ENUMERIC, "not finite");
        expect_failure(ctx, "{name: cvode, family: bdf}", &flow, 2, OD_ENUMERIC, "not finite");
        flow = bare(1, failing_drift, &limit[k]);
        expect_failure(ctx, "cvode", &flow, 3, OD_EUSER, "callback");
        expect_failure(ctx, "{name: cvode, family: bdf}", &flow, 3, OD_EUSER, "callback");
    }
}

static void impossible_tolerances_are_refused(void **state)
{
    od_context *ctx = *state;
    const decay data = {.lambda = {0.8, 1.3}};
    const od_flow flow = bare(2, decay_drift, &data);
    expect_failure(ctx, "{name: cvode, rtol: 1e-18, atol: 0}", &flow, 1, OD_ENUMERIC, "double precision");
    double z[2] = {0, 0};
    od_stepper *s = od_stepper_create(ctx, "{name: cvode, atol: 0}", &flow, 0, 1, z);
    assert_int_equal(od_stepper_advance(ctx, s, 0, 1, 1, z, NULL), OD_ENUMERIC);
    check_message(ctx, "atol > 0");
    od_stepper_free(s);
    assert_null(od_stepper_create(ctx, "{name: cvode, rtol: 0}", &flow, 0, 1, z));
    assert_null(od_stepper_create(ctx, "{name: cvode, family: adam}", &flow, 0, 1, z));
    check_message(ctx, "adams");
}

/* ------------------------------------------------------------------------------------------------ roots */

static od_status positions(void *user, double t, const double *z, double *g)
{
    (void)t;
    const double *limit = user;
    g[0] = z[0];
    g[1] = z[2];
    return t > *limit ? OD_EUSER : OD_OK;
}

static od_status position(void *user, double t, const double *z, double *g)
{
    (void)user;
    (void)t;
    g[0] = z[0];
    return OD_OK;
}

/* Zeros of the nag-ode: oracles nag-ode/zeros/beta=1 and beta=4 (j_{1,k}/sqrt(beta)). */
static void roots_of_nesterov_are_bessel_zeros(void **state)
{
    od_context *ctx = *state;
    const double zero1 = 3.8317059702075125, zero4[] = {1.9158529851037562, 3.5077933349078094, 5.086734067531361};
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [1, 4]}");
    od_flow *flow = od_flow_create(ctx, "{name: nesterov}", f);
    check_done(ctx, flow != NULL);
    od_cvode_control control = od_cvode_defaults;
    control.rtol = 1e-10;
    control.atol = 1e-12;
    double t = 0, z[4] = {1, 1, 0, 0}, never = INFINITY, early = 3;
    od_cvode_event events[8];
    double states[8 * 4];
    size_t count;
    /* functions: x_1 and v_1; v_1 = -2 J2(t)/t is zero at the start and next at j_{2,1} = 5.135622301840683 */
    check_done(ctx, od_cvode_roots(ctx, flow, &control, &t, 6.5, z, 2, positions, &never, 8, events, states, &count) ==
                        OD_OK);
    assert_int_equal(count, 2);
    check_close(t, 6.5, 0);
    check_close(events[0].t, zero1, 1e-8);
    assert_int_equal(events[0].which, 0);
    assert_int_equal(events[0].direction, -1);
    check_close(events[1].t, 5.135622301840683, 1e-8);
    assert_int_equal(events[1].which, 1);
    assert_int_equal(events[1].direction, 1);
    check_close(states[0], 0, 1e-8);
    check_close(states[2], -2 * gsl_sf_bessel_Jn(2, zero1) / zero1, 1e-8);
    check_close(z[0], 2 * gsl_sf_bessel_J1(6.5) / 6.5, 1e-8);

    /* the second coordinate alone, one event at a time, and on from there */
    od_problem *steep = od_problem_create(ctx, "{name: quadratic, eigenvalues: [4, 1]}");
    od_flow *steep_flow = od_flow_create(ctx, "{name: nesterov}", steep);
    t = 0;
    memcpy(z, (const double[]){1, 1, 0, 0}, sizeof z);
    for (size_t k = 0; k < 3; k++) {
        check_done(ctx, od_cvode_roots(ctx, steep_flow, &control, &t, 6, z, 1, position, NULL, 1, events, NULL,
                                       &count) == OD_OK);
        assert_int_equal(count, 1);
        check_close(t, events[0].t, 0);
        check_close(t, zero4[k], 1e-8);
    }
    /* a failing function */
    t = 0;
    memcpy(z, (const double[]){1, 1, 0, 0}, sizeof z);
    assert_int_equal(od_cvode_roots(ctx, flow, &control, &t, 6, z, 2, positions, &early, 8, events, NULL, &count),
                     OD_EUSER);
    check_message(ctx, "callback");
    assert_int_equal(count, 0);
    od_flow_free(steep_flow);
    od_problem_free(steep);
    od_flow_free(flow);
    od_problem_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(agrees_with_closed_forms),
        test_with_context(follows_the_caller),
        test_with_context(bdf_is_for_stiff_problems),
        test_with_context(many_output_times_cost_nothing),
        test_with_context(paths_do_not_feel_each_other),
        test_with_context(a_thousand_dimensions),
        test_with_context(blow_up_is_reported),
        test_with_context(failing_drifts_are_reported),
        test_with_context(impossible_tolerances_are_refused),
        test_with_context(roots_of_nesterov_are_bessel_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
