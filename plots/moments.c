/*
 * Exact moments of noisy flows on quadratics: the expected loss and, for each component of the state, mean and
 * variance, at the recorded times of the figure's entry `exact`. That is an experiment which is not run: its start is
 * the law's, its step plays no role.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "analysis/gaussian.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

static void write_names(const od_member *m, FILE *out)
{
    fputs("# exact moments: moment equations by cvode\nt,loss_mean", out);
    for (size_t b = 0; b < m->block_count; b++) {
        for (size_t i = 1; i <= m->block[b].length; i++) {
            fprintf(out, ",%s_%zu_mean,%s_%zu_var", m->block[b].name, i, m->block[b].name, i);
        }
    }
}

static od_status write_rows(od_context *ctx, const od_member *m, FILE *out)
{
    od_law_moments a;
    od_status status = od_law_moments_open(ctx, m, &a);
    write_names(m, out);
    for (uint64_t row = 0; row < od_member_flow_rows(m) && status == OD_OK; row++) {
        const double t = od_member_row_time(m, row);
        double loss = NAN;
        status = od_law_moments_advance(ctx, &a, t);
        status = status == OD_OK ? od_gaussian_loss(ctx, m, a.mean, a.cov, &loss) : status;
        od_text_cell(out, "\n", t);
        od_text_cell(out, ",", loss);
        for (size_t i = 0; i < m->dim; i++) {
            od_text_cell(out, ",", a.mean[i]);
            od_text_cell(out, ",", a.cov[i * m->dim + i]);
        }
    }
    fputc('\n', out);
    od_law_moments_close(&a);
    return status;
}

static od_status write_curve(od_context *ctx, od_figure_run *run, const od_member *m)
{
    char name[160], label[128];
    od_file file;
    /* without noise the law is a point, which the check has no use for */
    od_status status = m->has_flow && m->flow.noise.dim == 0 && m->problem->spectrum != NULL
                           ? OD_OK
                           : od_gaussian_check(ctx, m, "exact");
    if (status != OD_OK) {
        return status;
    }
    od_safe_name(label, sizeof label, m->label, strlen(m->label));
    snprintf(name, sizeof name, "exact-%s.csv", label);
    status = od_file_open(ctx, &file, run->folder, name);
    if (status != OD_OK) {
        return status;
    }
    status = write_rows(ctx, m, file.out);
    return od_report_commit(ctx, run->report, &file, status);
}

od_status od_moments_curves(od_context *ctx, od_figure_run *run)
{
    od_experiment *e = od_figure_experiment(ctx, run, od_node_item(run->document, "exact"), NULL);
    od_status status = e != NULL ? OD_OK : OD_EINVAL;
    for (size_t j = 0; status == OD_OK && j < e->member_count; j++) {
        status = write_curve(ctx, run, &e->member[j]);
    }
    od_experiment_free(e);
    return status;
}
