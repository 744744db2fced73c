/* Files that are old or new and never half; maps whose walk bears removal; lines of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/hf-file-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static char *
in_dir(const char *name)
{
	static char path[2][160];
	static int turn;

	turn = 1 - turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void
a_replacement_is_whole_and_has_its_mode(void **state)
{
	struct buf out = BUF_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_replace(in_dir("a"), span_str("old"), 0600, NULL), 0);
	/* What a crash left behind is neither in the way nor written into. */
	assert_int_equal(symlink("/nowhere/at/all", in_dir("a.tmp")), 0);
	assert_int_equal(file_replace(in_dir("a"), span_of("n\0w", 3), 0640, NULL), 0);
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(access(in_dir("a.tmp"), F_OK), -1);
	buf_adds(&out, "before ");
	assert_int_equal(file_read(&out, in_dir("a"), 3, NULL), 0);
	assert_int_equal(out.len, 10);
	assert_memory_equal(out.data, "before n\0w", 11);
	buf_done(&out);
}

static void
a_failed_replacement_leaves_the_old_file(void **state)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	assert_int_equal(mkdir(in_dir("d/x"), 0700), 0);
	assert_int_equal(file_replace(in_dir("d"), span_str("new"), 0600, &err), -1);
	assert_int_equal(access(in_dir("d.tmp"), F_OK), -1);
	assert_int_equal(access(in_dir("d/x"), F_OK), 0);
	assert_int_equal(file_replace(in_dir("none/a"), span_str("new"), 0600, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	buf_done(&out);
}

static void
reading_has_limits(void **state)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_read(&out, in_dir("none"), 100, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(file_read(&out, dir, 100, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(file_read(&out, in_dir("fifo"), 100, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(file_replace(in_dir("a"), span_str("12345"), 0600, NULL), 0);
	buf_adds(&out, "kept");
	assert_int_equal(file_read(&out, in_dir("a"), 4, &err), -1);
	assert_int_equal(err.code, ERR_FULL);
	assert_string_equal((char *)out.data, "kept");
	buf_done(&out);
	assert_int_equal(file_replace(in_dir("empty"), span_str(""), 0600, NULL), 0);
	assert_int_equal(file_read(&out, in_dir("empty"), 0, &err), 0);
	assert_string_equal((char *)out.data, "");
	buf_clear(&out);
	/* /proc says size 0 and has bytes. */
	assert_int_equal(file_read(&out, "/proc/self/stat", 4096, &err), 0);
	assert_true(out.len > 10);
	buf_done(&out);
}

static void
folders_are_made_all_the_way(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_mkdirs(in_dir("a//b/c/"), 0700, &err), 0);
	assert_int_equal(access(in_dir("a/b/c"), X_OK), 0);
	assert_int_equal(file_mkdirs(in_dir("a/b/c/d"), 0700, &err), 0);
	assert_int_equal(file_replace(in_dir("f"), span_str("x"), 0600, NULL), 0);
	assert_int_equal(file_mkdirs(in_dir("f/g"), 0700, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
}

static void
shared_files_are_found_where_we_are_told(void **state)
{
	char path[256];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(setenv("HF_SHARE", dir, 1), 0);
	assert_int_equal(file_share(path, sizeof(path), "queue.lua", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(file_replace(in_dir("queue.lua"), span_str("x"), 0600, NULL), 0);
	assert_int_equal(file_share(path, sizeof(path), "queue.lua", &err), 0);
	assert_string_equal(path, in_dir("queue.lua"));
	assert_int_equal(file_share(path, 10, "queue.lua", &err), -1);
	assert_int_equal(unsetenv("HF_SHARE"), 0);
	assert_int_equal(file_share(path, sizeof(path), "no-such-file", &err), -1);
}

/* ---- maps -------------------------------------------------------------------------------------- */

static void
a_map_keeps_what_was_put(void **state)
{
	struct map *m = map_create();
	int values[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_null(map_put(m, &i, sizeof(i), &values[i]));
	assert_int_equal(map_count(m), 1000);
	assert_ptr_equal(map_put(m, &(int){7}, sizeof(int), &values[8]), &values[7]);
	assert_ptr_equal(map_get(m, &(int){7}, sizeof(int)), &values[8]);
	assert_null(map_get(m, "a\0b", 3));
	assert_null(map_put(m, "a\0b", 3, &values[1]));
	assert_null(map_get(m, "a\0c", 3));
	assert_ptr_equal(map_del(m, "a\0b", 3), &values[1]);
	assert_null(map_del(m, "a\0b", 3));
	assert_null(map_put(m, "", 0, &values[2]));
	assert_ptr_equal(map_get(m, "", 0), &values[2]);
	map_destroy(m, NULL);
}

static void
the_walk_bears_removal_of_what_it_gave(void **state)
{
	struct map *m = map_create();
	struct map_iter it;
	const void *key;
	size_t len, seen = 0;
	void *value;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)map_put(m, &i, sizeof(i), xstrdup("x"));
	it = map_begin(m);
	while (map_next(&it, &key, &len, &value)) {
		int number;

		memcpy(&number, key, sizeof(number));
		assert_int_equal(number, seen);
		seen++;
		if (number % 2 == 0)
			free(map_del(m, &number, len));
	}
	assert_int_equal(seen, 100);
	assert_int_equal(map_count(m), 50);
	map_destroy(m, free);
	map_destroy(NULL, free);
}

/* ---- the log ----------------------------------------------------------------------------------- */

/* What log_line writes to stderr, caught by a pipe in its place. */
static size_t
caught(char *out, size_t size, void (*say)(void))
{
	int fds[2], kept = dup(2);
	ssize_t n;

	CHECK(kept >= 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0 && dup2(fds[1], 2) == 2);
	say();
	CHECK(dup2(kept, 2) == 2);
	n = read(fds[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	(void)close(kept);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return n > 0 ? (size_t)n : 0;
}

static void
say_broken_lines(void)
{
	log_warn("redis.lost", "cause=\"%s\" n=%d", "two\nlines\r\x01", 3);
	log_debug("not.shown", "x=%d", 1);
}

static void
say_much(void)
{
	char much[9000];

	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	log_error("long", "text=%s", much);
	log_info("bare", "%s", "");
}

static void
one_event_is_one_line(void **state)
{
	char out[16384];

	(void)state;
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	log_init("hf-test", LOG_LVL_INFO);
	(void)caught(out, sizeof(out), say_broken_lines);
	assert_true(strncmp(out, "ts=2", 4) == 0);
	assert_non_null(
	    strstr(out, "Z level=warn prog=hf-test event=redis.lost cause=\"two lines  \" n=3\n"));
	assert_null(strstr(out, "not.shown"));
	assert_int_equal(strcspn(out, "\n") + 1, strlen(out));
	(void)caught(out, sizeof(out), say_much);
	assert_true(strcspn(out, "\n") < 4096);
	assert_non_null(strstr(out, "event=bare"));
	assert_int_equal(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	log_init("hf-test", LOG_LVL_WARN);
	(void)caught(out, sizeof(out), say_broken_lines);
	assert_true(strncmp(out, "<4>level=warn prog=hf-test", 26) == 0);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_replacement_is_whole_and_has_its_mode),
	    TEST(a_failed_replacement_leaves_the_old_file),
	    TEST(reading_has_limits),
	    TEST(folders_are_made_all_the_way),
	    TEST(shared_files_are_found_where_we_are_told),
	    cmocka_unit_test(a_map_keeps_what_was_put),
	    cmocka_unit_test(the_walk_bears_removal_of_what_it_gave),
	    cmocka_unit_test(one_event_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
