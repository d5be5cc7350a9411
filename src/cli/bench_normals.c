/*
 * `optdyn bench normals`: whether 10^8 of the normals that the noise is made of are normal.
 *
 * Moments to order 8 against those of the normal law; Kolmogorov-Smirnov and Anderson-Darling on the counts in 2^20
 * cells of equal probability, which is exact but for what happens within a cell: 10^-6 of the law against the 10^-4
 * that the tests resolve; and the counts beyond 3 to 6. Each line has a p-value: over seeds it is uniform in (0, 1), so
 * one below 0.001 is seen in a line of a thousand.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "bench.h"

#include "src/json.h"
#include "src/memory.h"
#include "src/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 1 << 20, ORDERS = 8, TAILS = 4, PATHS = 500, STEPS = 100000, LINES = ORDERS + 2 + TAILS };

static const double samples = 2.0 * PATHS * STEPS;

typedef struct line {
    char name[32];
    double found, expected, p;
} line;

typedef struct sample {
    uint32_t *cell;     /* [CELLS] */
    double sum[ORDERS]; /* of the powers */
    double tail[TAILS]; /* counts beyond 3, 4, 5, 6 */
    double seconds;     /* of the normals alone */
} sample;

static void add(sample *s, size_t n, const double *x)
{
    double sum[ORDERS] = {0};
    for (size_t i = 0; i < n; i++) {
        double power = 1;
        for (size_t k = 0; k < ORDERS; k++) {
            power *= x[i];
            sum[k] += power;
        }
        for (size_t k = 0; k < TAILS && fabs(x[i]) > (double)(3 + k); k++) {
            s->tail[k]++;
        }
        const double u = 0.5 * erfc(-x[i] * 0.70710678118654752440);
        const size_t cell = (size_t)(u * CELLS);
        s->cell[cell < CELLS ? cell : CELLS - 1]++;
    }
    /* a power sum of a few hundred at a time, so that rounding stays far below the error of sampling */
    for (size_t k = 0; k < ORDERS; k++) {
        s->sum[k] += sum[k];
    }
}

static double two_sided(double deviation)
{
    return erfc(fabs(deviation) * 0.70710678118654752440);
}

/* Kolmogorov's limit law with Stephens's (1970) correction for finite n. */
static double kolmogorov(double distance, double n)
{
    const double x = (sqrt(n) + 0.12 + 0.11 / sqrt(n)) * distance;
    double p = 0;
    for (int k = 1; k < 100 && x > 0.2; k++) {
        p += (k % 2 == 1 ? 2 : -2) * exp(-2 * k * k * x * x);
    }
    return x > 0.2 ? p : 1;
}

/*
 * 1 - the limit law of A^2: Marsaglia and Marsaglia (2004), function adinf, to 2e-6. Their fit ends where p does; far
 * out, A^2 = sum_j Y_j^2/(j (j + 1)) has the tail of its first term times sqrt(3).
 */
static double anderson_darling(double z)
{
    if (z > 6) {
        return sqrt(3) * erfc(sqrt(z));
    }
    if (z < 2) {
        const double c = 2.00012 +
                         (0.247105 - (0.0649821 - (0.0347962 - (0.0116720 - 0.00168691 * z) * z) * z) * z) * z;
        return 1 - exp(-1.2337141 / z) / sqrt(z) * c;
    }
    return -expm1(-exp(1.0776 - (2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * z) * z) * z) * z) * z));
}

static void judge_moments(const sample *s, line *out)
{
    double moment[2 * ORDERS + 1] = {1};
    for (int k = 2; k <= 2 * ORDERS; k += 2) {
        moment[k] = (k - 1) * moment[k - 2];
    }
    for (int k = 1; k <= ORDERS; k++) {
        const double mean = s->sum[k - 1] / samples;
        const double spread = sqrt((moment[2 * k] - moment[k] * moment[k]) / samples);
        line *l = &out[k - 1];
        *l = (line){.found = mean, .expected = moment[k], .p = two_sided((mean - moment[k]) / spread)};
        snprintf(l->name, sizeof l->name, "moment %d", k);
    }
}

static void judge_law(const sample *s, line *out)
{
    double below = 0, distance = 0, square = 0;
    for (size_t i = 0; i + 1 < CELLS; i++) {
        below += s->cell[i];
        const double u = (double)(i + 1) / CELLS, gap = below / samples - u;
        distance = fmax(distance, fabs(gap));
        square += samples * gap * gap / (u * (1 - u)) / CELLS;
    }
    out[0] = (line){.name = "Kolmogorov-Smirnov", .found = distance, .expected = 0.86873 / sqrt(samples)};
    out[0].p = kolmogorov(distance, samples);
    out[1] = (line){.name = "Anderson-Darling", .found = square, .expected = 1, .p = anderson_darling(square)};
}

static void judge_tails(const sample *s, line *out)
{
    for (size_t k = 0; k < TAILS; k++) {
        const double expected = samples * erfc((double)(3 + k) * 0.70710678118654752440), n = s->tail[k];
        double below = 0, term = exp(-expected), p = two_sided((n - expected) / sqrt(expected));
        if (expected < 500) { /* Poisson: twice the smaller tail */
            for (double i = 0; i < n; i++) {
                below += term;
                term *= expected / (i + 1);
            }
            p = fmin(1, 2 * fmin(below + term, 1 - below));
        }
        out[k] = (line){.found = n, .expected = expected, .p = p};
        snprintf(out[k].name, sizeof out[k].name, "beyond %zu", 3 + k);
    }
}

static od_status draw(od_context *ctx, uint64_t seed, sample *s)
{
    double normal[2 * PATHS];
    od_normals *normals = od_normals_best();
    for (uint64_t step = 0; step < STEPS && !od_cancelled(ctx); step++) {
        const double begin = bench_cpu_clock();
        normals(seed, OD_STREAM_BROWNIAN, 0, 0, 0, step, 1, PATHS, normal, normal + PATHS);
        s->seconds += bench_cpu_clock() - begin;
        add(s, 2 * PATHS, normal);
    }
    return od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : OD_OK;
}

static void write_lines(FILE *out, uint64_t seed, const sample *s, const line *l)
{
    bench_write_head(out, "normals");
    fprintf(out, ", \"samples\": %.0f, \"seed\": %llu, \"each\": ", samples, (unsigned long long)seed);
    od_json_real(out, s->seconds / samples);
    fputs(", \"tests\": {", out);
    for (size_t i = 0; i < LINES; i++) {
        fprintf(out, "%s\"%s\": {\"found\": ", i > 0 ? ", " : "", l[i].name);
        od_json_real(out, l[i].found);
        fputs(", \"expected\": ", out);
        od_json_real(out, l[i].expected);
        fputs(", \"p\": ", out);
        od_json_real(out, l[i].p);
        fputc('}', out);
    }
    fputs("}}\n", out);
}

static void print_lines(uint64_t seed, const sample *s, const line *l)
{
    bench_print_head();
    printf("\n%.0f normals of seed %llu, %.3g ns each\n  %-20s %14s %14s %9s\n", samples, (unsigned long long)seed,
           s->seconds / samples * 1e9, "", "found", "expected", "p");
    for (size_t i = 0; i < LINES; i++) {
        printf("  %-20s %14.9g %14.9g %9.4f\n", l[i].name, l[i].found, l[i].expected, l[i].p);
    }
}

int bench_normals(cli *c)
{
    char *end = NULL;
    const uint64_t seed = c->seed != NULL ? strtoull(c->seed, &end, 10) : 7;
    if (c->seed != NULL && (end == c->seed || *end != '\0')) {
        return cli_usage(c, "--seed %s: expected a whole number", c->seed);
    }
    sample s = {.cell = od_zalloc(CELLS, sizeof(uint32_t))};
    line lines[LINES];
    od_status status = s.cell != NULL ? draw(c->ctx, seed, &s) : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory");
    if (status == OD_OK) {
        judge_moments(&s, lines);
        judge_law(&s, lines + ORDERS);
        judge_tails(&s, lines + ORDERS + 2);
    }
    free(s.cell);
    if (status != OD_OK) {
        return cli_fail(c, status);
    }
    if (c->json) {
        write_lines(stdout, seed, &s, lines);
    } else {
        print_lines(seed, &s, lines);
    }
    return EXIT_DONE;
}
