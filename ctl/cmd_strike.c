/* cmd_strike.c - the strike team's view: case dossier, strike list with the zero-lost figure, strike return.
 *
 * A dossier is made from the ledger and the law's memory, never typed: who tried what when, which rungs were done,
 * waived or not tried, how much time is left, and what would be told to whom. It has no name, no number and no note.
 * Happy path of return: a hand-over to the owner, with credit where it was. Failures: no such case, a case that is not
 * with the strike team, no ledger. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "workers/link/everycase.h"
#include "proto/roles.h"

#define RUNGS 11 /* 0 to 10; the last step, 11, is a ruling */

static const char *const rung_names[RUNGS] = {"别的号码", "短信", "微信、QQ", "换时段、换线路",
    "查同校考生", "招办后台", "中学老师到班主任", "114", "组长核查", "户籍派出所", "突击组"};

/* ---- dossier ---- */

static void
put_col(json_t *o, const char *key, const struct pg_result *r, int row, int col)
{
	struct span s = pg_get(r, row, col);

	if (s.len > 0)
		(void)json_object_set_new(o, key, json_stringn((const char *)s.data, s.len));
}

/* Everything that was said of the case, oldest first. */
static int
tries_of(struct ctl *c, const uint8_t id[16], json_t *list, struct err *err)
{
	static const char sql[] =
	    "SELECT kind, campaign_at, coalesce(seconds, 0), coalesce(rung, -1), verdict, person, "
	    "coalesce(outcome, ruling, what, reason, ''), channel, direction, spoke, to_person "
	    "FROM "
	    "hf.ledger WHERE campaign = $1 AND case_ref = $2 AND flaw IS NULL AND verdict < 2 AND "
	    "kind "
	    "NOT IN (25, 29) ORDER BY no";
	static const char *const words[] = {
	    "person", "what", "channel", "direction", "spoke", "to", NULL};
	struct pg_param p[2] = {pg_text(c->campaign), pg_bytes(id, 16)};
	struct pg_result *r;

	if (ctl_pg(c, "hf_read", err) != 0)
		return -1;
	if (pg_exec(c->pg, sql, p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r); i++) {
		json_t *o = json_pack("{s:s s:I s:I s:b}", "kind",
		    show_kind((unsigned)pg_get_i64(r, i, 0)), "at", (json_int_t)pg_get_i64(r, i, 1),
		    "seconds", (json_int_t)pg_get_i64(r, i, 2), "late", pg_get_i64(r, i, 4) == 1);

		if (pg_get_i64(r, i, 3) >= 0)
			(void)json_object_set_new(
			    o, "rung", json_integer((json_int_t)pg_get_i64(r, i, 3)));
		for (int k = 0; words[k] != NULL; k++)
			put_col(o, words[k], r, i, 5 + k);
		(void)json_array_append_new(list, o);
	}
	pg_free(r);
	return 0;
}

static bool
has(const json_t *list, int n)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v) if (json_integer_value(v) == n) return true;
	return false;
}

static json_t *
rungs_of(const json_t *law)
{
	json_t *list = json_array();

	for (int i = 0; i < RUNGS - 1; i++) {
		bool done = has(json_object_get(law, "rungs_done"), i),
		     waived = has(json_object_get(law, "rungs_waived"), i);
		const char *how = done     ? "done"
		                  : waived ? "waived"
		                  : i == 9 && json_is_true(json_object_get(law, "rung_9"))
		                      ? "agreed"
		                      : "untried";

		(void)json_array_append_new(
		    list, json_pack("{s:i s:s s:s}", "rung", i, "name", rung_names[i], "how", how));
	}
	return list;
}

/* What is nearest: the strike task's end, else the pass's. */
static int64_t
deadline_of(const json_t *law)
{
	int64_t strike = lawview_time(law, "strike_by"), pass = lawview_time(law, "pass_end");

	return strike != 0 ? strike : pass;
}

static void
print_dossier(const json_t *d, int64_t now)
{
	const json_t *o;
	int64_t by = json_integer_value(json_object_get(d, "by"));
	char at[32];
	size_t i;

	printf("交接单   %s\n", json_string_value(json_object_get(d, "case")));
	printf("归属     %s, 尝试 %lld 次, 联系上 %lld 次\n",
	    json_string_value(json_object_get(d, "owner")),
	    (long long)json_integer_value(json_object_get(json_object_get(d, "law"), "attempts")),
	    (long long)json_integer_value(json_object_get(json_object_get(d, "law"), "contacts")));
	clock_text(at, by);
	if (by == 0)
		printf("时限     没有\n");
	else if (by <= now)
		printf("时限     %s, 已过\n", at);
	else
		printf("时限     %s, 还有 %" PRId64 " 小时 %" PRId64 " 分\n", at,
		    (by - now) / 3600000, (by - now) / 60000 % 60);
	json_array_foreach(json_object_get(d, "rungs"), i, o)
	{
		const char *how = json_string_value(json_object_get(o, "how"));

		printf("第 %zu 级  %s: %s\n", i, json_string_value(json_object_get(o, "name")),
		    strcmp(how, "done") == 0     ? "做了"
		    : strcmp(how, "waived") == 0 ? "免去"
		    : strcmp(how, "agreed") == 0 ? "组长同意了, 还没做"
		                                 : "没试过");
	}
	json_array_foreach(json_object_get(d, "tries"), i, o)
	{
		const char *what = json_string_value(json_object_get(o, "what")),
		           *channel = json_string_value(json_object_get(o, "channel"));

		clock_text(at, json_integer_value(json_object_get(o, "at")));
		printf("%s  %-10s %s %s %s %llds%s\n", at,
		    json_string_value(json_object_get(o, "person")),
		    json_string_value(json_object_get(o, "kind")), what == NULL ? "" : what,
		    channel == NULL ? "" : channel,
		    (long long)json_integer_value(json_object_get(o, "seconds")),
		    json_is_true(json_object_get(o, "late")) ? " (迟到)" : "");
	}
}

static int
case_dossier(struct ctl *c, int argc, char **argv, struct err *err)
{
	json_t *laws = NULL, *tries = json_array(), *d = NULL;
	struct buf text = BUF_INIT;
	struct case_state s;
	uint8_t id[16];
	char hex[33];
	int got = -1;

	if (argc != 1)
		(void)ctl_usage(err, verbs_strike, "case", "dossier");
	else if (show_resolve(c, argv[0], id, err) == 0 && show_state(c, id, &text, &s, err) == 0 &&
	         lawview(&s.blob, 1, &laws, err) == 0 && tries_of(c, id, tries, err) == 0) {
		const json_t *law = json_array_get(laws, 0);

		got = 0;
		hex_encode(hex, id, 16);
		d = json_pack("{s:s s:s s:s s:s s:I s:o s:O s:O}", "case", hex, "owner", s.owner,
		    "hand", s.hand, "lane", s.lane, "by", (json_int_t)deadline_of(law), "rungs",
		    rungs_of(law), "law", law, "tries", tries);
		if (c->json) {
			json_dumpf(d, stdout, JSON_COMPACT);
			printf("\n");
		} else {
			print_dossier(d, show_now(c));
		}
	}
	json_decref(d);
	json_decref(laws);
	json_decref(tries);
	buf_done(&text);
	return got;
}

/* ---- list ---- */

#define LIST_MAX 5000

struct team {
	struct ctl *c;
	json_t *members; /* ids of the strike team */
	json_t *rows;
	struct buf blobs[LIST_MAX]; /* of the rows, in their order */
	size_t n;
};

static void
on_person(void *arg, const struct say_person *p)
{
	struct team *t = arg;

	if ((p->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0)
		(void)json_object_set_new(t->members, p->person, json_true());
}

/* Where a strike task can lie, or a lost one that was ruled and rests. */
static bool
may_be(const struct team *t, const struct case_state *s)
{
	char who[40] = "";

	if (strncmp(s->lane, "strike", 6) == 0 ||
	    (strcmp(s->lane, "resting") == 0 && strcmp(s->why, "ruled") == 0))
		return true;
	if (strncmp(s->lane, "own:", 4) != 0)
		return false;
	(void)snprintf(who, sizeof(who), "%.*s", (int)strcspn(s->lane + 4, ":"), s->lane + 4);
	return json_object_get(t->members, who) != NULL;
}

static void
on_case(void *arg, struct span id, struct span text)
{
	struct team *t = arg;
	struct case_state s;
	char hex[33];

	if (id.len != 16 || t->n == LIST_MAX || case_state_decode(&s, text, NULL) != 0 ||
	    !may_be(t, &s))
		return;
	hex_encode(hex, id.data, 16);
	t->blobs[t->n] = (struct buf)BUF_INIT;
	buf_add(&t->blobs[t->n++], s.blob.data, s.blob.len);
	(void)json_array_append_new(
	    t->rows, json_pack("{s:s s:s s:s s:s}", "case", hex, "owner", s.owner, "lane", s.lane,
	                 "held", s.held ? s.hand : ""));
}

/* Rows without a strike task go; *ret_lost counts who is lost: unreachable, and all rungs done or waived. */
static json_t *
tasks_of(const struct team *t, const json_t *laws, json_int_t *ret_lost)
{
	json_t *tasks = json_array(), *row, *seen = json_object();
	size_t i;

	json_array_foreach(t->rows, i, row)
	{
		const json_t *law = json_array_get(laws, i);
		const char *kind = json_string_value(json_object_get(law, "strike")),
		           *id = json_string_value(json_object_get(row, "case"));
		bool ruled =
		    json_is_true(json_object_get(law, "lost_ruling")) &&
		    strcmp(json_string_value(json_object_get(law, "place")), "resting") == 0;

		if (kind == NULL || json_object_get(seen, id) != NULL ||
		    (kind[0] == '\0' && !ruled))
			continue;
		(void)json_object_set_new(seen, id, json_true());
		*ret_lost += ruled || strcmp(kind, "lost") == 0;
		if (kind[0] == '\0')
			continue;
		(void)json_object_set_new(row, "kind", json_string(kind));
		(void)json_object_set(row, "taken_by", json_object_get(law, "hand"));
		(void)json_object_set_new(
		    row, "since", json_integer((json_int_t)lawview_time(law, "since")));
		(void)json_object_set_new(
		    row, "by", json_integer((json_int_t)lawview_time(law, "strike_by")));
		(void)json_array_append(tasks, row);
	}
	json_decref(seen);
	return tasks;
}

static void
print_tasks(const struct ctl *c, json_t *tasks, json_int_t lost)
{
	json_t *o, *all;
	char at[32];
	size_t i;

	if (c->json) {
		all = json_pack("{s:I s:O}", "lost", lost, "tasks", tasks);
		json_dumpf(all, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(all);
		return;
	}
	json_array_foreach(tasks, i, o)
	{
		const char *by = json_string_value(json_object_get(o, "taken_by"));

		clock_text(at, json_integer_value(json_object_get(o, "by")));
		printf("%s  %-10s %-10s 归属 %-10s 结果限 %s\n",
		    json_string_value(json_object_get(o, "case")),
		    json_string_value(json_object_get(o, "kind")),
		    by == NULL || by[0] == '\0' ? "没人接" : by,
		    json_string_value(json_object_get(o, "owner")), at);
	}
	printf("突击任务 %zu, 失联 %lld 人 (目标 0)\n", json_array_size(tasks), (long long)lost);
}

static int
strike_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	static struct team t;
	static struct span blobs[LIST_MAX];
	json_t *laws = NULL, *tasks;
	json_int_t lost = 0;
	int got;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_strike, "strike", "list");
	if (ctl_campaign(c, err) != 0)
		return -1;
	t = (struct team){.c = c, .members = json_object(), .rows = json_array()};
	got = say_people(c, on_person, &t, err);
	if (got == 0)
		got = everycase(t.c->redis, t.c->campaign, on_case, &t, err);
	for (size_t i = 0; i < t.n; i++)
		blobs[i] = buf_span(&t.blobs[i]);
	if (got == 0)
		got = lawview(blobs, t.n, &laws, err);
	if (got == 0) {
		tasks = tasks_of(&t, laws, &lost);
		print_tasks(c, tasks, lost);
		json_decref(tasks);
	}
	json_decref(laws);
	json_decref(t.members);
	json_decref(t.rows);
	for (size_t i = 0; i < t.n; i++)
		buf_done(&t.blobs[i]);
	return got;
}

/* ---- return ---- */

static int
strike_return(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *reason = opt_take(&argc, argv, "--reason", true);
	struct record_header h = {.kind = REC_HANDOVER};
	struct buf text = BUF_INIT;
	struct case_state s;
	const char *kind;
	json_t *laws = NULL;
	uint8_t id[16];
	int got = -1;

	if (argc != 1)
		return ctl_usage(err, verbs_strike, "strike", "return");
	if (show_resolve(c, argv[0], id, err) != 0 ||
	    say_reason(&h, reason, "returned", err) != 0 ||
	    show_state(c, id, &text, &s, err) != 0 || lawview(&s.blob, 1, &laws, err) != 0) {
		buf_done(&text);
		return -1;
	}
	kind = json_string_value(json_object_get(json_array_get(laws, 0), "strike"));
	if (kind == NULL || kind[0] == '\0')
		(void)err_set(err, ERR_INVALID, "这个个案不在突击组 (hfctl strike list)");
	else if (s.owner[0] == '\0')
		(void)err_set(
		    err, ERR_INVALID, "这个个案没有归属人, 用 hfctl case move 交给一个人");
	else {
		say_case(&h, id);
		field_set_s(&h, F_to, s.owner);
		got = say_one(c, &h, err);
	}
	json_decref(laws);
	buf_done(&text);
	return got == 0 ? say_where(c, id, "已交回归属人", err) : -1;
}

const struct verb verbs_strike[] = {
    {"case", "dossier", case_dossier, "NO", "交接单: 谁什么时候试了什么, 哪几级没试, 还剩多少时间"},
    {"strike", "list", strike_list, "", "突击任务: 哪一类, 谁接了, 什么时候要结果; 失联人数"},
    {"strike", "return", strike_return, "NO [--reason TEXT]", "突击组的个案交回归属人"},
    {NULL, NULL, NULL, NULL, NULL},
};
