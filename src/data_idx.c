/*
 * IDX files of unsigned bytes, as Y. LeCun, C. Cortes and C. J. C. Burges publish MNIST: big-endian 32-bit magic number
 * and sizes, then the bytes. Images: 2051, count, rows, columns. Labels: 2049, count.
 *
 * Sizes in a header are believed only if the file has exactly that many bytes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGES = 2051, LABELS = 2049, IMAGE_HEADER = 16, LABEL_HEADER = 8 };

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static od_status check_header(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                              uint32_t magic, size_t header)
{
    if (bytes->length < header) {
        return od_data_fail(ctx, s, file, 0, "%zu bytes are too few for an IDX header of %zu; get the file again",
                            bytes->length, header);
    }
    const uint32_t found = big_endian(bytes->byte);
    if (found == magic) {
        return OD_OK;
    }
    const char *kind = found == IMAGES ? ", those are images" : found == LABELS ? ", those are labels" : "";
    return od_data_fail(ctx, s, file, 0, "the magic number is %lu, not the %lu of IDX %s%s; check the file's name",
                        (unsigned long)found, (unsigned long)magic, magic == IMAGES ? "images" : "labels", kind);
}

od_status od_idx_parse(od_context *ctx, const od_settings *s, const char *image_file, od_bytes *images,
                       const char *label_file, const od_bytes *labels, od_table *table)
{
    od_status status = check_header(ctx, s, image_file, images, IMAGES, IMAGE_HEADER);
    if (status == OD_OK) {
        status = check_header(ctx, s, label_file, labels, LABELS, LABEL_HEADER);
    }
    if (status != OD_OK) {
        return status;
    }
    const size_t bytes = images->length - IMAGE_HEADER;
    const uint32_t count = big_endian(images->byte + 4), height = big_endian(images->byte + 8);
    const uint32_t width = big_endian(images->byte + 12), label_count = big_endian(labels->byte + 4);
    const uint64_t pixels = (uint64_t)height * width; /* below 2^64 */
    if (count == 0 || pixels == 0) {
        return od_data_fail(ctx, s, image_file, 0, "the header announces no images (%lu of %lu x %lu pixels)",
                            (unsigned long)count, (unsigned long)height, (unsigned long)width);
    }
    if (bytes / pixels != count || bytes % pixels != 0) {
        return od_data_fail(ctx, s, image_file, 0,
                            "the header announces %lu images of %lu x %lu pixels, but %zu bytes follow it; get the "
                            "file again",
                            (unsigned long)count, (unsigned long)height, (unsigned long)width, bytes);
    }
    if (labels->length - LABEL_HEADER != label_count) {
        return od_data_fail(ctx, s, label_file, 0,
                            "the header announces %lu labels, but %zu bytes follow it; get the file again",
                            (unsigned long)label_count, labels->length - LABEL_HEADER);
    }
    if (label_count != count) {
        return od_data_fail(ctx, s, label_file, 0,
                            "%lu labels do not go with the %lu images of %s; use files of one set",
                            (unsigned long)label_count, (unsigned long)count, image_file);
    }
    table->rows = count;
    table->cols = (size_t)pixels;
    table->shape[0] = 1;
    table->shape[1] = height;
    table->shape[2] = width;
    table->label = od_zalloc(count, sizeof *table->label);
    if (table->label == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for %lu labels", (unsigned long)count);
    }
    for (size_t i = 0; i < count; i++) {
        table->label[i] = labels->byte[LABEL_HEADER + i];
    }
    memmove(images->byte, images->byte + IMAGE_HEADER, bytes);
    table->pixel = images->byte;
    images->byte = NULL;
    return OD_OK;
}
