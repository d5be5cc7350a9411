/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "network_module.h"

#include "build_config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const od_network_api *api;
static char trouble[512] = "it is not there";

static void load(void)
{
    static const char *const folders[] = {OD_NETWORK_BUILD_DIR, OD_MODULE_DIR};
    for (size_t i = 0; i < 2 && api == NULL; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/optdyn-network.so", folders[i]);
        const od_network_api *(*module)(void) = NULL;
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) {
            *(void **)&module = dlsym(library, "od_network_module");
        } else {
            const char *why = dlerror();
            snprintf(trouble, sizeof trouble, "%s", why != NULL ? why : "it cannot be loaded");
        }
        if (module != NULL && module()->version == OD_NETWORK_VERSION) {
            api = module();
        } else if (library != NULL) {
            snprintf(trouble, sizeof trouble, "%.400s belongs to another version", path);
        }
    }
}

const od_network_api *od_network_load(od_context *ctx)
{
    if (!OD_HAVE_LIBTORCH) {
        od_fail(ctx, OD_EUNSUPPORTED, "problem.name",
                "networks need LibTorch, which this build is without; install libtorch-dev and build with "
                "-Dlibtorch=enabled (./quickstart.sh --with-torch does both)");
        return NULL;
    }
    pthread_once(&once, load);
    if (api == NULL) {
        od_fail(ctx, OD_EUNSUPPORTED, "problem.name",
                "networks need the module optdyn-network.so, and it could not be loaded: %s; install optdyn again with "
                "-Dlibtorch=enabled",
                trouble);
    }
    return api;
}
