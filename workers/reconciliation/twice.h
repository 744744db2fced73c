/* twice.h - the pay sheet against the same sheet computed by PostgreSQL (hf.pay_sheet, hf.pay_sheet_at). */
#ifndef RECONCILIATION_TWICE_H
#define RECONCILIATION_TWICE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/pg.h"
#include "workers/reconciliation/past.h"

/* *ret (a new reference) = [{"person","what","here","sql"}], empty when they agree; rows are those of sheet.h,
 * read in the same transaction, and minimum is the sheet's; is_set: it was given, PostgreSQL takes it as well. here or sql is null where that side has no such person. */
int twice_compare(struct pg *pg, const char *campaign, const struct readings *rules,
    const struct past *past, const json_t *rows, int64_t minimum, bool is_set, json_t **ret,
    struct err *err);

#endif
