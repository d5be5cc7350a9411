/*
 * The ledger as a page: a table for each set and run, with the verdict as a class of each row. Which rows are shown is
 * chosen by radio buttons and CSS alone, so it works without scripts.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "page.h"

#include "src/file.h"

#include <math.h>
#include <string.h>

/* The filters: the class of the rows that stay; site.css hides the others. */
static const struct {
    const char *name, *label;
} filters[] = {
    {"all", "all"}, {"holds", "hold"}, {"fails", "fail"}, {"undecided", "undecided"}, {"surprise", "not as expected"}};

enum { FILTERS = sizeof filters / sizeof *filters, VERDICTS = 3 };

static bool passes(const od_claim *c, size_t filter)
{
    return filter == 0             ? true
           : filter < 1 + VERDICTS ? strcmp(filters[filter].name, od_verdict_text(c->verdict)) == 0
                                   : od_claim_surprises(c);
}

static size_t count_claims(const od_ledger_page *page, size_t pages, size_t filter)
{
    size_t count = 0;
    for (size_t i = 0; i < pages; i++) {
        for (size_t j = 0; j < page[i].count; j++) {
            count += passes(&page[i].claim[j], filter);
        }
    }
    return count;
}

/* A cell, and the beginning of the next one. */
static void put_real(FILE *out, bool digits, double x)
{
    if (isnan(x)) {
        fputs("</td><td>", out);
    } else {
        fprintf(out, digits ? "%.10g</td><td>" : "%.2g</td><td>", x);
    }
}

static void put_claim(FILE *out, const od_claim *c)
{
    const bool surprise = od_claim_surprises(c);
    const char *verdict = od_verdict_text(c->verdict);
    fprintf(out, "<tr class=\"row %s%s\"><td>", verdict, surprise ? " surprise" : "");
    od_html_text(out, c->id);
    fprintf(out, "</td><td class=\"%s\">%s%s</td><td>",
            surprise                 ? "bad"
            : c->verdict == OD_HOLDS ? "good"
                                     : "soft",
            verdict, surprise ? ", not expected" : "");
    put_real(out, true, c->predicted);
    put_real(out, true, c->measured);
    put_real(out, false, c->error_integration);
    put_real(out, false, c->error_sampling);
    put_real(out, false, c->error_model);
    od_html_text(out, c->source);
    fputs(": ", out);
    od_html_text(out, c->statement);
    if (c->counterexample != NULL) {
        fputs("; ", out);
        od_html_text(out, c->counterexample);
    }
    fputs("</td></tr>\n", out);
}

/* The classes that say which filters leave something of it. */
static void put_classes(FILE *out, const od_ledger_page *page, size_t pages)
{
    for (size_t f = 1; f < FILTERS; f++) {
        fprintf(out, "%s%s", count_claims(page, pages, f) > 0 ? " has-" : "",
                count_claims(page, pages, f) > 0 ? filters[f].name : "");
    }
}

static void put_table(FILE *out, const od_ledger_page *page)
{
    fputs("<div class=\"part", out);
    put_classes(out, page, 1);
    /* what failed to be asked counts as unexpected, and is always shown */
    fprintf(out, "%s\">\n<h3>", page->skipped != NULL ? " has-surprise has-holds has-fails has-undecided" : "");
    od_html_text(out, page->label);
    fputs("</h3>\n", out);
    if (page->skipped != NULL) {
        fputs("<p class=\"bad\">Failed: ", out);
        od_html_text(out, page->skipped);
        fputs(".</p>\n", out);
    }
    fputs("<details>\n<summary>its experiment</summary>\n<pre>", out);
    od_html_text(out, page->experiment != NULL ? page->experiment : "");
    fputs("</pre>\n</details>\n<div class=\"wide\">\n<table>\n<tr><th>claim</th><th>verdict</th><th>predicted</th>"
          "<th>measured</th><th>error: integration</th><th>sampling</th><th>model</th><th>statement</th></tr>\n",
          out);
    for (size_t i = 0; i < page->count; i++) {
        put_claim(out, &page->claim[i]);
    }
    fputs("</table>\n</div>\n</div>\n", out);
}

/* Pages of one set stand together. */
static size_t pages_of_set(const od_ledger *ledger, size_t first)
{
    size_t count = 1;
    while (first + count < ledger->pages && ledger->page[first + count].set == ledger->page[first].set) {
        count++;
    }
    return count;
}

static void put_head(FILE *out, const od_ledger *ledger)
{
    od_html_head(out, "claims");
    fprintf(
        out,
        "<header>\n<h1>Claims of the literature</h1>\n<p>%zu statements, each predicted, measured and judged by optdyn "
        "%s; <span class=\"%s\">%zu verdicts differ</span> from what theory says they must be. A statement that fails "
        "as printed stands beside the corrected one. Numbers are those of one run; errors say how far it may be off. "
        "<a href=\"index.html\">The figures</a></p>\n<pre>optdyn claims</pre>\n</header>\n",
        ledger->claims, od_version(), ledger->unexpected > 0 ? "bad" : "good", ledger->unexpected);
    for (size_t f = 0; f < FILTERS; f++) {
        fprintf(out, "<input type=\"radio\" name=\"show\" id=\"show-%s\"%s><label for=\"show-%s\">%s (%zu)</label>\n",
                filters[f].name, f == 0 ? " checked" : "", filters[f].name, filters[f].label,
                count_claims(ledger->page, ledger->pages, f));
    }
}

od_status od_claims_page_write(od_context *ctx, const char *folder, const od_ledger *ledger)
{
    od_file file;
    od_status status = od_file_open(ctx, &file, folder, OD_CLAIMS_PAGE);
    if (status != OD_OK) {
        return status;
    }
    FILE *out = file.out;
    put_head(out, ledger);
    fputs("<nav>\n<ul>\n", out);
    for (size_t i = 0; i < ledger->pages; i += pages_of_set(ledger, i)) {
        const od_claim_set *set = ledger->page[i].set;
        fprintf(out, "<li><a href=\"#%s\">%s</a></li>\n", set->name, set->name);
    }
    fputs("</ul>\n</nav>\n<main>\n", out);
    for (size_t i = 0, count; i < ledger->pages; i += count) {
        const od_ledger_page *page = &ledger->page[i];
        count = pages_of_set(ledger, i);
        fprintf(out, "<section id=\"%s\">\n<h2>%s: ", page->set->name, page->set->name);
        od_html_text(out, page->set->summary);
        fputs("</h2>\n", out);
        for (size_t j = 0; j < count; j++) {
            put_table(out, &page[j]);
        }
        fputs("</section>\n", out);
    }
    fputs("</main>\n</body>\n</html>\n", out);
    return od_file_commit(ctx, &file);
}
