/* law_acts.c - records that are no outcome of a call: release, passes and stages, hand-overs, rulings,
 * arrivals, notes from others, corrections. One small function each. */
#include <string.h>

#include "workers/escalation/law_parts.h"

static void
release(struct law *l)
{
	struct law_case *c = l->c;
	const struct law_ctx *x = l->ctx;

	if (c->place != PLACE_UNRELEASED) {
		law_stay(l, REASON_STAYS);
		return;
	}
	c->stage = (uint8_t)(x->stage >= 1 && x->stage <= 4 ? x->stage : 2);
	if (c->stage == 2) {
		/* A late batch has its own first pass, which ends with the campaign's last at most. */
		int64_t end = law_whole(
		    calendar_step(x->calendar, law_open(l, x->now), x->policy->pass_length[1], 0));

		c->pass = 1;
		c->pass_end = x->pass <= 1 && x->pass_end != 0 ? law_whole(x->pass_end) : end;
		if (x->pass > 1 && x->pass_end != 0 && x->pass_end < c->pass_end)
			c->pass_end = law_whole(x->pass_end);
	}
	if (law_is_name(x->reserved_for)) {
		law_set_hand(c, x->reserved_for);
		law_to_own(l, CLASS_FIRST, law_open(l, x->now), REASON_RESERVED);
		if (c->place != PLACE_OWN)
			return;
		c->reserved = true;
		return;
	}
	law_to_pool(l, REASON_RELEASED);
}

/* The case goes on in pass n. Tries begin anew; what was agreed stands. */
void
law_join_pass(struct law *l, int pass, int64_t until)
{
	struct law_case *c = l->c;
	const struct law_ctx *x = l->ctx;
	int64_t end = until != 0 ? until
	                         : calendar_step(x->calendar, law_open(l, x->now),
	                               x->policy->pass_length[pass], 0);

	c->pass = (uint8_t)pass;
	c->pass_end = law_whole(end);
	law_new_series(c);
	c->talk_run = 0;
	if (c->decide_by != 0)
		c->decide_by = law_decide_by(l, 0);
	if (c->place == PLACE_RESTING && x->policy->pass_calls_all[pass] && !c->no_dial &&
	    c->then != THEN_STRIKE) {
		law_to_own(l, law_class(l), law_open(l, x->now), REASON_CALL_ALL);
		return;
	}
	if (c->place != PLACE_OWN || c->reserved) {
		law_stay(l, REASON_NEW_PASS);
		return;
	}
	if (c->promised_at > x->now) {
		law_stay(l, REASON_NEW_PASS);
		return;
	}
	if (c->asked) {
		law_stay(l, REASON_NEW_PASS);
		return;
	}
	law_to_own(l, law_class(l), law_open(l, x->now), REASON_NEW_PASS);
}

static void
pass_opens(struct law *l)
{
	struct law_case *c = l->c;
	int n = l->act->pass;

	if (n < 1 || n > 3 || c->stage != 2 || c->place == PLACE_TERMINAL ||
	    c->place == PLACE_UNRELEASED || c->pass > n) {
		law_stay(l, REASON_STAYS);
		return;
	}
	/* Nobody called it yet: it stays in its first pass, until the new one ends at most. */
	if (c->attempts == 0 && n > 1) {
		int64_t own = law_whole(calendar_step(
		    l->ctx->calendar, law_open(l, l->ctx->now), l->ctx->policy->pass_length[1], 0));

		c->pass = 1;
		c->pass_end =
		    l->act->until != 0 && l->act->until < own ? law_whole(l->act->until) : own;
		law_stay(l, REASON_STAYS);
		return;
	}
	law_join_pass(l, n, l->act->until);
}

/* The case goes on in stage n; a deferred one sleeps on. */
static void
join_stage(struct law *l, int n)
{
	struct law_case *c = l->c;
	const struct law_ctx *x = l->ctx;
	const struct outcome_row *row = NULL;
	int64_t begin = x->stage_opened_at != 0 ? x->stage_opened_at : x->now;

	if (n < 1 || n > 4 || c->place == PLACE_TERMINAL || n == c->stage) {
		law_stay(l, REASON_STAYS);
		return;
	}
	c->stage = (uint8_t)n;
	c->pass = 0;
	c->pass_end = 0;
	c->decide_by = 0;
	c->stage_attempts = c->stage_contacts = c->parts_tried = 0;
	law_new_series(c);
	c->talk_run = 0;
	if (c->state == STATE_CONFIRMED || c->state == STATE_ADMITTED)
		row = policy_outcome(x->policy,
		    c->state == STATE_CONFIRMED ? OUT_CONFIRMED : OUT_ADMITTED_UNCONFIRMED);
	if (c->place == PLACE_RESTING && row != NULL && row->rest_stage == n && !c->no_dial) {
		c->due = law_open(l, calendar_step(x->calendar, begin, row->rest_stage_step, 0));
		law_stay(l, REASON_NEW_STAGE);
	} else if (c->place == PLACE_RESTING && !c->no_dial && c->state != STATE_DEFERRED &&
	           n >= 2) {
		law_to_own(l, law_class(l), law_open(l, x->now), REASON_CALL_ALL);
	} else if (c->place == PLACE_OWN && c->promised_at <= x->now && !c->asked && !c->reserved) {
		law_to_own(l, law_class(l), law_open(l, x->now), REASON_NEW_STAGE);
	} else {
		law_stay(l, REASON_NEW_STAGE);
	}
}

static void
note(struct law *l)
{
	struct law_case *c = l->c;

	if (c->place != PLACE_TERMINAL)
		l->out->alerts |= ALERT_OWNER;
	if (c->place == PLACE_OWN && c->asked && strcmp(l->act->person, l->out->owner) != 0) {
		c->asked = false;
		c->deadline = 0;
		if (c->promised_at <= l->ctx->now)
			law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_ANSWERED);
		else
			law_stay(l, REASON_ANSWERED);
		return;
	}
	if (!l->act->inbound) {
		law_stay(l, REASON_STAYS);
		return;
	}
	switch (c->place) {
	case PLACE_RESTING:
	case PLACE_OWN:
		law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_RANG_IN);
		return;
	case PLACE_STRIKE:
		c->due = law_open(l, l->ctx->now);
		c->cls = CLASS_PROMISE;
		c->hot = true;
		law_stay(l, REASON_RANG_IN);
		return;
	case PLACE_TERMINAL:
		l->out->alerts |= ALERT_LEADER;
		law_stay(l, REASON_AFTER_END);
		return;
	case PLACE_UNRELEASED:
	case PLACE_POOL:
	case PLACE_TEAM:
	case PLACE_PAPERS:
	case PLACE_SUPERVISION:
	case PLACE_PARKED:
	case PLACES: break;
	}
	law_stay(l, REASON_RANG_IN);
}

static int
number_found(struct law *l, struct err *err)
{
	if (l->c->place == PLACE_UNRELEASED || l->c->place == PLACE_POOL) {
		law_stay(l, REASON_NEW_NUMBER);
		return 0;
	}
	return law_decide(l, OUT_NUMBER_FOUND, err);
}

static void
hand_over(struct law *l)
{
	struct law_case *c = l->c;
	const char *to = l->act->to;
	bool in_own = c->place == PLACE_OWN || c->place == PLACE_RESTING;

	if (c->place == PLACE_TERMINAL || c->place == PLACE_SUPERVISION) {
		law_stay(l, REASON_STAYS);
		return;
	}
	if (strcmp(l->act->to_team, "strike") == 0 && c->place != PLACE_UNRELEASED) {
		law_to_strike(
		    l, c->place == PLACE_TEAM ? c->then_strike : STRIKE_DIFFICULT, REASON_STRIKE);
		return;
	}
	if (!law_is_name(to)) {
		l->out->alerts |= ALERT_HEAD;
		law_stay(l, REASON_STAYS);
		return;
	}
	if (c->place == PLACE_STRIKE && strcmp(to, l->out->owner) != 0 && !l->act->credit) {
		law_set_hand(c, to); /* within the strike team */
		law_stay(l, REASON_MOVED);
		return;
	}
	if (l->act->credit)
		strcpy(l->out->owner, to);
	l->presence = PRESENT; /* of the one who gets it now */
	if (!in_own)
		c->place = PLACE_OWN;
	law_set_hand(c, strcmp(to, l->out->owner) == 0 ? "" : to);
	if (!in_own)
		law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_MOVED);
	c->reserved = false;
	law_stay(l, REASON_MOVED);
}

static void
rule_unconfirmed(struct law *l)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, OUT_ADMITTED_UNCONFIRMED);
	struct law_case *c = l->c;
	bool lost = law_unreachable(c, l->ctx->policy) || c->strike == STRIKE_LOST;
	int64_t until = CALENDAR_NEVER;

	if (c->stage >= row->rest_stage && row->rest_stage != 0)
		until =
		    law_open(l, calendar_step(l->ctx->calendar, l->at, row->rest_stage_step, 0));
	c->state = STATE_ADMITTED;
	c->lost_ruling = lost;
	law_to_rest(l, until, THEN_STRIKE, lost ? STRIKE_LOST : STRIKE_DIFFICULT, REASON_RULED);
}

static void
ruling(struct law *l)
{
	struct law_case *c = l->c;
	const char *what = l->act->what;

	if (c->place == PLACE_TERMINAL || c->place == PLACE_UNRELEASED) {
		law_stay(l, REASON_STAYS);
		return;
	}
	switch (law_outcome_of(l->act)) {
	case OUT_ADMITTED_UNCONFIRMED: rule_unconfirmed(l); return;
	case OUT_NOT_COMING:
		/* Only after the strike team, and only for who said so. */
		if (c->strike == STRIKE_NOT_COMING || c->strike == STRIKE_REGRET ||
		    (c->strike != STRIKE_NONE && c->state == STATE_NOT_COMING)) {
			law_to_end(l, STATE_NOT_COMING);
			return;
		}
		break;
	case OUT_DEFERRED:
		c->state = STATE_DEFERRED;
		law_to_rest(l, l->act->next_at != 0 ? law_open(l, l->act->next_at) : CALENDAR_NEVER,
		    THEN_REPEAT, STRIKE_NONE, REASON_RULED);
		return;
	default:
		if (strcmp(what, "strike") == 0) {
			law_to_strike(l,
			    c->place == PLACE_SUPERVISION ? STRIKE_INCIDENT : STRIKE_DIFFICULT,
			    REASON_RULED);
			return;
		}
		if (strcmp(what, "resume") == 0 && c->place != PLACE_RESTING &&
		    c->place != PLACE_POOL) {
			law_resume(l, REASON_RESUMED);
			return;
		}
		break;
	}
	l->out->alerts |= ALERT_HEAD;
	law_stay(l, REASON_STAYS);
}

/* Who has the case looks there now; the strike team is told. */
static void
rung_agreed(struct law *l)
{
	struct law_case *c = l->c;

	if (c->place == PLACE_TERMINAL || c->place == PLACE_UNRELEASED || !c->rung_9) {
		law_stay(l, REASON_STAYS);
		return;
	}
	l->out->alerts |= ALERT_OWNER | ALERT_STRIKE_HEAD;
	law_stay(l, REASON_RUNG_9);
}

static void
waiver(struct law *l)
{
	if (l->act->agrees) {
		rung_agreed(l);
		return;
	}
	if (l->act->rung >= 0 && l->act->rung < RUNG_COUNT)
		l->c->rungs_waived = (uint16_t)(l->c->rungs_waived | 1u << l->act->rung);
	if (law_has_rung(l)) {
		law_climb(l, STRIKE_LOST);
		return;
	}
	if (l->c->place == PLACE_TEAM && l->c->then_strike == STRIKE_LOST)
		law_to_strike(l, STRIKE_LOST, REASON_STRIKE);
	else
		law_stay(l, REASON_STAYS);
}

/* Everything but a withdrawal can be opened again by one signed record. */
static void
reopen(struct law *l)
{
	struct law_case *c = l->c;

	if (c->state == STATE_WITHDRAWN && c->place == PLACE_TERMINAL) {
		l->out->alerts |= ALERT_DATA;
		law_stay(l, REASON_ENDED);
		return;
	}
	if (c->place != PLACE_TERMINAL && c->place != PLACE_RESTING && c->place != PLACE_PARKED) {
		law_stay(l, REASON_STAYS);
		return;
	}
	if (c->place == PLACE_TERMINAL)
		c->state = STATE_IN_PROGRESS;
	c->former = PLACE_UNRELEASED;
	c->former_state = STATE_NEW;
	c->no_dial = false;
	law_resume(l, REASON_REOPENED);
}

/* A later file says that the applicant did not come: the case goes back as it was, with its dates. What
 * opened meanwhile it joins now. */
static void
not_arrived(struct law *l)
{
	struct law_case *c = l->c;

	if (c->state != STATE_REGISTERED) {
		law_stay(l, REASON_STAYS);
		return;
	}
	c->place = c->former;
	c->state = c->former_state;
	c->former = PLACE_UNRELEASED;
	c->former_state = STATE_NEW;
	if (c->stage != l->ctx->stage && c->place != PLACE_UNRELEASED)
		join_stage(l, l->ctx->stage);
	law_stay(l, c->place == PLACE_TERMINAL ? REASON_ENDED : REASON_NOT_REGISTERED);
}

/* Registered is an end, but one that a corrected file takes back: all else in the memory stays. */
static void
arrival(struct law *l)
{
	struct law_case *c = l->c;

	if (strcmp(l->act->what, "no") == 0) {
		not_arrived(l);
		return;
	}
	if (c->state == STATE_WITHDRAWN && c->place == PLACE_TERMINAL) {
		l->out->alerts |= ALERT_DATA | ALERT_HEAD;
		law_stay(l, REASON_AFTER_END);
		return;
	}
	if (c->state != STATE_REGISTERED) {
		c->former = c->place;
		c->former_state = c->state;
		c->place = PLACE_TERMINAL;
		c->state = STATE_REGISTERED;
	}
	law_stay(l, REASON_REGISTERED);
}

static int
outcome(struct law *l, struct err *err)
{
	enum outcome o = law_outcome_of(l->act);

	if (o != OUT_NONE && l->act->kind == LAW_ATTEMPT && law_not_agreed(l->c, l->act)) {
		int got = law_decide(l, o, err);

		l->out->alerts |= ALERT_LEADER;
		if (o == OUT_RUNG_EMPTY)
			law_stay(l, REASON_RUNG_9_ASKS);
		return got;
	}
	if (o != OUT_NONE)
		return law_decide(l, o, err);
	if (l->c->place == PLACE_TERMINAL) {
		l->out->alerts |= ALERT_DATA;
		law_stay(l, REASON_AFTER_END);
	} else {
		law_to_parked(l);
	}
	return 0;
}

static int
correction(struct law *l, struct err *err)
{
	if (l->c->place == PLACE_TERMINAL || l->c->place == PLACE_SUPERVISION) {
		l->out->alerts |= ALERT_DATA;
		law_stay(l, REASON_STAYS);
		return 0;
	}
	if (l->act->outcome[0] != '\0')
		return outcome(l, err);
	law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_CORRECTED);
	return 0;
}

int
law_act_on(struct law *l, struct err *err)
{
	if (!l->act->effective) {
		l->out->alerts |= ALERT_OWNER | ALERT_LEADER;
		law_stay(l, REASON_LATE_RECORD);
		return 0;
	}
	switch (l->act->kind) {
	case LAW_ATTEMPT:
	case LAW_PAPER:
	case LAW_ADOPT: return outcome(l, err);
	case LAW_CORRECTION: return correction(l, err);
	case LAW_NUMBER: return number_found(l, err);
	case LAW_RELEASE: release(l); return 0;
	case LAW_NOTE: note(l); return 0;
	case LAW_HANDOVER: hand_over(l); return 0;
	case LAW_STAGE: join_stage(l, l->act->stage); return 0;
	case LAW_PASS: pass_opens(l); return 0;
	case LAW_RULING: ruling(l); return 0;
	case LAW_WAIVER: waiver(l); return 0;
	case LAW_MESSAGE:
		if (law_rung_closed(l))
			law_climb(l, STRIKE_LOST);
		else
			law_stay(l, REASON_STAYS);
		return 0;
	case LAW_REOPEN: reopen(l); return 0;
	case LAW_ARRIVAL: arrival(l); return 0;
	case LAW_FREE:
		if (l->c->place == PLACE_PARKED)
			law_resume(l, REASON_FREED);
		else
			law_stay(l, REASON_FREED);
		return 0;
	case LAW_IMPORT:
		/* The data group corrected what was wrong with the applicant's particulars. */
		if (l->c->place == PLACE_PAPERS && l->c->then == THEN_REPEAT)
			law_resume(l, REASON_RESUMED);
		else
			law_stay(l, REASON_IMPORTED);
		return 0;
	case LAW_TIMER:
	case LAW_GIVE_BACK:
	case LAW_OTHER:
	case LAW_KINDS: break;
	}
	law_stay(l, REASON_STAYS);
	return 0;
}
