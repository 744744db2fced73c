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

/* N4: ties are all listed; an undefined rate is nobody's last. */
static void
the_last_three_with_their_ties(void **state)
{
	static const struct {
		struct rate rates[7];
		unsigned last; /* bit i: listed */
	} rows[] = {
	    {{{9, 10}, {8, 10}, {7, 10}, {6, 10}, {5, 10}, {4, 10}, {3, 10}}, 0x70},
	    {{{9, 10}, {80, 100}, {8, 10}, {4, 5}, {5, 10}, {4, 10}, {10, 10}},
	        0x3e}, /* 80 % three times, the third-lowest */
	    {{{9, 10}, {9, 10}, {9, 10}, {9, 10}, {9, 10}, {9, 10}, {9, 10}}, 0x7f},
	    {{{0, 0}, {0, 0}, {9, 10}, {1, 10}, {2, 10}, {3, 10}, {0, 0}}, 0x38},
	    {{{0, 0}, {0, 0}, {9, 10}, {1, 10}, {0, 0}, {3, 10}, {0, 0}},
	        0}, /* of three, all would be the last three */
	    {{{928, 1000}, {929, 1000}, {93, 100}, {13, 14}, {1, 1}, {1, 1}, {1, 1}}, 0x0b},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		bool last[7];
		unsigned got = 0;

		rate_last_three(rows[r].rates, 7, last);
		for (unsigned i = 0; i < 7; i++)
			got |= last[i] ? 1U << i : 0;
		assert_int_equal(got, rows[r].last);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_three_with_their_ties),
	    cmocka_unit_test(a_rate_is_cut_and_never_rounded),
	    cmocka_unit_test(exactly_the_task_has_reached_it),
	    cmocka_unit_test(what_is_missing_is_the_next_whole_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
