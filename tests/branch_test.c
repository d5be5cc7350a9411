/*
 * Branch and bound against radii that are known: minimax radii of linear maps (a convex program, solved elsewhere to 12
 * digits), a closed form, and Hosaki's saddle, where all starts of a fine grid are tried.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "../analysis/branch.h"
#include "../analysis/simplex.h"
#include "../src/experiment.h"

enum { MOST = 200000, MAX_STEPS = 100 };

typedef struct question {
    od_experiment *experiment;
    const od_member *m;
    od_rule *rule;
    double y[(MAX_STEPS + 1) * OD_BRANCH_MAX_DIM], weight[OD_BRANCH_MAX_DIM];
    od_target target;
} question;

/* The flow at the times of the iteration, by Runge and Kutta's scheme with 200 steps an iteration. */
static void sample_flow(od_context *ctx, question *q)
{
    const od_member *m = q->m;
    const double tau = m->map.tau;
    char scheme[64];
    snprintf(scheme, sizeof scheme, "{name: rk4, step: %.17g}", tau / 200);
    od_stepper *stepper = od_stepper_create(ctx, scheme, &m->flow, 0, 1, q->y);
    check_done(ctx, stepper != NULL);
    for (uint64_t k = 0; k < m->iterations; k++) {
        double *next = q->y + (k + 1) * m->dim;
        memcpy(next, q->y + k * m->dim, m->dim * sizeof *next);
        for (unsigned i = 0; i < 200; i++) {
            const double t = (double)k * tau;
            check_done(ctx, od_stepper_advance(ctx, stepper, t + i * tau / 200, t + (i + 1) * tau / 200, 1, next,
                                               NULL) == OD_OK);
        }
    }
    od_stepper_free(stepper);
}

static void ask(od_context *ctx, const char *yaml, question *q)
{
    memset(q, 0, sizeof *q);
    const od_options options = {0};
    q->experiment = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, q->experiment != NULL);
    q->m = &q->experiment->member[0];
    check_done(ctx, od_rule_create(ctx, q->m, &q->rule) == OD_OK);
    memcpy(q->y, q->m->start.given[0], q->m->block[0].length * sizeof(double));
    for (size_t i = 0; i < OD_BRANCH_MAX_DIM; i++) {
        q->weight[i] = 1;
    }
    sample_flow(ctx, q);
    q->target = (od_target){q->y, q->weight};
}

static void end(question *q)
{
    od_rule_free(q->rule);
    od_experiment_free(q->experiment);
}

/* max_k |x_k - y_k| of the iteration itself, in the weights */
static double radius_of(const question *q, const double *start)
{
    const od_map *map = &q->m->map;
    double z[OD_BRANCH_MAX_DIM], ws[256], tau, most = 0;
    memcpy(z, start, map->dim * sizeof *z);
    assert_true(od_scratch_size(&map->scratch, 1) <= 256);
    for (uint64_t k = 0; k <= q->m->iterations; k++) {
        double square = 0;
        for (size_t i = 0; i < map->dim; i++) {
            square += pow(q->weight[i] * (z[i] - q->y[k * map->dim + i]), 2);
        }
        most = fmax(most, sqrt(square));
        assert_int_equal(map->step(map, k, 1, z, NULL, NULL, &tau, ws), OD_OK);
    }
    return most;
}

/* From the same start, which is far from the best one. */
static od_branch solve(od_context *ctx, const question *q, double tolerance, double *start)
{
    double first[OD_BRANCH_MAX_DIM];
    memcpy(first, q->y, q->m->dim * sizeof *first);
    const od_shadow shadow = {radius_of(q, first), 0, first, 0};
    od_branch branch = {.start = start};
    check_done(ctx,
               od_branch_lower(ctx, q->rule, q->m->iterations, &q->target, &shadow, tolerance, MOST, &branch) == OD_OK);
    /* the orbit said to be that near is */
    check_relative(radius_of(q, start), branch.upper, 1e-12);
    return branch;
}

/* Radii: the flow is sampled to 1e-9 at least, the bounds have a gap of 1e-5. */
static void bounds_hold_known_radii(void **state)
{
    static const struct {
        const char *yaml;
        double radius;
    } known[] = {
        {"{problem: {name: quadratic, eigenvalues: [2, 1]}, method: {name: gradient, step: 0.2}, start: {x: [2, 2]}, "
         "integrator: {name: rk4, step: 0.01}, until: 6, iterations: 30}",
         0.147282622958},
        {"{problem: {name: quadratic, eigenvalues: [-1.27, 2]}, method: {name: gradient, step: 0.1}, start: {x: [2, "
         "4.5]}, integrator: {name: rk4, step: 0.01}, until: 1.4, iterations: 14}",
         0.229617959508},
        {"{problem: {name: quadratic, eigenvalues: [-1.27, 2]}, method: {name: gradient, step: 0.1}, start: {x: [2, "
         "4.5]}, integrator: {name: rk4, step: 0.01}, until: 5.9, iterations: 59}",
         59.8044872727},
        {"{problem: {name: quadratic, eigenvalues: [-1]}, method: {name: gradient, step: 0.2}, start: {x: [1]}, "
         "integrator: {name: rk4, step: 0.01}, until: 1.4, iterations: 7}",
         0.102989427526986},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        question q;
        double start[OD_BRANCH_MAX_DIM];
        ask(*state, known[i].yaml, &q);
        const od_branch b = solve(*state, &q, 1e-5, start);
        assert_true(b.lower <= known[i].radius * (1 + 1e-9));
        assert_true(b.upper >= known[i].radius * (1 - 1e-9));
        assert_true(b.upper - b.lower <= 1.1e-5 * b.upper);
        end(&q);
    }
}

/* Position error of heavy-ball, velocities free: the radius of a linear program in two unknowns. */
static void a_free_velocity_is_bounded_by_positions(void **state)
{
    question q;
    double start[OD_BRANCH_MAX_DIM];
    ask(*state,
        "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: heavy-ball, alpha: 1, step: 0.2}, start: {x: "
        "[1]}, integrator: {name: rk4, step: 0.01}, until: 20, iterations: 100}",
        &q);
    q.weight[1] = 0;
    const od_branch b = solve(*state, &q, 1e-5, start);
    assert_true(b.lower <= 0.0229540230595193 * (1 + 1e-9));
    assert_true(b.upper >= 0.0229540230595193 * (1 - 1e-9));
    assert_true(b.upper - b.lower <= 1.1e-5 * b.upper);
    end(&q);
}

static void hosaki_is_settled(void **state)
{
    question q;
    double start[OD_BRANCH_MAX_DIM];
    ask(*state,
        "{problem: hosaki, method: {name: gradient, step: 0.3}, start: {x: [2.05, 3.2]}, integrator: {name: rk4, "
        "step: 0.01}, until: 12, iterations: 40}",
        &q);
    const od_branch b = solve(*state, &q, 1e-4, start);
    check_close(b.upper, 0.0527, 5e-5);
    assert_true(b.lower >= b.upper * (1 - 1.001e-4) && b.lower <= b.upper);
    double least = INFINITY;
    for (int i = 0; i <= 400; i++) {
        for (int j = 0; j <= 400; j++) {
            const double x[2] = {start[0] + 1e-6 * (i - 200), start[1] + 1e-5 * (j - 200)};
            least = fmin(least, radius_of(&q, x));
        }
    }
    assert_true(least >= b.lower);
    end(&q);
}

/* Optimal because primal and dual agree: the largest form at the minimiser is the least value of the mean. */
static void the_linear_program_is_solved(void **state)
{
    (void)state;
    enum { FORMS = 30 };
    for (uint64_t draw = 0; draw < 500; draw++) {
        const size_t n = 1 + draw % OD_SIMPLEX_MAX;
        const uint64_t count = 1 + draw % FORMS;
        od_simplex_column form[FORMS];
        double low[OD_SIMPLEX_MAX], high[OD_SIMPLEX_MAX], x[OD_SIMPLEX_MAX], share[OD_SIMPLEX_MAX + 1],
            largest = -INFINITY;
        uint64_t which[OD_SIMPLEX_MAX + 1];
        for (uint64_t k = 0; k < count; k++) {
            form[k].value = od_normal(9, OD_STREAM_CHECK, draw, k, 0);
            for (size_t j = 0; j < n; j++) {
                form[k].row[j] = od_normal(9, OD_STREAM_CHECK, draw, k, j + 1);
            }
        }
        for (size_t j = 0; j < n; j++) {
            low[j] = -od_uniform(9, OD_STREAM_CHECK, draw, 100, j);
            high[j] = 3 * od_uniform(9, OD_STREAM_CHECK, draw, 101, j);
        }
        const size_t found = od_simplex_mean(n, count, form, low, high, x, which, share);
        assert_true(found >= 1 && found <= n + 1);
        double mean = 0, total = 0, slope[OD_SIMPLEX_MAX] = {0};
        for (size_t i = 0; i < found; i++) {
            assert_true(share[i] > 0 && which[i] < count);
            total += share[i];
            mean += share[i] * form[which[i]].value;
            for (size_t j = 0; j < n; j++) {
                slope[j] += share[i] * form[which[i]].row[j];
            }
        }
        for (size_t j = 0; j < n; j++) {
            assert_true(low[j] <= x[j] && x[j] <= high[j]);
            mean += fmin(slope[j] * low[j], slope[j] * high[j]);
        }
        for (uint64_t k = 0; k < count; k++) {
            double value = form[k].value;
            for (size_t j = 0; j < n; j++) {
                value += form[k].row[j] * x[j];
            }
            largest = fmax(largest, value);
        }
        check_close(total, 1, 1e-12);
        check_close(mean, largest, 1e-11);
    }
}

static void what_is_not_covered_is_refused(void **state)
{
    od_rule *rule;
    const od_options options = {0};
    od_experiment *e = od_experiment_parse(*state,
                                           "{problem: styblinski-tang, method: {name: gradient, step: 0.01}, start: "
                                           "{x: [1, 1]}, iterations: 4}",
                                           &options);
    check_done(*state, e != NULL);
    assert_int_equal(od_rule_create(*state, &e->member[0], &rule), OD_EUNSUPPORTED);
    check_message(*state, "cannot be evaluated in intervals");
    od_experiment_free(e);
}

/* The distances of one state alone, or of positions of a method whose first step forgets the velocity: bounds are
 * known, or it is said that there are none. */
static void weights_that_leave_parts_free(void **state)
{
    static const struct {
        const char *method, *sentence;
        double weight[4];
    } cases[] = {
        {"{name: heavy-ball, alpha: 1, step: 0.2}", NULL, {1, 1, 0, 0}},
        {"{name: heavy-ball, alpha: 1, step: 0.2}", "nothing bounds a component", {1, 0, 0, 0}},
        {"{name: heavy-ball, alpha: 1, step: 0.2}", "nothing bounds a component", {0, 0, 1, 1}},
        {"{name: memory, step: 0.2}", NULL, {1, 1, 0, 0}}, /* its first step forgets the velocity */
        {"{name: nesterov-strongly-convex, step: 0.04}", "nothing bounds a component", {1, 1, 0, 0}},
        {"{name: gradient, step: 0.2}", "nothing bounds a component", {1, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        question q;
        char yaml[320];
        double start[OD_BRANCH_MAX_DIM] = {0}, first[OD_BRANCH_MAX_DIM];
        snprintf(yaml, sizeof yaml,
                 "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: %s, start: {x: [1, 0.7]}, integrator: "
                 "{name: rk4, step: 0.01}, until: 2, iterations: 8}",
                 cases[i].method);
        ask(*state, yaml, &q);
        memcpy(q.weight, cases[i].weight, sizeof cases[i].weight);
        memcpy(first, q.y, q.m->dim * sizeof *first);
        const od_shadow shadow = {radius_of(&q, first), 0, first, 0};
        od_branch branch = {.start = start};
        const od_status status = od_branch_lower(*state, q.rule, q.m->iterations, &q.target, &shadow, 0.01, 2000,
                                                 &branch);
        if (cases[i].sentence != NULL) {
            assert_int_equal(status, OD_EUNSUPPORTED);
            check_message(*state, cases[i].sentence);
        } else {
            check_done(*state, status == OD_OK);
            assert_true(!(branch.lower > branch.upper) && branch.upper <= shadow.radius);
            check_relative(radius_of(&q, branch.start), branch.upper, 1e-12);
            /* no start of a grid around the best one is nearer than the bound */
            for (int k = 0; k < 625; k++) {
                double x[OD_BRANCH_MAX_DIM] = {0};
                for (int j = 0, left = k; j < 4; j++, left /= 5) {
                    x[j] = branch.start[j] + 0.02 * (left % 5 - 2);
                }
                assert_true(isnan(branch.lower) || radius_of(&q, x) >= branch.lower);
            }
        }
        end(&q);
    }
}

/* Boxes that run out, an orbit that is exact already, and one that overflows: nothing that is not so is said. */
static void searches_that_end_early(void **state)
{
    question q;
    double start[OD_BRANCH_MAX_DIM], first[OD_BRANCH_MAX_DIM];
    od_branch branch = {.start = start};
    ask(*state,
        "{problem: hosaki, method: {name: gradient, step: 0.3}, start: {x: [2.05, 3.2]}, integrator: {name: rk4, step: "
        "0.01}, until: 12, iterations: 40}",
        &q);
    memcpy(first, q.y, sizeof first);
    const od_shadow far = {radius_of(&q, first), 0, first, 0};
    for (uint64_t most = 0; most < 60; most += 7) {
        check_done(*state, od_branch_lower(*state, q.rule, 40, &q.target, &far, 1e-6, most, &branch) == OD_OK);
        assert_true(branch.boxes <= most);
        assert_true(isnan(branch.lower) || branch.lower <= 0.0527 * (1 + 1e-3));
        assert_true(branch.upper >= 0.0527 * (1 - 1e-3));
    }
    /* its own orbit is at distance 0: there is nothing below */
    double tau, ws[256], next[2];
    for (size_t k = 0; k < 40; k++) {
        memcpy(next, q.y + 2 * k, sizeof next);
        assert_int_equal(q.m->map.step(&q.m->map, k, 1, next, NULL, NULL, &tau, ws), OD_OK);
        memcpy(q.y + 2 * k + 2, next, sizeof next);
    }
    const od_shadow same = {radius_of(&q, first), 0, first, 0};
    assert_true(same.radius == 0);
    check_done(*state, od_branch_lower(*state, q.rule, 40, &q.target, &same, 1e-6, 1000, &branch) == OD_OK);
    assert_true(!(branch.lower > 0) && branch.upper == 0);
    /* boxes as wide as this have no bounds */
    const od_shadow wide = {1e200, 0, first, 0};
    check_done(*state, od_branch_lower(*state, q.rule, 40, &q.target, &wide, 1e-6, 1000, &branch) == OD_OK);
    assert_true(!(branch.lower > 0));
    end(&q);
}

static void more_components_than_boxes_have(void **state)
{
    od_rule *rule;
    const od_options options = {0};
    od_experiment *e = od_experiment_parse(
        *state,
        "{problem: {name: power, p: 4, dim: 3}, method: {name: heavy-ball, alpha: 1, "
        "step: 0.1}, start: {x: [1, 1, 1]}, iterations: 4}",
        &options);
    check_done(*state, e != NULL);
    check_done(*state, od_rule_create(*state, &e->member[0], &rule) == OD_OK);
    const double y[5 * 6] = {0}, weight[6] = {1, 1, 1, 1, 1, 1};
    double start[6] = {0};
    const od_target target = {y, weight};
    const od_shadow shadow = {1, 0, start, 0};
    od_branch branch = {.start = start};
    assert_int_equal(od_branch_lower(*state, rule, 4, &target, &shadow, 0.1, 10, &branch), OD_EUNSUPPORTED);
    check_message(*state, "branch and bound takes at most 4 components of the state, not 6");
    od_rule_free(rule);
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(bounds_hold_known_radii),
        test_with_context(a_free_velocity_is_bounded_by_positions),
        test_with_context(hosaki_is_settled),
        cmocka_unit_test(the_linear_program_is_solved),
        test_with_context(what_is_not_covered_is_refused),
        test_with_context(weights_that_leave_parts_free),
        test_with_context(searches_that_end_early),
        test_with_context(more_components_than_boxes_have),
    };
    return cmocka_run_group_tests_name("branch", tests, NULL, NULL);
}
