/* A folder and the reader of data at work in it, for tests; include before all others. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_TESTS_DATA_BENCH_H
#define OD_TESTS_DATA_BENCH_H

#include "folder.h"

#include "src/data.h"
#include "src/settings.h"

#include <sys/stat.h>
#include <zlib.h>

/* A folder of its own for each test, and the reader at work in it. */
typedef struct bench {
    od_context *ctx;
    od_arena *arena;
    char folder[FOLDER_ROOM];
    od_data data;
} bench;

static inline int open_bench(void **state)
{
    bench *b = calloc(1, sizeof *b);
    b->ctx = od_context_create();
    b->arena = od_arena_create();
    folder_make(b->folder);
    *state = b;
    return 0;
}

static inline int close_bench(void **state)
{
    bench *b = *state;
    od_data_free(&b->data);
    od_context_free(b->ctx);
    od_arena_free(b->arena);
    folder_remove(b->folder);
    free(b);
    return 0;
}

static inline void path_of(const bench *b, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", b->folder, name);
}

static inline void put(const bench *b, const char *name, const void *bytes, size_t length)
{
    folder_put(b->folder, name, bytes, length);
}

static inline void put_text(const bench *b, const char *name, const char *text)
{
    put(b, name, text, strlen(text));
}

static inline void put_gzip(const bench *b, const char *name, const void *bytes, size_t length)
{
    char path[256];
    path_of(b, name, path);
    gzFile out = gzopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(gzwrite(out, bytes, (unsigned)length), length);
    gzclose(out);
}

/* The settings of a data problem at work in a folder. */
static inline const od_settings *settings_of(bench *b, const char *folder, const char *yaml)
{
    static const od_param table[] = {OD_DATA_PARAMS("clusters", "false"), {.name = NULL}};
    od_node *node = od_document_parse(b->ctx, b->arena, yaml, strlen(yaml), "text");
    check_done(b->ctx, node != NULL);
    od_settings *s = od_settings_resolve(b->ctx, b->arena, (const od_param *const[]){table, NULL}, node,
                                         (od_place){.path = "problem", .data = folder});
    check_done(b->ctx, s != NULL);
    return s;
}

static inline od_status read_in(bench *b, const char *folder, const char *yaml, od_targets targets)
{
    const od_settings *s = settings_of(b, folder, yaml);
    od_data_free(&b->data);
    return od_data_read(b->ctx, s, targets, od_setting_real(s, "bias") != 0, &b->data);
}

static inline void reads(bench *b, const char *yaml, od_targets targets)
{
    check_done(b->ctx, read_in(b, b->folder, yaml, targets) == OD_OK);
}

/* The reading fails, nothing is held, and the sentence has both parts. */
static inline void refuses_as(bench *b, const char *yaml, od_targets targets, const char *part, const char *other)
{
    if (read_in(b, b->folder, yaml, targets) == OD_OK) {
        fail_msg("%s was accepted", yaml);
    }
    check_message(b->ctx, part);
    check_message(b->ctx, other);
    assert_null(b->data.row);
    assert_null(b->data.target);
    assert_null(b->data.inputs);
}

#define test_at_bench(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)

#endif
