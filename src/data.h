/*
 * Samples: the rows <a_i> and targets b_i of a finite sum, from files or drawn.
 *
 * `data` names a set:
 *   clusters, teacher   drawn, no file (src/data_synthetic.c)
 *   a folder            of IDX files (MNIST's four), of the binary CIFAR-10 files or of x_train.npy, y_train.npy,
 *                       x_test.npy and y_test.npy, each plain or gzipped
 *   a file              LIBSVM text, CSV, NPY, or one CIFAR-10 batch
 * relative to the data folder or, without one, to the folder of the experiment file. What is kept of it:
 *
 *   classes  labels; samples with another label are left out. Where targets are signs there are two, of which the first
 *            becomes b = +1, the second b = -1; without the entry the larger of exactly two labels becomes +1. Where
 *            targets are classes, class 0 is the first one; without the entry all labels, in ascending order.
 *   holdout  of one file: the share of its samples that are its test part, drawn at random
 *   samples  the first n of what is left, in the order of the file
 *   scale    applied to the features, before the column of ones is appended:
 *              none        as in the file (default but for images)
 *              unit-range  pixels divided by 255 (default for IDX and CIFAR-10); other features mapped linearly to
 *                          [0, 1], over the samples of the train part
 *              unit-norm   every sample divided by its Euclidean norm
 *              standard    every feature to mean 0 and variance 1 over the samples of the train part
 *              a number    every feature times it
 *            A feature or sample that is constant or zero, and so cannot be scaled, becomes or stays 0.
 *   bias     appends a column of ones
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_DATA_H
#define OD_DATA_H

#include "optdyn.h"

typedef enum od_targets {
    OD_TARGETS_NUMBERS, /* as in the file; with `classes`, signs */
    OD_TARGETS_SIGNS,   /* +1 and -1 */
    OD_TARGETS_CLASSES  /* one-hot */
} od_targets;

typedef enum od_part { OD_PART_TRAIN, OD_PART_TEST } od_part;

typedef struct od_data {
    size_t rows, cols;     /* cols includes the column of ones */
    size_t stride;         /* doubles from one row to the next, a multiple of 8; the padding is 0 */
    double *row;           /* [rows*stride] */
    size_t outputs;        /* numbers of a target: 1, the number of classes, or what the file has */
    double *target;        /* [rows*outputs] row-major: signs, one-hot rows or numbers */
    size_t classes;        /* of targets that are classes, else 0 */
    uint32_t *class_index; /* [rows] below `classes`, NULL unless targets are classes */
    double *class_label;   /* [classes] as in the file, NULL unless targets are classes */
    size_t shape[3];       /* channels, height, width of samples that are images, channel-major; else 0 */
    char *inputs;          /* "file sha256" of each file, one a line; NULL if drawn */
} od_data;

/**
 * Rows of a parameter table that say where samples come from and which are kept; `data_default` is the default of
 * `data` as text.
 */
#define OD_DATA_SOURCE_PARAMS(data_default)                                                                            \
    {.name = "data",                                                                                                   \
     .kind = OD_DATA,                                                                                                  \
     .fallback = data_default,                                                                                         \
     .choices = "clusters|teacher",                                                                                    \
     .meaning = "clusters or teacher (drawn), or a folder or file: in the data folder, else beside the experiment"},   \
        {.name = "format",                                                                                             \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "auto",                                                                                           \
         .choices = "auto|idx|cifar10|npy|libsvm|csv",                                                                 \
         .meaning = "how to read it; auto: a folder by its files, .csv, .npy and .bin by the name, else LIBSVM"},      \
        {.name = "part",                                                                                               \
         .kind = OD_CHOICE,                                                                                            \
         .fallback = "train",                                                                                          \
         .choices = "train|test",                                                                                      \
         .meaning = "which of the two parts of a folder, of drawn data or of a file with holdout"},                    \
        {.name = "label",                                                                                              \
         .kind = OD_TEXT,                                                                                              \
         .fallback = "",                                                                                               \
         .meaning = "the CSV column, or beside an NPY file the one, that holds the label; the last column if absent"}, \
        {.name = "classes",                                                                                            \
         .kind = OD_VECTOR,                                                                                            \
         .fallback = "",                                                                                               \
         .meaning = "the labels to keep, such as [3, 5]; of two the first becomes +1, the second -1"},                 \
        {.name = "holdout",                                                                                            \
         .kind = OD_REAL,                                                                                              \
         .fallback = "",                                                                                               \
         .low = 0,                                                                                                     \
         .high = 1,                                                                                                    \
         .low_open = true,                                                                                             \
         .high_open = true,                                                                                            \
         .meaning = "share of a file's samples that make its test part, drawn by data_seed"},                          \
        {.name = "samples",                                                                                            \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 1,                                                                                                     \
         .high = 4294967295.0,                                                                                         \
         .meaning = "how many samples to keep, the first ones; all if absent, 1000 of drawn data"},                    \
        {.name = "scale",                                                                                              \
         .kind = OD_VARIANT,                                                                                           \
         .fallback = "",                                                                                               \
         .meaning = "none, unit-range, unit-norm, standard or a factor; images: unit-range (1/255), else none"},       \
        {.name = "features",                                                                                           \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 1,                                                                                                     \
         .high = 1e6,                                                                                                  \
         .meaning = "features of drawn samples; 10 if absent"},                                                        \
        {.name = "clusters",                                                                                           \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 2,                                                                                                     \
         .high = 1000,                                                                                                 \
         .meaning = "of data: clusters, how many, each a class of its own; 2 if absent"},                              \
        {.name = "separation",                                                                                         \
         .kind = OD_REAL,                                                                                              \
         .fallback = "",                                                                                               \
         .low = 0,                                                                                                     \
         .high = 1e6,                                                                                                  \
         .meaning = "of data: clusters, norm of the centres in standard deviations of a cluster; 3 if absent"},        \
        {.name = "teacher_width",                                                                                      \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 1,                                                                                                     \
         .high = 1e6,                                                                                                  \
         .meaning = "of data: teacher, its hidden units; 4 if absent"},                                                \
        {.name = "teacher_outputs",                                                                                    \
         .kind = OD_INTEGER,                                                                                           \
         .fallback = "",                                                                                               \
         .low = 1,                                                                                                     \
         .high = 1000,                                                                                                 \
         .meaning = "of data: teacher, numbers of a target; their sign or the largest is its class; 1 if absent"},     \
        {.name = "target_noise",                                                                                       \
         .kind = OD_REAL,                                                                                              \
         .fallback = "",                                                                                               \
         .low = 0,                                                                                                     \
         .high = INFINITY,                                                                                             \
         .meaning = "of data: teacher, standard deviation of the noise on its outputs; 0 if absent"},                  \
    {                                                                                                                  \
        .name = "data_seed", .kind = OD_INTEGER, .fallback = "1", .low = 0, .high = 9007199254740991.0,                \
        .meaning = "seed of drawn data and of holdout"                                                                 \
    }

/** Rows of a problem that is linear in its parameters; `bias_default` is the default of `bias` as text. */
#define OD_DATA_PARAMS(data_default, bias_default)                                                                     \
    OD_DATA_SOURCE_PARAMS(data_default),                                                                               \
        {.name = "bias",                                                                                               \
         .kind = OD_FLAG,                                                                                              \
         .fallback = bias_default,                                                                                     \
         .meaning = "append a feature that is 1 for every sample"},                                                    \
    {                                                                                                                  \
        .name = "lambda", .kind = OD_REAL, .fallback = "0", .unit = "curvature", .low = 0, .high = INFINITY,           \
        .meaning = "weight of the term lambda |w|^2/2"                                                                 \
    }

/**
 * Reads the part of the data that the settings describe; with `bias` a column of ones is appended. On failure nothing
 * is left to free, and the sentence names file, line, value and remedy.
 */
od_status od_data_read(od_context *ctx, const od_settings *settings, od_targets targets, bool bias, od_data *data);
void od_data_free(od_data *data);

#endif
