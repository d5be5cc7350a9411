/* Claims about single Jacobi fields. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_FIELDS_H
#define OD_FIELDS_H

#include "ledger.h"

#include "analysis/extremal.h"

/** Appends what sections 2.1 and 2.2 say of Jacobi fields along a path, and of where it crosses and turns. */
od_status od_field_claims(od_context *ctx, const od_extremal *x, od_claim_list *list);

#endif
