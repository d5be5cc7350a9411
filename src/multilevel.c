/*
 * Multilevel Monte Carlo (Giles 2008): E P at the end of the flow as E P_0 + sum_l E (P_l - P_{l-1}), l = 1 .. L, where
 * P_l is a quantity computed with step h 2^-l and both terms of a difference see one Brownian path.
 *
 * The tolerance eps bounds the root-mean-square error, half of whose square each may have:
 *   sampling   sum_l V_l/N_l <= eps^2/2 with the fewest drift evaluations: N_l = (2/eps^2) sqrt(V_l/C_l) sum_k sqrt(V_k
 *              C_k), V_l and C_l the variance and the cost of one difference (Giles 2008, equation 12);
 *   bias       |E (P - P_L)| <= eps/sqrt 2, where with the scheme's weak order a the remaining bias is
 *              |E (P_L - P_{L-1})|/(2^a - 1), or what the difference before says of it, if that is more (Giles 2008,
 *              section 5; 2015, section 3.4).
 *
 * Every level has random numbers of its own: its seed is the experiment's plus l 2^54, which no experiment's seed
 * reaches. So level 0 runs the very paths that an ensemble of so many paths runs. How many paths there are follows from
 * the numbers of all paths so far, reduced over fixed trees: no bit depends on threads.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "multilevel.h"

#include "context.h"
#include "leaves.h"
#include "measure.h"
#include "memory.h"
#include "strands.h"
#include "tally.h"

#include <math.h>
#include <stdlib.h>

enum {
    PILOT = 512,          /* paths that a level begins with: its variance is known to 6 % */
    BEGIN = 3,            /* levels; the bias is seen in two differences */
    CHUNK = 512 * OD_LEAF /* paths at most that an interruption loses */
};

static const double most_paths = 4294967295.0; /* what the random numbers can tell apart */

typedef struct level {
    od_member m; /* with this level's noise */
    od_strand strand[2];
    size_t runs; /* the fine one, then the coarse one; level 0 has no coarse one */
    uint64_t cells, paths;
    double cost;    /* drift evaluations of one path */
    od_moments sum; /* one row: the differences, then the fine quantities */
} level;

typedef struct ladder {
    od_context *ctx;
    const od_experiment *e;
    const od_member *m;
    size_t columns;
    size_t bound; /* numbers of the first quantity, for which the tolerance holds */
    double tolerance;
    size_t count;
    level level[OD_MAX_MULTILEVEL];
    double planned; /* drift evaluations; 0 while it is not known */
} ladder;

/* ------------------------------------------------------------------------------------------- paths of a level */

typedef struct leaf_part {
    const ladder *a;
    const level *l;
    uint64_t first;
} leaf_part;

/* q[runs*columns*n]: the quantities of all runs, the coarse ones taken off the fine ones behind them. */
static od_status measure_runs(const leaf_part *part, od_context *errors, const od_strands *s, double *q)
{
    const od_member *m = part->a->m;
    const size_t n = s->n, size = part->a->columns * n;
    double *gradient = q + 2 * size, *ws = gradient + m->block[0].length * n;
    for (size_t r = 0; r < s->count; r++) {
        const od_status status = od_measure(m, n, s->state[r], q + (s->count - 1 - r) * size, gradient, ws);
        if (status != OD_OK) {
            return od_fail(errors, status, "record.quantities", "a quantity could not be evaluated (%s)",
                           od_problem_trouble(m->problem, status));
        }
    }
    double *fine = q + (s->count - 1) * size, *difference = q;
    for (size_t i = 0; i < size; i++) {
        const double here = fine[i];
        difference[i] = s->count > 1 ? here - difference[i] : here;
        q[size + i] = here;
        if (!isfinite(difference[i])) {
            return od_fail(errors, OD_EDIVERGED, "paths",
                           "a path diverged at step %g, and levels need every path; give a smaller integrator.step",
                           s->strand[s->count - 1].step);
        }
    }
    return OD_OK;
}

static od_status add_leaf(void *user, od_context *errors, uint64_t first, size_t n, od_moments *leaf)
{
    const leaf_part *part = user;
    const ladder *a = part->a;
    const level *l = part->l;
    const od_problem *f = a->m->problem;
    double *q = od_zalloc((2 * a->columns + f->dim) * n + od_scratch_size(&f->scratch, n), sizeof *q);
    if (q == NULL) {
        return od_fail(errors, OD_ENOMEM, NULL, "no memory for %zu numbers of %zu paths", a->columns, n);
    }
    od_strands paths;
    od_status status = od_strands_open(a->ctx, errors, &l->m, l->strand[0].step, l->strand, l->runs,
                                       part->first + first, n, &paths);
    status = status == OD_OK ? od_strands_advance(errors, &paths, l->cells) : status;
    if (status == OD_OK && !od_cancelled(a->ctx)) {
        status = measure_runs(part, errors, &paths, q);
        for (size_t p = 0; p < n && status == OD_OK; p++) {
            od_moments_add(leaf, 0, q + p, n);
        }
    }
    od_strands_close(&paths);
    free(q);
    return status;
}

static double work_done(const ladder *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->count; i++) {
        sum += (double)a->level[i].paths * a->level[i].cost;
    }
    return sum;
}

/* Brings a level to so many paths, a multiple of a leaf. */
static od_status extend(ladder *a, level *l, uint64_t paths)
{
    od_status status = OD_OK;
    while (l->paths < paths && status == OD_OK) {
        const uint64_t left = paths - l->paths, chunk = left < CHUNK ? left : CHUNK;
        const leaf_part part = {a, l, l->paths};
        const double done = work_done(a), more = (double)chunk * l->cost;
        if (a->planned > 0) {
            od_context_range(a->ctx, fmin(1, done / a->planned), fmin(1, (done + more) / a->planned));
        } else {
            od_context_range(a->ctx, 0, 0);
        }
        od_moments sum = {0};
        status = od_leaves_reduce(a->ctx, a->e->threads, chunk, 1, 2 * a->columns, add_leaf, (void *)&part, &sum);
        od_context_range(a->ctx, 0, 1);
        if (status == OD_OK) {
            od_moments_merge(&l->sum, &sum);
            l->paths += chunk;
        }
        od_moments_free(&sum);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- levels */

static double step_of(const ladder *a, size_t l)
{
    return ldexp(a->m->step, -(int)l);
}

static double drifts_of(const od_member *m, double step)
{
    const od_integrator_type *type = m->integrator_choice.integrator;
    const od_stepper stepper = {
        .type = type, .settings = m->integrator_choice.settings, .flow = &m->flow, .origin = m->start.t};
    return type->drifts != NULL ? type->drifts(&stepper, m->until - step, step) : 1;
}

static od_status add_level(ladder *a)
{
    const size_t index = a->count;
    const od_member *m = a->m;
    level *l = &a->level[index];
    l->m = *m;
    l->m.seed = l->m.noise.seed = m->seed + ((uint64_t)index << 54);
    l->m.noise.base = step_of(a, index);
    l->runs = index == 0 ? 1 : 2;
    l->cells = od_member_steps(m) << index;
    for (size_t r = 0; r < l->runs; r++) {
        l->strand[r] = (od_strand){m->integrator_choice.integrator, step_of(a, index - r), UINT64_C(1) << r};
        l->cost += (double)(l->cells >> r) * drifts_of(m, step_of(a, index - r));
    }
    if (!od_moments_init(&l->sum, 1, 2 * a->columns, false)) {
        return od_fail(a->ctx, OD_ENOMEM, NULL, "no memory for the moments of %zu numbers", 2 * a->columns);
    }
    a->count++;
    return extend(a, l, PILOT);
}

static double variance(const ladder *a, size_t l, size_t column)
{
    return od_moments_var(&a->level[l].sum, 0, column);
}

/* The paths that each level needs for the sampling error, as whole leaves. */
static od_status allot(ladder *a, uint64_t *need)
{
    a->planned = 0;
    for (size_t l = 0; l < a->count; l++) {
        const level *at = &a->level[l];
        double paths = (double)at->paths;
        for (size_t c = 0; c < a->bound; c++) {
            double sum = 0;
            for (size_t k = 0; k < a->count; k++) {
                sum += sqrt(variance(a, k, c) * a->level[k].cost);
            }
            paths = fmax(paths, 2 / (a->tolerance * a->tolerance) * sqrt(variance(a, l, c) / at->cost) * sum);
        }
        paths = ceil(paths / OD_LEAF) * OD_LEAF;
        a->planned += paths * at->cost;
        need[l] = paths > most_paths ? UINT64_MAX : (uint64_t)paths;
    }
    for (size_t l = 0; l < a->count; l++) {
        if (need[l] == UINT64_MAX) {
            return od_fail(a->ctx, OD_EUNSUPPORTED, "tolerance",
                           "%s: %g would take more than the %.0f paths there are at step %g, and about %.2g drift "
                           "evaluations in all; give a larger tolerance",
                           a->m->label, a->tolerance, most_paths, step_of(a, l), a->planned);
        }
    }
    return OD_OK;
}

/* Extends levels until the sampling error is small enough: variances change a little as paths are added. */
static od_status settle(ladder *a)
{
    uint64_t need[OD_MAX_MULTILEVEL];
    bool enough = false;
    od_status status = OD_OK;
    while (status == OD_OK && !enough) {
        status = allot(a, need);
        enough = true;
        for (size_t l = 0; l < a->count && status == OD_OK; l++) {
            enough = enough && need[l] <= a->level[l].paths;
            status = extend(a, &a->level[l], need[l]);
        }
    }
    return status;
}

/* |E (P - P_L)|, as far as the last two differences tell; NaN with fewer than two levels. */
static double remaining_bias(const ladder *a, size_t column)
{
    const double ratio = exp2(a->m->integrator_choice.integrator->weak_order);
    const size_t last = a->count - 1;
    if (a->count < 2 || a->level[last].paths == 0) {
        return NAN;
    }
    const double here = fabs(a->level[last].sum.mean[column]);
    const double before = last > 1 ? fabs(a->level[last - 1].sum.mean[column]) / ratio : 0;
    return fmax(here, before) / (ratio - 1);
}

static bool unbiased(const ladder *a)
{
    bool small = true;
    for (size_t c = 0; c < a->bound; c++) {
        small = small && remaining_bias(a, c) <= a->tolerance / sqrt(2);
    }
    return small;
}

static od_status climb(ladder *a)
{
    od_status status = OD_OK;
    while (a->count < BEGIN && status == OD_OK) {
        status = add_level(a);
    }
    status = status == OD_OK ? settle(a) : status;
    while (status == OD_OK && !unbiased(a)) {
        if (a->count == OD_MAX_MULTILEVEL) {
            return od_fail(a->ctx, OD_EUNSUPPORTED, "tolerance",
                           "%s: after %d levels, at step %.3g, the bias is still about %.2g; a path of the next would "
                           "cost %.2g drift evaluations. Give a larger tolerance or a smaller integrator.step",
                           a->m->label, OD_MAX_MULTILEVEL, step_of(a, a->count - 1), remaining_bias(a, 0),
                           2 * a->level[a->count - 1].cost);
        }
        status = add_level(a);
        status = status == OD_OK ? settle(a) : status;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- the result */

static od_multilevel *create_result(const ladder *a)
{
    od_multilevel *r = od_zalloc(1, sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    *r = (od_multilevel){.tolerance = a->tolerance,
                         .weak_order = a->m->integrator_choice.integrator->weak_order,
                         .count = a->columns,
                         .bound = a->bound,
                         .plain_paths = NAN,
                         .plain_evaluations = NAN};
    r->name = od_zalloc(a->columns, sizeof *r->name);
    r->mean = od_zalloc(a->columns * (3 + 2 * OD_MAX_MULTILEVEL), sizeof *r->mean);
    if (r->name == NULL || r->mean == NULL) {
        od_multilevel_free(r);
        return NULL;
    }
    r->stderr_mean = r->mean + a->columns;
    r->bias = r->stderr_mean + a->columns;
    for (size_t l = 0; l < OD_MAX_MULTILEVEL; l++) {
        r->level[l].mean = r->bias + (1 + 2 * l) * a->columns;
        r->level[l].var = r->level[l].mean + a->columns;
    }
    return r;
}

/* What independent paths at the finest step would take for the same sampling error. */
static void compare_plain(const ladder *a, od_multilevel *r)
{
    const size_t last = a->count - 1;
    double paths = 0;
    for (size_t c = 0; c < a->bound; c++) {
        const double square = r->stderr_mean[c] * r->stderr_mean[c];
        paths = fmax(paths, square > 0 ? variance(a, last, a->columns + c) / square : 1);
    }
    r->plain_paths = ceil(paths);
    r->plain_evaluations = r->plain_paths * (double)a->level[last].cells * drifts_of(a->m, step_of(a, last));
}

static void describe(const ladder *a, od_multilevel *r)
{
    for (size_t l = 0; l < a->count && a->level[l].paths > 0; l++) {
        const level *at = &a->level[l];
        r->level[l].step = step_of(a, l);
        r->level[l].paths = at->paths;
        r->level[l].cost = at->cost;
        r->evaluations += at->paths * (uint64_t)at->cost;
        r->levels = l + 1;
        for (size_t c = 0; c < a->columns; c++) {
            r->level[l].mean[c] = at->sum.mean[c];
            r->level[l].var[c] = variance(a, l, c);
        }
    }
    for (size_t c = 0; c < a->columns; c++) {
        double mean = 0, square = 0;
        for (size_t l = 0; l < r->levels; l++) {
            mean += r->level[l].mean[c];
            square += r->level[l].var[c] / (double)r->level[l].paths;
        }
        od_measure_name(a->m, c, r->name[c]);
        r->mean[c] = r->levels > 0 ? mean : NAN;
        r->stderr_mean[c] = r->levels > 0 ? sqrt(square) : NAN;
        r->bias[c] = r->levels > 0 ? remaining_bias(a, c) : NAN;
    }
    if (r->levels >= BEGIN) {
        compare_plain(a, r);
    }
}

od_status od_multilevel_run(od_context *ctx, const od_experiment *e, const od_member *m, od_multilevel **result)
{
    ladder *a = od_zalloc(1, sizeof *a);
    *result = NULL;
    if (a != NULL) {
        *a = (ladder){.ctx = ctx,
                      .e = e,
                      .m = m,
                      .columns = m->columns,
                      .bound = od_member_quantity_length(m, 0),
                      .tolerance = m->tolerance};
        *result = create_result(a);
    }
    if (*result == NULL) {
        free(a);
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the levels");
    }
    od_status status = climb(a);
    while (a->count > 0 && a->level[a->count - 1].paths == 0) {
        od_moments_free(&a->level[--a->count].sum); /* interrupted in its first paths */
    }
    describe(a, *result);
    for (size_t l = 0; l < a->count; l++) {
        od_moments_free(&a->level[l].sum);
    }
    free(a);
    return status;
}

od_status od_multilevel_check(od_context *ctx, const od_member *m)
{
    static const char *const kept[] = {"every", "stride", "quantiles", "covariance", "histograms", "paths"};
    const bool automatic = od_member_automatic(m);
    if (automatic != od_setting_present(m->top, "tolerance")) {
        return od_setting_fail(ctx, m->top, "tolerance",
                               automatic ? "paths: auto needs the error that is allowed; give tolerance: 1.0e-3, say"
                                         : "a tolerance is for paths: auto; give that, or remove tolerance");
    }
    if (!automatic) {
        return OD_OK;
    }
    if (!m->has_flow || m->has_map) {
        return od_setting_fail(ctx, m->top, "paths",
                               "auto refines the step of a flow, and an iteration has no finer steps; give until and "
                               "integrator without iterations, or a number of paths");
    }
    if (m->flow.noise.shape == OD_NOISE_NONE) {
        return od_setting_fail(ctx, m->top, "paths",
                               "auto is for random paths, and '%s' has no noise; give method.noise, or paths: 1",
                               m->method_choice.method->name);
    }
    if (od_setting_present(m->top, "noise_step")) {
        return od_setting_fail(ctx, m->top, "noise_step",
                               "with paths: auto each level has a grid of its own; remove it");
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (od_setting(m->record, kept[i])->given) {
            return od_setting_fail(ctx, m->record, kept[i],
                                   "paths: auto gives means at the end alone; remove it, or give a number of paths");
        }
    }
    return isnan(m->stop_loss) && isnan(m->stop_gradient)
               ? OD_OK
               : od_setting_fail(ctx, m->top, "paths",
                                 "stop ends a single path; remove stop, or give paths: 1 instead of auto");
}
