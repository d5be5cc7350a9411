/*
 * How results go from rank to rank, over an MPI that keeps messages in memory and fails on demand: the functions below
 * take the place of the library's. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/mpi/ranks.h"

#include <mpi.h>

enum { RANKS = 3, MESSAGES = 64 };

static struct {
    int rank;
    size_t count, taken, calls, fails_at;
    struct {
        unsigned char *bytes;
        size_t size;
        int from;
    } message[MESSAGES];
} world;

static int passes(void)
{
    return ++world.calls == world.fails_at ? MPI_ERR_OTHER : MPI_SUCCESS;
}

static size_t size_of(MPI_Datatype type)
{
    return type == MPI_UINT64_T ? sizeof(uint64_t) : 1;
}

int MPI_Send(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm all)
{
    (void)to;
    (void)tag;
    (void)all;
    const size_t size = (size_t)count * size_of(type);
    assert_true(world.count < MESSAGES);
    world.message[world.count].bytes = memcpy(malloc(size + 1), bytes, size);
    world.message[world.count].from = world.rank;
    world.message[world.count++].size = size;
    return passes();
}

int MPI_Recv(void *bytes, int count, MPI_Datatype type, int from, int tag, MPI_Comm all, MPI_Status *status)
{
    (void)tag;
    (void)all;
    (void)status;
    if (passes() != MPI_SUCCESS) {
        return MPI_ERR_OTHER;
    }
    assert_true(world.taken < world.count && world.message[world.taken].from == from);
    assert_int_equal(world.message[world.taken].size, (size_t)count * size_of(type));
    memcpy(bytes, world.message[world.taken].bytes, world.message[world.taken].size);
    world.taken++;
    return MPI_SUCCESS;
}

int MPI_Init(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return passes();
}

int MPI_Comm_set_errhandler(MPI_Comm all, MPI_Errhandler handler)
{
    (void)all;
    assert_true(handler == MPI_ERRORS_RETURN);
    return MPI_SUCCESS;
}

int MPI_Comm_rank(MPI_Comm all, int *rank)
{
    (void)all;
    *rank = world.rank;
    return MPI_SUCCESS;
}

int MPI_Comm_size(MPI_Comm all, int *size)
{
    (void)all;
    *size = RANKS;
    return MPI_SUCCESS;
}

static void forget(void)
{
    for (size_t i = 0; i < world.count; i++) {
        free(world.message[i].bytes);
    }
    memset(&world, 0, sizeof world);
}

static unsigned char byte_of(int rank, size_t i)
{
    return (unsigned char)(i * 7 + i / 251 + (size_t)rank);
}

typedef struct reader {
    const size_t *size;
    int rank; /* of those that came */
    od_status answer;
} reader;

static od_status take(void *user, const void *bytes, size_t size)
{
    reader *r = user;
    const unsigned char *b = bytes;
    r->rank++;
    assert_int_equal(size, r->size[r->rank]);
    for (size_t i = 0; i < size; i++) {
        assert_true(b[i] == byte_of(r->rank, i));
    }
    return r->answer;
}

/* All ranks send, then rank 0 gathers; the `fails_at`-th call of MPI fails. */
static od_status gather(const od_ranks *ranks, const size_t size[RANKS], size_t fails_at, reader *r)
{
    od_status status = OD_OK;
    forget();
    world.fails_at = fails_at;
    for (world.rank = 1; world.rank < RANKS && status == OD_OK; world.rank++) {
        unsigned char *bytes = malloc(size[world.rank] + 1);
        for (size_t i = 0; i < size[world.rank]; i++) {
            bytes[i] = byte_of(world.rank, i);
        }
        status = ranks->gather(bytes, size[world.rank], NULL, NULL);
        free(bytes);
    }
    world.rank = 0;
    return status == OD_OK ? ranks->gather(NULL, 0, take, r) : status;
}

static void shares_come_in_pieces_and_in_order(void **state)
{
    (void)state;
    static const size_t sizes[][RANKS] = {
        {0, 0, 1}, {0, 1000, 0}, {0, (1 << 20), (1 << 20) + 1}, {0, (5 << 20) / 2, 3}};
    od_ranks ranks;
    assert_true(od_mpi_module.open(&ranks));
    assert_int_equal(ranks.size, RANKS);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        reader r = {.size = sizes[k]};
        assert_int_equal(gather(&ranks, sizes[k], 0, &r), OD_OK);
        assert_int_equal(r.rank, RANKS - 1);
        assert_int_equal(world.taken, world.count);
        const size_t calls = world.calls;
        for (size_t n = 1; n <= calls; n++) {
            r.rank = 0;
            assert_int_equal(gather(&ranks, sizes[k], n, &r), OD_EIO);
        }
    }
    reader r = {.size = sizes[0], .answer = OD_ENOMEM};
    assert_int_equal(gather(&ranks, sizes[0], 0, &r), OD_ENOMEM);
    assert_int_equal(r.rank, 1); /* the next is not asked for */
    forget();
    world.fails_at = 1;
    assert_false(od_mpi_module.open(&ranks));
    forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares_come_in_pieces_and_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
