/* payday.h - the sheet that is closed, and its supplements: what is signed, or the reasons why it may not be. */
#ifndef RECONCILIATION_PAYDAY_H
#define RECONCILIATION_PAYDAY_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"
#include "workers/link/weekdays.h"
#include "workers/reconciliation/past.h"

/* *ret: the sheet of sheet.h as of that moment, by the rules of then; rules: those of now, which must be computable as
 * well; *reasons: a list of texts, empty when
 * it may be closed. Both are new references. minimum >= 0. */
int payday_close(struct pg *pg, const char *keys, const char *campaign,
    const struct readings *rules, const struct weekdays *days, const struct past *past,
    int64_t minimum, json_t **ret, json_t **reasons, struct err *err);
/* The same for what changed since: rows are those of supplement.h, the minimum and the rules are those of the closed sheet. past: as of
 * then, by the rules of the closed sheet; NULL: now, not to be closed, only shown. ERR_NOT_FOUND: nothing is closed. */
int payday_supplement(struct pg *pg, const char *keys, const char *campaign,
    const struct weekdays *days, struct past *past, json_t **ret, json_t **reasons,
    struct err *err);

#endif
