/*
 * The gallery as one page of HTML. SPDX-License-Identifier: GPL-3.0-or-later
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

/** Writes folder/index.html, whole or not at all. The ledger may be NULL. */
od_status od_page_write(od_context *ctx, const char *folder, const od_page_entry *entry, size_t count,
                        const od_ledger *ledger);

#endif
