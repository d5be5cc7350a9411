/* Clocks, spreads and other programs, for `optdyn bench`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench.h"

#include "src/json.h"
#include "src/random.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
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

double bench_process_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
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

static void read_cpu(char *name, size_t room)
{
    char line[512];
    FILE *in = fopen("/proc/cpuinfo", "r");
    snprintf(name, room, "unknown");
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(name, room, "%s", colon + 2);
            break;
        }
    }
    if (in != NULL) {
        fclose(in);
    }
}

/* What src/normals.c and src/clones.h choose by. */
static const char *instruction_set(void)
{
    return od_normals_version(2) != NULL ? "AVX-512" : od_normals_version(1) != NULL ? "AVX2" : "portable";
}

void bench_write_head(FILE *out, const char *name)
{
    char cpu[256];
    read_cpu(cpu, sizeof cpu);
    const char *const entry[] = {"bench",           name,       "version",   od_version(), "cpu", cpu, "instructions",
                                 instruction_set(), "compiler", __VERSION__, "unit",       "s"};
    for (size_t i = 0; i < sizeof entry / sizeof *entry; i += 2) {
        fprintf(out, "%s\"%s\": ", i > 0 ? ", " : "{", entry[i]);
        od_json_text(out, entry[i + 1]);
    }
}

void bench_print_head(void)
{
    char cpu[256];
    read_cpu(cpu, sizeof cpu);
    printf("optdyn %s on %s (%s), compiler %s\n", od_version(), cpu, instruction_set(), __VERSION__);
}

void bench_write_series(FILE *out, const char *name, const bench_series *a)
{
    fprintf(out, ", \"%s\": ", name);
    bench_write_spread(out, bench_spread_of(a));
}

void bench_write_missing(FILE *out, size_t count, const bench_peer *peer)
{
    const char *separator = "";
    for (size_t p = 0; p < count; p++) {
        if (peer[p].missing != NULL) {
            fprintf(out, "%s\"%s\": ", separator, peer[p].name);
            od_json_text(out, peer[p].missing);
            separator = ", ";
        }
    }
}

void bench_print_row(const char *name, const bench_series *a, const bench_series *bare, double goal,
                     const char *missing)
{
    const bench_spread s = bench_spread_of(a);
    if (isnan(s.median)) {
        printf("  %-9s -   %s\n", name, missing != NULL ? missing : "failed");
        return;
    }
    const bool nano = s.median < 1e-5, micro = s.median < 1e-2;
    const double unit = nano ? 1e9 : micro ? 1e6 : 1e3;
    printf("  %-9s %9.4g %9.4g %9.4g %s", name, s.median * unit, s.low * unit, s.high * unit,
           nano    ? "ns"
           : micro ? "us"
                   : "ms");
    if (bare != NULL) {
        const bench_spread ratio = bench_ratio(a, bare);
        printf(" %8.3f %8.3f %8.3f", ratio.median, ratio.low, ratio.high);
    }
    if (!isnan(goal)) {
        printf("   goal <= %g%s", goal, bare != NULL ? "" : " s");
    }
    putchar('\n');
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
    if (!find_program(peer->program != NULL ? peer->program : peer->name, path, sizeof path)) {
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

double bench_peer_ask(bench_peer *peer, double want, double tolerance, const char *format, ...)
{
    double seconds = -1, found = NAN;
    char line[128];
    if (peer->missing != NULL) {
        return NAN;
    }
    va_list args;
    va_start(args, format);
    const bool sent = vfprintf(peer->to, format, args) >= 0 && fputc('\n', peer->to) != EOF && fflush(peer->to) == 0;
    va_end(args);
    if (!sent || fgets(line, sizeof line, peer->from) == NULL || sscanf(line, "%lf %lf", &seconds, &found) != 2 ||
        seconds < 0) {
        peer->missing = "its peer program failed";
        return NAN;
    }
    if (!(fabs(found - want) <= tolerance)) {
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
