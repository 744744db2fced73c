/* paydesk.h - the verbs about pay of hf-reconcile. */
#ifndef RECONCILIATION_PAYDESK_H
#define RECONCILIATION_PAYDESK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/pg.h"
#include "base/rds.h"
#include "workers/link/weekdays.h"
#include "workers/reconciliation/past.h"

struct paydesk {
	struct pg *pg;
	const char *keys, *campaign; /* keys: the endpoint of the key store */
	const struct readings *rules;
	const struct weekdays *days; /* working days */
	bool json, explain;
	const char *person;     /* this one's row alone, or NULL */
	const char *xlsx;       /* or NULL */
	struct past *past;      /* as of then; NULL: now */
	int64_t minimum, sheet; /* -1, 0: not given */
};

/* The readings of the policy that the router goes by; without one the defaults hold. */
int paydesk_rules(
    struct rds_sync *redis, const char *campaign, struct readings *ret, struct err *err);
/* Working days, by the policy that the router goes by and the days it was given. */
int paydesk_days(
    struct rds_sync *redis, const char *campaign, struct weekdays *ret, struct err *err);
/* The disputes, and the end of the term as of now; is_term: the term alone. */
int paydesk_disputes(const struct paydesk *d, bool is_term, int64_t now, struct err *err);
/* Each answers the exit code, or -1. */
int paydesk_show(const struct paydesk *d, struct err *err);
int paydesk_close(const struct paydesk *d, bool is_close, struct err *err);
/* The rows as a table. */
void paydesk_print(const json_t *sheet, bool explain);

#endif
