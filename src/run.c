/* Runs an experiment: all members, their outcomes and files. SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal.h"
#include "multilevel.h"
#include "outcome.h"
#include "results.h"
#include "snapshot.h"
#include "start.h"

#include "context.h"
#include "memory.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static od_status write_tables(od_context *ctx, const od_experiment *e, const od_member *m, const od_tally *tally,
                              bool interrupted, bool loading, od_outcome *o)
{
    od_rows rows[OD_MAX_TABLES];
    const size_t count = od_rows_open(m, tally, rows);
    od_status status = count > 0 ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the tables");
    for (size_t i = 0; i < count && status == OD_OK; i++) {
        char **path = rows[i].kind != OD_ROWS_QUANTITIES ? &o->more_file[o->more_count++]
                      : rows[i].map                      ? &o->iteration_file
                                                         : &o->flow_file;
        /* a member that an earlier run finished has its tables; written again each time, a run that is often
         * interrupted would not get any further */
        if (!loading || !od_results_has(e, &rows[i], path)) {
            status = od_results_write_csv(ctx, e, &rows[i], interrupted, path);
        }
    }
    od_rows_close(rows, count);
    return status;
}

/* All tables in one file, when all members are through. */
static od_status write_hdf5(od_context *ctx, const od_experiment *e, od_simulation *s)
{
    od_rows *rows = od_zalloc(OD_MAX_TABLES * e->member_count, sizeof *rows);
    size_t count = 0;
    bool ok = rows != NULL;
    for (size_t i = 0; ok && i < e->member_count; i++) {
        const size_t more = od_rows_open(&e->member[i], od_simulation_tally(s, i), rows + count);
        count += more;
        ok = more > 0;
    }
    od_status status = ok ? od_results_write_hdf5(ctx, e, count, rows) : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    od_rows_close(rows, count);
    free(rows);
    return status;
}

/* False if the loss or its gradient is not finite where the first path starts: then no step is small enough. */
static bool starts_well(const od_member *m)
{
    const od_problem *p = m->problem;
    const size_t need[] = {od_scratch_size(&p->scratch, 1), m->has_flow ? od_scratch_size(&m->flow.scratch, 1) : 0};
    const size_t scratch = need[0] > need[1] ? need[0] : need[1];
    double f = 0, *z = od_zalloc(m->dim + p->dim + scratch, sizeof *z);
    double *g = z != NULL ? z + m->dim : NULL;
    bool well = z == NULL || od_start_fill(m, 0, 1, z, g + p->dim) != OD_OK ||
                p->eval(p, OD_VALUE | OD_GRADIENT, 1, z, &f, g, g + p->dim) != OD_OK || isfinite(f);
    for (size_t i = 0; z != NULL && i < p->dim; i++) {
        well = well && isfinite(g[i]);
    }
    free(z);
    return well;
}

static od_status report_divergence(od_context *ctx, const od_experiment *e, const od_result *result, od_simulation *s)
{
    for (size_t i = 0; i < result->count; i++) {
        const od_outcome *o = &result->outcome[i];
        if (o->stopped > 0 && o->stopped == o->paths) {
            const char *name = result->members > 1 ? o->label : "the run";
            const char *every = o->paths > 1 ? ": every path" : result->members > 1 ? ":" : "";
            const char *trouble = od_simulation_tally(s, i)->trouble;
            if (trouble[0] != '\0') {
                return od_fail(
                    ctx, OD_EDIVERGED, NULL,
                    "%s%s diverged or could not be continued before t = %.9g (%s); what was computed is kept", name,
                    every, o->first_stop, trouble);
            }
            if (!starts_well(&e->member[i])) {
                return od_fail(ctx, OD_EDIVERGED, "start",
                               "%s%s diverged at its start, t = %.9g: the loss or its gradient is not finite there; "
                               "choose another start",
                               name, every, e->member[i].start.t);
            }
            return od_fail(ctx, OD_EDIVERGED, NULL,
                           "%s%s diverged at t = %.9g; what was computed until then is kept. A smaller step may help",
                           name, every, o->first_stop);
        }
    }
    return OD_OK;
}

static void note_stopped(od_context *ctx, const od_outcome *o, const od_tally *tally)
{
    if (o->stopped > 0 && o->stopped < o->paths) {
        const bool words = tally->trouble[0] != '\0';
        od_note(ctx, "%s: %llu of %llu paths diverged%s, the first at t = %.9g%s%s%s; means are over the others",
                o->label, (unsigned long long)o->stopped, (unsigned long long)o->paths,
                words ? " or could not be continued" : "", o->first_stop, words ? " (" : "", tally->trouble,
                words ? ")" : "");
    }
}

typedef struct collector {
    od_context *ctx;
    const od_experiment *e;
    od_result *result;
    bool loading; /* the journal is being read */
} collector;

/* A member is through: written as soon as it is there, so that a later failure loses nothing. */
static od_status collect(void *user, size_t member, const od_tally *tally)
{
    collector *c = user;
    const od_member *m = &c->e->member[member];
    od_outcome *o = &c->result->outcome[member];
    od_status status = od_outcome_describe(c->ctx, m, tally, o);
    if (status == OD_OK && c->e->output != NULL) {
        /* not od_cancelled: who is cancelled after its last step has all its rows */
        status = write_tables(c->ctx, c->e, m, tally, c->result->interrupted, c->loading, o);
    }
    note_stopped(c->ctx, o, tally);
    return status;
}

/* Says how the run ended, once all outcomes are there. */
static od_status conclude(od_context *ctx, const od_experiment *e, od_result *result, od_simulation *s)
{
    od_status status = e->output != NULL ? write_hdf5(ctx, e, s) : OD_OK;
    status = status == OD_OK ? report_divergence(ctx, e, result, s) : status;
    result->diverged = status == OD_EDIVERGED;
    return status;
}

static od_result *create_result(const od_experiment *e)
{
    od_result *result = od_zalloc(1, sizeof *result);
    if (result == NULL) {
        return NULL;
    }
    result->outcome = od_zalloc(e->member_count, sizeof *result->outcome);
    result->members = e->member_count;
    result->count = result->outcome != NULL ? e->member_count : 0;
    result->folder = e->output != NULL ? strdup(e->output) : NULL;
    if (result->outcome == NULL || (e->output != NULL && result->folder == NULL)) {
        od_result_free(result);
        return NULL;
    }
    return result;
}

/* A run, its journal, and what becomes of it. */
typedef struct attempt {
    od_context *ctx;
    const od_experiment *e;
    od_simulation s;
    collector c;
    od_journal journal;
    bool journaled, behind; /* behind: the last entry of the journal could not be written */
} attempt;

/* A run is not given up because its journal cannot be written. */
static void write_journal(attempt *a)
{
    const bool said = a->behind;
    a->behind = a->journaled && od_journal_append(a->ctx, &a->journal, &a->s) != OD_OK;
    if (a->behind && !said) {
        char why[1024];
        snprintf(why, sizeof why, "%s", od_message(a->ctx));
        od_note(a->ctx,
                "the journal could not be written, so a kill would lose what was computed since the last time: %s",
                why);
    }
}

/* After a failure, whose sentence stays the last word. */
static od_status keep_computed(attempt *a, od_status status)
{
    char why[1024];
    snprintf(why, sizeof why, "%s", od_message(a->ctx));
    if (a->journaled && !a->s.spoiled) {
        (void)od_journal_append(a->ctx, &a->journal, &a->s);
    }
    return od_fail(a->ctx, status, NULL, "%s", why);
}

/* Goes on with what an earlier run left, if it left anything. */
static od_status take_up(attempt *a)
{
    bool found = false;
    od_journal_init(a->e, &a->journal);
    a->c.loading = true;
    od_status status = od_journal_load(a->ctx, &a->journal, &a->s, &found);
    a->c.loading = false;
    if (status == OD_OK && found) {
        od_note(a->ctx, "going on from the journal in %s", a->e->output);
    }
    for (const od_worker *w = a->s.resting; status == OD_OK && w != NULL; w = w->resting) {
        const od_member *m = w->m;
        if (m->has_flow && m->integrator_choice.integrator->per_path) {
            od_note(a->ctx,
                    "%s: %s starts afresh where it was; the result agrees with an uninterrupted run to its tolerance, "
                    "not to the bit",
                    m->label, m->integrator_choice.integrator->name);
        }
    }
    return status;
}

static od_status run_rounds(attempt *a)
{
    bool through = false;
    od_status status = OD_OK;
    while (status == OD_OK && !through && !od_cancelled(a->ctx)) {
        status = od_simulation_go(&a->s, a->journaled ? a->e->checkpoint : 0, &through);
        if (status == OD_OK && !through) {
            write_journal(a);
        }
    }
    if (status != OD_OK) {
        return keep_computed(a, status);
    }
    return through ? OD_OK : OD_EINTERRUPTED;
}

/* Names the journal in the result, or fails; else the status that it is given. */
static od_status name_journal(attempt *a, od_status status)
{
    od_result *result = a->c.result;
    result->journal = a->journaled ? strdup(a->journal.path) : NULL;
    return a->journaled && result->journal == NULL ? od_fail(a->ctx, OD_ENOMEM, NULL, "no memory for a file name")
                                                   : status;
}

/* Shows what there is of an interrupted run. */
static od_status stop_early(attempt *a)
{
    od_result *result = a->c.result;
    result->interrupted = true;
    od_status status = od_simulation_settle(&a->s);
    /* members that were not begun come last */
    result->count = 0;
    while (result->count < a->e->member_count && a->s.job[result->count].begun) {
        result->count++;
    }
    if (status != OD_OK) {
        return status;
    }
    if (!a->journaled) {
        return od_fail(a->ctx, OD_EINTERRUPTED, NULL, "interrupted; what was computed is %s",
                       a->e->output != NULL ? "in the output folder" : "printed, and no folder keeps it");
    }
    od_fail(a->ctx, OD_EINTERRUPTED, NULL,
            a->behind ? "interrupted; what was computed is in the tables in %s, but its journal could not be written, "
                        "so the run can only go on from an earlier entry, or anew"
                      : "interrupted; what was computed is in %s, and `optdyn resume` on that folder, or the same "
                        "command, goes on from there",
            a->e->output);
    return name_journal(a, OD_EINTERRUPTED);
}

/* A shard's end: its journal is its result. */
static od_status keep_shard(attempt *a, od_status status)
{
    if (status == OD_OK) {
        status = od_journal_complete(a->ctx, &a->journal, &a->s);
    } else if (status == OD_EINTERRUPTED) {
        a->c.result->interrupted = true;
        od_fail(a->ctx, status, NULL,
                a->behind ? "interrupted; the journal in %s could not be written, and the same command goes on from "
                            "an earlier entry, or anew"
                : a->journaled ? "interrupted; the same command goes on from the journal in %s"
                               : "interrupted; without -o DIR nothing was kept%s",
                a->journaled ? a->e->output : "");
    }
    a->c.result->count = 0;
    return name_journal(a, status);
}

static od_status take_share(void *user, const void *bytes, size_t size)
{
    attempt *a = user;
    od_reader from = od_reader_begin(bytes, size);
    return od_snapshot_read(&a->s, &from, true);
}

/* Rank 0 puts the shares together; the others are done when it is, so that their journals go last. */
static od_status join_ranks(attempt *a)
{
    const od_ranks *ranks = a->e->ranks;
    od_bytes share = {0};
    od_result *result = a->c.result;
    if (ranks->rank > 0) {
        od_snapshot_write(&a->s, true, &share);
        result->count = 0;
    }
    od_status status = share.failed ? OD_ENOMEM : ranks->gather(share.data, share.size, take_share, a);
    od_bytes_free(&share);
    if (status != OD_OK) {
        od_fail(a->ctx, status, NULL, "the ranks could not put their results together (%s); another may have ended",
                od_status_name(status));
    }
    if (status == OD_OK && ranks->rank == 0) {
        a->s.finished = collect;
        status = od_simulation_loaded(&a->s);
        status = status == OD_OK ? conclude(a->ctx, a->e, result, &a->s) : status;
    }
    if (status == OD_OK || status == OD_EDIVERGED) {
        ranks->wait();
    }
    if (a->journaled && (status == OD_OK || status == OD_EDIVERGED)) {
        od_journal_remove(&a->journal);
    }
    return status;
}

static od_status run_whole(attempt *a)
{
    od_status status = run_rounds(a);
    if (a->e->ranks != NULL && status == OD_OK) {
        return join_ranks(a);
    }
    if (a->e->shards > 0) {
        return keep_shard(a, status);
    }
    if (status == OD_EINTERRUPTED) {
        return stop_early(a);
    }
    status = status == OD_OK ? conclude(a->ctx, a->e, a->c.result, &a->s) : status;
    if (a->journaled && (status == OD_OK || status == OD_EDIVERGED)) {
        od_journal_remove(&a->journal);
    }
    return status;
}

/* `paths: auto`: levels member by member. There is no journal: what was computed of a member is shown, not taken up. */
static od_status run_levels(attempt *a)
{
    od_result *result = a->c.result;
    od_status status = OD_OK;
    result->count = 0;
    for (size_t i = 0; i < a->e->member_count && status == OD_OK; i++) {
        const od_member *m = &a->e->member[i];
        od_outcome *o = &result->outcome[i];
        od_multilevel *levels;
        status = od_multilevel_run(a->ctx, a->e, m, &levels);
        result->interrupted = status == OD_EINTERRUPTED;
        result->diverged = status == OD_EDIVERGED;
        if (status == OD_OK || result->interrupted || result->diverged) {
            od_outcome_describe_levels(m, levels, o);
            result->count++;
        } else {
            od_multilevel_free(levels);
        }
        if (status == OD_OK && a->e->output != NULL) {
            status = od_results_write_levels(a->ctx, a->e, m, levels, &o->more_file[o->more_count++]);
        }
    }
    return result->interrupted
               ? od_fail(a->ctx, OD_EINTERRUPTED, NULL,
                         "interrupted; the tolerance is not met, and what was computed is printed alone")
               : status;
}

typedef od_status course(attempt *a, const void *argument);

static od_status run_course(attempt *a, const void *argument)
{
    (void)argument;
    if (od_member_automatic(a->e->member)) {
        return run_levels(a);
    }
    od_simulation_share(&a->s, a->e->shard, a->e->shards);
    /* what observers saw before an interruption they would not see again */
    a->journaled = a->e->output != NULL && a->e->observer_count == 0;
    od_status status = a->journaled ? take_up(a) : OD_OK;
    return status == OD_OK ? run_whole(a) : status;
}

/* What all courses share: the folder, the simulation, the result. */
static od_status attempt_course(od_context *ctx, const od_experiment *e, course *run, const void *argument,
                                od_result **out)
{
    *out = NULL;
    int lock = -1;
    od_status status = e->output != NULL ? od_results_claim(ctx, e, &lock) : OD_OK;
    od_result *result = status == OD_OK ? create_result(e) : NULL;
    if (status == OD_OK && result == NULL) {
        status = od_fail(ctx, OD_ENOMEM, NULL, "no memory for the results");
    }
    if (status == OD_OK) {
        attempt a = {.ctx = ctx, .e = e, .c = {.ctx = ctx, .e = e, .result = result}};
        status = od_simulation_open(ctx, e, e->shards > 0 ? NULL : collect, &a.c, &a.s);
        status = status == OD_OK ? run(&a, argument) : status;
        od_simulation_close(&a.s);
    }
    od_results_release(lock);
    if (status != OD_OK && status != OD_EDIVERGED && status != OD_EINTERRUPTED) {
        od_result_free(result);
        return status;
    }
    *out = result;
    return status;
}

od_status od_experiment_run(od_context *ctx, const od_experiment *e, od_result **result)
{
    *result = NULL;
    if (od_member_automatic(e->member) && e->observer_count > 0) {
        return od_fail(ctx, OD_EUNSUPPORTED, "paths",
                       "auto records nothing that an observer sees; give a number of paths");
    }
    if (e->shards > 0 && e->ranks == NULL && e->output == NULL) {
        return od_fail(ctx, OD_EINVAL, "--shard", "a shard needs a folder for its journal; give -o DIR");
    }
    return attempt_course(ctx, e, run_course, NULL, result);
}

bool od_experiment_complete(const od_experiment *e)
{
    if (e->output == NULL) {
        return false;
    }
    od_journal journal;
    od_journal_init(e, &journal);
    /* the journal is the last to go */
    return access(journal.path, F_OK) != 0 && od_results_complete(e);
}

/* ------------------------------------------------------------------------------------------- shards */

static od_status missing_shards(od_context *ctx, const bool *there, unsigned shards)
{
    enum { NAMED = 16 };
    char list[NAMED * 12] = "";
    unsigned missing = 0;
    for (unsigned i = 1; i <= shards; i++) {
        if (!there[i] && missing++ < NAMED) {
            char number[12];
            snprintf(number, sizeof number, "%u", i);
            od_text_join(list, sizeof list, number);
        }
    }
    return missing == 0
               ? OD_OK
               : od_fail(ctx, OD_EINVAL, NULL, "of %u shards these are missing: %s%s; run them with --shard N/%u",
                         shards, list, missing > NAMED ? ", ..." : "", shards);
}

static od_status merge_course(attempt *a, const void *argument)
{
    const char *const *journals = argument;
    bool *there = NULL;
    unsigned shards = 0;
    od_status status = OD_OK;
    for (size_t i = 0; journals[i] != NULL && status == OD_OK; i++) {
        od_shard shard;
        status = od_journal_peek(a->ctx, journals[i], a->e, &shard);
        if (status == OD_OK && shards == 0) {
            shards = shard.of;
            there = od_zalloc((size_t)shards + 1, sizeof *there);
            status = there != NULL ? OD_OK : od_fail(a->ctx, OD_ENOMEM, NULL, "no memory for %u shards", shards);
        }
        if (status == OD_OK && shard.of != shards) {
            status = od_fail(a->ctx, OD_EINVAL, NULL, "%s is shard %u of %u, but others are of %u", journals[i],
                             shard.number, shard.of, shards);
        }
        if (status == OD_OK && !there[shard.number]) {
            there[shard.number] = true;
            status = od_journal_add(a->ctx, journals[i], &a->s);
        }
    }
    if (status == OD_OK && shards == 0) {
        status = od_fail(a->ctx, OD_EINVAL, NULL, "there is no shard to merge");
    }
    status = status == OD_OK ? missing_shards(a->ctx, there, shards) : status;
    free(there);
    status = status == OD_OK ? od_simulation_loaded(&a->s) : status;
    return status == OD_OK ? conclude(a->ctx, a->e, a->c.result, &a->s) : status;
}

od_status od_experiment_merge(od_context *ctx, const od_experiment *e, const char *const *journals, od_result **result)
{
    return attempt_course(ctx, e, merge_course, journals, result);
}
