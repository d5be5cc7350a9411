/* One thread's block of paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_WORKER_H
#define OD_WORKER_H

#include "crew.h"
#include "tally.h"
#include "tree.h"

/** One thread at work on a leaf of a member's paths, a block at a time. Nothing is allocated while a block runs. */
typedef struct od_worker od_worker;

struct od_worker {
    const od_experiment *e;
    const od_member *m;
    const od_crew *crew;               /* says when to put the work down */
    od_context *errors;                /* this thread's own */
    atomic_uint *flow_bins, *map_bins; /* of all threads, NULL unless quantiles are asked for */
    od_twig *twig;                     /* of the leaf at work on, NULL: none */
    od_tally *tally;                   /* of the twig */
    uint64_t next;                     /* path of the leaf that the next block starts with */
    bool kept;                         /* the snapshot that is being read has it */
    bool busy;                         /* a block is under way: */
    uint64_t first;                    /* its first path */
    size_t n;
    uint64_t row, k; /* the next row of the flow and iteration */
    bool map_left;   /* iterations are left */
    double *memory;
    double *z, *z1, *dense, *x_map,
        *before; /* states: flow at t_n and t_{n+1}, dense output, map, map before its step */
    double *dw, *q, *tau, *ws;
    uint32_t *index;
    bool *alive; /* [n] the path has not stopped */
    size_t room; /* paths of a block at most */
    size_t alive_count;
    od_stepper stepper;
    uint64_t step; /* z is the flow at step `step` ... */
    bool ahead;    /* ... and z1 at the next */
    double t;      /* adaptive and exact schemes: time of z */
    double now;    /* time of the last state reported */
    uint64_t steps;
    od_interval flow_noise, map_noise;             /* of the first step and iteration */
    bool ended;                                    /* by `stop` */
    void (*report)(od_worker *w, double fraction); /* progress within a block, or NULL */
    void *owner;
    double reported;    /* what `report` was last told */
    od_worker *resting; /* the next one whose work was put down */
};

/** Allocates for blocks of the member w->m; the caller has filled e, m, crew, bins, report and owner. */
bool od_worker_open(od_worker *w); /* false: no memory; close it all the same */
void od_worker_close(od_worker *w);
/** Sets out with paths first .. first + n - 1, which go into w->tally; a failure's sentence is in w->errors. */
od_status od_worker_begin(od_worker *w, uint64_t first, size_t n);
/** Goes on until the block is through or the crew stops; then call it again, as often as it takes. */
od_status od_worker_go(od_worker *w, bool *through);
/** Adds the states where they are as the last ones, which od_worker_go does at the end. */
void od_worker_end(od_worker *w);
/** For a block whose state was read back: an adaptive scheme starts afresh where the block is. */
od_status od_worker_reopen(od_worker *w);
/** Drops the block under way. */
void od_worker_stop(od_worker *w);

#endif
