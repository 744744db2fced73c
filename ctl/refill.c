/* refill.c - what PostgreSQL knows, given to an empty queue store by the entries restore_… of the queue.
 *
 * Happy path: the log's kept stretch, persons, agents, outboxes with the answers that may be asked for again, cases
 * with their newest records, the router's memory, the pause. All is read in pages and sent in batches; what
 * becomes of a case (doubt, version, lease) is the queue's rule, not ours. Failures: any refusal ends it; the
 * store stays closed and the next run begins anew in another epoch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/refill.h"
#include "ctl/show.h"
#include "workers/link/identity.h"

#define PAGE_CASES   200
#define PAGE_TAIL    500
#define ANSWERS_KEPT 64 /* of those that are released: an agent may not have heard them */
#define PAGE_ANSWERS 1000
#define PAIRS_MAX    64
#define CALL_BYTES   (4 << 20) /* Redis takes 16 MiB of one client at once */

/* ---- small parts ---- */

static int
query(struct ctl *c, const char *sql, const struct pg_param *p, size_t n, struct pg_result **ret,
    struct err *err)
{
	return pg_exec(c->pg, sql, p, n, ret, err) == 0 ? 0 : err_wrap(err, "PostgreSQL");
}

static void
begin(struct ctl *c, struct call *call)
{
	call_begin(call, "hf1_router", c->campaign, show_now(c), clock_wall_ms(), 0);
}

static int
send(struct ctl *c, struct call *call, struct err *err)
{
	const struct rds_reply *r;
	int rc = ctl_fcall(c, call, &r, err);

	call_done(call);
	if (rc != 0)
		return -1;
	for (size_t i = 4; rc == 0 && i < rds_len(r); i++) {
		struct span why = rds_str(rds_at(rds_at(r, i), 1));

		if (!span_eq_str(rds_str(rds_at(rds_at(r, i), 0)), "ok"))
			rc = err_set(err, ERR_CORRUPT, "redis: 第 %zu 步被拒绝: %.*s", i - 3,
			    (int)why.len, (const char *)why.data);
	}
	rds_sync_free(r);
	return rc;
}

static void
call_col(struct call *call, const struct pg_result *r, int row, int col, const char *none)
{
	if (pg_is_null(r, row, col))
		call_str(call, none);
	else
		call_span(call, pg_get(r, row, col));
}

static int
call_bytea(struct call *call, const struct pg_result *r, int row, int col, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = pg_is_null(r, row, col) ? 0 : pg_get_bytes(r, row, col, &b, err);

	if (rc == 0)
		call_span(call, buf_span(&b));
	buf_done(&b);
	return rc;
}

/* ---- the log's newest stretch ---- */

/* "<length>:<bytes>" of name and value in turn. */
static size_t
split(struct span raw, struct span *ret, size_t max)
{
	size_t n = 0;

	while (raw.len > 0 && n < max) {
		const uint8_t *colon = memchr(raw.data, ':', raw.len < 12 ? raw.len : 12);
		uint64_t len;
		size_t head = colon == NULL ? 0 : (size_t)(colon - raw.data);

		if (colon == NULL || !text_to_u64((const char *)raw.data, head, &len) ||
		    len > raw.len - head - 1)
			return 0;
		ret[n++] = span_of(colon + 1, (size_t)len);
		raw = span_of(colon + 1 + len, raw.len - head - 1 - (size_t)len);
	}
	return raw.len == 0 && n % 2 == 0 ? n : 0;
}

static int
add_entry(struct ctl *c, const struct pg_result *r, int row, struct err *err)
{
	struct span argv[PAIRS_MAX + 3];
	const struct rds_reply *reply;
	struct buf raw = BUF_INIT;
	char key[96], id[48];
	size_t n = 0;
	int rc = pg_get_bytes(r, row, 2, &raw, err);

	(void)snprintf(id, sizeof(id), "%jd-%jd", (intmax_t)pg_get_i64(r, row, 0),
	    (intmax_t)pg_get_i64(r, row, 1));
	if (rc == 0 && (n = split(buf_span(&raw), argv + 3, PAIRS_MAX)) == 0)
		rc = err_set(err, ERR_CORRUPT, "PostgreSQL: log_tail %s 读不懂", id);
	argv[0] = span_str("XADD");
	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "log"));
	argv[2] = span_str(id);
	if (rc == 0 && (rc = ctl_cmd(c, argv, n + 3, &reply, err)) == 0)
		rds_sync_free(reply);
	buf_done(&raw);
	return rc;
}

int
refill_tail(struct ctl *c, struct refill_counts *n, struct err *err)
{
	int64_t epoch = 0, no = 0;

	for (int got = PAGE_TAIL; got == PAGE_TAIL;) {
		struct pg_param p[3] = {pg_text(c->campaign), pg_i64(epoch), pg_i64(no)};
		struct pg_result *r;

		if (query(c,
		        "SELECT epoch, no, raw FROM hf.log_tail WHERE campaign = $1 AND "
		        "(epoch, no) > ($2, $3) ORDER BY epoch, no LIMIT 500",
		        p, 3, &r, err) != 0)
			return -1;
		got = pg_rows(r);
		for (int i = 0; i < got; i++) {
			if (add_entry(c, r, i, err) != 0) {
				pg_free(r);
				return -1;
			}
			epoch = pg_get_i64(r, i, 0);
			no = pg_get_i64(r, i, 1);
		}
		n->tail += (size_t)got;
		pg_free(r);
	}
	return 0;
}

/* ---- people, agents, outboxes ---- */

static int
refill_people(struct ctl *c, struct refill_counts *n, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *r;
	struct call call;

	if (query(c,
	        "SELECT person, roles, team, qualified::int, encode(sign_pk, 'hex'), active::int "
	        "FROM hf.person WHERE campaign = $1 ORDER BY person",
	        p, 1, &r, err) != 0)
		return -1;
	begin(c, &call);
	for (int i = 0; i < pg_rows(r); i++) {
		call_entry(&call, "admit_person");
		for (int k = 0; k < 6; k++)
			call_col(&call, r, i, k, "-");
	}
	n->persons = (size_t)pg_rows(r);
	pg_free(r);
	if (query(c,
	        "SELECT encode(agent, 'hex'), encode(curve_pk, 'hex'), encode(sign_pk, 'hex'), "
	        "state "
	        "FROM hf.agent WHERE campaign = $1 ORDER BY agent",
	        p, 1, &r, err) != 0) {
		call_done(&call);
		return -1;
	}
	for (int i = 0; i < pg_rows(r); i++) {
		call_entry(&call, "admit_agent");
		for (int k = 0; k < 4; k++)
			call_col(&call, r, i, k, "");
	}
	n->agents = (size_t)pg_rows(r);
	pg_free(r);
	return send(c, &call, err);
}

/* One page of answers of an outbox: those of what is not released, and the newest 64, which may be asked for
 * again; *seq moves on. Without any it is the outbox alone. */
static int
refill_box(struct ctl *c, const struct pg_result *box, int row, int64_t *seq, int *ret_got,
    struct err *err)
{
	struct buf ob = BUF_INIT;
	struct pg_param p[3] = {pg_text(c->campaign), pg_null(), pg_i64(*seq)};
	struct pg_result *r;
	struct call call;
	int rc = pg_get_bytes(box, row, 0, &ob, err);

	p[1] = pg_bytes(ob.data, ob.len);
	if (rc == 0)
		rc = query(c,
		    "SELECT seq, h, verdict, opseq, coalesce(why, '-') FROM hf.ledger WHERE "
		    "campaign = $1 AND ob = $2 AND seq > $3 ORDER BY seq LIMIT 1000",
		    p, 3, &r, err);
	buf_done(&ob);
	if (rc != 0)
		return -1;
	begin(c, &call);
	call_entry(&call, "restore_ob");
	rc = call_bytea(&call, box, row, 0, err);
	call_col(&call, box, row, 1, "");
	call_col(&call, box, row, 2, "0");
	if (rc == 0)
		rc = call_bytea(&call, box, row, 3, err);
	call_col(&call, box, row, 4, "0");
	for (int i = 0; rc == 0 && i < pg_rows(r); i++) {
		call_col(&call, r, i, 0, "0");
		rc = call_bytea(&call, r, i, 1, err);
		for (int k = 2; k < 5; k++)
			call_col(&call, r, i, k, "-");
		*seq = pg_get_i64(r, i, 0);
	}
	*ret_got = pg_rows(r);
	pg_free(r);
	if (rc == 0)
		return send(c, &call, err);
	call_done(&call);
	return -1;
}

static int
refill_boxes(struct ctl *c, struct refill_counts *n, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *r;
	int rc = 0;

	if (query(c,
	        "SELECT ob, encode(agent, 'hex'), recorded_upto, recorded_h, frozen::int, "
	        "greatest(0, least(released_upto, recorded_upto - 64)) FROM hf.outbox WHERE "
	        "campaign = $1 AND agent IS NOT NULL ORDER BY "
	        "ob",
	        p, 1, &r, err) != 0)
		return -1;
	for (int i = 0; rc == 0 && i < pg_rows(r); i++) {
		int64_t seq = pg_get_i64(r, i, 5) - ANSWERS_KEPT;
		int got = PAGE_ANSWERS;

		while (rc == 0 && got == PAGE_ANSWERS)
			rc = refill_box(c, r, i, &seq, &got, err);
	}
	n->outboxes = (size_t)pg_rows(r);
	pg_free(r);
	return rc;
}

/* ---- cases ---- */

/* The newest records of the cases from $2 (not included) to $3, by case, oldest first. */
static int
newest_records(
    struct ctl *c, struct span from, struct span to, struct pg_result **ret, struct err *err)
{
	struct pg_param p[3] = {
	    pg_text(c->campaign), pg_bytes(from.data, from.len), pg_bytes(to.data, to.len)};

	return query(c,
	    "SELECT encode(case_ref, 'hex'), ob, seq, header, body FROM (SELECT case_ref, ob, seq, "
	    "header, body, no, row_number() OVER (PARTITION BY case_ref ORDER BY no DESC) AS back "
	    "FROM hf.ledger WHERE campaign = $1 AND case_ref > $2 AND case_ref <= $3 AND verdict "
	    "<> "
	    "2 AND coalesce(kind, 0) NOT IN (25, 29)) l WHERE back <= 5 ORDER BY case_ref, no",
	    p, 3, ret, err);
}

/* ob(16) BE64(seq) BE32(length of header) header body */
static int
call_last(struct call *call, const struct pg_result *r, int row, struct err *err)
{
	struct buf out = BUF_INIT, header = BUF_INIT;
	int rc = pg_get_bytes(r, row, 1, &out, err);

	if (rc == 0 && (rc = pg_get_bytes(r, row, 3, &header, err)) == 0) {
		buf_add_be64(&out, (uint64_t)pg_get_i64(r, row, 2));
		buf_add_be32(&out, (uint32_t)header.len);
		buf_add(&out, header.data, header.len);
		rc = pg_get_bytes(r, row, 4, &out, err);
	}
	if (rc == 0)
		call_span(call, buf_span(&out));
	buf_done(&header);
	buf_done(&out);
	return rc;
}

static int
call_case(struct call *call, const struct pg_result *r, int row, const struct pg_result *last,
    int *at, struct err *err)
{
	call_entry(call, "restore_case");
	if (call_bytea(call, r, row, 0, err) != 0)
		return -1;
	call_span(call, pg_get(r, row, 1));
	for (int k = 2; k <= 4; k++)
		if (call_bytea(call, r, row, k, err) != 0)
			return -1;
	while (*at < pg_rows(last) && span_eq(pg_get(last, *at, 0), pg_get(r, row, 5))) {
		if (call_last(call, last, *at, err) != 0)
			return -1;
		++*at;
	}
	return 0;
}

static const char cases_sql[] =
    "SELECT case_ref, concat_ws('|', version, coalesce(owner, '-'), coalesce(hand, '-'), lane, "
    "due, "
    "lpad(to_hex(token), 16, '0'), 0, given, flags, coalesce(encode(ob, 'hex'), '-'), law_at, why, "
    "''), blob, task, (SELECT string_agg(i.indexes, ''::bytea) FROM hf.case_index i WHERE "
    "i.campaign = c.campaign AND i.case_ref = c.case_ref), encode(case_ref, 'hex') FROM "
    "hf.case_state c WHERE campaign = $1 AND case_ref > $2 ORDER BY case_ref LIMIT 200";

/* One page after `from`, which becomes its last case. */
static int
refill_page(struct ctl *c, struct buf *from, int *ret_got, struct err *err)
{
	struct pg_param p[2] = {pg_text(c->campaign), pg_bytes(from->data, from->len)};
	struct pg_result *r = NULL, *last = NULL;
	struct buf to = BUF_INIT;
	struct call call;
	int rc = query(c, cases_sql, p, 2, &r, err), at = 0;

	*ret_got = rc == 0 ? pg_rows(r) : 0;
	if (*ret_got == 0) {
		pg_free(r);
		return rc;
	}
	rc = pg_get_bytes(r, *ret_got - 1, 0, &to, err);
	if (rc == 0)
		rc = newest_records(c, buf_span(from), buf_span(&to), &last, err);
	begin(c, &call);
	for (int i = 0; rc == 0 && i < *ret_got; i++) {
		rc = call_case(&call, r, i, last, &at, err);
		if (rc == 0 && call.bytes.len > CALL_BYTES && i + 1 < *ret_got) {
			rc = send(c, &call, err);
			begin(c, &call);
		}
	}
	if (rc == 0)
		rc = send(c, &call, err);
	else
		call_done(&call);
	buf_done(from);
	*from = to;
	pg_free(last);
	pg_free(r);
	return rc;
}

static int
refill_cases(struct ctl *c, struct refill_counts *n, struct err *err)
{
	struct buf from = BUF_INIT;
	int got = PAGE_CASES, rc = 0;

	buf_addc(&from, '\0'); /* a reference is longer: all come after it */
	while (rc == 0 && got == PAGE_CASES) {
		rc = refill_page(c, &from, &got, err);
		n->cases += (size_t)got;
	}
	buf_done(&from);
	return rc;
}

/* ---- what the router and operators had set ---- */

static const char cursor_sql[] = "SELECT e || '-' || n FROM (SELECT epoch AS e, no AS n FROM "
                                 "hf.cursor WHERE campaign = $1 AND reader "
                                 "= 'router' UNION ALL SELECT split_part(said, '-', 1)::bigint, "
                                 "split_part(said, '-', 2)::bigint "
                                 "FROM hf.kept WHERE campaign = $1 AND what <> 'pause' UNION ALL "
                                 "SELECT 0, 0) x ORDER BY e DESC, n "
                                 "DESC LIMIT 1";

static int
refill_kept(struct ctl *c, struct err *err)
{
	struct pg_param p[1] = {pg_text(c->campaign)};
	struct pg_result *at, *r;
	struct call call;
	int rc = query(c, cursor_sql, p, 1, &at, err);

	if (rc != 0)
		return -1;
	if (query(c, "SELECT what, value, said FROM hf.kept WHERE campaign = $1 ORDER BY what", p,
	        1, &r, err) != 0) {
		pg_free(at);
		return -1;
	}
	begin(c, &call);
	for (int i = 0; rc == 0 && i < pg_rows(r); i++) {
		struct span said = pg_get(r, i, 2);
		bool is_pause = span_eq_str(pg_get(r, i, 0), "pause");

		if (is_pause && (said.len < 3 || said.data[0] != '1'))
			continue;
		call_entry(&call, is_pause ? "pause" : "cursor");
		call_str(&call, is_pause ? "1" : "router");
		call_span(
		    &call, is_pause ? span_of(said.data + 2, said.len - 2) : pg_get(at, 0, 0));
		if (!is_pause)
			call_span(&call, pg_get(r, i, 0));
		rc = call_bytea(&call, r, i, 1, err);
	}
	call_entry(&call, "cursor");
	call_str(&call, "router");
	call_span(&call, pg_get(at, 0, 0));
	pg_free(at);
	pg_free(r);
	if (rc == 0)
		return send(c, &call, err);
	call_done(&call);
	return -1;
}

int
refill_rest(struct ctl *c, struct refill_counts *n, struct err *err)
{
	return refill_people(c, n, err) == 0 && refill_boxes(c, n, err) == 0 &&
	               refill_cases(c, n, err) == 0 && refill_kept(c, err) == 0
	           ? 0
	           : -1;
}

int
refill_end(struct ctl *c, int64_t until_ms, struct refill_counts *n, struct err *err)
{
	struct identity router = {.dir = ""};
	struct pg_param p[2] = {pg_text(c->campaign), pg_null()};
	char dir[600];
	struct pg_result *r;
	struct call call;

	(void)snprintf(dir, sizeof(dir), "%s/router/%s", c->home.dir, c->campaign);
	if (identity_load(&router, dir, err) != 0)
		return -1;
	p[1] = pg_bytes(router.agent, sizeof(router.agent));
	if (query(c,
	        "SELECT encode(agent, 'hex') FROM hf.agent WHERE campaign = $1 AND state = "
	        "'active' "
	        "AND agent <> $2",
	        p, 2, &r, err) != 0) {
		identity_done(&router);
		return -1;
	}
	begin(c, &call);
	call_entry(&call, "restored");
	call_u(&call, (uint64_t)until_ms);
	for (int i = 0; i < pg_rows(r); i++)
		call_span(&call, pg_get(r, i, 0));
	n->awaited = (size_t)pg_rows(r);
	pg_free(r);
	identity_done(&router);
	return send(c, &call, err);
}
