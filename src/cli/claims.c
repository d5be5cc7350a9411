/* `optdyn claims`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "claims/ledger.h"

/* Fills the ledger from the user's own experiment. */
static od_status ask_own(cli *c, od_ledger *ledger)
{
    const od_options options = cli_experiment_options(c);
    od_experiment *e = od_experiment_load(c->ctx, c->on, &options);
    const od_status status = e != NULL ? od_ledger_on(c->ctx, e, c->arg, ledger) : OD_EINVAL;
    od_experiment_free(e);
    return status;
}

int cli_claims(cli *c)
{
    const char *nearest = NULL, *unknown = od_ledger_unknown(c->arg, &nearest);
    if (unknown != NULL) {
        return cli_usage(c, "there is no claim '%s'%s%s%s; `optdyn list claims` shows all", unknown,
                         nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "'?" : "");
    }
    if (c->output != NULL) {
        return cli_usage(c, "claims writes no files; --json prints all, and `optdyn report` makes the page");
    }
    if (c->on == NULL && c->set[0] != NULL) {
        return cli_usage(c, "the standard experiments are not to be changed; give one of your own by --on FILE");
    }
    od_ledger ledger = {0};
    const od_options options = {.threads = c->threads, .block = c->block};
    if (c->on == NULL) {
        od_context_on_remark(c->ctx, NULL, NULL); /* of experiments that nobody wrote */
    }
    od_status status = c->on != NULL ? ask_own(c, &ledger) : od_ledger_standard(c->ctx, c->arg, &options, &ledger);
    int exit_status = EXIT_DONE;
    if (status != OD_OK) {
        exit_status = cli_fail(c, status);
    } else {
        cli_progress_end(c);
        (c->json ? od_ledger_write_json : od_ledger_write_text)(stdout, &ledger);
        exit_status = c->on == NULL && ledger.unexpected > 0 ? EXIT_FAILED : EXIT_DONE;
    }
    od_ledger_close(&ledger);
    return exit_status;
}
