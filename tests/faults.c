/*
 * The program with faults: linked with --wrap, so that the n-th allocation or the n-th write of our own code fails.
 *
 *   OPTDYN_FAULT=allocation:7   the 7th allocation fails; with 7+ all from the 7th on
 *   OPTDYN_FAULT=write:3        the 3rd write fails, with "no space left on device"; short:3 takes half of the bytes
 * OPTDYN_FAULT_REPORT=FILE    at the end: how many of each there were, whether the fault happened, pieces of memory
 * left, and the places: the numbers of those allocations whose chain of calls was new
 *
 * What libraries allocate and write themselves is theirs and is not touched.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *p);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_open_memstream(char **text, size_t *size);
int __real_fileno(FILE *file);
int __real_ftruncate(int file, off_t length);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *p);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __wrap_fileno(FILE *file);
int __wrap_ftruncate(int file, off_t length);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long allocations, writes, happened, fail_allocation, fail_write;
static bool from_there_on, half;

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

/* Chains of calls that led to an allocation, by their hash, and the numbers of the first allocation of each. */
enum { CHAINS = 1 << 14, DEPTH = 48 };
static uint64_t chain[CHAINS];
static unsigned long first_of_chain[CHAINS / 2];
static size_t places;
static bool ended; /* what the program's own end still allocates (counts of coverage) is not ours */

static bool is_new_chain(void)
{
    void *frame[DEPTH];
    const int depth = backtrace(frame, DEPTH);
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < depth; i++) {
        hash = (hash ^ (uintptr_t)frame[i]) * 1099511628211u;
    }
    hash += hash == 0;
    size_t at = (hash >> 20) % CHAINS;
    while (chain[at] != 0 && chain[at] != hash) {
        at = (at + 1) % CHAINS;
    }
    const bool is_new = chain[at] == 0;
    chain[at] = hash;
    return is_new;
}

static void report(void)
{
    const char *name = getenv("OPTDYN_FAULT_REPORT");
    FILE *out = name != NULL ? __real_fopen(name, "w") : NULL;
    if (out != NULL) {
        fprintf(out, "{\"allocations\": %lu, \"writes\": %lu, \"happened\": %lu, \"live\": %lu, \"places\": [",
                allocations, writes, happened, live);
        for (size_t i = 0; i < places; i++) {
            fprintf(out, "%s%lu", i > 0 ? ", " : "", first_of_chain[i]);
        }
        fprintf(out, "]}\n");
        fclose(out);
    }
    ended = true;
}

static void __attribute__((constructor)) begin(void)
{
    const char *fault = getenv("OPTDYN_FAULT");
    const char *number = fault != NULL ? strchr(fault, ':') : NULL;
    if (number != NULL) {
        *(fault[0] == 'a' ? &fail_allocation : &fail_write) = strtoul(number + 1, NULL, 10);
        half = fault[0] == 's';
        from_there_on = strchr(number, '+') != NULL;
    }
    atexit(report);
}

static bool fails(unsigned long *count, unsigned long which)
{
    pthread_mutex_lock(&lock);
    ++*count;
    const bool now = which > 0 && (*count == which || (from_there_on && *count > which));
    happened += now;
    pthread_mutex_unlock(&lock);
    return now;
}

static bool refused(void)
{
    if (ended) {
        return false;
    }
    const bool now = fails(&allocations, fail_allocation);
    if (fail_allocation == 0 && fail_write == 0) {
        pthread_mutex_lock(&lock);
        if (is_new_chain() && places < CHAINS / 2) {
            first_of_chain[places++] = allocations;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = now ? ENOMEM : errno;
    return now;
}

static bool full(void)
{
    const bool now = fails(&writes, fail_write);
    errno = now ? ENOSPC : errno;
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

/* ------------------------------------------------------------------------------------------- files that are written */

typedef struct written {
    FILE *out;
    int file;
    struct written *next;
} written;

static written *open_files;

static ssize_t write_some(void *cookie, const char *bytes, size_t size)
{
    written *w = cookie;
    if (full()) {
        /* fopencookie takes 0 for a failure */
        const ssize_t some = half && size > 1 ? write(w->file, bytes, size / 2) : 0;
        (void)some;
        errno = ENOSPC;
        return 0;
    }
    return write(w->file, bytes, size);
}

static ssize_t read_some(void *cookie, char *bytes, size_t size)
{
    return read(((written *)cookie)->file, bytes, size);
}

static int seek_to(void *cookie, off64_t *place, int whence)
{
    *place = lseek(((written *)cookie)->file, *place, whence);
    return *place < 0 ? -1 : 0;
}

static int close_it(void *cookie)
{
    written *w = cookie;
    pthread_mutex_lock(&lock);
    for (written **at = &open_files; *at != NULL; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    const int answer = close(w->file);
    __real_free(w);
    return answer;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strpbrk(mode, "wa+") == NULL) {
        return __real_fopen(path, mode);
    }
    written *w = full() ? NULL : __real_calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->file = open(path, mode[0] == 'w' ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR, 0666);
    w->out = w->file < 0 ? NULL
                         : fopencookie(w, mode, (cookie_io_functions_t){read_some, write_some, seek_to, close_it});
    if (w->out == NULL) {
        __real_free(w);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    w->next = open_files;
    open_files = w;
    pthread_mutex_unlock(&lock);
    return w->out;
}

int __wrap_fileno(FILE *file)
{
    pthread_mutex_lock(&lock);
    const written *w = open_files;
    while (w != NULL && w->out != file) {
        w = w->next;
    }
    const int number = w != NULL ? w->file : __real_fileno(file);
    pthread_mutex_unlock(&lock);
    return number;
}

int __wrap_ftruncate(int file, off_t length)
{
    return full() ? -1 : __real_ftruncate(file, length);
}

int __wrap_fsync(int file)
{
    return full() ? -1 : __real_fsync(file);
}

int __wrap_rename(const char *from, const char *to)
{
    return full() ? -1 : __real_rename(from, to);
}
