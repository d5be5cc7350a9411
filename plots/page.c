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

void od_html_text(FILE *out, const char *text)
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

void od_html_head(FILE *out, const char *title)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<title>optdyn: %s</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n",
            title);
    fputs(od_site_css, out);
    fputs("</style>\n</head>\n<body>\n", out);
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
    od_html_head(out, "figures");
    fprintf(out,
            "<header>\n<h1>Optimizers as dynamical systems</h1>\n"
            "<p>%zu figure%s made by optdyn %s. %zu numbers in them were compared with references of another origin; "
            "<span class=\"%s\">%zu differ</span> by more than their errors.</p>\n</header>\n<nav>\n<ul>\n",
            made, made == 1 ? "" : "s", od_version(), numbers, bad > 0 ? "bad" : "good", bad);
    for (size_t i = 0; i < count; i++) {
        fputs("<li><a href=\"#", out);
        od_html_text(out, entry[i].figure->name);
        fputs("\">", out);
        od_html_text(out, entry[i].figure->name);
        fputs("</a>: ", out);
        od_html_text(out, entry[i].figure->summary);
        fputs("</li>\n", out);
    }
    fputs(claims ? "<li><a href=\"" OD_CLAIMS_PAGE "\">claims</a>: statements of the literature, judged</li>\n" : "",
          out);
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
        od_html_text(out, r->unjudged);
        fputs(".</p>\n", out);
    }
    fputs("<div class=\"wide\">\n<table>\n<tr><th>number</th><th>found</th><th>known</th><th>error: integration</th>"
          "<th>sampling</th><th>model</th><th>known from</th></tr>\n",
          out);
    for (size_t i = 0; i < r->number_count; i++) {
        const od_number *x = &r->number[i];
        fprintf(out, "<tr><td class=\"%s\">",
                r->unjudged != NULL || (x->result && x->ok) ? "soft"
                : x->ok                                     ? "good"
                                                            : "bad");
        od_html_text(out, x->name);
        fprintf(out, "</td><td>%.10g</td><td>", x->got);
        if (x->result) {
            fputs("a result</td><td></td><td></td><td></td><td>", out);
        } else {
            fprintf(out, "%.10g</td><td>%.2g</td><td>%.2g</td><td>%.2g</td><td>", x->want, x->integration, x->sampling,
                    x->model);
        }
        od_html_text(out, x->source);
        fputs("</td></tr>\n", out);
    }
    fputs("</table>\n</div>\n</details>\n", out);
}

/* The figure's folder, seen from the page, which stands beside it. */
static const char *place_of(const od_report *r)
{
    return strrchr(r->folder, '/') + 1;
}

static void put_files(FILE *out, const od_report *r)
{
    const size_t root = (size_t)(place_of(r) - r->folder);
    fputs("<details>\n<summary>Data and pictures</summary>\n<ul>\n", out);
    for (size_t i = 0; i < r->file_count; i++) {
        const char *name = strlen(r->file[i]) > root ? r->file[i] + root : r->file[i];
        fputs("<li><a href=\"", out);
        od_html_text(out, name);
        fputs("\">", out);
        od_html_text(out, name);
        fputs("</a></li>\n", out);
    }
    fputs("</ul>\n</details>\n", out);
}

static void put_figure(FILE *out, const od_page_entry *e)
{
    const od_report *r = &e->report;
    const char *name = e->figure->name;
    fprintf(out, "<section id=\"%s\">\n<h2>%s: ", name, name);
    od_html_text(out, e->figure->summary);
    fputs("</h2>\n", out);
    if (r->name == NULL) {
        fprintf(out, "<p class=\"%s\">%s: ", e->trouble != NULL ? "bad" : "soft",
                e->trouble != NULL ? "Not made" : "Left out");
        od_html_text(out, e->trouble != NULL ? e->trouble : e->skipped);
        fputs(".</p>\n</section>\n", out);
        return;
    }
    const char *place = place_of(r);
    fprintf(out,
            "<figure>\n<picture><source type=\"image/svg+xml\" srcset=\"%s/%s.svg\"><img src=\"%s/%s.png\" "
            "alt=\"",
            place, name, place, name);
    od_html_text(out, e->figure->summary);
    fputs("\"></picture>\n<figcaption>", out);
    od_html_text(out, r->caption != NULL ? r->caption : "");
    fputs("</figcaption>\n</figure>\n", out);
    const bool full = r->mode != NULL && strcmp(r->mode, "full") == 0;
    if (r->mode != NULL) {
        fputs(full ? "<p class=\"mode\">Made in full mode, which sets "
                   : "<p class=\"mode\">Made in quick mode; full mode sets ",
              out);
        od_html_text(out, r->changes);
        fputs(".</p>\n", out);
    }
    put_numbers(out, r);
    fprintf(out,
            "<details>\n<summary>Experiments, and how to remake it</summary>\n<pre>optdyn figure %s%s</pre>\n<pre>",
            name, full ? " --full" : "");
    od_html_text(out, e->figure->yaml);
    fprintf(out, "</pre>\n<p class=\"soft\">The runs took %.1f s.</p>\n</details>\n", r->seconds);
    put_files(out, r);
    fputs("</section>\n", out);
}

/* The claims have a page of their own. */
static void put_claims(FILE *out, const od_ledger *ledger)
{
    fprintf(out,
            "<section id=\"claims\">\n<h2>Claims of the literature</h2>\n<p><a href=\"" OD_CLAIMS_PAGE
            "\">%zu statements</a>, each predicted, measured and judged; <span class=\"%s\">%zu verdicts differ</span> "
            "from what theory says they must be.</p>\n</section>\n",
            ledger->claims, ledger->unexpected > 0 ? "bad" : "good", ledger->unexpected);
}

od_status od_page_write(od_context *ctx, const char *folder, const od_page_entry *entry, size_t count,
                        const od_ledger *ledger)
{
    od_file file;
    od_status status = od_folder_make(ctx, folder);
    status = status == OD_OK && ledger != NULL ? od_claims_page_write(ctx, folder, ledger) : status;
    status = status == OD_OK ? od_file_open(ctx, &file, folder, "index.html") : status;
    if (status != OD_OK) {
        return status;
    }
    put_head(file.out, entry, count, ledger != NULL);
    for (size_t i = 0; i < count; i++) {
        put_figure(file.out, &entry[i]);
    }
    if (ledger != NULL) {
        put_claims(file.out, ledger);
    }
    fputs("</main>\n</body>\n</html>\n", file.out);
    return od_file_commit(ctx, &file);
}
