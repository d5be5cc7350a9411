/* Memory that belongs together is freed together: an arena of zeroed blocks. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_MEMORY_H
#define OD_MEMORY_H

#include <stddef.h>

/** Zeroed, aligned to 64 bytes; NULL when there is no memory or count * size overflows. Freed with free(). */
void *od_zalloc(size_t count, size_t size);

typedef struct od_arena od_arena;

od_arena *od_arena_create(void);
void od_arena_free(od_arena *arena); /* accepts NULL */
/** Zeroed; aligned to 64 bytes from 256 bytes on, to 16 below. NULL when there is no memory. */
void *od_arena_alloc(od_arena *arena, size_t count, size_t size);
char *od_arena_text(od_arena *arena, const char *text, size_t length);
char *od_arena_print(od_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
