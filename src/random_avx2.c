/* The normals of random.c with AVX2 and FMA; compiled with those flags, called only where the processor has them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "random_lanes.h"

#include <immintrin.h>
#include <sleef.h>

void od_normals_avx2(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair, uint64_t step,
                     double a[OD_LANES], double b[OD_LANES])
{
    double u[OD_LANES], angle[OD_LANES];
    uniform_lanes(seed, stream, level, first_path, pair, step, u, angle);
    for (unsigned lane = 0; lane < OD_LANES; lane += 4) {
        __m256d log_u = Sleef_finz_logd4_u35avx2(_mm256_loadu_pd(u + lane));
        __m256d radius = _mm256_sqrt_pd(_mm256_mul_pd(_mm256_set1_pd(-2), log_u));
        Sleef___m256d_2 turn = Sleef_finz_sincosd4_u35avx2(_mm256_loadu_pd(angle + lane));
        _mm256_storeu_pd(a + lane, _mm256_mul_pd(radius, turn.y));
        _mm256_storeu_pd(b + lane, _mm256_mul_pd(radius, turn.x));
    }
}
