/* fold.c - entry by entry, from nothing to what the outbox knows.
 *
 * Happy path: an OB entry says where the chain stands, records follow without gaps, everything else
 * overwrites what was known. Failures: an entry that cannot stand where it stands (a gap, a hash
 * that does not follow, a short payload) is damage; nothing is guessed.
 * Senders' ids outlive their records: at least FOLD_IDS_KEPT of them, and all that are not released. */
#include "workers/link/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/link/cut.h"

/* ---- life ---------------------------------------------------------------------------------------- */

void
hold_destroy(struct hold *h)
{
	if (h == NULL)
		return;
	crypt_wipe(h->key, sizeof(h->key));
	buf_done(&h->ticket);
	buf_done(&h->task);
	free(h);
}

void
fold_init(struct fold *f)
{
	*f = (struct fold){0};
	f->next_no = map_create();
	f->ids = map_create();
}

void
fold_done(struct fold *f)
{
	for (size_t i = 0; i < f->n_holds; i++)
		hold_destroy(f->holds[i]);
	free(f->holds);
	free(f->rec);
	free(f->id_order);
	map_destroy(f->next_no, free);
	map_destroy(f->ids, free);
	crypt_wipe(f, sizeof(*f));
}

/* ---- questions ----------------------------------------------------------------------------------- */

uint64_t
fold_head(const struct fold *f)
{
	return f->base_seq + f->n_rec;
}

struct fold_record *
fold_record(const struct fold *f, uint64_t seq)
{
	if (seq <= f->base_seq || seq > fold_head(f))
		return NULL;
	return &f->rec[seq - f->base_seq - 1];
}

bool
fold_hash_at(const struct fold *f, uint64_t seq, uint8_t ret_h[32])
{
	const struct fold_record *r = fold_record(f, seq);

	if (r == NULL && seq != f->base_seq)
		return false;
	memcpy(ret_h, r != NULL ? r->h : f->base_h, 32);
	return true;
}

bool
fold_find_id(const struct fold *f, const uint8_t id[16], uint64_t *ret_seq)
{
	const struct fold_id *e = map_get(f->ids, id, 16);

	if (e == NULL)
		return false;
	*ret_seq = e->seq;
	return true;
}

uint64_t
fold_next_no(const struct fold *f, const char *person)
{
	const uint64_t *no = map_get(f->next_no, person, strlen(person));

	return no != NULL ? *no : 0;
}

struct hold *
fold_hold(const struct fold *f, const uint8_t case_id[16], uint64_t token)
{
	for (size_t i = f->n_holds; i-- > 0;)
		if (f->holds[i]->token == token && memcmp(f->holds[i]->case_id, case_id, 16) == 0)
			return f->holds[i];
	return NULL;
}

/* ---- senders' ids -------------------------------------------------------------------------------- */

static void
drop_old_ids(struct fold *f)
{
	while (f->n_ids - f->id_first > FOLD_IDS_KEPT) {
		struct fold_id *e = f->id_order[f->id_first];

		if (e->seq > f->mark[MARK_RELEASED].upto)
			return;
		(void)map_del(f->ids, e->id, 16);
		free(e);
		f->id_first++;
	}
}

static void
remember_id(struct fold *f, const uint8_t id[16], uint64_t seq, uint64_t segno)
{
	struct fold_id *e = map_get(f->ids, id, 16);

	if (e != NULL) {
		e->segno = segno;
		return;
	}
	e = xcalloc(1, sizeof(*e));
	memcpy(e->id, id, 16);
	e->seq = seq;
	e->segno = segno;
	(void)map_put(f->ids, id, 16, e);
	if (f->n_ids == f->cap_ids && f->id_first > f->cap_ids / 2) {
		f->n_ids -= f->id_first;
		memmove(
		    f->id_order, f->id_order + f->id_first, f->n_ids * sizeof(struct fold_id *));
		f->id_first = 0;
	}
	if (f->n_ids == f->cap_ids) {
		f->cap_ids = f->cap_ids != 0 ? f->cap_ids * 2 : 64;
		f->id_order = xrealloc(f->id_order, f->cap_ids, sizeof(struct fold_id *));
	}
	f->id_order[f->n_ids++] = e;
}

static int
by_seq(const void *a, const void *b)
{
	const struct fold_id *x = *(struct fold_id *const *)a, *y = *(struct fold_id *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void
fold_settle(struct fold *f)
{
	if (f->n_ids > f->id_first)
		qsort(f->id_order + f->id_first, f->n_ids - f->id_first, sizeof(struct fold_id *),
		    by_seq);
	drop_old_ids(f);
}

/* ---- holds --------------------------------------------------------------------------------------- */

static void
remove_hold(struct fold *f, size_t i)
{
	hold_destroy(f->holds[i]);
	f->n_holds--;
	memmove(f->holds + i, f->holds + i + 1, (f->n_holds - i) * sizeof(struct hold *));
}

static void
drop_finished_holds(struct fold *f)
{
	for (size_t i = f->n_holds; i-- > 0;)
		if (f->holds[i]->ended && f->holds[i]->end_seq <= f->mark[MARK_RELEASED].upto)
			remove_hold(f, i);
}

/* The list is bounded: whoever collects cases without ever finishing one loses the oldest. */
static void
add_hold(struct fold *f, struct hold *h)
{
	size_t live = 0, oldest = 0;

	for (size_t i = f->n_holds; i-- > 0;) {
		if (f->holds[i]->ended)
			continue;
		live++;
		oldest = i;
	}
	if (live >= FOLD_HOLDS_MAX)
		remove_hold(f, oldest);
	f->holds = xrealloc(f->holds, f->n_holds + 1, sizeof(struct hold *));
	f->holds[f->n_holds++] = h;
}

/* ---- entries ------------------------------------------------------------------------------------- */

static int
bad(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "outbox entry %s", what);
}

static int
take_ob(struct fold *f, struct cut c, uint64_t segno, struct err *err)
{
	uint8_t version = cut_u8(&c), ob[16], h[32], own[32];
	uint64_t no = cut_u64(&c), base;
	char campaign[NAME_MAX_LEN + 1];

	cut_bytes(&c, ob, sizeof(ob));
	base = cut_u64(&c);
	cut_bytes(&c, h, sizeof(h));
	cut_name(&c, campaign);
	if (!cut_end(&c) || version != 1 || no != segno)
		return bad(err, "OB does not decode or belongs to another file");
	if (f->opened) {
		if (memcmp(ob, f->ob, 16) != 0 || strcmp(campaign, f->campaign) != 0 ||
		    segno != f->segno + 1 || base != fold_head(f))
			return bad(err, "OB does not continue the file before");
		CHECK(fold_hash_at(f, base, own));
		if (memcmp(h, own, 32) != 0)
			return bad(err, "OB has another hash than the file before");
	} else {
		memcpy(f->ob, ob, 16);
		memcpy(f->campaign, campaign, sizeof(campaign));
		f->base_seq = base;
		memcpy(f->base_h, h, 32);
		for (unsigned i = 0; i < MARKS; i++) { /* or they would not be gone */
			f->mark[i].upto = base;
			memcpy(f->mark[i].h, h, 32);
		}
	}
	f->opened = true;
	f->segno = segno;
	return 0;
}

static int
take_hold(struct fold *f, struct cut c, struct err *err)
{
	struct hold *h = xcalloc(1, sizeof(*h)), *old;
	struct span ticket, task;

	cut_bytes(&c, h->case_id, 16);
	h->token = cut_u64(&c);
	h->version = cut_u64(&c);
	h->due = cut_u64(&c);
	cut_bytes(&c, h->key, 32);
	h->pulled = cut_u8(&c) != 0;
	cut_name(&c, h->person);
	cut_text(&c, h->why, sizeof(h->why));
	ticket = cut_long(&c);
	task = cut_long(&c);
	if (!cut_end(&c) || ticket.len > TICKET_MAX || task.len > F1_MAX) {
		hold_destroy(h);
		return bad(err, "HOLD does not decode");
	}
	buf_add(&h->ticket, ticket.data, ticket.len);
	buf_add(&h->task, task.data, task.len);
	old = fold_hold(f, h->case_id, h->token);
	if (old != NULL) /* a snapshot repeats what is known */
		hold_destroy(h);
	else
		add_hold(f, h);
	return 0;
}

static int
take_hold_end(struct fold *f, struct cut c, struct err *err)
{
	uint8_t case_id[16];
	uint64_t token, seq;
	struct hold *h;

	cut_bytes(&c, case_id, 16);
	token = cut_u64(&c);
	seq = cut_u64(&c);
	if (!cut_end(&c))
		return bad(err, "HOLD_END does not decode");
	h = fold_hold(f, case_id, token);
	if (h != NULL && !h->ended) {
		h->ended = true;
		h->end_seq = seq;
		drop_finished_holds(f);
	}
	return 0;
}

int
fold_get_record(struct fold_stored *ret, struct span payload, struct err *err)
{
	struct cut c = cut_open(payload);

	ret->seq = cut_u64(&c);
	cut_bytes(&c, ret->h, 32);
	cut_bytes(&c, ret->id, 16);
	cut_bytes(&c, ret->sig, 64);
	ret->header = cut_long(&c);
	ret->body = cut_long(&c);
	if (!cut_end(&c) || ret->header.len > HEADER_MAX || ret->body.len > F1_MAX)
		return bad(err, "RECORD does not decode");
	return 0;
}

static int
take_record(struct fold *f, const struct entry *e, uint64_t segno, struct err *err)
{
	struct fold_stored r;
	uint8_t prev[32], h[32], bc[32];

	if (fold_get_record(&r, e->payload, err) != 0)
		return -1;
	if (r.seq != fold_head(f) + 1)
		return bad(err, "RECORD leaves a gap");
	CHECK(fold_hash_at(f, r.seq - 1, prev));
	chain_body_hash(bc, r.body);
	chain_next(h, prev, f->ob, r.seq, r.header, bc);
	if (memcmp(h, r.h, 32) != 0)
		return bad(err, "RECORD does not follow in the chain");
	if (f->n_rec == f->cap_rec) {
		f->cap_rec = f->cap_rec != 0 ? f->cap_rec * 2 : 64;
		f->rec = xrealloc(f->rec, f->cap_rec, sizeof(struct fold_record));
	}
	f->rec[f->n_rec] = (struct fold_record){
	    .segno = segno, .at = e->at, .len = e->payload.len, .verdict = FOLD_UNKNOWN};
	memcpy(f->rec[f->n_rec].h, h, 32);
	memcpy(f->rec[f->n_rec].id, r.id, 16);
	f->n_rec++;
	remember_id(f, r.id, r.seq, segno);
	drop_old_ids(f);
	return 0;
}

static int
take_mark(struct fold *f, struct cut c, struct err *err)
{
	uint8_t which = cut_u8(&c), verdict, h[32], own[32];
	uint64_t upto = cut_u64(&c), epoch, opseq;
	struct fold_record *r;

	cut_bytes(&c, h, 32);
	verdict = cut_u8(&c);
	epoch = cut_u64(&c);
	opseq = cut_u64(&c);
	if (cut_long(&c).len > FOLD_PROOF_MAX || !cut_end(&c) || which >= MARKS)
		return bad(err, "MARK does not decode");
	if (upto > fold_head(f))
		return bad(err, "MARK is beyond the newest record");
	if (fold_hash_at(f, upto, own) && memcmp(own, h, 32) != 0)
		return bad(err, "MARK has another hash than its record");
	if (epoch > f->epoch || (epoch == f->epoch && opseq > f->opseq)) {
		f->epoch = epoch;
		f->opseq = opseq;
	}
	r = fold_record(f, upto);
	if (which == MARK_ACCEPTED && r != NULL && verdict != FOLD_UNKNOWN)
		r->verdict = verdict;
	if (upto > f->mark[which].upto) {
		f->mark[which].upto = upto;
		memcpy(f->mark[which].h, h, 32);
	}
	if (which == MARK_RELEASED) {
		drop_finished_holds(f);
		drop_old_ids(f);
	}
	return 0;
}

static int
take_next_no(struct fold *f, struct cut c, struct err *err)
{
	char person[NAME_MAX_LEN + 1];
	uint64_t *no, value;

	cut_name(&c, person);
	value = cut_u64(&c);
	if (!cut_end(&c))
		return bad(err, "NEXTNO does not decode");
	no = map_get(f->next_no, person, strlen(person));
	if (no == NULL) {
		no = xcalloc(1, sizeof(*no));
		(void)map_put(f->next_no, person, strlen(person), no);
	}
	if (value > *no)
		*no = value;
	return 0;
}

static int
take_ids(struct fold *f, struct cut c, uint64_t segno, struct err *err)
{
	uint8_t id[16];
	uint64_t seq;

	while (!c.failed && c.left > 0) {
		cut_bytes(&c, id, 16);
		seq = cut_u64(&c);
		if (!c.failed)
			remember_id(f, id, seq, segno);
	}
	return c.failed ? bad(err, "DEDUP does not decode") : 0;
}

static int
take_key(struct fold *f, struct cut c, struct err *err)
{
	cut_bytes(&c, f->campaign_key, 32);
	f->has_key = true;
	return cut_end(&c) ? 0 : bad(err, "KEY does not decode");
}

int
fold_entry(struct fold *f, const struct entry *e, uint64_t segno, struct err *err)
{
	struct cut c = cut_open(e->payload);

	if (e->type == ENTRY_OB)
		return take_ob(f, c, segno, err);
	if (!f->opened || f->segno != segno)
		return bad(err, "stands before its OB");
	switch (e->type) {
	case ENTRY_HOLD: return take_hold(f, c, err);
	case ENTRY_HOLD_END: return take_hold_end(f, c, err);
	case ENTRY_RECORD: return take_record(f, e, segno, err);
	case ENTRY_MARK: return take_mark(f, c, err);
	case ENTRY_NEXTNO: return take_next_no(f, c, err);
	case ENTRY_DEDUP: return take_ids(f, c, segno, err);
	case ENTRY_KEY: return take_key(f, c, err);
	default: return bad(err, "has an unknown type");
	}
}

void
fold_forget(struct fold *f, uint64_t seq)
{
	size_t n;

	if (seq <= f->base_seq)
		return;
	CHECK(fold_hash_at(f, seq, f->base_h));
	n = (size_t)(seq - f->base_seq);
	f->n_rec -= n;
	memmove(f->rec, f->rec + n, f->n_rec * sizeof(struct fold_record));
	f->base_seq = seq;
}
