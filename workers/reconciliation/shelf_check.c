/* shelf_check.c - the archive and the ledger hold the same records.
 *
 * Happy path: each record of the archive by outbox and number with its hash; then the ledger page by page, up to the
 * archive's end, struck off that list. What is left is only in the archive. Failures: PostgreSQL's, told outward; an
 * archive that does not read is a finding, since the run must go on. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "workers/reconciliation/finding.h"
#include "workers/reconciliation/shelf.h"

#define PAGE         20000
#define LATE_MINUTES 10

static const char page_sql[] =
    "SELECT no, ob, seq, encode(h, 'hex') FROM hf.ledger WHERE campaign = $1 AND no > $2 "
    "AND (log_epoch, log_no) <= ($3, $4) AND flaw IS DISTINCT FROM 'frame' ORDER BY no LIMIT $5";
static const char known_sql[] =
    "SELECT 1 FROM hf.quarantine WHERE campaign = $1 AND ob = $2 AND seq = $3 UNION ALL "
    "SELECT 1 FROM hf.equivocation WHERE campaign = $1 AND ob = $2 AND seq = $3";

/* What is not in the archive although it had the time. */
static const char behind_sql[] =
    "SELECT coalesce(($4 - min(wall_at)) / 60000, 0) FROM hf.ledger WHERE campaign = $1 AND no > "
    "(SELECT coalesce(max(no), 0) FROM hf.ledger WHERE campaign = $1 AND (log_epoch, log_no) <= "
    "($2, $3)) AND flaw IS DISTINCT FROM 'frame'";

struct look {
	struct pg *pg;
	const char *campaign;
	json_t *findings;
	struct map *records; /* ob || BE64(seq) -> hash, owned */
	struct shelf_segment end;
	uint64_t n;
};

static void
name_record(char out[64], const uint8_t key[24])
{
	hex_encode(out, key, 16);
	(void)snprintf(out + 32, 32, " %" PRIu64, be64_get(key + 16));
}

static int
on_entry(void *arg, const struct shelf_segment *s, const struct log_entry *e, struct err *err)
{
	struct look *l = arg;
	struct frame f;
	uint8_t key[24], *h;
	char text[32];

	(void)err;
	if (e == NULL) {
		(void)snprintf(text, sizeof(text), "%012" PRIu64, s->number);
		if (!s->is_signed)
			finding_add(l->findings, "difference", "archive-altered", NULL, text, NULL);
		if (!s->chained)
			finding_add(l->findings, "difference", "archive-broken", NULL, text, NULL);
		l->end = *s;
		return 0;
	}
	if (frame_decode(&f, e->f0, NULL) != 0 || f.kind != MSG_RECORD)
		return 0;
	memcpy(key, f.u.record.ob, 16);
	be64_put(key + 16, f.u.record.seq);
	h = xmalloc(HASH_LEN);
	memcpy(h, f.u.record.h, HASH_LEN);
	free(map_put(l->records, key, sizeof(key), h));
	l->n++;
	return 0;
}

static int
compare_row(struct look *l, const struct pg_result *r, int i, struct err *err)
{
	struct buf ob = BUF_INIT;
	uint8_t key[24], want[HASH_LEN], *h;
	struct span hex = pg_get(r, i, 3);
	char text[64];

	if (pg_get_bytes(r, i, 1, &ob, err) != 0)
		return -1;
	CHECK(ob.len == 16 && hex_decode(want, HASH_LEN, (const char *)hex.data, hex.len));
	memcpy(key, ob.data, 16);
	be64_put(key + 16, (uint64_t)pg_get_i64(r, i, 2));
	buf_done(&ob);
	h = map_del(l->records, key, sizeof(key));
	name_record(text, key);
	if (h == NULL)
		finding_add(l->findings, "difference", "ledger-only", NULL, text, NULL);
	else if (memcmp(h, want, HASH_LEN) != 0)
		finding_add(l->findings, "difference", "ledger-archive", NULL, text, NULL);
	free(h);
	return 0;
}

static int
compare_ledger(struct look *l, struct err *err)
{
	int64_t after = 0;
	int rows;

	do {
		struct pg_param p[5] = {pg_text(l->campaign), pg_i64(after),
		    pg_i64((int64_t)l->end.last_epoch), pg_i64((int64_t)l->end.last_no),
		    pg_i64(PAGE)};
		struct pg_result *r;
		int got = 0;

		if (pg_exec(l->pg, page_sql, p, 5, &r, err) != 0)
			return -1;
		rows = pg_rows(r);
		for (int i = 0; i < rows && got == 0; i++)
			got = compare_row(l, r, i, err);
		if (rows > 0)
			after = pg_get_i64(r, rows - 1, 0);
		pg_free(r);
		if (got != 0)
			return -1;
	} while (rows == PAGE);
	return 0;
}

/* What is only in the archive, unless the ledger put it aside by name. */
static int
judge_rest(struct look *l, struct err *err)
{
	struct map_iter it = map_begin(l->records);
	const void *key;

	while (map_next(&it, &key, NULL, NULL) != 0) {
		const uint8_t *k = key;
		struct pg_param p[3] = {
		    pg_text(l->campaign), pg_bytes(k, 16), pg_i64((int64_t)be64_get(k + 16))};
		struct pg_result *r;
		char text[64];

		if (pg_exec(l->pg, known_sql, p, 3, &r, err) != 0)
			return -1;
		name_record(text, k);
		if (pg_rows(r) == 0)
			finding_add(l->findings, "difference", "archive-only", NULL, NULL, text);
		pg_free(r);
	}
	return 0;
}

/* An archive that stopped keeps agents from forgetting, and a lost ledger from coming back whole. */
static int
judge_age(struct look *l, struct err *err)
{
	struct pg_param p[4] = {pg_text(l->campaign), pg_i64((int64_t)l->end.last_epoch),
	    pg_i64((int64_t)l->end.last_no), pg_i64(clock_wall_ms())};
	struct pg_result *r;
	char here[24], there[24];

	if (pg_exec(l->pg, behind_sql, p, 4, &r, err) != 0)
		return -1;
	(void)snprintf(here, sizeof(here), "%" PRId64, pg_get_i64(r, 0, 0));
	(void)snprintf(there, sizeof(there), "%d", LATE_MINUTES);
	if (pg_get_i64(r, 0, 0) > LATE_MINUTES)
		finding_add(l->findings, "notice", "archive-behind", NULL, here, there);
	pg_free(r);
	return 0;
}

int
shelf_check(struct pg *pg, const struct home *home, const char *campaign, json_t *findings,
    struct shelf_look *ret, struct err *err)
{
	struct look l = {.pg = pg, .campaign = campaign, .findings = findings};
	uint8_t pk[SIGN_PK_LEN];
	bool has_key = shelf_key(home, pk);
	struct err why = ERR_INIT;
	int got = 0;

	memset(ret, 0, sizeof(*ret));
	l.records = map_create();
	if (shelf_walk(home, campaign, has_key ? pk : NULL, on_entry, &l, &why) != 0)
		finding_add(findings, "difference", "archive-unreadable", NULL, why.text, NULL);
	else if (l.end.number > 0 && (compare_ledger(&l, err) != 0 || judge_rest(&l, err) != 0))
		got = -1;
	if (got == 0)
		got = judge_age(&l, err);
	if (l.end.number > 0)
		(void)snprintf(ret->last, sizeof(ret->last), "%" PRIu64 "-%" PRIu64,
		    l.end.last_epoch, l.end.last_no);
	ret->segments = l.end.number;
	ret->records = l.n;
	map_destroy(l.records, free);
	return got != 0 ? err_wrap(err, "the archive against the ledger") : 0;
}
