/* law_days.c - days off came in after dates were set: what was reckoned in calling time or in days is reckoned anew.
 *
 * Happy path: a date of the law's own making that lies ahead keeps its length: as many calling days, working days or
 * hours of calling time from where it began, by the new calendar. What a person named (a promise, a pass's end) stays,
 * and so does the date of a rest, unless it is a day off now. Dates that are over stay over. */
#include "workers/escalation/law_parts.h"

#define STEPS_MOST 60 /* days of the longest stretch that a date may have been reckoned by */

struct change {
	const struct calendar *was, *is;
	int64_t now, from; /* from: where the stretch began */
};

/* The n days that lead from the beginning to the date, by the old calendar; 0: it was not reckoned so. */
static int
days_to(const struct change *x, enum hours_kind k, int64_t date)
{
	for (int n = 1; n <= STEPS_MOST; n++) {
		int64_t at = law_whole(calendar_days(x->was, k, x->from, n));

		if (at == date)
			return n;
		if (at > date)
			break;
	}
	return 0;
}

static int64_t
anew(const struct change *x, int64_t date, bool office)
{
	int n = 0;

	if (date <= x->now || date >= CALENDAR_NEVER)
		return date;
	if (x->from > 0 && office && (n = days_to(x, HOURS_OFFICE, date)) > 0)
		return law_whole(calendar_days(x->is, HOURS_OFFICE, x->from, n));
	return law_whole(calendar_add(
	    x->is, HOURS_CALLING, x->now, calendar_between(x->was, HOURS_CALLING, x->now, date)));
}

void
law_new_days(struct law_case *c, const struct calendar *was, const struct calendar *is, int64_t now)
{
	struct change x = {was, is, now, c->since};
	bool later = c->stage >= 3; /* there the leader has working days */

	switch (c->place) {
	case PLACE_OWN:
	case PLACE_TEAM:
	case PLACE_STRIKE:
	case PLACE_PAPERS: break;
	case PLACE_RESTING:
		if (c->due > now && c->due < CALENDAR_NEVER)
			c->due = law_whole(calendar_open(is, HOURS_CALLING, c->due));
		return;
	case PLACE_UNRELEASED:
	case PLACE_POOL:
	case PLACE_SUPERVISION:
	case PLACE_PARKED:
	case PLACE_TERMINAL:
	case PLACES: return;
	}
	if (c->promised_at == 0 && c->cls != CLASS_ASKED)
		c->due = anew(&x, c->due, false);
	c->decide_by = anew(&x, c->decide_by, false);
	c->deadline = anew(&x, c->deadline, later && c->place == PLACE_TEAM);
	c->strike_by = anew(&x, c->strike_by, false);
	c->rung_by = anew(&x, c->rung_by, false);
}
