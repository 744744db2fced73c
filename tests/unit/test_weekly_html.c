/* test_weekly_html.c - the printed weekly sheet: who stands where, and that no name becomes markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workers/reconciliation/weekly_html.h"

static json_t *
row(const char *team, const char *who, int missing)
{
	return json_pack("{s:s s:s s:i s:n s:i}", "小组", team, "人员", who, "个案", 10, "报到率%",
	    "还差93%", missing);
}

static json_t *
report(void)
{
	return json_pack("{s:s s:s s:[s s s s s] s:[o o o o o o]}", "title", "回访周报", "note",
	    "2026-03-09 至 2026-03-15 <b>&\"", "columns", "小组", "人员", "个案", "报到率%",
	    "还差93%", "rows", row("t1", "全组", 1), row("t1", "p<script>01", 1),
	    row("t2", "全组", 3), row("t2", "p02", 3), row("", "(还没有人)", 0),
	    row("合计", "", 4));
}

static const char *
text_of(struct buf *out)
{
	buf_addc(out, '\0');
	return (const char *)out->data;
}

static void
all_pages(void **state)
{
	struct buf out = BUF_INIT;
	json_t *r = report();
	const char *text, *at, *teams;

	(void)state;
	assert_true(weekly_html(&out, r, NULL));
	text = text_of(&out);
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "<b>&"));
	assert_null(strstr(text, "http"));
	assert_non_null(strstr(text, "p&lt;script&gt;01"));
	assert_non_null(strstr(text, "&lt;b&gt;&amp;&quot;"));
	assert_non_null(strstr(text, "size: A4 landscape"));
	/* the head's page: the team that misses most first, the sum last; then a page a team */
	teams = strstr(text, "<tbody>");
	at = strstr(teams, "t2</td>");
	assert_non_null(at);
	at = strstr(at, "t1</td>");
	assert_non_null(at);
	at = strstr(at, "(还没有人)");
	assert_non_null(at);
	at = strstr(at, "<tr class=\"sum\"><td class=\"t\">合计");
	assert_non_null(at);
	at = strstr(at, "回访周报 · t1</h1>");
	assert_non_null(at);
	at = strstr(at, "回访周报 · t2</h1>");
	assert_non_null(at);
	assert_non_null(strstr(at, "组长签字"));
	json_decref(r);
	buf_done(&out);
}

static void
one_team(void **state)
{
	struct buf out = BUF_INIT;
	json_t *r = report();

	(void)state;
	assert_true(weekly_html(&out, r, "t2"));
	assert_null(strstr(text_of(&out), "t1"));
	buf_clear(&out);
	assert_false(weekly_html(&out, r, "t9"));
	json_decref(r);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_pages),
	    cmocka_unit_test(one_team),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
