/* Parameter tables turned into checked values. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SETTINGS_H
#define OD_SETTINGS_H

#include "document.h"

/** Where a part's settings stand and against which folders they read files. */
typedef struct od_place {
    const char *path;   /* dotted path of the part: "problem" */
    const char *folder; /* of the experiment file, "" if none */
    const char *data;   /* data folder, "" if none */
    const char *entry;  /* the one that the file names, where another is given from outside; "" if none */
} od_place;

/**
 * Checks a map (or a bare name, or NULL for all defaults) against parameter tables (list ends with NULL). Unknown
 * names, wrong types, values that are not finite or out of range fail with file, line, path and the nearest valid name.
 * The key "name" is skipped: it chose the tables.
 */
od_settings *od_settings_resolve(od_context *ctx, od_arena *arena, const od_param *const tables[], const od_node *node,
                                 od_place place);

/** Writes the resolved values as "key: value, ..." in flow style; absent ones are left out. */
void od_settings_write(FILE *out, const od_settings *settings);

/** Calls `each` for every parameter with its value and where it came from ("file:3", "default", "--set"). */
void od_settings_walk(const od_settings *settings,
                      void (*each)(void *user, const od_param *param, const od_value *value, const char *origin),
                      void *user);

/** The name of a part: a bare scalar, or the entry `name` of a map. NULL after a failure. */
const char *od_part_name(od_context *ctx, const od_node *node, const char *path);

#endif
