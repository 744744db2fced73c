/* explain.c - says how a figure came about, in the order in which it was computed. Decides nothing: every number is
 * pay.c's own, and the readings that the policy left open are shown beside the one that was taken. */
#include "workers/reconciliation/explain.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

char *
pay_text(char *out, int64_t fen)
{
	CHECK(fen >= 0);
	(void)snprintf(out, PAY_TEXT, "%jd.%02jd", (intmax_t)(fen / 100), (intmax_t)(fen % 100));
	return out;
}

static void __attribute__((format(printf, 2, 3))) say(json_t *lines, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(lines, json_string(text));
}

static void
explain_standard(json_t *lines, const struct pay_row *row, const struct pay *pay)
{
	char rate[24], a[PAY_TEXT], b[PAY_TEXT];

	if (!rate_defined(row->rate)) {
		say(lines, "没有录取的人，报到率无从算起，不发");
		return;
	}
	say(lines, "报到率 = 报到 %jd ÷ 录取 %jd = %s%%（只截不舍入）",
	    (intmax_t)row->rate.registered, (intmax_t)row->rate.admitted,
	    rate_text(rate, row->rate));
	if (pay->base == 0) {
		say(lines, "报到率没有达到发放的最低一档（Q4），不发");
		return;
	}
	say(lines, "这一档的标准 %s 元/人（Q1：“>”不含本数，“≥”含本数）", pay_text(a, pay->base));
	if (pay->steps > 0)
		say(lines, "每多 0.1%% 加 0.50 元（Q2、Q3）：%d 个 0.1%%，标准 %s 元/人",
		    pay->steps, pay_text(b, pay->base + pay->steps * INT64_C(50)));
	else
		say(lines, "没有加发的 0.1%%（Q2、Q3）");
}

static void
explain_minimum(
    json_t *lines, const struct pay_policy *p, const struct pay_row *row, const struct pay *pay)
{
	struct pay_row slack = *row;
	char a[PAY_TEXT];

	if (row->called >= row->minimum)
		return;
	if (!pay->below_minimum) {
		slack.slack = true;
		say(lines,
		    "回访量 %jd 低于最低工作量 %jd，没有懈怠认定，不扣（N1）；如签字认定，应发 %s "
		    "元",
		    (intmax_t)row->called, (intmax_t)row->minimum,
		    pay_text(a, pay_of(p, &slack).amount));
		return;
	}
	if (pay->base == 0)
		return;
	if (p->n1 == PAY_N1_PER_PAID)
		say(lines, "回访量 %jd 低于最低工作量 %jd，每人减 5.00 元（N1、Q6）：标准 %s 元/人",
		    (intmax_t)row->called, (intmax_t)row->minimum, pay_text(a, pay->standard));
	else
		say(lines, "回访量 %jd 低于最低工作量 %jd，共减 %s 元（N1、Q6）",
		    (intmax_t)row->called, (intmax_t)row->minimum, pay_text(a, pay->penalty));
}

static void
explain_cuts(
    json_t *lines, const struct pay_policy *p, const struct pay_row *row, const struct pay *pay)
{
	char a[PAY_TEXT];

	if (pay->base > 0)
		say(lines, "标准 × 报到 %jd 人 = %s 元", (intmax_t)row->rate.registered,
		    pay_text(a, pay->total));
	if (row->wrong_withdrawal)
		say(lines, "误退或材料不全造成严重影响，按 50%% 发（N3）");
	if (row->deduction > 0)
		say(lines, "扣发 %d%%（N5、Q18：按%s计）%s", row->deduction,
		    p->n5 == PAY_N5_OF_TOTAL ? "原来的总额" : "扣后仍应发的",
		    row->deduction < 20 ? "；方案规定的幅度是 20% 至 100%，请核对" : "");
	say(lines, "应发 %s 元（最后一次四舍五入到分）", pay_text(a, pay->amount));
}

/* Every reading that a question has; what gives the same fen is not said. */
static const struct {
	size_t at; /* in pay_policy */
	int value;
	const char *zh;
} readings[] = {
    {offsetof(struct pay_policy, tier), PAY_TIER_LITERAL, "Q1：“>”不含本数，“≥”含本数"},
    {offsetof(struct pay_policy, tier), PAY_TIER_INCLUSIVE, "Q1：各档都含本数"},
    {offsetof(struct pay_policy, tier), PAY_TIER_STRICT, "Q1：各档都不含本数"},
    {offsetof(struct pay_policy, step_in), PAY_STEP_ANY_TIER, "Q2：93% 以下也加发"},
    {offsetof(struct pay_policy, step_in), PAY_STEP_FROM_93, "Q2：93% 以下不加发"},
    {offsetof(struct pay_policy, step), PAY_STEP_NEEDS_MIN, "Q3：达到最低工作量才加发"},
    {offsetof(struct pay_policy, step), PAY_STEP_AUTO, "Q3：不看工作量都加发"},
    {offsetof(struct pay_policy, n2), PAY_N2_ROW, "Q4：不到 93% 也按档发"},
    {offsetof(struct pay_policy, n2), PAY_N2_STRICT93, "Q4：不到 93% 不发"},
    {offsetof(struct pay_policy, n1), PAY_N1_PER_PAID, "Q6：每报到一人减 5 元"},
    {offsetof(struct pay_policy, n1), PAY_N1_PER_SHORT, "Q6：每少打一人减 5 元"},
    {offsetof(struct pay_policy, n1), PAY_N1_PER_CALLED, "Q6：每打过一人减 5 元"},
    {offsetof(struct pay_policy, n5), PAY_N5_OF_PAYABLE, "Q18：按扣后仍应发的扣"},
    {offsetof(struct pay_policy, n5), PAY_N5_OF_TOTAL, "Q18：按原来的总额扣"},
};

static void
explain_other_readings(
    json_t *lines, const struct pay_policy *p, const struct pay_row *row, const struct pay *pay)
{
	char a[PAY_TEXT];

	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		struct pay_policy other = *p;
		int64_t fen;

		memcpy((char *)&other + readings[i].at, &readings[i].value, sizeof(int));
		fen = pay_of(&other, row).amount;
		if (fen != pay->amount)
			say(lines, "另一种读法（%s）：%s 元", readings[i].zh, pay_text(a, fen));
	}
}

/* What one more brings; if that is nothing, how many more bring something. */
static void
explain_one_more(json_t *lines, const struct pay_policy *p, const struct pay_row *row)
{
	struct pay_row more = *row;
	char a[PAY_TEXT];
	int64_t fen = pay_one_more(p, row), was = pay_of(p, row).amount;

	if (fen > 0) {
		say(lines, "再多报到 1 人 = +%s 元", pay_text(a, fen));
		return;
	}
	while (more.rate.registered < more.rate.admitted && pay_of(p, &more).amount <= was)
		more.rate.registered++;
	fen = pay_of(p, &more).amount - was;
	if (fen > 0)
		say(lines, "再多报到 1 人还不加钱；再多 %jd 人 = +%s 元",
		    (intmax_t)(more.rate.registered - row->rate.registered), pay_text(a, fen));
}

static void
explain_team(json_t *lines, const struct pay_policy *p, const struct pay_team *team,
    const struct pay_row *row, int64_t bonus)
{
	char rate[24], a[PAY_TEXT], b[PAY_TEXT];

	if (!rate_defined(team->pooled)) {
		say(lines, "组长：全组没有录取的人，没有奖励");
		return;
	}
	say(lines,
	    "组长：全组报到 %jd ÷ 录取 %jd = %s%%，93%% 起 1000 元，95%% 起 1500 元（不叠加）",
	    (intmax_t)team->pooled.registered, (intmax_t)team->pooled.admitted,
	    rate_text(rate, team->pooled));
	if (team->differ)
		say(lines,
		    "注意（Q7）：合并计算是 %s 元，按各人报到率平均是 %s 元，两种读法落在 93%% 或 "
		    "95%% 的两边",
		    pay_text(a, team->by_pooled), pay_text(b, team->by_mean));
	say(lines, "组长奖励 %s 元（Q7：%s%s）", pay_text(a, bonus),
	    p->team_rate == PAY_TEAM_MEAN ? "各人平均" : "合并计算",
	    row->wrong_withdrawal || row->deduction > 0 ? "；N3、N5 同样适用" : "");
}

json_t *
pay_json(const struct pay_policy *p, const char *person, const struct pay_row *row,
    const struct pay_team *team)
{
	struct pay pay = pay_of(p, row);
	int64_t bonus = pay_bonus(p, team, row);
	char rate[24], standard[PAY_TEXT], amount[PAY_TEXT], extra[PAY_TEXT];
	json_t *lines = json_array();

	explain_standard(lines, row, &pay);
	explain_minimum(lines, p, row, &pay);
	explain_cuts(lines, p, row, &pay);
	explain_other_readings(lines, p, row, &pay);
	explain_one_more(lines, p, row);
	if (row->leader)
		explain_team(lines, p, team, row, bonus);
	rate_text(rate, row->rate);
	return json_pack("{s:s s:s? s:s s:s s:s s:o}", "person", person, "rate",
	    rate[0] != '\0' ? rate : NULL, "standard", pay_text(standard, pay.standard), "pay",
	    pay_text(amount, pay.amount), "leader_bonus", pay_text(extra, bonus), "explain", lines);
}
