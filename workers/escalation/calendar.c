/* calendar.c - calling time, day by day: each day is at most a few windows of minutes.
 *
 * Everything else is walking those windows forwards or backwards. Walks end after SEARCH_DAYS, so a
 * policy without one open minute gives CALENDAR_NEVER instead of a loop without end. */
#include "workers/escalation/calendar.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"

#define SEARCH_DAYS 400
#define LAST_DAY    2932896 /* 9999-12-31 */
#define WINDOWS     4

struct windows {
	int n;
	struct {
		int64_t from, until;
	} at[WINDOWS]; /* instants, rising */
};

static int64_t
clamp(int64_t at)
{
	return at < 0 ? 0 : at > CALENDAR_NEVER ? CALENDAR_NEVER : at;
}

int32_t
calendar_day(int64_t at)
{
	return (int32_t)((clamp(at) + CLOCK_SHANGHAI_MS) / DAY_MS);
}

int64_t
calendar_at(int32_t day, int minutes)
{
	return (int64_t)day * DAY_MS + minutes * MINUTE_MS - CLOCK_SHANGHAI_MS;
}

bool
calendar_set_day(struct calendar *c, int32_t day, bool calling, bool working)
{
	int at = c->n_days;

	while (at > 0 && c->days[at - 1].day >= day)
		at--;
	if (at == c->n_days || c->days[at].day != day) {
		if (c->n_days == POLICY_DAYS)
			return false;
		memmove(
		    &c->days[at + 1], &c->days[at], (size_t)(c->n_days - at) * sizeof(c->days[0]));
		c->n_days++;
	}
	c->days[at] = (struct day_row){day, calling, working};
	return true;
}

void
calendar_init(struct calendar *c, const struct policy *p)
{
	memset(c, 0, sizeof(*c));
	c->policy = p;
	for (int i = 0; i < p->n_days; i++)
		CHECK(calendar_set_day(c, p->days[i].day, p->days[i].calling, p->days[i].working));
}

static struct day_row
day_of(const struct calendar *c, int32_t day)
{
	unsigned weekday = (unsigned)((day + 3) % 7); /* 1970-01-01 was a Thursday */
	int low = 0, high = c->n_days;

	while (low < high) {
		int mid = (low + high) / 2;

		if (c->days[mid].day < day)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < c->n_days && c->days[low].day == day)
		return c->days[low];
	return (struct day_row){day, (c->policy->calling_days >> weekday & 1) != 0,
	    (c->policy->working_days >> weekday & 1) != 0};
}

static bool
day_counts(const struct calendar *c, enum hours_kind k, int32_t day)
{
	struct day_row row = day_of(c, day);

	return k == HOURS_OFFICE ? row.working : row.calling;
}

static void
add_window(struct windows *w, int32_t day, int from, int until)
{
	if (from >= until)
		return;
	CHECK(w->n < WINDOWS);
	w->at[w->n].from = calendar_at(day, from);
	w->at[w->n].until = calendar_at(day, until);
	w->n++;
}

static struct windows
windows_of(const struct calendar *c, enum hours_kind k, int32_t day)
{
	const struct policy *p = c->policy;
	const struct hours *h = k == HOURS_ASKED ? &p->asked : &p->offered;
	struct windows w = {0};

	if (!day_counts(c, k, day))
		return w;
	if (k == HOURS_OFFICE) {
		for (int i = 0; i < p->n_office; i++)
			add_window(&w, day, p->office[i].from, p->office[i].until);
		return w;
	}
	add_window(&w, day, h->from, p->quiet.from);
	add_window(&w, day, p->quiet.until, h->until);
	return w;
}

int64_t
calendar_open(const struct calendar *c, enum hours_kind k, int64_t at)
{
	int32_t day = calendar_day(at);

	for (int32_t d = day; d <= day + SEARCH_DAYS && d < LAST_DAY; d++) {
		struct windows w = windows_of(c, k, d);

		for (int i = 0; i < w.n; i++)
			if (at < w.at[i].until)
				return at < w.at[i].from ? w.at[i].from : at;
	}
	return CALENDAR_NEVER;
}

bool
calendar_is_open(const struct calendar *c, enum hours_kind k, int64_t at)
{
	return calendar_open(c, k, at) == at;
}

int64_t
calendar_add(const struct calendar *c, enum hours_kind k, int64_t at, int64_t ms)
{
	int32_t day = calendar_day(at);

	for (int32_t d = day; d <= day + SEARCH_DAYS && d < LAST_DAY; d++) {
		struct windows w = windows_of(c, k, d);

		for (int i = 0; i < w.n; i++) {
			int64_t from = at > w.at[i].from ? at : w.at[i].from;

			if (from >= w.at[i].until)
				continue;
			if (ms < w.at[i].until - from)
				return from + (ms > 0 ? ms : 0);
			ms -= w.at[i].until - from;
		}
	}
	return CALENDAR_NEVER;
}

int64_t
calendar_sub(const struct calendar *c, enum hours_kind k, int64_t at, int64_t ms)
{
	int32_t day = calendar_day(at);

	if (ms < 1)
		ms = 1;
	for (int32_t d = day; d >= 0 && d >= day - SEARCH_DAYS; d--) {
		struct windows w = windows_of(c, k, d);

		for (int i = w.n - 1; i >= 0; i--) {
			int64_t until = at < w.at[i].until ? at : w.at[i].until;

			if (until <= w.at[i].from)
				continue;
			if (ms <= until - w.at[i].from)
				return until - ms;
			ms -= until - w.at[i].from;
		}
	}
	return 0;
}

int64_t
calendar_between(const struct calendar *c, enum hours_kind k, int64_t from, int64_t until)
{
	int32_t day = calendar_day(from), last = calendar_day(until);
	int64_t sum = 0;

	if (last > day + SEARCH_DAYS)
		last = day + SEARCH_DAYS;
	for (int32_t d = day; d <= last && d < LAST_DAY; d++) {
		struct windows w = windows_of(c, k, d);

		for (int i = 0; i < w.n; i++) {
			int64_t a = from > w.at[i].from ? from : w.at[i].from;
			int64_t b = until < w.at[i].until ? until : w.at[i].until;

			if (a < b)
				sum += b - a;
		}
	}
	return sum;
}

int64_t
calendar_days(const struct calendar *c, enum hours_kind k, int64_t at, int n)
{
	int32_t day = calendar_day(at), d = day;

	at = clamp(at);
	for (; n > 0 && d < day + SEARCH_DAYS && d < LAST_DAY; d++)
		if (day_counts(c, k, d + 1))
			n--;
	if (n > 0)
		return CALENDAR_NEVER;
	return calendar_open(c, k, at + (int64_t)(d - day) * DAY_MS);
}

int64_t
calendar_morning(const struct calendar *c, int64_t at)
{
	return calendar_open(c, HOURS_CALLING, calendar_at(calendar_day(at) + 1, 0));
}

int
calendar_daypart(const struct calendar *c, int64_t at)
{
	int64_t minute = (clamp(at) - calendar_at(calendar_day(at), 0)) / MINUTE_MS;
	int part = 0;

	for (int i = 1; i < 4; i++)
		if (minute >= c->policy->dayparts[i].from)
			part = i;
	return part;
}

int64_t
calendar_next_daypart(const struct calendar *c, int64_t at, unsigned allowed)
{
	int32_t day = calendar_day(at);

	CHECK((allowed & 15) != 0);
	for (int32_t d = day; d <= day + SEARCH_DAYS && d < LAST_DAY; d++) {
		if (!day_counts(c, HOURS_CALLING, d))
			continue;
		for (int i = 0; i < 4; i++) {
			const struct hours *h = &c->policy->dayparts[i];
			int64_t from = calendar_at(d, h->from);

			if ((allowed >> i & 1) == 0 || from <= at)
				continue;
			/* A part that begins in the quiet hour begins after it, if it still does. */
			from = calendar_open(c, HOURS_CALLING, from);
			if (from < calendar_at(d, h->until))
				return from;
		}
	}
	return CALENDAR_NEVER;
}

int64_t
calendar_day_length(const struct calendar *c)
{
	const struct policy *p = c->policy;

	return (p->offered.until - p->offered.from - (p->quiet.until - p->quiet.from)) * MINUTE_MS;
}

int64_t
calendar_step(const struct calendar *c, int64_t at, struct step s, unsigned tried)
{
	unsigned here = 1u << calendar_daypart(c, at), other = ~(tried | here) & 15;
	int64_t after;

	switch (s.kind) {
	case STEP_MINUTES: return calendar_add(c, HOURS_CALLING, at, s.n * MINUTE_MS);
	case STEP_DAYS: return calendar_days(c, HOURS_CALLING, at, s.n);
	case STEP_WORKDAYS: return calendar_days(c, HOURS_OFFICE, at, s.n);
	case STEP_MORNING: return calendar_morning(c, at);
	case STEP_NEXT_DAYPART:
	case STEP_OTHER_DAYPART:
		after = calendar_step(c, at, c->policy->set_step[SET_DAYPART_GAP], 0);
		if (c->policy->set_step[SET_DAYPART_GAP].n == 0)
			after = at;
		if (s.kind == STEP_NEXT_DAYPART || other == 0)
			other = ~here & 15;
		return calendar_next_daypart(c, after, other);
	}
	CHECK(0);
	return CALENDAR_NEVER;
}

struct gate_state
calendar_gate(const struct calendar *c, int64_t at)
{
	int64_t calling = calendar_open(c, HOURS_CALLING, at);
	int64_t asked = calendar_open(c, HOURS_ASKED, at);
	struct gate_state g = {GATE_CLOSED, calling < asked ? calling : asked, calling};
	enum hours_kind k = calling == at ? HOURS_CALLING : HOURS_ASKED;

	if (calling != at && asked != at)
		return g;
	g.gate = calling == at ? GATE_OPEN : GATE_ASKED;
	g.until = CALENDAR_NEVER;
	for (int i = 0; i < WINDOWS; i++) {
		struct windows w = windows_of(c, k, calendar_day(at));

		if (i < w.n && w.at[i].from <= at && at < w.at[i].until)
			g.until = w.at[i].until;
	}
	/* After the offered hours the asked ones end, and before them they give way. */
	if (g.gate == GATE_ASKED && calling < g.until)
		g.until = calling;
	return g;
}
