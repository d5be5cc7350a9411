/*
 * Samples from files: the rows <a_i> and targets b_i of a finite sum.
 *
 * `data` names a folder of IDX files (MNIST's four, plain or gzipped), a LIBSVM text file or a CSV file, relative to
 * the data folder or, without one, to the folder of the experiment file. Which samples are kept and how they are
 * scaled:
 *
 *   classes  two labels; samples with another label are left out. The first becomes b = +1, the second b = -1. Without
 *            it a classification needs a file with exactly two labels, the larger of which becomes +1.
 *   samples  the first n of what is left, in the order of the file
 *   scale    applied to the features, before the column of ones is appended:
 *              none        as in the file (default for text files)
 *              unit-range  IDX pixels divided by 255 (default for IDX); other features mapped linearly to [0, 1], over
 *                          the chosen samples
 *              unit-norm   every sample divided by its Euclidean norm
 *              standard    every feature to mean 0 and variance 1 over the chosen samples
 *              a number    every feature times it
 *            A feature or sample that is constant or zero, and so cannot be scaled, becomes or stays 0.
 *   bias     appends a column of ones
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_DATA_H
#define OD_DATA_H

#include "optdyn.h"

typedef struct od_data {
    size_t rows, cols; /* cols includes the column of ones */
    size_t stride;     /* doubles from one row to the next, a multiple of 8; the padding is 0 */
    double *row;       /* [rows*stride] */
    double *target;    /* [rows]: +1 and -1, or numbers */
    char *inputs;      /* "file sha256" of each file, one a line */
} od_data;

/** Rows of a parameter table for a problem on data; `bias` is the default of that entry, as text. */
#define OD_DATA_PARAMS(bias_default)                                                                                   \
    {.name = "data",                                                                                                   \
     .kind = OD_TEXT,                                                                                                  \
     .fallback = NULL,                                                                                                 \
     .meaning = "folder of IDX files, or a LIBSVM or CSV file, relative to the data folder"},                          \
        {.name = "format",                                                                                             \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "auto",                                                                                           \
         .choices = "auto|idx|libsvm|csv",                                                                             \
         .meaning = "how to read it; auto: a folder is IDX, a name in .csv is CSV, else LIBSVM"},                      \
        {.name = "part",                                                                                               \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "train",                                                                                          \
         .choices = "train|test",                                                                                      \
         .meaning = "which of a folder's two sets"},                                                                   \
        {.name = "label",                                                                                              \
         .kind = OD_TEXT,                                                                                              \
         .fallback = "",                                                                                               \
         .meaning = "the CSV column that holds the label; the last one if absent"},                                    \
        {.name = "classes",                                                                                            \
         .kind = OD_VECTOR,                                                                                            \
         .fallback = "",                                                                                               \
         .meaning = "the two labels to keep, such as [3, 5]: the first becomes +1, the second -1"},                    \
        {.name = "samples",                                                                                            \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 1,                                                                                                     \
         .high = 4294967295.0,                                                                                         \
         .meaning = "how many samples to keep, the first ones; all if absent"},                                        \
        {.name = "scale",                                                                                              \
         .kind = OD_VARIANT,                                                                                           \
         .fallback = "",                                                                                               \
         .meaning = "none, unit-range, unit-norm, standard or a factor; IDX: unit-range (1/255), else none"},          \
        {.name = "bias",                                                                                               \
         .kind = OD_FLAG,                                                                                              \
         .fallback = bias_default,                                                                                     \
         .meaning = "append a feature that is 1 for every sample"},                                                    \
    {                                                                                                                  \
        .name = "lambda", .kind = OD_REAL, .fallback = "0", .unit = "curvature", .low = 0, .high = INFINITY,           \
        .meaning = "weight of the term lambda |w|^2/2"                                                                 \
    }

/**
 * Reads the data that the settings describe. With `classify` (or where `classes` is given) targets are +1 and -1.
 * On failure nothing is left to free, and the sentence names file, line, value and remedy.
 */
od_status od_data_read(od_context *ctx, const od_settings *settings, bool classify, od_data *data);
void od_data_free(od_data *data);

#endif
