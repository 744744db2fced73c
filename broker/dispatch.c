/* dispatch.c - decides whether a message is heard at all, then by a const table who answers it.
 *
 * In this order: is the key (still) on the list; do the sizes hold; does F0 decode; do we speak
 * this kind; can the store be asked; is there a session of this very key; does it wait for too
 * much. What breaks shape counts against the connection, everything else is answered by NACK. */
#include "broker/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/blob.h"
#include "broker/broker.h"
#include "broker/front.h"
#include "broker/hello.h"
#include "broker/look.h"
#include "broker/records.h"
#include "broker/roster.h"
#include "broker/work.h"

struct message {
	struct broker *b;
	struct session *s; /* NULL for HELLO without a session */
	const struct incoming *in;
	const struct frame *f;
};

static void
on_hello(const struct message *m)
{
	hello_on(m->b, m->in, m->f);
}

static void
on_next(const struct message *m)
{
	work_next(m->b, m->s, &m->f->u.next, 0);
}

static void
on_take(const struct message *m)
{
	work_take(m->b, m->s, &m->f->u.take, m->in->f1);
}

static void
on_renew(const struct message *m)
{
	work_renew(m->b, m->s, &m->f->u.renew);
}

static void
on_giveback(const struct message *m)
{
	work_giveback(m->b, m->s, &m->f->u.giveback);
}

static void
on_record(const struct message *m)
{
	records_on(m->b, m->s, &m->f->u.record, m->in->f0, m->in->f1);
}

static void
on_sync(const struct message *m)
{
	hello_sync(m->b, m->s, &m->f->u.sync);
}

static void
on_look(const struct message *m)
{
	look_on(m->b, m->s, &m->f->u.look, m->in->f1);
}

static void
on_blob(const struct message *m)
{
	blob_on(m->b, m->s, &m->f->u.blob, m->in->f1);
}

/* A kind without a row is not for us: UNSUPPORTED. */
static const struct kind_row {
	void (*f)(const struct message *m);
	bool needs_session, may_have_f1;
} kinds[] = {
    [MSG_HELLO] = {on_hello, false, true},
    [MSG_NEXT] = {on_next, true, false},
    [MSG_TAKE] = {on_take, true, true},
    [MSG_RENEW] = {on_renew, true, false},
    [MSG_GIVEBACK] = {on_giveback, true, false},
    [MSG_RECORD] = {on_record, true, true},
    [MSG_SYNC] = {on_sync, true, false},
    [MSG_LOOK] = {on_look, true, true},
    [MSG_BLOB] = {on_blob, true, true},
};

static const struct kind_row *
row_of(enum msg_kind kind)
{
	if ((size_t)kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind].f == NULL)
		return NULL;
	return &kinds[kind];
}

static void
nack(struct broker *b, const struct incoming *in, const struct frame *f, const char *code,
    const char *text)
{
	answer_nack(b, in->rid,
	    &(struct nack){.code = code, .kind = f->kind, .ref = frame_ref(f), .text = text});
}

/* Numbers of the store have 15 digits at most; nobody counts so far. */
static bool
numbers_hold(const struct frame *f)
{
	const uint64_t max = 999999999999999ULL;

	switch (f->kind) {
	case MSG_HELLO: return f->u.hello.head_seq <= max && f->u.hello.opseq_seen <= max;
	case MSG_NEXT: return f->u.next.next_no <= max;
	case MSG_TAKE: return f->u.take.next_no <= max;
	case MSG_RENEW: return f->u.renew.rseq <= max;
	case MSG_BLOB: return f->u.blob.size <= max && f->u.blob.offset <= max;
	case MSG_RECORD: return !f->u.record.has_next || f->u.record.next_no <= max;
	default: return true;
	}
}

/* The key may have been revoked since the connection was made. */
static bool
key_is_good(struct broker *b, const struct incoming *in)
{
	const struct agent *a;

	if (b->roster == NULL)
		return false;
	a = roster_agent_by_key(b->roster, in->curve_pk);
	return a != NULL && a->active;
}

static bool
decode(struct broker *b, const struct incoming *in, struct frame *f)
{
	struct err err = ERR_INIT;

	memset(f, 0, sizeof(*f));
	if (in->f0.len > F0_MAX) {
		nack(b, in, f, "TOOBIG", "F0");
		return false;
	}
	if (frame_decode(f, in->f0, &err) != 0) {
		if (err.code == ERR_NOT_FOUND)
			nack(b, in, f, "UNSUPPORTED", "");
		else
			front_strike(b->front, in->rid);
		return false;
	}
	if (in->f1.len > F1_MAX) {
		nack(b, in, f, "TOOBIG", "F1");
		return false;
	}
	if (row_of(f->kind) == NULL) {
		nack(b, in, f, "UNSUPPORTED", "");
		return false;
	}
	if (!numbers_hold(f) || (in->f1.len > 0 && !row_of(f->kind)->may_have_f1)) {
		front_strike(b->front, in->rid);
		return false;
	}
	return true;
}

/* The session of this connection, unless another key speaks on it now. */
static struct session *
session_of(struct broker *b, const struct incoming *in)
{
	struct session *s = session_by_rid(b->sessions, in->rid);

	if (s == NULL)
		return NULL;
	if (memcmp(s->curve_pk, in->curve_pk, sizeof(s->curve_pk)) != 0) {
		session_end(b->sessions, s);
		return NULL;
	}
	s->heard_us = clock_boot_us();
	return s;
}

static bool
waits_for_too_much(const struct session *s)
{
	return s->waiting >= SESSION_WAITING_MAX + SESSION_WAITING_PERSON * (int)s->n_persons;
}

void
dispatch_on_message(void *broker, const struct incoming *in)
{
	struct broker *b = broker;
	const struct kind_row *row;
	struct message m = {.b = b, .in = in};
	struct frame f;

	memset(&f, 0, sizeof(f));
	if (!key_is_good(b, in)) {
		f.kind = MSG_HELLO; /* it is the agent that is refused, whatever it said */
		nack(b, in, &f, "REVOKED", "agent");
		front_cut_soon(b->front, in->rid);
		return;
	}
	if (!decode(b, in, &f))
		return;
	row = row_of(f.kind);
	m.s = session_of(b, in);
	m.f = &f;
	if (in->is_over_budget) {
		b->stats.over_budget++;
		nack(b, in, &f, "RETRY", "too much at once");
	} else if (!broker_is_serving(b)) {
		nack(b, in, &f, b->mode == MODE_HALTED ? "HALTED" : "RETRY", "store");
	} else if (b->is_draining || batch_is_full(b->batch)) {
		nack(b, in, &f, "RETRY", b->is_draining ? "going down" : "busy");
	} else if (row->needs_session && m.s == NULL) {
		nack(b, in, &f, "HELLO", "");
	} else if (m.s != NULL && waits_for_too_much(m.s)) {
		b->stats.too_many_waiting++;
		nack(b, in, &f, "RETRY", "too many requests wait");
	} else {
		row->f(&m);
	}
}
