/*
 * The normals of random.c for eight paths at once, with AVX2 and FMA; compiled with those flags, called only where the
 * processor has them. A test compares every bit with the portable version, which calls Random123.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "random.h"

#include <Random123/philox.h>
#include <immintrin.h>
#include <sleef.h>

/* Low and high halves of the products of eight 32-bit numbers with one. */
static inline void multiply(__m256i x, __m256i factor, __m256i *low, __m256i *high)
{
    const __m256i even = _mm256_mul_epu32(x, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor);
    *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

/* The centres of 2^52 cells of (0, 1), from the upper 52 bits. */
static inline __m256d unit(__m256i bits)
{
    const __m256i one = _mm256_set1_epi64x(INT64_C(0x3ff0000000000000));
    const __m256d x = _mm256_castsi256_pd(_mm256_or_si256(_mm256_srli_epi64(bits, 12), one));
    return _mm256_sub_pd(x, _mm256_set1_pd(1.0 - 0x1p-53));
}

static inline void two_normals(__m256i radius_bits, __m256i angle_bits, double *a, double *b)
{
    const __m256d log_u = Sleef_finz_logd4_u35avx2(unit(radius_bits));
    const __m256d radius = _mm256_sqrt_pd(_mm256_mul_pd(_mm256_set1_pd(-2), log_u));
    const Sleef___m256d_2 turn = Sleef_finz_sincosd4_u35avx2(
        _mm256_mul_pd(_mm256_set1_pd(od_two_pi), unit(angle_bits)));
    _mm256_storeu_pd(a, _mm256_mul_pd(radius, turn.y));
    _mm256_storeu_pd(b, _mm256_mul_pd(radius, turn.x));
}

void od_normals_avx2(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair, uint64_t step,
                     double a[OD_LANES], double b[OD_LANES])
{
    const __m256i factor0 = _mm256_set1_epi64x(PHILOX_M4x32_0), factor1 = _mm256_set1_epi64x(PHILOX_M4x32_1);
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    __m256i w0 = _mm256_add_epi32(_mm256_set1_epi32((int)(uint32_t)first_path),
                                  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i w1 = _mm256_set1_epi32((int)(uint32_t)step), w2 = _mm256_set1_epi32((int)(uint32_t)pair);
    __m256i w3 = _mm256_set1_epi32((int)od_counter_high(stream, level, step));
    for (unsigned round = 0; round < 10; round++) {
        __m256i low0, high0, low1, high1;
        multiply(w0, factor0, &low0, &high0);
        multiply(w2, factor1, &low1, &high1);
        w0 = _mm256_xor_si256(_mm256_xor_si256(high1, w1), _mm256_set1_epi32((int)key0));
        w2 = _mm256_xor_si256(_mm256_xor_si256(high0, w3), _mm256_set1_epi32((int)key1));
        w1 = low1;
        w3 = low0;
        key0 += PHILOX_W32_0;
        key1 += PHILOX_W32_1;
    }
    /* unpacking works within halves of 128 bits; this order of quarters makes it yield paths 0 to 3 and 4 to 7 */
    w0 = _mm256_permute4x64_epi64(w0, 0xd8);
    w1 = _mm256_permute4x64_epi64(w1, 0xd8);
    w2 = _mm256_permute4x64_epi64(w2, 0xd8);
    w3 = _mm256_permute4x64_epi64(w3, 0xd8);
    two_normals(_mm256_unpacklo_epi32(w0, w1), _mm256_unpacklo_epi32(w2, w3), a, b);
    two_normals(_mm256_unpackhi_epi32(w0, w1), _mm256_unpackhi_epi32(w2, w3), a + 4, b + 4);
}
