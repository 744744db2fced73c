/* why.c - case why NO, why PERSON: one line that answers "why is it there" and "why do I get nothing".
 *
 * Happy path: the case's state and the law's memory of it, or the queue's word on the person (`me`) and what lies in the
 * lanes that the person is offered. The reasons of a person are asked in the order in which the queue asks. Failures: no
 * such case; a person whom nobody knows (1); the stores'. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/lawview.h"
#include "ctl/show.h"
#include "ctl/why.h"
#include "proto/roles.h"

#define NEVER_FROM 253000000000000LL /* dates of the year 9999 mean: until something happens */
#define TEXT_MAX   400

/* ---- a case ---- */

static void
when(char out[96], const char *before, int64_t at, const char *after)
{
	char text[32];

	clock_text(text, at);
	(void)snprintf(out, 96, "%s%s%s", before, text, after);
}

/* What is waited for, by where it is. */
static void
wait_of(char out[200], const struct case_state *s, const json_t *law, int64_t now)
{
	int64_t deadline = lawview_time(law, "deadline"), strike = lawview_time(law, "strike_by"),
	        rung = lawview_time(law, "rung_by");
	char at[96];

	out[0] = '\0';
	if (strcmp(s->lane, "unreleased") == 0)
		(void)snprintf(out, 200, ", 等数据组放号 (hfctl release)");
	else if (strcmp(s->lane, "pool") == 0)
		(void)snprintf(out, 200, ", 等下一个领取的人");
	else if (strcmp(s->lane, "parked") == 0)
		(void)snprintf(out, 200, ", 等人看过放回 (hfctl case free)");
	else if (strcmp(s->lane, "terminal") == 0)
		return;
	else if (strcmp(s->lane, "triage") == 0)
		(void)snprintf(out, 200, ", 等路由分派 (hf-router 在运行就是马上)");
	else if (s->due >= NEVER_FROM)
		(void)snprintf(out, 200, ", 没有日期, 等有人打来或裁定");
	else if (s->due > now) {
		when(at, ", 到 ", s->due, " 才轮到");
		(void)snprintf(out, 200, "%s", at);
	} else {
		when(at, ", 自 ", s->due, " 等人");
		(void)snprintf(out, 200, "%s", at);
	}
	if (strncmp(s->lane, "strike", 6) == 0 && strike != 0) {
		when(at, ", ", strike, " 前要结果");
		(void)strncat(out, at, 199 - strlen(out));
	} else if (deadline != 0 && strcmp(s->lane, "resting") != 0) {
		when(at, ", 期限 ", deadline, ", 过了自己往下走");
		(void)strncat(out, at, 199 - strlen(out));
	} else if (rung != 0) {
		when(at, ", 这一步到 ", rung, " 为止");
		(void)strncat(out, at, 199 - strlen(out));
	}
}

static void
print_case(const struct ctl *c, const struct case_state *s, const json_t *law, int64_t now)
{
	char lane[128], wait[200], text[TEXT_MAX];

	if (s->held) {
		(void)snprintf(text, sizeof(text), "在 %s 手上 (来自 %s): %s", s->hand,
		    show_lane(lane, s->lane), show_why(s->why));
	} else {
		wait_of(wait, s, law, now);
		(void)snprintf(text, sizeof(text), "%s%s: %s", show_lane(lane, s->lane), wait,
		    show_why(s->why));
	}
	if (c->json) {
		json_t *o = json_pack("{s:s s:s s:s s:s}", "lane", s->lane, "held",
		    s->held ? s->hand : "", "why", s->why, "text", text);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("%s\n", text);
}

int
why_case(struct ctl *c, const uint8_t id[16], struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	json_t *laws = NULL;
	int got = show_state(c, id, &text, &s, err);

	if (got == 0)
		got = lawview(&s.blob, 1, &laws, err);
	if (got == 0)
		print_case(c, &s, json_array_get(laws, 0), show_now(c));
	json_decref(laws);
	buf_done(&text);
	return got;
}

/* ---- a person ---- */

struct person_row {
	unsigned long roles;
	char team[33], pk[65];
	int qualified, active;
};

/* The answer of `me`, and what lies in the lanes. */
struct me {
	const char *name;
	struct person_row p;
	uint64_t pulled, opened, stage;
	int64_t gate, now;
	struct span lanes, mode, by, why;
	bool paused, has_pool;
	uint64_t due_now; /* cases that are due in the lanes */
	int64_t next;     /* the earliest that is not due yet, 0 none */
};

static bool
person_parse(struct person_row *p, struct span row)
{
	char text[256];

	if (row.len == 0 || row.len >= sizeof(text))
		return false;
	memcpy(text, row.data, row.len);
	text[row.len] = '\0';
	return sscanf(text, "%lu %32s %d %64s %d", &p->roles, p->team, &p->qualified, p->pk,
	           &p->active) == 5;
}

static uint64_t
number(const struct rds_reply *r, size_t i)
{
	struct span s = rds_str(rds_at(r, i));
	uint64_t v = 0;

	return text_to_u64((const char *)s.data, s.len, &v) ? v : 0;
}

/* Due cases of one lane, and the next that is not. */
static int
look_at_lane(struct ctl *c, struct me *m, struct span lane, struct err *err)
{
	char key[160], name[96], now[24];
	const struct rds_reply *r;
	struct span count[4] = {span_str("ZCOUNT"), {NULL, 0}, span_str("-inf"), {NULL, 0}};
	struct span first[8] = {span_str("ZRANGEBYSCORE"), {NULL, 0}, {NULL, 0}, span_str("+inf"),
	    span_str("WITHSCORES"), span_str("LIMIT"), span_str("0"), span_str("1")};

	(void)snprintf(name, sizeof(name), "lane:%.*s", (int)lane.len, (const char *)lane.data);
	(void)snprintf(now, sizeof(now), "%" PRId64, m->now);
	count[1] = first[1] = span_str(call_key(key, sizeof(key), c->campaign, name));
	count[3] = first[2] = span_str(now);
	if (ctl_cmd(c, count, 4, &r, err) != 0)
		return -1;
	m->due_now += (uint64_t)rds_int(r);
	m->has_pool = m->has_pool || span_eq_str(lane, "pool");
	rds_sync_free(r);
	if (ctl_cmd(c, first, 8, &r, err) != 0)
		return -1;
	if (rds_len(r) == 2) {
		int64_t at = (int64_t)number(r, 1);

		if (at > m->now && (m->next == 0 || at < m->next))
			m->next = at;
	}
	rds_sync_free(r);
	return 0;
}

static int
look_at_lanes(struct ctl *c, struct me *m, struct err *err)
{
	struct span rest = m->lanes;
	int got = 0;

	while (got == 0 && rest.len > 0) {
		const uint8_t *blank = memchr(rest.data, ' ', rest.len);
		size_t n = blank == NULL ? rest.len : (size_t)(blank - rest.data);

		if (n > 0)
			got = look_at_lane(c, m, span_of(rest.data, n), err);
		n += blank != NULL;
		rest = span_of(rest.data + n, rest.len - n);
	}
	return got;
}

/* ---- the reasons, in the order of the queue's own questions ---- */

static bool
takes_cases(const struct me *m)
{
	return (m->p.roles &
	           (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;
}

static const char *
may_not(const struct me *m, char out[TEXT_MAX])
{
	bool in_team =
	    strcmp(m->p.team, "-") != 0 || (m->p.roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;

	if (!m->p.active) {
		(void)snprintf(out, TEXT_MAX, "已停用");
		return "stopped";
	}
	if (!takes_cases(m)) {
		(void)snprintf(out, TEXT_MAX, "这个角色不领个案");
		return "role";
	}
	if (!m->p.qualified || !in_team) {
		(void)snprintf(out, TEXT_MAX, "%s (hfctl %s)",
		    !m->p.qualified ? "还没有通过资格审查" : "还没有编入小组",
		    !m->p.qualified ? "person qualify" : "person set --team");
		return "unqualified";
	}
	return NULL;
}

static const char *
closed(const struct me *m, char out[TEXT_MAX])
{
	char at[32];

	if (!span_eq_str(m->mode, "0")) {
		(void)snprintf(out, TEXT_MAX, "队列正在恢复或已停 (hfctl queue ls)");
		return "recovering";
	}
	if (m->paused) {
		(void)snprintf(out, TEXT_MAX, "%.*s 暂停了发放: %.*s (hfctl queue resume)",
		    (int)m->by.len, (const char *)m->by.data, (int)m->why.len,
		    (const char *)m->why.data);
		return "paused";
	}
	if (m->gate >= NEVER_FROM) {
		(void)snprintf(out, TEXT_MAX,
		    "第 %ju 阶段没有开着的批次, 等数据组开下一批 (hfctl pass open)",
		    (uintmax_t)m->stage);
		return "no-pass";
	}
	if (m->gate > m->now) {
		clock_text(at, m->gate);
		(void)snprintf(out, TEXT_MAX,
		    "不在拨打时间, 到 %s 开放; 自己名单里的照样可以打开, 打来的照样记", at);
		return "hours";
	}
	return NULL;
}

static const char *
nothing_there(const struct me *m, char out[TEXT_MAX])
{
	bool calls = (m->p.roles & (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY)) != 0;
	char next[96] = "";

	if (m->pulled > 0) {
		(void)snprintf(out, TEXT_MAX, "手上还有一个领取的个案, 先记下或退回");
		return "limit";
	}
	if (m->lanes.len == 0) {
		(void)snprintf(out, TEXT_MAX, "路由还没有给此人安排队列 (看 hf-router 是否在运行)");
		return "no-offer";
	}
	if (m->due_now > 0)
		return NULL;
	if (m->next != 0)
		when(next, ", 最早的一个到 ", m->next, "");
	if (calls && !m->has_pool) {
		(void)snprintf(out, TEXT_MAX,
		    "公共池里自己的一份已领满, 先把没有结果的打完; 自己名单里没有到时间的%s", next);
		return "share";
	}
	(void)snprintf(out, TEXT_MAX, "公共池空了, 自己名单里没有到时间的%s", next);
	return "dry";
}

static void
print_person(const struct ctl *c, const struct me *m)
{
	char text[TEXT_MAX];
	const char *reason = may_not(m, text);

	if (reason == NULL)
		reason = closed(m, text);
	if (reason == NULL)
		reason = nothing_there(m, text);
	if (reason == NULL)
		(void)snprintf(text, sizeof(text), "有 %ju 个到时间的, 按次序从这些队列领: %.*s",
		    (uintmax_t)m->due_now, (int)m->lanes.len, (const char *)m->lanes.data);
	if (c->json) {
		json_t *o = json_pack("{s:s s:s s:s s:I s:I s:I}", "person", m->name, "reason",
		    reason == NULL ? "" : reason, "text", text, "due", (json_int_t)m->due_now,
		    "pulled", (json_int_t)m->pulled, "opened", (json_int_t)m->opened);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("%s: ", m->name);
	for (uint32_t bit = 1; bit < ROLES_ALL; bit <<= 1) {
		if ((m->p.roles & bit) != 0 && role_zh(bit) != NULL)
			printf("%s ", role_zh(bit));
	}
	printf("小组 %s; 在手 领取 %ju, 打开 %ju\n%s%s\n", m->p.team, (uintmax_t)m->pulled,
	    (uintmax_t)m->opened, reason == NULL ? "" : "领不到: ", text);
}

static int
explain(struct ctl *c, const char *person, const struct rds_reply *r, struct err *err)
{
	struct me m = {.name = person, .now = show_now(c)};
	struct span gate = rds_str(rds_at(r, 6));

	if (!person_parse(&m.p, rds_str(rds_at(r, 1)))) {
		printf("%s: 没有这个人\n", person);
		return EXIT_FOUND;
	}
	m.pulled = number(r, 2);
	m.opened = number(r, 3);
	m.lanes = rds_str(rds_at(r, 5));
	(void)text_to_i64((const char *)gate.data, gate.len, &m.gate);
	m.mode = rds_str(rds_at(r, 7));
	m.paused = span_eq_str(rds_str(rds_at(r, 8)), "1");
	m.by = rds_str(rds_at(r, 9));
	m.why = rds_str(rds_at(r, 10));
	m.stage = number(r, 11);
	if (look_at_lanes(c, &m, err) != 0)
		return -1;
	print_person(c, &m);
	return 0;
}

int
why_person(struct ctl *c, const char *person, struct err *err)
{
	struct call call;
	const struct rds_reply *r, *me;
	int code;

	if (ctl_campaign(c, err) != 0)
		return -1;
	call_begin(&call, "hf1_broker", c->campaign, show_now(c), clock_wall_ms(), 0);
	call_entry(&call, "me");
	call_str(&call, person);
	code = ctl_fcall(c, &call, &r, err);
	call_done(&call);
	if (code != 0)
		return -1;
	me = rds_at(r, 4);
	if (rds_len(me) < 9)
		code = err_set(err, ERR_CORRUPT, "队列没有回答 (%.*s)",
		    (int)rds_str(rds_at(me, 1)).len, (const char *)rds_str(rds_at(me, 1)).data);
	else
		code = explain(c, person, me, err);
	rds_sync_free(r);
	return code;
}
