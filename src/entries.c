/* The plain entries of an experiment file and the names it may use. SPDX-License-Identifier: GPL-3.0-or-later */
#include "member.h"

#include "projection.h"
#include "text.h"

#include <math.h>
#include <string.h>

static const od_param top_params[] = {
    {.name = "until", .kind = OD_REAL, .fallback = "", .unit = "time", .meaning = "end of the flow; needs integrator"},
    {.name = "iterations",
     .kind = OD_INTEGER,
     .fallback = "",
     .low = 1,
     .high = 9007199254740991.0,
     .meaning = "number of iterations of the method; needs method.step"},
    {.name = "paths",
     .kind = OD_INTEGER,
     .fallback = "1",
     .low = 1,
     .high = 4294967295.0,
     .choices = "auto",
     .meaning = "number of paths of the ensemble; auto: multilevel Monte Carlo chooses them for the tolerance"},
    {.name = "tolerance",
     .kind = OD_REAL,
     .fallback = "",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "with paths: auto, the root-mean-square error allowed of the first recorded quantity at the end"},
    {.name = "antithetic",
     .kind = OD_FLAG,
     .fallback = "false",
     .meaning = "of an ensemble, every second path sees the noise of the one before with the opposite sign"},
    {.name = "seed",
     .kind = OD_INTEGER,
     .fallback = "1",
     .low = 0,
     .high = 9007199254740991.0,
     .meaning = "seed of all random numbers"},
    {.name = "noise_step",
     .kind = OD_REAL,
     .fallback = "",
     .unit = "time",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "base grid of the Brownian path; the smallest step by default"},
    {.name = "data", .kind = OD_TEXT, .fallback = "", .meaning = "folder of the data sets; --data comes first"},
    {.name = "interval",
     .kind = OD_VECTOR,
     .fallback = "",
     .unit = "time",
     .meaning = "[t1, t2] of variational questions; start.t to until by default"},
    {.name = NULL},
};

static const od_param record_params[] = {
    {.name = "every",
     .kind = OD_REAL,
     .fallback = "",
     .unit = "time",
     .low = 0,
     .high = INFINITY,
     .low_open = true,
     .meaning = "time between records, from start.t; about a thousand rows by default"},
    {.name = "stride",
     .kind = OD_INTEGER,
     .fallback = "",
     .unit = "iterations",
     .low = 1,
     .high = 9007199254740991.0,
     .meaning = "iterations between records of the iteration; at most about a thousand rows by default"},
    {.name = "quantities",
     .kind = OD_NAMES,
     .fallback = "",
     .meaning = "loss, distance |x - x*|, gradient (its norm), or blocks such as x and v"},
    {.name = "quantiles",
     .kind = OD_VECTOR,
     .fallback = "",
     .low = 0,
     .high = 1,
     .meaning = "quantiles of an ensemble, for example [0.05, 0.5, 0.95], to within 1/128 of their value"},
    {.name = "covariance",
     .kind = OD_FLAG,
     .fallback = "false",
     .meaning = "of an ensemble, the covariance of the whole state at every recorded time, up to 64 components; above, "
                "the variances"},
    {.name = "histograms",
     .kind = OD_FLAG,
     .fallback = "false",
     .meaning = "of an ensemble, how many paths lie in each of fixed bins, 64 to a factor of two"},
    {.name = "paths",
     .kind = OD_INTEGER,
     .fallback = "0",
     .low = 0,
     .high = 128,
     .meaning = "of an ensemble, so many single paths, the first ones, are recorded too"},
    {.name = "projections",
     .kind = OD_INTEGER,
     .fallback = "0",
     .low = 0,
     .high = OD_MAX_PROJECTIONS,
     .meaning = "the position on so many fixed random unit directions is recorded too"},
    {.name = "projection_seed",
     .kind = OD_INTEGER,
     .fallback = "1",
     .low = 0,
     .high = 9007199254740991.0,
     .meaning = "seed of these directions; runs of one dimension and seed share them"},
    {.name = NULL},
};

static const od_param stop_params[] = {
    {.name = "loss", .kind = OD_REAL, .fallback = "", .meaning = "stop when the loss is at most this"},
    {.name = "gradient",
     .kind = OD_REAL,
     .fallback = "",
     .low = 0,
     .high = INFINITY,
     .meaning = "stop when the norm of the gradient is at most this"},
    {.name = NULL},
};

static const char *const section_names[] = {"problem", "method",  "integrator", "start", "record",
                                            "stop",    "compare", "sweep",      "label"};

const od_param *od_experiment_params(const char *section)
{
    return strcmp(section, "record") == 0 ? record_params : strcmp(section, "stop") == 0 ? stop_params : top_params;
}

bool od_entry_is_section(const char *name)
{
    for (size_t i = 0; i < sizeof section_names / sizeof *section_names; i++) {
        if (strcmp(section_names[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        if (strcmp(od_analysis_types[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool od_section_given(const od_settings *settings, const od_param *params)
{
    bool given = false;
    for (const od_param *p = params; p->name != NULL; p++) {
        given = given || od_setting(settings, p->name)->given;
    }
    return given;
}

od_status od_entries_check(od_context *ctx, const od_node *root)
{
    const char *names[32 + OD_MAX_ANALYSES];
    size_t count = 0;
    for (; count < sizeof section_names / sizeof *section_names; count++) {
        names[count] = section_names[count];
    }
    for (const od_param *p = top_params; p->name != NULL; p++) {
        names[count++] = p->name;
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        names[count++] = od_analysis_types[i]->name;
    }
    if (root->kind != OD_NODE_MAP) {
        return od_node_fail(ctx, root, NULL, "an experiment is a map: problem: ..., method: ..., and so on");
    }
    for (size_t i = 0; i < root->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++) {
            known = strcmp(root->key[i], names[j]) == 0;
        }
        if (!known) {
            const char *nearest = od_text_nearest(root->key[i], names, count);
            return od_node_fail(ctx, root->item[i], root->key[i],
                                "there is no such entry%s%s%s; `optdyn describe "
                                "experiment` lists them",
                                nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                                nearest != NULL ? "'?)" : "");
        }
    }
    return OD_OK;
}
