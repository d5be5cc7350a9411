/*
 * Data files in memory: read whole, checksummed as stored, decompressed if gzipped (RFC 1952, told by its first bytes).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define MAX_LENGTH ((size_t)1 << 31)

od_status od_data_fail(od_context *ctx, const od_settings *s, const char *file, size_t line, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (line > 0) {
        return od_setting_fail(ctx, s, "data", "%s, line %zu: %s", file, line, sentence);
    }
    return od_setting_fail(ctx, s, "data", "%s: %s", file, sentence);
}

/* Half as much room again, at most MAX_LENGTH; NULL when there is no memory, and the array stays. */
static unsigned char *enlarged(unsigned char *array, size_t *room)
{
    size_t more = *room + *room / 2 + (1 << 16);
    more = more > MAX_LENGTH ? MAX_LENGTH : more;
    unsigned char *bigger = realloc(array, more);
    *room = bigger != NULL ? more : *room;
    return bigger;
}

void od_bytes_clear(od_bytes *bytes)
{
    free(bytes->byte);
    *bytes = (od_bytes){0};
}

static bool is_gzip(const unsigned char *byte, size_t length)
{
    return length >= 2 && byte[0] == 0x1f && byte[1] == 0x8b;
}

/* Members one after the other, as gzip does it; bytes after the last one are refused. */
static od_status decompress(od_context *ctx, const od_settings *s, const char *file, od_bytes *bytes)
{
    z_stream z = {0};
    unsigned char *out = NULL;
    size_t room = 0, length = 0;
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory to decompress %s", file);
    }
    od_status status = OD_OK;
    int code = Z_OK;
    z.next_in = bytes->byte;
    z.avail_in = (uInt)bytes->length; /* at most MAX_LENGTH, which a uInt holds */
    while (status == OD_OK && code != Z_STREAM_END) {
        if (length == MAX_LENGTH) {
            status = od_data_fail(ctx, s, file, 0, "decompressed it is larger than 2 GiB; use a smaller file");
        } else if (length == room) {
            unsigned char *bigger = enlarged(out, &room);
            out = bigger != NULL ? bigger : out;
            status = bigger != NULL ? OD_OK
                                    : od_fail(ctx, OD_ENOMEM, "problem.data", "no memory to decompress %s", file);
        } else {
            const size_t space = room - length;
            z.next_out = out + length;
            z.avail_out = (uInt)space;
            code = inflate(&z, Z_NO_FLUSH);
            length += space - z.avail_out;
            if (code == Z_STREAM_END && is_gzip(z.next_in, z.avail_in)) {
                code = inflateReset(&z);
            } else if (code == Z_STREAM_END && z.avail_in > 0) {
                status = od_data_fail(ctx, s, file, 0, "%u bytes follow the end of the gzip data; get the file again",
                                      z.avail_in);
            } else if (code == Z_BUF_ERROR || (code == Z_OK && z.avail_in == 0 && z.avail_out > 0)) {
                status = od_data_fail(ctx, s, file, 0, "the gzip data end too early; get the file again");
            } else if (code != Z_OK && code != Z_STREAM_END) {
                status = od_data_fail(ctx, s, file, 0, "the gzip data are corrupt (%s); get the file again",
                                      z.msg != NULL ? z.msg : "zlib gives no reason");
            }
        }
    }
    inflateEnd(&z);
    if (status != OD_OK) {
        free(out);
        return status;
    }
    free(bytes->byte);
    bytes->byte = out;
    bytes->length = length;
    return OD_OK;
}

od_status od_bytes_read(od_context *ctx, const od_settings *s, const char *file, od_bytes *bytes)
{
    *bytes = (od_bytes){0};
    FILE *in = fopen(file, "rb");
    struct stat about;
    if (in == NULL || fstat(fileno(in), &about) != 0) {
        const int why = errno;
        if (in != NULL) {
            fclose(in);
        }
        return why == ENOENT
                   ? od_data_fail(ctx, s, file, 0,
                                  "there is no such file; give the data folder by --data DIR or the variable "
                                  "OPTDYN_DATA, or a path that exists")
                   : od_data_fail(ctx, s, file, 0, "it cannot be read (%s); check its permissions", strerror(why));
    }
    od_status status = OD_OK;
    if (!S_ISREG(about.st_mode)) {
        status = od_data_fail(ctx, s, file, 0, "it is neither a file nor a folder; name one");
    } else if (about.st_size == 0) {
        status = od_data_fail(ctx, s, file, 0, "the file is empty; get it again");
    } else if ((uint64_t)about.st_size > MAX_LENGTH) {
        status = od_data_fail(ctx, s, file, 0, "the file is larger than 2 GiB; use a smaller one");
    } else if ((bytes->byte = malloc((size_t)about.st_size)) == NULL) {
        status = od_fail(ctx, OD_ENOMEM, "problem.data", "no memory to read %s", file);
    } else {
        bytes->length = fread(bytes->byte, 1, (size_t)about.st_size, in);
        if (bytes->length != (size_t)about.st_size) {
            status = od_data_fail(ctx, s, file, 0, "only %zu of its %lld bytes could be read; try again", bytes->length,
                                  (long long)about.st_size);
        }
    }
    fclose(in);
    if (status == OD_OK) {
        od_sha256_text(bytes->byte, bytes->length, bytes->sha256);
    }
    if (status == OD_OK && is_gzip(bytes->byte, bytes->length)) {
        status = decompress(ctx, s, file, bytes);
    }
    if (status != OD_OK) {
        od_bytes_clear(bytes);
    }
    return status;
}
