/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "track.h"

#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static od_status stored_at(od_track *track, uint64_t k, double *y)
{
    const double *states = track->data;
    memcpy(y, states + k * track->dim, track->dim * sizeof *y);
    return OD_OK;
}

od_track od_track_stored(const double *y, size_t dim, uint64_t steps)
{
    return (od_track){.dim = dim, .steps = steps, .at = stored_at, .data = (void *)y};
}

typedef struct orbit {
    od_chain *chain;
    uint64_t stride, known; /* checkpoints 0, ..., known - 1 are there */
    uint64_t held;          /* the stretch whose states are in `stretch`; UINT64_MAX: none */
    double *checkpoint;     /* [(K/stride + 1)*dim] states 0, stride, 2 stride, ... */
    double *stretch;        /* [(stride + 1)*dim] */
} orbit;

/* Fills the stretch that begins at checkpoint j, and checkpoint j + 1 if there is one. */
static od_status hold(od_track *track, uint64_t j)
{
    orbit *o = track->data;
    const size_t dim = track->dim;
    const uint64_t first = j * o->stride;
    const uint64_t count = track->steps - first < o->stride ? track->steps - first : o->stride;
    o->held = UINT64_MAX;
    memcpy(o->stretch, o->checkpoint + j * dim, dim * sizeof(double));
    for (uint64_t i = 0; i < count; i++) {
        const od_status status = o->chain->step(o->chain, first + i, o->stretch + i * dim, o->stretch + (i + 1) * dim);
        if (status != OD_OK) {
            return status;
        }
    }
    o->held = j;
    if (count == o->stride && o->known == j + 1) {
        memcpy(o->checkpoint + (j + 1) * dim, o->stretch + count * dim, dim * sizeof(double));
        o->known++;
    }
    return OD_OK;
}

static od_status orbit_at(od_track *track, uint64_t k, double *y)
{
    orbit *o = track->data;
    const uint64_t j = k / o->stride;
    od_status status = OD_OK;
    while (o->known <= j && status == OD_OK) {
        status = hold(track, o->known - 1);
    }
    if (status == OD_OK && o->held != j) {
        status = hold(track, j);
    }
    if (status == OD_OK) {
        memcpy(y, o->stretch + (k - j * o->stride) * track->dim, track->dim * sizeof *y);
    }
    return status;
}

od_status od_track_open(od_context *ctx, od_chain *chain, const double *y0, od_track *track)
{
    orbit *o = od_zalloc(1, sizeof *o);
    *track = (od_track){.dim = chain->dim, .steps = chain->steps, .at = orbit_at, .data = o};
    if (o != NULL) {
        *o = (orbit){.chain = chain, .stride = (uint64_t)ceil(sqrt((double)chain->steps)), .known = 1};
        o->held = UINT64_MAX;
        o->checkpoint = od_zalloc((chain->steps / o->stride + 1) * chain->dim, sizeof(double));
        o->stretch = od_zalloc((o->stride + 1) * chain->dim, sizeof(double));
    }
    if (o == NULL || o->checkpoint == NULL || o->stretch == NULL) {
        od_track_close(track);
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the checkpoints of %llu states of %zu numbers",
                       (unsigned long long)chain->steps, chain->dim);
    }
    memcpy(o->checkpoint, y0, chain->dim * sizeof *y0);
    return OD_OK;
}

void od_track_close(od_track *track)
{
    orbit *o = track->data;
    if (o != NULL) {
        free(o->checkpoint);
        free(o->stretch);
        free(o);
    }
    *track = (od_track){0};
}
