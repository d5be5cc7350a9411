/* A temporary folder for the files a test writes; include before all others. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_FOLDER_H
#define OD_TESTS_FOLDER_H

#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "check.h"

#include <ftw.h>
#include <unistd.h>

enum { FOLDER_ROOM = 64 };

static inline void folder_make(char folder[FOLDER_ROOM])
{
    strcpy(folder, "/tmp/optdyn-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline int folder_remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void folder_remove(const char *folder)
{
    nftw(folder, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void folder_put(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path); /* some file systems write through when a file is cut and written again */
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(out);
}

#endif
