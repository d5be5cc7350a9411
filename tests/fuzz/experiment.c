/*
 * Any text as an experiment file, then, behind zeros, as --set: it is read or refused with a sentence, and the resolved
 * experiment of what is read is that of itself.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "optdyn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SETS = 8 };

static void write_plan(od_context *ctx, const od_experiment *e, bool json)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fuzz_demand(out != NULL, "memory");
    fuzz_demand(od_experiment_plan(ctx, e, out, json) == OD_OK, od_message(ctx));
    fclose(out);
    fuzz_demand(size > 0, "a plan says something");
    free(text);
}

static void take(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    const char *set[MOST_SETS + 1] = {NULL};
    const od_options options = {.set = set, .data = "/nonexistent"}, bare = {.data = "/nonexistent"};
    od_context *ctx = od_context_create();
    fuzz_demand(text != NULL && ctx != NULL, "memory");
    memcpy(text, data, size);
    size_t count = 0;
    for (size_t at = strlen(text) + 1; at < size && count < MOST_SETS; at += strlen(text + at) + 1) {
        set[count++] = text + at;
    }
    od_experiment *e = od_experiment_parse(ctx, text, &options);
    if (e == NULL) {
        fuzz_demand(strlen(od_message(ctx)) > 10, "refused with a sentence");
    } else {
        write_plan(ctx, e, true);
        write_plan(ctx, e, false);
        od_experiment *again = od_experiment_parse(ctx, od_experiment_resolved(e), &bare);
        fuzz_demand(again != NULL, od_message(ctx));
        if (strcmp(od_experiment_resolved(e), od_experiment_resolved(again)) != 0) {
            fprintf(stderr, "%s\nthen\n%s\n", od_experiment_resolved(e), od_experiment_resolved(again));
            fuzz_demand(false, "the resolved experiment stays what it is");
        }
        od_experiment_free(again);
    }
    od_experiment_free(e);
    od_context_free(ctx);
    free(text);
}

const fuzz_target fuzz_experiment = {.name = "experiment", .letters = "{}[]:,-'\"\n #.0123456789eax", .take = take};
