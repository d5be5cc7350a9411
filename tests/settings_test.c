/*
 * Settings as a plug-in's author meets them: entries without bounds, many parameters, and failures of entries that are
 * not there. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/settings.h"

enum { PARAMS = 40 };

static od_settings *resolve(od_context *ctx, od_arena *arena, const od_param *table, const char *yaml, const char *path)
{
    od_node *node = yaml != NULL ? od_document_parse(ctx, arena, yaml, strlen(yaml), "text") : NULL;
    check_done(ctx, yaml == NULL || node != NULL);
    return od_settings_resolve(ctx, arena, (const od_param *const[]){table, NULL}, node, (od_place){.path = path});
}

static void numbers_without_bounds_are_whole_and_exact(void **state)
{
    static const od_param table[] = {
        {.name = "count", .kind = OD_INTEGER, .fallback = "", .meaning = "how many"},
        {.name = "mode", .kind = OD_VARIANT, .fallback = "", .meaning = "anything"},
        {.name = NULL},
    };
    od_context *ctx = *state;
    od_arena *arena = od_arena_create();
    od_settings *s = resolve(ctx, arena, table, "{count: -9007199254740991}", "problem");
    check_done(ctx, s != NULL);
    check_close(od_setting_real(s, "count"), -9007199254740991.0, 0);
    static const char *const wrong[] = {"9007199254740992", "-1e17", "0.5"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        char yaml[64];
        snprintf(yaml, sizeof yaml, "{count: %s}", wrong[k]);
        assert_null(resolve(ctx, arena, table, yaml, "problem"));
        check_message(ctx, "text:1: problem.count: expected a whole number (how many), got");
    }
    /* a text is what is one: a number in quotes, and no list */
    s = resolve(ctx, arena, table, "{mode: '3'}", "problem");
    check_done(ctx, s != NULL);
    assert_string_equal(od_setting_text(s, "mode"), "3");
    assert_int_equal(od_setting(s, "mode")->kind, OD_TEXT);
    s = resolve(ctx, arena, table, "{mode: [3]}", "problem");
    check_done(ctx, s != NULL);
    assert_string_equal(od_setting_text(s, "mode"), "");
    assert_int_equal(od_setting(s, "mode")->kind, OD_VECTOR);
    od_arena_free(arena);
}

static void failures_name_what_there_is(void **state)
{
    static const od_param table[] = {{.name = "count", .kind = OD_INTEGER, .fallback = "3", .meaning = "how many"},
                                     {.name = NULL}};
    od_context *ctx = *state;
    od_arena *arena = od_arena_create();
    const od_settings *s = resolve(ctx, arena, table, "{count: 5}", "problem");
    assert_int_equal(od_setting_fail(ctx, s, "count", "it is %d", 5), OD_EINVAL);
    assert_string_equal(od_message(ctx), "text:1: problem.count: it is 5");
    od_setting_fail(ctx, s, "nothing", "it is not there"); /* then the part itself is the place */
    assert_string_equal(od_message(ctx), "text:1: problem.nothing: it is not there");
    assert_null(resolve(ctx, arena, table, "[1, 2]", "problem"));
    assert_string_equal(od_message(ctx), "text:1: problem: expected a map such as {name: ...}, got a list of 2");
    od_node_fail(ctx, NULL, "problem.count", "it is nowhere");
    assert_string_equal(od_message(ctx), "problem.count: it is nowhere");
    s = resolve(ctx, arena, table, NULL, "");
    od_setting_fail(ctx, s, "nothing", "it is not there");
    assert_string_equal(od_message(ctx), "nothing: it is not there");
    od_arena_free(arena);
}

/* The list of what there is ends where a sentence has no more room. */
static void of_many_names_some_are_listed(void **state)
{
    static char name[PARAMS][48];
    od_param table[PARAMS + 1];
    for (int k = 0; k < PARAMS; k++) {
        snprintf(name[k], sizeof name[k], "parameter_%02d_of_a_plug_in_with_many_names", k);
        table[k] = (od_param){.name = name[k], .kind = OD_REAL, .fallback = "1", .meaning = "a number"};
    }
    table[PARAMS] = (od_param){.name = NULL};
    od_arena *arena = od_arena_create();
    assert_null(resolve(*state, arena, table, "{zzz: 1}", "problem"));
    check_message(*state,
                  "text:1: problem.zzz: there is no such entry; valid are: parameter_00_of_a_plug_in_with_many_names, "
                  "parameter_01_of");
    assert_null(strstr(od_message(*state), "parameter_39"));
    od_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(numbers_without_bounds_are_whole_and_exact),
        test_with_context(failures_name_what_there_is),
        test_with_context(of_many_names_some_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
