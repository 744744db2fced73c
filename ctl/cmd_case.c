/* cmd_case.c - case show, why, trace, and why PERSON: what the queue knows, in words (why.c).
 *
 * Reads only, straight from Redis; what its log forgot of a case, from PostgreSQL. Nothing sealed is opened here: a name is shown where its use is
 * logged, on the caller's screen. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/pg.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/show.h"
#include "ctl/why.h"
#include "proto/record.h"

#define TRACE_PAGE 500

static json_t *
state_json(const uint8_t case_id[16], const struct case_state *s)
{
	char hex[33], due[32], token[17];

	hex_encode(hex, case_id, 16);
	clock_rfc3339(due, s->due);
	snprintf(token, sizeof(token), "%016jx", (uintmax_t)s->token);
	return json_pack("{s:s s:I s:s s:s s:s s:s s:b s:s s:s s:I s:s}", "case", hex, "version",
	    (json_int_t)s->version, "owner", s->owner, "hand", s->hand, "lane", s->lane, "due", due,
	    "held", (int)s->held, "token", token, "ob", s->ob, "given", (json_int_t)s->given, "why",
	    s->why);
}

static void
print_state(const uint8_t case_id[16], const struct case_state *s)
{
	char hex[33], lane[128], due[32];

	hex_encode(hex, case_id, 16);
	clock_text(due, s->due);
	printf("个案     %s (第 %ju 版)\n", hex, (uintmax_t)s->version);
	printf("归属     %s\n", s->owner[0] != '\0' ? s->owner : "还没有人");
	if (s->held)
		printf("在手     %s (%s), 来自 %s\n", s->hand, s->pulled ? "领取" : "打开",
		    show_lane(lane, s->lane));
	else
		printf("位置     %s, 时间 %s\n", show_lane(lane, s->lane), due);
	printf("原因     %s\n", show_why(s->why));
	if (s->given > 0)
		printf("领取     上次有效记录以来 %ju 次\n", (uintmax_t)s->given);
}

/* The newest records, from the queue's own short list: header only. */
static int
last_records(struct ctl *c, const uint8_t case_id[16], json_t *list, struct err *err)
{
	char hex[33], name[48], path[96], when[32];
	const struct rds_reply *r;
	struct span argv[4] = {span_str("LRANGE"), {NULL, 0}, span_str("0"), span_str("4")};

	hex_encode(hex, case_id, 16);
	snprintf(name, sizeof(name), "last:%s", hex);
	argv[1] = span_str(call_key(path, sizeof(path), c->campaign, name));
	if (ctl_cmd(c, argv, 4, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < rds_len(r); i++) {
		struct span e = rds_str(rds_at(r, i));
		struct record_header h;
		const char *outcome = "";
		int outcome_len = 0;

		if (e.len < 28 || be32_get(e.data + 24) > e.len - 28)
			continue;
		if (record_header_decode(&h, span_of(e.data + 28, be32_get(e.data + 24)), NULL) !=
		    0)
			continue;
		if (h.f[F_outcome].set || h.f[F_verdict].set) {
			struct span word =
			    h.f[F_outcome].set ? h.f[F_outcome].bytes : h.f[F_verdict].bytes;

			outcome = (const char *)word.data;
			outcome_len = (int)word.len;
		}
		clock_rfc3339(when, (int64_t)h.pc_wall);
		json_array_append_new(
		    list, json_pack("{s:s s:s s:s% s:s s:I}", "kind", show_kind(h.kind), "person",
		              h.person, "outcome", outcome, (size_t)outcome_len, "at", when, "seq",
		              (json_int_t)be64_get(e.data + 16)));
	}
	rds_sync_free(r);
	return 0;
}

/* What became of its numbers; which they are stands in hfctl number list. */
static void
print_numbers(const json_t *law)
{
	const json_t *n;
	size_t i;

	json_array_foreach(json_object_get(law, "numbers"), i, n)
	{
		const char *word = lawview_number(json_string_value(json_object_get(n, "state")));
		bool warn = json_is_true(json_object_get(n, "wrong_elsewhere"));

		if (word[0] != '\0' || warn)
			printf("号码     第 %zu 个 %s%s%s\n", i + 1, word,
			    word[0] != '\0' && warn ? "，" : "",
			    warn ? "别处错号: 在另一个个案里不是本人, 先问清楚是谁" : "");
	}
}

static int
case_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	uint8_t id[16];
	struct buf text = BUF_INIT;
	struct case_state s;
	json_t *list, *out, *row, *laws = NULL;
	size_t i;

	if (argc != 1)
		return ctl_usage(err, verbs_case, "case", "show");
	if (show_resolve(c, argv[0], id, err) != 0 || show_state(c, id, &text, &s, err) != 0) {
		buf_done(&text);
		return -1;
	}
	list = json_array();
	if (last_records(c, id, list, err) != 0 || lawview(&s.blob, 1, &laws, err) != 0) {
		json_decref(list);
		buf_done(&text);
		return -1;
	}
	if (c->json) {
		out = state_json(id, &s);
		json_object_set(out, "records", list);
		json_object_set(out, "law", json_array_get(laws, 0));
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(out);
	} else {
		print_state(id, &s);
		print_numbers(json_array_get(laws, 0));
		json_array_foreach(list, i, row)
		{
			printf("记录     %s %s %s %s\n",
			    json_string_value(json_object_get(row, "at")),
			    json_string_value(json_object_get(row, "person")),
			    json_string_value(json_object_get(row, "kind")),
			    json_string_value(json_object_get(row, "outcome")));
		}
	}
	json_decref(laws);
	json_decref(list);
	buf_done(&text);
	return 0;
}

static int
case_why(struct ctl *c, int argc, char **argv, struct err *err)
{
	uint8_t id[16];

	if (argc != 1)
		return ctl_usage(err, verbs_case, "case", "why");
	return show_resolve(c, argv[0], id, err) != 0 ? -1 : why_case(c, id, err);
}

static void
print_entry(struct ctl *c, const struct log_entry *e)
{
	char at[32];

	clock_rfc3339(at, e->now);
	if (c->json) {
		json_t *o = json_pack("{s:s s:s s:I s:s% s:s%}", "at", at, "type", e->type, "opseq",
		    (json_int_t)e->opseq, "detail", e->detail.data, e->detail.len, "state",
		    e->state.data, e->state.len);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("%s  %-9s %.*s\n", at, e->type, (int)e->detail.len, (const char *)e->detail.data);
	if (e->state.len > 0)
		printf("%27s %.*s\n", "", (int)e->state.len, (const char *)e->state.data);
}

static void
trace_page(
    struct ctl *c, const struct rds_reply *page, const uint8_t id[16], char *from, size_t size)
{
	struct span pairs[24];

	for (size_t i = 0; i < rds_len(page); i++) {
		const struct rds_reply *fields = rds_at(rds_at(page, i), 1);
		struct span sid = rds_str(rds_at(rds_at(page, i), 0));
		size_t n = rds_len(fields) < 24 ? rds_len(fields) : 24;
		struct log_entry e;

		for (size_t j = 0; j < n; j++)
			pairs[j] = rds_str(rds_at(fields, j));
		snprintf(from, size, "(%.*s", (int)sid.len, (const char *)sid.data);
		if (log_entry_decode(&e, sid, pairs, n, NULL) == 0 && e.has_case &&
		    memcmp(e.case_id, id, 16) == 0)
			print_entry(c, &e);
	}
}

/* The opseq of the oldest entry that Redis' log still has; 0: it is empty. *ret_cut: there were older ones. */
static int
trace_begins(struct ctl *c, uint64_t *ret, bool *ret_cut, struct err *err)
{
	char path[96];
	const struct rds_reply *r, *fields;
	struct span words[6] = {span_str("XRANGE"),
	    span_str(call_key(path, sizeof(path), c->campaign, "log")), span_str("-"),
	    span_str("+"), span_str("COUNT"), span_str("1")};
	struct span pairs[24], sid;
	struct log_entry e;
	size_t n;

	if (ctl_cmd(c, words, 6, &r, err) != 0)
		return -1;
	fields = rds_at(rds_at(r, 0), 1);
	sid = rds_str(rds_at(rds_at(r, 0), 0));
	n = rds_len(fields) < 24 ? rds_len(fields) : 24;
	for (size_t j = 0; j < n; j++)
		pairs[j] = rds_str(rds_at(fields, j));
	*ret = 0;
	*ret_cut = false;
	if (n > 0 && log_entry_decode(&e, sid, pairs, n, NULL) == 0) {
		*ret = e.opseq;
		*ret_cut = e.no > 1 || e.epoch > 1;
	}
	rds_sync_free(r);
	return 0;
}

/* What Redis forgot, from PostgreSQL: grants, how they ended, records. Placements are not kept there. */
static int
trace_recorded(struct ctl *c, const uint8_t id[16], uint64_t before, struct err *err)
{
	struct pg_param p[3] = {pg_text(c->campaign), pg_bytes(id, 16), pg_i64((int64_t)before)};
	struct pg_result *r;

	if (ctl_pg(c, "hf_read", err) != 0 ||
	    pg_exec(c->pg,
	        "SELECT o, coalesce(at, 0), t, d FROM ("
	        "SELECT granted_opseq AS o, granted_at AS at, 'grant' AS t, concat(person, ' ', "
	        "encode(ob, 'hex'), ' - ', pulled::int, ' ', from_lane) AS d, campaign, case_ref "
	        "FROM hf.lease_log UNION ALL "
	        "SELECT ended_opseq, ended_at, split_part(ended_how, ' ', 1), concat(person, "
	        "substr(ended_how, strpos(ended_how, ' '))), campaign, case_ref "
	        "FROM hf.lease_log WHERE ended_how NOT LIKE 'record%' UNION ALL "
	        "SELECT opseq, campaign_at, 'record', concat_ws(' ', encode(ob, 'hex'), seq, "
	        "verdict, coalesce(why, '-'), person, kind), campaign, case_ref FROM hf.ledger) x "
	        "WHERE campaign = $1 AND case_ref = $2 AND o < $3 ORDER BY o",
	        p, 3, &r, err) != 0)
		return err_wrap(err, "PostgreSQL (the older part)");
	for (int i = 0; i < pg_rows(r); i++) {
		struct log_entry e = {.opseq = (uint64_t)pg_get_i64(r, i, 0),
		    .now = pg_get_i64(r, i, 1),
		    .detail = pg_get(r, i, 3)};
		struct span type = pg_get(r, i, 2);

		(void)snprintf(
		    e.type, sizeof(e.type), "%.*s", (int)type.len, (const char *)type.data);
		print_entry(c, &e);
	}
	pg_free(r);
	return 0;
}

static int
case_trace(struct ctl *c, int argc, char **argv, struct err *err)
{
	uint8_t id[16];
	char path[96], from[64] = "-";
	uint64_t begins;
	bool is_cut;
	size_t got;

	if (argc != 1)
		return ctl_usage(err, verbs_case, "case", "trace");
	if (show_resolve(c, argv[0], id, err) != 0 || trace_begins(c, &begins, &is_cut, err) != 0 ||
	    (is_cut && trace_recorded(c, id, begins, err) != 0))
		return -1;
	do {
		const struct rds_reply *r;
		struct span words[6] = {span_str("XRANGE"),
		    span_str(call_key(path, sizeof(path), c->campaign, "log")), span_str(from),
		    span_str("+"), span_str("COUNT"), span_str("500")};

		if (ctl_cmd(c, words, 6, &r, err) != 0)
			return -1;
		got = rds_len(r);
		trace_page(c, r, id, from, sizeof(from));
		rds_sync_free(r);
	} while (got == TRACE_PAGE);
	return 0;
}

static int
person_why(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc != 1 || !text_is_id(argv[0], strlen(argv[0])))
		return ctl_usage(err, verbs_case, "why", NULL);
	return why_person(c, argv[0], err);
}

const struct verb verbs_case[] = {
    {"case", "show", case_show, "NO", "一个个案: 位置、归属、最近的记录 (NO: 考生号或编号)"},
    {"case", "why", case_why, "NO", "一行话: 它为什么在那里"},
    {"case", "trace", case_trace, "NO", "它的全部变化, 一行一条"},
    {"why", NULL, person_why, "PERSON", "这个人为什么领不到个案"},
    {NULL, NULL, NULL, NULL, NULL},
};
