/* twice.h - the pay sheet against the same sheet computed by PostgreSQL (hf.pay_sheet). */
#ifndef RECONCILIATION_TWICE_H
#define RECONCILIATION_TWICE_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"

/* *ret (a new reference) = [{"person","what","here","sql"}], empty when they agree; rows are those of sheet.h,
 * read in the same transaction, and minimum is the sheet's. here or sql is null where that side has no such person. */
int twice_compare(struct pg *pg, const char *campaign, const json_t *rows, int64_t minimum,
    json_t **ret, struct err *err);

#endif
