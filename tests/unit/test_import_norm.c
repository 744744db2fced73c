/* Cells that mean the same become the same, and what was changed is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/import/norm.h"

static void
expect(enum norm_mode mode, const char *in, const char *out, unsigned flags)
{
	struct buf b = BUF_INIT;
	unsigned got = norm_text(&b, span_str(in), mode);

	buf_adds(&b, "");
	assert_string_equal((char *)b.data, out);
	assert_int_equal(got, flags);
	buf_done(&b);
}

static void
plain_text_is_left_alone(void **state)
{
	(void)state;
	expect(NORM_CODE, "26999000000001", "26999000000001", 0);
	expect(NORM_NAME, "苍禾", "苍禾", 0);
	expect(NORM_FREE, "松溪县（东区）柳河镇１", "松溪县（东区）柳河镇1", NORM_WIDTH);
	expect(NORM_FREE, "a b'c", "a b'c", 0);
	expect(NORM_CODE, "", "", 0);
}

static void
blanks_at_the_ends_are_no_change(void **state)
{
	(void)state;
	expect(NORM_CODE, "  12\t", "12", 0);
	expect(NORM_NAME, " 苍禾\r\n", "苍禾", 0);
	expect(NORM_FREE, "　石桥村　", "石桥村", NORM_WIDTH);
}

static void
full_width_becomes_half_width(void **state)
{
	(void)state;
	expect(NORM_CODE, "１９９００００ａＢＸ", "1990000aBX", NORM_WIDTH);
	expect(NORM_CODE, "（０３４０）５５５", "(0340)555", NORM_WIDTH);
	expect(NORM_CODE, "①", "1", NORM_WIDTH);
}

static void
invisible_characters_go(void **state)
{
	(void)state;
	expect(NORM_CODE,
	    "\xe2\x80\x8b"
	    "199\xef\xbb\xbf",
	    "199", NORM_INVISIBLE);
	expect(NORM_NAME, "苍\xe2\x80\xaa禾", "苍禾", NORM_INVISIBLE);
}

static void
marks_of_sheets_go(void **state)
{
	(void)state;
	expect(NORM_CODE, "'0123", "0123", NORM_APOSTROPHE);
	expect(NORM_CODE, "=\"0123\"", "0123", NORM_APOSTROPHE);
	expect(NORM_FREE, "'+1", "+1", NORM_APOSTROPHE);
	expect(NORM_FREE, "'t", "'t", 0);
	expect(NORM_CODE, "=1+1", "=1+1", 0);
}

static void
names_lose_padding_and_keep_their_dot(void **state)
{
	(void)state;
	expect(NORM_NAME, "苍 禾", "苍禾", NORM_BLANK);
	expect(NORM_NAME, "苍　禾", "苍禾", NORM_WIDTH | NORM_BLANK);
	expect(NORM_NAME, "Anna  Lin", "Anna Lin", NORM_BLANK);
	expect(NORM_NAME, "迦朵•伊林", "迦朵·伊林", NORM_DOT);
	expect(NORM_NAME, "迦朵．伊林", "迦朵·伊林", NORM_WIDTH | NORM_DOT);
	expect(NORM_NAME, "迦朵·伊林", "迦朵·伊林", 0);
	expect(NORM_NAME, "苍䶮", "苍䶮", 0);
	expect(NORM_NAME, "苍𬱖", "苍𬱖", 0);
}

static void
missing_characters_are_seen(void **state)
{
	static const char *const names[] = {
	    "苍??", "苍?", "苍？", "苍□", "苍〓", "苍*", "苍\xef\xbf\xbd", "苍\xee\x80\x81"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = BUF_INIT;

		assert_true(norm_text(&b, span_str(names[i]), NORM_NAME) & NORM_MISSING);
		buf_done(&b);
	}
	expect(NORM_FREE, "在家吗?", "在家吗?", 0);
	expect(NORM_FREE, "?? 村", "?? 村", NORM_MISSING);
}

static void
control_characters_are_seen(void **state)
{
	(void)state;
	expect(NORM_FREE, "a\x01z", "a\x01z", NORM_CONTROL);
	expect(NORM_NAME, "苍\x7f", "苍\x7f", NORM_CONTROL);
	expect(NORM_FREE, "a\nz", "a z", 0);
}

static void
blank_is_what_looks_blank(void **state)
{
	(void)state;
	assert_true(norm_is_blank(span_str("")));
	assert_true(norm_is_blank(span_str(" \t\r\n")));
	assert_true(norm_is_blank(span_str("　\xc2\xa0\xe2\x80\x8b")));
	assert_false(norm_is_blank(span_str(" 苍")));
	assert_false(norm_is_blank(span_str("　0")));
}

static void
cutting_keeps_characters_whole(void **state)
{
	(void)state;
	assert_int_equal(norm_cut((const uint8_t *)"苍禾", 6, 6), 6);
	assert_int_equal(norm_cut((const uint8_t *)"苍禾", 6, 5), 3);
	assert_int_equal(norm_cut((const uint8_t *)"苍禾", 6, 3), 3);
	assert_int_equal(norm_cut((const uint8_t *)"苍禾", 6, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text_is_left_alone),
	    cmocka_unit_test(blanks_at_the_ends_are_no_change),
	    cmocka_unit_test(full_width_becomes_half_width),
	    cmocka_unit_test(invisible_characters_go),
	    cmocka_unit_test(marks_of_sheets_go),
	    cmocka_unit_test(names_lose_padding_and_keep_their_dot),
	    cmocka_unit_test(missing_characters_are_seen),
	    cmocka_unit_test(control_characters_are_seen),
	    cmocka_unit_test(blank_is_what_looks_blank),
	    cmocka_unit_test(cutting_keeps_characters_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
