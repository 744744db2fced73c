/* session_flow.c - records on their way: a window of them, what was accepted, settled, released.
 *
 * Happy path: records go out in order, up to a window ahead of the oldest unanswered one; answers move
 * the mark; receipts of the recorder move the other two. Failures: two seconds of silence, or a GAP,
 * and everything from the oldest unanswered one goes out again, which is always allowed. After a lost
 * store the broker names an older mark, and we send from there. Records that are released and whose
 * verdict nobody knows any more are stepped over. A record that we no longer have, or
 * that a broker calls wrong, stops the flow: somebody must look, and nothing is thrown away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"
#include "workers/link/session_int.h"

bool
flow_is_clone(const struct session *s, uint64_t upto, const uint8_t h[32])
{
	const struct fold *state = outbox_state(s->outbox);
	uint8_t own[32];

	if (upto > fold_head(state))
		return true;
	return fold_hash_at(state, upto, own) && memcmp(own, h, 32) != 0;
}

/* From the older of what we and the broker know: so that every verdict is heard. */
void
flow_restart(struct session *s, uint64_t accepted_upto)
{
	const struct fold *state = outbox_state(s->outbox);
	uint64_t own = state->mark[MARK_ACCEPTED].upto;

	memset(&s->flow, 0, sizeof(s->flow));
	s->flow.accepted = accepted_upto < own ? accepted_upto : own;
	s->flow.next = s->flow.accepted + 1;
}

static void
block(struct session *s, const char *reason, const char *text)
{
	if (s->flow.blocked)
		return;
	s->flow.blocked = true;
	session_tell(s, (struct link_event){.kind = LINK_BLOCKED, .reason = reason, .text = text});
}

/* ---- sending ------------------------------------------------------------------------------------- */

static bool
send_one(struct session *s, uint64_t seq, int64_t now)
{
	struct buf store = BUF_INIT, f0 = BUF_INIT;
	struct fold_stored r;
	struct err err = ERR_INIT;
	uint8_t prev[32];
	bool sent;

	if (!fold_hash_at(outbox_state(s->outbox), seq - 1, prev) ||
	    outbox_read(s->outbox, seq, &store, &r, &err) != 0) {
		block(s, "outbox", err.text);
		buf_done(&store);
		return false;
	}
	records_frame(&f0, outbox_id(s->outbox), prev, &r, work_riding(s, seq, now));
	sent = s->port.send(s->port.arg, buf_span(&f0), r.body);
	if (!sent)
		s->flow.not_before = now + UNSENT_US;
	buf_done(&f0);
	buf_done(&store);
	return sent;
}

static void
pump(struct session *s, int64_t now)
{
	struct flow *f = &s->flow;
	uint64_t head = fold_head(outbox_state(s->outbox));

	while (!f->blocked && now >= f->not_before && f->next <= head &&
	       f->next <= f->accepted + SESSION_WINDOW && send_one(s, f->next, now)) {
		if (f->next == f->accepted + 1)
			f->sent_us = now;
		f->next++;
	}
}

static void
rewind_flow(struct session *s)
{
	s->flow.next = s->flow.accepted + 1;
}

static bool
is_in_flight(const struct flow *f)
{
	return f->next > f->accepted + 1;
}

/* ---- answers ------------------------------------------------------------------------------------- */

/* In order: the next verdict is told, whenever it came. */
static void
advance(struct session *s, const struct msg_accepted *m, int64_t now)
{
	struct flow *f = &s->flow;
	struct fold_marking mark = {.which = MARK_ACCEPTED, .epoch = m->epoch, .opseq = m->opseq};
	struct answer *a;

	while ((a = &f->answers[(f->accepted + 1) % SESSION_WINDOW])->got) {
		struct answer said = *a;
		bool news;

		a->got = false;
		f->accepted++;
		f->sent_us = now;
		f->tries = 0;
		f->retry_us = 0;
		mark.upto = f->accepted;
		mark.verdict = said.verdict;
		mark.proof = f->accepted == m->seq ? span_of(m->receipt, 32) : span_of("", 0);
		CHECK(fold_hash_at(outbox_state(s->outbox), f->accepted, mark.h));
		news = f->accepted > outbox_state(s->outbox)->mark[MARK_ACCEPTED].upto;
		outbox_add_mark(s->outbox, &mark);
		work_taken(s, f->accepted, now);
		if (news)
			session_tell(s, (struct link_event){.kind = LINK_ACCEPTED,
			                    .seq = f->accepted,
			                    .verdict = said.verdict,
			                    .reason = said.why});
	}
}

void
flow_accepted(struct session *s, const struct msg_accepted *m, int64_t now)
{
	struct flow *f = &s->flow;
	struct answer *a;
	uint8_t own[32];

	if (memcmp(m->ob, outbox_id(s->outbox), 16) != 0 || m->verdict > VERDICT_QUARANTINED ||
	    m->seq <= f->accepted || m->seq > f->accepted + SESSION_WINDOW ||
	    !fold_hash_at(outbox_state(s->outbox), m->seq, own) || memcmp(own, m->h, 32) != 0)
		return;
	a = &f->answers[m->seq % SESSION_WINDOW];
	a->got = true;
	a->verdict = (uint8_t)m->verdict;
	memcpy(a->why, m->why, sizeof(a->why));
	advance(s, m, now);
	if (f->next <= f->accepted)
		f->next = f->accepted + 1;
}

/* Accepted beyond doubt, by a verdict that nobody tells. */
static void
pass_over(struct session *s, uint64_t upto, int64_t now)
{
	struct flow *f = &s->flow;

	memset(f->answers, 0, sizeof(f->answers));
	while (f->accepted < upto)
		work_taken(s, ++f->accepted, now);
	f->tries = 0;
}

/* The store has them and does not tell their verdicts any more, since they are released. */
static void
step_over(struct session *s, uint64_t upto, int64_t now)
{
	const struct fold *state = outbox_state(s->outbox);
	struct fold_marking mark = {.which = MARK_ACCEPTED, .verdict = FOLD_UNKNOWN};
	struct flow *f = &s->flow;

	if (upto > state->mark[MARK_RELEASED].upto)
		upto = state->mark[MARK_RELEASED].upto;
	if (upto <= f->accepted)
		return;
	mark.upto = upto;
	CHECK(fold_hash_at(state, upto, mark.h));
	outbox_add_mark(s->outbox, &mark);
	pass_over(s, upto, now);
}

static void
on_gap(struct session *s, uint64_t expected, int64_t now)
{
	struct flow *f = &s->flow;
	bool again = expected == f->rewound_to;

	/* One GAP for each record behind the hole: the first of them is enough. */
	if (again && now < f->rewound_us + SESSION_SILENCE_US)
		return;
	f->rewound_to = expected;
	f->rewound_us = now;
	if (expected <= outbox_state(s->outbox)->base_seq) {
		block(s, "GAP", "the broker wants records that were released and forgotten");
		return;
	}
	if (expected > fold_head(outbox_state(s->outbox)) + 1)
		return; /* HELLO will tell what is wrong */
	if (expected <= f->accepted) {
		f->accepted = expected - 1;
		memset(f->answers, 0, sizeof(f->answers));
	} else if (again) {
		step_over(s, expected - 1, now);
	}
	rewind_flow(s);
}

static void
later(struct flow *f, int64_t now)
{
	if (now < f->not_before)
		return;
	f->retry_us = f->retry_us == 0 ? RETRY_US : f->retry_us * 2;
	if (f->retry_us > RETRY_MAX_US)
		f->retry_us = RETRY_MAX_US;
	f->not_before = now + f->retry_us;
}

void
flow_nack(struct session *s, const struct msg_nack *m, int64_t now)
{
	struct flow *f = &s->flow;

	if (strcmp(m->code, "GAP") == 0) {
		on_gap(s, m->expected, now);
		return;
	}
	if (strcmp(m->code, "BADSIG") == 0 || strcmp(m->code, "TOOBIG") == 0 ||
	    strcmp(m->code, "UNSUPPORTED") == 0 || strcmp(m->code, "REVOKED") == 0) {
		block(s, m->code, m->text);
		return;
	}
	if (strcmp(m->code, "HALTED") == 0)
		f->not_before = now + HALTED_US;
	else
		later(f, now);
	f->tries = 0;
	rewind_flow(s);
}

void
flow_receipt(struct session *s, const struct msg_receipt *m)
{
	bool settled = m->level == LEVEL_SETTLED;
	uint64_t *seen = settled ? &s->settled : &s->released;
	struct fold_marking mark = {.which = settled ? MARK_SETTLED : MARK_RELEASED,
	    .upto = m->upto,
	    .verdict = FOLD_UNKNOWN};
	struct buf bytes = BUF_INIT;
	uint8_t own[32], proof[16 + 64];
	bool right;

	if (memcmp(m->ob, outbox_id(s->outbox), 16) != 0 || m->upto <= *seen ||
	    (m->level != LEVEL_SETTLED && m->level != LEVEL_RELEASED) ||
	    !fold_hash_at(outbox_state(s->outbox), m->upto, own) || memcmp(own, m->h, 32) != 0)
		return;
	chain_receipt_bytes(&bytes, m);
	right = crypt_verify(m->sig, s->id->recorder_key, buf_span(&bytes));
	buf_done(&bytes);
	if (!right)
		return;
	*seen = m->upto;
	memcpy(mark.h, m->h, 32);
	memcpy(proof, m->incarnation, 16);
	memcpy(proof + 16, m->sig, 64);
	mark.proof = span_of(proof, sizeof(proof));
	outbox_add_mark(s->outbox, &mark);
	if (!settled && s->port.evidence != NULL)
		evidence_released(s->port.evidence, m->upto);
	session_tell(
	    s, (struct link_event){.kind = settled ? LINK_SETTLED : LINK_RELEASED, .seq = m->upto});
}

/* ---- time ---------------------------------------------------------------------------------------- */

void
flow_tick(struct session *s, int64_t now)
{
	struct flow *f = &s->flow;
	uint64_t base = outbox_state(s->outbox)->base_seq;

	if (f->accepted < base) { /* a lost store knows less; these were released and forgotten */
		pass_over(s, base, now);
		if (f->next <= base)
			rewind_flow(s);
	}
	if (!f->blocked && is_in_flight(f) && now >= f->sent_us + SESSION_SILENCE_US) {
		if (++f->tries >= 2) {
			session_conn(s, CONN_EV_SILENCE, now);
			return;
		}
		f->sent_us = now;
		rewind_flow(s);
	}
	pump(s, now);
}

int64_t
flow_due(const struct session *s)
{
	const struct flow *f = &s->flow;
	int64_t due = INT64_MAX;

	if (!f->blocked && is_in_flight(f))
		due = f->sent_us + SESSION_SILENCE_US;
	if (!f->blocked && f->next <= fold_head(outbox_state(s->outbox)) &&
	    f->next <= f->accepted + SESSION_WINDOW && f->not_before < due)
		due = f->not_before;
	return due;
}
