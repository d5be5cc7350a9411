/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arb_module.h"

#include "build_config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static od_ball_prover prover;

static void load(void)
{
    static const char *const folders[] = {OD_ARB_BUILD_DIR, OD_MODULE_DIR};
    for (size_t i = 0; i < 2 && prover == NULL; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/optdyn-arb.so", folders[i]);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) {
            *(void **)&prover = dlsym(library, "od_ball_prove");
        }
    }
}

od_ball_prover od_arb_load(od_context *ctx)
{
    pthread_once(&once, load);
    if (prover == NULL) {
        od_fail(ctx, OD_EUNSUPPORTED, "shadow.certificate",
                "a certificate needs the module optdyn-arb.so, which is not installed; install libflint-arb-dev and "
                "libflint-dev and build with -Darb=enabled");
    }
    return prover;
}
