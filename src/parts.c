/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "parts.h"

#include "context.h"
#include "plugin.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const od_param od_method_common[] = {
    {.name = "flow",
     .kind = OD_TEXT,
     .fallback = "",
     .meaning = "which of the method's flows; by default the one of the iteration's name, else the first"},
    {.name = "map",
     .kind = OD_TEXT,
     .fallback = "",
     .meaning = "which of the method's iterations; by default the one of the flow's name, else the first"},
    {.name = "step",
     .kind = OD_REAL,
     .fallback = "",
     .unit = "",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "learning rate of the iteration (heavy-ball: the h of its semi-implicit step)"},
    {.name = "noise",
     .kind = OD_VARIANT,
     .fallback = "",
     .unit = "gradient * sqrt(time)",
     .meaning = "sigma of g dt + sigma dB: a number, a matrix, or gradient-covariance"},
    {.name = "batch",
     .kind = OD_INTEGER,
     .fallback = "",
     .unit = "samples",
     .low = 1,
     .high = 4294967295.0,
     .meaning = "mini-batch size; the whole sum if absent"},
    {.name = "sampling",
     .kind = OD_CHOICE,
     .fallback = "replacement",
     .choices = "replacement|epochs",
     .meaning = "how a mini-batch is drawn"},
    {.name = NULL},
};

enum { MAX_PARTS = 64 };

static od_status unknown_part(od_context *ctx, const od_node *node, const char *path, const char *kind,
                              const char *name, const char *const *names, size_t count)
{
    char all[1024] = "";
    for (size_t i = 0; i < count; i++) {
        od_text_join(all, sizeof all, names[i]);
    }
    const char *nearest = od_text_nearest(name, names, count);
    char entry[128];
    snprintf(entry, sizeof entry, "%s.name", path);
    const od_node *place = node->kind == OD_NODE_MAP ? od_node_item(node, "name") : node;
    return od_node_fail(ctx, place, entry, "there is no %s '%s'%s%s%s; there are: %s", kind, name,
                        nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                        nearest != NULL ? "'?)" : "", all);
}

/* One entry of a folder's table. */
typedef struct part {
    const char *name;
    const od_param *params;
    const void *type;
    bool plugin; /* what it is comes from the file that `file` names */
} part;

typedef bool part_at(size_t i, part *p); /* false behind the last */

static bool problem_at(size_t i, part *p)
{
    const od_problem_type *type = od_problem_types[i];
    *p = type != NULL ? (part){type->name, type->params, type, type->create == NULL} : (part){0};
    return type != NULL;
}

static bool method_at(size_t i, part *p)
{
    const od_method_type *type = od_method_types[i];
    *p = type != NULL ? (part){type->name, type->params, type, type->flow == NULL && type->map == NULL} : (part){0};
    return type != NULL;
}

static bool integrator_at(size_t i, part *p)
{
    const od_integrator_type *type = od_integrator_types[i];
    *p = type != NULL ? (part){type->name, type->params, type, false} : (part){0};
    return type != NULL;
}

/* The plug-in's own parameters are known once it is loaded, so that its entries are checked as all others. */
static od_status choose_plugin(od_context *ctx, od_arena *arena, const od_node *node, od_place place, const part *p,
                               bool method, const od_param *common, od_choice *choice)
{
    od_plugin plugin;
    od_status status = od_plugin_load(ctx, arena, node, place, method ? OD_PLUGIN_METHOD : OD_PLUGIN_PROBLEM, common,
                                      &plugin);
    if (status != OD_OK) {
        return status;
    }
    const od_param *own = method ? plugin.method->params : plugin.problem->params;
    od_settings *settings = od_settings_resolve(ctx, arena, (const od_param *const[]){own, p->params, common, NULL},
                                                node, place);
    if (settings == NULL) {
        return OD_EINVAL;
    }
    choice->settings = settings;
    choice->input = plugin.input;
    choice->type = method ? (const void *)plugin.method : plugin.problem;
    return OD_OK;
}

/* Finds the part that the node names and checks its settings; `common` are parameters that all parts of the kind take.
 */
static od_status choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, part_at *at,
                        const char *kind, const od_param *common, od_choice *choice)
{
    const char *names[MAX_PARTS], *name = od_part_name(ctx, node, place.path);
    part p;
    size_t count = 0;
    for (; name != NULL && at(count, &p); count++) {
        names[count] = p.name;
        if (strcmp(p.name, name) == 0) {
            *choice = (od_choice){.type = p.type, .name = p.name};
            if (p.plugin) {
                return choose_plugin(ctx, arena, node, place, &p, at == method_at, common, choice);
            }
            choice->settings = od_settings_resolve(ctx, arena, (const od_param *const[]){p.params, common, NULL}, node,
                                                   place);
            return choice->settings != NULL ? OD_OK : OD_EINVAL;
        }
    }
    return name == NULL ? OD_EINVAL : unknown_part(ctx, node, place.path, kind, name, names, count);
}

od_status od_problem_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice)
{
    return choose(ctx, arena, node, place, problem_at, "problem", NULL, choice);
}

od_status od_integrator_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice)
{
    return choose(ctx, arena, node, place, integrator_at, "integrator", NULL, choice);
}

/* The face that is named; else the one that bears the name of the method's other face, if that is named; else the
 * first. */
static const char *face_of(od_context *ctx, const od_choice *choice, const char *which, const od_face *faces)
{
    const char *wanted = od_setting_text(choice->settings, which), *names[MAX_PARTS];
    const char *other = od_setting_text(choice->settings, strcmp(which, "map") == 0 ? "flow" : "map");
    for (size_t i = 0; wanted[0] == '\0' && other[0] != '\0' && faces != NULL && faces[i].name != NULL; i++) {
        if (strcmp(other, faces[i].name) == 0) {
            return faces[i].name;
        }
    }
    size_t count = 0;
    for (; faces != NULL && faces[count].name != NULL; count++) {
        names[count] = faces[count].name;
        if (wanted[0] == '\0' || strcmp(wanted, faces[count].name) == 0) {
            return faces[count].name;
        }
    }
    if (count == 0) {
        od_setting_fail(ctx, choice->settings, which, "the method '%s' has no %s", choice->method->name,
                        strcmp(which, "map") == 0 ? "iteration; run its flow with until and integrator"
                                                  : "flow; run its iteration with iterations and method.step");
        return NULL;
    }
    const char *nearest = od_text_nearest(wanted, names, count);
    od_setting_fail(ctx, choice->settings, which, "the method '%s' has no %s '%s'; the first of its own is '%s'",
                    choice->method->name, which, wanted, nearest != NULL ? nearest : names[0]);
    return NULL;
}

/* A face that is named must be there, whether it runs or not. */
static od_status check_faces(od_context *ctx, const od_choice *choice)
{
    const bool flow = !od_setting_present(choice->settings, "flow") ||
                      face_of(ctx, choice, "flow", choice->method->flows);
    return flow && (!od_setting_present(choice->settings, "map") || face_of(ctx, choice, "map", choice->method->maps))
               ? OD_OK
               : OD_EINVAL;
}

od_status od_method_choose(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice)
{
    od_status status = choose(ctx, arena, node, place, method_at, "method", od_method_common, choice);
    return status == OD_OK ? check_faces(ctx, choice) : status;
}

/* Whether a plug-in's function gave a reason for its failure; the last failure was forgotten before. */
static od_status built(od_context *ctx, const od_choice *choice, const char *function, od_status status)
{
    return od_message(ctx)[0] != '\0' ? status
                                      : od_setting_fail(ctx, choice->settings, choice->input != NULL ? "file" : "name",
                                                        "the function %s of '%s' failed (%s) and gives no reason",
                                                        function, choice->name, od_status_name(status));
}

od_status od_problem_build(od_context *ctx, const od_choice *choice, od_problem *problem)
{
    const od_constant unknown = {NAN, "unknown"};
    *problem = (od_problem){.type = choice->problem,
                            .name = choice->problem->name,
                            .lipschitz = unknown,
                            .convexity = unknown,
                            .minimum = unknown};
    od_context_forget(ctx);
    od_status status = choice->problem->create(ctx, choice->settings, problem);
    if (status != OD_OK) {
        *problem = (od_problem){0};
        return built(ctx, choice, "create", status);
    }
    status = choice->input != NULL ? od_plugin_try_problem(ctx, choice->settings, problem) : OD_OK;
    if (status != OD_OK) {
        od_problem_clear(problem);
    }
    return status;
}

od_status od_flow_build(od_context *ctx, const od_choice *choice, const od_problem *f, od_flow *flow)
{
    const char *face = face_of(ctx, choice, "flow", choice->method->flows);
    *flow = (od_flow){.name = face};
    if (face == NULL) {
        return OD_EINVAL;
    }
    od_context_forget(ctx);
    od_status status = choice->method->flow(ctx, choice->settings, f, face, flow);
    if (status != OD_OK) {
        *flow = (od_flow){0};
        return built(ctx, choice, "flow", status);
    }
    status = choice->input != NULL ? od_plugin_try_flow(ctx, choice->settings, f, flow) : OD_OK;
    if (status != OD_OK) {
        od_flow_clear(flow);
    }
    return status;
}

od_status od_map_build(od_context *ctx, const od_choice *choice, const od_problem *f, od_map *map)
{
    const char *face = face_of(ctx, choice, "map", choice->method->maps);
    *map = (od_map){.name = face};
    if (face == NULL) {
        return OD_EINVAL;
    }
    od_context_forget(ctx);
    od_status status = choice->method->map(ctx, choice->settings, f, face, map);
    if (status != OD_OK) {
        *map = (od_map){0};
        return built(ctx, choice, "map", status);
    }
    status = choice->input != NULL ? od_plugin_try_map(ctx, choice->settings, f, map) : OD_OK;
    if (status != OD_OK) {
        od_map_clear(map);
    }
    return status;
}

void od_problem_clear(od_problem *problem)
{
    if (problem->free != NULL) {
        problem->free(problem->data);
    }
    *problem = (od_problem){0};
}

const char *od_problem_trouble(const od_problem *problem, od_status status)
{
    const char *words = problem->trouble != NULL ? problem->trouble(problem) : "";
    return words[0] != '\0' ? words : od_status_name(status);
}

void od_problem_explain(od_context *ctx, const od_problem *problem, od_status status)
{
    const char *words = problem->trouble != NULL && status == OD_EUSER ? problem->trouble(problem) : "";
    if (words[0] != '\0') {
        od_context_add(ctx, words);
    }
}

void od_flow_clear(od_flow *flow)
{
    if (flow->free != NULL) {
        flow->free((void *)flow->data);
    }
    *flow = (od_flow){0};
}

void od_map_clear(od_map *map)
{
    if (map->free != NULL) {
        map->free((void *)map->data);
    }
    *map = (od_map){0};
}

/* Parts of their own, for C programs: the object first, so that a pointer to it is a pointer to its owner. */

typedef struct owned {
    union {
        od_problem problem;
        od_flow flow;
        od_map map;
    };
    od_arena *arena;
} owned;

typedef od_status chooser(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_choice *choice);
typedef od_status builder(od_context *ctx, const od_choice *choice, const od_problem *f, owned *object);

static od_status build_problem(od_context *ctx, const od_choice *choice, const od_problem *f, owned *object)
{
    (void)f;
    return od_problem_build(ctx, choice, &object->problem);
}

static od_status build_flow(od_context *ctx, const od_choice *choice, const od_problem *f, owned *object)
{
    return od_flow_build(ctx, choice, f, &object->flow);
}

static od_status build_map(od_context *ctx, const od_choice *choice, const od_problem *f, owned *object)
{
    return od_map_build(ctx, choice, f, &object->map);
}

static owned *own(od_context *ctx, const char *yaml, const char *path, chooser *choose_part, builder *build,
                  const od_problem *f)
{
    owned *object = od_zalloc(1, sizeof *object);
    od_arena *arena = od_arena_create();
    od_choice choice;
    if (object == NULL || arena == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    } else {
        const od_node *node = od_document_parse(ctx, arena, yaml, strlen(yaml), "text");
        if (node != NULL && choose_part(ctx, arena, node, (od_place){.path = path}, &choice) == OD_OK &&
            build(ctx, &choice, f, object) == OD_OK) {
            object->arena = arena;
            return object;
        }
    }
    od_arena_free(arena);
    free(object);
    return NULL;
}

static void disown(owned *object)
{
    od_arena_free(object->arena);
    free(object);
}

od_problem *od_problem_create(od_context *ctx, const char *yaml)
{
    return (od_problem *)own(ctx, yaml, "problem", od_problem_choose, build_problem, NULL);
}

od_flow *od_flow_create(od_context *ctx, const char *method_yaml, const od_problem *problem)
{
    return (od_flow *)own(ctx, method_yaml, "method", od_method_choose, build_flow, problem);
}

od_map *od_map_create(od_context *ctx, const char *method_yaml, const od_problem *problem)
{
    return (od_map *)own(ctx, method_yaml, "method", od_method_choose, build_map, problem);
}

void od_problem_free(od_problem *problem)
{
    if (problem != NULL) {
        od_problem_clear(problem);
        disown((owned *)problem);
    }
}

void od_flow_free(od_flow *flow)
{
    if (flow != NULL) {
        od_flow_clear(flow);
        disown((owned *)flow);
    }
}

void od_map_free(od_map *map)
{
    if (map != NULL) {
        od_map_clear(map);
        disown((owned *)map);
    }
}
