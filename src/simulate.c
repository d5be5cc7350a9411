/*
 * The driver: all members, all paths, all cores.
 *
 * Paths are cut into leaves of 128, leaves into blocks; a block runs from start to end before the next one, so memory
 * does not grow with the number of paths. Within a leaf paths are added in their order, leaves are merged over a fixed
 * binary tree: sums do not depend on threads or block size. Threads take leaves of one member after the other.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "simulate.h"

#include "block.h"
#include "context.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A tally that waits for its sibling in the merge tree. */
typedef struct pending {
    struct pending *next;
    uint64_t index;
    unsigned level;
    od_tally tally;
} pending;

/* One member's share of the work. */
typedef struct job {
    const od_member *m;
    atomic_uint *flow_bins, *map_bins;
    uint64_t leaves;
    atomic_uint_fast64_t next_leaf;
    uint64_t done; /* guarded by the lock, as is what follows */
    pending *waiting;
    od_tally *tally; /* complete once all leaves are done */
} job;

typedef struct team {
    od_context *ctx;
    const od_experiment *e;
    od_finished *finished;
    void *user;
    job *job;
    size_t job_count;
    atomic_bool failed;
    pthread_mutex_t lock; /* guards what follows, the jobs, and the context */
    od_status status;
    char message[1024];
    double fraction;
} team;

static uint64_t nodes_of_level(const job *j, unsigned level)
{
    return (j->leaves + (UINT64_C(1) << level) - 1) >> level;
}

static pending *take_sibling(job *j, const pending *node)
{
    for (pending **link = &j->waiting; *link != NULL; link = &(*link)->next) {
        pending *other = *link;
        if (other->level == node->level && other->index == (node->index ^ 1)) {
            *link = other->next;
            return other;
        }
    }
    return NULL;
}

/* Climbs the tree as far as siblings are there; a node without a sibling moves up alone. */
static void deliver(job *j, pending *node)
{
    while (nodes_of_level(j, node->level) > 1) {
        const uint64_t sibling = node->index ^ 1;
        if (sibling < nodes_of_level(j, node->level)) {
            pending *other = take_sibling(j, node);
            if (other == NULL) {
                break;
            }
            pending *left = node->index < other->index ? node : other, *right = left == node ? other : node;
            od_tally_merge(&left->tally, &right->tally);
            od_tally_free(&right->tally);
            free(right);
            node = left;
        }
        node->index /= 2;
        node->level++;
    }
    node->next = j->waiting;
    j->waiting = node;
}

/* After an interruption several nodes may be left; they are merged in their order. */
static bool gather(job *j)
{
    bool first = true;
    while (j->waiting != NULL) {
        pending **best = &j->waiting;
        for (pending **link = &j->waiting; *link != NULL; link = &(*link)->next) {
            best = ((*link)->index << (*link)->level) < ((*best)->index << (*best)->level) ? link : best;
        }
        pending *node = *best;
        *best = node->next;
        if (first) {
            *j->tally = node->tally;
        } else {
            od_tally_merge(j->tally, &node->tally);
            od_tally_free(&node->tally);
        }
        first = false;
        free(node);
    }
    if (first && !od_tally_init(j->m, j->tally)) {
        return false;
    }
    /* the counts are plain integers from here on */
    j->tally->flow_bins = (uint32_t *)j->flow_bins;
    j->tally->map_bins = (uint32_t *)j->map_bins;
    j->flow_bins = j->map_bins = NULL;
    return true;
}

/* With the lock held. */
static void fail(team *t, od_status status, const char *message)
{
    if (t->status == OD_OK) {
        t->status = status;
        snprintf(t->message, sizeof t->message, "%s", message);
    }
    atomic_store(&t->failed, true);
}

static void fail_alone(team *t, od_status status, const char *message)
{
    pthread_mutex_lock(&t->lock);
    fail(t, status, message);
    pthread_mutex_unlock(&t->lock);
}

/* With the lock held: gathers a job whose leaves are all there, and hands it on. */
static void finish(team *t, job *j)
{
    if (!gather(j)) {
        fail(t, OD_ENOMEM, "no memory for the results");
        return;
    }
    od_status status = t->finished(t->user, (size_t)(j - t->job), j->tally);
    if (status != OD_OK) {
        fail(t, status, od_message(t->ctx));
    }
}

/* With the lock held: adds to the fraction done what this leaf has done since it was last asked. */
static void advance(team *t, const job *j, od_worker *w, double fraction)
{
    t->fraction += (fraction - w->reported) / ((double)j->leaves * (double)t->job_count);
    w->reported = fraction;
    od_context_progress(t->ctx, t->fraction < 1 ? t->fraction : 1);
}

typedef struct post {
    team *team;
    job *job;
} post;

static void report(od_worker *w, double fraction)
{
    post *p = w->owner;
    pthread_mutex_lock(&p->team->lock);
    advance(p->team, p->job, w, fraction);
    pthread_mutex_unlock(&p->team->lock);
}

static od_status run_leaf(od_worker *w, uint64_t leaf)
{
    const uint64_t begin = leaf * OD_LEAF;
    const uint64_t end = begin + OD_LEAF < w->m->paths ? begin + OD_LEAF : w->m->paths;
    const bool alone = w->m->has_flow && w->m->integrator_choice.integrator->per_path;
    const size_t block = alone ? 1 : w->e->block;
    od_status status = OD_OK;
    for (uint64_t first = begin; first < end && status == OD_OK && !od_cancelled(w->ctx); first += block) {
        status = od_worker_run(w, first, end - first < block ? (size_t)(end - first) : block);
    }
    return status;
}

/* Takes leaves of one member until there are none left. */
static void work_on(team *t, job *j, uint64_t leaf)
{
    post p = {t, j};
    od_worker w = {.e = t->e,
                   .m = j->m,
                   .ctx = t->ctx,
                   .flow_bins = j->flow_bins,
                   .map_bins = j->map_bins,
                   .report = j->m->paths == 1 ? report : NULL,
                   .owner = &p};
    if (!od_worker_open(&w)) {
        fail_alone(t, OD_ENOMEM, "no memory for a block of paths; give fewer dimensions or --block 1");
    }
    for (; leaf < j->leaves && !atomic_load(&t->failed) && !od_cancelled(t->ctx);
         leaf = atomic_fetch_add(&j->next_leaf, 1)) {
        pending *node = od_zalloc(1, sizeof *node);
        if (node == NULL || !od_tally_init(j->m, &node->tally)) {
            free(node);
            fail_alone(t, OD_ENOMEM, "no memory for the recorded rows; record fewer (record.every, record.stride)");
            break;
        }
        node->index = leaf;
        w.tally = &node->tally;
        w.reported = 0;
        od_status status = run_leaf(&w, leaf);
        if (status != OD_OK) {
            od_tally_free(&node->tally);
            free(node);
            fail_alone(t, status, od_message(w.errors));
            break;
        }
        pthread_mutex_lock(&t->lock);
        deliver(j, node);
        advance(t, j, &w, 1);
        if (++j->done == j->leaves && !od_cancelled(t->ctx)) {
            finish(t, j);
        }
        pthread_mutex_unlock(&t->lock);
    }
    od_worker_close(&w);
}

static void *work(void *argument)
{
    team *t = argument;
    for (size_t i = 0; i < t->job_count && !atomic_load(&t->failed) && !od_cancelled(t->ctx); i++) {
        const uint64_t leaf = atomic_fetch_add(&t->job[i].next_leaf, 1);
        if (leaf < t->job[i].leaves) {
            work_on(t, &t->job[i], leaf);
        }
    }
    return NULL;
}

static bool make_bins(job *j)
{
    const od_member *m = j->m;
    if (m->quantile_count == 0) {
        return true;
    }
    j->flow_bins = od_zalloc((size_t)od_member_flow_rows(m) * m->columns, OD_BINS * sizeof *j->flow_bins);
    j->map_bins = od_zalloc((size_t)od_member_map_rows(m) * od_member_map_columns(m), OD_BINS * sizeof *j->map_bins);
    return j->flow_bins != NULL && j->map_bins != NULL;
}

/* Asked first: a system that promises more memory than it has would end the program, not the allocation. */
static od_status check_memory(od_context *ctx, const od_experiment *e)
{
    const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    double need = 0;
    for (size_t i = 0; i < e->member_count; i++) {
        need += od_simulate_memory(e, &e->member[i]);
        if (have > 0 && need > have) {
            return od_fail(ctx, OD_ENOMEM, "record",
                           "%s would take about %.3g GB of memory, and this machine has %.3g GB; record fewer rows "
                           "(record.every, record.stride) or quantities",
                           e->member[i].label, need / 1e9, have / 1e9);
        }
    }
    return OD_OK;
}

static od_status start_jobs(od_context *ctx, team *t, od_tally *tally)
{
    t->job = od_zalloc(t->job_count, sizeof *t->job);
    bool ok = t->job != NULL;
    for (size_t i = 0; ok && i < t->job_count; i++) {
        const od_member *m = &t->e->member[i];
        t->job[i].m = m;
        t->job[i].leaves = (m->paths + OD_LEAF - 1) / OD_LEAF;
        t->job[i].tally = &tally[i];
        ok = make_bins(&t->job[i]);
    }
    return ok ? OD_OK
              : od_fail(ctx, OD_ENOMEM, "record.quantiles", "no memory for the bins; record fewer rows or quantities");
}

static void run_team(team *t)
{
    enum { MAX_THREADS = 256 };
    uint64_t leaves = 0;
    for (size_t i = 0; i < t->job_count; i++) {
        leaves += t->job[i].leaves;
    }
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = t->e->threads > 0 ? t->e->threads : cores > 0 ? (uint64_t)cores : 1;
    threads = threads > leaves ? leaves : threads;
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_t thread[MAX_THREADS];
    uint64_t started = 0;
    /* this thread works too, so a machine that refuses more threads still finishes */
    while (started + 1 < threads && pthread_create(&thread[started], NULL, work, t) == 0) {
        started++;
    }
    work(t);
    for (uint64_t i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
}

od_status od_simulate(od_context *ctx, const od_experiment *e, od_finished *finished, void *user, od_tally *tally,
                      size_t *begun)
{
    team t = {.ctx = ctx, .e = e, .finished = finished, .user = user, .job_count = e->member_count};
    *begun = 0;
    od_status status = check_memory(ctx, e);
    status = status == OD_OK ? start_jobs(ctx, &t, tally) : status;
    if (status == OD_OK) {
        pthread_mutex_init(&t.lock, NULL);
        run_team(&t);
        pthread_mutex_destroy(&t.lock);
    }
    for (size_t i = 0; t.job != NULL && i < t.job_count; i++) {
        job *j = &t.job[i];
        *begun += atomic_load(&j->next_leaf) > 0;
        /* what an interruption or a failure left unfinished */
        if (status == OD_OK && t.status == OD_OK && atomic_load(&j->next_leaf) > 0 && j->tally->flow.count == NULL) {
            finish(&t, j);
        }
        for (pending *node = j->waiting; node != NULL;) {
            pending *next = node->next;
            od_tally_free(&node->tally);
            free(node);
            node = next;
        }
        free(j->flow_bins);
        free(j->map_bins);
    }
    free(t.job);
    if (status != OD_OK || t.status != OD_OK) {
        return status != OD_OK ? status : od_fail(ctx, t.status, NULL, "%s", t.message);
    }
    return od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted; what was computed is kept") : OD_OK;
}
