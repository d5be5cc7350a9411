/*
 * Kinks and jumps of functions that are known, on lines that miss them too.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/kink.h"

typedef struct line {
    double (*f)(double), (*slope)(double);
    size_t evaluations, fails_at;
} line;

static od_status evaluate(void *user, double s, double *f, double *slope)
{
    line *l = user;
    *f = l->f(s);
    *slope = l->slope(s);
    return ++l->evaluations == l->fails_at ? OD_EUSER : OD_OK;
}

static double kinked(double s)
{
    return sin(s) + 0.001 * fabs(s - 0.2385);
}

static double kinked_slope(double s)
{
    return cos(s) + (s > 0.2385 ? 0.001 : -0.001);
}

static double stairs(double s)
{
    return s + 0.1 * floor(3 * s);
}

static double one(double s)
{
    (void)s;
    return 1;
}

static double steep(double s)
{
    return tanh(1e6 * s);
}

static double steep_slope(double s)
{
    return 1e6 / (cosh(1e6 * s) * cosh(1e6 * s));
}

static double huber(double s)
{
    return fabs(s) < 0.3 ? s * s / 2 : 0.3 * fabs(s) - 0.045;
}

static double huber_slope(double s)
{
    return fmax(-0.3, fmin(0.3, s));
}

static double rounded(double s)
{
    return (double)(float)sin(s);
}

static double rounded_slope(double s)
{
    return (double)(float)cos(s);
}

static double flat(double s)
{
    (void)s;
    return 3;
}

static double zero(double s)
{
    (void)s;
    return 0;
}

static double undefined(double s)
{
    return log(s);
}

static double undefined_slope(double s)
{
    return s > 0 ? 1 / s : NAN;
}

/* The kink's slope jumps by 0.002 of 1.001; the stairs by 0.1 of 2 + 0.6. */
static void jumps_are_found_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        double (*f)(double), (*slope)(double);
        od_kink kink;
        double size;
    } cases[] = {
        {kinked, kinked_slope, OD_KINK_SLOPE, 0.002 / 1.001},
        {stairs, one, OD_KINK_VALUE, 0.1 / 2.6},
        {sin, cos, OD_KINK_NONE, 0},
        {steep, steep_slope, OD_KINK_NONE, 0},
        {huber, huber_slope, OD_KINK_NONE, 0}, /* only its curvature jumps */
        {rounded, rounded_slope, OD_KINK_NONE, 0},
        {flat, zero, OD_KINK_NONE, 0},
        {undefined, undefined_slope, OD_KINK_NONE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        line l = {.f = cases[i].f, .slope = cases[i].slope};
        od_kink kink;
        double size;
        assert_int_equal(od_kink_seek(evaluate, &l, 1, false, &kink, &size), OD_OK);
        if (kink != cases[i].kink) {
            fail_msg("case %zu: %d, size %g", i, (int)kink, size);
        }
        check_close(size, cases[i].size, 1e-2 * cases[i].size);
    }
}

/* With the precision of float32 only large jumps can be told from rounding. */
static void single_precision_asks_for_more(void **state)
{
    (void)state;
    line l = {.f = stairs, .slope = one};
    od_kink kink;
    double size;
    assert_int_equal(od_kink_seek(evaluate, &l, 1, true, &kink, &size), OD_OK);
    assert_int_equal(kink, OD_KINK_VALUE);
    l = (line){.f = rounded, .slope = rounded_slope};
    assert_int_equal(od_kink_seek(evaluate, &l, 1, true, &kink, &size), OD_OK);
    assert_int_equal(kink, OD_KINK_NONE);
}

static void smooth_lines_cost_little_and_failures_come_through(void **state)
{
    (void)state;
    line l = {.f = sin, .slope = cos};
    od_kink kink;
    double size;
    assert_int_equal(od_kink_seek(evaluate, &l, 1, false, &kink, &size), OD_OK);
    const size_t smooth = l.evaluations;
    assert_true(smooth < 17 + 2 * 16); /* 4^-16 is below what counts as nothing */
    for (size_t k = 1; k <= smooth; k++) {
        l = (line){.f = sin, .slope = cos, .fails_at = k};
        assert_int_equal(od_kink_seek(evaluate, &l, 1, false, &kink, &size), OD_EUSER);
        assert_int_equal(kink, OD_KINK_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jumps_are_found_and_nothing_else),
        cmocka_unit_test(single_precision_asks_for_more),
        cmocka_unit_test(smooth_lines_cost_little_and_failures_come_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
