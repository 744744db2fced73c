/* census.c - does everything add up, and do Redis and PostgreSQL say the same of each case?
 *
 * Happy path: PostgreSQL's cases by reference, Redis' cases by HSCAN, compared by version, lane, owner, hand.
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

#define DIFFERENCES_MAX 100
#define BEHIND_MAX      "10000"

struct census {
	struct pg *pg;
	struct rds_sync *redis;
	const char *campaign;
	struct map *ledger; /* case -> text "version|owner|hand|lane", owned */
	json_t *lanes, *differences;
	int64_t imported, leases;
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

static int
load_ledger(struct census *c, struct err *err)
{
	struct pg_param p = pg_text(c->campaign);
	struct pg_result *r;

	if (pg_exec(c->pg,
	        "SELECT encode(case_ref, 'hex'), version || '|' || coalesce(owner, '-') || '|' || "
	        "coalesce(hand, '-') "
	        "|| '|' || lane FROM hf.case_state WHERE campaign = $1",
	        &p, 1, &r, err) != 0)
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
compare_one(struct census *c, struct span id, struct span text)
{
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

static int
scan_cases(struct census *c, struct err *err)
{
	char key[80], cursor[32] = "0";

	do {
		const struct rds_reply *r, *rows;
		struct span argv[5] = {span_str("HSCAN"),
		    span_str(call_key(key, sizeof(key), c->campaign, "cases")), span_str(cursor),
		    span_str("COUNT"), span_str("1000")};
		struct span next;

		if (command(c, argv, 5, &r, err) != 0)
			return -1;
		rows = rds_at(r, 1);
		for (size_t i = 0; i + 1 < rds_len(rows); i += 2)
			compare_one(c, rds_str(rds_at(rows, i)), rds_str(rds_at(rows, i + 1)));
		next = rds_str(rds_at(r, 0));
		(void)snprintf(
		    cursor, sizeof(cursor), "%.*s", (int)next.len, (const char *)next.data);
		rds_sync_free(r);
	} while (strcmp(cursor, "0") != 0);
	return 0;
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

	if (behind(c, &lag, err) != 0 || load_ledger(c, err) != 0 || scan_cases(c, err) != 0 ||
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
figures_census(
    struct pg *pg, struct rds_sync *redis, const char *campaign, json_t **ret, struct err *err)
{
	struct census c = {.pg = pg,
	    .redis = redis,
	    .campaign = campaign,
	    .ledger = map_create(),
	    .lanes = json_object(),
	    .differences = json_array()};
	json_t *out = json_object();
	int got = take(&c, out, err);

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
