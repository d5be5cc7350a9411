/* Streaming moments that merge over a fixed tree. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_STATISTICS_H
#define OD_STATISTICS_H

#include "optdyn.h"

/** Count, mean and sum of squared deviations for each of rows x cols numbers; counts are per row. */
typedef struct od_moments {
    size_t rows, cols;
    uint64_t *count;   /* [rows] */
    double *mean, *m2; /* [rows*cols] */
    size_t changed;    /* the first row added to since the journal was written; SIZE_MAX: none */
    double *cross;     /* [rows*cols*(cols-1)/2] sums of products of deviations of columns i < j, i slow; or NULL */
} od_moments;

/** With `crossed` the products of different columns are summed, too. False: no memory; nothing to free. */
bool od_moments_init(od_moments *a, size_t rows, size_t cols, bool crossed);
void od_moments_free(od_moments *a);
/** Pairs of different columns. */
size_t od_moments_pairs(const od_moments *a);
/** Adds one path's numbers q[c*stride], c < cols (Welford 1962). */
void od_moments_add(od_moments *a, size_t row, const double *q, size_t stride);
/** Adds the mean of two paths' numbers, q[c*stride] and q[c*stride + 1], as one; not with `cross`. */
void od_moments_add_pair(od_moments *a, size_t row, const double *q, size_t stride);
/**
 * Adds b to a (Chan, Golub, LeVeque 1979); the order matters to the last bit, so callers fix it. b may have fewer rows.
 */
void od_moments_merge(od_moments *a, const od_moments *b);
/** Unbiased variance and standard error of the mean; NaN with fewer than two paths. */
double od_moments_var(const od_moments *a, size_t row, size_t col);
double od_moments_stderr(const od_moments *a, size_t row, size_t col);
/** Unbiased covariance of two columns; NaN with fewer than two paths or, off the diagonal, without `cross`. */
double od_moments_cov(const od_moments *a, size_t row, size_t i, size_t j);

/**
 * Counts in fixed bins, 64 to an octave of |x| from 2^-32 to 2^32 on either side of zero: a quantile read off its bin's
 * centre is within 1/128 of the value in that range. Integer counts do not depend on the order of the paths; 32 bits
 * hold them, for an experiment has at most 2^32 - 1 paths.
 */
enum { OD_OCTAVE = 64, OD_SIDE = 64 * OD_OCTAVE, OD_BINS = 2 * OD_SIDE + 1 };

/** The bin of x: 0 for the most negative, OD_SIDE for |x| < 2^-32. */
size_t od_bin(double x);
/** Bounds of a bin; those at either end have no outer one (infinite). */
void od_bin_bounds(size_t bin, double *low, double *high);
/** Centre of a bin, as if those at either end were as wide as their neighbours. */
double od_bin_centre(size_t bin);
/** The q-quantile of counts[OD_BINS], and its standard error from the neighbouring order statistics; NaN if empty. */
double od_bins_quantile(const uint32_t *counts, double q, double *standard_error);

/** What a run of some paths gave. */
typedef struct od_tally {
    od_moments flow, map;                 /* recorded rows */
    od_moments flow_states, map_states;   /* the state at these rows; no rows unless covariances are asked for */
    od_moments flow_singles, map_singles; /* row r of path p at p * rows + r, of one path each; of the first leaf */
    od_moments gap;                       /* squared gap at every iteration; no rows unless an ensemble in lock-step */
    /* the mean of each antithetic pair both of whose paths are alive: the independent samples; no rows without pairs */
    od_moments flow_pairs, map_pairs, flow_final_pairs, map_final_pairs;
    od_moments flow_final, map_final; /* one row: the final state */
    /* [rows*cols*OD_BINS] if quantiles or histograms are asked for; in the whole run's tally only */
    uint32_t *flow_bins, *map_bins;
    uint64_t stopped;
    double first_stop;      /* NaN if none stopped */
    double flow_t, map_t;   /* time reached by a single path */
    uint64_t iterations;    /* done by a single path */
    double gap_max, gap_at; /* of a single path */
    double reached;         /* time at which `stop` was met; NaN */
    uint64_t evaluations;
    char trouble[256]; /* why the first path stopped, if the scheme said so */
} od_tally;

/** All moments of a tally, in a fixed order; those from OD_TALLY_WHOLE on have one row. */
enum { OD_TALLY_MOMENTS = 13, OD_TALLY_WHOLE = 9 };
void od_tally_moments(od_tally *tally, od_moments *list[OD_TALLY_MOMENTS]);
void od_tally_merge(od_tally *a, const od_tally *b);
/** Standard error of a mean of `paths`, from `pairs` if they have rows. */
double od_pairs_stderr(const od_moments *paths, const od_moments *pairs, size_t row, size_t col);

#endif
