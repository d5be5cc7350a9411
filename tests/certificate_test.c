/*
 * Certificates against distances that are known: nothing below the distance of the nearest orbit may be proven. Radii
 * of linear maps (a convex program, solved elsewhere to 12 digits) and one jump in a linear orbit, in closed form.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "../analysis/certificate.h"

enum { ROOM = 8192 };

typedef struct question {
    od_experiment *experiment;
    const od_member *m;
    od_rule *rule;
    double x[ROOM];
} question;

static void ask(od_context *ctx, const char *yaml, question *q)
{
    const od_options options = {0};
    q->experiment = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, q->experiment != NULL);
    q->m = &q->experiment->member[0];
    check_done(ctx, od_rule_create(ctx, q->m, &q->rule) == OD_OK);
    memset(q->x, 0, sizeof q->x);
    memcpy(q->x, q->m->start.given[0], q->m->block[0].length * sizeof(double));
    assert_true((q->m->iterations + 1) * q->m->dim <= ROOM);
}

static void end(question *q)
{
    od_rule_free(q->rule);
    od_experiment_free(q->experiment);
}

static void iterate(question *q)
{
    const size_t n = q->m->dim;
    double tau, ws[ROOM];
    for (uint64_t k = 0; k < q->m->iterations; k++) {
        double *next = q->x + (k + 1) * n;
        memcpy(next, q->x + k * n, n * sizeof *next);
        assert_int_equal(q->m->map.step(&q->m->map, k, 1, next, NULL, NULL, &tau, ws), OD_OK);
    }
}

static od_certified prove(od_context *ctx, const question *q)
{
    od_certificate *c;
    check_done(ctx, od_certificate_create(ctx, q->rule, q->m->iterations, q->x, &c) == OD_OK);
    const od_certified proven = od_certificate_result(c);
    od_certificate_free(c);
    return proven;
}

/* Orbits in doubles: local errors are rounding, and so is what is proven. */
static void computed_orbits_are_near_exact_ones(void **state)
{
    static const char *const yaml[] = {
        "{problem: hosaki, method: {name: gradient, step: 0.3}, start: {x: [2.05, 3.2]}, iterations: 40}",
        "{problem: hosaki, method: {name: heavy-ball, alpha: 1, step: 0.2}, start: {x: [2.05, 3.2]}, iterations: 60}",
        "{problem: rosenbrock, method: {name: nesterov, step: 0.0005}, start: {x: [-1.2, 1]}, iterations: 200}",
        "{problem: {name: power, p: 2.5, dim: 2}, method: {name: nesterov-strongly-convex, mu: 0.5, step: 0.05}, "
        "start: {x: [1, -0.6]}, iterations: 40}",
        "{problem: {name: quadratic, eigenvalues: [4, -1, 0.3, 2], rotation: 5}, method: {name: memory, step: 0.1}, "
        "start: {x: [1, 1, 1, 1]}, iterations: 60}",
        "{problem: {name: formula, f: \"log(1+exp(x)) + sin(x*y)/3 + sqrt(1+y^2) + 0.1*tanh(x-y)^2\", variables: [x, "
        "y]}, method: {name: amplified-gradient, step: 0.02}, start: {x: [1, -0.5]}, iterations: 40}",
    };
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
        question q;
        ask(*state, yaml[i], &q);
        iterate(&q);
        const od_certified p = prove(*state, &q);
        assert_true(p.residual > 0 && p.residual < 1e-14);
        assert_true(p.epsilon >= p.residual / 2); /* one jump moves one of its two states at least half-way */
        assert_true(p.epsilon <= 1.01 * p.inverse * p.residual && p.inverse < 2e4);
        end(&q);
    }
}

/*
 * x+ = q x with one jump j in the middle, step m of K. Orbits are x_0 q^k; with errors e_k = e_0 q^k before and
 * e_0 q^k - j q^(k-m) behind, the least maximum is where the two largest ones are equal.
 */
static void a_jump_costs_what_it_must(void **state)
{
    for (int growing = 0; growing < 2; growing++) {
        question q;
        const double jump = 1e-3, factor = growing ? 1.2 : 0.8;
        const int last = 12, at = 7;
        ask(*state,
            growing ? "{problem: {name: quadratic, eigenvalues: [-2]}, method: {name: gradient, step: 0.1}, start: {x: "
                      "[1]}, iterations: 12}"
                    : "{problem: {name: quadratic, eigenvalues: [2]}, method: {name: gradient, step: 0.1}, start: {x: "
                      "[1]}, iterations: 12}",
            &q);
        double least = INFINITY;
        for (int k = 0; k < last; k++) {
            q.x[k + 1] = factor * q.x[k] + (k + 1 == at ? jump : 0);
        }
        for (double start = -2 * jump; start <= 2 * jump; start += jump * 1e-4) {
            double most = 0;
            for (int k = 0; k <= last; k++) {
                most = fmax(most, fabs(start * pow(factor, k) - (k >= at ? jump * pow(factor, k - at) : 0)));
            }
            least = fmin(least, most);
        }
        const od_certified p = prove(*state, &q);
        check_relative(p.residual, jump, 1e-9);
        assert_true(p.epsilon >= least * (1 - 1e-3)); /* the grid of starts */
        /* forward in what shrinks, backward in what grows: the geometric series */
        const double series = growing ? (1 - pow(factor, -last)) / (factor - 1)
                                      : (1 - pow(factor, last)) / (1 - factor);
        check_relative(p.inverse, series, 1e-3);
        assert_true(p.epsilon <= p.inverse * jump * (1 + 1e-4));
        end(&q);
    }
}

/* The flow at the iteration's times is no orbit: what is proven is above the minimax radius. */
static void sampled_flows(void **state)
{
    static const struct {
        double lambda[2], start[2], h, radius;
        uint64_t steps;
    } known[] = {
        {{2, 1}, {2, 2}, 0.2, 0.147282622958, 30},
        {{-1.27, 2}, {2, 4.5}, 0.1, 0.229617959508, 14},
        {{-1.27, 2}, {2, 4.5}, 0.1, 59.8044872727, 59},
    };
    for (size_t i = 0; i < 3; i++) {
        char yaml[256];
        question q;
        snprintf(yaml, sizeof yaml,
                 "{problem: {name: quadratic, eigenvalues: [%g, %g]}, method: {name: gradient, step: %g}, start: {x: "
                 "[%g, %g]}, iterations: %d}",
                 known[i].lambda[0], known[i].lambda[1], known[i].h, known[i].start[0], known[i].start[1],
                 (int)known[i].steps);
        ask(*state, yaml, &q);
        for (size_t k = 0; k <= known[i].steps; k++) {
            for (size_t j = 0; j < 2; j++) {
                q.x[2 * k + j] = known[i].start[j] * exp(-known[i].lambda[j] * known[i].h * (double)k);
            }
        }
        const od_certified p = prove(*state, &q);
        assert_true(p.epsilon >= known[i].radius * (1 - 1e-11));
        assert_true(p.epsilon <= 20 * known[i].radius);
        end(&q);
    }
}

static void what_is_no_orbit_is_not_certified(void **state)
{
    question q;
    od_certificate *c;
    ask(*state, "{problem: hosaki, method: {name: gradient, step: 0.3}, start: {x: [2.05, 3.2]}, iterations: 40}", &q);
    iterate(&q);
    q.x[20] += 0.3;
    assert_int_equal(od_certificate_create(*state, q.rule, 40, q.x, &c), OD_EUNSUPPORTED);
    check_message(*state, "nothing is proven");
    q.x[20] = NAN;
    assert_int_equal(od_certificate_create(*state, q.rule, 40, q.x, &c), OD_EUNSUPPORTED);
    q.x[20] = 1e300;
    assert_int_equal(od_certificate_create(*state, q.rule, 40, q.x, &c), OD_EUNSUPPORTED);
    assert_int_equal(od_certificate_create(*state, q.rule, 0, q.x, &c), OD_EUNSUPPORTED);
    assert_int_equal(od_certificate_create(*state, q.rule, UINT64_MAX, q.x, &c), OD_EUNSUPPORTED);
    end(&q);
}

/* Decimals are above, by less than one unit of their last digit. */
static void decimals_are_rounded_up(void **state)
{
    (void)state;
    for (uint64_t draw = 0; draw < 2000; draw++) {
        char text[32];
        const double x = pow(10, 40 * (od_uniform(3, OD_STREAM_CHECK, draw, 0, 0) - 0.5));
        const double up = strtod(od_certificate_decimal(x, text), NULL);
        assert_true(up > x && up <= x * (1 + 1.01e-9));
        assert_true(strlen(text) == strlen("1.234567891e-10"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(computed_orbits_are_near_exact_ones),
        test_with_context(a_jump_costs_what_it_must),
        test_with_context(sampled_flows),
        test_with_context(what_is_no_orbit_is_not_certified),
        cmocka_unit_test(decimals_are_rounded_up),
    };
    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
