/* Files written whole: into a temporary name, synced, renamed. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_FILE_H
#define OD_FILE_H

#include "optdyn.h"

typedef struct od_file {
    FILE *out; /* write here */
    char path[4096], temporary[4096 + 16];
} od_file;

/** Makes a folder and its parents. */
od_status od_folder_make(od_context *ctx, const char *folder);
/** Opens folder/name for writing under a temporary name. */
od_status od_file_open(od_context *ctx, od_file *file, const char *folder, const char *name);
/** Flushes, syncs and renames; on failure removes the temporary file. Closes in any case. */
od_status od_file_commit(od_context *ctx, od_file *file);
/** Closes and removes the temporary file. */
void od_file_abandon(od_file *file);
/** Removes what runs that were killed left half written. For who alone is at work in the folder. */
void od_folder_sweep(const char *folder);

#endif
