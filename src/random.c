/*
 * Random numbers as a function: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, in Random123) keyed by the seed; the
 * 128-bit counter is (path: 32, step: 54, level: 6, stream: 4, pair of components: 32 bits). src/normals.c makes
 * normals of them by Box and Muller (1958) from 52-bit uniforms, the same bits on every instruction set.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "random.h"

#include "build_config.h"

#include <Random123/philox.h>
#include <pthread.h>
#include <string.h>

static philox4x32_ctr_t draw(uint64_t seed, unsigned stream, unsigned level, uint64_t path, uint64_t pair,
                             uint64_t step)
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {{(uint32_t)path, (uint32_t)step, (uint32_t)pair, od_counter_high(stream, level, step)}};
    return philox4x32(counter, key);
}

/* The centre of one of 2^52 cells of (0, 1), so neither end is reached. */
static double unit(uint32_t high, uint32_t low)
{
    uint64_t bits = ((uint64_t)high << 32 | low) >> 12 | UINT64_C(0x3ff0000000000000);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x - (1.0 - 0x1p-53);
}

od_normals *od_normals_version(unsigned which)
{
#if OD_HAVE_X86_VECTORS
    if (which == 2 && __builtin_cpu_supports("avx512f")) {
        return od_normals_avx512;
    }
    if (which == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return od_normals_avx2;
    }
#endif
    return which == 0 ? od_normals_portable : NULL;
}

static od_normals *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

static void choose_best(void)
{
    for (unsigned which = 0; which < OD_NORMALS_VERSIONS; which++) {
        best = od_normals_version(which) != NULL ? od_normals_version(which) : best;
    }
}

od_normals *od_normals_best(void)
{
    pthread_once(&best_once, choose_best);
    return best;
}

double od_uniform(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step)
{
    philox4x32_ctr_t w = draw(seed, stream, 0, path, component / 2, step);
    return component % 2 == 0 ? unit(w.v[1], w.v[0]) : unit(w.v[3], w.v[2]);
}

double od_normal(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step)
{
    double normal[2];
    od_normals_best()(seed, stream, 0, path, component / 2, step, 1, 1, &normal[0], &normal[1]);
    return normal[component % 2];
}

uint32_t od_index(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step, uint32_t bound)
{
    philox4x32_ctr_t w = draw(seed, stream, 0, path, component / 2, step);
    const unsigned half = component % 2 == 0 ? 0 : 2;
    /* high half of a 64-bit fraction times the bound: bias below bound * 2^-64 */
    uint64_t fraction = (uint64_t)w.v[half + 1] << 32 | w.v[half];
    uint64_t low = (fraction & 0xffffffffu) * bound;
    return (uint32_t)(((fraction >> 32) * bound + (low >> 32)) >> 32);
}
