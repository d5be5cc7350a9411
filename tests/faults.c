/*
 * The program with faults: linked with --wrap, so that the n-th allocation, write, evaluation of a problem or call of
 * LAPACK by our own code fails.
 *
 *   OPTDYN_FAULT=allocation:7   the 7th allocation fails; with 7+ all from the 7th on
 *   OPTDYN_FAULT=write:3        the 3rd write fails, with "no space left on device"; short:3 takes half of the bytes
 *   OPTDYN_FAULT=evaluation:5   the problem's 5th callback fails; with nan:5 it answers with what is not a number
 *   OPTDYN_FAULT=lapack:5       the 5th call of LAPACK does not converge; with lapack-memory:5 it has no memory
 *   OPTDYN_FAULT=sundials:5     the 5th call of SUNDIALS is refused; CVODE's own step says that the error stays too
 * large, with sundials-solver:5 that no solution was found, with sundials-accuracy:5 that rounding is too coarse
 *   OPTDYN_FAULT=look:5         when the program looks for the 5th time whether it is to stop, it is
 *   OPTDYN_FAULT=arena:5        the 5th piece of an arena is not there
 *   OPTDYN_FAULT=system:5       the 5th small service is refused: to open a file for reading, to lock a folder, to look
 * at a file, to begin a thread, to begin to decompress or to parse; with longer:5 a file seems one byte longer
 *   OPTDYN_FAULT_REPORT=FILE    at the end: of each kind the count, and the places: for each chain of calls that was
 * new its number, and those of its calls that were new; how many faults happened, and pieces of memory left
 *
 * What libraries allocate and write themselves is theirs and is not touched.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *p);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_open_memstream(char **text, size_t *size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *p);
FILE *__wrap_open_memstream(char **text, size_t *size);

/* In the order of enum fault. */
static const char *const kind_name[FAULT_KINDS] = {"allocation", "write", "evaluation", "lapack", "sundials",
                                                   "hdf5",       "look",  "arena",      "system"};

enum { CHAINS = 1 << 12, CALLS = 1 << 13, DEPTH = 48 };

/*
 * What happened of one kind: how often; chains of calls by their hash, with the number of the first of each; and the
 * calls in them by where they return to, each with the chain that came first.
 */
typedef struct tally {
    unsigned long count, first[CHAINS / 2];
    uint64_t chain[CHAINS];
    uintptr_t call[CALLS];
    size_t chains, calls, of[CALLS];
} tally;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tally tallies[FAULT_KINDS];
static unsigned long happened, which;
static enum fault wanted = FAULT_KINDS;
static char wanted_name[32];
static bool from_there_on;
static bool ended; /* what the program's own end still allocates (counts of coverage) is not ours */

/* Pieces that are ours and not yet given back: open addressing, removal by a mark. */
enum { SLOTS = 1 << 18 };
static uintptr_t piece[SLOTS];
static unsigned long live;

static void remember(void *p)
{
    size_t at = ((uintptr_t)p >> 4) * 2654435761u % SLOTS;
    while (piece[at] > 1) {
        at = (at + 1) % SLOTS;
    }
    piece[at] = (uintptr_t)p;
    if (++live > SLOTS / 2) {
        abort();
    }
}

static void forget(const void *p)
{
    size_t at = ((uintptr_t)p >> 4) * 2654435761u % SLOTS;
    for (; piece[at] != 0; at = (at + 1) % SLOTS) {
        if (piece[at] == (uintptr_t)p) {
            piece[at] = 1;
            live--;
            return;
        }
    }
}

/* ---------------------------------------------------------------------------------------------------------- faults */

extern const char __executable_start, etext; /* set by the linker; calls in libraries are not ours */

static void note_call(tally *t, uintptr_t returns_to)
{
    if (returns_to < (uintptr_t)&__executable_start || returns_to >= (uintptr_t)&etext) {
        return;
    }
    for (size_t k = 0; k < t->calls; k++) {
        if (t->call[k] == returns_to) {
            return;
        }
    }
    if (t->calls < CALLS) {
        t->call[t->calls] = returns_to;
        t->of[t->calls++] = t->chains;
    }
}

static void note_chain(tally *t)
{
    void *frame[DEPTH];
    const int depth = backtrace(frame, DEPTH);
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < depth; i++) {
        hash = (hash ^ (uintptr_t)frame[i]) * 1099511628211u;
    }
    hash += hash == 0;
    size_t at = (hash >> 20) % CHAINS;
    while (t->chain[at] != 0 && t->chain[at] != hash) {
        at = (at + 1) % CHAINS;
    }
    if (t->chain[at] == 0 && t->chains < CHAINS / 2) {
        t->chain[at] = hash;
        for (int i = 0; i < depth; i++) {
            note_call(t, (uintptr_t)frame[i]);
        }
        t->first[t->chains++] = t->count;
    }
}

bool fault_now(enum fault kind)
{
    if (ended) {
        return false;
    }
    pthread_mutex_lock(&lock);
    tally *t = &tallies[kind];
    t->count++;
    if (wanted == FAULT_KINDS) {
        note_chain(t);
    }
    const bool now = kind == wanted && (t->count == which || (from_there_on && t->count > which));
    happened += now;
    pthread_mutex_unlock(&lock);
    return now;
}

bool fault_is(const char *name)
{
    return strcmp(wanted_name, name) == 0;
}

static void report(void)
{
    const char *name = getenv("OPTDYN_FAULT_REPORT");
    FILE *out = name != NULL ? __real_fopen(name, "w") : NULL;
    if (out != NULL) {
        fprintf(out, "{\"happened\": %lu, \"live\": %lu", happened, live);
        for (size_t k = 0; k < FAULT_KINDS; k++) {
            fprintf(out, ",\n \"%s\": {\"count\": %lu, \"places\": [", kind_name[k], tallies[k].count);
            const tally *t = &tallies[k];
            for (size_t i = 0, c = 0; i < t->chains; i++) {
                fprintf(out, "%s[%lu", i > 0 ? ", " : "", t->first[i]);
                for (; c < t->calls && t->of[c] == i; c++) {
                    fprintf(out, ", %lu", (unsigned long)(t->call[c] - (uintptr_t)&__executable_start));
                }
                fprintf(out, "]");
            }
            fprintf(out, "]}");
        }
        fprintf(out, "}\n");
        fclose(out);
    }
    ended = true;
}

static void __attribute__((constructor)) begin(void)
{
    static const struct {
        const char *name;
        enum fault kind;
    } way[] = {{"allocation", FAULT_ALLOCATION},
               {"write", FAULT_WRITE},
               {"short", FAULT_WRITE},
               {"evaluation", FAULT_EVALUATION},
               {"nan", FAULT_EVALUATION},
               {"lapack", FAULT_LAPACK},
               {"lapack-memory", FAULT_LAPACK},
               {"sundials", FAULT_SUNDIALS},
               {"sundials-solver", FAULT_SUNDIALS},
               {"sundials-accuracy", FAULT_SUNDIALS},
               {"hdf5", FAULT_HDF5},
               {"look", FAULT_LOOK},
               {"arena", FAULT_ARENA},
               {"system", FAULT_SYSTEM},
               {"longer", FAULT_SYSTEM}};
    const char *fault = getenv("OPTDYN_FAULT");
    if (fault != NULL && sscanf(fault, "%31[^:]:%lu", wanted_name, &which) == 2) {
        from_there_on = strchr(fault, '+') != NULL;
        for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
            wanted = fault_is(way[i].name) ? way[i].kind : wanted;
        }
    }
    atexit(report);
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static bool refused(void)
{
    const bool now = fault_now(FAULT_ALLOCATION);
    errno = now ? ENOMEM : errno;
    return now;
}

static void *kept(void *p)
{
    if (p != NULL) {
        pthread_mutex_lock(&lock);
        remember(p);
        pthread_mutex_unlock(&lock);
    }
    return p;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : kept(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : kept(__real_calloc(count, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : kept(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    return refused() ? NULL : kept(__real_strdup(text));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (refused()) {
        return NULL;
    }
    pthread_mutex_lock(&lock);
    if (p != NULL) {
        forget(p);
    }
    void *more = __real_realloc(p, size);
    if (more != NULL || p != NULL) {
        remember(more != NULL ? more : p);
    }
    pthread_mutex_unlock(&lock);
    return more;
}

void __wrap_free(void *p)
{
    pthread_mutex_lock(&lock);
    if (p != NULL) {
        forget(p);
    }
    pthread_mutex_unlock(&lock);
    __real_free(p);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return refused() ? NULL : __real_open_memstream(text, size);
}
