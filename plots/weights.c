/*
 * The data of fig-07: how much the gradient met at time s counts in the velocity at time t under each memory function,
 * m'(s)/m(t) (sec. 2.3.1; the source prints m'(s)/m'(6), whose area is not one).
 *
 * The weights are read off the Lagrangian of the memory flow, whose kinetic weight is m and whose potential weight is
 * m': the figure thus shows what the method does, not a second table of formulas.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "src/file.h"
#include "src/text.h"

#include <math.h>

/* The rows are fine enough for Simpson's rule on the square root, the roughest of the curves at s = 0. */
enum { ROWS = 1200, MEMORIES = 7 };

static const double time_shown = 6;

static const struct {
    const char *column, *method;
} memories[MEMORIES] = {
    {"decaying", "{name: memory, forgetting: decaying}"},
    {"constant", "{name: memory, forgetting: constant}"},
    {"square_root", "{name: memory, forgetting: square-root}"},
    {"linear", "{name: memory, forgetting: linear}"},
    {"quadratic", "{name: memory, forgetting: quadratic}"},
    {"exponential", "{name: memory, forgetting: exponential, alpha: 1}"},
    {"super_exponential", "{name: memory, forgetting: super-exponential, alpha: 1.5}"},
};

static void write_rows(FILE *out, od_flow *const flow[MEMORIES])
{
    fputs("# weights m'(s)/m(6) of the gradient met at time s in the velocity at time 6\ns", out);
    for (size_t j = 0; j < MEMORIES; j++) {
        fprintf(out, ",%s", memories[j].column);
    }
    fputc('\n', out);
    for (size_t i = 0; i <= ROWS; i++) {
        char text[OD_REAL_ROOM];
        const double s = time_shown * (double)i / ROWS;
        fputs(od_real_text(text, s), out);
        for (size_t j = 0; j < MEMORIES; j++) {
            double a[2], b[2], unused[2];
            flow[j]->lagrangian(flow[j], time_shown, a, unused);
            /* ln m' may be -inf at 0; a neighbour tells its limit */
            flow[j]->lagrangian(flow[j], s > 0 ? s : 1e-300, unused, b);
            od_text_cell(out, ",", exp(b[0] - a[0]));
        }
        fputc('\n', out);
    }
}

od_status od_weights_write(od_context *ctx, od_figure_run *run)
{
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [1]}");
    od_flow *flow[MEMORIES] = {NULL};
    od_status status = f != NULL ? OD_OK : OD_EINVAL;
    for (size_t j = 0; j < MEMORIES && status == OD_OK; j++) {
        flow[j] = od_flow_create(ctx, memories[j].method, f);
        status = flow[j] == NULL ? OD_EINVAL
                 : flow[j]->lagrangian == NULL
                     ? od_fail(ctx, OD_EUNSUPPORTED, NULL, "%s has no Lagrangian", memories[j].column)
                     : OD_OK;
    }
    od_file file;
    status = status == OD_OK ? od_file_open(ctx, &file, run->folder, "weights.csv") : status;
    if (status == OD_OK) {
        write_rows(file.out, flow);
        status = od_report_commit(ctx, run->report, &file, OD_OK);
    }
    for (size_t j = 0; j < MEMORIES; j++) {
        od_flow_free(flow[j]);
    }
    od_problem_free(f);
    return status;
}
