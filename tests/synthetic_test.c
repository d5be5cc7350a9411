/*
 * Drawn data against the laws they are said to have, targets of every kind, and parts.
 *
 * Statistical checks allow 5 standard errors unless they say otherwise: a false alarm in 2e6 checks, and the seed is
 * fixed, so that none comes and goes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_bench.h"

#include <math.h>

static double norm(const double *x, size_t n)
{
    double square = 0;
    for (size_t j = 0; j < n; j++) {
        square += x[j] * x[j];
    }
    return sqrt(square);
}

/* Mean of the samples of one class. */
static void mean_of(const od_data *data, uint32_t class_index, double *mean, size_t *count)
{
    memset(mean, 0, data->cols * sizeof *mean);
    *count = 0;
    for (size_t r = 0; r < data->rows; r++) {
        if (data->class_index[r] == class_index) {
            ++*count;
            for (size_t j = 0; j < data->cols; j++) {
                mean[j] += data->row[r * data->stride + j];
            }
        }
    }
    for (size_t j = 0; j < data->cols; j++) {
        mean[j] /= (double)*count;
    }
}

static void clusters_are_gaussian_about_their_centres(void **state)
{
    enum { N = 9000, D = 7, K = 3 };
    bench *b = *state;
    reads(b, "{data: clusters, samples: 9000, features: 7, clusters: 3, separation: 2.385, data_seed: 11}",
          OD_TARGETS_CLASSES);
    assert_int_equal(b->data.rows, N);
    assert_int_equal(b->data.cols, D);
    assert_int_equal(b->data.classes, K);
    assert_int_equal(b->data.outputs, K);
    assert_null(b->data.inputs);
    for (uint32_t c = 0; c < K; c++) {
        double mean[D], square = 0;
        size_t count;
        mean_of(&b->data, c, mean, &count);
        assert_int_equal(count, N / K);
        check_close(b->data.class_label[c], c, 0);
        check_close(norm(mean, D), 2.385, 5 / sqrt(N / K) + D / (2 * 2.385 * N / K));
        for (size_t r = 0; r < N; r++) {
            for (size_t j = 0; j < D && b->data.class_index[r] == c; j++) {
                const double z = b->data.row[r * b->data.stride + j] - mean[j];
                square += z * z;
            }
        }
        check_close(square / (count * D), 1, 5 * sqrt(2.0 / (N / K * D)) + 1.0 / (N / K));
    }
    for (size_t r = 0; r < N; r++) {
        for (size_t c = 0; c < K; c++) {
            check_close(b->data.target[r * K + c], c == b->data.class_index[r], 0);
        }
    }
}

/* The soft committee machine by hand: its weights from a set that has one sample of each, its targets from a loop. */
static void a_teacher_says_what_its_formula_says(void **state)
{
    enum { N = 400, D = 5, K = 3 };
    bench *b = *state;
    reads(b, "{data: teacher, samples: 400, features: 5, teacher_width: 3, teacher_outputs: 2, data_seed: 5}",
          OD_TARGETS_NUMBERS);
    assert_int_equal(b->data.outputs, 2);
    for (size_t r = 0; r < N; r++) {
        for (size_t o = 0; o < 2; o++) {
            double y = 0;
            for (size_t k = 0; k < K; k++) {
                double field = 0;
                for (size_t j = 0; j < D; j++) {
                    field += od_normal(5, OD_STREAM_DATA, k, j, 5) * b->data.row[r * b->data.stride + j];
                }
                y += od_normal(5, OD_STREAM_DATA, o, k, 6) * erf(field / sqrt(2.0 * D)) / sqrt(K);
            }
            check_close(b->data.target[2 * r + o], y, 1e-14);
        }
        for (size_t j = 0; j < D; j++) { /* the features are the draws of step 0, to the bit */
            check_close(b->data.row[r * b->data.stride + j], od_normal(5, OD_STREAM_DATA, r, j, 0), 0);
        }
    }
}

static void the_class_of_a_teacher_is_its_sign_or_largest_output(void **state)
{
    bench *b = *state;
    double y[200 * 3];
    for (int outputs = 1; outputs <= 3; outputs += 2) {
        char yaml[128];
        snprintf(yaml, sizeof yaml, "{data: teacher, samples: 200, teacher_outputs: %d}", outputs);
        reads(b, yaml, OD_TARGETS_NUMBERS);
        memcpy(y, b->data.target, 200 * (size_t)outputs * sizeof *y);
        reads(b, yaml, OD_TARGETS_CLASSES);
        assert_int_equal(b->data.classes, outputs == 1 ? 2 : 3);
        for (size_t r = 0; r < 200; r++) {
            const uint32_t c = b->data.class_index[r];
            for (int o = 0; o < outputs; o++) {
                assert_true(outputs == 1 ? (y[r] > 0) == (c == 1) : y[3 * r + c] >= y[3 * r + (size_t)o]);
            }
        }
    }
    reads(b, "{data: teacher, samples: 200}", OD_TARGETS_SIGNS);
    memcpy(y, b->data.target, 200 * sizeof *y);
    reads(b, "{data: teacher, samples: 200}", OD_TARGETS_NUMBERS);
    for (size_t r = 0; r < 200; r++) {
        check_close(y[r], b->data.target[r] > 0 ? 1 : -1, 0);
    }
}

static void target_noise_has_its_deviation(void **state)
{
    enum { N = 8000 };
    bench *b = *state;
    static double clean[N];
    reads(b, "{data: teacher, samples: 8000}", OD_TARGETS_NUMBERS);
    memcpy(clean, b->data.target, sizeof clean);
    reads(b, "{data: teacher, samples: 8000, target_noise: 0.35}", OD_TARGETS_NUMBERS);
    double square = 0;
    for (size_t r = 0; r < N; r++) {
        square += (b->data.target[r] - clean[r]) * (b->data.target[r] - clean[r]);
    }
    check_close(square / N, 0.35 * 0.35, 0.35 * 0.35 * 5 * sqrt(2.0 / N));
}

/* Sample i is what it is, however many there are; the parts and the seeds differ. */
static void samples_do_not_depend_on_their_number(void **state)
{
    bench *b = *state;
    double few[30 * 8];
    reads(b, "{data: clusters, samples: 30, features: 3}", OD_TARGETS_SIGNS);
    assert_int_equal(b->data.stride, 8);
    memcpy(few, b->data.row, sizeof few);
    reads(b, "{data: clusters, samples: 300, features: 3}", OD_TARGETS_SIGNS);
    assert_memory_equal(b->data.row, few, sizeof few);
    static const char *const other[] = {"{data: clusters, samples: 30, features: 3, data_seed: 2}",
                                        "{data: clusters, samples: 30, features: 3, part: test}"};
    for (size_t i = 0; i < 2; i++) {
        reads(b, other[i], OD_TARGETS_SIGNS);
        assert_true(b->data.row[0] != few[0] && b->data.row[8] != few[8]);
    }
}

static void both_parts_share_scale_and_classes(void **state)
{
    enum { D = 4 };
    bench *b = *state;
    od_data test;
    const od_settings *s = settings_of(
        b, "", "{data: clusters, clusters: 3, features: 4, samples: 500, scale: standard, part: test}");
    check_done(b->ctx, od_data_read(b->ctx, s, OD_TARGETS_CLASSES, false, &test) == OD_OK);
    reads(b, "{data: clusters, clusters: 3, features: 4, samples: 500, scale: standard}", OD_TARGETS_CLASSES);
    assert_int_equal(test.rows, 500);
    for (size_t j = 0; j < D; j++) {
        double mean = 0, square = 0, other = 0;
        for (size_t r = 0; r < 500; r++) {
            mean += b->data.row[r * 8 + j] / 500;
            other += test.row[r * 8 + j] / 500;
            square += b->data.row[r * 8 + j] * b->data.row[r * 8 + j] / 500;
        }
        check_close(mean, 0, 1e-14);
        check_close(square, 1, 1e-14);
        assert_true(fabs(other) > 1e-6 && fabs(other) < 0.5); /* it is not scaled by itself, but nearly */
    }
    od_data_free(&test);
}

static void entries_that_do_not_belong_are_refused(void **state)
{
    bench *b = *state;
    static const struct {
        const char *yaml, *part;
    } bad[] = {
        {"{data: clusters, teacher_width: 3}", "an entry of data: teacher"},
        {"{data: teacher, separation: 3}", "an entry of data: clusters"},
        {"{data: clusters, holdout: 0.5}", "a test part of their own"},
        {"{data: clusters, label: y}", "labels and a test part of their own"},
        {"{data: teacher, format: csv}", "./teacher"},
        {"{data: clusters, samples: 4e9, features: 1e6}", "2 GiB"},
        {"{data: teacher, teacher_width: 1e6, features: 1e6}", "2 GiB"},
        {"{data: file, features: 3}", "it shapes drawn data"},
        {"{data: clusters, clusters: 3}", "more than two kinds"},
        {"{data: clusters, classes: [0, 7]}", "no sample of clusters has the label 7"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses_as(b, bad[i].yaml, OD_TARGETS_SIGNS, bad[i].part, "problem.");
    }
    refuses_as(b, "{data: clusters, clusters: 3, classes: [0, 1, 0]}", OD_TARGETS_CLASSES, "stands there twice",
               "problem.classes");
    refuses_as(b, "{data: teacher, teacher_outputs: 2, samples: 2000, classes: [3]}", OD_TARGETS_CLASSES, "expected 2",
               "problem.classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_bench(clusters_are_gaussian_about_their_centres),
        test_at_bench(a_teacher_says_what_its_formula_says),
        test_at_bench(the_class_of_a_teacher_is_its_sign_or_largest_output),
        test_at_bench(target_noise_has_its_deviation),
        test_at_bench(samples_do_not_depend_on_their_number),
        test_at_bench(both_parts_share_scale_and_classes),
        test_at_bench(entries_that_do_not_belong_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
