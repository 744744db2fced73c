/* tail.c - the newest records, which the archive does not hold yet: the ledger against the log as the recorder kept it.
 *
 * Happy path: in one snapshot of PostgreSQL, each entry behind the archive's end has its row, and no row has none. What
 * the recorder let go of between the archive's end and its oldest entry is for the next night. Failures: PostgreSQL's;
 * an entry that does not read is a finding. */
#include "workers/reconciliation/tail.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "workers/reconciliation/finding.h"

#define PAGE  500
#define SPANS 64

static const char tail_sql[] =
    "SELECT epoch, no, raw FROM hf.log_tail WHERE campaign = $1 AND (epoch, no) > ($2, $3) "
    "ORDER BY epoch, no LIMIT $4";

/* <length>:<bytes>, again and again, as hf.log_tail has them. -1: it does not read. */
static int
netstrings(struct span raw, struct span out[SPANS])
{
	int n = 0;

	while (raw.len > 0) {
		const uint8_t *colon = memchr(raw.data, ':', raw.len);
		size_t digits = colon != NULL ? (size_t)(colon - raw.data) : 0;
		uint64_t len;

		if (colon == NULL || n == SPANS ||
		    !text_to_u64((const char *)raw.data, digits, &len) ||
		    len > raw.len - digits - 1)
			return -1;
		out[n++] = span_of(colon + 1, len);
		raw = span_of(colon + 1 + len, raw.len - digits - 1 - len);
	}
	return n;
}

static int
take_entry(struct merge *m, const struct pg_result *r, int i, struct err *err)
{
	struct buf raw = BUF_INIT;
	struct span pair[SPANS];
	struct log_entry e;
	char id[48];
	int n, got = pg_get_bytes(r, i, 2, &raw, err);

	if (got == 0) {
		(void)snprintf(id, sizeof(id), "%jd-%jd", (intmax_t)pg_get_i64(r, i, 0),
		    (intmax_t)pg_get_i64(r, i, 1));
		n = netstrings(buf_span(&raw), pair);
		if (n >= 0 && log_entry_decode(&e, span_str(id), pair, (size_t)n, NULL) == 0)
			got = merge_entry(m, &e, err);
		else
			finding_add(
			    m->findings, "difference", "archive-unreadable", NULL, id, NULL);
	}
	buf_done(&raw);
	return got;
}

static int
take_all(struct merge *m, uint64_t epoch, uint64_t no, struct err *err)
{
	bool begun = false;
	int rows;

	do {
		struct pg_param p[4] = {pg_text(m->campaign), pg_i64((int64_t)epoch),
		    pg_i64((int64_t)no), pg_i64(PAGE)};
		struct pg_result *r;
		int64_t after = 0;
		int got = 0;

		if (pg_exec(m->pg, tail_sql, p, 4, &r, err) != 0)
			return -1;
		rows = pg_rows(r);
		if (rows > 0 && !begun) {
			got = merge_newest(
			    m, pg_get_i64(r, 0, 0), pg_get_i64(r, 0, 1) - 1, &after, err);
			merge_from(m, after);
			begun = true;
		}
		for (int i = 0; i < rows && got == 0; i++)
			got = take_entry(m, r, i, err);
		if (rows > 0) {
			epoch = (uint64_t)pg_get_i64(r, rows - 1, 0);
			no = (uint64_t)pg_get_i64(r, rows - 1, 1);
		}
		pg_free(r);
		if (got != 0)
			return -1;
	} while (rows == PAGE);
	if (!begun)
		return 0;
	m->end_epoch =
	    INT64_MAX; /* the cursor is written with the rows: none is behind the last entry */
	m->end_no = INT64_MAX;
	return merge_rest(m, err) != 0 || merge_judge(m, err) != 0 ? -1 : 0;
}

int
tail_check(struct merge *m, uint64_t epoch, uint64_t no, struct err *err)
{
	uint64_t n = m->n;
	int got;

	if (pg_script(m->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != 0)
		return -1;
	got = take_all(m, epoch, no, err);
	m->n = n; /* those of the archive */
	if (got != 0) {
		(void)pg_script(m->pg, "ROLLBACK", NULL);
		return -1;
	}
	return pg_script(m->pg, "COMMIT", err);
}
