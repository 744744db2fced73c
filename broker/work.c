/* work.c - asks the store for a case and tells what it said.
 *
 * NEXT -> `grant` -> GRANT, NONE (and then the person may wait) or LOST; TAKE -> `take`. The
 * store remembers the last answer per (outbox, person, next_no), so a lost GRANT is had again by
 * asking again, and a GRANT whose session has left is not given back: the agent may have got it
 * elsewhere. It expires. Only a case whose key we do not have goes back at once, and only if we
 * were not stalled meanwhile. */
#include "broker/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/front.h"
#include "broker/hello.h"
#include "broker/keyring.h"
#include "broker/rights.h"
#include "broker/settings.h"
#include "broker/waiters.h"
#include "proto/chain.h"
#include "proto/keys.h"
#include "proto/lists.h"

#define NO_KEY_RETRY_MS 2000
#define STALL_US        1000000

struct work *
work_create(
    struct broker *b, struct session *s, enum msg_kind kind, const char *person, uint64_t next_no)
{
	struct work *w = xcalloc(1, sizeof(*w));

	request_begin(&w->rq, b, s, kind, next_no);
	memcpy(w->ob, s->ob, sizeof(w->ob));
	(void)snprintf(w->person, sizeof(w->person), "%s", person);
	w->next_no = next_no;
	w->is_next = kind == MSG_NEXT;
	return w;
}

void
work_none(struct broker *b, struct session *s, const char *person, uint64_t next_no,
    const char *reason, uint64_t retry_ms, const char *who)
{
	struct frame f = {.kind = MSG_NONE};
	struct msg_none *m = &f.u.none;

	m->next_no = next_no;
	(void)snprintf(m->person, sizeof(m->person), "%s", person);
	(void)snprintf(m->reason, sizeof(m->reason), "%s", reason);
	m->retry_ms = retry_ms;
	(void)snprintf(m->who, sizeof(m->who), "%s", who);
	b->stats.none++;
	answer_send(b, s, &f, span_of("", 0));
}

/* ---- GRANT ---- */

/* ob(16) seq(BE64) len(header)(BE32) header body */
bool
work_last(struct last_record *ret, struct span s)
{
	uint32_t len;

	if (s.len < 28)
		return false;
	memcpy(ret->ob, s.data, sizeof(ret->ob));
	ret->seq = be64_get(s.data + 16);
	len = be32_get(s.data + 24);
	if (len > s.len - 28)
		return false;
	ret->header = span_of(s.data + 28, len);
	ret->body = span_of(s.data + 28 + len, s.len - 28 - len);
	return true;
}

uint32_t
work_last_records(struct last_record ret[LAST_MAX], const struct reply *r, size_t count_at)
{
	uint64_t n = reply_u(r, count_at);
	uint32_t got = 0;

	for (uint64_t i = 0; i < n && got < LAST_MAX; i++)
		if (work_last(&ret[got], reply_at(r, count_at + 1 + i)))
			got++;
	return got;
}

/* case, token, rseq, pulled, version, due, why, task, k, last … */
static void
send_grant(struct work *w, struct session *s, const struct reply *r, const uint8_t key[32])
{
	struct broker *b = w->rq.b;
	struct frame f = {.kind = MSG_GRANT};
	struct msg_grant *m = &f.u.grant;
	struct grant_lists l = {.task = reply_at(r, 7)};
	struct buf ticket = BUF_INIT, f1 = BUF_INIT;
	uint8_t mac_key[32];

	m->next_no = w->next_no;
	memcpy(m->person, w->person, sizeof(m->person));
	(void)reply_bytes(r, 0, m->case_id, sizeof(m->case_id));
	m->token = reply_token(r, 1);
	m->rseq = reply_u(r, 2);
	m->lease_ms = (uint64_t)b->settings->lease_ms;
	m->pulled = reply_u(r, 3);
	m->version = reply_u(r, 4);
	m->due = reply_u(r, 5);
	reply_text(r, 6, m->why, sizeof(m->why));
	memcpy(m->key, key, sizeof(m->key));
	if (keyring_reserved(b->keys, KEYS_REF_RECEIPT, mac_key))
		chain_ticket(&ticket, mac_key, m->case_id, m->token, w->person, w->ob);
	crypt_wipe(mac_key, sizeof(mac_key));
	l.ticket = buf_span(&ticket);
	l.n_last = work_last_records(l.last, r, 8);
	grant_lists_encode(&f1, &l);
	b->stats.granted++;
	answer_send(b, s, &f, buf_span(&f1));
	crypt_wipe(m->key, sizeof(m->key));
	buf_done(&f1);
	buf_done(&ticket);
}

static void
on_nothing(void *arg, const struct reply *r)
{
	(void)arg;
	(void)r;
}

/* We cannot open what we were given. Nobody was told of it, unless we slept. */
static void
return_keyless(struct work *w, struct session *s, const struct reply *r)
{
	struct broker *b = w->rq.b;
	struct op *o;

	b->stats.no_key++;
	keyring_ask(b->keys);
	if (clock_boot_us() - w->rq.at_us < STALL_US) {
		o = op_create("giveback", on_nothing, NULL);
		op_bytes(o, w->ob, sizeof(w->ob));
		op_span(o, reply_at(r, 0));
		op_span(o, reply_at(r, 1));
		op_str(o, "no-key");
		op_submit(b->batch, o);
	}
	log_warn("grant.no_key", "decision=\"given back\"");
	work_none(b, s, w->person, w->next_no, "backlog", NO_KEY_RETRY_MS, "");
}

static void
on_granted(struct work *w, struct session *s, const struct reply *r)
{
	uint8_t case_id[16], key[32];
	bool has =
	    reply_bytes(r, 0, case_id, sizeof(case_id)) && keyring_get(w->rq.b->keys, case_id, key);

	if (w->is_waiter)
		waiters_answered(w->rq.b->waiters, w->ob, w->person, has);
	if (s == NULL)
		return;
	if (has)
		send_grant(w, s, r, key);
	else
		return_keyless(w, s, r);
	crypt_wipe(key, sizeof(key));
}

/* ---- NONE ---- */

static uint64_t
retry_ms(int64_t due)
{
	int64_t us;

	if (due == 0)
		return 0;
	us = clock_until_us(due);
	return us == INT64_MAX ? 0 : (uint64_t)(us + 999) / 1000;
}

/* reason, due, lanes */
static void
wait_for_more(struct work *w, struct session *s, const struct reply *r)
{
	struct waiter who = {.session = s->id, .next_no = w->next_no};

	memcpy(who.ob, w->ob, sizeof(who.ob));
	memcpy(who.person, w->person, sizeof(who.person));
	waiters_put(w->rq.b->waiters, &who, reply_at(r, 2), (int64_t)reply_u(r, 1));
}

static void
on_refused(struct work *w, struct session *s, const struct reply *r)
{
	static const char *const waiting[] = {"empty", "closed-until", "paused"};
	struct broker *b = w->rq.b;
	char reason[64], who[33];
	uint8_t case_id[16];
	bool waits = false;

	reply_text(r, 0, reason, sizeof(reason));
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
		waits = waits || (w->is_next && strcmp(reason, waiting[i]) == 0);
	if (waits && s != NULL && !b->is_draining) {
		wait_for_more(w, s, r);
		if (w->is_waiter)
			return;
	} else if (w->is_waiter) {
		waiters_answered(b->waiters, w->ob, w->person, false);
	}
	if (s == NULL || strcmp(reason, "skipped") == 0 || strcmp(reason, "old") == 0)
		return;
	if (strcmp(reason, "lost") == 0) {
		(void)reply_bytes(r, 1, case_id, sizeof(case_id));
		reply_text(r, 3, reason, sizeof(reason));
		answer_lost(
		    b, s, case_id, reply_token(r, 2), reason[0] != '\0' ? reason : "unknown");
		return;
	}
	reply_text(r, 3, who, sizeof(who));
	work_none(b, s, w->person, w->next_no, reason, retry_ms((int64_t)reply_u(r, 1)), who);
}

void
work_done(void *arg, const struct reply *r)
{
	struct work *w = arg;
	struct session *s = request_end(&w->rq);

	/* A waiter whom the person has overtaken by another NEXT is a waiter no longer. */
	if (w->is_waiter && !waiters_is_waiting(w->rq.b->waiters, w->ob, w->person, w->next_no))
		w->is_waiter = false;
	if (r->outcome == DONE_OK) {
		on_granted(w, s, r);
	} else if (r->outcome == DONE_NO) {
		on_refused(w, s, r);
	} else if (w->is_waiter) {
		waiters_unanswered(w->rq.b->waiters, w->ob, w->person);
	} else if (s != NULL) {
		(void)request_failed(&w->rq, s, r);
	}
	free(w);
}

/* ---- NEXT ---- */

/* Says why not, or returns the person. */
const struct person *
work_person(struct broker *b, struct session *s, const char *name, enum msg_kind kind, uint64_t ref)
{
	const struct person *p;
	struct nack n = {.kind = kind, .ref = ref};

	switch (session_may_act(b, s, name, &p)) {
	case ACT_YES: return p;
	case ACT_HELLO:
		n.code = "HELLO";
		n.text = "login expired";
		break;
	case ACT_REVOKED:
		n.code = "REVOKED";
		n.text = "person";
		break;
	}
	answer_nack_to(b, s, &n);
	return NULL;
}

static void
submit_grant(struct work *w, uint64_t after_seq)
{
	struct op *o = op_create("grant", work_done, w);

	op_bytes(o, w->ob, sizeof(w->ob));
	op_str(o, w->person);
	op_u(o, w->next_no);
	if (after_seq > 0)
		op_u(o, after_seq);
	op_submit(w->rq.b->batch, o);
}

void
work_next(struct broker *b, struct session *s, const struct msg_next *m, uint64_t after_seq)
{
	const struct person *p = work_person(b, s, m->person, MSG_NEXT, m->next_no);
	const char *why = NULL;

	if (p == NULL)
		return;
	waiters_drop(b->waiters, s->ob, m->person);
	switch (rights_next(p)) {
	case NEXT_UNQUALIFIED: why = "unqualified"; break;
	case NEXT_DENIED: why = "denied"; break;
	case NEXT_YES: break;
	}
	if (why != NULL) {
		work_none(b, s, m->person, m->next_no, why, 0, "");
		return;
	}
	if (!broker_may_grant(b, &why)) {
		work_none(b, s, m->person, m->next_no, why, NO_KEY_RETRY_MS, "");
		return;
	}
	submit_grant(work_create(b, s, MSG_NEXT, m->person, m->next_no), after_seq);
}

bool
work_is_alive(void *arg, uint64_t session)
{
	const struct broker *b = arg;
	const struct session *s = session_find(b->sessions, session);

	return s != NULL && clock_boot_us() - s->heard_us < SESSION_LIVELY_US &&
	       front_is_connected(b->front, span_of(s->rid, s->rid_len));
}

void
work_wake(void *arg, const struct waiter *waiter)
{
	struct broker *b = arg;
	struct session *s = session_find(b->sessions, waiter->session);
	const struct person *p;
	const char *why;
	struct work *w;

	if (s == NULL || b->is_draining || session_may_act(b, s, waiter->person, &p) != ACT_YES) {
		waiters_drop(b->waiters, waiter->ob, waiter->person);
		return;
	}
	if (!broker_is_serving(b) || !broker_may_grant(b, &why)) {
		waiters_unanswered(b->waiters, waiter->ob, waiter->person);
		return;
	}
	b->stats.woken++;
	w = work_create(b, s, MSG_NEXT, waiter->person, waiter->next_no);
	w->is_waiter = true;
	submit_grant(w, 0);
}
