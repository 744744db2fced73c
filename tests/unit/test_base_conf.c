/* One table: defaults, file, environment, flags, and complaints that say where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/conf.h"
#include "base/file.h"

static const struct conf_key keys[] = {
    {"lease_ms", CONF_INT, "120000", 1000, 600000, "ms", "how long a lease lasts"},
    {"redis", CONF_STR, "unix:/run/hf/redis.sock", 0, 0, NULL, "where Redis listens"},
    {"strict", CONF_BOOL, "true", 0, 0, NULL, "refuse what is doubtful"},
    {"note", CONF_STR, NULL, 0, 0, NULL, "free text"},
    {NULL, CONF_INT, NULL, 0, 0, NULL, NULL},
};

static char path[64];

static int
setup(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/hf-conf-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	(void)close(fd);
	(void)unsetenv("HF_LEASE_MS");
	(void)unsetenv("HF_NOTE");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static int
load(struct conf **c, const char *text, struct err *err)
{
	CHECK(file_replace(path, span_str(text), 0600, NULL) == 0);
	return conf_load(c, keys, path, err);
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct conf *c = NULL;

	(void)state;
	assert_int_equal(load(&c, "", NULL), 0);
	assert_true(conf_int(c, "lease_ms") == 120000);
	assert_string_equal(conf_str(c, "redis"), "unix:/run/hf/redis.sock");
	assert_string_equal(conf_str(c, "note"), "");
	assert_int_equal(conf_bool(c, "strict"), 1);
	conf_destroy(c);
	assert_int_equal(conf_load(&c, keys, NULL, NULL), 0);
	conf_destroy(c);
}

static void
the_later_word_wins(void **state)
{
	struct conf *c = NULL;

	(void)state;
	assert_int_equal(setenv("HF_LEASE_MS", "3000", 1), 0);
	assert_int_equal(
	    load(&c, "# a comment\nlease_ms = 2000\nstrict = no\nnote = \"a \\\"b\\\" 回访\"\n",
	        NULL),
	    0);
	assert_true(conf_int(c, "lease_ms") == 3000);
	assert_int_equal(conf_bool(c, "strict"), 0);
	assert_string_equal(conf_str(c, "note"), "a \"b\" 回访");
	assert_int_equal(conf_override(c, "lease_ms=4000", NULL), 0);
	assert_true(conf_int(c, "lease_ms") == 4000);
	assert_int_equal(conf_override(c, "note=x=y", NULL), 0);
	assert_string_equal(conf_str(c, "note"), "x=y");
	conf_destroy(c);
}

static void
complaints_say_where_and_what(void **state)
{
	static const struct {
		const char *text, *place, *words;
	} rows[] = {
	    {"strict = yes\nleese_ms = 5000\n", ":2:", "did you mean lease_ms?"},
	    {"\n\nlease_ms = 5\n", ":3:", "not within 1000 to 600000 ms"},
	    {"lease_ms = 1k\n", ":1:", "not a whole number"},
	    {"lease_ms = 010000000\n", ":1:", "not within"},
	    {"strict = maybe\n", ":1:", "neither true nor false"},
	    {"entirely_different = 1\n", ":1:", "unknown key entirely_different"},
	    {"redis =\n", ":", ""},
	    {"lease_ms 5000\n", ":", ""},
	    {"note = \"open\n", ":", ""},
	    {"note = \xff\n", "", "UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *c = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(load(&c, rows[i].text, &err), -1);
		assert_null(c);
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(strncmp(err.text, path, strlen(path)) == 0);
		assert_non_null(strstr(err.text, rows[i].place));
		assert_non_null(strstr(err.text, rows[i].words));
	}
}

static void
environment_and_flags_are_judged_too(void **state)
{
	struct conf *c = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(setenv("HF_LEASE_MS", "1", 1), 0);
	assert_int_equal(conf_load(&c, keys, NULL, &err), -1);
	assert_non_null(strstr(err.text, "environment HF_LEASE_MS: lease_ms = 1"));
	assert_int_equal(unsetenv("HF_LEASE_MS"), 0);
	assert_int_equal(conf_load(&c, keys, "/nowhere/x.conf", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(conf_load(&c, keys, "/tmp", &err), -1);
	assert_int_equal(conf_load(&c, keys, NULL, &err), 0);
	assert_int_equal(conf_override(c, "lease=5", &err), -1);
	assert_int_equal(conf_override(c, "lease_ms", &err), -1);
	assert_int_equal(conf_override(c, "lease_ms=0", &err), -1);
	assert_true(conf_int(c, "lease_ms") == 120000);
	conf_destroy(c);
}

static void
what_is_printed_reads_back_the_same(void **state)
{
	static const char odd[] = "note=a \"b\" \\ ${HOME} 'c' # d";
	struct conf *c = NULL, *again = NULL;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(conf_load(&c, keys, NULL, NULL), 0);
	assert_int_equal(conf_override(c, odd, NULL), 0);
	assert_int_equal(conf_override(c, "lease_ms=7000", NULL), 0);
	conf_print(&out, keys, c);
	assert_int_equal(load(&again, (const char *)out.data, NULL), 0);
	assert_string_equal(conf_str(again, "note"), odd + 5);
	assert_true(conf_int(again, "lease_ms") == 7000);
	conf_destroy(again);
	buf_clear(&out);
	conf_print(&out, keys, NULL);
	assert_non_null(strstr((char *)out.data,
	    "# how long a lease lasts (1000 to 600000 ms)\n#lease_ms = 120000\n"));
	assert_int_equal(load(&again, (const char *)out.data, NULL), 0);
	conf_destroy(again);
	conf_destroy(c);
	buf_done(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_file_gives_the_defaults),
	    TEST(the_later_word_wins),
	    TEST(complaints_say_where_and_what),
	    TEST(environment_and_flags_are_judged_too),
	    TEST(what_is_printed_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
