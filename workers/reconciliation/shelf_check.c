/* shelf_check.c - the archive and the ledger hold the same records.
 *
 * Happy path: both are read along the log, and at each place of it they hold the same record with the same hash. What
 * only one has there waits in a list for its like on the other side, which is empty unless something is wrong; what
 * waits at the end is judged. Memory: a segment, a page of the ledger, and that list. Failures: PostgreSQL's, told
 * outward; an archive that does not read is a finding, since the run must go on. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "workers/reconciliation/finding.h"
#include "workers/reconciliation/merge.h"
#include "workers/reconciliation/shelf.h"
#include "workers/reconciliation/since.h"
#include "workers/reconciliation/tail.h"

#define LATE_MINUTES 10

/* What is not in the archive although it had the time: the oldest behind the newest that is. */
static const char behind_sql[] =
    "SELECT ($3 - wall_at) / 60000 FROM hf.ledger WHERE campaign = $1 AND no > $2 AND flaw IS "
    "DISTINCT FROM 'frame' ORDER BY no LIMIT 1";

struct look {
	struct merge m;
	uint64_t from; /* segments up to it were compared before */
	bool failed;   /* PostgreSQL did, not the archive */
	struct shelf_segment end;
};

static void
take_segment(struct look *l, const struct shelf_segment *s)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%012" PRIu64, s->number);
	if (!s->is_signed)
		finding_add(l->m.findings, "difference", "archive-altered", NULL, text, NULL);
	if (!s->chained)
		finding_add(l->m.findings, "difference", "archive-broken", NULL, text, NULL);
	l->end = *s;
}

static int
on_entry(void *arg, const struct shelf_segment *s, const struct log_entry *e, struct err *err)
{
	struct look *l = arg;

	if (e == NULL)
		take_segment(l, s);
	else if (s->number > l->from)
		l->failed = merge_entry(&l->m, e, err) != 0;
	return l->failed ? -1 : 0;
}

/* An archive that stopped keeps agents from forgetting, and a lost ledger from coming back whole. */
static int
judge_age(struct look *l, struct err *err)
{
	struct pg_param p[3] = {pg_text(l->m.campaign), pg_i64(0), pg_i64(clock_wall_ms())};
	struct pg_result *r;
	char here[24], there[24];
	int64_t newest = 0, minutes;

	if (merge_newest(
	        &l->m, (int64_t)l->end.last_epoch, (int64_t)l->end.last_no, &newest, err) != 0)
		return -1;
	p[1] = pg_i64(newest);
	if (pg_exec(l->m.pg, behind_sql, p, 3, &r, err) != 0)
		return -1;
	minutes = pg_rows(r) == 1 ? pg_get_i64(r, 0, 0) : 0;
	(void)snprintf(here, sizeof(here), "%" PRId64, minutes);
	(void)snprintf(there, sizeof(there), "%d", LATE_MINUTES);
	if (minutes > LATE_MINUTES)
		finding_add(l->m.findings, "notice", "archive-behind", NULL, here, there);
	pg_free(r);
	return 0;
}

/* An archive that ends before what an earlier run read of it. */
static void
judge_end(struct look *l, uint64_t had)
{
	char here[24], there[24];

	if (l->end.number >= had)
		return;
	(void)snprintf(here, sizeof(here), "%012" PRIu64, l->end.number);
	(void)snprintf(there, sizeof(there), "%012" PRIu64, had);
	finding_add(l->m.findings, "difference", "archive-broken", NULL, here, there);
}

static int
compare_all(struct look *l, const struct home *home, const struct since *since, struct err *err)
{
	uint8_t pk[SIGN_PK_LEN];
	bool has_key = shelf_key(home, pk);
	struct err why = ERR_INIT;

	if (since->some &&
	    merge_newest(&l->m, since->log_epoch, since->log_no, &l->m.after, err) != 0)
		return -1;
	if (shelf_walk(home, l->m.campaign, l->from > 0 ? l->from : 1, has_key ? pk : NULL,
	        on_entry, l, &why) != 0) {
		if (l->failed) {
			*err = why;
			return -1;
		}
		finding_add(
		    l->m.findings, "difference", "archive-unreadable", NULL, why.text, NULL);
		return 0;
	}
	judge_end(l, l->from);
	if (l->end.number == 0)
		return 0;
	l->m.end_epoch = l->end.last_epoch;
	l->m.end_no = l->end.last_no;
	return merge_rest(&l->m, err) != 0 || merge_judge(&l->m, err) != 0 ? -1 : 0;
}

int
shelf_check(struct pg *pg, const struct home *home, const char *campaign, const struct since *since,
    json_t *findings, struct shelf_look *ret, struct err *err)
{
	struct look l = {.from = (uint64_t)since->segment};
	int got;

	merge_begin(&l.m, pg, campaign, findings);
	got = compare_all(&l, home, since, err);
	if (got == 0)
		got = merge_flaws(&l.m, err);
	if (got == 0)
		got = tail_check(&l.m, l.end.last_epoch, l.end.last_no, err);
	if (got == 0)
		got = judge_age(&l, err);
	memset(ret, 0, sizeof(*ret));
	if (l.end.number > 0)
		(void)snprintf(ret->last, sizeof(ret->last), "%" PRIu64 "-%" PRIu64,
		    l.end.last_epoch, l.end.last_no);
	ret->segments = l.end.number;
	ret->records = l.m.n;
	merge_done(&l.m);
	return got != 0 ? err_wrap(err, "the archive against the ledger") : 0;
}
