/* law.c - one decision from beginning to end: what happened, what time did meanwhile, and where the
 * case is then, as a lane with a due time, a next look, an owner and a reason. */
#include "workers/escalation/law.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "workers/escalation/law_parts.h"

static const struct {
	const char *code, *text;
} reasons[REASONS] = {
#define REASON_ROW(id, code, text) [REASON_##id] = {code, text},
    REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

const char *
reason_code(enum reason r)
{
	CHECK(r < REASONS);
	return reasons[r].code;
}

const char *
reason_text(enum reason r)
{
	CHECK(r < REASONS);
	return reasons[r].text;
}

static const char *const class_names[CLASSES] = {"promise", "asked", "first", "retry", "due"};

/* Whose lane: the hand's, else the owner's. */
static void
lane_of(const struct law *l, char out[LAW_LANE_MAX])
{
	const struct law_case *c = l->c;
	const char *who = c->hand[0] != '\0' ? c->hand : l->out->owner;

	switch (c->place) {
	case PLACE_OWN: break;
	case PLACE_STRIKE:
		if (c->hand[0] != '\0')
			break;
		snprintf(out, LAW_LANE_MAX, c->hot ? "strike:hot" : "strike");
		return;
	case PLACE_TEAM:
		snprintf(out, LAW_LANE_MAX, "team:%s%s", l->ctx->team, c->hot ? ":hot" : "");
		return;
	case PLACE_UNRELEASED:
	case PLACE_POOL:
	case PLACE_PAPERS:
	case PLACE_SUPERVISION:
	case PLACE_PARKED:
	case PLACE_RESTING:
	case PLACE_TERMINAL: snprintf(out, LAW_LANE_MAX, "%s", place_name(c->place)); return;
	case PLACES: CHECK(0);
	}
	CHECK(who[0] != '\0');
	snprintf(out, LAW_LANE_MAX, "own:%s:%s", who,
	    class_names[c->place == PLACE_STRIKE && c->hot && c->cls != CLASS_ASKED ? CLASS_PROMISE
	                                                                            : c->cls]);
}

static void
explain(const struct law *l)
{
	struct law_placement *out = l->out;
	const char *text = reasons[out->reason].text;

	if (l->c->last == OUT_NONE)
		snprintf(out->text, sizeof(out->text), "%s", text);
	else
		snprintf(out->text, sizeof(out->text), "上次：%s（共%d次，联系上%d次）；%s",
		    policy_outcome(l->ctx->policy, l->c->last)->label, l->c->attempts,
		    l->c->contacts, text);
}

/* A place that needs a name which went away (the owner was removed, the team dissolved) is left. */
static void
mend(struct law *l)
{
	const struct law_case *c = l->c;

	if (c->place == PLACE_OWN && c->hand[0] == '\0' && l->out->owner[0] == '\0')
		law_to_pool(l, l->out->reason);
	if (c->place == PLACE_TEAM && l->ctx->team[0] == '\0')
		law_leader_silent(l);
}

static void
settle(struct law *l)
{
	struct law_placement *out = l->out;

	mend(l);
	/* What comes after a registration moves nothing; who counts them reads the reason. */
	if (l->c->state == STATE_REGISTERED)
		out->reason = REASON_REGISTERED;
	lane_of(l, out->lane);
	out->due = l->c->place == PLACE_TERMINAL ? CALENDAR_NEVER : l->c->due;
	if (l->c->place == PLACE_POOL && l->act != NULL && l->act->kind == LAW_RELEASE)
		out->due += l->ctx->order;
	memcpy(out->hand, l->c->hand, sizeof(out->hand));
	out->timer_at = law_next_time(l);
	explain(l);
}

/* Ownership binds at the first effective record of work, and lasts. */
static void
bind(struct law *l)
{
	const struct law_act *a = l->act;

	if (a == NULL || !a->effective || l->out->owner[0] != '\0' || !law_is_name(a->person) ||
	    l->c->place == PLACE_TERMINAL)
		return;
	if (a->kind != LAW_ATTEMPT && a->kind != LAW_ADOPT)
		return;
	strcpy(l->out->owner, a->person);
	if (l->c->place != PLACE_STRIKE)
		law_set_hand(l->c, "");
}

int
law_next(struct law_case *c, const struct law_ctx *ctx, const struct law_act *act,
    struct law_placement *ret, struct err *err)
{
	struct law_case before = *c;
	struct law_placement out;
	struct law l = {c, ctx, act, &out, ctx->presence, ctx->now};

	memset(&out, 0, sizeof(out));
	CHECK(strlen(ctx->owner) <= LAW_NAME_MAX && strlen(ctx->team) <= LAW_NAME_MAX);
	strcpy(out.owner, ctx->owner);
	out.reason = REASON_STAYS;
	if (act != NULL && act->at > 0 && act->at < ctx->now)
		l.at = act->at;
	if (act != NULL && act->kind != LAW_TIMER) {
		bind(&l);
		if (law_act_on(&l, err) != 0) {
			*c = before;
			return -1;
		}
	}
	if (!ctx->held)
		law_clock(&l);
	settle(&l);
	*ret = out;
	return 0;
}
