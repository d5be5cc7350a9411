/* Counter-based normals in groups of eight paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RANDOM_H
#define OD_RANDOM_H

#include "optdyn.h"

enum { OD_LANES = 8 };

static const double od_two_pi = 6.283185307179586476925;

/** Word 3 of the counter: stream 4 bits, level 6 bits, high part of the step 22 bits. */
static inline uint32_t od_counter_high(unsigned stream, unsigned level, uint64_t step)
{
    return (uint32_t)stream << 28 | (uint32_t)(level & 63u) << 22 | (uint32_t)(step >> 32 & 0x3fffffu);
}

/** One draw of two independent normals for each of eight consecutive paths. `level` < 64, `step` < 2^54. */
typedef void od_normals(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair,
                        uint64_t step, double a[OD_LANES], double b[OD_LANES]);

/** The fastest version this processor runs; all versions give the same bits. */
od_normals *od_normals_best(void);
/** The versions there are, each NULL where the processor lacks it: portable, AVX2. For tests. */
od_normals *od_normals_version(unsigned which);

/** The AVX2 version; call only through the functions above. */
od_normals od_normals_avx2;

#endif
