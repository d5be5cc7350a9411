/* What the module for MPI offers the program. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_RANKS_H
#define OD_RANKS_H

#include "optdyn.h"

/** Starts MPI and fills in who takes part; false if it does not start. */
bool od_mpi_open(od_ranks *ranks);
/** Collective: what rank 0 has. */
int od_mpi_first(int mine);
/** Ends MPI; all ranks call it. */
void od_mpi_close(void);

#endif
