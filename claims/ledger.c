/* Sets of claims asked about experiments, and what they answer. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cost.h"
#include "ledger.h"

#include "src/context.h"
#include "src/json.h"
#include "src/memory.h"
#include "src/text.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

od_claim *od_claims_append(od_claim_list *list, const char *id, const char *source, const char *statement)
{
    return od_claims_add(list->claim, &list->count, id, source, statement);
}

size_t od_claims_scratch(const od_member *m, size_t n)
{
    const size_t loss = od_scratch_size(&m->problem->scratch, n),
                 flow = m->has_flow ? od_scratch_size(&m->flow.scratch, n) : 0,
                 map = m->has_map ? od_scratch_size(&m->map.scratch, n) : 0, most = flow > map ? flow : map;
    return (loss > most ? loss : most) + 1;
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

/* The first name of neither a set nor a claim, with the nearest; NULL: all are. */
static const char *unknown_name(const char *const *names, const char **nearest)
{
    const char *known[512];
    size_t count = 0;
    for (size_t i = 0; od_claim_sets[i] != NULL; i++) {
        known[count++] = od_claim_sets[i]->name;
        for (size_t k = 0; od_claim_sets[i]->ids[k] != NULL && count < 510; k++) {
            known[count++] = od_claim_sets[i]->ids[k];
        }
    }
    known[count] = NULL;
    for (; *names != NULL; names++) {
        if (!is_among(*names, known)) {
            *nearest = od_text_nearest(*names, known, count);
            return *names;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------ asking */

static bool wants_claim(const char *const *names, const od_claim_set *set, const char *id)
{
    return names[0] == NULL || is_among(set->name, names) || is_among(id, names);
}

static bool wants_set(const char *const *names, const od_claim_set *set)
{
    bool wanted = names[0] == NULL;
    for (size_t i = 0; set->ids[i] != NULL && !wanted; i++) {
        wanted = wants_claim(names, set, set->ids[i]);
    }
    return wanted;
}

static od_ledger_page *add_page(od_ledger *ledger)
{
    if (ledger->pages == ledger->room) {
        const size_t room = 2 * ledger->room + 16;
        od_ledger_page *more = realloc(ledger->page, room * sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        ledger->page = more;
        ledger->room = room;
    }
    ledger->page[ledger->pages] = (od_ledger_page){0};
    return &ledger->page[ledger->pages++];
}

static void keep_claims(od_ledger *ledger, od_ledger_page *page, const char *const *names, od_claim_list *list)
{
    page->claim = list->claim;
    for (size_t i = 0; i < list->count; i++) {
        if (wants_claim(names, page->set, list->claim[i].id)) {
            list->claim[page->count++] = list->claim[i];
            ledger->unexpected += od_claim_surprises(&list->claim[i]);
        }
    }
    ledger->claims += page->count;
}

/* Which experiment is asked about, and how. */
typedef struct question {
    const od_experiment *e;
    const char *yaml, *part; /* of a page */
    const char *const *names;
    bool costly;
} question;

/* One set, one member. */
static od_status ask(od_context *ctx, const od_claim_set *set, const question *q, size_t member, od_ledger *ledger)
{
    od_ledger_page *page = add_page(ledger);
    od_claim_list *list = od_arena_alloc(ledger->arena, 1, sizeof *list);
    if (page == NULL || list == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the ledger");
    }
    list->arena = ledger->arena;
    *page = (od_ledger_page){.set = set,
                             .experiment = q->yaml,
                             .part = q->part,
                             .label = od_arena_print(ledger->arena, "%s", q->e->member[member].label)};
    od_status status = q->costly ? OD_OK : od_claims_check_cost(ctx, set, &q->e->member[member]);
    status = status == OD_OK ? set->find(ctx, q->e, member, list) : status;
    od_problem_explain(ctx, q->e->member[member].problem, status);
    if (status == OD_OK && q->yaml != NULL && list->count == 0) {
        status = od_fail(ctx, OD_EUNSUPPORTED, NULL, "nothing is said of %s any more", page->label);
    }
    if (status != OD_OK && status != OD_ENOMEM && status != OD_EINTERRUPTED) {
        page->skipped = od_arena_print(ledger->arena, "%s", od_message(ctx));
        ledger->unexpected += q->yaml != NULL; /* a standard experiment has claims */
        status = page->skipped != NULL ? OD_OK : OD_ENOMEM;
    }
    keep_claims(ledger, page, q->names, list);
    if (status == OD_ENOMEM || page->label == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the ledger");
    }
    return status == OD_OK && od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : status;
}

od_status od_ledger_open(od_context *ctx, od_ledger *ledger)
{
    openblas_set_num_threads(1); /* the same bits for any number of threads */
    *ledger = (od_ledger){.arena = od_arena_create()};
    return ledger->arena != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the ledger");
}

static od_status ask_standard(od_context *ctx, const od_claim_set *set, const char *const *names,
                              const od_options *options, od_ledger *ledger)
{
    od_status status = OD_OK;
    for (size_t k = 0; set->standard[k] != NULL && status == OD_OK; k++) {
        od_experiment *e = od_experiment_parse(ctx, set->standard[k], options);
        const question q = {.e = e, .yaml = set->standard[k], .names = names, .costly = true};
        status = e != NULL ? OD_OK : OD_EINVAL;
        for (size_t m = 0; status == OD_OK && m < e->member_count; m++) {
            status = ask(ctx, set, &q, m, ledger);
        }
        od_experiment_free(e);
    }
    return status;
}

/* Claims that are declared but were not asked, since what they are about is not recognised any more, are a surprise. */
static od_status check_asked(od_context *ctx, const od_claim_set *set, const char *const *names, size_t first,
                             od_ledger *ledger)
{
    const char *missing = NULL;
    for (size_t i = 0; set->ids[i] != NULL; i++) {
        bool found = !wants_claim(names, set, set->ids[i]);
        for (size_t p = first; p < ledger->pages && !found; p++) {
            const od_ledger_page *page = &ledger->page[p];
            for (size_t k = 0; k < page->count && !found; k++) {
                found = strcmp(page->claim[k].id, set->ids[i]) == 0;
            }
        }
        if (!found) {
            missing = od_arena_print(ledger->arena, "%s%s%s", missing != NULL ? missing : "",
                                     missing != NULL ? ", " : "", set->ids[i]);
        }
    }
    if (missing == NULL) {
        return OD_OK;
    }
    od_ledger_page *page = add_page(ledger);
    if (page == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the ledger");
    }
    *page = (od_ledger_page){.set = set,
                             .experiment = set->standard[0],
                             .label = "",
                             .skipped = od_arena_print(ledger->arena, "no standard experiment asks %s", missing)};
    ledger->unexpected++;
    return OD_OK;
}

od_status od_ledger_standard(od_context *ctx, const char *const *names, const od_options *options, od_ledger *ledger)
{
    od_status status = od_ledger_open(ctx, ledger);
    for (size_t i = 0; od_claim_sets[i] != NULL && status == OD_OK; i++) {
        if (wants_set(names, od_claim_sets[i])) {
            const size_t first = ledger->pages;
            status = ask_standard(ctx, od_claim_sets[i], names, options, ledger);
            status = status == OD_OK ? check_asked(ctx, od_claim_sets[i], names, first, ledger) : status;
        }
    }
    return status;
}

od_status od_ledger_add(od_context *ctx, const od_experiment *e, const char *part, const char *const *names,
                        bool costly, od_ledger *ledger)
{
    const question q = {.e = e, .part = part, .names = names, .costly = costly};
    size_t sets = 0, asked = 0;
    while (od_claim_sets[sets] != NULL) {
        sets++;
    }
    od_status status = OD_OK;
    for (size_t m = 0; m < e->member_count; m++) {
        for (size_t i = 0; i < sets && status == OD_OK; i++, asked++) {
            const double all = (double)(sets * e->member_count);
            od_context_range(ctx, (double)asked / all, (double)(asked + 1) / all);
            od_context_progress(ctx, 0);
            if (wants_set(names, od_claim_sets[i])) {
                status = ask(ctx, od_claim_sets[i], &q, m, ledger);
            }
        }
    }
    od_context_range(ctx, 0, 1);
    return status;
}

void od_ledger_close(od_ledger *ledger)
{
    od_arena_free(ledger->arena);
    free(ledger->page);
}

bool od_claim_surprises(const od_claim *c)
{
    return c->verdict != c->expected;
}

/* ------------------------------------------------------------------------------------------------ writing */

static void write_page(FILE *out, const od_ledger_page *page)
{
    fputs("{\"set\": ", out);
    od_json_text(out, page->set->name);
    fputs(", \"summary\": ", out);
    od_json_text(out, page->set->summary);
    fputs(", \"experiment\": ", out);
    if (page->experiment != NULL) {
        od_json_text(out, page->experiment);
    } else {
        fputs("null", out);
    }
    fputs(", \"part\": ", out);
    if (page->part != NULL) {
        od_json_text(out, page->part);
    } else {
        fputs("null", out);
    }
    fputs(", \"label\": ", out);
    od_json_text(out, page->label);
    fputs(", \"skipped\": ", out);
    if (page->skipped != NULL) {
        od_json_text(out, page->skipped);
    } else {
        fputs("null", out);
    }
    fputs(", \"claims\": ", out);
    od_claims_write_json(out, page->claim, page->count);
    fputs("}", out);
}

void od_ledger_write_json(FILE *out, const od_ledger *ledger)
{
    fprintf(out, "{\"claims\": %zu, \"unexpected\": %zu, \"pages\": [", ledger->claims, ledger->unexpected);
    for (size_t i = 0; i < ledger->pages; i++) {
        fputs(i > 0 ? ",\n " : "\n ", out);
        write_page(out, &ledger->page[i]);
    }
    fputs("]}\n", out);
}

static void put_number(FILE *out, double x)
{
    if (isnan(x)) {
        fprintf(out, " %14s", "-");
    } else {
        fprintf(out, " %14.9g", x);
    }
}

static void put_error(FILE *out, double x)
{
    if (isnan(x)) {
        fprintf(out, " %8s", "-");
    } else {
        fprintf(out, " %8.1e", x);
    }
}

static void text_row(FILE *out, const od_claim *c)
{
    fprintf(out, "%-2s%-28s %-9s %-9s", od_claim_surprises(c) ? "!" : "", c->id, od_verdict_text(c->verdict),
            od_verdict_text(c->expected));
    put_number(out, c->predicted);
    put_number(out, c->measured);
    put_error(out, c->error_integration);
    put_error(out, c->error_sampling);
    put_error(out, c->error_model);
    fprintf(out, "  %s: %s%s%s\n", c->source, c->statement, c->counterexample != NULL ? "; " : "",
            c->counterexample != NULL ? c->counterexample : "");
}

/* Why a set has no claims of one's own experiment; NULL if it has, or an earlier member had the same reason. */
static const char *reason(const od_ledger *ledger, size_t page)
{
    static const char none[] = "none of its claims is about this method, loss, start and time";
    const od_ledger_page *p = &ledger->page[page];
    const char *why = p->skipped != NULL ? p->skipped : none;
    for (size_t i = 0; i < ledger->pages; i++) {
        const od_ledger_page *other = &ledger->page[i];
        const bool same = other->set == p->set && other->part == p->part;
        if (same && (other->count > 0 || (i < page && strcmp(why, other->skipped ? other->skipped : none) == 0))) {
            return NULL;
        }
    }
    return why;
}

static void text_reasons(FILE *out, const od_ledger *ledger)
{
    bool first = true;
    for (size_t i = 0; i < ledger->pages; i++) {
        const od_ledger_page *page = &ledger->page[i];
        const char *why = page->experiment == NULL ? reason(ledger, i) : NULL;
        if (why != NULL) {
            fputs(first ? "\nSets without claims here:\n" : "", out);
            fprintf(out, "  %s%s%s: %s\n", page->part != NULL ? page->part : "", page->part != NULL ? ", " : "",
                    page->set->name, why);
            first = false;
        }
    }
}

/* What stands above the claims of a page. */
static void text_head(FILE *out, const od_ledger_page *page, const od_ledger_page *last)
{
    const bool own = page->experiment == NULL;
    if (last == NULL || last->set != page->set || last->experiment != page->experiment || last->part != page->part) {
        fprintf(out, "\n%s: %s\n", page->set->name, page->set->summary);
        if (!own || page->part != NULL) {
            fprintf(out, "  %s\n", own ? page->part : page->experiment);
        }
    }
    fprintf(out, "%s%s%s", page->label[0] != '\0' ? " " : "", page->label, page->label[0] != '\0' ? "\n" : "");
}

void od_ledger_write_text(FILE *out, const od_ledger *ledger)
{
    fprintf(out, "  %-28s %-9s %-9s %14s %14s %8s %8s %8s  %s\n", "claim", "verdict", "expected", "predicted",
            "measured", "integr.", "sampling", "model", "statement");
    const od_ledger_page *last = NULL;
    for (size_t i = 0; i < ledger->pages; i++) {
        const od_ledger_page *page = &ledger->page[i];
        const bool failed = page->skipped != NULL && page->experiment != NULL;
        if (page->count == 0 && !failed) {
            continue;
        }
        text_head(out, page, last);
        if (failed) {
            fprintf(out, "! %s: %s\n", page->set->name, page->skipped);
        }
        for (size_t k = 0; k < page->count; k++) {
            text_row(out, &page->claim[k]);
        }
        last = page;
    }
    text_reasons(out, ledger);
    fprintf(out, "\n%zu claims, %zu with another verdict than expected\n", ledger->claims, ledger->unexpected);
}

/* ------------------------------------------------------------------------------------------------ the public header */

od_status od_ledger_check_names(od_context *ctx, const char *const *names)
{
    const char *nearest = NULL, *unknown = unknown_name(names, &nearest);
    return unknown == NULL
               ? OD_OK
               : od_fail(ctx, OD_EINVAL, NULL, "there is no claim '%s'%s%s%s; `optdyn list claims` shows all", unknown,
                         nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "'?)" : "");
}

static void write_ledger(FILE *out, bool json, const od_ledger *ledger)
{
    (json ? od_ledger_write_json : od_ledger_write_text)(out, ledger);
}

od_status od_claims_run(od_context *ctx, const char *const *names, const od_options *options, FILE *out, bool json,
                        size_t *unexpected)
{
    od_ledger ledger = {0};
    od_status status = od_ledger_check_names(ctx, names);
    status = status == OD_OK ? od_ledger_standard(ctx, names, options, &ledger) : status;
    *unexpected = ledger.unexpected;
    if (status == OD_OK) {
        write_ledger(out, json, &ledger);
    }
    od_ledger_close(&ledger);
    return status;
}

od_status od_experiment_claims(od_context *ctx, const od_experiment *e, const char *const *names, bool costly,
                               FILE *out, bool json)
{
    od_ledger ledger = {0};
    od_status status = od_ledger_check_names(ctx, names);
    status = status == OD_OK ? od_ledger_open(ctx, &ledger) : status;
    status = status == OD_OK ? od_ledger_add(ctx, e, NULL, names, costly, &ledger) : status;
    if (status == OD_OK) {
        write_ledger(out, json, &ledger);
    }
    od_ledger_close(&ledger);
    return status;
}
