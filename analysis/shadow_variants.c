/* The iteration beside its modified flow, and beside its flow at times that shift. SPDX-License-Identifier:
 * GPL-3.0-or-later
 */
#include "shadow.h"

#include "sample.h"

#include <math.h>
#include <string.h>

static const double most_numbers = 1e8; /* kept of the flow to shift times: 800 MB */

static bool flag(const od_shadowing *s, const char *name)
{
    return od_setting_real(s->settings, name) != 0;
}

/* Why there is no modified flow, or NULL. */
static const char *no_modified(const od_shadowing *s)
{
    const od_face *face = s->m->method_choice.method->flows;
    while (face->name != NULL && strcmp(face->name, "modified") != 0) {
        face++;
    }
    return !flag(s, "modified")                           ? "it was not asked for"
           : face->name == NULL                           ? "no modified flow of this method is known"
           : strcmp(s->member.flow.name, "modified") == 0 ? "the flow of the experiment is the modified one"
           : s->m->problem->hvp == NULL || s->m->problem->rough != NULL
               ? "the modified flow needs the Hessian of the loss"
               : NULL;
}

/* The nearest orbit of the iteration to the states of the modified flow. */
static od_status find_nearest(od_shadowing *s)
{
    od_shooting *shooting = NULL;
    od_minimax best = {.best.radius = NAN};
    if (s->of_flow || s->no_best[0] != '\0') {
        return OD_OK;
    }
    od_status status = od_shooting_create(s->ctx, &s->iteration, &s->scaled, &shooting);
    status = status == OD_OK ? od_shadow_minimax(s->ctx, shooting, &best) : status;
    s->modified.nearest = status == OD_OK ? s->unit * best.best.radius : NAN;
    od_shooting_free(shooting);
    return od_shadowing_found(status, s->ctx, NULL);
}

/* The largest distance of the iteration from the modified flow, both from the start. */
static od_status find_modified(od_shadowing *s)
{
    const od_member *m = &s->member;
    const char *reason = no_modified(s);
    s->modified.same_start = s->modified.nearest = NAN;
    if (reason != NULL) {
        snprintf(s->modified.missing, sizeof s->modified.missing, "%s", reason);
        return OD_OK;
    }
    od_flow flow = {.name = "modified"};
    od_status status = m->method_choice.method->flow(s->ctx, m->method_choice.settings, m->problem, "modified", &flow);
    if (status != OD_OK) {
        return status;
    }
    status = od_flow_sample(s->ctx, &flow, m->start.t, m->map.tau, m->iterations + 1, s->start,
                            od_setting_real(s->settings, "tolerance"), s->weight, s->states, &s->modified.integration);
    od_shadow shadow = {.start = s->start};
    status = status == OD_OK ? od_shadow_forward(s->ctx, &s->iteration, &s->target, &shadow) : status;
    s->modified.same_start = status == OD_OK ? shadow.radius : NAN;
    status = status == OD_OK ? find_nearest(s) : od_shadowing_found(status, s->ctx, s->modified.missing);
    od_flow_clear(&flow);
    return status;
}

/* Radius of the iteration from one start beside the flow from another, at the flow's own times. */
static od_status shift_times(od_shadowing *s, const double *orbit, const double *flow, od_rescaled *found)
{
    const od_member *m = &s->member;
    const size_t dim = s->iteration.dim;
    memcpy(s->states, orbit, dim * sizeof *s->states);
    od_status status = OD_OK;
    for (uint64_t k = 0; k < s->iteration.steps && status == OD_OK; k++) {
        status = s->iteration.step(&s->iteration, k, s->states + k * dim, s->states + (k + 1) * dim);
    }
    if (status != OD_OK) {
        return od_fail(s->ctx, status, "method.step", "the iteration could not be followed to its end");
    }
    status = od_rescaled_find(s->ctx, &m->flow, m->start.t, m->map.tau, m->iterations, flow,
                              od_setting_real(s->settings, "tolerance"), s->scaled.weight, s->states, found);
    found->radius *= s->unit;
    return status;
}

static od_status find_rescaled(od_shadowing *s)
{
    const double numbers = od_rescaled_numbers(s->iteration.dim, s->iteration.steps);
    s->rescaled.same_start = s->rescaled.nearest = NAN;
    if (flag(s, "rescaled") && s->member.flow.second_order && numbers > most_numbers) {
        snprintf(s->rescaled.missing, sizeof s->rescaled.missing,
                 "the flow between its times would be %.3g numbers, more than %.3g", numbers, most_numbers);
        return OD_OK;
    }
    if (!flag(s, "rescaled") || !s->member.flow.second_order) {
        snprintf(s->rescaled.missing, sizeof s->rescaled.missing,
                 flag(s, "rescaled") ? "times are shifted for flows with momentum" : "it was not asked for");
        return OD_OK;
    }
    od_status status = shift_times(s, s->start, s->start, &s->shift);
    if (status != OD_OK) {
        return od_shadowing_found(status, s->ctx, s->rescaled.missing);
    }
    s->rescaled.same_start = s->shift.radius;
    if (status == OD_OK && s->no_best[0] == '\0' && s->best.best.defect == 0) {
        od_rescaled best;
        status = shift_times(s, s->of_flow ? s->start : s->best_start, s->of_flow ? s->best_start : s->start, &best);
        s->rescaled.nearest = status == OD_OK ? best.radius : NAN;
    }
    return od_shadowing_found(status, s->ctx, NULL);
}

od_status od_shadowing_variants(od_shadowing *s)
{
    od_status status = find_modified(s);
    return status == OD_OK ? find_rescaled(s) : status;
}
