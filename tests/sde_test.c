/*
 * Strong and weak orders of euler-maruyama and milstein, each on the same Brownian paths at refined steps, and what
 * becomes of them without noise and where Milstein's correction vanishes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "sde_order.h"

/* ------------------------------------------------------------------------------------------------ equations */

/* Two geometric Brownian motions dX_i = a_i X_i dt + b_i X_i dW_i: X_i = X_i(0) exp((a_i - b_i^2/2) t + b_i W_i). */
typedef struct gbm {
    double a[2], b[2];
} gbm;

static od_status gbm_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)t;
    (void)ws;
    const gbm *q = flow->data;
    for (size_t i = 0; i < flow->dim * n; i++) {
        dz[i] = q->a[i / n] * z[i];
    }
    return OD_OK;
}

static od_status gbm_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                           double *ws)
{
    (void)t;
    (void)ws;
    const gbm *q = flow->data;
    for (size_t i = 0; i < flow->dim * n; i++) {
        out[i] = q->b[i / n] * z[i] * dw[i];
    }
    return OD_OK;
}

static od_status gbm_milstein(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw,
                              double *out, double *ws)
{
    (void)t;
    (void)ws;
    const gbm *q = flow->data;
    for (size_t i = 0; i < flow->dim * n; i++) {
        out[i] = q->b[i / n] * q->b[i / n] * z[i] / 2 * (dw[i] * dw[i] - h);
    }
    return OD_OK;
}

static void gbm_exact(const od_flow *flow, double t, const double *z0, const double *w, double *z)
{
    const gbm *q = flow->data;
    for (size_t i = 0; i < flow->dim; i++) {
        z[i] = z0[i] * exp((q->a[i] - q->b[i] * q->b[i] / 2) * t + q->b[i] * w[i]);
    }
}

static od_flow gbm_flow(const gbm *q, size_t dim)
{
    return (od_flow){.name = "geometric Brownian motion",
                     .block_count = 1,
                     .block = {{"x", dim}},
                     .dim = dim,
                     .drift = gbm_drift,
                     .noise = {.shape = dim == 1 ? OD_NOISE_SCALAR : OD_NOISE_DIAGONAL,
                               .dim = dim,
                               .own_block = true,
                               .commutes = true,
                               .apply = gbm_apply,
                               .milstein = gbm_milstein},
                     .data = q};
}

/*
 * dX = (X/2 + sqrt(1 + X^2)) dt + sqrt(1 + X^2) dW: X = sinh(arsinh X(0) + t + W); Kloeden and Platen (1992),
 * eq. (4.4.46).
 */
static od_status sinh_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[p] / 2 + sqrt(1 + z[p] * z[p]);
    }
    return OD_OK;
}

static od_status sinh_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                            double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        out[p] = sqrt(1 + z[p] * z[p]) * dw[p];
    }
    return OD_OK;
}

static od_status sinh_milstein(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw,
                               double *out, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        out[p] = z[p] / 2 * (dw[p] * dw[p] - h); /* b b' = X */
    }
    return OD_OK;
}

static void sinh_exact(const od_flow *flow, double t, const double *z0, const double *w, double *z)
{
    (void)flow;
    z[0] = sinh(asinh(z0[0]) + t + w[0]);
}

static const od_flow sinh_flow = {
    .name = "sinh",
    .block_count = 1,
    .block = {{"x", 1}},
    .dim = 1,
    .drift = sinh_drift,
    .noise = {.shape = OD_NOISE_SCALAR,
              .dim = 1,
              .own_block = true,
              .commutes = true,
              .apply = sinh_apply,
              .milstein = sinh_milstein},
};

/* x' = v, dv = (-x^3 - 0.7 v cos t) dt + s (1 + x^2) dW: the noise depends on x and enters v. */
static od_status kicked_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[n + p];
        dz[n + p] = -z[p] * z[p] * z[p] - 0.7 * cos(t) * z[n + p];
    }
    return OD_OK;
}

static od_status kicked_apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                              double *ws)
{
    (void)t;
    (void)ws;
    const double s = *(const double *)flow->data;
    for (size_t p = 0; p < n; p++) {
        out[p] = s * (1 + z[p] * z[p]) * dw[p];
    }
    return OD_OK;
}

static od_flow kicked_flow(const double *s)
{
    return (od_flow){.name = "kicked",
                     .block_count = 2,
                     .block = {{"x", 1}, {"v", 1}},
                     .dim = 2,
                     .drift = kicked_drift,
                     .second_order = true,
                     .noise = {.shape = OD_NOISE_SCALAR, .dim = 1, .block = 1, .commutes = true, .apply = kicked_apply},
                     .data = s};
}

/* ------------------------------------------------------------------------------------------------ orders */

static double square(double x)
{
    return x * x;
}

static double same(double x)
{
    return x;
}

static const gbm fast = {.a = {0.3, -0.4}, .b = {0.8, 1.1}};

static void strong_orders_of_geometric_brownian_motion(void **state)
{
    const od_flow flow = gbm_flow(&fast, 1);
    check_order(*state, "GBM", &(setup){"euler-maruyama", &flow, gbm_exact, {1.3}, 0, NULL, 0.5, 5, 5, 32, true});
    check_order(*state, "GBM", &(setup){"milstein", &flow, gbm_exact, {1.3}, 0, NULL, 1, 5, 5, 32, true});
}

static void strong_orders_of_diagonal_noise(void **state)
{
    const od_flow flow = gbm_flow(&fast, 2);
    for (size_t i = 0; i < 2; i++) {
        check_order(*state, i == 0 ? "two GBM, first" : "two GBM, second",
                    &(setup){"euler-maruyama", &flow, gbm_exact, {1.3, 0.7}, i, NULL, 0.5, 5, 5, 32, false});
        check_order(*state, i == 0 ? "two GBM, first" : "two GBM, second",
                    &(setup){"milstein", &flow, gbm_exact, {1.3, 0.7}, i, NULL, 1, 5, 5, 32, false});
    }
}

static void strong_orders_of_a_nonlinear_equation(void **state)
{
    check_order(*state, "sinh",
                &(setup){"euler-maruyama", &sinh_flow, sinh_exact, {0.4}, 0, NULL, 0.5, 6, 4, 64, false});
    check_order(*state, "sinh", &(setup){"milstein", &sinh_flow, sinh_exact, {0.4}, 0, NULL, 1, 6, 4, 64, false});
}

/* Differences on the same paths: their variance falls with the step, so few paths suffice. */
static void weak_orders(void **state)
{
    const gbm mild = {.a = {0.8}, .b = {0.5}};
    const od_flow flow = gbm_flow(&mild, 1);
    check_order(*state, "GBM", &(setup){"euler-maruyama", &flow, gbm_exact, {1.3}, 0, square, 1, 4, 4, 512, false});
    check_order(*state, "GBM", &(setup){"milstein", &flow, gbm_exact, {1.3}, 0, square, 1, 4, 4, 64, false});
    check_order(*state, "sinh",
                &(setup){"euler-maruyama", &sinh_flow, sinh_exact, {0.4}, 0, same, 1, 4, 4, 768, false});
    check_order(*state, "sinh", &(setup){"milstein", &sinh_flow, sinh_exact, {0.4}, 0, same, 1, 4, 4, 64, false});
}

/* Where Milstein's correction vanishes, Euler-Maruyama itself has strong order 1. */
static void strong_order_one_where_the_correction_vanishes(void **state)
{
    od_context *ctx = *state;
    const double s = 0.6;
    const od_flow kicked = kicked_flow(&s);
    check_order(ctx, "noise of x into v",
                &(setup){"euler-maruyama", &kicked, NULL, {0.9, -0.4}, ALL, NULL, 1, 4, 4, 16, false});
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [2.385, 0.4], rotation: 3}");
    od_flow *flow = od_flow_create(ctx, "{name: heavy-ball, alpha: 0.3, noise: 0.5}", f);
    check_done(ctx, flow != NULL);
    check_order(ctx, "heavy-ball with noise",
                &(setup){"euler-maruyama", flow, NULL, {0.9, -0.4, 0, 0.3}, ALL, NULL, 1, 5, 4, 16, false});
    od_flow_free(flow);
    od_problem_free(f);
}

/* One step of X = 0.4 by hand: the drift and the coefficients belong to the start of the step. */
static void one_step_by_hand(void **state)
{
    od_context *ctx = *state;
    const double x = 0.4, h = 0.1, dw = -0.37, root = sqrt(1 + x * x);
    const double em = x + h * (x / 2 + root) + root * dw, milstein = em + x / 2 * (dw * dw - h);
    const char *scheme[] = {"{name: euler-maruyama, step: 0.1}", "{name: milstein, step: 0.1}"};
    for (size_t k = 0; k < 2; k++) {
        double z = x;
        od_stepper *s = od_stepper_create(ctx, scheme[k], &sinh_flow, 0, 1, &z);
        check_done(ctx, s != NULL);
        check_done(ctx, od_stepper_advance(ctx, s, 0, h, 1, &z, &dw) == OD_OK);
        check_close(z, k == 0 ? em : milstein, 1e-15); /* a few roundings of numbers below 1 */
        od_stepper_free(s);
    }
}

/* The mean and second moment of the Euler chain for GBM are known: (1 + a h)^n and ((1 + a h)^2 + b^2 h)^n. */
static void moments_of_the_chain(void **state)
{
    od_context *ctx = *state;
    enum { STEPS = 16, BLOCKS = 256 };
    const gbm q = {.a = {0.8}, .b = {0.5}};
    const od_flow flow = gbm_flow(&q, 1);
    const od_brownian w = {.seed = 11, .origin = 0, .base = 1.0 / STEPS, .dim = 1};
    const double z0 = 1.3, h = 1.0 / STEPS, growth = 1 + q.a[0] * h, n = BLOCKS * BLOCK;
    double z[BLOCK], m1 = 0, m2 = 0, m4 = 0;
    for (uint64_t b = 0; b < BLOCKS; b++) {
        run(ctx, "euler-maruyama", &flow, &w, b * BLOCK, STEPS, &z0, z);
        for (size_t p = 0; p < BLOCK; p++) {
            m1 += z[p] / n;
            m2 += z[p] * z[p] / n;
            m4 += z[p] * z[p] * z[p] * z[p] / n;
        }
    }
    /* five standard errors: a right scheme fails with probability 6e-7 over seeds */
    check_close(m1, z0 * pow(growth, STEPS), 5 * sqrt((m2 - m1 * m1) / n));
    check_close(m2, z0 * z0 * pow(growth * growth + q.b[0] * q.b[0] * h, STEPS), 5 * sqrt((m4 - m2 * m2) / n));
}

/* ------------------------------------------------------------------------------------------------ equalities */

static void check_same_bits(od_context *ctx, const od_flow *flow, const char *a, const char *b, double *end)
{
    const od_brownian w = {.seed = 5, .origin = 0, .base = 0.25, .dim = flow->noise.dim};
    const double z0[MAX_DIM] = {1.3, 0.7, -0.2, 0.4};
    double other[MAX_DIM * BLOCK];
    run(ctx, a, flow, &w, 77, 64, z0, end);
    run(ctx, b, flow, &w, 77, 64, z0, other);
    assert_memory_equal(end, other, flow->dim * BLOCK * sizeof *end);
    for (size_t i = 0; i < flow->dim * BLOCK; i++) {
        assert_true(isfinite(end[i]));
    }
}

/* With a coefficient of zero, and without the noise at all, both schemes are explicit Euler to the bit. */
static void without_noise_they_are_euler(void **state)
{
    od_context *ctx = *state;
    const gbm still = {.a = {0.3, -0.4}};
    const double none = 0;
    const od_flow noisy[] = {gbm_flow(&still, 2), kicked_flow(&none)};
    const char *scheme[] = {"euler-maruyama", "milstein"};
    double with[MAX_DIM * BLOCK], without[MAX_DIM * BLOCK];
    for (size_t k = 0; k < 2; k++) {
        od_flow bare = noisy[k];
        bare.noise.shape = OD_NOISE_NONE;
        bare.noise.dim = 1;
        for (size_t j = 0; j < 2; j++) {
            check_same_bits(ctx, &noisy[k], scheme[j], scheme[j], with);
            check_same_bits(ctx, &bare, scheme[j], "euler", without);
            assert_memory_equal(with, without, bare.dim * BLOCK * sizeof *with);
        }
    }
}

typedef struct heard {
    unsigned count;
    char last[256];
} heard;

static void hear(void *user, const char *sentence)
{
    heard *h = user;
    h->count++;
    snprintf(h->last, sizeof h->last, "%s", sentence);
}

/* Additive noise and noise of x that enters v: milstein says so once, and is euler-maruyama to the bit. */
static void milstein_says_where_it_is_euler_maruyama(void **state)
{
    od_context *ctx = *state;
    heard remarks = {0};
    double end[MAX_DIM * BLOCK];
    od_context_on_remark(ctx, hear, &remarks);
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [2.385, 0.4], rotation: 3}");
    const char *method[] = {"{name: gradient, noise: 0.3}", "{name: nesterov, noise: 0.3}",
                            "{name: heavy-ball, alpha: 0.7, noise: [[0.2, 0.1], [0, 0.3]]}"};
    for (size_t k = 0; k < 3; k++) {
        od_flow *flow = od_flow_create(ctx, method[k], f);
        check_done(ctx, flow != NULL);
        remarks.count = 0;
        check_same_bits(ctx, flow, "milstein", "euler-maruyama", end);
        assert_int_equal(remarks.count, 1);
        assert_non_null(strstr(remarks.last, "additive"));
        od_flow_free(flow);
    }
    od_problem_free(f);
    const double s = 0.6;
    const od_flow kicked = kicked_flow(&s);
    remarks.count = 0;
    check_same_bits(ctx, &kicked, "milstein", "euler-maruyama", end);
    assert_int_equal(remarks.count, 1);
    assert_non_null(strstr(remarks.last, "enters 'v' and does not depend on it"));
    /* where it corrects, it has nothing to say, and differs */
    const od_flow flow = gbm_flow(&fast, 2);
    const od_brownian w = {.seed = 5, .origin = 0, .base = 0.25, .dim = 2};
    double em[MAX_DIM * BLOCK];
    remarks.count = 0;
    run(ctx, "milstein", &flow, &w, 77, 64, (const double[]){1.3, 0.7}, end);
    run(ctx, "euler-maruyama", &flow, &w, 77, 64, (const double[]){1.3, 0.7}, em);
    assert_int_equal(remarks.count, 0);
    assert_true(end[0] != em[0] && end[BLOCK] != em[BLOCK]);
}

static void noise_that_does_not_commute_is_refused(void **state)
{
    od_context *ctx = *state;
    const double z[2] = {1, 1};
    od_flow flow = gbm_flow(&fast, 2);
    flow.noise.commutes = false;
    assert_null(od_stepper_create(ctx, "{name: milstein, step: 0.1}", &flow, 0, 1, z));
    check_message(ctx, "does not commute");
    check_message(ctx, "use euler-maruyama");
    flow = gbm_flow(&fast, 2);
    flow.noise.milstein = NULL;
    assert_null(od_stepper_create(ctx, "{name: milstein, step: 0.1}", &flow, 0, 1, z));
    check_message(ctx, "states no correction");
    flow.noise.shape = OD_NOISE_FULL;
    flow.noise.commutes = flow.noise.own_block = false; /* does not matter: the correction is zero */
    od_stepper *s = od_stepper_create(ctx, "{name: milstein, step: 0.1}", &flow, 0, 1, z);
    check_done(ctx, s != NULL);
    od_stepper_free(s);
    assert_null(od_stepper_create(ctx, "{name: rk4, step: 0.1}", &flow, 0, 1, z));
    check_message(ctx, "does not integrate noise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(strong_orders_of_geometric_brownian_motion),
        test_with_context(strong_orders_of_diagonal_noise),
        test_with_context(strong_orders_of_a_nonlinear_equation),
        test_with_context(weak_orders),
        test_with_context(strong_order_one_where_the_correction_vanishes),
        test_with_context(one_step_by_hand),
        test_with_context(moments_of_the_chain),
        test_with_context(without_noise_they_are_euler),
        test_with_context(milstein_says_where_it_is_euler_maruyama),
        test_with_context(noise_that_does_not_commute_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
