/*
 * The measured weak order of a member's scheme: how far expectations at the end are from the equation's, at steps h, 2
 * h, 4 h ...: E phi(X_h) - E phi(X) for the loss, the components and their squares.
 *
 * All levels and a fine reference see the same Brownian paths, so what is averaged is phi(X_h) - phi(X_ref), whose
 * variance falls with the step. Where the flow is linear and its noise additive, the reference's own bias is known
 * (gaussian.h) and added: the result is the bias against the equation's exact law. There the bias of each level is
 * known as well, without any paths, and stands beside what was measured.
 *
 * A level whose bias is not three standard errors from zero is not resolved; an order needs three resolved levels (or
 * all, if there are fewer), else it is undecided; a bias that changes its sign between levels has none. The 95 %
 * interval is the jackknife's over 32 groups of paths.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "gaussian.h"
#include "levels.h"
#include "report.h"

#include "../src/leaves.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

enum { RESOLVED = 3, NEEDED = 3 };

/* Quantity 0 is the loss, then come d components and d squares; column q * (levels + 1) + l, the reference last. */
typedef struct study {
    od_levels levels;
    size_t d, quantities;    /* d = 0: the loss alone */
    bool exact;              /* the laws are known */
    double *bias;            /* [quantities*levels] of each level, exact; NaN where unknown */
    double *reference_shift; /* [quantities] the reference's own bias; 0 where unknown */
} study;

static size_t columns(const study *s)
{
    return s->quantities * (s->levels.levels + 1);
}

static void name_of(const study *s, size_t quantity, char name[80])
{
    char component[64];
    if (quantity == 0) {
        snprintf(name, 80, "loss");
        return;
    }
    od_report_component(s->levels.m, (quantity - 1) % s->d, component);
    snprintf(name, 80, "%s%s", component, quantity > s->d ? "^2" : "");
}

static od_status add_leaf(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf)
{
    const study *s = user;
    const od_problem *f = s->levels.m->problem;
    const size_t runs = s->levels.levels + 1, cols = columns(s);
    double *q = od_zalloc(cols + runs * n + od_scratch_size(&f->scratch, n), sizeof *q);
    if (q == NULL) {
        return od_fail(errors, OD_ENOMEM, NULL, "no memory for %zu numbers of a path", cols);
    }
    double *loss = q + cols, *ws = loss + runs * n;
    od_strands paths;
    od_status status = od_levels_run(&s->levels, errors, first, n, &paths);
    for (size_t l = 0; l < runs && status == OD_OK; l++) {
        status = f->eval(f, OD_VALUE, n, paths.state[l], loss + l * n, NULL, ws);
        status = status == OD_OK ? OD_OK : od_fail(errors, status, "problem", "the loss could not be evaluated");
    }
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        for (size_t l = 0; l < runs; l++) {
            q[l] = loss[l * n + p];
            for (size_t i = 0; i < s->d; i++) {
                const double x = paths.state[l][i * n + p];
                q[(1 + i) * runs + l] = x;
                q[(1 + s->d + i) * runs + l] = x * x;
            }
        }
        for (size_t c = 0; c < cols; c++) {
            q[c] -= c % runs < runs - 1 ? q[c - c % runs + runs - 1] : 0;
        }
        od_moments_add(leaf, (size_t)((first + p) % OD_GROUPS), q, 1);
    }
    od_strands_close(&paths);
    free(q);
    return status;
}

/* ------------------------------------------------------------------------------------------------ exact biases */

static od_status exact_value(od_context *ctx, const study *s, size_t quantity, const double *mean, const double *cov,
                             double *value)
{
    if (quantity == 0) {
        return od_gaussian_loss(ctx, s->levels.m, mean, cov, value);
    }
    const size_t d = s->d, i = (quantity - 1) % d;
    *value = quantity <= d ? mean[i] : cov[i * d + i] + mean[i] * mean[i];
    return OD_OK;
}

static od_status exact_bias(od_context *ctx, study *s, const od_law_moments *law, size_t level)
{
    const od_strand *strand = &s->levels.strand[level];
    od_law_chain chain;
    od_status status = od_law_chain_open(ctx, s->levels.m, strand->type, strand->step, &chain);
    status = status == OD_OK ? od_law_chain_advance(ctx, &chain, s->levels.cells / strand->cells) : status;
    for (size_t q = 0; q < s->quantities && status == OD_OK; q++) {
        double computed = NAN, right = NAN;
        status = exact_value(ctx, s, q, chain.mean, chain.cov, &computed);
        status = status == OD_OK ? exact_value(ctx, s, q, law->mean, law->cov, &right) : status;
        const double bias = computed - right;
        if (level == s->levels.levels) {
            s->reference_shift[q] = bias;
        } else {
            s->bias[q * s->levels.levels + level] = bias;
        }
    }
    od_law_chain_close(&chain);
    return status;
}

static od_status open_study(od_context *ctx, const od_settings *settings, const od_member *m, study *s)
{
    od_status status = od_levels_read(ctx, settings, m, "weak-order", &s->levels);
    if (status != OD_OK) {
        return status;
    }
    const size_t levels = s->levels.levels;
    status = od_gaussian_applies(ctx, m, &s->exact);
    if (status != OD_OK) {
        return status;
    }
    s->d = m->dim <= OD_MAX_GAUSSIAN ? m->dim : 0;
    s->quantities = 1 + 2 * s->d;
    s->bias = od_zalloc(s->quantities * (levels + 1), sizeof *s->bias);
    if (s->bias == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the biases");
    }
    s->reference_shift = s->bias + s->quantities * levels;
    for (size_t i = 0; i < s->quantities * levels; i++) {
        s->bias[i] = NAN;
    }
    if (!s->exact) {
        return OD_OK;
    }
    od_law_moments law;
    status = od_law_moments_open(ctx, m, &law);
    status = status == OD_OK ? od_law_moments_advance(ctx, &law, m->until) : status;
    for (size_t l = 0; l <= levels && status == OD_OK; l++) {
        status = exact_bias(ctx, s, &law, l);
    }
    od_law_moments_close(&law);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the answer */

typedef struct answer {
    double value; /* of the equation, or of the reference where its bias is unknown */
    double bias[OD_MAX_LEVELS], error[OD_MAX_LEVELS], exact_order;
    bool resolved[OD_MAX_LEVELS], decided; /* decided: the bias is a power of the step, as far as can be seen */
    const char *verdict;
    od_fit fit;
} answer;

static answer measure(const study *s, const od_moments *total, size_t quantity)
{
    const size_t levels = s->levels.levels, first = quantity * (levels + 1);
    od_errors e = {.groups = total, .levels = levels, .power = 1};
    const od_errors reference = {.groups = total, .levels = 1, .column = {first + levels}, .power = 1};
    answer a = {0};
    double unused, size[OD_MAX_LEVELS];
    a.value = od_errors_mean(&reference, 0, &unused) - s->reference_shift[quantity];
    for (size_t l = 0; l < levels; l++) {
        e.column[l] = first + l;
        e.shift[l] = s->reference_shift[quantity];
        a.bias[l] = od_errors_mean(&e, l, &a.error[l]);
        a.resolved[l] = e.used[l] = isfinite(a.bias[l]) && fabs(a.bias[l]) > RESOLVED * a.error[l] &&
                                    fabs(a.bias[l]) > 1e-12 * fabs(a.value);
        size[l] = fabs(s->bias[quantity * levels + l]);
    }
    a.fit = od_errors_fit(&e);
    size_t count = 0, last = 0;
    bool one_sign = true;
    for (size_t l = 0; l < levels; l++) {
        if (a.resolved[l]) {
            one_sign = one_sign && (count == 0 || (a.bias[l] > 0) == (a.bias[last] > 0));
            last = l;
            count++;
        }
    }
    const bool enough = count >= (levels < NEEDED ? levels : NEEDED);
    a.decided = enough && one_sign;
    a.verdict = !enough ? "undecided" : one_sign ? "measured" : "changes sign";
    a.exact_order = s->exact ? od_order_slope(size, a.decided ? e.used : NULL, levels) : NAN;
    return a;
}

static void write_json(const study *s, const od_moments *total, FILE *out)
{
    const size_t levels = s->levels.levels;
    double steps[OD_MAX_LEVELS];
    char name[80];
    for (size_t l = 0; l < levels; l++) {
        steps[l] = od_levels_step(&s->levels, l);
    }
    od_report_open(out, "weak-order", s->levels.m);
    od_report_real(out, "t", s->levels.m->until);
    fprintf(out, ", \"reference\": {\"scheme\": \"%s\"", s->levels.reference->name);
    od_report_real(out, "step", s->levels.width);
    fprintf(out, ", \"exact_law\": %s}", s->exact ? "true" : "false");
    od_report_list(out, "steps", steps, levels);
    fputs(", \"quantities\": [", out);
    for (size_t q = 0; q < s->quantities; q++) {
        const answer a = measure(s, total, q);
        const double interval[2] = {a.decided ? a.fit.low : NAN, a.decided ? a.fit.high : NAN};
        name_of(s, q, name);
        fprintf(out, "%s{\"name\": \"%s\"", q > 0 ? ",\n  " : "", name);
        od_report_real(out, "reference", a.value);
        od_report_list(out, "bias", a.bias, levels);
        od_report_list(out, "standard_errors", a.error, levels);
        od_report_list(out, "exact_bias", s->bias + q * levels, levels);
        fprintf(out, ", \"levels_resolved\": %zu", a.fit.used);
        od_report_real(out, "order", a.decided ? a.fit.order : NAN);
        od_report_list(out, "order_interval", interval, 2);
        od_report_real(out, "exact_order", a.exact_order);
        od_report_text(out, "verdict", a.verdict);
        fputs("}", out);
    }
    fputs("], \"confidence\": 0.95", out);
    od_report_text(out, "interval_by", "jackknife over 32 groups of paths");
    fputs("}", out);
}

static void write_loss(const study *s, const answer *a, FILE *out)
{
    fprintf(out, "  %-12s %12s %9s %12s\n", "step", "bias of loss", "+-", s->exact ? "exact bias" : "");
    for (size_t l = 0; l < s->levels.levels; l++) {
        fprintf(out, "  %-12.6g %12.4g %9.2g", od_levels_step(&s->levels, l), a->bias[l], a->error[l]);
        if (s->exact) {
            fprintf(out, " %12.4g", s->bias[l]);
        }
        fputs(a->resolved[l] ? "\n" : isfinite(a->bias[l]) ? "   not resolved\n" : "   diverged\n", out);
    }
}

static void write_text(const study *s, const od_moments *total, FILE *out)
{
    const od_member *m = s->levels.m;
    fprintf(out, "%s, %s, %llu paths: weak error at t = %.9g\n", m->label, m->integrator_choice.integrator->name,
            (unsigned long long)m->paths, m->until);
    fprintf(out, "  reference: %s with step %.9g on the same Brownian paths%s\n", s->levels.reference->name,
            s->levels.width,
            s->exact ? ", its bias against the equation's exact law added" : "; its own bias is unknown");
    char name[80];
    for (size_t q = 0; q < s->quantities; q++) {
        const answer a = measure(s, total, q);
        name_of(s, q, name);
        if (q == 0) {
            write_loss(s, &a, out);
            fprintf(out, "  %-12s %12s %12s %9s %7s %16s %12s\n", "quantity", "value", "bias at h", "+-", "order",
                    "95 % interval", s->exact ? "exact order" : "");
        }
        fprintf(out, "  %-12s %12.5g %12.4g %9.2g", name, a.value, a.bias[0], a.error[0]);
        if (a.decided) {
            fprintf(out, " %7.3f [%6.3f, %6.3f]", a.fit.order, a.fit.low, a.fit.high);
        } else {
            fprintf(out, " %-24s", a.verdict);
        }
        if (s->exact) {
            fprintf(out, " %12.3f", a.exact_order);
        }
        fputc('\n', out);
    }
    fprintf(out,
            "  undecided: fewer than %d biases are %d standard errors from zero; give more paths or coarser steps\n",
            NEEDED, RESOLVED);
    fputs("  intervals: jackknife over 32 groups of paths; they hold the sampling error only\n", out);
}

static od_status weak_order_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                                FILE *out, bool json)
{
    const od_member *m = &e->member[member];
    study s = {0};
    od_moments total = {0};
    od_status status = open_study(ctx, settings, m, &s);
    if (status == OD_OK) {
        status = od_leaves_reduce(ctx, e->threads, m->paths, OD_GROUPS, columns(&s), add_leaf, &s, &total);
    }
    if (status == OD_OK && !isfinite(measure(&s, &total, 0).value)) {
        status = od_fail(ctx, OD_EDIVERGED, "integrator.step", "the reference of %s diverged; give a smaller step",
                         m->label);
    }
    if (status == OD_OK && json) {
        write_json(&s, &total, out);
    } else if (status == OD_OK) {
        write_text(&s, &total, out);
    }
    od_moments_free(&total);
    free(s.bias);
    return status;
}

const od_analysis_type od_analysis_weak_order = {
    .name = "weak-order",
    .summary = "the measured weak order of a scheme: the bias of expectations at several steps",
    .source = "Kloeden and Platen (1992), section 9.4; jackknife: Tukey (1958)",
    .params = (const od_param[]){OD_LEVELS_PARAM, OD_REFERENCE_PARAM, {.name = NULL}},
    .run = weak_order_run,
};
