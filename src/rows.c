/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"

#include "measure.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- what each reads */

static const od_moments *quantities_of(const od_rows *r)
{
    return r->map ? &r->tally->map : &r->tally->flow;
}

static const od_moments *states_of(const od_rows *r)
{
    return r->map ? &r->tally->map_states : &r->tally->flow_states;
}

static const od_moments *singles_of(const od_rows *r)
{
    return r->map ? &r->tally->map_singles : &r->tally->flow_singles;
}

static const uint32_t *bins_of(const od_rows *r)
{
    return r->map ? r->tally->map_bins : r->tally->flow_bins;
}

bool od_rows_wanted(const od_member *m, bool map, od_rows_kind kind)
{
    const bool wanted[OD_ROWS_KINDS] = {true, m->covariance, m->histograms, m->singles > 0};
    return (map ? m->has_map : m->has_flow) && wanted[kind];
}

/* ------------------------------------------------------------------------------------------- columns */

static void name_component(const od_member *m, size_t component, char name[40])
{
    size_t b = 0;
    for (; component >= m->block[b].length; b++) {
        component -= m->block[b].length;
    }
    snprintf(name, 40, "%.18s_%zu", m->block[b].name, component + 1);
}

static void name_number(const od_rows *r, size_t column, char name[40])
{
    const od_member *m = r->m;
    if (column >= m->columns) {
        snprintf(name, 40, "%s", column == m->columns ? "gap" : "relative_gap");
        return;
    }
    od_measure_name(m, column, name);
}

static void put_column(od_rows *r, const char *name, const char *unit)
{
    r->unit[r->columns] = unit;
    snprintf(r->name[r->columns++], sizeof *r->name, "%s", name);
}

/* The path, the iteration, the time, the paths of the row: as far as they tell rows apart or count. */
static void put_keys(od_rows *r)
{
    if (r->kind == OD_ROWS_SINGLES) {
        put_column(r, "path", "");
    }
    if (r->map) {
        put_column(r, "k", "iteration");
    }
    put_column(r, "t", "time");
    if (r->m->paths > 1 && r->kind != OD_ROWS_SINGLES) {
        put_column(r, "paths", "paths");
    }
}

static void put_statistics(od_rows *r, const char *number)
{
    char name[64];
    static const char *const statistics[] = {"mean", "stderr", "var"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%.40s_%s", number, statistics[i]);
        put_column(r, name, "");
    }
    for (size_t q = 0; q < r->m->quantile_count; q++) {
        snprintf(name, sizeof name, "%.40s_q%g", number, r->m->quantile[q]);
        put_column(r, name, "");
        snprintf(name, sizeof name, "%.40s_q%g_stderr", number, r->m->quantile[q]);
        put_column(r, name, "");
    }
}

static bool is_crossed(const od_rows *r)
{
    return states_of(r)->cross != NULL;
}

static void put_covariances(od_rows *r)
{
    char one[40], other[40], name[96];
    for (size_t i = 0; i < r->m->dim; i++) {
        name_component(r->m, i, one);
        for (size_t j = i; j < (is_crossed(r) ? r->m->dim : i + 1); j++) {
            name_component(r->m, j, other);
            snprintf(name, sizeof name, "cov_%s_%s", one, other);
            put_column(r, name, "");
        }
    }
}

static void put_columns(od_rows *r)
{
    put_keys(r);
    if (r->kind == OD_ROWS_COVARIANCE) {
        put_covariances(r);
        return;
    }
    for (size_t c = 0; c < quantities_of(r)->cols; c++) {
        char number[40];
        name_number(r, c, number);
        if (r->kind == OD_ROWS_HISTOGRAM) {
            snprintf(r->word[c], sizeof *r->word, "%s", number);
        } else if (r->kind == OD_ROWS_SINGLES || r->m->paths == 1) {
            put_column(r, number, "");
        } else {
            put_statistics(r, number);
        }
    }
    if (r->kind == OD_ROWS_HISTOGRAM) {
        r->word_column = r->columns;
        put_column(r, "quantity", "");
        put_column(r, "low", "");
        put_column(r, "high", "");
        put_column(r, "count", "paths");
    }
}

static bool open_one(od_rows *r)
{
    enum { KEYS = 3, BIN_COLUMNS = 4 };
    const size_t dim = r->m->dim, numbers = quantities_of(r)->cols;
    const size_t room[OD_ROWS_KINDS] = {numbers * (3 + 2 * r->m->quantile_count),
                                        is_crossed(r) ? dim * (dim + 1) / 2 : dim, BIN_COLUMNS, numbers};
    r->name = od_zalloc(KEYS + room[r->kind], sizeof *r->name);
    r->unit = od_zalloc(KEYS + room[r->kind], sizeof *r->unit);
    r->word_column = SIZE_MAX;
    r->word = r->kind == OD_ROWS_HISTOGRAM ? od_zalloc(numbers, sizeof *r->word) : NULL;
    if (r->name == NULL || r->unit == NULL || (r->kind == OD_ROWS_HISTOGRAM && r->word == NULL)) {
        return false;
    }
    put_columns(r);
    return true;
}

size_t od_rows_open(const od_member *m, const od_tally *tally, od_rows rows[OD_MAX_TABLES])
{
    size_t count = 0;
    for (int map = 0; map < 2; map++) {
        for (int kind = 0; kind < OD_ROWS_KINDS; kind++) {
            if (!od_rows_wanted(m, map == 1, (od_rows_kind)kind)) {
                continue;
            }
            od_rows *r = &rows[count++];
            *r = (od_rows){.m = m, .tally = tally, .kind = (od_rows_kind)kind, .map = map == 1};
            if (!open_one(r)) {
                od_rows_close(rows, count);
                return 0;
            }
        }
    }
    return count;
}

void od_rows_close(od_rows *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].name);
        free(rows[i].unit);
        free(rows[i].word);
    }
}

void od_rows_name(const od_rows *r, char name[OD_TABLE_ROOM])
{
    static const char *const endings[OD_ROWS_KINDS] = {"", "-covariance", "-histogram", "-paths"};
    snprintf(name, OD_TABLE_ROOM, "%s%s", r->map ? "iteration" : "flow", endings[r->kind]);
}

/* ------------------------------------------------------------------------------------------- values */

size_t od_rows_count(const od_rows *r)
{
    const od_moments *a = quantities_of(r);
    switch (r->kind) {
    case OD_ROWS_HISTOGRAM: return a->rows * a->cols * OD_BINS;
    case OD_ROWS_SINGLES: return singles_of(r)->rows;
    default: return a->rows;
    }
}

static double *read_times(const od_rows *r, size_t row, double *value)
{
    const od_moments *a = quantities_of(r);
    const od_member *m = r->m;
    /* a run that `stop` ended has its last row at the time it ended */
    const bool last = row + 1 == a->rows || a->count[row + 1] == 0;
    const bool ended = last && !isnan(r->tally->reached);
    if (r->map) {
        const uint64_t k = row * m->stride < m->iterations ? row * m->stride : m->iterations;
        const double done = ended && !m->has_flow ? (double)r->tally->iterations : (double)k;
        *value++ = done;
        *value++ = m->start.t + done * m->map.tau;
    } else {
        *value++ = ended ? r->tally->reached : od_member_row_time(m, row);
    }
    if (m->paths > 1 && r->kind != OD_ROWS_SINGLES) {
        *value++ = (double)a->count[row];
    }
    return value;
}

static void read_quantities(const od_rows *r, size_t row, double *value)
{
    const od_moments *a = quantities_of(r);
    const od_member *m = r->m;
    for (size_t c = 0; c < a->cols; c++) {
        *value++ = a->mean[row * a->cols + c];
        if (m->paths == 1) {
            continue;
        }
        *value++ = od_pairs_stderr(a, r->map ? &r->tally->map_pairs : &r->tally->flow_pairs, row, c);
        *value++ = od_moments_var(a, row, c);
        for (size_t q = 0; q < m->quantile_count; q++) {
            double error;
            *value++ = od_bins_quantile(bins_of(r) + (row * a->cols + c) * OD_BINS, m->quantile[q], &error);
            *value++ = error;
        }
    }
}

static void read_covariances(const od_rows *r, size_t row, double *value)
{
    for (size_t i = 0; i < r->m->dim; i++) {
        for (size_t j = i; j < (is_crossed(r) ? r->m->dim : i + 1); j++) {
            *value++ = od_moments_cov(states_of(r), row, i, j);
        }
    }
}

bool od_rows_read(const od_rows *r, size_t row, double *value)
{
    const od_moments *a = quantities_of(r);
    if (r->kind == OD_ROWS_HISTOGRAM) {
        const uint32_t count = bins_of(r)[row];
        const size_t number = row / OD_BINS;
        if (count == 0) {
            return false;
        }
        value = read_times(r, number / a->cols, value);
        value[0] = (double)(number % a->cols);
        od_bin_bounds(row % OD_BINS, &value[1], &value[2]);
        value[3] = count;
        return true;
    }
    const od_moments *counted = r->kind == OD_ROWS_SINGLES ? singles_of(r) : a;
    if (counted->count[row] == 0) {
        return false;
    }
    if (r->kind == OD_ROWS_SINGLES) {
        *value++ = (double)(row / a->rows);
        value = read_times(r, row % a->rows, value);
        memcpy(value, counted->mean + row * counted->cols, counted->cols * sizeof *value);
        return true;
    }
    value = read_times(r, row, value);
    if (r->kind == OD_ROWS_COVARIANCE) {
        read_covariances(r, row, value);
    } else {
        read_quantities(r, row, value);
    }
    return true;
}
