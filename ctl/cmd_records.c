/* cmd_records.c - records import: a ledger that was kept elsewhere (paper, a sheet, a dead network), typed in later.
 *
 * Happy path: hf-import reads the file, every 考生号 is found among the cases of the one who imports, every result is
 * one of the policy's that a call may have, and each row becomes one ATTEMPT of that person, oldest first, with
 * what = typed-later and the row's words sealed behind it. A row's id follows from the row, so the same file again
 * changes nothing. Failures: rows with errors (exit 65, nothing changed; with --partial the good ones count, exit 1),
 * a case of somebody else, a date to come, no broker or router. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "ctl/policy.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "proto/chain.h"
#include "workers/link/helper.h"
#include "workers/link/keyclient.h"

#define LIMIT_MS   10000 /* without progress */
#define NOON       (12 * 60)
#define OUTCOME_AT 10 /* the field of an outcome row that says whether it is an attempt */

struct told {
	uint8_t case_id[16], id[16];
	int64_t at;
	uint64_t seconds;
	char outcome[25], channel[17];
	char *note; /* owned */
};

struct import {
	struct ctl *c;
	name_t person;
	uint8_t index_key[32];
	struct map *outcomes; /* Chinese name or code -> code, owned */
	struct map *known;    /* ids that the ledger has */
	struct map *keys;     /* case -> 32 bytes, owned */
	struct told *rows;
	size_t n, good, bad, unchanged;
	json_t *errors;
	bool whole;
};

static char known_mark;

/* ---- what must be known before ---- */

static void
put_outcome(struct import *x, const char *word, const char *code)
{
	if (map_get(x->outcomes, word, strlen(word)) == NULL)
		(void)map_put(x->outcomes, word, strlen(word), xstrdup(code));
}

/* `outcome | busy | 占线 | … | attempt | …`: those that are tries. */
static void
outcome_row(struct import *x, char *line)
{
	char *cell[OUTCOME_AT + 1], *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, "|", &save); w != NULL && n <= OUTCOME_AT;
	     w = strtok_r(NULL, "|", &save)) {
		w += strspn(w, " \t");
		for (size_t len = strlen(w); len > 0 && strchr(" \t\r", w[len - 1]) != NULL;)
			w[--len] = '\0';
		cell[n++] = w;
	}
	if (n <= OUTCOME_AT || strcmp(cell[0], "outcome") != 0 ||
	    strcmp(cell[OUTCOME_AT], "yes") != 0 || strcmp(cell[1], "im-talk") == 0)
		return;
	put_outcome(x, cell[1], cell[1]);
	put_outcome(x, cell[2], cell[1]);
}

static int
load_outcomes(struct import *x, struct err *err)
{
	struct buf text = BUF_INIT;
	char *save = NULL;

	if (policy_text(x->c, &text, err) != 0)
		return -1;
	buf_addc(&text, '\0');
	for (char *line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		outcome_row(x, line);
	buf_done(&text);
	return 0;
}

static int
load_known(struct import *x, struct err *err)
{
	struct pg_param p[2] = {pg_text(x->c->campaign), pg_text(x->person)};
	struct pg_result *r;
	struct buf id = BUF_INIT;
	int got = 0;

	if (ctl_pg(x->c, "hf_read", err) != 0)
		return -1;
	if (pg_exec(x->c->pg,
	        "SELECT id FROM hf.ledger WHERE campaign = $1 AND person = $2 AND kind = 1 AND "
	        "what = 'typed-later'",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		buf_clear(&id);
		got = pg_get_bytes(r, i, 0, &id, err);
		if (got == 0)
			(void)map_put(x->known, id.data, id.len, &known_mark);
	}
	buf_done(&id);
	pg_free(r);
	return got;
}

static void
on_key(void *arg, const struct keys_row *row)
{
	struct import *x = arg;
	uint8_t *key = map_get(x->keys, row->case_id, 16);

	if (row->shredded)
		return;
	if (key == NULL) {
		key = xmalloc(32);
		(void)map_put(x->keys, row->case_id, 16, key);
	}
	memcpy(key, row->key, 32);
}

static int
load_keys(struct import *x, struct err *err)
{
	struct keyclient *k = keyclient_create(x->c->home.keys);
	int got = keyclient_load(k, x->c->campaign, on_key, x, err);

	keyclient_destroy(k);
	return got != 0 ? err_wrap(err, "密钥库") : 0;
}

/* ---- reading ---- */

static void
problem(struct import *x, json_int_t row, const char *column, const char *code, const char *text)
{
	char whole[400];

	(void)snprintf(whole, sizeof(whole), "第 %lld 行“%s”：%s", (long long)row, column, text);
	x->bad++;
	if (!x->c->json)
		fprintf(stderr, "%s\n", whole);
	(void)json_array_append_new(x->errors, json_pack("{s:I s:s s:s s:s}", "row", row, "column",
	                                           column, "code", code, "text", whole));
}

/* The case of this 考生号, if it is the importer's. False: told, or *err. */
static bool
own_case(struct import *x, const json_t *line, struct told *t, struct err *err)
{
	json_int_t row = json_integer_value(json_object_get(line, "row"));
	char hex[17], name[40], path[96];
	struct buf text = BUF_INIT;
	const struct rds_reply *r;
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};
	struct case_state s;
	uint8_t index[8];
	bool found, mine;

	chain_index(index, x->index_key, "no", json_string_value(json_object_get(line, "key")));
	hex_encode(hex, index, 8);
	(void)snprintf(name, sizeof(name), "num:%s", hex);
	argv[1] = span_str(call_key(path, sizeof(path), x->c->campaign, name));
	if (ctl_cmd(x->c, argv, 2, &r, err) != 0)
		return false;
	found = rds_len(r) == 1 && rds_str(rds_at(r, 0)).len == 16;
	if (found)
		memcpy(t->case_id, rds_str(rds_at(r, 0)).data, 16);
	rds_sync_free(r);
	if (!found) {
		problem(x, row, "考生号", "unknown-applicant",
		    "名单里没有这个考生号；请按投档名单核对");
		return false;
	}
	mine = show_state(x->c, t->case_id, &text, &s, err) == 0 && strcmp(s.owner, x->person) == 0;
	buf_done(&text);
	if (err->code != ERR_NONE)
		return false;
	if (!mine)
		problem(x, row, "考生号", "not-own",
		    "这名考生不在导入人的名下；请由归属人导入 (--as)，或先 case move --credit");
	else if (map_get(x->keys, t->case_id, 16) == NULL) {
		mine = false;
		problem(x, row, "考生号", "no-key", "这名考生的资料已经销毁，不能再记");
	}
	return mine;
}

/* The day at noon when the sheet has no time, but never after now. */
static bool
take_when(struct import *x, const json_t *line, struct told *t)
{
	const json_t *minute = json_object_get(line, "minute");
	int64_t now = show_now(x->c);
	char text[32];

	(void)snprintf(
	    text, sizeof(text), "%s 00:00", json_string_value(json_object_get(line, "day")));
	if (clock_parse(text, &t->at) && t->at <= now) {
		t->at += (minute == NULL ? NOON : json_integer_value(minute)) * 60000;
		if (minute == NULL && t->at > now)
			t->at = now;
		if (t->at <= now)
			return true;
	}
	problem(x, json_integer_value(json_object_get(line, "row")), "日期", "bad-date",
	    "还没有到这个时间；请核对年月日");
	return false;
}

/* The same row has the same id, whenever it is read. */
static void
row_id(struct told *t, const char *person, json_int_t count)
{
	char text[160];
	uint8_t h[32];
	struct span parts[] = {span_str("typed-later"), span_of(t->case_id, 16), span_str(text)};

	(void)snprintf(text, sizeof(text), "%s|%lld|%lld|%llu|%s|%s", person, (long long)t->at,
	    (long long)count, (unsigned long long)t->seconds, t->channel, t->outcome);
	crypt_hash(h, parts, 3);
	memcpy(t->id, h, 16);
}

static void
keep(struct import *x, struct told *t, const json_t *line)
{
	json_int_t count = json_integer_value(json_object_get(line, "count"));
	const char *note = json_string_value(json_object_get(line, "note"));

	row_id(t, x->person, count);
	x->good++;
	if (map_get(x->known, t->id, 16) != NULL) {
		x->unchanged++;
		return;
	}
	(void)map_put(x->known, t->id, 16, &known_mark);
	t->note =
	    xasprintf("补录：%s，%lld 次%s%s", json_string_value(json_object_get(line, "day")),
	        (long long)count, note == NULL ? "" : "，", note == NULL ? "" : note);
	x->rows = xrealloc(x->rows, x->n + 1, sizeof(*x->rows));
	x->rows[x->n++] = *t;
}

static int
on_row(struct import *x, const json_t *line, struct err *err)
{
	const char *result = json_string_value(json_object_get(line, "result")), *code;
	struct told t;

	memset(&t, 0, sizeof(t));
	if (!own_case(x, line, &t, err))
		return err->code != ERR_NONE ? -1 : 0;
	if (!take_when(x, line, &t))
		return 0;
	code = map_get(x->outcomes, result, strlen(result));
	if (code == NULL) {
		problem(x, json_integer_value(json_object_get(line, "row")), "结果",
		    "unknown-result",
		    "不是一次联系的结果；请写政策里的名称，如 没人接、还要考虑、确认就读");
		return 0;
	}
	(void)snprintf(t.outcome, sizeof(t.outcome), "%s", code);
	(void)snprintf(t.channel, sizeof(t.channel), "%s",
	    json_string_value(json_object_get(line, "channel")));
	t.seconds = (uint64_t)json_integer_value(json_object_get(line, "seconds"));
	keep(x, &t, line);
	return 0;
}

static int
on_line(void *arg, json_t *line, struct err *err)
{
	struct import *x = arg;

	if (json_object_get(line, "summary") != NULL) {
		x->whole = true;
		x->bad += (size_t)json_integer_value(
		    json_object_get(json_object_get(line, "summary"), "bad"));
		return 0;
	}
	if (json_object_get(line, "code") == NULL)
		return on_row(x, line, err);
	if (strcmp(json_string_value(json_object_get(line, "level")), "error") == 0) {
		(void)json_object_del(line, "level");
		if (!x->c->json)
			fprintf(stderr, "%s\n", json_string_value(json_object_get(line, "text")));
		(void)json_array_append(x->errors, line);
	}
	return 0;
}

/* ---- saying it ---- */

static int
by_time(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int
say_row(struct import *x, struct acts *a, const struct told *t, struct err *err)
{
	struct record_header h = acts_header(a, REC_ATTEMPT);
	struct body body = {.note = span_str(t->note)};
	int64_t boot = clock_boot_us(), ago = (show_now(x->c) - t->at) * 1000;

	say_case(&h, t->case_id);
	memcpy(h.id, t->id, 16);
	h.quality = 1;
	if (ago >= 0 && ago < boot) { /* the boot clock reaches back so far */
		h.t_end = (uint64_t)(boot - ago);
		h.t_start = t->seconds * 1000000 < h.t_end ? h.t_end - t->seconds * 1000000 : 1;
	}
	field_set_s(&h, F_outcome, t->outcome);
	field_set_s(&h, F_channel, t->channel);
	field_set_u(&h, F_seconds, t->seconds);
	field_set_s(&h, F_what, "typed-later");
	return acts_add(a, &h, &body, map_get(x->keys, t->case_id, 16), err);
}

static int
say_all(struct import *x, struct err *err)
{
	struct acts_result res = {0, 0, 0, ""};
	struct acts *a;
	int got = 0;

	qsort(x->rows, x->n, sizeof(*x->rows), by_time);
	if (acts_open(x->c, &a, err) != 0)
		return -1;
	for (size_t i = 0; i < x->n && got == 0; i++)
		got = say_row(x, a, &x->rows[i], err);
	if (got == 0)
		got = acts_finish(a, &res, LIMIT_MS, err);
	acts_close(a);
	if (got == 0 && res.quarantined > 0)
		return err_set(err, ERR_DENIED, "%zu 条没有被接受: %s", res.quarantined, res.why);
	return got;
}

static void
answer(const struct import *x, bool dry)
{
	json_t *o;

	if (!x->c->json) {
		printf("%s%zu 行: 补录 %zu, 已有 %zu, 有错 %zu\n", dry ? "(只检查,没有改动) " : "",
		    x->good + x->bad, x->n, x->unchanged, x->bad);
		return;
	}
	o = json_pack("{s:I s:I s:I s:I s:O}", "rows", (json_int_t)x->good + (json_int_t)x->bad,
	    "recorded", (json_int_t)x->n, "unchanged", (json_int_t)x->unchanged, "rejected",
	    (json_int_t)x->bad, "errors", x->errors);
	json_dumpf(o, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(o);
}

static int
import(struct import *x, const char *file, const char *bad_rows, bool dry, bool partial,
    struct err *err)
{
	bool may;

	if (say_actor(x->c, x->person, err) != 0 ||
	    show_reserved_key(x->c, KEYS_REF_INDEX, x->index_key, err) != 0 ||
	    load_outcomes(x, err) != 0 || load_known(x, err) != 0 || load_keys(x, err) != 0 ||
	    helper_import("records", file, bad_rows, on_line, x, err) != 0)
		return -1;
	if (!x->whole)
		return err_set(err, ERR_CORRUPT, "hf-import did not come to its end");
	may = !dry && (x->bad == 0 || partial);
	if (may && x->n > 0 && say_all(x, err) != 0)
		return -1;
	answer(x, !may);
	return x->bad == 0 ? 0 : may ? EXIT_FOUND : 65;
}

static void
wipe_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static int
records_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	bool partial = opt_take(&argc, argv, "--partial", false) != NULL;
	const char *bad_rows = opt_take(&argc, argv, "--errors", true);
	struct import x = {.c = c};
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_records, "records", "import");
	if (ctl_campaign(c, err) != 0)
		return -1;
	x.errors = json_array();
	x.outcomes = map_create();
	x.known = map_create();
	x.keys = map_create();
	got = import(&x, argv[0], bad_rows, dry, partial, err);
	json_decref(x.errors);
	map_destroy(x.outcomes, free);
	map_destroy(x.known, NULL);
	map_destroy(x.keys, wipe_key);
	for (size_t i = 0; i < x.n; i++)
		free(x.rows[i].note);
	free(x.rows);
	crypt_wipe(x.index_key, sizeof(x.index_key));
	return got;
}

const struct verb verbs_records[] = {
    {"records", "import", records_import, "FILE [--dry-run] [--partial] [--errors OUT]",
        "补录别处记的台账 (考生号 日期 次数 总时长 途径 结果 备注), 用 --as 说是谁的"},
    {NULL, NULL, NULL, NULL, NULL},
};
