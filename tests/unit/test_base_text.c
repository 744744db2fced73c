/* Strict conversions: the whole string or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "base/uuid.h"

static void
hex_is_exact(void **state)
{
	uint8_t out[3] = {9, 9, 9};
	char text[7];

	(void)state;
	assert_true(hex_decode(out, 3, "00fFA5", 6));
	assert_memory_equal(out, "\x00\xff\xa5", 3);
	hex_encode(text, out, 3);
	assert_string_equal(text, "00ffa5");
	assert_false(hex_decode(out, 3, "00ffa", 5));
	assert_false(hex_decode(out, 3, "00ffa50", 7));
	assert_false(hex_decode(out, 3, "00ffag", 6));
	assert_memory_equal(out, "\x00\xff\xa5", 3);
}

static void
numbers_are_whole_strings_that_fit(void **state)
{
	static const char *const bad[] = {"", "+1", " 1", "1 ", "0x1", "-", "--1", "-0",
	    "9223372036854775808", "-9223372036854775809", "1.0", "1e3"};
	uint64_t u = 0;
	int64_t i = 5;

	(void)state;
	assert_true(text_to_u64("18446744073709551615", 20, &u) && u == UINT64_MAX);
	assert_false(text_to_u64("18446744073709551616", 20, &u));
	assert_false(text_to_u64("-1", 2, &u));
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		assert_false(text_to_i64(bad[n], strlen(bad[n]), &i));
	assert_true(i == 5);
	assert_true(text_to_i64("-9223372036854775808", 20, &i) && i == INT64_MIN);
	assert_true(text_to_i64("9223372036854775807", 19, &i) && i == INT64_MAX);
	assert_true(text_to_i64("0012x", 4, &i) && i == 12);
}

static void
utf8_refuses_what_rfc_3629_refuses(void **state)
{
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf",
	    "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe5\x9b",
	    "a\xff", "\xc3(", "\xe5(\x9e"};
	static const char good[] =
	    "a\xc2\xa2\xe5\x9b\x9e\xed\x9f\xbf\xf0\xa0\xae\xb7\xf4\x8f\xbf\xbf";

	(void)state;
	assert_true(utf8_valid((const uint8_t *)good, sizeof(good) - 1));
	assert_true(utf8_valid((const uint8_t *)"", 0));
	assert_false(utf8_valid((const uint8_t *)"a\0b", 3));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid((const uint8_t *)bad[i], strlen(bad[i])));
}

static void
ids_are_plain_words(void **state)
{
	(void)state;
	assert_true(text_is_id("a", 1));
	assert_true(text_is_id("2026-fall_b", 11));
	assert_true(text_is_id("abcdefghijklmnopqrstuvwxyz012345", 32));
	assert_false(text_is_id("abcdefghijklmnopqrstuvwxyz0123456", 33));
	assert_false(text_is_id("", 0));
	assert_false(text_is_id("-a", 2));
	assert_false(text_is_id("A", 1));
	assert_false(text_is_id("a:b", 3));
}

static void
uuids_are_version_7_and_sort_by_age(void **state)
{
	uint8_t a[16], b[16], back[16];
	char text[37];

	(void)state;
	uuid7(a);
	uuid7(b);
	assert_int_equal(a[6] >> 4, 7);
	assert_int_equal(a[8] >> 6, 2);
	assert_true(memcmp(a, b, 6) <= 0);
	assert_true(memcmp(a, b, 16) != 0);
	uuid_text(text, a);
	assert_int_equal(strlen(text), 36);
	assert_true(uuid_parse(back, text));
	assert_memory_equal(a, back, 16);
	assert_true(uuid_parse(back, "01890A5D-AC96-774B-BCCE-B302099A8057"));
	assert_false(uuid_parse(back, "01890a5dac96774bbcceb302099a8057"));
	assert_false(uuid_parse(back, "01890a5d-ac96-774b-bcce-b302099a805"));
	assert_false(uuid_parse(back, "01890a5d-ac96-774b-bcce-b302099a80577"));
	assert_false(uuid_parse(back, "01890a5d-ac96-774b-bcce-b302099a805g"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex_is_exact),
	    cmocka_unit_test(numbers_are_whole_strings_that_fit),
	    cmocka_unit_test(utf8_refuses_what_rfc_3629_refuses),
	    cmocka_unit_test(ids_are_plain_words),
	    cmocka_unit_test(uuids_are_version_7_and_sort_by_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
