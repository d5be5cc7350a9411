/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

od_status od_folder_make(od_context *ctx, const char *folder)
{
    char path[4096];
    if (folder[0] == '\0' || (size_t)snprintf(path, sizeof path, "%s", folder) >= sizeof path) {
        return od_fail(ctx, OD_EINVAL, "-o", "'%.80s' is not a folder name", folder);
    }
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0') {
            continue;
        }
        const char kept = *p;
        *p = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return od_fail(ctx, OD_EINVAL, "-o", "the folder %s cannot be made: %s; choose another with -o", path,
                           strerror(errno));
        }
        *p = kept;
        if (kept == '\0') {
            break;
        }
    }
    struct stat about;
    if (stat(folder, &about) != 0 || !S_ISDIR(about.st_mode)) {
        return od_fail(ctx, OD_EINVAL, "-o", "%s is not a folder; choose another with -o", folder);
    }
    return OD_OK;
}

od_status od_file_open(od_context *ctx, od_file *file, const char *folder, const char *name)
{
    *file = (od_file){0};
    if ((size_t)snprintf(file->path, sizeof file->path, "%s/%s", folder, name) >= sizeof file->path) {
        return od_fail(ctx, OD_EINVAL, "-o", "the folder name is too long");
    }
    snprintf(file->temporary, sizeof file->temporary, "%s.%ld.part", file->path, (long)getpid() % 1000000);
    file->out = fopen(file->temporary, "w");
    if (file->out == NULL) {
        return od_fail(ctx, OD_EINVAL, "-o", "%s cannot be written: %s; choose another folder with -o", file->path,
                       strerror(errno));
    }
    return OD_OK;
}

static void sync_folder_of(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    const int folder = open(dirname(copy), O_RDONLY);
    if (folder >= 0) {
        /* some file systems cannot sync a folder; the rename itself has then still happened */
        (void)fsync(folder);
        close(folder);
    }
}

od_status od_file_commit(od_context *ctx, od_file *file)
{
    errno = 0;
    bool ok = fflush(file->out) == 0 && !ferror(file->out) && fsync(fileno(file->out)) == 0;
    int why = errno != 0 ? errno : EIO; /* an earlier write may have failed, its reason is gone */
    ok = fclose(file->out) == 0 && ok;
    file->out = NULL;
    if (ok && rename(file->temporary, file->path) == 0) {
        sync_folder_of(file->path);
        return OD_OK;
    }
    why = ok ? errno : why;
    unlink(file->temporary);
    return od_fail(ctx, OD_EIO, "-o", "%s could not be written: %s; free some space or choose another folder with -o",
                   file->path, strerror(why));
}

void od_file_abandon(od_file *file)
{
    fclose(file->out);
    unlink(file->temporary);
    file->out = NULL;
}

/* NAME.PROCESS.part, as od_file_open makes it. */
static bool is_temporary(const char *name)
{
    static const char end[] = ".part";
    const size_t length = strlen(name), ending = strlen(end);
    const char *tail = length > ending ? name + length - ending : name;
    const char *digits = tail;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9') {
        digits--;
    }
    return strcmp(tail, end) == 0 && digits < tail && digits > name + 1 && digits[-1] == '.';
}

void od_folder_sweep(const char *folder)
{
    DIR *all = opendir(folder);
    for (const struct dirent *entry; all != NULL && (entry = readdir(all)) != NULL;) {
        char path[4096 + sizeof entry->d_name];
        snprintf(path, sizeof path, "%.4000s/%s", folder, entry->d_name);
        if (is_temporary(entry->d_name)) {
            unlink(path);
        }
    }
    if (all != NULL) {
        closedir(all);
    }
}
