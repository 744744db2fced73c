/* records.c - hands a record to the store, and says ACCEPTED once it is on the store's disk.
 *
 * The chain's hashes are checked here (0.7 µs), the signature by the recorder before SETTLED. A
 * record with a good chain is never refused for what it says: what the person may not say, or
 * what does not decode, goes in as QUARANTINED, since it would block its outbox for ever
 * otherwise. A person who is not in this session may have recorded here earlier, off-line: the
 * store is asked once, and the agent told to repeat. NEXT rides behind the record and is skipped
 * by the store if the record is not in. */
#include "broker/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/log.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/keyring.h"
#include "broker/rights.h"
#include "broker/work.h"
#include "proto/chain.h"
#include "proto/keys.h"
#include "proto/record.h"

#define NUMBER_MAX 999999999999999ULL /* what the store's numbers hold */

struct record_request {
	struct request rq;
	uint8_t ob[16], h[32];
	uint64_t seq;
};

static void
send_accepted(const struct record_request *q, struct session *s, const struct reply *r)
{
	struct broker *b = q->rq.b;
	struct frame f = {.kind = MSG_ACCEPTED};
	struct msg_accepted *a = &f.u.accepted;
	uint8_t key[32];

	memcpy(a->ob, q->ob, sizeof(a->ob));
	a->seq = q->seq;
	memcpy(a->h, q->h, sizeof(a->h));
	a->verdict = reply_u(r, 0);
	a->epoch = r->epoch;
	a->opseq = reply_u(r, 2);
	if (!reply_is(r, 1, "-"))
		reply_text(r, 1, a->why, sizeof(a->why));
	if (keyring_reserved(b->keys, KEYS_REF_RECEIPT, key))
		chain_accept_receipt(a->receipt, key, a);
	crypt_wipe(key, sizeof(key));
	b->stats.accepted++;
	if (a->verdict == VERDICT_LATE)
		b->stats.late++;
	else if (a->verdict == VERDICT_QUARANTINED)
		b->stats.quarantined++;
	answer_send(b, s, &f, span_of("", 0));
}

static void
send_refused(const struct record_request *q, struct session *s, const struct reply *r)
{
	struct nack n = {.kind = MSG_RECORD, .ref = q->seq, .code = "RETRY", .text = "store"};

	if (reply_is(r, 0, "gap")) {
		n.code = "GAP";
		n.expected = reply_u(r, 1);
		n.text = "";
	} else if (reply_is(r, 0, "equivocation") || reply_is(r, 0, "frozen")) {
		n.code = "EQUIVOCATION";
		n.text = "the outbox is frozen";
		log_error(
		    "record.equivocation", "seq=%ju decision=\"outbox frozen\"", (uintmax_t)q->seq);
	} else if (reply_is(r, 0, "unknown")) {
		n.code = "HELLO";
		n.text = "outbox";
	} else if (reply_is(r, 0, "halted")) {
		n.code = "HALTED";
		n.text = "";
	}
	answer_nack_to(q->rq.b, s, &n);
}

static void
on_record(void *arg, const struct reply *r)
{
	struct record_request *q = arg;
	struct session *s = request_end(&q->rq);

	if (s != NULL && !request_failed(&q->rq, s, r)) {
		if (r->outcome == DONE_OK)
			send_accepted(q, s, r);
		else
			send_refused(q, s, r);
	}
	free(q);
}

/* ---- did this person ever log in on this outbox? ---- */

struct knows_request {
	struct request rq;
	char person[33];
};

static void
on_knows(void *arg, const struct reply *r)
{
	struct knows_request *q = arg;
	struct session *s = request_end(&q->rq);
	struct session_other *o = s == NULL ? NULL : session_other(s, q->person);

	if (o != NULL && r->outcome == DONE_OK)
		o->state = OTHER_WAS_HERE;
	else if (o != NULL && r->outcome == DONE_NO)
		o->state = OTHER_NEVER;
	else if (o != NULL) /* not known: forget that we asked */
		*o = s->others[--s->n_others];
	free(q);
}

/* false: this session has asked about too many already. */
static bool
ask_whether_known(struct broker *b, struct session *s, const char *person)
{
	struct knows_request *q;
	struct op *o;

	if (session_add_other(s, person) == NULL)
		return false;
	q = xcalloc(1, sizeof(*q));
	o = op_create("knows", on_knows, q);
	request_begin(&q->rq, b, s, MSG_RECORD, 0);
	memcpy(q->person, person, strlen(person) + 1);
	op_bytes(o, s->ob, sizeof(s->ob));
	op_str(o, person);
	op_submit(b->batch, o);
	return true;
}

enum known { KNOWN_YES, KNOWN_NO, KNOWN_ASKING };

static enum known
person_known(struct broker *b, struct session *s, const char *person)
{
	const struct session_person *sp = session_person(s, person);
	const struct session_other *o;

	if (sp != NULL && sp->was_here)
		return KNOWN_YES;
	o = session_other(s, person);
	if (o == NULL)
		return ask_whether_known(b, s, person) ? KNOWN_ASKING : KNOWN_NO;
	switch (o->state) {
	case OTHER_WAS_HERE: return KNOWN_YES;
	case OTHER_NEVER: return KNOWN_NO;
	case OTHER_ASKED: break;
	}
	return KNOWN_ASKING;
}

/* ---- asking ---- */

static void
submit(struct broker *b, struct session *s, const struct msg_record *m, struct span f0,
    struct span f1, const struct record_header *h, uint32_t flags, const char *why)
{
	struct record_request *q = xcalloc(1, sizeof(*q));
	struct op *o = op_create("record", on_record, q);

	request_begin(&q->rq, b, s, MSG_RECORD, m->seq);
	memcpy(q->ob, m->ob, sizeof(q->ob));
	memcpy(q->h, m->h, sizeof(q->h));
	q->seq = m->seq;
	op_bytes(o, m->ob, sizeof(m->ob));
	op_u(o, m->seq);
	op_bytes(o, m->prev_h, sizeof(m->prev_h));
	op_bytes(o, m->h, sizeof(m->h));
	op_str(o, h->person[0] != '\0' ? h->person : "unknown");
	op_u(o, record_rule(h->kind) != NULL ? (uint64_t)h->kind : 0);
	op_u(o, flags);
	op_bytes(o, h->case_id, h->has_case ? sizeof(h->case_id) : 0);
	op_token(o, h->token);
	op_u(o, h->expect <= NUMBER_MAX ? h->expect : 0);
	op_span(o, f0);
	op_span(o, f1);
	op_span(o, m->header);
	op_str(o, why);
	op_submit(b->batch, o);
}

void
records_on(
    struct broker *b, struct session *s, const struct msg_record *m, struct span f0, struct span f1)
{
	struct nack n = {.kind = MSG_RECORD, .ref = m->seq};
	struct record_header h;
	bool decodes;
	uint32_t flags;
	const char *why;

	if (memcmp(m->ob, s->ob, sizeof(m->ob)) != 0) {
		n.code = "HELLO";
		n.text = "another outbox";
		answer_nack_to(b, s, &n);
		return;
	}
	if (m->seq == 0 || m->seq > NUMBER_MAX || !chain_record_ok(m, f1)) {
		n.code = "BADSIG";
		n.text = "chain";
		answer_nack_to(b, s, &n);
		return;
	}
	decodes = record_header_decode(&h, m->header, NULL) == 0;
	flags = rights_record(roster_person(b->roster, h.person), &h, &why);
	if (!decodes || h.expect > NUMBER_MAX) {
		flags |= RECORD_QUARANTINED;
		why = "schema";
	} else if ((flags & RECORD_QUARANTINED) == 0) {
		switch (person_known(b, s, h.person)) {
		case KNOWN_YES: break;
		case KNOWN_NO:
			flags |= RECORD_QUARANTINED;
			why = "person";
			break;
		case KNOWN_ASKING:
			n.code = "RETRY";
			n.text = "person";
			answer_nack_to(b, s, &n);
			return;
		}
	}
	submit(b, s, m, f0, f1, &h, flags, why);
	if (m->has_next && h.person[0] != '\0') {
		struct msg_next next = {.next_no = m->next_no};

		memcpy(next.person, h.person, sizeof(next.person));
		work_next(b, s, &next, m->seq);
	}
}
