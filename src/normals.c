/*
 * Blocks of normals: this file is compiled once for each instruction set, with OD_NORMALS the name of its function and
 * OD_WIDTH the number of paths in a vector (8: AVX-512, 4: AVX2 and FMA, 1: any processor).
 *
 * Philox4x32-10 on 32-bit words in the low halves of 64-bit lanes; what the products leave in the upper halves is never
 * read. All widths give the same bits: SLEEF's functions are deterministic, and the rest is one operation at a time.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "random.h"

#include <Random123/philox.h>
#include <math.h>
#if OD_WIDTH > 1
#include <immintrin.h>
#endif
#include <sleef.h>
#include <string.h>

#if OD_WIDTH == 8
typedef __m512d reals;
typedef uint64_t words __attribute__((vector_size(64)));
typedef Sleef___m512d_2 two_reals;
#define LOG Sleef_finz_logd8_u35avx512f
#define SINCOS Sleef_finz_sincosd8_u35avx512f
#define SQRT _mm512_sqrt_pd
#define PRODUCT(a, b) ((words)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#elif OD_WIDTH == 4
typedef __m256d reals;
typedef uint64_t words __attribute__((vector_size(32)));
typedef Sleef___m256d_2 two_reals;
#define LOG Sleef_finz_logd4_u35avx2
#define SINCOS Sleef_finz_sincosd4_u35avx2
#define SQRT _mm256_sqrt_pd
#define PRODUCT(a, b) ((words)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#else
typedef double reals;
typedef uint64_t words;
typedef Sleef_double_2 two_reals;
#define LOG Sleef_finz_logd1_u35purecfma
#define SINCOS Sleef_finz_sincosd1_u35purecfma
#define SQRT sqrt
#define PRODUCT(a, b) (((a)&0xffffffffu) * ((b)&0xffffffffu))
/* sleef.h shows these only to compilers that target FMA, but they are plain C and run everywhere. */
double Sleef_finz_logd1_u35purecfma(double x);
Sleef_double_2 Sleef_finz_sincosd1_u35purecfma(double x);
#endif

enum { CHUNK = 128, VECTORS = CHUNK / OD_WIDTH, TOGETHER = 4 };

/* The centre of one of 2^52 cells of (0, 1), so neither end is reached; from words whose upper halves are anything. */
static inline reals unit(words high, words low)
{
    const words bits = high << 32 >> 12 | (low & 0xffffffffu) >> 12 | UINT64_C(0x3ff0000000000000);
    reals x;
    memcpy(&x, &bits, sizeof x);
    return x - (1.0 - 0x1p-53);
}

/*
 * Two uniforms in (0, 1) for each of `count` vectors of paths from `first` on, and for what is left of four vectors.
 * Four at once, because the ten rounds of one are a single chain of dependent operations.
 */
static void uniforms(uint64_t seed, uint32_t high, uint64_t first, uint64_t pair, uint64_t step, size_t count, reals *u,
                     reals *v)
{
    const words zero = {0}, factor0 = zero + PHILOX_M4x32_0, factor1 = zero + PHILOX_M4x32_1;
    uint64_t lane[OD_WIDTH];
    words path;
    for (size_t i = 0; i < OD_WIDTH; i++) {
        lane[i] = first + i;
    }
    memcpy(&path, lane, sizeof path);
    for (size_t k = 0; k < count; k += TOGETHER) {
        words w0[TOGETHER], w1[TOGETHER], w2[TOGETHER], w3[TOGETHER];
        uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
        for (unsigned j = 0; j < TOGETHER; j++) {
            w0[j] = path + (k + j) * OD_WIDTH;
            w1[j] = zero + step;
            w2[j] = zero + pair;
            w3[j] = zero + high;
        }
#pragma GCC unroll 10
        for (unsigned round = 0; round < 10; round++) {
#pragma GCC unroll 8
            for (unsigned j = 0; j < TOGETHER; j++) {
                const words product0 = PRODUCT(w0[j], factor0), product1 = PRODUCT(w2[j], factor1);
                w0[j] = product1 >> 32 ^ w1[j] ^ key0;
                w2[j] = product0 >> 32 ^ w3[j] ^ key1;
                w1[j] = product1;
                w3[j] = product0;
            }
            key0 += PHILOX_W32_0;
            key1 += PHILOX_W32_1;
        }
        for (unsigned j = 0; j < TOGETHER; j++) {
            u[k + j] = unit(w1[j], w0[j]);
            v[k + j] = unit(w3[j], w2[j]);
        }
    }
}

/* Box and Muller: two normals from two uniforms. `b` may be NULL. */
static inline void two_normals(double scale, reals u, reals v, void *a, void *b)
{
    const reals radius = SQRT(-2 * LOG(u));
    const two_reals turn = SINCOS(od_two_pi * v);
    const reals cosine = scale * (radius * turn.y), sine = scale * (radius * turn.x);
    memcpy(a, &cosine, sizeof cosine);
    if (b != NULL) {
        memcpy(b, &sine, sizeof sine);
    }
}

void OD_NORMALS(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair, uint64_t step,
                double scale, size_t n, double *a, double *b)
{
    reals u[VECTORS], v[VECTORS];
    for (size_t begin = 0; begin < n; begin += CHUNK) {
        const size_t size = n - begin < CHUNK ? n - begin : CHUNK, whole = size / OD_WIDTH;
        const size_t count = (size + OD_WIDTH - 1) / OD_WIDTH;
        uniforms(seed, od_counter_high(stream, level, step), first_path + begin, pair, step, count, u, v);
        for (size_t k = 0; k < whole; k++) {
            const size_t p = begin + k * OD_WIDTH;
            two_normals(scale, u[k], v[k], a + p, b != NULL ? b + p : NULL);
        }
        if (whole < count) { /* a full vector all the same, since scalar functions would round differently */
            double tail[2][OD_WIDTH];
            const size_t p = begin + whole * OD_WIDTH, left = (size - whole * OD_WIDTH) * sizeof *a;
            two_normals(scale, u[whole], v[whole], tail[0], tail[1]);
            memcpy(a + p, tail[0], left);
            if (b != NULL) {
                memcpy(b + p, tail[1], left);
            }
        }
    }
}
