/*
 * The sets whose claims are about what an analysis finds: conjugate points, the action, shadows. They are the claims
 * that `conjugate`, `action` and `shadow` write with their answers.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "claims.h"
#include "cost.h"
#include "fields.h"
#include "ledger.h"

#include "analysis/morse.h"
#include "src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ conjugate points */

/* Morse (1934): as many displacements lower the action as there are conjugate points before t2. */
static od_status morse_claim(od_context *ctx, const od_extremal *x, const od_conjugates *found, od_claim_list *list)
{
    const od_flow *flow = &od_trajectory_member(x->path)->flow;
    od_morse morse;
    double a[2], b[2];
    if (x->t1 == 0 && flow->singular) {
        flow->lagrangian(flow, 1e-6 * x->t2, a, b);
        if (a[1] * 1e-6 * x->t2 < 1.01) {
            return OD_OK; /* weights like t hold no end at 0, and meshes come near to that like 1/ln only */
        }
    }
    const od_status status = od_morse_index(ctx, x->path, x->t1, x->t2, NULL, &morse);
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = od_claims_append(list, "morse-index", "Thm 2.2.4, Morse (1934)",
                                   "as many displacements lower the action as there are conjugate points before t2 "
                                   "(measured: negative eigenvalues of the second variation)");
    c->predicted = (double)found->index;
    c->measured = (double)morse.index;
    od_claims_judge(c, morse.index == found->index, "this path");
    if (c->verdict == OD_FAILS && (morse.degenerate || morse.lower_bound)) {
        c->verdict = OD_UNDECIDED;
        c->counterexample = NULL;
    }
    return OD_OK;
}

/* A whole frame of Jacobi fields is carried, and made orthonormal. */
static double frame_cost(const od_member *m)
{
    const double d = (double)m->problem->dim, samples = fmax((double)m->problem->samples, 1);
    return od_claims_orbit_cost(m) * d * (1 + d / samples);
}

static od_status find_variational(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    od_trajectory *path = NULL;
    od_conjugates found = {0};
    size_t count = 0;
    od_status status = m->has_flow ? od_trajectory_create(ctx, m, m->interval[1], 1e-13, &path)
                                   : od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow and so no path");
    const od_extremal x = {path, m->interval[0], m->interval[1]};
    status = status == OD_OK ? od_extremal_conjugates(ctx, &x, &found) : status;
    status = status == OD_OK ? od_variational_claims(ctx, &x, &found, list->claim, &count) : status;
    list->count = count;
    status = status == OD_OK ? morse_claim(ctx, &x, &found, list) : status;
    status = status == OD_OK ? od_field_claims(ctx, &x, list) : status;
    od_conjugates_free(&found);
    od_trajectory_free(path);
    return status;
}

const od_claim_set od_claims_variational = {
    .name = "conjugates",
    .summary = "for how long paths of flows minimise their action",
    .ids = (const char *const[]){"short-minimum",
                                 "saddle-length",
                                 "saddle-length-sharp",
                                 "constant-damping-none",
                                 "constant-damping",
                                 "constant-damping-printed",
                                 "flat-minimum",
                                 "flat-conjugate",
                                 "flat-ratio",
                                 "monotone-minimum",
                                 "morse-index",
                                 "viscous-gap",
                                 "jacobi-field",
                                 "jacobi-second-printed",
                                 "jacobi-second",
                                 "jacobi-constant-printed",
                                 "jacobi-constant",
                                 "jacobi-equation-printed",
                                 "jacobi-equation",
                                 "jacobi-sign-printed",
                                 "jacobi-sign",
                                 "flat-scaling",
                                 "nag-crossing",
                                 "damped-turning",
                                 NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1]}, method: nesterov, integrator: exact, "
            "start: {x: [1]}, until: 10, compare: [{interval: [1, 4]}, {interval: [1, 10]}, {interval: [0, 5]}, "
            "{interval: [5, 9]}, "
            "{method: {name: nesterov, r: 1}, interval: [1, 4]}, {method: {name: nesterov, r: 2}, interval: [1, 5]}, "
            "{method: {name: nesterov, r: 5}, interval: [5, 8]}]}",
            "{problem: {name: quadratic, eigenvalues: [1, 4, 25]}, method: nesterov, integrator: exact, "
            "start: {x: [1, 1, 1]}, until: 6, interval: [1, 6]}",
            "{method: {name: heavy-ball, alpha: 1}, problem: {name: quadratic, eigenvalues: [1]}, integrator: exact, "
            "start: {x: [1]}, until: 5, compare: [{until: 3}, {}, {problem: {name: quadratic, eigenvalues: [2, 0.5]}, "
            "method: {name: heavy-ball, alpha: 0.5}, start: {x: [1, 1]}}, {method: {name: heavy-ball, alpha: 2.5}}]}",
            "{problem: {name: power, p: 4}, method: nesterov, integrator: {name: rk4, step: 0.1}, start: {x: [1]}, "
            "until: 20, compare: [{}, {interval: [0.5, 20]}, {interval: [2, 20]}, {start: {t: 1, x: [0.5], v: "
            "[-0.5]}}, {start: {t: 1, x: [1], v: [0]}}, "
            "{problem: {name: power, p: 6}, until: 50, "
            "start: {t: 1, x: [0.594603557501361], v: [-0.2973017787506805]}}, {problem: {name: power, p: 6}}]}",
            NULL},
    .find = find_variational,
    .cost = frame_cost,
};

/* ------------------------------------------------------------------------------------------------ the action */

static od_status find_action(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    od_trajectory *path = NULL;
    od_action action = {0};
    od_integral value;
    double *direction = od_zalloc(m->problem->dim, sizeof *direction);
    od_status status = !m->has_flow        ? od_fail(ctx, OD_EUNSUPPORTED, NULL, "there is no flow and so no path")
                       : direction == NULL ? od_fail(ctx, OD_ENOMEM, NULL, "no memory for a direction")
                                           : od_trajectory_create(ctx, m, m->interval[1], 1e-13, &path);
    const od_curve curve = {.d = m->problem->dim, .path = path};
    if (status == OD_OK) {
        direction[0] = 1;
        status = od_action_open(ctx, m, &curve, m->interval[0], m->interval[1], &action);
    }
    status = status == OD_OK ? od_action_value(ctx, &action, &value) : status;
    status = status == OD_OK ? od_action_claims(ctx, &action, &value, direction, 0.1, list->claim, &list->count)
                             : status;
    od_action_close(&action);
    od_trajectory_free(path);
    free(direction);
    return status;
}

const od_claim_set od_claims_action = {
    .name = "actions",
    .summary = "the action of a path, and what simple displacements do to it",
    .ids = (const char *const[]){"action-closed-form", "second-variation-exact", "null-lagrangian", "never-maximum",
                                 "hat-value", "hat-sign", "hat-length", "hat-length-sharp", "unbounded-above",
                                 "unbounded-below", "sine-value-printed", "sine-value", "sine-sign",
                                 "integrand-printed", "integrand", "null-lagrangian-printed", "hat-close-printed",
                                 "hat-close", NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1]}, method: nesterov, integrator: exact, start: {x: [1]}, "
            "until: 10, compare: [{interval: [1, 10]}, {interval: [1, 3]}]}",
            "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: heavy-ball, alpha: 1}, integrator: exact, "
            "start: {x: [1]}, until: 5, compare: [{until: 3}, {interval: [1, 6], until: 6}, {method: {name: "
            "heavy-ball, alpha: 0.5}}]}",
            "{problem: {name: power, p: 4}, method: nesterov, integrator: {name: rk4, step: 0.1}, start: {x: [1]}, "
            "until: 5, interval: [0.5, 5]}",
            NULL},
    .find = find_action,
    .cost = od_claims_orbit_cost,
};

/* ------------------------------------------------------------------------------------------------ shadows */

static const od_settings *settings_of(const od_member *m, const char *analysis)
{
    size_t which = 0;
    while (strcmp(od_analysis_types[which]->name, analysis) != 0) {
        which++;
    }
    return m->analysis[which];
}

/* The flow to rounding, and for each state its stretch and the way back: dozens of products of the derivative. */
static double shadow_cost(const od_member *m)
{
    return m->has_map ? 250 * (double)m->iterations : 0;
}

static od_status find_shadow(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list)
{
    const od_member *m = &e->member[member];
    od_shadowing s;
    const od_status status = od_shadowing_judge(ctx, settings_of(m, "shadow"), m, &s);
    if (status == OD_OK) {
        memcpy(list->claim, s.claim, s.claim_count * sizeof *s.claim);
        list->count = s.claim_count;
    }
    od_shadowing_close(&s);
    return status;
}

const od_claim_set od_claims_shadow = {
    .name = "shadows",
    .summary = "how near orbits of an iteration stay to the sampled flow",
    .ids = (const char *const[]){"shadow-contraction",
                                 "shadow-expansion",
                                 "shadow-expansion-sharp",
                                 "shadow-delta",
                                 "shadow-delta-sharp",
                                 "shadow-radius",
                                 "shadow-radius-quadratic",
                                 "shadow-convex",
                                 "shadow-convex-path",
                                 "shadow-convex-growth",
                                 "shadow-perturbed",
                                 "shadow-concave",
                                 "shadow-saddle",
                                 "shadow-perturbed-saddle",
                                 "shadow-hb-delta",
                                 "shadow-hb-delta-complete",
                                 "shadow-jerk",
                                 "shadow-jerk-corrected",
                                 "shadow-spectrum",
                                 "shadow-spectrum-corrected",
                                 "shadow-velocity",
                                 "shadow-quadratic",
                                 "shadow-saddle-start",
                                 "shadow-hb-delta-rest",
                                 NULL},
    .standard =
        (const char *const[]){
            "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 0.1}, start: {x: [1]}, "
            "iterations: 100, compare: [{}, {method: {name: gradient, step: 1}, iterations: 20}, {problem: {name: "
            "quadratic, eigenvalues: [1, 0.01]}, method: {name: gradient, step: 0.5}, start: {x: [1, 1]}, iterations: "
            "500}]}",
            "{problem: {name: power, p: 4, c: 0.25}, method: {name: gradient, step: 0.1}, start: {x: [1]}, "
            "iterations: 100, shadow: {boxes: 1000}}",
            "{problem: {name: quadratic, eigenvalues: [-1]}, method: {name: gradient, step: 0.2}, start: {x: [1]}, "
            "iterations: 7}",
            "{problem: {name: quadratic, eigenvalues: [-1, 1]}, method: {name: gradient, step: 0.2}, start: {x: [0.1, "
            "1]}, iterations: 7}",
            "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: heavy-ball, alpha: 1, step: 0.2}, start: "
            "{x: [1]}, iterations: 100, shadow: {norm: position}, compare: [{}, {problem: {name: quadratic, "
            "eigenvalues: "
            "[2]}, method: {name: heavy-ball, alpha: 1, step: 1}, iterations: 10}]}",
            "{problem: {name: quadratic, eigenvalues: [0.01]}, method: {name: heavy-ball, alpha: 0.01, step: 0.2}, "
            "start: {x: [1]}, iterations: 5000}",
            "{problem: hosaki, method: {name: gradient, step: 0.05}, start: {x: [2.02, 2.1]}, iterations: 20, shadow: "
            "{boxes: 100}}",
            NULL},
    .find = find_shadow,
    .cost = shadow_cost,
};
