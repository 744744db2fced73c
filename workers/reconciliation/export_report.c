/* export_report.c - the daily battle report (also as text to paste) and the weekly sheet for leaders and the callback
 * head, ready to print.
 *
 * Teams stand in the order of what is still to be done, never by rate: before the list is frozen that would reward
 * talking people out (practice.md 14). Days and weeks are the campaign's, by the row of the ledger that is shown.
 * Failures: PostgreSQL's, told outward; a day that is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "workers/reconciliation/export.h"
#include "workers/reconciliation/rate.h"

#define DAY_MS 86400000LL

static int64_t
midnight(int64_t at)
{
	struct civil c = clock_civil(at);

	c.hour = c.minute = c.second = 0;
	return clock_from_civil(c);
}

static void
day_text(char out[16], int64_t at)
{
	struct civil c = clock_civil(at);

	(void)snprintf(out, 16, "%04u-%02u-%02u", (unsigned)c.year % 10000, (unsigned)c.month % 100,
	    (unsigned)c.day % 100);
}

/* --day, else the day of the row that is shown. */
static int
find_day(const struct export *x, int64_t *ret, struct err *err)
{
	char text[32];

	*ret = midnight(x->as_of_at);
	if (x->day == NULL)
		return 0;
	(void)snprintf(text, sizeof(text), "%.20s 00:00", x->day);
	if (!clock_parse(text, ret))
		return err_set(err, ERR_INVALID, "--day 要 2026-03-09 这样的日子");
	return 0;
}

/* ---- daily ---- */

static const struct page_column daily[] = {{"小组", PAGE_TEXT, 12, 0}, {"个案", PAGE_COUNT, 8, 0},
    {"今日拨打", PAGE_COUNT, 10, 0}, {"今日联系", PAGE_COUNT, 10, 0}, {"已打", PAGE_COUNT, 8, 0},
    {"没打过", PAGE_COUNT, 8, 0}, {"确认", PAGE_COUNT, 8, 0}, {"考虑", PAGE_COUNT, 8, 0},
    {"退档", PAGE_COUNT, 8, 0}, {"联系不上", PAGE_COUNT, 10, 0}, {"还需", PAGE_COUNT, 8, 0}};
#define DAILY (sizeof(daily) / sizeof(daily[0]))

/* Calls of a day belong to the team of the case's owner, as the rest of the row does. */
static const char daily_sql[] =
    "WITH f AS (SELECT case_ref, coalesce(team, '') AS team, attempts, last_outcome, "
    "withdrawn, unreachable FROM hf.figures_then($1, $2, $3) WHERE lane <> 'unreleased'), "
    "d AS (SELECT case_ref, count(*) AS calls, count(*) FILTER (WHERE spoke IN "
    "('self', 'father', 'mother', 'parent', 'guardian')) AS talks FROM hf.v_contact "
    "WHERE campaign = $1 AND no <= $2 AND campaign_at >= $4 "
    "AND campaign_at < $4 + 86400000 GROUP BY case_ref), "
    "r AS (SELECT f.team, grouping(f.team) AS is_sum, count(*) AS cases, "
    "coalesce(sum(d.calls), 0)::bigint AS calls, "
    "coalesce(sum(d.talks), 0)::bigint AS talks, "
    "count(*) FILTER (WHERE f.attempts > 0) AS tried, "
    "count(*) FILTER (WHERE f.attempts = 0) AS untried, "
    "count(*) FILTER (WHERE f.last_outcome = 'confirmed') AS confirmed, "
    "count(*) FILTER (WHERE f.last_outcome IN ('considering', 'will-not-say')) "
    "AS considering, count(*) FILTER (WHERE f.withdrawn) AS withdrawn, "
    "count(*) FILTER (WHERE f.unreachable) AS unreachable "
    "FROM f LEFT JOIN d USING (case_ref) GROUP BY GROUPING SETS ((f.team), ())) "
    "SELECT CASE WHEN is_sum = 1 THEN '合计' WHEN team = '' THEN '(还没有人)' "
    "ELSE team END, cases, calls, talks, tried, untried, confirmed, considering, "
    "withdrawn, unreachable, cases - confirmed - withdrawn AS need "
    "FROM r ORDER BY is_sum, r.team = '', need DESC, r.team";

static void
add_line(struct buf *text, const struct pg_result *r, int i)
{
	static const char *const words[] = {"个案", "今日拨打", "今日联系", "已打", "没打过",
	    "确认", "考虑", "退档", "联系不上", "还需"};
	struct span team = pg_get(r, i, 0);

	if (i + 1 < pg_rows(r))
		buf_addf(text, "%d. ", i + 1);
	buf_addf(text, "%.*s:", (int)team.len, (const char *)team.data);
	for (int c = 1; c < (int)DAILY; c++)
		buf_addf(text, " %s%.*s", words[c - 1], (int)pg_get(r, i, c).len,
		    (const char *)pg_get(r, i, c).data);
	buf_adds(text, "\n");
}

int
export_daily(struct export *x, struct err *err)
{
	struct pg_param v[4] = {pg_text(x->campaign), pg_i64(x->ledger_no), pg_i64(x->as_of_until)};
	struct buf text = BUF_INIT;
	struct pg_result *r;
	struct page p;
	int64_t day;
	char when[16], until[32];
	int got;

	if (find_day(x, &day, err) != 0)
		return -1;
	v[3] = pg_i64(day);
	if (pg_exec(x->pg, daily_sql, v, 4, &r, err) != 0)
		return -1;
	page_init(&p, "daily", "战报", daily, DAILY);
	day_text(when, day);
	clock_text(until, x->as_of_at);
	p.made_wall = x->as_of_wall;
	p.title = "回访战报";
	(void)snprintf(p.note, sizeof(p.note),
	    "%s; 截至 %s, 账本第 %jd 条; 按还需排序 (个案 - 确认 - 退档)", when, until,
	    (intmax_t)x->ledger_no);
	buf_addf(&text, "【回访战报】%s\n", p.note);
	for (int i = 0; i < pg_rows(r); i++) {
		for (int c = 0; c < (int)DAILY; c++)
			page_cell(&p, pg_get(r, i, c));
		add_line(&text, r, i);
	}
	pg_free(r);
	got = export_page(x, &p, err);
	if (got == 0)
		got = export_text(x, "daily.txt", buf_span(&text), err);
	page_done(&p);
	buf_done(&text);
	return got;
}

/* ---- weekly ---- */

static const struct page_column weekly[] = {{"小组", PAGE_TEXT, 10, 0}, {"人员", PAGE_TEXT, 10, 0},
    {"本周拨打", PAGE_COUNT, 9, 0}, {"本周联系", PAGE_COUNT, 9, 0}, {"本周分钟", PAGE_COUNT, 9, 0},
    {"本周确认", PAGE_COUNT, 9, 0}, {"个案", PAGE_COUNT, 7, 0}, {"已打", PAGE_COUNT, 7, 0},
    {"确认", PAGE_COUNT, 7, 0}, {"考虑", PAGE_COUNT, 7, 0}, {"联系不上", PAGE_COUNT, 9, 0},
    {"退档", PAGE_COUNT, 7, 0}, {"录取", PAGE_COUNT, 7, 0}, {"报到", PAGE_COUNT, 7, 0},
    {"报到率%", PAGE_TEXT, 9, 0}, {"还差93%", PAGE_COUNT, 9, 0}, {"还差95%", PAGE_COUNT, 9, 0}};
#define WEEKLY      (sizeof(weekly) / sizeof(weekly[0]))
#define WEEKLY_READ 14 /* columns that come as they are */

static const char weekly_sql[] =
    "WITH w AS (SELECT person, count(*) AS calls, count(*) FILTER (WHERE spoke IN "
    "('self', 'father', 'mother', 'parent', 'guardian')) AS talks, "
    "sum(coalesce(seconds, 0)) AS seconds, "
    "count(*) FILTER (WHERE outcome = 'confirmed') AS newly FROM hf.v_contact "
    "WHERE campaign = $1 AND no <= $2 AND campaign_at >= $4 "
    "AND campaign_at < $4 + 604800000 GROUP BY person), "
    "o AS (SELECT coalesce(owner, '') AS person, count(*) AS cases, "
    "count(*) FILTER (WHERE attempts > 0) AS tried, "
    "count(*) FILTER (WHERE last_outcome = 'confirmed') AS confirmed, "
    "count(*) FILTER (WHERE last_outcome IN ('considering', 'will-not-say')) "
    "AS considering, count(*) FILTER (WHERE unreachable) AS unreachable, "
    "count(*) FILTER (WHERE withdrawn) AS withdrawn, "
    "count(*) FILTER (WHERE admitted) AS admitted, "
    "count(*) FILTER (WHERE registered) AS registered "
    "FROM hf.figures_then($1, $2, $3) WHERE lane <> 'unreleased' GROUP BY 1), "
    "who AS (SELECT person FROM hf.person WHERE campaign = $1 AND roles & 31 <> 0 "
    "UNION SELECT person FROM w UNION SELECT person FROM o), "
    "row AS (SELECT coalesce(p.team, '') AS team, CASE who.person WHEN '' "
    "THEN '(还没有人)' ELSE who.person END AS person, w.calls, w.talks, w.seconds, "
    "w.newly, o.cases, o.tried, o.confirmed, o.considering, o.unreachable, "
    "o.withdrawn, o.admitted, o.registered FROM who LEFT JOIN w USING (person) "
    "LEFT JOIN o USING (person) "
    "LEFT JOIN hf.person p ON p.campaign = $1 AND p.person = who.person) "
    "SELECT CASE WHEN grouping(team) = 1 THEN '合计' ELSE team END, "
    "CASE WHEN grouping(team) = 1 THEN '' WHEN grouping(person) = 1 THEN '全组' "
    "ELSE person END, coalesce(sum(calls), 0)::bigint, "
    "coalesce(sum(talks), 0)::bigint, (coalesce(sum(seconds), 0)::bigint / 60), "
    "coalesce(sum(newly), 0)::bigint, coalesce(sum(cases), 0)::bigint, "
    "coalesce(sum(tried), 0)::bigint, coalesce(sum(confirmed), 0)::bigint, "
    "coalesce(sum(considering), 0)::bigint, coalesce(sum(unreachable), 0)::bigint, "
    "coalesce(sum(withdrawn), 0)::bigint, coalesce(sum(admitted), 0)::bigint, "
    "coalesce(sum(registered), 0)::bigint "
    "FROM row GROUP BY GROUPING SETS ((team, person), (team), ()) "
    "HAVING NOT (grouping(team) = 0 AND grouping(person) = 1 AND team = '') "
    "ORDER BY grouping(team), team = '', team, grouping(person) DESC, person";

static void
weekly_row(struct page *p, const struct pg_result *r, int i)
{
	struct rate rate = {pg_get_i64(r, i, 13), pg_get_i64(r, i, 12)};
	char text[24];

	for (int c = 0; c < WEEKLY_READ; c++)
		page_cell(p, pg_get(r, i, c));
	page_str(p, rate_text(text, rate));
	page_int(p, rate_missing(rate, 93));
	page_int(p, rate_missing(rate, 95));
}

int
export_weekly(struct export *x, struct err *err)
{
	struct pg_param v[4] = {pg_text(x->campaign), pg_i64(x->ledger_no), pg_i64(x->as_of_until)};
	struct pg_result *r;
	struct page p;
	int64_t monday;
	char from[16], to[16];
	int got;

	if (find_day(x, &monday, err) != 0)
		return -1;
	monday -= clock_civil(monday).weekday * DAY_MS;
	v[3] = pg_i64(monday);
	if (pg_exec(x->pg, weekly_sql, v, 4, &r, err) != 0)
		return -1;
	day_text(from, monday);
	day_text(to, monday + 6 * DAY_MS);
	page_init(&p, "weekly", "周报", weekly, WEEKLY);
	p.made_wall = x->as_of_wall;
	p.title = "回访周报";
	p.sign = "组长签字: ______________    回访组长签字: ______________    日期: ______________";
	(void)snprintf(p.note, sizeof(p.note),
	    "%s 至 %s; 账本第 %jd 条为止; 本周各栏按谁打的, 其余按归属; 报到率只截不舍入, "
	    "名单冻结前是暂数",
	    from, to, (intmax_t)x->ledger_no);
	for (int i = 0; i < pg_rows(r); i++)
		weekly_row(&p, r, i);
	pg_free(r);
	got = export_page(x, &p, err);
	page_done(&p);
	return got;
}
