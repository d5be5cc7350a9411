/*
 * A folder of results: whose it is, and a journal that cannot be written. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

#include "src/journal.h"
#include "src/results.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#define ENSEMBLE                                                                                                       \
    "{problem: {name: quadratic, eigenvalues: [2, 1]}, start: {x: {normal: 1}}, method: {name: gradient, noise: 1}, "  \
    "until: 1, paths: 3000, integrator: {name: euler-maruyama, step: 0.1}, seed: %d}"

static od_experiment *parse(od_context *ctx, const char *folder, int seed)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, ENSEMBLE, seed);
    od_experiment *e = od_experiment_parse(ctx, yaml, &(od_options){.output = folder, .threads = 1});
    check_done(ctx, e != NULL);
    return e;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* A folder is foreign if it holds another experiment, or a journal that this one cannot go on from; never one at work.
 */
static void a_folder_belongs_to_its_experiment(void **state)
{
    od_context *ctx = *state;
    char folder[32];
    od_experiment *own = parse(ctx, make_folder(folder), 1), *other = parse(ctx, folder, 2);
    assert_false(od_results_foreign(ctx, own)); /* empty */
    od_result *result = NULL;
    check_done(ctx, od_experiment_run(ctx, own, &result) == OD_OK);
    od_result_free(result);
    assert_false(od_results_foreign(ctx, own));
    assert_true(od_results_foreign(ctx, other));
    const int held = open(folder, O_RDONLY);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_false(od_results_foreign(ctx, other));
    close(held);
    put(folder, "run.journal", "");
    assert_false(od_results_foreign(ctx, own));
    put(folder, "run.journal", "no journal at all, but longer than the head of one");
    assert_true(od_results_foreign(ctx, own));
    assert_string_equal(od_message(ctx), "");
    od_experiment_free(own);
    od_experiment_free(other);
    remove_folder(folder);
}

/* Entries follow each other; one that cannot be written is said, and the next one begins anew. */
static void a_journal_that_fails_begins_anew(void **state)
{
    od_context *ctx = *state;
    char folder[32];
    od_experiment *e = parse(ctx, make_folder(folder), 1);
    od_simulation s;
    od_journal j;
    bool through;
    check_done(ctx, od_simulation_open(ctx, e, NULL, NULL, &s) == OD_OK);
    check_done(ctx, od_simulation_go(&s, 0, &through) == OD_OK);
    od_journal_init(e, &j);
    check_done(ctx, od_journal_append(ctx, &j, &s) == OD_OK);
    const uint64_t first = j.size;
    check_done(ctx, od_journal_append(ctx, &j, &s) == OD_OK);
    assert_true(first > 0 && j.size > first);

    unlink(j.path);
    assert_int_equal(od_journal_append(ctx, &j, &s), OD_EIO);
    check_message(ctx, "run.journal could not be written: No such file or directory");
    assert_int_equal(j.size, 0);
    check_done(ctx, od_journal_append(ctx, &j, &s) == OD_OK);
    assert_int_equal(j.size, first);

    struct rlimit old, tight;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = (struct rlimit){first, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
    const od_status status = od_journal_append(ctx, &j, &s);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, OD_EIO);
    check_message(ctx, "run.journal could not be written: File too large");

    /* what is there is still taken up */
    od_simulation again;
    bool found;
    check_done(ctx, od_simulation_open(ctx, e, NULL, NULL, &again) == OD_OK);
    check_done(ctx, od_journal_load(ctx, &j, &again, &found) == OD_OK);
    assert_true(found && again.job[0].done == s.job[0].done);
    od_simulation_close(&again);
    od_simulation_close(&s);
    od_experiment_free(e);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(a_folder_belongs_to_its_experiment),
        test_with_context(a_journal_that_fails_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
