/* law_table.c - the place of a case and the sort of news decide what the law does. One cell for each
 * pair; an empty cell is a defect and is told as an error, never a silent default. */
#include <string.h>

#include "workers/escalation/law_parts.h"

enum deed {
	DEED_UNSET,
	DEED_PLAN,    /* the outcome's row of the policy */
	DEED_STAY,    /* it counts; place and dates stand */
	DEED_UP_TALK, /* with the leader or at the papers: somebody spoke */
	DEED_UP_SIDE, /* with the leader: a step beside */
	DEED_UP_TRY,  /* with the leader: nobody was reached */
	DEED_STRIKE_TRY,
	DEED_STRIKE_TALK,
	DEED_SIGN,
	DEED_WAIT,        /* an incident is open: all waits for its ruling */
	DEED_NOT_BY_CALL, /* rulings and arrivals are records of their own */
	DEED_AFTER_END,
};

#define AS_USUAL                                                                                   \
	[FAMILY_TALK] = DEED_PLAN, [FAMILY_AGAIN] = DEED_PLAN, [FAMILY_FAIL] = DEED_PLAN,          \
	[FAMILY_SIDE] = DEED_PLAN, [FAMILY_STOP] = DEED_PLAN, [FAMILY_ALARM] = DEED_PLAN,          \
	[FAMILY_PAPER] = DEED_PLAN, [FAMILY_SIGNED] = DEED_SIGN, [FAMILY_RULED] = DEED_NOT_BY_CALL

/* FAMILY_RESULT has no column: a chat comes here as its result. */
static const enum deed deeds[PLACES][FAMILY_COUNT] = {
    [PLACE_UNRELEASED] = {AS_USUAL},
    [PLACE_POOL] = {AS_USUAL},
    [PLACE_OWN] = {AS_USUAL},
    [PLACE_PARKED] = {AS_USUAL},
    [PLACE_TEAM] = {[FAMILY_TALK] = DEED_UP_TALK,
        [FAMILY_AGAIN] = DEED_PLAN,
        [FAMILY_FAIL] = DEED_UP_TRY,
        [FAMILY_SIDE] = DEED_UP_SIDE,
        [FAMILY_STOP] = DEED_PLAN,
        [FAMILY_ALARM] = DEED_PLAN,
        [FAMILY_PAPER] = DEED_PLAN,
        [FAMILY_SIGNED] = DEED_SIGN,
        [FAMILY_RULED] = DEED_NOT_BY_CALL},
    [PLACE_STRIKE] = {[FAMILY_TALK] = DEED_STRIKE_TALK,
        [FAMILY_AGAIN] = DEED_STRIKE_TRY,
        [FAMILY_FAIL] = DEED_STRIKE_TRY,
        [FAMILY_SIDE] = DEED_STRIKE_TRY,
        [FAMILY_STOP] = DEED_PLAN,
        [FAMILY_ALARM] = DEED_PLAN,
        [FAMILY_PAPER] = DEED_PLAN,
        [FAMILY_SIGNED] = DEED_SIGN,
        [FAMILY_RULED] = DEED_NOT_BY_CALL},
    [PLACE_PAPERS] = {[FAMILY_TALK] = DEED_UP_TALK,
        [FAMILY_AGAIN] = DEED_STAY,
        [FAMILY_FAIL] = DEED_STAY,
        [FAMILY_SIDE] = DEED_STAY,
        [FAMILY_STOP] = DEED_STAY,
        [FAMILY_ALARM] = DEED_PLAN,
        [FAMILY_PAPER] = DEED_PLAN,
        [FAMILY_SIGNED] = DEED_SIGN,
        [FAMILY_RULED] = DEED_NOT_BY_CALL},
    [PLACE_SUPERVISION] = {[FAMILY_TALK] = DEED_WAIT,
        [FAMILY_AGAIN] = DEED_WAIT,
        [FAMILY_FAIL] = DEED_WAIT,
        [FAMILY_SIDE] = DEED_WAIT,
        [FAMILY_STOP] = DEED_WAIT,
        [FAMILY_ALARM] = DEED_WAIT,
        [FAMILY_PAPER] = DEED_WAIT,
        [FAMILY_SIGNED] = DEED_WAIT,
        [FAMILY_RULED] = DEED_NOT_BY_CALL},
    [PLACE_RESTING] = {[FAMILY_TALK] = DEED_PLAN,
        [FAMILY_AGAIN] = DEED_PLAN,
        [FAMILY_FAIL] = DEED_STAY,
        [FAMILY_SIDE] = DEED_STAY,
        [FAMILY_STOP] = DEED_PLAN,
        [FAMILY_ALARM] = DEED_PLAN,
        [FAMILY_PAPER] = DEED_PLAN,
        [FAMILY_SIGNED] = DEED_SIGN,
        [FAMILY_RULED] = DEED_NOT_BY_CALL},
    [PLACE_TERMINAL] = {[FAMILY_TALK] = DEED_AFTER_END,
        [FAMILY_AGAIN] = DEED_AFTER_END,
        [FAMILY_FAIL] = DEED_AFTER_END,
        [FAMILY_SIDE] = DEED_AFTER_END,
        [FAMILY_STOP] = DEED_AFTER_END,
        [FAMILY_ALARM] = DEED_AFTER_END,
        [FAMILY_PAPER] = DEED_AFTER_END,
        [FAMILY_SIGNED] = DEED_AFTER_END,
        [FAMILY_RULED] = DEED_AFTER_END},
};

static uint32_t
signer_id(const char *person)
{
	uint32_t h = 2166136261u;

	for (; *person != '\0'; person++)
		h = (h ^ (uint8_t)*person) * 16777619u;
	return h == 0 ? 1 : h;
}

/* Two different persons, neither of them the case's owner, papers with their photo, and a checklist that
 * each of the two found complete. */
static void
sign(struct law *l)
{
	struct law_case *c = l->c;
	uint32_t who = signer_id(l->act->person);

	if (!c->papers) {
		l->out->alerts |= ALERT_DATA | ALERT_LEADER;
		law_stay(l, REASON_NO_PAPERS);
	} else if (!l->act->signer) {
		l->out->alerts |= ALERT_LEADER;
		law_stay(l, REASON_NO_SIGNER);
	} else if (l->act->items != PAPER_ALL) {
		l->out->alerts |= ALERT_DATA;
		law_stay(l, REASON_CHECKLIST);
	} else if (l->act->person[0] == '\0' || strcmp(l->act->person, l->out->owner) == 0 ||
	           c->signer == who) {
		law_stay(l, REASON_SAME_SIGNER);
	} else if (c->signer == 0) {
		c->signer = who;
		law_to_papers(l, SET_DATA_PAPERS, REASON_SIGNED_ONCE);
	} else {
		law_to_end(l, STATE_WITHDRAWN);
	}
}

/* The delays of this outcome are used up: the next step is the leader, who has the case already. */
static bool
would_hand_up(const struct law *l, enum outcome o, const struct outcome_row *row)
{
	return row->goes == GOES_OWN && row->then == THEN_HAND_UP && l->act->next_at == 0 &&
	       law_tries(l->c, o) > row->n_steps;
}

/* With the leader or the data group: who asks the leader once more, and is not the owner, is the
 * leader, and then the case goes on to what follows the leader. */
static void
up_talk(struct law *l, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, o);

	if (o == OUT_WITHDRAW_ASKED && l->c->papers) {
		law_stay(l, REASON_PAPERS);
	} else if (l->c->place == PLACE_TEAM && row->goes == GOES_LEADER &&
	           strcmp(l->act->person, l->out->owner) != 0) {
		l->c->then = row->then;
		l->c->then_strike = row->strike;
		law_leader_silent(l);
		l->out->alerts = 0;
		l->out->reason = REASON_HAND_UP;
	} else if (l->c->place == PLACE_TEAM && would_hand_up(l, o, row)) {
		if (l->act->leader)
			law_to_strike(l, row->strike, REASON_HAND_UP);
		else
			law_stay(l, REASON_STAYS);
	} else {
		law_plan(l, o);
	}
}

/* The leader tries as anybody does, not again and again; the deadline stands. */
static void
up_try(struct law *l, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(l->ctx->policy, o);
	struct law_case *c = l->c;
	int tries;
	int64_t due;

	law_failed(l, o);
	tries = law_tries(c, o);
	due = tries > 0 && tries <= row->n_steps && row->goes == GOES_OWN
	          ? law_due(l, row->steps[tries - 1], true, false)
	          : law_due(l, (struct step){STEP_OTHER_DAYPART, 0}, true, false);
	c->due = c->deadline > l->ctx->now && due > c->deadline ? c->deadline : due;
	law_stay(l, REASON_RETRY);
}

static void
up_side(struct law *l, enum outcome o)
{
	if (o == OUT_NUMBER_FOUND && l->c->then_strike == STRIKE_LOST) {
		law_plan(l, o);
	} else if (l->c->no_dial && (o == OUT_SMS_SENT || o == OUT_IM_REQUESTED)) {
		/* The one message with the date is out. */
		law_to_rest(l, CALENDAR_NEVER, THEN_REPEAT, STRIKE_NONE, REASON_RESTS_NO_CALLS);
	} else {
		law_stay(l, REASON_STAYS);
	}
}

int
law_decide(struct law *l, enum outcome o, struct err *err)
{
	enum family family = outcome_family(o);

	switch (deeds[l->c->place][family]) {
	case DEED_PLAN: law_plan(l, o); return 0;
	case DEED_STAY: law_stay(l, REASON_STAYS); return 0;
	case DEED_UP_TALK: up_talk(l, o); return 0;
	case DEED_UP_SIDE: up_side(l, o); return 0;
	case DEED_UP_TRY: up_try(l, o); return 0;
	case DEED_STRIKE_TRY: law_strike_try(l, o); return 0;
	case DEED_STRIKE_TALK: law_strike_talk(l, o); return 0;
	case DEED_SIGN: sign(l); return 0;
	case DEED_WAIT:
		l->out->alerts |= ALERT_SUPERVISION;
		law_stay(l, REASON_INCIDENT);
		return 0;
	case DEED_NOT_BY_CALL:
		l->out->alerts |= ALERT_LEADER;
		law_stay(l, REASON_NOT_BY_CALL);
		return 0;
	case DEED_AFTER_END:
		l->out->alerts |= ALERT_LEADER | ALERT_DATA;
		law_stay(l, REASON_AFTER_END);
		return 0;
	case DEED_UNSET: break;
	}
	return err_set(err, ERR_INVALID, "the law has no rule for %s in place %s", outcome_code(o),
	    place_name(l->c->place));
}
