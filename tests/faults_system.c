/* What else may fail: room in an arena, and small services of the system and of libraries. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#define _GNU_SOURCE
#include "faults.h"

#include "../src/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <yaml.h>
#include <zlib.h>

/* ---------------------------------------------------------------------------------------------------------- arenas */

/* Most of what an arena gives comes from a chunk that it has: so each piece is refused here, not the chunk. */
void *__real_od_arena_alloc(od_arena *arena, size_t count, size_t size);
void *__wrap_od_arena_alloc(od_arena *arena, size_t count, size_t size);
char *__real_od_arena_text(od_arena *arena, const char *text, size_t length);
char *__wrap_od_arena_text(od_arena *arena, const char *text, size_t length);
char *__wrap_od_arena_print(od_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_od_arena_alloc(od_arena *arena, size_t count, size_t size)
{
    return fault_now(FAULT_ARENA) ? NULL : __real_od_arena_alloc(arena, count, size);
}

char *__wrap_od_arena_text(od_arena *arena, const char *text, size_t length)
{
    return fault_now(FAULT_ARENA) ? NULL : __real_od_arena_text(arena, text, length);
}

char *__wrap_od_arena_print(od_arena *arena, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    if (fault_now(FAULT_ARENA)) {
        return NULL;
    }
    va_start(args, format);
    const int length = vasprintf(&text, format, args);
    va_end(args);
    char *copy = length < 0 ? NULL : __real_od_arena_text(arena, text, (size_t)length);
    free(text);
    return copy;
}

/* ---------------------------------------------------------------------------------------------------------- system */

static bool denied(int why)
{
    const bool now = fault_now(FAULT_SYSTEM);
    errno = now ? why : errno;
    return now;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_fstat(int file, struct stat *about);
int __wrap_fstat(int file, struct stat *about);
int __real_flock(int file, int operation);
int __wrap_flock(int file, int operation);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*begin)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*begin)(void *), void *argument);
locale_t __real_newlocale(int mask, const char *name, locale_t base);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base);
int __real_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __real_yaml_parser_initialize(yaml_parser_t *parser);
int __wrap_yaml_parser_initialize(yaml_parser_t *parser);

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const int mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
    va_end(args);
    return denied(EACCES) ? -1 : __real_open(path, flags, mode);
}

/* The way "longer": the file seems to have one byte more than it has. */
int __wrap_fstat(int file, struct stat *about)
{
    const bool now = denied(EIO);
    if (now && !fault_is("longer")) {
        return -1;
    }
    const int answer = __real_fstat(file, about);
    about->st_size += now;
    return answer;
}

int __wrap_flock(int file, int operation)
{
    return denied(ENOLCK) ? -1 : __real_flock(file, operation);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*begin)(void *), void *argument)
{
    return denied(EAGAIN) ? EAGAIN : __real_pthread_create(thread, how, begin, argument);
}

locale_t __wrap_newlocale(int mask, const char *name, locale_t base)
{
    return denied(ENOMEM) ? (locale_t)0 : __real_newlocale(mask, name, base);
}

int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size)
{
    return denied(ENOMEM) ? Z_MEM_ERROR : __real_inflateInit2_(z, bits, version, size);
}

int __wrap_yaml_parser_initialize(yaml_parser_t *parser)
{
    return denied(ENOMEM) ? 0 : __real_yaml_parser_initialize(parser);
}
