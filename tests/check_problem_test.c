/*
 * The comparison of derivatives with differences: every problem of the table passes it, and broken ones do not.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "folder.h"

#include "src/derivative_check.h"
#include "src/lanczos.h"

#include <sys/stat.h>

/* Parameters for each problem of the table; %s is the folder of the synthetic data. */
static const char *const settings[][2] = {
    {"quadratic", "{name: quadratic, eigenvalues: [4, -1, 0.3], rotation: 5, centre: [1, 2, 3]}"},
    {"quadratic", "{name: quadratic, eigenvalues: [2.385]}"},
    {"power", "{name: power, p: 4, c: 0.7, dim: 5}"},
    {"power", "{name: power, p: 2.385, dim: 3}"},
    {"power", "{name: power, p: 1.5, dim: 3}"},
    {"power", "{name: power, p: 1, dim: 2}"},
    {"power", "{name: power, p: 2}"},
    {"rosenbrock", "{name: rosenbrock}"},
    {"rosenbrock", "{name: rosenbrock, a: 1.5, b: 7, dim: 6}"},
    {"hosaki", "hosaki"},
    {"formula", "{name: formula, f: 'exp(x/3)*sin(y) + x^2*y^4/10 + tanh(x - y)', variables: [x, y]}"},
    {"styblinski-tang", "{name: styblinski-tang, dim: 4}"},
    {"constant-gradient", "{name: constant-gradient, gradient: [1.7, -2.385, 0]}"},
    {"sigmoid-regression", "{name: sigmoid-regression, data: %s/d.csv, lambda: 0.05}"},
    {"sigmoid-regression", "{name: sigmoid-regression, data: %s, classes: [3, 5]}"},
    {"logistic-regression", "{name: logistic-regression, data: %s/d.csv, lambda: 0.05, scale: standard}"},
    {"logistic-regression", "{name: logistic-regression, data: %s, classes: [3, 5]}"},
    {"least-squares", "{name: least-squares, data: %s/d.csv, lambda: 0.05, bias: true}"},
    {"least-squares", "{name: least-squares, data: %s, classes: [3, 5]}"},
};

/* 300 samples of 4 features in CSV (more than one chunk of rows), and 41 images of 3 x 3 pixels. */
static void write_data(const char *folder)
{
    enum { SAMPLES = 300, IMAGES = 41, PIXELS = 9 };
    static char text[SAMPLES * 120];
    size_t used = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t j = 0; j < 4; j++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%.6f,",
                                     (double)(j + 1) * od_normal(3, OD_STREAM_DATA, i, j, 0));
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%d\n",
                                 od_uniform(3, OD_STREAM_DATA, i, 9, 0) < 0.4 ? 1 : -1);
    }
    folder_put(folder, "d.csv", text, used);
    unsigned char images[16 + IMAGES * PIXELS] = {0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, 0, 3, 0, 0, 0, 3};
    unsigned char labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    for (size_t k = 0; k < IMAGES * PIXELS; k++) {
        images[16 + k] = (unsigned char)od_index(4, OD_STREAM_DATA, k, 0, 0, 256);
    }
    for (size_t k = 0; k < IMAGES; k++) {
        labels[8 + k] = (unsigned char)(3 + k % 3);
    }
    folder_put(folder, "train-images-idx3-ubyte", images, sizeof images);
    folder_put(folder, "train-labels-idx1-ubyte", labels, sizeof labels);
}

static void print_report(const char *yaml, const od_derivative_report *r)
{
    print_message("# %s: gradient %.1e, hessian %.1e, samples %.1e, weighted %.1e, constants %.1e\n", yaml,
                  r->gradient.error, r->hessian.error, r->samples.error, r->weighted.error, r->constants.error);
}

static void every_problem_passes(void **state)
{
    od_context *ctx = *state;
    char folder[FOLDER_ROOM], yaml[256];
    folder_make(folder);
    write_data(folder);
    for (size_t t = 0; od_problem_types[t] != NULL; t++) {
        /* a plug-in has tests of its own, and so have networks: tests/network_test.c */
        size_t tried = od_problem_types[t]->create == NULL || od_problem_types[t]->needs != NULL;
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
            if (strcmp(settings[i][0], od_problem_types[t]->name) != 0) {
                continue;
            }
            const char *mark = strstr(settings[i][1], "%s");
            snprintf(yaml, sizeof yaml, "%.*s%s%s", (int)(mark != NULL ? mark - settings[i][1] : 0), settings[i][1],
                     mark != NULL ? folder : "", mark != NULL ? mark + 2 : settings[i][1]);
            od_problem *f = od_problem_create(ctx, yaml);
            check_done(ctx, f != NULL);
            od_derivative_report report;
            check_done(ctx, od_derivative_check(ctx, f, 7, 8, &report) == OD_OK);
            if (!report.passed) {
                print_report(yaml, &report);
                fail();
            }
            assert_true(report.gradient.error < 1e-6 && report.hessian.error < 1e-6); /* and not NaN */
            assert_true(isnan(report.samples.error) == (f->samples == 0));
            assert_true(isnan(report.weighted.error) == (f->samples == 0));
            od_problem_free(f);
            tried++;
        }
        if (tried == 0) {
            fail_msg("add settings for the problem '%s'", od_problem_types[t]->name);
        }
    }
    folder_remove(folder);
}

/* f = sum_i a_i cos x_i as a mean over samples a_1, a_2 = (3, 4) and (2.385, -1), with one mistake at a time. */
typedef enum mistake {
    RIGHT,
    GRADIENT,
    HESSIAN,
    SAMPLES,
    WEIGHTED,
    COVARIANCE,
    JACOBIAN,
    TRANSPOSE,
    LIPSCHITZ,
    CONVEXITY,
    UNFINITE
} mistake;

/* What is wrong with it; the call at which it fails, from 1, and the number of calls so far. */
typedef struct trick {
    mistake wrong;
    unsigned fails_at, calls;
    od_context *cancels; /* if not NULL, what is cancelled instead */
} trick;

static bool fails(const od_problem *problem)
{
    trick *t = problem->data;
    const bool now = ++t->calls == t->fails_at;
    if (now && t->cancels != NULL) {
        od_cancel(t->cancels);
    }
    return now && t->cancels == NULL;
}

static mistake mistake_of(const od_problem *problem)
{
    return ((const trick *)problem->data)->wrong;
}

static const double amplitude[2][2] = {{3, 4}, {2.385, -1}};

static double mean_amplitude(size_t i)
{
    return (amplitude[0][i] + amplitude[1][i]) / 2;
}

static od_status cosine_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                             double *ws)
{
    (void)ws;
    const mistake wrong = mistake_of(problem);
    for (size_t p = 0; p < n; p++) {
        const double a = mean_amplitude(0), b = mean_amplitude(1);
        if ((want & OD_VALUE) != 0) {
            f[p] = a * cos(x[p]) + b * cos(x[n + p]);
        }
        if ((want & OD_GRADIENT) != 0) {
            g[p] = -a * sin(x[p]) * (wrong == GRADIENT ? 1 + 1e-4 : 1);
            g[n + p] = wrong == UNFINITE ? NAN : -b * sin(x[n + p]);
        }
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_status cosine_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u, double *hu,
                            double *ws)
{
    (void)ws;
    const mistake wrong = mistake_of(problem);
    for (size_t j = 0; j < m; j++) {
        for (size_t p = 0; p < n; p++) {
            const double *from = u + j * 2 * n;
            double *to = hu + j * 2 * n;
            to[p] = -mean_amplitude(0) * cos(x[p]) * from[p];
            to[n + p] = -mean_amplitude(1) * cos(x[n + p]) * from[wrong == HESSIAN ? p : n + p];
        }
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_status cosine_samples(const od_problem *problem, unsigned want, size_t n, const double *x, size_t batch,
                                const uint32_t *index, double *f, double *g, double *ws)
{
    (void)ws;
    const mistake wrong = mistake_of(problem);
    for (size_t p = 0; p < n; p++) {
        double value = 0, slope[2] = {0, 0};
        for (size_t b = 0; b < batch; b++) {
            for (size_t i = 0; i < 2; i++) {
                const double a = amplitude[index[b * n + p]][i] / (double)batch;
                value += a * cos(x[i * n + p]);
                slope[i] -= a * sin(x[i * n + p]);
            }
        }
        if ((want & OD_VALUE) != 0) {
            f[p] = value + (wrong == SAMPLES ? 1e-6 : 0);
        }
        for (size_t i = 0; i < 2 && (want & OD_GRADIENT) != 0; i++) {
            g[i * n + p] = slope[i];
        }
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_status cosine_weighted(const od_problem *problem, size_t n, const double *x, const double *weight,
                                 double *out, double *ws)
{
    (void)ws;
    const mistake wrong = mistake_of(problem);
    for (size_t p = 0; p < n; p++) {
        for (size_t i = 0; i < 2; i++) {
            double sum = 0;
            for (size_t s = 0; s < 2; s++) {
                const double centre = wrong == WEIGHTED ? 0 : mean_amplitude(i);
                sum -= weight[s * n + p] * (amplitude[s][i] - centre) * sin(x[i * n + p]) / 2;
            }
            out[i * n + p] = sum;
        }
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

/* With gradients of the samples -a_s sin x, by the definition. */
static od_status cosine_covariance(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                                   double *out, double *ws)
{
    (void)ws;
    const mistake wrong = mistake_of(problem);
    memset(out, 0, 2 * n * m * sizeof *out);
    for (size_t j = 0; j < m * n; j++) {
        const size_t first = j / n * 2 * n + j % n;
        for (size_t s = 0; s < 2; s++) {
            double part[2], along = 0;
            for (size_t i = 0; i < 2; i++) {
                const double centre = wrong == COVARIANCE ? 0 : mean_amplitude(i);
                part[i] = (centre - amplitude[s][i]) * sin(x[i * n + j % n]);
                along += part[i] * u[first + i * n] / 2;
            }
            out[first] += along * part[0];
            out[first + n] += along * part[1];
        }
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

/* The outputs are the samples' values. */
static od_status cosine_predict(const od_problem *problem, size_t n, const double *x, double *out, double *ws)
{
    (void)ws;
    for (size_t k = 0; k < 2 * n; k++) {
        out[k] = amplitude[k / n][0] * cos(x[k % n]) + amplitude[k / n][1] * cos(x[n + k % n]);
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_status cosine_jvp(const od_problem *problem, size_t n, const double *x, const double *u, double *out,
                            double *ws)
{
    (void)ws;
    const double size = mistake_of(problem) == JACOBIAN ? 1 + 1e-4 : 1;
    for (size_t k = 0; k < 2 * n; k++) {
        const size_t p = k % n;
        out[k] = -size * (amplitude[k / n][0] * sin(x[p]) * u[p] + amplitude[k / n][1] * sin(x[n + p]) * u[n + p]);
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_status cosine_vjp(const od_problem *problem, size_t n, const double *x, const double *v, double *g,
                            double *ws)
{
    (void)ws;
    for (size_t k = 0; k < 2 * n; k++) {
        const size_t i = mistake_of(problem) == TRANSPOSE ? 1 - k / n : k / n;
        g[k] = -(amplitude[0][i] * v[k % n] + amplitude[1][i] * v[n + k % n]) * sin(x[k]);
    }
    return fails(problem) ? OD_EUSER : OD_OK;
}

static od_problem make_cosine(trick *t)
{
    const double largest = mean_amplitude(0); /* |curvature| <= 2.6925 */
    return (od_problem){.name = "cosine",
                        .dim = 2,
                        .samples = 2,
                        .outputs = 1,
                        .eval = cosine_eval,
                        .hvp = cosine_hvp,
                        .eval_samples = cosine_samples,
                        .weighted_gradients = cosine_weighted,
                        .covariance = cosine_covariance,
                        .predict = cosine_predict,
                        .predict_jvp = cosine_jvp,
                        .predict_vjp = cosine_vjp,
                        .lipschitz = {t->wrong == LIPSCHITZ ? 0.5 : largest, "closed form"},
                        .convexity = {t->wrong == CONVEXITY ? -0.5 : -largest, "closed form"},
                        .minimum = {NAN, "not asked for"},
                        .data = t};
}

static void mistakes_are_found(void **state)
{
    od_context *ctx = *state;
    for (mistake wrong = RIGHT; wrong <= UNFINITE; wrong++) {
        trick t = {.wrong = wrong};
        const od_problem cosine = make_cosine(&t);
        od_derivative_report r;
        const od_status status = od_derivative_check(ctx, &cosine, 11, 8, &r);
        assert_int_equal(status, OD_OK);
        assert_int_equal(r.passed, wrong == RIGHT);
        assert_int_equal(r.gradient.passed, wrong != GRADIENT && wrong != UNFINITE);
        assert_int_equal(r.hessian.passed, wrong != HESSIAN && wrong != GRADIENT && wrong != UNFINITE);
        assert_int_equal(r.constants.passed, wrong != LIPSCHITZ && wrong != CONVEXITY && wrong != HESSIAN);
        if (wrong == SAMPLES || wrong == WEIGHTED) {
            assert_int_equal(r.samples.passed, wrong != SAMPLES);
            assert_int_equal(r.weighted.passed, wrong != WEIGHTED);
        }
        assert_int_equal(r.covariance.passed, wrong != COVARIANCE && wrong != GRADIENT && wrong != UNFINITE);
        assert_int_equal(r.outputs.passed, wrong != JACOBIAN && wrong != TRANSPOSE);
    }
}

/* A problem that fails at any one of its calls is no problem that passes. */
static void failures_are_told(void **state)
{
    od_context *ctx = *state;
    trick t = {.wrong = RIGHT};
    const od_problem cosine = make_cosine(&t);
    od_derivative_report r;
    check_done(ctx, od_derivative_check(ctx, &cosine, 11, 2, &r) == OD_OK && r.passed);
    const unsigned all = t.calls;
    const char *sentence = "'cosine' could not be evaluated at a random point (callback failed)";
    for (unsigned at = 1; at <= all; at++) {
        t = (trick){.wrong = RIGHT, .fails_at = at};
        assert_int_equal(od_derivative_check(ctx, &cosine, 11, 2, &r), OD_EUSER);
        assert_false(r.passed);
        const bool curvature = strcmp(od_message(ctx), "a Hessian-vector product failed") == 0;
        if (!curvature && strcmp(od_message(ctx), sentence) != 0) {
            fail_msg("call %u of %u: the sentence is '%s'", at, all, od_message(ctx));
        }
    }
}

static void a_check_is_interrupted(void **state)
{
    od_context *ctx = *state;
    trick t = {.wrong = RIGHT, .fails_at = 1, .cancels = ctx};
    const od_problem cosine = make_cosine(&t);
    od_derivative_report r;
    assert_int_equal(od_derivative_check(ctx, &cosine, 11, 8, &r), OD_EINTERRUPTED);
    assert_string_equal(od_message(ctx), "interrupted at point 1 of 8");
    assert_false(r.passed);
}

/* What a problem does not offer is not checked. */
static void a_problem_without_hessian_products_passes(void **state)
{
    trick t = {.wrong = RIGHT};
    od_problem plain = make_cosine(&t);
    plain.hvp = NULL;
    od_derivative_report r;
    check_done(*state, od_derivative_check(*state, &plain, 11, 8, &r) == OD_OK);
    assert_true(r.passed && r.gradient.passed && isnan(r.hessian.error) && isnan(r.constants.error));
}

/* Extreme curvatures of a rotated quadratic are its eigenvalues; 200 dimensions need more than one check. */
static void lanczos_finds_the_spectrum(void **state)
{
    od_context *ctx = *state;
    static char yaml[8192];
    size_t used = (size_t)snprintf(yaml, sizeof yaml, "{name: quadratic, rotation: 3, eigenvalues: [-2.385, 9.7");
    for (size_t i = 0; i < 198; i++) {
        used += (size_t)snprintf(yaml + used, sizeof yaml - used, ", %.17g", 0.02 * (double)i);
    }
    snprintf(yaml + used, sizeof yaml - used, "]}");
    const char *problems[] = {yaml, "{name: quadratic, rotation: 3, eigenvalues: [5.5, 1.25, -0.5]}",
                              "{name: quadratic, eigenvalues: [3.5, 3.5, 3.5]}"};
    const double low[] = {-2.385, -0.5, 3.5}, high[] = {9.7, 5.5, 3.5};
    static const double x[200];
    for (size_t i = 0; i < 3; i++) {
        od_problem *f = od_problem_create(ctx, problems[i]);
        check_done(ctx, f != NULL);
        od_extremes e;
        check_done(ctx, od_lanczos_extremes(ctx, f, x, &e) == OD_OK);
        check_close(e.low, low[i], 1e-9); /* the square of the residual tolerance over the gap, or rounding */
        check_close(e.high, high[i], 1e-9);
        assert_true(e.low_error < 1e-8 && e.high_error < 1e-8 && e.steps <= 60);
        od_problem_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(every_problem_passes),       test_with_context(mistakes_are_found),
        test_with_context(failures_are_told),          test_with_context(a_check_is_interrupted),
        test_with_context(lanczos_finds_the_spectrum), test_with_context(a_problem_without_hessian_products_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
