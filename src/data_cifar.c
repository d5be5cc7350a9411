/*
 * Batches of CIFAR-10 in the binary version that A. Krizhevsky publishes (Learning multiple layers of features from
 * tiny images, 2009): records of one label from 0 to 9 and 3 x 32 x 32 bytes, red, green and blue plane, each row by
 * row.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE, RECORD = PIXELS + 1, CLASSES = 10 };

od_status od_cifar_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                         od_table *table)
{
    const size_t records = bytes->length / RECORD, rows = table->rows + records;
    if (records == 0 || bytes->length % RECORD != 0) {
        return od_data_fail(ctx, s, file, 0,
                            "%zu bytes are not a whole number of CIFAR-10 records of %d bytes; get the file again, or "
                            "give its format",
                            bytes->length, RECORD);
    }
    for (size_t i = 0; i < records; i++) {
        if (bytes->byte[i * RECORD] >= CLASSES) {
            return od_data_fail(ctx, s, file, 0,
                                "record %zu has the label %u, and CIFAR-10 has 0 to 9; is it CIFAR-10's binary "
                                "version?",
                                i + 1, bytes->byte[i * RECORD]);
        }
    }
    double *label = od_zalloc(rows, sizeof *label);
    unsigned char *pixel = od_zalloc(rows, PIXELS);
    if (label == NULL || pixel == NULL) {
        free(label);
        free(pixel);
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for %zu images", rows);
    }
    if (table->rows > 0) {
        memcpy(label, table->label, table->rows * sizeof *label);
        memcpy(pixel, table->pixel, table->rows * PIXELS);
    }
    for (size_t i = 0; i < records; i++) {
        label[table->rows + i] = bytes->byte[i * RECORD];
        memcpy(pixel + (table->rows + i) * PIXELS, bytes->byte + i * RECORD + 1, PIXELS);
    }
    free(table->label);
    free(table->pixel);
    table->label = label;
    table->pixel = pixel;
    table->rows = rows;
    table->cols = PIXELS;
    table->shape[0] = CHANNELS;
    table->shape[1] = table->shape[2] = SIDE;
    return OD_OK;
}
