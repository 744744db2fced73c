/* cmd_arrivals.c - arrivals import: the college's list of who registered, all of it or nothing.
 *
 * Happy path: hf-import reads the file, every 考生号 is found among the cases, rows that say what the case says
 * already are passed over, the rest goes out as IMPORT records with what = "arrivals" and a COMMIT that makes
 * them count together. A correction is the next file: the records stay. Failures: rows with errors or an
 * unknown 考生号 (exit 65, nothing changed; with --partial the good ones count, exit 1), no broker or router. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "ctl/act.h"
#include "workers/link/helper.h"
#include "ctl/show.h"
#include "proto/chain.h"
#include "proto/codec.h"
#include "proto/keys.h"

#define WHAT        "arrivals"
#define RECORD_ROWS 2000
#define LIMIT_MS    10000 /* without progress */

struct arrivals {
	struct ctl *c;
	uint8_t index_key[32];
	struct arrival_row *rows; /* those that change something */
	size_t n, cap;
	size_t good, bad, came, gone;
	json_t *errors;
	bool whole;
};

static void
say_problem(struct arrivals *x, json_t *problem)
{
	x->bad++;
	if (!x->c->json)
		fprintf(stderr, "%s\n", json_string_value(json_object_get(problem, "text")));
	json_array_append(x->errors, problem);
}

static void
unknown_applicant(struct arrivals *x, json_int_t row)
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

/* The case of this 考生号. ERR_NOT_FOUND is an answer here: *ret false. */
static int
find_case(struct arrivals *x, const char *no, uint8_t id[16], bool *ret, struct err *err)
{
	uint8_t index[8];
	char hex[17], name[40], path[96];
	const struct rds_reply *reply;
	struct span argv[2] = {span_str("SMEMBERS"), {NULL, 0}};

	chain_index(index, x->index_key, "no", no);
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

static int
is_registered(struct arrivals *x, const uint8_t id[16], bool *ret, struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	int got = show_state(x->c, id, &text, &s, err);

	*ret = got == 0 && strcmp(s.lane, "terminal") == 0 && strcmp(s.why, "registered") == 0;
	buf_done(&text);
	return got;
}

static void
keep(struct arrivals *x, const uint8_t id[16], bool came, const char *day)
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

static int
on_line(void *arg, json_t *line, struct err *err)
{
	struct arrivals *x = arg;
	bool came, known, now = false;
	uint8_t id[16];

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
	if (find_case(x, json_string_value(json_object_get(line, "key")), id, &known, err) != 0)
		return -1;
	if (!known) {
		unknown_applicant(x, json_integer_value(json_object_get(line, "row")));
		return 0;
	}
	x->good++;
	came = json_is_true(json_object_get(line, "came"));
	if (is_registered(x, id, &now, err) != 0)
		return -1;
	if (came != now)
		keep(x, id, came, json_string_value(json_object_get(line, "day")));
	return 0;
}

/* ---- saying it ---- */

static int
say_rows(struct arrivals *x, struct acts *a, const uint8_t import[16], const uint8_t key[32],
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
		field_set_s(&h, F_what, WHAT);
		got = acts_add(a, &h, &body, key, err);
		buf_done(&list);
	}
	return got;
}

static int
say_all(struct arrivals *x, struct err *err)
{
	struct acts_result res = {0, 0, 0, ""};
	struct record_header h;
	uint8_t import[16], key[32];
	struct acts *a;
	int got;

	if (show_reserved_key(x->c, KEYS_REF_CAMPAIGN, key, err) != 0)
		return -1;
	if (acts_open(x->c, &a, err) != 0)
		return -1;
	crypt_random(import, sizeof(import));
	got = say_rows(x, a, import, key, err);
	crypt_wipe(key, sizeof(key));
	if (got == 0) {
		h = acts_header(a, REC_COMMIT);
		field_set_b(&h, F_import, import, 16);
		field_set_u(&h, F_rows, x->n);
		field_set_s(&h, F_what, WHAT);
		got = acts_add(a, &h, NULL, NULL, err);
	}
	if (got == 0)
		got = acts_finish(a, &res, LIMIT_MS, err);
	acts_close(a);
	if (got == 0 && res.late + res.quarantined > 0)
		got = err_set(err, ERR_DENIED, "没有被接受: %s", res.why);
	return got;
}

static void
answer(const struct arrivals *x, bool dry)
{
	size_t same = x->good - x->n, rows = x->good + x->bad;

	if (x->c->json) {
		json_t *o =
		    json_pack("{s:I s:I s:I s:I s:I s:O}", "rows", (json_int_t)rows, "registered",
		        (json_int_t)x->came, "taken_back", (json_int_t)x->gone, "unchanged",
		        (json_int_t)same, "rejected", (json_int_t)x->bad, "errors", x->errors);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("%s%zu 行: 新报到 %zu, 改为未报到 %zu, 不变 %zu, 有错 %zu\n",
	    dry ? "(只检查,没有改动) " : "", rows, x->came, x->gone, same, x->bad);
}

static int
import(struct ctl *c, const char *file, bool dry, bool partial, struct err *err)
{
	struct arrivals x = {.c = c, .errors = json_array()};
	int got = show_reserved_key(c, KEYS_REF_INDEX, x.index_key, err), code = 0;
	bool may;

	if (got == 0)
		got = helper_import(WHAT, file, NULL, on_line, &x, err);
	if (got == 0 && !x.whole)
		got = err_set(err, ERR_CORRUPT, "hf-import did not come to its end");
	may = !dry && (x.bad == 0 || partial);
	if (got == 0 && may && x.n > 0)
		got = say_all(&x, err);
	if (got == 0) {
		answer(&x, !may);
		code = x.bad == 0 ? 0 : may ? EXIT_FOUND : 65;
	}
	json_decref(x.errors);
	free(x.rows);
	crypt_wipe(&x, sizeof(x));
	return got == 0 ? code : -1;
}

static int
arrivals_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	bool partial = opt_take(&argc, argv, "--partial", false) != NULL;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_arrivals, "arrivals", "import");
	if (ctl_campaign(c, err) != 0)
		return -1;
	return import(c, argv[0], dry, partial, err);
}

const struct verb verbs_arrivals[] = {
    {"arrivals", "import", arrivals_import, "FILE [--dry-run] [--partial]",
        "导入报到名单 (考生号, 报到或报到时间), 更正就再导入一次"},
    {NULL, NULL, NULL, NULL, NULL},
};
