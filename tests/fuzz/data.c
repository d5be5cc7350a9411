/*
 * Any bytes as a set of data. The first byte says how it is read; where two files belong together, the mark parts them.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE /* memmem */
#include "fuzz.h"

#include "src/data.h"
#include "src/document.h"
#include "src/settings.h"

#include <math.h>
#include <string.h>

static const char mark[] = "\n--\n";

typedef struct way {
    const char *file, *other; /* other: behind the mark, NULL if there is one file */
    const char *settings;
    od_targets targets;
} way;

static const char idx[] = "train-images-idx3-ubyte", idx_labels[] = "train-labels-idx1-ubyte";

static const way ways[] = {
    {"a.csv", NULL, "{data: a.csv}", OD_TARGETS_NUMBERS},
    {"a.csv", NULL, "{data: a.csv, label: y, holdout: 0.3, part: test, scale: standard}", OD_TARGETS_CLASSES},
    {"a.txt", NULL, "{data: a.txt, scale: unit-norm}", OD_TARGETS_SIGNS},
    {"a.txt", NULL, "{data: a.txt, classes: [1, 2, 3], samples: 3, scale: unit-range}", OD_TARGETS_CLASSES},
    {"a.npy", NULL, "{data: a.npy, scale: 0.5}", OD_TARGETS_NUMBERS},
    {"a.npy", "y.npy", "{data: a.npy, label: y.npy, scale: standard}", OD_TARGETS_CLASSES},
    {"a.bin", NULL, "{data: a.bin}", OD_TARGETS_CLASSES},
    {"a.bin", NULL, "{data: a.bin, classes: [3, 5], holdout: 0.5}", OD_TARGETS_SIGNS},
    {idx, idx_labels, "{data: ., format: idx}", OD_TARGETS_CLASSES},
    {idx, idx_labels, "{data: ., format: idx, classes: [3, 5], scale: standard}", OD_TARGETS_SIGNS},
};

static void check_data(const od_data *d)
{
    fuzz_demand(d->rows > 0 && d->cols > 0 && d->stride >= d->cols && d->outputs > 0, "sizes of what was read");
    double sum = 0;
    for (size_t i = 0; i < d->rows * d->stride; i++) {
        sum += d->row[i];
    }
    for (size_t i = 0; i < d->rows * d->outputs; i++) {
        fuzz_demand(isfinite(d->target[i]), "targets are finite");
    }
    for (size_t r = 0; d->class_index != NULL && r < d->rows; r++) {
        fuzz_demand(d->class_index[r] < d->classes, "classes are below their number");
    }
    fuzz_demand(isfinite(sum) || !isfinite(sum), "all rows can be read");
}

static void take(const uint8_t *data, size_t size)
{
    static const od_param table[] = {OD_DATA_PARAMS("clusters", "true"), {.name = NULL}};
    if (size == 0) {
        return;
    }
    const way *w = &ways[data[0] % (sizeof ways / sizeof *ways)];
    data++;
    size--;
    const uint8_t *end = w->other != NULL ? memmem(data, size, mark, strlen(mark)) : NULL;
    const size_t first = end != NULL ? (size_t)(end - data) : size;
    const size_t rest = end != NULL ? first + strlen(mark) : size;
    const char *folder = fuzz_file(w->file, data, first);
    if (w->other != NULL) {
        fuzz_file(w->other, data + rest, size - rest);
    }
    od_context *ctx = od_context_create();
    od_arena *arena = od_arena_create();
    fuzz_demand(ctx != NULL && arena != NULL, "memory");
    od_node *node = od_document_parse(ctx, arena, w->settings, strlen(w->settings), "text");
    od_settings *s = od_settings_resolve(ctx, arena, (const od_param *const[]){table, NULL}, node,
                                         (od_place){.path = "problem", .data = folder});
    fuzz_demand(s != NULL, od_message(ctx));
    od_data d;
    if (od_data_read(ctx, s, w->targets, true, &d) == OD_OK) {
        check_data(&d);
    } else {
        fuzz_demand(strlen(od_message(ctx)) > 10, "refused with a sentence");
        fuzz_demand(d.row == NULL && d.target == NULL && d.inputs == NULL, "nothing is left of what was refused");
    }
    od_data_free(&d);
    od_arena_free(arena);
    od_context_free(ctx);
}

const fuzz_target fuzz_data = {.name = "data", .letters = "0123456789.,:-+e\n \t\xff\x01\x08'()", .take = take};
