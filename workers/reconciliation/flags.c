/* flags.c - reads the ATTEMPTs of a person's days, lets plausible.c judge, and says what it found.
 *
 * Happy path: rows by person and time of saving; a day is judged when the next one begins. Notes are opened with the
 * case's key only to be hashed, and are told to nobody. A record that came late over the wire is taken at the time
 * when it was saved. Failures: PostgreSQL's, told outward. */
#include "workers/reconciliation/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "proto/chain.h"
#include "proto/lists.h"
#include "workers/link/keyclient.h"
#include "workers/reconciliation/plausible.h"

#define PAGE       10000
#define DAY_MS     86400000
#define SHANGHAI   28800000 /* ms ahead of UTC */
#define NOTE_SHORT 18       /* bytes: six characters; "没人接" is nobody's copy */

/* at: when it was saved, on the campaign's clock. */
static const char sql[] =
    "SELECT no, person, at, coalesce(granted, -1), coalesce(seconds, 0), "
    "(coalesce(channel, 'phone') = 'phone')::int, (outcome = 'confirmed')::int, "
    "(coalesce(direction, '') = 'in')::int, case_ref, ob, seq, body, coalesce(explained, 0) FROM ("
    "SELECT l.no, l.person, l.campaign_at - greatest(0, CASE WHEN l.server_boot > 0 AND l.t_entry "
    "> 0 THEN l.wall_at - l.server_wall - (l.t_entry - l.server_boot) / 1000 ELSE 0 END) AS at, "
    "g.granted_at AS granted, l.seconds, l.channel, l.outcome, l.direction, l.case_ref, l.ob, "
    "l.seq, l.body, e.no AS explained FROM hf.ledger l LEFT JOIN hf.lease_log g ON g.campaign = "
    "l.campaign AND g.case_ref = l.case_ref AND g.token = l.token LEFT JOIN LATERAL (SELECT "
    "max(n.no) AS no FROM hf.ledger n WHERE n.campaign = l.campaign AND n.kind = 2 AND n.what = "
    "'explain' AND n.person = l.person AND n.ref_ob = l.ob AND n.ref_seq = l.seq AND n.verdict = 0 "
    "AND n.flaw IS NULL) e ON true WHERE l.campaign = $1 AND l.kind = 1 AND l.verdict IN (0, 1) "
    "AND "
    "l.flaw IS NULL AND l.case_ref IS NOT NULL AND ($2::text IS NULL OR l.person = $2)) r WHERE "
    "$3::bigint = 0 OR at BETWEEN $3 AND $4::bigint - 1 ORDER BY person, at, no";

enum {
	NO,
	PERSON,
	AT,
	GRANTED,
	SECONDS,
	PHONE,
	CONFIRMED,
	INBOUND,
	CASE,
	OB,
	SEQ,
	BODY,
	EXPLAINED
};

struct told {
	int64_t no, explained, seq;
	char ob[33];
};

struct days {
	struct map *keys; /* NULL: notes stay shut */
	json_t *rows;
	name_t person;
	int64_t day;
	struct call_told *calls;
	struct told *told;
	size_t n, cap;
};

static void
on_key(void *arg, const struct keys_row *row)
{
	struct map *keys = arg;

	free(map_del(keys, row->case_id, 16));
	if (!row->shredded) {
		uint8_t *key = xmalloc(32);

		memcpy(key, row->key, 32);
		free(map_put(keys, row->case_id, 16, key));
	}
}

static void
free_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static struct map *
keys_load(const char *endpoint, const char *campaign)
{
	struct keyclient *k = keyclient_create(endpoint);
	struct map *keys = map_create();

	if (keyclient_load(k, campaign, on_key, keys, NULL) != 0) {
		map_destroy(keys, free_key);
		keys = NULL;
	}
	keyclient_destroy(k);
	return keys;
}

static void
note_hash(const struct days *d, struct call_told *c, const struct pg_result *r, int i)
{
	struct buf ob = BUF_INIT, sealed = BUF_INIT, plain = BUF_INIT;
	const uint8_t *key = d->keys != NULL ? map_get(d->keys, c->case_id, 16) : NULL;
	struct body body;

	if (key != NULL && pg_get_bytes(r, i, OB, &ob, NULL) == 0 && ob.len == 16 &&
	    pg_get_bytes(r, i, BODY, &sealed, NULL) == 0 && sealed.len > 0 &&
	    chain_body_open(&plain, key, c->case_id, ob.data, (uint64_t)pg_get_i64(r, i, SEQ),
	        buf_span(&sealed), NULL) == 0 &&
	    body_decode(&body, buf_span(&plain), NULL) == 0 && body.note.len >= NOTE_SHORT) {
		uint8_t hash[32];

		crypt_hash(hash, &body.note, 1);
		memcpy(c->note, hash, 16);
	}
	crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
	buf_done(&sealed);
	buf_done(&ob);
}

static struct told
told_of(const struct pg_result *r, int i)
{
	struct told t = {.no = pg_get_i64(r, i, NO),
	    .explained = pg_get_i64(r, i, EXPLAINED),
	    .seq = pg_get_i64(r, i, SEQ)};
	struct buf ob = BUF_INIT;

	if (pg_get_bytes(r, i, OB, &ob, NULL) == 0 && ob.len == 16)
		hex_encode(t.ob, ob.data, 16);
	buf_done(&ob);
	return t;
}

static void
say_flag(struct days *d, const struct flag *f)
{
	const struct told *t = &d->told[f->call];
	char hex[33], day[32];

	hex_encode(hex, d->calls[f->call].case_id, 16);
	clock_text(day, d->day * DAY_MS);
	day[10] = '\0';
	json_array_append_new(
	    d->rows, json_pack("{s:I s:s s:s s:s s:s s:s s:I s:o s:s s:I}", "no", (json_int_t)t->no,
	                 "day", day, "person", d->person, "case", hex, "flag", flag_code(f->kind),
	                 "text", flag_zh(f->kind), "value", (json_int_t)f->value, "explained",
	                 t->explained > 0 ? json_integer(t->explained) : json_null(), "ob", t->ob,
	                 "seq", (json_int_t)t->seq));
}

static void
judge(struct days *d)
{
	struct flag *flags;
	size_t n;

	if (d->n == 0)
		return;
	flags = xcalloc(d->n, FLAG_KINDS * sizeof(*flags));
	n = plausible_day(d->calls, d->n, &plausible_default, flags);

	for (size_t i = 0; i < n; i++)
		say_flag(d, &flags[i]);
	free(flags);
	d->n = 0;
}

static int
take_row(struct days *d, const struct pg_result *r, int i, struct err *err)
{
	struct call_told c = {.at = pg_get_i64(r, i, AT),
	    .granted = pg_get_i64(r, i, GRANTED),
	    .seconds = pg_get_i64(r, i, SECONDS),
	    .phone = pg_get_i64(r, i, PHONE) != 0,
	    .confirmed = pg_get_i64(r, i, CONFIRMED) != 0,
	    .inbound = pg_get_i64(r, i, INBOUND) != 0};
	struct span person = pg_get(r, i, PERSON);
	int64_t day = (c.at + SHANGHAI) / DAY_MS;
	struct buf id = BUF_INIT;
	int got = pg_get_bytes(r, i, CASE, &id, err);

	if (got == 0 && (day != d->day || !span_eq_str(person, d->person))) {
		judge(d);
		d->day = day;
		(void)snprintf(d->person, sizeof(d->person), "%.*s", (int)person.len,
		    (const char *)person.data);
	}
	if (got == 0 && id.len == 16) {
		if (d->n == d->cap) {
			d->cap = d->cap == 0 ? 64 : d->cap * 2;
			d->calls = xrealloc(d->calls, d->cap, sizeof(*d->calls));
			d->told = xrealloc(d->told, d->cap, sizeof(*d->told));
		}
		memcpy(c.case_id, id.data, 16);
		note_hash(d, &c, r, i);
		d->told[d->n] = told_of(r, i);
		d->calls[d->n++] = c;
	}
	buf_done(&id);
	return got;
}

int
flags_read(struct pg *pg, const char *keys, const char *campaign, const char *person,
    const char *day, json_t **ret, struct err *err)
{
	struct days d = {.rows = json_array()};
	int64_t from = 0;
	struct pg_result *r = NULL;
	char text[32];
	int got;

	(void)snprintf(text, sizeof(text), "%.20s 00:00", day != NULL ? day : "");
	if (day != NULL && !clock_parse(text, &from)) {
		json_decref(d.rows);
		return err_set(err, ERR_INVALID, "--day 要 2026-03-09 这样的日子");
	}
	struct pg_param p[] = {
	    pg_text(campaign), pg_text(person), pg_i64(from), pg_i64(from + DAY_MS)};

	d.keys = keys_load(keys, campaign);
	got = pg_exec(pg, sql, p, 4, &r, err);
	for (int i = 0; got == 0 && i < pg_rows(r); i++)
		got = take_row(&d, r, i, err);
	if (got == 0)
		judge(&d);
	pg_free(r);
	if (got == 0)
		*ret = json_pack("{s:b s:O}", "notes", d.keys != NULL, "rows", d.rows);
	json_decref(d.rows);
	map_destroy(d.keys, free_key);
	free(d.calls);
	free(d.told);
	return got;
}

void
flags_print(const json_t *out)
{
	const json_t *rows = json_object_get(out, "rows"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_int_t explained = json_integer_value(json_object_get(row, "explained"));

		printf("%" JSON_INTEGER_FORMAT "  %s  %-10s  %s  %s (%" JSON_INTEGER_FORMAT ")%s\n",
		    json_integer_value(json_object_get(row, "no")),
		    json_string_value(json_object_get(row, "day")),
		    json_string_value(json_object_get(row, "person")),
		    json_string_value(json_object_get(row, "case")),
		    json_string_value(json_object_get(row, "text")),
		    json_integer_value(json_object_get(row, "value")),
		    explained > 0 ? "  本人已说明" : "");
	}
	printf("%zu 处要看一看; 这是提醒, 不是认定%s\n", json_array_size(rows),
	    json_is_true(json_object_get(out, "notes")) ? "" : " (密钥库不在, 没有看备注)");
}
