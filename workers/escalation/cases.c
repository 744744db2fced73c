/* cases.c - the router's copy of the cases, and the law asked about one of them.
 *
 * Two halves of one case: what Redis has (version, lane, due, blob) and what the law says. Where they
 * differ, work is queued; where a newer version shows that somebody was faster, the difference is looked
 * at again. A case in somebody's hands, parked or in doubt keeps its lane; its memory still moves. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "workers/escalation/router.h"

struct rcase *
case_find(struct router *r, const uint8_t id[16])
{
	return map_get(r->cases, id, 16);
}

void
case_free(void *c)
{
	free(c);
}

void
case_all(struct router *r, void (*fn)(struct router *r, struct rcase *c, void *arg), void *arg)
{
	struct map_iter it = map_begin(r->cases);
	void *c;

	while (map_next(&it, NULL, NULL, &c) != 0)
		fn(r, c, arg);
}

/* ---- what Redis has ---- */

static void
take_state(struct rcase *c, const struct case_state *s)
{
	c->version = s->version;
	c->held = s->held;
	memcpy(c->holder, s->hand, sizeof(c->holder));
	if (c->has_want && strcmp(c->owner, s->owner) != 0)
		memcpy(c->want.owner, s->owner, sizeof(c->want.owner));
	memcpy(c->owner, s->owner, sizeof(c->owner));
	memcpy(c->lane, s->lane, sizeof(c->lane));
	memcpy(c->why, s->why, sizeof(c->why));
	c->due = s->due;
}

static bool
take_blob(struct rcase *c, struct span blob)
{
	struct err err = ERR_INIT;

	if (blob.len == 0 || law_case_unpack(&c->law, blob, &err) != 0)
		return false;
	memcpy(c->saved_blob, blob.data, blob.len);
	c->saved_len = blob.len;
	return true;
}

struct rcase *
case_load(struct router *r, const uint8_t id[16], struct span text, struct span blob)
{
	struct err err = ERR_INIT;
	struct case_state s;
	struct rcase *c;

	if (case_state_decode(&s, text, &err) != 0) {
		log_error("case.state", "why=\"%s\" decision=\"left alone\"", err.text);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	memcpy(c->id, id, 16);
	take_state(c, &s);
	if (!take_blob(c, blob.len > 0 ? blob : s.blob)) {
		/* No memory of it: begun anew where the log begins, and put before a person. */
		law_case_init(&c->law);
		c->law.stage = (uint8_t)r->book.stage;
		c->law.place = s.lane[0] == 'u' ? PLACE_UNRELEASED : PLACE_PARKED;
		c->law.due = 0;
		log_error("case.memory", "lane=%s decision=\"begun anew\"", s.lane);
	}
	c->saved_at = c->at = (struct logid){s.law_epoch, s.law_no};
	map_put(r->cases, c->id, 16, c);
	case_count(r, c);
	return c;
}

void
case_state(struct router *r, struct rcase *c, struct span text, struct span blob)
{
	struct case_state s;
	struct logid law_at;

	if (case_state_decode(&s, text, NULL) != 0) {
		log_error(
		    "case.state", "version=%ju decision=\"left alone\"", (uintmax_t)c->version);
		return;
	}
	if (s.version < c->version)
		return;
	law_at = (struct logid){s.law_epoch, s.law_no};
	take_state(c, &s);
	if (logid_after(law_at, c->saved_at))
		c->saved_at = law_at;
	/* Another router was faster: its memory is the newer one. */
	if (blob.len > 0 && logid_after(law_at, c->at) && take_blob(c, blob)) {
		c->at = law_at;
		case_saved(r, c);
		c->has_want = false;
	}
	case_count(r, c);
}

/* ---- what the law says ---- */

static enum presence
presence_of(struct router *r, const char *person, int64_t now, int64_t *ret_since)
{
	const struct rperson *p = person[0] == '\0' ? NULL : person_find(r, person);

	if (p == NULL)
		return PRESENT;
	if (!p->active)
		return GONE;
	return book_is_absent(&r->book, person, now, ret_since) ? ABSENT : PRESENT;
}

void
case_ctx(struct router *r, const struct rcase *c, int64_t now, struct law_ctx *ret)
{
	const char *owner = c->has_want ? c->want.owner : c->owner;
	const char *worker = c->law.hand[0] != '\0' ? c->law.hand : owner;
	const struct rperson *p = owner[0] == '\0' ? NULL : person_find(r, owner);
	static struct span_of_time spans[FREE_SPANS]; /* until the next case is asked about */

	*ret = (struct law_ctx){.policy = r->policy, .calendar = &r->calendar, .now = now};
	ret->stage = (int)r->book.stage;
	ret->pass = (int)r->book.pass;
	ret->stage_opened_at = r->book.stage_opened_at;
	ret->pass_end = r->book.pass_end;
	ret->registration_from = r->policy->registration_from;
	ret->registration_until = r->policy->registration_until;
	ret->notice_sent_at = r->policy->notice_sent;
	ret->special_master = c->law.special_master;
	ret->held = c->held;
	ret->owner = owner;
	ret->team = p == NULL ? "" : p->team;
	ret->presence = presence_of(r, worker, now, &ret->absent_since);
	ret->reserved_for = "";
	ret->free = spans;
	ret->n_free = freehours_spans(r, owner, now, spans, FREE_SPANS);
}

static void
decide(struct router *r, struct rcase *c, const struct law_ctx *ctx, const struct law_act *act)
{
	struct law_placement p;
	struct err err = ERR_INIT;
	name_t owner;
	struct law_ctx x = *ctx;

	memcpy(owner, ctx->owner, strlen(ctx->owner) + 1); /* may stand in what is written here */
	x.owner = owner;
	if (law_next(&c->law, &x, act, &p, &err) != 0) {
		log_error("law.no_rule", "why=\"%s\" decision=\"parked\"", err.text);
		c->law.place = PLACE_PARKED;
		CHECK(law_next(&c->law, &x, NULL, &p, &err) == 0);
	}
	if (p.reason == REASON_STAYS && c->has_want) { /* it is there for the reason it came for */
		p.reason = c->want.reason;
		memcpy(p.text, c->want.text, sizeof(p.text));
	}
	c->want = p;
	c->has_want = true;
	timers_set(r, c, p.timer_at);
	case_count(r, c);
}

void
case_act(struct router *r, struct rcase *c, const struct law_act *act, int64_t now, struct logid at)
{
	const struct rperson *p;
	struct law_ctx ctx;

	case_ctx(r, c, now, &ctx);
	if (ctx.team[0] == '\0' && ctx.owner[0] == '\0' && act->person[0] != '\0' &&
	    (p = person_find(r, act->person)) != NULL)
		ctx.team = p->team; /* who binds the case now brings the team */
	if (act->kind == LAW_RELEASE) {
		ctx.order = (int64_t)r->book.release_order;
		ctx.reserved_for = campaign_reporter(r, c);
	}
	law_fold(&c->law, &ctx, act);
	decide(r, c, &ctx, act);
	c->at = at;
	if (c->unsaved.no == 0)
		case_unsaved(r, c, at);
}

void
case_look(struct router *r, struct rcase *c, int64_t now)
{
	struct law_ctx ctx;

	case_ctx(r, c, now, &ctx);
	decide(r, c, &ctx, NULL);
}

/* ---- both ---- */

void
case_unsaved(struct router *r, struct rcase *c, struct logid from)
{
	bool listed = c->unsaved.no != 0;

	c->unsaved = from;
	if (listed || from.no == 0)
		return;
	c->unsaved_prev = NULL;
	c->unsaved_next = r->unsaved;
	if (r->unsaved != NULL)
		r->unsaved->unsaved_prev = c;
	r->unsaved = c;
}

void
case_saved(struct router *r, struct rcase *c)
{
	if (c->unsaved.no == 0)
		return;
	c->unsaved.no = 0;
	if (c->unsaved_prev != NULL)
		c->unsaved_prev->unsaved_next = c->unsaved_next;
	else
		r->unsaved = c->unsaved_next;
	if (c->unsaved_next != NULL)
		c->unsaved_next->unsaved_prev = c->unsaved_prev;
}

/* Parked until a person frees it; in doubt until all agents came back after a lost store. */
static bool
stands_apart(const struct router *r, const struct rcase *c)
{
	return strcmp(c->lane, "parked") == 0 || (r->is_doubt && strcmp(c->lane, "doubt") == 0);
}

bool
case_moves(const struct router *r, const struct rcase *c)
{
	if (!c->has_want || c->held || (stands_apart(r, c) && strcmp(c->want.lane, c->lane) != 0))
		return false;
	/* In the pool the due time is the place in the seeded order, and stays. */
	return strcmp(c->want.lane, c->lane) != 0 || strcmp(c->want.owner, c->owner) != 0 ||
	       (c->want.due != c->due && c->law.place != PLACE_POOL);
}

bool
case_differs(const struct router *r, const struct rcase *c)
{
	uint8_t blob[LAW_BLOB_MAX];
	size_t len;

	if (!c->has_want)
		return false;
	if (case_moves(r, c))
		return true;
	len = law_case_pack(blob, &c->law);
	return len != c->saved_len || memcmp(blob, c->saved_blob, len) != 0;
}

void
case_queue(struct router *r, struct rcase *c)
{
	/* Until the end of the log was seen once, Redis may be ahead of what was read: a case placed by an older
	 * record would leave triage before its newest one is known. The first end looks at all cases. */
	if (c->is_queued || !r->is_caught_up)
		return;
	if (!case_differs(r, c)) {
		case_saved(r, c); /* folding it again after a restart says the same */
		return;
	}
	c->is_queued = true;
	work_add(r, WORK_CASE, c);
}

static void
count(struct router *r, name_t counted, const char *now, int *(*field)(struct rperson *))
{
	struct rperson *p;

	if (strcmp(counted, now) == 0)
		return;
	if (counted[0] != '\0' && (p = person_find(r, counted)) != NULL) {
		--*field(p);
		offers_person(r, p);
	}
	memset(counted, 0, sizeof(name_t));
	memcpy(counted, now, strlen(now) + 1);
	if (now[0] != '\0' && (p = person_find(r, now)) != NULL) {
		++*field(p);
		offers_person(r, p);
	}
}

static int *
own_field(struct rperson *p)
{
	return &p->own;
}

static int *
unfirst_field(struct rperson *p)
{
	return &p->without_result;
}

/* Whose plate the case is on: its owner's, its reporter's, or that of who just pulled it; and is it lost? */
void
case_count(struct router *r, struct rcase *c)
{
	const char *owner = c->has_want ? c->want.owner : c->owner;
	bool open = c->law.place != PLACE_TERMINAL && c->law.place != PLACE_UNRELEASED;
	const char *first = "";

	if (owner[0] == '\0' && c->held)
		first = c->holder;
	else if (owner[0] == '\0' && c->law.reserved)
		first = c->law.hand;
	r->lost += law_lost(&c->law) - c->lost;
	c->lost = law_lost(&c->law);
	count(r, c->unfirst_for, first, unfirst_field);
	count(r, c->counts_for, open && owner[0] != '\0' ? owner : first, own_field);
}
