/* How features are scaled: measured on the train part, applied to both. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_DATA_SCALE_H
#define OD_DATA_SCALE_H

#include "data.h"

typedef enum od_scaling { OD_SCALE_NONE, OD_SCALE_RANGE, OD_SCALE_NORM, OD_SCALE_STANDARD, OD_SCALE_FACTOR } od_scaling;

typedef struct od_scale {
    od_scaling how;
    bool pixels; /* whole numbers from 0 to 255 */
    double factor;
    size_t features;
    double *shift, *unit; /* [features] of what is measured, else NULL: a becomes (a - shift)/unit */
} od_scale;

/** Reads the entry `scale`. */
od_status od_scale_read(od_context *ctx, const od_settings *s, bool pixels, od_scale *scale);
/** True if it depends on the samples of the train part. */
bool od_scale_is_measured(const od_scale *scale);
/** Measures the rows, which are not scaled yet. The caller frees by od_scale_clear. */
od_status od_scale_measure(od_context *ctx, const od_data *data, size_t features, od_scale *scale);
/** Scales the first `features` columns of all rows. */
od_status od_scale_apply(od_context *ctx, const od_settings *s, const od_scale *scale, size_t features, od_data *data);
void od_scale_clear(od_scale *scale);

#endif
