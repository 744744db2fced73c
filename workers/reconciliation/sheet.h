/* sheet.h - the pay sheet of a campaign, from the ledger (domain.md a.11 to a.13). */
#ifndef RECONCILIATION_SHEET_H
#define RECONCILIATION_SHEET_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"

/* *ret (a new reference) = {"as_of_ledger","provisional","placed","callers","minimum","open_disputes","open_findings",
 * "rows":[…],"differences":[…]};
 * a row is that of explain.h with "team", "admitted", "registered", "called", "withdrawn", "slack", "wrong_withdrawal",
 * "deduction_percent" beside it, differences are
 * those of twice.h. */
int sheet_read(struct pg *pg, const char *campaign, json_t **ret, struct err *err);

#endif
