/*
 * Any bytes as a file of starting values, as a curve in time and as a table of results: read or refused with a
 * sentence, and a curve that was read can be evaluated everywhere on its interval.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "analysis/curve.h"
#include "plots/sheet.h"
#include "src/document.h"
#include "src/settings.h"

#include <stdio.h>
#include <string.h>

static void take_start(od_context *ctx, const char *folder)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{problem: {name: quadratic, eigenvalues: [2, 1, 3]}, method: {name: gradient, step: 0.1}, iterations: 1, "
             "start: {x: {file: %s/a.csv}}}",
             folder);
    od_experiment *e = od_experiment_parse(ctx, yaml, NULL);
    fuzz_demand(e != NULL || strlen(od_message(ctx)) > 10, "a start is refused with a sentence");
    od_experiment_free(e);
}

static void take_curve(od_context *ctx, const char *folder)
{
    static const od_param table[] = {{.name = "curve", .kind = OD_TEXT, .fallback = "a.csv", .meaning = "the curve"},
                                     {.name = NULL}};
    static const double interval[2] = {0.5, 2.385};
    enum { D = 2, POINTS = 33 };
    od_arena *arena = od_arena_create();
    od_node *node = od_document_parse(ctx, arena, "{}", 2, "text");
    od_settings *s = od_settings_resolve(ctx, arena, (const od_param *const[]){table, NULL}, node,
                                         (od_place){.path = "action", .folder = folder});
    fuzz_demand(s != NULL, od_message(ctx));
    od_curve curve;
    if (od_curve_read(ctx, s, "curve", D, interval, &curve) == OD_OK) {
        for (int i = 0; i < POINTS; i++) {
            double x[D], v[D], a[D];
            const double t = interval[0] + (interval[1] - interval[0]) * i / (POINTS - 1);
            fuzz_demand(od_curve_at(&curve, t, x, v, a) == OD_OK, "a curve has values on its interval");
        }
    } else {
        fuzz_demand(strlen(od_message(ctx)) > 10, "a curve is refused with a sentence");
    }
    od_curve_close(&curve);
    od_arena_free(arena);
}

static void take_sheet(od_context *ctx, const char *folder)
{
    char path[128];
    od_sheet sheet;
    od_arena *arena = od_arena_create();
    snprintf(path, sizeof path, "%s/a.csv", folder);
    if (od_sheet_read(ctx, arena, path, &sheet) == OD_OK) {
        double sum = 0;
        for (size_t row = 0; row < sheet.rows; row++) {
            for (size_t c = 0; c < sheet.columns; c++) {
                sum += od_sheet_at(&sheet, row, od_sheet_column(&sheet, sheet.name[c]));
            }
        }
        fuzz_demand(sheet.rows == 0 || !(sum < 0 && sum > 0), "all numbers can be read");
    } else {
        fuzz_demand(strlen(od_message(ctx)) > 10, "a table is refused with a sentence");
    }
    od_arena_free(arena);
}

static void take(const uint8_t *data, size_t size)
{
    const char *folder = fuzz_file("a.csv", data, size);
    od_context *ctx = od_context_create();
    fuzz_demand(ctx != NULL, "memory");
    take_start(ctx, folder);
    take_curve(ctx, folder);
    take_sheet(ctx, folder);
    od_context_free(ctx);
}

const fuzz_target fuzz_table = {.name = "table", .letters = "0123456789.,;-+e\n \t#tx", .take = take};
