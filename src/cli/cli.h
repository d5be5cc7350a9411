/* What the commands of the program share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CLI_H
#define OD_CLI_H

#include "optdyn.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

enum { CLI_MAX_SET = 256, CLI_MAX_ARGS = 256, CLI_MAX_OPTIONS = 32 };

struct od_figure;
struct od_mpi_api;
struct od_report;

/** The command line after reading. */
typedef struct cli {
    od_context *ctx;
    const char *command;
    size_t arg_count;
    const char *arg[CLI_MAX_ARGS + 1]; /* ends with NULL */
    const char *set[CLI_MAX_SET + 2];  /* ends with NULL; one more for --verify */
    const char *output, *seed, *data, *on, *kind, *title;
    bool given[CLI_MAX_OPTIONS]; /* as in cli_options */
    unsigned threads, block, shard, shards;
    double checkpoint; /* seconds, as in od_options */
    bool json, quiet, dry_run, preview, all, full, verify;
    od_ranks ranks;               /* size 0: started alone */
    const struct od_mpi_api *mpi; /* what the ranks speak through, or NULL */
    bool said_by_first;           /* rank 0 reports the same failure */
    char invocation[2048];
    char remark[1024]; /* the last one shown; members of one file often cause the same */
} cli;

/** One command: its name, what it takes, one line, and its function, which returns the exit status. */
typedef struct cli_command {
    const char *name, *takes, *summary;
    int (*run)(cli *c);
} cli_command;

/** One option; value is NULL for a switch, else what the value is called. `of` names the commands that know it, with
 * blanks between, `analyses` for every analysis; NULL: all. */
typedef struct cli_option {
    const char *name, *value, *of, *meaning;
} cli_option;

extern const cli_command cli_commands[]; /* ends with a row whose name is NULL */
extern const cli_option cli_options[];

/** Reports the context's failure (as JSON if asked for) and returns the exit status that belongs to `status`. */
int cli_fail(cli *c, od_status status);
/** Reports a mistake in the command line. */
int cli_usage(cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A remark on standard error unless --quiet. */
void cli_say(const cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The options of the library that the command line gives. */
od_options cli_experiment_options(const cli *c);
/** Ends a progress line on the terminal, if one is open. */
void cli_progress_end(void);

/** Prints what a run gave, and why it ended if that was too early; returns the exit status. */
int cli_show_result(cli *c, od_status status, const od_result *result);

/** Finds the other ranks if there are any; returns an exit status, or -1 to go on. */
int cli_ranks_open(cli *c);
/** Leaves the ranks, or ends them all after a failure. */
void cli_ranks_close(cli *c, int exit_status);
/** All ranks call it when they know whether they could begin: what rank 0 fails at, it says for all. */
void cli_ranks_agree(cli *c, bool failed);
/** Asked before a failure is reported: false if rank 0 reports it; else what to say in front. */
bool cli_ranks_speak(const cli *c, char prefix[32]);

/** What a parameter's value is: a number, a choice, ... */
const char *cli_kind_name(od_kind kind);
/** The range of a parameter as `[0, inf)`, its choices, or an empty text. */
void cli_range_text(const od_param *p, char text[256]);

/** A known figure by its name, or NULL. */
const struct od_figure *cli_find_figure(const char *name);
/** Reports that there is none, with the nearest name. */
int cli_unknown_figure(cli *c, const char *name);
/** What keeps a figure from being made, as a sentence of constant text: no data sets, no networks; NULL: nothing. */
const char *cli_figure_lacks(cli *c, const struct od_figure *figure);
/** Makes and draws one figure, the user's own `file` if `figure` is NULL. */
od_status cli_make_figure(cli *c, const struct od_figure *figure, const char *file, struct od_report *report);
/** Writes what making this figure would take, followed by a line's end unless `json`. */
od_status cli_plan_figure(cli *c, const struct od_figure *figure);
/** Says which number of the figure is not as it should be; false if all are. */
bool cli_figure_complain(const struct od_report *report);

/** What `bench` measures: its i-th name, NULL behind the last. */
const char *cli_bench_name(size_t i);

int cli_run(cli *c);
int cli_resume(cli *c);
int cli_merge(cli *c);
int cli_analyse(cli *c);
int cli_figure(cli *c);
int cli_report(cli *c);
int cli_claims(cli *c);
int cli_check(cli *c);
int cli_list(cli *c);
int cli_describe(cli *c);
int cli_bench(cli *c);
int cli_completion(cli *c);
int cli_manual(cli *c);

#endif
