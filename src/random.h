/* Counter-based normals in groups of eight paths. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RANDOM_H
#define OD_RANDOM_H

#include "optdyn.h"

enum { OD_LANES = 8 };

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
