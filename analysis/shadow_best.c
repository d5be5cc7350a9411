/* The nearest orbits of a member, in the mean and at worst. SPDX-License-Identifier: GPL-3.0-or-later */
#include "shadow.h"

#include "sample.h"

#include <math.h>
#include <string.h>

od_status od_shadowing_found(od_status status, const od_context *ctx, char reason[OD_REASON_ROOM])
{
    if (status == OD_OK || status == OD_ENOMEM || status == OD_EINTERRUPTED) {
        return status;
    }
    if (reason != NULL) {
        snprintf(reason, OD_REASON_ROOM, "%s", od_message(ctx));
    }
    return OD_OK;
}

/* On chains that are not affine the search may end in another valley than a construction: the nearest orbit known
 * counts. */
static void compare(od_shadowing *s, const od_rung *rung, const double *start)
{
    if (rung->radius < s->best.best.radius) {
        s->best.best = (od_shadow){rung->radius, rung->at, s->best_start, 0};
        memcpy(s->best_start, start, s->chain->dim * sizeof *start);
        s->best.local_lower = NAN;
        s->best.active_count = 0;
    }
}

od_status od_shadowing_best(od_shadowing *s)
{
    od_rung *squares = &s->rung[OD_LEAST_SQUARES];
    od_shadow mean = {.radius = NAN};
    double rms;
    od_shooting *shooting;
    squares->radius = NAN;
    s->best = (od_minimax){.best = {.radius = NAN, .start = s->best_start}, .lower = NAN, .local_lower = NAN};
    od_status status = od_shooting_create(s->ctx, s->chain, &s->target, &shooting);
    if (status != OD_OK) {
        od_shooting_free(shooting);
        snprintf(s->no_best, sizeof s->no_best, "%s", od_message(s->ctx));
        return od_shadowing_found(status, s->ctx, squares->missing);
    }
    status = od_shadow_least_squares(s->ctx, shooting, &mean, &rms);
    if (status == OD_OK) {
        squares->radius = mean.radius;
        squares->at = mean.at;
    }
    status = od_shadowing_found(status, s->ctx, squares->missing);
    if (status == OD_OK) {
        status = od_shadowing_found(od_shadow_minimax(s->ctx, shooting, &s->best), s->ctx, s->no_best);
    }
    od_shooting_free(shooting);
    if (status == OD_OK && s->no_best[0] == '\0' && !s->chain->affine) {
        compare(s, &s->rung[OD_EXPANSION], s->scratch_start);
    }
    return status;
}
