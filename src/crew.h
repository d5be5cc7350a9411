/* Threads that share numbered tasks. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CREW_H
#define OD_CREW_H

#include "optdyn.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct od_crew od_crew;

/** One thread's part: takes tasks with od_crew_take until there are none, and reports failures with od_crew_fail. */
typedef void od_crew_work(od_crew *crew, void *user);

/** The caller fills the first four and zeroes the rest; od_crew_run may be called again to go on after a pause. */
struct od_crew {
    od_context *ctx;
    unsigned threads;     /* 0: all cores */
    uint64_t next, end;   /* tasks next .. end - 1 are left; guarded by the lock */
    atomic_bool pause;    /* asks all threads to put their work down; the caller of od_crew_run goes on later */
    pthread_mutex_t lock; /* guards what all threads write, and the context */
    od_status status;     /* of the first failure */
    char message[1024];
};

/** pthread_create for threads that no signal reaches but one's own faults and a profiler's: handlers run in the
 * caller's. */
bool od_thread_start(pthread_t *thread, void *(*begin)(void *), void *argument);
/** Runs `work` in this thread and, if there are several tasks, in others; returns when all are through. */
od_status od_crew_run(od_crew *crew, od_crew_work *work, void *user);
/** The next task; false if none is left, or the crew is to stop. */
bool od_crew_take(od_crew *crew, uint64_t *task);
/** True when work is to be put down: cancelled, paused or failed. Cheap: asked at every step. */
bool od_crew_stops(const od_crew *crew);
/** Keeps the first failure and stops the crew. Without the lock. */
void od_crew_fail(od_crew *crew, od_status status, const char *message);

#endif
