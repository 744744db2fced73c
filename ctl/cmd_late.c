/* cmd_late.c - what waits for a person's yes or no: late records (late), acts that take two persons (approve).
 *
 * Both lists come from the ledger, so a record is there when it is settled; it is named by its ledger number.
 * Happy path: ADOPT, DISMISS or APPROVAL refers to the record, the router does what it says. Failures: a number
 * that is not in the list (decided already, or never was), one's own act (the second person is another one), a
 * record that the router cannot look up any more because five newer ones of its case followed. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/decide.h"
#include "ctl/say.h"
#include "ctl/show.h"

#define OPEN_FROM                                                                                  \
	"SELECT l.no, l.person, l.kind, coalesce(l.outcome, l.what, l.to_person, ''), "            \
	"encode(l.case_ref, 'hex'), l.campaign_at, coalesce(l.why, ''), coalesce(s.owner, '-'), "  \
	"encode(l.ob, 'hex'), l.seq FROM hf.ledger l LEFT JOIN hf.case_state s ON s.campaign = "   \
	"l.campaign AND s.case_ref = l.case_ref WHERE l.campaign = $1 AND l.flaw IS NULL AND "     \
	"l.case_ref IS NOT NULL AND ($2 = 0 OR l.no = $2) AND "
#define NOT_DECIDED(kinds)                                                                         \
	" AND NOT EXISTS (SELECT 1 FROM hf.ledger d WHERE d.campaign = l.campaign AND d.kind "     \
	"IN (" kinds ") AND d.verdict = 0 AND d.flaw IS NULL AND d.ref_ob = l.ob AND d.ref_seq = " \
	"l.seq) ORDER BY l.no LIMIT 1000"

static const char late_sql[] = OPEN_FROM "l.kind = 1 AND l.verdict = 1" NOT_DECIDED("23, 24");
static const char approve_sql[] = OPEN_FROM
    "l.verdict = 0 AND ((l.kind = 5 AND l.credit = 1) OR (l.kind = 4 AND l.what IN ('signed', "
    "'checked', 'withdrawn') AND s.lane IS DISTINCT FROM 'terminal'))" NOT_DECIDED("12");

struct waiting {
	int64_t no, at;
	name_t person, owner;
	unsigned kind;
	char what[64], why[64], case_hex[33];
	uint8_t case_id[16], ob[16];
	uint64_t seq;
};

static void
copy(char *out, size_t size, struct span s)
{
	(void)snprintf(out, size, "%.*s", (int)s.len, (const char *)s.data);
}

static bool
read_row(struct waiting *w, const struct pg_result *r, int row)
{
	struct span ob = pg_get(r, row, 8);

	memset(w, 0, sizeof(*w));
	w->no = pg_get_i64(r, row, 0);
	copy(w->person, sizeof(w->person), pg_get(r, row, 1));
	w->kind = (unsigned)pg_get_i64(r, row, 2);
	copy(w->what, sizeof(w->what), pg_get(r, row, 3));
	copy(w->case_hex, sizeof(w->case_hex), pg_get(r, row, 4));
	w->at = pg_get_i64(r, row, 5);
	copy(w->why, sizeof(w->why), pg_get(r, row, 6));
	copy(w->owner, sizeof(w->owner), pg_get(r, row, 7));
	w->seq = (uint64_t)pg_get_i64(r, row, 9);
	return hex_decode(w->case_id, 16, w->case_hex, strlen(w->case_hex)) &&
	       hex_decode(w->ob, 16, (const char *)ob.data, ob.len);
}

static int
ask(struct ctl *c, const char *sql, int64_t no, struct pg_result **ret, struct err *err)
{
	struct pg_param p[2];

	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	p[1] = pg_i64(no);
	return pg_exec(c->pg, sql, p, 2, ret, err) != 0 ? err_wrap(err, "PostgreSQL") : 0;
}

static json_t *
as_json(const struct waiting *w)
{
	char ob[33];

	hex_encode(ob, w->ob, 16);
	return json_pack("{s:I s:s s:s s:s s:s s:s s:s s:I s:s s:I}", "no", (json_int_t)w->no,
	    "person", w->person, "kind", show_kind(w->kind), "what", w->what, "case", w->case_hex,
	    "owner", w->owner, "why", w->why, "at", (json_int_t)w->at, "ob", ob, "seq",
	    (json_int_t)w->seq);
}

static int
list(struct ctl *c, const char *sql, struct err *err)
{
	struct pg_result *r;
	struct waiting w;
	json_t *rows = json_array();
	char at[32];

	if (ask(c, sql, 0, &r, err) != 0) {
		json_decref(rows);
		return -1;
	}
	for (int i = 0; i < pg_rows(r); i++) {
		if (!read_row(&w, r, i))
			continue;
		clock_text(at, w.at);
		json_array_append_new(rows, as_json(&w));
		if (!c->json)
			printf("%-6" PRId64 " %s  %-10s %-9s %-18s %s  归属 %s %s\n", w.no, at,
			    w.person, show_kind(w.kind), w.what, w.case_hex, w.owner, w.why);
	}
	pg_free(r);
	if (sql == approve_sql && decide_list(c, rows, err) != 0) {
		json_decref(rows);
		return -1;
	}
	if (!c->json && json_array_size(rows) == 0)
		printf("没有\n");
	if (c->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		printf("\n");
	}
	json_decref(rows);
	return 0;
}

/* The router looks a record up among the newest five of its case. */
static int
still_known(struct ctl *c, const struct waiting *w, struct err *err)
{
	char name[48] = "last:", path[96];
	const struct rds_reply *r;
	struct span argv[4] = {span_str("LRANGE"), {NULL, 0}, span_str("0"), span_str("4")};
	bool found = false;

	(void)snprintf(name + 5, sizeof(name) - 5, "%s", w->case_hex);
	argv[1] = span_str(call_key(path, sizeof(path), c->campaign, name));
	if (ctl_cmd(c, argv, 4, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < rds_len(r); i++) {
		struct span e = rds_str(rds_at(r, i));

		found = found || (e.len >= 24 && memcmp(e.data, w->ob, 16) == 0 &&
		                     be64_get(e.data + 16) == w->seq);
	}
	rds_sync_free(r);
	return found ? 0
	             : err_set(err, ERR_STALE,
	                   "%" PRId64 " 之后这个个案已有五条以上新记录, 请在个案上重新记录", w->no);
}

static int
find(struct ctl *c, const char *sql, const char *text, struct waiting *ret, struct err *err)
{
	struct pg_result *r;
	int64_t no;
	int got = 0;

	if (!text_to_i64(text, strlen(text), &no) || no <= 0)
		return err_set(err, ERR_INVALID, "编号是列表里的第一列: %s", text);
	if (ask(c, sql, no, &r, err) != 0)
		return -1;
	if (pg_rows(r) != 1 || !read_row(ret, r, 0))
		got = err_set(
		    err, ERR_NOT_FOUND, "%" PRId64 " 不在列表里: 已有人决定, 或还没有入账", no);
	pg_free(r);
	return got;
}

static int
decide(struct ctl *c, const struct waiting *w, enum record_kind kind, const char *verdict,
    struct err *err)
{
	struct record_header h = {.kind = kind};

	say_case(&h, w->case_id);
	field_set_b(&h, F_ref_ob, w->ob, 16);
	field_set_u(&h, F_ref_seq, w->seq);
	if (verdict != NULL)
		field_set_s(&h, F_verdict, verdict);
	return say_one(c, &h, err);
}

static int
late_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	(void)argv;
	return argc != 0 ? ctl_usage(err, verbs_late, "late", "list") : list(c, late_sql, err);
}

static int
late_adopt(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct waiting w;

	if (argc != 1)
		return ctl_usage(err, verbs_late, "late", "adopt");
	if (find(c, late_sql, argv[0], &w, err) != 0 || still_known(c, &w, err) != 0 ||
	    decide(c, &w, REC_ADOPT, NULL, err) != 0)
		return -1;
	return say_where(c, w.case_id, "已采用", err);
}

static int
late_dismiss(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct waiting w;

	if (argc != 1)
		return ctl_usage(err, verbs_late, "late", "dismiss");
	if (find(c, late_sql, argv[0], &w, err) != 0 || decide(c, &w, REC_DISMISS, NULL, err) != 0)
		return -1;
	return say_where(c, w.case_id, "已驳回, 个案不动", err);
}

static int
approve_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	(void)argv;
	return argc != 0 ? ctl_usage(err, verbs_late, "approve", "list")
	                 : list(c, approve_sql, err);
}

static int
approve(struct ctl *c, const char *no, const char *verdict, const char *done, struct err *err)
{
	struct waiting w;
	bool decided;
	int64_t n;
	name_t me;

	if (text_to_i64(no, strlen(no), &n) && n > 0) {
		if (decide_say(c, n, verdict, &decided, err) != 0)
			return -1;
		if (decided) {
			printf("%s\n", done);
			return 0;
		}
	}
	if (find(c, approve_sql, no, &w, err) != 0 || say_actor(c, me, err) != 0)
		return -1;
	if (strcmp(me, w.person) == 0)
		return err_set(err, ERR_DENIED, "%" PRId64 " 是 %s 自己办的, 要另一个人来决定",
		    w.no, w.person);
	if (still_known(c, &w, err) != 0 || decide(c, &w, REC_APPROVAL, verdict, err) != 0)
		return -1;
	return say_where(c, w.case_id, done, err);
}

static int
approve_give(struct ctl *c, int argc, char **argv, struct err *err)
{
	return argc != 1 ? ctl_usage(err, verbs_late, "approve", "give")
	                 : approve(c, argv[0], "give", "已同意", err);
}

static int
approve_refuse(struct ctl *c, int argc, char **argv, struct err *err)
{
	return argc != 1 ? ctl_usage(err, verbs_late, "approve", "refuse")
	                 : approve(c, argv[0], "refuse", "已拒绝", err);
}

const struct verb verbs_late[] = {
    {"late", "list", late_list, "", "迟到的记录, 等归属人或组长采用或驳回"},
    {"late", "adopt", late_adopt, "N", "采用: 个案按这条记录走"},
    {"late", "dismiss", late_dismiss, "N", "驳回: 记录留着, 个案不动"},
    {"approve", "list", approve_list, "",
        "等第二个人同意的: 转归属、退档签字、冻结、认定、补贴表、异议"},
    {"approve", "give", approve_give, "N", "同意"},
    {"approve", "refuse", approve_refuse, "N", "不同意"},
    {NULL, NULL, NULL, NULL, NULL},
};
