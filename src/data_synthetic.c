/*
 * Drawn samples, a function of `data_seed`.
 *
 *   clusters  sample i belongs to cluster i mod k: x = s c/|c| + Z, where the centre c and Z have independent standard
 *             normal components and s is `separation`. Centres of many features are nearly at right angles, so they are
 *             about sqrt(2) s apart. The label is the number of the cluster.
 *   teacher   x has d independent standard normal components; the target is what a network of K hidden units says,
 *             y_o = K^(-1/2) sum_k a_ok erf(<w_k, x>/sqrt(2 d)), with standard normal a and w, plus `target_noise`. As
 * a class it is the sign of the one output, or the number of the largest one. Source: the soft committee machine of D.
 * Saad and S. A. Solla, On-line learning in soft committee machines, Phys. Rev. E 52 (1995), 4225-4243, with weights on
 * its outputs.
 *
 * Train and test part are independent draws from one law. Sample i does not depend on how many there are.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "memory.h"
#include "random.h"

#include <math.h>
#include <sleef.h>
#include <stdlib.h>
#include <string.h>

/* The C library's erf has other last bits on another processor or in another version. sleef.h shows this one only to
 * compilers that target FMA, but it is plain C and runs everywhere. */
double Sleef_finz_erfd1_u10purecfma(double x);

/* The step of the counter: one for each kind of draw, so that none is used twice. */
enum { DRAW_FEATURES, DRAW_FEATURES_OF_TEST, DRAW_NOISE, DRAW_NOISE_OF_TEST, DRAW_CENTRES, DRAW_HIDDEN, DRAW_OUTPUT };

enum { BLOCK = 128 };

static const double sqrt_half = 0.70710678118654752440;

bool od_synthetic_is(const od_settings *s)
{
    const char *data = od_setting_text(s, "data");
    return strcmp(data, "clusters") == 0 || strcmp(data, "teacher") == 0;
}

static size_t count_of(const od_settings *s, const char *name, size_t otherwise)
{
    return od_setting_present(s, name) ? (size_t)od_setting_real(s, name) : otherwise;
}

static double real_of(const od_settings *s, const char *name, double otherwise)
{
    return od_setting_present(s, name) ? od_setting_real(s, name) : otherwise;
}

static double draw(uint64_t seed, size_t row, size_t component, unsigned kind)
{
    return od_normal(seed, OD_STREAM_DATA, row, component, kind);
}

/* value[r*d + j] = draw(seed, r, j, kind), a block of rows at once. */
static void draw_features(uint64_t seed, unsigned kind, od_table *table)
{
    od_normals *normals = od_normals_best();
    const size_t d = table->cols;
    double a[BLOCK], b[BLOCK];
    for (size_t first = 0; first < table->rows; first += BLOCK) {
        const size_t n = table->rows - first < BLOCK ? table->rows - first : BLOCK;
        double *value = table->value + first * d;
        for (size_t j = 0; j < d; j += 2) {
            normals(seed, OD_STREAM_DATA, 0, first, j / 2, kind, 1, n, a, b);
            for (size_t r = 0; r < n; r++) {
                value[r * d + j] = a[r];
                if (j + 1 < d) {
                    value[r * d + j + 1] = b[r];
                }
            }
        }
    }
}

static void draw_clusters(const od_settings *s, uint64_t seed, size_t clusters, double *centre, od_table *table)
{
    const double separation = real_of(s, "separation", 3);
    const size_t d = table->cols;
    for (size_t c = 0; c < clusters; c++) {
        double square = 0;
        for (size_t j = 0; j < d; j++) {
            centre[c * d + j] = draw(seed, c, j, DRAW_CENTRES);
            square += centre[c * d + j] * centre[c * d + j];
        }
        for (size_t j = 0; j < d; j++) {
            centre[c * d + j] *= separation / sqrt(square);
        }
    }
    for (size_t r = 0; r < table->rows; r++) {
        const size_t c = r % clusters;
        table->label[r] = (double)c;
        for (size_t j = 0; j < d; j++) {
            table->value[r * d + j] += centre[c * d + j];
        }
    }
}

/* The class of a row of outputs. */
static double class_of(const double *y, size_t outputs)
{
    size_t largest = 0;
    for (size_t o = 1; o < outputs; o++) {
        largest = y[o] > y[largest] ? o : largest;
    }
    return outputs > 1 ? (double)largest : y[0] > 0 ? 1 : -1;
}

static void draw_teacher(const od_settings *s, uint64_t seed, unsigned noise_kind, size_t width, double *weight,
                         size_t outputs, bool classes, od_table *table)
{
    const double noise = real_of(s, "target_noise", 0);
    const size_t d = table->cols;
    double *hidden = weight + width * d, *output = hidden + width, *y = output + outputs * width;
    for (size_t k = 0; k < width; k++) {
        for (size_t j = 0; j < d; j++) {
            weight[k * d + j] = draw(seed, k, j, DRAW_HIDDEN);
        }
    }
    for (size_t o = 0; o < outputs * width; o++) {
        output[o] = draw(seed, o / width, o % width, DRAW_OUTPUT);
    }
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t k = 0; k < width; k++) {
            double sum = 0;
            for (size_t j = 0; j < d; j++) {
                sum += weight[k * d + j] * table->value[r * d + j];
            }
            hidden[k] = Sleef_finz_erfd1_u10purecfma(sum * sqrt_half / sqrt((double)d));
        }
        for (size_t o = 0; o < outputs; o++) {
            double sum = 0;
            for (size_t k = 0; k < width; k++) {
                sum += output[o * width + k] * hidden[k];
            }
            y[o] = sum / sqrt((double)width) + noise * draw(seed, r, o, noise_kind);
        }
        if (classes) {
            table->label[r] = class_of(y, outputs);
        } else {
            memcpy(table->label + r * outputs, y, outputs * sizeof *y);
        }
    }
}

static od_status refuse_entries(od_context *ctx, const od_settings *s, bool teacher)
{
    static const char *const never[] = {"label", "holdout"};
    static const char *const of_clusters[] = {"clusters", "separation"};
    static const char *const of_teacher[] = {"teacher_width", "teacher_outputs", "target_noise"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (od_setting_present(s, never[i])) {
            return od_setting_fail(ctx, s, never[i], "drawn data have labels and a test part of their own; remove it");
        }
    }
    const char *const *other = teacher ? of_clusters : of_teacher;
    for (size_t i = 0; i < (teacher ? 2 : 3); i++) {
        if (od_setting_present(s, other[i])) {
            return od_setting_fail(ctx, s, other[i], "it is an entry of data: %s, and data is %s; remove it",
                                   teacher ? "clusters" : "teacher", od_setting_text(s, "data"));
        }
    }
    return strcmp(od_setting_text(s, "format"), "auto") == 0
               ? OD_OK
               : od_setting_fail(ctx, s, "format",
                                 "data: %s is drawn, not read; remove it, or write ./%s for a file "
                                 "of that name",
                                 od_setting_text(s, "data"), od_setting_text(s, "data"));
}

od_status od_synthetic_draw(od_context *ctx, const od_settings *s, od_part part, od_targets targets, od_table *table)
{
    const bool teacher = strcmp(od_setting_text(s, "data"), "teacher") == 0;
    od_status status = refuse_entries(ctx, s, teacher);
    if (status != OD_OK) {
        return status;
    }
    const uint64_t seed = (uint64_t)od_setting_real(s, "data_seed");
    const bool classes = targets != OD_TARGETS_NUMBERS || od_setting_present(s, "classes"), test = part == OD_PART_TEST;
    const size_t d = count_of(s, "features", 10), clusters = count_of(s, "clusters", 2);
    const size_t width = count_of(s, "teacher_width", 4), outputs = teacher ? count_of(s, "teacher_outputs", 1) : 1;
    table->rows = count_of(s, "samples", 1000);
    table->drawn = true;
    table->cols = d;
    table->labels = classes ? 1 : outputs;
    if (table->rows > OD_MAX_NUMBERS / (d + outputs) ||
        (teacher ? width : clusters) > OD_MAX_NUMBERS / (d + outputs + 1)) {
        return od_setting_fail(ctx, s, "samples", "%zu samples of %zu features need more than 2 GiB; draw fewer",
                               table->rows, d);
    }
    table->value = od_zalloc(table->rows * d, sizeof *table->value);
    table->label = od_zalloc(table->rows * table->labels, sizeof *table->label);
    double *law = od_zalloc(teacher ? width * (d + 1 + outputs) + outputs : clusters * d, sizeof *law);
    if (table->value == NULL || table->label == NULL || law == NULL) {
        free(law);
        return od_fail(ctx, OD_ENOMEM, "problem.samples", "no memory for %zu samples of %zu features", table->rows, d);
    }
    draw_features(seed, test ? DRAW_FEATURES_OF_TEST : DRAW_FEATURES, table);
    if (teacher) {
        draw_teacher(s, seed, test ? DRAW_NOISE_OF_TEST : DRAW_NOISE, width, law, outputs, classes, table);
    } else {
        draw_clusters(s, seed, clusters, law, table);
    }
    free(law);
    return OD_OK;
}
