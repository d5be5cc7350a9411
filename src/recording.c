/*
 * What a member records: rows of its flow and its iteration, quantities, and what an ensemble keeps besides means.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "member.h"

#include "text.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_ROWS = 1000, DEFAULT_BLOCK_COMPONENTS = 16 };

/* ------------------------------------------------------------------------------------------- rows */

/* Rows at t0 + j every before the end, then the end. */
static uint64_t inner_rows(const od_member *m)
{
    const double count = (m->until - m->start.t) / m->every;
    return (uint64_t)fmax(1, ceil(count - 1e-6));
}

uint64_t od_member_flow_rows(const od_member *m)
{
    return m->has_flow ? inner_rows(m) + 1 : 0;
}

double od_member_row_time(const od_member *m, uint64_t row)
{
    return row < inner_rows(m) ? m->start.t + (double)row * m->every : m->until;
}

uint64_t od_member_map_rows(const od_member *m)
{
    return m->has_map ? (m->iterations + m->stride - 1) / m->stride + 1 : 0;
}

/* ------------------------------------------------------------------------------------------- quantities */

size_t od_member_quantity_length(const od_member *m, size_t quantity)
{
    if (m->quantity[quantity].kind == OD_QUANTITY_PROJECTION) {
        return m->projections;
    }
    for (size_t b = 0; b < m->block_count && m->quantity[quantity].kind == OD_QUANTITY_BLOCK; b++) {
        if (strcmp(m->block[b].name, m->quantity[quantity].name) == 0) {
            return m->block[b].length;
        }
    }
    return 1;
}

/* True if the problem takes what it cannot know. */
static bool states_minimiser(const od_member *m)
{
    const od_param *p = m->problem_choice.problem->params;
    while (p != NULL && p->name != NULL && strcmp(p->name, "minimiser") != 0) {
        p++;
    }
    return p != NULL && p->name != NULL;
}

static od_status choose_quantities(od_context *ctx, od_member *m)
{
    /* no name may stand there twice, so there is room for all, and for projections */
    _Static_assert(3 + OD_MAX_BLOCKS < OD_MAX_QUANTITIES, "more quantities than there is room for");
    const od_value *wanted = od_setting(m->record, "quantities");
    if (!wanted->present) {
        m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_LOSS, "loss"};
        if (m->problem->minimiser != NULL) {
            m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_DISTANCE, "distance"};
        }
        for (size_t b = 0; b < m->block_count && m->dim <= DEFAULT_BLOCK_COMPONENTS; b++) {
            m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_BLOCK, m->block[b].name};
        }
    }
    for (size_t i = 0; wanted->present && i < wanted->cols; i++) {
        const char *names[3 + OD_MAX_BLOCKS] = {"loss", "distance", "gradient"};
        size_t count = 3, found = SIZE_MAX;
        for (size_t b = 0; b < m->block_count; b++) {
            names[count++] = m->block[b].name;
        }
        for (size_t j = 0; j < count; j++) {
            found = strcmp(names[j], wanted->names[i]) == 0 ? j : found;
        }
        if (found == SIZE_MAX) {
            const char *nearest = od_text_nearest(wanted->names[i], names, count);
            char blocks[OD_BLOCK_NAMES_ROOM];
            return od_setting_fail(ctx, m->record, "quantities",
                                   "there is no quantity '%s'%s%s%s; there are loss, distance, "
                                   "gradient and the blocks of the state (%s)",
                                   wanted->names[i], nearest != NULL ? " (did you mean '" : "",
                                   nearest != NULL ? nearest : "", nearest != NULL ? "'?)" : "",
                                   od_member_block_names(m, blocks));
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(wanted->names[j], wanted->names[i]) == 0) {
                return od_setting_fail(ctx, m->record, "quantities", "'%s' is given twice; keep one", names[found]);
            }
        }
        if (found == 1 && m->problem->minimiser == NULL) {
            return od_setting_fail(
                ctx, m->record, "quantities",
                "the distance |x - x*| is unknown, because the minimiser "
                "of '%s' is; record the loss or the gradient%s",
                m->problem->name, states_minimiser(m) ? ", or state where the loss is least by problem.minimiser" : "");
        }
        m->quantity[m->quantity_count++] = (od_quantity){found < 3 ? (od_quantity_kind)found : OD_QUANTITY_BLOCK,
                                                         names[found]};
    }
    m->projections = (size_t)od_setting_real(m->record, "projections");
    m->projection_seed = (uint64_t)od_setting_real(m->record, "projection_seed");
    if (m->projections > 0) {
        m->quantity[m->quantity_count++] = (od_quantity){OD_QUANTITY_PROJECTION, "projection"};
    }
    m->columns = 0;
    for (size_t i = 0; i < m->quantity_count; i++) {
        m->columns += od_member_quantity_length(m, i);
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- choices */

od_status od_member_choose_records(od_context *ctx, od_member *m)
{
    const double given = od_setting_real(m->record, "every");
    m->every = given;
    if (m->has_flow) {
        if (isnan(given)) {
            const double steps = isnan(m->step) ? DEFAULT_ROWS : (double)od_member_steps(m);
            const double stride = fmax(1, ceil(steps / DEFAULT_ROWS));
            m->every = isnan(m->step) ? (m->until - m->start.t) / DEFAULT_ROWS : stride * m->step;
        }
        if ((m->until - m->start.t) / m->every > 1e9) {
            return od_setting_fail(ctx, m->record, "every",
                                   "this would record more than 10^9 rows; give a larger value");
        }
    }
    m->stride = 1;
    if (m->has_map) {
        const od_value *stride = od_setting(m->record, "stride");
        m->stride = (m->iterations + DEFAULT_ROWS - 1) / DEFAULT_ROWS;
        if (stride->present) {
            m->stride = (uint64_t)stride->real;
        } else if (!isnan(given)) {
            m->stride = (uint64_t)fmax(1, fmin(round(given / m->map.tau), 1e15));
        }
    }
    return choose_quantities(ctx, m);
}

/* Of a single path all this is its rows. */
od_status od_member_choose_details(od_context *ctx, od_member *m)
{
    enum { MAX_SINGLE_NUMBERS = 50000000 };
    const od_value *quantiles = od_setting(m->record, "quantiles");
    const bool several = m->paths > 1;
    m->quantile_count = quantiles->present && several ? quantiles->cols : 0;
    m->quantile = quantiles->list;
    for (size_t i = 0; i < m->quantile_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (fabs(m->quantile[i] - m->quantile[j]) < 1e-9) {
                return od_setting_fail(ctx, m->record, "quantiles", "%g is given twice; keep one", m->quantile[i]);
            }
        }
    }
    m->covariance = several && od_setting_real(m->record, "covariance") != 0;
    m->histograms = several && od_setting_real(m->record, "histograms") != 0;
    m->binned = m->quantile_count > 0 || m->histograms;
    if (m->covariance && m->dim > OD_MAX_COVARIANCE) {
        od_note(ctx,
                "%s: the state has %zu components, more than the %d of which covariances are kept; record."
                "covariance gives their variances",
                m->method_choice.method->name, m->dim, OD_MAX_COVARIANCE);
    }
    const double asked = od_setting_real(m->record, "paths");
    m->singles = !several ? 0 : asked < (double)m->paths ? (uint64_t)asked : m->paths;
    const double numbers = (double)m->singles * (double)(od_member_flow_rows(m) + od_member_map_rows(m)) *
                           (double)m->columns;
    if (numbers > MAX_SINGLE_NUMBERS) {
        return od_setting_fail(ctx, m->record, "paths",
                               "the rows of these paths are %.3g numbers, more than %d; record fewer paths, fewer "
                               "rows (record.every, record.stride) or fewer quantities",
                               numbers, MAX_SINGLE_NUMBERS);
    }
    return OD_OK;
}
