/* lease.c - RENEW and GIVEBACK: both compare and set inside the store, both may be repeated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "broker/answers.h"
#include "broker/batch.h"
#include "broker/broker.h"
#include "broker/settings.h"
#include "broker/work.h"

struct lease_request {
	struct request rq;
	uint8_t case_id[16];
	uint64_t token;
};

static struct lease_request *
lease_create(struct broker *b, struct session *s, enum msg_kind kind, const uint8_t case_id[16],
    uint64_t token)
{
	struct lease_request *q = xcalloc(1, sizeof(*q));

	request_begin(&q->rq, b, s, kind, 0);
	memcpy(q->case_id, case_id, sizeof(q->case_id));
	q->token = token;
	return q;
}

static void
on_lease(void *arg, const struct reply *r)
{
	struct lease_request *q = arg;
	struct broker *b = q->rq.b;
	struct session *s = request_end(&q->rq);
	struct frame f = {.kind = MSG_RENEWED};
	char reason[48];

	if (s == NULL || request_failed(&q->rq, s, r)) {
		free(q);
		return;
	}
	if (r->outcome == DONE_NO) {
		reply_text(r, 0, reason, sizeof(reason));
		answer_lost(b, s, q->case_id, q->token, reason);
	} else if (q->rq.kind == MSG_GIVEBACK) {
		answer_lost(b, s, q->case_id, q->token, "given-back");
	} else {
		memcpy(f.u.renewed.case_id, q->case_id, sizeof(q->case_id));
		f.u.renewed.token = q->token;
		f.u.renewed.rseq = reply_u(r, 0);
		f.u.renewed.lease_ms = (uint64_t)b->settings->lease_ms;
		b->stats.renewed++;
		answer_send(b, s, &f, span_of("", 0));
	}
	free(q);
}

void
work_renew(struct broker *b, struct session *s, const struct msg_renew *m)
{
	struct op *o =
	    op_create("renew", on_lease, lease_create(b, s, MSG_RENEW, m->case_id, m->token));

	op_bytes(o, s->ob, sizeof(s->ob));
	op_bytes(o, m->case_id, sizeof(m->case_id));
	op_token(o, m->token);
	op_u(o, m->rseq);
	op_submit(b->batch, o);
}

/* The store wants a word; an unknown kind of reason is still a reason. */
static bool
is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= 48 && s[n] == '\0';
}

void
work_giveback(struct broker *b, struct session *s, const struct msg_lost *m)
{
	struct op *o =
	    op_create("giveback", on_lease, lease_create(b, s, MSG_GIVEBACK, m->case_id, m->token));

	op_bytes(o, s->ob, sizeof(s->ob));
	op_bytes(o, m->case_id, sizeof(m->case_id));
	op_token(o, m->token);
	op_str(o, is_word(m->reason) ? m->reason : "other");
	op_submit(b->batch, o);
}
