/* The driver: runs all members of an experiment over all their paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SIMULATE_H
#define OD_SIMULATE_H

#include "block.h"
#include "tally.h"

/** Called once for each member when its last path is in, by one thread at a time; not in the order of the members. */
typedef od_status od_finished(void *user, size_t member, const od_tally *tally);

/** One member's share of a run. */
typedef struct od_job {
    const od_member *m;
    uint64_t first_task; /* number of its first leaf among the leaves of all members */
    od_tree tree;
    uint64_t done;                     /* leaves in the tree */
    atomic_uint *flow_bins, *map_bins; /* of all its paths, NULL unless quantiles are asked for */
    bool begun, finished;
    bool saved; /* all of it is in the journal */
} od_job;

/** A run that can be put down and taken up again; between two rounds nothing moves. */
typedef struct od_simulation {
    od_context *ctx;
    const od_experiment *e;
    od_finished *finished; /* NULL: members are not finished here */
    void *user;
    od_job *job; /* [member_count] */
    od_crew crew;
    uint64_t tasks;     /* leaves of all members in this run's share */
    size_t room;        /* paths of a block at most, also of those that were read */
    od_worker *resting; /* the blocks under way */
    size_t begun_count; /* tasks that were under way when the run was read, ... */
    uint64_t *begun;    /* ... and which */
    double fraction;    /* done */
    bool spoiled;       /* a leaf failed whose counts are in the bins already */
} od_simulation;

/** Prepares a run of all members. Close it in any case. */
od_status od_simulation_open(od_context *ctx, const od_experiment *e, od_finished *finished, void *user,
                             od_simulation *s);
/** Restricts the run to one share of the leaves of all members; 0 of 0: all. */
void od_simulation_share(od_simulation *s, unsigned shard, unsigned shards);
/** Runs until all is done, `seconds` have passed (0: no limit), or it is cancelled; *through says that all is done. */
od_status od_simulation_go(od_simulation *s, double seconds, bool *through);
/** A worker on a member's leaf, which was put down; NULL: no memory. It is in s->resting. */
od_worker *od_simulation_worker(od_simulation *s, size_t member, uint64_t leaf);
/** Drops the resting workers that are not `kept`. */
void od_simulation_drop(od_simulation *s);
/** After snapshots were read: finishes the members that are through. */
od_status od_simulation_loaded(od_simulation *s);
/** Merges what there is of each member that has begun and is not finished, and finishes it: what can be shown of an
 * interrupted run, which cannot go on after this. */
od_status od_simulation_settle(od_simulation *s);
/** What a finished member gave. */
od_tally *od_simulation_tally(od_simulation *s, size_t member);
void od_simulation_close(od_simulation *s);

#endif
