/* Campaign time runs from one line, a demo's from its file; the calendar is Shanghai's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"

#define T0 1790000000000LL

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/hf-clock-XXXXXX");
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

static void
put(const char *name, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(file_replace(path, span_str(text), 0600, NULL) == 0);
}

static void
put_clock(int64_t b0, int64_t rate, int halted)
{
	char text[128];

	(void)snprintf(
	    text, sizeof(text), "%lld %" PRId64 " %" PRId64 " %d\n", T0, b0, rate, halted);
	put("clock", text);
}

static void
an_installation_without_a_file_runs_at_rate_one(void **state)
{
	int64_t wall, campaign, boot;

	(void)state;
	assert_int_equal(clock_open(dir, NULL), 0);
	wall = clock_wall_ms();
	campaign = clock_campaign_ms();
	assert_true(llabs(wall - campaign) < 1000);
	boot = clock_boot_us();
	while (clock_boot_us() - boot < 5000)
		continue;
	assert_in_range(clock_campaign_ms() - campaign, 5, 1000);
	assert_int_equal(clock_until_us(campaign - 1), 0);
	assert_in_range(clock_until_us(clock_campaign_ms() + 1000), 990000, 1000000);
	assert_true(clock_until_us(INT64_MAX) == INT64_MAX);
	assert_true(clock_until_us(INT64_MIN) == 0);
}

static void
only_a_demo_may_bend_time(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	put_clock(clock_boot_us(), 60000, 0);
	assert_int_equal(clock_open(dir, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_true(llabs(clock_wall_ms() - clock_campaign_ms()) < 5000);
	put_clock(clock_boot_us(), 1000, 1);
	assert_int_equal(clock_open(dir, &err), -1);
	/* Rate one: the file's instants are not looked at. */
	put_clock(clock_boot_us(), 1000, 0);
	assert_int_equal(clock_open(dir, &err), 0);
	assert_true(llabs(clock_wall_ms() - clock_campaign_ms()) < 5000);
}

static void
a_demo_runs_fast_halts_and_goes_on(void **state)
{
	int64_t now, b0, before, after, left;

	(void)state;
	put("demo", "");
	put_clock(clock_boot_us() - 10000000, 1000000, 0); /* 1000 x, for 10 s */
	assert_int_equal(clock_open(dir, NULL), 0);
	assert_in_range(clock_campaign_ms() - T0, 10000000, 11000000);
	now = clock_campaign_ms();
	assert_in_range(clock_until_us(now + 3600000), 3500000, 3600000);
	put_clock(clock_boot_us(), 1000000, 1);
	assert_int_equal(clock_open(dir, NULL), 0);
	assert_true(clock_campaign_ms() == T0);
	assert_true(clock_until_us(T0 + 1) == INT64_MAX);
	assert_true(clock_until_us(T0) == 0);
	/* The demo resumed at another rate; a slow one rounds the wait up, never down. */
	b0 = clock_boot_us();
	put_clock(b0, 7, 0);
	assert_int_equal(clock_open(dir, NULL), 0);
	before = clock_boot_us();
	left = clock_until_us(T0 + 1);
	after = clock_boot_us();
	assert_true(before + left <= b0 + 142858 && after + left >= b0 + 142858);
	/* A campaign of a year at the highest rate stays within 64 bits. */
	put_clock(clock_boot_us() - 31536000000000LL, 100000000, 0);
	assert_int_equal(clock_open(dir, NULL), 0);
	assert_true(clock_campaign_ms() - T0 >= 31536000000000LL * 100);
	assert_true(clock_until_us(INT64_MAX - 1) > 0);
}

static void
a_broken_file_changes_nothing(void **state)
{
	static const char *const bad[] = {"", "1 2 3\n", "1 2 3 4\n", "1 2 0 0\n", "1 2 1000 0",
	    "1 2 1000 0\nx", "x 2 1000 0\n", "1  2 1000 0\n", "-1 2 1000 0\n", "1 2 100000001 0\n"};
	struct err err = ERR_INIT;
	int64_t before;

	(void)state;
	put("demo", "");
	put_clock(clock_boot_us(), 1000, 1);
	assert_int_equal(clock_open(dir, NULL), 0);
	before = clock_campaign_ms();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("clock", bad[i]);
		assert_int_equal(clock_open(dir, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(clock_campaign_ms() == before);
	}
}

/* The C library's own calendar, over days of eight centuries. */
static void
the_calendar_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -150000; day < 150000; day += 13) {
		int64_t ms = day * 86400000 + 12345678;
		time_t t = (time_t)((ms + CLOCK_SHANGHAI_MS) / 1000 -
		                    ((ms + CLOCK_SHANGHAI_MS) % 1000 < 0));
		struct civil c = clock_civil(ms);
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_int_equal(c.weekday, (tm.tm_wday + 6) % 7);
		assert_true(clock_from_civil(c) == ms - 678);
	}
}

static void
texts_are_written_and_read(void **state)
{
	static const char *const bad[] = {"", "2026-11-23", "2026-11-23 14", "2026-11-23 24:00",
	    "2026-11-23 14:60", "2026-02-29 10:00", "2026-13-01 10:00", "2026-00-01 10:00",
	    "2026-11-00 10:00", "2026-11-31 10:00", "2026-11-23 14:05:60", "2026-11-23T14:05Z",
	    "2026-11-23T14:05+09:00", " 2026-11-23 14:05", "2026-11-23 14:05 ", "1969-01-01 00:00",
	    "2026-11-2314:05", "2026-1-23 14:05"};
	char text[32];
	int64_t ms = 0, other = 0;

	(void)state;
	assert_true(clock_parse("2026-11-23 14:05", &ms));
	assert_true(ms == 1795413900000LL);
	clock_text(text, ms);
	assert_string_equal(text, "2026-11-23 14:05");
	clock_rfc3339(text, ms + 59999);
	assert_string_equal(text, "2026-11-23T14:05:59+08:00");
	assert_true(clock_parse(text, &other) && other == ms + 59000);
	assert_true(clock_parse("2028-02-29T00:00", &other));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(clock_parse(bad[i], &ms));
	assert_true(ms == 1795413900000LL);
}

static void
the_boot_id_is_the_same_twice(void **state)
{
	uint8_t a[16], b[16], zero[16] = {0};

	(void)state;
	clock_boot_id(a);
	clock_boot_id(b);
	assert_memory_equal(a, b, 16);
	if (access("/proc/sys/kernel/random/boot_id", R_OK) == 0)
		assert_memory_not_equal(a, zero, 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_installation_without_a_file_runs_at_rate_one),
	    TEST(only_a_demo_may_bend_time),
	    TEST(a_demo_runs_fast_halts_and_goes_on),
	    TEST(a_broken_file_changes_nothing),
	    cmocka_unit_test(the_calendar_agrees_with_the_c_library),
	    cmocka_unit_test(texts_are_written_and_read),
	    cmocka_unit_test(the_boot_id_is_the_same_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
