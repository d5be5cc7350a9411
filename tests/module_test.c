/* Modules: found, or refused with a sentence. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include "../src/module.h"

typedef struct api {
    od_module_head head;
    int number;
} api;

static od_module named(const char *name)
{
    return (od_module){.name = name,
                       .folder = "tests",
                       .version = 7,
                       .use = "this test needs",
                       .entry = "problem.name",
                       .remedy = "write it"};
}

static void a_module_is_loaded(void **state)
{
    const od_module m = named("right");
    const api *loaded = od_module_load(*state, &m);
    check_done(*state, loaded != NULL);
    assert_int_equal(loaded->number, 2385);
    assert_ptr_equal(od_module_load(*state, &m), loaded);
}

static void what_is_no_module_has_a_sentence(void **state)
{
    static const struct {
        const char *name, *sentence;
    } bad[] = {
        {"absent", "problem.name: this test needs the module optdyn-absent.so, but it is not installed; write it"},
        {"older", "optdyn-older.so belongs to another version of optdyn; write it"},
        {"foreign", "optdyn-foreign.so belongs to another version of optdyn; write it"},
        {"text", "; write it"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const od_module m = named(bad[i].name);
        assert_null(od_module_load(*state, &m));
        check_message(*state, bad[i].sentence);
        assert_string_equal(od_message_entry(*state), "problem.name");
    }
    assert_null(strstr(od_message(*state), "not installed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(a_module_is_loaded),
        test_with_context(what_is_no_module_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
