/*
 * maximise sum_k m_k value_k + sum_j (p_j low_j - q_j high_j)   over m, p, q >= 0
 * subject to sum_k m_k row_kj - p_j + q_j = 0 for each j,  sum_k m_k = 1.
 *
 * Columns are numbered: forms, then p_0, q_0, p_1, ... The inverse of the basis is kept explicitly, n + 1 square.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "simplex.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ROWS = OD_SIMPLEX_MAX + 1, EXCHANGES = 60 };

typedef struct program {
    size_t n;
    uint64_t count;
    const od_simplex_column *form;
    const double *low, *high;
    uint64_t basis[ROWS];
    double inverse[ROWS][ROWS], x[ROWS];
} program;

static double price(const program *p, uint64_t column)
{
    if (column < p->count) {
        return p->form[column].value;
    }
    const uint64_t j = (column - p->count) / 2;
    return (column - p->count) % 2 == 0 ? p->low[j] : -p->high[j];
}

static double entry(const program *p, uint64_t column, size_t row)
{
    if (column < p->count) {
        return row < p->n ? p->form[column].row[row] : 1;
    }
    return row == (column - p->count) / 2 ? ((column - p->count) % 2 == 0 ? -1 : 1) : 0;
}

/* The form with the largest least value alone, and what its row needs of p and q. */
static void begin(program *p)
{
    uint64_t best = 0;
    double most = -INFINITY;
    for (uint64_t k = 0; k < p->count; k++) {
        double value = p->form[k].value;
        for (size_t j = 0; j < p->n; j++) {
            value += fmin(p->form[k].row[j] * p->low[j], p->form[k].row[j] * p->high[j]);
        }
        if (value > most) {
            most = value;
            best = k;
        }
    }
    memset(p->inverse, 0, sizeof p->inverse);
    for (size_t j = 0; j < p->n; j++) {
        const double a = p->form[best].row[j], sign = a >= 0 ? 1 : -1;
        p->basis[j] = p->count + 2 * j + (a >= 0 ? 0 : 1);
        p->inverse[j][j] = -sign;
        p->inverse[j][p->n] = fabs(a);
        p->x[j] = fabs(a);
    }
    p->basis[p->n] = best;
    p->inverse[p->n][p->n] = 1;
    p->x[p->n] = 1;
}

/* What the rows are worth; at the end minus the minimiser, and the minimum. Returns the largest price. */
static double find_dual(const program *p, double dual[ROWS])
{
    double size = 0;
    memset(dual, 0, ROWS * sizeof *dual);
    for (size_t i = 0; i <= p->n; i++) {
        const double c = price(p, p->basis[i]);
        for (size_t r = 0; r <= p->n; r++) {
            dual[r] += c * p->inverse[i][r];
        }
        size = fmax(size, fabs(c));
    }
    return size;
}

/* The column that gains most, or one past the last if none gains. */
static uint64_t entering(const program *p)
{
    double dual[ROWS];
    const double size = find_dual(p, dual);
    const uint64_t end = p->count + 2 * p->n;
    uint64_t best = end;
    double most = 1e-13 * size;
    for (uint64_t k = 0; k < end; k++) {
        double gain = price(p, k);
        for (size_t r = 0; r <= p->n; r++) {
            gain -= dual[r] * entry(p, k, r);
        }
        if (gain > most) {
            most = gain;
            best = k;
        }
    }
    return best;
}

/* Brings a column into the basis; false if that cannot be. */
static bool exchange(program *p, uint64_t column)
{
    double step[ROWS] = {0}, least = INFINITY;
    size_t out = ROWS;
    for (size_t i = 0; i <= p->n; i++) {
        for (size_t r = 0; r <= p->n; r++) {
            step[i] += p->inverse[i][r] * entry(p, column, r);
        }
        if (step[i] > 1e-12 && p->x[i] / step[i] < least) {
            least = p->x[i] / step[i];
            out = i;
        }
    }
    if (out == ROWS) {
        return false;
    }
    for (size_t r = 0; r <= p->n; r++) {
        p->inverse[out][r] /= step[out];
    }
    p->x[out] = least;
    p->basis[out] = column;
    for (size_t i = 0; i <= p->n; i++) {
        if (i == out) {
            continue;
        }
        for (size_t r = 0; r <= p->n; r++) {
            p->inverse[i][r] -= step[i] * p->inverse[out][r];
        }
        p->x[i] = fmax(p->x[i] - step[i] * least, 0);
    }
    return true;
}

size_t od_simplex_mean(size_t n, uint64_t count, const od_simplex_column *form, const double *low, const double *high,
                       double *minimiser, uint64_t *which, double *share)
{
    program p = {.n = n, .count = count, .form = form, .low = low, .high = high};
    begin(&p);
    for (unsigned i = 0; i < EXCHANGES; i++) {
        const uint64_t column = entering(&p);
        if (column == count + 2 * n || !exchange(&p, column)) {
            break;
        }
    }
    double dual[ROWS];
    find_dual(&p, dual);
    for (size_t j = 0; j < n; j++) {
        minimiser[j] = fmin(fmax(-dual[j], low[j]), high[j]);
    }
    size_t found = 0;
    for (size_t i = 0; i <= n; i++) {
        if (p.basis[i] < count && p.x[i] > 0 && p.x[i] < INFINITY) {
            which[found] = p.basis[i];
            share[found++] = p.x[i];
        }
    }
    return found;
}
