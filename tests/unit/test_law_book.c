/* The router's book: what is written is read again, signatures with it; nonsense is an error, not half a book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "workers/escalation/book.h"

static void
a_book_reads_as_it_was_written(void **state)
{
	struct book b, back;
	struct buf one = BUF_INIT, two = BUF_INIT;

	(void)state;
	book_init(&b);
	b.stage = 2;
	b.pass = 3;
	assert_true(book_sign(&b, "ann"));
	assert_true(book_sign(&b, "bob"));
	assert_true(book_sign(&b, "ann"));
	assert_int_equal(b.n_signed, 2);
	assert_true(book_set_absence(&b, "cai", 1000, 0));
	book_print(&one, &b);
	assert_int_equal(book_parse(&back, buf_span(&one), NULL), 0);
	assert_true(book_has_signed(&back, "ann") && book_has_signed(&back, "bob"));
	assert_false(book_has_signed(&back, "cai"));
	book_print(&two, &back);
	assert_true(span_eq(buf_span(&one), buf_span(&two)));
	buf_done(&one);
	buf_done(&two);
}

static void
a_full_book_says_so(void **state)
{
	struct book b;
	char name[33];

	(void)state;
	book_init(&b);
	for (int i = 0; i < BOOK_ABSENCES; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_true(book_sign(&b, name));
	}
	assert_false(book_sign(&b, "one-more"));
	assert_true(book_sign(&b, "p0"));
}

static void
nonsense_is_an_error(void **state)
{
	static const char *const texts[] = {"v=1 stage=2 pass=3 signed=",
	    "v=1 stage=2 signed=Not/Id", "v=1 stage=7", "v=1 stage=2 pass=4", "v=2", "stage"};
	struct book b = {.stage = 4};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(book_parse(&b, span_str(texts[i]), &err), -1);
		assert_int_equal(b.stage, 4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_book_reads_as_it_was_written),
	    cmocka_unit_test(a_full_book_says_so),
	    cmocka_unit_test(nonsense_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
