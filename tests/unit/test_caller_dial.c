/* dial.c by table: who gets a 0, and files that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "workers/caller/dial.h"

static char path[] = "/tmp/hf-dial-XXXXXX";

static int
load(const char *text, struct err *err)
{
	assert_int_equal(file_replace(path, span_str(text), 0600, NULL), 0);
	return dial_load(path, err);
}

static void
who_gets_a_0(void **state)
{
	static const struct {
		const char *digits, *dial;
	} rows[] = {
	    {"19900001234", "19900001234"},  /* seven digits of it are local */
	    {"19911111234", "019911111234"}, /* elsewhere */
	    {"19811111234", "19811111234"}, /* three digits are enough when they are in the table */
	    {"1991111123", "1991111123"},   /* not eleven digits */
	    {"12345678901", "12345678901"}, /* no mobile number */
	    {"4008001234", "4008001234"},
	    {"011912345678", "011912345678"},
	    {"", ""},
	};
	char out[DIAL_SIZE];

	(void)state;
	assert_int_equal(load("# ours\r\n1990000 # here\n\n198\n", NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(dial_string(out, span_str(rows[i].digits)), rows[i].dial);
	dial_forget();
	assert_string_equal(dial_string(out, span_str("19911111234")), "19911111234");
}

static void
what_does_not_read_names_its_line_and_changes_nothing(void **state)
{
	static const struct {
		const char *text, *where;
	} rows[] = {{"1990000\n19\n", ":2:"}, {"1990000\n\n12345678\n", ":3:"}, {"199a\n", ":1:"},
	    {"# nothing\n", "没有一个号段"}, {"", "没有一个号段"}};
	char out[DIAL_SIZE];

	(void)state;
	assert_int_equal(load("199\n", NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(load(rows[i].text, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.text, rows[i].where));
		assert_string_equal(dial_string(out, span_str("19911111234")), "19911111234");
		assert_string_equal(dial_string(out, span_str("18811111234")), "018811111234");
	}
	assert_int_equal(dial_load("/nonexistent", NULL), -1);
	dial_forget();
}

static int
set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_gets_a_0),
	    cmocka_unit_test(what_does_not_read_names_its_line_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
