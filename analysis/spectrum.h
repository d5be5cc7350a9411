/*
 * The spectrum of a symmetric operator that is known by its products alone: eigenvalues at both ends, trace, density.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_SPECTRUM_H
#define OD_SPECTRUM_H

#include "../src/lanczos.h"

enum { OD_DENSITY_POINTS = 201 };

typedef struct od_spectrum_wish {
    size_t top, bottom; /* eigenvalues wanted at either end */
    double tolerance;   /* of their residuals over the largest modulus */
    size_t steps;       /* of one run of Lanczos' iteration */
    size_t probes;      /* random vectors for trace and density; 0: neither */
    size_t rule;        /* steps with each of them; with 1 there is no density */
    double width;       /* standard deviation of the Gaussian that the density is smoothed with; NaN: chosen */
    uint64_t seed;
} od_spectrum_wish;

/** A number from samples, with its standard error. */
typedef struct od_estimate {
    double value, error; /* error NaN for a single sample */
} od_estimate;

typedef struct od_spectrum_found {
    od_leading top, bottom;    /* bottom of the operator's negative: values with the other sign */
    od_estimate trace, square; /* of the operator and of its square */
    double width;
    double *at, *density, *error; /* [OD_DENSITY_POINTS], NULL without a density: it integrates to 1 */
    size_t products;
} od_spectrum_found;

/**
 * Fills *found; close it also after a failure.
 *
 * Trace  d times the mean over probes z/sqrt(d), z of random signs, of the first moment of their spectral measures
 *        (Hutchinson 1990); that of the square is exact from two steps on.
 * Density  the mean of these measures by Gauss' rules, smoothed (Lin, Saad and Yang 2016; Ghorbani, Krishnan and Xiao
 *        2019). The standard error is over the probes: that of the smoothed density by a rule of so many nodes.
 * Errors   those of od_lanczos_leading.
 */
od_status od_spectrum_find(od_context *ctx, size_t d, od_operator *apply, void *user, const od_spectrum_wish *wish,
                           od_spectrum_found *found);
void od_spectrum_close(od_spectrum_found *found);

#endif
