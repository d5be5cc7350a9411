/*
 * How runs end before their time: `stop`, divergence, schemes that give up, interruption. What was computed is kept.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include "../src/crew.h"

#include <signal.h>

/* ------------------------------------------------------------------------------------------- stop */

static void stop_ends_at_the_first_step_that_meets_it(void **state)
{
    static const struct {
        const char *changes;
        double reached; /* 0.65 1.7^2 e^{-2.6 t} <= 0.01 from t = 2.013; 1.3 1.7 e^{-1.3 t} <= 0.1 from t = 2.381 */
    } cases[] = {{"stop: {loss: 0.01}, record: {every: 0.33}", 2.1},
                 {"stop: {loss: 0.01}, record: {every: 0.1}", 2.1},
                 {"stop: {loss: 0.01}, record: {every: 3}", 2.1},
                 {"stop: {gradient: 0.1}, record: {every: 0.7}", 2.4},
                 {"stop: {gradient: 0.1, loss: 0.01}, record: {every: 2.1}", 2.1},
                 {"stop: {loss: 5}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], folder[32];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3]}, method: gradient, integrator: {name: rk4, step: 0.1}, "
            "start: {x: [1.7]}, until: 20, %s}",
            cases[i].changes);
        od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
        const od_outcome *o = &r->outcome[0];
        check_close(o->reached, cases[i].reached, 1e-14);
        assert_true(o->t == o->reached);
        check_close(o->mean[0], 1.7 * exp(-1.3 * cases[i].reached), 1e-4);
        table t = read_table(folder, "flow.csv");
        for (size_t j = 1; j < t.rows; j++) {
            assert_true(table_at(&t, j, "t") > table_at(&t, j - 1, "t"));
        }
        assert_true(table_at(&t, t.rows - 1, "t") == o->reached);
        assert_true(table_at(&t, t.rows - 1, "x_1") == o->mean[0]);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
}

/* 0.65 1.7^2 0.87^{2k} <= 0.01 from k = 18.8 */
static void stop_ends_an_iteration(void **state)
{
    static const struct {
        const char *changes;
        uint64_t k;
    } cases[] = {{"stop: {loss: 0.01}, record: {stride: 1}", 19},
                 {"stop: {loss: 0.01}, record: {stride: 7}", 19},
                 {"stop: {loss: 0.01}, record: {stride: 19}", 19},
                 {"stop: {gradient: 3}, record: {stride: 4}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], folder[32];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [1.3]}, method: {name: gradient, step: 0.1}, start: {x: [1.7]}, "
            "iterations: 1000, %s}",
            cases[i].changes);
        od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
        assert_int_equal(r->outcome[0].iterations, cases[i].k);
        check_relative(r->outcome[0].iteration_mean[0], 1.7 * pow(0.87, (double)cases[i].k), 1e-13);
        check_close(r->outcome[0].reached, 0.1 * (double)cases[i].k, 1e-14);
        table t = read_table(folder, "iteration.csv");
        for (size_t j = 1; j < t.rows; j++) {
            assert_true(table_at(&t, j, "k") > table_at(&t, j - 1, "k"));
        }
        assert_true(table_at(&t, t.rows - 1, "k") == (double)cases[i].k);
        assert_true(table_at(&t, t.rows - 1, "x_1") == r->outcome[0].iteration_mean[0]);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
}

/* ------------------------------------------------------------------------------------------- divergence */

static void a_diverging_flow_keeps_its_rows(void **state)
{
    /* x_n = (-99)^n; the gradient 1000 x_153 = 2.1e308 overflows, so there is no x_154; the loss does from n = 77 */
    static const char *const texts[] = {
        "{problem: {name: quadratic, eigenvalues: [1000, 1]}, method: gradient, integrator: {name: euler, step: 0.1}, "
        "start: {x: [1, 1]}, until: 100, record: {every: 0.25, quantities: [x, loss]}}",
        "{problem: {name: quadratic, eigenvalues: [1000, 1]}, method: {name: gradient, step: 0.1}, start: {x: [1, 1]}, "
        "iterations: 1000, record: {stride: 1, quantities: [x, loss]}}"};
    for (int map = 0; map < 2; map++) {
        char folder[32];
        od_result *r = run_text(*state, texts[map], &(od_options){.output = make_folder(folder)}, OD_EDIVERGED);
        check_message(*state, "diverged at t = 15.4");
        check_message(*state, "A smaller step may help");
        assert_non_null(r);
        assert_true(r->diverged && !r->interrupted);
        const od_outcome *o = &r->outcome[0];
        assert_int_equal(o->stopped, 1);
        check_close(o->first_stop, 15.4, 1e-12);
        const double *x = map ? o->iteration_mean : o->mean;
        check_relative(x[0], pow(-99, 153), 1e-12);
        check_close(map ? o->iteration_t : o->t, 15.3, 1e-12);
        assert_true(isinf(map ? o->iteration_loss : o->loss));
        table t = read_table(folder, map ? "iteration.csv" : "flow.csv");
        assert_int_equal(t.rows, map ? 154 : 62); /* k = 0..153; 0.25 j <= 15.3 */
        const double last = table_at(&t, t.rows - 1, "t");
        assert_true(last <= 15.3 + 1e-12 && last > 15);
        assert_true(isinf(table_at(&t, t.rows - 1, "loss")) && isfinite(table_at(&t, t.rows - 1, "x_1")));
        check_relative(table_at(&t, 4, "x_1"), map ? pow(-99, 4) : pow(-99, 10), 1e-12);
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
    }
}

/* One member of several diverges: the others are computed, the message names it. */
static void one_member_may_diverge(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [300]}, method: gradient, start: {x: [1]}, until: 100, "
        "compare: [{label: good, integrator: {name: euler, step: 0.001}}, {label: bad, integrator: {name: "
        "euler, step: 0.5}}, {label: last, integrator: exact}]}",
        NULL, OD_EDIVERGED);
    check_message(*state, "bad: diverged");
    assert_int_equal(r->count, 3);
    assert_true(r->outcome[0].stopped == 0 && r->outcome[1].stopped == 1 && r->outcome[2].stopped == 0);
    check_close(r->outcome[2].t, 100, 0);
    od_result_free(r);
}

/* A scheme that gives up, and a closed form that overflows, leave the last finite state at its own time. */
static void a_path_that_ends_keeps_state_and_time(void **state)
{
    od_result *r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: {name: heavy-ball, alpha: 0.5}, "
        "start: {x: [1, 1]}, integrator: {name: cvode, max_steps: 50}, until: 20, record: {every: 0.1}}",
        NULL, OD_EDIVERGED);
    check_message(*state, "diverged or could not be continued");
    check_message(*state, "max_steps");
    od_result *until = NULL;
    char yaml[400];
    snprintf(yaml, sizeof yaml,
             "{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: {name: heavy-ball, alpha: 0.5}, start: {x: "
             "[1, 1]}, "
             "integrator: exact, until: %.17g}",
             r->outcome[0].t);
    until = run_text(*state, yaml, NULL, OD_OK);
    assert_true(r->outcome[0].t > 1 && r->outcome[0].t < 19);
    check_close(r->outcome[0].mean[0], until->outcome[0].mean[0], 1e-6);
    od_result_free(r);
    od_result_free(until);
    r = run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [-1]}, method: gradient, start: {x: [1]}, integrator: exact, "
        "until: 2000, record: {every: 2}}",
        NULL, OD_EDIVERGED);
    /* e^708 is finite, e^710 is not */
    check_close(r->outcome[0].t, 708, 0);
    check_relative(r->outcome[0].mean[0], exp(708), 1e-13);
    od_result_free(r);
}

/* ------------------------------------------------------------------------------------------- interruption */

typedef struct brake {
    od_context *ctx;
    double at, last;
    size_t calls;
} brake;

static void stop_at(void *user, double fraction)
{
    brake *b = user;
    assert_true(fraction >= b->last && fraction <= 1);
    b->last = fraction;
    b->calls++;
    if (fraction >= b->at) {
        od_cancel(b->ctx);
    }
}

static void an_interrupted_run_keeps_its_rows(void **state)
{
    static const char *const texts[] = {
        "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: nesterov, integrator: {name: rk4, step: 0.01}, "
        "start: "
        "{x: [1, 1]}, until: 1000, record: {every: 0.25}}",
        "{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: {name: nesterov, step: 0.0001}, start: {x: [1, "
        "1]}, "
        "iterations: 100000, record: {stride: 25}}",
        ("{problem: {name: quadratic, eigenvalues: [1, 0.5]}, method: {name: nesterov, noise: 0.1}, integrator: {name: "
         "euler-maruyama, step: 0.01}, start: {x: [1, 1]}, until: 10, paths: 10000, record: {every: 0.1}}")};
    for (size_t i = 0; i < 3; i++) {
        char folder[32];
        od_context *ctx = od_context_create();
        brake b = {.ctx = ctx, .at = 0.3};
        od_context_on_progress(ctx, stop_at, &b);
        od_result *r = run_text(ctx, texts[i], &(od_options){.output = make_folder(folder)}, OD_EINTERRUPTED);
        check_message(ctx, "interrupted");
        assert_true(r->interrupted && !r->diverged && b.calls > 5);
        const od_outcome *o = &r->outcome[0];
        const char *name = i == 1 ? "iteration.csv" : "flow.csv";
        table t = read_table(folder, name);
        size_t size;
        char *csv = read_text(folder, name, &size);
        assert_non_null(strstr(csv, "\n# interrupted: "));
        free(csv);
        if (i < 2) {
            const double end = i == 0 ? o->t : o->iteration_t;
            assert_true(end > 299 && end < 320);
            assert_true(table_at(&t, t.rows - 1, "t") > 298 && table_at(&t, t.rows - 1, "t") <= end);
            assert_int_equal(t.rows, 1 + (size_t)(table_at(&t, t.rows - 1, "t") / 0.25 + 0.5));
        } else {
            assert_true(o->paths > 2500 && o->paths < 6000);
            assert_int_equal(t.rows, 101);
            /* a block that was put down after its last row is in the table and not yet among the paths that are through
             */
            const double last = table_at(&t, 100, "paths") - (double)o->paths;
            assert_true(last >= 0 && last <= 128.0 * (double)sysconf(_SC_NPROCESSORS_ONLN));
        }
        free(t.value);
        od_result_free(r);
        remove_folder(folder);
        od_context_free(ctx);
    }
    (void)state;
}

static void a_run_cancelled_at_its_very_end_is_whole(void **state)
{
    char folder[32];
    od_context *ctx = od_context_create();
    brake b = {.ctx = ctx, .at = 0.999999};
    od_context_on_progress(ctx, stop_at, &b);
    od_result *r = run_text(ctx,
                            "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, integrator: {name: rk4, "
                            "step: 0.01}, start: {x: [1]}, until: 10, record: {every: 1}}",
                            &(od_options){.output = make_folder(folder)}, OD_OK);
    assert_true(od_cancelled(ctx) && !r->interrupted);
    size_t size;
    char *csv = read_text(folder, "flow.csv", &size);
    assert_null(strstr(csv, "interrupted"));
    free(csv);
    od_result_free(r);
    remove_folder(folder);
    od_context_free(ctx);
    (void)state;
}

/* A pendulum that counts how often it is asked, and cancels at one of them. */
typedef struct pendulum {
    od_context *ctx;
    size_t asked, cancel_at;
} pendulum;

static od_status swing(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    pendulum *p = (pendulum *)flow->data;
    (void)t;
    (void)ws;
    if (++p->asked == p->cancel_at) {
        od_cancel(p->ctx);
    }
    for (size_t i = 0; i < n; i++) {
        dz[i] = z[n + i];
        dz[n + i] = -sin(z[i]) - 0.1 * z[n + i];
    }
    return OD_OK;
}

static od_status swing_jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u,
                           double *ju, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < n; i++) {
            ju[2 * j * n + i] = u[(2 * j + 1) * n + i];
            ju[(2 * j + 1) * n + i] = -cos(z[i]) * u[2 * j * n + i] - 0.1 * u[(2 * j + 1) * n + i];
        }
    }
    return OD_OK;
}

/* One advance of each adaptive scheme ends within a step of its own, and goes on as if nothing had been. */
static void an_advance_is_put_down_and_taken_up(void **state)
{
    enum { N = 3, ONE_STEP = 40 };
    static const char *const schemes[] = {"{name: cvode}", "{name: cvode, family: bdf}", "{name: rk4-tracked}"};
    static const double start[2 * N] = {1.1, 2.3, -0.7, 0.2, -0.4, 1.9};
    for (size_t k = 0; k < sizeof schemes / sizeof *schemes; k++) {
        pendulum p = {0};
        const od_flow flow = {.name = "pendulum",
                              .block_count = 2,
                              .block = {{"x", 1}, {"v", 1}},
                              .dim = 2,
                              .drift = swing,
                              .jvp = swing_jvp,
                              .data = &p};
        double whole[2 * N], z[2 * N];
        memcpy(whole, start, sizeof start);
        od_stepper *s = od_stepper_create(*state, schemes[k], &flow, 0, N, start);
        check_done(*state, s != NULL && od_stepper_advance(*state, s, 0, 20, N, whole, NULL) == OD_OK);
        od_stepper_free(s);
        const size_t all = p.asked;
        for (size_t i = 0; i < 7; i++) {
            /* at the first question, and in each of the three paths */
            p = (pendulum){.ctx = od_context_create(), .cancel_at = 1 + i * all / 7};
            memcpy(z, start, sizeof start);
            s = od_stepper_create(p.ctx, schemes[k], &flow, 0, N, start);
            assert_int_equal(od_stepper_advance(p.ctx, s, 0, 20, N, z, NULL), OD_EINTERRUPTED);
            check_message(p.ctx, "interrupted");
            assert_memory_equal(z, start, sizeof start);
            assert_true(p.asked >= p.cancel_at && p.asked <= p.cancel_at + ONE_STEP);
            check_done(*state, od_stepper_advance(*state, s, 0, 20, N, z, NULL) == OD_OK);
            assert_memory_equal(z, whole, sizeof whole);
            assert_int_equal(p.asked, all);
            od_stepper_free(s);
            od_context_free(p.ctx);
        }
    }
}

/* The only advance goes from start to end: progress is told within it, and it is left there. */
static void a_run_is_interrupted_within_an_advance(void **state)
{
    static const char *const schemes[] = {"cvode", "rk4-tracked"};
    for (size_t i = 0; i < 2; i++) {
        char text[400], folder[32];
        snprintf(text, sizeof text,
                 "{problem: hosaki, method: {name: heavy-ball, alpha: 0.01}, integrator: %s, start: {x: [1.1, 2.3]}, "
                 "until: 300, record: {every: 300}}",
                 schemes[i]);
        od_result *whole = run_text(*state, text, NULL, OD_OK);
        const od_options options = {.output = make_folder(folder)};
        od_context *ctx = od_context_create();
        brake b = {.ctx = ctx, .at = 0.3};
        od_context_on_progress(ctx, stop_at, &b);
        od_result *r = run_text(ctx, text, &options, OD_EINTERRUPTED);
        assert_true(r->interrupted && b.calls > 5 && b.last < 0.5);
        assert_true(r->outcome[0].t == 0 && r->outcome[0].evaluations < whole->outcome[0].evaluations / 2);
        od_result_free(r);
        r = run_text(*state, text, &options, OD_OK);
        assert_true(r->outcome[0].t == 300);
        check_close(r->outcome[0].mean[0], whole->outcome[0].mean[0], 1e-9);
        od_result_free(r);
        od_result_free(whole);
        od_context_free(ctx);
        remove_folder(folder);
    }
}

typedef struct watch {
    pthread_t caller;
    atomic_int others, deaf, hurt;
} watch;

static void look_at_mask(od_crew *crew, void *user)
{
    watch *w = user;
    sigset_t blocked;
    (void)crew;
    if (!pthread_equal(pthread_self(), w->caller)) {
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        atomic_fetch_add(&w->others, 1);
        atomic_fetch_add(&w->deaf, sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGINT) == 1);
        atomic_fetch_add(&w->hurt, sigismember(&blocked, SIGSEGV) == 0 && sigismember(&blocked, SIGPROF) == 0);
    }
}

/* Else a handler of the caller's program may run in a thread of the library that is just beginning or ending. */
static void signals_are_for_the_caller(void **state)
{
    watch w = {.caller = pthread_self()};
    od_crew crew = {.ctx = *state, .threads = 5};
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(od_crew_run(&crew, look_at_mask, &w), OD_OK);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(atomic_load(&w.others), 4);
    assert_int_equal(atomic_load(&w.deaf), 4);
    assert_int_equal(atomic_load(&w.hurt), 4);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    assert_int_equal(sigismember(&after, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(stop_ends_at_the_first_step_that_meets_it),
        test_with_context(stop_ends_an_iteration),
        test_with_context(a_diverging_flow_keeps_its_rows),
        test_with_context(one_member_may_diverge),
        test_with_context(a_path_that_ends_keeps_state_and_time),
        test_with_context(an_interrupted_run_keeps_its_rows),
        test_with_context(a_run_cancelled_at_its_very_end_is_whole),
        test_with_context(an_advance_is_put_down_and_taken_up),
        test_with_context(a_run_is_interrupted_within_an_advance),
        test_with_context(signals_are_for_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
