/* sheet.h - the pay sheet of a campaign, from the ledger (domain.md a.11 to a.13). */
#ifndef RECONCILIATION_SHEET_H
#define RECONCILIATION_SHEET_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"
#include "workers/reconciliation/past.h"

/* *ret (a new reference) = {"as_of_ledger","provisional","placed","callers","minimum","rules","open_disputes","open_findings","freeze",
 * "moved_at",
 * "rows":[…],"differences":[…]};
 * a row is that of explain.h with "team", "admitted", "registered", "called", "withdrawn", "slack", "wrong_withdrawal",
 * "deduction_percent", "one_more" (yuan that one more registration adds, text; null when all have) beside it, differences are
 * those of twice.h. */
/* past: as it stood then, by the rules of then ("as_of" is in the answer); NULL: now, by these. What waits to be answered
 * is always that of now. minimum: what the leading group set, or -1 for the policy's share x placed / callers. freeze: the ledger number of the frozen list
 * or null; moved_at: campaign ms of the newest record that pay is made of. */
int sheet_read(struct pg *pg, const char *campaign, const struct readings *rules,
    const struct past *past, int64_t minimum, json_t **ret, struct err *err);

#endif
