/*
 * `optdyn bench network`: the gradient flow of an MLP with 10^5 parameters. What a step of RK4 costs beyond its four
 * gradients, and the gradient beside the same network in plain LibTorch code.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include "problems/network.h"
#include "src/experiment.h"
#include "src/json.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEATURES = 784, WIDTH = 112, CLASSES = 10, ROUNDS = 7, SLICES = 3, STEPS = 5, GRADIENTS = 8, SIZES = 2 };

typedef struct size_row {
    size_t samples, dim;
    bench_series step, four, gradient, plain; /* seconds */
} size_row;

static od_experiment *network_experiment(od_context *ctx, size_t samples)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{problem: {name: mlp, widths: [%d, %d], data: clusters, features: %d, clusters: %d, samples: %zu}, method: "
        "gradient, integrator: {name: rk4, step: 0.01}, until: 0.01, record: {every: 0.01, quantities: [x]}}",
        WIDTH, WIDTH, FEATURES, CLASSES, samples);
    return od_experiment_parse(ctx, text, &(od_options){.threads = 1});
}

/* What the peer reads. */
static bool write_task(const char *path, const od_network_problem *np, const double *x)
{
    const od_data *data = &np->data;
    const double sizes[4] = {(double)data->rows, (double)data->cols, WIDTH, CLASSES};
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        return false;
    }
    fwrite(sizes, sizeof *sizes, 4, out);
    fwrite(x, sizeof *x, np->facts.dim, out);
    for (size_t i = 0; i < data->rows; i++) {
        fwrite(data->row + i * data->stride, sizeof(double), data->cols, out);
    }
    for (size_t i = 0; i < data->rows; i++) {
        const double label = data->class_index[i];
        fwrite(&label, sizeof label, 1, out);
    }
    return fclose(out) == 0;
}

/* What the run spends in the problem: its own callback with a clock around. One thread, one problem at a time. */
static struct {
    od_status (*eval)(const od_problem *, unsigned, size_t, const double *, double *, double *, double *);
    double seconds;
} inside;

static od_status timed_eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value, double *g,
                            double *ws)
{
    const double begin = bench_cpu_clock();
    const od_status status = inside.eval(f, want, n, x, value, g, ws);
    inside.seconds += bench_cpu_clock() - begin;
    return status;
}

static double time_gradients(const od_problem *f, const double *x, double *g, double *ws)
{
    const double begin = bench_cpu_clock();
    for (size_t k = 0; k < GRADIENTS; k++) {
        if (f->eval(f, OD_GRADIENT, 1, x, NULL, g, ws) != OD_OK) {
            return NAN;
        }
    }
    return (bench_cpu_clock() - begin) / GRADIENTS;
}

/* Processor time of a run of so many steps; *gradients receives that of its gradients. */
static double time_run(od_context *ctx, od_experiment *e, uint64_t steps, double *gradients)
{
    od_problem *f = e->problem[0];
    od_member *m = &e->member[0];
    od_result *result = NULL;
    m->until = m->every = (double)steps * m->step;
    inside.eval = f->eval;
    inside.seconds = 0;
    f->eval = timed_eval;
    const double begin = bench_cpu_clock();
    const od_status status = od_experiment_run(ctx, e, &result);
    const double seconds = bench_cpu_clock() - begin;
    f->eval = inside.eval;
    *gradients = inside.seconds;
    od_result_free(result);
    return status == OD_OK ? seconds : NAN;
}

static od_status measure(od_context *ctx, size_row *r, bench_peer *peer)
{
    od_experiment *e = network_experiment(ctx, r->samples);
    if (e == NULL) {
        return OD_EINVAL;
    }
    const od_problem *f = e->member[0].problem;
    char path[] = "/tmp/optdyn-bench-XXXXXX";
    const int file = mkstemp(path);
    double *x = od_zalloc(2 * f->dim + od_scratch_size(&f->scratch, 1), sizeof *x), loss = NAN;
    double *g = x + f->dim, *ws = g + f->dim;
    od_status status = x != NULL && file >= 0 ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the network");
    if (status == OD_OK) {
        f->initial(f, 1, 0, 1, x);
        status = f->eval(f, OD_VALUE, 1, x, &loss, NULL, ws);
    }
    if (status == OD_OK && !write_task(path, f->data, x)) {
        status = od_fail(ctx, OD_EIO, NULL, "%s cannot be written", path);
    }
    r->dim = f->dim;
    for (size_t i = 0; i < r->step.count && status == OD_OK; i++) {
        double best[2] = {INFINITY, INFINITY}, few, many; /* what disturbs a slice only adds to it */
        for (size_t slice = 0; slice < SLICES; slice++) {
            const double now[2] = {time_gradients(f, x, g, ws),
                                   bench_peer_ask(peer, loss, 1e-10 * loss, "%s %d", path, GRADIENTS) / GRADIENTS};
            for (size_t k = 0; k < 2; k++) {
                best[k] = now[k] >= best[k] ? best[k] : now[k];
            }
        }
        const double one = time_run(ctx, e, 1, &few), whole = time_run(ctx, e, 1 + STEPS, &many);
        r->step.value[i] = (whole - one) / STEPS;
        r->four.value[i] = (many - few) / STEPS;
        r->gradient.value[i] = best[0];
        r->plain.value[i] = best[1];
        status = od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : OD_OK;
    }
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    free(x);
    od_experiment_free(e);
    return status;
}

static void write_json(const size_row *rows, const bench_peer *peer)
{
    bench_write_head(stdout, "network");
    fputs(", \"rows\": [", stdout);
    for (size_t i = 0; i < SIZES; i++) {
        const size_row *r = &rows[i];
        printf("%s{\"samples\": %zu, \"d\": %zu", i > 0 ? ", " : "", r->samples, r->dim);
        bench_write_series(stdout, "gradient", &r->gradient);
        bench_write_series(stdout, "plain", &r->plain);
        bench_write_series(stdout, "step", &r->step);
        fputs(", \"ratio\": {\"step_to_four_gradients\": ", stdout);
        bench_write_spread(stdout, bench_ratio(&r->step, &r->four));
        fputs(", \"gradient_to_plain\": ", stdout);
        bench_write_spread(stdout, bench_ratio(&r->gradient, &r->plain));
        fputs("}}", stdout);
    }
    fputs("], \"goal\": {\"step_to_four_gradients\": 1.02, \"gradient_to_plain\": 1}, \"missing\": {", stdout);
    bench_write_missing(stdout, 1, peer);
    fputs("}}\n", stdout);
}

int bench_network(cli *c)
{
    static size_row rows[SIZES] = {{.samples = 512}, {.samples = 4096}};
    bench_peer peer = {.name = "plain", .program = "network"};
    od_status status = OD_OK;
    bench_peer_open(&peer);
    for (size_t i = 0; i < SIZES && status == OD_OK; i++) {
        size_row *r = &rows[i];
        r->step.count = r->four.count = r->gradient.count = r->plain.count = ROUNDS;
        cli_say(c, "%zu samples ...", r->samples);
        status = measure(c->ctx, r, &peer);
    }
    bench_peer_close(&peer);
    if (status != OD_OK) {
        return cli_fail(c, status);
    }
    if (c->json) {
        write_json(rows, &peer);
        return EXIT_DONE;
    }
    bench_print_head();
    for (size_t i = 0; i < SIZES; i++) {
        const size_row *r = &rows[i];
        printf("\nMLP %d-%d-%d-%d, %zu parameters, %zu samples, one thread\n", FEATURES, WIDTH, WIDTH, CLASSES, r->dim,
               r->samples);
        printf("  %-9s %9s %9s %9s    %8s %8s %8s\n", "", "median", "min", "max", "ratio", "min", "max");
        bench_print_row("gradient", &r->gradient, &r->plain, 1, NULL);
        bench_print_row("plain", &r->plain, NULL, NAN, peer.missing);
        bench_print_row("RK4 step", &r->step, &r->four, 1.02, NULL);
    }
    printf("\nratio: of the gradient to plain LibTorch code, of the step to its four gradients\n");
    return EXIT_DONE;
}
