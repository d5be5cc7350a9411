/*
 * gnuplot is started from an argument vector in the figure's folder. It takes no names but those of od_safe_name, for
 * it runs a command wherever a file name begins with < or |, and no texts but those of od_gnuplot_quote.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np, pipe2, memmem */
#include "gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

const char *const od_picture_endings[OD_PICTURES] = {"png", "svg", "pdf"};

enum { MAX_LOG = 1 << 20 };

/* One gnuplot at work: its process and what it has printed. */
typedef struct job {
    pid_t pid;
    int read_end;
    char *log; /* malloc'ed, ends with 0 */
    int exit_status;
} job;

static const char *find_program(char path[4096])
{
    const char *name = getenv("OPTDYN_GNUPLOT");
    if (name == NULL || name[0] == '\0') {
        return "gnuplot";
    }
    /* gnuplot starts in another folder, where a relative name would mean something else */
    return strchr(name, '/') != NULL && realpath(name, path) != NULL ? path : name;
}

static od_status missing(od_context *ctx, const char *program, int why)
{
    return od_fail(ctx, OD_EIO, NULL,
                   "%s cannot be started (%s), so no picture was drawn; the data and the script are written. Install "
                   "gnuplot, or name it in OPTDYN_GNUPLOT",
                   program, strerror(why));
}

/* Without -d the user's and the system's start-up files would be read. */
static od_status start(od_context *ctx, job *j, const char *folder, const char *setup, const char *script)
{
    char path[4096];
    const char *program = find_program(path);
    const char *const arg[] = {program, "-d", "-e", setup, script, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int ends[2];
    *j = (job){.pid = -1, .read_end = -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return od_fail(ctx, OD_EIO, NULL, "no pipe to gnuplot: %s", strerror(errno));
    }
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    int why = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    why = why == 0 ? posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) : why;
    why = why == 0 ? posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO) : why;
    why = why == 0 ? posix_spawn_file_actions_addchdir_np(&actions, folder) : why;
    /* the strings are not written to; execve's type is older than const */
    why = why == 0 ? posix_spawnp(&j->pid, program, &actions, &attributes, (char *const *)arg, environ) : why;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (why != 0) {
        close(ends[0]);
        j->pid = -1;
        return missing(ctx, program, why);
    }
    j->read_end = ends[0];
    return OD_OK;
}

/* Reads all it prints and waits. Text beyond MAX_LOG is dropped. */
static void finish(job *j)
{
    size_t used = 0, room = 4096;
    char rest[4096];
    j->log = malloc(room + 1);
    for (;;) {
        if (j->log != NULL && used == room && room < MAX_LOG) {
            char *more = realloc(j->log, 2 * room + 1);
            room *= more != NULL ? 2 : 1;
            j->log = more != NULL ? more : j->log;
        }
        const bool full = j->log == NULL || used == room;
        const ssize_t got = read(j->read_end, full ? rest : j->log + used, full ? sizeof rest : room - used);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            break;
        }
        used += !full && got > 0 ? (size_t)got : 0;
    }
    close(j->read_end);
    if (j->log != NULL) {
        j->log[used] = '\0';
    }
    int status = 0;
    while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR) {
    }
    j->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* gnuplot's complaint on one line: the last lines it printed, without its pointer into the source. */
static void shorten(char text[512], const char *log)
{
    size_t used = 0;
    for (const char *p = log != NULL ? log : ""; *p != '\0' && used < 500; p++) {
        const bool blank = isspace((unsigned char)*p) || *p == '^';
        if (!blank || (used > 0 && text[used - 1] != ' ')) {
            text[used++] = blank || iscntrl((unsigned char)*p) ? ' ' : *p;
        }
    }
    text[used] = '\0';
}

static od_status judge(od_context *ctx, const job *j, const char *folder, const char *script)
{
    char said[512];
    shorten(said, j->log);
    if (j->exit_status != 0) {
        return od_fail(ctx, OD_ENUMERIC, NULL, "gnuplot failed on %s/%s (exit status %d): %s", folder, script,
                       j->exit_status, said[0] != '\0' ? said : "it said nothing");
    }
    return OD_OK;
}

/* gnuplot does not see that the disk is full: a whole picture is known by its last bytes. */
static od_status check_whole(od_context *ctx, const char *folder, const char *name, size_t picture)
{
    static const char *const last[OD_PICTURES] = {"IEND", "</svg>", "%%EOF"};
    enum { TAIL = 32 };
    char path[4352], tail[TAIL] = "";
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, od_picture_endings[picture]);
    FILE *in = fopen(path, "rb");
    size_t size = 0;
    if (in != NULL) {
        size = fseek(in, -TAIL, SEEK_END) == 0 ? fread(tail, 1, TAIL, in) : 0;
        fclose(in);
    }
    return memmem(tail, size, last[picture], strlen(last[picture])) != NULL
               ? OD_OK
               : od_fail(ctx, OD_EIO, "-o", "gnuplot could not write all of %s; free some space", path);
}

static void terminal_text(char text[512], size_t picture, const char *name, od_paper paper)
{
    /* 320 dots per inch; cairo counts a point as 1/72 inch at 72 dots, svg in pixels */
    const double dots = 320;
    switch (picture) {
    case 0:
        snprintf(text, 512,
                 "set terminal pngcairo size %d,%d background '#ffffff' font 'DejaVu Sans,9' fontscale %.3f "
                 "linewidth %.3f pointscale %.3f dashlength 0.8; set output '%s.png'",
                 (int)lround(paper.width * dots), (int)lround(paper.height * dots), dots / 96, dots / 110, dots / 110,
                 name);
        break;
    case 1:
        snprintf(text, 512,
                 "set terminal svg size %d,%d background '#ffffff' font 'DejaVu Sans,9' linewidth 0.9 dashlength 0.8; "
                 "set output '%s.svg'",
                 (int)lround(paper.width * 96), (int)lround(paper.height * 96), name);
        break;
    default:
        snprintf(text, 512,
                 "set terminal pdfcairo size %.3fin,%.3fin background '#ffffff' font 'DejaVu Sans,9' fontscale 0.75 "
                 "linewidth 1.3 pointscale 0.6 dashlength 0.8; set output '%s.pdf'",
                 paper.width, paper.height, name);
        break;
    }
}

od_status od_gnuplot_draw(od_context *ctx, const char *folder, const char *name, od_paper paper)
{
    char script[256], setup[512];
    job jobs[OD_PICTURES];
    size_t started = 0;
    od_status status = OD_OK;
    snprintf(script, sizeof script, "%s.gp", name);
    for (; status == OD_OK && started < OD_PICTURES; started += status == OD_OK) {
        terminal_text(setup, started, name, paper);
        status = start(ctx, &jobs[started], folder, setup, script);
    }
    for (size_t i = 0; i < started; i++) {
        finish(&jobs[i]);
    }
    for (size_t i = 0; i < started; i++) {
        status = status == OD_OK ? judge(ctx, &jobs[i], folder, script) : status;
        status = status == OD_OK ? check_whole(ctx, folder, name, i) : status;
    }
    if (status == OD_OK && jobs[0].log != NULL && jobs[0].log[0] != '\0') {
        char said[512];
        shorten(said, jobs[0].log);
        od_note(ctx, "gnuplot on %s/%s: %s", folder, script, said);
    }
    for (size_t i = 0; i < started; i++) {
        free(jobs[i].log);
        if (status != OD_OK) {
            char picture[4352];
            snprintf(picture, sizeof picture, "%s/%s.%s", folder, name, od_picture_endings[i]);
            unlink(picture); /* half a picture is worse than none */
        }
    }
    return status;
}

od_status od_gnuplot_preview(od_context *ctx, const char *folder, const char *name, int columns, int lines, FILE *out)
{
    char script[256], setup[128];
    job j;
    snprintf(script, sizeof script, "%s.gp", name);
    snprintf(setup, sizeof setup, "preview = 1; set terminal dumb size %d,%d enhanced", columns, lines);
    od_status status = start(ctx, &j, folder, setup, script);
    if (status != OD_OK) {
        return status;
    }
    finish(&j);
    status = judge(ctx, &j, folder, script);
    if (status == OD_OK && j.log != NULL) {
        fputs(j.log + strspn(j.log, "\f\n"), out); /* it begins with a form feed */
    }
    free(j.log);
    return status;
}

void od_gnuplot_quote(FILE *out, const char *text)
{
    fputc('\'', out);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            fputs("\xe2\x80\x99", out);
        } else {
            fputc(iscntrl((unsigned char)*p) ? ' ' : *p, out);
        }
    }
    fputc('\'', out);
}

void od_safe_name(char *name, size_t room, const char *text, size_t length)
{
    size_t used = 0;
    for (; used < length && used + 1 < room; used++) {
        const char c = text[used];
        const bool safe = c != '\0' && (isalnum((unsigned char)c) || strchr("._=+-", c) != NULL);
        name[used] = safe && (used > 0 || (c != '.' && c != '-')) ? c : '_';
    }
    name[used] = '\0';
}
