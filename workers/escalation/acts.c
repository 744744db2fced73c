/* acts.c - a wire record as the law sees it. Pure. Words that the law does not know are passed on as they
 * came: the law parks what it cannot read, and nothing is guessed here. */
#include <string.h>

#include "proto/roles.h"
#include "workers/escalation/router.h"

#define LATE_CALL_MS 5000
/* Papers go from the caller to these (practice.md 9); no caller signs. */
#define SIGNERS (ROLE_LEADER | ROLE_DEPUTY | ROLE_DESIGNATED | ROLE_DATA | ROLE_CALLBACK_HEAD)

static void
text_of(char *out, size_t size, const struct record_header *h, enum field_key key)
{
	const struct field *f = &h->f[key];
	size_t len = f->set && f->bytes.len < size ? f->bytes.len : 0;

	memset(out, 0, size);
	if (len > 0)
		memcpy(out, f->bytes.data, len);
}

static bool
is(const struct record_header *h, enum field_key key, const char *word)
{
	return h->f[key].set && span_eq_str(h->f[key].bytes, word);
}

static uint64_t
u_of(const struct record_header *h, enum field_key key)
{
	return h->f[key].set ? h->f[key].u : 0;
}

static int64_t
time_of(const struct record_header *h, enum field_key key)
{
	uint64_t v = u_of(h, key);

	return v > (uint64_t)CALENDAR_NEVER ? CALENDAR_NEVER : (int64_t)v;
}

/* When it was: the end of the call on the machine's own clock, through the last pair of clocks seen
 * together; a record that came at once is of now. */
static int64_t
happened(const struct record_header *h, const struct log_entry *e)
{
	uint64_t end = h->t_end != 0 ? h->t_end : h->t_entry;
	int64_t wall, ago;

	if (end == 0 || h->server_wall == 0 || h->server_wall > (uint64_t)CALENDAR_NEVER ||
	    h->server_boot > INT64_MAX / 2 || end > INT64_MAX / 2)
		return e->now;
	wall = (int64_t)h->server_wall + ((int64_t)end - (int64_t)h->server_boot) / 1000;
	ago = e->wall - wall;
	if (ago < LATE_CALL_MS || ago > 30 * DAY_MS)
		return e->now;
	return e->now - ago;
}

int
act_needs_ref(const struct record_header *h)
{
	return h->kind == REC_ADOPT || h->kind == REC_CORRECTION || h->kind == REC_APPROVAL
	           ? REF_NEEDED
	           : REF_NONE;
}

static void
call_fields(struct law_act *a, struct act_words *w, const struct record_header *h)
{
	text_of(w->outcome, sizeof(w->outcome), h, F_outcome);
	text_of(w->result, sizeof(w->result), h, F_what);
	a->outcome = w->outcome;
	a->result = w->result;
	if (h->f[F_number].set && h->f[F_number].bytes.len == 8)
		a->number = be64_get(h->f[F_number].bytes.data);
	a->seconds = u_of(h, F_seconds) > UINT32_MAX ? UINT32_MAX : (uint32_t)u_of(h, F_seconds);
	a->inbound = is(h, F_direction, "in");
	a->spoke_self = is(h, F_spoke, "self");
	a->ticks = (uint32_t)(u_of(h, F_ticks) & 7);
	a->next_at = time_of(h, F_next_at);
	a->they_call = is(h, F_next_do, "they-call");
	a->hand_up = is(h, F_next_do, "hand-up");
	a->decide_by = time_of(h, F_decide_by);
	a->rung = h->f[F_rung].set && u_of(h, F_rung) < RUNG_COUNT ? (int)u_of(h, F_rung) : -1;
	a->evidence = h->f[F_evidence].set ? h->f[F_evidence].n : 0;
	a->special_master = (u_of(h, F_items) & DONE_SPECIAL_MASTER) != 0;
	a->paid = (u_of(h, F_items) & DONE_PAID) != 0;
}

/* PAPER says what happened to the papers in `what`; without a word they came in. */
static void
paper(struct law_act *a, struct act_words *w, const struct record_header *h)
{
	text_of(w->what, sizeof(w->what), h, F_what);
	a->evidence = h->f[F_evidence].set ? h->f[F_evidence].n : 0;
	a->items = u_of(h, F_items) > PAPER_ALL ? 0 : (uint32_t)u_of(h, F_items);
	if (strcmp(w->what, "incomplete") == 0 || strcmp(w->what, "papers-incomplete") == 0)
		a->outcome = "papers-incomplete";
	else if (strcmp(w->what, "signed") == 0 || strcmp(w->what, "checked") == 0 ||
	         strcmp(w->what, "withdrawn") == 0)
		a->outcome = "withdrawn";
	else
		a->outcome = "papers-received";
}

static void
hand_over(struct law_act *a, struct act_words *w, const struct record_header *h)
{
	text_of(w->to, sizeof(w->to), h, F_to);
	text_of(w->to_team, sizeof(w->to_team), h, F_to_team);
	a->to = w->to;
	a->to_team = w->to_team;
}

static bool
says_yes(const struct record_header *h)
{
	return is(h, F_verdict, "give") || is(h, F_verdict, "yes") || is(h, F_verdict, "approve");
}

/* The second person: for a signature under a withdrawal, and for credit that moves. */
static bool
approval(struct law_act *a, struct act_words *w, const struct record_header *h,
    const struct record_header *ref)
{
	struct act_words of_ref;

	if (ref == NULL || !says_yes(h) || strcmp(ref->person, h->person) == 0)
		return false;
	if (ref->kind == REC_PAPER) {
		a->kind = LAW_PAPER;
		paper(a, &of_ref, ref);
		return strcmp(a->outcome, "withdrawn") == 0;
	}
	if (ref->kind == REC_HANDOVER && u_of(ref, F_credit) == 1) {
		a->kind = LAW_HANDOVER;
		hand_over(a, w, ref);
		a->credit = true;
		return true;
	}
	return false;
}

static bool
refers(struct law_act *a, struct act_words *w, const struct record_header *h,
    const struct record_header *ref)
{
	if (h->kind == REC_APPROVAL)
		return approval(a, w, h, ref);
	if (h->kind == REC_ADOPT) {
		if (ref == NULL || ref->kind != REC_ATTEMPT)
			return false;
		call_fields(a, w, ref);
		memcpy(w->person, ref->person, sizeof(w->person));
		return true;
	}
	call_fields(a, w, h);
	if (ref != NULL)
		text_of(w->was, sizeof(w->was), ref, F_outcome);
	a->was = w->was;
	return true;
}

static void
verdict_of(struct law_act *a, struct act_words *w, const struct record_header *h)
{
	text_of(w->what, sizeof(w->what), h, F_verdict);
	a->what = w->what;
	if (outcome_by_code(w->what, strlen(w->what)) != OUT_NONE)
		a->outcome = w->what;
}

static enum law_kind
kind_of(enum record_kind kind)
{
	switch (kind) {
	case REC_ATTEMPT: return LAW_ATTEMPT;
	case REC_NOTE: return LAW_NOTE;
	case REC_NUMBER: return LAW_NUMBER;
	case REC_PAPER: return LAW_PAPER;
	case REC_HANDOVER: return LAW_HANDOVER;
	case REC_APPROVAL: return LAW_OTHER; /* set by approval() */
	case REC_CORRECTION: return LAW_CORRECTION;
	case REC_RULING: return LAW_RULING;
	case REC_WAIVER: return LAW_WAIVER;
	case REC_REOPEN: return LAW_REOPEN;
	case REC_ADOPT: return LAW_ADOPT;
	case REC_TIMER: return LAW_TIMER;
	case REC_MESSAGE: return LAW_MESSAGE;
	default: return LAW_KINDS; /* nothing for the law */
	}
}

bool
act_of(struct law_act *a, struct act_words *w, const struct record_header *h,
    const struct record_header *ref, const struct log_entry *e, uint64_t verdict, uint64_t roles)
{
	enum law_kind kind = kind_of(h->kind);

	if (kind == LAW_KINDS)
		return false;
	memset(w, 0, sizeof(*w));
	law_act_init(a, kind);
	a->effective = verdict == VERDICT_EFFECTIVE;
	memcpy(w->person, h->person, sizeof(w->person));
	a->person = w->person;
	a->leader = (roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0;
	a->strike_team = (roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0;
	a->signer = (roles & SIGNERS) != 0;
	a->at = happened(h, e);
	switch (kind) {
	case LAW_ATTEMPT:
	case LAW_NUMBER:
	case LAW_NOTE: call_fields(a, w, h); break;
	case LAW_PAPER: paper(a, w, h); break;
	case LAW_HANDOVER: hand_over(a, w, h); break; /* credit waits for its second person */
	case LAW_RULING: verdict_of(a, w, h); break;
	case LAW_REOPEN:
		/* Out of doubt or parked; a rest or an end stays. */
		a->kind = is(h, F_reason, "free") ? LAW_FREE : LAW_REOPEN;
		break;
	case LAW_MESSAGE:
		text_of(w->what, sizeof(w->what), h, F_verdict);
		a->what = w->what;
		a->rung = u_of(h, F_rung) < RUNG_COUNT ? (int)u_of(h, F_rung) : -1;
		break;
	case LAW_WAIVER:
		a->rung = u_of(h, F_rung) < RUNG_COUNT ? (int)u_of(h, F_rung) : -1;
		a->agrees = says_yes(h);
		break;
	case LAW_ADOPT:
	case LAW_CORRECTION:
	case LAW_OTHER: return refers(a, w, h, ref);
	default: break;
	}
	/* A number that turned out to be none is no find. */
	return h->kind != REC_NUMBER || !h->f[F_valid].set || h->f[F_valid].u != 0;
}
