/* hello.c - checks signatures in memory, lets the store say what it knows, answers WELCOME.
 *
 * The outbox's signature names campaign, agent and outbox; a person's names the time as well. A
 * signature that was found right on this connection is not verified again. Verifying costs, so
 * it is charged to the connection's budget. A person without a right ticket is told so in
 * WELCOME and does not keep the others out. An agent that claims to have seen more of the store
 * than the store knows of itself is a witness (guarantee 1.6): two agents who say so, or the
 * only one enrolled, are believed, since one stolen key could otherwise halt the campaign by
 * lying; after a first one nothing is handed out for lease + guard. */
#include "broker/hello.h"

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
#include "broker/keyring.h"
#include "broker/settings.h"
#include "broker/store.h"
#include "proto/chain.h"
#include "proto/keys.h"

#define SKEW_MS        (10 * 60 * 1000LL) /* a ticket may begin so far in the future */
#define SIGNATURE_COST 32768              /* bytes of budget */
#define HELLOS_MAX     512                /* waiting for the store at once, of all connections */

struct hello_request {
	struct broker *b; /* borrowed */
	uint8_t rid[ROUTING_ID_MAX];
	size_t rid_len;
	uint8_t curve_pk[32];
	struct msg_hello m;
	uint32_t n_persons;
	struct session_person persons[PERSONS_MAX];
	struct welcome_lists lists;   /* persons and tickets filled while asking */
	char holders[LEASES_MAX][33]; /* whom each ticket names */
};

const char *
login_check(const struct login *l, const struct person *p, const struct login_facts *facts,
    bool is_verified, bool *ret_right)
{
	struct buf bytes = BUF_INIT;

	*ret_right = false;
	if (p == NULL || !p->has_pk)
		return "unknown";
	if (!is_verified) {
		chain_login_bytes(
		    &bytes, facts->campaign, l->person, facts->agent, facts->ob, l->from, l->until);
		is_verified = crypt_verify(l->sig, p->pk, buf_span(&bytes));
		buf_done(&bytes);
	}
	if (!is_verified)
		return "signature";
	*ret_right = true;
	if (!p->active)
		return "revoked";
	if (l->from >= l->until || l->until - l->from > (uint64_t)LOGIN_MAX_MS ||
	    l->until <= (uint64_t)facts->wall_ms || l->from > (uint64_t)(facts->wall_ms + SKEW_MS))
		return "expired";
	return "";
}

enum may_act
session_may_act(
    const struct broker *b, struct session *s, const char *name, const struct person **ret)
{
	const struct session_person *sp = session_person(s, name);
	const struct person *p = roster_person(b->roster, name);

	if (sp == NULL || !sp->may_act || p == NULL || !p->active)
		return ACT_REVOKED;
	*ret = p;
	if (memcmp(sp->pk, p->pk, sizeof(sp->pk)) != 0) /* the person has a new key since */
		return ACT_HELLO;
	return sp->until > (uint64_t)clock_wall_ms() ? ACT_YES : ACT_HELLO;
}

static void
refuse(struct broker *b, struct span rid, const char *code, const char *text)
{
	answer_nack(b, rid, &(struct nack){.code = code, .kind = MSG_HELLO, .text = text});
}

/* ---- what the store said ---- */

static void
add_campaign_key(struct broker *b, struct welcome_lists *l)
{
	bool any = false;

	for (uint32_t i = 0; i < l->n_persons; i++)
		any = any || l->persons[i].ok;
	keys_reserved(l->keys[0].case_id, KEYS_REF_CAMPAIGN);
	if (any && keyring_reserved(b->keys, KEYS_REF_CAMPAIGN, l->keys[0].key))
		l->n_keys = 1;
}

/* upto, h, settled, released, receipt1, receipt2, m, verdicts, then leases by five. */
static void
read_lists(struct welcome_lists *l, const struct reply *r)
{
	size_t at = 7;

	for (size_t i = 4; i <= 5; i++)
		if (reply_at(r, i).len > 0)
			l->receipts[l->n_receipts++] = reply_at(r, i);
	for (uint32_t i = 0; i < l->n_tickets; i++)
		l->tickets[i].verdict = reply_u(r, at++);
	for (; at + 5 <= r->n && l->n_leases < LEASES_MAX; at += 5) {
		struct welcome_lease *lease = &l->leases[l->n_leases];

		if (!reply_bytes(r, at, lease->case_id, sizeof(lease->case_id)))
			continue;
		lease->token = reply_token(r, at + 1);
		lease->rseq = reply_u(r, at + 2);
		reply_text(r, at + 3, lease->person, sizeof(lease->person));
		lease->pulled = reply_u(r, at + 4);
		l->n_leases++;
	}
}

static void
send_welcome(struct hello_request *h, const struct session *s, const struct reply *r)
{
	struct broker *b = h->b;
	struct frame f = {.kind = MSG_WELCOME};
	struct msg_welcome *w = &f.u.welcome;
	struct buf f1 = BUF_INIT;

	memcpy(w->campaign, b->campaign, sizeof(w->campaign));
	w->epoch = r->epoch;
	w->opseq = r->opseq;
	w->mode = r->mode;
	w->accepted_upto = reply_u(r, 0);
	(void)reply_bytes(r, 1, w->accepted_h, sizeof(w->accepted_h));
	w->settled_upto = reply_u(r, 2);
	w->released_upto = reply_u(r, 3);
	w->lease_ms = (uint64_t)b->settings->lease_ms;
	w->guard_ms = (uint64_t)b->settings->guard_ms;
	w->wall = (uint64_t)clock_wall_ms();
	w->campaign_time = (uint64_t)clock_campaign_ms();
	read_lists(&h->lists, r);
	add_campaign_key(b, &h->lists);
	welcome_lists_encode(&f1, &h->lists);
	crypt_wipe(h->lists.keys, sizeof(h->lists.keys));
	answer_to(b, span_of(s->rid, s->rid_len), &f, buf_span(&f1));
	crypt_wipe(f1.data, f1.len);
	buf_done(&f1);
}

/* H13: is there somebody who saw more of the store than it knows of itself? */
static void
hear_witness(const struct hello_request *h, const struct reply *r)
{
	struct broker *b = h->b;
	const struct msg_hello *m = &h->m;

	if (m->epoch_seen < r->epoch || m->epoch_seen > TOKEN_EPOCH_MAX ||
	    (m->epoch_seen == r->epoch && m->opseq_seen <= r->opseq))
		return;
	log_error("store.behind_agent", "epoch=%ju opseq=%ju seen_epoch=%ju seen_opseq=%ju",
	    (uintmax_t)r->epoch, (uintmax_t)r->opseq, (uintmax_t)m->epoch_seen,
	    (uintmax_t)m->opseq_seen);
	if (roster_agents(b->roster) > 1 &&
	    (!b->has_claimant || memcmp(b->claimant, m->agent, sizeof(b->claimant)) == 0)) {
		if (!b->has_claimant)
			b->claimed_us = clock_boot_us();
		memcpy(b->claimant, m->agent, sizeof(b->claimant));
		b->has_claimant = true;
		return;
	}
	store_witness(b->store, m->epoch_seen, m->opseq_seen);
}

static void
on_hello_no(struct hello_request *h, const struct reply *r)
{
	struct span rid = span_of(h->rid, h->rid_len);
	char why[32];

	reply_text(r, 0, why, sizeof(why));
	if (strcmp(why, "revoked") == 0)
		refuse(h->b, rid, "REVOKED", "agent");
	else if (strcmp(why, "agent") == 0)
		refuse(h->b, rid, "BADSIG", "the outbox belongs to another agent");
	else
		refuse(h->b, rid, "EQUIVOCATION", why);
	log_warn("hello.refused", "why=%s", why);
}

static void
on_hello(void *arg, const struct reply *r)
{
	struct hello_request *h = arg;
	struct broker *b = h->b;
	struct span rid = span_of(h->rid, h->rid_len);
	struct session *s;

	b->hellos_waiting--;
	switch (r->outcome) {
	case DONE_OK:
		s = session_open(b->sessions, rid, h->curve_pk, h->m.agent, h->m.ob);
		memcpy(s->ob_sig, h->m.ob_sig, sizeof(s->ob_sig));
		session_set_persons(s, h->persons, h->n_persons);
		b->stats.hellos++;
		send_welcome(h, s, r);
		hear_witness(h, r);
		break;
	case DONE_NO: on_hello_no(h, r); break;
	case DONE_ERR: refuse(b, rid, reply_is(r, 0, "epoch") ? "EPOCH" : "RETRY", "store"); break;
	case DONE_UNSENT: refuse(b, rid, "RETRY", "store"); break;
	case DONE_UNKNOWN: break;
	}
	free(h);
}

/* ---- asking ---- */

static bool
outbox_signed(struct broker *b, const struct incoming *in, const struct msg_hello *m,
    const struct agent *a, const struct session *s)
{
	struct buf bytes = BUF_INIT;
	bool right;

	if (s != NULL && memcmp(s->ob, m->ob, sizeof(s->ob)) == 0 &&
	    memcmp(s->ob_sig, m->ob_sig, sizeof(s->ob_sig)) == 0)
		return true;
	front_charge(b->front, in->rid, SIGNATURE_COST);
	chain_outbox_bytes(&bytes, b->campaign, m->agent, m->ob);
	right = crypt_verify(m->ob_sig, a->sign_pk, buf_span(&bytes));
	buf_done(&bytes);
	return right;
}

static void
check_person(struct hello_request *h, const struct login *l, struct session *s)
{
	struct broker *b = h->b;
	const struct person *p = roster_person(b->roster, l->person);
	const struct session_person *old = s == NULL ? NULL : session_person(s, l->person);
	struct session_person *sp = &h->persons[h->n_persons];
	struct welcome_person *w = &h->lists.persons[h->n_persons];
	struct login_facts facts = {b->campaign, h->m.agent, h->m.ob, clock_wall_ms()};
	bool known = p != NULL && old != NULL && old->was_here &&
	             memcmp(old->pk, p->pk, sizeof(p->pk)) == 0 && old->from == l->from &&
	             old->until == l->until && memcmp(old->sig, l->sig, sizeof(l->sig)) == 0 &&
	             memcmp(s->ob, h->m.ob, sizeof(s->ob)) == 0;
	const char *why;

	if (!known)
		front_charge(b->front, span_of(h->rid, h->rid_len), SIGNATURE_COST);
	why = login_check(l, p, &facts, known, &sp->was_here);
	memcpy(sp->name, l->person, sizeof(sp->name));
	memcpy(sp->sig, l->sig, sizeof(sp->sig));
	if (p != NULL)
		memcpy(sp->pk, p->pk, sizeof(sp->pk));
	sp->from = l->from;
	sp->until = l->until;
	sp->may_act = why[0] == '\0';
	memcpy(w->person, l->person, sizeof(w->person));
	w->ok = sp->may_act;
	w->roles = p == NULL || !sp->may_act ? 0 : p->roles;
	if (p != NULL && sp->may_act)
		memcpy(w->team, p->team, sizeof(w->team));
	(void)snprintf(w->why, sizeof(w->why), "%s", why);
	if (!sp->may_act)
		b->stats.logins_refused++;
	h->n_persons++;
	h->lists.n_persons = h->n_persons;
}

/* Only tickets of ours count; what does not open is passed over. */
static void
open_tickets(struct hello_request *h, const struct hello_lists *l)
{
	uint8_t key[32];

	if (!keyring_reserved(h->b->keys, KEYS_REF_RECEIPT, key))
		return;
	for (uint32_t i = 0; i < l->n_tickets; i++) {
		struct welcome_ticket *t = &h->lists.tickets[h->lists.n_tickets];

		if (chain_ticket_open(key, l->tickets[i], h->m.ob, t->case_id, &t->token,
		        h->holders[h->lists.n_tickets]))
			h->lists.n_tickets++;
	}
	crypt_wipe(key, sizeof(key));
}

static void
submit(struct hello_request *h)
{
	static const char digits[] = "0123456789abcdef";
	struct op *o = op_create("hello", on_hello, h);
	char agent[33] = "";
	uint32_t n = 0;

	for (size_t i = 0; i < sizeof(h->m.agent); i++) {
		agent[2 * i] = digits[h->m.agent[i] >> 4];
		agent[2 * i + 1] = digits[h->m.agent[i] & 15];
	}
	for (uint32_t i = 0; i < h->n_persons; i++)
		n += h->persons[i].may_act;
	op_bytes(o, h->m.ob, sizeof(h->m.ob));
	op_bytes(o, agent, 32);
	op_u(o, h->m.head_seq);
	op_bytes(o, h->m.head_h, sizeof(h->m.head_h));
	op_u(o, n);
	for (uint32_t i = 0; i < h->n_persons; i++)
		if (h->persons[i].may_act)
			op_str(o, h->persons[i].name);
	op_u(o, h->lists.n_tickets);
	for (uint32_t i = 0; i < h->lists.n_tickets; i++) {
		op_bytes(o, h->lists.tickets[i].case_id, 16);
		op_token(o, h->lists.tickets[i].token);
		op_str(o, h->holders[i]);
	}
	h->b->hellos_waiting++;
	op_submit(h->b->batch, o);
}

void
hello_on(struct broker *b, const struct incoming *in, const struct frame *f)
{
	const struct msg_hello *m = &f->u.hello;
	const struct agent *a = roster_agent_by_key(b->roster, in->curve_pk);
	struct session *s = session_by_rid(b->sessions, in->rid);
	struct hello_lists *lists = xcalloc(1, sizeof(*lists));
	struct hello_request *h;

	if (hello_lists_decode(lists, in->f1, NULL) != 0) {
		front_strike(b->front, in->rid);
	} else if (strcmp(m->campaign, b->campaign) != 0) {
		refuse(b, in->rid, "UNSUPPORTED", "another campaign");
	} else if (memcmp(m->agent, a->id, sizeof(a->id)) != 0) {
		refuse(b, in->rid, "BADSIG", "not the agent of this key");
	} else if (b->hellos_waiting >= HELLOS_MAX) {
		refuse(b, in->rid, "RETRY", "busy");
	} else if (!outbox_signed(b, in, m, a, s)) {
		refuse(b, in->rid, "BADSIG", "outbox");
	} else {
		h = xcalloc(1, sizeof(*h));
		h->b = b;
		memcpy(h->rid, in->rid.data, in->rid.len);
		h->rid_len = in->rid.len;
		memcpy(h->curve_pk, in->curve_pk, sizeof(h->curve_pk));
		h->m = *m;
		for (uint32_t i = 0; i < lists->n_persons; i++)
			check_person(h, &lists->persons[i], s);
		open_tickets(h, lists);
		submit(h);
	}
	free(lists);
}

/* ---- SYNC ---- */

struct sync_request {
	struct request rq;
	struct msg_sync m;
};

static void
on_sync(void *arg, const struct reply *r)
{
	struct sync_request *q = arg;
	struct broker *b = q->rq.b;
	struct session *s = request_end(&q->rq);
	struct frame f = {.kind = MSG_SYNCED};
	struct msg_synced *m = &f.u.synced;

	if (s == NULL || request_failed(&q->rq, s, r)) {
		free(q);
		return;
	}
	if (r->outcome == DONE_NO) {
		answer_nack_to(b, s, &(struct nack){.code = "HELLO", .kind = MSG_SYNC});
		free(q);
		return;
	}
	memcpy(m->ob, q->m.ob, sizeof(m->ob));
	m->accepted_upto = reply_u(r, 0);
	(void)reply_bytes(r, 1, m->accepted_h, sizeof(m->accepted_h));
	m->settled_upto = reply_u(r, 2);
	m->released_upto = reply_u(r, 3);
	m->mode = r->mode;
	m->epoch = r->epoch;
	m->opseq = r->opseq;
	m->wall = (uint64_t)clock_wall_ms();
	m->campaign_time = (uint64_t)clock_campaign_ms();
	answer_send(b, s, &f, span_of("", 0));
	if (m->settled_upto > q->m.settled_seen)
		answer_receipt(b, s, reply_at(r, 4));
	if (m->released_upto > q->m.released_seen)
		answer_receipt(b, s, reply_at(r, 5));
	free(q);
}

void
hello_sync(struct broker *b, struct session *s, const struct msg_sync *m)
{
	struct sync_request *q = xcalloc(1, sizeof(*q));
	struct op *o = op_create("sync", on_sync, q);

	q->m = *m;
	request_begin(&q->rq, b, s, MSG_SYNC, 0);
	op_bytes(o, s->ob, sizeof(s->ob));
	op_submit(b->batch, o);
}
