/* One thread's block of paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_WORKER_H
#define OD_WORKER_H

#include "tally.h"

#include <stdatomic.h>

/** One thread at work on a member's paths, a block at a time. Nothing is allocated while a block runs. */
typedef struct od_worker od_worker;

struct od_worker {
    const od_experiment *e;
    const od_member *m;
    od_context *ctx;                   /* shared: cancellation and progress only */
    od_context *errors;                /* this thread's own */
    atomic_uint *flow_bins, *map_bins; /* of all threads, NULL unless quantiles are asked for */
    od_tally *tally;
    uint64_t first; /* path */
    size_t n;
    double *memory;
    double *z, *z1, *dense, *x_map,
        *before; /* states: flow at t_n and t_{n+1}, dense output, map, map before its step */
    double *dw, *q, *tau, *ws;
    uint32_t *index;
    bool *alive; /* [n] the path has not stopped */
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
    double reported; /* what `report` was last told */
};

/** Allocates for blocks of the member w->m; the caller has filled e, m, ctx, bins, report and owner. */
bool od_worker_open(od_worker *w); /* false: no memory; close it all the same */
void od_worker_close(od_worker *w);
/** Runs paths first .. first + n - 1 into w->tally; a failure's sentence is in w->errors. */
od_status od_worker_run(od_worker *w, uint64_t first, size_t n);

#endif
