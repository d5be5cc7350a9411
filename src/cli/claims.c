/* `optdyn claims`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

/* On the user's own experiment. */
static od_status ask_own(cli *c)
{
    const od_options options = cli_experiment_options(c);
    od_experiment *e = od_experiment_load(c->ctx, c->on, &options);
    const od_status status = e != NULL ? od_experiment_claims(c->ctx, e, c->arg, stdout, c->json) : OD_EINVAL;
    od_experiment_free(e);
    return status;
}

int cli_claims(cli *c)
{
    if (c->output != NULL) {
        return cli_usage(c, "claims writes no files; --json prints all, and `optdyn report` makes the page");
    }
    if (c->on == NULL && (c->set[0] != NULL || c->seed != NULL)) {
        return cli_usage(c, "the standard experiments are not to be changed; give one of your own by --on FILE");
    }
    const od_options options = {.threads = c->threads, .block = c->block};
    size_t unexpected = 0;
    if (c->on == NULL) {
        od_context_on_remark(c->ctx, NULL, NULL); /* of experiments that nobody wrote */
    }
    const od_status status = c->on != NULL ? ask_own(c)
                                           : od_claims_run(c->ctx, c->arg, &options, stdout, c->json, &unexpected);
    return status != OD_OK ? cli_fail(c, status) : unexpected > 0 ? EXIT_FAILED : EXIT_DONE;
}
