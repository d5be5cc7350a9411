/*
 * Mini-batches as a function of seed, path and iteration.
 *
 * False-alarm rates: fixed seeds, so each test passes always or never; over seeds, a bound of five standard deviations
 * of chi square would be missed with probability below 1e-5.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/batch.h"

/* Chi square of counts against equal frequencies, in standard deviations from its mean. */
static double surprise(const size_t *count, size_t cells, double draws)
{
    double chi2 = 0;
    const double expected = draws / (double)cells, freedom = (double)cells - 1;
    for (size_t i = 0; i < cells; i++) {
        chi2 += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    }
    return (chi2 - freedom) / sqrt(2 * freedom);
}

static void epochs_are_permutations(void **state)
{
    (void)state;
    enum { PATHS = 4, EPOCHS = 100 };
    for (uint32_t samples = 1; samples <= 31; samples++) {
        for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
            uint32_t index[31 * PATHS];
            od_batch_indices(7, 100, PATHS, epoch, samples, samples, true, index);
            for (size_t p = 0; p < PATHS; p++) {
                uint32_t seen = 0;
                for (uint32_t b = 0; b < samples; b++) {
                    assert_true(index[b * PATHS + p] < samples);
                    seen |= UINT32_C(1) << index[b * PATHS + p];
                }
                assert_int_equal(seen, (UINT32_C(1) << samples) - 1);
            }
        }
    }
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of many samples: a permutation takes no value twice, and its values are spread evenly: over seeds one of the three is
 * called uneven with probability 2e-3 (chi squared with 7 degrees above 25.7); the seed is fixed. */
static void long_epochs_are_permutations(void **state)
{
    (void)state;
    enum { POSITIONS = 4000, CELLS = 8 };
    static const uint32_t samples[] = {1u << 30, (1u << 30) + 1, UINT32_MAX};
    for (size_t k = 0; k < sizeof samples / sizeof *samples; k++) {
        uint32_t value[POSITIONS];
        size_t count[CELLS] = {0};
        for (uint32_t i = 0; i < POSITIONS; i++) {
            value[i] = od_permuted(7, OD_STREAM_BATCH, 1, 2, i, samples[k]);
            assert_true(value[i] < samples[k]);
            count[(uint64_t)CELLS * value[i] / samples[k]]++;
        }
        qsort(value, POSITIONS, sizeof *value, ascending);
        for (size_t i = 1; i < POSITIONS; i++) {
            assert_true(value[i - 1] < value[i]);
        }
        check_close(surprise(count, CELLS, POSITIONS), 0, 5);
    }
}

/* The first two samples of an epoch, as an ordered pair. */
static void epochs_are_uniform(void **state)
{
    (void)state;
    enum { SAMPLES = 8, PATHS = 4, EPOCHS = 60000 };
    size_t pair[SAMPLES * (SAMPLES - 1)] = {0};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint32_t first[PATHS], second[PATHS];
        od_batch_indices(7, 100, PATHS, epoch * SAMPLES, 1, SAMPLES, true, first);
        od_batch_indices(7, 100, PATHS, epoch * SAMPLES + 1, 1, SAMPLES, true, second);
        for (size_t p = 0; p < PATHS; p++) {
            pair[first[p] * (SAMPLES - 1) + second[p] - (second[p] > first[p])]++;
        }
    }
    check_close(surprise(pair, SAMPLES * (SAMPLES - 1), PATHS * EPOCHS), 0, 5);
}

static void replacement_is_uniform(void **state)
{
    (void)state;
    enum { SAMPLES = 11, BATCH = 5, STEPS = 20000 };
    size_t count[SAMPLES] = {0};
    for (uint64_t k = 0; k < STEPS; k++) {
        uint32_t index[BATCH];
        od_batch_indices(7, 3, 1, k, BATCH, SAMPLES, false, index);
        for (size_t b = 0; b < BATCH; b++) {
            count[index[b]]++;
        }
    }
    check_close(surprise(count, SAMPLES, STEPS * BATCH), 0, 5);
}

/* Batches that do not divide the samples go on into the next epoch, and a path's draws do not depend on its block. */
static void batches_cross_epochs(void **state)
{
    (void)state;
    enum { SAMPLES = 7, BATCH = 3 };
    uint32_t drawn[SAMPLES * BATCH], block[BATCH * 9];
    for (uint64_t k = 0; k < SAMPLES; k++) {
        od_batch_indices(5, 42, 1, k, BATCH, SAMPLES, true, drawn + BATCH * k);
        od_batch_indices(5, 40, 9, k, BATCH, SAMPLES, true, block);
        for (size_t b = 0; b < BATCH; b++) {
            assert_int_equal(block[b * 9 + 2], drawn[BATCH * k + b]);
        }
    }
    for (size_t epoch = 0; epoch < BATCH; epoch++) {
        unsigned seen = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            seen |= 1u << drawn[epoch * SAMPLES + i];
        }
        assert_int_equal(seen, (1u << SAMPLES) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_permutations), cmocka_unit_test(long_epochs_are_permutations),
        cmocka_unit_test(epochs_are_uniform),      cmocka_unit_test(replacement_is_uniform),
        cmocka_unit_test(batches_cross_epochs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
