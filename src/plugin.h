/*
 * Parts in shared objects of the user's: found by the entry `file`, checked before anything of them is called.
 *
 * A plug-in is code of the user's and runs with the user's rights. So only the file that is named is loaded, by its
 * full path, never one from a search path. It stays loaded until the process ends: settings and objects point into it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PLUGIN_H
#define OD_PLUGIN_H

#include "document.h"
#include "settings.h"

typedef struct od_plugin {
    const od_problem_type *problem; /* what the file has, NULL if it has none */
    const od_method_type *method;
    const char *input; /* "path sha256"; in the arena */
} od_plugin;

typedef enum od_plugin_kind { OD_PLUGIN_PROBLEM, OD_PLUGIN_METHOD, OD_PLUGIN_ANY } od_plugin_kind;

/** Parameters of the part `plugin` itself: file. */
extern const od_param od_plugin_params[];

/**
 * Loads the plug-in that the node's entry `file` names, relative to the folder of the experiment; it has a part of this
 * kind. `common` are parameters that all parts of the kind take. A failure names the entry, the file and the remedy.
 */
od_status od_plugin_load(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_plugin_kind kind,
                         const od_param *common, od_plugin *plugin);

/** Loads the plug-in of this path, whatever parts it has. */
od_status od_plugin_load_file(od_context *ctx, od_arena *arena, const char *file, od_plugin *plugin);

/**
 * What a plug-in built is looked at and tried at three random points, in buffers with guards behind their ends:
 * required functions and consistent sizes, no write outside, the same numbers for a point alone and in a batch. What is
 * not finite or fails there is left to the run, whose points are in the domain.
 */
od_status od_plugin_try_problem(od_context *ctx, const od_settings *s, const od_problem *problem);
od_status od_plugin_try_flow(od_context *ctx, const od_settings *s, const od_problem *problem, const od_flow *flow);
od_status od_plugin_try_map(od_context *ctx, const od_settings *s, const od_problem *problem, const od_map *map);

#endif
