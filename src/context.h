/* What the library's own files know of a context. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CONTEXT_H
#define OD_CONTEXT_H

#include "optdyn.h"

#include <stdarg.h>

/** od_fail with the place "origin:line" in front; line 0 leaves the line out, origin NULL the place. */
od_status od_fail_at(od_context *ctx, od_status status, const char *origin, int line, const char *entry,
                     const char *format, va_list args) __attribute__((format(printf, 6, 0)));

/** Forgets the last failure, so that a later one without a sentence is known to have none. */
void od_context_forget(od_context *ctx);

/** Reports progress in [0, 1]; call from one thread at a time. */
void od_context_progress(od_context *ctx, double fraction);
/** From now on a fraction reported as 0 .. 1 is shown as from .. to: one part of a longer computation. */
void od_context_range(od_context *ctx, double from, double to);
/** Puts the place in front of the sentence, for callees that do not know it; nothing if it stands there already. */
void od_context_place(od_context *ctx, const char *origin, int line);
/** Adds "; words" to the sentence of the last failure, unless it holds them already. */
void od_context_add(od_context *ctx, const char *words);

#endif
