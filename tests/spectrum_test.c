/*
 * Spectra by products alone against spectra that are given, and against LAPACK's.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/spectrum.h"

#include <lapacke.h>

enum { MOST = 64 };

/* A = Q diag(lambda) Q, Q = I - 2 w w^T, or a dense symmetric matrix. */
typedef struct matrix {
    size_t d;
    double lambda[MOST], w[MOST];
    double dense[MOST * MOST];
    bool is_dense;
} matrix;

static void reflect(const matrix *a, double *v)
{
    double along = 0;
    for (size_t i = 0; i < a->d; i++) {
        along += a->w[i] * v[i];
    }
    for (size_t i = 0; i < a->d; i++) {
        v[i] -= 2 * along * a->w[i];
    }
}

static od_status multiply(void *user, const double *v, double *av)
{
    const matrix *a = user;
    if (a->is_dense) {
        for (size_t i = 0; i < a->d; i++) {
            av[i] = 0;
            for (size_t j = 0; j < a->d; j++) {
                av[i] += a->dense[i * a->d + j] * v[j];
            }
        }
        return OD_OK;
    }
    memcpy(av, v, a->d * sizeof *av);
    reflect(a, av);
    for (size_t i = 0; i < a->d; i++) {
        av[i] *= a->lambda[i];
    }
    reflect(a, av);
    return OD_OK;
}

static void turn(matrix *a)
{
    double square = 0;
    for (size_t i = 0; i < a->d; i++) {
        a->w[i] = od_normal(3, OD_STREAM_CHECK, 0, i, 0);
        square += a->w[i] * a->w[i];
    }
    for (size_t i = 0; i < a->d; i++) {
        a->w[i] /= sqrt(square);
    }
}

/* Random symmetric, with a shift and an outlier; its eigenvalues by LAPACK go to `lambda`, ascending. */
static void draw(matrix *a, size_t d, uint64_t seed)
{
    double copy[MOST * MOST];
    *a = (matrix){.d = d, .is_dense = true};
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            a->dense[i * d + j] = a->dense[j * d + i] = od_normal(seed, OD_STREAM_CHECK, i, j, 0) +
                                                        (i == j ? 2.385 : 0) + (i == 3 && j == 3 ? 20 : 0);
        }
    }
    memcpy(copy, a->dense, d * d * sizeof *copy);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int)d, copy, (int)d, a->lambda), 0);
}

/* Multiplicities 1 to 5 at the top: each comes as often as it is, with orthonormal eigenvectors. */
static void repeated_eigenvalues_come_as_often_as_they_are(void **state)
{
    matrix a = {.d = 60};
    const double level[] = {9.5, 7.25, 4.125, 3, 2.5};
    size_t at = 0;
    for (size_t k = 0; k < 5; k++) {
        for (size_t copies = 0; copies <= k; copies++) {
            a.lambda[at++] = level[k];
        }
    }
    for (; at < 60; at++) {
        a.lambda[at] = -3 + 0.1 * (double)at; /* to 2.9, in between and below */
    }
    turn(&a);
    double sorted[60];
    memcpy(sorted, a.lambda, sizeof sorted);
    for (size_t i = 0; i < 60; i++) {
        for (size_t j = i + 1; j < 60; j++) {
            if (sorted[j] > sorted[i]) {
                const double swap = sorted[i];
                sorted[i] = sorted[j];
                sorted[j] = swap;
            }
        }
    }
    for (size_t most = 1; most <= 21; most += 4) {
        const od_leading_wish wish = {.most = most, .level = -INFINITY, .tolerance = 1e-11, .steps = 60, .room = 60};
        od_leading found;
        check_done(*state, od_lanczos_leading(*state, a.d, multiply, &a, &wish, &found) == OD_OK);
        assert_int_equal(found.count, most);
        assert_true(found.complete);
        assert_true(found.ceiling >= sorted[most] - 1e-12);
        for (size_t i = 0; i < most; i++) {
            check_close(found.value[i], sorted[i], fmax(found.error[i], 1e-13));
            for (size_t j = 0; j <= i; j++) {
                double product = 0;
                for (size_t l = 0; l < 60; l++) {
                    product += found.vectors[i * 60 + l] * found.vectors[j * 60 + l];
                }
                check_close(product, i == j, 1e-12);
            }
        }
        od_leading_free(&found);
    }
    const od_leading_wish above = {.level = 2.95, .tolerance = 1e-11, .steps = 60, .room = 60};
    od_leading found;
    check_done(*state, od_lanczos_leading(*state, a.d, multiply, &a, &above, &found) == OD_OK);
    assert_true(found.complete && found.ceiling < 2.95);
    assert_int_equal(found.above, 10);
    od_leading_free(&found);
}

/* Too few steps: what is said to be there is, and the answer says that it is not all. */
static void too_few_steps_leave_a_lower_bound(void **state)
{
    matrix a = {.d = 60};
    for (size_t i = 0; i < 60; i++) {
        a.lambda[i] = i < 30 ? 2 + 0.001 * (double)i : 0.5;
    }
    turn(&a);
    const od_leading_wish wish = {.level = 1, .tolerance = 1e-11, .steps = 6, .room = 60};
    od_leading found;
    check_done(*state, od_lanczos_leading(*state, a.d, multiply, &a, &wish, &found) == OD_OK);
    assert_false(found.complete);
    assert_true(found.above >= 1 && found.above <= 30);
    od_leading_free(&found);
}

/* <v, A^k v> for all k below twice the nodes. */
static void rules_are_exact_to_their_degree(void **state)
{
    enum { STEPS = 6 };
    matrix a;
    draw(&a, 23, 5);
    a.dense[3 * 23 + 3] -= 20;
    double v[23], u[23], au[23], node[STEPS], weight[STEPS];
    size_t n;
    for (size_t i = 0; i < 23; i++) {
        v[i] = i % 3 == 0 ? -1 / sqrt(23) : 1 / sqrt(23);
    }
    od_krylov *k = od_krylov_create(23, STEPS);
    assert_non_null(k);
    check_done(*state, od_krylov_rule(*state, k, multiply, &a, v, node, weight, &n) == OD_OK);
    assert_int_equal(n, STEPS);
    memcpy(u, v, sizeof u);
    for (int power = 0; power < 2 * STEPS; power++) {
        double want = 0, got = 0, size = 0;
        for (size_t i = 0; i < 23; i++) {
            want += v[i] * u[i];
        }
        for (size_t i = 0; i < STEPS; i++) {
            got += weight[i] * pow(node[i], power);
            size += weight[i] * pow(fabs(node[i]), power);
        }
        check_close(got, want, 1e-12 * size);
        multiply(&a, u, au);
        memcpy(u, au, sizeof u);
    }
    od_krylov_free(k);
}

/* The eigenvalue that was followed is overtaken by another: four steps find the new one, sooner or later. */
static void the_followed_eigenvalue_may_be_overtaken(void **state)
{
    matrix a = {.d = 50};
    double vector[50] = {0};
    od_krylov *k = od_krylov_create(50, 12);
    assert_non_null(k);
    turn(&a);
    for (int time = 0; time <= 20; time++) {
        od_extremes e;
        for (size_t i = 0; i < 50; i++) {
            a.lambda[i] = 0.01 * (double)i;
        }
        a.lambda[7] = 5;
        a.lambda[8] = 4 + 0.1 * time;
        check_done(*state, od_krylov_largest(*state, k, multiply, &a, 1e-6, (uint64_t)time, vector, &e) == OD_OK);
        check_close(e.high, fmax(5, a.lambda[8]), fmax(e.high_error, 1e-12));
        assert_true(e.high_error <= 1e-2);
    }
    od_krylov_free(k);
}

static void ends_are_those_of_lapack(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        matrix a;
        od_spectrum_found f;
        draw(&a, 40, seed);
        const od_spectrum_wish wish = {.top = 4, .bottom = 3, .tolerance = 1e-9, .steps = 40, .rule = 1};
        check_done(*state, od_spectrum_find(*state, 40, multiply, &a, &wish, &f) == OD_OK);
        assert_true(f.top.complete && f.bottom.complete && f.top.count == 4 && f.bottom.count == 3);
        for (size_t i = 0; i < 4; i++) {
            check_close(f.top.value[i], a.lambda[39 - i], fmax(f.top.error[i], 1e-12));
            assert_true(f.top.error[i] <= 1e-6);
        }
        for (size_t i = 0; i < 3; i++) {
            check_close(f.bottom.value[i], a.lambda[i], fmax(f.bottom.error[i], 1e-12));
        }
        assert_true(f.top.ceiling >= a.lambda[35] - 1e-12);
        assert_true(f.bottom.ceiling <= a.lambda[3] + 1e-12);
        assert_true(isnan(f.trace.value) && f.at == NULL);
        od_spectrum_close(&f);
    }
}

/* Losses of the library: the Hessian at a point by its products with all basis vectors, and LAPACK's eigenvalues. */
typedef struct hessian {
    const od_problem *f;
    const double *x;
    double *ws;
} hessian;

static od_status hessian_times(void *user, const double *v, double *av)
{
    const hessian *h = user;
    return h->f->hvp(h->f, 1, h->x, 1, v, av, h->ws);
}

static void hessians_of_losses_have_the_spectra_of_lapack(void **state)
{
    static const char *const problem[] = {
        "{name: rosenbrock, dim: 30}",
        "{name: styblinski-tang, dim: 24}",
        "{name: logistic-regression, data: clusters, samples: 200, features: 21, lambda: 0.01}",
        "{name: sigmoid-regression, data: clusters, samples: 200, features: 21, lambda: 0.01}",
        "{name: least-squares, data: teacher, samples: 150, features: 33}",
    };
    for (size_t i = 0; i < sizeof problem / sizeof *problem; i++) {
        od_problem *f = od_problem_create(*state, problem[i]);
        check_done(*state, f != NULL);
        const size_t d = f->dim;
        assert_true(d <= MOST);
        double x[MOST], unit[MOST] = {0}, dense[MOST * MOST], lambda[MOST], trace = 0, size = 0;
        hessian h = {f, x, calloc(od_scratch_size(&f->scratch, 1) + 1, sizeof(double))};
        assert_non_null(h.ws);
        for (size_t k = 0; k < d; k++) {
            x[k] = 0.7 * od_normal(9, OD_STREAM_CHECK, i, k, 0);
        }
        for (size_t k = 0; k < d; k++) {
            unit[k] = 1;
            assert_int_equal(hessian_times(&h, unit, dense + k * d), OD_OK);
            unit[k] = 0;
            trace += dense[k * d + k];
        }
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int)d, dense, (int)d, lambda), 0);
        size = fmax(fabs(lambda[0]), fabs(lambda[d - 1]));
        const od_spectrum_wish wish = {.top = 5,
                                       .bottom = 2,
                                       .tolerance = 1e-10,
                                       .steps = MOST,
                                       .probes = 200,
                                       .rule = 8,
                                       .seed = 1,
                                       .width = NAN};
        od_spectrum_found found;
        check_done(*state, od_spectrum_find(*state, d, hessian_times, &h, &wish, &found) == OD_OK);
        assert_true(found.top.complete && found.bottom.complete);
        for (size_t k = 0; k < 5; k++) {
            check_close(found.top.value[k], lambda[d - 1 - k], fmax(found.top.error[k], 1e-13 * size));
        }
        for (size_t k = 0; k < 2; k++) {
            check_close(found.bottom.value[k], lambda[k], fmax(found.bottom.error[k], 1e-13 * size));
        }
        /* 4.5 standard errors, near enough normal with 200 probes: 1e-5 each of a right program, 5e-5 in all */
        check_close(found.trace.value, trace, 4.5 * found.trace.error + 1e-12 * size);
        od_spectrum_close(&found);
        free(h.ws);
        od_problem_free(f);
    }
}

/*
 * Probes of random signs: the trace has variance 2 sum_{i != j} a_ij^2 a probe. Pooled over 300 seeds of 32 probes its
 * mean is normal: 4.5 standard errors are passed with probability 7e-6 by a right program; likewise at five points of
 * the density, whose rule of all d nodes has no bias, 4e-5 in all. The mean of the squared standard errors has
 * relative standard deviation below 0.03, so that 20 % are more than 6 of these.
 */
static void probes_are_unbiased_and_their_errors_true(void **state)
{
    enum { SEEDS = 300, PROBES = 32, D = 12, AT = 5 };
    const double width = 0.9;
    matrix a;
    draw(&a, D, 77);
    double trace = 0, square = 0, off = 0, mean = 0, squares = 0, stated = 0;
    for (size_t i = 0; i < D; i++) {
        trace += a.dense[i * D + i];
        for (size_t j = 0; j < D; j++) {
            square += a.dense[i * D + j] * a.dense[i * D + j];
            off += i != j ? 2 * a.dense[i * D + j] * a.dense[i * D + j] : 0;
        }
    }
    double sum[AT] = {0}, sum2[AT] = {0}, errors[AT] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const od_spectrum_wish wish = {.probes = PROBES, .rule = D, .width = width, .seed = seed};
        od_spectrum_found f;
        check_done(*state, od_spectrum_find(*state, D, multiply, &a, &wish, &f) == OD_OK);
        mean += f.trace.value / SEEDS;
        squares += f.square.value / SEEDS;
        stated += f.trace.error * f.trace.error / SEEDS;
        double whole = 0;
        for (size_t k = 0; k < OD_DENSITY_POINTS; k++) {
            whole += f.density[k] * (f.at[1] - f.at[0]);
        }
        check_close(whole, 1, 1e-3); /* tails beyond four widths: 6e-5 */
        for (size_t k = 0; k < AT; k++) {
            const size_t point = 30 + 35 * k;
            double want = 0;
            for (size_t i = 0; i < D; i++) {
                const double z = (f.at[point] - a.lambda[i]) / width;
                want += exp(-z * z / 2) / (width * sqrt(2 * 3.14159265358979323846)) / D;
            }
            sum[k] += (f.density[point] - want) / SEEDS;
            sum2[k] += (f.density[point] - want) * (f.density[point] - want) / SEEDS;
            errors[k] += f.error[point] * f.error[point] / SEEDS;
        }
        od_spectrum_close(&f);
    }
    const double variance = off / PROBES;
    check_close(mean, trace, 4.5 * sqrt(variance / SEEDS));
    check_relative(stated, variance, 0.2);
    check_relative(squares, square, 0.1); /* |A^2|_F gives 0.9 % as its standard error */
    for (size_t k = 0; k < AT; k++) {
        check_close(sum[k], 0, 4.5 * sqrt(sum2[k] / SEEDS));
        check_relative(errors[k], sum2[k], 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(repeated_eigenvalues_come_as_often_as_they_are),
        test_with_context(too_few_steps_leave_a_lower_bound),
        test_with_context(rules_are_exact_to_their_degree),
        test_with_context(the_followed_eigenvalue_may_be_overtaken),
        test_with_context(ends_are_those_of_lapack),
        test_with_context(hessians_of_losses_have_the_spectra_of_lapack),
        test_with_context(probes_are_unbiased_and_their_errors_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
