/*
 * Processes that share a run, played one after the other in this one: what rank 1 sends is kept and given to rank 0.
 * Then the result has the bits of a run alone; and every way in which sharing fails has its sentence.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "run_check.h"

static const char text[] =
    "{problem: {name: quadratic, eigenvalues: [2, 1]}, method: {name: heavy-ball, alpha: 1, noise: "
    "0.3}, integrator: {name: euler-maruyama, step: 0.25}, start: {x: {normal: 1}}, until: 1, paths: "
    "700, record: {quantiles: [0.5]}}";

static unsigned char sent[1 << 20];
static size_t sent_size;
static unsigned waited;
static od_status gathering; /* how it ends */

static od_status send_share(const void *bytes, size_t size, od_status (*take)(void *, const void *, size_t), void *user)
{
    (void)take;
    (void)user;
    assert_true(size <= sizeof sent);
    if (size > 0) {
        memcpy(sent, bytes, size);
    }
    sent_size = size;
    return gathering;
}

static od_status take_share(const void *bytes, size_t size, od_status (*take)(void *, const void *, size_t), void *user)
{
    (void)bytes;
    assert_int_equal(size, 0);
    const od_status status = take(user, sent_size > 0 ? sent : NULL, sent_size);
    return gathering != OD_OK ? gathering : status;
}

static void count_wait(void)
{
    waited++;
}

static od_result *run_rank(od_context *ctx, unsigned rank, const char *experiment, od_status want)
{
    const od_ranks ranks = {.rank = rank, .size = 2, .gather = rank > 0 ? send_share : take_share, .wait = count_wait};
    const od_options options = {.threads = 2, .ranks = &ranks};
    return run_text(ctx, experiment, &options, want);
}

static void two_ranks_have_the_bits_of_one_process(void **state)
{
    od_context *ctx = *state;
    gathering = OD_OK;
    waited = 0;
    od_result *alone = run_text(ctx, text, NULL, OD_OK), *second = run_rank(ctx, 1, text, OD_OK),
              *first = run_rank(ctx, 0, text, OD_OK);
    assert_int_equal(second->count, 0);
    assert_int_equal(first->count, 1);
    assert_int_equal(waited, 2);
    const od_outcome *a = &alone->outcome[0], *b = &first->outcome[0];
    assert_int_equal(b->paths, 700);
    for (size_t i = 0; i < 4; i++) {
        check_close(b->mean[i], a->mean[i], 0);
        check_close(b->var[i], a->var[i], 0);
    }
    check_close(b->loss, a->loss, 0);
    od_result_free(alone);
    od_result_free(second);
    od_result_free(first);
}

/* What no leaf of 128 paths is left for sends no bytes, and has no address of them. */
static void a_rank_may_have_nothing_to_do(void **state)
{
    static const char few[] = "{problem: {name: quadratic, eigenvalues: [2]}, method: {name: gradient, noise: 0.3}, "
                              "integrator: {name: euler-maruyama, step: 0.25}, start: {x: [1]}, until: 1, paths: 100}";
    od_context *ctx = *state;
    gathering = OD_OK;
    od_result *alone = run_text(ctx, few, NULL, OD_OK), *second = run_rank(ctx, 1, few, OD_OK);
    assert_int_equal(sent_size, 0);
    od_result *first = run_rank(ctx, 0, few, OD_OK);
    assert_int_equal(first->outcome[0].paths, 100);
    check_close(first->outcome[0].mean[0], alone->outcome[0].mean[0], 0);
    od_result_free(alone);
    od_result_free(second);
    od_result_free(first);
}

static void failures_of_sharing_are_told(void **state)
{
    od_context *ctx = *state;
    gathering = OD_EIO;
    waited = 0;
    for (unsigned rank = 2; rank-- > 0;) {
        assert_null(run_rank(ctx, rank, text, OD_EIO));
        check_message(ctx, "the ranks could not put their results together (input/output); another may have ended");
    }
    gathering = OD_OK;
    sent_size /= 2; /* cut off on its way */
    assert_null(run_rank(ctx, 0, text, OD_EINVAL));
    check_message(ctx, "the ranks could not put their results together (invalid)");
    assert_int_equal(waited, 0);
}

static void impossible_shares_are_refused(void **state)
{
    od_context *ctx = *state;
    const od_ranks two = {.rank = 1, .size = 2, .gather = send_share, .wait = count_wait}, one = {.rank = 0, .size = 1};
    const struct {
        od_options options;
        const char *sentence;
    } row[] = {{{.shard = 0, .shards = 3}, "--shard: 0/3: the shards are numbered from 1 to 3"},
               {{.shard = 4, .shards = 3}, "--shard: 4/3: the shards are numbered from 1 to 3"},
               {{.shard = 1, .shards = 3, .ranks = &two}, "--shard: several ranks share the paths already"},
               {{.block = 129}, "--block: 129 is not between 1 and 128"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_null(od_experiment_parse(ctx, text, &row[i].options));
        check_message(ctx, row[i].sentence);
    }
    od_result *result = NULL;
    od_experiment *e = od_experiment_parse(ctx, text, &(od_options){.shard = 1, .shards = 3, .ranks = &one});
    check_done(ctx, e != NULL);
    assert_int_equal(od_experiment_run(ctx, e, &result), OD_EINVAL);
    check_message(ctx, "--shard: a shard needs a folder for its journal; give -o DIR");
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(two_ranks_have_the_bits_of_one_process),
        test_with_context(a_rank_may_have_nothing_to_do),
        test_with_context(failures_of_sharing_are_told),
        test_with_context(impossible_shares_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
