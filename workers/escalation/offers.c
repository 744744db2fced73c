/* offers.c - the gate, and which lanes each person is offered, brought to Redis where they changed. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "workers/escalation/campaign.h"
#include "workers/escalation/offer.h"

#define FAR_AHEAD CALENDAR_NEVER

/* When the gate closes again by itself, should nobody say otherwise: at the end of this opening, or of the next. */
static int64_t
shuts_at(const struct router *r, const struct gate_state *g)
{
	int64_t at = g->gate == GATE_CLOSED && g->until < CALENDAR_NEVER
	                 ? calendar_gate(&r->calendar, g->until).until
	                 : g->until;

	return at < CALENDAR_NEVER ? at : 0;
}

/* Closed outside the hours; and, once there are passes, while none is open. */
void
offers_gate(struct router *r)
{
	int64_t now = clock_campaign_ms(), until = 0, shut;
	struct gate_state g = calendar_gate(&r->calendar, now);

	r->gate_changes = g.until;
	if (r->book.stage == 2 && r->book.pass_seen && r->book.pass == 0)
		until = FAR_AHEAD;
	else if (g.gate == GATE_CLOSED)
		until = g.until;
	if (!r->is_caught_up && until == 0)
		return; /* the offers are still those of before: it may close, but nothing opens by them */
	/* Before the gate: many offers are several batches, and it opens behind the last one. */
	if (g.gate != r->gate || now >= r->offers_until) {
		r->gate = g.gate;
		offers_all(r);
	}
	shut = shuts_at(r, &g);
	if (until != r->gate_sent || shut != r->shut_sent) {
		struct words *w = words_make("gate");

		words_u(w, (uint64_t)until);
		words_u(w, (uint64_t)shut);
		words_queue(r, w);
		r->gate_sent = until;
		r->shut_sent = shut;
	}
}

static void
count_volume(struct router *r, struct rcase *c, void *arg)
{
	(void)arg;
	r->volume += c->law.place != PLACE_UNRELEASED;
}

static void
lanes_of(struct router *r, const struct rperson *p, struct offer *ret)
{
	struct offer_campaign x = {.pass = (int)r->book.pass,
	    .gate = r->gate,
	    .released_at = r->book.released_at,
	    .volume = r->volume,
	    .callers = r->callers};
	struct offer_person who = {.person = p->person,
	    .team = p->team,
	    .roles = (uint32_t)p->roles,
	    .qualified = p->qualified && p->active,
	    .own = p->own,
	    .without_result = p->without_result};

	/* A closed gate is closed by the gate; the lanes are those of the next opening. */
	if (x.gate == GATE_CLOSED)
		x.gate = GATE_OPEN;
	offer_lanes(ret, r->policy, &r->calendar, clock_campaign_ms(), &x, &who);
}

bool
offers_text(struct router *r, const struct rperson *p, struct buf *out)
{
	struct offer o;

	lanes_of(r, p, &o);
	buf_addf(out, "%d", OPENED_MAX);
	for (int i = 0; i < o.n; i++)
		buf_addf(out, " %s", o.lanes[i]);
	if (o.until > clock_campaign_ms() && o.until < r->offers_until)
		r->offers_until = o.until;
	return p->offer.len != out->len || memcmp(p->offer.data, out->data, out->len) != 0;
}

void
offers_person(struct router *r, struct rperson *p)
{
	struct buf text = BUF_INIT;

	if (p->offer_queued || !r->is_caught_up)
		return;
	if (offers_text(r, p, &text)) {
		p->offer_queued = true;
		work_add(r, WORK_OFFER, p);
	}
	buf_done(&text);
}

void
offers_all(struct router *r)
{
	struct map_iter it = map_begin(r->persons);
	void *p;

	r->offers_until = CALENDAR_NEVER;
	r->volume = r->callers = 0;
	if (!r->is_caught_up)
		return;
	case_all(r, count_volume, NULL);
	while (map_next(&it, NULL, NULL, &p) != 0)
		r->callers += people_is_caller(p);
	it = map_begin(r->persons);
	while (map_next(&it, NULL, NULL, &p) != 0)
		offers_person(r, p);
}
