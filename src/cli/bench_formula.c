/*
 * `optdyn bench formula`: a loss as a formula beside the same loss written by hand, evaluated at one point and at
 * blocks of 128, with both answers compared.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include "src/json.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128, ROUNDS = 21, CASES = 5, BLOCKS = 2, TASKS = 3, WORK = 200000 };

static const double goal = 3;

static const struct {
    const char *name, *by_hand, *formula;
} loss[CASES] = {
    {"rosenbrock", "rosenbrock", "{name: formula, f: '(1 - x)^2 + 100*(y - x^2)^2', variables: [x, y]}"},
    {"hosaki", "hosaki", "{name: formula, f: '(1 - 8*x + 7*x^2 - 7*x^3/3 + x^4/4)*y^2*exp(-y)', variables: [x, y]}"},
    {"quadratic", "{name: quadratic, eigenvalues: [0.04, 0.01]}",
     "{name: formula, f: '0.02*x^2 + 0.005*y^2', variables: [x, y]}"},
    {"styblinski-tang", "{name: styblinski-tang, dim: 2}",
     "{name: formula, f: '(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2', variables: [x, y]}"},
    {"power 4", "{name: power, p: 4, dim: 2}", "{name: formula, f: 'x^4 + y^4', variables: [x, y]}"},
};

static const size_t block[BLOCKS] = {BLOCK, 1};
static const char *const task[TASKS] = {"gradient", "value and gradient", "Hessian product"};

typedef struct row {
    bench_series formula, by_hand; /* seconds per point */
    double error;                  /* the largest, relative to the largest component */
} row;

typedef struct place {
    double *x, *u, *f, *g, *ws;
} place;

static od_status evaluate(const od_problem *q, size_t which, size_t n, const place *at)
{
    return which == 0   ? q->eval(q, OD_GRADIENT, n, at->x, NULL, at->g, at->ws)
           : which == 1 ? q->eval(q, OD_VALUE | OD_GRADIENT, n, at->x, at->f, at->g, at->ws)
                        : q->hvp(q, n, at->x, 1, at->u, at->g, at->ws);
}

static double time_problem(const od_problem *q, size_t which, size_t n, const place *at)
{
    const size_t times = WORK / (n + 15);
    const double begin = bench_cpu_clock();
    for (size_t i = 0; i < times; i++) {
        if (evaluate(q, which, n, at) != OD_OK) {
            return NAN;
        }
    }
    return (bench_cpu_clock() - begin) / (double)(times * n);
}

static double difference(const od_problem *q, const od_problem *r, size_t which, size_t n, const place *at, double *g)
{
    double error = 0, size = 0;
    evaluate(q, which, n, at);
    memcpy(g, at->g, q->dim * n * sizeof *g);
    evaluate(r, which, n, at);
    for (size_t i = 0; i < q->dim * n; i++) {
        error = fmax(error, fabs(g[i] - at->g[i]));
        size = fmax(size, fabs(g[i]));
    }
    return error / size;
}

static od_status open_place(od_context *ctx, const od_problem *q, const od_problem *r, place *at)
{
    const size_t d = q->dim, a = od_scratch_size(&q->scratch, BLOCK), b = od_scratch_size(&r->scratch, BLOCK);
    at->x = od_zalloc(d * BLOCK, sizeof(double));
    at->u = od_zalloc(d * BLOCK, sizeof(double));
    at->f = od_zalloc(BLOCK, sizeof(double));
    at->g = od_zalloc(2 * d * BLOCK, sizeof(double));
    at->ws = od_zalloc(a > b ? a : b, sizeof(double));
    if (at->x == NULL || at->u == NULL || at->f == NULL || at->g == NULL || at->ws == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a block of points");
    }
    for (size_t i = 0; i < d * BLOCK; i++) {
        at->x[i] = od_normal(1, OD_STREAM_CHECK, i, 0, 0);
        at->u[i] = od_normal(2, OD_STREAM_CHECK, i, 0, 0);
    }
    return OD_OK;
}

static od_status measure(od_context *ctx, size_t which, row r[BLOCKS][TASKS])
{
    od_problem *formula = od_problem_create(ctx, loss[which].formula);
    od_problem *by_hand = formula != NULL ? od_problem_create(ctx, loss[which].by_hand) : NULL;
    place at = {0};
    od_status status = by_hand != NULL ? open_place(ctx, formula, by_hand, &at) : OD_EINVAL;
    for (size_t k = 0; k < BLOCKS * TASKS && status == OD_OK; k++) {
        row *here = &r[k / TASKS][k % TASKS];
        const size_t n = block[k / TASKS];
        here->error = difference(formula, by_hand, k % TASKS, n, &at, at.g + formula->dim * BLOCK);
        here->formula.count = here->by_hand.count = ROUNDS;
        for (size_t round = 0; round < ROUNDS; round++) {
            here->formula.value[round] = time_problem(formula, k % TASKS, n, &at);
            here->by_hand.value[round] = time_problem(by_hand, k % TASKS, n, &at);
        }
        status = od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : OD_OK;
    }
    free(at.x);
    free(at.u);
    free(at.f);
    free(at.g);
    free(at.ws);
    od_problem_free(formula);
    od_problem_free(by_hand);
    return status;
}

static void write_json(row r[CASES][BLOCKS][TASKS])
{
    bench_write_head(stdout, "formula");
    fputs(", \"goal\": ", stdout);
    od_json_real(stdout, goal);
    fputs(", \"rows\": [", stdout);
    for (size_t i = 0; i < CASES * BLOCKS * TASKS; i++) {
        const size_t which = i / (BLOCKS * TASKS), b = i / TASKS % BLOCKS, t = i % TASKS;
        printf("%s{\"loss\": \"%s\", \"task\": \"%s\", \"points\": %zu", i > 0 ? ", " : "", loss[which].name, task[t],
               block[b]);
        bench_write_series(stdout, "formula", &r[which][b][t].formula);
        bench_write_series(stdout, "by_hand", &r[which][b][t].by_hand);
        fputs(", \"ratio\": ", stdout);
        bench_write_spread(stdout, bench_ratio(&r[which][b][t].formula, &r[which][b][t].by_hand));
        fputs(", \"error\": ", stdout);
        od_json_real(stdout, r[which][b][t].error);
        fputs("}", stdout);
    }
    fputs("]}\n", stdout);
}

static void print_rows(row r[CASES][BLOCKS][TASKS])
{
    bench_print_head();
    printf("\nA point's share of an evaluation, ns; medians of %d rounds\n  %-16s %-19s %6s %9s %9s %8s %8s %8s %9s\n",
           ROUNDS, "", "", "points", "formula", "by hand", "ratio", "min", "max", "error");
    for (size_t i = 0; i < CASES * BLOCKS * TASKS; i++) {
        const size_t which = i / (BLOCKS * TASKS), b = i / TASKS % BLOCKS, t = i % TASKS;
        const row *here = &r[which][b][t];
        const bench_spread ratio = bench_ratio(&here->formula, &here->by_hand);
        printf("  %-16s %-19s %6zu %9.3g %9.3g %8.2f %8.2f %8.2f %9.1g\n", loss[which].name, task[t], block[b],
               bench_spread_of(&here->formula).median * 1e9, bench_spread_of(&here->by_hand).median * 1e9, ratio.median,
               ratio.low, ratio.high, here->error);
    }
    printf("\ngoal: a ratio of at most %g; error: against the loss written by hand, relative\n", goal);
}

int bench_formula(cli *c)
{
    static row r[CASES][BLOCKS][TASKS];
    for (size_t i = 0; i < CASES; i++) {
        cli_say(c, "%s ...", loss[i].name);
        const od_status status = measure(c->ctx, i, r[i]);
        if (status != OD_OK) {
            return cli_fail(c, status);
        }
    }
    if (c->json) {
        write_json(r);
    } else {
        print_rows(r);
    }
    return EXIT_DONE;
}
