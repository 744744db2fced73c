/* policy_check.c - what only the whole policy file can tell: what is missing, what does not fit.
 *
 * Some things are no policy but decisions of the project, and are refused here: a withdrawal is final
 * and takes two persons and a photo, an arrival comes from a file, the three points are ticked before
 * a confirmation, and nothing else ends a case by one key. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/escalation/policy_reader.h"

#define BIT(n) (1u << (n))

/* Where each family of outcomes may send a case. */
static const uint32_t goes_of[FAMILY_COUNT] = {
    [FAMILY_TALK] = BIT(GOES_OWN) | BIT(GOES_LEADER) | BIT(GOES_REST) | BIT(GOES_DATA),
    [FAMILY_AGAIN] = BIT(GOES_OWN),
    [FAMILY_FAIL] = BIT(GOES_OWN),
    [FAMILY_SIDE] = BIT(GOES_OWN) | BIT(GOES_ASK) | BIT(GOES_RUNG),
    [FAMILY_RESULT] = BIT(GOES_RESULT),
    [FAMILY_STOP] = BIT(GOES_LEADER),
    [FAMILY_ALARM] = BIT(GOES_SUPERVISION),
    [FAMILY_PAPER] = BIT(GOES_OWN) | BIT(GOES_LEADER) | BIT(GOES_DATA),
    [FAMILY_SIGNED] = BIT(GOES_END),
    [FAMILY_RULED] = BIT(GOES_REST) | BIT(GOES_END),
};

static const struct {
	enum finality final;
	uint32_t goes;
} finality_goes[] = {
    {FINAL_OPEN, BIT(GOES_OWN) | BIT(GOES_LEADER) | BIT(GOES_ASK) | BIT(GOES_DATA) |
                     BIT(GOES_RESULT) | BIT(GOES_RUNG)},
    {FINAL_REST, BIT(GOES_REST) | BIT(GOES_LEADER)},
    {FINAL_TERMINAL, BIT(GOES_END)},
    {FINAL_STOP, BIT(GOES_SUPERVISION)},
};

static void
check_counts(struct reader *r, enum outcome o, const struct outcome_row *row)
{
	enum family f = outcome_family(o);
	const char *code = outcome_code(o);

	if (f == FAMILY_FAIL && (!row->attempt || row->contact != COUNTS_NO))
		problem(r, "%s 是没打通：算尝试 yes，算联系上 no", code);
	if (f == FAMILY_TALK && row->contact != COUNTS_YES)
		problem(r, "%s 是谈过话：算联系上要写 yes", code);
	if (o == OUT_CONFIRMED && (row->evidence & BIT(EVIDENCE_TICKS)) == 0)
		problem(r, "confirmed 的凭据里必须有 ticks（三项告知）");
	if (o == OUT_WITHDRAWN && (row->evidence & BIT(EVIDENCE_TWO_PERSONS)) == 0)
		problem(r, "withdrawn 的凭据里必须有 two-persons");
	if (o == OUT_WITHDRAWN && (row->evidence & BIT(EVIDENCE_PHOTO)) == 0)
		problem(r, "withdrawn 的凭据里必须有 photo");
	if (o == OUT_REGISTERED && (row->evidence & BIT(EVIDENCE_ARRIVALS)) == 0)
		problem(r, "registered 只能来自报到名单：凭据写 arrivals");
}

static void
check_delays(struct reader *r, enum outcome o, const struct outcome_row *row)
{
	const char *code = outcome_code(o);
	bool rests =
	    row->rest_next_pass || row->rest_follow_up || row->rest_ruling || row->rest_stage != 0;

	if (row->goes == GOES_REST && !rests && row->n_steps == 0)
		problem(r,
		    "%s 休息到什么时候？等待一栏写 next-pass、stage-3+3d、follow-up、ruling 或 2d",
		    code);
	if (row->goes == GOES_REST && row->n_steps > 1)
		problem(r, "%s 休息只有一个时长", code);
	if (row->goes != GOES_REST && rests)
		problem(r, "%s 不休息；next-pass、stage、follow-up、ruling 只用于 rest", code);
	if (row->goes == GOES_OWN && row->n_steps == 0 && row->date_at < 0 && !row->other_number)
		problem(r, "%s 下一次什么时候打？等待一栏至少写一个时长", code);
	if (row->goes == GOES_OWN && row->n_steps == 0 && row->other_number &&
	    row->then != THEN_RUNG)
		problem(r, "%s 没有别的号码以后怎么办？加一个时长，或 then 写 rung 4", code);
	if (row->goes != GOES_OWN && row->goes != GOES_REST && row->n_steps > 0)
		problem(r, "%s 不回到本人，等待一栏写 -", code);
}

static void
check_then(struct reader *r, enum outcome o, const struct outcome_row *row)
{
	const char *code = outcome_code(o);
	const struct outcome_row *as = &r->p->outcomes[row->then_n];

	switch (row->then) {
	case THEN_HAND_UP:
	case THEN_RUNG:
	case THEN_STRIKE:
		if (row->strike == STRIKE_NONE)
			problem(r, "%s 最后会到突击组：写明突击类别", code);
		break;
	case THEN_OUTCOME:
		if (outcome_family((enum outcome)row->then_n) != FAMILY_FAIL ||
		    as->then == THEN_OUTCOME)
			problem(r, "%s 之后按 %s 办，它必须是没打通的一种，且自己不再转 as", code,
			    outcome_code((enum outcome)row->then_n));
		break;
	case THEN_REPEAT:
	case THEN_DATA:
	case THEN_REST:
	case THEN_CLOSE_RUNG: break;
	}
	if (row->goes == GOES_LEADER && row->then != THEN_STRIKE && row->then != THEN_DATA &&
	    row->then != THEN_REST)
		problem(r, "%s 组长没有回应以后怎么办？then 写 strike、data papers 或 rest", code);
	if (row->goes != GOES_LEADER && row->goes != GOES_REST &&
	    (row->then == THEN_STRIKE || row->then == THEN_DATA || row->then == THEN_REST))
		problem(r, "%s 不经过组长，then 不能写 strike、data papers、rest", code);
}

static void
check_outcome(struct reader *r, enum outcome o)
{
	struct outcome_row *row = &r->p->outcomes[o];
	const char *code = outcome_code(o);

	r->line = r->at_outcome[o];
	if (r->line == 0) {
		problem_file(r, "缺少 outcome | %s 一行；可从默认政策里抄来", code);
		return;
	}
	if (row->label[0] == '\0')
		return;
	if ((goes_of[outcome_family(o)] & BIT(row->goes)) == 0)
		problem(r, "%s 不能有这个去向", code);
	for (size_t i = 0; i < sizeof(finality_goes) / sizeof(finality_goes[0]); i++)
		if (finality_goes[i].final == row->final &&
		    (finality_goes[i].goes & BIT(row->goes)) == 0)
			problem(r,
			    "%s 的性质与去向不合：rest 配 rest 或 leader，terminal 配 end，"
			    "stop 配 supervision，其余是 open",
			    code);
	check_counts(r, o, row);
	check_delays(r, o, row);
	check_then(r, o, row);
	if (row->goes == GOES_REST && row->n_steps == 1)
		row->rest_step = row->steps[0];
}

static void
check_hours(struct reader *r)
{
	const struct policy *p = r->p;
	int16_t from = p->offered.from;

	r->line = r->at_quiet;
	if (r->at_quiet != 0 && r->at_offered != 0 &&
	    (p->quiet.from < p->offered.from || p->quiet.until > p->offered.until))
		problem(r, "quiet（午休）要在 offered 之内");
	r->line = r->at_asked;
	if (r->at_asked != 0 && r->at_offered != 0 &&
	    (p->asked.from > p->offered.from || p->asked.until < p->offered.until))
		problem(r, "asked（对方要求时）要包含 offered");
	r->line = r->at_office;
	for (int i = 0; i < p->n_office; i++)
		if ((i > 0 && p->office[i].from < p->office[i - 1].until) ||
		    (r->at_offered != 0 && (p->office[i].from < p->offered.from ||
		                               p->office[i].until > p->offered.until)))
			problem(r, "office 各段要从早到晚，并在 offered 之内");
	for (int i = 0; i < 4; i++) {
		r->line = r->at_daypart[i];
		if (r->line == 0) {
			problem_file(r, "缺少 daypart | %c 一行", 'a' + i);
			continue;
		}
		if (p->dayparts[i].from < from || p->dayparts[i].until > p->offered.until)
			problem(r, "时段 a、b、c、d 要从早到晚、互不重叠，并在 offered 之内");
		from = p->dayparts[i].until;
	}
}

static void
check_missing(struct reader *r)
{
	const struct {
		int at;
		const char *line;
	} lines[] = {{r->at_policy, "policy | 1 | 2026-03-01 | 招生办"},
	    {r->at_offered, "hours | offered | 08:30-21:00"},
	    {r->at_quiet, "hours | quiet | 13:00-14:00"},
	    {r->at_asked, "hours | asked | 08:30-21:30"},
	    {r->at_office, "hours | office | 08:30-11:30, 14:00-17:00"},
	    {r->at_calling, "days | calling | mon-sun"},
	    {r->at_working, "days | working | mon-fri"}, {r->at_pass[1], "pass | 1 | 8h | open"},
	    {r->at_pass[2], "pass | 2 | 16h | open"}, {r->at_pass[3], "pass | 3 | 6h | all"}};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].at == 0)
			problem_file(r, "缺少一行，例如：%s", lines[i].line);
	for (int s = 0; s < SETTING_COUNT; s++)
		if (r->at_setting[s] == 0)
			problem_file(r, "缺少 set | %s 一行", setting_name((enum setting)s));
	for (int n = 0; n < RUNG_COUNT; n++)
		if (r->at_rung[n] == 0)
			problem_file(r, "缺少 rung | %d 一行", n);
	for (int q = 1; q <= POLICY_QUESTIONS; q++)
		if (r->at_question[q] == 0)
			problem_file(r, "缺少 question | Q%d 一行", q);
}

void
check_policy(struct reader *r)
{
	check_missing(r);
	check_hours(r);
	for (int o = OUT_NONE + 1; o < OUT_COUNT; o++)
		check_outcome(r, (enum outcome)o);
}

const struct outcome_row *
policy_outcome(const struct policy *p, enum outcome o)
{
	CHECK(o > OUT_NONE && o < OUT_COUNT);
	return &p->outcomes[o];
}

void
policy_free(struct policy *p)
{
	free(p);
}

const char *
strike_kind_name(enum strike_kind k)
{
	static const char *const names[STRIKE_KINDS] = {
	    "-", "lost", "difficult", "refuses", "regret", "not-coming", "incident"};

	CHECK(k < STRIKE_KINDS);
	return names[k];
}

const char *
number_state_name(enum number_state s)
{
	static const char *const names[NUMBER_STATES] = {"new", "good", "relay", "silent",
	    "refused", "off", "suspended", "off-hours", "blocked", "dead", "wrong", "retired",
	    "unchanged"};

	CHECK(s < NUMBER_STATES);
	return names[s];
}
