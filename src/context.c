/* Errors, remarks, progress and cancellation. SPDX-License-Identifier: GPL-3.0-or-later */
#include "context.h"

#include "memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct od_context {
    char message[2048];
    char entry[256];
    od_progress *progress;
    void *progress_user;
    double from, width; /* of what is reported in all of the progress */
    od_remark *remark;
    void *remark_user;
    atomic_int cancelled; /* lock-free, hence safe in a signal handler */
};

const char *od_status_name(od_status status)
{
    switch (status) {
    case OD_OK: return "ok";
    case OD_EINVAL: return "invalid";
    case OD_ENOMEM: return "no memory";
    case OD_EUSER: return "callback failed";
    case OD_EIO: return "input/output";
    case OD_EUNSUPPORTED: return "unsupported";
    case OD_EDIVERGED: return "diverged";
    case OD_EINTERRUPTED: return "interrupted";
    case OD_ENUMERIC: return "numerical failure";
    }
    return "unknown status";
}

od_context *od_context_create(void)
{
    od_context *ctx = od_zalloc(1, sizeof *ctx);
    if (ctx != NULL) {
        ctx->width = 1;
    }
    return ctx;
}

void od_context_free(od_context *ctx)
{
    free(ctx);
}

const char *od_message(const od_context *ctx)
{
    return ctx->message;
}

void od_context_forget(od_context *ctx)
{
    ctx->message[0] = ctx->entry[0] = '\0';
}

const char *od_message_entry(const od_context *ctx)
{
    return ctx->entry;
}

/* Of a place or an entry so much is shown that there is room for the sentence. */
enum { PLACE_ROOM = 512, SHOWN = 400 };

static int write_place(char place[PLACE_ROOM], const char *origin, int line)
{
    return line > 0 ? snprintf(place, PLACE_ROOM, "%.*s:%d: ", SHOWN, origin, line)
                    : snprintf(place, PLACE_ROOM, "%.*s: ", SHOWN, origin);
}

od_status od_fail_at(od_context *ctx, od_status status, const char *origin, int line, const char *entry,
                     const char *format, va_list args)
{
    char *end = ctx->message;
    if (origin != NULL) {
        end += write_place(end, origin, line);
    }
    /* what --set names is said once */
    const bool named = origin != NULL && strncmp(origin, "--set ", 6) == 0 && entry != NULL &&
                       strcmp(origin + 6, entry) == 0;
    if (entry != NULL && entry[0] != '\0' && !named) {
        end += write_place(end, entry, 0);
    }
    vsnprintf(end, (size_t)(ctx->message + sizeof ctx->message - end), format, args);
    snprintf(ctx->entry, sizeof ctx->entry, "%s", entry != NULL ? entry : "");
    return status;
}

void od_context_place(od_context *ctx, const char *origin, int line)
{
    char sentence[sizeof ctx->message], place[PLACE_ROOM];
    if (strncmp(ctx->message, origin, strnlen(origin, SHOWN)) == 0) {
        return;
    }
    write_place(place, origin, line);
    snprintf(sentence, sizeof sentence, "%s", ctx->message);
    snprintf(ctx->message, sizeof ctx->message, "%s%.*s", place, (int)(sizeof ctx->message - sizeof place), sentence);
}

void od_context_add(od_context *ctx, const char *words)
{
    const size_t used = strlen(ctx->message);
    if (strstr(ctx->message, words) == NULL) {
        snprintf(ctx->message + used, sizeof ctx->message - used, "%s%s", used > 0 ? "; " : "", words);
    }
}

od_status od_fail(od_context *ctx, od_status status, const char *entry, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    od_fail_at(ctx, status, NULL, 0, entry, format, args);
    va_end(args);
    return status;
}

void od_cancel(od_context *ctx)
{
    atomic_store(&ctx->cancelled, 1);
}

bool od_cancelled(const od_context *ctx)
{
    return atomic_load_explicit(&ctx->cancelled, memory_order_relaxed) != 0;
}

void od_context_on_progress(od_context *ctx, od_progress *progress, void *user)
{
    ctx->progress = progress;
    ctx->progress_user = user;
}

void od_context_progress(od_context *ctx, double fraction)
{
    if (ctx->progress != NULL) {
        ctx->progress(ctx->progress_user, ctx->from + ctx->width * fraction);
    }
}

void od_context_range(od_context *ctx, double from, double to)
{
    ctx->from = from;
    ctx->width = to - from;
}

void od_context_on_remark(od_context *ctx, od_remark *remark, void *user)
{
    ctx->remark = remark;
    ctx->remark_user = user;
}

void od_note(od_context *ctx, const char *format, ...)
{
    if (ctx->remark == NULL) {
        return;
    }
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    ctx->remark(ctx->remark_user, sentence);
}
