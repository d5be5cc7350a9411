/*
 * Problems on LibTorch: every derivative against differences and definitions, the same answers for any place in a batch
 * and from several threads at once. Without LibTorch all of it is skipped.
 *
 * Differences of fourth order leave about 1e-10, sums of the same numbers in another order 1e-14 (derivative_check.c).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "build_config.h"
#include "src/derivative_check.h"

#include <pthread.h>

#define MLP "{name: mlp, samples: 40, features: 6, lambda: 0.05, "

static const char *const settings[] = {
    MLP "widths: [5, 5], activation: linear}",
    MLP "widths: [5, 5], activation: relu}",
    MLP "widths: [5, 5], activation: tanh}",
    MLP "widths: [5, 5], activation: sigmoid}",
    MLP "widths: [5, 5], activation: softplus}",
    MLP "widths: [5, 5], activation: gelu}",
    MLP "widths: [5], loss: mse}",
    MLP "widths: [5], loss: logistic}",
    MLP "widths: [5], loss: sigmoid}",
    MLP "widths: [5], loss: mse, targets: classes, clusters: 3}",
    MLP "biases: false}",
    MLP "widths: [5, 4], layer_norm: true}",
    MLP "widths: [4, 4, 4], residual: true, depth_scaling: true, layer_norm: true, activation: gelu}",
    "{name: mlp, widths: [3], samples: 1100, features: 4}", /* several chunks of rows, the last one not full */
    "{name: convnet, data: clusters, features: 32, clusters: 3, shape: [2, 4, 4], channels: [2, 3], samples: 30}",
    "{name: convnet, data: clusters, features: 20, shape: [1, 4, 5], channels: [3], samples: 30, loss: logistic}",
    "{name: neural-chain, depth: 6, x: [1, -0.7, 2], y: [0.3, 1, 2.385]}",
    "{name: neural-chain, activation: gelu, residual: true, depth_scaling: true, biases: true}",
    "{name: matrix-factorisation, rows: 4, columns: 6, rank: 3, depth: 3}",
    "{name: matrix-factorisation, symmetric: true, rows: 6, columns: 6, true_rank: 3, rank: 4, lambda: 0.03}",
    "{name: matrix-sensing, dim: 5, rank: 3, measurements: 30, lambda: 0.02}",
    "{name: torchscript, model: %s/examples/torchscript/net.pt, clusters: 3, samples: 60}",
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static od_problem *create(od_context *ctx, size_t i)
{
    char yaml[1024];
    const char *mark = strstr(settings[i], "%s");
    snprintf(yaml, sizeof yaml, "%.*s%s%s", (int)(mark != NULL ? mark - settings[i] : 0), settings[i],
             mark != NULL ? getenv("OPTDYN_SOURCE") : "", mark != NULL ? mark + 2 : settings[i]);
    od_problem *f = od_problem_create(ctx, yaml);
    check_done(ctx, f != NULL);
    return f;
}

static void every_network_is_here(void **state)
{
    for (size_t t = 0; od_problem_types[t] != NULL; t++) {
        bool found = od_problem_types[t]->needs == NULL;
        for (size_t i = 0; i < SETTINGS && !found; i++) {
            const char *name = settings[i] + strlen("{name: ");
            const size_t length = strlen(od_problem_types[t]->name);
            found = strncmp(name, od_problem_types[t]->name, length) == 0 && name[length] == ',';
        }
        if (!found) {
            fail_msg("add settings for the problem '%s'", od_problem_types[t]->name);
        }
    }
}

static void derivatives_are_right(void **state)
{
    od_context *ctx = *state;
    for (size_t i = 0; i < SETTINGS; i++) {
        od_problem *f = create(ctx, i);
        od_derivative_report r;
        check_done(ctx, od_derivative_check(ctx, f, 7, 3, &r) == OD_OK);
        if (!r.passed) {
            fail_msg("%s: gradient %.1e, hessian %.1e, samples %.1e, weighted %.1e, covariance %.1e, outputs %.1e",
                     settings[i], r.gradient.error, r.hessian.error, r.samples.error, r.weighted.error,
                     r.covariance.error, r.outputs.error);
        }
        assert_true(r.gradient.error < 1e-6 && r.hessian.error < 1e-6); /* and not NaN */
        assert_true(r.samples.error < 1e-10 && r.weighted.error < 1e-10);
        assert_true(r.covariance.error < 1e-10 && r.outputs.error < 1e-6);
        od_problem_free(f);
    }
}

/* Three points side by side have the bits of each alone. */
static void a_batch_is_its_points(void **state)
{
    enum { N = 3, M = 2 };
    od_context *ctx = *state;
    od_problem *f = create(ctx, 12);
    const size_t d = f->dim;
    double *ws = calloc(od_scratch_size(&f->scratch, N) + 1, sizeof *ws), *x = calloc(8 * N * d, sizeof *x);
    assert_true(ws != NULL && x != NULL);
    double *u = x + N * d, *g = u + M * N * d, *hu = g + N * d, *one = hu + M * N * d, value[N];
    for (size_t i = 0; i < 3 * N * d; i++) {
        x[i] = od_normal(3, OD_STREAM_CHECK, 0, i, 0);
    }
    assert_int_equal(f->eval(f, OD_VALUE | OD_GRADIENT, N, x, value, g, ws), OD_OK);
    assert_int_equal(f->hvp(f, N, x, M, u, hu, ws), OD_OK);
    for (size_t p = 0; p < N; p++) {
        double *point = one, *gradient = calloc(4 * d, sizeof *gradient), alone;
        for (size_t i = 0; i < d; i++) {
            point[i] = x[i * N + p];
        }
        assert_int_equal(f->eval(f, OD_VALUE | OD_GRADIENT, 1, point, &alone, gradient, ws), OD_OK);
        assert_memory_equal(&alone, &value[p], sizeof alone);
        for (size_t i = 0; i < d; i++) {
            assert_memory_equal(&gradient[i], &g[i * N + p], sizeof alone);
        }
        for (size_t k = 0; k < M * d; k++) {
            gradient[k] = u[k * N + p];
        }
        assert_int_equal(f->hvp(f, 1, point, M, gradient, gradient + 2 * d, ws), OD_OK);
        for (size_t k = 0; k < M * d; k++) {
            assert_memory_equal(&gradient[2 * d + k], &hu[k * N + p], sizeof alone);
        }
        free(gradient);
    }
    free(x);
    free(ws);
    od_problem_free(f);
}

typedef struct errand {
    const od_problem *f;
    double *g; /* [d], at the start of path 5 */
    od_status status;
} errand;

static void *evaluate(void *user)
{
    errand *e = user;
    double *x = calloc(e->f->dim, sizeof *x), *ws = calloc(od_scratch_size(&e->f->scratch, 1) + 1, sizeof *ws);
    e->f->initial(e->f, 1, 5, 1, x);
    for (size_t k = 0; k < 20; k++) {
        e->status = e->f->eval(e->f, OD_GRADIENT, 1, x, NULL, e->g, ws);
    }
    free(x);
    free(ws);
    return NULL;
}

/* A built-in network and a TorchScript module, whose copies threads take from a pool. */
static void threads_share_a_network(void **state)
{
    enum { THREADS = 4 };
    static const size_t which[] = {12, SETTINGS - 1};
    for (size_t k = 0; k < 2; k++) {
        od_problem *f = create(*state, which[k]);
        pthread_t thread[THREADS];
        errand e[THREADS];
        for (size_t t = 0; t < THREADS; t++) {
            e[t] = (errand){.f = f, .g = calloc(f->dim, sizeof(double)), .status = OD_EUSER};
            assert_int_equal(pthread_create(&thread[t], NULL, evaluate, &e[t]), 0);
        }
        for (size_t t = 0; t < THREADS; t++) {
            pthread_join(thread[t], NULL);
            assert_int_equal(e[t].status, OD_OK);
            assert_memory_equal(e[t].g, e[0].g, f->dim * sizeof(double));
        }
        for (size_t t = 0; t < THREADS; t++) {
            free(e[t].g);
        }
        od_problem_free(f);
    }
}

/*
 * Noise by one backward pass with normal weights of the samples has the covariance Sigma/N: along 5 directions the
 * variance of 4000 draws, whose relative standard error is sqrt(2/4000), and the mean. Six of them each are passed by
 * chance with probability 2e-9, so one of these ten with 2e-8.
 */
static void weighted_noise_has_the_covariance_of_the_samples(void **state)
{
    enum { DRAWS = 4000, DIRECTIONS = 5, N = 40 };
    od_problem *f = create(*state, 2);
    const size_t d = f->dim;
    double *x = calloc((DIRECTIONS + 3) * d, sizeof *x), *ws = calloc(od_scratch_size(&f->scratch, 1) + 1, sizeof *ws);
    double *u = x + d, *noise = u + DIRECTIONS * d, *product = noise + d, sum[DIRECTIONS] = {0},
           square[DIRECTIONS] = {0};
    double weight[N];
    assert_int_equal(f->samples, N);
    f->initial(f, 1, 0, 1, x);
    for (size_t i = 0; i < DIRECTIONS * d; i++) {
        u[i] = od_normal(5, OD_STREAM_CHECK, 0, i, 0);
    }
    for (uint64_t k = 0; k < DRAWS; k++) {
        for (size_t i = 0; i < N; i++) {
            weight[i] = od_normal(6, OD_STREAM_CHECK, k, i, 0);
        }
        assert_int_equal(f->weighted_gradients(f, 1, x, weight, noise, ws), OD_OK);
        for (size_t j = 0; j < DIRECTIONS; j++) {
            double along = 0;
            for (size_t i = 0; i < d; i++) {
                along += u[j * d + i] * noise[i];
            }
            sum[j] += along;
            square[j] += along * along;
        }
    }
    for (size_t j = 0; j < DIRECTIONS; j++) {
        double variance = 0;
        assert_int_equal(f->covariance(f, 1, x, 1, u + j * d, product, ws), OD_OK);
        for (size_t i = 0; i < d; i++) {
            variance += u[j * d + i] * product[i] / N;
        }
        check_relative(square[j] / DRAWS, variance, 6 * sqrt(2.0 / DRAWS));
        check_close(sum[j] / DRAWS, 0, 6 * sqrt(variance / DRAWS));
    }
    free(x);
    free(ws);
    od_problem_free(f);
}

/* What a flow asks of a network: its own callbacks, counted. One test at a time. */
static struct {
    od_problem f; /* as it was */
    uint64_t gradients, products;
} asked;

static od_status counted_eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value, double *g,
                              double *ws)
{
    asked.gradients += n;
    return asked.f.eval(f, want, n, x, value, g, ws);
}

static od_status counted_hvp(const od_problem *f, size_t n, const double *x, size_t m, const double *u, double *hu,
                             double *ws)
{
    asked.products += m * n;
    return asked.f.hvp(f, n, x, m, u, hu, ws);
}

/* The state at t1 from the problem's own start; *evaluations as the scheme counts them. */
static void follow(od_context *ctx, const char *scheme, const char *method, od_problem *f, double t1, double h,
                   double *z, uint64_t *evaluations)
{
    od_flow *flow = od_flow_create(ctx, method, f);
    check_done(ctx, flow != NULL);
    memset(z, 0, flow->dim * sizeof *z);
    f->initial(f, 3, 0, 1, z);
    asked.gradients = asked.products = 0;
    od_stepper *s = od_stepper_create(ctx, scheme, flow, 0, 1, z);
    check_done(ctx, s != NULL);
    const size_t steps = s->type->fixed_step ? (size_t)lround(t1 / h) : 1;
    for (size_t k = 0; k < steps; k++) {
        const double from = t1 * (double)k / (double)steps, to = t1 * (double)(k + 1) / (double)steps;
        check_done(ctx, od_stepper_advance(ctx, s, from, to, 1, z, NULL) == OD_OK);
    }
    *evaluations = s->evaluations;
    od_stepper_free(s);
    od_flow_free(flow);
}

static double relative_distance(size_t d, const double *a, const double *b)
{
    double gap = 0, size = 0;
    for (size_t i = 0; i < d; i++) {
        gap += (a[i] - b[i]) * (a[i] - b[i]);
        size += a[i] * a[i];
    }
    return sqrt(gap / size);
}

/* Adams and BDF at 1e-7 beside RK4, whose error h^4 leaves 1e-9; CVODE controls the error of a step, as in cvode_test.
 */
static void cvode_follows_networks(void **state)
{
    static const char *const method[] = {"gradient", "{name: heavy-ball, alpha: 0.5}", "{name: nesterov, r: 3}"};
    static const char *const scheme[] = {"{name: cvode, rtol: 1e-7, atol: 1e-9}",
                                         "{name: cvode, family: bdf, rtol: 1e-7, atol: 1e-9}"};
    od_problem *f = create(*state, 9);
    double *z = calloc(4 * f->dim, sizeof *z), *want = z + 2 * f->dim;
    asked.f = *f;
    f->eval = counted_eval;
    f->hvp = counted_hvp;
    for (size_t i = 0; i < 3; i++) {
        uint64_t evaluations;
        follow(*state, "{name: rk4, step: 0.01}", method[i], f, 6, 0.01, want, &evaluations);
        for (size_t j = 0; j < 2; j++) {
            follow(*state, scheme[j], method[i], f, 6, NAN, z, &evaluations);
            check_close(relative_distance(f->dim, want, z), 0, 100 * 1e-7);
            assert_int_equal(asked.gradients + asked.products, evaluations);
            assert_true(evaluations < 1000 && (asked.products > 0) == (j == 1));
        }
    }
    free(z);
    od_problem_free(f);
}

/*
 * Curvatures from 87 down to 1e-13: RK4 at the edge of its stability would need 4 x 30 x 87/2.785 gradients. All
 * gradients and products of BDF together are fewer than the columns of one dense Jacobian.
 */
static void bdf_needs_products_only_on_a_stiff_network(void **state)
{
    od_problem *f = od_problem_create(*state,
                                      "{name: mlp, widths: [20], activation: softplus, loss: mse, data: teacher, "
                                      "samples: 50, features: 100, scale: 30, init_scale: 0.1}");
    check_done(*state, f != NULL);
    double *z = calloc(2 * f->dim, sizeof *z), *want = z + f->dim;
    const char *bdf = "{name: cvode, family: bdf, rtol: 1e-6, atol: 1e-8}";
    uint64_t evaluations;
    asked.f = *f;
    f->eval = counted_eval;
    f->hvp = counted_hvp;
    /* steps of 0.01 leave 2e-5 (beside 0.0025) */
    follow(*state, "{name: rk4, step: 0.01}", "gradient", f, 10, 0.01, want, &evaluations);
    follow(*state, "{name: cvode, rtol: 1e-6, atol: 1e-8}", "gradient", f, 10, NAN, z, &evaluations);
    check_close(relative_distance(f->dim, want, z), 0, 100 * 1e-6);
    follow(*state, bdf, "gradient", f, 10, NAN, z, &evaluations);
    check_close(relative_distance(f->dim, want, z), 0, 100 * 1e-6);
    follow(*state, bdf, "gradient", f, 30, NAN, z, &evaluations);
    print_message("# %zu dimensions, %llu evaluations of BDF\n", f->dim, (unsigned long long)evaluations);
    assert_true(asked.products > 0 && asked.products + asked.gradients == evaluations);
    assert_true(4 * evaluations < 3742 && evaluations < f->dim);
    free(z);
    od_problem_free(f);
}

int main(void)
{
    if (!OD_HAVE_LIBTORCH) {
        printf("1..0 # SKIP built without LibTorch (-Dlibtorch=enabled)\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_is_here),
        cmocka_unit_test_setup_teardown(derivatives_are_right, make_context, free_context),
        cmocka_unit_test_setup_teardown(a_batch_is_its_points, make_context, free_context),
        cmocka_unit_test_setup_teardown(threads_share_a_network, make_context, free_context),
        cmocka_unit_test_setup_teardown(weighted_noise_has_the_covariance_of_the_samples, make_context, free_context),
        cmocka_unit_test_setup_teardown(cvode_follows_networks, make_context, free_context),
        cmocka_unit_test_setup_teardown(bdf_needs_products_only_on_a_stiff_network, make_context, free_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
