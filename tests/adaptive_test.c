/*
 * Adam, AMSGrad and RMSprop: reference values, textbook forms, and what they are known for.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "adaptive_references.h"
#include "check.h"
#include "valley.h"

enum { D = VALLEY_DIM, ROOM = 512, MOST_DIM = 4 * 100 };

static double no_tilt[D] = {0, 0, 0};

typedef struct runner {
    od_problem *owned;
    od_map *map;
    double *z, *ws;
} runner;

/* A run of one path from x, with the other blocks where a run of the iteration alone starts. */
static runner open_map(od_context *ctx, const char *method, const od_problem *f, const double *x)
{
    runner r = {.map = od_map_create(ctx, method, f)};
    check_done(ctx, r.map != NULL);
    r.ws = calloc(od_scratch_size(&r.map->scratch, 1) + 1, sizeof(double));
    r.z = calloc(r.map->dim, sizeof(double));
    memcpy(r.z, x, f->dim * sizeof *x);
    if (r.map->rest != NULL) {
        assert_int_equal(r.map->rest(r.map, 1, r.z, r.ws), OD_OK);
    }
    return r;
}

static runner open_on(od_context *ctx, const char *method, const char *problem, const double *x)
{
    od_problem *f = od_problem_create(ctx, problem);
    check_done(ctx, f != NULL);
    runner r = open_map(ctx, method, f, x);
    r.owned = f;
    return r;
}

static void step(runner *r, uint64_t k)
{
    double tau;
    assert_int_equal(r->map->step(r->map, k, 1, r->z, NULL, NULL, &tau, r->ws), OD_OK);
    check_close(tau, r->map->tau, 0);
}

static void close_map(runner *r)
{
    od_map_free(r->map);
    od_problem_free(r->owned);
    free(r->z);
    free(r->ws);
}

/* ------------------------------------------------------------------------------------------ reference values */

/* Stated to 1e-10; what is near 0 came there by differences of numbers of size 1. */
static void iterates_match_references(void **state)
{
    for (size_t i = 0; i < sizeof iterates / sizeof *iterates; i++) {
        print_message("# %s on %s\n", iterates[i].method, iterates[i].problem);
        runner r = open_on(*state, iterates[i].method, iterates[i].problem, iterates[i].x[0]);
        for (uint64_t k = 0; k < 5; k++) {
            step(&r, k);
            for (size_t j = 0; j < 2; j++) {
                const double want = iterates[i].x[k + 1][j];
                check_close(r.z[j], want, 1e-10 * fabs(want) + 1e-13);
            }
        }
        close_map(&r);
    }
}

/* The loss of a chain whose coordinates are all x. */
static void name_chain(char yaml[128], unsigned length)
{
    snprintf(yaml, 128, "{name: formula, f: 'x^%u/%u - x^%u/%u', variables: [x]}", 2 * length, 2 * length, length,
             length);
}

static void chains_match_references(void **state)
{
    for (size_t i = 0; i < 2 * sizeof chain_iterates / sizeof *chain_iterates; i++) {
        const struct chain_iterates *a = &chain_iterates[i / 2];
        const double *want = i % 2 == 0 ? a->first : a->lagged;
        char chain[128];
        name_chain(chain, a->length);
        runner r = open_on(*state,
                           i % 2 == 0 ? "{name: rmsprop, step: 0.01, eps: 0}"
                                      : "{name: rmsprop, step: 0.01, eps: 0, map: lagged}",
                           chain, &a->start);
        for (uint64_t k = 0; k < 12 && want[k + 1] != 0; k++) {
            step(&r, k);
            check_relative(r.z[0], want[k + 1], 1e-10);
        }
        close_map(&r);
    }
}

/* The reference has v_0 = (lambda w_0)^2 and updates v with the new gradient: `shifted`, and also the other two orders
 * as far as they are the same. */
static void the_scale_of_the_loss_does_not_matter(void **state)
{
    static const char *const methods[] = {"{name: rmsprop, map: shifted, step: 0.1, eps: 0}",
                                          "{name: rmsprop, map: lagged, step: 0.1, eps: 0}",
                                          "{name: rmsprop, step: 0.1, eps: 0}",
                                          "{name: adam, step: 0.1, eps: 0}",
                                          "{name: adam, map: lagged, step: 0.1, eps: 0}",
                                          "{name: adam, map: amsgrad, step: 0.1, eps: 0}"};
    static const double scale[] = {1, 4, 0x1p-20, 100, 0.01};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        double x[13] = {0};
        for (size_t j = 0; j < 5; j++) {
            char bowl[64];
            snprintf(bowl, sizeof bowl, "{name: quadratic, eigenvalues: [%.17g]}", scale[j]);
            runner r = open_on(*state, methods[i], bowl, scale_free);
            for (uint64_t k = 0; k < 12; k++) {
                step(&r, k);
                if (i == 0) {
                    check_relative(r.z[0], scale_free[k + 1], 1e-11);
                }
                if (j == 0) {
                    x[k + 1] = r.z[0];
                } else if (j < 3) {
                    assert_memory_equal(&r.z[0], &x[k + 1], sizeof *x); /* powers of 2 round nothing */
                } else {
                    check_relative(r.z[0], x[k + 1], 1e-13);
                }
            }
            close_map(&r);
        }
    }
}

static void advance(od_context *ctx, const od_flow *flow, double t0, double t1, unsigned steps, double *z, double *ws)
{
    char scheme[64];
    snprintf(scheme, sizeof scheme, "{name: rk4, step: %.17g}", (t1 - t0) / steps);
    od_stepper *s = od_stepper_create(ctx, scheme, flow, 0, 1, z);
    check_done(ctx, s != NULL);
    for (unsigned k = 0; k < steps; k++) {
        double next[ROOM];
        assert_int_equal(s->type->step(s, t0 + (t1 - t0) * k / steps, (t1 - t0) / steps, 1, z, NULL, next, ws), OD_OK);
        memcpy(z, next, flow->dim * sizeof *z);
    }
    od_stepper_free(s);
}

static double *stepper_scratch(const od_flow *flow)
{
    return calloc(od_scratch_size(&flow->scratch, 1) + 8 * flow->dim, sizeof(double));
}

/* Stated to 1e-9; RK4 with 4000 steps an interval is right to 1e-12. */
static void flows_match_references(void **state)
{
    od_context *ctx = *state;
    for (size_t i = 0; i < sizeof flow_references / sizeof *flow_references; i++) {
        const struct flow_reference *a = &flow_references[i];
        od_problem *f = od_problem_create(ctx, a->problem);
        od_flow *flow = f != NULL ? od_flow_create(ctx, a->method, f) : NULL;
        check_done(ctx, flow != NULL);
        double z[3] = {a->x0}, t = 0, *ws = stepper_scratch(flow);
        if (flow->rest != NULL) {
            assert_int_equal(flow->rest(flow, 0, 1, z, ws), OD_OK);
        }
        for (size_t j = 0; j < 3; j++) {
            advance(ctx, flow, t, a->t[j], 4000, z, ws);
            t = a->t[j];
            check_relative(z[0], a->x[j], 1e-9);
            check_relative(z[flow->block_count - 1], a->s[j], 1e-9);
            if (flow->block_count == 3) {
                check_relative(z[1], a->m[j], 1e-9);
            }
        }
        free(ws);
        od_flow_free(flow);
        od_problem_free(f);
    }
}

/* -------------------------------------------------------------------------------------------- textbook forms */

typedef struct textbook {
    double m[D], s[D], top[D];
} textbook;

/* Algorithm 1 of Kingma and Ba, Algorithm 2 of Reddi, Kale and Kumar, and RMSprop, as they are printed. */
static void textbook_step(size_t which, textbook *a, uint64_t t, double eta, double b1, double b2, const double *g,
                          double *x)
{
    for (size_t i = 0; i < D; i++) {
        a->m[i] = b1 * a->m[i] + (1 - b1) * g[i];
        a->s[i] = b2 * a->s[i] + (1 - b2) * g[i] * g[i];
        a->top[i] = fmax(a->top[i], a->s[i]);
        const double mhat = a->m[i] / (1 - pow(b1, (double)t)), shat = a->s[i] / (1 - pow(b2, (double)t));
        x[i] -= which < 2   ? eta * mhat / (sqrt(shat) + 1e-3)
                : which < 4 ? eta / sqrt((double)t) * a->m[i] / (sqrt(a->top[i]) + 1e-3)
                            : eta * g[i] / (sqrt(a->s[i]) + 1e-3);
    }
}

static void iterations_are_their_textbook_forms(void **state)
{
    static const char *const methods[] = {
        "{name: adam, step: 0.0137, beta1: 0.785, beta2: 0.885, eps: 1.0e-3}",
        "{name: adam, step: 0.0137, beta1: 0, beta2: 0.885, eps: 1.0e-3}",
        "{name: adam, map: amsgrad, step: 0.0137, beta1: 0.785, beta2: 0.885, eps: 1.0e-3, decay: 0.5}",
        "{name: adam, map: amsgrad, step: 0.0137, beta1: 0, beta2: 0.885, eps: 1.0e-3, decay: 0.5}",
        "{name: rmsprop, step: 0.0137, beta2: 0.885, eps: 1.0e-3}",
    };
    od_problem f = valley(no_tilt);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        double x[D] = {-0.7, 1.385, 0.3}, g[D];
        textbook a = {0};
        runner r = open_map(*state, methods[i], &f, x);
        for (uint64_t k = 0; k < 100; k++) {
            f.eval(&f, OD_GRADIENT, 1, x, NULL, g, NULL);
            textbook_step(i, &a, k + 1, 0.0137, i % 2 == 0 ? 0.785 : 0, 0.885, g, x);
            step(&r, k);
            for (size_t j = 0; j < D; j++) {
                check_close(r.z[j], x[j], 1e-11); /* 1e-16 a step, expanded by at most 100 */
                check_close(r.z[r.map->dim - D + j], i == 2 || i == 3 ? a.top[j] : a.s[j], 1e-10);
            }
        }
        close_map(&r);
    }
}

/* The lagged orders are Euler's step of their flow, of length `step`: the same numbers up to a few roundings. */
static void lagged_iterations_are_eulers_steps(void **state)
{
    static const char *const methods[] = {
        "{name: adam, map: lagged, step: 0.0137, beta1: 0.785, beta2: 0.885}",
        "{name: adam, map: lagged, step: 0.0137, beta1: 0, beta2: 0.885, decay: 0.5}",
        "{name: adam, flow: lagged, step: 0.0137, a1: 23, a2: 1.385, eps: 0.01, eps_place: outside}",
        "{name: rmsprop, map: lagged, step: 0.0137, decay: 0.385}",
        "{name: rmsprop, map: lagged, step: 0.0137, eps_place: inside}",
    };
    od_problem f = valley(no_tilt);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const double x[D] = {-0.7, 1.385, 0.3};
        runner r = open_map(*state, methods[i], &f, x);
        od_flow *flow = od_flow_create(*state, methods[i], &f);
        check_done(*state, flow != NULL);
        assert_int_equal(flow->dim, r.map->dim);
        double z[3 * D], dz[3 * D], *ws = stepper_scratch(flow);
        for (uint64_t k = 0; k < 200; k++) {
            memcpy(z, r.z, flow->dim * sizeof *z);
            assert_int_equal(flow->drift(flow, (double)k * 0.0137, 1, z, dz, ws), OD_OK);
            step(&r, k);
            for (size_t j = 0; j < flow->dim; j++) {
                check_close(r.z[j], z[j] + 0.0137 * dz[j], 1e-15 * (1 + fabs(z[j])));
            }
        }
        free(ws);
        od_flow_free(flow);
        close_map(&r);
    }
}

/* ------------------------------------------------------------------------------------- what they are known for */

/* Each component of a step of RMSprop is at most eta/sqrt(1 - beta2), and the first one is. */
static void steps_of_rmsprop_are_bounded(void **state)
{
    od_problem f = valley(no_tilt);
    const double bound = 0.137 / sqrt(1 - 0.885);
    for (uint64_t trial = 0; trial < 20; trial++) {
        double x[D];
        for (size_t i = 0; i < D; i++) {
            x[i] = 3 * od_normal(713, OD_STREAM_CHECK, trial, i, 0);
        }
        runner r = open_map(*state, "{name: rmsprop, step: 0.137, beta2: 0.885, eps: 0}", &f, x);
        for (uint64_t k = 0; k < 100; k++) {
            step(&r, k);
            for (size_t i = 0; i < D; i++) {
                assert_true(fabs(r.z[i] - x[i]) <= bound * (1 + 1e-14));
                if (k == 0) {
                    check_relative(fabs(r.z[i] - x[i]), bound, 1e-13);
                }
            }
            memcpy(x, r.z, sizeof x);
        }
        close_map(&r);
    }
}

/* Iterations on the chain (w_1 ... w_L - 1)^2/2 from equal w until the loss is below 0.01. */
static unsigned count_on_chain(od_context *ctx, const char *method, unsigned length, unsigned most)
{
    char *yaml = calloc(1, 4096), *end = yaml;
    double x[MOST_DIM], f;
    end += sprintf(end, "{name: formula, f: '(w1");
    for (unsigned i = 2; i <= length; i++) {
        end += sprintf(end, "*w%u", i);
    }
    end += sprintf(end, " - 1)^2/2', variables: [w1");
    for (unsigned i = 2; i <= length; i++) {
        end += sprintf(end, ", w%u", i);
    }
    sprintf(end, "]}");
    for (unsigned i = 0; i < length; i++) {
        x[i] = 0.5;
    }
    runner r = open_on(ctx, method, yaml, x);
    unsigned k = 0;
    for (f = 1; k <= most; k++) {
        assert_int_equal(r.owned->eval(r.owned, OD_VALUE, 1, r.z, &f, NULL, r.ws), OD_OK);
        for (unsigned i = 1; i < length; i++) {
            check_close(r.z[i], r.z[0], 1e-12); /* equal gradients in other orders of multiplication */
        }
        if (f < 0.01) {
            break;
        }
        step(&r, k);
    }
    close_map(&r);
    free(yaml);
    return k;
}

/* Counts of the catalogue of the thesis' section 3.2.2: they do not grow with the length, where gradient descent's do.
 */
static void chains_of_any_length_take_as_many_iterations(void **state)
{
    static const struct {
        const char *method;
        unsigned length[5], count[5];
    } known[] = {
        {"{name: rmsprop, step: 0.01, eps: 0}", {3, 5, 10, 20, 40}, {38, 33, 24, 18, 16}},
        {"{name: rmsprop, step: 0.001, eps: 0}", {3, 5, 10, 20, 40}, {446, 454, 441, 398, 327}},
        {"{name: rmsprop, step: 0.02, eps: 0, decay: 0.5}", {5, 10, 20, 50, 100}, {80, 56, 35, 24, 25}},
        {"{name: rmsprop, step: 0.1, eps: 0, decay: 0.5}", {5, 10, 20, 50, 100}, {4, 6, 21, 159, 379}},
        {"{name: gradient, step: 0.1}", {3, 5, 10, 15, 0}, {17, 30, 326, 6310, 0}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        for (size_t j = 0; j < 5 && known[i].length[j] > 0; j++) {
            print_message("# %s, %u layers\n", known[i].method, known[i].length[j]);
            assert_int_equal(count_on_chain(*state, known[i].method, known[i].length[j], 10000), known[i].count[j]);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- orders */

static const double corner[D] = {-0.7, 1.385, 0.3};

/* x at time 1 with RK4 from the corner, other blocks at rest. */
static void end_of_flow(od_context *ctx, const od_flow *flow, unsigned steps, double x[D])
{
    double z[3 * D] = {0}, *ws = stepper_scratch(flow);
    memcpy(z, corner, sizeof corner);
    if (flow->rest != NULL) {
        assert_int_equal(flow->rest(flow, 0, 1, z, ws), OD_OK);
    }
    advance(ctx, flow, 0, 1, steps, z, ws);
    memcpy(x, z, D * sizeof *x);
    free(ws);
}

static double largest_difference(const double *x, const double *y)
{
    double most = 0;
    for (size_t j = 0; j < D; j++) {
        most = fmax(most, fabs(x[j] - y[j]));
    }
    return most;
}

/* On the valley, whose gradients keep their signs here, so that s stays away from 0; against 64 times as many steps. */
static void rk4_keeps_its_order(void **state)
{
    static const char *const methods[] = {
        "{name: adam, a1: 1.385, a2: 0.785, eps: 0.01}", /* from the singular start, as the next */
        "{name: adam, beta1: 0, a2: 0.785, eps: 0.01}",
        "{name: adam, flow: lagged, a1: 1.385, a2: 0.785, eps: 0.5}",
        "{name: rmsprop, a2: 0.785}",
        "{name: rmsprop, a2: 0.785, step: 0.5, decay: 0.5, eps: 0.1, eps_place: inside}",
    };
    od_problem f = valley(no_tilt);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        double coarse[D], fine[D], truth[D];
        od_flow *flow = od_flow_create(*state, methods[i], &f);
        check_done(*state, flow != NULL);
        end_of_flow(*state, flow, 128, coarse);
        end_of_flow(*state, flow, 256, fine);
        end_of_flow(*state, flow, 64 * 256, truth);
        const double order = log2(largest_difference(coarse, truth) / largest_difference(fine, truth));
        print_message("# %s: order %.3f\n", methods[i], order);
        assert_true(order > 3.8 && order < 4.6); /* above 4 where the singular start's errors still die out */
        od_flow_free(flow);
    }
}

/* With the rates of the moments fixed, halving `step` halves the distance from the flow at time 1. */
static void iterations_follow_their_flows(void **state)
{
    static const char *const methods[] = {"name: adam, a1: 1.385, a2: 0.785, eps: 0.01",
                                          "name: adam, beta1: 0, a2: 0.785, eps: 0.01",
                                          "name: adam, map: lagged, a1: 1.385, a2: 0.785, eps: 0.5",
                                          "name: rmsprop, a2: 0.785",
                                          "name: rmsprop, a2: 0.785, map: lagged",
                                          "name: rmsprop, a2: 0.785, map: shifted, eps_place: inside"};
    od_problem f = valley(no_tilt);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        double gap[3], truth[D];
        for (unsigned j = 0; j < 3; j++) {
            const unsigned n = 100u << j;
            char yaml[128];
            snprintf(yaml, sizeof yaml, "{%s, step: %.17g}", methods[i], 1.0 / n);
            runner r = open_map(*state, yaml, &f, corner);
            od_flow *flow = od_flow_create(*state, yaml, &f);
            check_done(*state, flow != NULL);
            if (flow->rest != NULL) { /* lock-step: both start where the flow does */
                double *ws = stepper_scratch(flow);
                assert_int_equal(flow->rest(flow, 0, 1, r.z, ws), OD_OK);
                free(ws);
            }
            end_of_flow(*state, flow, 2000, truth);
            for (uint64_t k = 0; k < n; k++) {
                step(&r, k);
            }
            gap[j] = largest_difference(r.z, truth);
            od_flow_free(flow);
            close_map(&r);
        }
        print_message("# %s: gaps %.3g %.3g %.3g\n", methods[i], gap[0], gap[1], gap[2]);
        check_close(log2(gap[0] / gap[1]), 1, 0.1);
        check_close(log2(gap[1] / gap[2]), 1, 0.05);
    }
}

/* --------------------------------------------------------------------------------------------------- experiments */

static od_result *run_with(od_context *ctx, const char *method, const char *more)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "problem: {name: rosenbrock, b: 5}\nmethod: {%s}\nstart: {x: [-1, 0.5]}\n%s", method,
             more);
    od_experiment *e = od_experiment_parse(ctx, yaml, NULL);
    check_done(ctx, e != NULL);
    od_result *result;
    check_done(ctx, od_experiment_run(ctx, e, &result) == OD_OK);
    od_experiment_free(e);
    return result;
}

static const double *block_of(const od_outcome *o, const double *state, const char *name)
{
    for (size_t b = 0; b < o->block_count; b++) {
        if (strcmp(o->block[b].name, name) == 0) {
            return state;
        }
        state += o->block[b].length;
    }
    fail_msg("there is no block '%s'", name);
    return NULL;
}

/* With Euler's scheme the flow of the same name is the lagged iteration, so naming one names both; 200 roundings. */
static void faces_of_one_name_go_together(void **state)
{
    static const char *const methods[] = {"name: adam, map: lagged, step: 0.01", "name: adam, flow: lagged, step: 0.01",
                                          "name: rmsprop, map: lagged, step: 0.01, decay: 0.5"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        od_result *r = run_with(*state, methods[i],
                                "integrator: {name: euler, step: 0.01}\nuntil: 2\niterations: 200\n");
        check_close(r->outcome[0].gap_max, 0, 1e-12);
        od_result_free(r);
    }
}

/* The square of the gradient, which is (-14, -5) at the start, or 0; after one iteration with beta2 = 0.75. */
static void second_moments_start_where_they_should(void **state)
{
    static const char *const alone = "iterations: 1\n",
                             *const beside = "iterations: 1\nuntil: 0.01\nintegrator: {name: rk4, step: 0.01}\n";
    static const struct {
        const char *method, *more;
        double s[2];
    } known[] = {
        {"name: rmsprop, step: 1.0e-9, beta2: 0.75", alone, {196 / 4.0, 25 / 4.0}},
        {"name: rmsprop, map: lagged, step: 1.0e-9, beta2: 0.75", alone, {196, 25}},
        {"name: rmsprop, map: shifted, step: 1.0e-9, beta2: 0.75", alone, {196, 25}},
        {"name: adam, step: 1.0e-9, beta2: 0.75", alone, {196 / 4.0, 25 / 4.0}},
        {"name: rmsprop, step: 0.01, beta2: 0.75", beside, {196, 25}},
        {"name: adam, step: 0.01, beta2: 0.75", beside, {196 / 4.0, 25 / 4.0}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        od_result *r = run_with(*state, known[i].method, known[i].more);
        const double *s = block_of(r->outcome, r->outcome[0].iteration_mean, "s");
        check_relative(s[0], known[i].s[0], 1e-12);
        check_relative(s[1], known[i].s[1], 1e-12);
        od_result_free(r);
    }
}

static void what_has_no_meaning_is_refused(void **state)
{
    static const struct {
        const char *method, *more, *entry, *sentence;
    } wrong[] = {
        {"name: adam, map: amsgrad, step: 0.1", "iterations: 9\nuntil: 1\nintegrator: {name: rk4, step: 0.1}",
         "iterations", "have different states"},
        {"name: rmsprop, step: 0.1", "iterations: 9\nstart: {x: [1, 2], s: [1, -1]}", "start.s",
         "component 2: a mean of squares is not negative"},
        {"name: adam, map: amsgrad, step: 0.1", "iterations: 9\nstart: {x: [1, 2], s_max: [-1, 0]}", "start.s_max",
         "component 1: a mean of squares is not negative"},
        {"name: rmsprop, step: 0.1", "until: 1\nintegrator: {name: rk4, step: 0.1}\nstart: {x: [1, 2], s: [1, 0]}",
         "start.s", "component 2: from s = 0 the flow's x' is the gradient over eps"},
        {"name: adam, step: 0.1", "until: 1\nintegrator: {name: rk4, step: 0.1}\nstart: {x: [1, 2], m: [1, 0]}",
         "start.m", "only one value gives a bounded solution"},
        {"name: adam, step: 0.1, beta1: 0", "iterations: 9\nrecord: {quantities: [m]}\nstart: {x: [1, 2]}",
         "record.quantities", "the blocks of the state (x, s)"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, "problem: {name: rosenbrock, b: 5}\nmethod: {%s}\n%s%s", wrong[i].method,
                 wrong[i].more, strstr(wrong[i].more, "start:") == NULL ? "\nstart: {x: [1, 2]}" : "");
        assert_null(od_experiment_parse(*state, yaml, NULL));
        check_message(*state, wrong[i].sentence);
        assert_string_equal(od_message_entry(*state), wrong[i].entry);
    }
}

/* On a quadratic the gradient is linear, but these flows are not, so nothing of them is known exactly. */
static void linear_laws_do_not_apply(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    od_experiment *e = od_experiment_parse(*state,
                                           "problem: {name: quadratic, eigenvalues: [2, 0.5]}\nstart: {x: [-1, 1]}\n"
                                           "method: {name: adam, step: 0.01, noise: 0.1}\nuntil: 1\npaths: 2000\n"
                                           "integrator: {name: euler-maruyama, step: 0.01}\n",
                                           NULL);
    check_done(*state, e != NULL);
    assert_int_equal(od_experiment_analyse(*state, e, "moments", out, true), OD_EUNSUPPORTED);
    check_message(*state, "that of 'adam' is none even where the gradient is linear");
    od_experiment_free(e);
    fclose(out);
    free(text);
}

/* On a diagonal quadratic H over the metric is diagonal; s after 3 iterations with gradients that are known. */
static void curvature_is_seen_through_the_metric(void **state)
{
    const double h[2] = {2.385, 0.31}, eta = 0.137, beta = 0.785;
    od_problem *f = od_problem_create(*state, "{name: quadratic, eigenvalues: [2.385, 0.31]}");
    check_done(*state, f != NULL);
    const double x[2] = {-0.7, 1.385};
    runner r = open_map(*state, "{name: adam, step: 0.137, beta1: 0.785, beta2: 0.585, eps: 0.01}", f, x);
    double s[2] = {0}, scale[2];
    r.map->metric(r.map, 0, r.z, scale);
    assert_true(isnan(scale[0])); /* nothing has been seen */
    for (uint64_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < 2; i++) {
            s[i] = 0.585 * s[i] + 0.415 * h[i] * h[i] * r.z[i] * r.z[i];
        }
        step(&r, k);
    }
    r.map->metric(r.map, 3, r.z, scale);
    for (size_t i = 0; i < 2; i++) {
        check_relative(scale[i], (1 - pow(beta, 3)) * (sqrt(s[i] / (1 - pow(0.585, 3))) + 0.01), 1e-14);
    }
    check_relative(r.map->stable, (2 + 2 * beta) / ((1 - beta) * eta), 1e-14);
    close_map(&r);
    od_problem_free(f);
}

/* A stage of a scheme may leave s >= 0; there x' and its derivative are those of |s|. */
static void drifts_go_on_beyond_zero(void **state)
{
    static const char *const methods[] = {"{name: adam, a1: 1.385, a2: 0.785, eps: 0.1}",
                                          "{name: rmsprop, a2: 0.785, eps: 0.1, eps_place: inside}"};
    od_problem f = valley(no_tilt);
    for (size_t i = 0; i < 2; i++) {
        od_flow *flow = od_flow_create(*state, methods[i], &f);
        check_done(*state, flow != NULL);
        double z[3 * D], up[3 * D], down[3 * D], u[3 * D] = {0}, ju[3 * D], *ws = stepper_scratch(flow);
        const size_t s = flow->dim - D;
        const double h = 1e-5;
        for (size_t j = 0; j < flow->dim; j++) {
            z[j] = j < s ? cos((double)(j * j)) : -0.385;
        }
        u[s] = u[s + 2] = 1;
        assert_int_equal(flow->drift(flow, 0.7, 1, z, down, ws), OD_OK);
        z[s] = 0.385;
        assert_int_equal(flow->drift(flow, 0.7, 1, z, up, ws), OD_OK);
        check_close(up[0], down[0], 0);
        z[s] = -0.385;
        assert_int_equal(flow->jvp(flow, 0.7, 1, z, 1, u, ju, ws), OD_OK);
        z[s] = z[s + 2] = -0.385 + h;
        flow->drift(flow, 0.7, 1, z, up, ws);
        z[s] = z[s + 2] = -0.385 - h;
        flow->drift(flow, 0.7, 1, z, down, ws);
        for (size_t j = 0; j < flow->dim; j++) {
            check_close(ju[j], (up[j] - down[j]) / (2 * h), 1e-8 * (1 + fabs(ju[j]))); /* as in methods_test.c */
        }
        free(ws);
        od_flow_free(flow);
    }
}

/* The bound itself: with s held still (beta2 near 1, large gradients seen before) Adam on x^2 lambda/2 is linear; just
 * below the bound it shrinks, just above it grows. */
static void the_bound_on_curvature_is_sharp(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        const double bound = (2 + 2 * 0.785) / ((1 - 0.785) * 0.137), lambda = bound * (i == 0 ? 0.98 : 1.02);
        char bowl[64];
        snprintf(bowl, sizeof bowl, "{name: quadratic, eigenvalues: [%.17g]}", lambda);
        const double x = 1e-6;
        runner r = open_on(*state, "{name: adam, map: amsgrad, step: 0.137, beta1: 0.785, beta2: 0.9, eps: 0}", bowl,
                           &x);
        r.z[3] = 1; /* s_max: the metric is 1 as long as no square exceeds it */
        double early = 0, late = 0;
        for (uint64_t k = 0; k < 40; k++) {
            step(&r, k);
            early = k < 10 ? fmax(early, fabs(r.z[0])) : early;
            late = k >= 30 ? fmax(late, fabs(r.z[0])) : late;
        }
        assert_true(i == 0 ? late < early / 2 : late > 2 * early);
        check_relative(r.map->stable, bound, 1e-14);
        close_map(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(iterates_match_references),
        test_with_context(chains_match_references),
        test_with_context(the_scale_of_the_loss_does_not_matter),
        test_with_context(flows_match_references),
        test_with_context(iterations_are_their_textbook_forms),
        test_with_context(lagged_iterations_are_eulers_steps),
        test_with_context(steps_of_rmsprop_are_bounded),
        test_with_context(chains_of_any_length_take_as_many_iterations),
        test_with_context(rk4_keeps_its_order),
        test_with_context(iterations_follow_their_flows),
        test_with_context(faces_of_one_name_go_together),
        test_with_context(second_moments_start_where_they_should),
        test_with_context(what_has_no_meaning_is_refused),
        test_with_context(linear_laws_do_not_apply),
        test_with_context(curvature_is_seen_through_the_metric),
        test_with_context(the_bound_on_curvature_is_sharp),
        test_with_context(drifts_go_on_beyond_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
