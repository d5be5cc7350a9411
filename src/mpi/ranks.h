/* What the module for MPI offers the program. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RANKS_H
#define OD_RANKS_H

#include "src/module.h"

enum { OD_MPI_VERSION = 1 };

typedef struct od_mpi_api {
    od_module_head head; /* version OD_MPI_VERSION */
    /** Starts MPI and fills in who takes part; false if it does not start. */
    bool (*open)(od_ranks *ranks);
    /** Collective: what rank 0 has. */
    int (*first)(int mine);
    /** Ends MPI; all ranks call it. */
    void (*close)(void);
} od_mpi_api;

extern OD_MODULE_SYMBOL const od_mpi_api od_mpi_module;

#endif
