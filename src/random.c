/*
 * Random numbers as a function: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, in Random123) keyed by the seed; the
 * 128-bit counter is (path: 32, step: 54, level: 6, stream: 4, pair of components: 32 bits). Normals by Box and Muller
 * (1958) from 52-bit uniforms, with SLEEF's functions that give the same bits on every instruction set.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "random.h"

#include "build_config.h"

#include <Random123/philox.h>
#include <math.h>
#include <pthread.h>
#include <sleef.h>
#include <string.h>

/* sleef.h shows these only to compilers that target FMA, but they are plain C and run everywhere. */
double Sleef_finz_logd1_u35purecfma(double x);
Sleef_double_2 Sleef_finz_sincosd1_u35purecfma(double x);

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

/* Box and Muller: two normals from four words. */
static void two_normals(philox4x32_ctr_t w, double *a, double *b)
{
    const double radius = sqrt(-2 * Sleef_finz_logd1_u35purecfma(unit(w.v[1], w.v[0])));
    const Sleef_double_2 turn = Sleef_finz_sincosd1_u35purecfma(od_two_pi * unit(w.v[3], w.v[2]));
    *a = radius * turn.y;
    *b = radius * turn.x;
}

static void normals_portable(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair,
                             uint64_t step, double a[OD_LANES], double b[OD_LANES])
{
    for (unsigned lane = 0; lane < OD_LANES; lane++) {
        two_normals(draw(seed, stream, level, first_path + lane, pair, step), &a[lane], &b[lane]);
    }
}

od_normals *od_normals_version(unsigned which)
{
#if OD_HAVE_AVX2
    if (which == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return od_normals_avx2;
    }
#endif
    return which == 0 ? normals_portable : NULL;
}

static od_normals *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

static void choose_best(void)
{
    best = od_normals_version(1) != NULL ? od_normals_version(1) : od_normals_version(0);
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
    two_normals(draw(seed, stream, 0, path, component / 2, step), &normal[0], &normal[1]);
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
