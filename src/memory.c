/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void *od_zalloc(size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2 - ALIGNMENT) / size) {
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0) {
        bytes = ALIGNMENT;
    }
    void *p = aligned_alloc(ALIGNMENT, bytes);
    if (p != NULL) {
        memset(p, 0, bytes);
    }
    return p;
}

struct chunk {
    struct chunk *next;
    void *memory;
};

struct od_arena {
    struct chunk *first;
    char *small; /* rest of a chunk that small pieces are cut from: a long list is a million of them */
    size_t left;
};

enum { SMALL = 256, SMALL_CHUNK = 1 << 16, SMALL_ALIGNMENT = 16 };

od_arena *od_arena_create(void)
{
    return od_zalloc(1, sizeof(od_arena));
}

void od_arena_free(od_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    for (struct chunk *c = arena->first; c != NULL;) {
        struct chunk *next = c->next;
        free(c->memory);
        free(c);
        c = next;
    }
    free(arena);
}

static void *add_chunk(od_arena *arena, size_t count, size_t size)
{
    struct chunk *c = od_zalloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->memory = od_zalloc(count, size);
    if (c->memory == NULL) {
        free(c);
        return NULL;
    }
    c->next = arena->first;
    arena->first = c;
    return c->memory;
}

void *od_arena_alloc(od_arena *arena, size_t count, size_t size)
{
    if (count >= SMALL || count * size >= SMALL) {
        return add_chunk(arena, count, size);
    }
    const size_t bytes = (count * size + SMALL_ALIGNMENT) / SMALL_ALIGNMENT * SMALL_ALIGNMENT; /* never none */
    if (bytes > arena->left) {
        char *chunk = add_chunk(arena, SMALL_CHUNK, 1);
        if (chunk == NULL) {
            return NULL;
        }
        arena->small = chunk;
        arena->left = SMALL_CHUNK;
    }
    void *p = arena->small;
    arena->small += bytes;
    arena->left -= bytes;
    return p;
}

char *od_arena_text(od_arena *arena, const char *text, size_t length)
{
    char *copy = od_arena_alloc(arena, length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *od_arena_print(od_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : od_arena_alloc(arena, (size_t)length + 1, 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}
