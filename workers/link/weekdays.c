/* weekdays.c - a policy's rows `days | working | mon-fri` and `day | 2026-04-06 | holiday`, and the days imported over them.
 *
 * Happy path: an imported day decides, else a day of the policy, else the week. Failures: imported days that do not read;
 * a calendar without any such day for a year answers 0. The router has judged the policy, so its rows read. */
#include "workers/link/weekdays.h"

#include <string.h>

#include "base/text.h"

#define DAY_MS      86400000LL
#define SHANGHAI_MS (8 * 3600000LL)
#define FAR         366

static const char *const week_names[2][7] = {{"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
    {"周一", "周二", "周三", "周四", "周五", "周六", "周日"}};

/* The day that the word begins with, -1 none; *word moves behind it. */
static int
weekday(const char **word)
{
	for (int l = 0; l < 2; l++) {
		for (int i = 0; i < 7; i++) {
			size_t n = strlen(week_names[l][i]);

			if (strncmp(*word, week_names[l][i], n) == 0) {
				*word += n;
				return i;
			}
		}
	}
	return -1;
}

/* "mon-fri, sun" */
static void
read_week(bool week[7], char *text)
{
	char *save = NULL;

	memset(week, 0, 7 * sizeof(bool));
	for (char *t = strtok_r(text, " ,", &save); t != NULL; t = strtok_r(NULL, " ,", &save)) {
		const char *w = t;
		int from = weekday(&w), until = from;

		if (*w == '-') {
			w++;
			until = weekday(&w);
		}
		for (int i = from; from >= 0 && until >= 0; i = (i + 1) % 7) {
			week[i] = true;
			if (i == until)
				break;
		}
	}
}

static void
read_line(struct weekdays *w, char *line)
{
	const char *word = w->of == WEEKDAYS_CALLING ? "calling" : "working";
	struct days one;
	char *at, *value;

	if (strncmp(line, "days", 4) == 0 && (at = strstr(line, word)) != NULL) {
		value = strchr(at, '|');
		if (value != NULL) {
			value[1 + strcspn(value + 1, "|")] = '\0';
			read_week(w->week, value + 1);
		}
	} else if (strncmp(line, "day ", 4) == 0 && days_parse(&one, span_str(line), NULL) == 0 &&
	           one.n == 1) {
		(void)days_put(&w->policy, &one.at[0], false);
	}
}

int
weekdays_read(struct weekdays *ret, enum weekdays_of of, struct span policy, struct span imported,
    struct err *err)
{
	struct buf text = BUF_INIT;
	char *save = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->of = of;
	for (int i = 0; i < (of == WEEKDAYS_CALLING ? 7 : 5); i++)
		ret->week[i] = true;
	buf_add(&text, policy.data, policy.len);
	buf_addc(&text, '\0');
	for (char *line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		read_line(ret, line);
	buf_done(&text);
	return days_parse(&ret->imported, imported, err);
}

bool
weekdays_is(const struct weekdays *w, int32_t day)
{
	const struct day *x = days_find(&w->imported, day);

	if (x == NULL)
		x = days_find(&w->policy, day);
	if (x != NULL && x->kind != DAY_ORDINARY)
		return w->of == WEEKDAYS_CALLING ? x->kind != DAY_HOLIDAY : x->kind == DAY_WORKDAY;
	return w->week[(day % 7 + 7 + 3) % 7]; /* 1970-01-01 was a Thursday */
}

int32_t
weekdays_after(const struct weekdays *w, int32_t day, int n)
{
	for (int i = 1; i <= FAR; i++)
		if (weekdays_is(w, day + i) && --n <= 0)
			return day + i;
	return 0;
}

int32_t
weekdays_day(int64_t ms)
{
	return (int32_t)((ms + SHANGHAI_MS) / DAY_MS);
}

int64_t
weekdays_begin(int32_t day)
{
	return day * DAY_MS - SHANGHAI_MS;
}
