/*
 * The numbers of a figure: each is read off a result file and compared with one from elsewhere.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "sheet.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

static const char *text_at(const od_node *map, const char *key)
{
    const od_node *item = od_node_item(map, key);
    return item != NULL && item->kind == OD_NODE_SCALAR ? item->text : "";
}

static double real_of(const od_node *item)
{
    double x;
    return item != NULL && item->kind == OD_NODE_SCALAR && od_text_real(item->text, &x) ? x : NAN;
}

/* A bound that is not given is none. */
static double bound_at(const od_node *map, const char *key)
{
    return od_node_item(map, key) != NULL ? real_of(od_node_item(map, key)) : 0;
}

static const od_outcome *find_outcome(const od_figure_run *run, const od_node *entry, const char *label)
{
    for (size_t i = 0; i < run->count; i++) {
        if (strcmp(run->part[i].name, text_at(entry, "experiment")) != 0) {
            continue;
        }
        const od_result *r = run->part[i].result;
        for (size_t j = 0; j < r->count; j++) {
            if (label[0] == '\0' || strcmp(r->outcome[j].label, label) == 0) {
                return &r->outcome[j];
            }
        }
    }
    return NULL;
}

/* The table of a run, named by its label, or a file of the figure's folder: `which` is "label" or "over". */
static od_status open_sheet(od_context *ctx, const od_figure_run *run, const od_node *entry, const char *which,
                            od_sheet *sheet)
{
    od_arena *arena = run->report->arena;
    const bool over = strcmp(which, "over") == 0;
    const char *label = text_at(entry, which);
    if (text_at(entry, "file")[0] != '\0') {
        const char *path = od_arena_print(arena, "%s/%s", run->folder, over ? label : text_at(entry, "file"));
        return path != NULL ? od_sheet_read(ctx, arena, path, sheet) : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    }
    const od_outcome *o = find_outcome(run, entry, label);
    if (o == NULL) {
        return od_node_fail(ctx, entry, "label", "there is no run '%s' of the experiment '%s'", label,
                            text_at(entry, "experiment"));
    }
    const char *path = strcmp(text_at(entry, "table"), "iteration") == 0 ? o->iteration_file : o->flow_file;
    if (path == NULL) {
        return od_node_fail(ctx, entry, "table", "the run '%s' has no such table", o->label);
    }
    return od_sheet_read(ctx, arena, path, sheet);
}

static size_t row_at(const od_sheet *s, long key, double t)
{
    size_t row = 0;
    while (row < s->rows && !(fabs(od_sheet_at(s, row, key) - t) <= 1e-9 * fmax(1, fabs(t)))) {
        row++;
    }
    return row;
}

static double value_at(const od_sheet *s, long key, double t, long column)
{
    const size_t row = row_at(s, key, t);
    return row < s->rows ? od_sheet_at(s, row, column) : NAN;
}

/* Simpson's rule on the rows, which are equally far apart. */
static double area(const od_sheet *s, long key, long column)
{
    double sum = 0;
    if (s->rows < 3 || s->rows % 2 == 0) {
        return NAN;
    }
    for (size_t i = 0; i < s->rows; i++) {
        const double weight = i == 0 || i + 1 == s->rows ? 1 : i % 2 == 1 ? 4 : 2;
        sum += weight * od_sheet_at(s, i, column);
    }
    const double length = od_sheet_at(s, s->rows - 1, key) - od_sheet_at(s, 0, key);
    return sum * length / (3 * (double)(s->rows - 1));
}

/* The time of the number-th change of the column's sign after the first row, by a straight line between rows. */
static double zero(const od_sheet *s, long key, long column, double number)
{
    for (size_t i = 1; i + 1 < s->rows; i++) {
        const double a = od_sheet_at(s, i, column), b = od_sheet_at(s, i + 1, column);
        if ((a < 0) != (b < 0) && --number < 1) {
            const double t = od_sheet_at(s, i, key);
            return t + (od_sheet_at(s, i + 1, key) - t) * a / (a - b);
        }
    }
    return NAN;
}

static double count_zeros(const od_sheet *s, long key, long column)
{
    double count = 0;
    while (!isnan(zero(s, key, column, count + 1))) {
        count++;
    }
    return count;
}

static double maximum(const od_sheet *s, long column, size_t *at)
{
    double best = NAN;
    for (size_t i = 0; i < s->rows; i++) {
        const double x = od_sheet_at(s, i, column);
        if (!isnan(x) && !(x <= best)) {
            best = x;
            *at = i;
        }
    }
    return best;
}

/* The largest rise from one row to the next; 0 if the column never rises. */
static double rise(const od_sheet *s, long column)
{
    double largest = s->rows > 1 ? 0 : NAN;
    for (size_t i = 0; i + 1 < s->rows; i++) {
        const double step = od_sheet_at(s, i + 1, column) - od_sheet_at(s, i, column);
        largest = step <= largest ? largest : step;
    }
    return largest;
}

static double beside(const od_sheet *s, const char *stem, size_t length, const char *ending, size_t row)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s%s", (int)length, stem, ending);
    const long column = od_sheet_column(s, name);
    return column != OD_NO_COLUMN ? od_sheet_at(s, row, column) : NAN;
}

/* Standard error of a number over paths: the one beside a mean or a quantile; of a variance that of a normal law. */
static double sampling_error(const od_sheet *s, const char *column, size_t row)
{
    const size_t length = strlen(column);
    if (length < 5 || length > 50 || row >= s->rows) {
        return NAN;
    }
    if (strcmp(column + length - 4, "_var") == 0) {
        const double paths = beside(s, "paths", 5, "", row);
        return beside(s, column, length, "", row) * sqrt(2 / (paths - 1));
    }
    const bool mean = strcmp(column + length - 5, "_mean") == 0;
    return beside(s, column, mean ? length - 5 : length, "_stderr", row);
}

static od_status read_value(od_context *ctx, const od_node *entry, const od_sheet *s, od_number *x)
{
    const char *name = text_at(entry, "column");
    const char *key_name = od_node_item(entry, "key") != NULL ? text_at(entry, "key") : "t";
    const long column = od_sheet_column(s, name), key = od_sheet_column(s, key_name);
    if (column == OD_NO_COLUMN || key == OD_NO_COLUMN) {
        return od_node_fail(ctx, entry, "column", "there is no column %s or %s", name, key_name);
    }
    const od_node *rate = od_node_item(entry, "rate"), *at = od_node_item(entry, "at");
    size_t row = 0;
    if (at != NULL) {
        row = row_at(s, key, real_of(at));
        x->got = row < s->rows ? od_sheet_at(s, row, column) : NAN;
    } else if (rate != NULL && rate->kind == OD_NODE_LIST && rate->count == 2) {
        const double t1 = real_of(rate->item[0]), t2 = real_of(rate->item[1]);
        x->got = log(value_at(s, key, t1, column) / value_at(s, key, t2, column)) / (t2 - t1);
    } else if (od_node_item(entry, "maximum") != NULL) {
        x->got = maximum(s, column, &row);
    } else if (od_node_item(entry, "area") != NULL) {
        x->got = area(s, key, column);
    } else if (od_node_item(entry, "zero") != NULL) {
        x->got = zero(s, key, column, real_of(od_node_item(entry, "zero")));
    } else if (od_node_item(entry, "zeros") != NULL) {
        x->got = count_zeros(s, key, column);
    } else if (od_node_item(entry, "rise") != NULL) {
        x->got = rise(s, column);
    } else {
        return od_node_fail(ctx, entry, "at", "one of at, rate, maximum, area, zero, zeros and rise is needed");
    }
    /* of a quantile the law of one path knows it better than its bins */
    const double paths = row < s->rows ? beside(s, "paths", 5, "", row) : NAN;
    const bool given = od_node_item(entry, "sampling") != NULL;
    x->sampling = given ? real_of(od_node_item(entry, "sampling")) / sqrt(paths) : sampling_error(s, name, row);
    return OD_OK;
}

/* The same number of another run of the experiment is the divisor. */
static od_status divide(od_context *ctx, const od_figure_run *run, const od_node *entry, od_number *x)
{
    od_sheet sheet;
    od_number other = {.name = x->name};
    od_status status = open_sheet(ctx, run, entry, "over", &sheet);
    status = status == OD_OK ? read_value(ctx, entry, &sheet, &other) : status;
    x->got /= other.got;
    x->sampling = NAN;
    return status;
}

od_status od_numbers_read(od_context *ctx, od_figure_run *run, const od_node *list)
{
    od_report *report = run->report;
    const size_t count = list != NULL && list->kind == OD_NODE_LIST ? list->count : 0;
    report->number = od_arena_alloc(report->arena, count + 1, sizeof *report->number);
    if (report->number == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the numbers");
    }
    for (size_t i = 0; i < count; i++) {
        const od_node *entry = list->item[i];
        od_number *x = &report->number[i];
        od_sheet sheet;
        *x = (od_number){.name = text_at(entry, "name"), .source = text_at(entry, "source"), .got = NAN};
        od_status status = open_sheet(ctx, run, entry, "label", &sheet);
        status = status == OD_OK ? read_value(ctx, entry, &sheet, x) : status;
        if (status == OD_OK && od_node_item(entry, "over") != NULL) {
            status = divide(ctx, run, entry, x);
        }
        if (status != OD_OK) {
            return status;
        }
        const double sigmas = bound_at(entry, "sigmas");
        x->result = od_node_item(entry, "want") == NULL;
        x->want = x->result ? NAN : real_of(od_node_item(entry, "want"));
        x->integration = bound_at(entry, "integration");
        x->model = bound_at(entry, "model");
        x->tolerance = x->integration + x->model + (sigmas > 0 ? sigmas * x->sampling : 0);
        x->ok = x->result ? isfinite(x->got) : fabs(x->got - x->want) <= x->tolerance;
        report->number_count++;
    }
    return OD_OK;
}
