/*
 * The gallery and the ledger as pages of HTML, without scripts. SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_PAGE_H
#define OD_PAGE_H

#include "figures.h"

#include "claims/ledger.h"

/** A figure of the page: made, failed (`trouble` says why) or left out (`skipped` says why). */
typedef struct od_page_entry {
    const od_figure *figure;
    od_report report; /* of a figure that was made; the page links to its folder NAME */
    const char *trouble, *skipped;
} od_page_entry;

#define OD_CLAIMS_PAGE "claims.html"

/**
 * Writes folder/index.html, whole or not at all. The ledger, which may be NULL, has a page of its own, written before.
 */
od_status od_page_write(od_context *ctx, const char *folder, const od_page_entry *entry, size_t count,
                        const od_ledger *ledger);

/** Writes folder/claims.html, whose rows can be filtered by verdict. */
od_status od_claims_page_write(od_context *ctx, const char *folder, const od_ledger *ledger);

/** Writes a page up to the beginning of its body. */
void od_html_head(FILE *out, const char *title);
/** As text or as the value of an attribute in double quotes. */
void od_html_text(FILE *out, const char *text);

#endif
