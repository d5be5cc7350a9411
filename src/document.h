/* An experiment file as a tree that remembers where each entry was written. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_DOCUMENT_H
#define OD_DOCUMENT_H

#include "memory.h"
#include "optdyn.h"

typedef enum od_node_kind { OD_NODE_SCALAR, OD_NODE_LIST, OD_NODE_MAP } od_node_kind;

typedef struct od_node od_node;

struct od_node {
    od_node_kind kind;
    const char *text; /* scalars */
    bool quoted;      /* a quoted scalar is text, never a number */
    size_t count;     /* items of a list, pairs of a map */
    const char **key;
    od_node **item;
    const char *origin; /* file name, or "--set" */
    int line;           /* from 1 */
};

/**
 * Parses one YAML 1.2 document (JSON included). At most 64 levels and 4 million nodes; anchors, aliases, tags, several
 * documents and repeated keys are refused with file and line. The tree lives in the arena.
 */
od_node *od_document_parse(od_context *ctx, od_arena *arena, const char *text, size_t length, const char *origin);
/** Reads a whole file of at most 256 MiB and parses it. */
od_node *od_document_read(od_context *ctx, od_arena *arena, const char *file);

/** The item of a map under `key`, or NULL. */
od_node *od_node_item(const od_node *map, const char *key);
/** True for an unquoted null, which stands for an entry left out. */
bool od_node_is_null(const od_node *node);
/** Puts `value` under `key` of a map, replacing what was there. */
od_status od_node_put(od_context *ctx, od_arena *arena, od_node *map, const char *key, od_node *value);
/** Applies "a.b.c=YAML" to the tree, making maps on the way; a bare name on the way becomes {name: ...}. */
od_status od_document_set(od_context *ctx, od_arena *arena, od_node *root, const char *assignment);
/** Puts `value` at the dotted path, of `length` bytes. */
od_status od_document_put(od_context *ctx, od_arena *arena, od_node *root, const char *path, size_t length,
                          od_node *value);
/** A copy of the maps and lists of a tree; scalars are shared. NULL when there is no memory. */
od_node *od_node_copy(od_arena *arena, const od_node *node);

/** Fails with the place of the node in front. */
od_status od_node_fail(od_context *ctx, const od_node *node, const char *entry, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Writes a tree in flow style on one line. */
void od_node_write(FILE *out, const od_node *node);
/** Writes text as a plain scalar where that is unambiguous, else double-quoted. */
void od_text_write(FILE *out, const char *text);

#endif
