/*
 * Layout: segments of a mark (4 bytes), the length of the payload (8), the payload, the SHA-256 of length and payload
 * (32). The first payload is the header, the others are snapshots. Numbers are in the order of bytes of the machine,
 * which the header states by a number whose bytes differ.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "journal.h"

#include "context.h"
#include "file.h"
#include "memory.h"
#include "snapshot.h"
#include "text.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MARK = 0x4e4c4a4f, ORDER = 0x01020304, OVERHEAD = 4 + 8 + SHA256_DIGEST_SIZE, FORMAT = 3 };

typedef struct header {
    unsigned shard, shards; /* both 0: not a shard */
    bool complete;
    size_t room;
} header;

void od_journal_init(const od_experiment *e, od_journal *j)
{
    *j = (od_journal){0};
    if (e->shards > 0) {
        snprintf(j->path, sizeof j->path, "%.4000s/shard-%u-of-%u.journal", e->output, e->shard, e->shards);
    } else {
        snprintf(j->path, sizeof j->path, "%.4000s/run.journal", e->output);
    }
}

/* ------------------------------------------------------------------------------------------- writing */

static void digest_of(const unsigned char *payload, uint64_t length, uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, sizeof length, (const uint8_t *)&length);
    sha256_update(&sha, length, payload);
    sha256_digest(&sha, SHA256_DIGEST_SIZE, digest);
}

static void write_segment(FILE *out, const od_bytes *payload)
{
    const uint32_t mark = MARK;
    const uint64_t length = payload->size;
    uint8_t digest[SHA256_DIGEST_SIZE];
    digest_of(payload->data, length, digest);
    fwrite(&mark, sizeof mark, 1, out);
    fwrite(&length, sizeof length, 1, out);
    fwrite(payload->data, 1, payload->size, out);
    fwrite(digest, 1, sizeof digest, out);
}

static void put_text(od_bytes *to, const char *text)
{
    od_bytes_put_count(to, strlen(text));
    od_bytes_put(to, text, strlen(text));
}

/* The files that a member comes from, with their checksums. */
static const char *inputs_of(const od_experiment *e, size_t member)
{
    return e->member[member].inputs != NULL ? e->member[member].inputs : "";
}

static void put_header(od_bytes *to, const od_simulation *s, bool complete)
{
    put_text(to, "optdyn journal");
    od_bytes_put_count(to, ORDER);
    od_bytes_put_count(to, FORMAT);
    put_text(to, od_version());
    put_text(to, s->e->resolved);
    for (size_t i = 0; i < s->e->member_count; i++) {
        put_text(to, inputs_of(s->e, i));
    }
    od_bytes_put_count(to, s->e->shard);
    od_bytes_put_count(to, s->e->shards);
    od_bytes_put_count(to, complete);
    od_bytes_put_count(to, s->room);
}

static od_status no_memory(od_context *ctx)
{
    return od_fail(ctx, OD_ENOMEM, "--checkpoint", "no memory for the journal");
}

static od_status write_anew(od_context *ctx, od_journal *j, od_simulation *s, bool complete)
{
    od_bytes head = {0}, body = {0};
    put_header(&head, s, complete);
    od_snapshot_write(s, true, &body);
    const uint64_t size = head.size + body.size + 2 * OVERHEAD;
    const char *slash = strrchr(j->path, '/');
    char folder[sizeof j->path];
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - j->path), j->path);
    od_file file;
    od_status status = head.failed || body.failed ? no_memory(ctx) : od_file_open(ctx, &file, folder, slash + 1);
    if (status == OD_OK) {
        write_segment(file.out, &head);
        write_segment(file.out, &body);
        status = od_file_commit(ctx, &file);
    }
    j->size = j->whole = status == OD_OK ? size : 0;
    od_bytes_free(&head);
    od_bytes_free(&body);
    return status;
}

static od_status append(od_context *ctx, od_journal *j, const od_bytes *payload)
{
    FILE *out = fopen(j->path, "r+");
    /* what stands behind the whole segments was torn off; the next segment takes its place */
    bool ok = out != NULL && ftruncate(fileno(out), (off_t)j->size) == 0 && fseeko(out, 0, SEEK_END) == 0;
    if (ok) {
        write_segment(out, payload);
        ok = fflush(out) == 0 && !ferror(out) && fsync(fileno(out)) == 0;
    }
    const int why = errno;
    if (out != NULL) {
        ok = fclose(out) == 0 && ok;
    }
    if (ok) {
        j->size += payload->size + OVERHEAD;
        return OD_OK;
    }
    j->size = 0;
    return od_fail(ctx, OD_EIO, "-o", "%s could not be written: %s", j->path, strerror(why));
}

od_status od_journal_append(od_context *ctx, od_journal *j, od_simulation *s)
{
    const uint64_t slack = 64u << 20; /* bytes of outdated snapshots that are no nuisance */
    if (j->size == 0 || j->size > 2 * j->whole + slack) {
        return write_anew(ctx, j, s, false);
    }
    od_bytes body = {0};
    od_snapshot_write(s, false, &body);
    od_status status = body.failed ? no_memory(ctx) : append(ctx, j, &body);
    od_bytes_free(&body);
    return status;
}

od_status od_journal_complete(od_context *ctx, od_journal *j, od_simulation *s)
{
    return write_anew(ctx, j, s, true);
}

void od_journal_remove(od_journal *j)
{
    unlink(j->path);
    j->size = 0;
}

/* ------------------------------------------------------------------------------------------- reading */

static od_status read_file(od_context *ctx, const char *path, od_bytes *to)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return errno == ENOENT ? OD_OK : od_fail(ctx, OD_EIO, "-o", "%s cannot be read: %s", path, strerror(errno));
    }
    unsigned char piece[1 << 16];
    size_t count;
    while ((count = fread(piece, 1, sizeof piece, in)) > 0) {
        od_bytes_put(to, piece, count);
    }
    const bool ok = !ferror(in);
    const int why = errno;
    fclose(in);
    if (!ok) {
        return od_fail(ctx, OD_EIO, "-o", "%s cannot be read: %s", path, strerror(why));
    }
    return to->failed ? no_memory(ctx) : OD_OK;
}

/* The next whole segment's payload; false at the end and at a torn one. */
static bool next_segment(od_reader *file, od_reader *payload)
{
    od_reader at = *file;
    uint32_t mark;
    uint8_t digest[SHA256_DIGEST_SIZE], want[SHA256_DIGEST_SIZE];
    od_reader_take(&at, &mark, sizeof mark);
    const uint64_t length = od_reader_count(&at, (uint64_t)(at.end - at.at));
    if (at.failed || mark != MARK || length > (uint64_t)(at.end - at.at)) {
        return false;
    }
    *payload = od_reader_begin(at.at, length);
    at.at += length;
    od_reader_take(&at, want, sizeof want);
    if (at.failed) {
        return false;
    }
    digest_of(payload->at, length, digest);
    *file = at;
    return memcmp(digest, want, sizeof want) == 0;
}

/* True if the next text is this one; moves past it in any case. */
static bool take_text(od_reader *from, const char *text)
{
    const uint64_t length = od_reader_count(from, (uint64_t)(from->end - from->at));
    if (from->failed || length > (uint64_t)(from->end - from->at)) {
        from->failed = true;
        return false;
    }
    const bool same = length == strlen(text) && memcmp(from->at, text, length) == 0;
    from->at += length;
    return same;
}

static od_status take_header(od_context *ctx, const char *path, const od_experiment *e, od_reader *from, header *h)
{
    const bool ours = take_text(from, "optdyn journal");
    const bool order = od_reader_count(from, UINT64_MAX) == ORDER && od_reader_count(from, UINT64_MAX) == FORMAT;
    if (!ours || from->failed) {
        return od_fail(ctx, OD_EINVAL, "-o", "%s is not a journal of optdyn; remove it", path);
    }
    if (!order || !take_text(from, od_version())) {
        return od_fail(ctx, OD_EINVAL, "-o",
                       "%s was written by another version of optdyn or on another kind of machine; go on there, or "
                       "remove it and start anew",
                       path);
    }
    if (!take_text(from, e->resolved)) {
        return od_fail(ctx, OD_EINVAL, "-o", "%s belongs to another experiment; choose another folder or remove it",
                       path);
    }
    bool same = true;
    for (size_t i = 0; i < e->member_count; i++) {
        same = take_text(from, inputs_of(e, i)) && same;
    }
    if (!same) {
        return od_fail(ctx, OD_EINVAL, "-o",
                       "%s was computed from other input files (their checksums differ); restore them, or run it again",
                       path);
    }
    h->shard = (unsigned)od_reader_count(from, UINT32_MAX);
    h->shards = (unsigned)od_reader_count(from, UINT32_MAX);
    h->complete = od_reader_count(from, 1) == 1;
    h->room = (size_t)od_reader_count(from, OD_LEAF);
    return from->failed ? od_fail(ctx, OD_EINVAL, "-o", "%s is damaged; remove it and start anew", path) : OD_OK;
}

/* Reads the header, then all whole snapshots; *size is where they end. */
static od_status read_journal(od_context *ctx, const char *path, od_simulation *s, bool add, header *h, uint64_t *size)
{
    od_bytes bytes = {0};
    od_status status = read_file(ctx, path, &bytes);
    od_reader file = od_reader_begin(bytes.data, bytes.size), payload;
    *size = 0;
    if (status == OD_OK && bytes.size > 0 && next_segment(&file, &payload)) {
        status = take_header(ctx, path, s->e, &payload, h);
        s->room = h->room > s->room ? h->room : s->room;
        *size = (uint64_t)(file.at - bytes.data);
        while (status == OD_OK && next_segment(&file, &payload)) {
            *size = (uint64_t)(file.at - bytes.data);
            status = od_snapshot_read(s, &payload, add);
            if (status == OD_ENOMEM) {
                no_memory(ctx);
            } else if (status != OD_OK) {
                od_fail(ctx, status, "-o", "%s does not fit its experiment (%s); remove it and start anew", path,
                        od_status_name(status));
            }
        }
    } else if (status == OD_OK && bytes.size > 0) {
        status = od_fail(ctx, OD_EINVAL, "-o", "%s is damaged; remove it and start anew", path);
    }
    od_bytes_free(&bytes);
    return status;
}

bool od_journal_foreign(od_context *ctx, const od_experiment *e)
{
    od_journal j;
    od_bytes bytes = {0};
    header h;
    od_journal_init(e, &j);
    od_status status = read_file(ctx, j.path, &bytes);
    od_reader file = od_reader_begin(bytes.data, bytes.size), payload;
    if (status == OD_OK && bytes.size > 0) {
        status = next_segment(&file, &payload) ? take_header(ctx, j.path, e, &payload, &h) : OD_EINVAL;
    }
    od_bytes_free(&bytes);
    od_context_forget(ctx);
    return status == OD_EINVAL;
}

od_status od_journal_load(od_context *ctx, od_journal *j, od_simulation *s, bool *found)
{
    header h = {0};
    uint64_t size;
    od_status status = read_journal(ctx, j->path, s, false, &h, &size);
    *found = size > 0;
    status = status == OD_OK && *found ? od_simulation_loaded(s) : status;
    /* written anew at the next occasion: a torn end goes, and blocks may have another size */
    j->size = 0;
    return status;
}

od_status od_journal_peek(od_context *ctx, const char *path, const od_experiment *e, od_shard *shard)
{
    od_bytes bytes = {0};
    header h = {0};
    od_status status = read_file(ctx, path, &bytes);
    od_reader file = od_reader_begin(bytes.data, bytes.size), payload;
    if (status == OD_OK && bytes.size == 0) {
        status = od_fail(ctx, OD_EINVAL, NULL, "there is no journal %s", path);
    } else if (status == OD_OK && !next_segment(&file, &payload)) {
        status = od_fail(ctx, OD_EINVAL, NULL, "%s is no whole journal of optdyn; run that shard again", path);
    } else if (status == OD_OK) {
        status = take_header(ctx, path, e, &payload, &h);
    }
    od_bytes_free(&bytes);
    *shard = (od_shard){h.shard, h.shards};
    if (status == OD_OK && (h.shard < 1 || h.shard > h.shards)) {
        return od_fail(ctx, OD_EINVAL, NULL, "%s is not the journal of a shard", path);
    }
    if (status == OD_OK && !h.complete) {
        return od_fail(ctx, OD_EINVAL, NULL,
                       "%s is not complete: that shard has not come to its end; run it again with --shard %u/%u and it "
                       "goes on",
                       path, h.shard, h.shards);
    }
    return status;
}

od_status od_journal_add(od_context *ctx, const char *path, od_simulation *s)
{
    header h = {0};
    uint64_t size;
    return read_journal(ctx, path, s, true, &h, &size);
}
