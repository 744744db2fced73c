/* law_strike.c - the strike team's task: taken within the hour, a first act in two, a result in eight
 * hours, or before the pass ends.
 *
 * Whoever of the team records first keeps the task until it is returned or solved. A lost applicant who
 * was found goes back to the owner whatever was said; the other kinds end with a result. Deadlines never
 * take a task away: they tell the heads and put it in front. */
#include <string.h>

#include "workers/escalation/law_parts.h"

bool
law_lost(const struct law_case *c)
{
	return c->strike == STRIKE_LOST || (c->lost_ruling && c->place == PLACE_RESTING);
}

static void
take(struct law *l)
{
	struct law_case *c = l->c;

	c->acted = true;
	if (l->act->strike_team && c->hand[0] == '\0')
		law_set_hand(c, l->act->person);
}

/* The next try, by whoever has the task; an agreed time is nobody's as long as nobody has it. */
static void
again_at(struct law *l, enum own_class cls, int64_t due)
{
	if (l->c->hand[0] == '\0') {
		l->c->promised_at = 0;
		due = law_open(l, due);
	}
	l->c->due = due;
	l->c->cls = law_asked(l, cls, due);
	law_stay(l, REASON_STRIKE_TRY);
}

void
law_strike_try(struct law *l, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, o);
	struct law_case *c = l->c;
	int tries;

	take(l);
	l->out->hints = row->hints;
	if (o == OUT_NUMBER_FOUND ||
	    (outcome_family(o) == FAMILY_FAIL && row->other_number && law_other_number(c))) {
		again_at(l, CLASS_PROMISE, law_open(l, l->ctx->now));
		return;
	}
	if (outcome_family(o) == FAMILY_AGAIN && l->act->next_at != 0) {
		c->promised_at = law_agreed(l, l->act->next_at);
		again_at(l, CLASS_PROMISE, c->promised_at);
		return;
	}
	if (outcome_family(o) == FAMILY_SIDE && row->n_steps == 0) {
		law_stay(l, REASON_STRIKE_TRY);
		return;
	}
	if (outcome_family(o) == FAMILY_FAIL)
		law_failed(l, o);
	tries = law_tries(c, o);
	if (tries > 0 && tries <= row->n_steps)
		again_at(l, law_class(l), law_due(l, row->steps[tries - 1], true, false));
	else
		again_at(
		    l, law_class(l), law_due(l, (struct step){STEP_OTHER_DAYPART, 0}, true, false));
}

static bool
is_result(enum outcome o)
{
	switch (o) {
	case OUT_CONSIDERING:
	case OUT_WILL_NOT_SAY:
	case OUT_NEEDS_HELP:
	case OUT_WAVERING:
	case OUT_REGRET:
	case OUT_NOT_COMING: return false;
	default: return true;
	}
}

void
law_strike_talk(struct law *l, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, o);
	struct law_case *c = l->c;
	struct step s =
	    row->n_steps > 0 && row->goes == GOES_OWN ? row->steps[0] : (struct step){STEP_DAYS, 1};

	take(l);
	l->out->hints = row->hints;
	if (c->strike == STRIKE_LOST || is_result(o)) {
		l->out->alerts |= ALERT_OWNER;
		law_plan(l, o);
		return;
	}
	if (o == OUT_NOT_COMING) {
		l->out->alerts |= ALERT_HEAD | ALERT_DATA;
		again_at(l, law_class(l), law_due(l, s, false, false));
		law_stay(l, REASON_AWAITS_RULING);
		return;
	}
	if (l->act->next_at != 0) {
		c->promised_at = law_agreed(l, l->act->next_at);
		again_at(l, CLASS_PROMISE, c->promised_at);
		return;
	}
	again_at(l, law_class(l), law_due(l, s, false, false));
}

static int64_t
half(const struct law *l, int64_t from, int64_t until)
{
	const struct calendar *cal = l->ctx->calendar;
	int64_t length = calendar_between(cal, HOURS_CALLING, from, until);

	return law_whole(calendar_add(
	    cal, HOURS_CALLING, from, length * policy_n(l->ctx->policy, SET_HOT) / 100));
}

void
law_strike_clock(struct law *l)
{
	struct law_case *c = l->c;
	int64_t now = l->ctx->now;

	if (!c->hot && now >= half(l, c->since, c->strike_by)) {
		c->hot = true;
		law_stay(l, REASON_STRIKE);
	}
	if (c->hand[0] == '\0' && (c->warned & WARNED_TAKE) == 0 &&
	    now >= law_after(l, c->since, SET_STRIKE_TAKE)) {
		c->warned |= WARNED_TAKE;
		c->hot = true;
		l->out->alerts |= ALERT_STRIKE_HEAD;
	}
	if (!c->acted && (c->warned & WARNED_FIRST) == 0 &&
	    now >= law_after(l, c->since, SET_STRIKE_FIRST)) {
		c->warned |= WARNED_FIRST;
		l->out->alerts |= ALERT_STRIKE_HEAD | ALERT_HEAD;
	}
	if (now >= c->strike_by) {
		/* Late: told now and again; in stages 3 and 4 a new week begins. */
		c->strike_by =
		    law_after(l, now, c->stage >= 3 ? SET_FOLLOW_RULED : SET_RULING_REMIND);
		c->hot = true;
		l->out->alerts |= ALERT_STRIKE_HEAD | ALERT_HEAD;
		law_stay(l, REASON_STRIKE_LATE);
	}
	if (c->hand[0] != '\0' && c->promised_at != 0 &&
	    now >= law_after(l, c->promised_at, SET_PROMISE_LATE)) {
		c->promised_at = 0;
		l->out->alerts |= ALERT_STRIKE_HEAD;
	}
}

static void
sooner(int64_t *best, int64_t at)
{
	if (at < *best)
		*best = at;
}

int64_t
law_strike_time(const struct law *l)
{
	const struct law_case *c = l->c;
	int64_t best = c->strike_by;

	if (!c->hot)
		sooner(&best, half(l, c->since, c->strike_by));
	if (c->hand[0] == '\0' && (c->warned & WARNED_TAKE) == 0)
		sooner(&best, law_after(l, c->since, SET_STRIKE_TAKE));
	if (!c->acted && (c->warned & WARNED_FIRST) == 0)
		sooner(&best, law_after(l, c->since, SET_STRIKE_FIRST));
	if (c->hand[0] != '\0' && c->promised_at != 0)
		sooner(&best, law_after(l, c->promised_at, SET_PROMISE_LATE));
	return best;
}
