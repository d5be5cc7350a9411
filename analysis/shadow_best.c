/* The nearest orbits of a member, in the mean and at worst. SPDX-License-Identifier: GPL-3.0-or-later */
#include "shadow.h"

#include "branch.h"
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

static void adopt(od_shadowing *s, double radius, uint64_t at, const double *start)
{
    if (radius < s->best.best.radius) {
        s->best.best = (od_shadow){radius, at, s->best_start, 0};
        memcpy(s->best_start, start, s->chain->dim * sizeof *start);
        s->best.local_lower = NAN;
        s->best.active_count = 0;
    }
}

static void fill_split(const od_shadowing *s, od_rung *split)
{
    const od_growth *g = &s->hyperbolic.growth;
    if (s->hyperbolic.split_missing[0] != '\0') {
        snprintf(split->missing, sizeof split->missing, "%s", s->hyperbolic.split_missing);
    } else if (g->singular > 0) {
        snprintf(split->missing, sizeof split->missing,
                 "the derivative of a step is singular, so it cannot be inverted: it takes %zu direction%s to 0",
                 g->singular, g->singular > 1 ? "s" : "");
    } else if (s->not_invertible) {
        snprintf(split->missing, sizeof split->missing, "%s", s->rung[OD_EXPANSION].missing);
    } else if (g->neutral > 0) {
        snprintf(split->missing, sizeof split->missing,
                 "not hyperbolic: over all steps %zu direction%s grow%s or shrink%s by no more than one per cent",
                 g->neutral, g->neutral > 1 ? "s" : "", g->neutral > 1 ? "" : "s", g->neutral > 1 ? "" : "s");
    } else {
        split->radius = s->hyperbolic.split.radius;
        split->at = s->hyperbolic.split.at;
    }
}

od_status od_shadowing_split(od_shadowing *s)
{
    od_rung *split = &s->rung[OD_SPLIT];
    split->radius = NAN;
    od_status status = od_hyperbolicity_find(s->ctx, s->chain, &s->target, &s->hyperbolic);
    if (status == OD_OK) {
        fill_split(s, split);
    }
    return status;
}

typedef struct prefix {
    od_shadowing *s;
    od_chain chain; /* of fewer steps */
} prefix;

/* A lower bound of the radius up to `steps`: proven on affine chains, else of the linearisation. */
static od_status prefix_bound(void *user, uint64_t steps, double *lower)
{
    prefix *p = user;
    od_shooting *shooting;
    od_minimax found = {.best.radius = NAN};
    p->chain.steps = steps;
    od_status status = od_shooting_create(p->s->ctx, &p->chain, &p->s->scaled, &shooting);
    status = status == OD_OK ? od_shadow_minimax(p->s->ctx, shooting, &found) : status;
    *lower = p->s->unit * (isnan(found.lower) ? found.local_lower : found.lower);
    od_shooting_free(shooting);
    return status;
}

od_status od_shadowing_glitch(od_shadowing *s)
{
    s->epsilon = od_setting_real(s->settings, "glitch");
    if (isnan(s->epsilon) || s->no_best[0] != '\0') {
        return OD_OK;
    }
    prefix p = {.s = s, .chain = *s->chain};
    s->glitch_proven = s->chain->affine;
    return od_glitch_find(s->ctx, s->chain->steps, s->epsilon, prefix_bound, &p, &s->glitch);
}

/* By branch and bound, which may also find a nearer orbit in another valley. */
static od_status bound_by_boxes(od_shadowing *s)
{
    od_rule *rule;
    od_branch branch = {.lower = NAN, .start = s->scratch_start};
    const od_shadow best = {.radius = s->best.best.radius / s->unit, .start = s->best_start};
    od_status status = od_rule_create(s->ctx, &s->member, &rule);
    status = status == OD_OK ? od_branch_lower(s->ctx, rule, s->chain->steps, &s->scaled, &best,
                                               od_setting_real(s->settings, "gap"),
                                               (uint64_t)od_setting_real(s->settings, "boxes"), &branch)
                             : status;
    if (status == OD_OK) {
        od_shadow nearer = {.start = s->scratch_start};
        s->best.lower = s->unit * branch.lower;
        s->boxes = branch.boxes;
        if (branch.upper < best.radius && od_shadow_forward(s->ctx, s->chain, &s->target, &nearer) == OD_OK) {
            adopt(s, nearer.radius, nearer.at, s->scratch_start);
        }
        if (isnan(branch.lower)) {
            snprintf(s->no_lower, sizeof s->no_lower,
                     "%llu boxes of intervals prove nothing; allow more (shadow.boxes)",
                     (unsigned long long)branch.boxes);
        }
    }
    od_rule_free(rule);
    return od_shadowing_found(status, s->ctx, s->no_lower);
}

static od_status find_lower(od_shadowing *s)
{
    if (s->judged || s->no_best[0] != '\0' || !isnan(s->best.lower)) {
        return OD_OK;
    }
    const bool small = s->member.problem->dim <= 2 && s->chain->dim <= OD_BRANCH_MAX_DIM;
    if (!s->of_flow && small) {
        return bound_by_boxes(s);
    }
    snprintf(s->no_lower, sizeof s->no_lower, "%s",
             s->of_flow
                 ? "orbits of a flow that is not linear are not enclosed in intervals; local_lower holds of the "
                   "linearisation along the orbit found"
                 : "a loss that is not quadratic has a proven bound in at most 2 dimensions; local_lower holds of "
                   "the linearisation along the orbit found");
    return OD_OK;
}

od_status od_shadowing_best(od_shadowing *s)
{
    od_rung *squares = &s->rung[OD_LEAST_SQUARES];
    od_shadow mean = {.radius = NAN};
    double rms;
    od_shooting *shooting;
    squares->radius = NAN;
    s->best = (od_minimax){.best = {.radius = NAN, .start = s->best_start}, .lower = NAN, .local_lower = NAN};
    od_status status = od_shooting_create(s->ctx, s->chain, &s->scaled, &shooting);
    if (status != OD_OK) {
        od_shooting_free(shooting);
        snprintf(s->no_best, sizeof s->no_best, "%s", od_message(s->ctx));
        return od_shadowing_found(status, s->ctx, squares->missing);
    }
    status = od_shadow_least_squares(s->ctx, shooting, &mean, &rms);
    if (status == OD_OK) {
        squares->radius = s->unit * mean.radius;
        squares->at = mean.at;
    }
    status = od_shadowing_found(status, s->ctx, squares->missing);
    if (status == OD_OK) {
        status = od_shadowing_found(od_shadow_minimax(s->ctx, shooting, &s->best), s->ctx, s->no_best);
        s->best.best.radius *= s->unit;
        s->best.lower *= s->unit;
        s->best.local_lower *= s->unit;
    }
    od_shooting_free(shooting);
    if (s->no_best[0] != '\0') { /* what a search that failed has left is no answer */
        s->best.best.radius = s->best.lower = s->best.local_lower = NAN;
    }
    /* where the chain is not affine the search may end in another valley than a construction: the nearest known counts
     */
    if (status == OD_OK && s->no_best[0] == '\0' && !s->chain->affine) {
        adopt(s, s->rung[OD_EXPANSION].radius, s->rung[OD_EXPANSION].at, s->scratch_start);
        adopt(s, s->rung[OD_SPLIT].radius, s->rung[OD_SPLIT].at, s->hyperbolic.split.start);
    }
    return status == OD_OK ? find_lower(s) : status;
}
