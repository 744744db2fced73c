/* merge.c - the ledger page by page beside records that come along the log.
 *
 * Happy path: at each place of the log both have the same record, which says the same. What only one has there waits for
 * its like on the other side; what waits at the end is judged. Memory: a page of the ledger and what waits, which is
 * nothing unless something is wrong. Failures: PostgreSQL's, told outward; a difference is a finding. */
#include "workers/reconciliation/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "proto/frame.h"
#include "workers/reconciliation/finding.h"
#include "workers/reconciliation/shelf_row.h"

#define PAGE      20000
#define APART_MAX 400000 /* waiting: then they are judged as they are */

/* Between: shelf_row_sql. */
static const char columns_sql[] =
    "SELECT no, log_epoch, log_no, ob, seq, encode(h, 'hex'), flaw IS NOT NULL, ";
static const char page_sql[] = " FROM hf.ledger WHERE campaign = $1 AND no > $2 AND flaw IS "
                               "DISTINCT FROM 'frame' ORDER BY no LIMIT $3";
static const char rest_sql[] = " FROM hf.ledger WHERE campaign = $1 AND no > $2 AND (log_epoch, "
                               "log_no) <= ($4, $5) AND flaw IS DISTINCT FROM 'frame' ORDER BY no "
                               "LIMIT $3";
/* The recorder puts what it flaws aside, too: the two say the same. */
static const char flaws_sql[] =
    "SELECT e.ob, e.seq FROM hf.quarantine q JOIN hf.ledger e USING (campaign, ob, seq, log_epoch, "
    "log_no) WHERE campaign = $1 AND e.flaw IS DISTINCT FROM q.flaw ORDER BY e.no LIMIT 100";
static const char flawed_sql[] =
    "SELECT FROM hf.quarantine q JOIN hf.ledger e USING (campaign, ob, seq, flaw) WHERE campaign = "
    "$1 AND ob = $2 AND seq = $3";
static const char begin_sql[] =
    "SELECT no FROM hf.ledger WHERE campaign = $1 AND (log_epoch, log_no) <= ($2, $3) ORDER BY no "
    "DESC LIMIT 1";
static const char known_sql[] =
    "SELECT 1 FROM hf.quarantine WHERE campaign = $1 AND ob = $2 AND seq = $3 UNION ALL "
    "SELECT 1 FROM hf.equivocation WHERE campaign = $1 AND ob = $2 AND seq = $3 UNION ALL "
    "SELECT 1 FROM hf.ledger WHERE campaign = $1 AND ob = $2 AND seq = $3 AND h = $4 "
    "AND (log_epoch, log_no) <= ($5, $6)";

struct record {
	uint8_t key[24]; /* ob || BE64(seq) */
	uint8_t h[HASH_LEN];
	uint8_t said[HASH_LEN]; /* of all that it says (shelf_row.h) */
	bool is_said;           /* false: only h is comparable */
	bool in_ledger;
};

static void
name_record(char out[64], const uint8_t key[24])
{
	hex_encode(out, key, 16);
	(void)snprintf(out + 32, 32, " %" PRIu64, be64_get(key + 16));
}

static void
find(struct merge *m, const char *kind, const struct record *r)
{
	char text[64];

	name_record(text, r->key);
	finding_add(m->findings, "difference", kind, NULL, r->in_ledger ? text : NULL,
	    r->in_ledger ? NULL : text);
}

static int
is_known(struct merge *m, const struct record *x, bool *ret, struct err *err)
{
	struct pg_param p[6] = {pg_text(m->campaign), pg_bytes(x->key, 16),
	    pg_i64((int64_t)be64_get(x->key + 16)), pg_bytes(x->h, HASH_LEN),
	    pg_i64((int64_t)m->end_epoch), pg_i64((int64_t)m->end_no)};
	struct pg_result *r;

	if (pg_exec(m->pg, known_sql, p, 6, &r, err) != 0)
		return -1;
	*ret = pg_rows(r) > 0;
	pg_free(r);
	return 0;
}

/* What waits: only in the ledger; or only in the archive, unless the ledger put it aside by name or has it already. */
int
merge_judge(struct merge *m, struct err *err)
{
	struct map_iter it = map_begin(m->apart);
	void *v;

	while (map_next(&it, NULL, NULL, &v) != 0) {
		const struct record *x = v;
		bool known = false;

		if (!x->in_ledger && is_known(m, x, &known, err) != 0)
			return -1;
		if (!known)
			find(m, x->in_ledger ? "ledger-only" : "archive-only", x);
	}
	map_destroy(m->apart, free);
	m->apart = map_create();
	return 0;
}

static void
compare(struct merge *m, const struct record *a, const struct record *b)
{
	struct record r = *a;

	r.in_ledger = true;
	if (memcmp(a->h, b->h, HASH_LEN) != 0 ||
	    (a->is_said && b->is_said && memcmp(a->said, b->said, HASH_LEN) != 0))
		find(m, "ledger-archive", &r);
}

static int
set_apart(struct merge *m, const struct record *x, struct err *err)
{
	struct record *other = map_get(m->apart, x->key, sizeof(x->key)), *mine;

	if (other != NULL && other->in_ledger != x->in_ledger) {
		compare(m, x, other);
		free(map_del(m->apart, x->key, sizeof(x->key)));
		return 0;
	}
	if (map_count(m->apart) >= APART_MAX && merge_judge(m, err) != 0)
		return -1;
	mine = xmalloc(sizeof(*mine));
	*mine = *x;
	free(map_put(m->apart, mine->key, sizeof(mine->key), mine));
	return 0;
}

/* ---- the ledger's side ---- */

static int
next_page(struct merge *m, bool up_to_end, struct err *err)
{
	struct pg_param p[5] = {pg_text(m->campaign), pg_i64(m->after), pg_i64(PAGE),
	    pg_i64((int64_t)m->end_epoch), pg_i64((int64_t)m->end_no)};

	pg_free(m->page);
	m->page = NULL;
	m->at = 0;
	if (pg_exec(m->pg, (const char *)(up_to_end ? m->rest_sql : m->page_sql).data, p,
	        up_to_end ? 5 : 3, &m->page, err) != 0)
		return -1;
	m->is_over = pg_rows(m->page) < PAGE;
	return 0;
}

/* What the recorder flawed need not say what the archive does, but lies in quarantine. */
static int
judge_flawed(struct merge *m, const struct record *x, struct err *err)
{
	struct pg_param p[3] = {
	    pg_text(m->campaign), pg_bytes(x->key, 16), pg_i64((int64_t)be64_get(x->key + 16))};
	struct pg_result *r;

	if (pg_exec(m->pg, flawed_sql, p, 3, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 0)
		find(m, "ledger-archive", x);
	pg_free(r);
	return 0;
}

/* The other way: what lies there is flawed in the ledger. */
int
merge_flaws(struct merge *m, struct err *err)
{
	struct pg_param p = pg_text(m->campaign);
	struct pg_result *r;
	int got = 0;

	if (pg_exec(m->pg, flaws_sql, &p, 1, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		struct record x = {.in_ledger = true};
		struct buf ob = BUF_INIT;

		got = pg_get_bytes(r, i, 0, &ob, err);
		if (got == 0 && ob.len == 16) {
			memcpy(x.key, ob.data, 16);
			be64_put(x.key + 16, (uint64_t)pg_get_i64(r, i, 1));
			find(m, "ledger-archive", &x);
		}
		buf_done(&ob);
	}
	pg_free(r);
	return got;
}

/* The ledger counts its rows in the order of the log. */
static void
judge_order(struct merge *m, const struct record *x)
{
	uint64_t epoch = (uint64_t)pg_get_i64(m->page, m->at, 1);
	uint64_t no = (uint64_t)pg_get_i64(m->page, m->at, 2);

	if (epoch < m->epoch || (epoch == m->epoch && no <= m->no))
		find(m, "ledger-archive", x);
	m->epoch = epoch;
	m->no = no;
}

static int
row_record(struct merge *m, struct record *ret, struct err *err)
{
	struct buf ob = BUF_INIT;
	struct span hex = pg_get(m->page, m->at, 5), text = pg_get(m->page, m->at, 7);

	if (pg_get_bytes(m->page, m->at, 3, &ob, err) != 0)
		return -1;
	CHECK(ob.len == 16 && hex_decode(ret->h, HASH_LEN, (const char *)hex.data, hex.len));
	memcpy(ret->key, ob.data, 16);
	be64_put(ret->key + 16, (uint64_t)pg_get_i64(m->page, m->at, 4));
	ret->in_ledger = true;
	ret->is_said = !span_eq_str(pg_get(m->page, m->at, 6), "t");
	crypt_hash(ret->said, &text, 1);
	buf_done(&ob);
	judge_order(m, ret);
	return ret->is_said ? 0 : judge_flawed(m, ret, err);
}

/* The next row is behind, at, or (1) ahead of this place of the log; 1 too when there is none. */
static int
place(const struct merge *m, uint64_t epoch, uint64_t no)
{
	uint64_t e, n;

	if (m->page == NULL || m->at >= pg_rows(m->page))
		return 1;
	e = (uint64_t)pg_get_i64(m->page, m->at, 1);
	n = (uint64_t)pg_get_i64(m->page, m->at, 2);
	return e != epoch ? (e < epoch ? -1 : 1) : n != no ? (n < no ? -1 : 1) : 0;
}

static void
take_row(struct merge *m)
{
	m->after = pg_get_i64(m->page, m->at++, 0);
}

/* The row at this place is given out, *ret true; those before it are set apart. */
static int
rows_up_to(
    struct merge *m, uint64_t epoch, uint64_t no, struct record *row, bool *ret, struct err *err)
{
	int where;

	for (*ret = false; !*ret; take_row(m)) {
		if ((m->page == NULL || m->at == pg_rows(m->page)) && !m->is_over &&
		    next_page(m, false, err) != 0)
			return -1;
		where = place(m, epoch, no);
		if (where > 0)
			return 0;
		if (row_record(m, row, err) != 0 || (where < 0 && set_apart(m, row, err) != 0))
			return -1;
		*ret = where == 0;
	}
	return 0;
}

/* Rows up to the archive's end that no record of it stands at. */
int
merge_rest(struct merge *m, struct err *err)
{
	struct record row;

	do {
		if (next_page(m, true, err) != 0)
			return -1;
		for (; m->at < pg_rows(m->page); take_row(m)) {
			if (row_record(m, &row, err) != 0 || set_apart(m, &row, err) != 0)
				return -1;
		}
	} while (!m->is_over);
	return 0;
}

static int
compare_entry(
    struct merge *m, const struct log_entry *e, const struct record *mine, struct err *err)
{
	struct record row;
	bool has;

	if (rows_up_to(m, e->epoch, e->no, &row, &has, err) != 0)
		return -1;
	if (has && memcmp(row.key, mine->key, sizeof(mine->key)) == 0) {
		compare(m, &row, mine);
		return 0;
	}
	return (has && set_apart(m, &row, err) != 0) || set_apart(m, mine, err) != 0 ? -1 : 0;
}

/* Where in the ledger the archive's end of that time is. */
int
merge_newest(struct merge *m, int64_t epoch, int64_t no, int64_t *ret, struct err *err)
{
	struct pg_param p[3] = {pg_text(m->campaign), pg_i64(epoch), pg_i64(no)};
	struct pg_result *r;

	*ret = 0;
	if (epoch == 0 && no == 0)
		return 0;
	if (pg_exec(m->pg, begin_sql, p, 3, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 1)
		*ret = pg_get_i64(r, 0, 0);
	pg_free(r);
	return 0;
}

static void
write_sql(struct merge *m)
{
	for (int i = 0; i < 2; i++) {
		struct buf *b = i == 0 ? &m->page_sql : &m->rest_sql;

		buf_adds(b, columns_sql);
		shelf_row_sql(b);
		buf_adds(b, i == 0 ? page_sql : rest_sql);
		buf_addc(b, '\0');
	}
}

void
merge_begin(struct merge *m, struct pg *pg, const char *campaign, json_t *findings)
{
	*m = (struct merge){
	    .pg = pg, .campaign = campaign, .findings = findings, .apart = map_create()};
	write_sql(m);
}

void
merge_from(struct merge *m, int64_t after)
{
	pg_free(m->page);
	m->page = NULL;
	m->at = 0;
	m->after = after;
	m->is_over = false;
}

void
merge_done(struct merge *m)
{
	map_destroy(m->apart, free);
	pg_free(m->page);
	buf_done(&m->page_sql);
	buf_done(&m->rest_sql);
}

int
merge_entry(struct merge *m, const struct log_entry *e, struct err *err)
{
	struct record mine = {.in_ledger = false};
	struct frame f;

	m->end_epoch = e->epoch;
	m->end_no = e->no;
	if (strcmp(e->type, "record") != 0 || frame_decode(&f, e->f0, NULL) != 0 ||
	    f.kind != MSG_RECORD)
		return 0;
	memcpy(mine.key, f.u.record.ob, 16);
	be64_put(mine.key + 16, f.u.record.seq);
	memcpy(mine.h, f.u.record.h, HASH_LEN);
	mine.is_said = shelf_row_said(mine.said, e, &f.u.record);
	m->n++;
	return compare_entry(m, e, &mine, err);
}
