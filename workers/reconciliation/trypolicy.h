/* trypolicy.h - a policy file that was not said yes to: whose pay it would change. */
#ifndef RECONCILIATION_TRYPOLICY_H
#define RECONCILIATION_TRYPOLICY_H

#include "workers/reconciliation/paydesk.h"

/* {"readings": [{question, was, next}], "provisional", "minimum", "rows": [{person, team, pay_was, pay_next, bonus_was,
 * bonus_next}], "unable"}: rows are those of two sheets (sheet.h) that differ. A new reference. */
json_t *trypolicy_compare(const json_t *was, const json_t *next);
/* The file held against d->rules, as JSON on stdout. Answers the exit code, or -1. */
int trypolicy_show(const struct paydesk *d, const char *file, struct err *err);

#endif
