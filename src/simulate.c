/*
 * The driver: all members, all paths, all cores.
 *
 * Paths are cut into leaves of 128, leaves into blocks; a block runs from start to end before the next one, so memory
 * does not grow with the number of paths. Within a leaf paths are added in their order, leaves are merged over a fixed
 * binary tree: sums do not depend on threads or block size. Threads take leaves of one member after the other.
 *
 * A run goes in rounds. When one ends early, each thread leaves its worker as it is between two steps, and the next
 * round, or another process that read the journal, goes on with it: no bit depends on where the rounds ended.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "simulate.h"

#include "context.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------- leaves */

/* With the lock held: adds to the fraction done what this leaf has done since it was last asked. */
static void advance(od_simulation *s, od_worker *w, double fraction)
{
    s->fraction += (fraction - w->reported) / (double)s->tasks;
    w->reported = fraction;
    od_context_progress(s->ctx, s->fraction < 1 ? s->fraction : 1);
}

static void report(od_worker *w, double fraction)
{
    od_simulation *s = w->owner;
    pthread_mutex_lock(&s->crew.lock);
    advance(s, w, fraction);
    pthread_mutex_unlock(&s->crew.lock);
}

static uint64_t leaves_of(const od_member *m)
{
    return (m->paths + OD_LEAF - 1) / OD_LEAF;
}

static od_worker *open_worker(od_simulation *s, od_job *j)
{
    od_worker *w = od_zalloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    *w = (od_worker){.e = s->e,
                     .m = j->m,
                     .crew = &s->crew,
                     .flow_bins = j->flow_bins,
                     .map_bins = j->map_bins,
                     .report = j->m->paths == 1 ? report : NULL,
                     .room = s->room,
                     .owner = s};
    if (!od_worker_open(w)) {
        od_worker_close(w);
        free(w);
        return NULL;
    }
    return w;
}

static void close_worker(od_worker *w)
{
    if (w == NULL) {
        return;
    }
    if (w->twig != NULL) {
        od_tally_free(&w->twig->tally);
        free(w->twig);
    }
    od_worker_close(w);
    free(w);
}

/* Gives the worker a leaf to work on. */
static bool take_leaf(od_worker *w, uint64_t leaf)
{
    od_twig *twig = od_zalloc(1, sizeof *twig);
    if (twig == NULL || !od_tally_init(w->m, leaf, &twig->tally)) {
        free(twig);
        return false;
    }
    twig->index = leaf;
    w->twig = twig;
    w->tally = &twig->tally;
    w->next = leaf * OD_LEAF;
    w->reported = 0;
    w->kept = false;
    return true;
}

od_worker *od_simulation_worker(od_simulation *s, size_t member, uint64_t leaf)
{
    od_job *j = &s->job[member];
    od_worker *w = open_worker(s, j);
    if (w == NULL || !take_leaf(w, leaf)) {
        close_worker(w);
        return NULL;
    }
    j->begun = true;
    w->resting = s->resting;
    s->resting = w;
    return w;
}

/* Goes on with the worker's leaf, block after block, until it is through or the crew stops. */
static od_status run_leaf(od_worker *w, bool *through)
{
    const uint64_t begin = w->twig->index * OD_LEAF;
    const uint64_t end = begin + OD_LEAF < w->m->paths ? begin + OD_LEAF : w->m->paths;
    const bool alone = w->m->has_flow && w->m->integrator_choice.integrator->per_path;
    /* pairs of antithetic paths stay together */
    const size_t block = alone ? 1 : w->e->block + (w->m->antithetic ? w->e->block % 2 : 0);
    od_status status = OD_OK;
    *through = false;
    while (status == OD_OK && (w->busy || w->next < end) && !od_crew_stops(w->crew)) {
        bool block_through = true;
        if (!w->busy) {
            status = od_worker_begin(w, w->next, end - w->next < block ? (size_t)(end - w->next) : block);
        }
        if (status == OD_OK) {
            status = od_worker_go(w, &block_through);
        }
        if (status == OD_OK && block_through) {
            w->next += w->n;
        }
    }
    *through = status == OD_OK && !w->busy && w->next >= end;
    return status;
}

/* ------------------------------------------------------------------------------------------- rounds */

/* With the lock held: a member whose leaves are all there. */
static od_status finish(od_simulation *s, od_job *j)
{
    if (s->finished == NULL) {
        return OD_OK;
    }
    j->finished = true;
    return s->finished(s->user, (size_t)(j - s->job), od_simulation_tally(s, (size_t)(j - s->job)));
}

static void deliver(od_simulation *s, od_worker *w)
{
    od_job *j = &s->job[w->m - s->e->member];
    pthread_mutex_lock(&s->crew.lock);
    od_tree_add(&j->tree, w->twig);
    w->twig = NULL;
    advance(s, w, 1);
    const od_status status = ++j->done == j->tree.leaves ? finish(s, j) : OD_OK;
    pthread_mutex_unlock(&s->crew.lock);
    if (status != OD_OK) {
        od_crew_fail(&s->crew, status, od_message(s->ctx));
    }
}

static od_worker *take_resting(od_simulation *s)
{
    pthread_mutex_lock(&s->crew.lock);
    od_worker *w = s->resting;
    s->resting = w != NULL ? w->resting : NULL;
    pthread_mutex_unlock(&s->crew.lock);
    return w;
}

static void put_to_rest(od_simulation *s, od_worker *w)
{
    pthread_mutex_lock(&s->crew.lock);
    w->resting = s->resting;
    s->resting = w;
    pthread_mutex_unlock(&s->crew.lock);
}

/* False if the leaf was done, or begun, before this process. */
static bool claim_leaf(od_simulation *s, od_job *j, uint64_t leaf)
{
    bool taken = false;
    for (size_t i = 0; i < s->begun_count && !taken; i++) {
        taken = s->begun[i] == j->first_task + leaf;
    }
    pthread_mutex_lock(&s->crew.lock);
    taken = taken || od_tree_holds(&j->tree, leaf);
    j->begun = true;
    pthread_mutex_unlock(&s->crew.lock);
    return !taken;
}

/* A worker, the one given or a new one, with the next leaf; NULL if none is left or the crew stops. */
static od_worker *next_leaf(od_simulation *s, od_worker *w)
{
    size_t member = 0;
    uint64_t task;
    while (od_crew_take(&s->crew, &task)) {
        while (member + 1 < s->e->member_count && task >= s->job[member + 1].first_task) {
            member++;
        }
        od_job *j = &s->job[member];
        const uint64_t leaf = task - j->first_task;
        if (!claim_leaf(s, j, leaf)) {
            continue;
        }
        if (w == NULL || w->m != j->m) {
            close_worker(w);
            w = open_worker(s, j);
        }
        if (w == NULL) {
            od_crew_fail(&s->crew, OD_ENOMEM, "no memory for a block of paths; give fewer dimensions or --block 1");
            return NULL;
        }
        if (!take_leaf(w, leaf)) {
            od_crew_fail(&s->crew, OD_ENOMEM,
                         "no memory for the recorded rows; record fewer (record.every, record.stride)");
            break;
        }
        return w;
    }
    close_worker(w);
    return NULL;
}

static void work(od_crew *crew, void *user)
{
    od_simulation *s = user;
    od_worker *w = take_resting(s);
    while ((w = w != NULL && w->twig != NULL ? w : next_leaf(s, w)) != NULL) {
        bool through;
        const od_status status = run_leaf(w, &through);
        if (status != OD_OK) {
            od_crew_fail(crew, status, od_message(w->errors));
            pthread_mutex_lock(&crew->lock);
            s->spoiled = s->spoiled || w->flow_bins != NULL || w->map_bins != NULL;
            pthread_mutex_unlock(&crew->lock);
            close_worker(w);
            return;
        }
        if (!through) {
            put_to_rest(s, w);
            return;
        }
        deliver(s, w);
        /* a run with more threads may have left more blocks under way than this one has threads */
        od_worker *other = take_resting(s);
        if (other != NULL) {
            close_worker(w);
            w = other;
        }
    }
}

/* ------------------------------------------------------------------------------------------- a clock */

typedef struct alarm_clock {
    od_crew *crew;
    struct timespec due;
    bool off;
    pthread_mutex_t lock;
    pthread_cond_t turned_off;
} alarm_clock;

static void *watch(void *argument)
{
    alarm_clock *c = argument;
    pthread_mutex_lock(&c->lock);
    int status = 0;
    while (!c->off && status != ETIMEDOUT) {
        status = pthread_cond_timedwait(&c->turned_off, &c->lock, &c->due);
    }
    if (!c->off) {
        atomic_store(&c->crew->pause, true);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static od_status run_crew(od_simulation *s, double seconds)
{
    atomic_store(&s->crew.pause, false);
    if (seconds <= 0) {
        return od_crew_run(&s->crew, work, s);
    }
    alarm_clock c = {.crew = &s->crew};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.turned_off, &monotonic);
    clock_gettime(CLOCK_MONOTONIC, &c.due);
    const double whole = floor(seconds), nanoseconds = (double)c.due.tv_nsec + 1e9 * (seconds - whole);
    c.due.tv_sec += (time_t)whole + (nanoseconds >= 1e9);
    c.due.tv_nsec = (long)(nanoseconds >= 1e9 ? nanoseconds - 1e9 : nanoseconds);
    pthread_t thread;
    const bool watched = od_thread_start(&thread, watch, &c);
    const od_status status = od_crew_run(&s->crew, work, s);
    if (watched) {
        pthread_mutex_lock(&c.lock);
        c.off = true;
        pthread_cond_signal(&c.turned_off);
        pthread_mutex_unlock(&c.lock);
        pthread_join(thread, NULL);
    }
    pthread_cond_destroy(&c.turned_off);
    pthread_mutex_destroy(&c.lock);
    pthread_condattr_destroy(&monotonic);
    return status;
}

od_status od_simulation_go(od_simulation *s, double seconds, bool *through)
{
    const od_status status = run_crew(s, seconds);
    *through = status == OD_OK && s->resting == NULL && s->crew.next >= s->crew.end;
    return status == OD_OK ? OD_OK : od_fail(s->ctx, status, NULL, "%s", s->crew.message);
}

/* ------------------------------------------------------------------------------------------- open and close */

static bool make_bins(od_job *j)
{
    const uint64_t flow = od_member_flow_bins(j->m), map = od_member_map_bins(j->m);
    j->flow_bins = flow > 0 ? od_zalloc((size_t)flow, sizeof *j->flow_bins) : NULL;
    j->map_bins = map > 0 ? od_zalloc((size_t)map, sizeof *j->map_bins) : NULL;
    return (flow == 0 || j->flow_bins != NULL) && (map == 0 || j->map_bins != NULL);
}

enum { FEW_STATES = 8 };

/* Asked first: a system that promises more memory than it has would end the program, not the allocation. */
static od_status check_memory(od_context *ctx, const od_experiment *e)
{
    const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    double need = 0;
    for (size_t i = 0; i < e->member_count; i++) {
        const od_member *m = &e->member[i];
        if (have > 0 && FEW_STATES * 8.0 * (double)m->dim > have) {
            return od_fail(ctx, OD_ENOMEM, "problem",
                           "%s has %zu numbers in its state; a few states of %.3g GB are more than this machine's %.3g "
                           "GB: take fewer dimensions (of a network, smaller layers)",
                           m->label, m->dim, 8e-9 * (double)m->dim, have / 1e9);
        }
        need += od_simulate_memory(e, m);
        if (have > 0 && need > have) {
            return od_fail(ctx, OD_ENOMEM, "record",
                           "%s would take about %.3g GB of memory, and this machine has %.3g GB; record fewer rows "
                           "(record.every, record.stride) or quantities",
                           m->label, need / 1e9, have / 1e9);
        }
    }
    return OD_OK;
}

od_status od_simulation_open(od_context *ctx, const od_experiment *e, od_finished *finished, void *user,
                             od_simulation *s)
{
    *s = (od_simulation){.ctx = ctx, .e = e, .finished = finished, .user = user};
    pthread_mutex_init(&s->crew.lock, NULL);
    od_status status = check_memory(ctx, e);
    if (status != OD_OK) {
        return status;
    }
    s->job = od_zalloc(e->member_count, sizeof *s->job);
    bool ok = s->job != NULL;
    uint64_t tasks = 0;
    for (size_t i = 0; ok && i < e->member_count; i++) {
        od_job *j = &s->job[i];
        j->m = &e->member[i];
        j->first_task = tasks;
        j->tree.leaves = leaves_of(j->m);
        tasks += j->tree.leaves;
        ok = make_bins(j);
    }
    if (!ok) {
        return od_fail(ctx, OD_ENOMEM, "record.quantiles", "no memory for the bins; record fewer rows or quantities");
    }
    s->room = e->block + e->block % 2; /* for pairs of antithetic paths */
    s->crew.ctx = ctx;
    s->crew.end = tasks;
    s->tasks = tasks;
    const uint64_t threads = e->threads > 0 ? e->threads : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    s->crew.threads = (unsigned)(threads > tasks ? tasks : threads);
    return OD_OK;
}

void od_simulation_share(od_simulation *s, unsigned shard, unsigned shards)
{
    if (shards == 0) {
        return;
    }
    const uint64_t all = s->crew.end, each = all / shards, more = all % shards;
    /* the first `more` shares have one leaf more */
    s->crew.next = (shard - 1) * each + (shard - 1 < more ? shard - 1 : more);
    s->crew.end = s->crew.next + each + (shard - 1 < more);
    s->tasks = s->crew.end - s->crew.next;
}

od_tally *od_simulation_tally(od_simulation *s, size_t member)
{
    od_job *j = &s->job[member];
    od_tally *tally = &j->tree.waiting->tally;
    /* the counts are plain integers from here on */
    tally->flow_bins = (uint32_t *)j->flow_bins;
    tally->map_bins = (uint32_t *)j->map_bins;
    return tally;
}

void od_simulation_drop(od_simulation *s)
{
    for (od_worker **link = &s->resting; *link != NULL;) {
        od_worker *w = *link;
        if (w->kept) {
            link = &w->resting;
        } else {
            *link = w->resting;
            close_worker(w);
        }
    }
}

od_status od_simulation_loaded(od_simulation *s)
{
    free(s->begun);
    s->begun_count = 0;
    for (const od_worker *w = s->resting; w != NULL; w = w->resting) {
        s->begun_count++;
    }
    s->begun = od_zalloc(s->begun_count, sizeof *s->begun);
    if (s->begun == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for the run");
    }
    uint64_t *next = s->begun;
    for (const od_worker *w = s->resting; w != NULL; w = w->resting) {
        *next++ = s->job[w->m - s->e->member].first_task + w->twig->index;
    }
    od_status status = OD_OK;
    for (size_t i = 0; i < s->e->member_count && status == OD_OK; i++) {
        od_job *j = &s->job[i];
        j->done = od_tree_count(&j->tree);
        s->fraction += (double)j->done / (double)s->tasks;
        status = j->done == j->tree.leaves ? finish(s, j) : OD_OK;
    }
    return status;
}

od_status od_simulation_settle(od_simulation *s)
{
    while (s->resting != NULL) {
        od_worker *w = s->resting;
        s->resting = w->resting;
        if (w->m->paths == 1) {
            od_worker_end(
                w); /* an ensemble's paths are not at their end, but the one path there is shows where it is */
        }
        od_tree_add(&s->job[w->m - s->e->member].tree, w->twig);
        w->twig = NULL;
        close_worker(w);
    }
    od_status status = OD_OK;
    for (size_t i = 0; i < s->e->member_count && status == OD_OK; i++) {
        od_job *j = &s->job[i];
        if (!j->begun || j->finished) {
            continue;
        }
        od_twig *all = od_zalloc(1, sizeof *all);
        if (all == NULL || (!od_tree_gather(&j->tree, &all->tally) && !od_tally_init(j->m, 0, &all->tally))) {
            free(all);
            return od_fail(s->ctx, OD_ENOMEM, NULL, "no memory for the results");
        }
        j->tree.waiting = all;
        status = finish(s, j);
    }
    return status;
}

void od_simulation_close(od_simulation *s)
{
    while (s->resting != NULL) {
        od_worker *next = s->resting->resting;
        close_worker(s->resting);
        s->resting = next;
    }
    for (size_t i = 0; s->job != NULL && i < s->e->member_count; i++) {
        od_job *j = &s->job[i];
        for (od_twig *twig = j->tree.waiting; twig != NULL; twig = twig->next) {
            twig->tally.flow_bins = twig->tally.map_bins = NULL; /* the job's */
        }
        od_tree_free(&j->tree);
        free(j->flow_bins);
        free(j->map_bins);
    }
    free(s->job);
    free(s->begun);
    pthread_mutex_destroy(&s->crew.lock);
}
