/* cmd_ruling.c - signoff, ruling give, waiver give, and what a pass that could not be closed still wants.
 *
 * Happy path: one record each, of the person given by --as. A ruling over all open cases takes two of them, by
 * the callback head and by one of the data group; the router counts. Failures: an unknown verdict, rung or
 * case; a person who may not say it (the broker's word). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/act.h"
#include "ctl/incomplete.h"
#include "ctl/ruling.h"
#include "ctl/say.h"
#include "ctl/show.h"

#define RUNG_LAST 11

static int
say(struct ctl *c, const struct record_header *fields, enum record_kind kind, struct err *err)
{
	struct record_header h;
	struct acts *a;
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	h = acts_header(a, kind);
	memcpy(h.f, fields->f, sizeof(h.f));
	h.has_case = fields->has_case;
	memcpy(h.case_id, fields->case_id, 16);
	got = acts_add(a, &h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	return got;
}

/* --case NO, or none of it. */
static int
take_case(struct ctl *c, const char *no, struct record_header *h, struct err *err)
{
	if (no == NULL)
		return 0;
	h->has_case = true;
	return show_resolve(c, no, h->case_id, err);
}

/* The list is signed; what does not count as complete in it is said beside. */
static void
say_incomplete(struct ctl *c)
{
	struct err err = ERR_INIT;
	name_t person;
	json_t *list;

	if (say_actor(c, person, &err) != 0 || incomplete_list(c, person, &list, &err) != 0)
		return;
	if (json_array_size(list) > 0)
		fprintf(stderr,
		    "号码不全的个案 %zu 个 (hfctl number incomplete --person %s): 补上号码, "
		    "或说明为什么没有\n",
		    json_array_size(list), person);
	json_decref(list);
}

static int
signoff(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct record_header h;
	uint64_t n = 3;

	memset(&h, 0, sizeof(h));
	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc > 1)
		return ctl_usage(err, verbs_ruling, "signoff", NULL);
	if (argc == 1 && (!text_to_u64(argv[0], strlen(argv[0]), &n) || n < 1 || n > 3))
		return err_set(err, ERR_INVALID, "轮次是 1 到 3");
	field_set_u(&h, F_n, n);
	if (say(c, &h, REC_SIGNOFF, err) != 0)
		return -1;
	printf("第 %ju 轮: 我的名单确认无误\n", (uintmax_t)n);
	say_incomplete(c);
	return 0;
}

static int
ruling_give(struct ctl *c, int argc, char **argv, struct err *err)
{
	static const char *const verdicts[] = {
	    "admitted-unconfirmed", "not-coming", "deferred", "resume", "strike", NULL};
	const char *no = opt_take(&argc, argv, "--case", true);
	bool all = opt_take(&argc, argv, "--all-open", false) != NULL;
	struct record_header h;
	int i = 0;

	memset(&h, 0, sizeof(h));
	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1 || all == (no != NULL))
		return ctl_usage(err, verbs_ruling, "ruling", "give");
	while (verdicts[i] != NULL && strcmp(verdicts[i], argv[0]) != 0)
		i++;
	if (verdicts[i] == NULL || (all && i != 0))
		return err_set(err, ERR_INVALID,
		    "裁定只能是 admitted-unconfirmed not-coming deferred resume strike; --all-open "
		    "只用于 admitted-unconfirmed");
	if (take_case(c, no, &h, err) != 0)
		return -1;
	field_set_s(&h, F_verdict, argv[0]);
	if (say(c, &h, REC_RULING, err) != 0)
		return -1;
	printf("%s\n", all ? "已裁定 (两人齐了才生效: 回访组长和数据组)" : "已裁定");
	return 0;
}

static int
waiver_give(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *no = opt_take(&argc, argv, "--case", true),
	           *reason = opt_take(&argc, argv, "--reason", true);
	struct record_header h;
	uint64_t rung;

	memset(&h, 0, sizeof(h));
	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1 || no == NULL)
		return ctl_usage(err, verbs_ruling, "waiver", "give");
	if (!text_to_u64(argv[0], strlen(argv[0]), &rung) || rung > RUNG_LAST)
		return err_set(err, ERR_INVALID, "找人的办法是 0 到 %d", RUNG_LAST);
	if (take_case(c, no, &h, err) != 0)
		return -1;
	field_set_u(&h, F_rung, rung);
	if (reason != NULL)
		field_set_s(&h, F_reason, reason);
	if (say(c, &h, REC_WAIVER, err) != 0)
		return -1;
	printf("已免去第 %ju 步\n", (uintmax_t)rung);
	return 0;
}

/* The household police station is asked in the college's name: only after the leader agreed (practice: rung 9). */
static int
rung_agree(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *no = opt_take(&argc, argv, "--case", true),
	           *reason = opt_take(&argc, argv, "--reason", true);
	struct record_header h;

	memset(&h, 0, sizeof(h));
	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1 || no == NULL)
		return ctl_usage(err, verbs_ruling, "rung", "agree");
	if (strcmp(argv[0], "9") != 0)
		return err_set(err, ERR_INVALID,
		    "要组长同意的只有第 9 级, 问户籍派出所; 免去一级用 hfctl waiver give");
	if (take_case(c, no, &h, err) != 0)
		return -1;
	field_set_u(&h, F_rung, 9);
	field_set_s(&h, F_verdict, "give");
	if (reason != NULL)
		field_set_s(&h, F_reason, reason);
	if (say(c, &h, REC_WAIVER, err) != 0)
		return -1;
	printf("已同意问户籍派出所\n");
	return 0;
}

/* ---- what a pass still wants ---- */

struct wants {
	json_t *owners, *teams, *cases, *numbers; /* numbers: {case, owner} */
	json_int_t open, incomplete;
};

/* "case,owner" */
static void
take_number(struct wants *w, const char *at, size_t len)
{
	const char *comma = memchr(at, ',', len);

	if (comma == NULL)
		return;
	(void)json_array_append_new(
	    w->numbers, json_pack("{s:s% s:s%}", "case", at, (size_t)(comma - at), "owner",
	                    comma + 1, len - (size_t)(comma + 1 - at)));
}

static void
take_word(struct wants *w, const char *at, size_t len)
{
	const char *eq = memchr(at, '=', len);
	size_t key = eq == NULL ? 0 : (size_t)(eq - at), n = eq == NULL ? 0 : len - key - 1;
	struct span name = span_of(at, key);
	uint64_t v;

	if (eq == NULL)
		return;
	if (span_eq_str(name, "owner"))
		json_array_append_new(w->owners, json_stringn(eq + 1, n));
	else if (span_eq_str(name, "leader"))
		json_array_append_new(w->teams, json_stringn(eq + 1, n));
	else if (span_eq_str(name, "case"))
		json_array_append_new(w->cases, json_stringn(eq + 1, n));
	else if (span_eq_str(name, "number"))
		take_number(w, eq + 1, n);
	else if (span_eq_str(name, "open") && text_to_u64(eq + 1, n, &v))
		w->open = (json_int_t)v;
	else if (span_eq_str(name, "incomplete") && text_to_u64(eq + 1, n, &v))
		w->incomplete = (json_int_t)v;
}

static void
list(const char *head, const json_t *names)
{
	if (json_array_size(names) == 0)
		return;
	fprintf(stderr, "%s", head);
	for (size_t i = 0; i < json_array_size(names); i++)
		fprintf(stderr, " %s", json_string_value(json_array_get(names, i)));
	fprintf(stderr, "\n");
}

static void
say_wants(const struct ctl *c, const struct wants *w)
{
	json_t *row;
	size_t i;

	if (c->json) {
		json_t *o = json_pack("{s:b s:O s:O s:I s:O s:I s:O}", "closed", 0, "unsigned",
		    w->owners, "teams_unsigned", w->teams, "open", w->open, "cases", w->cases,
		    "incomplete", w->incomplete, "numbers", w->numbers);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	fprintf(stderr, "第 3 轮还不能关:\n");
	list("  名单还没有签字的人 (hfctl --as 本人 signoff 3):", w->owners);
	list("  组长还没有签字的小组:", w->teams);
	if (w->open > 0)
		fprintf(stderr,
		    "  既未确认也未退档的个案 %lld 个, 回访组长和数据组各裁定一次 (hfctl ruling "
		    "give "
		    "admitted-unconfirmed --all-open)\n",
		    (long long)w->open);
	list("  个案:", w->cases);
	if (w->incomplete > 0)
		fprintf(stderr,
		    "  已确认但号码不全的个案 %lld 个, 归属人补上号码, 或说明为什么没有 (hfctl "
		    "number "
		    "incomplete --person 本人):\n",
		    (long long)w->incomplete);
	json_array_foreach(w->numbers, i, row)
	    fprintf(stderr, "    %s %s\n", json_string_value(json_object_get(row, "owner")),
	        json_string_value(json_object_get(row, "case")));
}

int
ruling_field(struct ctl *c, const char *field, struct buf *out, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(path, sizeof(path), c->campaign, "router")), span_str(field)};

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	if (rds_type(r) == RDS_STR)
		buf_add(out, rds_str(r).data, rds_str(r).len);
	buf_addc(out, '\0');
	rds_sync_free(r);
	return 0;
}

int
ruling_closed(struct ctl *c, bool *ret, struct err *err)
{
	struct wants w = {json_array(), json_array(), json_array(), json_array(), 0, 0};
	struct buf book = BUF_INIT, text = BUF_INIT;
	int got = ruling_field(c, "book", &book, err);

	*ret = got == 0 && strstr((const char *)book.data, " pass=3 ") == NULL;
	if (got == 0 && !*ret)
		got = ruling_field(c, "closing", &text, err);
	if (got == 0 && !*ret) {
		for (const char *at = (const char *)text.data; *at != '\0';) {
			size_t n = strcspn(at, " ");

			take_word(&w, at, n);
			at += n + (at[n] == ' ');
		}
		say_wants(c, &w);
	}
	json_decref(w.owners);
	json_decref(w.teams);
	json_decref(w.cases);
	json_decref(w.numbers);
	buf_done(&book);
	buf_done(&text);
	return got;
}

const struct verb verbs_ruling[] = {
    {"signoff", NULL, signoff, "[N]", "我的名单确认无误 (第 N 轮, 缺省 3), 用 --as 说是谁"},
    {"ruling", "give", ruling_give, "VERDICT --all-open|--case NO", "裁定"},
    {"waiver", "give", waiver_give, "RUNG --case NO [--reason R]", "免去一步找人的办法"},
    {"rung", "agree", rung_agree, "9 --case NO [--reason R]",
        "组长同意问户籍派出所 (找人第 9 级), 不同意就不算"},
    {NULL, NULL, NULL, NULL, NULL},
};
