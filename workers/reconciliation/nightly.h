/* nightly.h - the nightly run: look, mend what a rule may mend, keep the night. */
#ifndef RECONCILIATION_NIGHTLY_H
#define RECONCILIATION_NIGHTLY_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"
#include "base/rds.h"
#include "workers/link/home.h"

struct nightly {
	struct pg *pg;
	struct rds_sync *redis;
	const struct home *home;
	const char *campaign;
	int64_t now; /* campaign ms */
	bool whole;  /* look at everything, also when a run of this night did */
};

/* One run. *ret (a new reference) is the census of figures.h with "findings": [{"level","kind","case","here","there",
 * "mended"}], "run", "night": "2026-03-10", "kept": true when this run was the night's first,
 * "whole": it looked at everything, "moved": else so many cases, "records": and so many rows of the ledger, "late": ["2026-03-09"]
 * (nights made up for), "archive": {"segments","records","log"}. Two at once wait for each other. */
int nightly_run(const struct nightly *n, json_t **ret, struct err *err);
/* Findings that are differences and not mended: what makes exit 1. */
size_t nightly_differences(const json_t *out);
/* The last `limit` runs, newest first: [{"run","night","ended","ledger_no","differences","notices","mended"}]. */
int nightly_list(struct pg *pg, const char *campaign, int limit, json_t **ret, struct err *err);

/* A night as it was kept: {"night","late","ledger_no","records","run","rates":[…],"pay":[…]}. */
int nightly_kept(
    struct pg *pg, const char *campaign, const char *night, json_t **ret, struct err *err);
void nightly_print_kept(const json_t *out);
/* For people, in Chinese. */
void nightly_print(const json_t *out);
void nightly_print_list(const json_t *rows);

#endif
