/* law_plan.c - what an outcome asks for: the row of the policy's table, carried out.
 *
 * Happy path: a row says where the case goes; back to its owner after the delay of this try, counted in
 * the outcome's series; when the delays are used up, on to what the row says then. */
#include "base/check.h"
#include "workers/escalation/law_parts.h"

int
law_tries(const struct law_case *c, enum outcome o)
{
	switch (outcome_series(o)) {
	case SERIES_SHARED: return c->fails;
	case SERIES_SOFT: return c->soft_run;
	case SERIES_TALK: return c->talk_run;
	case SERIES_NONE: return 1;
	}
	return 1;
}

/* A failed round is over: the next one may try all numbers again. */
void
law_end_round(struct law_case *c)
{
	if (c->fails < UINT8_MAX)
		c->fails++;
	c->round = OUT_NONE;
	for (int i = 0; i < c->n_numbers; i++)
		c->numbers[i].tried = false;
}

/* The sitting failed: in this daypart once more, however many numbers were tried. */
void
law_failed(struct law *l, enum outcome o)
{
	uint8_t *in_part = &l->c->part_fails[calendar_daypart(l->ctx->calendar, l->at)];

	if (*in_part < 15)
		(*in_part)++;
	if (outcome_series(o) == SERIES_SHARED)
		law_end_round(l->c);
}

static void
hand_up(struct law *l, enum strike_kind k, enum reason r)
{
	law_to_leader(l, false, THEN_STRIKE, k, r);
}

/* Rungs 4 to 7 of the ladder, or all of it at once when the tasks are switched off: the leader checks,
 * and the leader's deadline leads to the strike team. */
void
law_enter_rung(struct law *l, int rung, enum strike_kind k)
{
	struct law_case *c = l->c;
	int64_t left = law_left(l, l->at);

	if (c->stage_contacts > 0) {
		hand_up(l, STRIKE_DIFFICULT, REASON_WENT_SILENT);
		return;
	}
	if (!law_unreachable(c, l->ctx->policy)) {
		law_to_own(l, law_class(l),
		    law_due(l, (struct step){STEP_OTHER_DAYPART, 0}, true, false),
		    REASON_UNTIL_UNREACHABLE);
		return;
	}
	c->state = STATE_UNREACHABLE;
	if (left >= 0 && left < law_length(l, SET_LADDER_STRAIGHT)) {
		law_no_time_left(l, k);
		return;
	}
	if (policy_n(l->ctx->policy, SET_LADDER_TASKS) != 0) {
		law_climb(l, k);
		return;
	}
	(void)rung;
	c->rung = 8;
	hand_up(l, k, REASON_UNREACHABLE);
}

static void plan_then(struct law *l, enum outcome o, const struct outcome_row *row);

static void
plan_due(struct law *l, const struct outcome_row *row, int tries)
{
	bool failed = row->contact == COUNTS_NO && row->attempt;
	int i = tries < row->n_steps ? tries : row->n_steps;
	struct step s = i > 0 ? row->steps[i - 1] : (struct step){STEP_MORNING, 0};
	enum reason r = !failed                        ? REASON_FOLLOW_TALK
	                : s.kind == STEP_NEXT_DAYPART  ? REASON_OTHER_DAYPART
	                : s.kind == STEP_OTHER_DAYPART ? REASON_OTHER_DAYPART
	                                               : REASON_RETRY;
	int64_t due = law_due(l, s, failed, row->number == NUMBER_OFF_HOURS);

	if (l->c->decide_by != 0 && due > l->c->decide_by)
		due = law_open(l, l->c->decide_by);
	law_to_own(l, s.kind == STEP_MINUTES && s.n == 0 ? CLASS_PROMISE : law_class(l), due, r);
}

static void
plan_own(struct law *l, enum outcome o, const struct outcome_row *row)
{
	struct law_case *c = l->c;
	int64_t left = law_left(l, l->at);

	if (outcome_family(o) == FAMILY_FAIL) {
		if (row->other_number && law_other_number(c)) {
			law_to_own(l, CLASS_PROMISE, law_open(l, l->ctx->now), REASON_OTHER_NUMBER);
			return;
		}
		/* A bad number among silent ones: the silence decides what comes next. */
		if (!law_all_bad(c) && row->n_steps == 0) {
			o = c->round != OUT_NONE ? c->round : OUT_NO_ANSWER;
			row = policy_outcome(l->ctx->policy, o);
		}
		law_failed(l, o);
		if (law_all_bad(c) || (left >= 0 && left < law_length(l, SET_LADDER_STRAIGHT) &&
		                          law_unreachable(c, l->ctx->policy))) {
			law_enter_rung(l, 4, STRIKE_LOST);
			return;
		}
	}
	if (law_tries(c, o) > row->n_steps && row->then != THEN_REPEAT)
		plan_then(l, o, row);
	else
		plan_due(l, row, law_tries(c, o));
	if (o == OUT_NUMBER_FOUND && l->out->reason == REASON_FOLLOW_TALK)
		l->out->reason = REASON_NEW_NUMBER;
}

/* The delays are used up. */
static void
plan_then(struct law *l, enum outcome o, const struct outcome_row *row)
{
	switch (row->then) {
	case THEN_HAND_UP: hand_up(l, row->strike, REASON_HAND_UP); return;
	case THEN_RUNG: law_enter_rung(l, row->then_n, row->strike); return;
	case THEN_OUTCOME:
		o = (enum outcome)row->then_n;
		row = policy_outcome(l->ctx->policy, o);
		law_end_round(l->c);
		if (law_tries(l->c, o) > row->n_steps)
			plan_then(l, o, row);
		else
			plan_due(l, row, law_tries(l->c, o));
		return;
	case THEN_CLOSE_RUNG:
		l->c->rungs_done = (uint16_t)(l->c->rungs_done | 1u << row->then_n);
		l->c->soft_run = 0;
		law_to_own(l, law_class(l), law_open(l, l->ctx->now), REASON_RUNG);
		return;
	case THEN_REPEAT:
	case THEN_STRIKE:
	case THEN_DATA:
	case THEN_REST: break;
	}
	CHECK(0); /* check_policy lets no such row pass */
}

static void
plan_rest(struct law *l, enum outcome o, const struct outcome_row *row)
{
	const struct law_ctx *x = l->ctx;
	int64_t until = CALENDAR_NEVER;

	if (o == OUT_CONFIRMED && !l->c->ticked) {
		l->c->state = STATE_IN_PROGRESS;
		l->out->alerts |= ALERT_OWNER | ALERT_LEADER;
		law_to_own(l, CLASS_PROMISE, law_open(l, x->now), REASON_TICKS_MISSING);
		return;
	}
	if (row->rest_step.n > 0)
		until = law_open(l, calendar_step(x->calendar, l->at, row->rest_step, 0));
	else if (row->rest_ruling)
		until = l->act->next_at != 0 ? law_open(l, l->act->next_at) : CALENDAR_NEVER;
	else if (l->c->stage >= 3 || row->rest_follow_up)
		until = law_follow_up(l);
	law_to_rest(l, until, row->then, row->strike, REASON_RESTS);
}

static void
plan_ask(struct law *l)
{
	struct law_case *c = l->c;
	int64_t until = law_after(l, l->ctx->now, SET_LEADER_QUESTION);

	if (l->ctx->team[0] == '\0') {
		l->out->alerts |= ALERT_HEAD;
		law_to_own(l, law_class(l), law_open(l, until), REASON_NO_TEAM);
		return;
	}
	if (c->place == PLACE_OWN && c->promised_at > l->ctx->now)
		law_stay(l, REASON_ASKED); /* the agreed time stands */
	else
		law_to_own(l, law_class(l), law_open(l, until), REASON_ASKED);
	if (c->place != PLACE_OWN)
		return;
	c->asked = true;
	c->deadline = until;
	l->out->alerts |= ALERT_LEADER;
}

/* A step beside the calling leaves an agreed time standing. */
static bool
keeps_promise(const struct law *l, enum outcome o)
{
	return outcome_family(o) == FAMILY_SIDE && o != OUT_ASK_LEADER &&
	       l->c->place == PLACE_OWN && l->c->promised_at > l->ctx->now;
}

static bool
agreed(struct law *l, enum outcome o, const struct outcome_row *row)
{
	enum family f = outcome_family(o);
	int64_t due;

	if (row->goes != GOES_OWN)
		return false;
	if (row->date_at >= 0) {
		int64_t day = l->act->next_at != 0
		                  ? calendar_at(calendar_day(l->act->next_at), row->date_at)
		                  : 0;

		if (day <= l->ctx->now)
			return false;
		due = law_agreed(l, day);
	} else if (l->act->next_at != 0) {
		due = law_agreed(l, l->act->next_at);
	} else {
		return false;
	}
	if (l->c->decide_by != 0 && due > l->c->decide_by)
		due = law_agreed(l, l->c->decide_by);
	if (f == FAMILY_FAIL && law_tries(l->c, o) >= row->n_steps)
		return false; /* a caller's own date does not put off the ladder for ever */
	if (f == FAMILY_FAIL)
		law_failed(l, o);
	if ((f == FAMILY_TALK || f == FAMILY_AGAIN) && !l->act->they_call) {
		l->c->promised_at = due;
		law_to_own(l, CLASS_PROMISE, due, REASON_AGREED);
	} else {
		law_to_own(l, law_class(l), law_open(l, due), REASON_AGREED);
	}
	return true;
}

void
law_plan(struct law *l, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, o);

	l->out->hints = row->hints;
	if (row->evidence & 1u << EVIDENCE_DECIDE_BY || o == OUT_WILL_NOT_SAY)
		l->c->decide_by = law_decide_by(l, l->act->decide_by);
	if ((o == OUT_RUNG_EMPTY && law_has_rung(l)) ||
	    ((o == OUT_SMS_SENT || o == OUT_IM_REQUESTED) && law_rung_closed(l))) {
		law_climb(l, STRIKE_LOST);
		return;
	}
	if (outcome_family(o) == FAMILY_TALK)
		l->c->rung = 0; /* found */
	if (keeps_promise(l, o)) {
		law_stay(l, REASON_AGREED);
		return;
	}
	if (l->act->hand_up && row->goes == GOES_OWN) {
		hand_up(
		    l, row->strike != STRIKE_NONE ? row->strike : STRIKE_DIFFICULT, REASON_HAND_UP);
		return;
	}
	if (agreed(l, o, row))
		return;
	switch (row->goes) {
	case GOES_OWN: plan_own(l, o, row); return;
	case GOES_LEADER:
		law_to_leader(l, row->papers, row->then, row->strike,
		    row->papers ? REASON_PAPERS : REASON_HAND_UP);
		return;
	case GOES_ASK: plan_ask(l); return;
	case GOES_DATA:
		law_to_papers(l, row->papers ? SET_DATA_PAPERS : SET_DATA_ERROR,
		    row->papers ? REASON_PAPERS : REASON_DATA_ERROR);
		return;
	case GOES_SUPERVISION: law_to_supervision(l); return;
	case GOES_REST: plan_rest(l, o, row); return;
	case GOES_RUNG: law_to_own(l, law_class(l), law_open(l, l->ctx->now), REASON_RUNG); return;
	case GOES_END:
	case GOES_RESULT: break;
	}
	CHECK(0); /* ends and results are resolved before (law_table.c) */
}
