/*
 * Brownian motion on a base grid, with its bridge.
 *
 * Over an interval of length H the pair (W, J), W the increment and J = int (W(s) - W(a)) ds - H W/2, is Gaussian with
 * independent parts of variance H and H^3/12. Halving it: given (W, J),
 *   W1 = W/2 + 3J/(2H) + sqrt(H/16) xi,   J1 = S/2 + sqrt(h^3/24) eta,   J2 = S - J1,   S = J - h (W1 - W2)/2,
 * with h = H/2 and W2 = W - W1. J is drawn from a stream of its own, so asking for it never changes W.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "clones.h"
#include "random.h"

#include <math.h>
#include <string.h>

enum { MAX_LEVEL = 40, LANES = 64 };

/* (W, J) of a pair of components for up to LANES paths. */
typedef struct cell {
    double w[2][LANES], j[2][LANES];
} cell;

/* What all cells of one call have in common. */
typedef struct source {
    const od_brownian *w;
    od_normals *normals;
    uint64_t path, pair;
    size_t lanes; /* how many paths */
} source;

static bool near_whole(double x, uint64_t *whole)
{
    double r = round(x);
    if (!(fabs(x - r) <= 1e-6) || r < 0 || r >= 0x1p53) {
        return false;
    }
    *whole = (uint64_t)r;
    return true;
}

od_status od_brownian_interval(const od_brownian *w, double a, double b, od_interval *interval)
{
    for (unsigned level = 0; level <= MAX_LEVEL; level++) {
        const double width = ldexp(w->base, -(int)level);
        uint64_t first, last;
        if (near_whole((a - w->origin) / width, &first) && near_whole((b - w->origin) / width, &last) && last > first) {
            *interval = (od_interval){first, last - first, level};
            return OD_OK;
        }
    }
    return OD_EINVAL;
}

/* (W, J) of cell n of level 0. */
static void root_cell(const source *s, uint64_t n, bool area, cell *c)
{
    const double base = s->w->base;
    s->normals(s->w->seed, OD_STREAM_BROWNIAN, 0, s->path, s->pair, n, sqrt(base), s->lanes, c->w[0], c->w[1]);
    if (area) {
        s->normals(s->w->seed, OD_STREAM_AREA, 0, s->path, s->pair, n, sqrt(base * base * base / 12), s->lanes, c->j[0],
                   c->j[1]);
    }
}

/* From a cell of width H at level - 1 to its left (side 0) or right half n of `level`. */
OD_CLONES static void halve(const source *s, unsigned level, uint64_t n, double width, cell *c)
{
    const double h = width / 2, bridge = sqrt(width / 16), area = sqrt(h * h * h / 24);
    double xi[2][LANES], eta[2][LANES];
    /* the draws belong to the parent, so both halves see the same ones */
    s->normals(s->w->seed, OD_STREAM_BROWNIAN, level, s->path, s->pair, n / 2, 1, s->lanes, xi[0], xi[1]);
    s->normals(s->w->seed, OD_STREAM_AREA, level, s->path, s->pair, n / 2, 1, s->lanes, eta[0], eta[1]);
    for (unsigned i = 0; i < 2; i++) {
        for (size_t lane = 0; lane < s->lanes; lane++) {
            const double whole = c->w[i][lane], j = c->j[i][lane];
            const double w1 = whole / 2 + 3 * j / (2 * width) + bridge * xi[i][lane], w2 = whole - w1;
            const double sum = j - h * (w1 - w2) / 2;
            const double j1 = sum / 2 + area * eta[i][lane];
            c->w[i][lane] = n % 2 == 0 ? w1 : w2;
            c->j[i][lane] = n % 2 == 0 ? j1 : sum - j1;
        }
    }
}

static void cell_at(const source *s, unsigned level, uint64_t n, bool area, cell *c)
{
    root_cell(s, n >> level, area || level > 0, c);
    double width = s->w->base;
    for (unsigned l = 1; l <= level; l++) {
        halve(s, l, n >> (level - l), width, c);
        width /= 2;
    }
}

/* Adds component i of a cell that follows the interval summed so far; integral may be NULL. */
OD_CLONES static void add_cell(const source *s, const cell *c, unsigned i, double width, double *restrict dw,
                               double *restrict integral)
{
    for (size_t p = 0; p < s->lanes && integral != NULL; p++) {
        integral[p] += c->j[i][p] + width * (c->w[i][p] / 2 + dw[p]);
    }
    for (size_t p = 0; p < s->lanes; p++) {
        dw[p] += c->w[i][p];
    }
}

/* The sums over the cells of an interval, for the component at dw and, `both`, the next one n doubles behind. */
static void interval_at(const source *s, const od_interval *interval, bool both, size_t n, double *dw, double *integral)
{
    const double width = ldexp(s->w->base, -(int)interval->level);
    const size_t room = s->lanes * sizeof *dw;
    cell c;
    for (unsigned i = 0; i < (both ? 2 : 1); i++) {
        memset(dw + i * n, 0, room);
        if (integral != NULL) {
            memset(integral + i * n, 0, room);
        }
    }
    for (uint64_t k = 0; k < interval->count; k++) {
        cell_at(s, interval->level, interval->first + k, integral != NULL, &c);
        for (unsigned i = 0; i < (both ? 2 : 1); i++) {
            add_cell(s, &c, i, width, dw + i * n, integral != NULL ? integral + i * n : NULL);
        }
    }
}

/* Rows of n/2 numbers, one behind the other, become rows of n: each number and its opposite. From the end, in place. */
static void mirror(size_t rows, size_t n, double *x)
{
    for (size_t i = rows * n / 2; i-- > 0;) {
        const double value = x[i];
        x[2 * i] = value;
        x[2 * i + 1] = -value;
    }
}

void od_brownian_increment(const od_brownian *w, const od_interval *interval, uint64_t first_path, size_t n, double *dw,
                           double *integral)
{
    if (w->antithetic) {
        od_brownian half = *w;
        half.antithetic = false;
        od_brownian_increment(&half, interval, first_path / 2, n / 2, dw, integral);
        mirror(w->dim, n, dw);
        mirror(integral != NULL ? w->dim : 0, n, integral);
        return;
    }
    od_normals *normals = od_normals_best();
    /* one base cell, increments only: what every step of an ensemble asks for, without the sums */
    const bool plain = interval->level == 0 && interval->count == 1 && integral == NULL;
    for (size_t pair = 0; 2 * pair < w->dim; pair++) {
        const bool both = 2 * pair + 1 < w->dim;
        double *to = dw + 2 * pair * n;
        if (plain) {
            normals(w->seed, OD_STREAM_BROWNIAN, 0, first_path, pair, interval->first, sqrt(w->base), n, to,
                    both ? to + n : NULL);
            continue;
        }
        for (size_t p = 0; p < n; p += LANES) {
            const source s = {w, normals, first_path + p, pair, n - p < LANES ? n - p : LANES};
            interval_at(&s, interval, both, n, to + p, integral != NULL ? integral + 2 * pair * n + p : NULL);
        }
    }
}
