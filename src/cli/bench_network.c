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

enum { FEATURES = 784, WIDTH = 112, CLASSES = 10, STEPS = 5, GRADIENTS = 10, SIZES = 2 };

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

static double time_gradients(const od_problem *f, const double *x, double *g, double *ws, size_t count)
{
    const double begin = bench_cpu_clock();
    for (size_t k = 0; k < count; k++) {
        if (f->eval(f, OD_GRADIENT, 1, x, NULL, g, ws) != OD_OK) {
            return NAN;
        }
    }
    return (bench_cpu_clock() - begin) / (double)count;
}

/* Processor time of a run of so many steps. */
static double time_run(od_context *ctx, od_experiment *e, uint64_t steps)
{
    od_member *m = &e->member[0];
    od_result *result = NULL;
    m->until = m->every = (double)steps * m->step;
    const double begin = bench_cpu_clock();
    const od_status status = od_experiment_run(ctx, e, &result);
    const double seconds = bench_cpu_clock() - begin;
    od_result_free(result);
    return status == OD_OK ? seconds : NAN;
}

/* Steps between gradients, so that both see the same machine. */
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
        const double one = time_run(ctx, e, 1), before = time_gradients(f, x, g, ws, GRADIENTS);
        const double whole = time_run(ctx, e, 1 + STEPS), after = time_gradients(f, x, g, ws, GRADIENTS);
        r->gradient.value[i] = fmin(before, after);
        r->four.value[i] = 2 * (before + after);
        r->step.value[i] = (whole - one) / STEPS;
        r->plain.value[i] = bench_peer_ask(peer, loss, 1e-10 * loss, "%s %d", path, GRADIENTS) / GRADIENTS;
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
        r->step.count = r->four.count = r->gradient.count = r->plain.count = 11;
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
