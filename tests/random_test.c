/*
 * Random numbers and Brownian paths.
 *
 * False-alarm rates: each statistical test has a fixed seed, so it passes always or never; over seeds, each bound of
 * five standard errors would be missed with probability 6e-7; other bounds say their own.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/random.h"

#include <Random123/philox.h>
#include <sleef.h>
#include <stdlib.h>

/* sleef.h shows these only to compilers that target FMA, but they are plain C and run everywhere. */
double Sleef_finz_logd1_u35purecfma(double x);
Sleef_double_2 Sleef_finz_sincosd1_u35purecfma(double x);

/* What all versions must give, by Random123's own function and the scalar functions of SLEEF. */
static void two_normals(uint64_t seed, unsigned stream, unsigned level, uint64_t path, uint64_t pair, uint64_t step,
                        double *a, double *b)
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {{(uint32_t)path, (uint32_t)step, (uint32_t)pair, od_counter_high(stream, level, step)}};
    const philox4x32_ctr_t w = philox4x32(counter, key);
    const double u = (double)(((uint64_t)w.v[1] << 32 | w.v[0]) >> 12) * 0x1p-52 + 0x1p-53;
    const double v = (double)(((uint64_t)w.v[3] << 32 | w.v[2]) >> 12) * 0x1p-52 + 0x1p-53;
    const double radius = sqrt(-2 * Sleef_finz_logd1_u35purecfma(u));
    const Sleef_double_2 turn = Sleef_finz_sincosd1_u35purecfma(od_two_pi * v);
    *a = radius * turn.y;
    *b = radius * turn.x;
}

/*
 * Vectors of Random123 1.14, tests/kat_vectors, "philox4x32 10", through our own counters: the normals of a draw are a
 * function of its four words, here by the C library's functions, so 1e-14 is for rounding.
 */
static void normals_are_made_of_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], word[4];
    } published[3] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (unsigned i = 0; i < 3 * OD_NORMALS_VERSIONS; i++) {
        const uint32_t *c = published[i / 3].counter, *key = published[i / 3].key, *w = published[i / 3].word;
        od_normals *normals = od_normals_version(i % 3);
        if (normals == NULL) {
            continue;
        }
        const unsigned stream = c[3] >> 28, level = c[3] >> 22 & 63;
        const uint64_t step = (uint64_t)(c[3] & 0x3fffff) << 32 | c[1];
        const double u = ldexp(w[1], -32) + ldexp(w[0] >> 12, -52) + 0x1p-53;
        const double v = ldexp(w[3], -32) + ldexp(w[2] >> 12, -52) + 0x1p-53;
        double a, b;
        normals((uint64_t)key[1] << 32 | key[0], stream, level, c[0], c[2], step, 1, 1, &a, &b);
        check_close(a, sqrt(-2 * log(u)) * cos(2 * acos(-1) * v), 1e-14);
        check_close(b, sqrt(-2 * log(u)) * sin(2 * acos(-1) * v), 1e-14);
    }
}

/* The bare vectors, for the uniforms, whose words are Random123's own. */
static void uniforms_are_the_published_vectors(void **state)
{
    (void)state;
    const double cell = 0x1p-52, half = 0x1p-53;
    check_close(od_uniform(0, 0, 0, 0, 0), (double)(UINT64_C(0xe169c58d6627e8d5) >> 12) * cell + half, 0);
    check_close(od_uniform(0, 0, 0, 1, 0), (double)(UINT64_C(0x9b00dbd8bc57ac4c) >> 12) * cell + half, 0);
}

static void version_equals_scalar(od_normals *normals, size_t n, uint64_t seed, uint64_t path, uint64_t step)
{
    enum { ROOM = 300 };
    const double scale = 0.17;
    double a[ROOM], b[ROOM], alone[ROOM];
    normals(seed, OD_STREAM_START, 5, path, 5, step, scale, n, a, b);
    normals(seed, OD_STREAM_START, 5, path, 5, step, scale, n, alone, NULL);
    assert_memory_equal(alone, a, n * sizeof *a);
    for (size_t p = 0; p < n; p++) {
        double want[2];
        two_normals(seed, OD_STREAM_START, 5, path + p, 5, step, &want[0], &want[1]);
        want[0] *= scale;
        want[1] *= scale;
        assert_memory_equal(&a[p], &want[0], sizeof a[p]);
        assert_memory_equal(&b[p], &want[1], sizeof b[p]);
    }
}

/* Each version against Random123's own function and SLEEF's scalar ones, with tails of all lengths. */
static void versions_agree_to_the_bit(void **state)
{
    (void)state;
    for (unsigned which = 0; which < OD_NORMALS_VERSIONS; which++) {
        od_normals *normals = od_normals_version(which);
        assert_true(which > 0 || normals != NULL);
        for (uint64_t k = 0; k < 1000 && normals != NULL; k++) {
            version_equals_scalar(normals, 1 + k % 40, UINT64_C(0x9e3779b97f4a7c15) * (k + 1), k * 977, k << 30);
        }
        for (size_t n = 125; n < 300 && normals != NULL; n += 29) {
            version_equals_scalar(normals, n, 7, UINT64_C(0xffffffff) - 60, 11);
        }
    }
}

enum { SAMPLE = 1000000, SAMPLE_PATHS = 1000, SAMPLE_STEPS = SAMPLE / 2 / SAMPLE_PATHS };

/* Normals of many paths and steps: sample[step][component][path]. */
static double (*draw_sample(void))[2][SAMPLE_PATHS]
{
    static double sample[SAMPLE_STEPS][2][SAMPLE_PATHS];
    for (uint64_t step = 0; step < SAMPLE_STEPS; step++) {
        od_normals_best()(2385, OD_STREAM_CHECK, 0, 17, 3, step, 1, SAMPLE_PATHS, sample[step][0], sample[step][1]);
    }
    return sample;
}

/* Each of the eight bounds of 4.5 standard errors is missed with probability 7e-6. */
static void normals_have_the_right_moments(void **state)
{
    (void)state;
    const double *x = draw_sample()[0][0];
    double sum[9] = {0};
    for (size_t i = 0; i < SAMPLE; i++) {
        double power = 1;
        for (int k = 1; k <= 8; k++) {
            power *= x[i];
            sum[k] += power;
        }
    }
    const double moment[9] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
    const double square[9] = {1, 1, 3, 15, 105, 945, 10395, 135135, 2027025};
    for (int k = 1; k <= 8; k++) {
        check_close(sum[k] / SAMPLE, moment[k], 4.5 * sqrt((square[k] - moment[k] * moment[k]) / SAMPLE));
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/*
 * Kolmogorov-Smirnov and Anderson-Darling. In the limit sqrt(n) D > 2.7 has probability 2 exp(-2 * 2.7^2) = 9e-7, and
 * A^2 = sum_j Y_j^2/(j (j + 1)) > 13, whose tail is that of its first term times sqrt(3), sqrt(3) erfc(sqrt(13)) =
 * 6e-7.
 */
static void normals_have_the_normal_law(void **state)
{
    (void)state;
    double *x = draw_sample()[0][0], distance = 0, sum = 0;
    qsort(x, SAMPLE, sizeof *x, compare);
    for (size_t i = 0; i < SAMPLE; i++) {
        const double below = erfc(-x[i] / sqrt(2)) / 2, above = erfc(x[SAMPLE - 1 - i] / sqrt(2)) / 2;
        distance = fmax(distance, fmax(below - (double)i / SAMPLE, (double)(i + 1) / SAMPLE - below));
        sum += (2 * (double)i + 1) * (log(below) + log(above));
    }
    check_close(sqrt(SAMPLE) * distance, 0, 2.7);
    check_close(-SAMPLE - sum / SAMPLE, 0, 13);
    /* none is farther out than the uniforms allow, and some are far: 0.6 are expected beyond 5, 63 beyond 4 */
    assert_true(x[0] > -8.6 && x[SAMPLE - 1] < 8.6 && x[0] < -4 && x[SAMPLE - 1] > 4);
}

/* Of components, paths and steps; each of the six bounds of 4.5 standard errors is missed with probability 7e-6. */
static void neighbours_are_independent(void **state)
{
    (void)state;
    double(*x)[2][SAMPLE_PATHS] = draw_sample(), plain[3] = {0}, squares[3] = {0}, count = 0;
    for (size_t k = 0; k + 1 < SAMPLE_STEPS; k++) {
        for (size_t p = 0; p + 1 < SAMPLE_PATHS; p++) {
            const double here = x[k][0][p], next[3] = {x[k][1][p], x[k][0][p + 1], x[k + 1][0][p]};
            for (size_t i = 0; i < 3; i++) {
                plain[i] += here * next[i];
                squares[i] += (here * here - 1) * (next[i] * next[i] - 1);
            }
            count++;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        check_close(plain[i] / count, 0, 4.5 / sqrt(count));
        check_close(squares[i] / count, 0, 4.5 * 2 / sqrt(count));
    }
}

static void uniforms_and_indices_fill_their_range(void **state)
{
    (void)state;
    enum { N = 200000 };
    double mean = 0;
    size_t count[7] = {0};
    for (uint64_t i = 0; i < N; i++) {
        double u = od_uniform(11, OD_STREAM_CHECK, i, 3, 9);
        assert_true(u > 0 && u < 1);
        mean += u / N;
        uint32_t k = od_index(11, OD_STREAM_BATCH, i, 0, 1, 7);
        assert_true(k < 7);
        count[k]++;
    }
    check_close(mean, 0.5, 5 * sqrt(1.0 / 12 / N));
    for (unsigned k = 0; k < 7; k++) {
        check_close((double)count[k] / N, 1.0 / 7, 5 * sqrt(6.0 / 49 / N));
    }
}

enum { PATHS = 4096, DIM = 3 };

static const od_brownian motion = {.seed = 7, .origin = 1.5, .base = 0.4, .dim = DIM};

static void draw(double a, double b, uint64_t first, size_t n, double *dw, double *integral)
{
    od_interval interval;
    assert_int_equal(od_brownian_interval(&motion, a, b, &interval), OD_OK);
    od_brownian_increment(&motion, &interval, first, n, dw, integral);
}

static void halves_add_up(void **state)
{
    (void)state;
    static double w[DIM * PATHS], i[DIM * PATHS], w1[DIM * PATHS], i1[DIM * PATHS], w2[DIM * PATHS], i2[DIM * PATHS];
    /* three base cells against six halves, and the time integral of the whole: I = I1 + I2 + W1 h */
    draw(1.9, 3.1, 0, PATHS, w, i);
    draw(1.9, 2.5, 0, PATHS, w1, i1);
    draw(2.5, 3.1, 0, PATHS, w2, i2);
    for (size_t k = 0; k < DIM * PATHS; k++) {
        check_close(w1[k] + w2[k], w[k], 1e-14);
        check_close(i1[k] + i2[k] + 0.6 * w1[k], i[k], 1e-14);
    }
}

static void asking_for_the_integral_changes_nothing(void **state)
{
    (void)state;
    static double w[DIM * PATHS], again[DIM * PATHS], i[DIM * PATHS];
    draw(1.6, 1.7, 0, PATHS, w, NULL);
    draw(1.6, 1.7, 0, PATHS, again, i);
    assert_memory_equal(w, again, sizeof w);
}

/* Variances and covariances of (W, I) on a cell of level 2 and independence of neighbours. */
static void bridge_has_the_law_of_brownian_motion(void **state)
{
    (void)state;
    enum { BLOCKS = 50 };
    static double w[DIM * PATHS], i[DIM * PATHS], next[DIM * PATHS];
    const double h = 0.1, n = (double)BLOCKS * PATHS * DIM;
    double ww = 0, wi = 0, ii = 0, neighbours = 0;
    for (uint64_t block = 0; block < BLOCKS; block++) {
        draw(1.7, 1.8, block * PATHS, PATHS, w, i);
        draw(1.8, 1.9, block * PATHS, PATHS, next, NULL);
        for (size_t k = 0; k < DIM * PATHS; k++) {
            ww += w[k] * w[k] / n;
            wi += w[k] * i[k] / n;
            ii += i[k] * i[k] / n;
            neighbours += w[k] * next[k] / n;
        }
    }
    check_relative(ww, h, 5 * sqrt(2 / n));
    check_relative(wi, h * h / 2, 5 * sqrt((1 + 4.0 / 3) / n));
    check_relative(ii, h * h * h / 3, 5 * sqrt(2 / n));
    check_close(neighbours, 0, 5 * h / sqrt(n));
}

/*
 * Increments and integrals of four neighbouring cells of level 3, two on either side of a boundary of level 0: all 36
 * covariances. In units of h^(1/2) and h^(3/2), and with the other terms 0: Var W = 1, Cov(W, I) = 1/2, Var I = 1/3.
 */
static void refined_cells_have_the_joint_law(void **state)
{
    (void)state;
    enum { BLOCKS = 20, CELLS = 4, VARIABLES = 2 * CELLS };
    static double x[VARIABLES][DIM * PATHS];
    const double h = 0.05, n = (double)BLOCKS * PATHS * DIM;
    double covariance[VARIABLES][VARIABLES] = {{0}};
    for (uint64_t block = 0; block < BLOCKS; block++) {
        for (size_t c = 0; c < CELLS; c++) {
            draw(1.8 + (double)c * h, 1.8 + (double)(c + 1) * h, block * PATHS, PATHS, x[2 * c], x[2 * c + 1]);
        }
        for (size_t i = 0; i < VARIABLES; i++) {
            for (size_t j = 0; j <= i; j++) {
                const double unit = pow(h, 1 + (double)(i % 2) + (double)(j % 2));
                for (size_t k = 0; k < DIM * PATHS; k++) {
                    covariance[i][j] += x[i][k] * x[j][k] / (n * unit);
                }
            }
        }
    }
    const double law[2][2] = {{1, 1.0 / 2}, {1.0 / 2, 1.0 / 3}};
    for (size_t i = 0; i < VARIABLES; i++) {
        for (size_t j = 0; j <= i; j++) {
            const double want = i / 2 == j / 2 ? law[i % 2][j % 2] : 0;
            const double variance = law[i % 2][i % 2] * law[j % 2][j % 2] + want * want;
            check_close(covariance[i][j], want, 5 * sqrt(variance / n));
        }
    }
}

static void blocks_do_not_change_the_bits(void **state)
{
    (void)state;
    static double whole[DIM * 100], part[DIM * 7];
    draw(1.5, 1.55, 1000, 100, whole, NULL);
    for (size_t first = 0; first + 7 <= 100; first += 7) {
        draw(1.5, 1.55, 1000 + first, 7, part, NULL);
        for (size_t c = 0; c < DIM; c++) {
            assert_memory_equal(part + c * 7, whole + c * 100 + first, 7 * sizeof(double));
        }
    }
}

static void times_off_the_grid_are_refused(void **state)
{
    (void)state;
    od_interval interval;
    assert_int_equal(od_brownian_interval(&motion, 1.5, 1.5 + 0.4 / 3, &interval), OD_EINVAL);
    assert_int_equal(od_brownian_interval(&motion, 1.9, 1.9, &interval), OD_EINVAL);
    assert_int_equal(od_brownian_interval(&motion, 1.0, 1.5, &interval), OD_EINVAL);
    assert_int_equal(od_brownian_interval(&motion, NAN, 1.9, &interval), OD_EINVAL);
    assert_int_equal(od_brownian_interval(&motion, 1e300, 2e300, &interval), OD_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normals_are_made_of_the_published_vectors),
        cmocka_unit_test(uniforms_are_the_published_vectors),
        cmocka_unit_test(versions_agree_to_the_bit),
        cmocka_unit_test(normals_have_the_right_moments),
        cmocka_unit_test(normals_have_the_normal_law),
        cmocka_unit_test(neighbours_are_independent),
        cmocka_unit_test(uniforms_and_indices_fill_their_range),
        cmocka_unit_test(halves_add_up),
        cmocka_unit_test(asking_for_the_integral_changes_nothing),
        cmocka_unit_test(bridge_has_the_law_of_brownian_motion),
        cmocka_unit_test(refined_cells_have_the_joint_law),
        cmocka_unit_test(blocks_do_not_change_the_bits),
        cmocka_unit_test(times_off_the_grid_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
