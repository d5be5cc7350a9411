/*
 * Random numbers as a function: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, in Random123) keyed by the seed; the
 * 128-bit counter is (path: 32, step: 54, level: 6, stream: 4, pair of components: 32 bits). Normals by Box and Muller
 * (1958) from 52-bit uniforms, with SLEEF's functions that give the same bits on every instruction set.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "random_lanes.h"

#include "build_config.h"

#include <math.h>
#include <pthread.h>
#include <sleef.h>

/* sleef.h shows these only to compilers that target FMA, but they are plain C and run everywhere. */
double Sleef_finz_logd1_u35purecfma(double x);
Sleef_double_2 Sleef_finz_sincosd1_u35purecfma(double x);

static void normals_portable(uint64_t seed, unsigned stream, unsigned level, uint64_t first_path, uint64_t pair,
                             uint64_t step, double a[OD_LANES], double b[OD_LANES])
{
    double u[OD_LANES], angle[OD_LANES];
    uniform_lanes(seed, stream, level, first_path, pair, step, u, angle);
    for (unsigned lane = 0; lane < OD_LANES; lane++) {
        double radius = sqrt(-2 * Sleef_finz_logd1_u35purecfma(u[lane]));
        Sleef_double_2 turn = Sleef_finz_sincosd1_u35purecfma(angle[lane]);
        a[lane] = radius * turn.y;
        b[lane] = radius * turn.x;
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

static philox4x32_ctr_t draw(uint64_t seed, unsigned stream, uint64_t path, uint64_t pair, uint64_t step)
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {{(uint32_t)path, (uint32_t)step, (uint32_t)pair, high_word(stream, 0, step)}};
    return philox4x32(counter, key);
}

double od_uniform(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step)
{
    philox4x32_ctr_t w = draw(seed, stream, path, component / 2, step);
    return component % 2 == 0 ? unit(w.v[1], w.v[0]) : unit(w.v[3], w.v[2]);
}

double od_normal(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step)
{
    philox4x32_ctr_t w = draw(seed, stream, path, component / 2, step);
    double radius = sqrt(-2 * Sleef_finz_logd1_u35purecfma(unit(w.v[1], w.v[0])));
    Sleef_double_2 turn = Sleef_finz_sincosd1_u35purecfma(od_two_pi * unit(w.v[3], w.v[2]));
    return component % 2 == 0 ? radius * turn.y : radius * turn.x;
}

uint32_t od_index(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step, uint32_t bound)
{
    philox4x32_ctr_t w = draw(seed, stream, path, component / 2, step);
    const unsigned half = component % 2 == 0 ? 0 : 2;
    /* high half of a 64-bit fraction times the bound: bias below bound * 2^-64 */
    uint64_t fraction = (uint64_t)w.v[half + 1] << 32 | w.v[half];
    uint64_t low = (fraction & 0xffffffffu) * bound;
    return (uint32_t)(((fraction >> 32) * bound + (low >> 32)) >> 32);
}
