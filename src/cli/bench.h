/* What the parts of `optdyn bench` share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CLI_BENCH_H
#define OD_CLI_BENCH_H

#include "cli.h"

enum { BENCH_ROUNDS = 31 };

/** One quantity measured once in each round; NaN where it could not be. */
typedef struct bench_series {
    size_t count;
    double value[BENCH_ROUNDS];
} bench_series;

typedef struct bench_spread {
    double median, low, high; /* NaN if a round is missing */
} bench_spread;

/** Seconds of a clock that only goes forward. */
double bench_clock(void);
/** Seconds of processor time of this thread: loops are compared by it, since others may use the machine too. */
double bench_cpu_clock(void);
/** The same of all threads together. */
double bench_process_clock(void);
bench_spread bench_spread_of(const bench_series *a);
/** The spread of a/b, round by round: what disturbs the machine for longer than a round cancels. */
bench_spread bench_ratio(const bench_series *a, const bench_series *b);
/** {"median": .., "min": .., "max": ..}, or null. */
void bench_write_spread(FILE *out, bench_spread s);

/** Runs the own program with arguments (argv[0] is filled in), its output discarded; seconds, NaN if it failed. */
double bench_spawn(const char **argv);

/** A peer: a program that answers requests, see bench/peer.h. */
typedef struct bench_peer {
    const char *name, *program; /* of the file optdyn-bench-...; NULL: the name */
    const char *missing;        /* why there is no answer, NULL while there is one */
    long pid;
    FILE *to, *from;
} bench_peer;

void bench_peer_open(bench_peer *peer);
/**
 * Sends one line and reads "SECONDS VALUE"; returns the seconds, NaN if the peer is missing or its value is farther
 * than `tolerance` from `want`.
 */
double bench_peer_ask(bench_peer *peer, double want, double tolerance, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bench_peer_close(bench_peer *peer);

/** {"bench": "core", "version": .., .., "unit": "s", open for more. */
void bench_write_head(FILE *out, const char *name);
void bench_print_head(void);
/** , "name": spread */
void bench_write_series(FILE *out, const char *name, const bench_series *a);
/** "name": "why" of the peers that are missing. */
void bench_write_missing(FILE *out, size_t count, const bench_peer *peer);
/** One row: time in a unit that suits it, and the ratio to the bare loop. */
void bench_print_row(const char *name, const bench_series *a, const bench_series *bare, double goal,
                     const char *missing);

/** What there is to measure besides the core. */
int bench_ensemble(cli *c);
int bench_normals(cli *c);
int bench_conjugate(cli *c);
int bench_network(cli *c);
int bench_formula(cli *c);
int bench_shadow(cli *c);

/** Steps x[d] in place; false: no memory. */
bool bench_bare_rk4(size_t d, uint64_t steps, double h, const double *lambda, const double *c, double *x,
                    double *seconds);

#endif
