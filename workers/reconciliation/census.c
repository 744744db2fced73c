/* census.c - does everything add up, and do Redis and PostgreSQL say the same of each case, or of each that moved?
 *
 * Happy path: PostgreSQL's cases by reference, Redis' cases by HSCAN, compared by version, lane, owner, hand; of cases
 * that moved since a mark in the log only these, by HMGET, and each in the place that its state says.
 * While the recorder is behind, a difference in a case that moved meanwhile is no difference: then only the
 * sums are judged, and `behind` says so. Failures: a store that is away. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"
#include "proto/call.h"
#include "workers/reconciliation/figures.h"
#include "workers/link/everycase.h"
#include "workers/reconciliation/finding.h"

#define DIFFERENCES_MAX 100
#define BEHIND_MAX      "10000"

struct census {
	struct pg *pg;
	struct rds_sync *redis;
	const char *campaign;
	struct map *ledger; /* case -> text "version|owner|hand|lane", owned */
	json_t *lanes, *differences;
	int64_t imported, leases;
	struct moved *moved; /* NULL: all cases */
};

static int
command(struct census *c, const struct span *argv, size_t n, const struct rds_reply **ret,
    struct err *err)
{
	if (rds_sync_cmd(c->redis, argv, n, ret, err) != 0)
		return err_wrap(err, "redis");
	if (rds_type(*ret) == RDS_ERROR) {
		rds_sync_free(*ret);
		return err_set(err, ERR_DENIED, "redis refused a command of the census");
	}
	return 0;
}

/* Where PostgreSQL is in the log with its cases: read before them, so that what comes later is looked at again. */
static int
read_mark(struct pg *pg, const char *campaign, struct case_mark *ret, struct err *err)
{
	struct pg_param p = pg_text(campaign);
	struct pg_result *r;

	if (pg_exec(pg,
	        "SELECT log_epoch, log_no FROM hf.case_state WHERE campaign = $1 "
	        "ORDER BY log_epoch DESC, log_no DESC LIMIT 1",
	        &p, 1, &r, err) != 0)
		return err_wrap(err, "postgresql");
	*ret = (struct case_mark){0, 0};
	if (pg_rows(r) == 1)
		*ret = (struct case_mark){pg_get_i64(r, 0, 0), pg_get_i64(r, 0, 1)};
	pg_free(r);
	return 0;
}

static int
load_ledger(struct census *c, struct err *err)
{
	struct case_mark from = c->moved != NULL ? c->moved->from : (struct case_mark){-1, -1};
	struct pg_param p[3] = {pg_text(c->campaign), pg_i64(from.epoch), pg_i64(from.no)};
	struct pg_result *r;

	if (pg_exec(c->pg,
	        "SELECT encode(case_ref, 'hex'), version || '|' || coalesce(owner, '-') || '|' || "
	        "coalesce(hand, '-') || '|' || lane FROM hf.case_state WHERE campaign = $1 "
	        "AND ($2 < 0 OR (log_epoch, log_no) > ($2, $3))",
	        p, 3, &r, err) != 0)
		return err_wrap(err, "postgresql");
	for (int i = 0; i < pg_rows(r); i++) {
		struct span hex = pg_get(r, i, 0), text = pg_get(r, i, 1);
		uint8_t id[16];

		CHECK(hex_decode(id, 16, (const char *)hex.data, hex.len));
		map_put(
		    c->ledger, id, 16, xasprintf("%.*s", (int)text.len, (const char *)text.data));
	}
	pg_free(r);
	return 0;
}

static void
differ(struct census *c, const uint8_t id[16], const char *redis, const char *ledger)
{
	char hex[33];

	if (json_array_size(c->differences) >= DIFFERENCES_MAX)
		return;
	hex_encode(hex, id, 16);
	json_array_append_new(c->differences,
	    json_pack("{s:s s:s? s:s?}", "case", hex, "redis", redis, "postgres", ledger));
}

static void
compare_one(void *arg, struct span id, struct span text)
{
	struct census *c = arg;
	struct case_state s;
	char *here, *there;

	if (id.len != 16)
		return;
	c->imported++;
	there = map_del(c->ledger, id.data, 16);
	if (case_state_decode(&s, text, NULL) != 0) {
		differ(c, id.data, "unreadable", there);
		free(there);
		return;
	}
	here = xasprintf("%" PRIu64 "|%s|%s|%s", s.version, s.owner[0] != '\0' ? s.owner : "-",
	    s.hand[0] != '\0' ? s.hand : "-", s.lane);
	if (there == NULL || strcmp(here, there) != 0)
		differ(c, id.data, here, there);
	free(here);
	free(there);
}

/* A batch of cases that moved: their states, and whether they are where these say. */
static int
fetch_batch(struct census *c, uint8_t (*id)[16], size_t n, struct err *err)
{
	struct span argv[MOVED_BATCH + 2], text[MOVED_BATCH];
	const struct rds_reply *r;
	char key[80];
	int got;

	argv[0] = span_str("HMGET");
	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "cases"));
	for (size_t i = 0; i < n; i++)
		argv[i + 2] = span_of(id[i], 16);
	if (command(c, argv, n + 2, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		text[i] = rds_str(rds_at(r, i));
		if (text[i].len > 0)
			compare_one(c, span_of(id[i], 16), text[i]);
	}
	got = places_check_some(c->redis, c->campaign, id, text, n, c->moved->findings, err);
	rds_sync_free(r);
	return got;
}

static int
fetch_moved(struct census *c, struct err *err)
{
	struct map_iter it = map_begin(c->ledger);
	uint8_t id[MOVED_BATCH][16];
	const void *key;
	size_t n = 0;

	c->moved->n = map_count(c->ledger);
	while (map_next(&it, &key, NULL, NULL) != 0) {
		memcpy(id[n++], key, 16);
		if (n == MOVED_BATCH) {
			if (fetch_batch(c, id, n, err) != 0)
				return -1;
			n = 0;
		}
	}
	return n > 0 ? fetch_batch(c, id, n, err) : 0;
}

static int
count_key(
    struct census *c, const char *command_name, const char *suffix, int64_t *ret, struct err *err)
{
	char key[160];
	const struct rds_reply *r;
	struct span argv[2] = {
	    span_str(command_name), span_str(call_key(key, sizeof(key), c->campaign, suffix))};

	if (command(c, argv, 2, &r, err) != 0)
		return -1;
	*ret = rds_int(r);
	rds_sync_free(r);
	return 0;
}

static int
count_lanes(struct census *c, int64_t *sum, struct err *err)
{
	char key[80], suffix[96];
	const struct rds_reply *r;
	struct span argv[2] = {
	    span_str("SMEMBERS"), span_str(call_key(key, sizeof(key), c->campaign, "lanes"))};
	int got = 0;

	if (command(c, argv, 2, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < rds_len(r) && got == 0; i++) {
		struct span lane = rds_str(rds_at(r, i));
		int64_t n = 0;

		(void)snprintf(
		    suffix, sizeof(suffix), "lane:%.*s", (int)lane.len, (const char *)lane.data);
		got = count_key(c, "ZCARD", suffix, &n, err);
		*sum += n;
		if (n > 0)
			json_object_set_new(c->lanes, suffix + 5, json_integer(n));
	}
	rds_sync_free(r);
	return got;
}

/* Where the recorder is in the log, as XRANGE wants it for "after that". */
static int
cursor_of(struct census *c, char out[64], struct err *err)
{
	struct pg_param p = pg_text(c->campaign);
	struct pg_result *r;

	if (pg_exec(c->pg,
	        "SELECT '(' || epoch || '-' || no FROM hf.cursor WHERE campaign = $1 AND reader = "
	        "'recorder'",
	        &p, 1, &r, err) != 0)
		return -1;
	if (pg_rows(r) == 1)
		(void)snprintf(
		    out, 64, "%.*s", (int)pg_get(r, 0, 0).len, (const char *)pg_get(r, 0, 0).data);
	else
		(void)snprintf(out, 64, "-");
	pg_free(r);
	return 0;
}

/* Log entries of cases that the recorder has not taken yet, at most BEHIND_MAX; its own marks are none. */
static int
behind(struct census *c, int64_t *ret, struct err *err)
{
	char key[80], from[64] = "";
	const struct rds_reply *r;
	struct span argv[6] = {span_str("XRANGE"),
	    span_str(call_key(key, sizeof(key), c->campaign, "log")), span_str(from), span_str("+"),
	    span_str("COUNT"), span_str(BEHIND_MAX)};

	if (cursor_of(c, from, err) != 0)
		return -1;
	argv[2] = span_str(from);
	if (command(c, argv, 6, &r, err) != 0)
		return -1;
	*ret = 0;
	for (size_t i = 0; i < rds_len(r); i++) {
		const struct rds_reply *fields = rds_at(rds_at(r, i), 1);
		struct span pairs[24];
		size_t n = rds_len(fields) < 24 ? rds_len(fields) : 24;
		struct log_entry e;

		for (size_t j = 0; j < n; j++)
			pairs[j] = rds_str(rds_at(fields, j));
		if (log_entry_decode(&e, rds_str(rds_at(rds_at(r, i), 0)), pairs, n, NULL) == 0)
			*ret += e.has_case || strcmp(e.type, "record") == 0;
	}
	rds_sync_free(r);
	return 0;
}

static void
the_rest(struct census *c)
{
	struct map_iter it = map_begin(c->ledger);
	const void *id;
	void *text;

	while (map_next(&it, &id, NULL, &text))
		differ(c, id, NULL, text);
}

static int
take(struct census *c, json_t *out, struct err *err)
{
	int64_t lag = 0, sum = 0, in_hash = 0;
	bool even;

	if (behind(c, &lag, err) != 0 || load_ledger(c, err) != 0 ||
	    (c->moved != NULL ? fetch_moved(c, err)
	                      : everycase(c->redis, c->campaign, compare_one, c, err)) != 0 ||
	    count_lanes(c, &sum, err) != 0 ||
	    count_key(c, "ZCARD", "leases", &c->leases, err) != 0 ||
	    count_key(c, "HLEN", "cases", &in_hash, err) != 0)
		return -1;
	the_rest(c);
	even = sum + c->leases == in_hash;
	if (lag > 0)
		json_array_clear(c->differences);
	json_object_set_new(out, "imported", json_integer(in_hash));
	json_object_set(out, "lanes", c->lanes);
	json_object_set_new(out, "leases", json_integer(c->leases));
	json_object_set_new(out, "adds_up", json_boolean(even));
	json_object_set(out, "differences", c->differences);
	json_object_set_new(out, "behind", json_integer(lag));
	return 0;
}

int
figures_census(struct pg *pg, struct rds_sync *redis, const char *campaign, struct case_mark *mark,
    struct moved *moved, json_t **ret, struct err *err)
{
	struct census c = {.pg = pg,
	    .redis = redis,
	    .campaign = campaign,
	    .ledger = map_create(),
	    .lanes = json_object(),
	    .differences = json_array(),
	    .moved = moved};
	json_t *out = json_object();
	int got = read_mark(pg, campaign, mark, err);

	if (got == 0)
		got = take(&c, out, err);

	map_destroy(c.ledger, free);
	json_decref(c.lanes);
	json_decref(c.differences);
	if (got != 0) {
		json_decref(out);
		return err_wrap(err, "census");
	}
	*ret = out;
	return 0;
}
