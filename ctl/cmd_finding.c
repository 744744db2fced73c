/* cmd_finding.c - finding add, correct, list; dispute add, list: what supervision found, and what a caller disputes.
 *
 * Happy path: one record each, of the person given by --as. A finding that touches pay (slack, wrong-withdrawal,
 * deduction) and its taking back count when a head has given them (approve give N); a dispute is answered the same way:
 * give upholds it, refuse does not. `record` is a finding about a ledger kept badly: correct says that it was mended.
 * Failures: an unknown word or person, a percentage outside the plan's 20 to 100, a number that is no finding in force. */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/decide.h"
#include "ctl/say.h"
#include "ctl/correction.h"
#include "ctl/show.h"
#include "workers/link/helper.h"

#define WAIT_US 30000000
#define LEAST   20 /* the plan's range of a deduction, percent */

/* The record that waits for a head, once the ledger has it: newer than `before`. */
static int
wait_newer(struct ctl *c, const char *what, int64_t before, int64_t *ret, struct err *err)
{
	int64_t end = clock_boot_us() + WAIT_US;

	for (;;) {
		if (decide_newest(c, what, ret, err) != 0)
			return -1;
		if (*ret > before)
			return 0;
		if (clock_boot_us() > end)
			return err_set(
			    err, ERR_LATE, "已受理, 但还没有入账 (hf-recorder 在运行吗?)");
		(void)poll(NULL, 0, 20);
	}
}

static int
say_waiting(struct ctl *c, struct record_header *h, const char *what, const char *note,
    const char *done, struct err *err)
{
	int64_t before, no = 0;

	if (decide_newest(c, what, &before, err) != 0 || say_noted(c, h, note, err) != 0 ||
	    wait_newer(c, what, before, &no, err) != 0)
		return -1;
	if (c->json)
		printf("{\"no\":%" PRId64 "}\n", no);
	else
		printf("%s, 等回访组长或领导小组: approve give %" PRId64
		       " 或 approve refuse %" PRId64 "\n",
		    done, no, no);
	return 0;
}

/* ---- findings ---- */

static int
take_percent(struct record_header *h, const char *what, const char *text, struct err *err)
{
	uint64_t n = 0;

	if (strcmp(what, "deduction") != 0)
		return text == NULL ? 0 : err_set(err, ERR_INVALID, "--percent 只用于 deduction");
	if (text == NULL || !text_to_u64(text, strlen(text), &n) || n < LEAST || n > 100)
		return err_set(
		    err, ERR_INVALID, "deduction 要 --percent, %d 到 100 (方案规定的幅度)", LEAST);
	field_set_u(h, F_count, n);
	return 0;
}

static bool
touches_pay(const char *what)
{
	return strcmp(what, "slack") == 0 || strcmp(what, "wrong-withdrawal") == 0 ||
	       strcmp(what, "deduction") == 0;
}

static int
finding_add(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *who = opt_take(&argc, argv, "--person", true),
	           *percent = opt_take(&argc, argv, "--percent", true),
	           *no = opt_take(&argc, argv, "--case", true),
	           *note = opt_take(&argc, argv, "--note", true);
	struct record_header h = {.kind = REC_FINDING};
	struct say_person p;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1 || who == NULL)
		return ctl_usage(err, verbs_finding, "finding", "add");
	if (!touches_pay(argv[0]) && strcmp(argv[0], "record") != 0)
		return err_set(err, ERR_INVALID,
		    "认定只能是 slack (懈怠) wrong-withdrawal (误退) deduction (扣发) record "
		    "(台账)");
	if (ctl_campaign(c, err) != 0 || say_person(c, who, &p, err) != 0 ||
	    take_percent(&h, argv[0], percent, err) != 0)
		return -1;
	h.has_case = no != NULL;
	if (no != NULL && show_resolve(c, no, h.case_id, err) != 0)
		return -1;
	field_set_s(&h, F_subject, p.person);
	field_set_s(&h, F_what, argv[0]);
	if (touches_pay(argv[0]))
		return say_waiting(c, &h, argv[0], note, "已记下", err);
	if (say_noted(c, &h, note, err) != 0)
		return -1;
	printf("%s\n", c->json ? "{}" : "已记下; 改正以后用 finding correct");
	return 0;
}

struct found {
	uint8_t ob[16];
	uint64_t seq;
	name_t subject;
	bool touches, in_force;
};

static int
find(struct ctl *c, const char *text, struct found *f, struct err *err)
{
	struct pg_param p[2];
	struct pg_result *r;
	int64_t no;

	if (!text_to_i64(text, strlen(text), &no) || no <= 0)
		return err_set(err, ERR_INVALID, "编号是 finding list 的第一列: %s", text);
	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	p[1] = pg_i64(no);
	if (pg_exec(c->pg,
	        "SELECT encode(l.ob, 'hex'), l.seq, coalesce(l.subject, ''), f.no IS NOT NULL, "
	        "coalesce(f.ruling = 'give' AND NOT f.lifted, false) FROM hf.ledger l LEFT JOIN "
	        "hf.v_finding f ON f.campaign = l.campaign AND f.no = l.no WHERE l.campaign = $1 "
	        "AND "
	        "l.no = $2 AND l.kind = 6 AND l.what NOT IN ('ok', 'corrected', 'lifted') AND "
	        "l.verdict = 0 AND l.flaw IS NULL",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	if (pg_rows(r) != 1) {
		pg_free(r);
		return err_set(err, ERR_NOT_FOUND, "%" PRId64 " 不是一条认定 (finding list)", no);
	}
	(void)hex_decode(f->ob, 16, (const char *)pg_get(r, 0, 0).data, pg_get(r, 0, 0).len);
	f->seq = (uint64_t)pg_get_i64(r, 0, 1);
	(void)snprintf(f->subject, sizeof(f->subject), "%.*s", (int)pg_get(r, 0, 2).len,
	    (const char *)pg_get(r, 0, 2).data);
	f->touches = span_eq_str(pg_get(r, 0, 3), "t");
	f->in_force = span_eq_str(pg_get(r, 0, 4), "t");
	pg_free(r);
	return 0;
}

static int
finding_correct(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *note = opt_take(&argc, argv, "--note", true);
	struct record_header h = {.kind = REC_FINDING};
	struct found f = {.seq = 0};

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_finding, "finding", "correct");
	if (find(c, argv[0], &f, err) != 0)
		return -1;
	if (f.touches && !f.in_force)
		return err_set(err, ERR_STALE,
		    "%s 没有生效: 还在等裁定 (approve refuse 就是不认定), 或已经撤销", argv[0]);
	field_set_b(&h, F_ref_ob, f.ob, 16);
	field_set_u(&h, F_ref_seq, f.seq);
	field_set_s(&h, F_what, f.touches ? "lifted" : "corrected");
	if (f.subject[0] != '\0')
		field_set_s(&h, F_subject, f.subject);
	if (f.touches)
		return say_waiting(c, &h, "lifted", note, "撤销已记下", err);
	if (say_noted(c, &h, note, err) != 0)
		return -1;
	printf("%s\n", c->json ? "{}" : "已记下改正");
	return 0;
}

/* ---- lists ---- */

/* Columns 8 and 9 of a finding: when, and when it was corrected or 0. What is still open or came late has a due time. */
static void
put_due(struct ctl *c, const struct weekdays *d, const struct pg_result *r, int row, json_t *o)
{
	struct span state = pg_get(r, row, 5);
	bool open = span_eq_str(state, "open");
	int64_t at = pg_get_i64(r, row, 8), corrected = pg_get_i64(r, row, 9);
	struct correction x;
	char due[32];

	if (!open && !span_eq_str(state, "corrected"))
		return;
	x = correction_of(d, at, open ? show_now(c) : corrected);
	clock_text(due, x.due);
	(void)json_object_set_new(o, "due", json_string(due));
	(void)json_object_set_new(o, "misses", json_integer(x.misses));
	(void)json_object_set_new(o, "overdue", json_boolean(open && x.misses > 0));
	(void)json_object_set_new(o, "to", json_string(x.to));
	if (!c->json && open)
		printf("       改正限 %s%s\n", due,
		    x.misses == 0   ? ""
		    : x.misses == 1 ? ", 逾期: 本人"
		    : x.misses == 2 ? ", 第二次逾期: 报组长"
		                    : ", 逾期三次以上: 报回访组长和督查组长");
}

/* Columns no, person, subject, what, percent, state, ob, seq; with days also those of put_due. */
static int
list(struct ctl *c, const char *sql, const struct weekdays *days, struct err *err)
{
	static const char *const names[] = {"person", "subject", "what"};
	struct pg_param p;
	struct pg_result *r;
	json_t *rows;

	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p = pg_text(c->campaign);
	if (pg_exec(c->pg, sql, &p, 1, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	rows = json_array();
	for (int i = 0; i < pg_rows(r); i++) {
		struct span state = pg_get(r, i, 5);
		json_t *o = json_object();

		json_object_set_new(o, "no", json_integer(pg_get_i64(r, i, 0)));
		for (int k = 0; k < 3; k++)
			json_object_set_new(o, names[k],
			    json_stringn(
			        (const char *)pg_get(r, i, k + 1).data, pg_get(r, i, k + 1).len));
		json_object_set_new(o, "percent", json_integer(pg_get_i64(r, i, 4)));
		json_object_set_new(o, "state", json_stringn((const char *)state.data, state.len));
		json_object_set_new(
		    o, "ob", json_stringn((const char *)pg_get(r, i, 6).data, pg_get(r, i, 6).len));
		json_object_set_new(o, "seq", json_integer(pg_get_i64(r, i, 7)));
		json_array_append_new(rows, o);
		if (!c->json)
			printf("%-6" PRId64 " %-10.*s %-10.*s %-17.*s %3" PRId64 "%%  %.*s\n",
			    pg_get_i64(r, i, 0), (int)pg_get(r, i, 1).len,
			    (const char *)pg_get(r, i, 1).data, (int)pg_get(r, i, 2).len,
			    (const char *)pg_get(r, i, 2).data, (int)pg_get(r, i, 3).len,
			    (const char *)pg_get(r, i, 3).data, pg_get_i64(r, i, 4), (int)state.len,
			    (const char *)state.data);
		if (days != NULL)
			put_due(c, days, r, i, o);
	}
	if (!c->json && pg_rows(r) == 0)
		printf("没有\n");
	pg_free(r);
	if (c->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		printf("\n");
	}
	json_decref(rows);
	return 0;
}

static int
finding_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	static struct weekdays days;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_finding, "finding", "list");
	if (ctl_campaign(c, err) != 0 || calling_days_load(c, &days, err) != 0)
		return -1;
	return list(c,
	    "SELECT l.no, l.person, coalesce(l.subject, ''), l.what, coalesce(l.count, 0), CASE "
	    "WHEN f.no IS NULL THEN CASE WHEN l.what = 'ok' THEN 'ok' WHEN m.at IS NOT NULL THEN "
	    "'corrected' ELSE 'open' END WHEN f.ruling IS NULL THEN 'undecided' WHEN f.ruling <> "
	    "'give' THEN 'refused' WHEN f.lifted THEN 'lifted' ELSE 'in-force' END, "
	    "encode(l.ob, 'hex'), l.seq, l.campaign_at, "
	    "coalesce(m.at, 0) FROM hf.ledger l LEFT JOIN hf.v_finding f ON f.campaign = "
	    "l.campaign "
	    "AND f.no = l.no LEFT JOIN LATERAL (SELECT min(x.campaign_at) AS at FROM hf.ledger x "
	    "WHERE x.campaign = l.campaign AND x.kind = 6 AND x.what = 'corrected' AND x.verdict = "
	    "0 "
	    "AND x.flaw IS NULL AND x.ref_ob = l.ob AND x.ref_seq = l.seq) m ON true WHERE "
	    "l.campaign = $1 AND l.kind = 6 AND l.verdict = 0 AND l.flaw IS NULL AND l.what <> "
	    "'corrected' ORDER BY l.no",
	    &days, err);
}

/* ---- disputes ---- */

/* Five working days after a sheet was closed nothing is disputed any more; hf-reconcile says the term. */
static int
in_term(struct ctl *c, struct err *err)
{
	char program[] = "hf-reconcile", json[] = "--json", campaign[] = "--campaign",
	     term[] = "term", at[32];
	char *argv[] = {program, json, campaign, c->campaign, term, NULL};
	json_t *out = NULL;
	int code = 0, got = 0;

	if (helper_json(argv, &out, &code, err) != 0)
		return -1;
	if (out == NULL || code != 0) {
		got = err_set(err, ERR_GONE, "异议期算不出来: hf-reconcile term");
	} else if (json_is_true(json_object_get(out, "over"))) {
		clock_text(at, json_integer_value(json_object_get(out, "until")));
		got = err_set(err, ERR_STALE,
		    "异议期到 %s 为止 (关帐以后 5 个工作日), 已经过了; 请找回访组长", at);
	}
	json_decref(out);
	return got;
}

static int
dispute_add(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *note = opt_take(&argc, argv, "--note", true);
	struct record_header h = {.kind = REC_DISPUTE};

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 0 || note == NULL)
		return ctl_usage(err, verbs_finding, "dispute", "add");
	if (ctl_campaign(c, err) != 0 || in_term(c, err) != 0)
		return -1;
	field_set_s(&h, F_what, "pay");
	return say_waiting(c, &h, "dispute", note, "异议已记下", err);
}

static int
dispute_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc != 0)
		return ctl_usage(err, verbs_finding, "dispute", "list");
	return ctl_become(c, "disputes", argc, argv, err);
}

const struct verb verbs_finding[] = {
    {"finding", "add", finding_add, "WHAT --person P [--percent N] [--case NO] [--note T]",
        "督查认定: slack 懈怠, wrong-withdrawal 误退, deduction 扣发, record 台账; "
        "涉及补贴的等人裁定"},
    {"finding", "correct", finding_correct, "N [--note T]", "台账已改正, 或撤销一条认定"},
    {"finding", "list", finding_list, "", "认定和裁定"},
    {"dispute", "add", dispute_add, "--note T",
        "对自己的报到数或补贴有异议, 用 --as 说是谁; 关帐以后 5 个工作日内"},
    {"dispute", "list", dispute_list, "", "异议和答复, 异议期到哪天"},
    {NULL, NULL, NULL, NULL, NULL},
};
