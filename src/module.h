/*
 * Modules: parts of this build that are loaded when something needs them, since what they link would slow every start.
 *
 * Module NAME is the file optdyn-NAME.so, in the build tree or where it was installed. Its one symbol, od_NAME_module,
 * is a constant struct that begins with an od_module_head.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_MODULE_H
#define OD_MODULE_H

#include "optdyn.h"

#define OD_MODULE_SYMBOL __attribute__((visibility("default")))

/** What a module was built for. */
typedef struct od_module_head {
    const char *optdyn; /* OD_VERSION */
    uint32_t version;   /* of the interface between the two, counted by its header */
} od_module_head;

typedef struct od_module {
    const char *name;
    const char *folder; /* of the source tree, "src/nn": there it lies in the build tree */
    uint32_t version;
    bool global;        /* what it loads itself looks for its symbols */
    const char *use;    /* "networks need" */
    const char *entry;  /* of the experiment file, for which it is loaded; or NULL */
    const char *remedy; /* "install ... and build with ..." */
} od_module;

/** Its struct, the same at every call; it is never unloaded. NULL with a sentence on how to get it. */
const void *od_module_load(od_context *ctx, const od_module *module);

enum { OD_WHY_ROOM = 512 };

/** Loads a shared object of this path, all its symbols found; NULL with the reason in the system's words. */
void *od_module_open(const char *path, bool global, char why[OD_WHY_ROOM]);

#endif
