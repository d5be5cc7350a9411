/* `optdyn resume` and `optdyn merge`: runs that were put down, and runs in shares. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "cli.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The command that began the run: results say how they were made, and this is how. */
static void read_command(const char *file, char command[2048])
{
    static const char mark[] = "# command: ";
    char line[2048 + sizeof mark];
    FILE *in = fopen(file, "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL && line[0] == '#') {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, mark, strlen(mark)) == 0) {
            snprintf(command, 2048, "%.2047s", line + strlen(mark));
        }
    }
    if (in != NULL) {
        fclose(in);
    }
}

/* The experiment that lies in a folder of results, with the folder as its own. */
static od_experiment *load_from(cli *c, const char *folder, const char *output)
{
    char file[4096];
    if ((size_t)snprintf(file, sizeof file, "%s/experiment.yaml", folder) >= sizeof file) {
        cli_usage(c, "the folder name is too long");
        return NULL;
    }
    struct stat about;
    if (stat(file, &about) != 0) {
        cli_usage(c, "there is no %s: %s holds no run of optdyn; `optdyn run FILE -o %s` begins one", file, folder,
                  folder);
        return NULL;
    }
    od_options options = cli_experiment_options(c);
    read_command(file, c->invocation);
    options.output = output;
    options.data = NULL; /* the folder knows where its data were; OPTDYN_DATA may be another session's */
    options.shard = c->shard;
    options.shards = c->shards;
    od_experiment *e = od_experiment_load(c->ctx, file, &options);
    cli_ranks_agree(c, e == NULL);
    if (e == NULL) {
        cli_fail(c, OD_EINVAL);
    }
    return e;
}

/* Adds the journals of shards in a folder to those found; the status of glob. */
static int add_journals(const char *folder, glob_t *found)
{
    char pattern[4096];
    size_t used = 0;
    for (const char *p = folder; *p != '\0' && used < sizeof pattern - 64; p++) {
        if (strchr("*?[\\", *p) != NULL) {
            pattern[used++] = '\\'; /* the folder's own name is no pattern */
        }
        pattern[used++] = *p;
    }
    snprintf(pattern + used, sizeof pattern - used, "/shard-*-of-*.journal");
    return glob(pattern, found->gl_pathc > 0 ? GLOB_APPEND : 0, NULL, found);
}

/* True if what there is of the run are shares of it. */
static bool holds_shares(const char *folder)
{
    char whole[4096];
    glob_t found = {0};
    snprintf(whole, sizeof whole, "%.4000s/run.journal", folder);
    const bool any = access(whole, F_OK) != 0 && add_journals(folder, &found) == 0;
    globfree(&found);
    return any;
}

int cli_resume(cli *c)
{
    if (c->arg_count != 1) {
        return cli_usage(c, "resume takes the folder of one run: optdyn resume DIR");
    }
    if (c->output != NULL || c->set[0] != NULL || c->seed != NULL || c->dry_run) {
        return cli_usage(
            c, "resume goes on with the run as it is; -o, --set, --seed and --dry-run belong to `optdyn run`");
    }
    od_experiment *e = load_from(c, c->arg[0], c->arg[0]);
    if (e == NULL) {
        return EXIT_USAGE;
    }
    if (od_experiment_complete(e)) {
        od_experiment_free(e);
        cli_say(c, "the run in %s is complete", c->arg[0]);
        if (c->json && c->ranks.rank == 0) {
            puts("{\"complete\": true}");
        }
        return EXIT_DONE;
    }
    if (c->shards == 0 && c->ranks.size <= 1 && holds_shares(c->arg[0])) {
        od_experiment_free(e);
        return cli_usage(c,
                         "%s holds shares of a run; `optdyn resume %s --shard I/N` goes on with one, `mpirun -n N "
                         "optdyn resume %s` with those of N ranks, and `optdyn merge` puts complete ones together",
                         c->arg[0], c->arg[0], c->arg[0]);
    }
    od_result *result = NULL;
    const od_status status = od_experiment_run(c->ctx, e, &result);
    const int exit_code = cli_show_result(c, status, result);
    od_result_free(result);
    od_experiment_free(e);
    return exit_code;
}

/* The journals of shards in all folders. */
static int find_journals(cli *c, glob_t *found)
{
    for (size_t i = 0; i < c->arg_count; i++) {
        const int status = add_journals(c->arg[i], found);
        if (status != 0 && status != GLOB_NOMATCH) {
            return cli_usage(c, "%s cannot be searched for shards", c->arg[i]);
        }
    }
    return found->gl_pathc > 0 ? EXIT_DONE
                               : cli_usage(c,
                                           "there are no shards (shard-I-of-N.journal) in %s; `optdyn run FILE "
                                           "--shard I/N -o DIR` makes one",
                                           c->arg[0]);
}

int cli_merge(cli *c)
{
    if (c->arg_count == 0) {
        return cli_usage(c, "merge takes the folders of the shards: optdyn merge DIR...");
    }
    if (c->shards > 0) {
        return cli_usage(c,
                         "merge takes all shards that it finds; --shard belongs to `optdyn run` and `optdyn resume`");
    }
    glob_t found = {0};
    int exit_code = find_journals(c, &found);
    od_experiment *e = exit_code == EXIT_DONE ? load_from(c, c->arg[0], c->output != NULL ? c->output : c->arg[0])
                                              : NULL;
    if (e != NULL) {
        od_result *result = NULL;
        const od_status status = od_experiment_merge(c->ctx, e, (const char *const *)found.gl_pathv, &result);
        exit_code = cli_show_result(c, status, result);
        od_result_free(result);
        od_experiment_free(e);
    } else if (exit_code == EXIT_DONE) {
        exit_code = EXIT_USAGE;
    }
    globfree(&found);
    return exit_code;
}
