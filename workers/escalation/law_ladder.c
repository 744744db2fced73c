/* law_ladder.c - the rungs of the search as tasks of the owner, with ladder.tasks on: which rung is due, and when
 * it is late.
 *
 * Happy path: unreachable, so the case comes back to its owner with the lowest rung that is neither done nor
 * waived: 1 and 2 (a message was sent, an account was asked for; not where all numbers are bad), then 4 to 7.
 * Rungs 0 and 3, the other numbers and dayparts, are facts of the calls. The message, rung-empty or a waiver
 * closes a rung and the next one is due; after the last the leader (rung 8) checks, and the leader's deadline
 * leads to the strike team, not before. Near the pass's end the open rungs are side by side (all
 * are due at once), and nearer still they are waived by time itself. A rung that is late tells the leader and
 * stays: only what was done or waived leads to the strike team. */
#include "workers/escalation/law_parts.h"

#define FIRST_TASK 1
#define LAST_TASK  7
#define TASK_BITS  0xf6u /* 1, 2, 4 to 7 */
#define LEADER     8
#define SCHOOL     6

/* No task, done, waived, or not to be done: there is no number to write to. */
static bool
is_closed(const struct law_case *c, int rung)
{
	return (TASK_BITS >> rung & 1) == 0 ||
	       ((c->rungs_done | c->rungs_waived) >> rung & 1) != 0 || (rung < 4 && law_all_bad(c));
}

static int
lowest_open(const struct law_case *c)
{
	for (int rung = FIRST_TASK; rung <= LAST_TASK; rung++)
		if (!is_closed(c, rung))
			return rung;
	return 0;
}

bool
law_has_rung(const struct law *l)
{
	return policy_n(l->ctx->policy, SET_LADDER_TASKS) != 0 && l->c->place == PLACE_OWN &&
	       l->c->rung >= FIRST_TASK && l->c->rung <= LAST_TASK;
}

bool
law_ladder_open(const struct law *l)
{
	int64_t left = law_left(l, l->ctx->now);

	return policy_n(l->ctx->policy, SET_LADDER_TASKS) != 0 && lowest_open(l->c) != 0 &&
	       (left < 0 || left >= law_length(l, SET_LADDER_STRAIGHT));
}

bool
law_rung_closed(const struct law *l)
{
	return law_has_rung(l) && is_closed(l->c, l->c->rung);
}

bool
law_wants_message(const struct law_case *c, const struct policy *p, int rung)
{
	unsigned hint = rung == 1 ? 1u << HINT_SMS : 1u << HINT_IM;

	if (c->place != PLACE_OWN || c->no_dial || c->by_hand || is_closed(c, rung) ||
	    c->last == OUT_NONE)
		return false;
	return c->rung == rung || (outcome_family(c->last) == FAMILY_FAIL &&
	                              (policy_outcome(p, c->last)->hints & hint) != 0);
}

void
law_waive_rest(struct law_case *c)
{
	c->rungs_waived = (uint16_t)(c->rungs_waived | (TASK_BITS & ~(unsigned)c->rungs_done));
}

/* All that the owner can do was done, or there is no time for it: the leader checks; read as Q12 through-liaison, it
 * goes on to the strike team with its dossier, and the leader's own try is waived by that reading. */
static void
last_step(struct law *l, enum strike_kind k, enum reason r)
{
	struct law_case *c = l->c;

	c->rung = LEADER;
	if (k != STRIKE_LOST || !policy_reads(l->ctx->policy, 12, "through-liaison")) {
		law_to_leader(l, false, THEN_STRIKE, k, r);
		return;
	}
	c->rungs_waived = (uint16_t)(c->rungs_waived | 1u << LEADER);
	law_to_strike(l, k, REASON_STRIKE);
}

void
law_no_time_left(struct law *l, enum strike_kind k)
{
	struct law_case *c = l->c;

	law_waive_rest(c);
	last_step(l, k, REASON_TIME_SHORT);
}

/* All open rungs at once: then the time of the longest counts. */
static int64_t
late_at(const struct law *l, int rung)
{
	const struct law_ctx *x = l->ctx;
	int64_t left = law_left(l, x->now), best = 0;

	for (int r = rung; r <= LAST_TASK; r++) {
		int64_t by;

		if (is_closed(l->c, r))
			continue;
		by = law_whole(calendar_step(
		    x->calendar, law_open(l, x->now), x->policy->rungs[r].before_next, 0));
		best = by > best ? by : best;
		if (left < 0 || left >= law_length(l, SET_LADDER_BESIDE))
			break;
	}
	return best;
}

void
law_climb(struct law *l, enum strike_kind k)
{
	struct law_case *c = l->c;
	int rung = lowest_open(c);
	int64_t due = law_due(l, (struct step){STEP_MINUTES, 0}, false, rung == SCHOOL);
	int64_t late;

	if (rung == 0) {
		last_step(l, k, REASON_UNREACHABLE);
		return;
	}
	late = late_at(l, rung);
	if (rung == c->rung) /* tried in between, and the rung is still open */
		due = late;
	c->rung = (uint8_t)rung;
	law_to_own(l, law_class(l), due, REASON_RUNG);
	if (c->place == PLACE_OWN)
		c->rung_by = late;
}

/* When too little time is left for the rungs; 0: no pass ends. */
static int64_t
straight_at(const struct law *l)
{
	const struct law_case *c = l->c;

	if (c->pass_end == 0 || c->stage != 2)
		return 0;
	return law_whole(calendar_sub(
	    l->ctx->calendar, HOURS_CALLING, c->pass_end, law_length(l, SET_LADDER_STRAIGHT)));
}

bool
law_rung_clock(struct law *l)
{
	struct law_case *c = l->c;
	int64_t now = l->ctx->now, straight = straight_at(l);

	if (!law_has_rung(l))
		return false;
	if (straight != 0 && now > straight) {
		law_no_time_left(l, STRIKE_LOST);
		return true;
	}
	if (c->rung_by != 0 && now >= c->rung_by) {
		c->rung_by = 0;
		c->cls = CLASS_PROMISE; /* in front of the owner's other work */
		l->out->alerts |= ALERT_LEADER | ALERT_OWNER;
		law_stay(l, REASON_RUNG);
	}
	return false;
}

int64_t
law_rung_time(const struct law *l)
{
	int64_t straight = straight_at(l);
	int64_t best = 0;

	if (!law_has_rung(l))
		return 0;
	if (straight != 0 && straight + 1000 > l->ctx->now)
		best = straight + 1000;
	if (l->c->rung_by != 0 && (best == 0 || l->c->rung_by < best))
		best = l->c->rung_by;
	return best;
}
