/* One cell, its numbers, and what was done to get them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/import/phone.h"

/* numbers: the digits, separated by blanks. */
static void
expect(const char *cell, const char *numbers, unsigned changes)
{
	struct phone_list list;
	struct buf got = BUF_INIT;

	assert_int_equal(phone_parse(span_str(cell), &list), PHONE_OK);
	buf_adds(&got, "");
	for (size_t i = 0; i < list.n; i++)
		buf_addf(&got, "%s%s", i > 0 ? " " : "", list.phones[i].digits);
	assert_string_equal((char *)got.data, numbers);
	assert_int_equal(list.changes, changes);
	buf_done(&got);
}

static void
refused(const char *cell, enum phone_verdict verdict)
{
	struct phone_list list;

	assert_int_equal(phone_parse(span_str(cell), &list), verdict);
}

static void
mobiles_and_landlines_are_kept(void **state)
{
	(void)state;
	expect("", "", 0);
	expect("19900000001", "19900000001", 0);
	expect("13000000001", "13000000001", 0);
	expect("03405551234", "03405551234", 0);
	expect("034055512345", "034055512345", 0);
	expect("02955512345", "02955512345", 0);
	expect("01055512345", "01055512345", 0);
}

static void
spacing_goes(void **state)
{
	(void)state;
	expect("199 0000 0001", "19900000001", PHONE_SPACING);
	expect("199-0000-0001", "19900000001", PHONE_SPACING);
	expect("0340-5551234", "03405551234", PHONE_SPACING);
	expect("(0340)555 1234", "03405551234", PHONE_SPACING);
	expect("0340—5551234", "03405551234", PHONE_SPACING);
}

static void
country_and_trunk_prefixes_go(void **state)
{
	(void)state;
	expect("+8619900000001", "19900000001", PHONE_COUNTRY);
	expect("008619900000001", "19900000001", PHONE_COUNTRY);
	expect("8619900000001", "19900000001", PHONE_COUNTRY);
	expect("+86 199 0000 0001", "19900000001", PHONE_COUNTRY | PHONE_SPACING);
	expect("+86-0340-5551234", "03405551234", PHONE_COUNTRY | PHONE_SPACING);
	expect("019900000001", "19900000001", PHONE_TRUNK);
	expect("+86019900000001", "19900000001", PHONE_COUNTRY | PHONE_TRUNK);
}

static void
several_numbers_are_split(void **state)
{
	static const char *const marks[] = {"/", "、", ";", ",", "|", "或", "，", "；"};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct buf cell = BUF_INIT;

		buf_addf(&cell, "19900000001%s0340-5551234", marks[i]);
		expect((char *)cell.data, "19900000001 03405551234", PHONE_SPLIT | PHONE_SPACING);
		buf_done(&cell);
	}
	expect("19900000001 19900000002", "19900000001 19900000002", PHONE_SPLIT | PHONE_SPACING);
	expect("199 0000 0001 0340 555 1234 19900000002", "19900000001 03405551234 19900000002",
	    PHONE_SPLIT | PHONE_SPACING);
	expect("19900000001-19900000002", "19900000001 19900000002", PHONE_SPLIT | PHONE_SPACING);
	expect("19900000001+8619900000002", "19900000001 19900000002", PHONE_SPLIT | PHONE_COUNTRY);
	expect("19900000001、、", "19900000001", 0);
}

static void
wrong_numbers_are_refused(void **state)
{
	(void)state;
	refused("1990000001", PHONE_LENGTH);
	refused("199000000012", PHONE_LENGTH);
	refused("12900000001", PHONE_LENGTH);
	refused("1990000000119900000002", PHONE_LENGTH);
	refused("0340555123", PHONE_LENGTH);
	refused("0291234567", PHONE_LENGTH);
	refused("19900000001 123", PHONE_LENGTH);
	refused("+119900000001", PHONE_LENGTH);
	refused("5551234", PHONE_AREA);
	refused("55512345", PHONE_AREA);
	refused("19900000001转2", PHONE_CHAR);
	refused("父亲19900000001", PHONE_CHAR);
	refused("199****0001", PHONE_CHAR);
	refused("19900000001+", PHONE_CHAR);
	refused("++8619900000001", PHONE_CHAR);
	refused("-", PHONE_CHAR);
	refused("19900000001/19900000002/19900000003/19900000004/19900000005/19900000006/"
	        "19900000007/19900000008/19900000009",
	    PHONE_MANY);
	refused("1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9", PHONE_MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mobiles_and_landlines_are_kept),
	    cmocka_unit_test(spacing_goes),
	    cmocka_unit_test(country_and_trunk_prefixes_go),
	    cmocka_unit_test(several_numbers_are_split),
	    cmocka_unit_test(wrong_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
