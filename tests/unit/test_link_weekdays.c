/* test_link_weekdays.c - the week, days off and make-up days, and the end of a term of working days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workers/link/weekdays.h"

static int32_t
date(const char *text)
{
	int32_t day = 0;

	assert_true(days_date(span_str(text), &day));
	return day;
}

static void
read(struct weekdays *w, enum weekdays_of of, const char *policy, const char *imported)
{
	struct err err = ERR_INIT;

	assert_int_equal(weekdays_read(w, of, span_str(policy), span_str(imported), &err), 0);
}

/* Five working days after a Monday, by what lies in between. */
static void
terms(void **state)
{
	static const struct {
		const char *policy, *imported, *from, *end;
	} rows[] = {
	    {"", "", "2026-03-09", "2026-03-16"}, /* Monday to Monday */
	    {"", "", "2026-03-13", "2026-03-20"}, /* from a Friday */
	    {"", "", "2026-03-14", "2026-03-20"}, /* from a Saturday: Monday is the first */
	    {"", "day | 2026-03-12 | holiday | x\n", "2026-03-09", "2026-03-17"},
	    {"day | 2026-03-12 | holiday | x\n", "", "2026-03-09", "2026-03-17"},
	    {"day | 2026-03-12 | holiday | x\n", "day | 2026-03-12 | workday | x\n", "2026-03-09",
	        "2026-03-16"}, /* imported wins */
	    {"", "day | 2026-03-14 | workday | x\n", "2026-03-09", "2026-03-14"}, /* made up for */
	    {"", "day | 2026-03-12 | calling | x\n", "2026-03-09",
	        "2026-03-17"}, /* off, and yet calls */
	    {"", "day | 2026-03-09 | holiday | x\n", "2026-03-09",
	        "2026-03-16"}, /* the day itself */
	    {"days  | working | mon-sat   | x\n", "", "2026-03-09", "2026-03-14"},
	    {"days | working | 周一-周五\n", "", "2026-03-09", "2026-03-16"},
	    {"days | calling | mon\n", "", "2026-03-09", "2026-03-16"}, /* another week */
	};
	static struct weekdays w;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[DAYS_DATE];

		read(&w, WEEKDAYS_WORKING, rows[i].policy, rows[i].imported);
		days_date_text(got, weekdays_after(&w, date(rows[i].from), 5));
		if (strcmp(got, rows[i].end) != 0)
			fail_msg("row %zu: %s instead of %s", i, got, rows[i].end);
	}
}

static void
calling_days(void **state)
{
	static struct weekdays w;

	(void)state;
	read(&w, WEEKDAYS_CALLING, "",
	    "day | 2026-03-12 | calling | x\nday | 2026-03-13 | holiday | x\n");
	assert_true(weekdays_is(&w, date("2026-03-12")));
	assert_false(weekdays_is(&w, date("2026-03-13")));
	assert_true(weekdays_is(&w, date("2026-03-14")));
	read(&w, WEEKDAYS_CALLING, "days | calling | fri-mon\n", "");
	assert_true(weekdays_is(&w, date("2026-03-15")));
	assert_false(weekdays_is(&w, date("2026-03-10")));
	read(&w, WEEKDAYS_CALLING, "days | calling | never\n", "");
	assert_int_equal(weekdays_after(&w, date("2026-03-10"), 1), 0);
}

static void
days_of_shanghai(void **state)
{
	(void)state;
	assert_int_equal(weekdays_day(weekdays_begin(date("2026-03-10")) - 1), date("2026-03-09"));
	assert_int_equal(weekdays_day(weekdays_begin(date("2026-03-10"))), date("2026-03-10"));
	assert_int_equal(weekdays_begin(date("2026-03-09")), 1773018000000 - 9 * 3600000LL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(terms),
	    cmocka_unit_test(calling_days),
	    cmocka_unit_test(days_of_shanghai),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
