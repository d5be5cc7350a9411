/* What the readers of data files share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_DATA_TABLE_H
#define OD_DATA_TABLE_H

#include "optdyn.h"

enum { OD_SHA256_ROOM = 65, OD_SHOWN_ROOM = 48 };

/** Content of a file, decompressed if it was gzipped, and the SHA-256 of the file as it is stored. */
typedef struct od_bytes {
    unsigned char *byte;
    size_t length;
    char sha256[OD_SHA256_ROOM];
} od_bytes;

/** A table as a file holds it; exactly one of pixel and value is used, value is sparse if feature is not NULL. */
typedef struct od_table {
    size_t rows, cols;
    double *label;        /* [rows] */
    unsigned char *pixel; /* [rows*cols] */
    double *value;        /* [rows*cols], or the entries of row r at start[r] .. start[r+1]-1 */
    uint32_t *feature;    /* column of each entry, from 0, or NULL */
    size_t *start;        /* [rows+1] or NULL */
} od_table;

void od_table_clear(od_table *table);
/** Writes row r of the table to out[cols]. */
void od_table_row(const od_table *table, size_t r, double *out);

/** Fails about the entry `data`, with file and line (0: none) in front. */
od_status od_data_fail(od_context *ctx, const od_settings *s, const char *file, size_t line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Reads a whole file, at most 2 GiB after decompression. */
od_status od_bytes_read(od_context *ctx, const od_settings *s, const char *file, od_bytes *bytes);
void od_bytes_clear(od_bytes *bytes);

/** IDX images and labels, both in memory; takes the pixels out of `images`. */
od_status od_idx_parse(od_context *ctx, const od_settings *s, const char *image_file, od_bytes *images,
                       const char *label_file, const od_bytes *labels, od_table *table);
od_status od_libsvm_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                          od_table *table);
/** `label` is the name of the label's column, "" for the last one. */
od_status od_csv_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                       const char *label, od_table *table);

#endif
