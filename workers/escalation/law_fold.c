/* law_fold.c - what a record does to the memory of its case: it counts, it marks its number, and, if
 * it is effective, it continues or ends a series of tries.
 *
 * Never fails and never decides: a record whose outcome is unknown counts as nothing here, and
 * law_next parks the case. Counters stop at their largest value instead of wrapping. */
#include <string.h>

#include "workers/escalation/law_parts.h"

#define BIT(n) (1u << (n))

void
law_act_init(struct law_act *a, enum law_kind kind)
{
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->effective = true;
	a->rung = -1;
	a->outcome = a->result = a->was = a->what = a->person = a->to = a->to_team = "";
}

static enum outcome
by_code(const char *code)
{
	return outcome_by_code(code, strlen(code));
}

/* A chat carries the outcome that it had; a chat within a chat is not readable. */
enum outcome
law_outcome_of(const struct law_act *a)
{
	enum outcome o = by_code(a->outcome);

	if (o != OUT_NONE && outcome_family(o) == FAMILY_RESULT) {
		o = by_code(a->result);
		if (o == OUT_NONE || outcome_family(o) != FAMILY_TALK)
			return OUT_NONE;
	}
	/* What lacks an item or the photo is no withdrawal: the owner asks for the rest. */
	if (o == OUT_PAPERS_RECEIVED && a->kind == LAW_PAPER &&
	    (a->items != PAPER_ALL || a->evidence == 0))
		return OUT_PAPERS_INCOMPLETE;
	return o;
}

bool
law_number_usable(enum number_state s)
{
	return s != NUMBER_DEAD && s != NUMBER_WRONG && s != NUMBER_BLOCKED && s != NUMBER_RETIRED;
}

bool
law_all_bad(const struct law_case *c)
{
	for (int i = 0; i < c->n_numbers; i++)
		if (law_number_usable(c->numbers[i].state))
			return false;
	return c->n_numbers > 0;
}

bool
law_other_number(const struct law_case *c)
{
	for (int i = 0; i < c->n_numbers; i++)
		if (law_number_usable(c->numbers[i].state) && !c->numbers[i].tried)
			return true;
	return false;
}

bool
law_unreachable(const struct law_case *c, const struct policy *p)
{
	int parts = 0;

	for (int i = 0; i < 4; i++)
		parts += c->parts_tried >> i & 1;
	return c->stage_contacts == 0 &&
	       (law_all_bad(c) || (c->stage_attempts >= policy_n(p, SET_LOST_ATTEMPTS) &&
	                              parts >= policy_n(p, SET_LOST_DAYPARTS)));
}

static void
add8(uint8_t *n)
{
	if (*n < UINT8_MAX)
		(*n)++;
}

static void
add16(uint16_t *n)
{
	if (*n < UINT16_MAX)
		(*n)++;
}

/* The number's place in the memory, made if there is none: a full memory gives up an unusable number
 * first, else its oldest. NULL for no number. */
static struct law_number *
number_of(struct law_case *c, uint64_t id)
{
	int at = 0;

	if (id == 0)
		return NULL;
	for (int i = 0; i < c->n_numbers; i++)
		if (c->numbers[i].id == id)
			return &c->numbers[i];
	if (c->n_numbers == LAW_NUMBERS) {
		while (at < LAW_NUMBERS && law_number_usable(c->numbers[at].state))
			at++;
		at = at == LAW_NUMBERS ? 0 : at;
		memmove(&c->numbers[at], &c->numbers[at + 1],
		    (size_t)(LAW_NUMBERS - 1 - at) * sizeof(c->numbers[0]));
		c->n_numbers--;
	}
	c->numbers[c->n_numbers] = (struct law_number){id, NUMBER_NEW, false, false};
	return &c->numbers[c->n_numbers++];
}

void
law_new_series(struct law_case *c)
{
	c->fails = 0;
	c->round = OUT_NONE;
	c->soft = OUT_NONE;
	c->soft_run = 0;
	memset(c->part_fails, 0, sizeof(c->part_fails));
	for (int i = 0; i < c->n_numbers; i++)
		c->numbers[i].tried = false;
}

static bool
is_contact(const struct outcome_row *row, const struct law_ctx *ctx, const struct law_act *a)
{
	return row->contact == COUNTS_YES ||
	       (row->contact == COUNTS_IF_TALK &&
	           a->seconds >= (uint32_t)policy_n(ctx->policy, SET_TALK_SECONDS));
}

/* The household police station is asked in the college's name: only after the leader agreed. */
bool
law_not_agreed(const struct law_case *c, const struct law_act *a)
{
	return a->rung == LAW_POLICE && !c->rung_9 && !a->leader;
}

/* Which rungs of the search are climbed by the calls themselves. */
static void
fold_rungs(struct law_case *c, const struct law_ctx *ctx, const struct law_act *a, enum outcome o)
{
	unsigned done = c->rungs_done;
	int parts = 0;

	for (int i = 0; i < 4; i++)
		parts += c->parts_tried >> i & 1;
	if (outcome_family(o) == FAMILY_FAIL && !law_other_number(c))
		done |= BIT(0);
	if (o == OUT_SMS_SENT)
		done |= BIT(1);
	if (o == OUT_IM_REQUESTED)
		done |= BIT(2);
	if (parts >= policy_n(ctx->policy, SET_LOST_DAYPARTS))
		done |= BIT(3);
	if (o == OUT_RUNG_EMPTY && law_not_agreed(c, a))
		; /* said, and not done: the leader was not asked before */
	else if (o == OUT_RUNG_EMPTY && a->rung >= 0 && a->rung < RUNG_COUNT)
		done |= BIT(a->rung);
	else if (o == OUT_RUNG_EMPTY && c->rung != 0) /* not said which: the one in work */
		done |= BIT(c->rung);
	c->rungs_done = (uint16_t)done;
}

/* Facts: they hold whether the record moves the case or not. */
static void
fold_facts(struct law_case *c, const struct law_ctx *ctx, const struct law_act *a, enum outcome o)
{
	const struct outcome_row *row = policy_outcome(ctx->policy, o);
	struct law_number *n = number_of(c, a->number);
	int64_t at = law_whole(a->at);

	if (row->attempt) {
		add16(&c->attempts);
		add8(&c->stage_attempts);
		c->parts_tried =
		    (uint8_t)(c->parts_tried | BIT(calendar_daypart(ctx->calendar, at)));
		c->seconds =
		    c->seconds > UINT32_MAX - a->seconds ? UINT32_MAX : c->seconds + a->seconds;
		c->last_at = at > c->last_at ? at : c->last_at;
	}
	if (is_contact(row, ctx, a)) {
		add16(&c->contacts);
		add8(&c->stage_contacts);
		c->spoke_self = c->spoke_self || a->spoke_self;
	}
	if (n != NULL && row->number != NUMBER_UNCHANGED)
		n->state = row->number;
	if (n != NULL && row->attempt)
		n->tried = true;
	if (n != NULL && o == OUT_NUMBER_FOUND)
		n->tried = false;
	if (o == OUT_CONFIRMED && (a->ticks & 7) == 7)
		c->ticked = true;
	if (o == OUT_PAPERS_RECEIVED && a->evidence > 0)
		c->papers = true;
	if (o == OUT_DO_NOT_CALL)
		c->no_dial = true;
	else if (outcome_family(o) == FAMILY_TALK && a->inbound)
		c->no_dial = false;
	fold_rungs(c, ctx, a, o);
}

static enum intent
state_after(const struct law_case *c, enum outcome o)
{
	static const enum intent states[OUT_COUNT] = {
	    [OUT_CONFIRMED] = STATE_CONFIRMED,
	    [OUT_CONSIDERING] = STATE_CONSIDERING,
	    [OUT_WILL_NOT_SAY] = STATE_WILL_NOT_SAY,
	    [OUT_WITHDRAW_ASKED] = STATE_WITHDRAW_ASKED,
	    [OUT_WITHDRAW_CANCELLED] = STATE_CONSIDERING,
	    [OUT_PAPERS_RECEIVED] = STATE_WITHDRAW_ASKED,
	    [OUT_FOLLOWING] = STATE_CONFIRMED,
	    [OUT_WAVERING] = STATE_WAVERING,
	    [OUT_REGRET] = STATE_REGRETS,
	    [OUT_ON_THE_WAY] = STATE_CONFIRMED,
	    [OUT_LATE_ARRIVAL] = STATE_CONFIRMED,
	    [OUT_DEFERRED] = STATE_DEFERRED,
	    [OUT_NOT_COMING] = STATE_NOT_COMING,
	    [OUT_PERSUADED] = STATE_CONFIRMED,
	};

	if (states[o] != STATE_NEW)
		return states[o];
	return c->state == STATE_NEW ? STATE_IN_PROGRESS : c->state;
}

/* An effective outcome goes on with its series, and ends what it answers. */
static void
fold_series(struct law_case *c, const struct law_ctx *ctx, const struct law_act *a, enum outcome o)
{
	enum family family = outcome_family(o);
	enum series series = outcome_series(o);

	c->last = o;
	c->give_ups = 0;
	if (o == OUT_WITHDRAW_CANCELLED || o == OUT_CONFIRMED || o == OUT_PERSUADED ||
	    o == OUT_PAPERS_INCOMPLETE) {
		c->papers = false;
		c->signer = 0;
	}
	if (family != FAMILY_RULED && family != FAMILY_SIGNED && c->place != PLACE_TERMINAL)
		c->state = state_after(c, o);
	if (is_contact(policy_outcome(ctx->policy, o), ctx, a)) {
		law_new_series(c);
		if (c->state == STATE_UNREACHABLE)
			c->state = STATE_IN_PROGRESS;
	}
	if (series == SERIES_TALK) {
		c->talk_run = c->talk == o ? c->talk_run : 0;
		c->talk = o;
		add8(&c->talk_run);
		c->decide_by = 0;
	} else if (series == SERIES_SOFT) {
		c->soft_run = c->soft == o ? c->soft_run : 0;
		c->soft = o;
		add8(&c->soft_run);
	}
	if (family == FAMILY_FAIL && policy_outcome(ctx->policy, o)->number != NUMBER_DEAD &&
	    policy_outcome(ctx->policy, o)->number != NUMBER_WRONG)
		c->round = o;
	if (family != FAMILY_SIDE && family != FAMILY_PAPER) {
		c->promised_at = 0;
		c->asked = false;
		c->bound = true;
		c->reserved = false;
	}
}

static void
uncount(struct law_case *c, const struct law_ctx *ctx, const struct law_act *a)
{
	enum outcome o = by_code(a->was);
	const struct outcome_row *row;

	if (o == OUT_NONE)
		return;
	row = policy_outcome(ctx->policy, o);
	if (row->attempt && c->attempts > 0)
		c->attempts--;
	if (row->attempt && c->stage_attempts > 0)
		c->stage_attempts--;
	if (row->contact == COUNTS_YES && c->contacts > 0)
		c->contacts--;
	if (row->contact == COUNTS_YES && c->stage_contacts > 0)
		c->stage_contacts--;
	if (o == OUT_DO_NOT_CALL)
		c->no_dial = false;
	if (o == OUT_PAPERS_RECEIVED)
		c->papers = false;
	if (outcome_family(o) == FAMILY_FAIL && c->fails > 0)
		c->fails--;
}

/* The intention is followed until it is paid (domain.md a.5). */
static void
special_master(struct law_case *c, const struct law_act *a)
{
	if (a->effective && a->special_master)
		c->special_master = true;
	if (a->effective && a->paid)
		c->special_master = false;
}

void
law_fold(struct law_case *c, const struct law_ctx *ctx, const struct law_act *a)
{
	enum outcome o = law_outcome_of(a);

	switch (a->kind) {
	case LAW_IMPORT:
		c->special_master = a->special_master;
		c->incomplete = a->incomplete;
		for (int i = 0; i < a->n_numbers && i < LAW_NUMBERS; i++)
			number_of(c, a->numbers[i]);
		break;
	case LAW_NUMBER: fold_facts(c, ctx, a, OUT_NUMBER_FOUND); break;
	case LAW_CORRECTION:
		if (!a->effective)
			break;
		uncount(c, ctx, a);
		/* fall through */
	case LAW_ATTEMPT:
	case LAW_PAPER:
		special_master(c, a);
		if (o == OUT_NONE)
			break;
		fold_facts(c, ctx, a, o);
		if (a->effective)
			fold_series(c, ctx, a, o);
		break;
	case LAW_ADOPT: /* counted when it came */
		if (o != OUT_NONE && a->effective)
			fold_series(c, ctx, a, o);
		break;
	case LAW_GIVE_BACK: add8(&c->give_ups); break;
	case LAW_WAIVER:
		if (a->effective && a->agrees)
			c->rung_9 = c->rung_9 || a->rung == LAW_POLICE;
		else if (a->effective && a->rung >= 0 && a->rung < RUNG_COUNT)
			c->rungs_waived = (uint16_t)(c->rungs_waived | BIT(a->rung));
		break;
	case LAW_MESSAGE:
		if (!a->effective || a->rung < 0 || a->rung >= RUNG_COUNT)
			break;
		if (strcmp(a->what, "sent") == 0)
			c->rungs_done = (uint16_t)(c->rungs_done | BIT(a->rung));
		else
			c->by_hand = true;
		break;
	case LAW_NOTE: special_master(c, a); break;
	case LAW_TIMER:
	case LAW_RELEASE:
	case LAW_HANDOVER:
	case LAW_STAGE:
	case LAW_PASS:
	case LAW_RULING:
	case LAW_REOPEN:
	case LAW_ARRIVAL:
	case LAW_FREE:
	case LAW_OTHER:
	case LAW_KINDS: break;
	}
}
