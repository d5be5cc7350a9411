/*
 * Any text as a formula: it is read or refused with a sentence, and what is read can be evaluated, with the same bits
 * for one point as for several; then the same as a loss. The first byte says how many variables there are, and which
 * minimiser is given.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "optdyn.h"
#include "src/json.h"
#include "src/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 3, POINTS = 11 };

static const char *const variable[MOST] = {"x", "y", "x1"};

/* Bit for bit; which of the NaNs there is does not count. */
static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static double coordinate(size_t i, size_t p)
{
    static const double special[] = {0, -0.0, 1, -1, 1e-310, -1e300, 710};
    return p < sizeof special / sizeof *special ? special[(p + i) % (sizeof special / sizeof *special)]
                                                : 0.37 * (double)p - 1.3 * (double)i;
}

/* All points in one batch and each alone, whatever is left in the scratch memory. */
static void compare(const od_program *q, size_t d, size_t rows, bool along)
{
    double x[MOST * POINTS], u[MOST * POINTS], value[POINTS], row[MOST * POINTS], one_x[MOST], one_u[MOST];
    double one_value, one_row[MOST], *ws = malloc(od_program_scratch(q) * sizeof *ws);
    fuzz_demand(ws != NULL, "no memory");
    for (size_t i = 0; i < od_program_scratch(q); i++) {
        ws[i] = 0.1 * (double)i - 1;
    }
    for (size_t i = 0; i < d * POINTS; i++) {
        x[i] = coordinate(i / POINTS, i % POINTS);
        u[i] = 0.7 - 0.1 * (double)i;
    }
    od_program_run(q, POINTS, x, 1, along ? u : NULL, value, row, ws);
    for (size_t p = 0; p < POINTS; p++) {
        for (size_t i = 0; i < d; i++) {
            one_x[i] = x[i * POINTS + p];
            one_u[i] = u[i * POINTS + p];
        }
        od_program_run(q, 1, one_x, 1, along ? one_u : NULL, &one_value, one_row, ws);
        fuzz_demand(along || same(one_value, value[p]), "the value of one point is not that in a batch");
        for (size_t i = 0; i < rows; i++) {
            fuzz_demand(same(one_row[i], row[i * POINTS + p]), "a derivative at one point is not that in a batch");
        }
    }
    free(ws);
}

/* What points do in a batch they do alone. */
static void compare_problem(const od_problem *p)
{
    double x[MOST * POINTS], u[MOST * POINTS], f[POINTS], g[MOST * POINTS], hu[MOST * POINTS];
    double one_x[MOST], one_u[MOST], one_f, one_g[MOST], one_hu[MOST];
    const size_t d = p->dim;
    double *ws = calloc(od_scratch_size(&p->scratch, POINTS) + 1, sizeof *ws);
    fuzz_demand(ws != NULL, "no memory");
    for (size_t i = 0; i < d * POINTS; i++) {
        x[i] = coordinate(i / POINTS, i % POINTS);
        u[i] = 0.7 - 0.1 * (double)i;
    }
    fuzz_demand(p->eval(p, OD_VALUE | OD_GRADIENT, POINTS, x, f, g, ws) == OD_OK, "a formula has values");
    fuzz_demand(p->hvp(p, POINTS, x, 1, u, hu, ws) == OD_OK, "a formula has Hessian products");
    for (size_t k = 0; k < POINTS; k++) {
        for (size_t i = 0; i < d; i++) {
            one_x[i] = x[i * POINTS + k];
            one_u[i] = u[i * POINTS + k];
        }
        p->eval(p, OD_VALUE, 1, one_x, &one_f, NULL, ws);
        fuzz_demand(same(one_f, f[k]), "a loss alone is not that beside its gradient");
        p->eval(p, OD_GRADIENT, 1, one_x, NULL, one_g, ws);
        p->hvp(p, 1, one_x, 1, one_u, one_hu, ws);
        for (size_t i = 0; i < d; i++) {
            fuzz_demand(same(one_g[i], g[i * POINTS + k]), "a gradient alone is not that beside its loss");
            fuzz_demand(same(one_hu[i], hu[i * POINTS + k]), "a Hessian product alone is not that in a batch");
        }
    }
    free(ws);
}

/* Of a polynomial of degree two: the spectrum makes the products with the Hessian. */
static void check_spectrum(const od_problem *p)
{
    double x[MOST] = {0}, u[MOST], hu[MOST], size = 0;
    const size_t d = p->dim;
    const double *lambda = p->spectrum->eigenvalues, *rotation = p->spectrum->rotation;
    double *ws = calloc(od_scratch_size(&p->scratch, 1) + 1, sizeof *ws);
    fuzz_demand(ws != NULL, "no memory");
    for (size_t i = 0; i < d; i++) {
        u[i] = 0.7 - 1.1 * (double)i;
        size = fmax(size, fabs(lambda[i]));
    }
    p->hvp(p, 1, x, 1, u, hu, ws);
    free(ws);
    for (size_t i = 0; i < d && size > 1e-200 && size < 1e200; i++) {
        double sum = rotation == NULL ? lambda[i] * u[i] : 0;
        for (size_t k = 0; rotation != NULL && k < d; k++) {
            for (size_t j = 0; j < d; j++) {
                sum += rotation[i * d + k] * lambda[k] * rotation[j * d + k] * u[j];
            }
        }
        fuzz_demand(fabs(sum - hu[i]) <= 1e-12 * size, "the spectrum is not that of the Hessian");
    }
}

static void take_problem(od_context *ctx, uint32_t d, unsigned minimiser, const char *formula)
{
    char *yaml = NULL;
    size_t room;
    FILE *out = open_memstream(&yaml, &room);
    fuzz_demand(out != NULL, "no memory");
    fputs("{name: formula, variables: [", out);
    for (uint32_t i = 0; i < d; i++) {
        fprintf(out, "%s%s", i > 0 ? ", " : "", variable[i]);
    }
    fputs("], f: ", out);
    od_json_text(out, formula);
    if (minimiser > 0) {
        fprintf(out, ", minimiser: [%g%s%s]", 0.5 * (minimiser - 1), d > 1 ? ", 1" : "", d > 2 ? ", -1" : "");
    }
    fputs("}", out);
    fclose(out);
    od_problem *p = od_problem_create(ctx, yaml);
    if (p != NULL) {
        fuzz_demand(p->dim == d, "a component for each variable");
        compare_problem(p);
        if (p->spectrum != NULL) {
            check_spectrum(p);
        }
    } else {
        fuzz_demand(strlen(od_message(ctx)) > 10, "refused without a sentence");
    }
    od_problem_free(p);
    free(yaml);
}

static void take(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return;
    }
    const uint32_t d = 1 + data[0] % MOST;
    uint32_t f, gradient[MOST], product[MOST];
    od_context *ctx = od_context_create();
    od_tape *tape = od_tape_create();
    fuzz_demand(ctx != NULL && tape != NULL, "no memory");
    const od_status status = od_formula_read(ctx, tape, (const char *)data + 1, size - 1, d, variable, &f);
    if (status == OD_OK) {
        fuzz_demand(od_tape_gradient(ctx, tape, f, d, gradient) == OD_OK, od_message(ctx));
        fuzz_demand(od_tape_along(ctx, tape, d, d, gradient, product) == OD_OK, od_message(ctx));
        od_program *both = od_program_create(ctx, tape, d, f, d, gradient);
        od_program *along = od_program_create(ctx, tape, d, OD_NO_NODE, d, product);
        fuzz_demand(both != NULL && along != NULL, od_message(ctx));
        compare(both, d, d, false);
        compare(along, d, d, true);
        od_program_free(both);
        od_program_free(along);
    } else {
        fuzz_demand(status == OD_EINVAL && strlen(od_message(ctx)) > 10, "refused without a sentence");
    }
    od_tape_free(tape);
    char *text = calloc(size, 1); /* up to the first zero */
    fuzz_demand(text != NULL, "no memory");
    memcpy(text, data + 1, size - 1);
    take_problem(ctx, d, data[0] / MOST % 3, text);
    free(text);
    od_context_free(ctx);
}

const fuzz_target fuzz_formula = {.name = "formula", .letters = "+-*/^(),.0123456789exy ", .take = take};
