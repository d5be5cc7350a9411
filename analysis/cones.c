/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cones.h"
#include "vector.h"

#include "../src/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool od_cones_add(od_cones *cones, double **block, double **residual)
{
    const size_t d = cones->d;
    if (cones->count == cones->room) {
        const size_t room = 2 * cones->room + 16;
        double **blocks = realloc(cones->block, room * sizeof *blocks);
        cones->block = blocks != NULL ? blocks : cones->block;
        double *r = realloc(cones->r, room * d * sizeof *r);
        cones->r = r != NULL ? r : cones->r;
        double *weight = realloc(cones->weight, room * sizeof *weight);
        cones->weight = weight != NULL ? weight : cones->weight;
        if (blocks == NULL || r == NULL || weight == NULL) {
            return false;
        }
        cones->room = room;
    }
    if ((*block = od_zalloc(2 * d * d, sizeof **block)) == NULL) {
        return false;
    }
    cones->block[cones->count] = *block;
    cones->weight[cones->count] = 0;
    *residual = cones->r + cones->count * d;
    cones->count++;
    return true;
}

void od_cones_set(od_cones *cones, size_t k)
{
    const size_t d = cones->d;
    const double *a = cones->block[k];
    double *gram = cones->block[k] + d * d;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            gram[i * d + j] = gram[j * d + i] = od_dot(d, a + i * d, a + j * d);
        }
    }
}

void od_cones_free(od_cones *cones)
{
    for (size_t k = 0; k < cones->count; k++) {
        free(cones->block[k]);
    }
    free(cones->block);
    free(cones->r);
    free(cones->weight);
    free(cones->work);
    *cones = (od_cones){.d = cones->d};
}

/* Lower Cholesky factor in place. Directions in which m is zero to rounding are left where they are. */
static void factor(size_t d, double *m)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < i; j++) {
            m[i * d + j] = (m[i * d + j] - od_dot(j, m + i * d, m + j * d)) * m[j * d + j];
        }
        const double pivot = m[i * d + i] - od_dot(i, m + i * d, m + i * d);
        m[i * d + i] = pivot > 4 * DBL_EPSILON * m[i * d + i] && pivot > DBL_MIN ? 1 / sqrt(pivot) : 0;
    }
}

static void solve(size_t d, const double *l, double *b)
{
    for (size_t i = 0; i < d; i++) {
        b[i] = (b[i] - od_dot(i, l + i * d, b)) * l[i * d + i];
    }
    for (size_t i = d; i-- > 0;) {
        b[i] *= l[i * d + i];
        od_add(i, -b[i], l + i * d, b);
    }
}

/* One solution under way. All lengths are relative to the largest |r_k|. */
typedef struct state {
    const od_cones *cones;
    double unit, reach; /* reach: relative, or INFINITY */
    double t, *c, *weight, ball_weight;
    double *slack, ball_slack; /* t - |r_k + A_k c|^2, reach^2 - |c|^2 */
    double *gradient;          /* [count*d] of |r_k + A_k c|^2 */
    double *matrix, *right, *solution, *trial, *value, *change;
    size_t unknowns, border_count, *border, *column;
} state;

/* r_k + A_k c, relative */
static double distance(const state *s, size_t k, const double *c, double *value)
{
    const size_t d = s->cones->d;
    memcpy(value, s->cones->r + k * d, d * sizeof *value);
    for (size_t i = 0; i < d; i++) {
        value[i] /= s->unit;
    }
    for (size_t i = 0; i < d; i++) {
        od_add(d, c[i], s->cones->block[k] + i * d, value);
    }
    return od_dot(d, value, value);
}

static void measure(state *s)
{
    const size_t d = s->cones->d;
    for (size_t k = 0; k < s->cones->count; k++) {
        s->slack[k] = s->t - distance(s, k, s->c, s->value);
        for (size_t i = 0; i < d; i++) {
            s->gradient[k * d + i] = 2 * od_dot(d, s->cones->block[k] + i * d, s->value);
        }
    }
    s->ball_slack = isfinite(s->reach) ? s->reach * s->reach - od_dot(d, s->c, s->c) : 0;
}

static void place(state *s, size_t row, size_t column, double value)
{
    s->matrix[row * s->unknowns + column] += value;
}

/* Steps whose slack is nearly gone, which keep their multiplier as an unknown. */
static void choose_border(state *s)
{
    static const double large = 1e4;
    const size_t d = s->cones->d;
    double curvature = 0;
    for (size_t k = 0; k < s->cones->count; k++) {
        for (size_t i = 0; i < d; i++) {
            curvature += 2 * s->weight[k] * s->cones->block[k][d * d + i * d + i] / (double)d;
        }
    }
    s->border_count = 0;
    for (size_t k = 0; k < s->cones->count && s->border_count < 2 * (d + 1); k++) {
        const double *g = s->gradient + k * d;
        if (s->weight[k] * od_dot(d, g, g) > large * curvature * s->slack[k]) {
            s->border[s->border_count++] = k;
        }
    }
    s->unknowns = d + 1 + s->border_count;
}

/*
 * Newton's equations in the changes of c and t and the new multipliers of the border; the other multipliers are
 * eliminated. Eliminating all would drown the curvature of the distances in that of the barrier.
 */
static void assemble(state *s, double centre)
{
    const od_cones *cones = s->cones;
    const size_t d = cones->d, n = s->unknowns;
    double *right = s->right;
    memset(s->matrix, 0, n * n * sizeof *s->matrix);
    memset(right, 0, n * sizeof *right);
    right[d] = -1;
    for (size_t k = 0, b = 0; k < cones->count; k++) {
        const double *g = s->gradient + k * d, w = s->weight[k] / s->slack[k];
        for (size_t i = 0; i < d; i++) {
            od_add(d, 2 * s->weight[k], cones->block[k] + d * d + i * d, s->matrix + i * n);
        }
        if (b < s->border_count && s->border[b] == k) {
            const size_t row = d + 1 + b++;
            od_add(d, 1, g, s->matrix + row * n);
            for (size_t i = 0; i < d; i++) {
                place(s, i, row, g[i]);
            }
            place(s, row, d, -1);
            place(s, d, row, -1);
            place(s, row, row, -s->slack[k] / s->weight[k]);
            right[row] = -centre / s->weight[k];
            continue;
        }
        for (size_t i = 0; i < d; i++) {
            od_add(d, w * g[i], g, s->matrix + i * n);
            place(s, i, d, -w * g[i]);
        }
        od_add(d, -w, g, s->matrix + d * n);
        place(s, d, d, w);
        od_add(d, -centre / s->slack[k], g, right);
        right[d] += centre / s->slack[k];
    }
    if (isfinite(s->reach)) {
        for (size_t i = 0; i < d; i++) {
            od_add(d, 4 * s->ball_weight / s->ball_slack * s->c[i], s->c, s->matrix + i * n);
            place(s, i, i, 2 * s->ball_weight);
            right[i] -= 2 * s->c[i] * centre / s->ball_slack;
        }
    }
}

/* The largest entry of rows and columns from `rank` on moves to their corner. */
static double bring_pivot(size_t n, size_t rank, double *m, double *b, size_t *column)
{
    size_t row = rank, best = rank;
    for (size_t i = rank; i < n; i++) {
        for (size_t j = rank; j < n; j++) {
            if (fabs(m[i * n + column[j]]) > fabs(m[row * n + column[best]])) {
                row = i;
                best = j;
            }
        }
    }
    const size_t swap = column[rank];
    column[rank] = column[best];
    column[best] = swap;
    for (size_t j = 0; j < n && row != rank; j++) {
        const double entry = m[rank * n + j];
        m[rank * n + j] = m[row * n + j];
        m[row * n + j] = entry;
    }
    const double entry = b[rank];
    b[rank] = b[row];
    b[row] = entry;
    return m[rank * n + column[rank]];
}

/* Gauss's elimination; unknowns that nothing depends on become 0. */
static void eliminate(size_t n, double *m, double *b, size_t *column, double *x)
{
    static const double nothing = 1e-25;
    double first = 0;
    size_t rank = 0;
    for (size_t i = 0; i < n; i++) {
        column[i] = i;
    }
    for (; rank < n; rank++) {
        const double pivot = bring_pivot(n, rank, m, b, column);
        first = fmax(first, fabs(pivot));
        if (!(fabs(pivot) > nothing * first)) {
            break;
        }
        for (size_t i = rank + 1; i < n; i++) {
            const double share = m[i * n + column[rank]] / pivot;
            if (share != 0) {
                od_add(n, -share, m + rank * n, m + i * n);
                m[i * n + column[rank]] = 0;
                b[i] -= share * b[rank];
            }
        }
    }
    memset(x, 0, n * sizeof *x);
    for (size_t i = rank; i-- > 0;) {
        double value = b[i];
        for (size_t j = i + 1; j < rank; j++) {
            value -= m[i * n + column[j]] * x[column[j]];
        }
        x[column[i]] = value / m[i * n + column[i]];
    }
}

/* Longest step that keeps all slacks and multipliers above a share of what they are. */
static double step_length(state *s, double t_change, const double *c_change, const double *weight_change,
                          double ball_change)
{
    static const double left = 0.01, least = 1e-10;
    const size_t d = s->cones->d;
    double length = 1;
    for (size_t k = 0; k < s->cones->count; k++) {
        if (weight_change[k] < 0) {
            length = fmin(length, (left - 1) * s->weight[k] / weight_change[k]);
        }
    }
    if (isfinite(s->reach) && ball_change < 0) {
        length = fmin(length, (left - 1) * s->ball_weight / ball_change);
    }
    for (; length > least; length *= 0.8) {
        bool inside = true;
        for (size_t i = 0; i < d; i++) {
            s->trial[i] = s->c[i] + length * c_change[i];
        }
        for (size_t k = 0; k < s->cones->count && inside; k++) {
            inside = s->t + length * t_change - distance(s, k, s->trial, s->value) >= left * s->slack[k];
        }
        if (inside && isfinite(s->reach)) {
            inside = s->reach * s->reach - od_dot(d, s->trial, s->trial) >= left * s->ball_slack;
        }
        if (inside) {
            return length;
        }
    }
    return 0;
}

/* A step towards the point where all products of slack and multiplier are `centre`; the share of it that was made. */
static double advance(state *s, double centre)
{
    const od_cones *cones = s->cones;
    const size_t d = cones->d;
    choose_border(s);
    assemble(s, centre);
    eliminate(s->unknowns, s->matrix, s->right, s->column, s->solution);
    const double *c = s->solution, t = c[d];
    for (size_t k = 0, b = 0; k < cones->count; k++) {
        if (b < s->border_count && s->border[b] == k) {
            s->change[k] = c[d + 1 + b++] - s->weight[k];
        } else {
            const double along = od_dot(d, s->gradient + k * d, c) - t;
            s->change[k] = (s->weight[k] * along + centre) / s->slack[k] - s->weight[k];
        }
    }
    const double ball = isfinite(s->reach)
                            ? (s->ball_weight * 2 * od_dot(d, s->c, c) + centre) / s->ball_slack - s->ball_weight
                            : 0;
    const double length = step_length(s, t, c, s->change, ball);
    s->t += length * t;
    od_add(d, length, c, s->c);
    od_add(cones->count, length, s->change, s->weight);
    s->ball_weight += length * ball;
    return length;
}

static bool prepare(od_cones *cones, state *s)
{
    const size_t d = cones->d, n = cones->count, most = 3 * (d + 1),
                 size = n * (d + 2) + most * most + 4 * most + 2 * d;
    if (cones->work_size < size) {
        free(cones->work);
        cones->work = od_zalloc(size, sizeof *cones->work);
        cones->work_size = cones->work != NULL ? size : 0;
    }
    if (cones->work == NULL) {
        return false;
    }
    double *next = cones->work;
    const struct {
        double **part;
        size_t size;
    } parts[] = {
        {&s->gradient, n * d}, {&s->slack, n},       {&s->change, n}, {&s->matrix, most * most},
        {&s->right, most},     {&s->solution, most}, {&s->trial, d},  {&s->value, d},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].part = next;
        next += parts[i].size;
    }
    s->border = (size_t *)next;
    s->column = s->border + most;
    s->cones = cones;
    s->weight = cones->weight;
    for (size_t k = 0; k < n; k++) {
        s->unit = fmax(s->unit, sqrt(od_dot(d, cones->r + k * d, cones->r + k * d)));
        s->weight[k] = 1 / (double)n;
    }
    return true;
}

bool od_cones_solve(od_cones *cones, double reach, double *c, double *radius)
{
    enum { MOST = 200 };
    /* of the square, so half of that in the radius */
    static const double accuracy = 1e-14;
    const size_t d = cones->d, n = cones->count;
    state s = {.t = 1.5, .c = c};
    memset(c, 0, d * sizeof *c);
    *radius = 0;
    if (!prepare(cones, &s)) {
        return false;
    }
    if (s.unit == 0) {
        return true;
    }
    s.reach = reach / s.unit;
    s.ball_weight = isfinite(s.reach) ? 1 / (s.reach * s.reach) : 0;
    double length = 1;
    for (int round = 0; round < MOST && length > 0; round++) {
        measure(&s);
        const double product = od_dot(n, s.weight, s.slack) + s.ball_weight * s.ball_slack;
        if (product <= accuracy * s.t) {
            break;
        }
        /* a short step means that some slack is much smaller than the others: even them out first */
        const double shrink = length > 0.9 ? 0.1 : length > 0.3 ? 0.4 : 0.9;
        length = advance(&s, shrink * product / (double)(n + isfinite(s.reach)));
    }
    double most = 0, sum = 0;
    for (size_t k = 0; k < n; k++) {
        most = fmax(most, distance(&s, k, c, s.value));
        sum += s.weight[k];
    }
    *radius = s.unit * sqrt(most);
    for (size_t k = 0; k < n; k++) {
        cones->weight[k] /= sum;
    }
    for (size_t i = 0; i < d; i++) {
        c[i] *= s.unit;
    }
    return true;
}

double od_cones_bound(const od_cones *cones, double reach)
{
    static const double share = 1e-14;
    const size_t d = cones->d;
    double *matrix = cones->work, *e = matrix + d * d, *x = e + d, squares = 0;
    memset(matrix, 0, (d * d + d) * sizeof *matrix);
    for (size_t k = 0; k < cones->count; k++) {
        const double *r = cones->r + k * d, w = cones->weight[k];
        squares += w * od_dot(d, r, r);
        od_add(d * d, w, cones->block[k] + d * d, matrix);
        for (size_t i = 0; i < d; i++) {
            e[i] += w * od_dot(d, cones->block[k] + i * d, r);
        }
    }
    /* plus ball (|c|^2 - reach^2), which no c within reach makes positive: it decides where nothing else does */
    const double ball = share * squares / (reach * reach);
    for (size_t i = 0; i < d; i++) {
        matrix[i * d + i] += ball;
    }
    memcpy(x, e, d * sizeof *x);
    factor(d, matrix);
    solve(d, matrix, x);
    return sqrt(fmax((1 - share) * squares - od_dot(d, e, x), 0));
}
