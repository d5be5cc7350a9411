/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crew.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

bool od_crew_stops(const od_crew *crew)
{
    return atomic_load_explicit(&crew->pause, memory_order_relaxed) || od_cancelled(crew->ctx);
}

bool od_crew_take(od_crew *crew, uint64_t *task)
{
    if (od_crew_stops(crew)) {
        return false;
    }
    pthread_mutex_lock(&crew->lock);
    const bool left = crew->status == OD_OK && crew->next < crew->end;
    *task = crew->next;
    crew->next += left;
    pthread_mutex_unlock(&crew->lock);
    return left;
}

void od_crew_fail(od_crew *crew, od_status status, const char *message)
{
    pthread_mutex_lock(&crew->lock);
    if (crew->status == OD_OK) {
        crew->status = status;
        snprintf(crew->message, sizeof crew->message, "%s", message);
    }
    pthread_mutex_unlock(&crew->lock);
    atomic_store(&crew->pause, true);
}

bool od_thread_start(pthread_t *thread, void *(*begin)(void *), void *argument)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        sigdelset(&blocked, own[i]);
    }
    /* a thread has the mask of the one that starts it, from its first instruction on */
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const bool started = pthread_create(thread, NULL, begin, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

typedef struct errand {
    od_crew *crew;
    od_crew_work *work;
    void *user;
} errand;

static void *run_errand(void *argument)
{
    const errand *e = argument;
    e->work(e->crew, e->user);
    return NULL;
}

od_status od_crew_run(od_crew *crew, od_crew_work *work, void *user)
{
    enum { MAX_THREADS = 256 };
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = crew->threads > 0 ? crew->threads : cores > 0 ? (uint64_t)cores : 1;
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_t thread[MAX_THREADS];
    errand e = {crew, work, user};
    uint64_t started = 0;
    /* this thread works too, so a machine that refuses more threads still finishes */
    while (started + 1 < threads && od_thread_start(&thread[started], run_errand, &e)) {
        started++;
    }
    work(crew, user);
    for (uint64_t i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
    return crew->status;
}
