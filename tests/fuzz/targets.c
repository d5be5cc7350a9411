/* The list of targets and what they share. SPDX-License-Identifier: GPL-3.0-or-later */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const fuzz_target *const targets[] = {
    &fuzz_formula, &fuzz_experiment, &fuzz_data, &fuzz_table, &fuzz_journal,
};

const fuzz_target *fuzz_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof targets / sizeof *targets; i++) {
        if (strcmp(targets[i]->name, name) == 0) {
            return targets[i];
        }
    }
    return NULL;
}

void fuzz_demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "demanded: %s\n", what);
        abort();
    }
}

static char folder[64];
static pid_t owner; /* libFuzzer may fork */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == owner) {
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
}

const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
    if (folder[0] == '\0') {
        strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/optdyn-fuzz-XXXXXX" : "/tmp/optdyn-fuzz-XXXXXX");
        fuzz_demand(mkdtemp(folder) != NULL, "a folder");
        owner = getpid();
        atexit(remove_folder);
    }
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    fuzz_demand(out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0, "a file");
    return folder;
}
