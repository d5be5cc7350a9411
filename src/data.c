/* Samples from files: which are kept, how they are scaled. SPDX-License-Identifier: GPL-3.0-or-later */
#include "data.h"

#include "data_table.h"
#include "memory.h"
#include "text.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, INPUTS_ROOM = 2 * (PATH_ROOM + OD_SHA256_ROOM + 2), LINE_OF_DOUBLES = 8 };

#define MAX_ENTRIES ((size_t)1 << 28) /* 2 GiB of doubles: more does not fit an ordinary machine */

typedef enum scaling { SCALE_NONE, SCALE_RANGE, SCALE_NORM, SCALE_STANDARD, SCALE_FACTOR } scaling;

void od_table_clear(od_table *table)
{
    free(table->label);
    free(table->pixel);
    free(table->value);
    free(table->feature);
    free(table->start);
    *table = (od_table){0};
}

void od_table_row(const od_table *table, size_t r, double *out)
{
    if (table->pixel != NULL) {
        for (size_t j = 0; j < table->cols; j++) {
            out[j] = table->pixel[r * table->cols + j];
        }
    } else if (table->feature == NULL) {
        memcpy(out, table->value + r * table->cols, table->cols * sizeof *out);
    } else {
        memset(out, 0, table->cols * sizeof *out);
        for (size_t k = table->start[r]; k < table->start[r + 1]; k++) {
            out[table->feature[k]] = table->value[k];
        }
    }
}

void od_data_free(od_data *data)
{
    free(data->row);
    free(data->target);
    free(data->inputs);
    *data = (od_data){0};
}

/* ------------------------------------------------------------------------------------------------------- files */

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The data folder, or the experiment's, in front of a relative name. */
static od_status locate(od_context *ctx, const od_settings *s, char path[PATH_ROOM])
{
    const char *name = od_setting_text(s, "data"), *folder = od_settings_folder(s);
    if (name[0] == '\0') {
        return od_setting_fail(ctx, s, "data", "the name is empty; name a folder or a file");
    }
    const bool bare = name[0] == '/' || folder[0] == '\0';
    const int used = snprintf(path, PATH_ROOM, "%s%s%s", bare ? "" : folder, bare ? "" : "/", name);
    return used < PATH_ROOM ? OD_OK : od_setting_fail(ctx, s, "data", "the path is longer than %d bytes", PATH_ROOM);
}

/* Adds "name sha256" as one line. The name is the user's, without the folder: it is the same on every machine. */
static void note_input(char inputs[INPUTS_ROOM], const char *name, const char *file, const char *sha256)
{
    const size_t used = strlen(inputs);
    snprintf(inputs + used, INPUTS_ROOM - used, "%s%s%s%s %s", used > 0 ? "\n" : "", name, file[0] != '\0' ? "/" : "",
             file, sha256);
}

/* One of the files of an IDX folder, plain or with .gz at its end. */
static od_status read_member(od_context *ctx, const od_settings *s, const char *folder, const char *member,
                             char path[PATH_ROOM], od_bytes *bytes, char inputs[INPUTS_ROOM])
{
    char name[64];
    snprintf(name, sizeof name, "%s", member);
    if (snprintf(path, PATH_ROOM, "%s/%s.gz", folder, member) >= PATH_ROOM) {
        return od_setting_fail(ctx, s, "data", "the path is longer than %d bytes", PATH_ROOM);
    }
    path[strlen(path) - 3] = '\0';
    if (!is_file(path)) {
        strcat(path, ".gz");
        strcat(name, ".gz");
        if (!is_file(path)) {
            path[strlen(path) - 3] = '\0';
        }
    }
    od_status status = od_bytes_read(ctx, s, path, bytes);
    if (status == OD_OK) {
        note_input(inputs, od_setting_text(s, "data"), name, bytes->sha256);
    }
    return status;
}

static od_status read_idx(od_context *ctx, const od_settings *s, const char *folder, od_table *table,
                          char inputs[INPUTS_ROOM])
{
    const bool train = strcmp(od_setting_text(s, "part"), "train") == 0;
    char image_path[PATH_ROOM], label_path[PATH_ROOM];
    od_bytes images = {0}, labels = {0};
    od_status status = read_member(ctx, s, folder, train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte",
                                   image_path, &images, inputs);
    if (status == OD_OK) {
        status = read_member(ctx, s, folder, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", label_path,
                             &labels, inputs);
    }
    if (status == OD_OK) {
        status = od_idx_parse(ctx, s, image_path, &images, label_path, &labels, table);
    }
    od_bytes_clear(&images);
    od_bytes_clear(&labels);
    return status;
}

static od_status read_table(od_context *ctx, const od_settings *s, od_table *table, char inputs[INPUTS_ROOM])
{
    char path[PATH_ROOM];
    od_status status = locate(ctx, s, path);
    if (status != OD_OK) {
        return status;
    }
    const char *format = od_setting_text(s, "format"), *label = od_setting_text(s, "label");
    if (strcmp(format, "auto") == 0) {
        format = is_folder(path) ? "idx" : ends_with(path, ".csv") || ends_with(path, ".csv.gz") ? "csv" : "libsvm";
    }
    if (label[0] != '\0' && strcmp(format, "csv") != 0) {
        return od_setting_fail(ctx, s, "label", "only CSV has named columns, and the format is %s; remove it", format);
    }
    if (strcmp(format, "idx") == 0) {
        if (is_file(path)) {
            return od_data_fail(ctx, s, path, 0, "IDX data are a folder of images and labels, not one file");
        }
        return read_idx(ctx, s, path, table, inputs);
    }
    if (strcmp(od_setting_text(s, "part"), "train") != 0) { /* the default, which a resolved experiment states */
        return od_setting_fail(ctx, s, "part", "only a folder of IDX files has parts; remove it");
    }
    od_bytes bytes;
    status = od_bytes_read(ctx, s, path, &bytes);
    if (status == OD_OK) {
        note_input(inputs, od_setting_text(s, "data"), "", bytes.sha256);
        status = strcmp(format, "csv") == 0 ? od_csv_parse(ctx, s, path, &bytes, label, table)
                                            : od_libsvm_parse(ctx, s, path, &bytes, table);
        od_bytes_clear(&bytes);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------- classes */

/* The labels of +1 and -1, given or found. */
static od_status find_classes(od_context *ctx, const od_settings *s, const od_table *table, double kind[2])
{
    const od_value *classes = od_setting(s, "classes");
    char a[OD_REAL_ROOM], b[OD_REAL_ROOM], c[OD_REAL_ROOM];
    if (classes->present) {
        if (classes->cols != 2 || classes->list[0] == classes->list[1]) {
            return od_setting_fail(ctx, s, "classes", "expected two different labels such as [3, 5]");
        }
        memcpy(kind, classes->list, 2 * sizeof *kind);
        return OD_OK;
    }
    size_t found = 0;
    for (size_t r = 0; r < table->rows; r++) {
        const double label = table->label[r];
        if ((found > 0 && label == kind[0]) || (found > 1 && label == kind[1])) {
            continue;
        }
        if (found == 2) {
            return od_setting_fail(ctx, s, "classes",
                                   "the labels of %s are of more than two kinds (%s, %s, %s and perhaps more); choose "
                                   "two, for example classes: [%s, %s]",
                                   od_setting_text(s, "data"), od_real_text(a, kind[0]), od_real_text(b, kind[1]),
                                   od_real_text(c, label), a, b);
        }
        kind[found++] = label;
    }
    if (found < 2) {
        return od_setting_fail(ctx, s, "data", "every sample of %s has the label %s; two classes are needed",
                               od_setting_text(s, "data"), od_real_text(a, kind[0]));
    }
    const double larger = fmax(kind[0], kind[1]), smaller = fmin(kind[0], kind[1]);
    kind[0] = larger;
    kind[1] = smaller;
    return OD_OK;
}

/* Chosen rows of the table in *row, and their targets; the caller frees. */
static od_status choose(od_context *ctx, const od_settings *s, const od_table *table, bool classify, size_t *row,
                        od_data *data)
{
    double kind[2] = {0, 0};
    od_status status = classify ? find_classes(ctx, s, table, kind) : OD_OK;
    if (status != OD_OK) {
        return status;
    }
    const od_value *samples = od_setting(s, "samples");
    const size_t most = samples->present ? (size_t)samples->real : table->rows;
    size_t count[2] = {0, 0}, available = 0;
    for (size_t r = 0; r < table->rows; r++) {
        const double label = table->label[r];
        if (classify && label != kind[0] && label != kind[1]) {
            continue;
        }
        if (available++ < most) {
            count[label != kind[0]]++;
            row[data->rows] = r;
            data->target[data->rows++] = !classify ? label : label == kind[0] ? 1 : -1;
        }
    }
    char missing[OD_REAL_ROOM];
    for (size_t c = 0; classify && c < 2; c++) {
        if (count[c] == 0) {
            od_real_text(missing, kind[c]);
            return data->rows < available
                       ? od_setting_fail(ctx, s, "samples",
                                         "none of the first %zu samples has the label %s; keep more of the %zu",
                                         data->rows, missing, available)
                       : od_setting_fail(ctx, s, "classes", "no sample of %s has the label %s; choose another",
                                         od_setting_text(s, "data"), missing);
        }
    }
    if (samples->present && most > available) {
        return od_setting_fail(ctx, s, "samples", "%zu samples are asked for, but %s has only %zu%s", most,
                               od_setting_text(s, "data"), available, classify ? " of the two classes" : "");
    }
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------------------- scale */

static od_status read_scale(od_context *ctx, const od_settings *s, bool pixels, scaling *how, double *factor)
{
    static const char *const names[] = {"none", "unit-range", "unit-norm", "standard"};
    const od_value *scale = od_setting(s, "scale");
    *how = pixels ? SCALE_RANGE : SCALE_NONE;
    if (!scale->present) {
        return OD_OK;
    }
    if (scale->kind == OD_REAL) {
        *how = SCALE_FACTOR;
        *factor = scale->real;
        return *factor != 0 ? OD_OK
                            : od_setting_fail(ctx, s, "scale", "a factor of 0 removes the data; give another number");
    }
    for (size_t i = 0; scale->kind == OD_TEXT && i < sizeof names / sizeof *names; i++) {
        if (strcmp(scale->text, names[i]) == 0) {
            *how = (scaling)i;
            return OD_OK;
        }
    }
    return od_setting_fail(ctx, s, "scale", "expected none, unit-range, unit-norm, standard or a number%s%s",
                           scale->kind == OD_TEXT ? ", got " : "", scale->kind == OD_TEXT ? scale->text : "");
}

/* a = (a - shift)/unit for one feature; a constant feature becomes 0. */
static void shift_feature(od_data *data, size_t j, double shift, double unit)
{
    for (size_t r = 0; r < data->rows; r++) {
        double *a = &data->row[r * data->stride + j];
        *a = unit > 0 ? (*a - shift) / unit : 0;
    }
}

static void scale_feature(od_data *data, size_t j, scaling how)
{
    const double n = (double)data->rows;
    double low = INFINITY, high = -INFINITY, mean = 0, square = 0;
    for (size_t r = 0; r < data->rows; r++) {
        const double a = data->row[r * data->stride + j];
        low = fmin(low, a);
        high = fmax(high, a);
        mean += a / n;
    }
    if (how == SCALE_RANGE) {
        shift_feature(data, j, low, high - low);
        return;
    }
    for (size_t r = 0; r < data->rows; r++) {
        const double a = data->row[r * data->stride + j] - mean;
        square += a * a / n;
    }
    shift_feature(data, j, mean, high > low ? sqrt(square) : 0);
}

static od_status scale_rows(od_context *ctx, const od_settings *s, bool pixels, size_t features, od_data *data)
{
    scaling how;
    double factor = 1;
    od_status status = read_scale(ctx, s, pixels, &how, &factor);
    if (status != OD_OK) {
        return status;
    }
    for (size_t j = 0; (how == SCALE_STANDARD || (how == SCALE_RANGE && !pixels)) && j < features; j++) {
        scale_feature(data, j, how);
    }
    for (size_t r = 0; r < data->rows; r++) {
        double *a = data->row + r * data->stride, unit = 1;
        if (how == SCALE_RANGE && pixels) {
            unit = 255;
        } else if (how == SCALE_NORM) {
            unit = cblas_dnrm2((int)features, a, 1);
        }
        for (size_t j = 0; j < features; j++) {
            a[j] = how == SCALE_FACTOR ? a[j] * factor : unit > 0 ? a[j] / unit : 0;
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

/* ------------------------------------------------------------------------------------------------------- all of it */

static od_status assemble(od_context *ctx, const od_settings *s, const od_table *table, bool classify, od_data *data)
{
    size_t *row = od_zalloc(table->rows, sizeof *row);
    data->target = od_zalloc(table->rows, sizeof *data->target);
    if (row == NULL || data->target == NULL) {
        free(row);
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for %zu samples", table->rows);
    }
    od_status status = choose(ctx, s, table, classify, row, data);
    const bool bias = od_setting_real(s, "bias") != 0;
    data->cols = table->cols + bias;
    data->stride = (data->cols + LINE_OF_DOUBLES - 1) / LINE_OF_DOUBLES * LINE_OF_DOUBLES;
    if (status == OD_OK && data->rows > MAX_ENTRIES / data->stride) {
        status = od_setting_fail(ctx, s, "data",
                                 "%zu samples of %zu features need more than 2 GiB as a full matrix; keep fewer by "
                                 "samples",
                                 data->rows, data->cols);
    }
    if (status == OD_OK && (data->row = od_zalloc(data->rows * data->stride, sizeof *data->row)) == NULL) {
        status = od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for %zu samples of %zu features", data->rows,
                         data->cols);
    }
    for (size_t r = 0; status == OD_OK && r < data->rows; r++) {
        od_table_row(table, row[r], data->row + r * data->stride);
    }
    if (status == OD_OK) {
        status = scale_rows(ctx, s, table->pixel != NULL, table->cols, data);
    }
    for (size_t r = 0; status == OD_OK && bias && r < data->rows; r++) {
        data->row[r * data->stride + table->cols] = 1;
    }
    free(row);
    return status;
}

od_status od_data_read(od_context *ctx, const od_settings *s, bool classify, od_data *data)
{
    od_table table = {0};
    char inputs[INPUTS_ROOM] = "";
    *data = (od_data){0};
    od_status status = read_table(ctx, s, &table, inputs);
    if (status == OD_OK) {
        status = assemble(ctx, s, &table, classify || od_setting_present(s, "classes"), data);
    }
    if (status == OD_OK && (data->inputs = od_zalloc(strlen(inputs) + 1, 1)) == NULL) {
        status = od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for the list of files");
    }
    if (status == OD_OK) {
        strcpy(data->inputs, inputs);
    } else {
        od_data_free(data);
    }
    od_table_clear(&table);
    return status;
}
