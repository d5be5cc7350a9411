/*
 * Rules in intervals against the iterations they stand for: the same step and derivative to rounding, for every problem
 * and method that has one, and enclosures of all states of a box.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "../analysis/enclosure.h"

enum { DIM = 6, ROOM = 4096 };

static const char *const problems[] = {
    "{name: quadratic, eigenvalues: [2.385, -1.27, 0.3], rotation: 3, centre: [0.1, -0.2, 0.3]}",
    "{name: quadratic, matrix: [[2, 0.5, 0], [0.5, -1, 0.25], [0, 0.25, 3]]}",
    "{name: quadratic, eigenvalues: [2.385, -1.27, 0.3]}",
    "hosaki",
    "{name: rosenbrock, dim: 3, a: 1.1, b: 7}",
    "{name: power, p: 4, c: 0.3, dim: 3}",
    "{name: power, p: 3, c: 0.3, dim: 3}",
    "{name: power, p: 2.7, c: 1.3, dim: 3}",
    "{name: formula, f: \"log(1.5+x^2)*exp(-y/3) + sin(x*y) + cos(x)^3 + sqrt(2+x*y) + 0.3*tanh(x-y) + atan(y)\", "
    "variables: [x, y]}",
    "{name: formula, f: \"softplus(2*x) + logistic(y) + tan(0.3*x) + sinh(y)/cosh(x) + (2+x)^1.5 + pi*x^-2/e\", "
    "variables: [x, y]}",
};

static const char *const methods[] = {
    "{name: gradient, step: 0.07}",
    "{name: amplified-gradient, step: 0.03}",
    "{name: heavy-ball, alpha: 0.9, step: 0.2}",
    "{name: heavy-ball, learning_rate: 0.03, momentum: 0.8}",
    "{name: nesterov, step: 0.03, r: 3.5}",
    "{name: nesterov-strongly-convex, mu: 0.4, step: 0.03}",
    "{name: memory, forgetting: linear, step: 0.1}",
    "{name: memory, forgetting: constant, step: 0.1}",
    "{name: memory, forgetting: polynomial, p: 3.7, step: 0.1}",
};

enum { PROBLEMS = sizeof problems / sizeof *problems, METHODS = sizeof methods / sizeof *methods };

typedef struct pair {
    od_experiment *experiment;
    const od_map *map;
    od_rule *rule;
    od_span *ws;
    double z[DIM]; /* a state, all components different from 0 */
} pair;

static void open_pair(od_context *ctx, const char *problem, const char *method, pair *p)
{
    char yaml[1024];
    const od_options options = {0};
    const bool plane = strstr(problem, "hosaki") != NULL || strstr(problem, "formula") != NULL;
    snprintf(yaml, sizeof yaml, "{problem: %s, method: %s, start: {x: [%s]}, iterations: 5}", problem, method,
             plane ? "0, 0" : "0, 0, 0");
    p->experiment = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, p->experiment != NULL);
    p->map = &p->experiment->member[0].map;
    check_done(ctx, od_rule_create(ctx, &p->experiment->member[0], &p->rule) == OD_OK);
    p->ws = calloc(od_span_room(p->rule), sizeof *p->ws);
    assert_non_null(p->ws);
    od_span_begin(p->rule, p->ws);
    assert_int_equal(p->rule->dim, p->map->dim);
    for (size_t i = 0; i < p->map->dim; i++) {
        p->z[i] = (i % 2 == 0 ? 1.3 : -0.7) + 0.11 * (double)i;
    }
}

static void close_pair(pair *p)
{
    free(p->ws);
    od_rule_free(p->rule);
    od_experiment_free(p->experiment);
}

static double middle(od_span x)
{
    return x.lo + (x.hi - x.lo) / 2;
}

/* Errors of some operations in doubles, on numbers up to a few hundred. */
static const double rounding = 1e-12;

static void check_point(const pair *p, uint64_t k)
{
    const size_t n = p->map->dim;
    double next[DIM], tau, ws[ROOM], unit[DIM] = {0}, column[DIM];
    od_span z[DIM], step[DIM], jacobian[DIM * DIM];
    assert_true(od_scratch_size(&p->map->scratch, 1) <= ROOM);
    memcpy(next, p->z, sizeof next);
    assert_int_equal(p->map->step(p->map, k, 1, next, NULL, NULL, &tau, ws), OD_OK);
    for (size_t i = 0; i < n; i++) {
        z[i] = od_span_real(p->z[i]);
    }
    od_span_step(p->rule, k, z, step, p->ws);
    od_span_jacobian(p->rule, k, z, jacobian, p->ws);
    for (size_t j = 0; j < n; j++) {
        assert_true(step[j].hi - step[j].lo < rounding);
        check_close(middle(step[j]), next[j], rounding);
        unit[j] = 1;
        assert_int_equal(p->map->jvp(p->map, k, 1, p->z, 1, unit, column, ws), OD_OK);
        unit[j] = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(jacobian[i * n + j].hi - jacobian[i * n + j].lo < rounding);
            check_close(middle(jacobian[i * n + j]), column[i], rounding);
        }
    }
}

static bool holds(od_span x, double y)
{
    return x.lo - rounding <= y && y <= x.hi + rounding;
}

/* Steps and derivatives of 20 states of a box, which is 0.1 wide. */
static void check_box(const pair *p, uint64_t k)
{
    const size_t n = p->map->dim;
    double next[DIM], tau, ws[ROOM], unit[DIM] = {0}, column[DIM], x[DIM];
    od_span z[DIM], step[DIM], jacobian[DIM * DIM];
    for (size_t i = 0; i < n; i++) {
        z[i] = (od_span){p->z[i] - 0.05, p->z[i] + 0.05};
    }
    od_span_step(p->rule, k, z, step, p->ws);
    od_span_jacobian(p->rule, k, z, jacobian, p->ws);
    for (uint64_t draw = 0; draw < 20; draw++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = next[i] = p->z[i] + 0.1 * (od_uniform(7, OD_STREAM_CHECK, draw, i, k) - 0.5);
        }
        assert_int_equal(p->map->step(p->map, k, 1, next, NULL, NULL, &tau, ws), OD_OK);
        for (size_t j = 0; j < n; j++) {
            assert_true(holds(step[j], next[j]));
            unit[j] = 1;
            assert_int_equal(p->map->jvp(p->map, k, 1, x, 1, unit, column, ws), OD_OK);
            unit[j] = 0;
            for (size_t i = 0; i < n; i++) {
                assert_true(holds(jacobian[i * n + j], column[i]));
            }
        }
    }
}

static void rules_are_the_iterations(void **state)
{
    for (size_t i = 0; i < PROBLEMS; i++) {
        for (size_t j = 0; j < METHODS; j++) {
            pair p;
            open_pair(*state, problems[i], methods[j], &p);
            for (uint64_t k = 0; k < 4; k++) {
                check_point(&p, k);
                check_box(&p, k);
            }
            close_pair(&p);
        }
    }
}

/* |x|^p on a box around 0, where signs change. */
static void a_box_around_a_zero(void **state)
{
    static const char *const exponents[] = {"2", "2.5", "3", "4"};
    for (size_t e = 0; e < 4; e++) {
        char problem[64];
        pair p;
        snprintf(problem, sizeof problem, "{name: power, p: %s, dim: 3}", exponents[e]);
        open_pair(*state, problem, methods[0], &p);
        p.z[0] = 0.01;
        p.z[1] = -0.03;
        p.z[2] = 0;
        check_box(&p, 0);
        close_pair(&p);
    }
}

static void refuse(od_context *ctx, const char *problem, const char *method, const char *part)
{
    char yaml[1024];
    const od_options options = {0};
    od_rule *rule;
    snprintf(yaml, sizeof yaml, "{problem: %s, method: %s, iterations: 2}", problem, method);
    od_experiment *e = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, e != NULL);
    assert_int_not_equal(od_rule_create(ctx, &e->member[0], &rule), OD_OK);
    check_message(ctx, part);
    assert_null(rule);
    od_experiment_free(e);
}

static void others_are_refused(void **state)
{
    refuse(*state, "{name: styblinski-tang, dim: 2}, start: {x: [1, 1]}", methods[0],
           "cannot be evaluated in intervals");
    refuse(*state, "{name: power, p: 1.5}, start: {x: [1]}", methods[0], "p >= 2");
    refuse(*state, "{name: power, p: 4, dim: 21}, start: {x: {normal: 1}}", methods[0], "at most 20");
    refuse(*state, "{name: formula, f: \"abs(x)\", variables: [x]}, start: {x: [1]}", methods[0], "smooth");
    refuse(*state, "{name: quadratic, matrix: [[1, 0.3], [0.30000000000000004, 1]]}, start: {x: [1, 1]}", methods[0],
           "symmetric");
    refuse(*state, "hosaki, start: {x: [1, 1]}", "{name: memory, forgetting: exponential, alpha: 1, step: 0.1}",
           "power of time");
    refuse(*state, "hosaki, start: {x: [1, 1]}", "{name: gradient, step: 0.1, noise: 0.1}", "without chance");
    refuse(*state, "{name: least-squares, data: teacher, samples: 30, features: 2}, start: {x: [1, 1]}",
           "{name: gradient, step: 0.1, batch: 3}",
           "method.batch: interval evaluation is for iterations without chance");
    refuse(*state, "hosaki, start: {x: [1, 1]}", "{name: adam, step: 0.1}",
           "the iteration of 'adam' has no interval evaluation");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(rules_are_the_iterations),
        test_with_context(a_box_around_a_zero),
        test_with_context(others_are_refused),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
