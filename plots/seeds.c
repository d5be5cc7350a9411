/*
 * Runs that differ by their seed alone, taken together: a sweep over seeds makes one member for each, and fig-17 and
 * fig-18 show mean and range over them.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "sheet.h"
#include "src/experiment.h"
#include "src/file.h"
#include "src/label.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

enum { MAX_SEEDS = 64 };

size_t od_seeds_count(const od_result *result, size_t first, size_t *length)
{
    const char *label = result->outcome[first].label, *end = strstr(label, " seed=");
    *length = end != NULL ? (size_t)(end - label) : strlen(label);
    size_t count = 1;
    while (end != NULL && first + count < result->count && count < MAX_SEEDS &&
           strncmp(result->outcome[first + count].label, label, *length + strlen(" seed=")) == 0) {
        count++;
    }
    return count;
}

static void write_head(FILE *out, const od_sheet *sheet, size_t keys)
{
    fputs("# over the seeds: mean, its standard error, smallest and largest value\n", out);
    for (size_t c = 0; c < sheet->columns; c++) {
        const char *name = sheet->name[c];
        if (c < keys) {
            fprintf(out, "%s%s", c > 0 ? "," : "", name);
        } else {
            fprintf(out, ",%s_mean,%s_stderr,%s_min,%s_max", name, name, name, name);
        }
    }
    fputc('\n', out);
}

static void write_values(FILE *out, const double *x, size_t count)
{
    double mean = 0, square = 0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        mean += x[i] / (double)count;
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    for (size_t i = 0; i < count; i++) {
        square += (x[i] - mean) * (x[i] - mean);
    }
    const double error = count > 1 ? sqrt(square / (double)(count * (count - 1))) : NAN;
    const double value[] = {mean, error, low, high};
    for (size_t i = 0; i < 4; i++) {
        od_text_cell(out, ",", value[i]);
    }
}

/* The tables of the iteration, which are alike: k, t and the quantities. */
static od_status write_group(od_context *ctx, od_figure_run *run, const od_figure_part *part, size_t first,
                             size_t count, size_t length)
{
    enum { KEYS = 2 };
    char label[OD_LABEL_ROOM], stem[OD_LABEL_ROOM], name[OD_LABEL_ROOM + 64];
    od_sheet sheet[MAX_SEEDS];
    od_file file;
    snprintf(label, sizeof label, "%.*s", (int)length, part->result->outcome[first].label);
    for (size_t i = 0; i < count; i++) {
        const char *table = part->result->outcome[first + i].iteration_file;
        if (table == NULL) {
            return OD_OK; /* --set has taken the iteration out */
        }
        od_status status = od_sheet_read(ctx, run->report->arena, table, &sheet[i]);
        if (status != OD_OK) {
            return status;
        }
        if (sheet[i].rows != sheet[0].rows || sheet[i].columns != sheet[0].columns) {
            return od_fail(ctx, OD_EINVAL, NULL, "%s: the tables of its seeds have different rows", label);
        }
    }
    od_label_stem(label, stem);
    snprintf(name, sizeof name, "%.40s-%s.csv", part->name, stem);
    od_status status = od_file_open(ctx, &file, run->folder, name);
    if (status != OD_OK) {
        return status;
    }
    write_head(file.out, &sheet[0], KEYS);
    for (size_t row = 0; row < sheet[0].rows; row++) {
        for (size_t c = 0; c < sheet[0].columns; c++) {
            double x[MAX_SEEDS];
            char text[OD_REAL_ROOM];
            for (size_t i = 0; i < count; i++) {
                x[i] = od_sheet_at(&sheet[i], row, (long)c);
            }
            if (c < KEYS) {
                fprintf(file.out, "%s%s", c > 0 ? "," : "", od_real_text(text, x[0]));
            } else {
                write_values(file.out, x, count);
            }
        }
        fputc('\n', file.out);
    }
    return od_report_commit(ctx, run->report, &file, OD_OK);
}

od_status od_seeds_write(od_context *ctx, od_figure_run *run)
{
    od_status status = OD_OK;
    for (size_t i = 0; i < run->count; i++) {
        const od_figure_part *part = &run->part[i];
        for (size_t first = 0, count; first < part->result->count && status == OD_OK; first += count) {
            size_t length;
            count = od_seeds_count(part->result, first, &length);
            status = write_group(ctx, run, part, first, count, length);
        }
    }
    return status;
}
