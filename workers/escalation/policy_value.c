/* policy_value.c - the small words of a policy file: times, stretches of time, dates, days, labels.
 *
 * Total on any bytes: a value that cannot be understood is `false`, and nothing was written. What a
 * Chinese keyboard makes of digits and signs (０８：３０, ，) is read as if it were plain. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "workers/escalation/policy_reader.h"

#define DAY_MINUTES 1440

/* One character of UTF-8: its length, and its plain equivalent or 0. */
static size_t
fold_char(const uint8_t *s, size_t len, char *ret_plain)
{
	unsigned cp;

	*ret_plain = 0;
	if (s[0] < 0x80) {
		*ret_plain = (char)s[0];
		return 1;
	}
	if (len < 3 || (s[0] & 0xf0) != 0xe0)
		return 1;
	cp = (unsigned)(s[0] & 15) << 12 | (unsigned)(s[1] & 63) << 6 | (unsigned)(s[2] & 63);
	if (cp >= 0xff01 && cp <= 0xff5e)
		*ret_plain = (char)(cp - 0xff01 + '!');
	else if (cp == 0x3000)
		*ret_plain = ' ';
	else if (cp == 0x3001)
		*ret_plain = ',';
	return 3;
}

struct value
value_of(struct span field)
{
	struct value v = {"", false};
	size_t n = 0;

	for (size_t i = 0; i < field.len;) {
		char plain;
		size_t step = fold_char(field.data + i, field.len - i, &plain);
		size_t add = plain != 0 ? 1 : step;

		if (n + add >= sizeof(v.text)) {
			v.too_long = true;
			break;
		}
		if (plain != 0)
			v.text[n] = plain == '\t' ? ' ' : plain;
		else
			memcpy(v.text + n, field.data + i, step);
		n += add;
		i += step;
	}
	while (n > 0 && v.text[n - 1] == ' ')
		n--;
	v.text[n] = '\0';
	return v;
}

struct value
value_shown(struct span field)
{
	struct value v = {"", false};
	size_t n = field.len < 40 ? field.len : 40;

	while (n > 0 && n < field.len && (field.data[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(v.text, field.data, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)v.text[i] < 0x20 || v.text[i] == 0x7f)
			v.text[i] = '?';
	v.text[n] = '\0';
	v.too_long = n < field.len;
	return v;
}

bool
value_word(const char **at, const char *seps, char *ret, size_t size)
{
	const char *s = *at + strspn(*at, seps);
	size_t len = strcspn(s, seps);
	size_t kept = len < size ? len : size - 1;

	if (len == 0)
		return false;
	memcpy(ret, s, kept);
	ret[kept] = '\0';
	*at = s + len;
	return true;
}

bool
value_int(const char *text, int32_t least, int32_t most, int32_t *ret)
{
	int64_t v;

	if (!text_to_i64(text, strlen(text), &v) || v < least || v > most)
		return false;
	*ret = (int32_t)v;
	return true;
}

bool
value_step(const char *text, struct step *ret)
{
	static const struct {
		const char *unit;
		enum step_kind kind;
		int32_t factor, most;
	} units[] = {{"min", STEP_MINUTES, 1, 6000}, {"分钟", STEP_MINUTES, 1, 6000},
	    {"h", STEP_MINUTES, 60, 200}, {"小时", STEP_MINUTES, 60, 200}, {"d", STEP_DAYS, 1, 200},
	    {"天", STEP_DAYS, 1, 200}, {"wd", STEP_WORKDAYS, 1, 100},
	    {"工作日", STEP_WORKDAYS, 1, 100}};
	size_t digits = strspn(text, "0123456789");
	char number[8];
	int32_t n;

	if (strcmp(text, "now") == 0) {
		*ret = (struct step){STEP_MINUTES, 0};
		return true;
	}
	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	text += digits + strspn(text + digits, " ");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text, units[i].unit) == 0 && value_int(number, 0, units[i].most, &n)) {
			*ret = (struct step){units[i].kind, n * units[i].factor};
			return true;
		}
	return false;
}

/* H:MM or HH:MM, up to 24:00. */
bool
value_time(const char *text, int16_t *ret_minutes)
{
	const char *colon = strchr(text, ':');
	char hour[3] = "";
	int32_t h, m;

	if (colon == NULL || colon == text || colon - text > 2 || strlen(colon) != 3)
		return false;
	memcpy(hour, text, (size_t)(colon - text));
	if (!value_int(hour, 0, 24, &h) || !value_int(colon + 1, 0, 59, &m) ||
	    h * 60 + m > DAY_MINUTES)
		return false;
	*ret_minutes = (int16_t)(h * 60 + m);
	return true;
}

bool
value_hours(const char *text, struct hours *ret)
{
	char from[8], until[8];
	struct hours h;

	if (!value_word(&text, " -", from, sizeof(from)) ||
	    !value_word(&text, " -", until, sizeof(until)) || text[strspn(text, " -")] != '\0' ||
	    !value_time(from, &h.from) || !value_time(until, &h.until) || h.from >= h.until)
		return false;
	*ret = h;
	return true;
}

bool
value_date(const char *text, int32_t *ret_day)
{
	char with_time[24];
	int64_t ms;

	if (strlen(text) != 10)
		return false;
	snprintf(with_time, sizeof(with_time), "%s 00:00", text);
	if (!clock_parse(with_time, &ms) || ms < 0)
		return false;
	*ret_day = (int32_t)((ms + CLOCK_SHANGHAI_MS) / 86400000);
	return true;
}

static int
weekday(const char *word)
{
	static const char *const names[7][2] = {{"mon", "周一"}, {"tue", "周二"}, {"wed", "周三"},
	    {"thu", "周四"}, {"fri", "周五"}, {"sat", "周六"}, {"sun", "周日"}};

	for (int d = 0; d < 7; d++)
		if (strcmp(word, names[d][0]) == 0 || strcmp(word, names[d][1]) == 0)
			return d;
	return -1;
}

bool
value_days(const char *text, uint8_t *ret_bits)
{
	unsigned bits = 0;
	char word[32];

	while (value_word(&text, " ,", word, sizeof(word))) {
		char *dash = strchr(word, '-');
		int from, until;

		if (dash != NULL)
			*dash = '\0';
		from = weekday(word);
		until = dash == NULL ? from : weekday(dash + 1);
		if (from < 0 || until < from)
			return false;
		for (int d = from; d <= until; d++)
			bits |= 1u << d;
	}
	if (bits == 0)
		return false;
	*ret_bits = (uint8_t)bits;
	return true;
}

bool
value_label(struct span field, char *ret, size_t size)
{
	if (field.len == 0 || field.len >= size || !utf8_valid(field.data, field.len))
		return false;
	for (size_t i = 0; i < field.len; i++)
		if (field.data[i] < 0x20 || field.data[i] == 0x7f)
			return false;
	memcpy(ret, field.data, field.len);
	ret[field.len] = '\0';
	return true;
}
