/*
 * What a tape simplifies keeps its meaning: formulas of one variable that go through each rule, with value, slope and
 * curvature in closed form. The rules may round differently, by a few units: 1e-14.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/tape.h"
#include "src/text.h"

typedef struct rule {
    const char *f;
    double x, value, slope, curvature; /* NaN where a double cannot hold it */
} rule;

static void check_rule(od_context *ctx, const rule *r)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{name: formula, f: '%s', variables: [x]}", r->f);
    od_problem *q = od_problem_create(ctx, yaml);
    check_done(ctx, q != NULL);
    double f, g, hu, *ws = calloc(od_scratch_size(&q->scratch, 1) + 1, sizeof *ws);
    const double u = 1;
    assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, &r->x, &f, &g, ws), OD_OK);
    assert_int_equal(q->hvp(q, 1, &r->x, 1, &u, &hu, ws), OD_OK);
    const double got[3] = {f, g, hu}, want[3] = {r->value, r->slope, r->curvature};
    for (size_t k = 0; k < 3; k++) {
        if (!isnan(want[k]) && !(fabs(got[k] - want[k]) <= 1e-14 * fabs(want[k]))) {
            fail_msg("%s: derivative %zu is %.17g, not %.17g", r->f, k, got[k], want[k]);
        }
    }
    free(ws);
    od_problem_free(q);
}

static void rules_keep_the_meaning(void **state)
{
    const double a = 2.385, s = sin(a), c = cos(a), tiny = ldexp(1, -1010);
    const rule rules[] = {
        {"0 - x^2", a, -a * a, -2 * a, -2},
        {"0 - 3*x^2", a, -3 * a * a, -6 * a, -6},
        {"x/1", a, a, 1, 0},
        {"x^2/-1", a, -a * a, -2 * a, -2},
        {"sin(x)/(-x)", a, -s / a, s / (a * a) - c / a, s / a + 2 * c / (a * a) - 2 * s / (a * a * a)},
        {"x^0 + x", a, 1 + a, 1, 0},
        {"(-x)^2*(-x)^3", a, -pow(a, 5), -5 * pow(a, 4), -20 * pow(a, 3)},
        {"(x^-2)^3", a, pow(a, -6), -6 * pow(a, -7), 42 * pow(a, -8)},
        {"(x^2)^-3", a, pow(a, -6), -6 * pow(a, -7), 42 * pow(a, -8)},
        {"abs(-2)*x + min(x, 3) + max(3, x)", a, 3 * a + 3, 3, 0},
        {"max(x, 2)*min(2, x)", a, 2 * a, 2, 0},
        {"6/4*x + 6/3*x + x^(8/4)", a, 3.5 * a + a * a, 3.5 + 2 * a, 2},
        {"x^2 - x^2 + x", a, a, 1, 0},
        {"(x^2 + 1)*(x + 1)", a, a * a * a + a * a + a + 1, 3 * a * a + 2 * a + 1, 6 * a + 2},
        {"(x^6 + x)*(x^3 + 1)", 1, 4, 7 * 2 + 2 * 3, 30 * 2 + 2 * 7 * 3 + 2 * 6},
        /* exponents and factors that are not taken together: at 1, or beyond the largest double */
        {"x^3000000000", 1, 1, 3e9, 3e9 * (3e9 - 1)},
        {"x^1000000000*x^1000000000", 1, 1, 2e9, 2e9 * (2e9 - 1)},
        {"(x^100000)^100000", 1, 1, 1e10, 1e10 * (1e10 - 1)},
        {"x/0.125 + 3/x", a, 8 * a + 3 / a, 8 - 3 / (a * a), 6 / (a * a * a)},
        {"x/2^1010", a, a * tiny, tiny, 0},
        {"0.5^1010*x", a, a * tiny, tiny, 0},
        {"2^-1010*x", a, a * tiny, tiny, 0},
        {"(1e155*x^2 + x)*1e155", 1e-155, 2, 3e155, NAN},
        {"(x^2 + x)/1e-310", 1e-300, 1e10, NAN, NAN},
    };
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        check_rule(*state, &rules[k]);
    }
}

/* The same number, however it was written, is one node; and what is no whole number keeps its decimals. */
static void whole_constants_become_numbers(void **state)
{
    static const char *const whole[] = {"6", "2*3", "12/2", "7 - 1", "-(-6)", "2^3 - 2", "(-2)*(-3)", "6.0", "1*6"};
    static const char *const minus[] = {"-6", "0 - 6", "6/-1", "-(2*3)", "(-2)*3", "(-12)/2"};
    od_context *ctx = *state;
    od_tape *tape = od_tape_create();
    uint32_t first, f;
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) {
        check_done(ctx, od_formula_read(ctx, tape, whole[k], strlen(whole[k]), 0, NULL, &f) == OD_OK);
        assert_int_equal(od_tape_nodes(tape)[f].op, OD_OP_NUMBER);
        check_close(od_tape_nodes(tape)[f].value, 6, 0);
        assert_true(od_tape_nodes(tape)[f].exact);
    }
    for (size_t k = 0; k < sizeof minus / sizeof *minus; k++) {
        check_done(ctx, od_formula_read(ctx, tape, minus[k], strlen(minus[k]), 0, NULL, &f) == OD_OK);
        first = k == 0 ? f : first;
        assert_int_equal(f, first);
        check_close(od_tape_nodes(tape)[f].value, -6, 0);
    }
    check_done(ctx, od_formula_read(ctx, tape, "6/4", 3, 0, NULL, &f) == OD_OK);
    assert_int_equal(od_tape_nodes(tape)[f].op, OD_OP_DIVIDE);
    assert_false(od_tape_nodes(tape)[f].exact);
    od_tape_free(tape);
}

/* The nearest of functions and variables is offered, a variable where both are as near. */
static void the_nearer_name_is_offered(void **state)
{
    static const struct {
        const char *f, *variables, *words;
    } cases[] = {
        {"sn", "[si]", "there is no variable 'sn' (did you mean 'si'?)"},
        {"sinn", "[sinxy]", "there is no variable 'sinn' (did you mean 'sin'?)"},
        {"alphb", "[alpha]", "there is no variable 'alphb' (did you mean 'alpha'?)"},
        {"2ex", "[x]", "column 2: expected an operation or the end, but there is 'e'"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml, "{name: formula, f: '%s', variables: %s}", cases[k].f, cases[k].variables);
        assert_null(od_problem_create(*state, yaml));
        check_message(*state, cases[k].words);
    }
    char name[OD_REAL_ROOM + 65];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(od_text_distance(name, "a"), od_text_distance("a", name)); /* too long to be compared */
    assert_int_equal(od_text_distance("kitten", "sitting"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(rules_keep_the_meaning),
        test_with_context(whole_constants_become_numbers),
        test_with_context(the_nearer_name_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
