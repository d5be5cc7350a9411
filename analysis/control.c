/*
 * Control variates: means at the end with a quadratic model of the loss as control.
 *
 * Each path is run a second time, with the same start and noise, on f_c(x) = <x - c, H (x - c)>/2; there the scheme's
 * chain is Gaussian and the means of its loss and its state are known to rounding (gaussian.h), bias of the step
 * included. With y a quantity of the path, y_c the control's and mu its known mean,
 *
 *   mean y - b (mean y_c - mu),   b = cov(y, y_c)/var y_c,
 *
 * has the variance (1 - r^2) var y / n, r the correlation (Glasserman 2004, section 4.1). b comes from the same paths,
 * which biases the mean by O(1/n); its standard error is that of the residuals y - b y_c.
 *
 * Summed are D = y - y_c, z = y_c - mu and D + z: where the control is good D is small, and so b - 1 and the variance
 * of the residuals D + (1 - b) z lose no digits.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "gaussian.h"
#include "report.h"

#include "../src/leaves.h"
#include "../src/memory.h"
#include "../src/strands.h"
#include "../src/text.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST = 100 };

/* Quantity 0 is the loss, then come the components of the state. */
typedef struct study {
    od_context *ctx;
    const od_member *m;
    size_t quantities;
    od_arena *arena;
    double *centre, *hessian; /* [d], [d*d] */
    od_problem problem;
    od_member control; /* the member on that problem */
    double *exact;     /* [quantities] means of the control */
} study;

/* ------------------------------------------------------------------------------------------------ the control */

static od_status choose_centre(const od_settings *settings, study *s)
{
    const od_problem *f = s->m->problem;
    const od_value *given = od_setting(settings, "centre");
    if (given->present && given->cols != f->dim) {
        return od_setting_fail(s->ctx, settings, "centre", "expected %zu numbers, one per component, got %zu", f->dim,
                               given->cols);
    }
    if (!given->present && f->minimiser == NULL) {
        return od_fail(s->ctx, OD_EUNSUPPORTED, "control.centre",
                       "the minimiser of '%s' is unknown; give the point about which the loss is to be expanded",
                       f->name);
    }
    for (size_t i = 0; i < f->dim; i++) {
        s->centre[i] = given->present ? given->list[i] : f->minimiser[i];
    }
    return OD_OK;
}

static od_status choose_hessian(const od_settings *settings, study *s)
{
    const od_problem *f = s->m->problem;
    const od_value *given = od_setting(settings, "matrix");
    const size_t d = f->dim;
    if (given->present && (given->rows != d || given->cols != d)) {
        return od_setting_fail(s->ctx, settings, "matrix", "expected %zu rows of %zu numbers, got %zu of %zu", d, d,
                               given->rows, given->cols);
    }
    double *unit = od_zalloc(2 * d * d + od_scratch_size(&f->scratch, 1), sizeof *unit);
    if (unit == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, "control", "no memory for the Hessian");
    }
    double *products = unit + d * d;
    for (size_t i = 0; i < d; i++) {
        unit[i * d + i] = 1;
    }
    const od_status status = given->present ? OD_OK : f->hvp(f, 1, s->centre, d, unit, products, products + d * d);
    for (size_t i = 0; i < d * d; i++) {
        s->hessian[i] = given->present ? given->list[i] : (products[i] + products[i % d * d + i / d]) / 2;
    }
    free(unit);
    return status == OD_OK ? OD_OK : od_fail(s->ctx, status, "control.centre", "the Hessian could not be evaluated");
}

/* The quadratic problem as its own part reads it. */
static od_status build_problem(study *s)
{
    const size_t d = s->m->problem->dim;
    char *text = NULL, number[OD_REAL_ROOM];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, "control", "no memory for the control");
    }
    fputs("{name: quadratic, centre: [", out);
    for (size_t i = 0; i < d; i++) {
        fprintf(out, "%s%s", i > 0 ? ", " : "", od_real_text(number, s->centre[i]));
    }
    fputs("], matrix: [", out);
    for (size_t i = 0; i < d * d; i++) {
        fprintf(out, "%s%s", i % d > 0 ? ", " : i > 0 ? "], [" : "[", od_real_text(number, s->hessian[i]));
    }
    fputs("]]}", out);
    fclose(out);
    od_choice choice;
    od_node *node = od_document_parse(s->ctx, s->arena, text, size, "control");
    od_status status = node == NULL ? OD_EINVAL
                                    : od_problem_choose(s->ctx, s->arena, node, (od_place){.path = "control"}, &choice);
    free(text);
    return status == OD_OK ? od_problem_build(s->ctx, &choice, &s->problem) : status;
}

static od_status build_control(const od_settings *settings, study *s)
{
    const size_t d = s->m->problem->dim;
    s->arena = od_arena_create();
    s->centre = od_zalloc(d + d * d + s->quantities, sizeof *s->centre);
    if (s->arena == NULL || s->centre == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, "control", "no memory for the control");
    }
    s->hessian = s->centre + d;
    s->exact = s->hessian + d * d;
    od_status status = choose_centre(settings, s);
    status = status == OD_OK ? choose_hessian(settings, s) : status;
    status = status == OD_OK ? build_problem(s) : status;
    if (status != OD_OK) {
        return status;
    }
    s->control = *s->m;
    s->control.problem = &s->problem;
    status = od_flow_build(s->ctx, &s->m->method_choice, &s->problem, &s->control.flow);
    if (status != OD_OK) {
        s->control.flow = (od_flow){0};
    }
    return status == OD_OK ? od_gaussian_check(s->ctx, &s->control, "control") : status;
}

static od_status exact_means(study *s)
{
    const od_member *c = &s->control;
    od_law_chain chain;
    od_status status = od_law_chain_open(s->ctx, c, c->integrator_choice.integrator, c->step, &chain);
    status = status == OD_OK ? od_law_chain_advance(s->ctx, &chain, od_member_steps(c)) : status;
    status = status == OD_OK ? od_gaussian_loss(s->ctx, c, chain.mean, chain.cov, &s->exact[0]) : status;
    for (size_t i = 0; i < c->dim && status == OD_OK; i++) {
        s->exact[1 + i] = chain.mean[i];
    }
    od_law_chain_close(&chain);
    return status;
}

static void close_study(study *s)
{
    od_flow_clear(&s->control.flow);
    od_problem_clear(&s->problem);
    od_arena_free(s->arena);
    free(s->centre);
}

/* ------------------------------------------------------------------------------------------------ the paths */

/* The losses loss[n] and states of n paths at the end of a member's flow. Close the strands. */
static od_status run_paths(const study *s, od_context *errors, const od_member *m, uint64_t first, size_t n,
                           od_strands *paths, double *loss, double *ws)
{
    const od_strand strand = {m->integrator_choice.integrator, m->step, 1};
    od_status status = od_strands_open(s->ctx, errors, m, m->step, &strand, 1, first, n, paths);
    status = status == OD_OK ? od_strands_advance(errors, paths, od_member_steps(m)) : status;
    if (status != OD_OK) {
        return status;
    }
    status = m->problem->eval(m->problem, OD_VALUE, n, paths->state[0], loss, NULL, ws);
    return status == OD_OK ? OD_OK : od_fail(errors, status, "problem", "the loss could not be evaluated");
}

static od_status add_leaf(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf)
{
    const study *s = user;
    const size_t own = od_scratch_size(&s->m->problem->scratch, n), its = od_scratch_size(&s->problem.scratch, n);
    double *loss = od_zalloc(2 * n + (own > its ? own : its), sizeof *loss);
    if (loss == NULL) {
        return od_fail(errors, OD_ENOMEM, NULL, "no memory for %zu paths", n);
    }
    od_strands path, control;
    od_status status = run_paths(s, errors, s->m, first, n, &path, loss, loss + 2 * n);
    od_status also = run_paths(s, errors, &s->control, first, n, &control, loss + n, loss + 2 * n);
    status = status == OD_OK ? also : status;
    for (size_t k = 0; k < s->quantities && status == OD_OK; k++) {
        const double *y = k == 0 ? loss : path.state[0] + (k - 1) * n;
        const double *c = k == 0 ? loss + n : control.state[0] + (k - 1) * n;
        for (size_t p = 0; p < n; p++) {
            const double d = y[p] - c[p], z = c[p] - s->exact[k];
            od_moments_add(leaf, k, (const double[]){d, z, d + z}, 1);
        }
    }
    od_strands_close(&path);
    od_strands_close(&control);
    free(loss);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the answer */

typedef struct answer {
    double plain, plain_error, controlled, controlled_error, coefficient, correlation;
} answer;

static answer measure(const study *s, const od_moments *total, size_t k)
{
    const double n = (double)total->count[k], *mean = total->mean + 3 * k;
    const double vd = od_moments_var(total, k, 0), vz = od_moments_var(total, k, 1), v = od_moments_var(total, k, 2);
    const double cov = (v - vd - vz) / 2;                     /* of D and z */
    const bool random = sqrt(vz) > 1e-12 * fabs(s->exact[k]); /* below it, what varies is rounding */
    const double less = random ? -cov / vz : 1;               /* 1 - b */
    const double residual = fmax(0, vd + 2 * less * cov + less * less * vz);
    return (answer){
        .plain = s->exact[k] + mean[2],
        .plain_error = sqrt(v / n),
        .controlled = s->exact[k] + mean[0] + less * mean[1],
        .controlled_error = sqrt(residual * (n - 1) / (n - 2) / n),
        .coefficient = 1 - less,
        .correlation = random && v > 0 ? (cov + vz) / sqrt(v * vz) : NAN,
    };
}

static void name_of(const study *s, size_t k, char name[64])
{
    if (k == 0) {
        snprintf(name, 64, "loss");
    } else {
        od_report_component(s->m, k - 1, name);
    }
}

static void write_json(const study *s, const od_moments *total, FILE *out)
{
    char name[64];
    const size_t d = s->m->problem->dim;
    od_report_open(out, "control", s->m);
    od_report_real(out, "t", s->m->until);
    od_report_list(out, "centre", s->centre, d);
    od_report_matrix(out, "matrix", s->hessian, d, d);
    fputs(", \"quantities\": [", out);
    for (size_t k = 0; k < s->quantities; k++) {
        const answer a = measure(s, total, k);
        name_of(s, k, name);
        fprintf(out, "%s{\"name\": \"%s\"", k > 0 ? ",\n  " : "", name);
        od_report_real(out, "plain", a.plain);
        od_report_real(out, "plain_stderr", a.plain_error);
        od_report_real(out, "controlled", a.controlled);
        od_report_real(out, "controlled_stderr", a.controlled_error);
        od_report_real(out, "control_mean", s->exact[k]);
        od_report_real(out, "coefficient", a.coefficient);
        od_report_real(out, "correlation", a.correlation);
        fputs("}", out);
    }
    fputs("]}", out);
}

static void write_text(const study *s, const od_moments *total, FILE *out)
{
    char name[64];
    fprintf(out, "%s, %s with step %.9g, %llu paths: means at t = %.9g with a quadratic control\n", s->m->label,
            s->m->integrator_choice.integrator->name, s->m->step, (unsigned long long)s->m->paths, s->m->until);
    fprintf(out, "  %-10s %14s %9s %14s %9s %12s %12s\n", "", "plain", "+-", "controlled", "+-", "correlation",
            "coefficient");
    for (size_t k = 0; k < s->quantities; k++) {
        const answer a = measure(s, total, k);
        name_of(s, k, name);
        fprintf(out, "  %-10s %14.8g %9.2g %14.8g %9.2g %12.6f %12.6f\n", name, a.plain, a.plain_error, a.controlled,
                a.controlled_error, a.correlation, a.coefficient);
    }
    fputs("  means of the chain, bias of the step included; each path costs two\n", out);
}

static od_status check_member(od_context *ctx, const od_member *m)
{
    if (!m->has_flow || m->flow.noise.shape != OD_NOISE_ADDITIVE) {
        return od_gaussian_check(ctx, m, "control");
    }
    return m->paths >= FEWEST
               ? OD_OK
               : od_fail(ctx, OD_EUNSUPPORTED, "paths",
                         "control takes its coefficients from the paths, and %llu are too few; give %d or more",
                         (unsigned long long)m->paths, FEWEST);
}

static od_status control_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                             FILE *out, bool json)
{
    const od_member *m = &e->member[member];
    od_status status = check_member(ctx, m);
    if (status != OD_OK) {
        return status;
    }
    study s = {.ctx = ctx, .m = m, .quantities = 1 + m->dim};
    od_moments total = {0};
    status = build_control(settings, &s);
    status = status == OD_OK ? exact_means(&s) : status;
    status = status == OD_OK ? od_leaves_reduce(ctx, e->threads, m->paths, s.quantities, 3, add_leaf, &s, &total)
                             : status;
    for (size_t i = 0; i < 3 * s.quantities && status == OD_OK; i++) {
        status = isfinite(total.mean[i])
                     ? OD_OK
                     : od_fail(ctx, OD_EDIVERGED, "integrator.step",
                               "%s: a path, or its control, diverged; give a smaller step", m->label);
    }
    if (status == OD_OK) {
        (json ? write_json : write_text)(&s, &total, out);
    }
    od_moments_free(&total);
    close_study(&s);
    return status;
}

const od_analysis_type od_analysis_control = {
    .name = "control",
    .summary = "means at the end with less sampling error: a quadratic model of the loss as control variate",
    .source = "Glasserman (2004), Monte Carlo Methods in Financial Engineering, section 4.1",
    .params = (const od_param[]){{.name = "centre",
                                  .kind = OD_VECTOR,
                                  .fallback = "",
                                  .meaning = "minimum of the quadratic model; the problem's minimiser by default"},
                                 {.name = "matrix",
                                  .kind = OD_MATRIX,
                                  .fallback = "",
                                  .meaning = "Hessian of the quadratic model; the problem's at the centre by default"},
                                 {.name = NULL}},
    .run = control_run,
};
