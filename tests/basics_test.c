/*
 * Small parts that all others stand on: sentences and their places, memory, letters, JSON, checksums, trees of leaves.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "folder.h"

#include "src/bytes.h"
#include "src/checksum.h"
#include "src/context.h"
#include "src/json.h"
#include "src/memory.h"
#include "src/text.h"
#include "src/tree.h"

static void every_status_has_a_name(void **state)
{
    (void)state;
    static const char *const name[] = {"ok",       "invalid",     "no memory",   "callback failed",  "input/output",
                                       "diverged", "interrupted", "unsupported", "numerical failure"};
    static const od_status status[] = {OD_OK,        OD_EINVAL,       OD_ENOMEM,       OD_EUSER,   OD_EIO,
                                       OD_EDIVERGED, OD_EINTERRUPTED, OD_EUNSUPPORTED, OD_ENUMERIC};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        assert_string_equal(od_status_name(status[i]), name[i]);
    }
    assert_string_equal(od_status_name((od_status)77), "unknown status");
}

static od_status fail_at(od_context *ctx, const char *origin, int line, const char *entry, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static od_status fail_at(od_context *ctx, const char *origin, int line, const char *entry, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const od_status status = od_fail_at(ctx, OD_EINVAL, origin, line, entry, format, args);
    va_end(args);
    return status;
}

static void sentences_name_their_place(void **state)
{
    od_context *ctx = *state;
    assert_int_equal(fail_at(ctx, "a.yaml", 3, "start.x", "%d is wrong", 7), OD_EINVAL);
    assert_string_equal(od_message(ctx), "a.yaml:3: start.x: 7 is wrong");
    assert_string_equal(od_message_entry(ctx), "start.x");
    od_context_place(ctx, "a.yaml", 3); /* stands there already */
    assert_string_equal(od_message(ctx), "a.yaml:3: start.x: 7 is wrong");
    od_context_place(ctx, "--set", 0);
    assert_string_equal(od_message(ctx), "--set: a.yaml:3: start.x: 7 is wrong");
    fail_at(ctx, "--set", 0, "", "it is wrong");
    assert_string_equal(od_message(ctx), "--set: it is wrong");
    fail_at(ctx, NULL, 5, NULL, "it is wrong");
    assert_string_equal(od_message(ctx), "it is wrong");
    assert_string_equal(od_message_entry(ctx), "");
    od_context_place(ctx, "b.yaml", 2);
    assert_string_equal(od_message(ctx), "b.yaml:2: it is wrong");
    od_context_add(ctx, "a reason");
    od_context_add(ctx, "another");
    od_context_add(ctx, "a reason"); /* stands there already */
    assert_string_equal(od_message(ctx), "b.yaml:2: it is wrong; a reason; another");
    od_context_forget(ctx);
    assert_string_equal(od_message(ctx), "");
    od_context_add(ctx, "a reason");
    assert_string_equal(od_message(ctx), "a reason");
    /* a folder of any length leaves room for what is wrong in it */
    char origin[4096];
    memset(origin, 'a', sizeof origin);
    origin[sizeof origin - 1] = '\0';
    fail_at(ctx, origin, 3, "start.x", "%d is wrong", 7);
    assert_non_null(strstr(od_message(ctx), "aaa:3: start.x: 7 is wrong"));
    char once[2048];
    snprintf(once, sizeof once, "%s", od_message(ctx));
    od_context_place(ctx, origin, 3);
    assert_string_equal(od_message(ctx), once);
    od_context_place(ctx, "b.yaml", 0);
    assert_int_equal(strncmp(od_message(ctx), "b.yaml: aaa", 11), 0);
}

static void note(void *user, const char *sentence)
{
    snprintf(user, 64, "%s", sentence);
}

static void advance(void *user, double fraction)
{
    *(double *)user = fraction;
}

static void remarks_and_progress_reach_who_asked(void **state)
{
    od_context *ctx = *state;
    char heard[64] = "";
    double shown = -1;
    od_note(ctx, "nobody hears %d", 1);
    od_context_progress(ctx, 0.5);
    od_context_on_remark(ctx, note, heard);
    od_context_on_progress(ctx, advance, &shown);
    od_note(ctx, "step %d", 7);
    assert_string_equal(heard, "step 7");
    od_context_range(ctx, 0.25, 0.75);
    od_context_progress(ctx, 0.5);
    check_close(shown, 0.5, 0);
    od_context_progress(ctx, 1);
    check_close(shown, 0.75, 0);
}

static void memory_is_zero_and_bounded(void **state)
{
    (void)state;
    const size_t huge = SIZE_MAX / 16;
    assert_null(od_zalloc(huge, 32));
    assert_null(od_zalloc(SIZE_MAX, 1));
    char *none = od_zalloc(0, 8), *some = od_zalloc(7, 0), *bytes = od_zalloc(65, 3);
    assert_non_null(none);
    assert_non_null(some);
    for (size_t i = 0; i < 195; i++) {
        assert_int_equal(bytes[i], 0);
    }
    assert_int_equal((uintptr_t)bytes % 64, 0);
    free(none);
    free(some);
    free(bytes);
    od_arena *arena = od_arena_create();
    assert_null(od_arena_alloc(arena, huge, 32));
    assert_string_equal(od_arena_print(arena, "%s-%d", "a", 7), "a-7");
    od_arena_free(arena);
    od_arena_free(NULL);
}

/* What is longer than memory can be fails once and for all. */
static void bytes_do_not_overflow(void **state)
{
    (void)state;
    volatile size_t most = SIZE_MAX / 2 + 2; /* twice of it is 2 */
    od_bytes bytes = {0};
    od_bytes_put(&bytes, "abc", 3);
    assert_false(bytes.failed);
    od_bytes_put(&bytes, "abc", most);
    assert_true(bytes.failed);
    od_bytes_put(&bytes, "abc", 3);
    assert_int_equal(bytes.size, 3);
    od_bytes_free(&bytes);
}

/* Byte by byte from the table of well-formed sequences, Unicode standard, table 3-7. */
static void letters_are_those_of_unicode(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t code;
    } row[] = {{"a", 'a'},
               {"\x7f", 0x7f},
               {"\xc2\x80", 0x80},
               {"\xdf\xbf", 0x7ff},
               {"\xe0\xa0\x80", 0x800},
               {"\xed\x9f\xbf", 0xd7ff},
               {"\xee\x80\x80", 0xe000},
               {"\xef\xbf\xbf", 0xffff},
               {"\xf0\x90\x80\x80", 0x10000},
               {"\xf4\x8f\xbf\xbf", 0x10ffff},
               {"\x80", OD_NO_LETTER},             /* a continuation alone */
               {"\xc1\xbf", OD_NO_LETTER},         /* two bytes for one */
               {"\xe0\x9f\xbf", OD_NO_LETTER},     /* three for two */
               {"\xf0\x8f\xbf\xbf", OD_NO_LETTER}, /* four for three */
               {"\xed\xa0\x80", OD_NO_LETTER},     /* half of a pair */
               {"\xed\xbf\xbf", OD_NO_LETTER},
               {"\xf4\x90\x80\x80", OD_NO_LETTER}, /* beyond the last */
               {"\xf5\x80\x80\x80", OD_NO_LETTER},
               {"\xff", OD_NO_LETTER},
               {"\xe2\x82", OD_NO_LETTER}}; /* cut off */
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint32_t code;
        const size_t length = od_text_letter(row[i].bytes, &code);
        assert_int_equal(code, row[i].code);
        assert_int_equal(length, code == OD_NO_LETTER ? 1 : strlen(row[i].bytes));
    }
    static const uint32_t unprintable[] = {0x1f, 0x7f, 0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff, OD_NO_LETTER};
    for (size_t i = 0; i < sizeof unprintable / sizeof *unprintable; i++) {
        assert_false(od_text_printable(unprintable[i]));
    }
    assert_true(od_text_printable(' ') && od_text_printable(0xa0) && od_text_printable(0x10ffff));
}

static void json_escapes_what_needs_it(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const double list[] = {0.1, NAN, -INFINITY, 3};
    od_json_text(out, "a\"b\\c\nd\te\x7f\xff\xc3\xa9");
    od_json_list(out, list, 4);
    od_json_list(out, NULL, 0);
    od_text_line(out, "one\ttwo\x7f\xc3\xa9 three and more", 18);
    fclose(out);
    assert_string_equal(
        text, "\"a\\\"b\\\\c\\nd\\u0009e\\u007f\\ufffd\xc3\xa9\"[0.1, null, null, 3][]one two?\xc3\xa9 three a");
    free(text);
}

/* FIPS 180-2, appendix B. */
static void checksums_are_those_of_the_standard(void **state)
{
    (void)state;
    char folder[FOLDER_ROOM], path[FOLDER_ROOM + 16], sum[OD_SHA256_ROOM];
    folder_make(folder);
    folder_put(folder, "abc", "abc", 3);
    snprintf(path, sizeof path, "%s/abc", folder);
    assert_true(od_sha256_file(path, sum));
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    folder_put(folder, "million", million, 1000000);
    free(million);
    snprintf(path, sizeof path, "%s/million", folder);
    assert_true(od_sha256_file(path, sum));
    assert_string_equal(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_false(od_sha256_file("/nowhere/abc", sum));
    assert_false(od_sha256_file(folder, sum)); /* a folder opens, but has no bytes */
    folder_remove(folder);
}

static od_twig *leaves(unsigned level, uint64_t index)
{
    od_twig *twig = od_zalloc(1, sizeof *twig);
    assert_non_null(twig);
    twig->level = level;
    twig->index = index;
    return twig;
}

/* Of seven leaves; the last subtree has fewer than it could. */
static void trees_keep_what_is_larger(void **state)
{
    (void)state;
    od_tree tree = {.leaves = 7};
    od_tree_replace(&tree, leaves(1, 1)); /* 2, 3 */
    od_tree_replace(&tree, leaves(0, 6));
    assert_int_equal(od_tree_count(&tree), 3);
    od_tree_replace(&tree, leaves(0, 2)); /* there already */
    assert_int_equal(od_tree_count(&tree), 3);
    od_tree_replace(&tree, leaves(1, 1)); /* the same again */
    assert_int_equal(od_tree_count(&tree), 3);
    assert_true(od_tree_holds(&tree, 3) && !od_tree_holds(&tree, 1));
    od_tree_replace(&tree, leaves(2, 0)); /* 0 to 3 */
    assert_int_equal(od_tree_count(&tree), 5);
    od_tree_replace(&tree, leaves(1, 2));
    assert_int_equal(od_tree_count(&tree), 7);
    assert_non_null(tree.waiting);
    assert_null(tree.waiting->next); /* all of one */
    od_tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name),
        test_with_context(sentences_name_their_place),
        test_with_context(remarks_and_progress_reach_who_asked),
        cmocka_unit_test(memory_is_zero_and_bounded),
        cmocka_unit_test(bytes_do_not_overflow),
        cmocka_unit_test(letters_are_those_of_unicode),
        cmocka_unit_test(json_escapes_what_needs_it),
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(trees_keep_what_is_larger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
