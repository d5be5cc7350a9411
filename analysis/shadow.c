/*
 * How far is the flow from the iteration that it models? Not the distance of two orbits from one start: that of the
 * nearest orbit, and what theorems say of it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "shadow.h"

#include "../claims/claims.h"
#include "../src/memory.h"
#include "../src/start.h"
#include "sample.h"
#include "vector.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ what is asked */

static od_status check_faces(od_shadowing *s)
{
    const od_member *m = &s->member;
    const char *name = m->method_choice.method->name;
    bool same = m->flow.block_count == m->map.block_count && m->flow.dim == m->map.dim;
    for (size_t b = 0; b < m->map.block_count && same; b++) {
        same = m->flow.block[b].length == m->map.block[b].length;
    }
    return same ? OD_OK
                : od_fail(s->ctx, OD_EUNSUPPORTED, "method.name",
                          "the flow and the iteration of '%s' have different states, so there is no distance between "
                          "them",
                          name);
}

/* The member's own faces, and its flow where it runs the iteration alone. */
static od_status find_faces(od_shadowing *s)
{
    od_member *m = &s->member;
    *m = *s->m;
    if (!m->has_map) {
        return od_fail(s->ctx, OD_EUNSUPPORTED, "iterations",
                       "shadow compares the iteration with the flow at its times; give iterations and method.step");
    }
    if (!m->has_flow) {
        od_status status = m->method_choice.method->flows[0].name != NULL
                               ? od_flow_build(s->ctx, &m->method_choice, m->problem, &m->flow)
                               : od_fail(s->ctx, OD_EUNSUPPORTED, "method.name",
                                         "'%s' has no flow that its iteration could be compared with",
                                         m->method_choice.method->name);
        if (status != OD_OK) {
            return status;
        }
        s->own_flow = m->has_flow = true;
        if (m->flow.singular && m->start.t < 0) {
            return od_fail(s->ctx, OD_EINVAL, "start.t",
                           "the coefficients of '%s' are singular at t = 0; start at t >= 0",
                           m->method_choice.method->name);
        }
    }
    const double time = od_setting_real(s->settings, "time"), fit = floor(time / m->map.tau * (1 + 1e-9));
    if (fit < 1) {
        return od_setting_fail(s->ctx, s->settings, "time", "no iteration fits into it: each stands for %.9g",
                               m->map.tau);
    }
    m->iterations = fit < (double)m->iterations ? (uint64_t)fit : m->iterations;
    od_status status = check_faces(s);
    return status == OD_OK && m->flow.singular && m->start.t == 0 ? od_start_check_singular(s->ctx, m) : status;
}

/* One weight for each block or for each component; positions alone: the other blocks weigh nothing. */
static od_status read_weights(od_shadowing *s)
{
    const od_map *map = &s->member.map;
    const od_value *given = od_setting(s->settings, "weights");
    const bool position = strcmp(od_setting_text(s->settings, "norm"), "position") == 0;
    if (given->present && given->cols != map->block_count && given->cols != map->dim) {
        return od_setting_fail(s->ctx, s->settings, "weights",
                               "expected one weight for each of the %zu blocks of the state, or for each of its %zu "
                               "components; got %zu",
                               map->block_count, map->dim, given->cols);
    }
    double largest = 0;
    size_t i = 0;
    for (size_t b = 0; b < map->block_count; b++) {
        for (size_t j = 0; j < map->block[b].length; j++, i++) {
            const double w = !given->present ? 1 : given->list[given->cols == map->block_count ? b : i];
            s->weight[i] = position && b > 0 ? 0 : w;
            largest = fmax(largest, s->weight[i]);
        }
    }
    return largest > 0 ? OD_OK
                       : od_setting_fail(s->ctx, s->settings, "weights",
                                         "all weights are 0, so every orbit is near; give one above 0");
}

/* Gradients of seven digits: a step whose error is asked to be smaller would be halved for ever. */
static const double SINGLE_TOLERANCE = 1e-6;

static od_status open_study(od_shadowing *s)
{
    od_status status = find_faces(s);
    if (status != OD_OK) {
        return status;
    }
    const od_member *m = &s->member;
    const size_t dim = m->map.dim;
    s->memory = od_zalloc(5 * dim + od_scratch_size(&m->flow.scratch, 1), sizeof *s->memory);
    s->states = m->iterations < SIZE_MAX / 16 / dim ? od_zalloc(((size_t)m->iterations + 1) * dim, sizeof *s->states)
                                                    : NULL;
    if (s->memory == NULL || s->states == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, "iterations", "no memory for %llu states of %zu components",
                       (unsigned long long)m->iterations, dim);
    }
    s->start = s->memory;
    s->scratch_start = s->start + dim;
    s->best_start = s->scratch_start + dim;
    s->weight = s->best_start + dim;
    double *scaled = s->weight + dim;
    s->target = (od_target){s->states, s->weight};
    s->scaled = (od_target){s->states, scaled};
    s->of_flow = strcmp(od_setting_text(s->settings, "direction"), "flow") == 0;
    const double rtol = od_setting_real(s->settings, "tolerance");
    if (m->problem->precision != NULL && rtol < SINGLE_TOLERANCE) {
        return od_setting_fail(s->ctx, s->settings, "tolerance",
                               "in single precision the flow cannot be sampled to %g; give at least %g, or evaluate "
                               "the problem in double precision",
                               rtol, SINGLE_TOLERANCE);
    }
    status = read_weights(s);
    if (status == OD_OK && od_start_fill(m, 0, 1, s->start, scaled + dim) != OD_OK) {
        status = od_fail(s->ctx, OD_EUSER, "start", "the start could not be evaluated");
    }
    status = status == OD_OK ? od_chain_of_map(s->ctx, &m->map, m->iterations, &s->iteration) : status;
    status = status == OD_OK ? od_chain_of_flow(s->ctx, &m->flow, m->start.t, m->map.tau, m->iterations, rtol, &s->flow)
                             : status;
    s->chain = s->of_flow ? &s->flow : &s->iteration;
    return status;
}

void od_shadowing_close(od_shadowing *s)
{
    od_hyperbolicity_free(&s->hyperbolic);
    od_chain_clear(&s->iteration);
    od_chain_clear(&s->flow);
    if (s->own_flow) {
        od_flow_clear(&s->member.flow);
    }
    free(s->states);
    free(s->memory);
}

/* ------------------------------------------------------------------------------------------------ what is found */

/* The iteration's own states in place of the sampled flow. */
static od_status iterate(od_shadowing *s)
{
    const size_t dim = s->iteration.dim;
    memcpy(s->states, s->start, dim * sizeof *s->states);
    for (uint64_t k = 0; k < s->iteration.steps; k++) {
        od_status status = s->iteration.step(&s->iteration, k, s->states + k * dim, s->states + (k + 1) * dim);
        if (status != OD_OK) {
            return od_fail(s->ctx, status, "method.step",
                           "the iteration diverged at k = %llu; give a smaller step or fewer iterations",
                           (unsigned long long)k + 1);
        }
    }
    return OD_OK;
}

static od_status find_states(od_shadowing *s)
{
    const od_member *m = &s->member;
    od_status status = od_flow_sample(s->ctx, &m->flow, m->start.t, m->map.tau, m->iterations + 1, s->start,
                                      od_setting_real(s->settings, "tolerance"), s->weight, s->states, &s->integration);
    status = status == OD_OK
                 ? od_pair_measure(s->ctx, &m->map, &m->flow, m->start.t, m->iterations, s->states, s->start, &s->pair)
                 : status;
    s->bound = od_pair_bound(&s->pair);
    double largest = 0; /* the theorems are in the Euclidean norm */
    for (size_t i = 0; i < m->map.dim; i++) {
        largest = fmax(largest, s->weight[i]);
    }
    s->bound.delta *= largest;
    s->bound.delta_printed *= largest;
    s->bound.radius *= largest;
    if (s->of_flow) {
        s->bound = (od_pair_bounds){NAN, NAN, NAN, "the theorems are about orbits of the iteration near the flow"};
        status = status == OD_OK ? iterate(s) : status;
    }
    return status;
}

/* The norm carries the unit: distances come out in it. */
static void choose_unit(od_shadowing *s)
{
    enum { NEAR = 430, FAR = 900 };
    double *scaled = s->weight + s->chain->dim;
    int exponent;
    frexp(od_largest((size_t)(s->chain->steps + 1) * s->chain->dim, s->states), &exponent);
    const int within = exponent > FAR ? FAR : exponent < -FAR ? -FAR : exponent;
    s->unit = abs(exponent) > NEAR ? ldexp(1, within) : 1;
    for (size_t i = 0; i < s->chain->dim; i++) {
        scaled[i] = s->weight[i] / s->unit;
    }
}

static od_status construct(od_shadowing *s)
{
    od_rung *same = &s->rung[OD_SAME_START], *forward = &s->rung[OD_CONTRACTION], *backward = &s->rung[OD_EXPANSION];
    od_shadow shadow = {.start = s->start};
    od_status status = od_shadow_forward(s->ctx, s->chain, &s->target, &shadow);
    *same = *forward = (od_rung){.radius = shadow.radius, .at = shadow.at};
    status = status == OD_OK ? od_shadow_local_error(s->ctx, s->chain, &s->target, &s->local) : status;
    status = status == OD_OK ? od_shadow_stretch(s->ctx, s->chain, &s->target, &s->stretch) : status;
    if (!(s->stretch.high < 1)) {
        forward->radius = NAN;
        if (isnan(s->stretch.high)) {
            snprintf(forward->missing, sizeof forward->missing,
                     "whether a step contracts cannot be seen, for the %s offers no derivative or no transpose of it",
                     s->chain->what);
        } else {
            snprintf(forward->missing, sizeof forward->missing,
                     "a step stretches by up to %.6g near the states, so it does not contract", s->stretch.high);
        }
    }
    const double most = s->pair.h * s->pair.high;
    if (status == OD_OK && !s->of_flow && s->pair.kind == OD_PAIR_DESCENT && most >= 1) {
        backward->radius = NAN;
        s->not_invertible = true;
        snprintf(backward->missing, sizeof backward->missing,
                 "h L = %.6g is not below 1, and gradient descent can be inverted only where it is", most);
    } else if (status == OD_OK) {
        shadow.start = s->scratch_start;
        status = od_shadow_backward(s->ctx, s->chain, &s->target, &shadow, backward->missing);
        backward->radius = shadow.radius;
        backward->at = shadow.at;
    }
    return status;
}

/* All that takes one pass over the states, or a few. */
static od_status begin(od_context *ctx, const od_settings *settings, const od_member *m, od_shadowing *s)
{
    *s = (od_shadowing){.ctx = ctx, .m = m, .settings = settings, .certificate.proven.epsilon = NAN};
    openblas_set_num_threads(1); /* the same bits for any number of threads */
    od_status status = open_study(s);
    status = status == OD_OK ? find_states(s) : status;
    if (status == OD_OK) {
        choose_unit(s);
        status = construct(s);
    }
    return status;
}

od_status od_shadowing_judge(od_context *ctx, const od_settings *settings, const od_member *m, od_shadowing *s)
{
    od_status status = begin(ctx, settings, m, s);
    s->judged = true;
    s->rung[OD_SPLIT].radius = s->best.best.radius = NAN;
    if (status == OD_OK && od_perturbed_saddle_applies(s)) {
        status = od_shadowing_best(s);
    }
    return status == OD_OK ? od_shadow_claims(ctx, s, s->claim, &s->claim_count) : status;
}

od_status od_shadowing_find(od_context *ctx, const od_settings *settings, const od_member *m, od_shadowing *s)
{
    od_status status = begin(ctx, settings, m, s);
    status = status == OD_OK ? od_shadowing_split(s) : status;
    status = status == OD_OK ? od_shadowing_best(s) : status;
    status = status == OD_OK ? od_shadowing_glitch(s) : status;
    return status == OD_OK ? od_shadow_claims(ctx, s, s->claim, &s->claim_count) : status;
}

static const char *const fitted[] = {"same_start",     "expansion",        "split", "least_squares", "minimax", "delta",
                                     "modified_start", "modified_minimax", NULL};

static void give_numbers(const od_shadowing *s, double *number)
{
    const double found[] = {s->rung[OD_SAME_START].radius,    s->rung[OD_EXPANSION].radius, s->rung[OD_SPLIT].radius,
                            s->rung[OD_LEAST_SQUARES].radius, s->best.best.radius,          s->local.max,
                            s->modified.same_start,           s->modified.nearest};
    memcpy(number, found, sizeof found);
}

static od_status shadow_measure(od_context *ctx, const od_settings *settings, const od_experiment *e, size_t member,
                                FILE *out, bool json, double *number)
{
    od_shadowing s;
    if (e->output != NULL && od_setting_real(settings, "certificate") == 0) {
        return od_fail(ctx, OD_EINVAL, "shadow.certificate",
                       "the one file that shadow writes is a certificate, which is not asked for; give shadow: "
                       "{certificate: true}, or leave -o out");
    }
    od_status status = od_shadowing_find(ctx, settings, &e->member[member], &s);
    status = status == OD_OK ? od_shadowing_certify(&s, e) : status;
    status = status == OD_OK ? od_shadowing_variants(&s) : status;
    if (status == OD_OK) {
        (json ? od_shadowing_write_json : od_shadowing_write_text)(&s, out);
        give_numbers(&s, number);
    }
    od_shadowing_close(&s);
    return status;
}

const od_analysis_type od_analysis_shadow = {
    .name = "shadow",
    .summary = "how far the flow is from the iteration it models: constructed and best shadows, and their bounds",
    .source = "Orvieto and Lucchi (2019), Shadowing properties of optimization algorithms; Orvieto (2023), Diss. ETH "
              "29649, section 2.4",
    .params =
        (const od_param[]){{.name = "direction",
                            .kind = OD_CHOICE,
                            .fallback = "iteration",
                            .choices = "iteration|flow",
                            .meaning = "whose orbit shadows: one of the iteration the sampled flow, or one of the "
                                       "flow the iteration"},
                           {.name = "norm",
                            .kind = OD_CHOICE,
                            .fallback = "phase",
                            .choices = "phase|position",
                            .meaning = "Euclidean, of the whole state or of positions alone"},
                           {.name = "weights",
                            .kind = OD_VECTOR,
                            .fallback = "",
                            .low = 0,
                            .high = INFINITY,
                            .meaning = "factors of the differences in the norm, one for each block of the state "
                                       "or for each component; 1 by default"},
                           {.name = "time",
                            .kind = OD_REAL,
                            .fallback = "",
                            .unit = "time",
                            .low = 0,
                            .high = INFINITY,
                            .low_open = true,
                            .meaning = "of the iterations only those up to this time are looked at, so that a "
                                       "sweep over the step compares like with like"},
                           {.name = "tolerance",
                            .kind = OD_REAL,
                            .fallback = "1.0e-13",
                            .low = 1e-14,
                            .high = 1e-3,
                            .meaning = "error of one step of a flow without closed form, relative to its state"},
                           {.name = "gap",
                            .kind = OD_REAL,
                            .fallback = "1.0e-4",
                            .low = 1e-9,
                            .high = 1,
                            .meaning = "relative gap wanted between the minimax radius and its proven bound, where "
                                       "intervals give it"},
                           {.name = "boxes",
                            .kind = OD_INTEGER,
                            .fallback = "20000",
                            .low = 1,
                            .high = 1e12,
                            .meaning = "most boxes of intervals to look at for that bound"},
                           {.name = "glitch",
                            .kind = OD_REAL,
                            .fallback = "",
                            .low = 0,
                            .high = INFINITY,
                            .low_open = true,
                            .meaning = "also look for the first iteration up to which no orbit stays within this"},
                           {.name = "certificate",
                            .kind = OD_FLAG,
                            .fallback = "false",
                            .meaning = "also prove that an exact orbit of the iteration is near the computed one; with "
                                       "-o DIR a file that can be checked"},
                           {.name = "modified",
                            .kind = OD_FLAG,
                            .fallback = "true",
                            .meaning = "also ask for the modified flow of the method, where it has one"},
                           {.name = "rescaled",
                            .kind = OD_FLAG,
                            .fallback = "true",
                            .meaning = "with momentum, also compare with the flow at times that may shift"},
                           {.name = NULL}},
    .fitted = fitted,
    .measure = shadow_measure,
};
