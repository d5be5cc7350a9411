/* How the rooms that read an experiment work together. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_MEMBER_H
#define OD_MEMBER_H

#include "experiment.h"

/** Refuses names that an experiment does not have. */
od_status od_entries_check(od_context *ctx, const od_node *root);
/** True for the entries with a reader of their own: problem, method, start, ... */
bool od_entry_is_section(const char *name);

/** The trees of all runs of a file, with their labels. */
typedef struct od_expansion {
    od_context *ctx;
    od_arena *arena;
    size_t count, room;
    od_node **root;
    const char **label;
    const char *swept;     /* the last entry that is swept over, or NULL */
    const od_node **value; /* its value in each */
    size_t *series;
    size_t series_count;
} od_expansion;

/** Applies `compare` and `sweep`; the trees live in x->arena. */
od_status od_experiment_expand(od_expansion *x, const od_node *root);

/** Reads one tree into a member; what is half built is cleared by od_experiment_free. */
od_status od_member_read(od_context *ctx, od_experiment *e, const od_node *root, od_member *m);
/** Checks, once the base grid is known, that steps and records lie on it. */
od_status od_member_check_noise(od_context *ctx, od_member *m);

/** Reads from the section `record` which rows and quantities are recorded, ... */
od_status od_member_choose_records(od_context *ctx, od_member *m);
/** ... and what an ensemble keeps besides means and variances. */
od_status od_member_choose_details(od_context *ctx, od_member *m);

/** Writes e->resolved. */
od_status od_experiment_resolve(od_context *ctx, od_experiment *e);

#endif
