/*
 * The gallery: every figure with its caption, the numbers that were checked, the experiments and the command that
 * remakes it. Plain HTML without scripts, so that it works from a file system.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "page.h"

#include "figure_texts.h"

#include "src/file.h"

#include <math.h>
#include <string.h>

/* As text or as the value of an attribute in double quotes. */
static void put(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity != NULL) {
            fputs(entity, out);
        } else {
            fputc(*text, out);
        }
    }
}

static void put_head(FILE *out, const od_page_entry *entry, size_t count, bool claims)
{
    size_t made = 0, numbers = 0, bad = 0;
    for (size_t i = 0; i < count; i++) {
        made += entry[i].report.name != NULL;
        for (size_t j = 0; j < entry[i].report.number_count; j++) {
            numbers += entry[i].report.unjudged == NULL;
            bad += entry[i].report.unjudged == NULL && !entry[i].report.number[j].ok;
        }
    }
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>optdyn: figures</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n",
          out);
    fputs(od_site_css, out);
    fprintf(out,
            "</style>\n</head>\n<body>\n<header>\n<h1>Optimizers as dynamical systems</h1>\n"
            "<p>%zu figure%s made by optdyn %s. %zu numbers in them were compared with references of another origin; "
            "<span class=\"%s\">%zu differ</span> by more than their errors.</p>\n</header>\n<nav>\n<ul>\n",
            made, made == 1 ? "" : "s", od_version(), numbers, bad > 0 ? "bad" : "good", bad);
    for (size_t i = 0; i < count; i++) {
        fputs("<li><a href=\"#", out);
        put(out, entry[i].figure->name);
        fputs("\">", out);
        put(out, entry[i].figure->name);
        fputs("</a>: ", out);
        put(out, entry[i].figure->summary);
        fputs("</li>\n", out);
    }
    fputs(claims ? "<li><a href=\"#claims\">claims</a>: statements of the literature, judged</li>\n" : "", out);
    fputs("</ul>\n</nav>\n<main>\n", out);
}

static void put_numbers(FILE *out, const od_report *r)
{
    if (r->number_count == 0) {
        return;
    }
    fprintf(out, "<details>\n<summary>%zu numbers checked</summary>\n", r->number_count);
    if (r->unjudged != NULL) {
        fputs("<p>Not judged: ", out);
        put(out, r->unjudged);
        fputs(".</p>\n", out);
    }
    fputs("<div class=\"wide\">\n<table>\n<tr><th>number</th><th>found</th><th>known</th><th>error: integration</th>"
          "<th>sampling</th><th>model</th><th>known from</th></tr>\n",
          out);
    for (size_t i = 0; i < r->number_count; i++) {
        const od_number *x = &r->number[i];
        fprintf(out, "<tr><td class=\"%s\">", r->unjudged != NULL ? "soft" : x->ok ? "good" : "bad");
        put(out, x->name);
        fprintf(out, "</td><td>%.10g</td><td>%.10g</td><td>%.2g</td><td>%.2g</td><td>%.2g</td><td>", x->got, x->want,
                x->integration, x->sampling, x->model);
        put(out, x->source);
        fputs("</td></tr>\n", out);
    }
    fputs("</table>\n</div>\n</details>\n", out);
}

/* Names of the report's files are ROOT/NAME/...; the page stands in ROOT. */
static void put_files(FILE *out, const od_report *r)
{
    const size_t root = strlen(r->folder) - strlen(r->name);
    fputs("<details>\n<summary>Data and pictures</summary>\n<ul>\n", out);
    for (size_t i = 0; i < r->file_count; i++) {
        const char *name = strlen(r->file[i]) > root ? r->file[i] + root : r->file[i];
        fputs("<li><a href=\"", out);
        put(out, name);
        fputs("\">", out);
        put(out, name);
        fputs("</a></li>\n", out);
    }
    fputs("</ul>\n</details>\n", out);
}

static void put_figure(FILE *out, const od_page_entry *e)
{
    const od_report *r = &e->report;
    const char *name = e->figure->name;
    fprintf(out, "<section id=\"%s\">\n<h2>%s: ", name, name);
    put(out, e->figure->summary);
    fputs("</h2>\n", out);
    if (r->name == NULL) {
        fprintf(out, "<p class=\"%s\">%s: ", e->trouble != NULL ? "bad" : "soft",
                e->trouble != NULL ? "Not made" : "Left out");
        put(out, e->trouble != NULL ? e->trouble : e->skipped);
        fputs(".</p>\n</section>\n", out);
        return;
    }
    fprintf(out,
            "<figure>\n<picture><source type=\"image/svg+xml\" srcset=\"%s/%s.svg\"><img src=\"%s/%s.png\" "
            "alt=\"",
            name, name, name, name);
    put(out, e->figure->summary);
    fputs("\"></picture>\n<figcaption>", out);
    put(out, r->caption != NULL ? r->caption : "");
    fputs("</figcaption>\n</figure>\n", out);
    put_numbers(out, r);
    fprintf(out, "<details>\n<summary>Experiments, and how to remake it</summary>\n<pre>optdyn figure %s</pre>\n<pre>",
            name);
    put(out, e->figure->yaml);
    fprintf(out, "</pre>\n<p class=\"soft\">The runs took %.1f s.</p>\n</details>\n", r->seconds);
    put_files(out, r);
    fputs("</section>\n", out);
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
    fputs("<tr><td>", out);
    put(out, c->id);
    fprintf(out, "</td><td class=\"%s\">%s%s</td><td>",
            surprise                 ? "bad"
            : c->verdict == OD_HOLDS ? "good"
                                     : "soft",
            od_verdict_text(c->verdict), surprise ? ", not expected" : "");
    put_real(out, true, c->predicted);
    put_real(out, true, c->measured);
    put_real(out, false, c->error_integration);
    put_real(out, false, c->error_sampling);
    put_real(out, false, c->error_model);
    put(out, c->source);
    fputs(": ", out);
    put(out, c->statement);
    if (c->counterexample != NULL) {
        fputs("; ", out);
        put(out, c->counterexample);
    }
    fputs("</td></tr>\n", out);
}

static void put_claims(FILE *out, const od_ledger_page *page)
{
    fputs("<details>\n<summary>", out);
    put(out, page->label);
    fprintf(out, ": %zu claims%s", page->count, page->skipped != NULL ? "; <span class=\"bad\">failed: " : "");
    if (page->skipped != NULL) {
        put(out, page->skipped);
        fputs("</span>", out);
    }
    fputs("</summary>\n<pre>", out);
    put(out, page->experiment != NULL ? page->experiment : "");
    fputs("</pre>\n<div class=\"wide\">\n<table>\n<tr><th>claim</th><th>verdict</th><th>predicted</th>"
          "<th>measured</th><th>error: integration</th><th>sampling</th><th>model</th><th>statement</th></tr>\n",
          out);
    for (size_t i = 0; i < page->count; i++) {
        put_claim(out, &page->claim[i]);
    }
    fputs("</table>\n</div>\n</details>\n", out);
}

static void put_ledger(FILE *out, const od_ledger *ledger)
{
    fprintf(out,
            "<section id=\"claims\">\n<h2>Claims of the literature</h2>\n<p>%zu statements, each predicted, measured "
            "and judged; <span class=\"%s\">%zu verdicts differ</span> from what theory says they must be. A statement "
            "that fails as printed stands beside the corrected one.</p>\n<pre>optdyn claims</pre>\n",
            ledger->claims, ledger->unexpected > 0 ? "bad" : "good", ledger->unexpected);
    for (size_t i = 0; i < ledger->pages; i++) {
        const od_ledger_page *page = &ledger->page[i];
        if (i == 0 || page->set != page[-1].set) {
            fprintf(out, "<h3>%s: ", page->set->name);
            put(out, page->set->summary);
            fputs("</h3>\n", out);
        }
        put_claims(out, page);
    }
    fputs("</section>\n", out);
}

od_status od_page_write(od_context *ctx, const char *folder, const od_page_entry *entry, size_t count,
                        const od_ledger *ledger)
{
    od_file file;
    od_status status = od_file_open(ctx, &file, folder, "index.html");
    if (status != OD_OK) {
        return status;
    }
    put_head(file.out, entry, count, ledger != NULL);
    for (size_t i = 0; i < count; i++) {
        put_figure(file.out, &entry[i]);
    }
    if (ledger != NULL) {
        put_ledger(file.out, ledger);
    }
    fputs("</main>\n</body>\n</html>\n", file.out);
    return od_file_commit(ctx, &file);
}
