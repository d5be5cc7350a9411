/* Which samples are kept, with what targets. SPDX-License-Identifier: GPL-3.0-or-later */
#include "data.h"

#include "batch.h"
#include "data_scale.h"
#include "data_table.h"
#include "memory.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_OF_DOUBLES = 8, MAX_CLASSES = 1000, DRAW_HOLDOUT = 64 }; /* the last, an epoch no other draw uses */

/* What is asked for, and what the train part has to say about the test part. */
typedef struct request {
    od_context *ctx;
    const od_settings *s;
    od_targets targets;
    bool bias;
    bool measured;      /* the following are known */
    size_t label_count; /* classes, 0 where targets are numbers */
    double *label;      /* [MAX_CLASSES] */
    od_scale scale;
} request;

void od_table_clear(od_table *table)
{
    free(table->label);
    free(table->pixel);
    free(table->value);
    free(table->feature);
    free(table->start);
    free(table->inputs);
    *table = (od_table){0};
}

void od_table_row(const od_table *table, size_t r, double *out)
{
    if (table->pixel != NULL) {
        for (size_t j = 0; j < table->cols; j++) {
            out[j] = table->pixel[r * table->cols + j];
        }
    } else if (table->feature == NULL) {
        memcpy(out, table->value + r * table->cols, table->cols * sizeof *out);
    } else {
        memset(out, 0, table->cols * sizeof *out);
        for (size_t k = table->start[r]; k < table->start[r + 1]; k++) {
            out[table->feature[k]] = table->value[k];
        }
    }
}

void od_data_free(od_data *data)
{
    free(data->row);
    free(data->target);
    free(data->class_index);
    free(data->class_label);
    free(data->inputs);
    *data = (od_data){0};
}

/* ------------------------------------------------------------------------------------------------------- classes */

static size_t class_of(const request *q, double label)
{
    size_t c = 0;
    while (c < q->label_count && q->label[c] != label) {
        c++;
    }
    return c;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All labels that occur, ascending. */
static od_status find_labels(request *q, const od_table *table)
{
    const char *name = od_setting_text(q->s, "data");
    const bool signs = q->targets != OD_TARGETS_CLASSES;
    char a[OD_REAL_ROOM], b[OD_REAL_ROOM], c[OD_REAL_ROOM];
    for (size_t r = 0; r < table->rows; r++) {
        const double label = table->label[r];
        if (class_of(q, label) < q->label_count) {
            continue;
        }
        if (signs && q->label_count == 2) {
            return od_setting_fail(q->ctx, q->s, "classes",
                                   "the labels of %s are of more than two kinds (%s, %s, %s and perhaps more); choose "
                                   "two, for example classes: [%s, %s]",
                                   name, od_real_text(a, q->label[0]), od_real_text(b, q->label[1]),
                                   od_real_text(c, label), a, b);
        }
        if (q->label_count == MAX_CLASSES) {
            return od_setting_fail(q->ctx, q->s, "classes",
                                   "%s has more than %d different labels (%s, %s, ...), so they are numbers, not "
                                   "classes; choose some by classes, or a loss that takes numbers",
                                   name, MAX_CLASSES, od_real_text(a, q->label[0]), od_real_text(b, q->label[1]));
        }
        if (!signs && label != floor(label)) {
            return od_setting_fail(q->ctx, q->s, "data",
                                   "the label %s of %s is no whole number, so labels are numbers, not classes; take a "
                                   "loss for numbers, or choose some by classes",
                                   od_real_text(a, label), name);
        }
        q->label[q->label_count++] = label;
    }
    if (q->label_count < 2) {
        return od_setting_fail(q->ctx, q->s, "data", "every sample of %s has the label %s; two classes are needed",
                               name, od_real_text(a, q->label[0]));
    }
    qsort(q->label, q->label_count, sizeof *q->label, ascending);
    if (signs) { /* the larger one is +1 */
        const double smaller = q->label[0];
        q->label[0] = q->label[1];
        q->label[1] = smaller;
    }
    return OD_OK;
}

/* The labels that are kept; none where targets are numbers. */
static od_status find_classes(request *q, const od_table *table)
{
    const od_value *classes = od_setting(q->s, "classes");
    const bool signs = q->targets != OD_TARGETS_CLASSES;
    if (q->targets == OD_TARGETS_NUMBERS && !classes->present) {
        return OD_OK;
    }
    if (table->labels > 1) {
        return od_setting_fail(q->ctx, q->s, classes->present ? "classes" : "data",
                               "a label of %s is a list of %zu numbers and so no class; give one label a sample, or "
                               "take a loss for numbers",
                               od_setting_text(q->s, "data"), table->labels);
    }
    if (!classes->present) {
        return find_labels(q, table);
    }
    if (signs && (classes->cols != 2 || classes->list[0] == classes->list[1])) {
        return od_setting_fail(q->ctx, q->s, "classes", "expected two different labels such as [3, 5]");
    }
    if (classes->cols < 2 || classes->cols > MAX_CLASSES) {
        return od_setting_fail(q->ctx, q->s, "classes", "expected 2 to %d different labels, such as [0, 1, 2]",
                               MAX_CLASSES);
    }
    for (size_t c = 0; c < classes->cols; c++) {
        char text[OD_REAL_ROOM];
        if (class_of(q, classes->list[c]) < q->label_count) {
            return od_setting_fail(q->ctx, q->s, "classes", "the label %s stands there twice; name each once",
                                   od_real_text(text, classes->list[c]));
        }
        q->label[q->label_count++] = classes->list[c];
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------------- rows */

/* The rows of the part, of those whose label is kept, in the order of the table. */
static od_status choose_part(const request *q, od_part part, const od_table *table, size_t *row, size_t *rows)
{
    size_t available = 0;
    for (size_t r = 0; r < table->rows; r++) {
        if (q->label_count == 0 || class_of(q, table->label[r]) < q->label_count) {
            row[available++] = r;
        }
    }
    *rows = available;
    if (table->parts) {
        return od_setting_present(q->s, "holdout") /* drawn data refuse it */
                   ? od_setting_fail(q->ctx, q->s, "holdout", "the folder %s has a test part of its own; remove it",
                                     od_setting_text(q->s, "data"))
                   : OD_OK;
    }
    const double share = od_setting_real(q->s, "holdout");
    if (isnan(share)) {
        return part == OD_PART_TRAIN
                   ? OD_OK
                   : od_setting_fail(q->ctx, q->s, "part", "one file has no parts; remove it, or give holdout: 0.2");
    }
    const size_t test = (size_t)llround(share * (double)available);
    if (test == 0 || test >= available) {
        return od_setting_fail(q->ctx, q->s, "holdout",
                               "of %zu samples it leaves %zu to train and %zu to test; both need one", available,
                               available - test, test);
    }
    *rows = 0;
    for (size_t k = 0; k < available; k++) {
        const uint64_t seed = (uint64_t)od_setting_real(q->s, "data_seed");
        const uint32_t place = od_permuted(seed, OD_STREAM_DATA, 0, DRAW_HOLDOUT, (uint32_t)k, (uint32_t)available);
        if ((place < test) == (part == OD_PART_TEST)) {
            row[(*rows)++] = row[k];
        }
    }
    return OD_OK;
}

/* Every class needs a sample; `all` counts those that `samples` cut off, too. */
static od_status check_classes(const request *q, const od_table *table, const size_t *row, size_t kept, size_t all)
{
    for (size_t c = 0; c < q->label_count; c++) {
        bool found = false;
        for (size_t k = 0; k < kept && !found; k++) {
            found = table->label[row[k]] == q->label[c];
        }
        if (found) {
            continue;
        }
        char missing[OD_REAL_ROOM];
        od_real_text(missing, q->label[c]);
        return kept < all ? od_setting_fail(q->ctx, q->s, "samples",
                                            "none of the first %zu samples has the label %s; keep more of the %zu",
                                            kept, missing, all)
                          : od_setting_fail(q->ctx, q->s, "classes", "no sample of %s has the label %s; choose another",
                                            od_setting_text(q->s, "data"), missing);
    }
    return OD_OK;
}

/* Chosen rows of the table in *row, their number in data->rows. `limited`: `samples` applies to this part. */
static od_status choose(const request *q, od_part part, bool limited, const od_table *table, size_t *row, od_data *data)
{
    size_t available;
    od_status status = choose_part(q, part, table, row, &available);
    if (status != OD_OK) {
        return status;
    }
    const od_value *samples = od_setting(q->s, "samples");
    const bool limit = limited && samples->present && !table->drawn;
    data->rows = limit && samples->real < (double)available ? (size_t)samples->real : available;
    status = part == OD_PART_TRAIN || q->targets != OD_TARGETS_CLASSES
                 ? check_classes(q, table, row, data->rows, available)
                 : OD_OK; /* a test part may lack a class */
    if (status == OD_OK && limit && samples->real > (double)available) {
        return od_setting_fail(q->ctx, q->s, "samples", "%zu samples are asked for, but %s has only %zu%s",
                               (size_t)samples->real, od_setting_text(q->s, "data"), available,
                               q->label_count == 0   ? ""
                               : q->label_count == 2 ? " of the two classes"
                                                     : " of the classes");
    }
    return status == OD_OK && data->rows == 0
               ? od_setting_fail(q->ctx, q->s, "classes", "no sample of the test part has one of them; choose others")
               : status;
}

static od_status set_targets(const request *q, const od_table *table, const size_t *row, od_data *data)
{
    const bool classes = q->targets == OD_TARGETS_CLASSES, signs = !classes && q->label_count > 0;
    data->classes = classes ? q->label_count : 0;
    data->outputs = classes ? q->label_count : signs ? 1 : table->labels;
    data->target = data->rows <= OD_MAX_NUMBERS / data->outputs
                       ? od_zalloc(data->rows * data->outputs, sizeof *data->target)
                       : NULL;
    if (classes) {
        data->class_index = od_zalloc(data->rows, sizeof *data->class_index);
        data->class_label = od_zalloc(data->classes, sizeof *data->class_label);
    }
    if (data->target == NULL || (classes && (data->class_index == NULL || data->class_label == NULL))) {
        return od_fail(q->ctx, OD_ENOMEM, "problem.data", "no memory for the targets of %zu samples", data->rows);
    }
    if (classes) {
        memcpy(data->class_label, q->label, data->classes * sizeof *q->label);
    }
    for (size_t r = 0; r < data->rows; r++) {
        const double *label = table->label + row[r] * table->labels;
        if (classes) {
            data->class_index[r] = (uint32_t)class_of(q, *label);
            data->target[r * data->outputs + data->class_index[r]] = 1;
        } else if (signs) {
            data->target[r] = *label == q->label[0] ? 1 : -1;
        } else {
            memcpy(data->target + r * data->outputs, label, data->outputs * sizeof *label);
        }
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------------- all of it */

static od_status set_rows(const request *q, const od_table *table, const size_t *row, od_data *data)
{
    data->cols = table->cols + q->bias;
    data->stride = (data->cols + LINE_OF_DOUBLES - 1) / LINE_OF_DOUBLES * LINE_OF_DOUBLES;
    if (data->rows > OD_MAX_NUMBERS / data->stride) {
        return od_setting_fail(q->ctx, q->s, "data",
                               "%zu samples of %zu features need more than 2 GiB as a full matrix; keep fewer by "
                               "samples",
                               data->rows, data->cols);
    }
    if ((data->row = od_zalloc(data->rows * data->stride, sizeof *data->row)) == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, "problem.data", "no memory for %zu samples of %zu features", data->rows,
                       data->cols);
    }
    for (size_t r = 0; r < data->rows; r++) {
        od_table_row(table, row[r], data->row + r * data->stride);
    }
    memcpy(data->shape, table->shape, sizeof data->shape);
    return OD_OK;
}

static od_status check_features(const request *q, size_t features)
{
    return q->scale.shift == NULL || features == q->scale.features
               ? OD_OK
               : od_setting_fail(q->ctx, q->s, "data", "the test part of %s has %zu features and its train part %zu",
                                 od_setting_text(q->s, "data"), features, q->scale.features);
}

/* Fills `data` but for the list of files. The first part that is assembled is the train part, and is measured. */
static od_status assemble(request *q, od_part part, bool limited, const od_table *table, od_data *data)
{
    size_t *row = od_zalloc(table->rows, sizeof *row);
    if (row == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, "problem.data", "no memory for %zu samples", table->rows);
    }
    const bool measure = !q->measured;
    od_status status = measure ? find_classes(q, table) : OD_OK;
    status = status == OD_OK ? choose(q, part, limited, table, row, data) : status;
    status = status == OD_OK ? set_targets(q, table, row, data) : status;
    status = status == OD_OK ? set_rows(q, table, row, data) : status;
    if (status == OD_OK && measure) {
        status = od_scale_read(q->ctx, q->s, table->pixel != NULL, &q->scale);
        status = status == OD_OK ? od_scale_measure(q->ctx, data, table->cols, &q->scale) : status;
        q->measured = true;
    }
    status = status == OD_OK ? check_features(q, table->cols) : status;
    status = status == OD_OK ? od_scale_apply(q->ctx, q->s, &q->scale, table->cols, data) : status;
    for (size_t r = 0; status == OD_OK && q->bias && r < data->rows; r++) {
        data->row[r * data->stride + table->cols] = 1;
    }
    free(row);
    return status;
}

/* Reads one part; on failure nothing is left in `data`. */
static od_status read_part(request *q, od_part part, bool limited, od_data *data)
{
    od_table table = {0};
    *data = (od_data){0};
    od_status status = od_table_read(q->ctx, q->s, part, q->targets, &table);
    status = status == OD_OK ? assemble(q, part, limited, &table, data) : status;
    if (status == OD_OK) {
        data->inputs = table.inputs;
        table.inputs = NULL;
    } else {
        od_data_free(data);
    }
    od_table_clear(&table);
    return status;
}

/* Puts the files that another part was read from behind those of `data`; of a single file both name the same. */
static od_status add_inputs(const request *q, const char *more, od_data *data)
{
    if (more == NULL || strcmp(more, data->inputs) == 0) {
        return OD_OK;
    }
    const size_t room = strlen(data->inputs) + strlen(more) + 2;
    char *both = od_zalloc(room, 1);
    if (both == NULL) {
        return od_fail(q->ctx, OD_ENOMEM, "problem.data", "no memory for the list of files");
    }
    snprintf(both, room, "%s\n%s", data->inputs, more);
    free(data->inputs);
    data->inputs = both;
    return OD_OK;
}

/* True if the test part cannot be understood without the train part. */
static od_status needs_train(const request *q, bool pixels, bool *needs)
{
    od_scale scale;
    od_status status = od_scale_read(q->ctx, q->s, pixels, &scale);
    *needs = od_scale_is_measured(&scale) || (q->targets == OD_TARGETS_CLASSES && !od_setting_present(q->s, "classes"));
    return status;
}

static od_status read_test(request *q, od_data *data)
{
    od_table table = {0};
    od_data train = {0};
    bool needs = false;
    od_status status = od_table_read(q->ctx, q->s, OD_PART_TEST, q->targets, &table);
    status = status == OD_OK ? needs_train(q, table.pixel != NULL, &needs) : status;
    status = status == OD_OK && needs ? read_part(q, OD_PART_TRAIN, false, &train) : status;
    status = status == OD_OK ? assemble(q, OD_PART_TEST, true, &table, data) : status;
    data->inputs = table.inputs;
    table.inputs = NULL;
    status = status == OD_OK ? add_inputs(q, train.inputs, data) : status;
    if (status != OD_OK) {
        od_data_free(data);
    }
    od_data_free(&train);
    od_table_clear(&table);
    return status;
}

static od_status open_request(od_context *ctx, const od_settings *s, od_targets targets, bool bias, request *q)
{
    *q = (request){
        .ctx = ctx, .s = s, .targets = targets, .bias = bias, .label = od_zalloc(MAX_CLASSES, sizeof(double))};
    return q->label != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for the classes");
}

static void close_request(request *q)
{
    free(q->label);
    od_scale_clear(&q->scale);
}

od_status od_data_read(od_context *ctx, const od_settings *settings, od_targets targets, bool bias, od_data *data)
{
    request q;
    *data = (od_data){0};
    od_status status = open_request(ctx, settings, targets, bias, &q);
    if (status == OD_OK) {
        status = strcmp(od_setting_text(settings, "part"), "test") == 0 ? read_test(&q, data)
                                                                        : read_part(&q, OD_PART_TRAIN, true, data);
    }
    close_request(&q);
    return status;
}
