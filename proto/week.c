/* week.c - reads the hours of a week, strictly: a day or two with a dash, then spans, groups apart by commas. */
#include "proto/week.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static int
day_of(const char *text, size_t len)
{
	for (int i = 0; i < 7; i++)
		if (len == 3 && memcmp(text, names[i], 3) == 0)
			return i;
	return -1;
}

/* "mon" or "mon-fri" */
static bool
days_of(const char *word, int *first, int *last)
{
	const char *dash = strchr(word, '-');
	size_t n = dash == NULL ? strlen(word) : (size_t)(dash - word);

	*first = day_of(word, n);
	*last = dash == NULL ? *first : day_of(dash + 1, strlen(dash + 1));
	return *first >= 0 && *last >= *first;
}

static bool
span_of_word(const char *word, struct week_span *ret)
{
	unsigned h1, m1, h2, m2;
	char rest;

	if (strlen(word) != 11 ||
	    sscanf(word, "%2u:%2u-%2u:%2u%c", &h1, &m1, &h2, &m2, &rest) != 4 || h1 > 23 ||
	    h2 > 24 || m1 > 59 || m2 > 59)
		return false;
	ret->from = (uint16_t)(h1 * 60 + m1);
	ret->until = (uint16_t)(h2 * 60 + m2);
	return ret->from < ret->until && ret->until <= 24 * 60;
}

static int
earlier(const void *a, const void *b)
{
	const struct week_span *x = a, *y = b;

	return x->day != y->day ? x->day - y->day : x->from - y->from;
}

static int
add(struct week *w, int first, int last, struct week_span s)
{
	for (int day = first; day <= last; day++) {
		if (w->n == WEEK_SPANS)
			return -1;
		s.day = (uint8_t)day;
		w->at[w->n++] = s;
	}
	return 0;
}

/* "mon-fri 12:00-13:00 18:00-21:00" */
static int
group(struct week *w, char *text, struct err *err)
{
	char *save, *word = strtok_r(text, " ", &save);
	int first, last, n = 0;

	if (word == NULL || !days_of(word, &first, &last))
		return err_set(err, ERR_INVALID, "“%s”不是星期几；写成 mon 或 mon-fri",
		    word == NULL ? "" : word);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		struct week_span s = {0, 0, 0};

		if (!span_of_word(word, &s))
			return err_set(
			    err, ERR_INVALID, "时间“%s”看不懂；写成 12:00-13:00，从早到晚", word);
		if (add(w, first, last, s) != 0)
			return err_set(err, ERR_INVALID, "一周最多 %d 段", WEEK_SPANS);
		n++;
	}
	return n > 0 ? 0 : err_set(err, ERR_INVALID, "%s 后面没有时间", names[first]);
}

int
week_parse(struct week *ret, struct span text, struct err *err)
{
	struct week w = {.n = 0};
	char copy[WEEK_TEXT + 1], *save, *part;

	if (text.len > WEEK_TEXT)
		return err_set(err, ERR_INVALID, "最多 %d 个字节", WEEK_TEXT);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (strlen(copy) != text.len || strpbrk(copy, "\n\r|") != NULL)
		return err_set(err, ERR_INVALID, "只要一行");
	for (part = strtok_r(copy, ",", &save); part != NULL; part = strtok_r(NULL, ",", &save))
		if (group(&w, part, err) != 0)
			return -1;
	qsort(w.at, w.n, sizeof(w.at[0]), earlier);
	*ret = w;
	return 0;
}
