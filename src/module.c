/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

#include "build_config.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

void *od_module_open(const char *path, bool global, char why[OD_WHY_ROOM])
{
    void *library = dlopen(path, RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(why, OD_WHY_ROOM, "%s", reason != NULL ? reason : "no reason given");
    }
    return library;
}

/* NULL with the reason unless this file is the module, built for this library. */
static const od_module_head *load(const od_module *m, const char *path, char why[OD_WHY_ROOM])
{
    char symbol[64];
    void *library = od_module_open(path, m->global, why);
    if (library == NULL) {
        return NULL;
    }
    snprintf(symbol, sizeof symbol, "od_%s_module", m->name);
    const od_module_head *head = dlsym(library, symbol);
    if (head != NULL && strcmp(head->optdyn, OD_VERSION) == 0 && head->version == m->version) {
        return head;
    }
    snprintf(why, OD_WHY_ROOM, "%.400s belongs to another version of optdyn", path);
    return NULL;
}

const void *od_module_load(od_context *ctx, const od_module *m)
{
    const char *const root[] = {OD_BUILD_DIR "/", OD_MODULE_DIR}, *const folder[] = {m->folder, ""};
    char why[OD_WHY_ROOM] = "it is not installed";
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s%s/optdyn-%s.so", root[i], folder[i], m->name);
        char reason[OD_WHY_ROOM];
        const od_module_head *head = access(path, F_OK) == 0 ? load(m, path, reason) : NULL;
        if (head != NULL) {
            return head;
        }
        /* the first that is there is the one that was meant: a program that was not installed has its own */
        if (!found && access(path, F_OK) == 0) {
            found = true;
            memcpy(why, reason, sizeof why);
        }
    }
    od_fail(ctx, OD_EUNSUPPORTED, m->entry, "%s the module optdyn-%s.so, but %s; %s", m->use, m->name, why, m->remedy);
    return NULL;
}
