/* Draws the user's own experiment: writes a script for one kind of picture. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "sheet.h"
#include "src/experiment.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const od_figure_kinds[] = {"loss", "distance", "plane", "gap", "gradient", "state", NULL};

enum { GRID = 81, MAX_STATE = 4, LEVELS = 12, MAX_TITLES = 14 };

/* One table of one run: a curve. */
typedef struct curve {
    const od_member *m;
    const char *file; /* relative to the figure's folder */
    od_sheet sheet;
    bool map, also_flow; /* an iteration; one that is drawn beside its flow */
} curve;

typedef struct drawing {
    od_context *ctx;
    od_arena *arena;
    const char *kind;
    const od_experiment *experiment;
    size_t count;
    curve *curve;
    FILE *out;
} drawing;

static bool is_kind(const drawing *d, const char *kind)
{
    return strcmp(d->kind, kind) == 0;
}

typedef struct column_name {
    char text[64];
} column_name;

/* The column of a recorded quantity, of its mean for an ensemble. */
static column_name column_of(const curve *c, const char *quantity)
{
    column_name of;
    snprintf(of.text, sizeof of.text, "%s%s", quantity, c->m->paths > 1 ? "_mean" : "");
    return of;
}

static od_status need_column(const drawing *d, const curve *c, const char *quantity)
{
    if (od_sheet_column(&c->sheet, column_of(c, quantity).text) != OD_NO_COLUMN) {
        return OD_OK;
    }
    return od_fail(d->ctx, OD_EINVAL, "record", "'%s' does not record %s; remove `record` from its entry under compare",
                   c->m->label, quantity);
}

/* ------------------------------------------------------------------------------------------- text of the script */

/* A run has one entry in the legend; that iterations are drawn in points is said once. */
static void write_title(const drawing *d, const curve *c, bool named, const char *statistic)
{
    if (!named || (c->map && c->also_flow)) {
        fputs("notitle", d->out);
        return;
    }
    char text[sizeof c->m->label + 64];
    snprintf(text, sizeof text, "%s%s%s", c->m->label, statistic,
             c->m->problem->precision != NULL ? ", single precision" : "");
    fputs("title ", d->out);
    od_gnuplot_quote(d->out, text);
    fputs(" noenhanced", d->out);
}

static void write_legend_of_points(const drawing *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->curve[i].map && d->curve[i].also_flow) {
            fputs(", \\\n     keyentry with linespoints lt 7 lw 0.8 pt 6 ps 0.5 title 'points: iteration'", d->out);
            return;
        }
    }
}

/* Members keep their colour; an iteration is drawn in points. */
static size_t colour(const drawing *d, const curve *c)
{
    return (size_t)(c->m - d->experiment->member) % 7 + 1;
}

static void write_style(const drawing *d, const curve *c, size_t dash)
{
    if (c->map) {
        const size_t every = c->sheet.rows > 60 ? c->sheet.rows / 60 : 1;
        fprintf(d->out, "with linespoints lt %zu lw 0.8 pt 6 ps 0.5 pointinterval %zu dt %zu ", colour(d, c), every,
                dash);
    } else {
        fprintf(d->out, "with lines lt %zu dt %zu ", colour(d, c), dash);
    }
}

static void separate(const drawing *d, bool *first)
{
    fputs(*first ? "plot " : ", \\\n     ", d->out);
    *first = false;
}

/* A quantity against time: the mean with two standard errors of an ensemble. */
static void write_curve(const drawing *d, const curve *c, const char *quantity, double offset, size_t dash, bool *first)
{
    char number[OD_REAL_ROOM];
    const char *shift = od_real_text(number, offset);
    separate(d, first);
    if (c->m->paths > 1) {
        fprintf(d->out,
                "'%s' using \"t\":(column(\"%s_mean\") - (%s) - 2*column(\"%s_stderr\")):(column(\"%s_mean\") - (%s) "
                "+ 2*column(\"%s_stderr\")) with filledcurves lt %zu, \\\n     ",
                c->file, quantity, shift, quantity, quantity, shift, quantity, colour(d, c));
    }
    fprintf(d->out, "'%s' using \"t\":(column(\"%s\") - (%s)) ", c->file, column_of(c, quantity).text, shift);
    write_style(d, c, dash);
    write_title(d, c, dash == 1, c->m->paths > 1 ? ", mean" : "");
}

/* True if a logarithmic axis shows the curves: some value is positive, and none is negative by more than rounding. */
static bool suits_log(const drawing *d, const char *quantity, double offset)
{
    bool positive = false;
    for (size_t i = 0; i < d->count; i++) {
        const curve *c = &d->curve[i];
        const long column = od_sheet_column(&c->sheet, column_of(c, quantity).text);
        double largest = 0;
        for (size_t row = 0; column >= 0 && row < c->sheet.rows; row++) {
            const double x = od_sheet_at(&c->sheet, row, column) - offset;
            largest = isfinite(x) ? fmax(largest, fabs(x)) : largest;
            positive = positive || x > 0;
        }
        for (size_t row = 0; column >= 0 && row < c->sheet.rows; row++) {
            if (od_sheet_at(&c->sheet, row, column) - offset < -1e-12 * largest) {
                return false;
            }
        }
    }
    return positive;
}

static od_status write_quantity(const drawing *d, const char *quantity, const char *label, double offset)
{
    bool first = true;
    for (size_t i = 0; i < d->count; i++) {
        od_status status = need_column(d, &d->curve[i], quantity);
        if (status != OD_OK) {
            return status;
        }
    }
    fprintf(d->out, "set ylabel '%s'\n", label);
    if (suits_log(d, quantity, offset)) {
        fputs("set logscale y\nset format y '10^{%T}'\n", d->out);
    }
    for (size_t i = 0; i < d->count; i++) {
        write_curve(d, &d->curve[i], quantity, offset, 1, &first);
    }
    write_legend_of_points(d);
    fputs("\n", d->out);
    return OD_OK;
}

static od_status write_loss(const drawing *d)
{
    const od_constant *minimum = &d->curve[0].m->problem->minimum;
    bool same = isfinite(minimum->value); /* it is -inf where the loss has no lower bound */
    for (size_t i = 1; i < d->count && same; i++) {
        same = d->curve[i].m->problem->minimum.value == minimum->value;
    }
    return write_quantity(d, "loss", same ? "loss f(x) − f*" : "loss f(x)", same ? minimum->value : 0);
}

static od_status write_state(const drawing *d)
{
    bool first = true;
    size_t left_out = 0, most = 0;
    fputs("set ylabel 'position x'\n", d->out);
    for (size_t i = 0; i < d->count; i++) {
        const curve *c = &d->curve[i];
        const size_t shown = c->m->block[0].length < MAX_STATE ? c->m->block[0].length : MAX_STATE;
        most = shown > most ? shown : most;
        left_out = c->m->block[0].length - shown > left_out ? c->m->block[0].length - shown : left_out;
        for (size_t j = 0; j < shown; j++) {
            char name[40];
            snprintf(name, sizeof name, "%.20s_%zu", c->m->block[0].name, j + 1);
            od_status status = need_column(d, c, name);
            if (status != OD_OK) {
                return status;
            }
            write_curve(d, c, name, 0, j + 1, &first);
        }
    }
    for (size_t j = 0; most > 1 && j < most; j++) {
        fprintf(d->out, ", \\\n     keyentry with lines lt 7 dt %zu title 'x_%zu'", j + 1, j + 1);
    }
    write_legend_of_points(d);
    fputs("\n", d->out);
    if (left_out > 0) {
        od_note(d->ctx, "the first %d components are drawn, %zu are not", MAX_STATE, left_out);
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- the plane */

typedef struct range {
    double low, high;
} range;

static void widen(range *r, double x)
{
    if (isfinite(x)) {
        r->low = fmin(r->low, x);
        r->high = fmax(r->high, x);
    }
}

static void find_ranges(const drawing *d, range r[2])
{
    r[0] = r[1] = (range){INFINITY, -INFINITY};
    for (size_t i = 0; i < d->count; i++) {
        const curve *c = &d->curve[i];
        const double *minimiser = c->m->problem->minimiser;
        for (size_t axis = 0; axis < 2; axis++) {
            const long column = od_sheet_column(&c->sheet, column_of(c, axis == 0 ? "x_1" : "x_2").text);
            for (size_t row = 0; row < c->sheet.rows; row++) {
                widen(&r[axis], od_sheet_at(&c->sheet, row, column));
            }
            if (minimiser != NULL) {
                widen(&r[axis], minimiser[axis]);
            }
        }
    }
    for (size_t axis = 0; axis < 2; axis++) {
        const double size = r[axis].high - r[axis].low, margin = size > 0 ? 0.08 * size : 1;
        r[axis] = (range){r[axis].low - margin, r[axis].high + margin};
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Values of a loss of two variables on a grid, and levels that cut the grid into parts of equal size. */
static od_status write_grid(const drawing *d, const char *folder, const od_problem *f, const range r[2])
{
    double *ws = od_arena_alloc(d->arena, od_scratch_size(&f->scratch, 1), sizeof *ws);
    double *value = od_arena_alloc(d->arena, GRID * GRID, sizeof *value);
    od_file file;
    size_t count = 0;
    if (ws == NULL || value == NULL) {
        return od_fail(d->ctx, OD_ENOMEM, NULL, "no memory for the contours");
    }
    od_status status = od_file_open(d->ctx, &file, folder, "contours.csv");
    if (status != OD_OK) {
        return status;
    }
    for (size_t i = 0; i < GRID; i++) {
        for (size_t j = 0; j < GRID; j++) {
            const double x[2] = {r[0].low + (r[0].high - r[0].low) * (double)i / (GRID - 1),
                                 r[1].low + (r[1].high - r[1].low) * (double)j / (GRID - 1)};
            double loss;
            if (f->eval(f, OD_VALUE, 1, x, &loss, NULL, ws) != OD_OK || !isfinite(loss)) {
                loss = NAN;
            } else {
                value[count++] = loss;
            }
            od_text_cell(file.out, "", x[0]);
            od_text_cell(file.out, ",", x[1]);
            od_text_cell(file.out, ",", loss);
            fputc('\n', file.out);
        }
        fputc('\n', file.out);
    }
    status = od_file_commit(d->ctx, &file);
    if (status != OD_OK || count == 0) {
        return status;
    }
    qsort(value, count, sizeof *value, ascending);
    fputs("set contour base\nunset surface\nset cntrparam levels discrete ", d->out);
    for (size_t i = 0; i < LEVELS; i++) {
        /* denser near the minimum */
        const double share = ((double)i + 1) / (LEVELS + 1);
        char text[OD_REAL_ROOM];
        fprintf(d->out, "%s%s", i > 0 ? "," : "",
                od_real_text(text, value[(size_t)(share * share * (double)(count - 1))]));
    }
    fprintf(d->out,
            "\nset table $contours\nsplot '%s/contours.csv' using 1:2:3 with lines\nunset table\nunset contour\n",
            d->kind);
    return OD_OK;
}

static void write_point(const drawing *d, const char *name, const double *x, int type)
{
    char text[2][OD_REAL_ROOM];
    fprintf(d->out, "set label '%s' at %s,%s point pt %d ps 0.9 lc rgb '#222222' offset 0.8,0.5 front\n", name,
            od_real_text(text[0], x[0]), od_real_text(text[1], x[1]), type);
}

static od_status write_plane(const drawing *d, const char *folder)
{
    const od_problem *f = d->curve[0].m->problem;
    bool first = true, same = true;
    for (size_t i = 0; i < d->count; i++) {
        od_status status = need_column(d, &d->curve[i], "x_1");
        status = status == OD_OK ? need_column(d, &d->curve[i], "x_2") : status;
        if (status != OD_OK) {
            return status;
        }
        same = same && d->curve[i].m->problem == f;
    }
    range r[2];
    find_ranges(d, r);
    fprintf(d->out, "set xlabel 'x_1' offset 0,(small ? 0 : 0.4)\nset ylabel 'x_2'\n");
    for (size_t axis = 0; axis < 2; axis++) {
        char text[2][OD_REAL_ROOM];
        fprintf(d->out, "set %crange [%s:%s]\n", axis == 0 ? 'x' : 'y', od_real_text(text[0], r[axis].low),
                od_real_text(text[1], r[axis].high));
    }
    const bool contours = same && f->dim == 2;
    if (contours) {
        od_status status = write_grid(d, folder, f, r);
        if (status != OD_OK) {
            return status;
        }
        separate(d, &first);
        fputs("$contours using (field(1)):(field(2)) with lines lc rgb '#cccccc' lw 0.7", d->out);
    }
    FILE *plot = d->out;
    for (size_t i = 0; i < d->count; i++) {
        const curve *c = &d->curve[i];
        separate(d, &first);
        fprintf(plot, "'%s' using \"%s\":\"%s\" ", c->file, column_of(c, "x_1").text, column_of(c, "x_2").text);
        write_style(d, c, 1);
        write_title(d, c, true, c->m->paths > 1 ? ", mean" : "");
    }
    write_legend_of_points(d);
    fputs("\n", plot);
    return OD_OK;
}

/* Marks come before the plot command, so they are written first. */
static void write_marks(const drawing *d)
{
    const curve *c = &d->curve[0];
    const long x = od_sheet_column(&c->sheet, column_of(c, "x_1").text);
    const long y = od_sheet_column(&c->sheet, column_of(c, "x_2").text);
    if (x >= 0 && y >= 0 && c->sheet.rows > 0) {
        const double at[2] = {od_sheet_at(&c->sheet, 0, x), od_sheet_at(&c->sheet, 0, y)};
        write_point(d, "start", at, 7);
    }
    if (c->m->problem->minimiser != NULL && c->m->problem->dim >= 2) {
        write_point(d, "x*", c->m->problem->minimiser, 3);
    }
}

/* ------------------------------------------------------------------------------------------- making it */

static od_status write_body(drawing *d, const char *folder, char **text)
{
    size_t size = 0;
    d->out = open_memstream(text, &size);
    if (d->out == NULL) {
        return od_fail(d->ctx, OD_ENOMEM, NULL, "no memory for the script");
    }
    if (d->count <= MAX_TITLES) {
        fputs("set key outside bottom center horizontal Left reverse\n", d->out);
    } else {
        fputs("unset key\n", d->out);
        od_note(d->ctx, "%zu curves are too many for a legend; the script names each", d->count);
    }
    fputs("set autoscale xfix\nset xlabel 'time t' offset 0,(small ? 0 : 0.4)\n", d->out);
    od_status status;
    if (is_kind(d, "plane")) {
        write_marks(d);
        status = write_plane(d, folder);
    } else if (is_kind(d, "loss")) {
        status = write_loss(d);
    } else if (is_kind(d, "state")) {
        status = write_state(d);
    } else {
        const char *label = is_kind(d, "distance") ? "distance ‖x − x*‖"
                            : is_kind(d, "gap")    ? "gap ‖x_{flow} − x_{iteration}‖"
                                                   : "gradient ‖∇f(x)‖";
        status = write_quantity(d, d->kind, label, 0);
    }
    fclose(d->out);
    return status;
}

static od_status add_curve(drawing *d, od_report *r, const od_member *m, const char *path, bool map, bool both)
{
    if (path == NULL || (is_kind(d, "gap") && !map)) {
        return OD_OK;
    }
    curve *c = &d->curve[d->count];
    const char *slash = strrchr(path, '/');
    *c = (curve){.m = m, .map = map, .also_flow = both && !is_kind(d, "gap")};
    c->file = od_arena_print(d->arena, "%s/%s", d->kind, slash != NULL ? slash + 1 : path);
    if (c->file == NULL || !od_report_add_file(r, path)) {
        return od_fail(d->ctx, OD_ENOMEM, NULL, "no memory for the figure");
    }
    od_status status = od_sheet_read(d->ctx, d->arena, path, &c->sheet);
    d->count += c->sheet.rows > 0;
    return status;
}

static od_status draw_result(drawing *d, od_report *r, const od_result *result, const char *folder)
{
    const od_experiment *e = d->experiment;
    d->curve = od_arena_alloc(d->arena, 2 * e->member_count, sizeof *d->curve);
    od_status status = d->curve != NULL ? OD_OK : od_fail(d->ctx, OD_ENOMEM, NULL, "no memory for the figure");
    for (size_t i = 0; i < result->count && status == OD_OK; i++) {
        const od_outcome *o = &result->outcome[i];
        const bool both = o->flow_file != NULL && o->iteration_file != NULL;
        status = add_curve(d, r, &e->member[i], o->flow_file, false, both);
        status = status == OD_OK ? add_curve(d, r, &e->member[i], o->iteration_file, true, both) : status;
    }
    if (status == OD_OK && d->count == 0) {
        return od_fail(d->ctx, OD_EDIVERGED, NULL, "no run lasted until its first record, so there is nothing to draw");
    }
    char *body = NULL;
    status = status == OD_OK ? write_body(d, folder, &body) : status;
    status = status == OD_OK ? od_script_write(d->ctx, r, body) : status;
    free(body);
    return status;
}

/* What can be known before the run. */
static od_status check_members(od_context *ctx, const od_experiment *e, const char *kind)
{
    for (size_t i = 0; i < e->member_count; i++) {
        const od_member *m = &e->member[i];
        if (od_member_automatic(m)) {
            return od_fail(ctx, OD_EINVAL, "paths",
                           "auto gives means at the end alone, which are no curve; give a number of paths");
        }
        if (strcmp(kind, "gap") == 0 && !(m->has_flow && m->has_map)) {
            return od_fail(ctx, OD_EINVAL, "iterations",
                           "the gap is between flow and iteration; give both until with integrator and iterations "
                           "with method.step");
        }
        if (strcmp(kind, "plane") == 0 && m->problem->dim < 2) {
            return od_fail(ctx, OD_EINVAL, "problem",
                           "the plane shows x_1 and x_2, but the problem of '%s' has one dimension; draw --kind state",
                           m->label);
        }
    }
    return OD_OK;
}

/* The experiment with what the picture needs recorded instead of what its file says. */
static od_experiment *load(od_context *ctx, od_arena *arena, const char *file, const char *kind,
                           const od_options *options, const char *folder)
{
    const char *wanted = strcmp(kind, "plane") == 0 || strcmp(kind, "state") == 0 ? "x"
                         : strcmp(kind, "gap") == 0                               ? "loss"
                                                                                  : kind;
    size_t count = 0;
    while (options->set != NULL && options->set[count] != NULL) {
        count++;
    }
    const char **set = od_arena_alloc(arena, count + 2, sizeof *set);
    const char *quantities = od_arena_print(arena, "record.quantities=[%s]", wanted);
    if (set == NULL || quantities == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        set[i] = options->set[i];
    }
    set[count] = quantities;
    od_options own = *options;
    own.set = set;
    own.output = folder;
    return od_experiment_load(ctx, file, &own);
}

static const char *stem_of(od_arena *arena, const char *file)
{
    char name[96];
    const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file, *dot = strrchr(base, '.');
    od_safe_name(name, sizeof name, base, dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base));
    return od_arena_text(arena, name, strlen(name));
}

od_status od_figure_own(od_context *ctx, const char *file, const char *kind, const od_options *options,
                        const char *root, od_report *r, od_paper *paper)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    *r = (od_report){.arena = od_arena_create()};
    *paper = (od_paper){5, 3.75};
    const char *stem = r->arena != NULL ? stem_of(r->arena, file) : NULL;
    r->name = stem != NULL ? od_arena_print(r->arena, "%s-%s", stem, kind) : NULL;
    r->caption = stem != NULL ? od_arena_print(r->arena, "%s of %s", kind, file) : NULL;
    r->folder = stem != NULL ? od_arena_print(r->arena, "%s/%s", root, stem) : NULL;
    const char *folder = stem != NULL ? od_arena_print(r->arena, "%s/%s", r->folder, kind) : NULL;
    if (r->name == NULL || r->caption == NULL || r->folder == NULL || folder == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
    }
    od_experiment *e = load(ctx, r->arena, file, kind, options, folder);
    if (e == NULL) {
        return OD_EINVAL;
    }
    drawing d = {.ctx = ctx, .arena = r->arena, .kind = kind, .experiment = e};
    od_result *result = NULL;
    od_status run = check_members(ctx, e, kind);
    run = run == OD_OK ? od_experiment_run(ctx, e, &result) : run;
    od_status status = run;
    if (run == OD_OK || (run == OD_EDIVERGED && result != NULL)) {
        status = draw_result(&d, r, result, folder);
        status = status == OD_OK ? run : status;
    }
    od_result_free(result);
    od_experiment_free(e);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    r->seconds = (double)(ended.tv_sec - began.tv_sec) + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
    return status;
}
