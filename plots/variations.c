/*
 * The data of fig-02 and fig-05: what displacements do to the action of the figure's entry `path`, an experiment whose
 * section `action` names them.
 *
 *   action.csv   for each sine, J[X + s h] - J[X] at sizes s from -0.2 to 0.2 and 1
 *   hats.csv     for each hat [centre, largest half-width], d2J at smaller half-widths
 *   signs.csv    for each hat, the half-width at which d2J changes its sign, if there is one
 *   growth.csv   J[s h] of the first hat's centre at a half-width below and one above that, and the slopes in a log-log
 * plot
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "analysis/variation.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

enum { SIZES = 40, WIDTHS = 400, GROWTH_ROWS = 41 };
static const double largest_size = 0.2;

typedef struct study {
    od_context *ctx;
    od_figure_run *run;
    const od_member *m;
    const od_value *sines, *hats;
    od_action action;
    od_status status; /* of the first failure */
} study;

static const double along[1] = {1}; /* the losses of these figures have one dimension */

static od_variations vary(study *s, const od_displacement *h, double size)
{
    od_variations v = {{NAN, 0, 0}, {NAN, 0, 0}, {NAN, 0, 0}};
    if (s->status == OD_OK) {
        s->status = od_action_variations(s->ctx, &s->action, h, size, &v);
    }
    return v;
}

static double hat(study *s, double centre, double width)
{
    const od_displacement h = {.kind = OD_HAT, .centre = centre, .width = width, .direction = along};
    return vary(s, &h, 1).second.value;
}

static void write_sizes(study *s, FILE *out)
{
    od_integral value = {NAN, 0, 0};
    s->status = s->status == OD_OK ? od_action_value(s->ctx, &s->action, &value) : s->status;
    fputs("# action of the path, and what sines of size s add to it\ns,action", out);
    for (size_t j = 0; j < s->sines->cols; j++) {
        fprintf(out, ",sine_%.0f", s->sines->list[j]);
    }
    for (int i = -SIZES; i <= SIZES + 1; i++) {
        const double size = i > SIZES ? 1 : largest_size * i / SIZES;
        od_text_cell(out, "\n", size);
        od_text_cell(out, ",", value.value);
        for (size_t j = 0; j < s->sines->cols; j++) {
            const od_displacement h = {.kind = OD_SINE, .number = s->sines->list[j], .direction = along};
            od_text_cell(out, ",", vary(s, &h, size).difference.value);
        }
    }
    fputc('\n', out);
}

static void write_widths(study *s, FILE *out)
{
    double widest = 0;
    fputs("# second variation of hats of height 1 at a centre c, against their half-width\nwidth", out);
    for (size_t j = 0; j < s->hats->rows; j++) {
        od_text_cell(out, ",c_", s->hats->list[2 * j]);
        widest = fmax(widest, s->hats->list[2 * j + 1]);
    }
    for (int i = 1; i <= WIDTHS; i++) {
        const double width = widest * i / WIDTHS;
        od_text_cell(out, "\n", width);
        for (size_t j = 0; j < s->hats->rows; j++) {
            od_text_cell(out, ",", width <= s->hats->list[2 * j + 1] ? hat(s, s->hats->list[2 * j], width) : NAN);
        }
    }
    fputc('\n', out);
}

/* By bisection; NaN if the widest hat still raises the action. */
static double sign_change(study *s, double centre, double widest)
{
    double low = 1e-3, high = widest;
    if (!(hat(s, centre, high) < 0)) {
        return NAN;
    }
    while (s->status == OD_OK && high - low > 1e-14 * high) {
        const double middle = (low + high) / 2;
        if (middle == low || middle == high) {
            break;
        }
        if (hat(s, centre, middle) < 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return (low + high) / 2;
}

static void write_signs(study *s, FILE *out)
{
    fputs("# half-width at which the second variation of a hat at c changes its sign\nc,width,square", out);
    for (size_t j = 0; j < s->hats->rows; j++) {
        const double width = sign_change(s, s->hats->list[2 * j], s->hats->list[2 * j + 1]);
        od_text_cell(out, "\n", s->hats->list[2 * j]);
        od_text_cell(out, ",", width);
        od_text_cell(out, ",", width * width);
    }
    fputc('\n', out);
}

static void write_growth(study *s, FILE *out)
{
    const double centre = s->hats->list[0], widest = s->hats->list[1];
    const double change = sign_change(s, centre, widest), width[2] = {change / 2, (change + widest) / 2};
    fputs("# action of a displacement of size s of the path, and the slope of ln |J| against ln s\n"
          "s,narrow,wide,slope_narrow,slope_wide",
          out);
    for (int i = 0; i < GROWTH_ROWS; i++) {
        const double size = pow(10, -2 + i / 10.0), ratio = 1.5;
        double value[2], slope[2];
        for (int k = 0; k < 2; k++) {
            const od_displacement h = {.kind = OD_HAT, .centre = centre, .width = width[k], .direction = along};
            value[k] = vary(s, &h, size).difference.value;
            slope[k] = log(vary(s, &h, ratio * size).difference.value / value[k]) / log(ratio);
        }
        od_text_cell(out, "\n", size);
        od_text_cell(out, ",", value[0]);
        od_text_cell(out, ",", value[1]);
        od_text_cell(out, ",", slope[0]);
        od_text_cell(out, ",", slope[1]);
    }
    fputc('\n', out);
}

static void write_table(study *s, const char *name, void (*write)(study *s, FILE *out))
{
    od_file file;
    s->status = s->status == OD_OK ? od_file_open(s->ctx, &file, s->run->folder, name) : s->status;
    if (s->status != OD_OK) {
        return;
    }
    write(s, file.out);
    s->status = od_report_commit(s->ctx, s->run->report, &file, s->status);
}

od_status od_variations_write(od_context *ctx, od_figure_run *run)
{
    od_experiment *e = od_figure_experiment(ctx, run, od_node_item(run->document, "path"), NULL);
    if (e == NULL) {
        return OD_EINVAL;
    }
    const od_member *m = &e->member[0];
    const od_settings *settings = od_figure_settings(m, "action");
    study s = {
        .ctx = ctx, .run = run, .m = m, .sines = od_setting(settings, "sine"), .hats = od_setting(settings, "hat")};
    od_trajectory *path = NULL;
    s.status = od_trajectory_create(ctx, m, m->interval[1], 1e-13, &path);
    const od_curve curve = {.d = m->problem->dim, .path = path};
    s.status = s.status == OD_OK ? od_action_open(ctx, m, &curve, m->interval[0], m->interval[1], &s.action) : s.status;
    if (s.sines->present) {
        write_table(&s, "action.csv", write_sizes);
    }
    if (s.hats->present) {
        write_table(&s, "hats.csv", write_widths);
        write_table(&s, "signs.csv", write_signs);
        write_table(&s, "growth.csv", write_growth);
    }
    od_action_close(&s.action);
    od_trajectory_free(path);
    od_experiment_free(e);
    return s.status;
}
