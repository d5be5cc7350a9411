/*
 * A problem with everything that a problem may have: parameters of each kind, samples, a start of its own, words for
 * its failures, files that it was read from. f is the mean over two samples s = -1, 1 of |x - c - s e|^2/2, with e =
 * (1, 1).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <optdyn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

OD_PLUGIN;

typedef struct rich {
    double centre, edge;
    char input[4200];
    bool failed;
} rich;

/* Nothing left of the edge: there it fails. */
static od_status eval_samples(const od_problem *q, unsigned want, size_t n, const double *x, size_t batch,
                              const uint32_t *index, double *f, double *g, double *ws)
{
    rich *r = q->data;
    bool behind = false;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        double value = 0, shift = 0;
        for (size_t b = 0; b < batch; b++) {
            const double s = index[b * n + p] == 0 ? -1 : 1;
            for (size_t i = 0; i < 2; i++) {
                const double y = x[i * n + p] - r->centre - s;
                value += y * y / 2 / (double)batch;
            }
            shift += s / (double)batch;
        }
        for (size_t i = 0; i < 2 && (want & OD_GRADIENT) != 0; i++) {
            g[i * n + p] = x[i * n + p] - r->centre - shift;
        }
        if ((want & OD_VALUE) != 0) {
            f[p] = value;
        }
        behind = behind || x[p] < r->edge;
    }
    r->failed = r->failed || behind;
    return behind ? OD_EUSER : OD_OK;
}

static od_status eval(const od_problem *q, unsigned want, size_t n, const double *x, double *f, double *g, double *ws)
{
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        static const uint32_t both[] = {0, 1};
        const double point[] = {x[p], x[n + p]};
        double value, slope[2];
        status = eval_samples(q, want, 1, point, 2, both, &value, slope, ws);
        if ((want & OD_VALUE) != 0) {
            f[p] = value;
        }
        for (size_t i = 0; i < 2 && (want & OD_GRADIENT) != 0; i++) {
            g[i * n + p] = slope[i];
        }
    }
    return status;
}

static void initial(const od_problem *q, uint64_t seed, uint64_t path, size_t stride, double *x)
{
    (void)q;
    x[0] = (double)(seed + 2 * path);
    x[stride] = 0.5;
}

static const char *trouble(const od_problem *q)
{
    return ((const rich *)q->data)->failed ? "there is nothing behind the edge" : "";
}

static od_status create(od_context *ctx, const od_settings *s, od_problem *problem)
{
    rich *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    }
    r->edge = od_setting_real(s, "edge");
    if (od_setting_present(s, "table")) {
        const char *name = od_setting_text(s, "table");
        FILE *in = fopen(name, "r");
        const bool read = in != NULL && fscanf(in, "%lf", &r->centre) == 1;
        if (in != NULL) {
            fclose(in);
        }
        if (!read) {
            free(r);
            return od_fail(ctx, OD_EINVAL, "problem.table", "%s holds no number", name);
        }
        snprintf(r->input, sizeof r->input, "%s 0123456789abcdef", name);
        problem->inputs = r->input;
    }
    problem->data = r;
    problem->free = free;
    problem->dim = 2;
    problem->samples = 2;
    problem->eval = eval;
    problem->eval_samples = eval_samples;
    problem->initial = initial;
    problem->trouble = trouble;
    problem->precision = "numbers of the test";
    return OD_OK;
}

static const od_param params[] = {
    {.name = "table", .kind = OD_FILE, .fallback = "", .meaning = "a file with the centre"},
    {.name = "edge", .kind = OD_REAL, .fallback = "-1000", .meaning = "where it ends"},
    {.name = "words", .kind = OD_TEXT, .fallback = "none", .meaning = "any words"},
    {.name = "choice", .kind = OD_CHOICE, .choices = "one|two", .fallback = "one", .meaning = "one of two"},
    {.name = "flag", .kind = OD_FLAG, .fallback = "false", .meaning = "yes or no"},
    {.name = "names", .kind = OD_NAMES, .fallback = "", .meaning = "some names"},
    {.name = "vector", .kind = OD_VECTOR, .fallback = "[1, 2]", .meaning = "some numbers"},
    {.name = "matrix", .kind = OD_MATRIX, .fallback = "", .meaning = "rows of numbers"},
    {.name = "variant", .kind = OD_VARIANT, .fallback = "3", .meaning = "anything"},
    {.name = NULL},
};

const od_problem_type od_plugin_problem = {
    .name = "rich",
    .summary = "a quadratic with everything that a problem may have",
    .source = "textbook",
    .params = params,
    .create = create,
};
