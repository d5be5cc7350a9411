/* What libFuzzer, or replay.c in its place, calls. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TESTS_FUZZ_H
#define OD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Takes any bytes; aborts if something that must hold does not. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
