/* cmd_roster.c - roster import: a file of applicants becomes cases, all of it or nothing.
 *
 * Happy path: a first reading by hf-import finds every bad row and changes nothing; a second one seals each
 * good row under a key of its own, puts the keys into the key store, says IMPORT records and, last, the
 * COMMIT that makes them visible. A row whose 考生号 is known keeps its case and its key; when nothing about it
 * changed it is not sent again. Failures: rows with errors (exit 65, or 1 with --partial), a helper or a
 * store that is away: without the COMMIT nothing is there. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/map.h"
#include "base/text.h"
#include "ctl/act.h"
#include "ctl/preview.h"
#include "workers/link/helper.h"
#include "ctl/progress.h"
#include "ctl/roster.h"
#include "ctl/ruling.h"
#include "ctl/show.h"

struct reading {
	struct ctl *c;
	struct roster *r; /* NULL in the first pass */
	size_t good, bad, warnings, imported, updated;
	json_t *errors, *first; /* first: so many as are shown, masked */
	size_t show;
	bool whole, look; /* look: find out which rows are new */
	struct progress bar;
};

static void
on_problem(struct reading *x, json_t *line)
{
	if (strcmp(json_string_value(json_object_get(line, "level")), "warning") == 0)
		return;
	json_object_del(line, "level");
	json_array_append(x->errors, line);
	progress_hide(&x->bar);
	if (!x->c->json)
		fprintf(stderr, "%s\n", json_string_value(json_object_get(line, "text")));
}

static int
on_line(void *arg, json_t *line, struct err *err)
{
	struct reading *x = arg;
	json_t *sum = json_object_get(line, "summary");

	if (sum != NULL) {
		x->bad = (size_t)json_integer_value(json_object_get(sum, "bad"));
		x->warnings = (size_t)json_integer_value(json_object_get(sum, "warnings"));
		x->whole = true;
		return 0;
	}
	if (json_object_get(line, "code") != NULL) {
		if (x->look)
			on_problem(x, line);
		return 0;
	}
	if (x->look && x->good < x->show)
		(void)json_array_append_new(x->first, preview_row(line));
	progress_at(&x->bar, ++x->good);
	return roster_row(x->r, line, x->look, err);
}

static int
read_all(struct reading *x, const char *file, const char *errors_out, struct err *err)
{
	int got = helper_import("roster", file, errors_out, on_line, x, err);

	if (got == 0)
		got = roster_end(x->r, &x->imported, &x->updated, err);
	progress_end(&x->bar);
	return got;
}

/* ---- the router makes the cases ---- */

struct making {
	struct ctl *c;
	size_t before;
	struct progress bar;
};

static size_t
cases_now(struct ctl *c)
{
	char key[96];
	struct span argv[2] = {
	    span_str("HLEN"), span_str(call_key(key, sizeof(key), c->campaign, "cases"))};
	const struct rds_reply *r;
	int64_t n;

	if (ctl_cmd(c, argv, 2, &r, NULL) != 0)
		return 0;
	n = rds_int(r);
	rds_sync_free(r);
	return (size_t)n;
}

static uint64_t
on_making(void *arg)
{
	struct making *m = arg;
	size_t now = cases_now(m->c);

	progress_at(&m->bar, now > m->before ? now - m->before : 0);
	return now;
}

static const char *
word_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
print_first(const json_t *o)
{
	const json_t *n;
	size_t i;

	printf("第 %lld 行  %s  %s  %s  %s",
	    (long long)json_integer_value(json_object_get(o, "row")), word_of(o, "no"),
	    word_of(o, "name"), word_of(o, "school"), word_of(o, "major"));
	json_array_foreach(json_object_get(o, "numbers"), i, n)
	    printf("  %s %s", word_of(n, "kind"), word_of(n, "digits"));
	printf("\n");
}

static void
answer(const struct reading *x, bool dry)
{
	size_t rows = x->imported + x->updated + x->bad;

	if (x->c->json) {
		json_t *o = json_pack("{s:I s:I s:I s:I s:I s:O s:O}", "rows", (json_int_t)rows,
		    "imported", (json_int_t)x->imported, "updated", (json_int_t)x->updated,
		    "rejected", (json_int_t)x->bad, "warnings", (json_int_t)x->warnings, "errors",
		    x->errors, "first", x->first);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	for (size_t i = 0; i < json_array_size(x->first); i++)
		print_first(json_array_get(x->first, i));
	printf("%s%zu 行: 新增 %zu, 更新 %zu, 有错 %zu, 提醒 %zu\n",
	    dry ? "(只检查,没有改动) " : "", rows, x->imported, x->updated, x->bad, x->warnings);
}

/* The second reading: says the records. */
static int
say_all(struct ctl *c, struct roster *r, const char *file, struct reading *first, struct err *err)
{
	struct reading x = {.c = c, .r = r};
	struct making m = {.c = c};
	int got = roster_begin(r, err);

	progress_begin(&x.bar, "写入", first->good, !c->json);
	if (got == 0)
		got = read_all(&x, file, NULL, err);
	if (got == 0 && (!x.whole || x.good != first->good))
		got = err_set(err, ERR_CORRUPT, "%s 在读的时候变了, 没有导入", file);
	if (got != 0)
		return -1;
	progress_begin(&m.bar, "建案", first->imported, !c->json && first->imported > 0);
	m.before = m.bar.shown ? cases_now(c) : 0;
	got = roster_commit(r, on_making, &m, err);
	progress_end(&m.bar);
	return got;
}

static int
import(struct ctl *c, const char *file, const char *errors_out, bool dry, bool partial, size_t show,
    struct err *err)
{
	struct reading x = {
	    .c = c, .look = true, .errors = json_array(), .first = json_array(), .show = show};
	struct roster *r = NULL;
	int got = -1, code = 0;

	if (roster_open(c, &r, err) == 0) {
		x.r = r;
		progress_begin(&x.bar, "检查", 0, !c->json);
		got = read_all(&x, file, errors_out, err);
	}
	if (got == 0 && !x.whole)
		got = err_set(err, ERR_CORRUPT, "hf-import did not come to its end");
	if (got == 0 && !dry && x.good > 0 && (x.bad == 0 || partial))
		got = say_all(c, r, file, &x, err);
	if (got == 0) {
		answer(&x, dry || (x.bad > 0 && !partial));
		code = x.bad == 0 ? 0 : partial && !dry ? EXIT_FOUND : 65;
	}
	roster_close(r);
	json_decref(x.errors);
	json_decref(x.first);
	return got == 0 ? code : -1;
}

static int
roster_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *errors_out = opt_take(&argc, argv, "--errors", true);
	const char *show = opt_take(&argc, argv, "--show", true);
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	bool partial = opt_take(&argc, argv, "--partial", false) != NULL;
	uint64_t rows = 0;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_roster, "roster", "import");
	if (show != NULL && (!text_to_u64(show, strlen(show), &rows) || rows > 1000))
		return err_set(err, ERR_INVALID, "--show 要一个不大于 1000 的整数");
	if (ctl_campaign(c, err) != 0)
		return -1;
	return import(c, argv[0], errors_out, dry, partial, (size_t)rows, err);
}

/* ---- release, stage, pass: one record each ---- */

static int
say_one(struct ctl *c, enum record_kind kind, void (*fill)(struct record_header *, const void *),
    const void *arg, struct err *err)
{
	struct acts *a;
	struct record_header h;
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	h = acts_header(a, kind);
	fill(&h, arg);
	got = acts_add(a, &h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	return got;
}

struct numbers {
	uint64_t count, seed, n, open, until;
};

static void
fill_release(struct record_header *h, const void *arg)
{
	const struct numbers *v = arg;

	field_set_u(h, F_count, v->count);
	field_set_u(h, F_seed, v->seed);
}

static void
fill_open(struct record_header *h, const void *arg)
{
	const struct numbers *v = arg;

	field_set_u(h, F_n, v->n);
	field_set_u(h, F_open, v->open);
	if (v->until != 0)
		field_set_u(h, F_until, v->until);
}

static int
release(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool all = opt_take(&argc, argv, "--all", false) != NULL;
	const char *count = opt_take(&argc, argv, "--count", true),
	           *seed = opt_take(&argc, argv, "--seed", true);
	struct numbers v = {.count = 0};

	if (argc != 0 || all == (count != NULL))
		return ctl_usage(err, verbs_roster, "release", NULL);
	if (count != NULL && (!text_to_u64(count, strlen(count), &v.count) || v.count == 0))
		return err_set(err, ERR_INVALID, "--count 要一个正整数");
	crypt_random(&v.seed, sizeof(v.seed));
	v.seed >>= 16;
	if (seed != NULL && !text_to_u64(seed, strlen(seed), &v.seed))
		return err_set(err, ERR_INVALID, "--seed 要一个整数");
	if (say_one(c, REC_RELEASE, fill_release, &v, err) != 0)
		return -1;
	if (c->json)
		printf("{\"count\":%ju,\"seed\":%ju}\n", (uintmax_t)v.count, (uintmax_t)v.seed);
	else
		printf("已放出 (随机种子 %ju)\n", (uintmax_t)v.seed);
	return 0;
}

static int
open_close(struct ctl *c, int argc, char **argv, enum record_kind kind, bool open, struct err *err)
{
	const char *until = opt_take(&argc, argv, "--until", true);
	struct numbers v = {.open = open};
	int64_t ms = 0;

	if (argc != 1 || !text_to_u64(argv[0], strlen(argv[0]), &v.n) || v.n < 1 ||
	    v.n > (kind == REC_STAGE ? 4u : 3u))
		return err_set(
		    err, ERR_INVALID, kind == REC_STAGE ? "阶段是 1 到 4" : "轮次是 1 到 3");
	if (until != NULL && !clock_parse(until, &ms))
		return err_set(err, ERR_INVALID, "--until 要这样的时间: 2026-03-09 17:00");
	v.until = (uint64_t)ms;
	if (say_one(c, kind, fill_open, &v, err) != 0)
		return -1;
	if (kind == REC_PASS && !open && v.n == 3) {
		bool closed;

		if (ruling_closed(c, &closed, err) != 0)
			return -1;
		if (!closed)
			return EXIT_FOUND;
	}
	printf("%s %ju %s\n", kind == REC_STAGE ? "阶段" : "轮次", (uintmax_t)v.n,
	    open ? "已开" : "已关");
	return 0;
}

static int
stage_open(struct ctl *c, int argc, char **argv, struct err *err)
{
	return open_close(c, argc, argv, REC_STAGE, true, err);
}

static int
stage_close(struct ctl *c, int argc, char **argv, struct err *err)
{
	return open_close(c, argc, argv, REC_STAGE, false, err);
}

static int
pass_open(struct ctl *c, int argc, char **argv, struct err *err)
{
	return open_close(c, argc, argv, REC_PASS, true, err);
}

static int
pass_close(struct ctl *c, int argc, char **argv, struct err *err)
{
	return open_close(c, argc, argv, REC_PASS, false, err);
}

const struct verb verbs_roster[] = {
    {"roster", "import", roster_import, "FILE [--dry-run] [--show N] [--partial] [--errors OUT]",
        "导入名单 (.xlsx .csv .dbf), 有错的文件什么也不改"},
    {"release", NULL, release, "--count N|--all [--seed S]", "放出个案到公共池, 次序随机"},
    {"stage", "open", stage_open, "N", "开阶段"},
    {"stage", "close", stage_close, "N", "关阶段"},
    {"pass", "open", pass_open, "N --until TIME", "开轮次"},
    {"pass", "close", pass_close, "N", "关轮次"},
    {NULL, NULL, NULL, NULL, NULL},
};
