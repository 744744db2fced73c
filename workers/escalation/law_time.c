/* law_time.c - when: due times in calling time, and what bends them.
 *
 * A delay is halved near the end of the pass, a failed try moves out of a daypart that failed often
 * enough, a teacher's number waits for office hours, the last try lies before the pass's end, and a
 * retry may wait a little for the caller's free hours. Every result is at or after now. */
#include "base/check.h"
#include "workers/escalation/law_parts.h"

int64_t
law_whole(int64_t at)
{
	if (at <= 0)
		return 0;
	if (at > (int64_t)(UINT32_MAX - 1) * 1000)
		return CALENDAR_NEVER;
	return (at + 999) / 1000 * 1000;
}

int64_t
law_after(const struct law *l, int64_t at, enum setting s)
{
	return law_whole(calendar_step(l->ctx->calendar, at, policy_step(l->ctx->policy, s), 0));
}

static int64_t
step_length(const struct law *l, struct step s)
{
	if (s.kind == STEP_MINUTES)
		return s.n * MINUTE_MS;
	return s.n * calendar_day_length(l->ctx->calendar);
}

int64_t
law_length(const struct law *l, enum setting s)
{
	return step_length(l, policy_step(l->ctx->policy, s));
}

int64_t
law_left(const struct law *l, int64_t at)
{
	if (l->c->pass_end == 0 || at >= l->c->pass_end)
		return -1;
	return calendar_between(l->ctx->calendar, HOURS_CALLING, at, l->c->pass_end);
}

int64_t
law_open(const struct law *l, int64_t at)
{
	return law_whole(
	    calendar_open(l->ctx->calendar, HOURS_CALLING, at > l->ctx->now ? at : l->ctx->now));
}

/* The last instant for a try in this pass; CALENDAR_NEVER outside of one. */
static int64_t
last_try(const struct law *l)
{
	int64_t last;

	if (law_left(l, l->at) < 0)
		return CALENDAR_NEVER;
	last = calendar_sub(
	    l->ctx->calendar, HOURS_CALLING, l->c->pass_end, law_length(l, SET_LAST_TRY));
	return last / 1000 * 1000;
}

static int64_t
leave_daypart(const struct law *l, int64_t due)
{
	const struct calendar *cal = l->ctx->calendar;
	unsigned tired = 0;

	for (int i = 0; i < 4; i++)
		if (l->c->part_fails[i] >= policy_n(l->ctx->policy, SET_DAYPART_FAILURES))
			tired |= 1u << i;
	if ((tired >> calendar_daypart(cal, due) & 1) == 0)
		return due;
	/* All parts tired: any but the one that failed last. */
	if (tired == 15)
		tired = 1u << calendar_daypart(cal, l->at);
	if ((tired >> calendar_daypart(cal, due) & 1) == 0)
		return due;
	return calendar_next_daypart(cal, due, ~tired & 15);
}

/* The first moment from `due` on when the owner is free and work is offered, if it is not far. */
static int64_t
prefer_free(const struct law *l, int64_t due, int64_t last)
{
	const struct calendar *cal = l->ctx->calendar;

	for (int i = 0; i < l->ctx->n_free; i++) {
		const struct span_of_time *f = &l->ctx->free[i];
		int64_t from = f->from > due ? f->from : due;

		from = calendar_open(cal, HOURS_CALLING, from);
		if (from >= f->until)
			continue;
		if (from > last ||
		    calendar_between(cal, HOURS_CALLING, due, from) > law_length(l, SET_FREE_HOURS))
			return due;
		return from;
	}
	return due;
}

static int64_t
step_from(const struct law *l, struct step s, bool office)
{
	const struct calendar *cal = l->ctx->calendar;
	int64_t left = law_left(l, l->at), at = l->at;

	/* Asked in the evening, "the next working day" of a school begins in the morning. */
	if (office && !calendar_is_open(cal, HOURS_OFFICE, at)) {
		int64_t open = calendar_open(cal, HOURS_OFFICE, calendar_at(calendar_day(at), 0));

		at = calendar_day(open) == calendar_day(at) ? open : at;
	}
	if (left >= 0 && left < law_length(l, SET_HALVE) &&
	    (s.kind == STEP_MINUTES || s.kind == STEP_DAYS))
		return calendar_add(cal, HOURS_CALLING, at, step_length(l, s) / 2);
	return calendar_step(cal, at, s, l->c->parts_tried);
}

int64_t
law_due(const struct law *l, struct step s, bool failed, bool office)
{
	const struct calendar *cal = l->ctx->calendar;
	int64_t due = step_from(l, s, office), last = last_try(l);

	if (failed)
		due = leave_daypart(l, due);
	if (office)
		due = calendar_open(cal, HOURS_OFFICE, due);
	if (due <= last)
		due = prefer_free(l, due, last);
	return law_open(l, due < last ? due : last);
}

int64_t
law_agreed(const struct law *l, int64_t at)
{
	const struct calendar *cal = l->ctx->calendar;
	int64_t last = last_try(l), most = law_after(l, l->at, SET_NEXT_MOST);

	if (at > most)
		at = most;
	if (at > last)
		at = last;
	return law_whole(calendar_open(cal, HOURS_ASKED, at > l->ctx->now ? at : l->ctx->now));
}

int64_t
law_decide_by(const struct law *l, int64_t wanted)
{
	int64_t by = wanted != 0 ? wanted : law_after(l, l->at, SET_DECIDE_WITHIN);
	int64_t most = law_after(l, l->at, SET_NEXT_MOST);

	if (law_left(l, l->at) >= 0) {
		int64_t last = calendar_sub(l->ctx->calendar, HOURS_CALLING, l->c->pass_end,
		    law_length(l, SET_DECIDE_BEFORE_END));

		most = last < most ? last : most;
	}
	by = by < most ? by : most;
	return law_whole(by > l->ctx->now ? by : l->ctx->now);
}

static void
sooner(const struct law *l, int64_t *best, int64_t at)
{
	if (at > l->at && at > l->ctx->now && at < *best)
		*best = at;
}

/* Of the dates that hold for everybody, the first that is still to come, if it is before `best`. */
int64_t
law_dated_follow_up(const struct law *l, int64_t best)
{
	const struct law_ctx *x = l->ctx;
	enum setting before[2] = {SET_FOLLOW_BEFORE_1, SET_FOLLOW_BEFORE_2};

	if (x->notice_sent_at != 0)
		sooner(l, &best, law_after(l, x->notice_sent_at, SET_FOLLOW_NOTICE));
	for (int i = 0; i < 2 && x->registration_from != 0; i++) {
		int64_t day = x->registration_from - policy_step(x->policy, before[i]).n * DAY_MS;

		sooner(l, &best, law_whole(calendar_open(x->calendar, HOURS_CALLING, day)));
	}
	return best;
}

/* The next follow-up of stages 3 and 4: after the admission and the notice, monthly, twice before the
 * registration, and for special-master's intentions every so often until paid. */
int64_t
law_follow_up(const struct law *l)
{
	const struct law_ctx *x = l->ctx;
	int64_t best = law_after(l, l->at, SET_FOLLOW_MONTHLY);

	if (x->stage_opened_at != 0 && x->stage == 3)
		sooner(l, &best, law_after(l, x->stage_opened_at, SET_FOLLOW_ADMISSION));
	if (x->special_master)
		sooner(l, &best, law_after(l, l->at, SET_FOLLOW_MASTER));
	return law_open(l, law_dated_follow_up(l, best));
}
