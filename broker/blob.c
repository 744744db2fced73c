/* blob.c - takes a piece of a sealed file to the store and says how much of the file is there.
 *
 * Who may act from here may send evidence; what it is evidence of, the record says that names its hash. Together
 * all pieces take a tenth of the store's memory at most: beyond that RETRY, until the recorder has moved some
 * into the archive. A piece that does not fit what is known of the file is BADSIG: it cannot become right. */
#include "broker/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/guard.h"
#include "broker/work.h"

struct blob_request {
	struct request rq;
	uint8_t hash[32];
};

static void
on_blob(void *arg, const struct reply *r)
{
	struct blob_request *q = arg;
	struct session *s = request_end(&q->rq);
	struct frame f = {.kind = MSG_HAVE};
	struct nack n = {.kind = MSG_BLOB};
	char why[16];

	if (s == NULL || request_failed(&q->rq, s, r)) {
		free(q);
		return;
	}
	if (r->outcome == DONE_NO) {
		reply_text(r, 0, why, sizeof(why));
		n.code = strcmp(why, "room") == 0 ? "RETRY" : "BADSIG";
		n.text = why;
		answer_nack_to(q->rq.b, s, &n);
	} else {
		memcpy(f.u.have.hash, q->hash, sizeof(q->hash));
		f.u.have.upto = reply_u(r, 0);
		answer_send(q->rq.b, s, &f, span_of("", 0));
	}
	free(q);
}

void
blob_on(struct broker *b, struct session *s, const struct msg_blob *m, struct span piece)
{
	struct blob_request *q;
	struct op *o;

	if (work_person(b, s, m->person, MSG_BLOB, 0) == NULL)
		return;
	q = xcalloc(1, sizeof(*q));
	memcpy(q->hash, m->hash, sizeof(q->hash));
	request_begin(&q->rq, b, s, MSG_BLOB, 0);
	o = op_create("blob", on_blob, q);
	op_bytes(o, m->hash, sizeof(m->hash));
	op_u(o, m->size);
	op_u(o, m->offset);
	op_span(o, piece);
	op_u(o, guard_evidence_room(b->guard));
	op_submit(b->batch, o);
}
