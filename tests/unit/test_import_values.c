/* Days, id numbers, numbers of spreadsheets, seen keys, frames of bad rows, encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/import/badrows.h"
#include "ctl/import/day.h"
#include "ctl/import/decode.h"
#include "ctl/import/excel.h"
#include "ctl/import/idno.h"
#include "ctl/import/keyset.h"

static const struct day today = {2026, 11, 23};

static void
days_are_read_as_people_write_them(void **state)
{
	static const char *const good[] = {"2026-10-01", "2026-10-1", "2026/10/1", "2026.10.01",
	    "20261001", "2026年10月1日", "2026年10月1号"};
	static const char *const bad[] = {"2026-02-29", "2026-13-01", "26-10-01", "2026-10",
	    "46296", "2026-10-01 ", "2026-10-011", "2026年10月1", "1899-01-01", "", "2026-10/1"};
	struct day d;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(day_parse(span_str(good[i]), &d));
		assert_int_equal(day_compare(d, (struct day){2026, 10, 1}), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(day_parse(span_str(bad[i]), &d));
	assert_true(day_parse(span_str("2024-02-29"), &d));
	assert_false(day_parse(span_str("2100-02-29"), &d));
}

static void
ages_change_on_the_birthday(void **state)
{
	(void)state;
	assert_int_equal(day_age((struct day){2008, 11, 23}, today), 18);
	assert_int_equal(day_age((struct day){2008, 11, 24}, today), 17);
	assert_int_equal(day_age((struct day){2008, 10, 30}, today), 18);
	assert_int_equal(
	    day_compare(day_plus((struct day){2024, 2, 28}, 2), (struct day){2024, 3, 1}), 0);
	assert_int_equal(
	    day_compare(day_plus((struct day){2025, 1, 1}, -1), (struct day){2024, 12, 31}), 0);
}

static enum idno_verdict
check_id(const char *text)
{
	struct day birth;

	return idno_check(span_str(text), today, &birth);
}

static void
ids_are_judged(void **state)
{
	struct day birth = {0, 0, 0};

	(void)state;
	/* the example of the standard: 11010519491231002X */
	assert_int_equal(idno_check_char("11010519491231002"), 'X');
	assert_int_equal(idno_check(span_str("11010519491231002X"), today, &birth), IDNO_OK);
	assert_int_equal(day_compare(birth, (struct day){1949, 12, 31}), 0);
	assert_int_equal(check_id("110105194912310021"), IDNO_CHECK);
	assert_int_equal(check_id("11010519491231002x"), IDNO_SHAPE);
	assert_int_equal(check_id("110105491231002"), IDNO_OLD);
	assert_int_equal(check_id("11010519491231002"), IDNO_SHAPE);
	assert_int_equal(check_id("1101051949123100X2"), IDNO_SHAPE);
	assert_int_equal(check_id(""), IDNO_SHAPE);
}

static void
every_single_wrong_digit_is_found(void **state)
{
	char id[] = "11010519491231002X";

	(void)state;
	for (int at = 0; at < 17; at++)
		for (char c = '0'; c <= '9'; c++) {
			char right = id[at];

			id[at] = c;
			assert_int_equal(check_id(id) == IDNO_OK, c == right);
			id[at] = right;
		}
}

static void
birth_days_must_exist(void **state)
{
	static const char *const births[] = {
	    "20070230", "20071301", "20070100", "20261124", "18991231"};
	char id[19];

	(void)state;
	for (size_t i = 0; i < sizeof(births) / sizeof(births[0]); i++) {
		snprintf(id, sizeof(id), "999001%s001", births[i]);
		id[17] = idno_check_char(id);
		id[18] = '\0';
		assert_int_equal(check_id(id), IDNO_BIRTH);
	}
}

static void
lost_digits_are_seen(void **state)
{
	static const struct {
		const char *text;
		enum excel_number verdict;
		const char *out;
	} rows[] = {
	    {"19900000001", EXCEL_INTEGER, "19900000001"},
	    {"1.9900000001E10", EXCEL_INTEGER, "19900000001"},
	    {"1.9900000001E+10", EXCEL_INTEGER, "19900000001"},
	    {"199.00", EXCEL_INTEGER, "199"},
	    {"0", EXCEL_INTEGER, "0"},
	    {"000", EXCEL_INTEGER, "0"},
	    {"007", EXCEL_INTEGER, "7"},
	    {"999999999999999", EXCEL_INTEGER, "999999999999999"},
	    {"1000000000000000", EXCEL_LOST, ""},
	    {"5.1E+17", EXCEL_LOST, ""},
	    {"999001200001010000", EXCEL_LOST, ""},
	    {"1E99999999999", EXCEL_LOST, ""},
	    {"0.30000000000000004", EXCEL_LOST, ""},
	    {"1.5", EXCEL_FRACTION, ""},
	    {"0.05", EXCEL_FRACTION, ""},
	    {"-3", EXCEL_FRACTION, ""},
	    {"1E-3", EXCEL_FRACTION, ""},
	    {"1E", EXCEL_FRACTION, ""},
	    {"1.2.3", EXCEL_FRACTION, ""},
	    {"", EXCEL_FRACTION, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[EXCEL_DIGITS + 1] = "";

		assert_int_equal(excel_number(span_str(rows[i].text), out), rows[i].verdict);
		assert_string_equal(out, rows[i].out);
	}
}

static void
scientific_notation_is_seen(void **state)
{
	struct span text = span_str("19900000001.00");

	(void)state;
	assert_true(excel_is_scientific(span_str("5.1E+17")));
	assert_true(excel_is_scientific(span_str("5e17")));
	assert_false(excel_is_scientific(span_str("26999000000001")));
	assert_false(excel_is_scientific(span_str("E17")));
	assert_false(excel_is_scientific(span_str("5.1E+17x")));
	assert_true(excel_drop_zero_fraction(&text));
	assert_true(span_eq_str(text, "19900000001"));
	text = span_str("100");
	assert_false(excel_drop_zero_fraction(&text));
	text = span_str("1.50");
	assert_false(excel_drop_zero_fraction(&text));
	text = span_str("1.2.0");
	assert_false(excel_drop_zero_fraction(&text));
}

static void
keys_are_known_by_their_first_row(void **state)
{
	struct keyset *s = keyset_create(99);
	char key[16];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(keyset_add(s, span_str(key), i + 2), 0);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(keyset_add(s, span_str(key), 77), i + 2);
	}
	assert_int_equal(keyset_add(s, span_str(""), 5), 0);
	assert_int_equal(keyset_add(s, span_str(""), 6), 5);
	keyset_destroy(s);
}

static void
frames_come_back_and_damaged_ones_do_not(void **state)
{
	struct sheet_row row = {.number = 2, .n = 2};
	struct badrows_frame f;
	struct refusal no = REFUSAL_INIT;
	struct badrows b;
	struct span frame;

	(void)state;
	badrows_init(&b, 1);
	row.cells[0].text = span_str("ab");
	row.cells[1].text = span_str("");
	assert_int_equal(badrows_add(&b, &row, span_str("wrong"), &no), 0);
	assert_int_equal(be32_get(b.pending.data), b.pending.len - 4);
	frame = span_of(b.pending.data + 4, b.pending.len - 4);
	assert_int_equal(badrows_decode(frame, &f, NULL), 0);
	assert_int_equal(f.kind, 'R');
	assert_int_equal(f.n, 3);
	assert_true(span_eq_str(f.texts[2], "wrong"));
	for (size_t n = 0; n < frame.len; n++) {
		struct span cut = span_of(frame.data, n);
		bool whole = n == 7 || n == 11; /* ends between two texts */

		assert_int_equal(badrows_decode(cut, &f, NULL) == 0, whole);
	}
	b.pending.data[5] = 0xff;
	assert_int_equal(badrows_decode(frame, &f, NULL), -1);
	badrows_done(&b);
}

/* In pieces of every size, the same text comes out. */
static void
expect_decoded(struct decoder *d, enum input_encoding encoding, const char *in, const char *out)
{
	for (size_t piece = 1; piece <= strlen(in); piece++) {
		struct buf b = BUF_INIT;

		decoder_use(d, encoding, false);
		for (size_t at = 0; at < strlen(in); at += piece) {
			size_t left = strlen(in) - at;

			decoder_add(d, &b, span_of(in + at, left < piece ? left : piece));
		}
		decoder_end(d, &b);
		assert_string_equal((char *)b.data, out);
		buf_done(&b);
	}
}

static void
bytes_become_utf8(void **state)
{
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_create(&d, NULL), 0);
	expect_decoded(d, ENCODING_GB18030, "\xb2\xd4\xba\xcc,1", "苍禾,1");
	expect_decoded(d, ENCODING_GB18030, "\xfe\x9f", "䶮");
	expect_decoded(d, ENCODING_GB18030, "\x99\x33\xc3\x36", "𬱖");
	expect_decoded(d, ENCODING_GB18030, "\xb2,x", "\xef\xbf\xbd,x");
	expect_decoded(d, ENCODING_GB18030, "x\xb2", "x\xef\xbf\xbd");
	expect_decoded(d, ENCODING_UTF8, "苍𬱖", "苍𬱖");
	expect_decoded(d, ENCODING_UTF8, "a\xff,b", "a\xef\xbf\xbd,b");
	expect_decoded(d, ENCODING_UTF8, "a\xe8\x8b", "a\xef\xbf\xbd");
	decoder_destroy(d);
}

static void
gb18030_goes_both_ways(void **state)
{
	struct buf b = BUF_INIT;
	struct decoder *d;

	(void)state;
	encode_gb18030(&b, span_str("苍䶮𬱖a"));
	assert_int_equal(decoder_create(&d, NULL), 0);
	expect_decoded(d, ENCODING_GB18030, (char *)b.data, "苍䶮𬱖a");
	decoder_destroy(d);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_are_read_as_people_write_them),
	    cmocka_unit_test(ages_change_on_the_birthday),
	    cmocka_unit_test(ids_are_judged),
	    cmocka_unit_test(every_single_wrong_digit_is_found),
	    cmocka_unit_test(birth_days_must_exist),
	    cmocka_unit_test(lost_digits_are_seen),
	    cmocka_unit_test(scientific_notation_is_seen),
	    cmocka_unit_test(keys_are_known_by_their_first_row),
	    cmocka_unit_test(frames_come_back_and_damaged_ones_do_not),
	    cmocka_unit_test(bytes_become_utf8),
	    cmocka_unit_test(gb18030_goes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
