/*
 * Slopes of one logarithm against another, with Student's interval.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/relation.h"

/* Printed tables, for example Abramowitz and Stegun (1964), table 26.10. */
static void quantiles_are_those_of_the_tables(void **state)
{
    static const struct {
        size_t n;
        double t;
    } table[] = {{1, 12.706}, {2, 4.303}, {3, 3.182}, {4, 2.776}, {5, 2.571}, {10, 2.228}, {30, 2.042}, {120, 1.980}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_close(od_relation_student(table[i].n), table[i].t, 6e-4);
    }
}

/* ln y = 0.1, 0.9, 2.2 at ln x = 0, 1, 2: slope 2.1/2, residuals 1/12 (1, -2, 1), so its error is sqrt(1/24/2), times t
 * of one degree, 12.7062. */
static void a_fit_by_hand(void **state)
{
    (void)state;
    const double x[5] = {1, -1, exp(1), exp(2), 3}, y[5] = {exp(0.1), 2, exp(0.9), exp(2.2), NAN};
    const od_relation r = od_relation_fit(5, x, y);
    assert_int_equal(r.used, 3);
    check_relative(r.slope, 1.05, 1e-14);
    check_close(r.high - r.slope, 12.7062 * sqrt(1.0 / 24 / 2), 1e-4);
    check_close(r.slope - r.low, r.high - r.slope, 1e-13);
}

static void too_few_points_have_no_slope(void **state)
{
    (void)state;
    const double x[3] = {2, 2, 3}, y[3] = {1, 2, 5};
    assert_true(isnan(od_relation_fit(2, x, y).slope));
    assert_true(isnan(od_relation_fit(1, x, y).slope));
    const od_relation r = od_relation_fit(2, x + 1, y + 1);
    check_relative(r.slope, log(2.5) / log(1.5), 1e-14);
    assert_true(isnan(r.low) && isnan(r.high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(a_fit_by_hand),
        cmocka_unit_test(too_few_points_have_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
