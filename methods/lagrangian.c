/*
 * The flow of a Lagrangian whose weights are given as a table:
 *
 *   L = e^a |x'|^2/2 - e^b f,   x'' + a' x' + e^{b-a} g(x) = 0
 *
 * Between rows a and b are cubic splines, twice continuously differentiable, whose end slopes are those of the parabola
 * through the three rows there; before the first and after the last row they go on along straight lines.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "law.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>

/* The law's table: the number of rows n, then t[n], a[n], a'[n], b[n], b'[n]. */
enum { COLUMNS = 5 };

static const double *column(const double *table, size_t which)
{
    return table + 1 + which * (size_t)table[0];
}

/* Value and slope at t of the spline in columns `which` and which + 1. */
static void spline_at(const double *table, size_t which, double t, double out[2])
{
    const size_t n = (size_t)table[0];
    const double *time = column(table, 0), *y = column(table, which), *slope = column(table, which + 1);
    if (t < time[0] || t > time[n - 1]) {
        const size_t end = t < time[0] ? 0 : n - 1;
        out[0] = y[end] + slope[end] * (t - time[end]);
        out[1] = slope[end];
        return;
    }
    size_t low = 0, high = n - 1;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (time[middle] <= t) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const double h = time[high] - time[low], u = (t - time[low]) / h, rise = y[high] - y[low];
    const double p = h * slope[low], q = h * slope[high], square = 3 * rise - 2 * p - q, cube = p + q - 2 * rise;
    out[0] = y[low] + u * (p + u * (square + u * cube));
    out[1] = (p + u * (2 * square + u * 3 * cube)) / h;
}

static double damping(const double *table, double t)
{
    double a[2];
    spline_at(table, 1, t, a);
    return a[1];
}

static double force(const double *table, double t)
{
    double a[2], b[2];
    spline_at(table, 1, t, a);
    spline_at(table, 3, t, b);
    return exp(b[0] - a[0]);
}

static void lagrangian(const double *table, double t, double a[2], double b[2])
{
    spline_at(table, 1, t, a);
    spline_at(table, 3, t, b);
}

/* Slope at row 0 of the parabola through rows 0, 1 and 2; step is -1 from the other end. */
static double end_slope(const double *t, const double *y, long step)
{
    const double h = t[step] - t[0], k = t[2 * step] - t[0], r = (y[step] - y[0]) / h, s = (y[2 * step] - y[0]) / k;
    return (k * r - h * s) / (k - h);
}

/* Slopes that make the second derivative continuous, by elimination; `work` has room for n numbers. */
static void set_slopes(size_t n, const double *t, const double *y, double *slope, double *work)
{
    if (n == 2) {
        slope[0] = slope[1] = (y[1] - y[0]) / (t[1] - t[0]);
        return;
    }
    slope[0] = end_slope(t, y, 1);
    slope[n - 1] = end_slope(t + n - 1, y + n - 1, -1);
    work[0] = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        const double left = 1 / (t[i] - t[i - 1]), right = 1 / (t[i + 1] - t[i]);
        const double load = 3 * ((y[i] - y[i - 1]) * left * left + (y[i + 1] - y[i]) * right * right);
        const double pivot = 2 * (left + right) - left * work[i - 1];
        work[i] = right / pivot;
        slope[i] = (load - left * slope[i - 1]) / pivot;
    }
    for (size_t i = n - 2; i > 0; i--) {
        slope[i] -= work[i] * slope[i + 1];
    }
}

static od_status read_table(od_context *ctx, const od_settings *s, double *table, double *work)
{
    const od_value *rows = od_setting(s, "weights");
    const size_t n = rows->rows;
    double *t = table + 1;
    table[0] = (double)n;
    for (size_t i = 0; i < n; i++) {
        const double *row = rows->list + 3 * i;
        if (!(row[1] > 0) || !(row[2] > 0) || (i > 0 && !(row[0] > row[-3]))) {
            return od_setting_fail(ctx, s, "weights",
                                   "row %zu is [%g, %g, %g]; times must ascend and weights be positive", i + 1, row[0],
                                   row[1], row[2]);
        }
        t[i] = row[0];
        t[n + i] = log(row[1]);
        t[3 * n + i] = log(row[2]);
    }
    set_slopes(n, t, t + n, t + 2 * n, work);
    set_slopes(n, t, t + 3 * n, t + 4 * n, work);
    return OD_OK;
}

static od_status lagrangian_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                                 od_flow *flow)
{
    (void)face;
    const od_value *rows = od_setting(s, "weights");
    if (rows->rows < 2 || rows->cols != 3) {
        return od_setting_fail(ctx, s, "weights", "expected at least two rows [t, kinetic weight, potential weight]");
    }
    const size_t size = 1 + COLUMNS * rows->rows;
    double *table = od_zalloc(size + rows->rows, sizeof *table);
    if (table == NULL) {
        return od_fail(ctx, OD_ENOMEM, "method.weights", "no memory for %zu rows", rows->rows);
    }
    const od_law law = {.order = 2,
                        .table = table,
                        .table_size = size,
                        .damping = damping,
                        .force = force,
                        .no_propagator = "none is known for weights from a table",
                        .lagrangian = lagrangian};
    od_status status = read_table(ctx, s, table, table + size);
    status = status == OD_OK ? od_law_flow(ctx, s, f, &law, od_setting_real(s, "step"), flow) : status;
    free(table);
    return status;
}

const od_method_type od_method_lagrangian = {
    .name = "lagrangian",
    .summary = "the flow of a Lagrangian with given weights of kinetic and potential energy",
    .source = "Wibisono, Wilson, Jordan (2016), eq. (1), in its Euclidean form",
    .params = (const od_param[]){{.name = "weights",
                                  .kind = OD_MATRIX,
                                  .fallback = NULL,
                                  .meaning = "rows [t, e^a, e^b], kinetic and potential weight; their logarithms are "
                                             "cubic splines between and straight outside"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + a' x' + e^{b-a} grad f(x) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{NULL, NULL}},
    .flow = lagrangian_flow,
    .correspondence = "there is no iteration",
};
