/* Clocks, spreads and other programs, for `optdyn bench`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench.h"

#include "src/json.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_cpu_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bench_spread bench_spread_of(const bench_series *a)
{
    double sorted[BENCH_ROUNDS];
    for (size_t i = 0; i < a->count; i++) {
        sorted[i] = a->value[i];
        if (isnan(sorted[i])) {
            return (bench_spread){NAN, NAN, NAN};
        }
    }
    if (a->count == 0) {
        return (bench_spread){NAN, NAN, NAN};
    }
    qsort(sorted, a->count, sizeof *sorted, compare);
    const double median = (sorted[(a->count - 1) / 2] + sorted[a->count / 2]) / 2;
    return (bench_spread){median, sorted[0], sorted[a->count - 1]};
}

bench_spread bench_ratio(const bench_series *a, const bench_series *b)
{
    bench_series ratio = {.count = a->count};
    for (size_t i = 0; i < a->count; i++) {
        ratio.value[i] = a->value[i] / b->value[i];
    }
    return bench_spread_of(&ratio);
}

void bench_write_spread(FILE *out, bench_spread s)
{
    if (isnan(s.median)) {
        fputs("null", out);
        return;
    }
    fputs("{\"median\": ", out);
    od_json_real(out, s.median);
    fputs(", \"min\": ", out);
    od_json_real(out, s.low);
    fputs(", \"max\": ", out);
    od_json_real(out, s.high);
    fputc('}', out);
}

double bench_spawn(const char **argv)
{
    const double begin = bench_clock();
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        argv[0] = "optdyn";
        execv("/proc/self/exe", (char *const *)argv);
        _exit(127);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return NAN;
    }
    return bench_clock() - begin;
}

/* Beside the program, where it is installed, or in the build tree. */
static bool find_program(const char *name, char *path, size_t room)
{
    char self[1024];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(path, room, "%s/optdyn-bench-%s", self, name);
    if (access(path, X_OK) == 0) {
        return true;
    }
    snprintf(path, room, "%s/../../bench/optdyn-bench-%s", self, name);
    if (access(path, X_OK) == 0) {
        return true;
    }
    snprintf(path, room, "%s/optdyn-bench-%s", BENCH_PEER_DIR, name);
    return access(path, X_OK) == 0;
}

void bench_peer_open(bench_peer *peer)
{
    char path[2048];
    int to[2], from[2];
    peer->missing = "its peer program is not built (meson setup -Dbench=enabled says what it needs)";
    if (!find_program(peer->name, path, sizeof path)) {
        return;
    }
    peer->missing = "its peer program could not be started";
    if (pipe(to) != 0) {
        return;
    }
    if (pipe(from) != 0) {
        close(to[0]);
        close(to[1]);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        fcntl(to[i], F_SETFD, FD_CLOEXEC);
        fcntl(from[i], F_SETFD, FD_CLOEXEC);
    }
    peer->pid = fork();
    if (peer->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    peer->to = fdopen(to[1], "w");
    peer->from = fdopen(from[0], "r");
    peer->missing = peer->pid > 0 && peer->to != NULL && peer->from != NULL ? NULL : peer->missing;
}

double bench_peer_ask(bench_peer *peer, size_t d, uint64_t steps, double h, double last)
{
    double seconds = -1, found = NAN;
    if (peer->missing != NULL) {
        return NAN;
    }
    char line[128];
    if (fprintf(peer->to, "%zu %llu %.17g\n", d, (unsigned long long)steps, h) < 0 || fflush(peer->to) != 0 ||
        fgets(line, sizeof line, peer->from) == NULL || sscanf(line, "%lf %lf", &seconds, &found) != 2 || seconds < 0) {
        peer->missing = "its peer program failed";
        return NAN;
    }
    if (!(fabs(found - last) <= 1e-6 * fabs(last))) {
        peer->missing = "its peer program does not solve the same problem";
        return NAN;
    }
    return seconds;
}

void bench_peer_close(bench_peer *peer)
{
    if (peer->to != NULL) {
        fclose(peer->to); /* the end of its input ends the peer */
    }
    if (peer->from != NULL) {
        fclose(peer->from);
    }
    if (peer->pid > 0) {
        waitpid((pid_t)peer->pid, NULL, 0);
    }
}
