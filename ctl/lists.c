/* lists.c - arrivals, payments, admitted import: a list of applicants with a yes or no each, all of it or nothing.
 *
 * Happy path: hf-import reads the file, every 考生号 is found among the cases, rows that say what is known
 * already are passed over, the rest goes out as IMPORT records and a COMMIT that makes them count together. A
 * correction is the next file: the records stay. Arrivals move cases and are sealed; payments and the admitted list
 * are open records, and what is known of them is asked of the ledger. The authority's list is whole: who is not in
 * the file is off it, and who is no case of ours is on it all the same. Failures: rows with errors or an
 * unknown 考生号 (exit 65, nothing changed; with --partial the good ones count, exit 1), no broker or router. */
#include "ctl/lists.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "ctl/show.h"
#include "proto/chain.h"
#include "proto/codec.h"
#include "proto/keys.h"
#include "workers/link/helper.h"

#define RECORD_ROWS 2000
#define LIMIT_MS    60000 /* without progress: the router holds its cursor until a list is saved */

const struct list_kind list_arrivals = {
    "arrivals", "registered", "taken_back", "新报到", "改为未报到", false, true};
const struct list_kind list_payments = {
    "payments", "paid", "taken_back", "新缴费", "改为未缴费", false, false};
const struct list_kind list_admitted = {
    "admitted", "admitted", "taken_off", "新列入", "不再列入", true, false};

/* One that is no case of ours: the index of its 考生号. */
struct stranger {
	uint8_t index[8];
	uint64_t row; /* in the sheet */
};

struct import {
	struct ctl *c;
	const struct list_kind *kind;
	uint8_t index_key[32];
	struct arrival_row *rows; /* those that change something */
	size_t n, cap;
	struct stranger *strangers;
	size_t n_strangers, new_strangers;
	struct map *
	    on; /* cases that the ledger has on the list; the value is `seen` once the file has them */
	struct map *on_strangers;
	size_t good, bad, came, gone, known;
	json_t *errors;
	bool whole;
};

static char seen, unseen;

static void
say_problem(struct import *x, json_t *problem)
{
	x->bad++;
	if (!x->c->json)
		fprintf(stderr, "%s\n", json_string_value(json_object_get(problem, "text")));
	json_array_append(x->errors, problem);
}

static void
unknown_applicant(struct import *x, json_int_t row)
{
	char text[256];
	json_t *o;

	snprintf(text, sizeof(text),
	    "第 %lld 行“考生号”：名单里没有这个考生号；请按投档名单核对，是本校考生的先用 roster "
	    "import 导入",
	    (long long)row);
	o = json_pack("{s:I s:s s:s s:s}", "row", row, "column", "考生号", "code",
	    "unknown-applicant", "text", text);
	say_problem(x, o);
	json_decref(o);
}

/* The case of this index. An unknown one is an answer here: *ret false. */
static int
find_case(struct import *x, const uint8_t index[8], uint8_t id[16], bool *ret, struct err *err)
{
	char hex[17], name[40], path[96];
	const struct rds_reply *reply;
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};

	hex_encode(hex, index, 8);
	snprintf(name, sizeof(name), "num:%s", hex);
	argv[1] = span_str(call_key(path, sizeof(path), x->c->campaign, name));
	if (ctl_cmd(x->c, argv, 2, &reply, err) != 0)
		return -1;
	*ret = rds_len(reply) == 1 && rds_str(rds_at(reply, 0)).len == 16;
	if (*ret)
		memcpy(id, rds_str(rds_at(reply, 0)).data, 16);
	rds_sync_free(reply);
	return 0;
}

/* ---- what is known already ---- */

static int
load(struct import *x, const char *sql, struct map *to, struct err *err)
{
	struct pg_param p[2] = {pg_text(x->c->campaign), pg_text(x->kind->what)};
	struct pg_result *r;
	struct buf id = BUF_INIT;
	int got = 0;

	if (ctl_pg(x->c, "hf_read", err) != 0)
		return -1;
	if (pg_exec(x->c->pg, sql, p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r) && got == 0; i++) {
		buf_clear(&id);
		got = pg_get_bytes(r, i, 0, &id, err);
		if (got == 0)
			(void)map_put(to, id.data, id.len, &unseen);
	}
	buf_done(&id);
	pg_free(r);
	return got;
}

static int
load_known(struct import *x, struct err *err)
{
	x->on = map_create();
	x->on_strangers = map_create();
	if (x->kind->moves)
		return 0;
	if (load(x, "SELECT case_ref FROM hf.v_listed WHERE campaign = $1 AND what = $2", x->on,
	        err) != 0)
		return -1;
	return load(x,
	    "SELECT number_id FROM hf.v_listed_unknown WHERE campaign = $1 AND what = $2",
	    x->on_strangers, err);
}

static int
is_on(struct import *x, const uint8_t id[16], bool *ret, struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	int got;

	if (!x->kind->moves) {
		*ret = map_get(x->on, id, 16) != NULL;
		return 0;
	}
	got = show_state(x->c, id, &text, &s, err);
	*ret = got == 0 && strcmp(s.lane, "terminal") == 0 && strcmp(s.why, "registered") == 0;
	buf_done(&text);
	return got;
}

/* ---- reading ---- */

static void
keep(struct import *x, const uint8_t id[16], bool came, const char *day)
{
	struct arrival_row *row;
	int64_t at = 0;

	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 1024 : 2 * x->cap;
		x->rows = xrealloc(x->rows, x->cap, sizeof(*x->rows));
	}
	row = &x->rows[x->n++];
	memcpy(row->case_id, id, 16);
	row->came = came;
	row->at = 0;
	if (came && day != NULL) {
		char text[32];

		snprintf(text, sizeof(text), "%s 00:00", day);
		if (clock_parse(text, &at) && at > 0)
			row->at = (uint64_t)at;
	}
	x->came += came;
	x->gone += !came;
}

static void
keep_stranger(struct import *x, const uint8_t index[8], json_int_t row)
{
	struct stranger *s;

	x->strangers = xrealloc(x->strangers, x->n_strangers + 1, sizeof(*x->strangers));
	s = &x->strangers[x->n_strangers++];
	memcpy(s->index, index, 8);
	s->row = (uint64_t)row;
	if (map_get(x->on_strangers, index, 8) != NULL)
		(void)map_put(x->on_strangers, index, 8, &seen);
	else
		x->new_strangers++;
}

static int
on_row(struct import *x, const json_t *line, struct err *err)
{
	bool came = json_is_true(json_object_get(line, "came")), known, now = false;
	json_int_t row = json_integer_value(json_object_get(line, "row"));
	uint8_t id[16], index[8];

	chain_index(index, x->index_key, "no", json_string_value(json_object_get(line, "key")));
	if (find_case(x, index, id, &known, err) != 0)
		return -1;
	if (!known && !x->kind->is_whole) {
		unknown_applicant(x, row);
		return 0;
	}
	x->good++;
	if (!known) {
		if (came)
			keep_stranger(x, index, row);
		return 0;
	}
	if (is_on(x, id, &now, err) != 0)
		return -1;
	if (now && came && !x->kind->moves)
		(void)map_put(x->on, id, 16, &seen);
	if (came == now)
		x->known++;
	else if (came || !x->kind->is_whole) /* who goes off a whole list is gathered at its end */
		keep(x, id, came, json_string_value(json_object_get(line, "day")));
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
	if (json_object_get(line, "code") != NULL) {
		if (strcmp(json_string_value(json_object_get(line, "level")), "error") == 0) {
			json_object_del(line, "level");
			say_problem(x, line);
			x->bad--; /* a row may have several; the summary counts rows */
		}
		return 0;
	}
	return on_row(x, line, err);
}

/* Who was on a whole list and is not in the file any more. */
static void
take_off(struct import *x)
{
	struct map_iter it = map_begin(x->on);
	const void *id;
	void *mark;

	while (x->kind->is_whole && map_next(&it, &id, NULL, &mark))
		if (mark == &unseen)
			keep(x, id, false, NULL);
}

/* ---- saying it ---- */

static int
say_sealed(struct import *x, struct acts *a, const uint8_t import[16], const uint8_t key[32],
    struct err *err)
{
	int got = 0;

	for (size_t from = 0; from < x->n && got == 0; from += RECORD_ROWS) {
		size_t n = x->n - from < RECORD_ROWS ? x->n - from : RECORD_ROWS;
		struct record_header h = acts_header(a, REC_IMPORT);
		struct body body = {.note = {NULL, 0}};
		struct buf list = BUF_INIT;

		enc_array(&list, (uint32_t)n);
		for (size_t i = 0; i < n; i++)
			arrival_row_encode(&list, &x->rows[from + i]);
		body.rows = buf_span(&list);
		field_set_u(&h, F_count, n);
		field_set_b(&h, F_import, import, 16);
		field_set_s(&h, F_what, x->kind->what);
		got = acts_add(a, &h, &body, key, err);
		buf_done(&list);
	}
	return got;
}

static int
say_moves(struct import *x, struct acts *a, struct err *err)
{
	struct acts_result res = {0, 0, 0, ""};
	struct record_header h = acts_header(a, REC_COMMIT);
	uint8_t import[16], key[32];
	int got;

	if (show_reserved_key(x->c, KEYS_REF_CAMPAIGN, key, err) != 0)
		return -1;
	crypt_random(import, sizeof(import));
	got = say_sealed(x, a, import, key, err);
	crypt_wipe(key, sizeof(key));
	if (got != 0)
		return -1;
	field_set_b(&h, F_import, import, 16);
	field_set_u(&h, F_rows, x->n);
	field_set_s(&h, F_what, x->kind->what);
	if (acts_add(a, &h, NULL, NULL, err) != 0 || acts_finish(a, &res, LIMIT_MS, err) != 0)
		return -1;
	return res.late + res.quarantined > 0 ? err_set(err, ERR_DENIED, "没有被接受: %s", res.why)
	                                      : 0;
}

static int
say_stranger(struct list_say *s, const uint8_t index[8], uint64_t row, bool valid, struct err *err)
{
	struct record_header h = acts_header(s->a, REC_IMPORT);

	field_set_b(&h, F_number, index, 8);
	field_set_u(&h, F_count, row);
	field_set_b(&h, F_import, s->import, 16);
	field_set_s(&h, F_what, s->what);
	field_set_u(&h, F_valid, valid);
	s->rows++;
	return acts_add(s->a, &h, NULL, NULL, err);
}

static int
say_strangers(struct import *x, struct list_say *s, struct err *err)
{
	struct map_iter it = map_begin(x->on_strangers);
	const void *index;
	void *mark;

	for (size_t i = 0; i < x->n_strangers; i++) {
		const struct stranger *one = &x->strangers[i];

		if (map_get(x->on_strangers, one->index, 8) == NULL &&
		    say_stranger(s, one->index, one->row, true, err) != 0)
			return -1;
	}
	while (map_next(&it, &index, NULL, &mark))
		if (mark == &unseen && say_stranger(s, index, 0, false, err) != 0)
			return -1;
	return 0;
}

static int
say_open(struct import *x, struct acts *a, struct err *err)
{
	uint8_t *cases = xcalloc(x->n + 1, 16);
	struct list_say s;
	int got = 0;

	list_say_begin(&s, a, x->kind->what);
	for (int valid = 1; valid >= 0 && got == 0; valid--) {
		size_t n = 0;

		for (size_t i = 0; i < x->n; i++)
			if ((int)x->rows[i].came == valid)
				memcpy(cases + 16 * n++, x->rows[i].case_id, 16);
		got = list_say_cases(&s, cases, n, valid == 1, NULL, err);
	}
	free(cases);
	if (got == 0)
		got = say_strangers(x, &s, err);
	if (got == 0)
		got = list_say_commit(&s, err);
	return got == 0 ? list_wait(x->c, s.import, err) : -1;
}

static bool
changes(const struct import *x)
{
	struct map_iter it = map_begin(x->on_strangers);
	void *mark;

	if (x->n > 0 || x->new_strangers > 0)
		return true;
	while (map_next(&it, NULL, NULL, &mark))
		if (mark == &unseen)
			return true;
	return false;
}

static int
say_all(struct import *x, struct err *err)
{
	struct acts *a;
	int got;

	if (acts_open(x->c, &a, err) != 0)
		return -1;
	got = x->kind->moves ? say_moves(x, a, err) : say_open(x, a, err);
	acts_close(a);
	return got;
}

static void
answer(const struct import *x, bool dry)
{
	const struct list_kind *k = x->kind;
	size_t rows = x->good + x->bad;

	if (x->c->json) {
		json_t *o = json_pack("{s:I s:I s:I s:I s:I s:O}", "rows", (json_int_t)rows, k->on,
		    (json_int_t)x->came, k->off, (json_int_t)x->gone, "unchanged",
		    (json_int_t)x->known, "rejected", (json_int_t)x->bad, "errors", x->errors);

		if (k->is_whole)
			json_object_set_new(o, "unknown", json_integer((json_int_t)x->n_strangers));
		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("%s%zu 行: %s %zu, %s %zu, 不变 %zu, 有错 %zu", dry ? "(只检查,没有改动) " : "",
	    rows, k->zh_on, x->came, k->zh_off, x->gone, x->known, x->bad);
	if (k->is_whole)
		printf(", 不在我们的名单里 %zu", x->n_strangers);
	printf("\n");
}

static int
import(struct import *x, const char *file, bool dry, bool partial, struct err *err)
{
	int got = show_reserved_key(x->c, KEYS_REF_INDEX, x->index_key, err);
	bool may;

	if (got == 0)
		got = load_known(x, err);
	if (got == 0)
		got = helper_import(x->kind->what, file, NULL, on_line, x, err);
	if (got == 0 && !x->whole)
		got = err_set(err, ERR_CORRUPT, "hf-import did not come to its end");
	if (got != 0)
		return -1;
	take_off(x);
	may = !dry && (x->bad == 0 || partial);
	if (may && changes(x) && say_all(x, err) != 0)
		return -1;
	answer(x, !may);
	return x->bad == 0 ? 0 : may ? EXIT_FOUND : 65;
}

int
lists_import(struct ctl *c, const struct list_kind *kind, int argc, char **argv,
    const struct verb *table, struct err *err)
{
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	bool partial = opt_take(&argc, argv, "--partial", false) != NULL;
	struct import x = {.c = c, .kind = kind};
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, table, kind->what, "import");
	if (partial && kind->is_whole)
		return err_set(err, ERR_INVALID,
		    "录取名单要么全部导入, 要么不导入: 漏掉的行会被当成没有录取; 请改好有错的行");
	if (ctl_campaign(c, err) != 0)
		return -1;
	x.errors = json_array();
	got = import(&x, argv[0], dry, partial, err);
	json_decref(x.errors);
	map_destroy(x.on, NULL);
	map_destroy(x.on_strangers, NULL);
	free(x.rows);
	free(x.strangers);
	crypt_wipe(&x, sizeof(x));
	return got;
}
