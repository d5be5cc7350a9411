/*
 * Streamed moments and bins against sums written out by hand.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/statistics.h"

/* Four points in three columns, component-major: point p is (data[p], data[4 + p], data[8 + p]). */
static const double data[12] = {1, 4, 2, 5, -2, 3, 0.5, 6.5, 10, -7, 2.5, 0.5};

/* By hand: for columns 1 and 2 the sum is (-2)(-4) + 1 * 1 + (-1)(-1.5) + 2 * 4.5 = 19.5. */
static const double means[3] = {3, 2, 1.5};
static const double sums[3][3] = {{10, 19.5, -28.5}, {19.5, 39.5, -48.5}, {-28.5, -48.5, 146.5}};

static void check_sums(const od_moments *a, size_t row)
{
    assert_int_equal(a->count[row], 4);
    for (size_t i = 0; i < 3; i++) {
        check_close(a->mean[3 * row + i], means[i], 1e-14);
        for (size_t j = 0; j < 3; j++) {
            check_close(od_moments_cov(a, row, i, j), sums[i][j] / 3, 1e-13);
        }
    }
}

static void products_of_deviations_are_the_written_out_ones(void **state)
{
    (void)state;
    od_moments a;
    assert_false(od_moments_init(&a, SIZE_MAX / 2, 3, true)); /* more numbers than can be counted */
    od_moments_free(&a);
    assert_true(od_moments_init(&a, 2, 3, true));
    for (size_t p = 0; p < 4; p++) {
        od_moments_add(&a, 1, data + p, 4);
    }
    check_sums(&a, 1);
    assert_true(isnan(od_moments_cov(&a, 0, 0, 1)) && isnan(od_moments_var(&a, 0, 0)));
    check_close(od_moments_cov(&a, 1, 2, 2), od_moments_var(&a, 1, 2), 0);
    od_moments_free(&a);
}

static void merged_parts_are_the_whole(void **state)
{
    (void)state;
    /* every way to cut four points in two, an empty part among them */
    for (size_t cut = 0; cut <= 4; cut++) {
        od_moments a, b;
        assert_true(od_moments_init(&a, 1, 3, true) && od_moments_init(&b, 1, 3, true));
        for (size_t p = 0; p < 4; p++) {
            od_moments_add(p < cut ? &a : &b, 0, data + p, 4);
        }
        od_moments_merge(&a, &b);
        check_sums(&a, 0);
        od_moments_free(&a);
        od_moments_free(&b);
    }
}

static void covariances_that_are_not_kept_are_unknown(void **state)
{
    (void)state;
    od_moments a;
    assert_true(od_moments_init(&a, 1, 3, false));
    for (size_t p = 0; p < 4; p++) {
        od_moments_add(&a, 0, data + p, 4);
    }
    check_close(od_moments_cov(&a, 0, 1, 1), 39.5 / 3, 1e-14);
    assert_true(isnan(od_moments_cov(&a, 0, 0, 1)));
    od_moments_free(&a);
    /* one column has no pairs, none has no numbers; too many are refused */
    for (size_t cols = 0; cols < 2; cols++) {
        assert_true(od_moments_init(&a, 3, cols, true));
        od_moments_free(&a);
    }
    assert_false(od_moments_init(&a, SIZE_MAX / 4, 3, true));
    assert_null(a.count);
}

/* Bins follow one another from minus to plus infinity, and a number lies in the bin it is counted in. */
static void bins_hold_what_is_counted_in_them(void **state)
{
    (void)state;
    double low, high, before;
    od_bin_bounds(0, &low, &before);
    assert_true(isinf(low) && before == -0x1p32 * (1 - 1.0 / 128));
    for (size_t i = 1; i < OD_BINS; i++) {
        od_bin_bounds(i, &low, &high);
        assert_true(low == before && high > low);
        const double centre = od_bin_centre(i);
        assert_true(centre > low && centre < high);
        assert_int_equal(od_bin(centre), i);
        /* a bin keeps the bound that is nearer to zero */
        assert_int_equal(od_bin(i > OD_SIDE ? low : isinf(high) ? 1e300 : nextafter(high, -INFINITY)), i);
        if (i != OD_SIDE && isfinite(high)) {
            check_close(high, centre, fabs(centre) / 128);
            check_close(low, centre, fabs(centre) / 128);
        }
        before = high;
    }
    assert_true(isinf(high));
    assert_int_equal(od_bin(0.0), OD_SIDE);
    assert_int_equal(od_bin(-0x1p-33), OD_SIDE);
    assert_int_equal(od_bin(-1e200), 0);
    assert_int_equal(od_bin(INFINITY), OD_BINS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_hold_what_is_counted_in_them),
        cmocka_unit_test(products_of_deviations_are_the_written_out_ones),
        cmocka_unit_test(merged_parts_are_the_whole),
        cmocka_unit_test(covariances_that_are_not_kept_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
