/*
 * The reader of experiment files: what it takes, what it refuses and in which words, and that what it writes it reads
 * back. The last tests feed it random trees and random bytes with fixed seeds.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/document.h"
#include "src/text.h"

#include <locale.h>

typedef struct fixture {
    od_context *ctx;
    od_arena *arena;
} fixture;

static int make_fixture(void **state)
{
    fixture *f = malloc(sizeof *f);
    if (f == NULL) {
        return 1;
    }
    *f = (fixture){od_context_create(), od_arena_create()};
    *state = f;
    return f->ctx == NULL || f->arena == NULL;
}

static int free_fixture(void **state)
{
    fixture *f = *state;
    od_context_free(f->ctx);
    od_arena_free(f->arena);
    free(f);
    return 0;
}

#define test_with_fixture(f) cmocka_unit_test_setup_teardown(f, make_fixture, free_fixture)

static od_node *parse(fixture *f, const char *text)
{
    return od_document_parse(f->ctx, f->arena, text, strlen(text), "file.yaml");
}

static od_node *parse_done(fixture *f, const char *text)
{
    od_node *root = parse(f, text);
    check_done(f->ctx, root != NULL);
    return root;
}

/* The text is refused, in words that hold `place` and `words`. */
static void refuse(fixture *f, const char *text, const char *place, const char *words)
{
    assert_null(parse(f, text));
    check_message(f->ctx, place);
    check_message(f->ctx, words);
}

static const char *text_of(const od_node *map, const char *key)
{
    const od_node *item = od_node_item(map, key);
    assert_non_null(item);
    assert_int_equal(item->kind, OD_NODE_SCALAR);
    return item->text;
}

static void entries_keep_their_lines(void **state)
{
    fixture *f = *state;
    const od_node *root = parse_done(
        f, "# a comment\nproblem:\n  name: quadratic\n  eigenvalues: [4,\n    1]\nuntil: 2.385\n");
    assert_int_equal(root->kind, OD_NODE_MAP);
    assert_int_equal(root->count, 2);
    const od_node *problem = od_node_item(root, "problem");
    assert_int_equal(od_node_item(problem, "name")->line, 3);
    const od_node *list = od_node_item(problem, "eigenvalues");
    assert_int_equal(list->kind, OD_NODE_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->item[1]->line, 5);
    assert_string_equal(list->item[1]->text, "1");
    assert_string_equal(text_of(root, "until"), "2.385");
    assert_string_equal(od_node_item(root, "until")->origin, "file.yaml");
    assert_null(od_node_item(root, "unti"));
    assert_null(od_node_item(list, "unti"));
    assert_null(od_node_item(NULL, "unti"));
}

static void json_and_carriage_returns_are_read(void **state)
{
    fixture *f = *state;
    const od_node *root = parse_done(
        f, "{\"problem\": {\"name\": \"quadratic\", \"eigenvalues\": [4, 1.5e-3]}, \"a\": null}");
    const od_node *problem = od_node_item(root, "problem");
    assert_string_equal(text_of(problem, "name"), "quadratic");
    assert_true(od_node_item(problem, "name")->quoted);
    assert_string_equal(od_node_item(problem, "eigenvalues")->item[1]->text, "1.5e-3");
    assert_false(od_node_item(root, "a")->quoted);
    root = parse_done(f, "a: 1\r\nb:\r\n  - 2.5\r\n  - x y\r\n");
    assert_string_equal(text_of(root, "a"), "1");
    assert_string_equal(od_node_item(root, "b")->item[1]->text, "x y");
    assert_int_equal(od_node_item(root, "b")->item[1]->line, 4);
    /* a byte order mark is no part of the first name */
    root = parse_done(f, "\xef\xbb\xbf"
                         "a: 1\n");
    assert_string_equal(text_of(root, "a"), "1");
}

static void what_a_file_may_not_hold_is_refused(void **state)
{
    fixture *f = *state;
    refuse(f, "a: 1\nb: 2\na: 3\n", "file.yaml:3", "'a' is given twice (first in line 1)");
    refuse(f, "{x: {b: 1, b: 2}}", "file.yaml:1", "'b' is given twice");
    refuse(f, "a: 1\nb: &here 2\n", "file.yaml:2", "anchors and aliases");
    refuse(f, "a: &here [1]\nb: *here\n", "file.yaml:1", "anchors and aliases");
    refuse(f, "b: *here\n", "file.yaml:1", "anchors and aliases");
    refuse(f, "a: 1\nb: !!str 5\n", "file.yaml:2", "tags (!) are not read");
    refuse(f, "a: !mine {b: 1}\n", "file.yaml:1", "tags (!) are not read");
    refuse(f, "a: ! [1]\n", "file.yaml:1", "tags (!) are not read");
    refuse(f, "a: 1\n---\nb: 2\n", "file.yaml:3", "a second document starts here");
    refuse(f, "[a, b]: 1\n", "file.yaml:1", "a name is expected before ':'");
    refuse(f, "{{a: 1}: 1}\n", "file.yaml:1", "a name is expected before ':'");
    refuse(f, "a: \"x\\0y\"\n", "file.yaml:1", "zero byte");
    refuse(f, "\"x\\0y\": 1\n", "file.yaml:1", "zero byte");
    refuse(f, "", "file.yaml:1", "this file is empty");
    refuse(f, "# only a comment\n", "file.yaml", "this file is empty");
    refuse(f, "a: [1, 2\nb: 3\n", "file.yaml:2", "this is not YAML");
    refuse(f, "a: 1\n\tb: 2\n", "file.yaml:2", "this is not YAML");
    refuse(f, "a: \"never closed\n", "file.yaml", "this is not YAML");
    refuse(f, "%YAML 3.0\n---\na: 1\n", "file.yaml:1", "this is not YAML");
}

/* Bytes that are no text are reported in their own line, though the parser knows only their offset. */
static void invalid_bytes_are_refused_with_their_line(void **state)
{
    fixture *f = *state;
    refuse(f, "a: 1\nb: \xff\n", "file.yaml:2", "this is not YAML");
    refuse(f, "a: 1\nb: 2\nc: \xc3(\n", "file.yaml:3", "this is not YAML");
    refuse(f, "a: \xed\xa0\x80\n", "file.yaml:1", "this is not YAML");
    refuse(f, "a: \x01\n", "file.yaml:1", "this is not YAML");
    static const char zero[] = "a: 1\nb: x\0y\n";
    assert_null(od_document_parse(f->ctx, f->arena, zero, sizeof zero - 1, "file.yaml"));
    check_message(f->ctx, "file.yaml:2");
}

static char *repeat(const char *head, const char *piece, size_t count, const char *tail)
{
    const size_t length = strlen(piece);
    char *text = malloc(strlen(head) + count * length + strlen(tail) + 1);
    assert_non_null(text);
    char *p = text + sprintf(text, "%s", head);
    for (size_t i = 0; i < count; i++, p += length) {
        memcpy(p, piece, length);
    }
    strcpy(p, tail);
    return text;
}

static void depth_and_size_are_limited(void **state)
{
    fixture *f = *state;
    char *deep = repeat("a: ", "[", 100000, "");
    refuse(f, deep, "file.yaml:1", ""); /* ours or libyaml's words, whichever limit comes first */
    free(deep);
    deep = repeat("a: ", "[", 65, "");
    refuse(f, deep, "file.yaml:1", "more than 64 levels");
    free(deep);
    deep = repeat("a: ", "{b: ", 65, "");
    refuse(f, deep, "file.yaml:1", "more than 64 levels");
    free(deep);
    deep = repeat("", "? ", 200, "");
    refuse(f, deep, "file.yaml:1", "");
    free(deep);
    deep = repeat("a: ", "[", 63, "7]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    parse_done(f, deep);
    free(deep);
    /* names are compared with all before them, so a map is short; 1000 equal names would be refused as such */
    static char wide[20000];
    size_t used = 0;
    for (int i = 0; i < 1001; i++) {
        used += (size_t)snprintf(wide + used, sizeof wide - used, "k%d: 1\n", i);
    }
    refuse(f, wide, "file.yaml:1001", "more than 1000 entries");
    char *many = repeat("a: [", "1,", 4000001, "1]");
    refuse(f, many, "file.yaml:1", "more than 4 million entries");
    free(many);
}

/* Half a million numbers in a list: linear in time and below 128 bytes each, or the test runs into its limits. */
static void long_lists_are_read(void **state)
{
    fixture *f = *state;
    enum { N = 500000 };
    char *text = repeat("x: [", "-1.5e-3, ", N, "2.385]");
    const od_node *root = parse_done(f, text);
    free(text);
    const od_node *x = od_node_item(root, "x");
    assert_int_equal(x->count, N + 1);
    assert_string_equal(x->item[0]->text, "-1.5e-3");
    assert_string_equal(x->item[N - 1]->text, "-1.5e-3");
    assert_string_equal(x->item[N]->text, "2.385");
}

static void numbers_are_yaml_1_2(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } good[] = {{"0", 0},
                {"-0", -0.0},
                {"+3", 3},
                {"2.385", 2.385},
                {"1e3", 1000},
                {"1E+3", 1000},
                {".5", 0.5},
                {"5.", 5},
                {"-.5e-2", -0.005},
                {"007", 7},
                {".inf", INFINITY},
                {"-.Inf", -INFINITY},
                {"+.INF", INFINITY},
                {"1e999", INFINITY},
                {"0.1000000000000000055511151231257827", 0.1}};
    double x;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(od_text_real(good[i].text, &x));
        assert_memory_equal(&x, &good[i].want, sizeof x);
    }
    assert_true(od_text_real(".nan", &x) && isnan(x));
    assert_true(od_text_real(".NaN", &x) && isnan(x));
    assert_true(od_text_real(".NAN", &x) && isnan(x));
    static const char *const bad[] = {"",    " 1",  "1 ",   "1_000", "0x10",  "0x1p3",    "0o17", "1e",  "e5",
                                      ".",   "nan", "inf",  "NaN",   "1,5",   "1..2",     "--1",  "+-1", "1e+",
                                      "1d3", "-",   "true", "1e5.5", "-.nan", "infinity", "+"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (od_text_real(bad[i], &x)) {
            fail_msg("'%s' was read as a number", bad[i]);
        }
    }
}

/* Every double is written so that it reads back to the bit, with a point whatever the locale says. */
static void numbers_are_written_to_the_bit(void **state)
{
    (void)state;
    const char *const locales[] = {"C", "de_DE.UTF-8"};
    for (size_t l = 0; l < 2; l++) {
        if (setlocale(LC_ALL, locales[l]) == NULL) {
            continue;
        }
        for (uint64_t i = 0; i < 200000; i++) {
            uint64_t bits = (uint64_t)od_index(11, OD_STREAM_CHECK, i, 0, 0, UINT32_MAX) << 32 |
                            od_index(11, OD_STREAM_CHECK, i, 0, 1, UINT32_MAX);
            double x, back;
            memcpy(&x, &bits, sizeof x);
            if (!isfinite(x)) {
                continue;
            }
            char text[OD_REAL_ROOM];
            assert_true(od_text_real(od_real_text(text, x), &back));
            assert_memory_equal(&x, &back, sizeof x);
        }
    }
    setlocale(LC_ALL, "C");
    char text[OD_REAL_ROOM];
    assert_string_equal(od_real_text(text, 0.1), "0.1");
    assert_string_equal(od_real_text(text, -INFINITY), "-.inf");
    assert_string_equal(od_real_text(text, NAN), ".nan");
}

static void assignments_enter_the_tree(void **state)
{
    fixture *f = *state;
    od_node *root = parse_done(
        f,
        "problem: {name: quadratic, eigenvalues: [4, 1]}\nmethod: gradient\nuntil: 1\nseed: 2\nstop: ~\nnote: '7'\n");
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "stop.loss=0.1") == OD_OK);
    assert_int_equal(od_node_item(root, "stop")->count, 1);
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "problem.eigenvalues=[2.385]") == OD_OK);
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "method.step=0.1") == OD_OK);
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "record.every=1") == OD_OK);
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "until={a: 1}") == OD_OK);
    const od_node *list = od_node_item(od_node_item(root, "problem"), "eigenvalues");
    assert_int_equal(list->count, 1);
    assert_string_equal(list->item[0]->text, "2.385");
    assert_string_equal(list->origin, "--set problem.eigenvalues");
    check_done(f->ctx, od_document_set(f->ctx, f->arena, root, "note.x=1") == OD_OK); /* no number, for it is quoted */
    assert_string_equal(text_of(od_node_item(root, "note"), "name"), "7");
    /* a bare name becomes a map that keeps it */
    assert_string_equal(text_of(od_node_item(root, "method"), "name"), "gradient");
    assert_string_equal(text_of(od_node_item(root, "method"), "step"), "0.1");
    assert_string_equal(text_of(od_node_item(root, "record"), "every"), "1");
    assert_int_equal(od_node_item(root, "until")->kind, OD_NODE_MAP);

    static const struct {
        const char *assignment, *words;
    } bad[] = {{"until", "expected path=value"},
               {"=5", "expected path=value"},
               {"", "expected path=value"},
               {"a..b=1", "is not a path"},
               {".a=1", "is not a path"},
               {"a.=1", "is not a path"},
               {"problem.eigenvalues.x=1",
                "problem.eigenvalues is a list, which has no entries; set problem.eigenvalues itself"},
               {"seed.x=1", "seed is the number 2, which has no entries"},
               {"seed=[1, 2", "this is not YAML"},
               {"seed=&a 1", "anchors"},
               {"seed={a: 1, a: 2}", "given twice"},
               {"seed=", "a value is missing"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(od_document_set(f->ctx, f->arena, root, bad[i].assignment), OD_EINVAL);
        check_message(f->ctx, bad[i].words);
        check_message(f->ctx, "--set");
    }
}

/* A copy shares no map or list with the original. */
static void copies_are_independent(void **state)
{
    fixture *f = *state;
    od_node *root = parse_done(f, "{a: {b: {c: 1}}, d: [1, 2, 3], e: 1, f: 2, g: 3}");
    od_node *copy = od_node_copy(f->arena, root);
    assert_non_null(copy);
    for (int i = 0; i < 20; i++) {
        char assignment[32];
        snprintf(assignment, sizeof assignment, "a.b.n%d=%d", i, i);
        check_done(f->ctx, od_document_set(f->ctx, f->arena, copy, assignment) == OD_OK);
        snprintf(assignment, sizeof assignment, "m%d=%d", i, i);
        check_done(f->ctx, od_document_set(f->ctx, f->arena, copy, assignment) == OD_OK);
    }
    assert_int_equal(root->count, 5);
    assert_int_equal(copy->count, 25);
    assert_int_equal(od_node_item(od_node_item(root, "a"), "b")->count, 1);
    assert_int_equal(od_node_item(od_node_item(copy, "a"), "b")->count, 21);
    assert_string_equal(text_of(copy, "m19"), "19");
    assert_string_equal(text_of(copy, "g"), "3");
}

/* ------------------------------------------------------------------------------------------- round trips */

static bool is_empty(const od_node *a)
{
    return !a->quoted && (a->text[0] == '\0' || strcmp(a->text, "~") == 0 || strcmp(a->text, "null") == 0);
}

/* Equal in what a reader of settings sees: the kind, the text, and whether a number is one. */
static bool same(const od_node *a, const od_node *b)
{
    double x;
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    if (a->kind == OD_NODE_SCALAR) {
        const bool number = !a->quoted && od_text_real(a->text, &x);
        return is_empty(a) ? is_empty(b)
                           : strcmp(a->text, b->text) == 0 && number == (!b->quoted && od_text_real(b->text, &x));
    }
    for (size_t i = 0; i < a->count; i++) {
        if ((a->kind == OD_NODE_MAP && strcmp(a->key[i], b->key[i]) != 0) || !same(a->item[i], b->item[i])) {
            return false;
        }
    }
    return true;
}

static char *written(const od_node *node)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    od_node_write(out, node);
    fclose(out);
    return text;
}

static void check_round_trip(fixture *f, const od_node *node)
{
    char *text = written(node);
    const od_node *back = parse(f, text);
    if (back == NULL || !same(node, back)) {
        print_error("%s\n%s\n", text, back == NULL ? od_message(f->ctx) : "reads back differently");
        free(text);
        fail();
    }
    assert_null(strchr(text, '\n'));
    free(text);
}

static void odd_texts_survive(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {
        "a: '1'",
        "a: \"0x10\"",
        "a: 'null'",
        "a: null",
        "a: ~",
        "a: ''",
        "a: 'true'",
        "a: true",
        "a: 'a, b'",
        "a: '#x'",
        "a: 'x #y'",
        "a: \"\\n\\t\\r\"",
        "a: '- x'",
        "a: '{'",
        "a: 'x: y'",
        "a: \"\\u0085\"",
        "a: \"a\\u2028b\\u2029c\"",
        "a: \"\\ufeff\"",
        "a: \"\\u0081\\x7f\"",
        "a: '\"\\'",
        "a: $(touch x)",
        "a: ...",
        "a: ---",
        "a: '--- '",
        "'1': 2",
        "'': 3",
        "a: \xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82",
        "a: .5",
        "a: '.5'",
        "a: 1_000",
        "a: ' x '",
        "a: \"\\ufffe\"",
        "a: \"x\\\n  y\"",
        "a: |\n  two\n  lines\n",
        "a: >\n  folded\n  text\n",
        "- a\n- b:\n  - c\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_round_trip(f, parse_done(f, texts[i]));
    }
    const od_node *quoted = od_node_item(parse_done(f, "a: '2.385'"), "a");
    char *text = written(quoted);
    assert_string_equal(text, "\"2.385\""); /* a quoted number stays a text */
    free(text);
}

static uint32_t draw(uint64_t *step, uint32_t bound)
{
    return od_index(2385, OD_STREAM_CHECK, 0, 0, ++*step, bound);
}

/* A text of letters that are awkward in YAML. */
static const char *random_text(fixture *f, uint64_t *step)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "0",
                                         "9",
                                         ".",
                                         "-",
                                         "_",
                                         "/",
                                         " ",
                                         ":",
                                         ",",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "#",
                                         "&",
                                         "*",
                                         "!",
                                         "|",
                                         ">",
                                         "'",
                                         "\"",
                                         "%",
                                         "@",
                                         "`",
                                         "\\",
                                         "\n",
                                         "\t",
                                         "?",
                                         "~",
                                         "e5",
                                         "null",
                                         "true",
                                         "\xc3\xa9",
                                         "\xc2\x85",
                                         "\xe2\x80\xa8",
                                         "\x7f",
                                         "\x1b",
                                         "=",
                                         "\r",
                                         "+",
                                         "$(",
                                         ")",
                                         ".nan",
                                         "\xf0\x9f\x99\x82",
                                         "\xef\xbb\xbf",
                                         "\xef\xbf\xbe"};
    char text[128] = "";
    for (uint32_t n = draw(step, 9); n > 0; n--) {
        strcat(text, pieces[draw(step, sizeof pieces / sizeof *pieces)]);
    }
    return od_arena_text(f->arena, text, strlen(text));
}

static od_node *random_tree(fixture *f, uint64_t *step, int depth)
{
    od_node *node = od_arena_alloc(f->arena, 1, sizeof *node);
    node->origin = "random";
    node->kind = depth == 0 ? OD_NODE_MAP : depth > 5 ? OD_NODE_SCALAR : (od_node_kind)draw(step, 3);
    if (node->kind == OD_NODE_SCALAR) {
        node->text = random_text(f, step);
        double x;
        /* what can be unquoted: numbers and words; anything else comes from quotes */
        node->quoted = !od_text_real(node->text, &x) || draw(step, 2) == 0;
        return node;
    }
    const size_t count = draw(step, 7);
    node->item = od_arena_alloc(f->arena, 8, sizeof *node->item);
    node->key = od_arena_alloc(f->arena, 8, sizeof *node->key);
    for (size_t i = 0; i < count; i++) {
        const char *key = random_text(f, step);
        bool fresh = true;
        for (size_t j = 0; j < node->count; j++) {
            fresh = fresh && (node->kind == OD_NODE_LIST || strcmp(node->key[j], key) != 0);
        }
        if (fresh) {
            node->key[node->count] = key;
            node->item[node->count++] = random_tree(f, step, depth + 1);
        }
    }
    return node;
}

static void random_trees_survive(void **state)
{
    fixture *f = *state;
    uint64_t step = 0;
    for (int i = 0; i < 3000; i++) {
        check_round_trip(f, random_tree(f, &step, 0));
    }
}

/* Whatever the bytes: a tree that round-trips, or NULL with a sentence that names the file. */
static void random_bytes_are_answered(void **state)
{
    (void)state;
    static const char sample[] = "problem: {name: quadratic, eigenvalues: [4, 1]}\nmethod:\n  name: nesterov\n  r: 3\n"
                                 "start: {x: [1, \"2\"]}\nuntil: 20 # time\nlist:\n- a\n- {b: 'c'}\ntext: |\n  x\n";
    static const char odd[] = "{}[]:,#&*!|>'\"%@`\\\n\t?~-. \xc3\xff\x01";
    uint64_t step = UINT64_C(1) << 40;
    size_t read = 0, refused = 0;
    for (int i = 0; i < 20000; i++) {
        char bytes[sizeof sample];
        memcpy(bytes, sample, sizeof sample);
        size_t length = sizeof sample - 1;
        if (i % 4 == 0) {
            length = draw(&step, 64);
            for (size_t j = 0; j < length; j++) {
                bytes[j] = (char)draw(&step, 256);
            }
        } else {
            for (uint32_t changes = 1 + draw(&step, 4); changes > 0; changes--) {
                bytes[draw(&step, (uint32_t)length)] = odd[draw(&step, sizeof odd - 1)];
            }
            length -= draw(&step, 20);
        }
        od_context *fresh = od_context_create();
        od_arena *arena = od_arena_create();
        fixture own = {fresh, arena};
        const od_node *root = od_document_parse(fresh, arena, bytes, length, "file.yaml");
        if (root == NULL) {
            refused++;
            assert_int_equal(strncmp(od_message(fresh), "file.yaml:", 10), 0);
            assert_true(strlen(od_message(fresh)) > 20);
        } else {
            read++;
            check_round_trip(&own, root);
        }
        od_arena_free(arena);
        od_context_free(fresh);
    }
    /* both ways were walked often enough to mean something */
    assert_true(read > 1000 && refused > 1000);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    fixture *f = *state;
    assert_null(od_document_read(f->ctx, f->arena, "/nonexistent/file.yaml"));
    check_message(f->ctx, "/nonexistent/file.yaml: cannot be opened: No such file");
    assert_null(od_document_read(f->ctx, f->arena, "/"));
    check_message(f->ctx, "cannot be read: Is a directory");
    assert_null(od_document_read(f->ctx, f->arena, "/dev/null"));
    check_message(f->ctx, "empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fixture(entries_keep_their_lines),
        test_with_fixture(json_and_carriage_returns_are_read),
        test_with_fixture(what_a_file_may_not_hold_is_refused),
        test_with_fixture(invalid_bytes_are_refused_with_their_line),
        test_with_fixture(depth_and_size_are_limited),
        test_with_fixture(long_lists_are_read),
        cmocka_unit_test(numbers_are_yaml_1_2),
        cmocka_unit_test(numbers_are_written_to_the_bit),
        test_with_fixture(assignments_enter_the_tree),
        test_with_fixture(copies_are_independent),
        test_with_fixture(odd_texts_survive),
        test_with_fixture(random_trees_survive),
        test_with_fixture(random_bytes_are_answered),
        test_with_fixture(files_that_cannot_be_read_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
