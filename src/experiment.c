/* Reads an experiment file into its runs. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "member.h"

#include "label.h"
#include "tally.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHARDS = 65536 }; /* each is a journal in one folder, and merge names those that are missing */

/* Shares are whole leaves, so there may be fewer of them than was thought. */
static void note_idle_shards(od_context *ctx, const od_experiment *e)
{
    uint64_t leaves = 0;
    for (size_t i = 0; i < e->member_count; i++) {
        leaves += (e->member[i].paths + OD_LEAF - 1) / OD_LEAF;
    }
    if (e->ranks == NULL && e->shards > leaves) {
        od_note(ctx,
                "--shard: the paths are shared in groups of %d, of which there are %llu here, so only %llu of the %u "
                "shards have work; merge needs all of them none the less",
                OD_LEAF, (unsigned long long)leaves, (unsigned long long)leaves, e->shards);
    }
}

/* A run chooses the paths of all its members, or of none. */
static od_status check_automatic(od_context *ctx, const od_experiment *e)
{
    for (size_t i = 1; i < e->member_count; i++) {
        if (od_member_automatic(&e->member[i]) != od_member_automatic(&e->member[0])) {
            return od_setting_fail(ctx, e->member[i].top, "paths",
                                   "some runs of the file have paths: auto and others a number; give all the same");
        }
    }
    return !od_member_automatic(&e->member[0]) || e->shards == 0
               ? OD_OK
               : od_setting_fail(ctx, e->member[0].top, "paths",
                                 "how many paths auto takes is known only on the way, so there are no shares of them; "
                                 "give a number of paths to run in shards or ranks");
}

/* All members share one Brownian path, so they share the base grid: by default the finest step there is. */
static od_status set_noise(od_context *ctx, od_experiment *e)
{
    double finest = INFINITY;
    for (size_t i = 0; i < e->member_count; i++) {
        const od_member *m = &e->member[i];
        if (m->has_flow && m->flow.noise.dim > 0) {
            finest = fmin(finest, m->step);
        }
        if (m->has_map && m->map.noise_dim > 0) {
            finest = fmin(finest, m->map.tau);
        }
    }
    for (size_t i = 0; i < e->member_count; i++) {
        od_member *m = &e->member[i];
        const size_t flow_dim = m->has_flow ? m->flow.noise.dim : 0, map_dim = m->has_map ? m->map.noise_dim : 0;
        const double given = od_setting_real(m->top, "noise_step");
        m->noise = (od_brownian){.seed = m->seed,
                                 .origin = m->start.t,
                                 .base = isnan(given) ? finest : given,
                                 .dim = flow_dim > map_dim ? flow_dim : map_dim,
                                 .antithetic = m->antithetic};
        od_status status = od_member_check_noise(ctx, m);
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

/* The text in the arena, or what stands for none; *kept becomes false when there is no memory. */
static const char *keep(od_arena *arena, const char *text, const char *none, bool *kept)
{
    const char *copy = text != NULL ? od_arena_text(arena, text, strlen(text)) : none;
    *kept = *kept && (text == NULL || copy != NULL);
    return copy;
}

static od_status apply_options(od_context *ctx, od_experiment *e, od_node *root, const od_options *options)
{
    for (size_t i = 0; options->set != NULL && options->set[i] != NULL; i++) {
        od_status status = od_document_set(ctx, e->arena, root, options->set[i]);
        if (status != OD_OK) {
            return status;
        }
    }
    if (options->seed != NULL) {
        od_node *seed = od_document_parse(ctx, e->arena, options->seed, strlen(options->seed), "--seed");
        if (seed == NULL) {
            return OD_EINVAL;
        }
        seed->line = 0;
        if (od_node_item(od_node_item(root, "sweep"), "seed") != NULL) {
            od_note(ctx, "--seed has no effect on a sweep over seeds; change them by --set sweep.seed=[...]");
        }
        od_status status = od_node_put(ctx, e->arena, root, "seed", seed);
        if (status != OD_OK) {
            return status;
        }
    }
    if (options->block > 128) {
        return od_fail(ctx, OD_EINVAL, "--block", "%u is not between 1 and 128", options->block);
    }
    if (options->shards > 0 && (options->shard < 1 || options->shard > options->shards)) {
        return od_fail(ctx, OD_EINVAL, "--shard", "%u/%u: the shards are numbered from 1 to %u", options->shard,
                       options->shards, options->shards);
    }
    if (options->shards > MOST_SHARDS) {
        return od_fail(ctx, OD_EINVAL, "--shard", "%u/%u: there are at most %d shards; no run has use for more",
                       options->shard, options->shards, MOST_SHARDS);
    }
    e->shard = options->shard;
    e->shards = options->shards;
    if (options->ranks != NULL && options->ranks->size > 1) {
        if (options->shards > 0) {
            return od_fail(ctx, OD_EINVAL, "--shard", "several ranks share the paths already; run shards one by one");
        }
        e->ranks = options->ranks;
        e->shard = options->ranks->rank + 1;
        e->shards = options->ranks->size;
    }
    e->checkpoint = options->checkpoint == 0 ? 60 : options->checkpoint;
    e->threads = options->threads;
    e->block = options->block != 0 ? options->block : 128;
    bool kept = true;
    e->output = keep(e->arena, options->output, NULL, &kept);
    e->invocation = keep(e->arena, options->invocation, "", &kept);
    const od_node *folder = od_node_item(root, "data");
    const char *data = options->data != NULL && options->data[0] != '\0'  ? options->data
                       : folder != NULL && folder->kind == OD_NODE_SCALAR ? folder->text
                                                                          : "";
    char *absolute = data[0] != '\0' ? realpath(data, NULL) : NULL;
    e->place.data = keep(e->arena, absolute != NULL ? absolute : data, "", &kept);
    e->place.entry = folder != NULL && folder->kind == OD_NODE_SCALAR ? folder->text : "";
    free(absolute);
    return kept ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
}

static od_status build(od_context *ctx, od_experiment *e, od_node *root, const od_options *options)
{
    static const od_options none;
    od_status status = root->kind == OD_NODE_MAP ? apply_options(ctx, e, root, options != NULL ? options : &none)
                                                 : od_entries_check(ctx, root);
    status = status == OD_OK ? od_entries_check(ctx, root) : status;
    od_expansion x = {.ctx = ctx, .arena = e->arena};
    status = status == OD_OK ? od_experiment_expand(&x, root) : status;
    if (status != OD_OK) {
        return status;
    }
    e->member = od_arena_alloc(e->arena, x.count, sizeof *e->member);
    e->problem = od_arena_alloc(e->arena, x.count, sizeof *e->problem);
    e->problem_text = od_arena_alloc(e->arena, x.count, sizeof *e->problem_text);
    if (e->member == NULL || e->problem == NULL || e->problem_text == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu runs", x.count);
    }
    for (size_t i = 0; i < x.count && status == OD_OK; i++) {
        e->member_count = i + 1; /* counted first, so that a half-built member is cleared */
        status = od_member_read(ctx, e, x.root[i], &e->member[i]);
    }
    if (status == OD_OK) {
        for (size_t i = 0; i < x.count; i++) {
            double value;
            const bool number = x.value[i] != NULL && x.value[i]->kind == OD_NODE_SCALAR && !x.value[i]->quoted &&
                                od_text_real(x.value[i]->text, &value);
            e->member[i].swept = x.swept;
            e->member[i].swept_value = number ? value : NAN;
            e->member[i].series = x.series[i];
            od_label_member(e, i, x.label[i][0] != '\0' ? x.label[i] : e->member[i].method_choice.method->name);
        }
        status = check_automatic(ctx, e);
        status = status == OD_OK ? set_noise(ctx, e) : status;
        note_idle_shards(ctx, e);
    }
    return status == OD_OK ? od_experiment_resolve(ctx, e) : status;
}

static od_experiment *load(od_context *ctx, const char *file, const char *yaml, const od_options *options)
{
    od_arena *arena = od_arena_create();
    od_experiment *e = arena != NULL ? od_arena_alloc(arena, 1, sizeof *e) : NULL;
    if (e == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        od_arena_free(arena);
        return NULL;
    }
    e->arena = arena;
    e->file = file != NULL ? od_arena_text(arena, file, strlen(file)) : "";
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    e->place.folder = slash != NULL ? od_arena_text(arena, file, (size_t)(slash - file)) : "";
    if (e->file == NULL || e->place.folder == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        od_experiment_free(e);
        return NULL;
    }
    od_node *root = file != NULL ? od_document_read(ctx, arena, file)
                                 : od_document_parse(ctx, arena, yaml, strlen(yaml), "text");
    if (root == NULL || build(ctx, e, root, options) != OD_OK) {
        od_experiment_free(e);
        return NULL;
    }
    return e;
}

od_experiment *od_experiment_load(od_context *ctx, const char *file, const od_options *options)
{
    return load(ctx, file, NULL, options);
}

od_experiment *od_experiment_parse(od_context *ctx, const char *yaml, const od_options *options)
{
    return load(ctx, NULL, yaml, options);
}

void od_experiment_free(od_experiment *e)
{
    if (e == NULL) {
        return;
    }
    for (size_t i = 0; i < e->member_count; i++) {
        od_flow_clear(&e->member[i].flow);
        od_map_clear(&e->member[i].map);
    }
    for (size_t i = 0; i < e->problem_count; i++) {
        od_problem_clear(e->problem[i]);
    }
    od_arena_free(e->arena);
}

od_status od_experiment_observe(od_context *ctx, od_experiment *e, od_observer observer)
{
    if (e->observer_count == OD_MAX_OBSERVERS) {
        return od_fail(ctx, OD_EINVAL, NULL, "more than %d observers", OD_MAX_OBSERVERS);
    }
    e->observer[e->observer_count++] = observer;
    return OD_OK;
}
