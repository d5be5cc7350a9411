/*
 * The ranks of MPI, as a module that the program loads when it was started by mpirun.
 *
 * Shares of results go to rank 0 one after the other, in pieces, since a message of MPI has at most 2^31 - 1 items; of
 * 1 MiB, so that not only the largest runs need more than one.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "ranks.h"

#include "build_config.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PIECE = 1 << 20, TAG = 1 };

static od_status send_all(const unsigned char *bytes, uint64_t size)
{
    bool ok = MPI_Send(&size, 1, MPI_UINT64_T, 0, TAG, MPI_COMM_WORLD) == MPI_SUCCESS;
    for (uint64_t i = 0; ok && i < size; i += PIECE) {
        const int count = size - i < PIECE ? (int)(size - i) : PIECE;
        ok = MPI_Send(bytes + i, count, MPI_BYTE, 0, TAG, MPI_COMM_WORLD) == MPI_SUCCESS;
    }
    return ok ? OD_OK : OD_EIO;
}

static od_status receive_all(int rank, unsigned char **bytes, uint64_t *size)
{
    bool ok = MPI_Recv(size, 1, MPI_UINT64_T, rank, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
    *bytes = ok ? malloc(*size > 0 ? (size_t)*size : 1) : NULL;
    if (ok && *bytes == NULL) {
        return OD_ENOMEM;
    }
    for (uint64_t i = 0; ok && i < *size; i += PIECE) {
        const int count = *size - i < PIECE ? (int)(*size - i) : PIECE;
        ok = MPI_Recv(*bytes + i, count, MPI_BYTE, rank, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
    }
    return ok ? OD_OK : OD_EIO;
}

static od_status gather(const void *bytes, size_t size, od_status (*take)(void *user, const void *bytes, size_t size),
                        void *user)
{
    int rank, ranks;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank > 0) {
        return send_all(bytes, size);
    }
    od_status status = OD_OK;
    for (int other = 1; other < ranks && status == OD_OK; other++) {
        unsigned char *theirs = NULL;
        uint64_t length = 0;
        status = receive_all(other, &theirs, &length);
        status = status == OD_OK ? take(user, theirs, (size_t)length) : status;
        free(theirs);
    }
    return status;
}

static void wait_for_all(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
}

static void give_up(int exit_status)
{
    /* the launcher ends all ranks at once, and passes on no more of what they have just said */
    fflush(NULL);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    MPI_Abort(MPI_COMM_WORLD, exit_status);
}

static int first(int mine)
{
    MPI_Bcast(&mine, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return mine;
}

static bool open_ranks(od_ranks *ranks)
{
    int rank, size;
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS) {
        return false;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    *ranks = (od_ranks){
        .rank = (unsigned)rank, .size = (unsigned)size, .gather = gather, .wait = wait_for_all, .give_up = give_up};
    return true;
}

static void close_ranks(void)
{
    MPI_Finalize();
}

const od_mpi_api od_mpi_module = {
    .head = {OD_VERSION, OD_MPI_VERSION}, .open = open_ranks, .first = first, .close = close_ranks};
