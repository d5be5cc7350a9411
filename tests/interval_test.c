/*
 * Intervals of doubles against balls: the function at the ends and within lies inside, and the interval is hardly wider
 * than it must be. Arguments are drawn from fixed counters.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "../analysis/interval.h"

#include <arb.h>

enum { DRAWS = 4000, BITS = 200 };

typedef struct function {
    const char *name;
    od_span (*span)(od_span x);
    void (*ball)(arb_t y, const arb_t x, slong bits);
    double low, high; /* of the arguments */
} function;

static void logistic(arb_t y, const arb_t x, slong bits)
{
    arb_neg(y, x);
    arb_exp(y, y, bits);
    arb_add_ui(y, y, 1, bits);
    arb_inv(y, y, bits);
}

static void softplus(arb_t y, const arb_t x, slong bits)
{
    arb_exp(y, x, bits);
    arb_log1p(y, y, bits);
}

static void cube(arb_t y, const arb_t x, slong bits)
{
    arb_pow_ui(y, x, 3, bits);
}

static void inverse_fourth(arb_t y, const arb_t x, slong bits)
{
    arb_pow_ui(y, x, 4, bits);
    arb_inv(y, y, bits);
}

static void modulus_power(arb_t y, const arb_t x, slong bits)
{
    arb_t e;
    arb_init(e);
    arb_set_d(e, 2.385);
    arb_abs(y, x);
    arb_pow(y, y, e, bits);
    arb_clear(e);
}

static od_span span_sqrt(od_span x)
{
    return od_span_sqrt(x);
}

static od_span span_cube(od_span x)
{
    return od_span_power(x, 3);
}

static od_span span_inverse_fourth(od_span x)
{
    return od_span_power(x, -4);
}

static od_span span_modulus_power(od_span x)
{
    return od_span_power_abs(x, od_span_real(2.385));
}

static const function functions[] = {
    {"exp", od_span_exp, arb_exp, -30, 30},
    {"log", od_span_log, arb_log, 1e-6, 50},
    {"sqrt", span_sqrt, arb_sqrt, 0, 50},
    {"sin", od_span_sin, arb_sin, -40, 40},
    {"cos", od_span_cos, arb_cos, -40, 40},
    {"tan", od_span_tan, arb_tan, -1.5, 1.5},
    {"sinh", od_span_sinh, arb_sinh, -20, 20},
    {"cosh", od_span_cosh, arb_cosh, -20, 20},
    {"tanh", od_span_tanh, arb_tanh, -20, 20},
    {"atan", od_span_atan, arb_atan, -20, 20},
    {"logistic", od_span_logistic, logistic, -40, 40},
    {"softplus", od_span_softplus, softplus, -40, 40},
    {"cube", span_cube, cube, -9, 9},
    {"inverse fourth power", span_inverse_fourth, inverse_fourth, 0.1, 9},
    {"|x|^2.385", span_modulus_power, modulus_power, -3, 3},
};

/* lo <= f(x) <= hi for certain */
static void check_inside(const function *f, od_span y, double x)
{
    arb_t at, value, end;
    arb_init(at);
    arb_init(value);
    arb_init(end);
    arb_set_d(at, x);
    f->ball(value, at, BITS);
    arb_set_d(end, y.lo);
    const bool above = arb_le(end, value);
    arb_set_d(end, y.hi);
    const bool below = arb_ge(end, value);
    if (!above || !below) {
        fail_msg("%s(%.17g) is outside of [%.17g, %.17g]", f->name, x, y.lo, y.hi);
    }
    arb_clear(at);
    arb_clear(value);
    arb_clear(end);
}

static void functions_are_enclosed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const function *f = &functions[i];
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            const double at = od_uniform(5, OD_STREAM_CHECK, draw, i, 0);
            const double width = draw % 4 == 0 ? 0 : pow(10, -12 * od_uniform(5, OD_STREAM_CHECK, draw, i, 1));
            const double lo = f->low + (f->high - f->low) * at;
            const od_span x = {lo, fmin(f->high, lo + width * (f->high - f->low) / 4)};
            const od_span y = f->span(x);
            check_inside(f, y, x.lo);
            check_inside(f, y, x.hi);
            check_inside(f, y, x.lo + (x.hi - x.lo) * od_uniform(5, OD_STREAM_CHECK, draw, i, 2));
            /* a point: some units in the last place of the result, and of the exponent of a power */
            if (width == 0 && !(y.hi - y.lo <= 2e-14 * fmax(fabs(y.hi), 1e-3))) {
                fail_msg("%s(%.17g) is only known to lie in [%.17g, %.17g]", f->name, x.lo, y.lo, y.hi);
            }
        }
    }
}

/* Sums, products and quotients against the exact ones. */
static void operations_are_enclosed(void **state)
{
    (void)state;
    arb_t a, b, c, end;
    arb_init(a);
    arb_init(b);
    arb_init(c);
    arb_init(end);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        const double x = od_normal(5, OD_STREAM_CHECK, draw, 0, 0), y = od_normal(5, OD_STREAM_CHECK, draw, 1, 0);
        const od_span s = od_span_real(x), t = od_span_real(y);
        const od_span got[4] = {od_span_add(s, t), od_span_sub(s, t), od_span_mul(s, t), od_span_div(s, t)};
        arb_set_d(a, x);
        arb_set_d(b, y);
        for (int i = 0; i < 4; i++) {
            (i == 0 ? arb_add : i == 1 ? arb_sub : i == 2 ? arb_mul : arb_div)(c, a, b, BITS);
            arb_set_d(end, got[i].lo);
            assert_true(arb_lt(end, c));
            arb_set_d(end, got[i].hi);
            assert_true(arb_gt(end, c));
            assert_true(got[i].hi - got[i].lo <= 1e-15 * fmax(fabs(got[i].hi), 1e-3));
        }
    }
    arb_clear(a);
    arb_clear(b);
    arb_clear(c);
    arb_clear(end);
}

static void what_has_no_bounds_is_the_whole_line(void **state)
{
    (void)state;
    const od_span around = {-1, 1};
    assert_true(od_span_div(od_span_real(1), around).hi == INFINITY);
    assert_true(od_span_log(around).lo == -INFINITY);
    assert_true(od_span_sqrt(around).hi == INFINITY);
    assert_true(od_span_tan((od_span){1, 2}).hi == INFINITY);
    assert_true(od_span_exp((od_span){0, 1000}).hi == INFINITY);
    assert_true(od_span_mul(od_span_line(), od_span_real(0)).hi == INFINITY);
    assert_true(od_span_mul((od_span){1e200, 1e200}, (od_span){1e200, 1e200}).lo == -INFINITY);
    assert_true(od_span_add((od_span){1e308, 1e308}, (od_span){1e308, 1e308}).lo == -INFINITY);
    /* both turning points within */
    const od_span wave = od_span_sin((od_span){0, 5});
    assert_true(wave.lo == -1 && wave.hi == 1);
}

/* Where bounds of numbers end: what cannot be bounded is the whole line, or all that the function ever is. */
static void ends_of_the_range(void **state)
{
    (void)state;
    const od_span line = {-INFINITY, INFINITY}, wide = {-1, 2}, huge = {0x1p600, 0x1p700};
    const struct {
        od_span got, want;
    } cases[] = {
        {od_span_power(huge, 3), line}, /* beyond numbers at one end, and at both */
        {od_span_power((od_span){2, 0x1p700}, 2), line},
        {od_span_power(huge, -3), {0, INFINITY}},
        {od_span_power(wide, 0), {1, 1}},
        {od_span_power(wide, 2), {0, 4}},
        {od_span_power((od_span){-3, -2}, 2), {4, 9}},
        {od_span_power((od_span){-3, -2}, 3), {-27, -8}},
        {od_span_power_abs((od_span){0, 0}, od_span_real(2.5)), {0, 0}},
        {od_span_decimal("abc"), line},
        {od_span_decimal("3"), {3, 3}},
        {od_span_decimal("9007199254740991"), {0x1p53 - 1, 0x1p53 - 1}},
        {od_span_decimal("1e300"), {1e300, 1e300}},
        {od_span_sin((od_span){1e9, 1e9 + 1}), {-1, 1}},
        {od_span_cos((od_span){-1e9, 1}), {-1, 1}},
        {od_span_cos((od_span){1e8 - 1, 1e8 + 1}), {-1, 1}},
        {od_span_tan((od_span){1e9, 1e9}), line},
        {od_span_sin((od_span){0, 8}), {-1, 1}},
        {od_span_softplus(line), line},
        {od_span_log((od_span){-1, 1}), line},
        {od_span_logistic(line), {0, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const od_span got = cases[i].got, want = cases[i].want;
        /* outward by rounding alone */
        const double slack = 1e-14 * (isfinite(want.hi) ? fmax(fabs(want.lo), fabs(want.hi)) : 0);
        if (!(got.lo <= want.lo && got.hi >= want.hi && got.lo >= want.lo - slack && got.hi <= want.hi + slack) &&
            !(want.lo == 0 && isinf(want.hi) && got.lo <= 0 && got.hi > 0)) {
            fail_msg("case %zu: [%.17g, %.17g], not [%.17g, %.17g]", i, got.lo, got.hi, want.lo, want.hi);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_enclosed),
        cmocka_unit_test(operations_are_enclosed),
        cmocka_unit_test(what_has_no_bounds_is_the_whole_line),
        cmocka_unit_test(ends_of_the_range),
    };
    return cmocka_run_group_tests_name("interval", tests, NULL, NULL);
}
