/* clock.c - the three clocks, and the civil calendar of Asia/Shanghai.
 *
 * Campaign time is a line: T0 + rate x (BOOTTIME - B0). An ordinary process draws it once, from the
 * wall clock when it first asks, and then never looks at the wall clock again: a wall clock that
 * jumps moves no due date. A demo draws it from its file, and again whenever it calls clock_open.
 * Failures: a clock file that cannot be read as four numbers, or that wants another rate in an
 * installation that is not a demo; then the line stays as it was. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"

#define DAY_MS          86400000LL
#define WALL_JUMP_MS    5000
#define WALL_DIFFERS_MS 30000
#define RATE_MAX        100000000LL /* 100,000 times real time: faster is a mistake */

struct line {
	int64_t t0_ms, b0_us, rate_milli;
	bool halted; /* stands at T0 */
	bool drawn;
	bool from_file;
};

static struct line campaign;

static int64_t
clock_read(clockid_t id, int64_t per_second)
{
	struct timespec ts;

	CHECK(clock_gettime(id, &ts) == 0);
	return (int64_t)ts.tv_sec * per_second + (int64_t)ts.tv_nsec / (1000000000LL / per_second);
}

int64_t
clock_boot_us(void)
{
	return clock_read(CLOCK_BOOTTIME, 1000000);
}

int64_t
clock_wall_ms(void)
{
	return clock_read(CLOCK_REALTIME, 1000);
}

static void
draw_from_wall(void)
{
	campaign = (struct line){
	    .t0_ms = clock_wall_ms(), .b0_us = clock_boot_us(), .rate_milli = 1000, .drawn = true};
}

/* Four numbers, one space between them, a newline at the end. */
static bool
parse_line(const char *text, struct line *ret)
{
	int64_t v[4];

	for (int i = 0; i < 4; i++) {
		size_t len = strcspn(text, i < 3 ? " " : "\n");

		if (text[len] == '\0' || !text_to_i64(text, len, &v[i]))
			return false;
		text += len + 1;
	}
	if (*text != '\0' || v[0] < 0 || v[2] < 1 || v[2] > RATE_MAX || (v[3] != 0 && v[3] != 1))
		return false;
	*ret = (struct line){v[0], v[1], v[2], v[3] == 1, true, true};
	return true;
}

static bool
is_demo(const char *home)
{
	char *path = xasprintf("%s/demo", home);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

int
clock_open(const char *home, struct err *err)
{
	char *path = xasprintf("%s/clock", home);
	struct buf text = BUF_INIT;
	struct err why = ERR_INIT;
	struct line line;
	int rc = 0;

	if (file_read(&text, path, 256, &why) != 0) {
		if (why.code != ERR_NOT_FOUND)
			rc = err_set(err, why.code, "campaign clock: %s", why.text);
		else if (!campaign.drawn || campaign.from_file)
			draw_from_wall();
	} else if (!parse_line((const char *)text.data, &line)) {
		rc = err_set(err, ERR_INVALID, "%s: not \"T0_MS B0_US RATE_MILLI HALTED\"", path);
	} else if (is_demo(home)) {
		campaign = line;
	} else if (line.rate_milli != 1000 || line.halted) {
		rc = err_set(err, ERR_DENIED,
		    "%s wants its own campaign time, but %s is not a demo", path, home);
	} else if (!campaign.drawn || campaign.from_file) {
		draw_from_wall();
	}
	buf_done(&text);
	free(path);
	return rc;
}

int64_t
clock_campaign_ms(void)
{
	int64_t delta;

	if (!campaign.drawn)
		draw_from_wall();
	if (campaign.halted)
		return campaign.t0_ms;
	delta = clock_boot_us() - campaign.b0_us;
	/* delta x rate / 1e6 in two steps, so that no product leaves 64 bits. */
	return campaign.t0_ms + delta / 1000000 * campaign.rate_milli +
	       delta % 1000000 * campaign.rate_milli / 1000000;
}

int64_t
clock_until_us(int64_t at_ms)
{
	int64_t d, rate, at_us, left;

	if (at_ms <= clock_campaign_ms())
		return 0;
	if (campaign.halted)
		return INT64_MAX;
	rate = campaign.rate_milli;
	if (__builtin_sub_overflow(at_ms, campaign.t0_ms, &d) ||
	    __builtin_mul_overflow(d / rate, (int64_t)1000000, &at_us) ||
	    __builtin_add_overflow(at_us, (d % rate * 1000000 + rate - 1) / rate, &at_us) ||
	    __builtin_add_overflow(at_us, campaign.b0_us, &at_us))
		return INT64_MAX;
	left = at_us - clock_boot_us();
	return left > 0 ? left : 0;
}

static int64_t
distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

const char *
clock_watch_check(struct clock_watch *c, int64_t wall_ms, int64_t boot_us, int64_t theirs_ms)
{
	int64_t offset = wall_ms - boot_us / 1000;

	if (!c->is_set) {
		c->offset_ms = offset;
		c->is_set = true;
	}
	if (distance(offset, c->offset_ms) > WALL_JUMP_MS)
		return "the wall clock jumped";
	if (theirs_ms != 0 && distance(wall_ms, theirs_ms) > WALL_DIFFERS_MS)
		return "the wall clock differs from the store's";
	return "";
}

void
clock_boot_id(uint8_t out[16])
{
	struct buf text = BUF_INIT;
	char hex[33];
	size_t used = 0;

	memset(out, 0, 16);
	if (file_read(&text, "/proc/sys/kernel/random/boot_id", 64, NULL) == 0) {
		for (size_t i = 0; i < text.len && used < 32; i++) {
			if (text.data[i] != '-' && text.data[i] != '\n')
				hex[used++] = (char)text.data[i];
		}
		(void)hex_decode(out, 16, hex, used);
	}
	buf_done(&text);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that the leap
 * day is the last of its year. */
static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
date_from_days(int64_t days, struct civil *out)
{
	int64_t shifted = days + 719468;
	int64_t era = floor_div(shifted, 146097);
	int64_t doe = shifted - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2));
}

struct civil
clock_civil(int64_t ms)
{
	int64_t local = ms + CLOCK_SHANGHAI_MS;
	int64_t days = floor_div(local, DAY_MS);
	int64_t second = (local - days * DAY_MS) / 1000;
	struct civil c;

	date_from_days(days, &c);
	c.hour = (int)(second / 3600);
	c.minute = (int)(second / 60 % 60);
	c.second = (int)(second % 60);
	/* 1970-01-01 was a Thursday. */
	c.weekday = (int)((days % 7 + 7 + 3) % 7);
	return c;
}

int64_t
clock_from_civil(struct civil at)
{
	int64_t days = days_from_date(at.year, at.month, at.day);

	return days * DAY_MS + at.hour * 3600000LL + at.minute * 60000LL + at.second * 1000LL -
	       CLOCK_SHANGHAI_MS;
}

void
clock_text(char *out, int64_t ms)
{
	struct civil c = clock_civil(ms);
	unsigned year = (unsigned)(c.year < 0 ? 0 : c.year) % 10000U;

	(void)snprintf(out, 17, "%04u-%02u-%02u %02u:%02u", year, (unsigned)c.month % 100U,
	    (unsigned)c.day % 100U, (unsigned)c.hour % 100U, (unsigned)c.minute % 100U);
}

void
clock_rfc3339(char *out, int64_t ms)
{
	struct civil c = clock_civil(ms);
	unsigned year = (unsigned)(c.year < 0 ? 0 : c.year) % 10000U;

	(void)snprintf(out, 26, "%04u-%02u-%02uT%02u:%02u:%02u+08:00", year,
	    (unsigned)c.month % 100U, (unsigned)c.day % 100U, (unsigned)c.hour % 100U,
	    (unsigned)c.minute % 100U, (unsigned)c.second % 100U);
}

/* Exactly n digits at *p, moved past; -1 if they are not there. */
static int
take_digits(const char **p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool
take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool
is_real_date(const struct civil *c)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

	if (c->year < 1970 || c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	return c->day <= lengths[c->month - 1] + (leap && c->month == 2);
}

bool
clock_parse(const char *text, int64_t *ret_ms)
{
	struct civil c = {0};
	const char *p = text;

	if ((c.year = take_digits(&p, 4)) < 0 || !take_char(&p, '-') ||
	    (c.month = take_digits(&p, 2)) < 0 || !take_char(&p, '-') ||
	    (c.day = take_digits(&p, 2)) < 0 || !is_real_date(&c))
		return false;
	if (!take_char(&p, ' ') && !take_char(&p, 'T'))
		return false;
	if ((c.hour = take_digits(&p, 2)) < 0 || !take_char(&p, ':') ||
	    (c.minute = take_digits(&p, 2)) < 0)
		return false;
	if (take_char(&p, ':') && (c.second = take_digits(&p, 2)) < 0)
		return false;
	if (c.hour > 23 || c.minute > 59 || c.second > 59)
		return false;
	if (*p != '\0' && strcmp(p, "+08:00") != 0)
		return false;
	*ret_ms = clock_from_civil(c);
	return true;
}
