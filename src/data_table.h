/* What the readers of data files share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_DATA_TABLE_H
#define OD_DATA_TABLE_H

#include "checksum.h"
#include "data.h"

enum { OD_SHOWN_ROOM = 48 };

/** Numbers of a table or matrix at most, 2 GiB of doubles: more does not fit an ordinary machine. */
#define OD_MAX_NUMBERS ((size_t)1 << 28)

/** Content of a file, decompressed if it was gzipped, and the SHA-256 of the file as it is stored. */
typedef struct od_bytes {
    unsigned char *byte;
    size_t length;
    char sha256[OD_SHA256_ROOM];
} od_bytes;

/** A table as files hold it; exactly one of pixel and value is used, value is sparse if feature is not NULL. */
typedef struct od_table {
    size_t rows, cols;
    size_t labels;        /* numbers of a label, at least 1 */
    double *label;        /* [rows*labels] row-major */
    unsigned char *pixel; /* [rows*cols] */
    double *value;        /* [rows*cols], or the entries of row r at start[r] .. start[r+1]-1 */
    uint32_t *feature;    /* column of each entry, from 0, or NULL */
    size_t *start;        /* [rows+1] or NULL */
    size_t shape[3];      /* channels, height and width of rows that are images, else 0 */
    bool parts;           /* the source itself has a train and a test part; false: one file, holdout makes them */
    bool drawn;           /* as many rows as `samples` asks for */
    char *inputs;         /* "name sha256" of each file, one a line; NULL if there are none */
} od_table;

void od_table_clear(od_table *table);
/** Writes row r of the table to out[cols]. */
void od_table_row(const od_table *table, size_t r, double *out);
/** Reads or draws one part of what `data` names; a single file is its own train part here and has no test part. */
od_status od_table_read(od_context *ctx, const od_settings *s, od_part part, od_targets targets, od_table *table);

/** True if `data` names a set that is drawn, not read. */
bool od_synthetic_is(const od_settings *s);
/** Draws one part of it, with labels for these targets. */
od_status od_synthetic_draw(od_context *ctx, const od_settings *s, od_part part, od_targets targets, od_table *table);

/** Fails about the entry `data`, with file and line (0: none) in front. */
od_status od_data_fail(od_context *ctx, const od_settings *s, const char *file, size_t line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Reads a whole file, at most 2 GiB after decompression. */
od_status od_bytes_read(od_context *ctx, const od_settings *s, const char *file, od_bytes *bytes);
void od_bytes_clear(od_bytes *bytes);

/** IDX images and labels, both in memory; takes the pixels out of `images`. */
od_status od_idx_parse(od_context *ctx, const od_settings *s, const char *image_file, od_bytes *images,
                       const char *label_file, const od_bytes *labels, od_table *table);
/** One batch of CIFAR-10 in its binary version, added to the rows that are there. */
od_status od_cifar_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                         od_table *table);
/** Features from one NPY file; labels from the other, or from the last column where `labels` is NULL. */
od_status od_npy_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                       const char *label_file, const od_bytes *labels, od_table *table);
od_status od_libsvm_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                          od_table *table);
/** `label` is the name of the label's column, "" for the last one. */
od_status od_csv_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                       const char *label, od_table *table);

#endif
