/* days.c - the list of days that differ: kept rising, printed and read as lines of a policy file.
 *
 * Happy path: parse what a record says, put each day into what is known. Failures: a line that does not read
 * is told with its number and nothing of the text is taken; a full list says so. */
#include "proto/days.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define DAY_MS   86400000LL
#define YEAR_MAX 2199

static const char *const names[DAY_KINDS] = {"ordinary", "holiday", "workday", "calling"};

const char *
day_kind_name(enum day_kind k)
{
	return names[k];
}

enum day_kind
day_kind_by_name(const char *name)
{
	enum day_kind k = DAY_ORDINARY;

	while (k < DAY_KINDS && strcmp(names[k], name) != 0)
		k++;
	return k;
}

enum days_put
days_put(struct days *d, const struct day *day, bool keep)
{
	uint32_t at = 0;
	bool there;

	while (at < d->n && d->at[at].day < day->day)
		at++;
	there = at < d->n && d->at[at].day == day->day;
	if (day->kind == DAY_ORDINARY && !keep) {
		if (!there)
			return DAYS_SAME;
		d->n--;
		memmove(&d->at[at], &d->at[at + 1], (d->n - at) * sizeof(d->at[0]));
		return DAYS_CHANGED;
	}
	if (there && d->at[at].kind == day->kind && strcmp(d->at[at].label, day->label) == 0)
		return DAYS_SAME;
	if (!there) {
		if (d->n == DAYS_MAX)
			return DAYS_FULL;
		memmove(&d->at[at + 1], &d->at[at], (d->n - at) * sizeof(d->at[0]));
		d->n++;
	}
	d->at[at] = *day;
	return DAYS_CHANGED;
}

const struct day *
days_find(const struct days *d, int32_t day)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->at[i].day == day)
			return &d->at[i];
	return NULL;
}

/* Digits up to a separator or the end; 0 none. */
static int
number(const char **at, const char *end, int most)
{
	int v = 0, n = 0;

	while (*at < end && **at >= '0' && **at <= '9' && n < most) {
		v = v * 10 + (*(*at)++ - '0');
		n++;
	}
	return n == 0 ? 0 : v;
}

bool
days_date(struct span text, int32_t *ret)
{
	const char *at = (const char *)text.data, *end = at + text.len;
	bool bare = text.len == 8 && memchr(at, '-', 8) == NULL && memchr(at, '/', 8) == NULL;
	struct civil c = {.year = 0}, back;
	int64_t ms;

	c.year = number(&at, end, 4);
	if (!bare && (at == end || (*at != '-' && *at != '/')))
		return false;
	at += !bare;
	c.month = number(&at, end, 2);
	if (!bare && (at == end || (*at != '-' && *at != '/')))
		return false;
	at += !bare;
	c.day = number(&at, end, 2);
	if (at != end || c.year < 1970 || c.year > YEAR_MAX || c.month < 1 || c.month > 12 ||
	    c.day < 1 || c.day > 31)
		return false;
	ms = clock_from_civil(c);
	back = clock_civil(ms);
	if (back.day != c.day || back.month != c.month)
		return false; /* 2026-02-30 */
	*ret = (int32_t)((ms + CLOCK_SHANGHAI_MS) / DAY_MS);
	return true;
}

void
days_date_text(char out[DAYS_DATE], int32_t day)
{
	struct civil c = clock_civil((int64_t)day * DAY_MS - CLOCK_SHANGHAI_MS);

	(void)snprintf(out, DAYS_DATE, "%04u-%02u-%02u", (unsigned)c.year % 10000,
	    (unsigned)c.month % 100, (unsigned)c.day % 100);
}

void
days_label(char out[DAYS_LABEL], struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n < DAYS_LABEL - 1; i++)
		out[n++] = (char)(text.data[i] < ' ' || text.data[i] == '|' || text.data[i] == 127
		                      ? ' '
		                      : text.data[i]);
	while (n > 0 && !utf8_valid((const uint8_t *)out, n))
		n--; /* cut within a character */
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

void
days_print(struct buf *out, const struct days *d)
{
	char date[DAYS_DATE];

	for (uint32_t i = 0; i < d->n; i++) {
		const struct day *day = &d->at[i];

		days_date_text(date, day->day);
		buf_addf(out, "day | %s | %s%s%s\n", date, day_kind_name(day->kind),
		    day->label[0] == '\0' ? "" : " | ", day->label);
	}
}

/* The next field of a line, without its blanks. */
static struct span
field(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = *at, *bar = memchr(from, '|', (size_t)(end - from));
	const uint8_t *until = bar == NULL ? end : bar;

	*at = bar == NULL ? end : bar + 1;
	while (from < until && *from == ' ')
		from++;
	while (until > from && until[-1] == ' ')
		until--;
	return span_of(from, (size_t)(until - from));
}

static bool
parse_line(const uint8_t *at, const uint8_t *end, struct day *ret)
{
	struct span word = field(&at, end), date = field(&at, end), kind = field(&at, end);
	char name[16] = "";

	if (!span_eq_str(word, "day") || !days_date(date, &ret->day) || kind.len >= sizeof(name))
		return false;
	memcpy(name, kind.data, kind.len);
	ret->kind = day_kind_by_name(name);
	days_label(ret->label, field(&at, end));
	return ret->kind != DAY_KINDS && at == end;
}

int
days_parse(struct days *ret, struct span text, struct err *err)
{
	static struct days d;
	const uint8_t *at = text.data, *end = text.data + text.len;

	d.n = 0;
	for (int line = 1; at < end; line++) {
		const uint8_t *nl = memchr(at, '\n', (size_t)(end - at));
		const uint8_t *stop = nl == NULL ? end : nl;
		struct day day = {.kind = DAY_ORDINARY};

		if (stop > at &&
		    (!utf8_valid(at, (size_t)(stop - at)) || !parse_line(at, stop, &day)))
			return err_set(err, ERR_INVALID,
			    "line %d of the days does not read: day | 2026-04-06 | holiday | label",
			    line);
		if (stop > at && days_put(&d, &day, true) == DAYS_FULL)
			return err_set(err, ERR_FULL, "more than %d days", DAYS_MAX);
		at = nl == NULL ? end : nl + 1;
	}
	*ret = d;
	return 0;
}
