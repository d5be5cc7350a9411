/*
 * An ensemble's moments against exact ones, for linear flows with additive noise.
 *
 * The chain that the scheme runs is Gaussian with moments that follow from the scheme's own step (gaussian.h); the
 * equation's moments solve an ordinary differential equation. So two errors are told apart: what the ensemble differs
 * from the chain by is sampling error and nothing else, and what the chain differs from the equation by is the bias of
 * the step.
 *
 * z-scores are standard normal if the program is right: of a mean, exactly; of a variance, by the cube root of Wilson
 * and Hilferty (1931) of its chi-square law; of a covariance, for many paths. The verdict asks whether the smallest of
 * K p-values is below level/K (Bonferroni), so a right scheme is called wrong with probability at most `level`.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "gaussian.h"
#include "report.h"
#include "../src/strands.h"

#include "../src/leaves.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

typedef struct study {
    od_context *ctx;
    const od_member *m;
    size_t d, rows, cols; /* cols: d deviations, then their d (d + 1)/2 products */
    uint64_t *step;       /* [rows] */
    double *memory;
    double *chain_mean, *chain_cov; /* [rows*d], [rows*d*d] */
    double *law_mean, *law_cov;
    double *mean, *cov, *mean_z, *cov_z; /* of the ensemble; NaN where nothing is random */
    double *work;                        /* [d*d] */
    size_t tests;
    double worst;       /* smallest p-value times the number of tests */
    char worst_of[256]; /* whose it is */
} study;

/* The recorded times after the start where record.every is given, else the end alone. */
static od_status open_study(od_context *ctx, const od_member *m, study *s)
{
    const bool recorded = od_setting_present(m->record, "every");
    *s = (study){.ctx = ctx, .m = m, .d = m->dim, .worst = INFINITY};
    s->rows = recorded ? (size_t)od_member_flow_rows(m) - 1 : 1;
    s->cols = s->d + s->d * (s->d + 1) / 2;
    const size_t first = s->rows * s->d, second = first * s->d;
    s->step = od_zalloc(s->rows, sizeof *s->step);
    s->memory = od_zalloc(4 * (first + second) + s->d * s->d, sizeof *s->memory);
    if (s->step == NULL || s->memory == NULL) {
        return od_fail(ctx, OD_ENOMEM, "record.every", "no memory for %zu recorded times; record fewer", s->rows);
    }
    double *next = s->memory;
    double **const firsts[] = {&s->chain_mean, &s->law_mean, &s->mean, &s->mean_z};
    double **const seconds[] = {&s->chain_cov, &s->law_cov, &s->cov, &s->cov_z};
    for (size_t i = 0; i < 4; i++) {
        *firsts[i] = next;
        *seconds[i] = next + first;
        next += first + second;
    }
    s->work = next;
    for (size_t r = 0; r < s->rows; r++) {
        const double t = recorded ? od_member_row_time(m, r + 1) : m->until;
        s->step[r] = (uint64_t)llround((t - m->start.t) / m->step);
    }
    return OD_OK;
}

static double time_of(const study *s, size_t row)
{
    return s->m->start.t + (double)s->step[row] * s->m->step;
}

static od_status exact_moments(study *s)
{
    const size_t d = s->d;
    od_law_chain chain;
    od_law_moments law;
    od_status status = od_law_chain_open(s->ctx, s->m, s->m->integrator_choice.integrator, s->m->step, &chain);
    for (size_t r = 0; r < s->rows && status == OD_OK; r++) {
        status = od_law_chain_advance(s->ctx, &chain, s->step[r]);
        for (size_t i = 0; i < d * d && status == OD_OK; i++) {
            s->chain_mean[r * d + i % d] = chain.mean[i % d];
            s->chain_cov[r * d * d + i] = chain.cov[i];
        }
    }
    od_law_chain_close(&chain);
    if (status != OD_OK) {
        return status;
    }
    status = od_law_moments_open(s->ctx, s->m, &law);
    for (size_t r = 0; r < s->rows && status == OD_OK; r++) {
        status = od_law_moments_advance(s->ctx, &law, time_of(s, r));
        for (size_t i = 0; i < d * d && status == OD_OK; i++) {
            s->law_mean[r * d + i % d] = law.mean[i % d];
            s->law_cov[r * d * d + i] = law.cov[i];
        }
    }
    od_law_moments_close(&law);
    return status;
}

/* Deviations from the chain's mean and their products: no digits are lost however far the mean is from zero. */
static od_status add_leaf(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf)
{
    const study *s = user;
    const size_t d = s->d;
    const od_strand strand = {s->m->integrator_choice.integrator, s->m->step, 1};
    double *q = od_zalloc(s->cols, sizeof *q);
    od_strands paths;
    od_status status = q == NULL ? od_fail(errors, OD_ENOMEM, NULL, "no memory for the moments of one path") : OD_OK;
    if (status != OD_OK) {
        return status;
    }
    status = od_strands_open(s->ctx, errors, s->m, s->m->step, &strand, 1, first, n, &paths);
    for (size_t r = 0; r < s->rows && status == OD_OK && !od_cancelled(s->ctx); r++) {
        status = od_strands_advance(errors, &paths, s->step[r]);
        for (size_t p = 0; p < n && status == OD_OK; p++) {
            size_t col = d;
            for (size_t i = 0; i < d; i++) {
                q[i] = paths.state[0][i * n + p] - s->chain_mean[r * d + i];
                for (size_t j = 0; j <= i; j++) {
                    q[col++] = q[i] * q[j];
                }
            }
            od_moments_add(leaf, r, q, 1);
        }
    }
    od_strands_close(&paths);
    free(q);
    return status;
}

static void judge(study *s, size_t row, double z, const char *name)
{
    const double p = erfc(fabs(z) / sqrt(2));
    s->tests++;
    if (!(p >= s->worst)) {
        s->worst = p;
        snprintf(s->worst_of, sizeof s->worst_of, "%s at t = %.9g", name, time_of(s, row));
    }
}

/* "mean x_1", "var x_1" or "cov x_1, v_1"; j is SIZE_MAX for a mean. */
static void name_of(const study *s, size_t i, size_t j, char name[160])
{
    char a[64], b[64] = "";
    od_report_component(s->m, i, a);
    if (j != SIZE_MAX && j != i) {
        od_report_component(s->m, j, b);
    }
    snprintf(name, 160, "%s %s%s%s", j == SIZE_MAX ? "mean" : j == i ? "var" : "cov", a, b[0] != '\0' ? ", " : "", b);
}

static double variance_z(double ratio, double freedom)
{
    const double v = 2 / (9 * freedom);
    return (cbrt(ratio) - (1 - v)) / sqrt(v);
}

/* Standard error of a sample covariance of n Gaussian paths. */
static double cov_error(const double *cov, size_t d, size_t i, size_t j, double n)
{
    return sqrt((cov[i * d + i] * cov[j * d + j] + cov[i * d + j] * cov[i * d + j]) / (n - 1));
}

static void compare_row(study *s, size_t r, const od_moments *total)
{
    const size_t d = s->d;
    const double n = (double)s->m->paths;
    const double *exact = s->chain_cov + r * d * d, *sample = total->mean + r * s->cols;
    char name[160];
    size_t col = d;
    for (size_t i = 0; i < d; i++) {
        const double vi = exact[i * d + i], mean = s->chain_mean[r * d + i];
        const bool random_i = sqrt(vi) > 1e-12 * fabs(mean); /* below it, what varies is rounding */
        s->mean[r * d + i] = mean + sample[i];
        s->mean_z[r * d + i] = random_i ? sample[i] / sqrt(vi / n) : NAN;
        if (random_i) {
            name_of(s, i, SIZE_MAX, name);
            judge(s, r, s->mean_z[r * d + i], name);
        }
        for (size_t j = 0; j <= i; j++, col++) {
            const double vj = exact[j * d + j], c = exact[i * d + j];
            const double got = (sample[col] - sample[i] * sample[j]) * n / (n - 1);
            double z = NAN;
            if (random_i && sqrt(vj) > 1e-12 * fabs(s->chain_mean[r * d + j])) {
                z = i == j ? variance_z(got / vi, n - 1) : (got - c) / cov_error(exact, d, i, j, n);
                name_of(s, j, i, name);
                judge(s, r, z, name);
            }
            s->cov[(r * d + i) * d + j] = s->cov[(r * d + j) * d + i] = got;
            s->cov_z[(r * d + i) * d + j] = s->cov_z[(r * d + j) * d + i] = z;
        }
    }
}

/* ------------------------------------------------------------------------------------------------ the answer */

static void write_row(const study *s, size_t r, FILE *out)
{
    double *work = s->work;
    const size_t d = s->d, first = r * d, second = first * d;
    const double n = (double)s->m->paths, *exact = s->chain_cov + second;
    od_report_real(out, "t", time_of(s, r));
    od_report_list(out, "mean", s->mean + first, d);
    for (size_t i = 0; i < d; i++) {
        work[i] = sqrt(exact[i * d + i] / n);
    }
    od_report_list(out, "mean_stderr", work, d);
    od_report_list(out, "mean_chain", s->chain_mean + first, d);
    od_report_list(out, "mean_sde", s->law_mean + first, d);
    od_report_list(out, "mean_z", s->mean_z + first, d);
    for (size_t i = 0; i < d; i++) {
        work[i] = s->chain_mean[first + i] - s->law_mean[first + i];
    }
    od_report_list(out, "mean_bias", work, d);
    od_report_matrix(out, "covariance", s->cov + second, d, d);
    for (size_t i = 0; i < d * d; i++) {
        work[i] = cov_error(exact, d, i / d, i % d, n);
    }
    od_report_matrix(out, "covariance_stderr", work, d, d);
    od_report_matrix(out, "covariance_chain", exact, d, d);
    od_report_matrix(out, "covariance_sde", s->law_cov + second, d, d);
    od_report_matrix(out, "covariance_z", s->cov_z + second, d, d);
    for (size_t i = 0; i < d * d; i++) {
        work[i] = exact[i] - s->law_cov[second + i];
    }
    od_report_matrix(out, "covariance_bias", work, d, d);
}

static void write_json(const study *s, double level, bool holds, FILE *out)
{
    const size_t d = s->d;
    char name[64];
    od_report_open(out, "moments", s->m);
    fputs(", \"components\": [", out);
    for (size_t i = 0; i < d; i++) {
        od_report_component(s->m, i, name);
        fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", name);
    }
    fputs("], \"times\": [", out);
    for (size_t r = 0; r < s->rows; r++) {
        fprintf(out, "%s{\"row\": %zu", r > 0 ? ",\n  " : "", r + 1);
        write_row(s, r, out);
        fputs("}", out);
    }
    fprintf(out, "], \"tests\": %zu", s->tests);
    od_report_real(out, "smallest_p", s->worst);
    od_report_text(out, "smallest_p_of", s->worst_of);
    od_report_real(out, "level", level);
    od_report_text(out, "verdict", holds ? "holds" : "fails");
    od_report_text(out, "sde_by", "moment equations, CVODE with rtol 1e-11");
    fputs("}", out);
}

static void print_line(const char *name, double got, double chain, double law, double z, double error, FILE *out)
{
    fprintf(out, "  %-16s %13.6g %9.2g %13.6g %7.2f %13.6g %10.2g\n", name, got, error, chain, z, law, chain - law);
}

static void write_text(const study *s, double level, bool holds, FILE *out)
{
    const size_t d = s->d, r = s->rows - 1;
    const double n = (double)s->m->paths, *exact = s->chain_cov + r * d * d;
    char name[160];
    fprintf(out, "%s, %s with step %.9g, %llu paths: moments at t = %.9g\n", s->m->label,
            s->m->integrator_choice.integrator->name, s->m->step, (unsigned long long)s->m->paths, time_of(s, r));
    fprintf(out, "  %-16s %13s %9s %13s %7s %13s %10s\n", "", "ensemble", "+-", "chain", "z", "equation", "bias");
    for (size_t i = 0; i < d; i++) {
        name_of(s, i, SIZE_MAX, name);
        print_line(name, s->mean[r * d + i], s->chain_mean[r * d + i], s->law_mean[r * d + i], s->mean_z[r * d + i],
                   sqrt(exact[i * d + i] / n), out);
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = i; j < d; j++) {
            const size_t at = (r * d + i) * d + j;
            name_of(s, i, j, name);
            print_line(name, s->cov[at], s->chain_cov[at], s->law_cov[at], s->cov_z[at], cov_error(exact, d, i, j, n),
                       out);
        }
    }
    fputs("  bias: exact moments of the chain minus those of the equation, no sampling in it\n", out);
    fprintf(out, "  %s: the smallest of %zu p-values is %.2g (%s), %s %g/%zu\n",
            holds ? "the ensemble agrees with its chain" : "THE ENSEMBLE DOES NOT AGREE WITH ITS CHAIN", s->tests,
            s->worst, s->worst_of, holds ? "not below" : "below", level, s->tests);
    fprintf(out, "  a right scheme is called wrong with probability at most %g\n", level);
}

static od_status moments_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                             FILE *out, bool json)
{
    const od_member *m = &e->member[member];
    od_status status = od_gaussian_check(ctx, m, "moments");
    if (status != OD_OK) {
        return status;
    }
    if (m->paths < 1000) {
        return od_fail(ctx, OD_EUNSUPPORTED, "paths",
                       "moments judges by laws that hold for many paths, and %llu are too few; give 1000 or more",
                       (unsigned long long)m->paths);
    }
    study s;
    od_moments total = {0};
    status = open_study(ctx, m, &s);
    status = status == OD_OK ? exact_moments(&s) : status;
    status = status == OD_OK ? od_leaves_reduce(ctx, e->threads, m->paths, s.rows, s.cols, add_leaf, &s, &total)
                             : status;
    for (size_t r = 0; r < s.rows && status == OD_OK; r++) {
        compare_row(&s, r, &total);
        for (size_t i = 0; i < s.cols && status == OD_OK; i++) {
            status = isfinite(total.mean[r * s.cols + i])
                         ? OD_OK
                         : od_fail(ctx, OD_EDIVERGED, "integrator.step",
                                   "%s diverged before t = %.9g: its chain is not stable at this step; give a smaller "
                                   "one",
                                   m->label, time_of(&s, r));
        }
    }
    if (status == OD_OK) {
        const double level = od_setting_real(settings, "level");
        const bool holds = s.worst * (double)s.tests >= level;
        if (json) {
            write_json(&s, level, holds, out);
        } else {
            write_text(&s, level, holds, out);
        }
    }
    od_moments_free(&total);
    free(s.step);
    free(s.memory);
    return status;
}

const od_analysis_type od_analysis_moments = {
    .name = "moments",
    .summary = "an ensemble's mean and covariance against exact ones, bias and sampling error apart",
    .source = "chain: the scheme's own recursion; equation: Arnold (1974), section 8.2",
    .params = (const od_param[]){{.name = "level",
                                  .kind = OD_REAL,
                                  .fallback = "1.0e-3",
                                  .low = 0,
                                  .high = 1,
                                  .low_open = true,
                                  .high_open = true,
                                  .meaning = "probability, at most, that a right scheme is called wrong"},
                                 {.name = NULL}},
    .run = moments_run,
};
