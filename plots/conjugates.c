/*
 * Conjugate points for figures: under `conjugate` a figure has experiments which are not run, and each leaves a table
 * conjugate-NAME.csv with one row for each member, of what is conjugate to its interval's first end.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "analysis/extremal.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>

enum { SHOWN = 3 };

static void write_names(FILE *out, size_t d)
{
    fputs("# times conjugate to t1 before t2, the first of them; loss and state where the first is: until there the "
          "path is a minimiser\nt1,t2,curvature,index",
          out);
    for (size_t k = 1; k <= SHOWN; k++) {
        fprintf(out, ",point_%zu", k);
    }
    fputs(",length,loss", out);
    for (size_t i = 1; i <= d; i++) {
        fprintf(out, ",x_%zu", i);
    }
    fputc('\n', out);
}

/* Loss and state at a time; NaN if there is none. */
static od_status write_place(od_context *ctx, od_trajectory *path, double t, FILE *out)
{
    const od_problem *f = od_trajectory_member(path)->problem;
    double *x = od_zalloc(f->dim + od_scratch_size(&f->scratch, 1), sizeof *x), loss = NAN;
    if (x == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
    }
    od_status status = isnan(t) ? OD_OK : od_trajectory_at(path, t, x, NULL);
    status = status == OD_OK && !isnan(t) ? f->eval(f, OD_VALUE, 1, x, &loss, NULL, x + f->dim) : status;
    od_text_cell(out, ",", loss);
    for (size_t i = 0; i < f->dim; i++) {
        od_text_cell(out, ",", isnan(t) ? NAN : x[i]);
    }
    fputc('\n', out);
    free(x);
    return status == OD_OK ? OD_OK : od_fail(ctx, status, NULL, "the path could not be evaluated at t = %.9g", t);
}

static od_status write_row(od_context *ctx, const od_member *m, FILE *out)
{
    char text[OD_REAL_ROOM];
    od_extremal part = {.t1 = m->interval[0], .t2 = m->interval[1]};
    od_conjugates found = {0};
    od_status status = od_trajectory_create(ctx, m, part.t2, 1e-13, &part.path);
    status = status == OD_OK ? od_extremal_conjugates(ctx, &part, &found) : status;
    if (status == OD_OK) {
        const double first = found.count > 0 ? found.point[0].t : NAN;
        fputs(od_real_text(text, part.t1), out);
        od_text_cell(out, ",", part.t2);
        od_text_cell(out, ",", m->problem->lipschitz.value);
        od_text_cell(out, ",", (double)found.index);
        for (size_t k = 0; k < SHOWN; k++) {
            od_text_cell(out, ",", k < found.count ? found.point[k].t : NAN);
        }
        od_text_cell(out, ",", first - part.t1);
        status = write_place(ctx, part.path, first, out);
    }
    od_conjugates_free(&found);
    od_trajectory_free(part.path);
    return status;
}

static od_status write_table(od_context *ctx, od_figure_run *run, const char *name, const od_experiment *e)
{
    char file_name[160];
    od_file file;
    snprintf(file_name, sizeof file_name, "conjugate-%s.csv", name);
    od_status status = od_file_open(ctx, &file, run->folder, file_name);
    if (status != OD_OK) {
        return status;
    }
    write_names(file.out, e->member[0].problem->dim);
    for (size_t j = 0; j < e->member_count && status == OD_OK; j++) {
        status = write_row(ctx, &e->member[j], file.out);
    }
    return od_report_commit(ctx, run->report, &file, status);
}

od_status od_conjugates_write(od_context *ctx, od_figure_run *run)
{
    return od_figure_questions(ctx, run, "conjugate", write_table);
}
