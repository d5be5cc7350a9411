/*
 * `optdyn bench`: what a step costs here, beside a bare loop and beside other libraries.
 *
 * All competitors run in each round, one after the other, and ratios are taken within a round, so that a machine that
 * slows down for a while slows all of them. Times depend on the machine; the ratios are what has goals.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include "src/experiment.h"
#include "src/json.h"
#include "src/memory.h"

#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEERS = 3, SIZES = 3 };

typedef struct rk4_size {
    size_t d;
    uint64_t steps;
    size_t rounds, slices;
    double goal; /* of ours/bare; NaN: none */
    bool same_bits;
    bench_series ours, bare, peer[PEERS]; /* seconds per step */
} rk4_size;

typedef struct core_report {
    rk4_size size[SIZES];
    bench_peer peer[PEERS];
    bench_series version, parse, figure; /* seconds */
    const char *no_figure;               /* why `figure` is missing, or NULL */
} core_report;

static const double rk4_step = 1e-3;

static const char small_experiment[] = "problem:    {name: quadratic, eigenvalues: [1, 0.1]}\n"
                                       "method:     {name: nesterov, r: 3}\n"
                                       "integrator: {name: rk4, step: 0.01}\n"
                                       "start:      {x: [1, 1]}\n"
                                       "until:      20\n"
                                       "record:     {every: 0.1, quantities: [loss, distance, x]}\n";

/* ------------------------------------------------------------------------------------------- RK4 */

/* The problem of bench/peer.h as an experiment. */
static od_experiment *rk4_experiment(od_context *ctx, size_t d)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for an experiment of %zu dimensions", d);
        return NULL;
    }
    fputs("{problem: {name: quadratic, eigenvalues: [", out);
    for (size_t i = 0; i < d; i++) {
        fprintf(out, "%s%.17g", i > 0 ? "," : "", 0.5 + (double)i / (double)d);
    }
    fprintf(out, "]}, method: gradient, integrator: {name: rk4, step: %g}, until: %g, start: {x: [", rk4_step,
            rk4_step);
    for (size_t i = 0; i < d; i++) {
        fputs(i > 0 ? ",1" : "1", out);
    }
    fprintf(out, "]}, record: {every: %g, quantities: [loss]}}", rk4_step);
    fclose(out);
    od_experiment *e = od_experiment_parse(ctx, text, &(od_options){.threads = 1});
    free(text);
    return e;
}

/* Seconds of a whole run of so many steps with one record at either end; x[d] receives the final state. */
static double run_ours(od_context *ctx, od_experiment *e, uint64_t steps, double *x)
{
    od_member *m = &e->member[0];
    od_result *result = NULL;
    m->until = m->every = (double)steps * m->step;
    const double begin = bench_cpu_clock();
    const od_status status = od_experiment_run(ctx, e, &result);
    const double seconds = bench_cpu_clock() - begin;
    if (status == OD_OK) {
        memcpy(x, result->outcome[0].mean, m->dim * sizeof *x);
    }
    od_result_free(result);
    return status == OD_OK ? seconds : NAN;
}

/* Processor time of a bare run; fails unless it gives the closed form and the bits that optdyn gave in x[d]. */
static od_status run_bare(od_context *ctx, rk4_size *s, const od_spectrum *q, double last, const double *x, double *y,
                          double *seconds)
{
    for (size_t i = 0; i < s->d; i++) {
        y[i] = 1;
    }
    if (!bench_bare_rk4(s->d, s->steps, rk4_step, q->eigenvalues, q->centre, y, seconds)) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the bare loop");
    }
    s->same_bits = s->same_bits && memcmp(x, y, s->d * sizeof *x) == 0;
    return fabs(y[s->d - 1] - last) <= 1e-6 * last
               ? OD_OK
               : od_fail(ctx, OD_ENUMERIC, NULL, "the bare loop gives %g, the closed form %g", y[s->d - 1], last);
}

/*
 * A round: in each slice every competitor once, of which the fastest slice counts, since what disturbs a slice only
 * adds to it. Ours is a run less a run of one step, which takes away start and end.
 */
static od_status rk4_round(od_context *ctx, rk4_size *s, bench_peer *peer, od_experiment *e, size_t round, double *x,
                           double *y)
{
    enum { WHOLE, ONE, BARE, FIRST_PEER, COUNT = FIRST_PEER + PEERS };
    const od_spectrum *q = e->member[0].problem->spectrum;
    const double z = -rk4_step * q->eigenvalues[s->d - 1], steps = (double)s->steps;
    const double last = pow(1 + z * (1 + z / 2 * (1 + z / 3 * (1 + z / 4))), steps);
    double best[COUNT];
    od_status status = OD_OK;
    for (size_t i = 0; i < COUNT; i++) {
        best[i] = NAN;
    }
    for (size_t slice = 0; slice < s->slices && status == OD_OK; slice++) {
        double now[COUNT];
        for (size_t p = 0; p < PEERS; p++) {
            now[FIRST_PEER + p] = bench_peer_ask(&peer[p], last, 1e-6 * last, "%zu %llu %.17g", s->d,
                                                 (unsigned long long)s->steps, rk4_step);
        }
        run_ours(ctx, e, 1, x); /* not counted: it wakes the caches that the peers have filled */
        now[WHOLE] = run_ours(ctx, e, s->steps, x);
        now[ONE] = run_ours(ctx, e, 1, y);
        status = run_bare(ctx, s, q, last, x, y, &now[BARE]);
        for (size_t i = 0; i < COUNT; i++) {
            best[i] = now[i] >= best[i] ? best[i] : now[i];
        }
    }
    s->ours.value[round] = (best[WHOLE] - best[ONE]) / (steps - 1);
    s->bare.value[round] = best[BARE] / steps;
    for (size_t p = 0; p < PEERS; p++) {
        s->peer[p].value[round] = best[FIRST_PEER + p] / steps;
    }
    return status == OD_OK && od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : status;
}

static od_status measure_rk4(od_context *ctx, rk4_size *s, bench_peer *peer)
{
    od_experiment *e = rk4_experiment(ctx, s->d);
    double *x = od_zalloc(2 * s->d, sizeof *x);
    od_status status = e == NULL   ? OD_EINVAL
                       : x == NULL ? od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu dimensions", s->d)
                                   : OD_OK;
    s->same_bits = true;
    s->ours.count = s->bare.count = s->rounds;
    for (size_t p = 0; p < PEERS; p++) {
        s->peer[p].count = s->rounds;
    }
    if (status == OD_OK && isnan(run_ours(ctx, e, 2, x))) {
        status = od_fail(ctx, OD_ENUMERIC, NULL, "the run failed: %s", od_message(ctx));
    }
    for (size_t round = 0; round < s->rounds && status == OD_OK; round++) {
        status = rk4_round(ctx, s, peer, e, round, x, x + s->d);
    }
    free(x);
    od_experiment_free(e);
    return status;
}

/* ------------------------------------------------------------------------------------------- the program */

static bool has_command(const char *name)
{
    bool found = false;
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        found = found || strcmp(k->name, name) == 0;
    }
    return found;
}

/* With all that is in it. */
static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) != 0) {
            remove_folder(path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(folder);
}

static double time_figure(const char *folder)
{
    char file[256], results[256];
    snprintf(file, sizeof file, "%s/experiment.yaml", folder);
    snprintf(results, sizeof results, "%s/results", folder);
    FILE *out = fopen(file, "w");
    if (out == NULL) {
        return NAN;
    }
    fputs(small_experiment, out);
    fclose(out);
    const char *argv[] = {NULL, "figure", file, "--kind", "loss", "-o", results, NULL};
    const double seconds = bench_spawn(argv);
    remove_folder(results);
    return seconds;
}

static double time_parse(od_context *ctx)
{
    enum { TIMES = 20 };
    const double begin = bench_clock();
    for (int i = 0; i < TIMES; i++) {
        od_experiment *e = od_experiment_parse(ctx, small_experiment, &(od_options){.threads = 1});
        if (e == NULL) {
            return NAN;
        }
        od_experiment_free(e);
    }
    return (bench_clock() - begin) / TIMES;
}

static od_status measure_program(od_context *ctx, core_report *r)
{
    enum { ROUNDS = 11 };
    char folder[] = "/tmp/optdyn-bench-XXXXXX";
    const char *version[] = {NULL, "--version", NULL};
    const bool figure = has_command("figure") && mkdtemp(folder) != NULL;
    r->version.count = r->parse.count = r->figure.count = ROUNDS;
    for (size_t i = 0; i < ROUNDS && !od_cancelled(ctx); i++) {
        r->version.value[i] = bench_spawn(version);
        r->parse.value[i] = time_parse(ctx);
        r->figure.value[i] = figure ? time_figure(folder) : NAN;
    }
    if (figure) {
        remove_folder(folder);
    }
    r->no_figure = !has_command("figure")                      ? "there is no command `figure`"
                   : isnan(bench_spread_of(&r->figure).median) ? "`figure` failed; is gnuplot installed?"
                                                               : NULL;
    return od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : OD_OK;
}

/* ------------------------------------------------------------------------------------------- the report */

static void write_ratio(FILE *out, const char *name, const bench_series *a, const bench_series *b)
{
    fprintf(out, "%s\": ", name);
    bench_write_spread(out, bench_ratio(a, b));
}

static void write_json(FILE *out, const core_report *r)
{
    bench_write_head(out, "core");
    fputs(", \"rk4\": [", out);
    for (size_t i = 0; i < SIZES; i++) {
        const rk4_size *s = &r->size[i];
        fprintf(out, "%s{\"d\": %zu, \"steps\": %llu, \"rounds\": %zu, \"slices\": %zu", i > 0 ? ", " : "", s->d,
                (unsigned long long)s->steps, s->rounds, s->slices);
        bench_write_series(out, "ours", &s->ours);
        bench_write_series(out, "bare", &s->bare);
        for (size_t p = 0; p < PEERS; p++) {
            bench_write_series(out, r->peer[p].name, &s->peer[p]);
        }
        write_ratio(out, ", \"ratio\": {\"ours", &s->ours, &s->bare);
        for (size_t p = 0; p < PEERS; p++) {
            fputs(", \"", out);
            write_ratio(out, r->peer[p].name, &s->peer[p], &s->bare);
        }
        fputs("}, \"goal\": ", out);
        od_json_real(out, s->goal);
        fprintf(out, ", \"same_bits\": %s}", s->same_bits ? "true" : "false");
    }
    fputs("], \"missing\": {", out);
    bench_write_missing(out, PEERS, r->peer);
    if (r->no_figure != NULL) {
        bool first = true;
        for (size_t p = 0; p < PEERS; p++) {
            first = first && r->peer[p].missing == NULL;
        }
        fprintf(out, "%s\"figure\": ", first ? "" : ", ");
        od_json_text(out, r->no_figure);
    }
    fputs("}, \"program\": {\"figure_goal\": 0.3", out);
    bench_write_series(out, "figure", &r->figure);
    bench_write_series(out, "version", &r->version);
    bench_write_series(out, "parse", &r->parse);
    fputs("}}\n", out);
}

static void print_report(const core_report *r)
{
    bench_print_head();
    for (size_t i = 0; i < SIZES; i++) {
        const rk4_size *s = &r->size[i];
        printf("\nRK4, gradient flow of a quadratic, d = %zu: a step; %zu rounds, the fastest of %zu x %llu steps%s\n",
               s->d, s->rounds, s->slices, (unsigned long long)s->steps,
               s->same_bits ? "" : "; THE STATE IS NOT THAT OF THE BARE LOOP");
        printf("  %-9s %9s %9s %9s    %8s %8s %8s\n", "", "median", "min", "max", "x bare", "min", "max");
        bench_print_row("optdyn", &s->ours, &s->bare, s->goal, NULL);
        bench_print_row("bare", &s->bare, &s->bare, NAN, NULL);
        for (size_t p = 0; p < PEERS; p++) {
            bench_print_row(r->peer[p].name, &s->peer[p], &s->bare, NAN, r->peer[p].missing);
        }
    }
    printf("\nThe program\n  %-9s %9s %9s %9s\n", "", "median", "min", "max");
    bench_print_row("figure", &r->figure, NULL, 0.3, r->no_figure);
    bench_print_row("--version", &r->version, NULL, NAN, NULL);
    bench_print_row("parse", &r->parse, NULL, NAN, NULL);
}

static int bench_core(cli *c)
{
    static core_report r = {.size = {{.d = 2, .steps = 20000, .rounds = BENCH_ROUNDS, .slices = 5, .goal = NAN},
                                     {.d = 1000, .steps = 1000, .rounds = BENCH_ROUNDS, .slices = 5, .goal = 1.05},
                                     {.d = 1000000, .steps = 20, .rounds = 5, .slices = 2, .goal = NAN}},
                            .peer = {{.name = "odeint"}, {.name = "gsl"}, {.name = "arkode"}}};
    /* the program first: starting another one takes longer once this one has grown */
    cli_say(c, "the program ...");
    od_status status = measure_program(c->ctx, &r);
    for (size_t p = 0; p < PEERS; p++) {
        bench_peer_open(&r.peer[p]);
    }
    /* freed memory stays with the process, so that a run does not spend its time on fresh pages */
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
    for (size_t i = 0; i < SIZES && status == OD_OK; i++) {
        cli_say(c, "RK4 at d = %zu ...", r.size[i].d);
        status = measure_rk4(c->ctx, &r.size[i], r.peer);
    }
    for (size_t p = 0; p < PEERS; p++) {
        bench_peer_close(&r.peer[p]);
    }
    if (status != OD_OK) {
        return cli_fail(c, status);
    }
    if (c->json) {
        write_json(stdout, &r);
    } else {
        print_report(&r);
    }
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*run)(cli *c);
} bench[] = {
    {"core", bench_core},           {"ensemble", bench_ensemble}, {"normals", bench_normals},
    {"conjugate", bench_conjugate}, {"formula", bench_formula},   {"shadow", bench_shadow},
    {"network", bench_network},
};

const char *cli_bench_name(size_t i)
{
    return i < sizeof bench / sizeof *bench ? bench[i].name : NULL;
}

int cli_bench(cli *c)
{
    const size_t count = sizeof bench / sizeof *bench;
    char names[200] = "";
    for (size_t i = 0; i < count; i++) {
        if (c->arg_count == 1 && strcmp(c->arg[0], bench[i].name) == 0) {
            return bench[i].run(c);
        }
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", bench[i].name);
    }
    return cli_usage(c, "bench takes what to measure: %s", names);
}
