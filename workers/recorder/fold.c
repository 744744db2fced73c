/* Which rows an entry of the log becomes.
 *
 * Happy path: each entry is decoded and filed by its type: a record becomes a row, the newest state of
 * its case and the end of a lease; grants, outboxes, agents, persons, epochs and marks likewise.
 * Failures: an entry of no known shape is left to quarantine; a record that does not decode, or does
 * not hang on the one before, becomes a row with a flaw. Only a record that comes after a gap is
 * refused, since nothing may ever count as recorded that was not. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/chain.h"
#include "workers/recorder/fold.h"
#include "workers/recorder/words.h"

struct entry {
	struct batch *b;
	struct log_entry e;
	struct case_state state;
	bool has_state;
	struct row *row; /* a record's, else NULL */
	bool gap;        /* its outbox's newest record is not the one before it */
};

static void
touch(struct batch *b, struct box *box)
{
	if (box->touched)
		return;
	box->touched = true;
	box->rows = 0;
	box->next_touched = b->touched;
	b->touched = box;
}

static struct case_change *
case_of(struct batch *b, const struct log_entry *e)
{
	uintptr_t at = (uintptr_t)map_get(b->case_at, e->case_id, 16);
	struct case_change *c;

	if (at != 0)
		return &b->cases[at - 1];
	c = &b->cases[b->n_cases++];
	memcpy(c->case_id, e->case_id, sizeof(c->case_id));
	(void)map_put(b->case_at, e->case_id, 16, (void *)(uintptr_t)b->n_cases);
	return c;
}

static void
case_changed(struct batch *b, const struct log_entry *e, const struct case_state *state)
{
	struct case_change *c = case_of(b, e);

	c->at = (struct log_id){e->epoch, e->no};
	c->now = e->now;
	c->state = *state;
	if (strcmp(e->type, "create") == 0 && !c->created) {
		c->created = true;
		c->created_at = e->now;
	}
	if (strcmp(e->type, "create") == 0 || strcmp(e->type, "place") == 0) {
		c->has_blob = true;
		c->blob = e->blob;
	}
	if (e->task.len > 0) {
		c->has_task = true;
		c->task = e->task;
	}
}

static struct lease_change *
lease_of(struct batch *b, const struct log_entry *e, const struct case_state *state)
{
	struct lease_change *l;
	uint8_t key[24];
	uintptr_t at;

	memcpy(key, e->case_id, 16);
	be64_put(key + 16, state->token);
	at = (uintptr_t)map_get(b->lease_at, key, sizeof(key));
	if (at != 0)
		return &b->leases[at - 1];
	l = &b->leases[b->n_leases++];
	memcpy(l->case_id, e->case_id, sizeof(l->case_id));
	l->token = state->token;
	(void)hex_decode(l->ob, sizeof(l->ob), state->ob, strlen(state->ob));
	(void)map_put(b->lease_at, key, sizeof(key), (void *)(uintptr_t)b->n_leases);
	return l;
}

static void
lease_ended(struct batch *b, const struct log_entry *e, const struct case_state *state,
    const char *person, const char *how)
{
	struct lease_change *l = lease_of(b, e, state);

	if (l->ended)
		return;
	l->ended = true;
	l->ended_opseq = e->opseq;
	l->ended_at = e->now;
	if (!l->granted)
		snprintf(l->person, sizeof(l->person), "%s", person);
	snprintf(l->how, sizeof(l->how), "%s", how);
}

/* ---- entries by type: each answers whether it understood ---------------------------------------- */

static bool
on_grant(struct entry *x)
{
	struct span d = x->e.detail;
	struct lease_change *l;
	struct lease_change g = {.granted = true};
	uint64_t next_no;

	if (!x->has_state || !word_name(&d, g.person) || !word_hex(&d, g.ob, sizeof(g.ob)) ||
	    !word_u(&d, &next_no) || !word_flag(&d, &g.pulled) ||
	    !word_text(&d, g.from_lane, sizeof(g.from_lane)))
		return false;
	l = lease_of(x->b, &x->e, &x->state);
	memcpy(g.case_id, l->case_id, sizeof(g.case_id));
	g.token = l->token;
	g.granted_opseq = x->e.opseq;
	g.granted_at = x->e.now;
	*l = g;
	return true;
}

static bool
on_lease_end(struct entry *x)
{
	struct span d = x->e.detail;
	name_t person;
	char reason[50], how[80];

	if (!x->has_state || !word_name(&d, person) || !word_text(&d, reason, sizeof(reason)))
		return false;
	snprintf(how, sizeof(how), "%s %s", x->e.type, reason);
	lease_ended(x->b, &x->e, &x->state, person, how);
	return true;
}

static bool
on_case(struct entry *x)
{
	return x->has_state;
}

static bool
on_indexes(struct entry *x)
{
	struct index_change *c = &x->b->indexes[x->b->n_indexes];

	if (!x->e.has_case || x->e.indexes.len % 8 != 0)
		return false;
	if (x->e.indexes.len == 0)
		return true;
	memcpy(c->case_id, x->e.case_id, sizeof(c->case_id));
	c->indexes = x->e.indexes;
	x->b->n_indexes++;
	return true;
}

static bool
on_create(struct entry *x)
{
	return x->has_state && on_indexes(x);
}

/* A lease of a lost store goes on. */
static bool
on_readmit(struct entry *x)
{
	struct span d = x->e.detail;
	struct lease_change *l;
	name_t person;
	uint8_t ob[16];

	if (!x->has_state || !word_name(&d, person) || !word_hex(&d, ob, sizeof(ob)))
		return false;
	l = lease_of(x->b, &x->e, &x->state);
	if (!l->granted)
		snprintf(l->person, sizeof(l->person), "%s", person);
	return true;
}

static void
keep(struct entry *x, const char *what, struct span said)
{
	struct kept_change *k = &x->b->kept[x->b->n_kept++];

	snprintf(k->what, sizeof(k->what), "%s", what);
	k->value = x->e.task;
	k->said = said;
	k->at = (struct log_id){x->e.epoch, x->e.no};
}

static bool
on_keep(struct entry *x)
{
	struct span d = x->e.detail;
	char what[16];

	if (!word_text(&d, what, sizeof(what)) || !utf8_valid(d.data, d.len))
		return false;
	keep(x, what, d);
	return true;
}

static bool
on_pause(struct entry *x)
{
	if (!utf8_valid(x->e.detail.data, x->e.detail.len))
		return false;
	keep(x, "pause", x->e.detail);
	return true;
}

static bool
on_outbox(struct entry *x)
{
	struct span d = x->e.detail;
	uint8_t ob[16], agent[16];
	struct box *box;

	if (!word_hex(&d, ob, sizeof(ob)) || !word_hex(&d, agent, sizeof(agent)))
		return false;
	box = book_box(x->b->book, ob);
	memcpy(box->agent, agent, sizeof(box->agent));
	box->has_agent = true;
	touch(x->b, box);
	return true;
}

static bool
on_frozen(struct entry *x)
{
	struct span d = x->e.detail;
	struct box *box;
	uint8_t ob[16];

	if (!word_hex(&d, ob, sizeof(ob)))
		return false;
	box = book_box(x->b->book, ob);
	box->frozen = true;
	touch(x->b, box);
	return true;
}

static bool
on_mark(struct entry *x)
{
	struct span d = x->e.detail;
	struct box *box;
	uint8_t ob[16];
	uint64_t level, upto;

	if (!word_hex(&d, ob, sizeof(ob)) || !word_u(&d, &level) || !word_u(&d, &upto))
		return false;
	box = book_box(x->b->book, ob);
	if (level == LEVEL_SETTLED)
		box->settled = upto;
	else if (level == LEVEL_RELEASED)
		box->released = upto;
	else
		return false;
	touch(x->b, box);
	return true;
}

static bool
on_agent(struct entry *x)
{
	struct span d = x->e.detail;
	struct agent_change *a = &x->b->agents[x->b->n_agents];
	char state[16];

	if (!word_hex(&d, a->agent, 16) || !word_hex(&d, a->curve_pk, 32) ||
	    !word_hex(&d, a->sign_pk, 32) || !word_text(&d, state, sizeof(state)))
		return false;
	a->active = strcmp(state, "active") == 0;
	a->at = (struct log_id){x->e.epoch, x->e.no};
	book_agent(x->b->book, a->agent, a->sign_pk);
	x->b->n_agents++;
	return true;
}

static bool
on_person(struct entry *x)
{
	struct span d = x->e.detail;
	struct person_change *p = &x->b->persons[x->b->n_persons];
	char pk[65];

	if (!word_name(&d, p->person) || !word_u(&d, &p->roles) ||
	    !word_text(&d, p->team, sizeof(p->team)) || !word_flag(&d, &p->qualified) ||
	    !word_text(&d, pk, sizeof(pk)) || !word_flag(&d, &p->active))
		return false;
	p->has_pk = pk[0] != '\0';
	if (p->has_pk && !hex_decode(p->pk, sizeof(p->pk), pk, strlen(pk)))
		return false;
	p->at = (struct log_id){x->e.epoch, x->e.no};
	x->b->n_persons++;
	return true;
}

static bool
on_epoch(struct entry *x)
{
	struct span d = x->e.detail;
	struct epoch_change *c = &x->b->epochs[x->b->n_epochs];

	if (!word_u(&d, &c->epoch) || !word_hex(&d, c->incarnation, 16) ||
	    d.len >= sizeof(c->why) || !utf8_valid(d.data, d.len))
		return false;
	memcpy(c->why, d.data, d.len);
	c->why[d.len] = '\0';
	c->wall = x->e.wall;
	x->b->n_epochs++;
	return true;
}

static bool
on_nothing(struct entry *x)
{
	(void)x;
	return true;
}

/* ---- records -------------------------------------------------------------------------------------- */

/* F0 is the RECORD that the log speaks of. */
static bool
read_frame(struct row *r)
{
	struct frame f;

	if (frame_decode(&f, r->e.f0, NULL) != 0 || f.kind != MSG_RECORD ||
	    memcmp(f.u.record.ob, r->box->ob, 16) != 0 || f.u.record.seq != r->seq)
		return false;
	r->rec = f.u.record;
	return true;
}

/* Hangs it on the outbox's chain. */
static void
link_row(struct entry *x, struct row *r)
{
	struct batch *b = x->b;
	struct box *box = r->box;
	size_t index = (size_t)(r - b->row);

	touch(b, box);
	x->gap = r->seq != box->upto + 1;
	r->prev = box->rows > 0 ? box->last_row : SIZE_MAX;
	if (box->rows++ == 0)
		box->first_row = index;
	box->last_row = index;
	if (r->flaw == FLAW_NONE) {
		bool fits = !box_h_known(box) || memcmp(r->rec.prev_h, box->h, 32) == 0;
		bool whole = chain_record_ok(&r->rec, r->e.f1);

		r->linked = whole && fits && box_h_known(box);
		if (!whole || !fits)
			r->flaw = FLAW_CHAIN;
	}
	box->upto = r->seq;
	memcpy(box->h, r->rec.h, sizeof(box->h));
}

static void
read_header(struct entry *x, struct row *r)
{
	struct record_header h;

	if (record_header_decode(&h, r->rec.header, NULL) != 0) {
		/* the broker saw that too, and said so, unless the log lies */
		if (r->flaw == FLAW_NONE)
			r->flaw = FLAW_HEADER;
		return;
	}
	if (r->verdict == VERDICT_EFFECTIVE && h.token != 0 && x->has_state && !x->state.held &&
	    h.token == x->state.token)
		lease_ended(x->b, &x->e, &x->state, h.person, "record");
}

static bool
on_record(struct entry *x)
{
	struct span d = x->e.detail;
	struct row *r = &x->b->row[x->b->rows];
	uint8_t ob[16];
	uint64_t verdict;

	*r = (struct row){.e = x->e};
	if (!word_hex(&d, ob, sizeof(ob)) || !word_u(&d, &r->seq) || r->seq < 1 ||
	    !word_u(&d, &verdict) || verdict > VERDICT_QUARANTINED ||
	    !word_text(&d, r->why, sizeof(r->why)) || !word_name(&d, r->person) ||
	    !word_u(&d, &r->kind) || r->kind > INT16_MAX)
		return false;
	r->verdict = (unsigned)verdict;
	r->box = book_box(x->b->book, ob);
	if (!read_frame(r))
		r->flaw = FLAW_FRAME;
	r->again = r->seq <= r->box->upto;
	x->b->rows++;
	x->row = r;
	if (r->again)
		return true;
	link_row(x, r);
	if (r->flaw != FLAW_FRAME)
		read_header(x, r);
	return true;
}

static const struct kind {
	const char *type;
	bool (*on)(struct entry *);
	bool worth;
} kinds[] = {
    {"record", on_record, true},
    {"grant", on_grant, true},
    {"giveback", on_lease_end, true},
    {"expire", on_lease_end, true},
    {"create", on_create, true},
    {"number", on_indexes, true},
    {"restore", on_case, true},
    {"readmit", on_readmit, true},
    {"keep", on_keep, true},
    {"place", on_case, true},
    {"outbox", on_outbox, true},
    {"frozen", on_frozen, true},
    {"mark", on_mark, false},
    {"agent", on_agent, true},
    {"person", on_person, true},
    {"epoch", on_epoch, true},
    {"offer", on_nothing, false},
    {"gate", on_nothing, false},
    {"pause", on_pause, true},
    {"doubt", on_nothing, false},
    {"back", on_nothing, false},
    {"excused", on_nothing, false},
    {"mode", on_nothing, false},
    {"blob", on_nothing, false},
    {"poison", on_nothing, false},
};

static const struct kind *
kind_of(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

int
fold_entry(struct batch *b, const struct raw_entry *raw, bool *ret_worth, struct err *err)
{
	struct entry x = {.b = b};
	const struct kind *kind;
	bool known;

	*ret_worth = true;
	if (log_entry_decode(&x.e, raw->id, raw->pair, raw->n, NULL) != 0)
		return 0;
	if (x.e.has_case && x.e.state.len > 0) {
		if (case_state_decode(&x.state, x.e.state, NULL) != 0)
			return 0;
		x.has_state = true;
	}
	kind = kind_of(x.e.type);
	known = kind != NULL && kind->on(&x);
	if (x.gap)
		return err_set(err, ERR_STALE,
		    "record %ju of an outbox does not follow the newest recorded one",
		    (uintmax_t)x.row->seq);
	if (x.row != NULL)
		x.row->raw = raw;
	/* The state holds, whatever kind of entry tells it. */
	if (x.has_state)
		case_changed(b, &x.e, &x.state);
	b->book->opseq = x.e.opseq;
	b->book->now = x.e.now;
	if (known)
		*ret_worth = kind->worth;
	return known;
}
