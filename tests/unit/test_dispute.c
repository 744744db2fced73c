/* test_dispute.c - the term of a dispute, at its last and next millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/reconciliation/dispute.h"

#define MONDAY 1773018000000LL /* 2026-03-09 09:00 in Shanghai */
#define HOUR   3600000LL
#define DAY    (24 * HOUR)

static void
terms(void **state)
{
	static const struct {
		int64_t closed_at;
		const char *imported;
		int64_t until;
	} rows[] = {
	    {MONDAY, "", MONDAY + 7 * DAY + 15 * HOUR - 1},
	    {MONDAY - 9 * HOUR, "", MONDAY + 7 * DAY + 15 * HOUR - 1},      /* 0:00 */
	    {MONDAY + 15 * HOUR - 1, "", MONDAY + 7 * DAY + 15 * HOUR - 1}, /* 23:59:59.999 */
	    {MONDAY + 15 * HOUR, "", MONDAY + 8 * DAY + 15 * HOUR - 1},     /* Tuesday */
	    {MONDAY, "day | 2026-03-12 | holiday | x\n", MONDAY + 8 * DAY + 15 * HOUR - 1},
	    {MONDAY, "day | 2026-03-16 | holiday | x\n", MONDAY + 8 * DAY + 15 * HOUR - 1},
	    {MONDAY, "day | 2026-03-17 | holiday | x\n", MONDAY + 7 * DAY + 15 * HOUR - 1},
	};
	static struct weekdays w;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(weekdays_read(&w, WEEKDAYS_WORKING, span_str(""),
		                     span_str(rows[i].imported), &err),
		    0);
		assert_int_equal(dispute_until(&w, rows[i].closed_at), rows[i].until);
	}
	assert_int_equal(weekdays_read(&w, WEEKDAYS_WORKING, span_str("days | working | none\n"),
	                     span_str(""), &err),
	    0);
	assert_true(dispute_until(&w, MONDAY) == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(terms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
