/*
 * The measured strong order of a member's scheme: how far its paths are from the solution's own, at steps h, 2 h, 4 h
 * ...
 *
 * All levels and a reference see the same Brownian paths. The reference is sra1 where the noise is additive, else the
 * scheme itself, at a step so many times halved; no flow with noise has a closed form for single paths here. The error
 * is the distance of the states at the end (all blocks), its root mean square and its mean over the paths. The order is
 * the least-squares slope; its 95 % interval is the jackknife's over 32 groups of paths, so it holds the sampling error
 * and not the curvature of coarse levels: the orders between neighbours show that.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "levels.h"
#include "report.h"

#include "../src/leaves.h"

#include <math.h>

/* columns: for each level the squared distance and the distance; then the reference's squared length */
enum { MAX_COLUMNS = 2 * OD_MAX_LEVELS + 1 };

static od_status add_leaf(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf)
{
    const od_levels *a = user;
    const size_t size = a->m->dim, last = a->levels;
    od_strands paths;
    od_status status = od_levels_run(a, errors, first, n, &paths);
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        double q[MAX_COLUMNS] = {0};
        for (size_t i = p; i < size * n; i += n) {
            for (size_t l = 0; l < a->levels; l++) {
                const double d = paths.state[l][i] - paths.state[last][i];
                q[2 * l] += d * d;
            }
            q[2 * last] += paths.state[last][i] * paths.state[last][i];
        }
        for (size_t l = 0; l < a->levels; l++) {
            q[2 * l + 1] = sqrt(q[2 * l]);
        }
        od_moments_add(leaf, (size_t)((first + p) % OD_GROUPS), q, 1);
    }
    od_strands_close(&paths);
    return status;
}

typedef struct answer {
    double step[OD_MAX_LEVELS], rms[OD_MAX_LEVELS], rms_error[OD_MAX_LEVELS], mean[OD_MAX_LEVELS],
        mean_error[OD_MAX_LEVELS], local[OD_MAX_LEVELS];
    bool used[OD_MAX_LEVELS];
    od_fit fit, mean_fit;
    double reference_error; /* of the reference, in terms of the finest level's; NaN if its scheme is another */
} answer;

static od_status measure(od_context *ctx, const od_levels *a, const od_moments *total, answer *r)
{
    od_errors rms = {.groups = total, .levels = a->levels, .power = 0.5};
    od_errors mean = {.groups = total, .levels = a->levels, .power = 1};
    const od_errors reference = {.groups = total, .levels = 1, .column = {2 * a->levels}, .power = 0.5};
    double unused;
    const double length = od_errors_at(&reference, 0, &unused);
    if (!isfinite(length)) {
        return od_fail(ctx, OD_EDIVERGED, "integrator.step", "the reference of %s diverged; give a smaller step",
                       a->m->label);
    }
    for (size_t l = 0; l < a->levels; l++) {
        rms.column[l] = 2 * l;
        mean.column[l] = 2 * l + 1;
        r->step[l] = od_levels_step(a, l);
        r->rms[l] = od_errors_at(&rms, l, &r->rms_error[l]);
        r->mean[l] = od_errors_at(&mean, l, &r->mean_error[l]);
        /* a level that diverged, or whose error is rounding, says nothing about the order */
        r->used[l] = rms.used[l] = mean.used[l] = isfinite(r->rms[l]) && r->rms[l] > 1e-12 * length;
        r->local[l] = l > 0 && r->used[l] && r->used[l - 1] ? log2(r->rms[l] / r->rms[l - 1]) : NAN;
    }
    r->fit = od_errors_fit(&rms);
    r->mean_fit = od_errors_fit(&mean);
    const bool same = a->reference == a->m->integrator_choice.integrator;
    r->reference_error = same ? exp2(-r->fit.order * a->halvings) : NAN;
    return OD_OK;
}

static void write_json(const od_levels *a, const answer *r, FILE *out)
{
    const double interval[2] = {r->fit.low, r->fit.high}, mean_interval[2] = {r->mean_fit.low, r->mean_fit.high};
    od_report_open(out, "strong-order", a->m);
    od_report_real(out, "t", a->m->until);
    fprintf(out, ", \"reference\": {\"scheme\": \"%s\"", a->reference->name);
    od_report_real(out, "step", a->width);
    od_report_real(out, "relative_error", r->reference_error);
    fputs("}", out);
    od_report_list(out, "steps", r->step, a->levels);
    od_report_list(out, "errors", r->rms, a->levels);
    od_report_list(out, "standard_errors", r->rms_error, a->levels);
    od_report_list(out, "local_orders", r->local + 1, a->levels - 1);
    od_report_real(out, "order", r->fit.order);
    od_report_list(out, "order_interval", interval, 2);
    od_report_list(out, "mean_errors", r->mean, a->levels);
    od_report_list(out, "mean_standard_errors", r->mean_error, a->levels);
    od_report_real(out, "mean_order", r->mean_fit.order);
    od_report_list(out, "mean_order_interval", mean_interval, 2);
    fprintf(out, ", \"levels_used\": %zu, \"confidence\": 0.95", r->fit.used);
    od_report_text(out, "interval_by", "jackknife over 32 groups of paths");
    fputs("}", out);
}

static void write_text(const od_levels *a, const answer *r, FILE *out)
{
    fprintf(out, "%s, %s, %llu paths: strong error at t = %.9g\n", a->m->label,
            a->m->integrator_choice.integrator->name, (unsigned long long)a->m->paths, a->m->until);
    fprintf(out, "  reference: %s with step %.9g on the same Brownian paths\n", a->reference->name, a->width);
    fprintf(out, "  %-12s %12s %9s %12s %9s %7s\n", "step", "rms error", "+-", "mean error", "+-", "order");
    for (size_t l = 0; l < a->levels; l++) {
        fprintf(out, "  %-12.6g %12.5g %9.2g %12.5g %9.2g", r->step[l], r->rms[l], r->rms_error[l], r->mean[l],
                r->mean_error[l]);
        if (!isnan(r->local[l])) {
            fprintf(out, " %7.3f", r->local[l]);
        }
        fputs(r->used[l]            ? "\n"
              : isfinite(r->rms[l]) ? "   exact to rounding, not used\n"
                                    : "   diverged, not used\n",
              out);
    }
    if (isnan(r->fit.order)) {
        fputs("  fewer than two levels have an error to compare: no order\n", out);
        return;
    }
    fprintf(out, "  strong order %.3f, 95 %% interval [%.3f, %.3f], of the root mean square\n", r->fit.order,
            r->fit.low, r->fit.high);
    fprintf(out, "  strong order %.3f, 95 %% interval [%.3f, %.3f], of the mean\n", r->mean_fit.order, r->mean_fit.low,
            r->mean_fit.high);
    fputs("  intervals: jackknife over 32 groups of paths; they hold the sampling error only\n", out);
    if (!isnan(r->reference_error)) {
        fprintf(
            out,
            "  the reference's own error is about %.2g of the finest one; raise strong-order.reference to lower it\n",
            r->reference_error);
    }
}

static od_status strong_order_run(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                                  FILE *out, bool json)
{
    const od_member *m = &e->member[member];
    od_levels levels;
    od_moments total = {0};
    answer r;
    od_status status = od_levels_read(ctx, settings, m, "strong-order", &levels);
    if (status == OD_OK) {
        status = od_leaves_reduce(ctx, e->threads, m->paths, OD_GROUPS, 2 * levels.levels + 1, add_leaf, &levels,
                                  &total);
    }
    status = status == OD_OK ? measure(ctx, &levels, &total, &r) : status;
    if (status == OD_OK && json) {
        write_json(&levels, &r, out);
    } else if (status == OD_OK) {
        write_text(&levels, &r, out);
    }
    od_moments_free(&total);
    return status;
}

const od_analysis_type od_analysis_strong_order = {
    .name = "strong-order",
    .summary = "the measured strong order of a scheme, on the same Brownian paths at several steps",
    .source = "Kloeden and Platen (1992), section 9.3; jackknife: Tukey (1958)",
    .params = (const od_param[]){OD_LEVELS_PARAM, OD_REFERENCE_PARAM, {.name = NULL}},
    .run = strong_order_run,
};
