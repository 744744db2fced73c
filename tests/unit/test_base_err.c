/* What a failure says: its kind, its story outermost first, and never more than fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

static void
story_is_outermost_first(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_STALE, "token %d", 7), -1);
	assert_int_equal(err_wrap(&err, "record %s", "a"), -1);
	assert_int_equal(err_wrap(&err, "sync"), -1);
	assert_int_equal(err.code, ERR_STALE);
	assert_string_equal(err.text, "sync: record a: token 7");
}

static void
null_err_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void
errno_gives_the_kind_and_survives(void **state)
{
	static const struct {
		int num;
		enum err_code code;
	} rows[] = {{ENOENT, ERR_NOT_FOUND}, {EEXIST, ERR_EXISTS}, {EACCES, ERR_DENIED},
	    {ENOSPC, ERR_FULL}, {EIO, ERR_IO}};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = rows[i].num;
		assert_int_equal(err_sys(&err, "opening"), -1);
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(errno, rows[i].num);
		assert_true(strncmp(err.text, "opening: ", 9) == 0);
		(void)err_wrap(&err, "outer");
		assert_int_equal(errno, rows[i].num);
	}
}

static void
a_long_story_is_cut_between_characters(void **state)
{
	struct err err = ERR_INIT;
	char text[800] = "";

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		memset(text, 0, sizeof(text));
		memset(text, 'x', (size_t)shift);
		while (strlen(text) < 700)
			strcat(text, "\xe5\x9b\x9e");
		(void)err_set(&err, ERR_INVALID, "%s", text);
		assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
		assert_true(utf8_valid((const uint8_t *)err.text, strlen(err.text)));
		(void)err_wrap(&err, "outer");
		assert_true(utf8_valid((const uint8_t *)err.text, strlen(err.text)));
		assert_true(strncmp(err.text, "outer: ", 7) == 0);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void
every_code_has_words(void **state)
{
	(void)state;
	assert_string_equal(err_code_text(ERR_INVALID), "input is not valid");
	for (int code = ERR_NONE; code <= ERR_CORRUPT; code++)
		assert_string_not_equal(err_code_text((enum err_code)code), "unknown error");
	assert_string_equal(err_code_text((enum err_code)999), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(story_is_outermost_first),
	    cmocka_unit_test(null_err_is_allowed),
	    cmocka_unit_test(errno_gives_the_kind_and_survives),
	    cmocka_unit_test(a_long_story_is_cut_between_characters),
	    cmocka_unit_test(every_code_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
