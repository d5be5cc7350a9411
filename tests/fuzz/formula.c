/*
 * Any text as a formula: it is read or refused with a sentence, and what is read can be evaluated, with the same bits
 * for one point as for several. The first byte says how many variables there are.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "optdyn.h"
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
    od_context_free(ctx);
}

const fuzz_target fuzz_formula = {.name = "formula", .letters = "+-*/^(),.0123456789exy ", .take = take};
