/* dispute.h - until when a pay sheet may be disputed (practice.md 13): five working days after it was closed. */
#ifndef RECONCILIATION_DISPUTE_H
#define RECONCILIATION_DISPUTE_H

#include <jansson.h>

#include "base/pg.h"
#include "workers/link/weekdays.h"

#define DISPUTE_DAYS 5

/* The last ms of the fifth working day after the day of closed_at; INT64_MAX when a year has no such day. */
int64_t dispute_until(const struct weekdays *days, int64_t closed_at);

/* The term at a moment (campaign ms): of the newest sheet that two persons had closed by then. Before any sheet is closed
 * there is no end: until is INT64_MAX and closed_at 0. */
struct dispute_term {
	int64_t closed_at, until;
};
/* *ret (a new reference): [{"no","person","what","at","until" (ms or null),"state": open, upheld, refused, late, "ob", "seq"}]. Late is
 * what came after its term: it is kept and listed, waits for nobody and keeps no sheet open. */
int dispute_list(struct pg *pg, const struct weekdays *days, const char *campaign, json_t **ret,
    struct err *err);
int dispute_term_at(struct pg *pg, const struct weekdays *days, const char *campaign, int64_t at,
    struct dispute_term *ret, struct err *err);
/* sheet: open_disputes counts those in time alone, late_disputes the others, disputes_until is the term's end or null. */
int dispute_put(struct pg *pg, const struct weekdays *days, const char *campaign, json_t *sheet,
    struct err *err);

#endif
