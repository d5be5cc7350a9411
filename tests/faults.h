/* Faults on demand: what the program asks for is counted by kind, and the n-th of a kind fails.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>

enum fault {
    FAULT_ALLOCATION,
    FAULT_WRITE,
    FAULT_EVALUATION, /* a callback of a problem */
    FAULT_LAPACK,
    FAULT_SUNDIALS,
    FAULT_HDF5,
    FAULT_LOOK, /* whether to stop */
    FAULT_ARENA,
    FAULT_SYSTEM, /* small services of the system and of libraries */
    FAULT_KINDS
};

/* Counts one of this kind: true if it is to fail. */
bool fault_now(enum fault kind);

/* True if the name of the fault that is wanted is this one: a kind can fail in several ways. */
bool fault_is(const char *name);

#endif
