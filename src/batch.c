/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "batch.h"

enum { ROUNDS = 8 };

/*
 * A permutation of [0, samples) that is a function of (seed, stream, path, epoch): a Feistel network on the smallest
 * even number of bits that holds `samples`, walked until it lands inside (Black and Rogaway 2002). No table, any
 * position at once.
 */
uint32_t od_permuted(uint64_t seed, unsigned stream, uint64_t path, uint64_t epoch, uint32_t position, uint32_t samples)
{
    unsigned half = 4; /* on fewer than eight bits the network is visibly biased */
    while (half < 16 && (UINT64_C(1) << 2 * half) < samples) {
        half++;
    }
    const uint32_t mask = (UINT32_C(1) << half) - 1;
    uint32_t value = position;
    do {
        uint32_t left = value >> half, right = value & mask;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            /* component: the round and the half block; even, so that each call is a draw of its own */
            const uint64_t component = 2 * ((round << 16 | right) + 1);
            const uint32_t mixed = left ^ (od_index(seed, stream, path, component, epoch, mask + 1) & mask);
            left = right;
            right = mixed;
        }
        value = left << half | right;
    } while (value >= samples);
    return value;
}

void od_batch_indices(uint64_t seed, uint64_t first, size_t n, uint64_t k, size_t batch, uint32_t samples, bool epochs,
                      uint32_t *index)
{
    for (size_t b = 0; b < batch; b++) {
        const uint64_t number = k * batch + b;
        for (size_t p = 0; p < n; p++) {
            index[b * n + p] = epochs ? od_permuted(seed, OD_STREAM_BATCH, first + p, number / samples,
                                                    (uint32_t)(number % samples), samples)
                                      : od_index(seed, OD_STREAM_BATCH, first + p, b, k, samples);
        }
    }
}
