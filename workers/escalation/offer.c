/* offer.c - the order of work as a list of lanes.
 *
 * 1 promises and who rang in; 2 what is past half of its deadline, for leaders and the strike team; 3 in
 * pass 1 first calls, then retries, in passes 2 and 3 what is due; 4 team, strike and papers; 5 the pool,
 * as far as the person may still pull from it. */
#include "workers/escalation/offer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "proto/roles.h"

static void __attribute__((format(printf, 2, 3))) add(struct offer *o, const char *fmt, ...)
{
	va_list ap;

	CHECK(o->n < OFFER_LANES);
	va_start(ap, fmt);
	vsnprintf(o->lanes[o->n++], LAW_LANE_MAX, fmt, ap);
	va_end(ap);
}

int
offer_caps(const struct policy *p, const struct calendar *c, int64_t now,
    const struct offer_campaign *x, const struct offer_person *who, int64_t *ret_until)
{
	int64_t unfirst = policy_n(p, SET_PULL_UNFIRST) - who->without_result;
	int64_t share, ends;

	*ret_until = CALENDAR_NEVER;
	if (x->released_at == 0 || x->callers == 0)
		return unfirst > 0 ? (int)unfirst : 0;
	ends = calendar_step(c, x->released_at, policy_step(p, SET_PULL_WINDOW), 0);
	if (now < ends) {
		/* 1.25 x the average, rounded up: the last case of a release must find somebody. */
		int64_t most = ((int64_t)x->volume * policy_n(p, SET_PULL_FACTOR) +
		                   100 * (int64_t)x->callers - 1) /
		               (100 * (int64_t)x->callers);

		*ret_until = ends;
		share = most - who->own;
		unfirst = share < unfirst ? share : unfirst;
	}
	return unfirst > 0 ? (int)unfirst : 0;
}

void
offer_lanes(struct offer *ret, const struct policy *p, const struct calendar *c, int64_t now,
    const struct offer_campaign *x, const struct offer_person *who)
{
	bool leads = (who->roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0 && who->team[0] != '\0';
	bool strike = (who->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;
	bool calls = (who->roles & (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY)) != 0;
	bool papers = (who->roles & (ROLE_DATA | ROLE_DESIGNATED)) != 0;
	bool pool;

	memset(ret, 0, sizeof(*ret));
	ret->until = CALENDAR_NEVER;
	if (!who->qualified || (!calls && !strike))
		return;
	if (x->gate == GATE_ASKED) {
		add(ret, "own:%s:asked", who->person);
		return;
	}
	if (calls && who->team[0] != '\0')
		ret->pulls = offer_caps(p, c, now, x, who, &ret->until);
	pool = ret->pulls > 0;
	add(ret, "own:%s:promise", who->person);
	add(ret, "own:%s:asked", who->person);
	if (leads)
		add(ret, "team:%s:hot", who->team);
	if (strike)
		add(ret, "strike:hot");
	add(ret, "own:%s:first", who->person);
	if (x->pass <= 1 && pool)
		add(ret, "pool");
	if (x->pass > 1)
		add(ret, "own:%s:due", who->person);
	add(ret, "own:%s:retry", who->person);
	if (x->pass <= 1)
		add(ret, "own:%s:due", who->person);
	if (leads)
		add(ret, "team:%s", who->team);
	if (strike)
		add(ret, "strike");
	if (papers)
		add(ret, "papers");
	if (x->pass > 1 && pool)
		add(ret, "pool");
}
