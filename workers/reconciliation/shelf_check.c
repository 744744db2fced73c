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
#include "workers/reconciliation/shelf.h"
#include "workers/reconciliation/shelf_row.h"
#include "workers/reconciliation/since.h"

#define PAGE         20000
#define APART_MAX    400000 /* waiting: then they are judged as they are */
#define LATE_MINUTES 10

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
    "SELECT 1 FROM hf.ledger WHERE campaign = $1 AND ob = $2 AND seq = $3 AND h = $4";

/* What is not in the archive although it had the time: the oldest behind the newest that is. */
static const char behind_sql[] =
    "SELECT ($3 - wall_at) / 60000 FROM hf.ledger WHERE campaign = $1 AND no > $2 AND flaw IS "
    "DISTINCT FROM 'frame' ORDER BY no LIMIT 1";

struct record {
	uint8_t key[24]; /* ob || BE64(seq) */
	uint8_t h[HASH_LEN];
	uint8_t said[HASH_LEN]; /* of all that it says (shelf_row.h) */
	bool is_said;           /* false: only h is comparable */
	bool in_ledger;
};

struct look {
	struct pg *pg;
	const char *campaign;
	json_t *findings;
	struct map *apart; /* key -> struct record, owned: what only one side has so far */
	struct pg_result *page;
	int at;             /* the row of page that is next */
	int64_t after;      /* no of the last row that was taken */
	bool is_over;       /* no page comes after this one */
	bool failed;        /* PostgreSQL did, not the archive */
	uint64_t epoch, no; /* place in the log of the last row that was read */
	uint64_t from;      /* segments up to it were compared before */
	struct buf page_sql, rest_sql;
	struct shelf_segment end;
	uint64_t n;
};

static void
name_record(char out[64], const uint8_t key[24])
{
	hex_encode(out, key, 16);
	(void)snprintf(out + 32, 32, " %" PRIu64, be64_get(key + 16));
}

static void
find(struct look *l, const char *kind, const struct record *r)
{
	char text[64];

	name_record(text, r->key);
	finding_add(l->findings, "difference", kind, NULL, r->in_ledger ? text : NULL,
	    r->in_ledger ? NULL : text);
}

static int
is_known(struct look *l, const struct record *x, bool *ret, struct err *err)
{
	struct pg_param p[4] = {pg_text(l->campaign), pg_bytes(x->key, 16),
	    pg_i64((int64_t)be64_get(x->key + 16)), pg_bytes(x->h, HASH_LEN)};
	struct pg_result *r;

	if (pg_exec(l->pg, known_sql, p, 4, &r, err) != 0)
		return -1;
	*ret = pg_rows(r) > 0;
	pg_free(r);
	return 0;
}

/* What waits: only in the ledger; or only in the archive, unless the ledger put it aside by name or has it already. */
static int
judge_apart(struct look *l, struct err *err)
{
	struct map_iter it = map_begin(l->apart);
	void *v;

	while (map_next(&it, NULL, NULL, &v) != 0) {
		const struct record *x = v;
		bool known = false;

		if (!x->in_ledger && is_known(l, x, &known, err) != 0)
			return -1;
		if (!known)
			find(l, x->in_ledger ? "ledger-only" : "archive-only", x);
	}
	map_destroy(l->apart, free);
	l->apart = map_create();
	return 0;
}

static void
compare(struct look *l, const struct record *a, const struct record *b)
{
	struct record r = *a;

	r.in_ledger = true;
	if (memcmp(a->h, b->h, HASH_LEN) != 0 ||
	    (a->is_said && b->is_said && memcmp(a->said, b->said, HASH_LEN) != 0))
		find(l, "ledger-archive", &r);
}

static int
set_apart(struct look *l, const struct record *x, struct err *err)
{
	struct record *other = map_get(l->apart, x->key, sizeof(x->key)), *mine;

	if (other != NULL && other->in_ledger != x->in_ledger) {
		compare(l, x, other);
		free(map_del(l->apart, x->key, sizeof(x->key)));
		return 0;
	}
	if (map_count(l->apart) >= APART_MAX && judge_apart(l, err) != 0)
		return -1;
	mine = xmalloc(sizeof(*mine));
	*mine = *x;
	free(map_put(l->apart, mine->key, sizeof(mine->key), mine));
	return 0;
}

/* ---- the ledger's side ---- */

static int
next_page(struct look *l, bool up_to_end, struct err *err)
{
	struct pg_param p[5] = {pg_text(l->campaign), pg_i64(l->after), pg_i64(PAGE),
	    pg_i64((int64_t)l->end.last_epoch), pg_i64((int64_t)l->end.last_no)};

	pg_free(l->page);
	l->page = NULL;
	l->at = 0;
	if (pg_exec(l->pg, (const char *)(up_to_end ? l->rest_sql : l->page_sql).data, p,
	        up_to_end ? 5 : 3, &l->page, err) != 0)
		return -1;
	l->is_over = pg_rows(l->page) < PAGE;
	return 0;
}

/* What the recorder flawed need not say what the archive does, but lies in quarantine. */
static int
judge_flawed(struct look *l, const struct record *x, struct err *err)
{
	struct pg_param p[3] = {
	    pg_text(l->campaign), pg_bytes(x->key, 16), pg_i64((int64_t)be64_get(x->key + 16))};
	struct pg_result *r;

	if (pg_exec(l->pg, flawed_sql, p, 3, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 0)
		find(l, "ledger-archive", x);
	pg_free(r);
	return 0;
}

/* The other way: what lies there is flawed in the ledger. */
static int
judge_flaws(struct look *l, struct err *err)
{
	struct pg_param p = pg_text(l->campaign);
	struct pg_result *r;
	int got = 0;

	if (pg_exec(l->pg, flaws_sql, &p, 1, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		struct record x = {.in_ledger = true};
		struct buf ob = BUF_INIT;

		got = pg_get_bytes(r, i, 0, &ob, err);
		if (got == 0 && ob.len == 16) {
			memcpy(x.key, ob.data, 16);
			be64_put(x.key + 16, (uint64_t)pg_get_i64(r, i, 1));
			find(l, "ledger-archive", &x);
		}
		buf_done(&ob);
	}
	pg_free(r);
	return got;
}

/* The ledger counts its rows in the order of the log. */
static void
judge_order(struct look *l, const struct record *x)
{
	uint64_t epoch = (uint64_t)pg_get_i64(l->page, l->at, 1);
	uint64_t no = (uint64_t)pg_get_i64(l->page, l->at, 2);

	if (epoch < l->epoch || (epoch == l->epoch && no <= l->no))
		find(l, "ledger-archive", x);
	l->epoch = epoch;
	l->no = no;
}

static int
row_record(struct look *l, struct record *ret, struct err *err)
{
	struct buf ob = BUF_INIT;
	struct span hex = pg_get(l->page, l->at, 5), text = pg_get(l->page, l->at, 7);

	if (pg_get_bytes(l->page, l->at, 3, &ob, err) != 0)
		return -1;
	CHECK(ob.len == 16 && hex_decode(ret->h, HASH_LEN, (const char *)hex.data, hex.len));
	memcpy(ret->key, ob.data, 16);
	be64_put(ret->key + 16, (uint64_t)pg_get_i64(l->page, l->at, 4));
	ret->in_ledger = true;
	ret->is_said = !span_eq_str(pg_get(l->page, l->at, 6), "t");
	crypt_hash(ret->said, &text, 1);
	buf_done(&ob);
	judge_order(l, ret);
	return ret->is_said ? 0 : judge_flawed(l, ret, err);
}

/* The next row is behind, at, or (1) ahead of this place of the log; 1 too when there is none. */
static int
place(const struct look *l, uint64_t epoch, uint64_t no)
{
	uint64_t e, n;

	if (l->page == NULL || l->at >= pg_rows(l->page))
		return 1;
	e = (uint64_t)pg_get_i64(l->page, l->at, 1);
	n = (uint64_t)pg_get_i64(l->page, l->at, 2);
	return e != epoch ? (e < epoch ? -1 : 1) : n != no ? (n < no ? -1 : 1) : 0;
}

static void
take_row(struct look *l)
{
	l->after = pg_get_i64(l->page, l->at++, 0);
}

/* The row at this place is given out, *ret true; those before it are set apart. */
static int
rows_up_to(
    struct look *l, uint64_t epoch, uint64_t no, struct record *row, bool *ret, struct err *err)
{
	int where;

	for (*ret = false; !*ret; take_row(l)) {
		if ((l->page == NULL || l->at == pg_rows(l->page)) && !l->is_over &&
		    next_page(l, false, err) != 0)
			return -1;
		where = place(l, epoch, no);
		if (where > 0)
			return 0;
		if (row_record(l, row, err) != 0 || (where < 0 && set_apart(l, row, err) != 0))
			return -1;
		*ret = where == 0;
	}
	return 0;
}

/* Rows up to the archive's end that no record of it stands at. */
static int
rows_left(struct look *l, struct err *err)
{
	struct record row;

	do {
		if (next_page(l, true, err) != 0)
			return -1;
		for (; l->at < pg_rows(l->page); take_row(l)) {
			if (row_record(l, &row, err) != 0 || set_apart(l, &row, err) != 0)
				return -1;
		}
	} while (!l->is_over);
	return 0;
}

/* ---- the archive's side ---- */

static void
take_segment(struct look *l, const struct shelf_segment *s)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%012" PRIu64, s->number);
	if (!s->is_signed)
		finding_add(l->findings, "difference", "archive-altered", NULL, text, NULL);
	if (!s->chained)
		finding_add(l->findings, "difference", "archive-broken", NULL, text, NULL);
	l->end = *s;
}

static int
compare_entry(struct look *l, const struct log_entry *e, const struct record *mine, struct err *err)
{
	struct record row;
	bool has;

	if (rows_up_to(l, e->epoch, e->no, &row, &has, err) != 0)
		return -1;
	if (has && memcmp(row.key, mine->key, sizeof(mine->key)) == 0) {
		compare(l, &row, mine);
		return 0;
	}
	return (has && set_apart(l, &row, err) != 0) || set_apart(l, mine, err) != 0 ? -1 : 0;
}

static int
on_entry(void *arg, const struct shelf_segment *s, const struct log_entry *e, struct err *err)
{
	struct look *l = arg;
	struct record mine = {.in_ledger = false};
	struct frame f;

	if (e == NULL) {
		take_segment(l, s);
		return 0;
	}
	if (s->number <= l->from || frame_decode(&f, e->f0, NULL) != 0 || f.kind != MSG_RECORD)
		return 0;
	memcpy(mine.key, f.u.record.ob, 16);
	be64_put(mine.key + 16, f.u.record.seq);
	memcpy(mine.h, f.u.record.h, HASH_LEN);
	mine.is_said = shelf_row_said(mine.said, e, &f.u.record);
	l->n++;
	l->failed = compare_entry(l, e, &mine, err) != 0;
	return l->failed ? -1 : 0;
}

/* Where in the ledger the archive's end of that time is. */
static int
newest_at(struct look *l, int64_t epoch, int64_t no, int64_t *ret, struct err *err)
{
	struct pg_param p[3] = {pg_text(l->campaign), pg_i64(epoch), pg_i64(no)};
	struct pg_result *r;

	*ret = 0;
	if (epoch == 0 && no == 0)
		return 0;
	if (pg_exec(l->pg, begin_sql, p, 3, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 1)
		*ret = pg_get_i64(r, 0, 0);
	pg_free(r);
	return 0;
}

/* An archive that stopped keeps agents from forgetting, and a lost ledger from coming back whole. */
static int
judge_age(struct look *l, struct err *err)
{
	struct pg_param p[3] = {pg_text(l->campaign), pg_i64(0), pg_i64(clock_wall_ms())};
	struct pg_result *r;
	char here[24], there[24];
	int64_t newest = 0, minutes;

	if (newest_at(l, (int64_t)l->end.last_epoch, (int64_t)l->end.last_no, &newest, err) != 0)
		return -1;
	p[1] = pg_i64(newest);
	if (pg_exec(l->pg, behind_sql, p, 3, &r, err) != 0)
		return -1;
	minutes = pg_rows(r) == 1 ? pg_get_i64(r, 0, 0) : 0;
	(void)snprintf(here, sizeof(here), "%" PRId64, minutes);
	(void)snprintf(there, sizeof(there), "%d", LATE_MINUTES);
	if (minutes > LATE_MINUTES)
		finding_add(l->findings, "notice", "archive-behind", NULL, here, there);
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
	finding_add(l->findings, "difference", "archive-broken", NULL, here, there);
}

static int
compare_all(struct look *l, const struct home *home, const struct since *since, struct err *err)
{
	uint8_t pk[SIGN_PK_LEN];
	bool has_key = shelf_key(home, pk);
	struct err why = ERR_INIT;

	if (since->some && newest_at(l, since->log_epoch, since->log_no, &l->after, err) != 0)
		return -1;
	l->from = (uint64_t)since->segment;
	if (shelf_walk(home, l->campaign, l->from > 0 ? l->from : 1, has_key ? pk : NULL, on_entry,
	        l, &why) != 0) {
		if (l->failed) {
			*err = why;
			return -1;
		}
		finding_add(l->findings, "difference", "archive-unreadable", NULL, why.text, NULL);
		return 0;
	}
	judge_end(l, l->from);
	if (l->end.number == 0)
		return 0;
	return rows_left(l, err) != 0 || judge_apart(l, err) != 0 || judge_flaws(l, err) != 0 ? -1
	                                                                                      : 0;
}

static void
write_sql(struct look *l)
{
	for (int i = 0; i < 2; i++) {
		struct buf *b = i == 0 ? &l->page_sql : &l->rest_sql;

		buf_adds(b, columns_sql);
		shelf_row_sql(b);
		buf_adds(b, i == 0 ? page_sql : rest_sql);
		buf_addc(b, '\0');
	}
}

int
shelf_check(struct pg *pg, const struct home *home, const char *campaign, const struct since *since,
    json_t *findings, struct shelf_look *ret, struct err *err)
{
	struct look l = {
	    .pg = pg, .campaign = campaign, .findings = findings, .apart = map_create()};
	int got;

	write_sql(&l);
	got = compare_all(&l, home, since, err);
	memset(ret, 0, sizeof(*ret));
	if (got == 0)
		got = judge_age(&l, err);
	if (l.end.number > 0)
		(void)snprintf(ret->last, sizeof(ret->last), "%" PRIu64 "-%" PRIu64,
		    l.end.last_epoch, l.end.last_no);
	ret->segments = l.end.number;
	ret->records = l.n;
	map_destroy(l.apart, free);
	pg_free(l.page);
	buf_done(&l.page_sql);
	buf_done(&l.rest_sql);
	return got != 0 ? err_wrap(err, "the archive against the ledger") : 0;
}
