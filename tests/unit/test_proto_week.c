/* test_proto_week.c - the hours of a week as people write them: what is read, what is refused and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/week.h"

static void
spans_come_out_rising(void **state)
{
	struct week w;

	(void)state;
	assert_int_equal(
	    week_parse(&w, span_str("sat 09:00-11:30, mon-tue 18:00-21:00 12:00-13:00"), NULL), 0);
	assert_int_equal(w.n, 5);
	assert_int_equal(w.at[0].day, 0);
	assert_int_equal(w.at[0].from, 12 * 60);
	assert_int_equal(w.at[1].from, 18 * 60);
	assert_int_equal(w.at[4].day, 5);
	assert_int_equal(w.at[4].until, 11 * 60 + 30);
	assert_int_equal(week_parse(&w, span_str(""), NULL), 0);
	assert_int_equal(w.n, 0);
}

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {{"monday 09:00-10:00", "“monday”"}, {"mon", "mon 后面没有时间"},
	    {"fri-mon 09:00-10:00", "“fri-mon”"}, {"mon 9-10", "“9-10”"},
	    {"mon 10:00-09:00", "从早到晚"}, {"mon 23:00-24:30", "从早到晚"},
	    {"mon 09:00-10:00, ", "不是星期几"}, {"mon 09:00-10:00\ntue 09:00-10:00", "一行"},
	    {"mon-sun 01:00-02:00 02:00-03:00 03:00-04:00 04:00-05:00 05:00-06:00 06:00-07:00 "
	     "07:00-08:00",
	        "最多 42 段"}};
	struct week w = {.n = 9};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(week_parse(&w, span_str(rows[i].text), &err), -1);
		if (strstr(err.text, rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(w.n, 9);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spans_come_out_rising),
	    cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
