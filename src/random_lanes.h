/* One Philox draw for eight consecutive paths, to be compiled for each instruction set. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_RANDOM_LANES_H
#define OD_RANDOM_LANES_H

#include "random.h"

#include <Random123/philox.h>
#include <string.h>

static const double od_two_pi = 6.283185307179586476925;

/* Word 3 of the counter: stream 4 bits, level 6 bits, high part of the step 22 bits. */
static inline uint32_t high_word(unsigned stream, unsigned level, uint64_t step)
{
    return (uint32_t)stream << 28 | (uint32_t)(level & 63u) << 22 | (uint32_t)(step >> 32 & 0x3fffffu);
}

/* The centre of one of 2^52 cells of (0, 1), so neither end is reached. */
static inline double unit(uint32_t high, uint32_t low)
{
    uint64_t bits = ((uint64_t)high << 32 | low) >> 12 | UINT64_C(0x3ff0000000000000);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x - (1.0 - 0x1p-53);
}

/*
 * Ten rounds on eight counters at once, written as a loop over lanes that compilers vectorise; Random123 offers one
 * counter a call. A test compares this with Random123 and with its published vectors.
 */
static inline __attribute__((always_inline)) void philox_lanes(const uint32_t key[2], uint32_t first_path,
                                                               uint32_t step, uint32_t pair, uint32_t high,
                                                               uint32_t word[4][OD_LANES])
{
    uint32_t k0 = key[0], k1 = key[1];
    for (unsigned lane = 0; lane < OD_LANES; lane++) {
        word[0][lane] = first_path + lane;
        word[1][lane] = step;
        word[2][lane] = pair;
        word[3][lane] = high;
    }
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned lane = 0; lane < OD_LANES; lane++) {
            uint64_t p0 = (uint64_t)PHILOX_M4x32_0 * word[0][lane];
            uint64_t p1 = (uint64_t)PHILOX_M4x32_1 * word[2][lane];
            uint32_t w1 = word[1][lane], w3 = word[3][lane];
            word[0][lane] = (uint32_t)(p1 >> 32) ^ w1 ^ k0;
            word[1][lane] = (uint32_t)p1;
            word[2][lane] = (uint32_t)(p0 >> 32) ^ w3 ^ k1;
            word[3][lane] = (uint32_t)p0;
        }
        k0 += PHILOX_W32_0;
        k1 += PHILOX_W32_1;
    }
}

static inline __attribute__((always_inline)) void uniform_lanes(uint64_t seed, unsigned stream, unsigned level,
                                                                uint64_t first_path, uint64_t pair, uint64_t step,
                                                                double u[OD_LANES], double angle[OD_LANES])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t word[4][OD_LANES];
    philox_lanes(key, (uint32_t)first_path, (uint32_t)step, (uint32_t)pair, high_word(stream, level, step), word);
    for (unsigned lane = 0; lane < OD_LANES; lane++) {
        u[lane] = unit(word[1][lane], word[0][lane]);
        angle[lane] = od_two_pi * unit(word[3][lane], word[2][lane]);
    }
}

#endif
