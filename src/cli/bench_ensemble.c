/*
 * `optdyn bench ensemble`: what a step of one of many paths costs, beside a bare kernel and beside other programs.
 *
 * Steps are compared by processor time within a round, as in `bench core`. Two threads are compared with one by the
 * clock, which others who use the machine disturb, and two threads more than one: the fastest slice of all rounds with
 * the fastest; what their processor time says is not disturbed.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench_ensemble.h"
#include "bench.h"

#include "src/clones.h"
#include "src/json.h"
#include "src/memory.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9, SLICES = 3, CASES = 3, PEERS = 3, SEED = 7 };

/** One equation with one scheme. */
typedef struct ensemble_case {
    const char *kind, *title;
    size_t dim, steps;
    const od_flow *flow; /* NULL: the stochastic one, by an experiment */
    void (*bare)(size_t n, size_t steps, double *z);
    double goal, goal_ratio, goal_plain, goal_threads; /* NaN: none */
    bench_series ours, bare_time, peer[PEERS];         /* seconds of the processor per path and step */
    bench_series one, two;                             /* seconds of the clock, with one thread and with two */
    bench_series two_cpu;                              /* seconds of the processor, of both threads together */
    bool same_bits;
} ensemble_case;

/** What all cases need. */
typedef struct ensemble_report {
    ensemble_case c[CASES];
    bench_peer peer[PEERS];
    od_experiment *sde[2]; /* with one thread and with two */
    double *z, *z_bare;    /* blocks of BENCH_BLOCK paths, each component-major */
} ensemble_report;

/* ------------------------------------------------------------------------------------------- our side */

static od_experiment *sde_experiment(od_context *ctx, size_t steps, unsigned threads)
{
    char text[512];
    const double until = bench_begin + (double)steps * bench_step;
    snprintf(text, sizeof text,
             "{problem: {name: quadratic, eigenvalues: [%g, %g]}, method: {name: nesterov, r: %d, noise: %g}, "
             "integrator: {name: euler-maruyama, step: %g}, start: {t: %g, x: [1, 1]}, until: %.17g, paths: %d, "
             "seed: %d, record: {every: %.17g, quantities: [x]}}",
             bench_curvature[0], bench_curvature[1], BENCH_VISCOSITY, bench_sigma, bench_step, bench_begin, until,
             BENCH_PATHS, SEED, until - bench_begin);
    return od_experiment_parse(ctx, text, &(od_options){.threads = threads});
}

static size_t block_size(size_t first)
{
    return BENCH_PATHS - first < BENCH_BLOCK ? BENCH_PATHS - first : BENCH_BLOCK;
}

/* Each recorded state into the place of its block; the last one stays. */
static od_status keep_state(void *user, const od_view *view)
{
    double *z = user;
    memcpy(z + view->first_path * view->dim, view->z, view->dim * view->n * sizeof *z);
    return OD_OK;
}

static void start_trajectories(size_t dim, double *z)
{
    for (size_t first = 0; first < BENCH_PATHS; first += BENCH_BLOCK) {
        const size_t n = block_size(first);
        for (size_t i = 0; i < dim * n; i++) {
            z[first * dim + i] = 1 + (double)(first + i % n) / BENCH_PATHS;
        }
    }
}

OD_CLONES static od_status lorenz_drift(const od_flow *flow, double t, size_t n, const double *restrict z,
                                        double *restrict dz, double *ws)
{
    (void)flow;
    (void)t;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        const double x = z[p], y = z[n + p], w = z[2 * n + p];
        dz[p] = 10 * (y - x);
        dz[n + p] = x * (28 - w) - y;
        dz[2 * n + p] = x * y - 8.0 / 3 * w;
    }
    return OD_OK;
}

static const od_flow lorenz_flow = {
    .name = "lorenz", .block_count = 1, .block = {{"x", 3}}, .dim = 3, .drift = lorenz_drift};

/** One thread's part of the trajectories. */
typedef struct part {
    const ensemble_case *c;
    double *z;
    size_t first, end;
    od_status status;
} part;

static void *advance_part(void *argument)
{
    part *a = argument;
    od_context *ctx = od_context_create();
    od_stepper *stepper =
        ctx != NULL ? od_stepper_create(ctx, "{name: rk4, step: 1}", a->c->flow, bench_begin, BENCH_BLOCK, a->z) : NULL;
    a->status = stepper != NULL ? OD_OK : OD_ENOMEM;
    for (size_t first = a->first; first < a->end; first += BENCH_BLOCK) {
        double *z = a->z + first * a->c->dim;
        for (size_t k = 0; k < a->c->steps && a->status == OD_OK; k++) {
            const double t = bench_begin + (double)k * bench_step, t1 = bench_begin + (double)(k + 1) * bench_step;
            a->status = od_stepper_advance(ctx, stepper, t, t1, block_size(first), z, NULL);
        }
    }
    od_stepper_free(stepper);
    od_context_free(ctx);
    return NULL;
}

static od_status advance_trajectories(const ensemble_case *c, double *z, unsigned threads)
{
    const size_t half = threads == 1 ? BENCH_PATHS : BENCH_PATHS / BENCH_BLOCK / 2 * BENCH_BLOCK;
    part a = {c, z, 0, half, OD_OK}, b = {c, z, half, BENCH_PATHS, OD_OK};
    pthread_t other;
    const bool started = threads > 1 && pthread_create(&other, NULL, advance_part, &b) == 0;
    advance_part(&a);
    if (started) {
        pthread_join(other, NULL);
    } else if (threads > 1) {
        advance_part(&b);
    }
    return a.status != OD_OK ? a.status : b.status;
}

/* Seconds of the processor (all threads together) and of the clock for all steps. */
static od_status run_ours(od_context *ctx, ensemble_report *r, const ensemble_case *c, unsigned threads, double *cpu,
                          double *clock)
{
    od_result *result = NULL;
    if (c->flow != NULL) {
        start_trajectories(c->dim, r->z);
    }
    const double begin = bench_clock(), cpu_begin = bench_process_clock();
    od_status status = c->flow != NULL ? advance_trajectories(c, r->z, threads)
                                       : od_experiment_run(ctx, r->sde[threads - 1], &result);
    *cpu = bench_process_clock() - cpu_begin;
    *clock = bench_clock() - begin;
    od_result_free(result);
    return status;
}

/* ------------------------------------------------------------------------------------------- the others */

static double run_bare(const ensemble_report *r, const ensemble_case *c)
{
    if (c->flow != NULL) {
        start_trajectories(c->dim, r->z_bare);
    }
    const double begin = bench_cpu_clock();
    for (size_t first = 0; first < BENCH_PATHS; first += BENCH_BLOCK) {
        const size_t n = block_size(first);
        double *z = r->z_bare + first * c->dim;
        if (c->flow != NULL) {
            c->bare(n, c->steps, z);
            continue;
        }
        for (size_t i = 0; i < c->dim * n; i++) {
            z[i] = i < c->dim / 2 * n ? 1 : 0;
        }
        bench_bare_sde(SEED, first, n, c->steps, z);
    }
    return bench_cpu_clock() - begin;
}

/* The mean of x_0, or the first component of the last trajectory; the bare kernel has run. */
static double expected(const ensemble_report *r, const ensemble_case *c, double *tolerance)
{
    double sum = 0, squares = 0;
    const size_t last = (BENCH_PATHS - 1) / BENCH_BLOCK * BENCH_BLOCK;
    if (c->flow != NULL) {
        const double x = r->z_bare[last * c->dim + BENCH_PATHS - 1 - last];
        *tolerance = 1e-6 * fabs(x);
        return x;
    }
    for (size_t first = 0; first < BENCH_PATHS; first += BENCH_BLOCK) {
        for (size_t p = 0; p < block_size(first); p++) {
            const double x = r->z_bare[first * c->dim + p];
            sum += x;
            squares += x * x;
        }
    }
    const double mean = sum / BENCH_PATHS, variance = squares / BENCH_PATHS - mean * mean;
    *tolerance = 7 * sqrt(2 * variance / BENCH_PATHS); /* two samples: false alarm 3e-12 */
    return mean;
}

/* The states that an observer has put into r->z are those of the bare kernel. */
static od_status check_bits(od_context *ctx, ensemble_report *r, ensemble_case *c)
{
    double cpu, clock;
    od_status status;
    if (c->flow != NULL) {
        status = run_ours(ctx, r, c, 1, &cpu, &clock);
    } else {
        od_result *result = NULL;
        od_experiment *watched = sde_experiment(ctx, c->steps, 1);
        status = watched == NULL ? OD_EINVAL : od_experiment_observe(ctx, watched, (od_observer){keep_state, r->z});
        status = status == OD_OK ? od_experiment_run(ctx, watched, &result) : status;
        od_result_free(result);
        od_experiment_free(watched);
    }
    run_bare(r, c);
    c->same_bits = memcmp(r->z, r->z_bare, BENCH_PATHS * c->dim * sizeof *r->z) == 0;
    return status;
}

/* A round: every competitor once, we and the bare kernel in several slices, of which the fastest counts. */
static od_status run_round(od_context *ctx, ensemble_report *r, ensemble_case *c, size_t round)
{
    const double each = 1.0 / ((double)BENCH_PATHS * (double)c->steps);
    double ours = INFINITY, bare = INFINITY, one = INFINITY, two = INFINITY, two_cpu = INFINITY, tolerance;
    const double want = expected(r, c, &tolerance);
    od_status status = OD_OK;
    for (size_t p = 0; p < PEERS; p++) {
        const bool suits = strcmp(r->peer[p].name, "odeint") == 0 ? c->flow != NULL : c->flow == NULL;
        const double seconds =
            suits ? bench_peer_ask(&r->peer[p], want, tolerance, "%s %d %zu", c->kind, BENCH_PATHS, c->steps) : NAN;
        c->peer[p].value[round] = seconds * each;
    }
    for (size_t slice = 0; slice < SLICES && status == OD_OK; slice++) {
        double cpu, clock, other = NAN;
        status = run_ours(ctx, r, c, 1, &cpu, &clock);
        ours = fmin(ours, cpu);
        one = fmin(one, clock);
        bare = fmin(bare, run_bare(r, c));
        status = status == OD_OK ? run_ours(ctx, r, c, 2, &other, &clock) : status;
        two = fmin(two, clock);
        two_cpu = fmin(two_cpu, other);
    }
    c->ours.value[round] = ours * each;
    c->bare_time.value[round] = bare * each;
    c->one.value[round] = one * each;
    c->two.value[round] = two * each;
    c->two_cpu.value[round] = two_cpu * each;
    return status == OD_OK && od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : status;
}

/* ------------------------------------------------------------------------------------------- the report */

static double two_threads(const ensemble_case *c)
{
    return bench_spread_of(&c->one).low / bench_spread_of(&c->two).low;
}

static void print_case(const ensemble_report *r, const ensemble_case *c)
{
    printf("\n%s: a path and step; %d paths, %zu steps, %d rounds%s\n", c->title, BENCH_PATHS, c->steps, ROUNDS,
           c->same_bits ? "" : "; THE STATES ARE NOT THOSE OF THE BARE KERNEL");
    printf("  %-9s %9s %9s %9s    %8s %8s %8s\n", "", "median", "min", "max", "x bare", "min", "max");
    bench_print_row("optdyn", &c->ours, &c->bare_time, c->goal_ratio, NULL);
    bench_print_row("bare", &c->bare_time, &c->bare_time, NAN, NULL);
    for (size_t p = 0; p < PEERS; p++) {
        if ((strcmp(r->peer[p].name, "odeint") == 0) == (c->flow != NULL)) {
            bench_print_row(r->peer[p].name, &c->peer[p], &c->bare_time, NAN, r->peer[p].missing);
        }
    }
    if (!isnan(c->goal)) {
        printf("  %.3g paths and steps a second and core   goal >= %g\n", 1 / bench_spread_of(&c->ours).median,
               1 / c->goal);
    }
    if (!isnan(c->goal_plain)) {
        printf("  %.3g times faster than plain   goal >= %g\n", bench_ratio(&c->peer[0], &c->ours).median,
               c->goal_plain);
    }
    printf("  two threads %.3f times one by the clock, fastest with fastest   goal >= %g\n"
           "  they take %.3f times the processor time of one\n",
           two_threads(c), c->goal_threads, bench_ratio(&c->two_cpu, &c->ours).median);
}

static void write_case(FILE *out, const ensemble_report *r, const ensemble_case *c)
{
    fprintf(out, ", \"%s\": {\"paths\": %d, \"steps\": %zu, \"rounds\": %d", c->kind, BENCH_PATHS, c->steps, ROUNDS);
    bench_write_series(out, "ours", &c->ours);
    bench_write_series(out, "bare", &c->bare_time);
    for (size_t p = 0; p < PEERS; p++) {
        if ((strcmp(r->peer[p].name, "odeint") == 0) == (c->flow != NULL)) {
            bench_write_series(out, r->peer[p].name, &c->peer[p]);
        }
    }
    bench_write_series(out, "wall", &c->one);
    bench_write_series(out, "wall_two_threads", &c->two);
    bench_write_series(out, "two_threads_processor", &c->two_cpu);
    fputs(", \"ratio\": ", out);
    bench_write_spread(out, bench_ratio(&c->ours, &c->bare_time));
    fputs(", \"two_threads\": ", out);
    od_json_real(out, two_threads(c));
    const char *const goal[] = {"ours", "ratio", "plain_to_ours", "two_threads"};
    const double value[] = {c->goal, c->goal_ratio, c->goal_plain, c->goal_threads};
    for (size_t i = 0; i < 4; i++) {
        fprintf(out, "%s\"%s\": ", i > 0 ? ", " : ", \"goal\": {", goal[i]);
        od_json_real(out, value[i]);
    }
    fprintf(out, "}, \"same_bits\": %s}", c->same_bits ? "true" : "false");
}

static void write_report(FILE *out, const ensemble_report *r)
{
    bench_write_head(out, "ensemble");
    for (size_t i = 0; i < CASES; i++) {
        write_case(out, r, &r->c[i]);
    }
    fputs(", \"missing\": {", out);
    bench_write_missing(out, PEERS, r->peer);
    fputs("}}\n", out);
}

/* ------------------------------------------------------------------------------------------- the command */

static od_status measure_cases(cli *c, ensemble_report *r)
{
    od_status status = OD_OK;
    for (size_t i = 0; i < CASES && status == OD_OK; i++) {
        ensemble_case *now = &r->c[i];
        cli_say(c, "%s ...", now->title);
        now->ours.count = now->bare_time.count = now->one.count = now->two.count = now->two_cpu.count = ROUNDS;
        for (size_t p = 0; p < PEERS; p++) {
            now->peer[p].count = ROUNDS;
        }
        status = check_bits(c->ctx, r, now);
        for (size_t round = 0; round < ROUNDS && status == OD_OK; round++) {
            status = run_round(c->ctx, r, now, round);
        }
    }
    return status;
}

int bench_ensemble(cli *c)
{
    static ensemble_report r = {
        .c = {{.kind = "sde",
               .title = "Nesterov's SDE in two dimensions, additive noise, Euler-Maruyama",
               .dim = 4,
               .steps = 500,
               .goal = NAN,
               .goal_ratio = 1.3,
               .goal_plain = 5,
               .goal_threads = 1.9},
              {.kind = "lorenz",
               .title = "Lorenz-63, RK4",
               .dim = 3,
               .steps = 200,
               .flow = &lorenz_flow,
               .bare = bench_bare_lorenz,
               .goal = 2e-9,
               .goal_ratio = NAN,
               .goal_plain = NAN,
               .goal_threads = 1.9},
              {.kind = "nag",
               .title = "Nesterov's flow in two dimensions, RK4",
               .dim = 4,
               .steps = 200,
               .bare = bench_bare_nag,
               .goal = NAN,
               .goal_ratio = NAN,
               .goal_plain = NAN,
               .goal_threads = 1.9}},
        .peer = {{.name = "plain"}, {.name = "numpy"}, {.name = "odeint", .program = "trajectories"}}};
    char text[128];
    snprintf(text, sizeof text, "{name: quadratic, eigenvalues: [%g, %g]}", bench_curvature[0], bench_curvature[1]);
    od_problem *problem = od_problem_create(c->ctx, text);
    snprintf(text, sizeof text, "{name: nesterov, r: %d}", BENCH_VISCOSITY);
    od_flow *nag = problem != NULL ? od_flow_create(c->ctx, text, problem) : NULL;
    r.c[2].flow = nag;
    for (unsigned i = 0; i < 2; i++) {
        r.sde[i] = sde_experiment(c->ctx, r.c[0].steps, i + 1);
    }
    r.z = od_zalloc((size_t)BENCH_PATHS * 4, sizeof *r.z);
    r.z_bare = od_zalloc((size_t)BENCH_PATHS * 4, sizeof *r.z_bare);
    od_status status = OD_OK;
    if (nag == NULL || r.sde[0] == NULL || r.sde[1] == NULL || r.z == NULL || r.z_bare == NULL) {
        status = od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for %d paths", BENCH_PATHS);
    }
    for (size_t p = 0; p < PEERS && status == OD_OK; p++) {
        bench_peer_open(&r.peer[p]);
    }
    status = status == OD_OK ? measure_cases(c, &r) : status;
    for (size_t p = 0; p < PEERS; p++) {
        bench_peer_close(&r.peer[p]);
    }
    od_flow_free(nag);
    od_problem_free(problem);
    od_experiment_free(r.sde[0]);
    od_experiment_free(r.sde[1]);
    free(r.z);
    free(r.z_bare);
    if (status != OD_OK) {
        return cli_fail(c, status);
    }
    if (c->json) {
        write_report(stdout, &r);
    } else {
        bench_print_head();
        for (size_t i = 0; i < CASES; i++) {
            print_case(&r, &r.c[i]);
        }
    }
    return EXIT_DONE;
}
