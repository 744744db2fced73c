/* test_supplement.c - differences of pay sheets in fen, and amounts that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workers/reconciliation/supplement.h"

static void
amounts_read_and_write_the_same(void **state)
{
	static const char *const good[] = {"0.00", "1633.50", "-536.50", "-0.01", "9999999999.99"};
	static const char *const bad[] = {"", "-", "1", "1.5", "1.505", ".50", "1,00", "1.-5",
	    "99999999999999999999.00", "1.00 "};
	char text[SUPPLEMENT_TEXT];
	int ok;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t fen = supplement_fen(good[i], &ok);

		assert_int_equal(ok, 1);
		assert_string_equal(supplement_text(text, fen), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)supplement_fen(bad[i], &ok);
		assert_int_equal(ok, 0);
	}
	(void)supplement_fen(NULL, &ok);
	assert_int_equal(ok, 0);
}

static json_t *
row(const char *person, const char *pay, const char *bonus)
{
	return json_pack(
	    "{s:s s:s s:s s:s}", "person", person, "team", "t1", "pay", pay, "leader_bonus", bonus);
}

static json_t *
sheet(json_t *a, json_t *b)
{
	json_t *rows = json_array();

	json_array_append_new(rows, a);
	if (b != NULL)
		json_array_append_new(rows, b);
	return json_pack("{s:o}", "rows", rows);
}

static const char *
says(const json_t *rows, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(rows, i), key));
}

static void
only_differences_and_the_sum_of_what_was(void **state)
{
	json_t *closed = json_array(), *now, *rows;

	(void)state;
	json_array_append_new(
	    closed, sheet(row("a", "2170.00", "1000.00"), row("b", "0.10", "0.00")));
	json_array_append_new(closed, json_pack("{s:[{s:s s:s s:s}]}", "rows", "person", "a",
	                                  "pay_difference", "-536.50", "bonus_difference", "0.00"));
	now = sheet(row("a", "1633.50", "1000.00"), row("b", "0.30", "0.00"));
	rows = supplement_rows(closed, now);
	assert_int_equal(json_array_size(rows), 1); /* a is what the supplement made of it */
	assert_string_equal(says(rows, 0, "person"), "b");
	assert_string_equal(says(rows, 0, "pay_difference"), "0.20");
	json_decref(rows);
	json_decref(now);
	/* who is gone is paid back, who is new had nothing */
	now = sheet(row("c", "5.00", "0.00"), NULL);
	rows = supplement_rows(closed, now);
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(says(rows, 0, "person"), "c");
	assert_string_equal(says(rows, 0, "pay_was"), "0.00");
	assert_string_equal(says(rows, 1, "person"), "a");
	assert_string_equal(says(rows, 1, "pay_difference"), "-1633.50");
	assert_string_equal(says(rows, 1, "bonus_difference"), "-1000.00");
	json_decref(rows);
	json_decref(now);
	json_decref(closed);
}

static void
an_amount_that_does_not_read_is_no_zero(void **state)
{
	json_t *closed = json_array(), *now = sheet(row("a", "1.00", "0.00"), NULL);

	(void)state;
	json_array_append_new(closed, sheet(row("a", "1", "0.00"), NULL));
	assert_null(supplement_rows(closed, now));
	json_decref(now);
	json_decref(closed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(amounts_read_and_write_the_same),
	    cmocka_unit_test(only_differences_and_the_sum_of_what_was),
	    cmocka_unit_test(an_amount_that_does_not_read_is_no_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
