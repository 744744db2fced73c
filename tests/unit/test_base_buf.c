/* Growing, stealing, forgetting the front; always a NUL behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"

static void
text_is_a_c_string_after_every_step(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "");
	assert_string_equal((char *)b.data, "");
	for (int i = 0; i < 300; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		assert_int_equal(strlen((char *)b.data), i + 1);
	}
	buf_addf(&b, "[%d %s]", 42, "x");
	assert_string_equal((char *)b.data + 300, "[42 x]");
	buf_drop_front(&b, 300);
	assert_string_equal((char *)b.data, "[42 x]");
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal((char *)b.data, "");
	buf_done(&b);
	assert_null(b.data);
}

static void
steal_leaves_an_empty_buffer(void **state)
{
	struct buf b = BUF_INIT;
	size_t len = 99;
	char *text;

	(void)state;
	text = buf_steal(&b, &len);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	free(text);
	buf_add(&b, "a\0b", 3);
	text = buf_steal(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_null(b.data);
	free(text);
}

static void
big_endian_round_trip(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add_be32(&b, 0x01020304U);
	buf_add_be64(&b, 0xfffefdfcfbfaf9f8ULL);
	assert_memory_equal(b.data, "\x01\x02\x03\x04\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 12);
	assert_true(be32_get(b.data) == 0x01020304U);
	assert_true(be64_get(b.data + 4) == 0xfffefdfcfbfaf9f8ULL);
	buf_done(&b);
}

static void
spans_compare_bytes(void **state)
{
	(void)state;
	assert_true(span_eq(span_of("ab", 2), span_str("ab")));
	assert_false(span_eq(span_of("ab", 2), span_str("abc")));
	assert_false(span_eq(span_of("ab", 2), span_str("ac")));
	assert_true(span_eq(span_of(NULL, 0), span_str("")));
	assert_true(span_eq_str(span_of("xyz", 1), "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_a_c_string_after_every_step),
	    cmocka_unit_test(steal_leaves_an_empty_buffer),
	    cmocka_unit_test(big_endian_round_trip),
	    cmocka_unit_test(spans_compare_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
