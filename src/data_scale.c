/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_scale.h"

#include "memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

od_status od_scale_read(od_context *ctx, const od_settings *s, bool pixels, od_scale *scale)
{
    static const char *const names[] = {"none", "unit-range", "unit-norm", "standard"};
    const od_value *given = od_setting(s, "scale");
    *scale = (od_scale){.how = pixels ? OD_SCALE_RANGE : OD_SCALE_NONE, .pixels = pixels, .factor = 1};
    if (!given->present) {
        return OD_OK;
    }
    if (given->kind == OD_REAL) {
        scale->how = OD_SCALE_FACTOR;
        scale->factor = given->real;
        return given->real != 0
                   ? OD_OK
                   : od_setting_fail(ctx, s, "scale", "a factor of 0 removes the data; give another number");
    }
    for (size_t i = 0; given->kind == OD_TEXT && i < sizeof names / sizeof *names; i++) {
        if (strcmp(given->text, names[i]) == 0) {
            scale->how = (od_scaling)i;
            return OD_OK;
        }
    }
    return od_setting_fail(ctx, s, "scale", "expected none, unit-range, unit-norm, standard or a number%s%s",
                           given->kind == OD_TEXT ? ", got " : "", given->kind == OD_TEXT ? given->text : "");
}

bool od_scale_is_measured(const od_scale *scale)
{
    return scale->how == OD_SCALE_STANDARD || (scale->how == OD_SCALE_RANGE && !scale->pixels);
}

/* Shift and unit of one feature; a constant feature has the unit 0. */
static void measure_feature(const od_data *data, size_t j, od_scale *scale)
{
    const double n = (double)data->rows;
    double low = INFINITY, high = -INFINITY, mean = 0, square = 0;
    for (size_t r = 0; r < data->rows; r++) {
        const double a = data->row[r * data->stride + j];
        low = fmin(low, a);
        high = fmax(high, a);
        mean += a / n;
    }
    if (scale->how == OD_SCALE_RANGE) {
        scale->shift[j] = low;
        scale->unit[j] = high - low;
        return;
    }
    for (size_t r = 0; r < data->rows; r++) {
        const double a = data->row[r * data->stride + j] - mean;
        square += a * a / n;
    }
    scale->shift[j] = mean;
    scale->unit[j] = high > low ? sqrt(square) : 0;
}

od_status od_scale_measure(od_context *ctx, const od_data *data, size_t features, od_scale *scale)
{
    if (!od_scale_is_measured(scale)) {
        return OD_OK;
    }
    scale->features = features;
    scale->shift = od_zalloc(features, sizeof *scale->shift);
    scale->unit = od_zalloc(features, sizeof *scale->unit);
    if (scale->shift == NULL || scale->unit == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for the scales of %zu features", features);
    }
    for (size_t j = 0; j < features; j++) {
        measure_feature(data, j, scale);
    }
    return OD_OK;
}

od_status od_scale_apply(od_context *ctx, const od_settings *s, const od_scale *scale, size_t features, od_data *data)
{
    for (size_t r = 0; r < data->rows; r++) {
        double *a = data->row + r * data->stride, unit = 1;
        if (scale->how == OD_SCALE_RANGE && scale->pixels) {
            unit = 255;
        } else if (scale->how == OD_SCALE_NORM) {
            unit = cblas_dnrm2((int)features, a, 1);
        }
        for (size_t j = 0; j < features; j++) {
            if (scale->shift != NULL) {
                a[j] = scale->unit[j] > 0 ? (a[j] - scale->shift[j]) / scale->unit[j] : 0;
            } else {
                a[j] = scale->how == OD_SCALE_FACTOR ? a[j] * scale->factor : unit > 0 ? a[j] / unit : 0;
            }
            if (!isfinite(a[j])) {
                return od_setting_fail(ctx, s, "scale",
                                       "feature %zu of a sample is no longer finite once scaled; its values are too "
                                       "large for this scale",
                                       j + 1);
            }
        }
    }
    return OD_OK;
}

void od_scale_clear(od_scale *scale)
{
    free(scale->shift);
    free(scale->unit);
    *scale = (od_scale){0};
}
