/* Parts found by name and built from checked settings. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_PARTS_H
#define OD_PARTS_H

#include "settings.h"

/** Parameters every method takes besides its own: flow, map, step, noise, batch, sampling. */
extern const od_param od_method_common[];

/** A part chosen by name, with its settings. */
typedef struct od_choice {
    union {
        const void *type; /* one of the following */
        const od_problem_type *problem;
        const od_method_type *method;
        const od_integrator_type *integrator;
    };
    const od_settings *settings;
    const char *name;  /* as in the experiment file */
    const char *input; /* of a plug-in, "path sha256" of its file; else NULL */
} od_choice;

od_status od_problem_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice);
od_status od_method_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice);
od_status od_integrator_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place,
                               od_choice *choice);

/** Builds into caller-owned structs; on failure nothing is left to clear. Settings must outlive the object. */
od_status od_problem_build(od_context *ctx, const od_choice *choice, od_problem *problem);
od_status od_flow_build(od_context *ctx, const od_choice *choice, const od_problem *f, od_flow *flow);
od_status od_map_build(od_context *ctx, const od_choice *choice, const od_problem *f, od_map *map);
void od_problem_clear(od_problem *problem);
/** What an evaluation that failed says, or the name of its status. */
const char *od_problem_trouble(const od_problem *problem, od_status status);
/** Adds to the sentence of a failure what the problem said, if it was one of its evaluations that failed. */
void od_problem_explain(od_context *ctx, const od_problem *problem, od_status status);
void od_flow_clear(od_flow *flow);
void od_map_clear(od_map *map);

#endif
