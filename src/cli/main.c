/* The program: reads the command line, calls the command. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "src/json.h"
#include "src/text.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const cli_command cli_commands[] = {
    {"run", "FILE", "run an experiment", cli_run},
    {"resume", "DIR", "go on with a run that was interrupted or killed", cli_resume},
    {"merge", "DIR...", "put the shards of a run together", cli_merge},
    {"figure", "NAME|FILE", "remake a known figure, or draw an experiment of your own", cli_figure},
    {"report", "[NAME...]", "make all figures and claims, or those named, into a page: -o site", cli_report},
    {"claims", "[NAME...]", "the theorems there are: predicted, measured and judged on standard experiments",
     cli_claims},
    {"check", "problem NAME|FILE", "compare a problem's derivatives with differences", cli_check},
    {"list", "[KIND]", "list problems, methods, integrators, analyses, claims, figures", cli_list},
    {"describe", "NAME", "describe a part, `experiment` or a plug-in's file", cli_describe},
    {"bench", "core|ensemble|...", "measure speed and memory beside bare loops and peers, and the noise", cli_bench},
    {"completion", "bash", "print the shell completion", cli_completion},
    {"manual", "man|markdown", "print the manual page, or the reference of all parts", cli_manual},
    {NULL, NULL, NULL, NULL},
};

const cli_option cli_options[] = {
    {"--set", "PATH=VALUE", "run resume figure report claims check analyses",
     "override an entry, for example problem.eigenvalues=[1,4]; may be repeated"},
    {"-o", "DIR", "run resume merge figure report claims analyses", "folder for the results"},
    {"--json", NULL, NULL, "one JSON document on standard output and nothing else there"},
    {"--threads", "N", NULL, "threads; all cores by default. Results do not depend on it"},
    {"--seed", "N", "run resume figure report claims check bench analyses", "overrides seed"},
    {"--data", "DIR", "run figure report claims check analyses", "folder of the data sets; OPTDYN_DATA by default"},
    {"--block", "N", "run resume merge figure report claims analyses",
     "paths per block, 1 to 128. Results do not depend on it"},
    {"--checkpoint", "SECONDS", "run resume figure report",
     "with -o: time between entries in the journal of a run, 60 by default; 0: only when interrupted"},
    {"--shard", "I/N", "run resume merge",
     "run, resume: the I-th of N shares of the paths, for job arrays; `optdyn merge` puts them together"},
    {"--dry-run", NULL, "run resume figure report analyses",
     "run, figure, report and analyses: show the resolved experiment or the figure's runs and the cost, and stop"},
    {"--verify", NULL, "analyses", "analyses: check the answer by a second algorithm; disagreement is an error"},
    {"--on", "FILE", "claims", "claims: on an experiment of your own, where verdicts are results"},
    {"--kind", "KIND", "figure", "figure FILE: loss, distance, plane, gap, gradient or state"},
    {"--preview", NULL, "figure", "figure: draw in the terminal"},
    {"--all", NULL, "figure claims", "figure: all known figures; claims --on: also claims that take long"},
    {"--full", NULL, "figure report",
     "figure, report: more paths and seeds, for publication; takes up to ten times as long"},
    {"--quiet", NULL, NULL, "no progress, no remarks"},
    {"--version", NULL, NULL, "version and optional parts"},
    {"--help", NULL, NULL, "this text"},
    {NULL, NULL, NULL, NULL},
};

_Static_assert(sizeof cli_options / sizeof *cli_options <= CLI_MAX_OPTIONS, "more options than cli.given has room for");

static od_context *signal_context; /* the only global: a signal handler takes no argument */

static void on_signal(int number)
{
    od_cancel(signal_context);
    signal(number, SIG_DFL); /* a second one ends the program at once */
}

typedef struct progress_state {
    double began, shown;
    bool open;
} progress_state;

static progress_state progress;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void show_progress(void *user, double fraction)
{
    (void)user;
    const double now = seconds();
    /* short runs stay silent */
    if (now - progress.began < 1 || now - progress.shown < 0.2 || fraction <= 0) {
        return;
    }
    const double left = (now - progress.began) * (1 - fraction) / fraction;
    fprintf(stderr, "\r%3.0f %%, %.0f s left   ", 100 * fraction, left);
    progress.shown = now;
    progress.open = true;
}

void cli_progress_end(void)
{
    if (progress.open) {
        fputs("\r                         \r", stderr);
        progress.open = false;
    }
}

void cli_say(const cli *c, const char *format, ...)
{
    if (c->quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static void show_remark(void *user, const char *sentence)
{
    cli *c = user;
    if (strcmp(sentence, c->remark) != 0) {
        snprintf(c->remark, sizeof c->remark, "%s", sentence);
        cli_say(c, "optdyn: %s", sentence);
    }
}

static int exit_status(od_status status)
{
    switch (status) {
    case OD_OK: return EXIT_DONE;
    case OD_EINVAL:
    case OD_EUNSUPPORTED: return EXIT_USAGE;
    case OD_EINTERRUPTED: return EXIT_INTERRUPTED;
    default: return EXIT_FAILED;
    }
}

static void report(const cli *c, const char *kind, const char *entry, const char *message)
{
    char prefix[32];
    if (!cli_ranks_speak(c, prefix)) {
        return;
    }
    fprintf(stderr, "%soptdyn: %s\n", prefix, message);
    if (c->json) {
        fputs("{\"error\": {\"kind\": ", stdout);
        od_json_text(stdout, kind);
        fputs(", \"entry\": ", stdout);
        od_json_text(stdout, entry);
        fputs(", \"message\": ", stdout);
        od_json_text(stdout, message);
        fputs("}}\n", stdout);
    }
}

int cli_fail(cli *c, od_status status)
{
    cli_progress_end();
    report(c, od_status_name(status), od_message_entry(c->ctx), od_message(c->ctx));
    return exit_status(status);
}

int cli_usage(cli *c, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    report(c, "usage", "", message);
    return EXIT_USAGE;
}

od_options cli_experiment_options(const cli *c)
{
    return (od_options){.set = c->set,
                        .data = c->data,
                        .output = c->output,
                        .seed = c->seed,
                        .threads = c->threads,
                        .block = c->block,
                        .checkpoint = c->checkpoint,
                        .ranks = c->ranks.size > 1 ? &c->ranks : NULL,
                        .invocation = c->invocation};
}

static void help(FILE *out)
{
    fputs("optdyn: optimizers as dynamical systems\n\nusage: optdyn COMMAND [OPTION]...\n\n", out);
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        fprintf(out, "  %-13s %-21s %s\n", k->name, k->takes, k->summary);
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        fprintf(out, "  %-13s %-21s %s\n", od_analysis_types[i]->name, "FILE", od_analysis_types[i]->summary);
    }
    fputs("\noptions\n", out);
    for (const cli_option *o = cli_options; o->name != NULL; o++) {
        fprintf(out, "  %-13s %-18s %s\n", o->name, o->value != NULL ? o->value : "", o->meaning);
    }
    fputs("\nA first experiment:\n"
          "  echo '{problem: {name: quadratic, eigenvalues: [1, 0.1]}, method: nesterov,\n"
          "         integrator: {name: rk4, step: 0.1}, start: {x: [1, 1]}, until: 20}' > first.yaml\n"
          "  optdyn run first.yaml\n",
          out);
}

static bool whole(const char *text, unsigned low, unsigned high, unsigned *value)
{
    char *end;
    errno = 0;
    const unsigned long x = strtoul(text, &end, 10);
    *value = (unsigned)x;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && x >= low && x <= high;
}

static int unknown_option(cli *c, const char *name)
{
    const char *names[CLI_MAX_OPTIONS];
    size_t count = 0;
    for (; cli_options[count].name != NULL; count++) {
        names[count] = cli_options[count].name;
    }
    const char *nearest = od_text_nearest(name, names, count);
    return cli_usage(c,
                     "there is no option %s%s%s%s; `optdyn --help` lists them, and entries of the file are overridden "
                     "by --set ENTRY=VALUE",
                     name, nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "?)" : "");
}

static void print_version(const cli *c)
{
    if (!c->json) {
        printf("optdyn %s\n%s\n", od_version(), od_version_libraries());
        return;
    }
    fputs("{\"version\": ", stdout);
    od_json_text(stdout, od_version());
    fputs(", \"libraries\": ", stdout);
    od_json_text(stdout, od_version_libraries());
    fputs("}\n", stdout);
}

/* Stores one option; returns an exit status, or -1 to go on. */
static int store_option(cli *c, const char *name, const char *value, size_t *set_count)
{
    if (strcmp(name, "--set") == 0) {
        if (*set_count == CLI_MAX_SET) {
            return cli_usage(c, "more than %d --set options; write them into the file", CLI_MAX_SET);
        }
        c->set[(*set_count)++] = value;
    } else if (strcmp(name, "-o") == 0) {
        c->output = value;
    } else if (strcmp(name, "--seed") == 0) {
        c->seed = value;
    } else if (strcmp(name, "--data") == 0) {
        c->data = value;
    } else if (strcmp(name, "--on") == 0) {
        c->on = value;
    } else if (strcmp(name, "--kind") == 0) {
        c->kind = value;
    } else if (strcmp(name, "--threads") == 0) {
        return whole(value, 1, 256, &c->threads) ? -1
                                                 : cli_usage(c, "--threads %s: expected a number from 1 to 256", value);
    } else if (strcmp(name, "--block") == 0) {
        return whole(value, 1, 128, &c->block) ? -1
                                               : cli_usage(c, "--block %s: expected a number from 1 to 128", value);
    } else if (strcmp(name, "--checkpoint") == 0) {
        char *end;
        const double seconds = strtod(value, &end);
        /* in the library 0 stands for the default */
        c->checkpoint = seconds > 0 ? seconds : -1;
        return end != value && *end == '\0' && seconds >= 0 && seconds <= 1e9
                   ? -1
                   : cli_usage(c, "--checkpoint %s: expected seconds, for example 60, or 0 for never", value);
    } else if (strcmp(name, "--shard") == 0) {
        int used = 0;
        if (sscanf(value, "%9u/%9u%n", &c->shard, &c->shards, &used) == 2 && value[used] == '\0' && c->shard >= 1 &&
            c->shard <= c->shards && value[0] != '-' && value[0] != '+') {
            return -1;
        }
        return cli_usage(c, "--shard %s: expected I/N with I from 1 to N, for example 3/8", value);
    } else if (strcmp(name, "--json") == 0) {
        c->json = true;
    } else if (strcmp(name, "--quiet") == 0) {
        c->quiet = true;
    } else if (strcmp(name, "--dry-run") == 0) {
        c->dry_run = true;
    } else if (strcmp(name, "--verify") == 0) {
        c->verify = true;
    } else if (strcmp(name, "--preview") == 0) {
        c->preview = true;
    } else if (strcmp(name, "--all") == 0) {
        c->all = true;
    } else if (strcmp(name, "--full") == 0) {
        c->full = true;
    } else if (strcmp(name, "--version") == 0) {
        print_version(c);
        return EXIT_DONE;
    } else {
        help(stdout);
        return EXIT_DONE;
    }
    return -1;
}

static int read_options(cli *c, int argc, char **argv)
{
    size_t set_count = 0;
    bool options_end = false;
    /* errors of the options themselves are reported as JSON too, wherever --json stands */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        c->json = c->json || strcmp(argv[i], "--json") == 0;
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options_end || word[0] != '-' || word[1] == '\0') {
            if (c->command == NULL) {
                c->command = word;
            } else if (c->arg_count == CLI_MAX_ARGS) {
                return cli_usage(c, "more than %d arguments", CLI_MAX_ARGS);
            } else {
                c->arg[c->arg_count++] = word;
            }
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options_end = true;
            continue;
        }
        const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
        char name[64];
        snprintf(name, sizeof name, "%.*s", equals != NULL ? (int)(equals - word) : 60, word);
        const cli_option *o = cli_options;
        while (o->name != NULL && strcmp(o->name, name) != 0) {
            o++;
        }
        if (strcmp(name, "-h") == 0) {
            help(stdout);
            return EXIT_DONE;
        }
        if (o->name == NULL) {
            return unknown_option(c, name);
        }
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (o->value == NULL && value != NULL) {
            return cli_usage(c, "%s takes no value", name);
        }
        if (o->value != NULL && value == NULL) {
            if (i + 1 == argc) {
                return cli_usage(c, "%s needs a value: %s", name, o->value);
            }
            value = argv[++i];
        }
        c->given[o - cli_options] = true;
        const int status = store_option(c, name, value, &set_count);
        if (status >= 0) {
            return status;
        }
    }
    return -1;
}

/* True if the list, words with blanks between, has this word. */
static bool lists(const char *list, const char *word)
{
    const size_t length = strlen(word);
    for (const char *p = strstr(list, word); p != NULL; p = strstr(p + 1, word)) {
        if ((p == list || p[-1] == ' ') && (p[length] == ' ' || p[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* An option that would do nothing is a mistake. Returns an exit status, or -1 to go on. */
static int check_options(cli *c, const char *kind)
{
    for (size_t i = 0; cli_options[i].name != NULL; i++) {
        const cli_option *o = &cli_options[i];
        if (c->given[i] && o->of != NULL && !lists(o->of, kind)) {
            return cli_usage(c, "%s takes no %s, which is an option of: %s", c->command, o->name, o->of);
        }
    }
    /* no file and no part has a name like this */
    for (size_t i = 0; i < c->arg_count; i++) {
        const char *equals = strchr(c->arg[i], '=');
        if (equals != NULL && equals != c->arg[i] && access(c->arg[i], F_OK) != 0 && strchr(c->arg[i], '/') == NULL) {
            return cli_usage(c, "'%s' is no file; an entry is overridden by --set %s", c->arg[i], c->arg[i]);
        }
    }
    return -1;
}

static int dispatch(cli *c)
{
    const char *names[32];
    size_t count = 0;
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        names[count++] = k->name;
        if (strcmp(k->name, c->command) == 0) {
            const int status = check_options(c, k->name);
            return status >= 0 ? status : k->run(c);
        }
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        names[count++] = od_analysis_types[i]->name;
        if (strcmp(od_analysis_types[i]->name, c->command) == 0) {
            const int status = check_options(c, "analyses");
            return status >= 0 ? status : cli_analyse(c);
        }
    }
    struct stat file;
    if (stat(c->command, &file) == 0 && S_ISREG(file.st_mode)) {
        return cli_usage(c, "'%s' is a file; a command comes first: optdyn run %s", c->command, c->command);
    }
    const char *nearest = od_text_nearest(c->command, names, count);
    return cli_usage(c, "there is no command '%s'%s%s%s; `optdyn --help` lists them", c->command,
                     nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?)" : "");
}

int main(int argc, char **argv)
{
    static cli c;
    c.ctx = od_context_create();
    if (c.ctx == NULL) {
        /* nothing is read yet that could say what kind of answer is wanted */
        bool json = false;
        for (int i = 1; i < argc; i++) {
            json = json || strcmp(argv[i], "--json") == 0;
        }
        fputs(json ? "{\"error\": {\"message\": \"no memory\"}}\n" : "optdyn: no memory\n", json ? stdout : stderr);
        return EXIT_FAILED;
    }
    c.data = getenv("OPTDYN_DATA");
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof c.invocation - 1; i++) {
        int w = snprintf(c.invocation + used, sizeof c.invocation - used, "%s%s", i > 0 ? " " : "",
                         i > 0 ? argv[i] : "optdyn");
        used += w > 0 ? (size_t)w : 0;
    }
    signal_context = c.ctx;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is found when the output is flushed */
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is found like a full disk */
    int status = read_options(&c, argc, argv);
    progress.began = seconds();
    if (!c.quiet) {
        od_context_on_remark(c.ctx, show_remark, &c);
        if (isatty(STDERR_FILENO)) {
            od_context_on_progress(c.ctx, show_progress, NULL);
        }
    }
    if (status < 0 && c.command == NULL) {
        if (!c.json) {
            help(stderr);
        }
        status = c.json ? cli_usage(&c, "a command is needed; `optdyn --help` lists them") : EXIT_USAGE;
    }
    status = status < 0 ? cli_ranks_open(&c) : status;
    status = status < 0 ? dispatch(&c) : status;
    cli_progress_end();
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE) {
        fprintf(stderr, "optdyn: standard output could not be written: %s\n", strerror(errno));
        status = EXIT_FAILED;
    }
    cli_ranks_close(&c, status);
    signal(SIGINT, SIG_DFL); /* LibTorch takes its time to end, and the context is gone by then */
    signal(SIGTERM, SIG_DFL);
    od_context_free(c.ctx);
    return status;
}
