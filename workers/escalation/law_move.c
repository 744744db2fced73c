/* law_move.c - the movers: each puts the case in one place, with its dates, and says why.
 *
 * Only they write place, class, due and deadlines (law_clock.c alone reheats a waiting one), so that a
 * case is always in exactly one place with a next time. A move that cannot be made goes on to what
 * would follow it: a case without a team passes its leader by, a case that may not be dialled rests. */
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/escalation/law_parts.h"

bool
law_is_name(const char *person)
{
	size_t len = strlen(person);

	return len > 0 && len <= LAW_NAME_MAX && text_is_id(person, len);
}

/* All of the field, so that equal memories are equal bytes. */
void
law_set_hand(struct law_case *c, const char *person)
{
	memset(c->hand, 0, sizeof(c->hand));
	if (law_is_name(person))
		memcpy(c->hand, person, strlen(person));
}

static void
place(struct law *l, enum place p, int64_t due, enum reason r)
{
	struct law_case *c = l->c;

	c->place = p;
	c->due = due;
	c->since = law_whole(l->ctx->now);
	c->deadline = 0;
	c->hot = false;
	c->asked = false;
	c->reserved = false;
	c->warned = 0;
	c->then = THEN_REPEAT;
	c->then_strike = STRIKE_NONE;
	c->rung_by = 0;
	l->out->reason = r;
}

static void
no_hand(struct law *l)
{
	law_set_hand(l->c, "");
}

static void
end_strike(struct law *l)
{
	if (l->c->place == PLACE_STRIKE)
		no_hand(l);
	l->c->strike = STRIKE_NONE;
	l->c->strike_by = 0;
	l->c->acted = false;
}

void
law_stay(struct law *l, enum reason r)
{
	l->out->reason = r;
}

enum own_class
law_class(const struct law *l)
{
	if (!l->c->bound)
		return CLASS_FIRST;
	return l->c->stage == 2 && l->c->pass <= 1 ? CLASS_RETRY : CLASS_DUE;
}

/* A promise outside of the offered hours has a lane of its own: it alone is offered then. */
enum own_class
law_asked(const struct law *l, enum own_class cls, int64_t due)
{
	return cls == CLASS_PROMISE && !calendar_is_open(l->ctx->calendar, HOURS_CALLING, due)
	           ? CLASS_ASKED
	           : cls;
}

void
law_to_own(struct law *l, enum own_class cls, int64_t due, enum reason r)
{
	int64_t promised = l->c->promised_at;

	if (l->c->no_dial) {
		law_to_leader(l, false, THEN_REST, STRIKE_REFUSES, r);
		return;
	}
	if (l->presence == GONE && l->c->hand[0] == '\0') {
		l->out->alerts |= ALERT_LEADER;
		law_to_leader(l, false, THEN_HAND_UP, STRIKE_NONE, REASON_OWNER_AWAY);
		return;
	}
	if (l->out->owner[0] == '\0' && l->c->hand[0] == '\0') {
		law_to_pool(l, r);
		return;
	}
	end_strike(l);
	place(l, PLACE_OWN, due, r);
	l->c->cls = law_asked(l, cls, due);
	l->c->promised_at = cls == CLASS_PROMISE ? promised : 0;
}

void
law_to_pool(struct law *l, enum reason r)
{
	end_strike(l);
	no_hand(l);
	place(l, PLACE_POOL, law_open(l, l->ctx->now), r);
	l->c->promised_at = 0;
}

static enum setting
leader_setting(const struct law *l, bool papers)
{
	const struct law_ctx *x = l->ctx;

	if (papers)
		return l->c->pass == 3 ? SET_LEADER_PAPERS_3 : SET_LEADER_PAPERS;
	if (x->registration_from != 0 && x->now >= x->registration_from &&
	    x->now < x->registration_until)
		return SET_LEADER_DAY;
	if (l->c->stage >= 3)
		return SET_LEADER_LATER;
	return l->c->pass == 3 ? SET_LEADER_HAND_UP_3 : SET_LEADER_HAND_UP;
}

void
law_to_leader(struct law *l, bool papers, enum then_kind then, enum strike_kind k, enum reason r)
{
	struct law_case *c = l->c;

	end_strike(l);
	no_hand(l);
	place(l, PLACE_TEAM, law_open(l, l->ctx->now), r);
	c->promised_at = 0;
	c->then = then;
	c->then_strike = k;
	c->deadline = law_after(l, l->ctx->now, leader_setting(l, papers));
	if (l->ctx->team[0] == '\0') {
		l->out->alerts |= ALERT_HEAD;
		law_leader_silent(l);
		if (c->place != PLACE_TEAM)
			l->out->reason = REASON_NO_TEAM;
		return;
	}
	l->out->alerts |= ALERT_LEADER;
}

/* Silence waives nothing: who is lost cannot be reached, and was looked for first. Who spoke with us before, or
 * for whom no time is left, is difficult. */
static void
lost_and_silent(struct law *l)
{
	const struct law_case *c = l->c;
	bool unreachable = c->state == STATE_UNREACHABLE || law_unreachable(c, l->ctx->policy);

	if (unreachable && law_ladder_open(l))
		law_climb(l, STRIKE_LOST);
	else if (unreachable)
		law_to_strike(l, STRIKE_LOST, REASON_LEADER_SILENT);
	else if (c->stage_contacts == 0 && law_ladder_open(l))
		law_enter_rung(l, 4, STRIKE_LOST);
	else
		law_to_strike(l, STRIKE_DIFFICULT, REASON_LEADER_SILENT);
}

void
law_leader_silent(struct law *l)
{
	struct law_case *c = l->c;
	enum then_kind then = c->no_dial && c->then != THEN_DATA ? THEN_REST : c->then;
	enum strike_kind k = c->then_strike;

	l->out->alerts |= ALERT_HEAD;
	switch (then) {
	case THEN_STRIKE:
		if (k == STRIKE_LOST && policy_n(l->ctx->policy, SET_LADDER_TASKS) != 0)
			lost_and_silent(l);
		else
			law_to_strike(l, k, REASON_LEADER_SILENT);
		return;
	case THEN_DATA: law_to_papers(l, SET_DATA_PAPERS, REASON_LEADER_SILENT); return;
	case THEN_REST:
		law_to_rest(l, CALENDAR_NEVER, THEN_REPEAT, STRIKE_NONE, REASON_RESTS_NO_CALLS);
		return;
	case THEN_HAND_UP: /* nobody follows the leader: ask again, tell the head */
		if (l->ctx->team[0] == '\0') {
			law_to_strike(l, STRIKE_DIFFICULT, REASON_NO_TEAM);
			return;
		}
		c->hot = true;
		c->deadline = law_after(l, l->ctx->now, SET_RULING_REMIND);
		l->out->reason = REASON_LEADER_SILENT;
		return;
	case THEN_REPEAT:
	case THEN_RUNG:
	case THEN_OUTCOME:
	case THEN_CLOSE_RUNG: break;
	}
	CHECK(0);
}

/* At most one strike task is open: a second reason keeps the first one's kind. */
void
law_to_strike(struct law *l, enum strike_kind k, enum reason r)
{
	struct law_case *c = l->c;
	const struct law_ctx *x = l->ctx;
	bool open = c->strike != STRIKE_NONE;
	int64_t by = law_after(l, x->now, SET_STRIKE_RESULT);

	if (c->place != PLACE_STRIKE || !open)
		no_hand(l);
	place(l, PLACE_STRIKE, law_open(l, x->now), r);
	c->promised_at = 0;
	c->decide_by = 0;
	l->out->alerts |= ALERT_STRIKE_HEAD;
	if (open && c->strike_by != 0)
		return;
	/* Lost is who is unreachable (practice.md 5): one try and a hand-up, or a talk before, are none. */
	if (k == STRIKE_LOST && c->state != STATE_UNREACHABLE && !c->lost_ruling &&
	    !law_unreachable(c, x->policy))
		k = STRIKE_DIFFICULT;
	c->strike = k == STRIKE_NONE ? STRIKE_DIFFICULT : k;
	c->acted = false;
	/* A leader or a ruling that sends it on waives what is still open of the owner's rungs. */
	if (c->strike == STRIKE_LOST)
		law_waive_rest(c);
	if (law_left(l, x->now) >= 0) {
		int64_t end = calendar_sub(
		    x->calendar, HOURS_CALLING, c->pass_end, law_length(l, SET_STRIKE_BEFORE_END));

		by = end < by ? end : by;
	}
	c->strike_by = law_whole(by > x->now ? by : x->now);
}

void
law_to_papers(struct law *l, enum setting deadline, enum reason r)
{
	end_strike(l);
	no_hand(l);
	place(l, PLACE_PAPERS, law_open(l, l->ctx->now), r);
	l->c->promised_at = 0;
	l->c->deadline = law_after(l, l->ctx->now, deadline);
	l->c->then = deadline == SET_DATA_PAPERS ? THEN_DATA : THEN_REPEAT;
	l->out->alerts |= ALERT_DATA;
}

/* The strike task, if one is open, waits for the ruling. */
void
law_to_supervision(struct law *l)
{
	enum strike_kind open = l->c->strike;

	place(l, PLACE_SUPERVISION, law_whole(l->ctx->now), REASON_INCIDENT);
	l->c->strike = open;
	l->c->promised_at = 0;
	l->c->deadline = law_after(l, l->ctx->now, SET_SUPERVISION);
	l->out->alerts |= ALERT_SUPERVISION | ALERT_LEADER;
}

void
law_to_rest(struct law *l, int64_t until, enum then_kind then, enum strike_kind k, enum reason r)
{
	end_strike(l);
	if (l->c->place != PLACE_OWN)
		no_hand(l);
	place(l, PLACE_RESTING, law_whole(until), r);
	l->c->promised_at = 0;
	l->c->decide_by = 0;
	l->c->then = then;
	l->c->then_strike = k;
	law_new_series(l->c);
}

void
law_to_end(struct law *l, enum intent s)
{
	end_strike(l);
	no_hand(l);
	place(l, PLACE_TERMINAL, CALENDAR_NEVER, REASON_ENDED);
	l->c->promised_at = 0;
	l->c->decide_by = 0;
	l->c->state = s;
	law_new_series(l->c);
}

void
law_to_parked(struct law *l)
{
	place(l, PLACE_PARKED, law_whole(l->ctx->now), REASON_NOT_READABLE);
	l->c->promised_at = 0;
	l->out->alerts |= ALERT_LEADER | ALERT_DATA;
}

/* Back to work where it was going: the open strike task, else its owner. */
void
law_resume(struct law *l, enum reason r)
{
	struct law_case *c = l->c;

	if (c->strike != STRIKE_NONE) {
		law_to_strike(l, c->strike, r);
		return;
	}
	if (!c->bound && l->out->owner[0] == '\0') {
		law_to_pool(l, r);
		return;
	}
	law_to_own(l, law_class(l), law_open(l, l->ctx->now), r);
}
