/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "leaves.h"

#include "context.h"
#include "crew.h"
#include "memory.h"
#include "tally.h"
#include "tree.h"

#include <stdlib.h>

typedef struct reduction {
    uint64_t paths;
    size_t rows, cols;
    od_leaf_task *task;
    void *user;
    od_tree tree;
    uint64_t done; /* leaves, guarded by the crew's lock */
} reduction;

static od_status run_leaf(reduction *r, od_context *errors, uint64_t leaf, od_twig *twig)
{
    const uint64_t first = leaf * OD_LEAF, left = r->paths - first;
    twig->index = leaf;
    if (!od_moments_init(&twig->tally.flow, r->rows, r->cols, false)) {
        return od_fail(errors, OD_ENOMEM, NULL, "no memory for the moments of %zu numbers", r->rows * r->cols);
    }
    return r->task(r->user, errors, first, left < OD_LEAF ? (size_t)left : OD_LEAF, &twig->tally.flow);
}

static void work(od_crew *crew, void *user)
{
    reduction *r = user;
    od_context *errors = od_context_create();
    uint64_t leaf;
    if (errors == NULL) {
        od_crew_fail(crew, OD_ENOMEM, "no memory for a thread");
        return;
    }
    while (od_crew_take(crew, &leaf)) {
        od_twig *twig = od_zalloc(1, sizeof *twig);
        od_status status = twig == NULL ? od_fail(errors, OD_ENOMEM, NULL, "no memory for a leaf of paths")
                                        : run_leaf(r, errors, leaf, twig);
        if (status != OD_OK) {
            od_crew_fail(crew, status, od_message(errors));
            if (twig != NULL) {
                od_tally_free(&twig->tally);
            }
            free(twig);
            break;
        }
        pthread_mutex_lock(&crew->lock);
        od_tree_add(&r->tree, twig);
        od_context_progress(crew->ctx, (double)++r->done / (double)r->tree.leaves);
        pthread_mutex_unlock(&crew->lock);
    }
    od_context_free(errors);
}

od_status od_leaves_reduce(od_context *ctx, unsigned threads, uint64_t paths, size_t rows, size_t cols,
                           od_leaf_task *task, void *user, od_moments *total)
{
    reduction r = {.paths = paths, .rows = rows, .cols = cols, .task = task, .user = user};
    r.tree.leaves = (paths + OD_LEAF - 1) / OD_LEAF;
    od_crew crew = {.ctx = ctx, .threads = threads, .end = r.tree.leaves};
    pthread_mutex_init(&crew.lock, NULL);
    od_status status = od_crew_run(&crew, work, &r);
    pthread_mutex_destroy(&crew.lock);
    od_tally sum = {0};
    if (status != OD_OK) {
        od_fail(ctx, status, NULL, "%s", crew.message);
    } else if (od_cancelled(ctx)) {
        status = od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted; nothing was kept");
    } else {
        od_tree_gather(&r.tree, &sum); /* all of the paths, of which there is one at least */
    }
    od_tree_free(&r.tree);
    *total = sum.flow;
    return status;
}
