/* Runs put down and taken up in memory, and snapshots with wrong bytes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include "../src/snapshot.h"

static const char ensemble[] =
    "{problem: {name: quadratic, eigenvalues: [0.4, 0.1]}, method: {name: nesterov, r: 3, noise: 0.1, step: 0.01}, "
    "integrator: {name: euler-maruyama, step: 0.01}, start: {t: 0.1, x: {normal: 1}, v: [0, 0]}, until: 20.1, "
    "iterations: 200, paths: 700, record: {every: 0.5, stride: 7, quantities: [loss, x], quantiles: [0.5], "
    "covariance: true, paths: 2}}";

/* rows between steps, so that rounds end with a step that is computed and not yet taken */
static const char single[] =
    "{problem: {name: quadratic, eigenvalues: [0.4, 0.1]}, method: {name: nesterov, r: 3}, integrator: {name: rk4, "
    "step: "
    "0.01}, start: {t: 0.1, x: [1, -2]}, until: 400.1, record: {every: 0.0033, quantities: [loss, x]}}";

static od_experiment *parse(od_context *ctx, const char *yaml, unsigned threads, unsigned block)
{
    const od_options options = {.threads = threads, .block = block};
    od_experiment *e = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, e != NULL);
    return e;
}

static void check_same(const od_moments *a, const od_moments *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->count, b->count, a->rows * sizeof *a->count);
    assert_memory_equal(a->mean, b->mean, a->rows * a->cols * sizeof *a->mean);
    assert_memory_equal(a->m2, b->m2, a->rows * a->cols * sizeof *a->m2);
    assert_int_equal(a->cross != NULL, b->cross != NULL);
    if (a->cross != NULL) {
        assert_memory_equal(a->cross, b->cross, a->rows * od_moments_pairs(a) * sizeof *a->cross);
    }
}

static void check_same_tallies(const od_tally *a, const od_tally *b)
{
    check_same(&a->flow, &b->flow);
    check_same(&a->map, &b->map);
    check_same(&a->gap, &b->gap);
    check_same(&a->flow_states, &b->flow_states);
    check_same(&a->map_states, &b->map_states);
    check_same(&a->flow_singles, &b->flow_singles);
    check_same(&a->flow_final, &b->flow_final);
    check_same(&a->map_final, &b->map_final);
    assert_int_equal(a->flow_bins != NULL, b->flow_bins != NULL);
    if (a->flow_bins != NULL) {
        assert_memory_equal(a->flow_bins, b->flow_bins, a->flow.rows * a->flow.cols * OD_BINS * sizeof *a->flow_bins);
    }
    assert_int_equal(a->evaluations, b->evaluations);
}

/* Each round may run for a thousandth of a second; the run moves to a new simulation with other blocks after each. */
static size_t run_in_rounds(od_context *ctx, od_experiment *const e[4], od_simulation *s)
{
    check_done(ctx, od_simulation_open(ctx, e[0], NULL, NULL, s) == OD_OK);
    size_t rounds = 0;
    for (bool through = false; !through; rounds++) {
        check_done(ctx, od_simulation_go(s, 1e-3, &through) == OD_OK);
        od_bytes bytes = {0};
        od_snapshot_write(s, true, &bytes);
        const size_t room = s->room;
        od_simulation_close(s);
        check_done(ctx, od_simulation_open(ctx, e[rounds % 4], NULL, NULL, s) == OD_OK);
        s->room = room > s->room ? room : s->room;
        od_reader reader = od_reader_begin(bytes.data, bytes.size);
        assert_int_equal(od_snapshot_read(s, &reader, false), OD_OK);
        check_done(ctx, od_simulation_loaded(s) == OD_OK);
        od_bytes_free(&bytes);
    }
    return rounds;
}

static void check_rounds(od_context *ctx, const char *yaml)
{
    od_experiment *whole = parse(ctx, yaml, 1, 128);
    od_simulation want;
    bool through;
    check_done(ctx, od_simulation_open(ctx, whole, NULL, NULL, &want) == OD_OK);
    check_done(ctx, od_simulation_go(&want, 0, &through) == OD_OK);
    assert_true(through);

    static const unsigned blocks[] = {128, 7, 64, 1};
    od_experiment *e[4];
    for (size_t i = 0; i < 4; i++) {
        e[i] = parse(ctx, yaml, 1 + i % 2, blocks[i]);
    }
    /* on a busy machine the clock may come too late to divide the run */
    size_t rounds = 0;
    for (int attempt = 0; attempt < 100 && rounds <= 2; attempt++) {
        od_simulation s;
        rounds = run_in_rounds(ctx, e, &s);
        check_same_tallies(od_simulation_tally(&s, 0), od_simulation_tally(&want, 0));
        od_simulation_close(&s);
    }
    assert_true(rounds > 2);
    od_simulation_close(&want);
    for (size_t i = 0; i < 4; i++) {
        od_experiment_free(e[i]);
    }
    od_experiment_free(whole);
}

static void rounds_and_their_snapshots_change_no_bit(void **state)
{
    check_rounds(*state, ensemble);
    check_rounds(*state, single);
}

/* The checksum keeps accidents away; what passes it all the same must be refused or harmless. */
static void wrong_bytes_are_refused_or_harmless(void **state)
{
    od_context *ctx = *state;
    od_experiment *e = parse(ctx, ensemble, 2, 32);
    od_simulation s;
    bool through;
    check_done(ctx, od_simulation_open(ctx, e, NULL, NULL, &s) == OD_OK);
    od_bytes good = {0};
    /* a slow machine needs several rounds until a block is under way */
    for (int round = 0; round < 1000 && s.resting == NULL; round++) {
        check_done(ctx, od_simulation_go(&s, 2e-3, &through) == OD_OK);
        assert_false(through);
    }
    od_snapshot_write(&s, true, &good);
    assert_true(good.size > 0);
    od_simulation_close(&s);
    assert_false(good.failed);
    unsigned char *bad = malloc(good.size);
    assert_non_null(bad);
    size_t refused = 0;
    enum { TRIES = 400, HEAD = 400 };
    for (uint64_t i = 0; i < TRIES; i++) {
        memcpy(bad, good.data, good.size);
        /* half of the changes hit the counts at the beginning, on which all else hangs */
        const size_t reach = i % 2 == 0 && good.size > HEAD ? HEAD : good.size;
        for (unsigned k = 0; k < 1 + i % 3; k++) {
            bad[od_index(9, OD_STREAM_CHECK, i, k, 0, (uint32_t)reach)] ^=
                (unsigned char)(1 + od_index(9, OD_STREAM_CHECK, i, k, 1, 255));
        }
        const size_t size = i % 5 == 0 ? od_index(9, OD_STREAM_CHECK, i, 0, 2, (uint32_t)good.size) : good.size;
        od_reader reader = od_reader_begin(bad, size);
        check_done(ctx, od_simulation_open(ctx, e, NULL, NULL, &s) == OD_OK);
        refused += od_snapshot_read(&s, &reader, false) != OD_OK;
        od_simulation_close(&s);
    }
    assert_true(refused > TRIES / 4);
    free(bad);
    od_bytes_free(&good);
    od_experiment_free(e);
}

static void order_of_leaves_changes_no_bit(void **state)
{
    (void)state;
    enum { LEAVES = 11, COLS = 2 };
    double first[COLS] = {0};
    for (uint64_t order = 0; order < 20; order++) {
        od_tree tree = {.leaves = LEAVES};
        for (uint64_t i = 0; i < LEAVES; i++) {
            od_twig *twig = calloc(1, sizeof *twig);
            assert_non_null(twig);
            twig->index = order == 0 ? i : (i * (order % 10 + 1) + order) % LEAVES; /* 11 is prime */
            assert_true(od_moments_init(&twig->tally.flow, 1, COLS, false));
            for (uint64_t p = 0; p < 3; p++) {
                const double q[COLS] = {od_normal(1, 0, twig->index, 0, p), od_normal(1, 0, twig->index, 1, p)};
                od_moments_add(&twig->tally.flow, 0, q, 1);
            }
            assert_false(od_tree_holds(&tree, twig->index));
            od_tree_add(&tree, twig);
        }
        assert_int_equal(od_tree_count(&tree), LEAVES);
        od_tally all = {0};
        assert_true(od_tree_gather(&tree, &all));
        assert_int_equal(all.flow.count[0], 3 * LEAVES);
        if (order == 0) {
            memcpy(first, all.flow.mean, sizeof first);
        }
        assert_memory_equal(first, all.flow.mean, sizeof first);
        od_moments_free(&all.flow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(rounds_and_their_snapshots_change_no_bit),
        test_with_context(wrong_bytes_are_refused_or_harmless),
        test_with_context(order_of_leaves_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
