/*
 * The ledger: every claim there is, asked of standard experiments or of the user's own.
 *
 * A set of claims is one part of the literature. It is asked about one member of an experiment and answers with the
 * claims that apply to it. Adding one is adding a file that ends in a const od_claim_set, and a line in table.c.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OD_LEDGER_H
#define OD_LEDGER_H

#include "claim.h"

#include "src/experiment.h"

enum { OD_LIST_ROOM = 48 };

/** The claims found of one member. */
typedef struct od_claim_list {
    od_arena *arena; /* of texts made for it */
    size_t count;
    od_claim claim[OD_LIST_ROOM];
} od_claim_list;

typedef struct od_claim_set {
    const char *name, *summary;
    const char *const *ids;      /* all that it can answer with; ends with NULL */
    const char *const *standard; /* experiments as YAML that between them show all ids; ends with NULL */
    /** Appends the claims that apply to the member. OD_EUNSUPPORTED: none can, and the sentence says why. */
    od_status (*find)(od_context *ctx, const od_experiment *e, size_t member, od_claim_list *list);
    double (*cost)(const od_member *m); /* about how many evaluations of the loss that takes (cost.h); NULL: few */
} od_claim_set;

extern const od_claim_set *const od_claim_sets[]; /* ends with NULL */

/** Appends one: no numbers yet, expected to hold. */
od_claim *od_claims_append(od_claim_list *list, const char *id, const char *source, const char *statement);
/** Room for evaluations of n points by the member's loss, flow and iteration. */
size_t od_claims_scratch(const od_member *m, size_t n);

/** What one set says of one member. */
typedef struct od_ledger_page {
    const od_claim_set *set;
    const char *experiment; /* its YAML; NULL: the user's own */
    const char *part;       /* which of several experiments of the user's it is, or NULL */
    const char *label;      /* of the member */
    const char *skipped;    /* why no claim applies or, in a standard experiment, what failed; else NULL */
    const od_claim *claim;
    size_t count;
} od_ledger_page;

typedef struct od_ledger {
    od_arena *arena;
    od_ledger_page *page;
    size_t pages, room;
    size_t claims, unexpected; /* of them, those whose verdict is not the expected one */
} od_ledger;

/**
 * Fills a ledger with the claims of these names, of sets or of claims, on their standard experiments; an empty list:
 * with all. To be closed after a failure too.
 *
 * Errors  OD_ENOMEM, OD_EINTERRUPTED; OD_EINVAL for a standard experiment that cannot be read. One that fails otherwise
 * is counted as unexpected, and its page says why; so are claims of these names that none of them asks any more.
 */
od_status od_ledger_standard(od_context *ctx, const char *const *names, const od_options *options, od_ledger *ledger);
/** An empty one. To be closed after a failure too. */
od_status od_ledger_open(od_context *ctx, od_ledger *ledger);
/**
 * Adds claims on all members of an experiment; sets that do not apply have an empty page that says why, and so have
 * those that would take long, unless they are wanted.
 *
 * part  the name that the experiment has among several, or NULL
 */
od_status od_ledger_add(od_context *ctx, const od_experiment *e, const char *part, const char *const *names,
                        bool costly, od_ledger *ledger);
/** Fails for a name of neither a set nor a claim, with the nearest. */
od_status od_ledger_check_names(od_context *ctx, const char *const *names);
void od_ledger_close(od_ledger *ledger);

/** A verdict differs from the expected one. */
bool od_claim_surprises(const od_claim *c);
void od_ledger_write_json(FILE *out, const od_ledger *ledger);
void od_ledger_write_text(FILE *out, const od_ledger *ledger);

#endif
