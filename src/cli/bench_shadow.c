/*
 * `optdyn bench shadow`: orbits of gradient descent by splitting, on quadratics with two negative eigenvalues, against
 * the scalar closed form of each component, with time and memory.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include "analysis/hyperbolicity.h"
#include "analysis/minimax.h"
#include "src/json.h"
#include "src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const double REACH = 20;         /* largest |lambda| h K */
enum { DENSE = 1000 };                  /* dimensions up to which the nearest orbit is looked for: it takes matrices */
static const double ALL_STATES = 1.1e8; /* numbers: 880 megabytes */

typedef struct row {
    size_t d;
    uint64_t steps;
    size_t unstable, followed, segments;
    double radius, error;                                              /* error: relative, against the closed form */
    double angle;                                                      /* of the spaces, in radians */
    double growth_seconds, split_seconds, angle_seconds, bare_seconds; /* processor time */
    double megabytes; /* the most memory the process has had so far, and what it had before */
    double megabytes_before;
    double upper, lower, minimax_seconds, all_megabytes; /* NaN where the states do not fit */
} row;

/* Gradient descent with h = 1, so that lambda is h lambda, and the flow at its times. */
typedef struct descent {
    od_problem *problem;
    od_map *map;
    od_flow *flow;
    od_chain chain;
    double *y0, *ws;
} descent;

/* Growing components first are a thousandth of a millionth, so that they end near the others' start. */
static double eigenvalue(const row *r, size_t i)
{
    const double most = REACH / (double)r->steps;
    return i < 2 ? -most / (double)(i + 1) : most * (1 + (double)i) / (double)r->d;
}

static double start(size_t i)
{
    return i < 2 ? 1e-6 : 1;
}

static od_problem *make_problem(od_context *ctx, const row *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    fputs("{name: quadratic, eigenvalues: [", out);
    for (size_t i = 0; i < r->d; i++) {
        fprintf(out, "%s%.17g", i > 0 ? ", " : "", eigenvalue(r, i));
    }
    fputs("]}", out);
    fclose(out);
    od_problem *problem = od_problem_create(ctx, text);
    free(text);
    return problem;
}

static void close_descent(descent *a)
{
    od_chain_clear(&a->chain);
    od_flow_free(a->flow);
    od_map_free(a->map);
    od_problem_free(a->problem);
    free(a->y0);
    free(a->ws);
}

static od_status open_descent(od_context *ctx, const row *r, descent *a)
{
    *a = (descent){.problem = make_problem(ctx, r), .y0 = od_zalloc(r->d, sizeof(double))};
    if (a->problem != NULL) {
        a->map = od_map_create(ctx, "{name: gradient, step: 1}", a->problem);
        a->flow = od_flow_create(ctx, "{name: gradient, step: 1}", a->problem);
    }
    if (a->map != NULL && a->flow != NULL) {
        a->ws = od_zalloc(od_scratch_size(&a->flow->scratch, 1) + 1, sizeof(double));
    }
    if (a->y0 == NULL || a->ws == NULL) {
        close_descent(a);
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for a quadratic of %zu dimensions", r->d);
    }
    for (size_t i = 0; i < r->d; i++) {
        a->y0[i] = start(i);
    }
    const od_status status = od_chain_of_map(ctx, a->map, r->steps, &a->chain);
    if (status != OD_OK) {
        close_descent(a);
    }
    return status;
}

static od_status at(od_track *track, uint64_t k, double *y)
{
    const descent *a = track->data;
    return a->flow->exact(a->flow, 0, 1, a->y0, (double)k, y, a->ws);
}

/* e^{-z k} and (1-z)^k, or (1-z)^{k-K} times the last state where z < 0: their difference without cancellation. */
static double closed_radius(const row *r)
{
    double most = 0;
    for (uint64_t k = 0; k <= r->steps; k++) {
        double sum = 0;
        for (size_t i = 0; i < r->d; i++) {
            const double z = eigenvalue(r, i), n = (double)k - (z < 0 ? (double)r->steps : 0);
            const double gap = start(i) * exp(-z * (double)k) * expm1(n * (log1p(-z) + z));
            sum += gap * gap;
        }
        most = fmax(most, sqrt(sum));
    }
    return most;
}

static double megabytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* The iteration alone, from y_0. */
static od_status run_bare(od_chain *chain, const double *y0, double *seconds)
{
    double *x = od_zalloc(2 * chain->dim, sizeof *x), *next = x + chain->dim;
    od_status status = x != NULL ? OD_OK : OD_ENOMEM;
    const double began = bench_cpu_clock();
    if (x != NULL) {
        memcpy(x, y0, chain->dim * sizeof *x);
    }
    for (uint64_t k = 0; k < chain->steps && status == OD_OK; k += 2) {
        status = chain->step(chain, k, x, next);
        status = status == OD_OK ? chain->step(chain, k + 1, next, x) : status;
    }
    *seconds = bench_cpu_clock() - began;
    free(x);
    return status;
}

static od_status measure_on(cli *c, row *r, descent *a)
{
    od_chain *chain = &a->chain;
    od_track track = {.dim = r->d, .steps = r->steps, .at = at, .data = a};
    od_growth growth = {0};
    od_split_orbit orbit = {0};
    od_space_angle angle = {0};
    r->megabytes_before = megabytes();
    double began = bench_cpu_clock();
    od_status status = od_growth_find(c->ctx, chain, &track, 0, &growth);
    r->growth_seconds = bench_cpu_clock() - began;
    began = bench_cpu_clock();
    if (status == OD_OK) {
        status = od_split_find(c->ctx, chain, &track, &growth, NULL, &orbit);
        r->split_seconds = bench_cpu_clock() - began;
        r->megabytes = megabytes();
    }
    began = bench_cpu_clock();
    if (status == OD_OK) {
        status = od_space_angle_find(c->ctx, chain, &track, &growth, &angle);
        r->angle_seconds = bench_cpu_clock() - began;
    }
    if (status == OD_OK) {
        status = run_bare(chain, a->y0, &r->bare_seconds);
    }
    r->unstable = growth.unstable;
    r->followed = growth.count;
    r->segments = growth.segments;
    r->angle = angle.radians;
    r->radius = orbit.radius;
    r->error = fabs(orbit.radius / closed_radius(r) - 1);
    od_split_free(&orbit);
    od_growth_free(&growth);
    return status;
}

static od_status measure(cli *c, row *r)
{
    descent a;
    od_status status = open_descent(c->ctx, r, &a);
    if (status == OD_OK) {
        status = measure_on(c, r, &a);
        close_descent(&a);
    }
    return status;
}

/* The nearest orbit, which wants all states at once. */
static od_status minimax_on(cli *c, row *r, descent *a)
{
    const uint64_t states = r->steps + 1;
    double *y = od_zalloc(states * r->d, sizeof *y), *weight = od_zalloc(r->d, sizeof *weight);
    od_status status = y != NULL && weight != NULL ? OD_OK
                                                   : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for all states");
    for (uint64_t k = 0; k < states && status == OD_OK; k++) {
        status = a->flow->exact(a->flow, 0, 1, a->y0, (double)k, y + k * r->d, a->ws);
    }
    for (size_t i = 0; i < r->d && status == OD_OK; i++) {
        weight[i] = 1;
    }
    const od_target target = {y, weight};
    od_shooting *shooting = NULL;
    od_minimax found = {0};
    const double began = bench_cpu_clock();
    status = status == OD_OK ? od_shooting_create(c->ctx, &a->chain, &target, &shooting) : status;
    status = status == OD_OK ? od_shadow_minimax(c->ctx, shooting, &found) : status;
    r->minimax_seconds = bench_cpu_clock() - began;
    r->upper = found.best.radius;
    r->lower = found.lower;
    r->all_megabytes = megabytes();
    od_shooting_free(shooting);
    free(y);
    free(weight);
    return status;
}

static od_status measure_minimax(cli *c, row *r)
{
    r->upper = r->lower = r->minimax_seconds = r->all_megabytes = NAN;
    if (r->d > DENSE || (double)(r->steps + 1) * (double)r->d > ALL_STATES) {
        return OD_OK;
    }
    descent a;
    od_status status = open_descent(c->ctx, r, &a);
    if (status == OD_OK) {
        status = minimax_on(c, r, &a);
        close_descent(&a);
    }
    return status;
}

static double whole(const row *r)
{
    return r->growth_seconds + r->split_seconds;
}

static void write_json(const row *rows, size_t count)
{
    bench_write_head(stdout, "shadow");
    fputs(", \"rows\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        printf("%s{\"dim\": %zu, \"iterations\": %llu, \"unstable\": %zu, \"followed\": %zu, \"segments\": %zu",
               i > 0 ? ", " : "", r->d, (unsigned long long)r->steps, r->unstable, r->followed, r->segments);
        const struct {
            const char *name;
            double value;
        } numbers[] = {{"radius", r->radius},
                       {"error", r->error},
                       {"angle", r->angle},
                       {"growth_seconds", r->growth_seconds},
                       {"split_seconds", r->split_seconds},
                       {"angle_seconds", r->angle_seconds},
                       {"bare_seconds", r->bare_seconds},
                       {"ratio", whole(r) / r->bare_seconds},
                       {"peak_megabytes", r->megabytes},
                       {"peak_megabytes_before", r->megabytes_before},
                       {"upper", r->upper},
                       {"lower", r->lower},
                       {"minimax_seconds", r->minimax_seconds},
                       {"minimax_peak_megabytes", r->all_megabytes}};
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            printf(", \"%s\": ", numbers[j].name);
            od_json_real(stdout, numbers[j].value);
        }
        fputs("}", stdout);
    }
    fputs("]}\n", stdout);
}

int bench_shadow(cli *c)
{
    row rows[] = {{.d = 100, .steps = 1000000}, {.d = 100000, .steps = 1000}, {.d = 1000000, .steps = 100}};
    const size_t count = sizeof rows / sizeof *rows;
    openblas_set_num_threads(1);
    /* the nearest orbits last, since they want more memory, and the most memory so far is what is known */
    for (size_t i = 0; i < 2 * count; i++) {
        const od_status status = (i < count ? measure : measure_minimax)(c, &rows[i % count]);
        if (status != OD_OK) {
            return cli_fail(c, status);
        }
    }
    if (c->json) {
        write_json(rows, count);
        return EXIT_DONE;
    }
    bench_print_head();
    printf("gradient descent on quadratics with two negative eigenvalues, |lambda| h K up to %g; one thread\n\n",
           REACH);
    printf("%8s %8s %8s %8s  %9s %9s %9s %9s %6s %7s  %-14s %s\n", "d", "K", "unstable", "segments", "growth s",
           "split s", "angle s", "bare s", "ratio", "MB", "radius", "error");
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        printf("%8zu %8llu %8zu %8zu  %9.3g %9.3g %9.3g %9.3g %6.1f %7.0f  %-14.10g %.1g\n", r->d,
               (unsigned long long)r->steps, r->unstable, r->segments, r->growth_seconds, r->split_seconds,
               r->angle_seconds, r->bare_seconds, whole(r) / r->bare_seconds, r->megabytes, r->radius, r->error);
    }
    printf(
        "\nratio: of growth and split together to one bare pass of the iteration; error: of the radius, relative, "
        "against\nthe closed form of each component; MB: the most memory of the process so far, before the angle\n\n");
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        if (!isnan(r->upper)) {
            printf("d = %zu: the nearest orbit is within %.12g, none within %.12g; %.3g s, %.0f MB\n", r->d, r->upper,
                   r->lower, r->minimax_seconds, r->all_megabytes);
        }
    }
    return EXIT_DONE;
}
