/* test_rate.c - rates at their edges, in integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "workers/reconciliation/rate.h"

static void
a_rate_is_cut_and_never_rounded(void **state)
{
	static const struct {
		int64_t registered, admitted;
		const char *text;
	} rows[] = {{30, 30, "100.000"}, {95, 96, "98.958"}, {50, 51, "98.039"}, {29, 30, "96.666"},
	    {27, 29, "93.103"}, {26, 29, "89.655"}, {0, 5, "0.000"}, {0, 0, ""},
	    {1333, 1403, "95.010"}, {1305, 1403, "93.014"}};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    rate_text(text, (struct rate){rows[i].registered, rows[i].admitted}),
		    rows[i].text);
}

static void
exactly_the_task_has_reached_it(void **state)
{
	(void)state;
	assert_true(rate_reaches((struct rate){93, 100}, 93));
	assert_false(rate_reaches((struct rate){929, 1000}, 93));
	assert_true(rate_reaches((struct rate){1305, 1403}, 93));
	assert_false(rate_reaches((struct rate){1304, 1403}, 93));
	assert_true(rate_reaches((struct rate){1333, 1403}, 95));
	assert_false(rate_reaches((struct rate){1332, 1403}, 95));
	assert_false(rate_reaches((struct rate){0, 0}, 0));
	/* where binary floating point gives one step too few */
	assert_int_equal(rate_permille((struct rate){47, 50}), 940);
	assert_int_equal(rate_permille((struct rate){118, 125}), 944);
}

static void
what_is_missing_is_the_next_whole_person(void **state)
{
	(void)state;
	assert_int_equal(rate_missing((struct rate){1300, 1403}, 93), 5);
	assert_int_equal(rate_missing((struct rate){1305, 1403}, 93), 0);
	assert_int_equal(rate_missing((struct rate){0, 1}, 93), 1);
	assert_int_equal(rate_missing((struct rate){0, 0}, 93), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_is_cut_and_never_rounded),
	    cmocka_unit_test(exactly_the_task_has_reached_it),
	    cmocka_unit_test(what_is_missing_is_the_next_whole_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
