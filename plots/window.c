/*
 * When one noisy flow is ahead of another, for fig-noise-window.
 *
 * An expected loss is D(t) + sigma^2 S(t), as the law is linear in the noise; so the lead of Nesterov's flow, the
 * memory flow's expected loss less Nesterov's, is d(t) + sigma^2 s(t) with d and s from two sizes of noise. The two
 * are level at sigma(t)^2 = -d/s: where s < 0, Nesterov's is ahead below that, and where s > 0 above it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "sheet.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

enum { SIZES = 4, REFERENCE = 2 };

/* Sizes of the noise, the first without; the members of `exact` are labelled nesterov-0.1 and so on. */
static const char *const sizes[SIZES] = {"0", "0.05", "0.1", "0.2"};

static od_status read_curve(od_context *ctx, od_figure_run *run, const char *flow, const char *size, od_sheet *sheet)
{
    const char *path = od_arena_print(run->report->arena, "%s/exact-%s-%s.csv", run->folder, flow, size);
    return path != NULL ? od_sheet_read(ctx, run->report->arena, path, sheet)
                        : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
}

/* Zero where noise of no size does it, or of any. */
static double level(double d, double s, bool below)
{
    return s != 0 && (s < 0) == below ? sqrt(fmax(0, -d / s)) : NAN;
}

static void write_rows(FILE *out, const od_sheet nesterov[SIZES], const od_sheet memory[SIZES])
{
    char text[OD_REAL_ROOM];
    const long loss = od_sheet_column(&nesterov[0], "loss_mean");
    double sigma;
    od_text_real(sizes[REFERENCE], &sigma);
    fputs(
        "# lead of Nesterov's flow: expected loss of the memory flow less its own, for each sigma; and the sigma below "
        "or above which it is ahead\nt",
        out);
    for (size_t i = 0; i < SIZES; i++) {
        fprintf(out, ",lead_%s", sizes[i]);
    }
    fputs(",below,above\n", out);
    for (size_t row = 0; row < nesterov[0].rows; row++) {
        double lead[SIZES];
        fputs(od_real_text(text, od_sheet_at(&nesterov[0], row, 0)), out);
        for (size_t i = 0; i < SIZES; i++) {
            lead[i] = od_sheet_at(&memory[i], row, loss) - od_sheet_at(&nesterov[i], row, loss);
            od_text_cell(out, ",", lead[i]);
        }
        const double s = (lead[REFERENCE] - lead[0]) / (sigma * sigma);
        od_text_cell(out, ",", level(lead[0], s, true));
        od_text_cell(out, ",", level(lead[0], s, false));
        fputc('\n', out);
    }
}

od_status od_window_write(od_context *ctx, od_figure_run *run)
{
    od_sheet nesterov[SIZES], memory[SIZES];
    od_file file;
    od_status status = od_moments_curves(ctx, run);
    for (size_t i = 0; i < SIZES && status == OD_OK; i++) {
        status = read_curve(ctx, run, "nesterov", sizes[i], &nesterov[i]);
        status = status == OD_OK ? read_curve(ctx, run, "memory", sizes[i], &memory[i]) : status;
    }
    status = status == OD_OK ? od_file_open(ctx, &file, run->folder, "window.csv") : status;
    if (status != OD_OK) {
        return status;
    }
    write_rows(file.out, nesterov, memory);
    return od_report_commit(ctx, run->report, &file, OD_OK);
}
