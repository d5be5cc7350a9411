/*
 * Fuzz targets: each takes any bytes, and aborts if something that must hold does not. One program serves all of them:
 * with libFuzzer the variable OPTDYN_FUZZ names the target, in the tests replay.c takes its place.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_TESTS_FUZZ_H
#define OD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_target {
    const char *name;    /* of the folder of inputs, too */
    const char *letters; /* what mutations put in most often */
    void (*take)(const uint8_t *data, size_t size);
} fuzz_target;

extern const fuzz_target fuzz_formula, fuzz_experiment, fuzz_data, fuzz_table, fuzz_journal;

/** The target of this name; NULL if there is none. */
const fuzz_target *fuzz_find(const char *name);
/** Aborts with the sentence if it does not hold. */
void fuzz_demand(bool holds, const char *what);
/** A file of this name in a folder of this process, which goes when the process ends; returns the folder. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);

#endif
