/* freehours.c - in which hours of the week each caller is free (practice.md 4): retries prefer them.
 *
 * Happy path: a person's own NOTE without a case, what = "free-hours", its note the hours; kept in Redis as one line a
 * person, and turned into the next days' spans for the law. Failures: hours that do not read are refused, told, and the
 * old ones hold. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "workers/escalation/router.h"

#define AHEAD 4 /* days that the law is told of */

struct free_hours {
	struct week week;
	char text[WEEK_TEXT + 1];
};

bool
freehours_take(struct router *r, const char *person, struct span text)
{
	struct err err = ERR_INIT;
	struct free_hours *h, was = {.text = ""};
	struct week w;

	if (week_parse(&w, text, &err) != 0) {
		log_warn("freehours", "decision=\"not readable, the old ones hold\"");
		return false;
	}
	h = map_get(r->free_hours, person, strlen(person));
	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		(void)map_put(r->free_hours, person, strlen(person), h);
	} else {
		was = *h;
	}
	h->week = w;
	memset(h->text, 0, sizeof(h->text));
	if (text.len > 0)
		memcpy(h->text, text.data, text.len);
	return strcmp(was.text, h->text) != 0;
}

void
freehours_load(struct router *r, struct span lines)
{
	const char *at = (const char *)lines.data, *end = at + lines.len;

	while (lines.len > 0 && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl == NULL ? end : nl,
		           *bar = memchr(at, '|', (size_t)(stop - at));
		name_t person = "";

		if (bar != NULL && bar > at && (size_t)(bar - at) < sizeof(person)) {
			memcpy(person, at, (size_t)(bar - at));
			(void)freehours_take(r, person, span_of(bar + 1, (size_t)(stop - bar - 1)));
		}
		at = stop + 1;
	}
}

void
freehours_print(struct buf *out, const struct router *r)
{
	struct map_iter it = map_begin(r->free_hours);
	const void *person;
	size_t len;
	void *v;

	while (map_next(&it, &person, &len, &v)) {
		const struct free_hours *h = v;

		if (h->text[0] != '\0')
			buf_addf(out, "%.*s|%s\n", (int)len, (const char *)person, h->text);
	}
}

int
freehours_spans(
    const struct router *r, const char *person, int64_t now, struct span_of_time *out, int most)
{
	const struct free_hours *h =
	    person[0] == '\0' ? NULL : map_get(r->free_hours, person, strlen(person));
	int32_t today = calendar_day(now);
	int n = 0;

	for (int ahead = 0; h != NULL && ahead < AHEAD; ahead++) {
		int weekday = (clock_civil(calendar_at(today + ahead, 0)).weekday);

		for (uint32_t i = 0; i < h->week.n && n < most; i++) {
			const struct week_span *s = &h->week.at[i];

			if (s->day == weekday)
				out[n++] =
				    (struct span_of_time){calendar_at(today + ahead, s->from),
				        calendar_at(today + ahead, s->until)};
		}
	}
	return n;
}
