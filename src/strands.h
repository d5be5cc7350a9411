/* Several runs of one flow on the same Brownian paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_STRANDS_H
#define OD_STRANDS_H

#include "experiment.h"

/** One run: a scheme of fixed step and how many cells of the path a step takes. */
typedef struct od_strand {
    const od_integrator_type *type;
    double step; /* cells * the cell's width */
    uint64_t cells;
} od_strand;

enum { OD_MAX_STRANDS = 24 };

/** At most 128 paths of a member's flow, by several strands that see one Brownian path, drawn once, cell by cell. */
typedef struct od_strands {
    od_context *ctx; /* asked for cancellation only */
    const od_member *m;
    od_brownian noise;
    od_interval cell; /* the first */
    double width;     /* of a cell */
    uint64_t first, done;
    size_t n, count;
    od_strand strand[OD_MAX_STRANDS];
    double *state[OD_MAX_STRANDS]; /* [dim*n] */
    double *sum[OD_MAX_STRANDS];   /* [2*noise.dim*n] increments and integrals since the strand's last step */
    double *memory, *next, *dw, *ws;
} od_strands;

/**
 * Opens strands at the member's start for paths first .. first + n - 1. The finest cell is [start.t, start.t + width],
 * which lies on the member's (refined) noise grid. `ctx` is asked for cancellation, a failure's sentence goes to
 * `errors`. Close it also after a failure.
 */
od_status od_strands_open(od_context *ctx, od_context *errors, const od_member *m, double width,
                          const od_strand *strand, size_t count, uint64_t first, size_t n, od_strands *s);
/** To the end of cell number `cells`, where each strand stands whose steps end there; before it only if cancelled. */
od_status od_strands_advance(od_context *errors, od_strands *s, uint64_t cells);
void od_strands_close(od_strands *s);

#endif
