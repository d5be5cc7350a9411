/* The journal of a run: what it has done so far, in a file that is appended to. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_JOURNAL_H
#define OD_JOURNAL_H

#include "simulate.h"

/**
 * A header and snapshots, each with its length and a SHA-256 checksum. A part that was torn off in writing is found by
 * its checksum and ignored, so that a run killed at any moment goes on from its last whole snapshot.
 */
typedef struct od_journal {
    char path[4096];
    uint64_t size;  /* bytes of whole segments in the file; 0: there is none yet */
    uint64_t whole; /* bytes when it was last written anew */
} od_journal;

/** The journal of this experiment, or of its shard, in its folder. */
void od_journal_init(const od_experiment *e, od_journal *j);
/** True if there is one that cannot be gone on from: damaged, of another version or of another experiment. */
bool od_journal_foreign(od_context *ctx, const od_experiment *e);
/** Reads it into a fresh simulation, if there is one; *found says so. */
od_status od_journal_load(od_context *ctx, od_journal *j, od_simulation *s, bool *found);
/** A journal's place among the shards, from 1. */
typedef struct od_shard {
    unsigned number, of;
} od_shard;

/** Finds out which shard of the experiment a journal is; fails if it is none, or not complete. */
od_status od_journal_peek(od_context *ctx, const char *path, const od_experiment *e, od_shard *shard);
/** Reads the journal of a shard besides those of others. */
od_status od_journal_add(od_context *ctx, const char *path, od_simulation *s);
/** Appends what is new since the last time, or writes the file anew where it has grown much larger than what it holds.
 */
od_status od_journal_append(od_context *ctx, od_journal *j, od_simulation *s);
/** Writes the file anew, as that of a shard which is through. */
od_status od_journal_complete(od_context *ctx, od_journal *j, od_simulation *s);
void od_journal_remove(od_journal *j);

#endif
