/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "statistics.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t od_moments_pairs(const od_moments *a)
{
    return a->cols * (a->cols - (a->cols > 0)) / 2;
}

bool od_moments_init(od_moments *a, size_t rows, size_t cols, bool crossed)
{
    *a = (od_moments){.rows = rows, .cols = cols};
    const size_t numbers = crossed && od_moments_pairs(a) > cols ? od_moments_pairs(a) : cols;
    const bool fits = numbers == 0 || rows <= SIZE_MAX / numbers;
    a->count = od_zalloc(rows, sizeof *a->count);
    a->mean = fits ? od_zalloc(rows * cols, sizeof *a->mean) : NULL;
    a->m2 = fits ? od_zalloc(rows * cols, sizeof *a->m2) : NULL;
    a->cross = fits && crossed ? od_zalloc(rows * od_moments_pairs(a), sizeof *a->cross) : NULL;
    if (a->count == NULL || a->mean == NULL || a->m2 == NULL || (crossed && a->cross == NULL)) {
        od_moments_free(a);
        return false;
    }
    return true;
}

void od_moments_free(od_moments *a)
{
    free(a->count);
    free(a->mean);
    free(a->m2);
    free(a->cross);
    *a = (od_moments){0};
}

/* Before the means move: sums += di dj weight, where d are the deviations of a point from the means. */
static void add_cross(od_moments *a, size_t row, const double *point, size_t stride, double weight)
{
    const double *mean = a->mean + row * a->cols;
    double *sum = a->cross + row * od_moments_pairs(a);
    for (size_t i = 0; i < a->cols; i++) {
        const double scaled = weight * (point[i * stride] - mean[i]);
        for (size_t j = i + 1; j < a->cols; j++) {
            *sum++ += scaled * (point[j * stride] - mean[j]);
        }
    }
}

void od_moments_add(od_moments *a, size_t row, const double *q, size_t stride)
{
    double *mean = a->mean + row * a->cols, *m2 = a->m2 + row * a->cols;
    a->changed = row < a->changed ? row : a->changed;
    const double count = (double)++a->count[row];
    if (a->cross != NULL) {
        add_cross(a, row, q, stride, (count - 1) / count);
    }
    for (size_t c = 0; c < a->cols; c++) {
        const double delta = q[c * stride] - mean[c];
        mean[c] += delta / count;
        m2[c] += delta * (q[c * stride] - mean[c]);
    }
}

void od_moments_add_pair(od_moments *a, size_t row, const double *q, size_t stride)
{
    double *mean = a->mean + row * a->cols, *m2 = a->m2 + row * a->cols;
    a->changed = row < a->changed ? row : a->changed;
    const double count = (double)++a->count[row];
    for (size_t c = 0; c < a->cols; c++) {
        const double x = (q[c * stride] + q[c * stride + 1]) / 2, delta = x - mean[c];
        mean[c] += delta / count;
        m2[c] += delta * (x - mean[c]);
    }
}

void od_moments_merge(od_moments *a, const od_moments *b)
{
    for (size_t r = 0; r < b->rows; r++) {
        const double na = (double)a->count[r], nb = (double)b->count[r], n = na + nb;
        a->count[r] += b->count[r];
        if (nb == 0) {
            continue;
        }
        if (a->cross != NULL) {
            add_cross(a, r, b->mean + r * a->cols, 1, na * nb / n);
            for (size_t i = r * od_moments_pairs(a); i < (r + 1) * od_moments_pairs(a); i++) {
                a->cross[i] += b->cross[i];
            }
        }
        for (size_t i = r * a->cols; i < (r + 1) * a->cols; i++) {
            const double delta = b->mean[i] - a->mean[i];
            a->mean[i] = na == 0 ? b->mean[i] : a->mean[i] + delta * (nb / n);
            a->m2[i] = na == 0 ? b->m2[i] : a->m2[i] + b->m2[i] + delta * delta * (na * nb / n);
        }
    }
}

double od_moments_var(const od_moments *a, size_t row, size_t col)
{
    const uint64_t n = a->count[row];
    return n < 2 ? NAN : a->m2[row * a->cols + col] / (double)(n - 1);
}

double od_moments_stderr(const od_moments *a, size_t row, size_t col)
{
    return sqrt(od_moments_var(a, row, col) / (double)a->count[row]);
}

double od_moments_cov(const od_moments *a, size_t row, size_t i, size_t j)
{
    if (i == j) {
        return od_moments_var(a, row, i);
    }
    const size_t low = i < j ? i : j, high = i < j ? j : i;
    const size_t pair = low * a->cols - low * (low + 1) / 2 + (high - low - 1);
    const uint64_t n = a->count[row];
    return n < 2 || a->cross == NULL ? NAN : a->cross[row * od_moments_pairs(a) + pair] / (double)(n - 1);
}

size_t od_bin(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    /* exponent and the six leading bits of the mantissa count sixty-fourths of octaves */
    const int64_t place = (int64_t)(bits >> 46 & 0x1ffff) - (int64_t)(1023 - 32) * OD_OCTAVE;
    const size_t distance = place < 0 ? 0 : place >= OD_SIDE ? OD_SIDE : (size_t)place + 1;
    return x < 0 ? OD_SIDE - distance : OD_SIDE + distance;
}

/* The smallest size that lies `place` bins beyond the one at zero. */
static double edge(size_t place)
{
    return ldexp(1 + (double)(place % OD_OCTAVE) / OD_OCTAVE, (int)(place / OD_OCTAVE) - 32);
}

void od_bin_bounds(size_t bin, double *low, double *high)
{
    if (bin == OD_SIDE) {
        *high = edge(0);
        *low = -*high;
        return;
    }
    const size_t place = (bin > OD_SIDE ? bin - OD_SIDE : OD_SIDE - bin) - 1;
    const double inner = edge(place), outer = place + 1 < OD_SIDE ? edge(place + 1) : INFINITY;
    *low = bin > OD_SIDE ? inner : -outer;
    *high = bin > OD_SIDE ? outer : -inner;
}

double od_bin_centre(size_t bin)
{
    if (bin == OD_SIDE) {
        return 0;
    }
    const size_t place = (bin > OD_SIDE ? bin - OD_SIDE : OD_SIDE - bin) - 1;
    const double size = (edge(place) + edge(place + 1)) / 2;
    return bin > OD_SIDE ? size : -size;
}

static double value_of_rank(const uint32_t *counts, double rank)
{
    double below = 0;
    for (size_t i = 0; i < OD_BINS; i++) {
        below += counts[i];
        if (below > rank) {
            return od_bin_centre(i);
        }
    }
    return NAN;
}

double od_bins_quantile(const uint32_t *counts, double q, double *standard_error)
{
    double n = 0;
    for (size_t i = 0; i < OD_BINS; i++) {
        n += counts[i];
    }
    const double rank = q * (n - 1), spread = sqrt(n * q * (1 - q));
    const double low = value_of_rank(counts, fmax(0, rank - spread));
    const double high = value_of_rank(counts, fmin(n - 1, rank + spread));
    *standard_error = n < 2 ? NAN : (high - low) / 2;
    return n < 1 ? NAN : value_of_rank(counts, rank);
}

double od_pairs_stderr(const od_moments *paths, const od_moments *pairs, size_t row, size_t col)
{
    return od_moments_stderr(pairs->rows > 0 ? pairs : paths, row, col);
}

void od_tally_moments(od_tally *t, od_moments *list[OD_TALLY_MOMENTS])
{
    od_moments *const all[OD_TALLY_MOMENTS] = {
        &t->flow,           &t->map,        &t->gap,       &t->flow_states, &t->map_states,       &t->flow_singles,
        &t->map_singles,    &t->flow_pairs, &t->map_pairs, &t->flow_final,  &t->flow_final_pairs, &t->map_final,
        &t->map_final_pairs};
    memcpy(list, all, sizeof all);
}

void od_tally_merge(od_tally *a, const od_tally *b)
{
    od_moments *to[OD_TALLY_MOMENTS], *from[OD_TALLY_MOMENTS];
    od_tally_moments(a, to);
    od_tally_moments((od_tally *)b, from); /* only read */
    for (size_t i = 0; i < OD_TALLY_MOMENTS; i++) {
        od_moments_merge(to[i], from[i]);
    }
    a->stopped += b->stopped;
    if (!isnan(b->first_stop) && !(a->first_stop <= b->first_stop)) {
        a->first_stop = b->first_stop;
        memcpy(a->trouble, b->trouble, sizeof a->trouble);
    }
    a->evaluations += b->evaluations;
}
