/*
 * The finite sums on data: values against a plain loop over samples, stated constants, minima, and the same bits for
 * any batch size.
 *
 * Tolerances: both sides add the same few hundred numbers in different orders, a relative error of about 1e-14.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "folder.h"

enum { SAMPLES = 300, FEATURES = 5, D = FEATURES + 1 };

static double feature[SAMPLES][D], label[SAMPLES]; /* the last feature is the bias */

/* Data of all tests: more than one chunk of rows, the last one not full. */
static void write_data(const char *folder)
{
    static char text[SAMPLES * 160];
    size_t used = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t j = 0; j < FEATURES; j++) {
            char number[32];
            snprintf(number, sizeof number, "%.6f", (0.5 + (double)j) * od_normal(5, OD_STREAM_DATA, i, j, 0));
            feature[i][j] = strtod(number, NULL);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,", number);
        }
        feature[i][FEATURES] = 1;
        label[i] = od_uniform(5, OD_STREAM_DATA, i, 9, 0) < 0.4 ? 7 : 2;
        used += (size_t)snprintf(text + used, sizeof text - used, "%g\n", label[i]);
    }
    folder_put(folder, "d.csv", text, used);
}

typedef struct bench {
    od_context *ctx;
    char folder[FOLDER_ROOM];
} bench;

static int open_bench(void **state)
{
    bench *b = calloc(1, sizeof *b);
    b->ctx = od_context_create();
    folder_make(b->folder);
    write_data(b->folder);
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    bench *b = *state;
    od_context_free(b->ctx);
    folder_remove(b->folder);
    free(b);
    return 0;
}

static od_problem *create(const bench *b, const char *name, const char *rest)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{name: %s, data: %s/d.csv, %s}", name, b->folder, rest);
    od_problem *f = od_problem_create(b->ctx, yaml);
    check_done(b->ctx, f != NULL);
    return f;
}

static double *scratch(const od_problem *f, size_t n)
{
    double *ws = calloc(od_scratch_size(&f->scratch, n) + 1, sizeof *ws);
    assert_non_null(ws);
    return ws;
}

/* phi(t, b) and two derivatives, written as in a textbook. */
static void textbook(const char *name, double t, double b, double phi[3])
{
    if (strcmp(name, "sigmoid-regression") == 0) {
        const double e = exp(b * t), s = 1 / (1 + e);
        phi[0] = s;
        phi[1] = -b * e / ((1 + e) * (1 + e));
        phi[2] = e * (e - 1) / ((1 + e) * (1 + e) * (1 + e));
    } else if (strcmp(name, "logistic-regression") == 0) {
        phi[0] = log(1 + exp(-b * t));
        phi[1] = -b / (1 + exp(b * t));
        phi[2] = 1 / (2 + exp(t) + exp(-t));
    } else {
        phi[0] = (t - b) * (t - b) / 2;
        phi[1] = t - b;
        phi[2] = 1;
    }
}

static void values_match_a_plain_loop(void **state)
{
    bench *b = *state;
    const char *names[] = {"sigmoid-regression", "logistic-regression", "least-squares"};
    const double lambda = 0.085, x[D] = {0.3, -0.7, 0.2385, 0.11, -0.05, 0.4}, u[D] = {1, -2, 0.5, 0.7, 2.385, -1.1};
    for (size_t which = 0; which < 3; which++) {
        od_problem *q = create(b, names[which], "classes: [2, 7], lambda: 0.085, bias: true");
        double *ws = scratch(q, 1);
        double f = 0, g[D] = {0}, hu[D] = {0}, value, gradient[D], product[D];
        assert_int_equal(q->dim, D);
        assert_int_equal(q->samples, SAMPLES);
        for (size_t i = 0; i < SAMPLES; i++) {
            double t = 0, s = 0, phi[3];
            for (size_t j = 0; j < D; j++) {
                t += feature[i][j] * x[j];
                s += feature[i][j] * u[j];
            }
            textbook(names[which], t, label[i] == 2 ? 1 : -1, phi);
            f += phi[0] / SAMPLES;
            for (size_t j = 0; j < D; j++) {
                g[j] += phi[1] * feature[i][j] / SAMPLES;
                hu[j] += phi[2] * s * feature[i][j] / SAMPLES;
            }
        }
        for (size_t j = 0; j < D; j++) {
            f += lambda * x[j] * x[j] / 2;
            g[j] += lambda * x[j];
            hu[j] += lambda * u[j];
        }
        assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, x, &value, gradient, ws), OD_OK);
        assert_int_equal(q->hvp(q, 1, x, 1, u, product, ws), OD_OK);
        check_relative(value, f, 1e-13);
        for (size_t j = 0; j < D; j++) {
            check_close(gradient[j], g[j], 1e-13);
            check_close(product[j], hu[j], 1e-12);
        }
        free(ws);
        od_problem_free(q);
    }
}

/* Far out, where a careless formula overflows: margins of order 1e5. */
static void losses_stay_finite(void **state)
{
    bench *b = *state;
    const char *names[] = {"sigmoid-regression", "logistic-regression"};
    for (size_t which = 0; which < 2; which++) {
        od_problem *q = create(b, names[which], "classes: [7, 2]");
        double *ws = scratch(q, 1);
        const double x[D] = {1e5, -2e5, 1e5, 3e4, 1e4, 0}, u[D] = {1, 1, 1, 1, 1, 1};
        double f, g[D], hu[D];
        assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, x, &f, g, ws), OD_OK);
        assert_int_equal(q->hvp(q, 1, x, 1, u, hu, ws), OD_OK);
        /* log(1 + e^-t) is max(-t, 0) out there, the sigmoid the share of mistakes */
        double want = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            double t = 0;
            for (size_t j = 0; j < D; j++) {
                t += (label[i] == 7 ? 1 : -1) * feature[i][j] * x[j];
            }
            want += (which == 0 ? t < 0 : t < 0 ? -t : 0) / SAMPLES;
        }
        check_relative(f, want, 1e-12);
        for (size_t j = 0; j < D; j++) {
            assert_true(isfinite(g[j]) && isfinite(hu[j]));
        }
        free(ws);
        od_problem_free(q);
    }
}

/* Every path of a batch has the bits it has alone, in each of the four kinds of evaluation. */
static void blocks_do_not_change_the_bits(void **state)
{
    bench *b = *state;
    enum { PATHS = 128, M = 13, BATCH = 5, ROOM = 1 + D + M * D + 1 + D + D };
    const char *names[] = {"sigmoid-regression", "logistic-regression", "least-squares"};
    static double alone[PATHS][ROOM], x[D * PATHS], u[M * D * PATHS], f[PATHS], g[D * PATHS], hu[M * D * PATHS];
    static double fs[PATHS], gs[D * PATHS], gw[D * PATHS], weight[SAMPLES * PATHS];
    static uint32_t index[BATCH * PATHS];
    const size_t sizes[] = {1, 3, 7, 64, PATHS};
    for (size_t which = 0; which < 3; which++) {
        od_problem *q = create(b, names[which], "classes: [2, 7], lambda: 0.085, bias: true");
        double *ws = scratch(q, PATHS);
        for (size_t s = 0; s < 5; s++) {
            for (size_t first = 0; first < PATHS; first += sizes[s]) {
                const size_t n = first + sizes[s] <= PATHS ? sizes[s] : PATHS - first;
                for (size_t k = 0; k < n; k++) {
                    for (size_t i = 0; i < M * D; i++) {
                        x[i % D * n + k] = od_normal(1, OD_STREAM_CHECK, first + k, i % D, 0);
                        u[i * n + k] = od_normal(2, OD_STREAM_CHECK, first + k, i, 0);
                    }
                    for (size_t i = 0; i < BATCH; i++) {
                        index[i * n + k] = od_index(3, OD_STREAM_CHECK, first + k, i, 0, SAMPLES);
                    }
                    for (size_t i = 0; i < SAMPLES; i++) {
                        weight[i * n + k] = od_normal(4, OD_STREAM_CHECK, first + k, i, 0);
                    }
                }
                assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, n, x, f, g, ws), OD_OK);
                assert_int_equal(q->hvp(q, n, x, M, u, hu, ws), OD_OK);
                assert_int_equal(q->eval_samples(q, OD_VALUE | OD_GRADIENT, n, x, BATCH, index, fs, gs, ws), OD_OK);
                assert_int_equal(q->weighted_gradients(q, n, x, weight, gw, ws), OD_OK);
                for (size_t k = 0; k < n; k++) {
                    double here[ROOM], *to = here;
                    *to++ = f[k];
                    *to++ = fs[k];
                    for (size_t i = 0; i < D; i++) {
                        *to++ = g[i * n + k];
                        *to++ = gs[i * n + k];
                        *to++ = gw[i * n + k];
                    }
                    for (size_t i = 0; i < M * D; i++) {
                        *to++ = hu[i * n + k];
                    }
                    if (s == 0) {
                        memcpy(alone[first + k], here, sizeof here);
                    }
                    assert_memory_equal(alone[first + k], here, sizeof here);
                }
            }
        }
        free(ws);
        od_problem_free(q);
    }
}

/* lambda_max(A'A)/N by power iteration on the data themselves. */
static double largest_gram(size_t d)
{
    double v[D] = {1, 0.9, 0.8, 0.7, 0.6, 0.5}, largest = 0;
    for (size_t k = 0; k < 2000; k++) {
        double w[D] = {0}, size = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            double t = 0;
            for (size_t j = 0; j < d; j++) {
                t += feature[i][j] * v[j];
            }
            for (size_t j = 0; j < d; j++) {
                w[j] += t * feature[i][j] / SAMPLES;
            }
        }
        for (size_t j = 0; j < d; j++) {
            size += w[j] * w[j];
        }
        largest = sqrt(size);
        for (size_t j = 0; j < d; j++) {
            v[j] = w[j] / largest;
        }
    }
    return largest;
}

static void constants_are_the_stated_ones(void **state)
{
    bench *b = *state;
    const double largest = largest_gram(D);
    od_problem *sigmoid = create(b, "sigmoid-regression", "lambda: 0.085");
    check_relative(sigmoid->lipschitz.value, 0.085 + largest / (6 * sqrt(3)), 1e-9); /* Lanczos ends at 1e-10 */
    check_relative(sigmoid->convexity.value, 0.085 - largest / (6 * sqrt(3)), 1e-9);
    assert_true(isnan(sigmoid->minimum.value) && sigmoid->minimiser == NULL);
    od_problem *logistic = create(b, "logistic-regression", "lambda: 0.085, bias: false");
    check_relative(logistic->lipschitz.value, 0.085 + largest_gram(FEATURES) / 4, 1e-9);
    check_close(logistic->convexity.value, 0.085, 0);
    assert_non_null(strstr(logistic->lipschitz.how, "Lanczos"));
    assert_non_null(strstr(logistic->inputs, "/d.csv "));
    od_problem *squares = create(b, "least-squares", "lambda: 0.085");
    assert_int_equal(squares->dim, FEATURES);
    check_relative(squares->lipschitz.value, 0.085 + largest_gram(FEATURES), 1e-12);
    od_problem_free(sigmoid);
    od_problem_free(logistic);
    od_problem_free(squares);
}

/* The minimum of least squares: gradient zero, and the spectrum's formula gives the loss everywhere. */
static void least_squares_is_the_quadratic_it_states(void **state)
{
    bench *b = *state;
    od_problem *q = create(b, "least-squares", "lambda: 0.085, bias: true");
    double *ws = scratch(q, 1), f, g[D];
    assert_non_null(q->minimiser);
    assert_non_null(q->spectrum);
    assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, q->minimiser, &f, g, ws), OD_OK);
    check_relative(q->minimum.value, f, 1e-15);
    for (size_t j = 0; j < D; j++) {
        check_close(g[j], 0, 1e-13);
    }
    const double x[D] = {1, 2.385, -0.7, 0.3, -2, 0.9};
    double want = q->minimum.value;
    for (size_t k = 0; k < D; k++) {
        double y = 0;
        for (size_t j = 0; j < D; j++) {
            y += q->spectrum->rotation[j * D + k] * (x[j] - q->spectrum->centre[j]);
        }
        want += 0.5 * q->spectrum->eigenvalues[k] * y * y;
    }
    assert_int_equal(q->eval(q, OD_VALUE, 1, x, &f, NULL, ws), OD_OK);
    check_relative(f, want, 1e-13);
    free(ws);
    od_problem_free(q);
}

/* Writes `rows` samples of d features as LIBSVM text; feature `twin` repeats feature 1 (0: none does). */
static void write_wide(const bench *b, size_t rows, size_t d, size_t twin)
{
    const size_t room = rows * d * 24;
    char *text = malloc(room);
    size_t used = 0;
    for (size_t i = 0; i < rows; i++) {
        used += (size_t)snprintf(text + used, room - used, "%.3f", od_normal(9, OD_STREAM_DATA, i, d, 0));
        for (size_t j = 1; j <= d; j++) {
            const double a = od_normal(9, OD_STREAM_DATA, i, j == twin ? 0 : j - 1, 0);
            used += (size_t)snprintf(text + used, room - used, " %zu:%.3f", j, a);
        }
        used += (size_t)snprintf(text + used, room - used, "\n");
    }
    folder_put(b->folder, "wide", text, used);
    free(text);
}

/* Rows with gaps: groups of four columns that are empty, a sample of zeros, a last group that is not full; or one gap
 * in each row. */
static void check_gaps(bench *b, bool one)
{
    enum { ROWS = 200, COLS = 61, POINTS = 6 };
    static double a[ROWS][COLS], target[ROWS];
    static char text[ROWS * COLS * 16];
    size_t used = 0;
    for (size_t i = 0; i < ROWS; i++) {
        target[i] = 0.25 * (double)(i % 7) - 0.5;
        used += (size_t)snprintf(text + used, sizeof text - used, "%g", target[i]);
        for (size_t j = 0; j < COLS; j++) {
            const bool some = i % 10 != 3 && od_uniform(7, OD_STREAM_DATA, i, j / 5, 0) < 0.3;
            const bool kept = one ? j / 4 != i % 13 : some;
            a[i][j] = kept ? round(1e3 * od_normal(7, OD_STREAM_DATA, i, j, 1)) / 1e3 : 0;
            if (a[i][j] != 0 || j + 1 == COLS) {
                used += (size_t)snprintf(text + used, sizeof text - used, " %zu:%.3f", j + 1, a[i][j]);
            }
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
    }
    folder_put(b->folder, "gaps", text, used);
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{name: least-squares, data: %s/gaps, lambda: 0.085}", b->folder);
    od_problem *q = od_problem_create(b->ctx, yaml);
    check_done(b->ctx, q != NULL);
    assert_int_equal(q->dim, COLS);
    double *ws = scratch(q, POINTS), x[COLS * POINTS], f[POINTS], g[COLS * POINTS];
    for (size_t i = 0; i < COLS * POINTS; i++) {
        x[i] = od_normal(7, OD_STREAM_DATA, i, 0, 2);
    }
    assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, POINTS, x, f, g, ws), OD_OK);
    for (size_t p = 0; p < POINTS; p++) {
        double want = 0, slope[COLS] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            double t = -target[i];
            for (size_t j = 0; j < COLS; j++) {
                t += a[i][j] * x[j * POINTS + p];
            }
            want += t * t / (2 * ROWS);
            for (size_t j = 0; j < COLS; j++) {
                slope[j] += t * a[i][j] / ROWS;
            }
        }
        for (size_t j = 0; j < COLS; j++) {
            want += 0.085 / 2 * x[j * POINTS + p] * x[j * POINTS + p];
            check_close(g[j * POINTS + p], slope[j] + 0.085 * x[j * POINTS + p], 1e-13);
        }
        check_relative(f[p], want, 1e-13);
        /* alone it has the same bits as between others */
        double alone[COLS], value, gradient[COLS];
        for (size_t j = 0; j < COLS; j++) {
            alone[j] = x[j * POINTS + p];
        }
        assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, alone, &value, gradient, ws), OD_OK);
        assert_true(value == f[p]);
        for (size_t j = 0; j < COLS; j++) {
            assert_true(gradient[j] == g[j * POINTS + p]);
        }
    }
    free(ws);
    od_problem_free(q);
}

static void rows_with_gaps_match_a_plain_loop(void **state)
{
    check_gaps(*state, false);
    check_gaps(*state, true);
}

/* One file in each range of dimensions: eigenvectors, Cholesky, Lanczos; and what is said where nothing is unique. */
static void least_squares_in_many_dimensions(void **state)
{
    bench *b = *state;
    char yaml[256];
    static double g[2100];
    const struct {
        size_t rows, d, twin;
        const char *lambda;
        bool spectrum, minimum;
    } cases[] = {
        {40, 12, 7, "0", true, true},        /* two equal features: many minimisers */
        {700, 530, 0, "0", false, true},     /* Cholesky */
        {30, 530, 0, "0", false, false},     /* fewer samples than features: singular */
        {30, 530, 0, "0.085", false, true},  /* regular again */
        {20, 2100, 0, "0.085", false, false} /* Lanczos */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        write_wide(b, cases[c].rows, cases[c].d, cases[c].twin);
        snprintf(yaml, sizeof yaml, "{name: least-squares, data: %s/wide, lambda: %s}", b->folder, cases[c].lambda);
        od_problem *q = od_problem_create(b->ctx, yaml);
        check_done(b->ctx, q != NULL);
        assert_int_equal(q->dim, cases[c].d);
        assert_int_equal(q->spectrum != NULL, cases[c].spectrum);
        assert_int_equal(isfinite(q->minimum.value) && q->minimiser != NULL, cases[c].minimum);
        assert_true(q->convexity.value >= 0 && q->lipschitz.value > q->convexity.value);
        double *ws = scratch(q, 1);
        if (q->minimiser != NULL) {
            assert_int_equal(q->eval(q, OD_GRADIENT, 1, q->minimiser, NULL, g, ws), OD_OK);
            for (size_t j = 0; j < q->dim; j++) {
                check_close(g[j], 0, 1e-12); /* backward stable: eps * L * |x*|, with both of order 10 */
            }
        }
        if (cases[c].twin > 0) { /* the shortest solution gives twins equal weights */
            check_close(q->minimiser[cases[c].twin - 1], q->minimiser[0], 1e-12);
            check_close(q->convexity.value, 0, 1e-14);
        }
        free(ws);
        od_problem_free(q);
    }
}

static void bad_indices_and_entries_are_refused(void **state)
{
    bench *b = *state;
    od_problem *q = create(b, "logistic-regression", "lambda: 0.085");
    double *ws = scratch(q, 1), x[D] = {0}, f;
    const uint32_t index = SAMPLES;
    assert_int_equal(q->eval_samples(q, OD_VALUE, 1, x, 1, &index, &f, NULL, ws), OD_EINVAL);
    free(ws);
    od_problem_free(q);
    assert_null(od_problem_create(b->ctx, "{name: logistic-regression, data: nowhere}"));
    assert_string_equal(od_message_entry(b->ctx), "problem.data");
    check_message(b->ctx, "--data DIR");
    assert_null(od_problem_create(b->ctx, "{name: least-squares, data: nowhere, lambda: -1}"));
    assert_string_equal(od_message_entry(b->ctx), "problem.lambda");
    assert_null(od_problem_create(b->ctx, "{name: least-squares, data: teacher, teacher_outputs: 2}"));
    check_message(b->ctx, "lists of 2 numbers");
}

#define test_at_bench(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_bench(values_match_a_plain_loop),
        test_at_bench(losses_stay_finite),
        test_at_bench(blocks_do_not_change_the_bits),
        test_at_bench(constants_are_the_stated_ones),
        test_at_bench(least_squares_is_the_quadratic_it_states),
        test_at_bench(rows_with_gaps_match_a_plain_loop),
        test_at_bench(least_squares_in_many_dimensions),
        test_at_bench(bad_indices_and_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
