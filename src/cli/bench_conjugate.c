/*
 * `optdyn bench conjugate`: conjugate points of rotated quadratics in up to 1000 dimensions, by the whole frame and by
 * eigenvectors, against the zeros of the scalar closed form, with time and memory.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _XOPEN_SOURCE 700 /* j1, y1 */

#include "bench.h"

#include "analysis/jacobi.h"
#include "src/json.h"
#include "src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct row {
    size_t d;
    bool split;
    double t2;
    size_t points, steps;
    double seconds, megabytes; /* processor time; the most memory the process has had so far */
    double error;              /* of the times, relative, against the scalar formula; infinite: another count */
} row;

typedef struct quadratic {
    const od_spectrum *spectrum;
    size_t d;
    double *hessian;
} quadratic;

static void weights(const void *user, double t, double a[2], double b[2])
{
    (void)user;
    a[0] = b[0] = 3 * log(t);
    a[1] = b[1] = 3 / t;
}

static od_status hessian(const void *user, double t, double *h)
{
    const quadratic *q = user;
    (void)t;
    memcpy(h, q->hessian, q->d * q->d * sizeof *h);
    return OD_OK;
}

/* Eigenvalues from 1 down to 1/100, equally spaced in the logarithm, and a random rotation. */
static od_problem *make_problem(od_context *ctx, size_t d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    fputs("{name: quadratic, rotation: 1, eigenvalues: [", out);
    for (size_t i = 0; i < d; i++) {
        fprintf(out, "%s%.17g", i > 0 ? ", " : "", pow(0.01, (double)i / (double)(d - 1)));
    }
    fputs("]}", out);
    fclose(out);
    od_problem *problem = od_problem_create(ctx, text);
    free(text);
    return problem;
}

static bool make_hessian(quadratic *q)
{
    const int d = (int)q->d;
    double *scaled = od_zalloc(q->d * q->d, sizeof *scaled);
    q->hessian = od_zalloc(q->d * q->d, sizeof *scaled);
    for (size_t i = 0; i < q->d * q->d && scaled != NULL; i++) {
        scaled[i] = q->spectrum->rotation[i] * q->spectrum->eigenvalues[i % q->d];
    }
    if (scaled != NULL && q->hessian != NULL) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, d, d, 1, scaled, d, q->spectrum->rotation, d, 0,
                    q->hessian, d);
    }
    free(scaled);
    return scaled != NULL && q->hessian != NULL;
}

/* J1(s1) Y1(s) - Y1(s1) J1(s) by the C library, whose zeros over sqrt(lambda) are the times. */
static double bracket(double s1, double s)
{
    return j1(s1) * y1(s) - y1(s1) * j1(s);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Times in (1, t2), ascending; NULL without memory. */
static double *scalar_times(const quadratic *q, double t2, size_t *count)
{
    double *times = NULL;
    *count = 0;
    for (size_t i = 0; i < q->d; i++) {
        const double root = sqrt(q->spectrum->eigenvalues[i]);
        /* neighbours are at least pi apart */
        for (double a = root + 1e-6; a < root * t2; a += 1) {
            double low = a, high = fmin(a + 1, root * t2);
            const double begin = bracket(root, low);
            if ((begin > 0) == (bracket(root, high) > 0)) {
                continue;
            }
            while (high - low > 4e-16 * high) {
                const double middle = (low + high) / 2;
                *((bracket(root, middle) > 0) == (begin > 0) ? &low : &high) = middle;
            }
            double *more = realloc(times, (*count + 1) * sizeof *times);
            if (more == NULL) {
                free(times);
                return NULL;
            }
            times = more;
            times[(*count)++] = low / root;
        }
    }
    if (times != NULL) {
        qsort(times, *count, sizeof *times, ascending);
    }
    return times;
}

static double worst(const quadratic *q, double t2, const od_conjugates *found)
{
    size_t count, at = 0;
    double *times = scalar_times(q, t2, &count), error = times != NULL && found->index == count ? 0 : INFINITY;
    for (size_t i = 0; i < found->count && isfinite(error); i++) {
        for (size_t k = 0; k < found->point[i].multiplicity; k++, at++) {
            error = fmax(error, fabs(found->point[i].t / times[at] - 1));
        }
    }
    free(times);
    return error;
}

static od_status measure(cli *c, row *r)
{
    od_problem *problem = make_problem(c->ctx, r->d);
    if (problem == NULL) {
        return OD_ENOMEM;
    }
    quadratic q = {.spectrum = problem->spectrum, .d = r->d};
    od_conjugates found = {0};
    od_status status = make_hessian(&q) ? OD_OK : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for a Hessian");
    const od_jacobi j = {.d = r->d,
                         .t1 = 1,
                         .t2 = r->t2,
                         .weights = weights,
                         .hessian = hessian,
                         .user = &q,
                         .constant = true,
                         .kernels = true,
                         .tolerance = 1e-12};
    const double began = bench_process_clock();
    if (status == OD_OK) {
        status = r->split ? od_jacobi_split(c->ctx, &j, q.spectrum->eigenvalues, q.spectrum->rotation, &found)
                          : od_jacobi_conjugates(c->ctx, &j, &found);
    }
    if (status == OD_OK) {
        struct rusage usage;
        r->seconds = bench_process_clock() - began;
        getrusage(RUSAGE_SELF, &usage);
        r->megabytes = (double)usage.ru_maxrss / 1024;
        r->points = found.index;
        r->steps = found.steps;
        r->error = worst(&q, r->t2, &found);
    }
    od_conjugates_free(&found);
    free(q.hessian);
    od_problem_free(problem);
    return status;
}

static void write_json(const row *rows, size_t count)
{
    bench_write_head(stdout, "conjugate");
    fputs(", \"rows\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        printf("%s{\"dim\": %zu, \"split\": %s, \"t2\": ", i > 0 ? ", " : "", r->d, r->split ? "true" : "false");
        od_json_real(stdout, r->t2);
        printf(", \"points\": %zu, \"steps\": %zu, \"seconds\": ", r->points, r->steps);
        od_json_real(stdout, r->seconds);
        fputs(", \"peak_megabytes\": ", stdout);
        od_json_real(stdout, r->megabytes);
        fputs(", \"error\": ", stdout);
        od_json_real(stdout, r->error);
        fputs("}", stdout);
    }
    fputs("]}\n", stdout);
}

int bench_conjugate(cli *c)
{
    row rows[] = {
        {.d = 1000, .split = true, .t2 = 60}, {.d = 50, .t2 = 20}, {.d = 200, .t2 = 10}, {.d = 1000, .t2 = 4.4}};
    const size_t count = sizeof rows / sizeof *rows;
    openblas_set_num_threads(1);
    for (size_t i = 0; i < count; i++) {
        const od_status status = measure(c, &rows[i]);
        if (status != OD_OK) {
            return cli_fail(c, status);
        }
    }
    if (c->json) {
        write_json(rows, count);
        return EXIT_DONE;
    }
    bench_print_head();
    printf("x'' + (3/t) x' + H x = 0 on [1, t2], H rotated with eigenvalues from 1 to 1/100; one thread\n\n");
    printf("%6s  %-12s %6s %7s %7s %10s %9s %9s\n", "d", "by", "t2", "points", "steps", "seconds", "MB", "error");
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        printf("%6zu  %-12s %6g %7zu %7zu %10.3g %9.0f %9.1g\n", r->d, r->split ? "eigenvectors" : "whole frame", r->t2,
               r->points, r->steps, r->seconds, r->megabytes, r->error);
    }
    printf("\nerror: of the times, relative, against the zeros of Bessel functions of the C library; MB: the most "
           "memory of "
           "the process so far\n");
    return EXIT_DONE;
}
