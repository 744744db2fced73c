/* The restricted msgpack: one value has one encoding, and everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/codec.h"

#define DEC(literal) dec_open(span_of(literal, sizeof(literal) - 1))

static void
numbers_round_trip_in_their_shortest_form(void **state)
{
	static const struct {
		uint64_t v;
		size_t len;
	} rows[] = {{0, 1}, {1, 1}, {127, 1}, {128, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5},
	    {UINT32_MAX, 5}, {1ULL << 32, 9}, {INT64_MAX, 9}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT;
		struct dec d;

		enc_u(&b, rows[i].v);
		assert_int_equal(b.len, rows[i].len);
		d = dec_open(buf_span(&b));
		assert_true(dec_u(&d) == rows[i].v);
		assert_true(dec_end(&d));
		for (size_t cut = 0; cut < b.len; cut++) {
			d = dec_open(span_of(b.data, cut));
			assert_true(dec_u(&d) == 0);
			assert_false(dec_end(&d));
		}
		buf_done(&b);
	}
}

static void
other_forms_of_a_number_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	    {"\xcc\x7f", 2},                             /* 127 in two bytes */
	    {"\xcd\x00\xff", 3},                         /* 255 in three */
	    {"\xce\x00\x00\xff\xff", 5},                 /* 65535 in five */
	    {"\xcf\x00\x00\x00\x00\xff\xff\xff\xff", 9}, /* 2^32-1 in nine */
	    {"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9}, /* 2^63 */
	    {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9}, /* 2^64-1 */
	    {"\xff", 1},                                 /* -1 */
	    {"\xe0", 1},                                 /* -32 */
	    {"\xd0\x05", 2},                             /* int8 */
	    {"\xd1\x01\x00", 3},                         /* int16 */
	    {"\xd2\x00\x01\x00\x00", 5},                 /* int32 */
	    {"\xd3\x00\x00\x00\x01\x00\x00\x00\x00", 9}, /* int64 */
	    {"\xca\x00\x00\x00\x00", 5},                 /* float */
	    {"\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 9}, /* double */
	    {"\xc2", 1},                                 /* false */
	    {"\xc3", 1},                                 /* true */
	    {"\xc0", 1},                                 /* nil */
	    {"\xc1", 1},                                 /* never used */
	    {"\x80", 1},                                 /* map */
	    {"\xa1"
	     "1",
	        2}, /* text */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dec d = dec_open(span_of(rows[i].bytes, rows[i].len));

		assert_true(dec_u(&d) == 0);
		assert_false(dec_end(&d));
	}
}

static void
what_is_not_spoken_is_never_skipped(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	    {"\x81\x01\x02", 3},
	    {"\xde\x00\x00", 3},
	    {"\xdf\x00\x00\x00\x00", 5}, /* maps */
	    {"\xd4\x01\x00", 3},
	    {"\xc7\x01\x01\x00", 4},
	    {"\xc8\x00\x01\x01\x00", 5}, /* ext */
	    {"\xc9\x00\x00\x00\x00\x01", 6},
	    {"\xd8", 1},
	    {"\xc6\x00\x00\x00\x00", 5}, /* bin 32 */
	    {"\xdb\x00\x00\x00\x00", 5}, /* str 32 */
	    {"\xdd\x00\x00\x00\x00", 5},
	    {"\xdd\x05\xf5\xe1\x00", 5}, /* array 32 */
	    {"\xc2", 1},
	    {"\xc3", 1},
	    {"\xca\x00\x00\x00\x00", 5},
	    {"\xff", 1},
	    {"\xc1", 1},
	    {"\x91\xc3", 2},
	    {"", 0},
	    {"\x92\x01", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dec d = dec_open(span_of(rows[i].bytes, rows[i].len));

		assert_int_equal(dec_skip(&d).len, 0);
		assert_false(dec_end(&d));
	}
}

/* A head of `form` in front of n bytes of filling. */
static void
with_head(struct buf *b, const char *head, size_t head_len, size_t n)
{
	buf_clear(b);
	buf_add(b, head, head_len);
	for (size_t i = 0; i < n; i++)
		buf_addc(b, 'x');
}

static void
longer_forms_of_lengths_are_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct dec d;

	(void)state;
	with_head(&b, "\xc5\x00\xff", 3, 255); /* bin 16 of 255 */
	d = dec_open(buf_span(&b));
	assert_null(dec_b(&d, 1000).data);
	assert_false(dec_end(&d));
	with_head(&b, "\xc5\x01\x00", 3, 256);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_b(&d, 1000).len, 256);
	assert_true(dec_end(&d));
	with_head(&b, "\xd9\x1f", 2, 31); /* str 8 of 31 */
	d = dec_open(buf_span(&b));
	assert_null(dec_s(&d, 1000).data);
	with_head(&b, "\xd9\x20", 2, 32);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_s(&d, 1000).len, 32);
	with_head(&b, "\xda\x00\xff", 3, 255); /* str 16 of 255 */
	d = dec_open(buf_span(&b));
	assert_null(dec_s(&d, 1000).data);
	with_head(&b, "\xda\x01\x00", 3, 256);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_s(&d, 256).len, 256);
	with_head(&b, "\xdc\x00\x0f", 3, 15); /* array 16 of 15 */
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_array(&d), 0);
	assert_false(dec_end(&d));
	with_head(&b, "\xdc\x00\x10", 3, 16);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_array(&d), 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(dec_u(&d), 'x');
	assert_true(dec_end(&d));
	buf_done(&b);
}

static void
lengths_are_held_against_the_limit_and_against_what_is_there(void **state)
{
	struct buf b = BUF_INIT;
	struct dec d;
	uint8_t out[4] = {9, 9, 9, 9};
	char text[5] = "zzzz";

	(void)state;
	with_head(&b, "\xc4\x05", 2, 5);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_b(&d, 4).len, 0);
	assert_true(d.failed);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_b(&d, 5).len, 5);
	d = dec_open(span_of(b.data, b.len - 1));
	assert_int_equal(dec_b(&d, 5).len, 0);
	assert_true(d.failed);
	d = dec_open(buf_span(&b));
	assert_false(dec_bn(&d, out, 4)); /* five are not four */
	assert_memory_equal(out, "\0\0\0\0", 4);
	with_head(&b, "\xc4\x03", 2, 3);
	d = dec_open(buf_span(&b));
	assert_false(dec_bn(&d, out, 4)); /* nor are three */
	with_head(&b, "\xc4\x04", 2, 4);
	d = dec_open(buf_span(&b));
	assert_true(dec_bn(&d, out, 4));
	assert_memory_equal(out, "xxxx", 4);
	with_head(&b, "\xa4", 1, 4);
	d = dec_open(buf_span(&b));
	dec_text(&d, text, sizeof(text));
	assert_string_equal(text, "xxxx");
	with_head(&b, "\xa5", 1, 5);
	d = dec_open(buf_span(&b));
	dec_text(&d, text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(d.failed);
	d = DEC("\xdc\x10\x01"); /* 4097 elements, and none there */
	assert_int_equal(dec_array(&d), 0);
	d = DEC("\x93\x01\x02");
	assert_int_equal(dec_array(&d), 0);
	assert_true(d.failed);
	buf_done(&b);
}

static void
an_array_has_at_most_4096_elements(void **state)
{
	struct buf b = BUF_INIT;
	struct dec d;

	(void)state;
	enc_array(&b, 4096);
	for (int i = 0; i < 4096; i++)
		enc_u(&b, 1);
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_skip(&d).len, b.len);
	assert_true(dec_end(&d));
	buf_addc(&b, 1);
	b.data[2] = 1; /* 4097 */
	d = dec_open(buf_span(&b));
	assert_int_equal(dec_array(&d), 0);
	assert_true(d.failed);
	buf_done(&b);
}

static void
text_is_utf8_without_nul(void **state)
{
	static const char *const bad[] = {"\xa1\x80", "\xa2\xc0\xaf", "\xa3\xed\xa0\x80",
	    "\xa1\xff", "\xa4\xf4\x90\x80\x80", "\xa2\xe6\x8b"};
	struct dec d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		d = dec_open(span_str(bad[i]));
		assert_int_equal(dec_s(&d, 100).len, 0);
		assert_true(d.failed);
	}
	d = DEC("\xa2"
	        "a\0");
	assert_int_equal(dec_s(&d, 100).len, 0);
	assert_true(d.failed);
	d = DEC("\xa6"
	        "张三");
	assert_true(span_eq_str(dec_s(&d, 6), "张三"));
	assert_true(dec_end(&d));
	d = DEC("\xa0");
	assert_int_equal(dec_s(&d, 6).len, 0);
	assert_true(dec_end(&d));
}

static void
a_text_cut_inside_a_character_loses_that_character(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	enc_sn(&b, "张三", 5);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data,
	    "\xa3"
	    "张",
	    4);
	buf_done(&b);
}

static void
names_have_their_own_alphabet(void **state)
{
	static const char *const bad[] = {
	    "", "A", "-a", "_a", "a b", "a.b", "张", "abcdefghijklmnopqrstuvwxyz0123456"};
	char name[33];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = BUF_INIT;
		struct dec d;

		enc_s(&b, bad[i]);
		d = dec_open(buf_span(&b));
		dec_name(&d, name);
		assert_string_equal(name, "");
		assert_true(d.failed);
		d = dec_open(buf_span(&b));
		dec_opt_name(&d, name);
		assert_string_equal(name, "");
		assert_int_equal(d.failed, i != 0);
		buf_done(&b);
	}
	for (int optional = 0; optional < 2; optional++) {
		struct dec d = DEC("\xd9\x20"
		                   "abcdefghijklmnopqrstuvwxyz01234_");

		(optional ? dec_opt_name : dec_name)(&d, name);
		assert_string_equal(name, "abcdefghijklmnopqrstuvwxyz01234_");
		assert_true(dec_end(&d));
	}
}

static void
arrays_nest_three_deep_and_close_by_themselves(void **state)
{
	struct dec d = DEC("\x93\x92\x91\x01\x02\x90\x03"); /* [[[1], 2], [], 3] */

	(void)state;
	assert_true(dec_array_of(&d, 3));
	assert_int_equal(dec_array(&d), 2);
	assert_int_equal(dec_array(&d), 1);
	assert_int_equal(dec_u(&d), 1);
	assert_int_equal(dec_u(&d), 2);
	assert_true(dec_is_array(&d));
	assert_int_equal(dec_array(&d), 0);
	assert_false(d.failed);
	assert_false(dec_is_array(&d));
	assert_int_equal(dec_u(&d), 3);
	assert_true(dec_end(&d));
	d = DEC("\x91\x91\x91\x91\x01");
	assert_int_equal(dec_array(&d), 1);
	assert_int_equal(dec_array(&d), 1);
	assert_int_equal(dec_array(&d), 1);
	assert_int_equal(dec_array(&d), 0);
	assert_true(d.failed);
	d = DEC("\x91\x91\x91\x90"); /* an empty fourth is a fourth */
	assert_int_equal(dec_skip(&d).len, 0);
	d = DEC("\x91\x91\x90");
	assert_int_equal(dec_skip(&d).len, 3);
	assert_true(dec_end(&d));
}

static void
the_wrong_number_of_elements_is_refused(void **state)
{
	struct dec d = DEC("\x92\x01\x02");

	(void)state;
	assert_false(dec_array_of(&d, 3));
	assert_true(d.failed);
	d = DEC("\x92\x01\x02\x03"); /* a byte behind the end */
	assert_int_equal(dec_array(&d), 2);
	assert_int_equal(dec_u(&d), 1);
	assert_int_equal(dec_u(&d), 2);
	assert_false(d.failed);
	assert_int_equal(dec_u(&d), 0); /* and no third element of two */
	assert_true(d.failed);
	d = DEC("\x92\x01\x02");
	assert_int_equal(dec_array(&d), 2);
	assert_int_equal(dec_u(&d), 1);
	assert_false(dec_end(&d)); /* one is left */
	d = DEC("\x01\x02");
	assert_int_equal(dec_u(&d), 1);
	assert_false(dec_end(&d));
}

static void
a_failed_cursor_stays_failed(void **state)
{
	struct dec d = DEC("\x93\xff\x05\xc0");
	char name[33] = "x";

	(void)state;
	assert_int_equal(dec_array(&d), 3);
	assert_int_equal(dec_u(&d), 0);
	assert_int_equal(dec_u(&d), 0);
	assert_false(dec_nil(&d));
	assert_int_equal(dec_peek(&d), 0);
	assert_int_equal(dec_skip(&d).len, 0);
	dec_name(&d, name);
	assert_string_equal(name, "");
	assert_false(dec_end(&d));
}

static void
nil_is_taken_only_where_it_stands(void **state)
{
	struct dec d = DEC("\x92\xc0\x05");

	(void)state;
	assert_int_equal(dec_array(&d), 2);
	assert_int_equal(dec_peek(&d), 0xc0);
	assert_true(dec_nil(&d));
	assert_false(dec_nil(&d));
	assert_false(d.failed);
	assert_int_equal(dec_u(&d), 5);
	assert_true(dec_end(&d));
	d = dec_open(span_of(NULL, 0));
	assert_false(dec_nil(&d));
	assert_int_equal(dec_peek(&d), 0);
	assert_false(dec_end(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_round_trip_in_their_shortest_form),
	    cmocka_unit_test(other_forms_of_a_number_are_refused),
	    cmocka_unit_test(what_is_not_spoken_is_never_skipped),
	    cmocka_unit_test(longer_forms_of_lengths_are_refused),
	    cmocka_unit_test(lengths_are_held_against_the_limit_and_against_what_is_there),
	    cmocka_unit_test(an_array_has_at_most_4096_elements),
	    cmocka_unit_test(text_is_utf8_without_nul),
	    cmocka_unit_test(a_text_cut_inside_a_character_loses_that_character),
	    cmocka_unit_test(names_have_their_own_alphabet),
	    cmocka_unit_test(arrays_nest_three_deep_and_close_by_themselves),
	    cmocka_unit_test(the_wrong_number_of_elements_is_refused),
	    cmocka_unit_test(a_failed_cursor_stays_failed),
	    cmocka_unit_test(nil_is_taken_only_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
