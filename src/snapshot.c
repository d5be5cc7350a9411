/*
 * Snapshots: a list of members, for each its new subtrees, its blocks under way, and its bins.
 *
 * A subtree replaces those it contains. Numbers are written as they lie in memory; the journal's header says whose
 * order of bytes that is.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "snapshot.h"

#include "context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- tallies */

static void put_moments(od_bytes *to, od_moments *a, bool all)
{
    const size_t begin = all || a->changed > a->rows ? 0 : a->changed;
    size_t end = !all && a->changed > a->rows ? begin : a->rows;
    while (end > begin && a->count[end - 1] == 0) {
        end--;
    }
    od_bytes_put_count(to, begin);
    od_bytes_put_count(to, end);
    od_bytes_put(to, a->count + begin, (end - begin) * sizeof *a->count);
    od_bytes_put_reals(to, a->mean + begin * a->cols, (end - begin) * a->cols);
    od_bytes_put_reals(to, a->m2 + begin * a->cols, (end - begin) * a->cols);
    if (a->cross != NULL) {
        od_bytes_put_reals(to, a->cross + begin * od_moments_pairs(a), (end - begin) * od_moments_pairs(a));
    }
    a->changed = SIZE_MAX;
}

static void take_moments(od_reader *from, od_moments *a)
{
    const size_t end_at_most = a->rows;
    const size_t begin = (size_t)od_reader_count(from, end_at_most), end = (size_t)od_reader_count(from, end_at_most);
    if (from->failed || end < begin) {
        from->failed = true;
        return;
    }
    od_reader_take(from, a->count + begin, (end - begin) * sizeof *a->count);
    od_reader_reals(from, a->mean + begin * a->cols, (end - begin) * a->cols);
    od_reader_reals(from, a->m2 + begin * a->cols, (end - begin) * a->cols);
    if (a->cross != NULL) {
        od_reader_reals(from, a->cross + begin * od_moments_pairs(a), (end - begin) * od_moments_pairs(a));
    }
    a->changed = SIZE_MAX;
}

/* What a tally has besides its moments. */
static void put_rest(od_bytes *to, const od_tally *t)
{
    const double reals[] = {t->first_stop, t->flow_t, t->map_t, t->gap_max, t->gap_at, t->reached};
    od_bytes_put_reals(to, reals, sizeof reals / sizeof *reals);
    od_bytes_put_count(to, t->stopped);
    od_bytes_put_count(to, t->iterations);
    od_bytes_put_count(to, t->evaluations);
    od_bytes_put(to, t->trouble, sizeof t->trouble);
}

static void take_rest(od_reader *from, od_tally *t)
{
    double *const reals[] = {&t->first_stop, &t->flow_t, &t->map_t, &t->gap_max, &t->gap_at, &t->reached};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        *reals[i] = od_reader_real(from);
    }
    t->stopped = od_reader_count(from, UINT64_MAX);
    t->iterations = od_reader_count(from, UINT64_MAX);
    t->evaluations = od_reader_count(from, UINT64_MAX);
    od_reader_take(from, t->trouble, sizeof t->trouble);
    t->trouble[sizeof t->trouble - 1] = '\0';
}

static void put_tally(od_bytes *to, od_tally *t, bool all)
{
    od_moments *list[OD_TALLY_MOMENTS];
    od_tally_moments(t, list);
    for (size_t i = 0; i < OD_TALLY_MOMENTS; i++) {
        put_moments(to, list[i], all || i >= OD_TALLY_WHOLE);
    }
    put_rest(to, t);
}

static void take_tally(od_reader *from, od_tally *t)
{
    od_moments *list[OD_TALLY_MOMENTS];
    od_tally_moments(t, list);
    for (size_t i = 0; i < OD_TALLY_MOMENTS; i++) {
        take_moments(from, list[i]);
    }
    take_rest(from, t);
}

/* ------------------------------------------------------------------------------------------- subtrees */

static void put_tree(od_bytes *to, od_job *j, bool all)
{
    uint64_t count = 0;
    for (const od_twig *twig = j->tree.waiting; twig != NULL; twig = twig->next) {
        count += all || !twig->saved;
    }
    od_bytes_put_count(to, count);
    for (od_twig *twig = j->tree.waiting; twig != NULL; twig = twig->next) {
        if (all || !twig->saved) {
            od_bytes_put_count(to, twig->level);
            od_bytes_put_count(to, twig->index);
            put_tally(to, &twig->tally, true);
            twig->saved = true;
        }
    }
}

static od_status take_twig(od_reader *from, od_job *j)
{
    const unsigned level = (unsigned)od_reader_count(from, 63);
    const uint64_t index = od_reader_count(from, (j->tree.leaves - 1) >> level);
    od_twig *twig = od_zalloc(1, sizeof *twig);
    if (twig == NULL || !od_tally_init(j->m, index << level, &twig->tally)) {
        free(twig);
        return OD_ENOMEM;
    }
    twig->level = level;
    twig->index = index;
    take_tally(from, &twig->tally);
    if (from->failed) {
        od_tally_free(&twig->tally);
        free(twig);
        return OD_EINVAL;
    }
    twig->saved = true;
    j->begun = true;
    od_tree_replace(&j->tree, twig);
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- blocks under way */

static void put_worker(od_bytes *to, od_worker *w, bool all)
{
    const size_t state = w->m->dim * w->n;
    od_bytes_put_count(to, w->twig->index);
    od_bytes_put_count(to, w->next);
    od_bytes_put_count(to, w->busy ? w->n : 0);
    if (w->busy) {
        const uint64_t counts[] = {w->row, w->k, w->step, w->map_left, w->ahead, w->ended};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            od_bytes_put_count(to, counts[i]);
        }
        od_bytes_put_real(to, w->t);
        od_bytes_put_real(to, w->now);
        for (size_t p = 0; p < w->n; p++) {
            const unsigned char alive = w->alive[p];
            od_bytes_put(to, &alive, 1);
        }
        od_bytes_put_reals(to, w->z, state);
        od_bytes_put_reals(to, w->z1, w->ahead ? state : 0);
        od_bytes_put_reals(to, w->x_map, state);
    }
    put_tally(to, w->tally, all);
}

static od_worker *resting_on(od_simulation *s, size_t member, uint64_t leaf)
{
    for (od_worker *w = s->resting; w != NULL; w = w->resting) {
        if (w->m == s->job[member].m && w->twig->index == leaf) {
            return w;
        }
    }
    return NULL;
}

/* The block starts afresh, which also prepares what is not written, and is then set to where it was. */
static od_status take_block(od_reader *from, od_worker *w, size_t n)
{
    od_status status = od_worker_begin(w, w->next, n);
    if (status != OD_OK) {
        return status;
    }
    uint64_t *const counts[] = {&w->row, &w->k, &w->step};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        *counts[i] = od_reader_count(from, UINT64_C(1) << 62);
    }
    bool *const flags[] = {&w->map_left, &w->ahead, &w->ended};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        *flags[i] = od_reader_count(from, 1) == 1;
    }
    w->t = od_reader_real(from);
    w->now = od_reader_real(from);
    w->alive_count = 0;
    for (size_t p = 0; p < n; p++) {
        unsigned char alive;
        od_reader_take(from, &alive, 1);
        w->alive[p] = alive != 0;
        w->alive_count += w->alive[p];
    }
    const size_t state = w->m->dim * n;
    od_reader_reals(from, w->z, state);
    od_reader_reals(from, w->z1, w->ahead ? state : 0);
    od_reader_reals(from, w->x_map, state);
    const uint64_t rows = od_member_flow_rows(w->m), iterations = w->m->has_map ? w->m->iterations : 0;
    from->failed = from->failed || w->row > rows || w->k > iterations || w->step > w->steps;
    return from->failed ? OD_EINVAL : od_worker_reopen(w);
}

static od_status take_worker(od_simulation *s, od_reader *from, size_t member)
{
    const od_job *j = &s->job[member];
    const uint64_t leaf = od_reader_count(from, j->tree.leaves - 1), begin = leaf * OD_LEAF;
    const uint64_t next = od_reader_count(from, j->m->paths);
    const size_t n = (size_t)od_reader_count(from, s->room);
    if (from->failed || next < begin || next + n > begin + OD_LEAF || next + n > j->m->paths) {
        return OD_EINVAL;
    }
    od_worker *w = resting_on(s, member, leaf);
    if (w == NULL) {
        w = od_simulation_worker(s, member, leaf);
    }
    if (w == NULL) {
        return OD_ENOMEM;
    }
    w->next = next;
    w->kept = true;
    od_worker_stop(w);
    od_status status = n > 0 ? take_block(from, w, n) : OD_OK;
    take_tally(from, w->tally);
    return status != OD_OK ? status : from->failed ? OD_EINVAL : OD_OK;
}

/* ------------------------------------------------------------------------------------------- bins */

/* Runs of counts that are not zero: first, length, counts; a run of length 0 ends the list. */
static void put_bins(od_bytes *to, const atomic_uint *bins, uint64_t size)
{
    for (uint64_t i = 0; bins != NULL && i < size;) {
        uint64_t end = i;
        while (end < size && bins[end] != 0) {
            end++;
        }
        if (end > i) {
            od_bytes_put_count(to, i);
            od_bytes_put_count(to, end - i);
            for (uint64_t k = i; k < end; k++) {
                const unsigned count = bins[k];
                od_bytes_put(to, &count, sizeof count);
            }
        }
        i = end + 1;
    }
    od_bytes_put_count(to, 0);
    od_bytes_put_count(to, 0);
}

/* Later counts of one run replace the earlier ones; those of other shards are added. */
static void take_bins(od_reader *from, atomic_uint *bins, uint64_t size, bool add)
{
    enum { PIECE = 256 };
    unsigned piece[PIECE];
    for (;;) {
        const uint64_t first = od_reader_count(from, size), length = od_reader_count(from, size);
        if (from->failed || length == 0 || length > size - first) {
            from->failed = from->failed || length != 0;
            return;
        }
        for (uint64_t i = 0; i < length && !from->failed; i += PIECE) {
            const size_t count = length - i < PIECE ? (size_t)(length - i) : PIECE;
            od_reader_take(from, piece, count * sizeof *piece);
            for (size_t j = 0; j < count; j++) {
                bins[first + i + j] = piece[j] + (add ? bins[first + i + j] : 0);
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------- whole snapshots */

void od_snapshot_write(od_simulation *s, bool all, od_bytes *to)
{
    for (size_t i = 0; i < s->e->member_count; i++) {
        od_job *j = &s->job[i];
        uint64_t blocks = 0;
        for (const od_worker *w = s->resting; w != NULL; w = w->resting) {
            blocks += w->m == j->m;
        }
        if (!j->begun || (!all && j->saved)) {
            continue;
        }
        j->saved = j->done == j->tree.leaves;
        od_bytes_put_count(to, i);
        put_tree(to, j, all);
        od_bytes_put_count(to, blocks);
        for (od_worker *w = s->resting; w != NULL; w = w->resting) {
            if (w->m == j->m) {
                put_worker(to, w, all);
            }
        }
        put_bins(to, j->flow_bins, od_member_flow_bins(j->m));
        put_bins(to, j->map_bins, od_member_map_bins(j->m));
    }
}

static od_status take_member(od_simulation *s, od_reader *from, bool add)
{
    const size_t member = (size_t)od_reader_count(from, s->e->member_count - 1);
    od_job *j = &s->job[member];
    const uint64_t twigs = od_reader_count(from, j->tree.leaves);
    od_status status = OD_OK;
    for (uint64_t i = 0; i < twigs && status == OD_OK; i++) {
        status = take_twig(from, j);
    }
    for (od_worker *w = s->resting; w != NULL; w = w->resting) {
        w->kept = w->kept && w->m != j->m;
    }
    const uint64_t blocks = od_reader_count(from, j->tree.leaves);
    for (uint64_t i = 0; i < blocks && status == OD_OK; i++) {
        status = take_worker(s, from, member);
    }
    take_bins(from, j->flow_bins, od_member_flow_bins(j->m), add);
    take_bins(from, j->map_bins, od_member_map_bins(j->m), add);
    return status;
}

od_status od_snapshot_read(od_simulation *s, od_reader *from, bool add)
{
    od_status status = OD_OK;
    while (from->at < from->end && status == OD_OK) {
        status = take_member(s, from, add);
        status = status == OD_OK && from->failed ? OD_EINVAL : status;
    }
    od_simulation_drop(s);
    return status;
}
