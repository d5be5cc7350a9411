/* `optdyn NAME FILE` for every analysis. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

int cli_analyse(cli *c)
{
    if (c->arg_count != 1) {
        return cli_usage(c, "%s takes one experiment file: optdyn %s FILE", c->command, c->command);
    }
    if (c->output != NULL) {
        return cli_usage(c, "%s writes no files; --json prints all its numbers", c->command);
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
