/* session.c - one broker at a time: HELLO, WELCOME, SYNC, and when to turn to the next one.
 *
 * Happy path: HELLO until WELCOME, then everything that waits is sent, and a SYNC every half minute.
 * Failures: what is not answered in 2 s is repeated as it was; the second silence turns to the next
 * endpoint, where HELLO is said first. A broker that asks for HELLO gets it. A broker that knows more
 * of this outbox than we do proves that the outbox is a copy: nothing is sent from it any more. */
#include "workers/link/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "workers/link/session_int.h"

#define HELLO_PACE_US 200000 /* at most one HELLO asked for in this time */
#define LEASE_MS      120000 /* until a broker says otherwise */

struct session *
session_create(const struct identity *id, struct outbox *outbox, size_t endpoints,
    const struct session_port *port)
{
	struct session *s = xcalloc(1, sizeof(*s));

	CHECK(endpoints > 0);
	s->id = id;
	s->outbox = outbox;
	s->port = *port;
	s->endpoints = endpoints;
	s->lease_ms = LEASE_MS;
	s->epoch = outbox_state(outbox)->epoch;
	s->opseq = outbox_state(outbox)->opseq;
	s->settled = outbox_state(outbox)->mark[MARK_SETTLED].upto;
	s->released = outbox_state(outbox)->mark[MARK_RELEASED].upto;
	identity_sign_outbox(id, outbox_id(outbox), s->ob_sig);
	flow_restart(s, UINT64_MAX);
	work_restore(s);
	return s;
}

static void
hear_nothing(void *arg, const struct link_event *e)
{
	(void)arg;
	(void)e;
}

void
session_destroy(struct session *s)
{
	if (s == NULL)
		return;
	s->port.event =
	    hear_nothing; /* an end is no refusal: nobody is told of what was still waiting */
	work_forget(s);
	for (size_t i = 0; i < s->n_asks; i++) {
		person_key_done(&s->asks[i]->key);
		free(s->asks[i]);
	}
	free(s->leases);
	free(s->looks);
	free(s);
}

bool
session_send(struct session *s, const struct frame *f, struct span f1)
{
	struct buf f0 = BUF_INIT;
	bool sent;

	frame_encode(&f0, f);
	sent = s->port.send(s->port.arg, buf_span(&f0), f1);
	buf_done(&f0);
	return sent;
}

void
session_tell(struct session *s, struct link_event e)
{
	e.person = e.person != NULL ? e.person : "";
	e.reason = e.reason != NULL ? e.reason : "";
	e.text = e.text != NULL ? e.text : "";
	s->port.event(s->port.arg, &e);
}

int64_t
session_lease_us(const struct session *s)
{
	return (int64_t)s->lease_ms * 1000;
}

/* ---- questions ----------------------------------------------------------------------------------- */

bool
session_is_up(const struct session *s)
{
	return s->conn == CONN_UP;
}

uint64_t
session_accepted(const struct session *s)
{
	return s->flow.accepted;
}

struct records_clock
session_clock(const struct session *s)
{
	return s->clock;
}

int64_t
session_campaign_ms(const struct session *s, int64_t now)
{
	return s->campaign_at == 0 ? 0 : s->campaign_ms + (now - s->campaign_at) / 1000;
}

void
session_heard_time(struct session *s, uint64_t wall, uint64_t campaign, int64_t now)
{
	s->clock = (struct records_clock){wall, (uint64_t)now};
	s->campaign_ms = (int64_t)campaign;
	s->campaign_at = now;
}

/* ---- the connection ------------------------------------------------------------------------------ */

static void
hello_soon(struct session *s, int64_t at, int64_t now)
{
	s->hello_out = false;
	s->hello_tries = 0;
	s->hello_us = at > now ? at : now;
	s->hello_retry_us = s->hello_us;
	s->sync_sent_us = 0;
}

static void
go_offline(struct session *s)
{
	if (s->told == 2)
		return;
	s->told = 2;
	session_tell(s, (struct link_event){.kind = LINK_OFFLINE});
}

void
session_conn(struct session *s, enum conn_event event, int64_t now)
{
	struct conn_move m = conn_move(s->conn, event);
	int64_t paced = s->hello_said_us + HELLO_PACE_US;

	s->conn = m.next;
	switch (m.effect) {
	case DO_TURN:
		s->endpoint = (s->endpoint + 1) % s->endpoints;
		go_offline(s);
		/* fall through */
	case DO_OPEN:
		s->port.connect(s->port.arg, s->endpoint);
		hello_soon(s, now, now);
		break;
	case DO_HELLO: hello_soon(s, paced, now); break;
	default: break;
	}
}

void
session_start(struct session *s, int64_t now)
{
	session_conn(s, CONN_EV_START, now);
}

void
session_retired(struct session *s, int64_t now)
{
	work_forget(s);
	identity_sign_outbox(s->id, outbox_id(s->outbox), s->ob_sig);
	for (size_t i = 0; i < s->n_asks; i++) {
		s->asks[i]->has_ticket = false;
		s->asks[i]->next_no = 0;
	}
	s->settled = s->released = 0;
	flow_restart(s, UINT64_MAX);
	session_conn(s, CONN_EV_REFUSED, now);
	session_conn(s, CONN_EV_START, now);
}

/* ---- HELLO --------------------------------------------------------------------------------------- */

static bool
is_believed(const struct lease *l)
{
	return l->state != LEASE_FREE && l->state != LEASE_LOST && l->state != LEASE_HOLDING;
}

static void
fill_lists(struct session *s, struct hello_lists *l, int64_t now)
{
	login_list(s, l, now);
	for (size_t i = 0; i < s->n_leases && l->n_tickets < LEASES_MAX; i++)
		if (is_believed(s->leases[i]) && s->leases[i]->hold.ticket.len > 0)
			l->tickets[l->n_tickets++] = buf_span(&s->leases[i]->hold.ticket);
}

static void
say_hello(struct session *s, int64_t now)
{
	struct hello_lists *l = xcalloc(1, sizeof(*l));
	struct frame f = {.kind = MSG_HELLO};
	struct msg_hello *m = &f.u.hello;
	struct buf f1 = BUF_INIT;
	const struct fold *state = outbox_state(s->outbox);

	memcpy(m->campaign, s->id->campaign, sizeof(m->campaign));
	memcpy(m->ob, outbox_id(s->outbox), 16);
	memcpy(m->agent, s->id->agent, 16);
	memcpy(m->ob_sig, s->ob_sig, 64);
	m->epoch_seen = s->epoch;
	m->opseq_seen = s->opseq;
	m->head_seq = fold_head(state);
	CHECK(fold_hash_at(state, m->head_seq, m->head_h));
	fill_lists(s, l, now);
	hello_lists_encode(&f1, l);
	s->hello_out = session_send(s, &f, buf_span(&f1));
	s->hello_said_us = now;
	if (!s->hello_out)
		s->hello_retry_us = now + UNSENT_US;
	buf_done(&f1);
	free(l);
}

static void
hello_tick(struct session *s, int64_t now)
{
	if (now >= s->hello_us + SESSION_SILENCE_US) {
		if (++s->hello_tries >= 2) {
			session_conn(s, CONN_EV_SILENCE, now);
			return;
		}
		s->hello_us = now;
		s->hello_out = false;
		s->hello_retry_us = now;
	}
	if (!s->hello_out && now >= s->hello_retry_us)
		say_hello(s, now);
}

/* ---- WELCOME ------------------------------------------------------------------------------------- */

static void
saw_epoch(struct session *s, uint64_t epoch, uint64_t opseq)
{
	if (epoch > s->epoch || (epoch == s->epoch && opseq > s->opseq)) {
		s->epoch = epoch;
		s->opseq = opseq;
	}
}

static void
stop(struct session *s, enum link_kind kind, const char *reason, const char *text, int64_t now)
{
	if (s->conn == CONN_STOPPED)
		return;
	session_conn(s, CONN_EV_REFUSED, now);
	session_tell(s, (struct link_event){.kind = kind, .reason = reason, .text = text});
}

static int64_t
sync_interval(const struct session *s)
{
	int64_t us = session_lease_us(s) / 4;

	return us > SYNC_US ? SYNC_US : us < 1000000 ? 1000000 : us;
}

/* With two HELLOs out, the first answer may be that to the older one, which named fewer persons. */
static bool
names_all(const struct session *s, const struct welcome_lists *l)
{
	for (size_t i = 0; i < s->n_asks; i++) {
		uint32_t k = 0;

		while (k < l->n_persons && strcmp(l->persons[k].person, s->asks[i]->person) != 0)
			k++;
		if (k == l->n_persons)
			return false;
	}
	return true;
}

static void
on_welcome(struct session *s, const struct msg_welcome *m, struct span f1, int64_t now)
{
	static const uint8_t no_case[16];
	struct welcome_lists *l;
	struct frame receipt;

	if (s->conn != CONN_HELLO || strcmp(m->campaign, s->id->campaign) != 0)
		return;
	if (flow_is_clone(s, m->accepted_upto, m->accepted_h)) {
		stop(s, LINK_CLONED, "clone", "the broker knows another history", now);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	if (welcome_lists_decode(l, f1, NULL) != 0 || !names_all(s, l)) {
		crypt_wipe(l, sizeof(*l));
		free(l);
		return;
	}
	session_conn(s, CONN_EV_WELCOME, now);
	session_heard_time(s, m->wall, m->campaign_time, now);
	saw_epoch(s, m->epoch, m->opseq);
	s->mode = m->mode;
	s->lease_ms = m->lease_ms >= 100 ? m->lease_ms : 100;
	s->sync_us = now + sync_interval(s);
	for (uint32_t i = 0; i < l->n_keys; i++)
		if (memcmp(l->keys[i].case_id, no_case, 16) == 0)
			outbox_add_campaign_key(s->outbox, l->keys[i].key);
	flow_restart(s, m->accepted_upto);
	for (uint32_t i = 0; i < l->n_receipts; i++)
		if (frame_decode(&receipt, l->receipts[i], NULL) == 0 &&
		    receipt.kind == MSG_RECEIPT)
			flow_receipt(s, &receipt.u.receipt);
	if (s->told != 1)
		session_tell(s, (struct link_event){.kind = LINK_ONLINE});
	s->told = 1;
	look_welcome(s);
	blob_welcome(s);
	work_welcome(s, l, now);
	crypt_wipe(l, sizeof(*l));
	free(l);
}

/* ---- SYNC ---------------------------------------------------------------------------------------- */

static void
say_sync(struct session *s, int64_t now)
{
	struct frame f = {.kind = MSG_SYNC};
	struct msg_sync *m = &f.u.sync;

	memcpy(m->ob, outbox_id(s->outbox), 16);
	m->head_seq = fold_head(outbox_state(s->outbox));
	CHECK(fold_hash_at(outbox_state(s->outbox), m->head_seq, m->head_h));
	m->settled_seen = s->settled;
	m->released_seen = s->released;
	(void)session_send(s, &f, span_of("", 0)); /* if it cannot be sent, that is a silence too */
	s->sync_sent_us = now;
}

static void
sync_tick(struct session *s, int64_t now)
{
	if (s->sync_sent_us != 0 && now >= s->sync_sent_us + SESSION_SILENCE_US) {
		if (++s->sync_tries >= 2)
			session_conn(s, CONN_EV_SILENCE, now);
		else
			say_sync(s, now);
	} else if (s->sync_sent_us == 0 && now >= s->sync_us) {
		s->sync_tries = 0;
		say_sync(s, now);
		login_renew(s, now);
	}
}

static void
on_synced(struct session *s, const struct msg_synced *m, int64_t now)
{
	s->sync_sent_us = 0;
	s->sync_us = now + sync_interval(s);
	if (flow_is_clone(s, m->accepted_upto, m->accepted_h)) {
		stop(s, LINK_CLONED, "clone", "the broker knows another history", now);
		return;
	}
	s->mode = m->mode;
	session_heard_time(s, m->wall, m->campaign_time, now);
	/* A store that lost something asks for the whole greeting again. */
	if (m->epoch != s->epoch || m->accepted_upto < s->flow.accepted)
		session_conn(s, CONN_EV_ASKED, now);
	saw_epoch(s, m->epoch, m->opseq);
}

/* ---- messages ------------------------------------------------------------------------------------ */

static void
on_nack(struct session *s, const struct msg_nack *m, int64_t now)
{
	if (strcmp(m->code, "HELLO") == 0 || strcmp(m->code, "EPOCH") == 0) {
		/* One for each message of a window; the HELLO that is out answers all of them. */
		if (s->conn != CONN_HELLO)
			session_conn(s, CONN_EV_ASKED, now);
	} else if (strcmp(m->code, "EQUIVOCATION") == 0)
		stop(s, LINK_CLONED, "equivocation", m->text, now);
	else if (m->kind == MSG_HELLO && strcmp(m->code, "REVOKED") == 0)
		stop(s, LINK_REVOKED, "revoked", m->text, now);
	else if (m->kind == MSG_HELLO &&
	         (strcmp(m->code, "BADSIG") == 0 || strcmp(m->code, "UNSUPPORTED") == 0))
		stop(s, LINK_BLOCKED, m->code, m->text, now);
	else if (m->kind == MSG_HELLO) { /* RETRY, HALTED: later, on this connection */
		s->hello_us = now;
		s->hello_tries = 0;
		s->hello_out = false;
		s->hello_retry_us = now + RETRY_US * 5;
	} else if (m->kind == MSG_RECORD)
		flow_nack(s, m, now);
	else if (m->kind == MSG_LOOK)
		look_nack(s, m, now);
	else if (m->kind == MSG_BLOB)
		blob_nack(s, m, now);
	else
		work_nack(s, m, now);
}

static void
on_up(struct session *s, const struct frame *f, struct span f1, int64_t now)
{
	switch (f->kind) {
	case MSG_GRANT: work_grant(s, &f->u.grant, f1, now); break;
	case MSG_NONE: work_none(s, &f->u.none, now); break;
	case MSG_RENEWED: work_renewed(s, &f->u.renewed, now); break;
	case MSG_LOST: work_lost(s, &f->u.lost, now); break;
	case MSG_ACCEPTED:
		saw_epoch(s, f->u.accepted.epoch, f->u.accepted.opseq);
		flow_accepted(s, &f->u.accepted, now);
		break;
	case MSG_SYNCED: on_synced(s, &f->u.synced, now); break;
	case MSG_HAVE: blob_have(s, &f->u.have, now); break;
	case MSG_SEEN: look_seen(s, &f->u.seen, f1); break;
	default: break;
	}
}

void
session_message(struct session *s, struct span f0, struct span f1, int64_t now)
{
	struct frame f;

	if (s->conn == CONN_DOWN || s->conn == CONN_STOPPED || frame_decode(&f, f0, NULL) != 0)
		return;
	if (f.kind == MSG_WELCOME)
		on_welcome(s, &f.u.welcome, f1, now);
	else if (f.kind == MSG_NACK)
		on_nack(s, &f.u.nack, now);
	else if (f.kind == MSG_RECEIPT)
		flow_receipt(s, &f.u.receipt);
	else if (s->conn == CONN_UP)
		on_up(s, &f, f1, now);
}

/* ---- turns --------------------------------------------------------------------------------------- */

void
session_tick(struct session *s, int64_t now)
{
	if (s->conn == CONN_HELLO)
		hello_tick(s, now);
	if (s->conn == CONN_UP)
		sync_tick(s, now);
	if (s->conn == CONN_UP)
		flow_tick(s, now);
	if (s->conn == CONN_UP)
		blob_tick(s, now);
	work_tick(s, now);
	look_tick(s, now);
}

void
session_committed(struct session *s, bool stored, int64_t now)
{
	work_committed(s, stored, now);
	session_tick(s, now);
}

int64_t
session_due(const struct session *s)
{
	int64_t due = work_due(s), other = INT64_MAX;

	if (s->conn == CONN_HELLO) {
		other = s->hello_us + SESSION_SILENCE_US;
		if (!s->hello_out && s->hello_retry_us < other)
			other = s->hello_retry_us;
	} else if (s->conn == CONN_UP) {
		other = s->sync_sent_us != 0 ? s->sync_sent_us + SESSION_SILENCE_US : s->sync_us;
		if (flow_due(s) < other)
			other = flow_due(s);
		if (blob_due(s) < other)
			other = blob_due(s);
	}
	due = other < due ? other : due;
	return look_due(s) < due ? look_due(s) : due;
}
