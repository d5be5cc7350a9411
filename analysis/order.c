/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "order.h"

#include <math.h>

const double od_order_student = 2.0395134463964077;

enum { ALL = OD_GROUPS };

/* Mean over all groups but one. */
static double mean_without(const od_errors *e, size_t level, size_t without)
{
    const od_moments *a = e->groups;
    double sum = 0, count = 0;
    for (size_t g = 0; g < OD_GROUPS; g++) {
        if (g != without) {
            sum += (double)a->count[g] * a->mean[g * a->cols + e->column[level]];
            count += (double)a->count[g];
        }
    }
    return sum / count + e->shift[level];
}

static double error_without(const od_errors *e, size_t level, size_t without)
{
    return pow(fabs(mean_without(e, level, without)), e->power);
}

static double slope_of(const double *log_error, const double *level, size_t count)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < count; i++) {
        sx += level[i];
        sy += log_error[i];
        sxx += level[i] * level[i];
        sxy += level[i] * log_error[i];
    }
    const double n = (double)count;
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static double slope_without(const od_errors *e, size_t level, size_t without)
{
    (void)level;
    double x[OD_MAX_LEVELS], y[OD_MAX_LEVELS];
    size_t count = 0;
    for (size_t l = 0; l < e->levels; l++) {
        if (e->used[l]) {
            x[count] = (double)l;
            y[count++] = log2(error_without(e, l, without));
        }
    }
    return count < 2 ? NAN : slope_of(y, x, count);
}

typedef double leave_out(const od_errors *e, size_t level, size_t without);

static double jackknife(const od_errors *e, size_t level, leave_out *value)
{
    double mean = 0, square = 0;
    for (size_t g = 0; g < OD_GROUPS; g++) {
        mean += value(e, level, g) / OD_GROUPS;
    }
    for (size_t g = 0; g < OD_GROUPS; g++) {
        const double d = value(e, level, g) - mean;
        square += d * d;
    }
    return sqrt(square * (OD_GROUPS - 1) / OD_GROUPS);
}

double od_errors_mean(const od_errors *e, size_t level, double *standard_error)
{
    *standard_error = jackknife(e, level, mean_without);
    return mean_without(e, level, ALL);
}

double od_errors_at(const od_errors *e, size_t level, double *standard_error)
{
    *standard_error = jackknife(e, level, error_without);
    return error_without(e, level, ALL);
}

od_fit od_errors_fit(const od_errors *e)
{
    od_fit fit = {.order = slope_without(e, 0, ALL)};
    for (size_t l = 0; l < e->levels; l++) {
        fit.used += e->used[l];
    }
    const double half = od_order_student * jackknife(e, 0, slope_without);
    fit.low = fit.order - half;
    fit.high = fit.order + half;
    return fit;
}

double od_order_slope(const double *error, const bool *used, size_t levels)
{
    double x[OD_MAX_LEVELS], y[OD_MAX_LEVELS];
    size_t count = 0;
    for (size_t l = 0; l < levels; l++) {
        if (used == NULL || used[l]) {
            x[count] = (double)l;
            y[count++] = error[l] > 0 ? log2(error[l]) : NAN;
        }
    }
    return count < 2 ? NAN : slope_of(y, x, count);
}
