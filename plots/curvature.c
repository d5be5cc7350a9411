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

/* The settled point is the mean of the final points of all seeds; they come from one basin. */
static od_status write_group(od_context *ctx, const od_figure_run *run, const od_figure_part *part, size_t first,
                             size_t count, int length, size_t number, FILE *out)
{
    const od_member *m = &part->experiment->member[first];
    const double h = od_setting_real(m->method_choice.settings, "step"), bound = m->problem->lipschitz.value;
    double *settled = od_arena_alloc(run->report->arena, m->problem->dim, sizeof *settled);
    od_extremes found;
    if (settled == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
    }
    for (size_t j = first; j < first + count; j++) {
        for (size_t i = 0; i < m->problem->dim; i++) {
            settled[i] += part->result->outcome[j].mean[i] / (double)count;
        }
    }
    od_status status = od_lanczos_extremes(ctx, m->problem, settled, &found);
    if (status != OD_OK) {
        return status;
    }
    fprintf(out, "%zu", number);
    const double cell[] = {h, h * bound, h * found.high, h * found.high_error};
    for (size_t i = 0; i < 4; i++) {
        od_text_cell(out, ",", cell[i]);
    }
    fputc('\n', out);
    od_note(ctx, "%s, %.*s: h L = %.3g with L = %.3g everywhere (%s), %.3g where the runs settled", part->name, length,
            m->label, h * bound, bound, m->problem->lipschitz.how, h * found.high);
    return OD_OK;
}

static od_status write_curvature(od_context *ctx, od_figure_run *run)
{
    od_file file;
    od_status status = od_file_open(ctx, &file, run->folder, "curvature.csv");
    if (status != OD_OK) {
        return status;
    }
    fputs("# number of the run (of all its seeds), learning rate h, h times the bound of the curvature, h times the "
          "largest curvature where "
          "the runs settled and its error\nrun,h,hL,hL_settled,hL_settled_error\n",
          file.out);
    size_t number = 0;
    for (size_t i = 0; i < run->count && status == OD_OK; i++) {
        const od_figure_part *part = &run->part[i];
        for (size_t first = 0, count, length; first < part->result->count && status == OD_OK; first += count) {
            count = od_seeds_count(part->result, first, &length);
            status = write_group(ctx, run, part, first, count, (int)length, ++number, file.out);
        }
    }
    if (status != OD_OK) {
        od_file_abandon(&file);
        return status;
    }
    return od_report_commit(ctx, run->report, &file, OD_OK);
}

od_status od_shadow_tables(od_context *ctx, od_figure_run *run)
{
    od_status status = od_seeds_write(ctx, run);
    status = status == OD_OK ? write_curvature(ctx, run) : status;
    return status == OD_OK && od_node_item(run->document, "shadow") != NULL ? od_shadows_write(ctx, run) : status;
}
