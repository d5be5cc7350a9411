/*
 * Exact moments of noisy second-order flows on quadratics: the expected loss and, for each eigendirection, mean and
 * variance of position and velocity, at the recorded times of the figure's entry `exact`. That is an experiment which
 * is not run: its start is the law's, its step plays no role.
 *
 * With the Lagrangian's a = ln(kinetic weight) and b = ln(potential weight) such a flow is, in each eigendirection y
 * of eigenvalue lambda,
 *
 *   dy = v dt, dv = -(d v + k y) dt - n dB,   d = a', k = lambda e^{b-a}, n = sigma e^{b-a},
 *
 * so the means obey the same equations without noise, and A = Var y, B = Cov(y, v), C = Var v obey
 *
 *   A' = 2B, B' = C - d B - k A, C' = -2 d C - 2 k B + n^2.
 *
 * The loss is then f* + 1/2 sum lambda (A + mean^2). (Law of a linear Gaussian equation; for example Gardiner,
 * Handbook of Stochastic Methods, sec. 4.4.6.)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "figures.h"

#include "src/experiment.h"
#include "src/file.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEAN_X, MEAN_V, VAR_X, COV, VAR_V, MOMENTS };

typedef struct law {
    const od_flow *flow;
    const double *eigenvalue;
    size_t d;
    double sigma;
} law;

/* Moment j of direction i is z[MOMENTS*i + j]; a batch of one. */
static od_status moments_drift(const od_flow *moments, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)n;
    (void)ws;
    const law *w = moments->data;
    double a[2], b[2];
    w->flow->lagrangian(w->flow, t, a, b);
    const double damping = a[1], force = exp(b[0] - a[0]), noise = w->sigma * force;
    for (size_t i = 0; i < w->d; i++) {
        const double *y = z + MOMENTS * i, k = w->eigenvalue[i] * force;
        double *dy = dz + MOMENTS * i;
        dy[MEAN_X] = y[MEAN_V];
        dy[MEAN_V] = -damping * y[MEAN_V] - k * y[MEAN_X];
        dy[VAR_X] = 2 * y[COV];
        dy[COV] = y[VAR_V] - damping * y[COV] - k * y[VAR_X];
        dy[VAR_V] = -2 * damping * y[VAR_V] - 2 * k * y[COV] + noise * noise;
    }
    return OD_OK;
}

/* The damping of these flows is large near t = 0 and falls like 1/t; rk4 wants damping times step below about 1. */
static double step_at(double t)
{
    return fmin(0.01, t / 64);
}

static od_status advance(od_context *ctx, od_stepper *stepper, double t, double end, double *z)
{
    while (t < end) {
        double next = t + step_at(t);
        next = next > end - 1e-3 * step_at(t) ? end : next;
        od_status status = od_stepper_advance(ctx, stepper, t, next, 1, z, NULL);
        if (status != OD_OK) {
            return status;
        }
        t = next;
    }
    return OD_OK;
}

/* The start in the eigenbasis, with no spread. */
static void start_at(const od_member *m, double *z)
{
    const od_spectrum *q = m->problem->spectrum;
    const size_t d = m->problem->dim;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            const double weight = q->rotation != NULL ? q->rotation[j * d + i] : i == j;
            z[MOMENTS * i + MEAN_X] += weight * (m->start.given[0][j] - q->centre[j]);
            z[MOMENTS * i + MEAN_V] += m->start.given[1] != NULL ? weight * m->start.given[1][j] : 0;
        }
    }
}

static double expected_loss(const od_member *m, const double *z)
{
    double f = m->problem->minimum.value;
    for (size_t i = 0; i < m->problem->dim; i++) {
        const double *y = z + MOMENTS * i;
        f += 0.5 * m->problem->spectrum->eigenvalues[i] * (y[VAR_X] + y[MEAN_X] * y[MEAN_X]);
    }
    return f;
}

static od_status check_member(od_context *ctx, const od_member *m)
{
    if (!m->has_flow || m->flow.lagrangian == NULL || m->problem->spectrum == NULL || m->block_count != 2 ||
        m->start.given[0] == NULL || !(m->start.t > 0) ||
        (m->flow.noise.dim > 0 && od_setting(m->method_choice.settings, "noise")->kind == OD_MATRIX)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "method",
                       "the exact curve of '%s' needs a second-order flow with a Lagrangian on a quadratic, a start "
                       "in numbers at a time > 0 and noise of one size",
                       m->label);
    }
    return OD_OK;
}

static void write_number(FILE *out, const char *before, double x)
{
    char text[OD_REAL_ROOM];
    fprintf(out, "%s%s", before, od_real_text(text, x));
}

static od_status write_rows(od_context *ctx, const od_member *m, od_flow *flow, double *z, FILE *out)
{
    od_stepper *stepper = od_stepper_create(ctx, "{name: rk4, step: 0.01}", flow, m->start.t, 1, z);
    od_status status = stepper != NULL ? OD_OK : OD_EINVAL;
    fputs("# exact moments in the directions of the eigenvectors: moment equations by rk4\nt,loss_mean", out);
    for (size_t i = 1; i <= m->problem->dim; i++) {
        fprintf(out, ",x_%zu_mean,x_%zu_var,v_%zu_mean,v_%zu_var", i, i, i, i);
    }
    for (uint64_t row = 0; row < od_member_flow_rows(m) && status == OD_OK; row++) {
        const double t = od_member_row_time(m, row);
        status = row > 0 ? advance(ctx, stepper, od_member_row_time(m, row - 1), t, z) : OD_OK;
        write_number(out, "\n", t);
        write_number(out, ",", expected_loss(m, z));
        for (const double *y = z; y < z + MOMENTS * m->problem->dim; y += MOMENTS) {
            write_number(out, ",", y[MEAN_X]);
            write_number(out, ",", y[VAR_X]);
            write_number(out, ",", y[MEAN_V]);
            write_number(out, ",", y[VAR_V]);
        }
    }
    fputc('\n', out);
    od_stepper_free(stepper);
    return status;
}

static od_status write_curve(od_context *ctx, od_figure_run *run, const od_member *m)
{
    od_status status = check_member(ctx, m);
    if (status != OD_OK) {
        return status;
    }
    const double sigma = m->flow.noise.dim > 0 ? od_setting_real(m->method_choice.settings, "noise") : 0;
    const law w = {
        .flow = &m->flow, .eigenvalue = m->problem->spectrum->eigenvalues, .d = m->problem->dim, .sigma = sigma};
    od_flow flow = {.name = "moments",
                    .block_count = 1,
                    .block = {{"moments", MOMENTS * w.d}},
                    .dim = MOMENTS * w.d,
                    .drift = moments_drift,
                    .data = &w};
    double *z = od_arena_alloc(run->report->arena, flow.dim, sizeof *z);
    char name[160], label[128];
    od_file file;
    if (z == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the moments");
    }
    start_at(m, z);
    od_safe_name(label, sizeof label, m->label, strlen(m->label));
    snprintf(name, sizeof name, "exact-%s.csv", label);
    status = od_file_open(ctx, &file, run->folder, name);
    if (status != OD_OK) {
        return status;
    }
    status = write_rows(ctx, m, &flow, z, file.out);
    if (status != OD_OK) {
        od_file_abandon(&file);
        return status;
    }
    status = od_file_commit(ctx, &file);
    return status != OD_OK || od_report_add_file(run->report, file.path)
               ? status
               : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
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
