/* cmd_spotcheck.c - spotcheck commit, draw, list, find: which records are looked at again, drawn so that nobody can
 * choose.
 *
 * Happy path: commit publishes the hash of a secret seed, the rates and a time to come, as a DRAW record; after that
 * time draw tells the seed in another one; from both and the ledger anybody computes the same sample (spotcheck.c).
 * Failures: a draw before its time, a seed that this installation does not have, a seed that does not fit its
 * hash (list says so, exit 1), a finding about one's own work. */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/policy.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "ctl/spot_ledger.h"
#include "proto/roles.h"

#define LEDGER_MS 10000

/* ---- commit ---- */

static char *
seed_path(const struct ctl *c, char out[700], const char *hash)
{
	(void)snprintf(out, 700, "%s/ctl/%s/spotcheck-%s", c->home.dir, c->campaign, hash);
	return out;
}

static int
rates_of_policy(struct ctl *c, bool weekly, struct spot_rates *r, struct err *err)
{
	*r = (struct spot_rates){5, 5, 60, 20, 3};
	return policy_setting(c, weekly ? "spot.weekly" : "spot.daily", &r->daily, err) != 0 ||
	               policy_setting(c, "spot.new-caller", &r->first, err) != 0 ||
	               policy_setting(c, "spot.short-confirm", &r->short_seconds, err) != 0 ||
	               policy_setting(c, "spot.verify-withdrawn", &r->verify_withdrawn, err) != 0 ||
	               policy_setting(c, "spot.verify-confirmed", &r->verify_confirmed, err) != 0
	           ? -1
	           : 0;
}

static void
words_of(char what[64], const char *hash, const struct spot_rates *x)
{
	(void)snprintf(what, 64, "commit %s %d/%d/%d/%d/%d", hash, x->daily, x->first,
	    x->short_seconds, x->verify_withdrawn, x->verify_confirmed);
}

/* What the record would say; whoever asked keeps the seed and says it. */
static int
prepare(uint64_t seed, const struct spot_rates *x, int64_t until)
{
	char hash[25], what[64];

	spot_commitment(hash, seed);
	words_of(what, hash, x);
	printf("{\"commitment\":\"%s\",\"until\":%" PRId64 ",\"what\":\"%s\",\"seed\":\"%" PRIu64
	       "\"}\n",
	    hash, until, what, seed);
	return 0;
}

static int
publish(struct ctl *c, uint64_t seed, const struct spot_rates *x, int64_t until, struct err *err)
{
	struct record_header h = {.kind = REC_DRAW};
	char hash[25], what[64], path[700], text[32];

	spot_commitment(hash, seed);
	words_of(what, hash, x);
	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", seed);
	if (file_replace(seed_path(c, path, hash), span_str(text), 0600, err) != 0)
		return -1;
	field_set_u(&h, F_count, 0);
	field_set_u(&h, F_seed, 0);
	field_set_u(&h, F_until, (uint64_t)until);
	field_set_s(&h, F_what, what);
	if (say_one(c, &h, err) != 0)
		return -1;
	clock_text(text, until);
	if (c->json)
		printf("{\"commitment\":\"%s\",\"until\":%" PRId64 "}\n", hash, until);
	else
		printf("承诺 %s, 抽 %s 以前的记录; 到时 hfctl spotcheck draw\n", hash, text);
	return 0;
}

static int
spotcheck_commit(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *until = opt_take(&argc, argv, "--until", true);
	bool weekly = opt_take(&argc, argv, "--weekly", false) != NULL,
	     only = opt_take(&argc, argv, "--prepare", false) != NULL;
	struct spot_rates rates;
	uint8_t random[8];
	int64_t end;
	size_t n;

	if (argc != 0 || until == NULL)
		return ctl_usage(err, verbs_spotcheck, "spotcheck", "commit");
	if (spot_draws(c, &n, err) != 0)
		return -1;
	if (!clock_parse(until, &end) || end <= show_now(c) ||
	    (n > 0 && end <= spot_all[n - 1].until))
		return err_set(err, ERR_INVALID,
		    "--until 要一个以后的时刻, 如 \"2026-03-09 21:00\", 并且晚于前一次承诺");
	if (rates_of_policy(c, weekly, &rates, err) != 0)
		return -1;
	crypt_random(random, sizeof(random));
	return only ? prepare(be64_get(random) >> 1, &rates, end)
	            : publish(c, be64_get(random) >> 1, &rates, end, err);
}

/* ---- draw ---- */

static int
own_seed(struct ctl *c, const char *hash, uint64_t *seed, struct err *err)
{
	char path[700], again[25];
	struct buf text = BUF_INIT;
	int got = file_read(&text, seed_path(c, path, hash), 64, err);

	if (got == 0 && (text.len < 2 || !text_to_u64((char *)text.data, text.len - 1, seed)))
		got = err_set(err, ERR_CORRUPT, "%s does not read", path);
	buf_done(&text);
	if (got != 0)
		return err_wrap(err, "承诺 %s 的种子不在这台机器上", hash);
	spot_commitment(again, *seed);
	return strcmp(again, hash) == 0 ? 0 : err_set(err, ERR_CORRUPT, "种子和承诺 %s 不符", hash);
}

/* The ledger has our draw, and with it everything that was accepted before. */
static int
wait_ledger(struct ctl *c, size_t i, struct err *err)
{
	int64_t end = clock_boot_us() + LEDGER_MS * 1000;
	size_t n;

	for (;;) {
		if (spot_draws(c, &n, err) != 0)
			return -1;
		if (i < n && spot_all[i].drawn)
			return 0;
		if (clock_boot_us() > end)
			return err_set(err, ERR_LATE,
			    "已抽, 但还没有入账 (hf-recorder 在运行吗?); 过后 hfctl spotcheck "
			    "list");
		(void)poll(NULL, 0, 50);
	}
}

struct checkers {
	name_t name[64];
	size_t n;
};

static void
add_checker(void *arg, const struct say_person *p)
{
	struct checkers *k = arg;

	if (p->active && (p->roles & ROLE_SUPERVISOR) != 0 && k->n < 64)
		memcpy(k->name[k->n++], p->person, sizeof(name_t));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Somebody of the supervision who did not make the record; "" nobody is left. */
static const char *
checker(const struct checkers *k, const struct spot_row *row)
{
	for (size_t i = 0; i < k->n; i++) {
		const char *name = k->name[(row->score[0] + i) % k->n];

		if (strcmp(name, row->person) != 0)
			return name;
	}
	return "";
}

static json_t *
found(struct ctl *c, const struct spot_row *row)
{
	struct pg_param p[3] = {
	    pg_text(c->campaign), pg_bytes(row->ob, 16), pg_i64((int64_t)row->seq)};
	struct pg_result *r;
	json_t *list = json_array();

	if (pg_exec(c->pg,
	        "SELECT person, coalesce(what, '') FROM hf.ledger WHERE campaign = $1 AND kind = 6 "
	        "AND "
	        "verdict = 0 AND flaw IS NULL AND ref_ob = $2 AND ref_seq = $3 AND person <> "
	        "coalesce(subject, '') ORDER BY no",
	        p, 3, &r, NULL) != 0)
		return list;
	for (int i = 0; i < pg_rows(r); i++) {
		char who[40], what[64];

		spot_copy(who, sizeof(who), pg_get(r, i, 0));
		spot_copy(what, sizeof(what), pg_get(r, i, 1));
		(void)json_array_append_new(list, json_pack("{s:s s:s}", "by", who, "what", what));
	}
	pg_free(r);
	return list;
}

static int
by_no(const void *a, const void *b)
{
	const struct spot_row *x = a, *y = b;

	return (x->no > y->no) - (x->no < y->no);
}

static void
print_row(const struct ctl *c, const json_t *o)
{
	const char *no = json_string_value(json_object_get(o, "case"));

	if (c->json)
		return;
	printf("%-6jd %-10s %-16s %4jd 秒  %s%s  查 %s  %s  已查 %zu\n",
	    (intmax_t)json_integer_value(json_object_get(o, "no")),
	    json_string_value(json_object_get(o, "person")),
	    json_string_value(json_object_get(o, "outcome")),
	    (intmax_t)json_integer_value(json_object_get(o, "seconds")),
	    json_string_value(json_object_get(o, "why")),
	    json_is_true(json_object_get(o, "verify")) ? " 打核实电话" : "",
	    json_string_value(json_object_get(o, "checker")), no,
	    json_array_size(json_object_get(o, "findings")));
}

static int
print_sample(struct ctl *c, const struct spot_draw *d, struct err *err)
{
	struct checkers k = {.n = 0};
	struct spot_row *rows = NULL;
	json_t *o, *list = json_array();
	char ob[33], seed[24];
	size_t n = 0;

	if (say_people(c, add_checker, &k, err) != 0 || spot_sample(c, d, &rows, &n, err) != 0) {
		json_decref(list);
		return -1;
	}
	qsort(k.name, k.n, sizeof(k.name[0]), by_name);
	qsort(rows, n, sizeof(*rows), by_no);
	for (size_t i = 0; i < n; i++) {
		const struct spot_row *w = &rows[i];

		if (w->stratum == SPOT_NONE)
			continue;
		hex_encode(ob, w->ob, 16);
		o = json_pack("{s:I s:s s:s s:s s:I s:s s:b s:s s:o s:s s:I}", "no",
		    (json_int_t)w->no, "person", w->person, "case", w->case_hex, "outcome",
		    w->outcome, "seconds", (json_int_t)w->seconds, "why",
		    spot_stratum_name(w->stratum), "verify", (int)w->verify, "checker",
		    checker(&k, w), "findings", found(c, w), "ob", ob, "seq", (json_int_t)w->seq);
		print_row(c, o);
		(void)json_array_append_new(list, o);
	}
	if (c->json) {
		(void)snprintf(seed, sizeof(seed), "%" PRIu64, d->seed);
		o = json_pack("{s:s s:I s:s s:b s:i s:O}", "commitment", d->hash, "seed",
		    (json_int_t)d->seed, "seed_text", seed, "fits", (int)d->fits, "records", (int)n,
		    "sample", list);
		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
	} else {
		printf("记录 %zu 条, 抽 %zu 条, 种子 %" PRIu64 " 与承诺%s\n", n,
		    json_array_size(list), d->seed, d->fits ? "相符" : "不符");
	}
	json_decref(list);
	free(rows);
	return d->fits ? 0 : EXIT_FOUND;
}

static int
spotcheck_draw(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct record_header h = {.kind = REC_DRAW};
	char what[64], at[32];
	uint64_t seed;
	size_t n, i = 0;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_spotcheck, "spotcheck", "draw");
	if (spot_draws(c, &n, err) != 0)
		return -1;
	while (i < n && spot_all[i].drawn)
		i++;
	if (i == n)
		return err_set(err, ERR_NOT_FOUND, "没有等着抽的承诺, 先 hfctl spotcheck commit");
	clock_text(at, spot_all[i].until);
	if (spot_all[i].until > show_now(c))
		return err_set(err, ERR_BUSY, "承诺 %s 到 %s 才能抽", spot_all[i].hash, at);
	if (own_seed(c, spot_all[i].hash, &seed, err) != 0)
		return -1;
	(void)snprintf(what, sizeof(what), "draw %s", spot_all[i].hash);
	field_set_u(&h, F_count, 0);
	field_set_u(&h, F_seed, seed);
	field_set_s(&h, F_what, what);
	if (say_one(c, &h, err) != 0 || wait_ledger(c, i, err) != 0)
		return -1;
	return print_sample(c, &spot_all[i], err);
}

/* ---- list, find ---- */

static int
spotcheck_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	json_t *list;
	char at[32];
	uint64_t which = 0;
	size_t n;
	bool bad = false;

	if (argc > 1 || (argc == 1 && !text_to_u64(argv[0], strlen(argv[0]), &which)))
		return ctl_usage(err, verbs_spotcheck, "spotcheck", "list");
	if (spot_draws(c, &n, err) != 0)
		return -1;
	if (argc == 1) {
		if (which < 1 || which > n || !spot_all[which - 1].drawn)
			return err_set(
			    err, ERR_NOT_FOUND, "没有第 %" PRIu64 " 次抽查, 或还没有抽", which);
		return print_sample(c, &spot_all[which - 1], err);
	}
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct spot_draw *d = &spot_all[i];

		bad = bad || (d->drawn && !d->fits);
		clock_text(at, d->until);
		(void)json_array_append_new(
		    list, json_pack("{s:i s:s s:s s:s s:b s:b}", "n", (int)i + 1, "commitment",
		              d->hash, "by", d->by, "until", at, "drawn", (int)d->drawn, "fits",
		              (int)(d->drawn && d->fits)));
		if (!c->json)
			printf("%-4zu %s  %s 承诺, 到 %s  %s\n", i + 1, d->hash, d->by, at,
			    !d->drawn ? "还没有抽"
			    : d->fits ? "已抽, 与承诺相符"
			              : "已抽, 与承诺不符");
	}
	if (c->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		printf("\n");
	}
	json_decref(list);
	return bad ? EXIT_FOUND : 0;
}

static int
spotcheck_find(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *what = opt_take(&argc, argv, "--what", true);
	struct record_header h = {.kind = REC_FINDING};
	struct spot_row row;
	uint8_t case_id[16];
	name_t me;

	if (argc != 1 || what == NULL)
		return ctl_usage(err, verbs_spotcheck, "spotcheck", "find");
	if (what[0] == '\0' || strlen(what) > 48)
		return err_set(err, ERR_INVALID, "--what 要 1 到 48 个字节 (没有问题写 ok)");
	if (spot_find(c, argv[0], &row, err) != 0 || say_actor(c, me, err) != 0)
		return -1;
	if (strcmp(me, row.person) == 0)
		return err_set(err, ERR_DENIED, "%s 不能查自己的记录", me);
	if (hex_decode(case_id, 16, row.case_hex, strlen(row.case_hex)))
		say_case(&h, case_id);
	field_set_s(&h, F_what, what);
	field_set_b(&h, F_ref_ob, row.ob, 16);
	field_set_u(&h, F_ref_seq, row.seq);
	field_set_s(&h, F_subject, row.person);
	if (say_one(c, &h, err) != 0)
		return -1;
	printf("已记下\n");
	return 0;
}

const struct verb verbs_spotcheck[] = {
    {"spotcheck", "commit", spotcheck_commit, "--until TIME [--weekly] [--prepare]",
        "先公布种子的指纹, 定下抽哪段时间"},
    {"spotcheck", "draw", spotcheck_draw, "", "到时公布种子, 抽出要查的记录"},
    {"spotcheck", "list", spotcheck_list, "[N]", "各次抽查, 或第 N 次抽到的, 按账目重算"},
    {"spotcheck", "find", spotcheck_find, "NO --what TEXT", "记下查到什么, 没有问题写 ok"},
    {NULL, NULL, NULL, NULL, NULL},
};
