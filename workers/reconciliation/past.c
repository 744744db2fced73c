/* past.c - opens what is sealed in the records up to a moment: arrivals, and the policy that two persons had agreed to.
 *
 * Happy path: the newest row that was accepted by then; the arrivals whose COMMIT names as many rows as came, the later
 * word on a case holds; the newest policy that another person of the right role gave. Failures: a key store that does not
 * answer, a body that does not open, a policy that does not read: told, and nothing of the past is shown. */
#include "workers/reconciliation/past.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "proto/chain.h"
#include "proto/keys.h"
#include "proto/lists.h"
#include "proto/roles.h"
#include "workers/link/keyclient.h"

static const char no_sql[] =
    "SELECT no FROM hf.ledger WHERE campaign = $1 AND campaign_at <= $2 AND no <= (SELECT "
    "ledger_no FROM hf.campaign WHERE campaign = $1) ORDER BY no DESC LIMIT 1";

static const char arrivals_sql[] =
    "SELECT encode(r.ob, 'hex'), r.seq, r.body, c.no, c.rows FROM hf.ledger c JOIN hf.ledger r ON "
    "r.campaign = c.campaign AND r.import = c.import AND r.kind = 14 AND r.what = c.what AND "
    "r.verdict = 0 AND r.flaw IS NULL AND r.no < c.no WHERE c.campaign = $1 AND c.kind = 15 AND "
    "c.what = 'arrivals' AND c.verdict = 0 AND c.flaw IS NULL AND c.no <= $2 ORDER BY c.no, r.no";

/* A newer proposal takes the place of one that waits, and the first word of a second person decides it; who that may be
 * goes by the roles of the moment at which it was said. */
static const char policy_sql[] =
    "WITH said AS (SELECT a.no, a.ruling, p.no AS of_no, p.ob, p.seq, p.body FROM hf.ledger a JOIN "
    "hf.ledger p ON p.campaign = a.campaign AND p.ob = a.ref_ob AND p.seq = a.ref_seq JOIN LATERAL "
    "hf.person_at($1, a.no) s ON s.person = a.person AND s.roles & $3 <> 0 WHERE a.campaign = $1 "
    "AND a.kind = 12 AND a.verdict = 0 AND a.flaw IS NULL AND a.person <> p.person AND a.no <= $2 "
    "AND p.kind = 10 AND p.what IS NULL AND p.verdict = 0 AND p.flaw IS NULL) SELECT encode(s.ob, "
    "'hex'), s.seq, s.body FROM said s WHERE s.ruling = 'give' AND NOT EXISTS (SELECT FROM said e "
    "WHERE e.of_no = s.of_no AND e.no < s.no) AND NOT EXISTS (SELECT FROM hf.ledger q WHERE "
    "q.campaign = $1 AND q.kind = 10 AND q.what IS NULL AND q.verdict = 0 AND q.flaw IS NULL AND "
    "q.no > s.of_no AND q.no < s.no) ORDER BY s.no DESC LIMIT 1";

/* Columns ob, seq, body. */
static int
open_body(const struct pg_result *r, int i, const uint8_t key[32], struct buf *plain,
    struct body *ret, struct err *err)
{
	static const uint8_t none[16];
	struct span hex = pg_get(r, i, 0);
	struct buf sealed = BUF_INIT;
	uint8_t ob[16];
	int got;

	buf_clear(plain);
	if (!hex_decode(ob, 16, (const char *)hex.data, hex.len))
		return err_set(err, ERR_CORRUPT, "the ledger's ob does not read");
	got = pg_get_bytes(r, i, 2, &sealed, err);
	if (got == 0)
		got = chain_body_open(
		    plain, key, none, ob, (uint64_t)pg_get_i64(r, i, 1), buf_span(&sealed), err);
	if (got == 0)
		got = body_decode(ret, buf_span(plain), err);
	buf_done(&sealed);
	return got;
}

/* ---- arrivals ---- */

static char has_come, has_gone;

/* How many rows the body has; -1 when it does not read. */
static int64_t
read_rows(struct buf *pairs, struct span rows)
{
	struct arrival_row row;
	struct dec d;
	uint32_t n = import_rows_open(&d, rows);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t came;

		if (!arrival_row_next(&d, &row))
			return -1;
		came = row.came == 1;
		buf_add(pairs, row.case_id, 16);
		buf_add(pairs, &came, 1);
	}
	return n;
}

/* One import: all of its rows, or none. */
static void
apply(struct map *came, const struct buf *pairs, int64_t rows)
{
	if (pairs->len != 17 * (size_t)rows)
		return;
	for (const uint8_t *at = pairs->data; at < pairs->data + pairs->len; at += 17)
		map_put(came, at, 16, at[16] == 1 ? &has_come : &has_gone);
}

static int
read_arrivals(struct map *came, const struct pg_result *r, const uint8_t key[32], struct err *err)
{
	struct buf plain = BUF_INIT, pairs = BUF_INIT;
	struct body body;
	int got = 0;

	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		got = open_body(r, i, key, &plain, &body, err);
		if (got == 0 && read_rows(&pairs, body.rows) < 0)
			got = err_set(err, ERR_CORRUPT,
			    "账本第 %" PRId64 " 条提交的报到名单读不出来", pg_get_i64(r, i, 3));
		if (i + 1 < pg_rows(r) && pg_get_i64(r, i + 1, 3) == pg_get_i64(r, i, 3))
			continue;
		apply(came, &pairs, pg_get_i64(r, i, 4));
		buf_clear(&pairs);
	}
	buf_done(&plain);
	buf_done(&pairs);
	return got;
}

static void
collect(struct buf *out, const struct map *came)
{
	struct map_iter it = map_begin(came);
	const void *key;
	size_t len;
	void *value;

	while (map_next(&it, &key, &len, &value))
		if (value == &has_come)
			buf_add(out, key, len);
}

/* ---- the moment ---- */

static int
read_no(struct past *p, struct pg *pg, const char *campaign, struct err *err)
{
	struct pg_param of[2] = {pg_text(campaign), pg_i64(p->at)};
	struct pg_result *r;

	if (pg_exec(pg, no_sql, of, 2, &r, err) != 0)
		return -1;
	p->no = pg_rows(r) == 1 ? pg_get_i64(r, 0, 0) : 0;
	pg_free(r);
	return 0;
}

static int
read_sealed(
    struct past *p, struct pg *pg, const char *campaign, const uint8_t key[32], struct err *err)
{
	const int64_t second = ROLE_DATA | ROLE_ADMIN | ROLE_CALLBACK_HEAD;
	struct pg_param of[3] = {pg_text(campaign), pg_i64(p->no), pg_i64(second)};
	struct buf plain = BUF_INIT;
	struct map *came;
	struct body body;
	struct pg_result *r;
	int got;

	if (pg_exec(pg, arrivals_sql, of, 2, &r, err) != 0)
		return -1;
	came = map_create();
	got = read_arrivals(came, r, key, err);
	collect(&p->arrived, came);
	map_destroy(came, NULL);
	pg_free(r);
	if (got != 0 || pg_exec(pg, policy_sql, of, 3, &r, err) != 0)
		return -1;
	readings_default(&p->rules);
	if (pg_rows(r) == 1) {
		got = open_body(r, 0, key, &plain, &body, err);
		if (got == 0)
			got = readings_of_policy(&p->rules, body.text, err);
	}
	buf_done(&plain);
	pg_free(r);
	return got;
}

static int
read_at(struct past *p, struct pg *pg, const char *keys, const char *campaign, bool by_time,
    struct err *err)
{
	uint8_t key[32];
	int got = -1;

	if (keyclient_campaign_key(keys, campaign, key, err) != 0)
		return -1;
	if ((!by_time || read_no(p, pg, campaign, err) == 0) &&
	    read_sealed(p, pg, campaign, key, err) == 0)
		got = 0;
	crypt_wipe(key, sizeof(key));
	if (got != 0)
		past_done(p);
	return got;
}

int
past_read(struct past *ret, struct pg *pg, const char *keys, const char *campaign, int64_t at,
    struct err *err)
{
	*ret = (struct past)PAST_INIT;
	ret->at = at;
	return read_at(ret, pg, keys, campaign, true, err);
}

int
past_read_row(struct past *ret, struct pg *pg, const char *keys, const char *campaign, int64_t no,
    int64_t at, struct err *err)
{
	*ret = (struct past)PAST_INIT;
	ret->no = no;
	ret->at = at;
	return read_at(ret, pg, keys, campaign, false, err);
}

void
past_done(struct past *p)
{
	buf_done(&p->arrived);
}

void
past_params(struct pg_param p[4], const struct past *past, const char *campaign)
{
	p[0] = pg_text(campaign);
	p[1] = pg_i64(past->no);
	p[2] = pg_i64(past->at);
	p[3] = pg_bytes(past->arrived.data, past->arrived.len);
}
