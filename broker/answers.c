/* answers.c - encodes and sends; nobody else calls front_send.
 *
 * Every answer may be lost and had again, so a send that fails is counted and forgotten. An
 * entry whose outcome is unknown is answered by silence: whoever asked repeats after 2 s and
 * gets what is true. */
#include "broker/answers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/front.h"

static struct span
rid_of(const struct session *s)
{
	return span_of(s->rid, s->rid_len);
}

void
answer_to(struct broker *b, struct span rid, const struct frame *f, struct span f1)
{
	struct buf f0 = BUF_INIT;

	frame_encode(&f0, f);
	(void)front_send(b->front, rid, buf_span(&f0), f1, NULL);
	buf_done(&f0);
}

static void
fill_nack(struct frame *f, const struct nack *n)
{
	memset(f, 0, sizeof(*f));
	f->kind = MSG_NACK;
	(void)snprintf(f->u.nack.code, sizeof(f->u.nack.code), "%s", n->code);
	f->u.nack.kind = (uint64_t)n->kind;
	f->u.nack.ref = n->ref;
	f->u.nack.expected = n->expected;
	(void)snprintf(
	    f->u.nack.text, sizeof(f->u.nack.text), "%s", n->text == NULL ? "" : n->text);
}

void
answer_nack(struct broker *b, struct span rid, const struct nack *n)
{
	struct frame f;

	fill_nack(&f, n);
	b->stats.nacks++;
	answer_to(b, rid, &f, span_of("", 0));
}

static void
send_f0(struct broker *b, struct session *s, struct span f0, struct span f1)
{
	struct err err = ERR_INIT;

	if (front_send(b->front, rid_of(s), f0, f1, &err) != 0 && err.code == ERR_GONE)
		session_end(b->sessions, s);
}

void
answer_send(struct broker *b, struct session *s, const struct frame *f, struct span f1)
{
	static struct buf f0; /* memory kept; what was in it may have been a key */

	if (s == NULL)
		return;
	buf_clear(&f0);
	frame_encode(&f0, f);
	send_f0(b, s, buf_span(&f0), f1);
	crypt_wipe(f0.data, f0.len);
}

void
answer_nack_to(struct broker *b, struct session *s, const struct nack *n)
{
	struct frame f;

	fill_nack(&f, n);
	b->stats.nacks++;
	answer_send(b, s, &f, span_of("", 0));
}

void
answer_receipt(struct broker *b, struct session *s, struct span f0)
{
	if (s == NULL || f0.len == 0 || f0.len > F0_MAX)
		return;
	b->stats.receipts++;
	send_f0(b, s, f0, span_of("", 0));
}

void
answer_lost(struct broker *b, struct session *s, const uint8_t case_id[16], uint64_t token,
    const char *reason)
{
	struct frame f = {.kind = MSG_LOST};

	memcpy(f.u.lost.case_id, case_id, sizeof(f.u.lost.case_id));
	f.u.lost.token = token;
	(void)snprintf(f.u.lost.reason, sizeof(f.u.lost.reason), "%s", reason);
	b->stats.lost++;
	answer_send(b, s, &f, span_of("", 0));
}

void
request_begin(
    struct request *r, struct broker *b, struct session *s, enum msg_kind kind, uint64_t ref)
{
	r->b = b;
	r->session = s->id;
	r->kind = kind;
	r->ref = ref;
	r->at_us = clock_boot_us();
	s->waiting++;
	b->stats.requests++;
}

struct session *
request_end(const struct request *r)
{
	struct session *s = session_find(r->b->sessions, r->session);

	if (s != NULL && s->waiting > 0)
		s->waiting--;
	return s;
}

bool
request_failed(const struct request *r, struct session *s, const struct reply *reply)
{
	struct nack n = {.code = "RETRY", .kind = r->kind, .ref = r->ref, .text = "store"};
	char why[80];

	switch (reply->outcome) {
	case DONE_OK:
	case DONE_NO: return false;
	case DONE_UNKNOWN: return true;
	case DONE_UNSENT: break;
	case DONE_ERR:
		r->b->stats.entries_err++;
		reply_text(reply, 0, why, sizeof(why));
		if (strcmp(why, "epoch") == 0) {
			n.code = "EPOCH";
			break;
		}
		log_warn("entry.refused", "kind=%s why=\"%s\" decision=\"the agent may repeat\"",
		    frame_kind_name(r->kind), why);
		n.text = "not valid";
		break;
	}
	answer_nack_to(r->b, s, &n);
	return true;
}
