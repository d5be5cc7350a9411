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
#include "random.h"

#include <math.h>
#include <string.h>

enum { MAX_LEVEL = 40 };

typedef struct cell {
    double w[2][OD_LANES], j[2][OD_LANES]; /* a pair of components */
} cell;

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
static void root_cell(const od_brownian *w, od_normals *normals, uint64_t path, uint64_t pair, uint64_t n, bool area,
                      cell *c)
{
    const double scale = sqrt(w->base), area_scale = sqrt(w->base * w->base * w->base / 12);
    normals(w->seed, OD_STREAM_BROWNIAN, 0, path, pair, n, c->w[0], c->w[1]);
    if (area) {
        normals(w->seed, OD_STREAM_AREA, 0, path, pair, n, c->j[0], c->j[1]);
    }
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned lane = 0; lane < OD_LANES; lane++) {
            c->w[i][lane] *= scale;
            c->j[i][lane] *= area ? area_scale : 0;
        }
    }
}

/* From a cell of width H at level - 1 to its left (side 0) or right half n of `level`. */
static void halve(const od_brownian *w, od_normals *normals, uint64_t path, uint64_t pair, unsigned level, uint64_t n,
                  double width, cell *c)
{
    const double h = width / 2, bridge = sqrt(width / 16), area = sqrt(h * h * h / 24);
    double xi[2][OD_LANES], eta[2][OD_LANES];
    /* the draws belong to the parent, so both halves see the same ones */
    normals(w->seed, OD_STREAM_BROWNIAN, level, path, pair, n / 2, xi[0], xi[1]);
    normals(w->seed, OD_STREAM_AREA, level, path, pair, n / 2, eta[0], eta[1]);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned lane = 0; lane < OD_LANES; lane++) {
            const double whole = c->w[i][lane], j = c->j[i][lane];
            const double w1 = whole / 2 + 3 * j / (2 * width) + bridge * xi[i][lane], w2 = whole - w1;
            const double s = j - h * (w1 - w2) / 2;
            const double j1 = s / 2 + area * eta[i][lane];
            c->w[i][lane] = n % 2 == 0 ? w1 : w2;
            c->j[i][lane] = n % 2 == 0 ? j1 : s - j1;
        }
    }
}

static void cell_at(const od_brownian *w, od_normals *normals, uint64_t path, uint64_t pair, unsigned level, uint64_t n,
                    bool area, cell *c)
{
    root_cell(w, normals, path, pair, n >> level, area || level > 0, c);
    double width = w->base;
    for (unsigned l = 1; l <= level; l++) {
        halve(w, normals, path, pair, l, n >> (level - l), width, c);
        width /= 2;
    }
}

/* The sums over a coarse interval, or the one cell there is. */
static void interval_at(const od_brownian *w, od_normals *normals, const od_interval *interval, uint64_t path,
                        uint64_t pair, bool area, double sum[2][OD_LANES], double time_integral[2][OD_LANES])
{
    const double width = ldexp(w->base, -(int)interval->level);
    cell c;
    memset(sum, 0, 2 * sizeof *sum);
    memset(time_integral, 0, 2 * sizeof *time_integral);
    for (uint64_t k = 0; k < interval->count; k++) {
        cell_at(w, normals, path, pair, interval->level, interval->first + k, area, &c);
        for (unsigned i = 0; i < 2; i++) {
            for (unsigned lane = 0; lane < OD_LANES; lane++) {
                time_integral[i][lane] += c.j[i][lane] + width * (c.w[i][lane] / 2 + sum[i][lane]);
                sum[i][lane] += c.w[i][lane];
            }
        }
    }
}

void od_brownian_increment(const od_brownian *w, const od_interval *interval, uint64_t first_path, size_t n, double *dw,
                           double *integral)
{
    od_normals *normals = od_normals_best();
    /* one base cell, increments only: what every step of an ensemble asks for, without the sums */
    const bool plain = interval->level == 0 && interval->count == 1 && integral == NULL;
    const double scale = sqrt(w->base);
    for (size_t pair = 0; 2 * pair < w->dim; pair++) {
        const size_t columns = w->dim - 2 * pair < 2 ? 1 : 2;
        for (size_t p = 0; p < n; p += OD_LANES) {
            const size_t lanes = n - p < OD_LANES ? n - p : OD_LANES;
            double sum[2][OD_LANES], time_integral[2][OD_LANES];
            if (plain) {
                normals(w->seed, OD_STREAM_BROWNIAN, 0, first_path + p, pair, interval->first, sum[0], sum[1]);
            } else {
                interval_at(w, normals, interval, first_path + p, pair, integral != NULL, sum, time_integral);
            }
            for (size_t i = 0; i < columns; i++) {
                double *to = dw + (2 * pair + i) * n + p;
                for (size_t lane = 0; lane < lanes; lane++) {
                    to[lane] = plain ? scale * sum[i][lane] : sum[i][lane];
                }
                if (integral != NULL) {
                    memcpy(integral + (2 * pair + i) * n + p, time_integral[i], lanes * sizeof(double));
                }
            }
        }
    }
}
