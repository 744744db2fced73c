/* law_clock.c - what time alone does: deadlines that pass, cases that get urgent, rests that end.
 *
 * law_clock looks at one moment, `now`, and lets everything happen that is due, in order, until nothing
 * is left (a move may make the next one due at once). law_next_time says when to look again. */
#include "base/check.h"
#include "workers/escalation/law_parts.h"

#define MOVES_MOST 6

static int64_t
half_of_deadline(const struct law *l)
{
	const struct calendar *cal = l->ctx->calendar;
	const struct law_case *c = l->c;
	int64_t length = calendar_between(cal, HOURS_CALLING, c->since, c->deadline);

	return law_whole(calendar_add(
	    cal, HOURS_CALLING, c->since, length * policy_n(l->ctx->policy, SET_HOT) / 100));
}

/* When a case whose owner is away moves by itself: at once near the end of the pass, else after the
 * working day; 0 never. */
static int64_t
away_at(const struct law *l)
{
	const struct law_case *c = l->c;
	const struct law_ctx *x = l->ctx;
	int64_t near, after;

	if (l->presence == PRESENT || c->reserved)
		return 0;
	if (l->presence == GONE)
		return x->now;
	after = law_after(l, x->absent_since, SET_ABSENCE_AFTER);
	after = c->due > after ? c->due : after;
	if (c->pass_end == 0 || c->due >= c->pass_end)
		return after;
	near = law_whole(
	    calendar_sub(x->calendar, HOURS_CALLING, c->pass_end, law_length(l, SET_ABSENCE_NEAR)));
	if (c->due >= near)
		near = x->absent_since;
	return near < after ? near : after;
}

static bool
at_last(const struct law *l, int64_t at)
{
	return at != 0 && l->ctx->now >= at;
}

static bool
own_reserved(struct law *l)
{
	struct law_case *c = l->c;

	if (!c->reserved)
		return false;
	if (at_last(l, law_after(l, c->since, SET_RESERVE_POOL))) {
		law_to_pool(l, REASON_RESERVE_PASSED);
		return true;
	}
	if ((c->warned & WARNED_BOARD) == 0 &&
	    at_last(l, law_after(l, c->since, SET_RESERVE_BOARD))) {
		c->warned |= WARNED_BOARD;
		l->out->alerts |= ALERT_LEADER;
	}
	return false;
}

static bool
own_clock(struct law *l)
{
	struct law_case *c = l->c;

	if (own_reserved(l) || law_rung_clock(l))
		return true;
	if (c->promised_at != 0 && at_last(l, law_after(l, c->promised_at, SET_PROMISE_LATE))) {
		law_to_leader(l, false, THEN_STRIKE, STRIKE_DIFFICULT, REASON_LATE_PROMISE);
		l->out->alerts |= ALERT_OWNER;
		return true;
	}
	if (c->decide_by != 0 && at_last(l, law_after(l, c->decide_by, SET_DECIDE_LATE))) {
		c->decide_by = 0;
		law_to_leader(l, false, THEN_STRIKE, STRIKE_DIFFICULT, REASON_DECIDE);
		return true;
	}
	if (at_last(l, away_at(l))) {
		law_to_leader(l, false, THEN_HAND_UP, STRIKE_NONE, REASON_OWNER_AWAY);
		return true;
	}
	if (c->asked && at_last(l, c->deadline)) {
		c->asked = false;
		c->deadline = 0;
		l->out->alerts |= ALERT_HEAD | ALERT_OWNER;
		if (c->promised_at == 0)
			law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_NOT_ANSWERED);
		return true;
	}
	if (c->cls > CLASS_FIRST && at_last(l, c->decide_by)) {
		c->cls = CLASS_PROMISE;
		law_stay(l, REASON_DECIDE_NOW);
	}
	if (c->cls == CLASS_RETRY && at_last(l, law_after(l, c->due, SET_RETRY_LATE))) {
		c->cls = CLASS_PROMISE;
		law_stay(l, REASON_LATE_RETRY);
	}
	return false;
}

static bool
waiting_clock(struct law *l)
{
	struct law_case *c = l->c;

	if (!at_last(l, c->deadline)) {
		if (c->place == PLACE_TEAM && !c->hot && at_last(l, half_of_deadline(l)))
			c->hot = true;
		return false;
	}
	if (c->place == PLACE_TEAM) {
		law_leader_silent(l);
		return true;
	}
	/* Papers and incidents stay where they are; who is responsible hears of it again. */
	c->hot = true;
	c->deadline = law_after(l, l->ctx->now, SET_RULING_REMIND);
	l->out->alerts |=
	    c->place == PLACE_PAPERS ? ALERT_DATA | ALERT_HEAD : ALERT_SUPERVISION | ALERT_HEAD;
	return false;
}

/* The day of the notice or of the registration may become known while the case rests. */
static void
rest_until_dates(struct law *l)
{
	struct law_case *c = l->c;

	if (c->stage >= 3 && c->state == STATE_CONFIRMED && c->then != THEN_STRIKE && !c->no_dial &&
	    c->due > l->ctx->now)
		c->due = law_dated_follow_up(l, c->due);
}

static bool
rest_clock(struct law *l)
{
	struct law_case *c = l->c;

	rest_until_dates(l);
	if (!at_last(l, c->due))
		return false;
	if (c->then == THEN_STRIKE)
		law_to_strike(l, c->then_strike, REASON_STRIKE);
	else if (c->no_dial)
		law_to_rest(l, CALENDAR_NEVER, THEN_REPEAT, STRIKE_NONE, REASON_RESTS_NO_CALLS);
	else
		law_to_own(l, law_class(l), law_open(l, l->ctx->now), REASON_FOLLOW_UP);
	return true;
}

static bool
in_work(const struct law_case *c)
{
	return c->place != PLACE_UNRELEASED && c->place != PLACE_TERMINAL;
}

static bool
clock_once(struct law *l)
{
	struct law_case *c = l->c;

	if (in_work(c) && c->stage == 2 && c->pass_end != 0 && l->ctx->now >= c->pass_end &&
	    l->ctx->pass > c->pass && l->ctx->pass_end > l->ctx->now) {
		law_join_pass(l, l->ctx->pass, l->ctx->pass_end);
		return true;
	}
	/* Said in a late record, or before the case came here: it rules all the same. */
	if (c->no_dial &&
	    (c->place == PLACE_OWN || c->place == PLACE_POOL || c->place == PLACE_STRIKE)) {
		law_to_leader(l, false, THEN_REST, STRIKE_REFUSES, REASON_HAND_UP);
		return true;
	}
	switch (c->place) {
	case PLACE_OWN: return own_clock(l);
	case PLACE_TEAM:
	case PLACE_PAPERS:
	case PLACE_SUPERVISION: return waiting_clock(l);
	case PLACE_STRIKE: law_strike_clock(l); return false;
	case PLACE_RESTING: return rest_clock(l);
	case PLACE_UNRELEASED:
	case PLACE_POOL:
	case PLACE_PARKED:
	case PLACE_TERMINAL:
	case PLACES: break;
	}
	return false;
}

void
law_clock(struct law *l)
{
	for (int i = 0; i < MOVES_MOST && clock_once(l); i++)
		;
}

static void
sooner(const struct law *l, int64_t *best, int64_t at)
{
	if (at > l->ctx->now && at != CALENDAR_NEVER && (*best == 0 || at < *best))
		*best = at;
}

static void
own_times(const struct law *l, int64_t *best)
{
	const struct law_case *c = l->c;

	if (c->reserved && (c->warned & WARNED_BOARD) == 0)
		sooner(l, best, law_after(l, c->since, SET_RESERVE_BOARD));
	if (c->reserved)
		sooner(l, best, law_after(l, c->since, SET_RESERVE_POOL));
	if (c->promised_at != 0)
		sooner(l, best, law_after(l, c->promised_at, SET_PROMISE_LATE));
	if (c->cls > CLASS_FIRST)
		sooner(l, best, c->decide_by);
	if (c->decide_by != 0)
		sooner(l, best, law_after(l, c->decide_by, SET_DECIDE_LATE));
	if (c->asked)
		sooner(l, best, c->deadline);
	if (c->cls == CLASS_RETRY)
		sooner(l, best, law_after(l, c->due, SET_RETRY_LATE));
	sooner(l, best, away_at(l));
	sooner(l, best, law_rung_time(l));
}

/* The next moment at which time alone changes something; 0 never. */
int64_t
law_next_time(const struct law *l)
{
	const struct law_case *c = l->c;
	int64_t best = 0;

	if (in_work(c) && c->pass_end != 0)
		sooner(l, &best, c->pass_end);
	switch (c->place) {
	case PLACE_OWN: own_times(l, &best); break;
	case PLACE_TEAM:
		if (!c->hot)
			sooner(l, &best, half_of_deadline(l));
		sooner(l, &best, c->deadline);
		break;
	case PLACE_PAPERS:
	case PLACE_SUPERVISION: sooner(l, &best, c->deadline); break;
	case PLACE_STRIKE: sooner(l, &best, law_strike_time(l)); break;
	case PLACE_RESTING: sooner(l, &best, c->due); break;
	case PLACE_UNRELEASED:
	case PLACE_POOL:
	case PLACE_PARKED:
	case PLACE_TERMINAL:
	case PLACES: break;
	}
	return best;
}
