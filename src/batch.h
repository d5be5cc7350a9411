/* Mini-batches as a function of (seed, path, iteration). SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_BATCH_H
#define OD_BATCH_H

#include "optdyn.h"

/**
 * index[b*n + p] of iteration k for paths first .. first + n - 1. With replacement, or by epochs: sample number
 * k batch + b of an endless sequence of random permutations of all samples, a new one for each epoch and path.
 */
void od_batch_indices(uint64_t seed, uint64_t first, size_t n, uint64_t k, size_t batch, uint32_t samples, bool epochs,
                      uint32_t *index);

/**
 * Where `position` < samples goes in a permutation of [0, samples) that is a function of (seed, stream, path, epoch).
 */
uint32_t od_permuted(uint64_t seed, unsigned stream, uint64_t path, uint64_t epoch, uint32_t position,
                     uint32_t samples);

#endif
