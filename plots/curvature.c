/*
 * The curvature met in fig-17 and fig-18: learning rate times curvature, which says whether h L < 1, the condition of
 * the shadowing theorems, holds everywhere (L the bound that the problem states) and where the runs settled (the
 * largest eigenvalue of the Hessian there, by Lanczos' iteration).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "src/experiment.h"
#include "src/file.h"
#include "src/lanczos.h"
#include "src/text.h"

/* The settled point is the mean of the flow's final points; they come from one basin. */
static od_status write_member(od_context *ctx, const od_figure_part *part, size_t j, size_t number, FILE *out)
{
    const od_member *m = &part->experiment->member[j];
    const double h = od_setting_real(m->method_choice.settings, "step"), bound = m->problem->lipschitz.value;
    char text[4][OD_REAL_ROOM];
    od_extremes found;
    od_status status = od_lanczos_extremes(ctx, m->problem, part->result->outcome[j].mean, &found);
    if (status != OD_OK) {
        return status;
    }
    fprintf(out, "%zu,%s,%s,%s,%s\n", number, od_real_text(text[0], h), od_real_text(text[1], h * bound),
            od_real_text(text[2], h * found.high), od_real_text(text[3], h * found.high_error));
    od_note(ctx, "%s, %s: h L = %.3g with L = %.3g everywhere (%s), %.3g where the runs settled", part->name, m->label,
            h * bound, bound, m->problem->lipschitz.how, h * found.high);
    return OD_OK;
}

od_status od_curvature_write(od_context *ctx, od_figure_run *run)
{
    od_file file;
    od_status status = od_file_open(ctx, &file, run->folder, "curvature.csv");
    if (status != OD_OK) {
        return status;
    }
    fputs(
        "# number of the run, learning rate h, h times the bound of the curvature, h times the largest curvature where "
        "the runs settled and its error\nrun,h,hL,hL_settled,hL_settled_error\n",
        file.out);
    size_t number = 0;
    for (size_t i = 0; i < run->count && status == OD_OK; i++) {
        for (size_t j = 0; j < run->part[i].result->count && status == OD_OK; j++) {
            status = write_member(ctx, &run->part[i], j, ++number, file.out);
        }
    }
    if (status != OD_OK) {
        od_file_abandon(&file);
        return status;
    }
    status = od_file_commit(ctx, &file);
    return status != OD_OK || od_report_add_file(run->report, file.path)
               ? status
               : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
}
