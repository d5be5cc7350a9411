/* Numbers in a row of bytes: a growing one to write, a bounded one to read. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_BYTES_H
#define OD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes being written; after a lack of memory `failed` is set and nothing more is kept. */
typedef struct od_bytes {
    unsigned char *data;
    size_t size, room;
    bool failed;
} od_bytes;

void od_bytes_put(od_bytes *to, const void *from, size_t size);
void od_bytes_put_count(od_bytes *to, uint64_t count);
void od_bytes_put_real(od_bytes *to, double x);
void od_bytes_put_reals(od_bytes *to, const double *x, size_t count);
void od_bytes_free(od_bytes *bytes);

/** Bytes being read; after a read past their end, or a value that cannot be, `failed` is set and all reads give zero.
 */
typedef struct od_reader {
    const unsigned char *at, *end;
    bool failed;
} od_reader;

/** To read these bytes; of none there may be no address either. */
od_reader od_reader_begin(const void *bytes, size_t size);
/** Copies `size` bytes; zeroes where there are not so many. */
void od_reader_take(od_reader *from, void *to, size_t size);
/** A count of at most `most`; more is a failure. */
uint64_t od_reader_count(od_reader *from, uint64_t most);
double od_reader_real(od_reader *from);
void od_reader_reals(od_reader *from, double *x, size_t count);

#endif
