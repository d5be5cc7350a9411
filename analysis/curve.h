/* A curve in time, computed or from a file. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CURVE_H
#define OD_CURVE_H

#include "trajectory.h"

/** Either a path or a table; zero-initialise, then one of the functions below. */
typedef struct od_curve {
    size_t d;
    od_trajectory *path; /* not owned */
    size_t rows;
    bool broken; /* straight between rows, else cubic */
    double *t;   /* [rows] */
    double *x;   /* [rows*d] */
    double *slope;
} od_curve;

/**
 * Reads the CSV file that the entry `name` gives, relative to the experiment file: rows t, x_1, ..., x_d, t ascending,
 * after an optional header. Between rows the curve is the cubic with the slopes of the polynomial of degree 4 through
 * the five nearest rows (fewer if there are fewer). It must cover interval[2].
 */
od_status od_curve_read(od_context *ctx, const od_settings *s, const char *name, size_t d, const double interval[2],
                        od_curve *curve);
/** A curve that is straight between `rows` equally distant times from t1 to t2, at zero. */
od_status od_curve_broken(od_context *ctx, size_t d, double t1, double t2, size_t rows, od_curve *curve);
/** x[d], v[d] and acceleration a[d]; each may be NULL. */
od_status od_curve_at(const od_curve *curve, double t, double *x, double *v, double *a);
void od_curve_close(od_curve *curve);

#endif
