/* merge.h - the ledger held against records that come along the log. */
#ifndef RECONCILIATION_MERGE_H
#define RECONCILIATION_MERGE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/pg.h"
#include "proto/call.h"

struct merge {
	struct pg *pg;
	const char *campaign;
	json_t *findings;
	struct map *apart; /* ob || seq -> record: what only one side has so far */
	struct pg_result *page;
	int at;                     /* the row of page that is next */
	int64_t after;              /* no of the last row that was taken */
	bool is_over;               /* no page comes after this one */
	uint64_t epoch, no;         /* place in the log of the last row that was read */
	uint64_t end_epoch, end_no; /* of the last entry that came, or set by the caller */
	uint64_t n;                 /* records that came */
	struct buf page_sql, rest_sql;
};

/* Findings: ledger-only, archive-only, ledger-archive. */
void merge_begin(struct merge *m, struct pg *pg, const char *campaign, json_t *findings);
/* Goes on behind this row of the ledger. */
void merge_from(struct merge *m, int64_t after);
/* The next entry of the log; one that is no record only moves the end. */
int merge_entry(struct merge *m, const struct log_entry *e, struct err *err);
/* Rows up to the end that nothing stood at; then what waits is judged. */
int merge_rest(struct merge *m, struct err *err);
int merge_judge(struct merge *m, struct err *err);
/* What lies in quarantine is flawed in the ledger. */
int merge_flaws(struct merge *m, struct err *err);
/* The newest row at or before a place of the log; 0 none. */
int merge_newest(struct merge *m, int64_t epoch, int64_t no, int64_t *ret, struct err *err);
void merge_done(struct merge *m);

#endif
