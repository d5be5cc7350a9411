/* `optdyn NAME FILE` for every analysis. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <string.h>

/* True if the analysis of this command has a parameter of this name. */
static bool takes(const cli *c, const char *name)
{
    size_t i = 0;
    while (strcmp(od_analysis_types[i]->name, c->command) != 0) {
        i++;
    }
    const od_param *p = od_analysis_types[i]->params;
    while (p->name != NULL && strcmp(p->name, name) != 0) {
        p++;
    }
    return p->name != NULL;
}

/* --verify is short for --set NAME.verify=true. Returns an exit status, or -1 to go on. */
static int set_verify(cli *c, char *room, size_t size)
{
    size_t last = 0;
    if (!takes(c, "verify")) {
        return cli_usage(c, "%s has no second algorithm to verify it; remove --verify", c->command);
    }
    while (c->set[last] != NULL) {
        last++;
    }
    snprintf(room, size, "%s.verify=true", c->command);
    c->set[last] = room;
    return -1;
}

int cli_analyse(cli *c)
{
    char verify[64];
    if (c->arg_count != 1) {
        return cli_usage(c, "%s takes one experiment file: optdyn %s FILE", c->command, c->command);
    }
    if (c->output != NULL && !takes(c, "certificate")) {
        return cli_usage(c, "%s writes no files; --json prints all its numbers", c->command);
    }
    const int exit_status = c->verify ? set_verify(c, verify, sizeof verify) : -1;
    if (exit_status >= 0) {
        return exit_status;
    }
    const od_options options = cli_experiment_options(c);
    od_experiment *e = od_experiment_load(c->ctx, c->arg[0], &options);
    if (e == NULL) {
        return cli_fail(c, OD_EINVAL);
    }
    od_status status = c->dry_run ? od_experiment_plan(c->ctx, e, stdout, c->json)
                                  : od_experiment_analyse(c->ctx, e, c->command, stdout, c->json);
    od_experiment_free(e);
    return status == OD_OK ? EXIT_DONE : cli_fail(c, status);
}
