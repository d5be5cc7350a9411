/*
 * Sharpness for figures: under `curvature` a figure has experiments which are not run. Each leaves, for each member,
 * curvature-NAME-LABEL-flow.csv and -iteration.csv, the largest eigenvalue of the Hessian at the recorded times.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "analysis/curvature.h"
#include "src/file.h"
#include "src/label.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

static od_status write_course(od_context *ctx, od_figure_run *run, const char *name, const od_curvature *s,
                              size_t which)
{
    const od_course *c = &s->course[which];
    const double bound = od_curvature_bound(s->m);
    char label[OD_LABEL_ROOM], file_name[OD_LABEL_ROOM + 160], text[OD_REAL_ROOM];
    od_file file;
    if (c->count == 0) {
        return OD_OK;
    }
    od_label_stem(s->m->label, label);
    snprintf(file_name, sizeof file_name, "curvature-%.120s-%s-%s.csv", name, label,
             which == OD_COURSE_FLOW ? "flow" : "iteration");
    od_status status = od_file_open(ctx, &file, run->folder, file_name);
    if (status != OD_OK) {
        return status;
    }
    fputs(
        "# largest eigenvalue of the Hessian; error: the norm of its vector's residual; preconditioned: of the Hessian "
        "divided by the method's metric; over_bound: this, or the first, over the bound above which the iteration does "
        "not settle\nt,sharpness,error,preconditioned,over_bound\n",
        file.out);
    for (size_t i = 0; i < c->count; i++) {
        fputs(od_real_text(text, c->t[i]), file.out);
        od_text_cell(file.out, ",", c->value[i]);
        od_text_cell(file.out, ",", c->error[i]);
        od_text_cell(file.out, ",", c->preconditioned[i]);
        od_text_cell(file.out, ",", (isnan(c->preconditioned[i]) ? c->value[i] : c->preconditioned[i]) / bound);
        fputc('\n', file.out);
    }
    return od_report_commit(ctx, run->report, &file, OD_OK);
}

static od_status write_tables(od_context *ctx, od_figure_run *run, const char *name, const od_experiment *e)
{
    od_status status = OD_OK;
    for (size_t j = 0; j < e->member_count && status == OD_OK; j++) {
        od_curvature s;
        status = od_curvature_find(ctx, od_figure_settings(&e->member[j], "curvature"), e, j, &s);
        for (size_t which = 0; which < 2 && status == OD_OK; which++) {
            status = write_course(ctx, run, name, &s, which);
        }
        od_curvature_close(&s);
    }
    return status;
}

od_status od_sharpness_write(od_context *ctx, od_figure_run *run)
{
    return od_figure_questions(ctx, run, "curvature", write_tables);
}
