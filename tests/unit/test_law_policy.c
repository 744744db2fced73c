/* Reading policy files: the shipped one is whole; every mistake is told with its line, all at once. */
#include "tests/unit/law_kit.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"

static struct buf shipped; /* without the blanks that make columns */

static int
setup(void **state)
{
	struct buf text = BUF_INIT;
	int rc = file_read(&text, DEFAULT_POLICY, POLICY_FILE_MAX, NULL);

	(void)state;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ' ' || shipped.data[shipped.len - 1] != ' ')
			buf_addc(&shipped, (char)text.data[i]);
	buf_done(&text);
	return rc;
}

static int
teardown(void **state)
{
	(void)state;
	buf_done(&shipped);
	return 0;
}

/* The shipped policy with the first `from` replaced by `to`; from NULL: `to` put at the end. */
static struct buf
changed(const char *from, const char *to)
{
	const char *text = (const char *)shipped.data,
	           *at = from == NULL ? NULL : strstr(text, from);
	struct buf b = BUF_INIT;

	if (from == NULL) {
		buf_adds(&b, text);
		buf_adds(&b, to);
		return b;
	}
	if (at == NULL)
		fail_msg("the shipped policy has no \"%s\"", from);
	buf_add(&b, text, (size_t)(at - text));
	buf_adds(&b, to);
	buf_adds(&b, at + strlen(from));
	return b;
}

static struct policy *
must_read(struct buf *b)
{
	struct policy *p = NULL;
	struct buf problems = BUF_INIT;

	if (policy_read(&p, "x.policy", buf_span(b), &problems, NULL) != 0)
		fail_msg("%s", (char *)problems.data);
	assert_null(problems.data);
	return p;
}

static void
the_shipped_policy_says_what_practice_says(void **state)
{
	struct policy *p = must_read(&shipped);
	const struct outcome_row *row;

	(void)state;
	assert_int_equal(p->version, 1);
	assert_int_equal(p->offered.from, 510);
	assert_int_equal(p->offered.until, 1260);
	assert_int_equal(p->asked.until, 1290);
	assert_int_equal(p->calling_days, 0x7f);
	assert_int_equal(p->working_days, 0x1f);
	assert_int_equal(p->pass_length[2].n, 16 * 60);
	assert_true(!p->pass_calls_all[2] && p->pass_calls_all[3]);
	assert_int_equal(policy_n(p, SET_PULL_FACTOR), 125);
	assert_int_equal(policy_n(p, SET_TALK_SECONDS), 60);
	assert_int_equal(policy_step(p, SET_LEADER_LATER).kind, STEP_WORKDAYS);
	assert_string_equal(p->question[6], "each-paid-student");
	row = policy_outcome(p, OUT_NO_ANSWER);
	assert_string_equal(row->label, "没人接");
	assert_true(row->other_number && row->n_steps == 3);
	assert_int_equal(row->steps[0].n, 120);
	assert_int_equal(row->steps[1].kind, STEP_OTHER_DAYPART);
	assert_int_equal(row->then, THEN_RUNG);
	assert_int_equal(row->then_n, 4);
	assert_int_equal(row->strike, STRIKE_LOST);
	assert_int_equal(row->number, NUMBER_SILENT);
	row = policy_outcome(p, OUT_CONFIRMED);
	assert_int_equal(row->rest_stage, 3);
	assert_true(row->rest_next_pass);
	assert_int_equal(
	    row->evidence & 7, 1 << EVIDENCE_TICKS | 1 << EVIDENCE_SCRIPT | 1 << EVIDENCE_SPOKE);
	assert_int_equal(policy_outcome(p, OUT_LATE_ARRIVAL)->date_at, 600);
	policy_free(p);
}

/* Each mistake gives one problem, which names its line and these words. */
static void
each_mistake_is_named_with_its_line(void **state)
{
	static const struct {
		const char *from, *to, *words;
	} rows[] = {
	    {"template | sms | {姓名}", "template | sms | {name}", "花括号里只能是"},
	    {"template | im", "template | fax", "是 sms 或 im"},
	    {"template | im |", "template | sms |", "这一种文本"},
	    {"hours | offered | 08:30-21:00", "hours | offered | 8点半",
	        "看不懂；写成 08:30-21:00"},
	    {"hours | offered | 08:30-21:00", "hours | offered | 21:00-08:30", "开始早于结束"},
	    {"hours | offered |", "hours | ofered |", "不是“ofered”"},
	    {"hours | office | 08:30-11:30, 14:00-17:00",
	        "hours | office | 14:00-17:00, 08:30-11:30", "从早到晚"},
	    {"hours | quiet | 13:00-14:00", "hours | quiet | 07:00-08:00", "午休"},
	    {"hours | asked | 08:30-21:30", "hours | asked | 08:30-20:30", "要包含 offered"},
	    {"days | working | mon-fri", "days | working | mon-fry", "写成 mon-fri"},
	    {"daypart | c | 14:00-17:30", "daypart | c | 11:00-17:30", "互不重叠"},
	    {"pass | 1 | 8h ", "pass | 1 | 8 ", "批次长度"},
	    {"pass | 3 | 6h | all", "pass | 3 | 6h | every", "不是“every”"},
	    {"set | talk.seconds ", "set | talk.second ", "没有“talk.second”这个设置"},
	    {"| 125% ", "| 12% ", "应是100到1000的整数"},
	    {"set | ladder.tasks | yes", "set | ladder.tasks | maybe", "应写 yes 或 no"},
	    {"| 30min | 问组长", "| 30 | 问组长", "时长“30”看不懂"},
	    {"question | Q2 | every-tier", "question | Q2 | every", "可以是：every-tier from-task"},
	    {"question | Q7 ", "question | Q77 ", "Q1 到 Q21"},
	    {"rung | 4 | 查同校考生", "rung | 4 |", "第3栏要写"},
	    {"outcome | busy ", "outcome | bussy ", "没有“bussy”这个结果代码"},
	    {"| 占线 ", "| ", "第3栏要写中文名"},
	    {"| 10min, 30min, 2h ", "| 10mins, 30min, 2h ", "等待“10mins”看不懂"},
	    {"| 10min, 30min, 2h ", "| 1h,1h,1h,1h,1h,1h,1h ", "最多6个"},
	    {"| as no-answer | - | call ", "| as nothing | - | call ", "“as nothing”不认识"},
	    {"| as no-answer | - | same-number", "| as busy | - | same-number", "自己不再转 as"},
	    {"| busy | 占线 | open ", "| busy | 占线 | terminal ", "性质与去向不合"},
	    {"| busy | 占线 | open | own ", "| busy | 占线 | rest | rest ", "busy 不能有这个去向"},
	    {"| ticks script spoke ", "| script spoke ", "必须有 ticks"},
	    {"| two-persons photo ", "| photo ", "必须有 two-persons"},
	    {"| two-persons photo ", "| two-persons ", "必须有 photo"},
	    {"| next-pass, stage-3+3d ", "| - ", "休息到什么时候"},
	    {"policy | 1 |", "policy | one |", "版本号“one”"},
	    {"| 2026-03-01 |", "| 2026-02-30 |", "日期“2026-02-30”"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = changed(rows[i].from, rows[i].to), problems = BUF_INIT;
		const char *at = strstr((const char *)shipped.data, rows[i].from);
		struct policy *p = NULL;
		char line[32];
		int n = 1;

		for (const char *s = (const char *)shipped.data; s < at; s++)
			n += *s == '\n';
		snprintf(line, sizeof(line), "x.policy:%d: ", n);
		assert_int_equal(policy_read(&p, "x.policy", buf_span(&b), &problems, NULL), -1);
		assert_null(p);
		if (strstr((char *)problems.data, rows[i].words) == NULL ||
		    strstr((char *)problems.data, line) == NULL)
			fail_msg(
			    "wanted %s…%s, got\n%s", line, rows[i].words, (char *)problems.data);
		buf_done(&b);
		buf_done(&problems);
	}
}

static void
all_problems_are_told_at_once(void **state)
{
	struct buf problems = BUF_INIT;
	struct err err = ERR_INIT;
	struct policy *p = NULL;
	int lines = 0;

	(void)state;
	assert_int_equal(
	    policy_read(&p, "x", span_str("hullo\npass | 9 | 1h | all\n"), &problems, &err), -1);
	for (size_t i = 0; i < problems.len; i++)
		lines += problems.data[i] == '\n';
	/* Two bad lines, and one for everything that is not there. */
	assert_int_equal(lines, 2 + 10 + 4 + SETTING_COUNT + RUNG_COUNT + 21 + OUT_COUNT - 1);
	assert_non_null(strstr(err.text, "problems"));
	assert_non_null(strstr((char *)problems.data, "x:1: 不认识的开头“hullo”"));
	assert_non_null(strstr((char *)problems.data, "缺少 outcome | registered 一行"));
	buf_done(&problems);
	/* Also without a place to tell them. */
	assert_int_equal(policy_read(&p, "x", span_str(""), NULL, NULL), -1);
}

static void
a_thing_said_twice_is_a_problem(void **state)
{
	static const char *const twice[] = {"hours | quiet | 12:00-13:00\n",
	    "set | talk.seconds | 61\n", "daypart | a | 08:30-12:00\n", "pass | 1 | 8h | open\n",
	    "question | Q1 | literal\n", "rung | 4 | x | y | 1h\n",
	    "outcome | busy | 占线 | open | own | 1h | - | - | call | - | yes | no | unchanged\n",
	    "days | calling | mon-sun\n", "policy | 2 | 2026-03-01 | x\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		struct buf b = changed(NULL, twice[i]), problems = BUF_INIT;
		struct policy *p = NULL;

		assert_int_equal(policy_read(&p, "x", buf_span(&b), &problems, NULL), -1);
		assert_non_null(strstr((char *)problems.data, "已经写过"));
		buf_done(&b);
		buf_done(&problems);
	}
}

static void
what_a_chinese_keyboard_writes_is_read(void **state)
{
	struct buf b =
	    changed("hours | offered | 08:30-21:00", "hours ｜ offered ｜ ０８：３０－２１：００");
	struct policy *p = must_read(&b);

	(void)state;
	assert_int_equal(p->offered.from, 510);
	policy_free(p);
	buf_done(&b);
	b = changed("| 10min, 30min, 2h ", "| 10分钟，30分钟、2小时 ");
	p = must_read(&b);
	assert_int_equal(policy_outcome(p, OUT_BUSY)->steps[2].n, 120);
	policy_free(p);
	buf_done(&b);
	/* Windows line ends and a byte order mark. */
	b = (struct buf)BUF_INIT;
	buf_adds(&b, "\xef\xbb\xbf");
	for (size_t i = 0; i < shipped.len; i++) {
		if (shipped.data[i] == '\n')
			buf_addc(&b, '\r');
		buf_addc(&b, (char)shipped.data[i]);
	}
	policy_free(must_read(&b));
	buf_done(&b);
}

static void
special_days_come_in_any_order(void **state)
{
	struct buf b = changed(NULL, "day | 2026-05-02 | calling\nday | 2026-04-06 | holiday | x\n"
	                             "day | 2026-04-11 | workday\n");
	struct policy *p = must_read(&b);
	struct buf problems = BUF_INIT;

	(void)state;
	assert_int_equal(p->n_days, 3);
	assert_true(p->days[0].day < p->days[1].day && p->days[1].day < p->days[2].day);
	assert_true(
	    !p->days[0].calling && p->days[1].working && p->days[2].calling && !p->days[2].working);
	policy_free(p);
	buf_done(&b);
	b = changed(NULL, "day | 2026-05-02 | calling\nday | 2026-05-02 | holiday\n");
	assert_int_equal(policy_read(&p, "x", buf_span(&b), &problems, NULL), -1);
	assert_non_null(strstr((char *)problems.data, "写了两次"));
	buf_done(&b);
	buf_done(&problems);
}

/* Cut anywhere, with any byte turned over: an answer, never a crash; and no policy with a problem. */
static void
damaged_files_are_refused_or_read(void **state)
{
	struct buf b = BUF_INIT;
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct policy *p = NULL;
		size_t at;

		seed = seed * 1103515245u + 12345u;
		at = seed / 7 % shipped.len;
		buf_clear(&b);
		buf_add(&b, shipped.data, i % 2 == 0 ? shipped.len : at);
		if (i % 2 == 0)
			b.data[at] = (uint8_t)(seed >> 9);
		if (policy_read(&p, "x", buf_span(&b), NULL, NULL) == 0)
			policy_free(p);
		else
			assert_null(p);
	}
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_shipped_policy_says_what_practice_says),
	    cmocka_unit_test(each_mistake_is_named_with_its_line),
	    cmocka_unit_test(all_problems_are_told_at_once),
	    cmocka_unit_test(a_thing_said_twice_is_a_problem),
	    cmocka_unit_test(what_a_chinese_keyboard_writes_is_read),
	    cmocka_unit_test(special_days_come_in_any_order),
	    cmocka_unit_test(damaged_files_are_refused_or_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
