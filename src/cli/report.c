/* `optdyn report`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "claims/ledger.h"
#include "plots/page.h"
#include "src/json.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static const char no_memory[] = "no memory"; /* where there is none to keep a sentence, either */

static void write_json(const char *page, const od_page_entry *entry, size_t count, const od_ledger *ledger)
{
    fputs("{\"page\": ", stdout);
    od_json_text(stdout, page);
    fputs(", \"figures\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n " : "\n ", stdout);
        if (entry[i].report.name != NULL) {
            od_report_write_json(stdout, &entry[i].report);
            continue;
        }
        fputs("{\"figure\": ", stdout);
        od_json_text(stdout, entry[i].figure->name);
        fputs(entry[i].trouble != NULL ? ", \"error\": " : ", \"skipped\": ", stdout);
        od_json_text(stdout, entry[i].trouble != NULL ? entry[i].trouble : entry[i].skipped);
        fputs("}", stdout);
    }
    fputs("], \"ledger\": ", stdout);
    if (ledger != NULL) {
        od_ledger_write_json(stdout, ledger);
    } else {
        fputs("null", stdout);
    }
    fputs("}\n", stdout);
}

static bool wanted(const cli *c, const char *name)
{
    bool is = c->arg_count == 0;
    for (size_t i = 0; i < c->arg_count; i++) {
        is = is || strcmp(c->arg[i], name) == 0;
    }
    return is;
}

/* Makes one figure; false if that or a number of it is not as it should be. */
static bool make_one(cli *c, od_page_entry *e)
{
    e->skipped = cli_figure_lacks(c, e->figure);
    if (e->skipped != NULL) {
        cli_say(c, "optdyn: %s is left out: %s", e->figure->name, e->skipped);
        return true;
    }
    const od_status status = cli_make_figure(c, e->figure, NULL, &e->report);
    if (status == OD_OK) {
        cli_say(c, "optdyn: %s, %.1f s", e->figure->name, e->report.seconds);
        return !cli_figure_complain(&e->report);
    }
    fprintf(stderr, "optdyn: %s: %s\n", e->figure->name, od_message(c->ctx));
    e->trouble = strdup(od_message(c->ctx));
    e->trouble = e->trouble != NULL ? e->trouble : no_memory;
    od_report_free(&e->report);
    return false;
}

static od_status make_all(cli *c, od_page_entry *entry, size_t *count, bool *good)
{
    for (const od_figure *f = od_figures; f->name != NULL && *count < MOST; f++) {
        if (wanted(c, f->name)) {
            entry[*count].figure = f;
            *good = make_one(c, &entry[*count]) && *good;
            ++*count;
        }
        if (od_cancelled(c->ctx)) {
            return od_fail(c->ctx, OD_EINTERRUPTED, NULL, "interrupted; the figures made so far are in %s", c->output);
        }
    }
    return OD_OK;
}

/* All claims, where no figures are named or "claims" is. */
static od_status make_ledger(cli *c, od_ledger *ledger, bool *good)
{
    const char *const all[] = {NULL};
    const od_options options = {.threads = c->threads, .block = c->block};
    od_context_on_remark(c->ctx, NULL, NULL);
    const od_status status = od_ledger_standard(c->ctx, all, &options, ledger);
    if (status == OD_OK) {
        cli_say(c, "optdyn: %zu claims, %zu with another verdict than expected", ledger->claims, ledger->unexpected);
        *good = *good && ledger->unexpected == 0;
    }
    return status;
}

/* What the figures wanted would take. */
static int plan_all(cli *c)
{
    bool first = true;
    fputs(c->json ? "{\"figures\": [" : "", stdout);
    for (const od_figure *f = od_figures; f->name != NULL; f++) {
        const char *lacks = wanted(c, f->name) ? cli_figure_lacks(c, f) : NULL;
        if (lacks != NULL) {
            cli_say(c, "optdyn: %s is left out: %s", f->name, lacks);
        }
        if (!wanted(c, f->name) || lacks != NULL) {
            continue;
        }
        fputs(c->json && !first ? ",\n " : "", stdout);
        first = false;
        const od_status status = cli_plan_figure(c, f);
        if (status != OD_OK) {
            return cli_fail(c, status);
        }
    }
    fputs(c->json ? "]}\n" : "", stdout);
    return EXIT_DONE;
}

int cli_report(cli *c)
{
    for (size_t i = 0; i < c->arg_count; i++) {
        if (strcmp(c->arg[i], "claims") != 0 && cli_find_figure(c->arg[i]) == NULL) {
            return cli_unknown_figure(c, c->arg[i]);
        }
    }
    c->output = c->output != NULL ? c->output : "site";
    if (c->dry_run) {
        return plan_all(c);
    }
    od_page_entry *entry = calloc(MOST, sizeof *entry);
    if (entry == NULL) {
        return cli_fail(c, od_fail(c->ctx, OD_ENOMEM, NULL, "no memory for the page"));
    }
    od_ledger ledger = {0};
    size_t count = 0;
    bool good = true;
    char page[4200];
    snprintf(page, sizeof page, "%.4000s/index.html", c->output);
    od_status status = make_all(c, entry, &count, &good);
    const bool claims = wanted(c, "claims");
    status = status == OD_OK && claims ? make_ledger(c, &ledger, &good) : status;
    status = status == OD_OK ? od_page_write(c->ctx, c->output, entry, count, claims ? &ledger : NULL) : status;
    int exit_status = good ? EXIT_DONE : EXIT_FAILED;
    if (status != OD_OK) {
        exit_status = cli_fail(c, status);
    } else if (c->json) {
        write_json(page, entry, count, claims ? &ledger : NULL);
    } else {
        puts(page);
    }
    for (size_t i = 0; i < count; i++) {
        od_report_free(&entry[i].report);
        free(entry[i].trouble != no_memory ? (char *)entry[i].trouble : NULL);
    }
    free(entry);
    od_ledger_close(&ledger);
    return exit_status;
}
