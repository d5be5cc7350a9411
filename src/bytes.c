/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

void od_bytes_put(od_bytes *to, const void *from, size_t size)
{
    if (to->failed || size == 0) {
        return;
    }
    if (size > to->room - to->size) {
        const size_t room = 2 * (to->room + size);
        unsigned char *data = room > size ? realloc(to->data, room) : NULL;
        if (data == NULL) {
            to->failed = true;
            return;
        }
        to->data = data;
        to->room = room;
    }
    memcpy(to->data + to->size, from, size);
    to->size += size;
}

void od_bytes_put_count(od_bytes *to, uint64_t count)
{
    od_bytes_put(to, &count, sizeof count);
}

void od_bytes_put_real(od_bytes *to, double x)
{
    od_bytes_put(to, &x, sizeof x);
}

void od_bytes_put_reals(od_bytes *to, const double *x, size_t count)
{
    od_bytes_put(to, x, count * sizeof *x);
}

void od_bytes_free(od_bytes *bytes)
{
    free(bytes->data);
    *bytes = (od_bytes){0};
}

od_reader od_reader_begin(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    return (od_reader){.at = at, .end = size > 0 ? at + size : at};
}

void od_reader_take(od_reader *from, void *to, size_t size)
{
    if (from->failed || size > (size_t)(from->end - from->at)) {
        from->failed = true;
        memset(to, 0, size);
        return;
    }
    memcpy(to, from->at, size);
    from->at += size;
}

uint64_t od_reader_count(od_reader *from, uint64_t most)
{
    uint64_t count;
    od_reader_take(from, &count, sizeof count);
    if (count > most) {
        from->failed = true;
        return 0;
    }
    return count;
}

double od_reader_real(od_reader *from)
{
    double x;
    od_reader_take(from, &x, sizeof x);
    return x;
}

void od_reader_reals(od_reader *from, double *x, size_t count)
{
    od_reader_take(from, x, count * sizeof *x);
}
