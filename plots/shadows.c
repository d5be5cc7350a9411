/*
 * Shadows for figures: under `shadow` a figure has experiments which are not run. Each leaves shadow-NAME.csv, the
 * radii of its members, and orbit-NAME.csv or orbit-NAME-LABEL.csv with the states, where they are few.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "analysis/shadow.h"
#include "analysis/vector.h"
#include "src/file.h"
#include "src/label.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 20000, MOST_COMPONENTS = 8 };

/* ------------------------------------------------------------------------------------------------ radii */

static void write_radii_names(FILE *out)
{
    fputs(
        "# radii of orbits that shadow, and what bounds them; share: of minimax in same_start; gap: of the lower bound "
        "below minimax, relative\nh,iterations",
        out);
    for (size_t i = 0; i < OD_RUNGS; i++) {
        fprintf(out, ",%s", od_rung_names[i]);
    }
    fputs(",minimax,lower,bound,delta,delta_bound,integration,share,gap\n", out);
}

static void write_radii(FILE *out, const od_shadowing *s)
{
    char text[OD_REAL_ROOM];
    fprintf(out, "%s,%llu", od_real_text(text, s->pair.h), (unsigned long long)s->chain->steps);
    for (size_t i = 0; i < OD_RUNGS; i++) {
        od_text_cell(out, ",", s->rung[i].radius);
    }
    const double radius = s->best.best.radius;
    const double lower = isnan(s->best.lower) ? s->best.local_lower : s->best.lower;
    od_text_cell(out, ",", radius);
    od_text_cell(out, ",", lower);
    od_text_cell(out, ",", s->bound.radius);
    od_text_cell(out, ",", s->local.max);
    od_text_cell(out, ",", s->bound.delta);
    od_text_cell(out, ",", s->integration);
    od_text_cell(out, ",", radius / s->rung[OD_SAME_START].radius);
    od_text_cell(out, ",", (radius - lower) / radius);
    fputc('\n', out);
}

/* ------------------------------------------------------------------------------------------------ orbits */

typedef struct orbits {
    const od_shadowing *s;
    double *same, *best, *next; /* [dim] each */
} orbits;

static double distance(const od_shadowing *s, const double *x, const double *y)
{
    return od_distance(s->chain->dim, s->target.weight, x, y);
}

static void write_names(FILE *out, size_t dim)
{
    fputs("# y: the states to be shadowed; same: the orbit from y_0; best: the nearest orbit; image: of y_{k-1} under "
          "the "
          "map\nk,t",
          out);
    static const char *const name[] = {"y", "same", "best", "image"};
    for (size_t j = 0; j < 4; j++) {
        for (size_t i = 1; i <= dim; i++) {
            fprintf(out, ",%s_%zu", name[j], i);
        }
    }
    fputs(",distance_same,distance_best,local\n", out);
}

static void write_state(FILE *out, const double *z, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        od_text_cell(out, ",", z[i]);
    }
}

static od_status write_rows(od_context *ctx, orbits *o, FILE *out)
{
    const od_shadowing *s = o->s;
    const size_t dim = s->chain->dim;
    od_status status = OD_OK;
    memcpy(o->same, s->target.y, dim * sizeof *o->same);
    memcpy(o->best, s->best_start, dim * sizeof *o->best);
    memcpy(o->next, s->target.y, dim * sizeof *o->next);
    write_names(out, dim);
    for (uint64_t k = 0; k <= s->chain->steps && status == OD_OK; k++) {
        const double *y = s->target.y + k * dim;
        char text[OD_REAL_ROOM];
        fprintf(out, "%llu,%s", (unsigned long long)k, od_real_text(text, s->m->start.t + (double)k * s->pair.h));
        write_state(out, y, dim);
        write_state(out, o->same, dim);
        write_state(out, o->best, dim);
        write_state(out, o->next, dim);
        od_text_cell(out, ",", distance(s, o->same, y));
        od_text_cell(out, ",", distance(s, o->best, y));
        od_text_cell(out, ",", distance(s, o->next, y));
        fputc('\n', out);
        for (size_t j = 0; j < 2 && k < s->chain->steps && status == OD_OK; j++) {
            double *x = j == 0 ? o->same : o->best;
            status = s->chain->step(s->chain, k, x, o->next);
            memcpy(x, o->next, dim * sizeof *x);
        }
        if (k < s->chain->steps && status == OD_OK) {
            status = s->chain->step(s->chain, k, y, o->next);
        }
    }
    return status == OD_OK ? OD_OK : od_fail(ctx, status, NULL, "an orbit of the figure diverged");
}

static od_status write_orbits(od_context *ctx, od_figure_run *run, const char *name, bool alone, const od_shadowing *s)
{
    const size_t dim = s->chain->dim;
    if (dim > MOST_COMPONENTS || s->chain->steps > MOST_ROWS) {
        return OD_OK;
    }
    char label[OD_LABEL_ROOM], file_name[OD_LABEL_ROOM + 160];
    od_file file;
    od_label_stem(s->m->label, label);
    snprintf(file_name, sizeof file_name, "orbit-%.120s%s%s.csv", name, alone ? "" : "-", alone ? "" : label);
    double *memory = malloc(3 * dim * sizeof *memory);
    od_status status = memory != NULL ? od_file_open(ctx, &file, run->folder, file_name)
                                      : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
    if (status == OD_OK) {
        orbits o = {s, memory, memory + dim, memory + 2 * dim};
        status = od_report_commit(ctx, run->report, &file, write_rows(ctx, &o, file.out));
    }
    free(memory);
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */

static od_status write_tables(od_context *ctx, od_figure_run *run, const char *name, const od_experiment *e)
{
    char file_name[160];
    od_file file;
    snprintf(file_name, sizeof file_name, "shadow-%.120s.csv", name);
    od_status status = od_file_open(ctx, &file, run->folder, file_name);
    if (status != OD_OK) {
        return status;
    }
    write_radii_names(file.out);
    for (size_t j = 0; j < e->member_count && status == OD_OK; j++) {
        od_shadowing s;
        status = od_shadowing_find(ctx, od_figure_settings(&e->member[j], "shadow"), &e->member[j], &s);
        if (status == OD_OK) {
            write_radii(file.out, &s);
            status = write_orbits(ctx, run, name, e->member_count == 1, &s);
        }
        od_shadowing_close(&s);
    }
    return od_report_commit(ctx, run->report, &file, status);
}

od_status od_shadows_write(od_context *ctx, od_figure_run *run)
{
    return od_figure_questions(ctx, run, "shadow", write_tables);
}
