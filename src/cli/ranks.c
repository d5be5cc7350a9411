/* Processes started by mpirun: loads the module that speaks MPI. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "src/mpi/ranks.h"

#include <stdlib.h>
#include <string.h>

/* What the launchers of Open MPI and MPICH announce, before MPI has started; `otherwise` if there is none. */
static unsigned announced(const char *open_mpi, const char *mpich, unsigned otherwise)
{
    const char *value = getenv(open_mpi) != NULL ? getenv(open_mpi) : getenv(mpich);
    return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

static unsigned announced_rank(void)
{
    return announced("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0);
}

static const od_module mpi = {.name = "mpi",
                              .folder = "src/mpi",
                              .version = OD_MPI_VERSION,
                              .global = true, /* MPI loads plug-ins of its own that look for its symbols */
                              .use = "to share the paths they need",
                              .remedy = "build with -Dmpi=enabled, or use --shard I/N and `optdyn merge`"};

int cli_ranks_open(cli *c)
{
    const unsigned size = announced("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", 1);
    if (size <= 1) {
        return -1;
    }
    if (c->command == NULL || (strcmp(c->command, "run") != 0 && strcmp(c->command, "resume") != 0)) {
        return cli_usage(c, "this is one of %u processes, and only `run` and `resume` share their work among ranks",
                         size);
    }
    c->mpi = od_module_load(c->ctx, &mpi);
    if (c->mpi == NULL) {
        return cli_usage(c, "this is one of %u processes; %s", size, od_message(c->ctx));
    }
    if (!c->mpi->open(&c->ranks)) {
        return cli_usage(c, "MPI did not start");
    }
    /* one voice: the others speak only if they fail */
    c->quiet = c->quiet || c->ranks.rank > 0;
    return -1;
}

void cli_ranks_close(cli *c, int exit_status)
{
    if (c->ranks.size <= 1) {
        return;
    }
    if (exit_status != EXIT_DONE) {
        fflush(stdout);
        c->ranks.give_up(exit_status);
    }
    c->mpi->close();
}

void cli_ranks_agree(cli *c, bool failed)
{
    c->said_by_first = c->ranks.size > 1 && c->mpi->first(failed) != 0 && c->ranks.rank > 0;
}

bool cli_ranks_speak(const cli *c, char prefix[32])
{
    prefix[0] = '\0';
    /* mistakes in the command line are the same everywhere, and are found before MPI has started */
    if (c->said_by_first || (c->ranks.size == 0 && announced_rank() > 0)) {
        return false;
    }
    if (c->ranks.rank > 0) {
        snprintf(prefix, 32, "rank %u: ", c->ranks.rank);
    }
    return true;
}
