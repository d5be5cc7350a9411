/* A member's scheme at several steps, beside a finer reference. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_LEVELS_H
#define OD_LEVELS_H

#include "order.h"
#include "../src/strands.h"

/** Runs at steps h 2^l, l = 0 .. levels - 1, and a reference at h / 2^halvings, all on one Brownian path. */
typedef struct od_levels {
    od_context *ctx;
    const od_member *m;
    size_t levels;
    unsigned halvings;
    double width;   /* step of the reference */
    uint64_t cells; /* steps of the reference to the end */
    od_strand strand[OD_MAX_LEVELS + 1];
    const od_integrator_type *reference; /* sra1 where the noise is additive, else the scheme itself */
} od_levels;

#define OD_LEVELS_PARAM                                                                                                \
    {                                                                                                                  \
        .name = "levels", .kind = OD_INTEGER, .fallback = "5", .low = 2, .high = OD_MAX_LEVELS,                        \
        .meaning = "how many steps are measured: h, 2 h, 4 h and so on, h = integrator.step"                           \
    }
#define OD_REFERENCE_PARAM                                                                                             \
    {                                                                                                                  \
        .name = "reference", .kind = OD_INTEGER, .fallback = "4", .low = 1, .high = 12,                                \
        .meaning = "how often h is halved for the step of the reference"                                               \
    }

/** Reads `levels` and `reference` and refuses, with a sentence, what cannot be measured. */
od_status od_levels_read(od_context *ctx, const od_settings *s, const od_member *m, const char *analysis,
                         od_levels *levels);
/** Runs paths first .. first + n - 1 to the end: state[l] of the levels, then of the reference. Close the strands. */
od_status od_levels_run(const od_levels *levels, od_context *errors, uint64_t first, size_t n, od_strands *paths);
double od_levels_step(const od_levels *levels, size_t level);

#endif
