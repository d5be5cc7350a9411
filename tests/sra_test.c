/*
 * Rössler's SRA1: order conditions, measured strong order 3/2 and weak order 2 on nonlinear problems whose drift and
 * noise depend on time, the scheme it is without noise, and what it refuses.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "sde_order.h"

#include "integrators/sra.h"

/* ------------------------------------------------------------------------------------------------ equations */

/* dX = (cos(k X) + t) dt + s (1/2 + sin 2t) dW. */
typedef struct wave_data {
    double k, s;
} wave_data;

static od_status wave_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    const wave_data *q = flow->data;
    for (size_t p = 0; p < n; p++) {
        dz[p] = cos(q->k * z[p]) + t;
    }
    return OD_OK;
}

static od_status wave_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                            double *ws)
{
    (void)z;
    (void)ws;
    const wave_data *q = flow->data;
    for (size_t p = 0; p < n; p++) {
        out[p] = q->s * (0.5 + sin(2 * t)) * dw[p];
    }
    return OD_OK;
}

/* x' = v, dv = (-sin(2 x) - 0.7 v cos t) dt + s (2 - t) (dW_1 + 0.4 dW_2): two motions enter one block. */
static od_status swing_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[n + p];
        dz[n + p] = -sin(2 * z[p]) - 0.7 * cos(t) * z[n + p];
    }
    return OD_OK;
}

static od_status swing_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                             double *ws)
{
    (void)z;
    (void)ws;
    const double s = *(const double *)flow->data;
    for (size_t p = 0; p < n; p++) {
        out[p] = s * (2 - t) * (dw[p] + 0.4 * dw[n + p]);
    }
    return OD_OK;
}

static od_flow wave_flow(const wave_data *q)
{
    return (od_flow){.name = "wave",
                     .block_count = 1,
                     .block = {{"x", 1}},
                     .dim = 1,
                     .drift = wave_drift,
                     .noise = {.shape = OD_NOISE_ADDITIVE, .dim = 1, .commutes = true, .apply = wave_apply},
                     .data = q};
}

static od_flow swing_flow(const double *s)
{
    return (od_flow){
        .name = "swing",
        .block_count = 2,
        .block = {{"x", 1}, {"v", 1}},
        .dim = 2,
        .drift = swing_drift,
        .second_order = true,
        .noise = {.shape = OD_NOISE_ADDITIVE, .dim = 2, .block = 1, .commutes = true, .apply = swing_apply},
        .data = s};
}

/* ------------------------------------------------------------------------------------------------ order */

/* Rössler (2010), the conditions of strong order 3/2 for additive noise: sums over rows i and columns j. */
static void order_conditions(void **state)
{
    (void)state;
    const od_sra_tableau *c = &od_sra1;
    double one = 0, beta1 = 0, beta2 = 0, half = 0, noise = 0, square_noise = 0, time1 = 0, time2 = 0;
    for (size_t i = 0; i < OD_SRA_STAGES; i++) {
        double a = 0, b = 0;
        for (size_t j = 0; j < OD_SRA_STAGES; j++) {
            assert_true(j < i || (c->A0[i][j] == 0 && c->B0[i][j] == 0)); /* explicit */
            a += c->A0[i][j];
            b += c->B0[i][j];
        }
        check_close(c->c0[i], a, 1e-16);
        one += c->alpha[i];
        beta1 += c->beta1[i];
        beta2 += c->beta2[i];
        half += c->alpha[i] * a;
        noise += c->alpha[i] * b;
        square_noise += c->alpha[i] * b * b;
        time1 += c->beta1[i] * c->c1[i];
        time2 += c->beta2[i] * c->c1[i];
    }
    check_close(one, 1, 1e-15);
    check_close(beta1, 1, 1e-15);
    check_close(beta2, 0, 1e-15);
    check_close(half, 0.5, 1e-15);
    check_close(noise, 1, 1e-15);
    check_close(square_noise, 1.5, 1e-15);
    check_close(time1, 1, 1e-15);
    check_close(time2, -1, 1e-15);
}

static void strong_order(void **state)
{
    const wave_data q = {3, 0.8};
    const od_flow wave = wave_flow(&q), swing = swing_flow(&q.s);
    check_order(*state, "wave", &(setup){"sra1", &wave, NULL, {0.4}, 0, NULL, 1.5, 5, 4, 16, false});
    /* the drift is affine in v, which the noise enters: what is left out of order 3/2 is zero */
    check_order(*state, "swing", &(setup){"sra1", &swing, NULL, {0.9, -0.4}, ALL, NULL, 2, 4, 4, 16, false});
    /* the base grid of the coarsest run: the finer ones see the bridge and its time integrals */
    check_order(*state, "wave by bridge", &(setup){"sra1", &wave, NULL, {0.4}, 0, NULL, 1.5, 5, 3, 16, true});
    /* the same problem by a scheme of a lower order */
    check_order(*state, "wave", &(setup){"euler-maruyama", &wave, NULL, {0.4}, 0, NULL, 1, 5, 3, 16, false});
}

static double square(double x)
{
    return x * x;
}

static void weak_order(void **state)
{
    const wave_data q = {1, 0.4};
    const od_flow wave = wave_flow(&q);
    check_order(*state, "wave", &(setup){"sra1", &wave, NULL, {0.4}, 0, square, 2, 2, 3, 128, false});
}

/* With a coefficient of zero it is its deterministic scheme to the bit, of order 2. */
static void without_noise(void **state)
{
    od_context *ctx = *state;
    const double none = 0, z0[MAX_DIM] = {0.9, -0.4};
    const od_flow noisy = swing_flow(&none);
    od_flow bare = noisy;
    bare.noise.shape = OD_NOISE_NONE;
    const od_brownian w = {.seed = 5, .origin = 0, .base = 0.25, .dim = 2};
    double with[MAX_DIM * BLOCK], without[MAX_DIM * BLOCK], exact[MAX_DIM * BLOCK], error[5];
    run(ctx, "sra1", &noisy, &w, 77, 64, z0, with);
    run(ctx, "sra1", &bare, &w, 77, 64, z0, without);
    assert_memory_equal(with, without, 2 * BLOCK * sizeof *with);
    run(ctx, "rk4", &bare, &w, 77, 4096, z0, exact);
    for (unsigned k = 0; k < 5; k++) {
        run(ctx, "sra1", &bare, &w, 77, 32u << k, z0, without);
        error[k] = hypot(without[0] - exact[0], without[BLOCK] - exact[BLOCK]);
    }
    check_close(slope_of(error, 5), 2, 0.1);
}

/* One step by hand: stages and coefficients at the right times, increment and integral in the right places. */
static void one_step_by_hand(void **state)
{
    od_context *ctx = *state;
    const wave_data q = {3, 0.8};
    const double s = q.s, t = 0.3, h = 0.1, z0 = 0.4, dw[2] = {-0.37, 0.021}, j = dw[1] / h;
    const od_flow wave = wave_flow(&q);
    const double g0 = s * (0.5 + sin(2 * t)), g1 = s * (0.5 + sin(2 * (t + h)));
    const double f1 = cos(3 * z0) + t, inner = z0 + 0.75 * h * f1 + 1.5 * g1 * j;
    const double f2 = cos(3 * inner) + (t + 0.75 * h);
    const double want = z0 + h * (f1 + 2 * f2) / 3 + g1 * (dw[0] - j) + g0 * j;
    double z = z0;
    od_stepper *stepper = od_stepper_create(ctx, "{name: sra1, step: 0.1}", &wave, 0, 1, &z);
    check_done(ctx, stepper != NULL);
    check_done(ctx, od_stepper_advance(ctx, stepper, t, t + h, 1, &z, dw) == OD_OK);
    check_close(z, want, 1e-15); /* a few roundings of numbers below 1 */
    od_stepper_free(stepper);
}

/* ------------------------------------------------------------------------------------------------ what it takes */

static void noise_of_the_state_is_refused(void **state)
{
    od_context *ctx = *state;
    const wave_data q = {3, 0.8};
    const double z = 1;
    od_flow flow = wave_flow(&q);
    const od_noise_shape shapes[] = {OD_NOISE_SCALAR, OD_NOISE_DIAGONAL, OD_NOISE_FULL};
    for (size_t i = 0; i < 3; i++) {
        flow.noise.shape = shapes[i];
        assert_null(od_stepper_create(ctx, "{name: sra1, step: 0.1}", &flow, 0, 1, &z));
        check_message(ctx, "sra1 needs additive noise");
        check_message(ctx, "use milstein or euler-maruyama");
    }
}

static od_result *run_text(od_context *ctx, const char *text, const od_options *options)
{
    od_experiment *e = od_experiment_parse(ctx, text, options);
    check_done(ctx, e != NULL);
    od_result *r = NULL;
    check_done(ctx, od_experiment_run(ctx, e, &r) == OD_OK);
    od_experiment_free(e);
    return r;
}

/* Memory noise m'/m depends on time; an iteration beside it has its own increments. Threads and blocks change nothing.
 */
static void runs_of_experiments(void **state)
{
    od_context *ctx = *state;
    const char *text = "{problem: {name: quadratic, eigenvalues: [1.3, 0.4], rotation: 3}, method: {name: memory, "
                       "forgetting: polynomial, p: 2.5, noise: 0.4, step: 0.1}, integrator: {name: sra1, step: 0.05}, "
                       "start: {t: 0.1, x: [1.7, -0.6]}, until: 2.1, iterations: 10, paths: 300, noise_step: 0.0125}";
    const od_options options[] = {{.threads = 1}, {.threads = 2, .block = 7}, {.threads = 3, .block = 64}};
    od_result *first = run_text(ctx, text, &options[0]);
    assert_int_equal(first->outcome[0].evaluations, 300 * (2 * 40 + 10));
    for (size_t i = 1; i < 3; i++) {
        od_result *r = run_text(ctx, text, &options[i]);
        assert_memory_equal(r->outcome[0].mean, first->outcome[0].mean, 4 * sizeof(double));
        assert_memory_equal(r->outcome[0].covariance, first->outcome[0].covariance, 16 * sizeof(double));
        assert_memory_equal(r->outcome[0].iteration_mean, first->outcome[0].iteration_mean, 4 * sizeof(double));
        od_result_free(r);
    }
    od_result_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(order_conditions),    test_with_context(strong_order),
        test_with_context(weak_order),          test_with_context(without_noise),
        test_with_context(one_step_by_hand),    test_with_context(noise_of_the_state_is_refused),
        test_with_context(runs_of_experiments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
