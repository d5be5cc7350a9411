/*
 * Folders and files of results: what is refused, how files are named, and that experiments are kept whole.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include <sys/stat.h>

static const char *const small =
    "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, integrator: exact, start: "
    "{x: [1]}, until: 1, record: {every: 0.5}}";

static void refuse_folder(od_context *ctx, const char *yaml, const char *folder, const char *words)
{
    od_result *r = run_text(ctx, yaml, &(od_options){.output = folder}, OD_EINVAL);
    assert_null(r);
    assert_string_equal(od_message_entry(ctx), "-o");
    check_message(ctx, words);
    check_message(ctx, "choose another");
}

static void folders_that_cannot_be_used_are_refused(void **state)
{
    char folder[32], inside[64];
    make_folder(folder);
    od_result_free(run_text(*state, small, &(od_options){.output = folder}, OD_OK));
    /* the same experiment may be run again, another may not */
    od_result_free(run_text(*state, small, &(od_options){.output = folder}, OD_OK));
    char other[512];
    snprintf(other, sizeof other, "%.*s, seed: 2}", (int)strlen(small) - 1, small);
    refuse_folder(*state, other, folder, "holds the results of another experiment");
    snprintf(inside, sizeof inside, "%s/flow.csv", folder);
    refuse_folder(*state, small, inside, "is not a folder");
    snprintf(inside, sizeof inside, "%s/flow.csv/below", folder);
    refuse_folder(*state, small, inside, "cannot be made");
    refuse_folder(*state, small, "/proc/optdyn", "cannot be made");
    assert_null(run_text(*state, small, &(od_options){.output = ""}, OD_EINVAL));
    /* folders are made on the way */
    snprintf(inside, sizeof inside, "%s/one", folder);
    od_result *r = run_text(*state, small, &(od_options){.output = inside}, OD_OK);
    assert_string_equal(r->folder, inside);
    assert_non_null(strstr(r->outcome[0].flow_file, "/one/flow.csv"));
    od_result_free(r);
    remove_folder(inside);
    remove_folder(folder);
    struct stat about;
    assert_int_equal(stat(folder, &about), -1); /* nothing was left behind */
}

/* Labels that would name one file get numbers, long ones are cut between letters, and all read back as they are. */
static void labels_name_files_of_their_own(void **state)
{
    static const char *const labels[] = {"a/b", "a_b", "a b", "a_b 2", ".", "..", "\xc3\xa9", "\xc3\xb6", "a_b", ""};
    enum { LABELS = sizeof labels / sizeof *labels, LONG = 3 };
    char text[4096] = "{problem: {name: quadratic, eigenvalues: [1]}, method: gradient, integrator: exact, start: {x: "
                      "[1]}, until: 1, record: {every: 1}, compare: [",
         folder[32], again[32], file[64];
    for (size_t i = 0; i < LABELS; i++) {
        sprintf(text + strlen(text), "{label: \"%s\"}, ", labels[i]);
    }
    /* 200 letters of two bytes, alike but for the last */
    for (size_t i = 0; i < LONG; i++) {
        strcat(text, "{label: \"x");
        for (int j = 0; j < 200; j++) {
            strcat(text, "\xc3\xa9");
        }
        sprintf(text + strlen(text), "%zu\"}, ", i);
    }
    strcat(text, "]}");
    od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
    assert_int_equal(r->count, LABELS + LONG);
    for (size_t i = 0; i < r->count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(r->outcome[i].label, r->outcome[j].label);
            assert_string_not_equal(r->outcome[i].flow_file, r->outcome[j].flow_file);
        }
        assert_int_equal(access(r->outcome[i].flow_file, R_OK), 0);
        assert_true(strlen(r->outcome[i].label) > (i < LABELS ? 0 : 100));
    }
    assert_string_equal(r->outcome[0].label, "a/b");
    assert_string_equal(r->outcome[LABELS - 1].label, "gradient");
    snprintf(file, sizeof file, "%s/experiment.yaml", folder);
    od_experiment *e = od_experiment_load(*state, file, &(od_options){.output = make_folder(again)});
    check_done(*state, e != NULL);
    od_result *second = NULL;
    check_done(*state, od_experiment_run(*state, e, &second) == OD_OK);
    for (size_t i = 0; i < r->count; i++) {
        assert_string_equal(second->outcome[i].label, r->outcome[i].label);
    }
    assert_true(check_same_folders(folder, again) >= LABELS + LONG + 1);
    od_experiment_free(e);
    od_result_free(r);
    od_result_free(second);
    remove_folder(folder);
    remove_folder(again);
}

/* An experiment of more than 64 KiB of text was once too long for an attribute of HDF5. */
static void long_experiments_are_kept_whole(void **state)
{
    enum { D = 20000 };
    char folder[32], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("{method: gradient, integrator: exact, start: {x: {normal: 1}}, until: 1, record: {every: 1, quantities: "
          "[loss]}, "
          "problem: {name: quadratic, eigenvalues: [",
          out);
    for (int i = 0; i < D; i++) {
        fprintf(out, "%d.5, ", i);
    }
    fputs("]}}", out);
    fclose(out);
    od_result *r = run_text(*state, text, &(od_options){.output = make_folder(folder)}, OD_OK);
    assert_int_equal(r->outcome[0].dim, D);
    char *kept = read_text(folder, "experiment.yaml", &size);
    assert_non_null(strstr(kept, "19999.5]"));
    free(kept);
    free(text);
    od_result_free(r);
    remove_folder(folder);
}

/* What is more than the machine can hold is refused before it is tried. */
static void huge_tables_are_refused(void **state)
{
    assert_null(run_text(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1, 2, 3]}, method: nesterov, start: {x: [1, 2, 3]}, "
        "integrator: {name: rk4, step: 1.0e-9}, until: 1, record: {every: 1.0e-9, quantiles: [0.5]}, paths: 2}",
        NULL, OD_ENOMEM));
    check_message(*state, "record fewer rows");
    assert_null(run_text(*state,
                         "{problem: {name: quadratic, eigenvalues: [1]}, method: {name: gradient, step: 1}, start: {x: "
                         "[1]}, iterations: 9007199254740991, record: {stride: 1}}",
                         NULL, OD_ENOMEM));
    check_message(*state, "record fewer rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(folders_that_cannot_be_used_are_refused),
        test_with_context(labels_name_files_of_their_own),
        test_with_context(long_experiments_are_kept_whole),
        test_with_context(huge_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
