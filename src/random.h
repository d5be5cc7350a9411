/* Counter-based normals for blocks of paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RANDOM_H
#define OD_RANDOM_H

#include "optdyn.h"

static const double od_two_pi = 6.283185307179586476925;

/** Word 3 of the counter: stream 4 bits, level 6 bits, high part of the step 22 bits. */
static inline uint32_t od_counter_high(unsigned stream, unsigned level, uint64_t step)
{
    return (uint32_t)stream << 28 | (uint32_t)(level & 63u) << 22 | (uint32_t)(step >> 32 & 0x3fffffu);
}

/**
 * One draw of two independent normals, times `scale`, for each of n consecutive paths: a[n] and b[n]. b may be NULL.
 * `level` < 64, `step` < 2^54, `pair` < 2^32.
 */
typedef void od_normals(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair,
                        uint64_t step, double scale, size_t n, double *a, double *b);

/** The fastest version this processor runs; all versions give the same bits. */
od_normals *od_normals_best(void);

enum { OD_NORMALS_VERSIONS = 3 };

/** The versions there are, each NULL where the processor lacks it: portable, AVX2, AVX-512. */
od_normals *od_normals_version(unsigned which);

/** The versions themselves (src/normals.c); call only through the functions above. */
od_normals od_normals_portable, od_normals_avx2, od_normals_avx512;

#endif
