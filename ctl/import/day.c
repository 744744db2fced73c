/* Calendar arithmetic of the civil (Gregorian) calendar, and the ways people write a day.
 * Whatever is not exactly one day is refused. */
#include "ctl/import/day.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

bool
day_exists(struct day d)
{
	return d.year >= 1900 && d.year <= 2199 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
	       d.day <= month_days(d.year, d.month);
}

static int
ordinal(struct day d)
{
	return (d.year * 12 + d.month) * 32 + d.day;
}

int
day_compare(struct day a, struct day b)
{
	return (ordinal(a) > ordinal(b)) - (ordinal(a) < ordinal(b));
}

int
day_age(struct day birth, struct day today)
{
	int before_birthday = today.month * 32 + today.day < birth.month * 32 + birth.day;

	return today.year - birth.year - before_birthday;
}

struct day
day_plus(struct day d, int days)
{
	CHECK(day_exists(d));
	for (; days > 0; days--) {
		if (++d.day <= month_days(d.year, d.month))
			continue;
		d.day = 1;
		if (++d.month > 12) {
			d.month = 1;
			d.year++;
		}
	}
	for (; days < 0; days++) {
		if (--d.day >= 1)
			continue;
		if (--d.month < 1) {
			d.month = 12;
			d.year--;
		}
		d.day = month_days(d.year, d.month);
	}
	CHECK(day_exists(d));
	return d;
}

struct day
day_today(void)
{
	time_t now = time(NULL) + 8 * 3600;
	struct tm tm;

	CHECK(gmtime_r(&now, &tm) != NULL);
	return (struct day){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday};
}

/* Takes up to max digits at *at; -1 if there is none. */
static int
take_number(struct span s, size_t *at, int max)
{
	int n = 0, value = 0;

	while (n < max && *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9') {
		value = value * 10 + (s.data[*at] - '0');
		(*at)++;
		n++;
	}
	return n == 0 ? -1 : value;
}

static bool
take_word(struct span s, size_t *at, const char *word)
{
	size_t n = strlen(word);

	if (s.len - *at < n || memcmp(s.data + *at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

bool
day_parse(struct span text, struct day *ret)
{
	static const char *const marks[][3] = {
	    {"-", "-", ""}, {"/", "/", ""}, {".", ".", ""}, {"年", "月", "日"}, {"年", "月", "号"}};
	struct day d;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = 0;

		d.year = take_number(text, &at, 4);
		if (at != 4 || !take_word(text, &at, marks[i][0]))
			continue;
		d.month = take_number(text, &at, 2);
		if (!take_word(text, &at, marks[i][1]))
			continue;
		d.day = take_number(text, &at, 2);
		if (!take_word(text, &at, marks[i][2]) || at != text.len || !day_exists(d))
			continue;
		*ret = d;
		return true;
	}
	if (text.len == 8) {
		size_t at = 0;

		d.year = take_number(text, &at, 4);
		d.month = take_number(text, &at, 2);
		d.day = take_number(text, &at, 2);
		if (at == 8 && day_exists(d)) {
			*ret = d;
			return true;
		}
	}
	return false;
}
