/*
 * Damage to a journal. The first byte says of which experiment; then five bytes are one change of its bytes: place (2),
 * kind, value (2). A damaged file is refused or read up to the damage. Bytes that pass their checksum all the same are
 * refused or harmless: a run that goes on from them comes to an end. So are the journals of two shards, of which the
 * second is damaged and bears the checksums of what it holds. Inputs say what is damaged and not what journals look
 * like, so they outlast changes of the format.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "src/journal.h"
#include "src/snapshot.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

static const char *const experiments[] = {
    "{problem: {name: quadratic, eigenvalues: [0.4, 0.1]}, method: {name: nesterov, r: 3, noise: 0.1, step: 0.01}, "
    "integrator: {name: euler-maruyama, step: 0.1}, start: {t: 0.1, x: {normal: 1}, v: [0, 0]}, until: 2.1, "
    "iterations: 20, paths: 150, record: {every: 1, stride: 9, quantities: [loss, x], quantiles: [0.5], "
    "covariance: true, paths: 2}}",
    "{problem: {name: quadratic, eigenvalues: [2, 1]}, method: {name: nesterov, r: 3}, integrator: {name: cvode, "
    "max_steps: 2000}, "
    "start: {t: 0, x: [1, 1]}, until: 3, record: {every: 0.25}}",
    "{problem: {name: quadratic, eigenvalues: [2, 1]}, method: {name: gradient, step: 0.1}, start: {x: [1, 1]}, "
    "iterations: 30, integrator: {name: rk4, step: 0.1}, until: 3, paths: 1, compare: [{label: a}, {label: b, method: "
    "{name: gradient, step: 0.2}}]}",
};

enum { EXPERIMENTS = sizeof experiments / sizeof *experiments, EDIT = 5 };

/* One experiment, part of the way. */
typedef struct half {
    od_context *ctx;
    od_experiment *e;
    od_bytes file, snapshot, shard;
    char first[128]; /* the journal of the other shard */
} half;

static half halves[EXPERIMENTS];

static od_status stop_soon(void *user, const od_view *view)
{
    if (view->first_path >= 64 || view->row == 2) {
        od_cancel(user);
    }
    return OD_OK;
}

static od_experiment *parse(od_context *ctx, const char *text, unsigned shard)
{
    const od_options options = {
        .threads = 1, .block = 64, .output = fuzz_file("unused", "", 0), .shard = shard, .shards = shard > 0 ? 2 : 0};
    od_experiment *e = od_experiment_parse(ctx, text, &options);
    fuzz_demand(e != NULL, od_message(ctx));
    return e;
}

static void read_all(const char *path, od_bytes *to)
{
    FILE *in = fopen(path, "rb");
    char piece[4096];
    fuzz_demand(in != NULL, "a journal was written");
    for (size_t count; (count = fread(piece, 1, sizeof piece, in)) > 0;) {
        od_bytes_put(to, piece, count);
    }
    fclose(in);
}

/* The journals of both shards: the first stays a file, the second is read. */
static void make_shards(half *h, size_t which)
{
    for (unsigned shard = 1; shard <= 2; shard++) {
        od_context *ctx = od_context_create();
        od_experiment *e = parse(ctx, experiments[which], shard);
        od_result *result = NULL;
        od_journal j;
        fuzz_demand(od_experiment_run(ctx, e, &result) == OD_OK, od_message(ctx));
        od_journal_init(e, &j);
        if (shard == 2) {
            read_all(j.path, &h->shard);
            od_journal_remove(&j);
        } else {
            od_bytes whole = {0};
            char name[32];
            read_all(j.path, &whole);
            snprintf(name, sizeof name, "whole-%zu", which);
            snprintf(h->first, sizeof h->first, "%s/%s", fuzz_file(name, whole.data, whole.size), name);
            od_bytes_free(&whole);
            od_journal_remove(&j);
        }
        od_result_free(result);
        od_experiment_free(e);
        od_context_free(ctx);
    }
}

static const half *half_way(size_t which)
{
    half *h = &halves[which];
    if (h->e != NULL) {
        return h;
    }
    od_context *ctx = od_context_create();
    od_experiment *watched = parse(ctx, experiments[which], 0);
    od_simulation s;
    od_journal j;
    bool through;
    h->ctx = od_context_create();
    h->e = parse(h->ctx, experiments[which], 0);
    fuzz_demand(od_experiment_observe(ctx, watched, (od_observer){stop_soon, ctx}) == OD_OK, od_message(ctx));
    fuzz_demand(od_simulation_open(ctx, watched, NULL, NULL, &s) == OD_OK, od_message(ctx));
    od_simulation_go(&s, 0, &through);
    fuzz_demand(s.resting != NULL, "a block is under way");
    od_snapshot_write(&s, true, &h->snapshot);
    od_journal_init(watched, &j);
    fuzz_demand(od_journal_append(ctx, &j, &s) == OD_OK, od_message(ctx));
    read_all(j.path, &h->file);
    od_journal_remove(&j);
    od_simulation_close(&s);
    od_experiment_free(watched);
    od_context_free(ctx);
    if (h->e->member[0].paths > 1) {
        make_shards(h, which);
    }
    return h;
}

/* Where the number-th of the small whole numbers stands: counts look like nothing else. */
static size_t count_place(const unsigned char *bytes, size_t left, size_t number)
{
    size_t seen = 0, last = 0;
    for (size_t at = 0; at + 8 <= left; at++) {
        uint64_t count;
        memcpy(&count, bytes + at, sizeof count);
        if (count > 0 && count < 1 << 24) {
            last = at;
            if (seen++ == number) {
                break;
            }
            at += 7;
        }
    }
    return last;
}

/* The bytes with all changes made; of their own size, so that a sanitizer sees what is read behind the end. */
static unsigned char *damage(const half *h, const od_bytes *whole, const uint8_t *data, size_t size, size_t *left)
{
    unsigned char *bytes = malloc(whole->size);
    fuzz_demand(bytes != NULL && !whole->failed, "memory");
    memcpy(bytes, whole->data, whole->size);
    *left = whole->size;
    for (; size >= EDIT && *left > 8; data += EDIT, size -= EDIT) {
        const size_t at = ((size_t)data[0] << 8 | data[1]) % (*left - 8);
        const uint64_t value = (uint64_t)data[3] << 8 | data[4];
        const unsigned kind = data[2] < 0xc0 ? data[2] % 5 : 5 + data[2] % 2;
        const uint64_t bins = od_member_flow_bins(&h->e->member[0]); /* the largest count there is a bound for */
        uint64_t number = data[3] == 0xfe   ? bins - data[4]
                          : data[3] == 0xff ? UINT64_MAX - data[4]
                          : data[3] >= 0x80 ? UINT64_C(1) << data[4] % 64
                                            : value;
        switch (kind) {
        case 0: bytes[at] = data[4]; break;
        case 1: memcpy(bytes + at / 8 * 8, &number, sizeof number); break;
        case 2: *left = at + 1; break;
        case 5: memcpy(bytes + (*left - 8 - at), &number, sizeof number); break;
        case 6: memcpy(bytes + count_place(bytes, *left, at % 512), &number, sizeof number); break;
        case 3: memmove(bytes + at, bytes + (value % (*left - 8)), 8); break;
        default: memmove(bytes + at / 8 * 8, bytes + at / 8 * 8 + 8, *left - at / 8 * 8 - 8); *left -= 8;
        }
    }
    unsigned char *exact = realloc(bytes, *left);
    return exact != NULL ? exact : bytes;
}

/* Whoever reads a snapshot may go on from it, or show it as it is. */
static void go_on(od_context *ctx, od_simulation *s, bool settle)
{
    bool through = false;
    if (od_simulation_loaded(s) != OD_OK) {
        return;
    }
    if (settle) {
        od_simulation_settle(s);
        return;
    }
    if (od_simulation_go(s, 0, &through) == OD_OK) {
        fuzz_demand(through, "a run that goes on comes to its end");
    } else {
        fuzz_demand(strlen(od_message(ctx)) > 10, "a run fails with a sentence");
    }
}

static void take_snapshot(const half *h, const uint8_t *data, size_t size, bool add, bool settle)
{
    size_t left;
    od_simulation s;
    unsigned char *bytes = damage(h, &h->snapshot, data, size, &left);
    od_reader reader = od_reader_begin(bytes, left);
    fuzz_demand(od_simulation_open(h->ctx, h->e, NULL, NULL, &s) == OD_OK, od_message(h->ctx));
    s.room = 64;
    if (od_snapshot_read(&s, &reader, add) == OD_OK && !add) {
        go_on(h->ctx, &s, settle);
    }
    od_simulation_close(&s);
    free(bytes);
}

static void take_file(const half *h, const uint8_t *data, size_t size)
{
    size_t left;
    od_simulation s;
    od_journal j;
    od_shard shard;
    bool found;
    unsigned char *bytes = damage(h, &h->file, data, size, &left);
    od_journal_init(h->e, &j);
    fuzz_file(strrchr(j.path, '/') + 1, bytes, left);
    fuzz_demand(od_simulation_open(h->ctx, h->e, NULL, NULL, &s) == OD_OK, od_message(h->ctx));
    if (od_journal_load(h->ctx, &j, &s, &found) == OD_OK) {
        fuzz_demand(found, "a journal that is there is found");
        go_on(h->ctx, &s, true);
    } else {
        fuzz_demand(strlen(od_message(h->ctx)) > 10, "a journal is refused with a sentence");
    }
    fuzz_demand(od_journal_peek(h->ctx, j.path, h->e, &shard) != OD_OK, "a run's journal is no shard's");
    od_simulation_close(&s);
    free(bytes);
}

/* Every segment (mark, length, payload, checksum) that is still whole gets the checksum of what it holds. */
static void seal(unsigned char *bytes, size_t size)
{
    enum { MARK = 4, LENGTH = 8 };
    for (size_t at = 0; at + MARK + LENGTH + SHA256_DIGEST_SIZE <= size;) {
        uint64_t length;
        memcpy(&length, bytes + at + MARK, LENGTH);
        if (length > size - at - MARK - LENGTH - SHA256_DIGEST_SIZE) {
            return;
        }
        struct sha256_ctx sha;
        sha256_init(&sha);
        sha256_update(&sha, LENGTH + length, bytes + at + MARK);
        at += MARK + LENGTH + length;
        sha256_digest(&sha, SHA256_DIGEST_SIZE, bytes + at);
        at += SHA256_DIGEST_SIZE;
    }
}

static void take_shard(const half *h, const uint8_t *data, size_t size)
{
    char second[160];
    size_t left;
    unsigned char *bytes = damage(h, &h->shard, data, size, &left);
    seal(bytes, left);
    snprintf(second, sizeof second, "%s/damaged", fuzz_file("damaged", bytes, left));
    const char *const journals[] = {h->first, second, NULL};
    od_result *result = NULL;
    if (od_experiment_merge(h->ctx, h->e, journals, &result) != OD_OK) {
        fuzz_demand(strlen(od_message(h->ctx)) > 10, "shards are refused with a sentence");
    }
    od_result_free(result);
    free(bytes);
}

static void take(const uint8_t *data, size_t size)
{
    enum { SHARDS = 0xe0 };
    if (size == 0) {
        return;
    }
    const half *h = half_way(data[0] % EXPERIMENTS);
    const unsigned kind = data[0] / EXPERIMENTS % 4;
    if (data[0] >= SHARDS) {
        take_shard(half_way(0), data + 1, size - 1);
    } else if (kind == 0) {
        take_file(h, data + 1, size - 1);
    } else {
        take_snapshot(h, data + 1, size - 1, kind == 1, kind == 2);
    }
}

const fuzz_target fuzz_journal = {
    .name = "journal", .letters = "\x01\x02\x03\x04\x05\x80\xc0\xc1\xe1\xff", .take = take};
