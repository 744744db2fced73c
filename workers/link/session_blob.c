/* session_blob.c - evidence on its way: one file at a time, one piece at a time.
 *
 * Happy path: an empty BLOB asks how much of the file is there, HAVE answers, the piece from there on goes out, until
 * all is there and it is told. Failures: silence or another connection asks again; RETRY waits; a file that cannot be
 * read, or that the broker calls wrong, waits a minute, so that an operator's mend is enough. It never turns to
 * another broker: records and leases notice a silent one. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/evidence.h"
#include "workers/link/session_int.h"

#define ROOM_US  1000000LL /* the store has no room for evidence now */
#define WRONG_US 60000000LL

/* Anybody who may act from here. */
static const char *
sender(const struct session *s)
{
	for (size_t i = 0; i < s->n_asks; i++)
		if (s->asks[i]->may_act)
			return s->asks[i]->person;
	return NULL;
}

static void
send_piece(struct session *s, const char *person, int64_t now)
{
	struct sending *b = &s->sending;
	struct frame f = {.kind = MSG_BLOB};
	struct buf piece = BUF_INIT;

	(void)snprintf(f.u.blob.person, sizeof(f.u.blob.person), "%s", person);
	memcpy(f.u.blob.hash, b->hash, 32);
	f.u.blob.size = b->size;
	f.u.blob.offset = b->knows ? b->upto : b->size;
	if (b->knows && evidence_piece(s->port.evidence, b->hash, b->upto, &piece, NULL) != 0)
		b->not_before = now + WRONG_US;
	else if (session_send(s, &f, buf_span(&piece)))
		b->sent_us = now;
	else
		b->not_before = now + UNSENT_US;
	buf_done(&piece);
}

void
blob_tick(struct session *s, int64_t now)
{
	struct sending *b = &s->sending;
	const char *person;

	if (s->port.evidence == NULL)
		return;
	if (!b->has) {
		*b = (struct sending){.has = false};
		b->has = evidence_next(s->port.evidence, b->hash, &b->size);
	}
	if (!b->has || now < b->not_before)
		return;
	person = sender(s);
	if (person == NULL) {
		b->not_before = now + ROOM_US;
		return;
	}
	if (b->sent_us != 0) {
		if (now < b->sent_us + SESSION_SILENCE_US)
			return;
		b->knows = false;
	}
	send_piece(s, person, now);
}

void
blob_have(struct session *s, const struct msg_have *m, int64_t now)
{
	struct sending *b = &s->sending;

	if (!b->has || memcmp(m->hash, b->hash, 32) != 0)
		return;
	b->knows = true;
	b->upto = m->upto;
	b->sent_us = 0;
	if (b->upto < b->size) {
		blob_tick(s, now);
		return;
	}
	evidence_sent(s->port.evidence, b->hash);
	evidence_released(s->port.evidence, outbox_state(s->outbox)->mark[MARK_RELEASED].upto);
	b->has = false;
	session_tell(s, (struct link_event){.kind = LINK_EVIDENCE, .f1 = span_of(m->hash, 32)});
}

void
blob_nack(struct session *s, const struct msg_nack *m, int64_t now)
{
	struct sending *b = &s->sending;

	b->sent_us = 0;
	b->knows = false;
	b->not_before = now + (strcmp(m->code, "RETRY") == 0 ? ROOM_US : WRONG_US);
}

void
blob_welcome(struct session *s)
{
	s->sending.sent_us = 0;
	s->sending.knows = false;
	s->sending.not_before = 0;
	if (s->port.evidence != NULL)
		evidence_ask_again(s->port.evidence);
}

int64_t
blob_due(const struct session *s)
{
	const struct sending *b = &s->sending;

	if (s->port.evidence == NULL || !b->has)
		return INT64_MAX;
	return b->sent_us != 0 ? b->sent_us + SESSION_SILENCE_US : b->not_before;
}
