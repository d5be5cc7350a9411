/* Files whose n-th write fails, or is short. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__real_calloc(size_t count, size_t size);
void __real_free(void *p);
int __real_open(const char *path, int flags, ...);
FILE *__real_fopen(const char *path, const char *mode);
int __real_fileno(FILE *file);
int __real_ftruncate(int file, off_t length);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);

FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_fileno(FILE *file);
int __wrap_ftruncate(int file, off_t length);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool full(void)
{
    const bool now = fault_now(FAULT_WRITE);
    errno = now ? ENOSPC : errno;
    return now;
}

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
        const ssize_t some = fault_is("short") && size > 1 ? write(w->file, bytes, size / 2) : 0;
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
        const bool denied = fault_now(FAULT_SYSTEM);
        errno = denied ? EACCES : errno;
        return denied ? NULL : __real_fopen(path, mode);
    }
    written *w = full() ? NULL : __real_calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->file = __real_open(path, mode[0] == 'w' ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR, 0666);
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
