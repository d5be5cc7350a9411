/*
 * Random numbers and Brownian paths.
 *
 * False-alarm rates: each statistical test has a fixed seed, so it passes always or never; over seeds, each bound of
 * five standard errors would be missed with probability 6e-7.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/random.h"

#include <Random123/philox.h>

/* Vectors of Random123 1.14, tests/kat_vectors, "philox4x32 10": our counters must be the library's. */
static void philox_matches_published_vectors(void **state)
{
    (void)state;
    philox4x32_ctr_t zero = {{0, 0, 0, 0}}, pi = {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
    philox4x32_key_t k0 = {{0, 0}}, k1 = {{0xa4093822, 0x299f31d0}};
    philox4x32_ctr_t a = philox4x32(zero, k0), b = philox4x32(pi, k1);
    const uint32_t want_a[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    const uint32_t want_b[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    assert_memory_equal(a.v, want_a, sizeof want_a);
    assert_memory_equal(b.v, want_b, sizeof want_b);
}

/* The lanes of the vector versions equal the scalar od_normal, which calls Random123 itself. */
static void versions_agree_to_the_bit(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 2; which++) {
        od_normals *normals = od_normals_version(which);
        if (normals == NULL) {
            continue;
        }
        for (uint64_t step = 0; step < 1000; step++) {
            const uint64_t seed = UINT64_C(0x9e3779b97f4a7c15) * (step + 1), path = step * 977, when = step << 30;
            double a[OD_LANES], b[OD_LANES];
            normals(seed, OD_STREAM_START, 0, path, 5, when, a, b);
            for (unsigned lane = 0; lane < OD_LANES; lane++) {
                double x = od_normal(seed, OD_STREAM_START, path + lane, 10, when);
                double y = od_normal(seed, OD_STREAM_START, path + lane, 11, when);
                assert_memory_equal(&a[lane], &x, sizeof x);
                assert_memory_equal(&b[lane], &y, sizeof y);
            }
        }
    }
}

static void normals_have_the_right_moments(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double sum[9] = {0};
    for (uint64_t i = 0; i < N / 2; i++) {
        for (unsigned c = 0; c < 2; c++) {
            double x = od_normal(2385, OD_STREAM_CHECK, i % 1000, c, i / 1000), power = 1;
            for (int k = 1; k <= 8; k++) {
                power *= x;
                sum[k] += power;
            }
        }
    }
    const double moment[9] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
    const double square[9] = {1, 1, 3, 15, 105, 945, 10395, 135135, 2027025};
    for (int k = 1; k <= 8; k++) {
        check_close(sum[k] / N, moment[k], 5 * sqrt((square[k] - moment[k] * moment[k]) / N));
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_matches_published_vectors),
        cmocka_unit_test(versions_agree_to_the_bit),
        cmocka_unit_test(normals_have_the_right_moments),
        cmocka_unit_test(uniforms_and_indices_fill_their_range),
        cmocka_unit_test(halves_add_up),
        cmocka_unit_test(asking_for_the_integral_changes_nothing),
        cmocka_unit_test(bridge_has_the_law_of_brownian_motion),
        cmocka_unit_test(blocks_do_not_change_the_bits),
        cmocka_unit_test(times_off_the_grid_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
