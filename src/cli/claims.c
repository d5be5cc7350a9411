/* `optdyn claims`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "claims/ledger.h"
#include "src/document.h"

#include <stdlib.h>
#include <string.h>

/* A figure's text: experiments under headings, and a caption that no experiment has. */
static bool is_figure(const od_node *root)
{
    return root->kind == OD_NODE_MAP && od_node_item(root, "caption") != NULL;
}

static bool is_experiment(const od_node *node)
{
    static const char *const key[] = {"problem", "method", "compare"};
    bool found = false;
    for (size_t i = 0; i < sizeof key / sizeof *key && node->kind == OD_NODE_MAP; i++) {
        found = found || od_node_item(node, key[i]) != NULL;
    }
    return found;
}

/* One experiment of a figure. */
static od_status ask_part(cli *c, const od_node *node, const char *part, od_ledger *ledger)
{
    const od_options options = cli_experiment_options(c);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
    }
    od_node_write(out, node);
    fclose(out);
    od_experiment *e = part != NULL && text != NULL ? od_experiment_parse(c->ctx, text, &options) : NULL;
    const od_status status = e != NULL ? od_ledger_add(c->ctx, e, part, c->arg, c->all, ledger) : OD_EINVAL;
    od_experiment_free(e);
    free(text);
    return status;
}

static od_status ask_figure(cli *c, const od_node *root, od_ledger *ledger)
{
    od_status status = OD_OK;
    for (size_t i = 0; i < root->count && status == OD_OK; i++) {
        const od_node *node = root->item[i];
        if (is_experiment(node)) {
            status = ask_part(c, node, od_arena_print(ledger->arena, "%s", root->key[i]), ledger);
            continue;
        }
        for (size_t k = 0; node->kind == OD_NODE_MAP && k < node->count && status == OD_OK; k++) {
            const char *part = od_arena_print(ledger->arena, "%s.%s", root->key[i], node->key[k]);
            status = is_experiment(node->item[k]) ? ask_part(c, node->item[k], part, ledger) : OD_OK;
        }
    }
    return status == OD_OK && ledger->pages == 0
               ? od_fail(c->ctx, OD_EINVAL, NULL, "%s is a figure without an experiment, so there is nothing to ask",
                         c->on)
               : status;
}

static od_status ask_experiment(cli *c, od_ledger *ledger)
{
    const od_options options = cli_experiment_options(c);
    od_experiment *e = od_experiment_load(c->ctx, c->on, &options);
    const od_status status = e != NULL ? od_ledger_add(c->ctx, e, NULL, c->arg, c->all, ledger) : OD_EINVAL;
    od_experiment_free(e);
    return status;
}

/* On the user's own experiment, or on those of a figure. */
static od_status ask_own(cli *c)
{
    od_ledger ledger = {0};
    od_status status = od_ledger_check_names(c->ctx, c->arg);
    status = status == OD_OK ? od_ledger_open(c->ctx, &ledger) : status;
    /* standard input can be read but once */
    const od_node *root = status == OD_OK && strncmp(c->on, "/dev/", 5) != 0
                              ? od_document_read(c->ctx, ledger.arena, c->on)
                              : NULL;
    if (status == OD_OK) {
        status = root != NULL && is_figure(root) ? ask_figure(c, root, &ledger) : ask_experiment(c, &ledger);
    }
    if (status == OD_OK) {
        cli_progress_end();
        (c->json ? od_ledger_write_json : od_ledger_write_text)(stdout, &ledger);
    }
    od_ledger_close(&ledger);
    return status;
}

int cli_claims(cli *c)
{
    if (c->output != NULL) {
        return cli_usage(c, "claims writes no files; --json prints all, and `optdyn report` makes the page");
    }
    if (c->on == NULL && (c->set[0] != NULL || c->seed != NULL || c->all)) {
        return cli_usage(c, c->all
                                ? "--all is for --on FILE; on the standard experiments all are asked"
                                : "the standard experiments are not to be changed; give one of your own by --on FILE");
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
