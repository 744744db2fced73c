/* agent_rig.c - the session's port, and the frames that a broker would send. */
#include "tests/lib/agent_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "proto/chain.h"

struct agent_rig t;

/* ---- the port ---- */

static bool
on_send(void *arg, struct span f0, struct span f1)
{
	struct sent *x = &t.sent[t.n_sent];

	(void)arg;
	if (t.deaf)
		return false;
	assert_true(t.n_sent < 256);
	memset(x, 0, sizeof(*x));
	buf_add(&x->f0, f0.data, f0.len);
	buf_add(&x->f1, f1.data, f1.len);
	assert_int_equal(frame_decode(&x->f, buf_span(&x->f0), NULL), 0);
	t.n_sent++;
	return true;
}

static void
on_connect(void *arg, size_t endpoint)
{
	(void)arg;
	t.endpoint = endpoint;
	t.connects++;
}

static void
on_event(void *arg, const struct link_event *e)
{
	struct said *x = &t.said[t.n_said++];

	(void)arg;
	assert_true(t.n_said < 256);
	memset(x, 0, sizeof(*x));
	x->e = *e;
	snprintf(x->person, sizeof(x->person), "%s", e->person);
	snprintf(x->reason, sizeof(x->reason), "%s", e->reason);
	snprintf(x->text, sizeof(x->text), "%s", e->text);
	x->token = e->lease != NULL ? e->lease->hold.token : 0;
}

void
agent_forget_sent(void)
{
	for (size_t i = 0; i < t.n_sent; i++) {
		buf_done(&t.sent[i].f0);
		buf_done(&t.sent[i].f1);
	}
	t.n_sent = 0;
}

/* The newest frame of a kind since the last forget_sent, or NULL. */
const struct frame *
agent_sent(enum msg_kind kind)
{
	for (size_t i = t.n_sent; i-- > 0;)
		if (t.sent[i].f.kind == kind)
			return &t.sent[i].f;
	return NULL;
}

size_t
agent_count(enum msg_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n_sent; i++)
		n += t.sent[i].f.kind == kind;
	return n;
}

const struct said *
agent_told(enum link_kind kind)
{
	for (size_t i = t.n_said; i-- > 0;)
		if (t.said[i].e.kind == kind)
			return &t.said[i];
	return NULL;
}

size_t
agent_times_told(enum link_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n_said; i++)
		n += t.said[i].e.kind == kind;
	return n;
}

/* ---- turns ---- */

void
agent_end_turn(void)
{
	if (outbox_has_news(t.outbox))
		session_committed(t.s, outbox_commit(t.outbox, NULL) == 0, t.now);
	else
		session_tick(t.s, t.now);
}

void
agent_pass(int64_t us)
{
	int64_t until = t.now + us;

	while (session_due(t.s) <= until) {
		int64_t due = session_due(t.s);

		t.now = due > t.now ? due : t.now + 1000;
		agent_end_turn();
	}
	t.now = until;
	agent_end_turn();
}

void
agent_hear(const struct frame *f, const struct buf *f1)
{
	struct buf f0 = BUF_INIT;

	frame_encode(&f0, f);
	session_message(t.s, buf_span(&f0), f1 != NULL ? buf_span(f1) : span_of("", 0), t.now);
	agent_end_turn();
	buf_done(&f0);
}

struct welcome_lists lists;

void
agent_welcome(uint64_t upto)
{
	struct frame f = {.kind = MSG_WELCOME};
	struct msg_welcome *w = &f.u.welcome;
	struct buf f1 = BUF_INIT;

	strcpy(w->campaign, "demo");
	w->epoch = 1;
	w->opseq = 10;
	w->accepted_upto = upto;
	(void)fold_hash_at(outbox_state(t.outbox), upto, w->accepted_h);
	w->lease_ms = LEASE_MS;
	w->wall = (uint64_t)clock_wall_ms();
	w->campaign_time = 5000;
	if (lists.n_persons == 0) {
		lists.n_persons = 2;
		strcpy(lists.persons[0].person, "ann");
		strcpy(lists.persons[1].person, "bob");
		lists.persons[0].ok = lists.persons[1].ok = 1;
	}
	if (lists.n_persons == 1 && strcmp(lists.persons[0].person, "ann") == 0) {
		lists.n_persons = 2;
		strcpy(lists.persons[1].person, "bob");
		lists.persons[1].ok = 1;
	}
	welcome_lists_encode(&f1, &lists);
	agent_hear(&f, &f1);
	buf_done(&f1);
	memset(&lists, 0, sizeof(lists));
}

uint8_t *
agent_case_no(uint8_t n)
{
	static uint8_t id[16];

	memset(id, n, sizeof(id));
	return id;
}

void
agent_grant(const char *person, uint64_t next_no, uint64_t token)
{
	struct frame f = {.kind = MSG_GRANT};
	struct msg_grant *g = &f.u.grant;
	struct grant_lists l = {.task = span_str("sealed"), .ticket = span_str("ticket")};
	struct buf f1 = BUF_INIT;

	g->next_no = next_no;
	strcpy(g->person, person);
	memcpy(g->case_id, agent_case_no((uint8_t)token), 16);
	g->token = token;
	g->lease_ms = LEASE_MS;
	g->pulled = 1;
	memset(g->key, 7, 32);
	grant_lists_encode(&f1, &l);
	agent_hear(&f, &f1);
	buf_done(&f1);
}

void
agent_none(const char *person, uint64_t next_no, const char *reason)
{
	struct frame f = {.kind = MSG_NONE};

	f.u.none.next_no = next_no;
	strcpy(f.u.none.person, person);
	strcpy(f.u.none.reason, reason);
	agent_hear(&f, NULL);
}

void
agent_renewed(uint64_t token, uint64_t rseq)
{
	struct frame f = {.kind = MSG_RENEWED};

	memcpy(f.u.renewed.case_id, agent_case_no((uint8_t)token), 16);
	f.u.renewed.token = token;
	f.u.renewed.rseq = rseq;
	f.u.renewed.lease_ms = LEASE_MS;
	agent_hear(&f, NULL);
}

void
agent_lost(uint64_t token, const char *reason)
{
	struct frame f = {.kind = MSG_LOST};

	memcpy(f.u.lost.case_id, agent_case_no((uint8_t)token), 16);
	f.u.lost.token = token;
	strcpy(f.u.lost.reason, reason);
	agent_hear(&f, NULL);
}

void
agent_nack(const char *code, enum msg_kind kind, uint64_t ref, uint64_t expected)
{
	struct frame f = {.kind = MSG_NACK};

	strcpy(f.u.nack.code, code);
	f.u.nack.kind = (uint64_t)kind;
	f.u.nack.ref = ref;
	f.u.nack.expected = expected;
	agent_hear(&f, NULL);
}

void
agent_accept(uint64_t seq, uint64_t verdict)
{
	struct frame f = {.kind = MSG_ACCEPTED};

	memcpy(f.u.accepted.ob, outbox_id(t.outbox), 16);
	f.u.accepted.seq = seq;
	(void)fold_hash_at(outbox_state(t.outbox), seq, f.u.accepted.h);
	f.u.accepted.verdict = verdict;
	f.u.accepted.epoch = 1;
	f.u.accepted.opseq = 10 + seq;
	strcpy(f.u.accepted.why, "-");
	agent_hear(&f, NULL);
}

void
agent_receipt(uint64_t level, uint64_t upto, bool honest)
{
	struct frame f = {.kind = MSG_RECEIPT};
	struct buf bytes = BUF_INIT;

	f.u.receipt.level = level;
	memcpy(f.u.receipt.ob, outbox_id(t.outbox), 16);
	f.u.receipt.upto = upto;
	(void)fold_hash_at(outbox_state(t.outbox), upto, f.u.receipt.h);
	chain_receipt_bytes(&bytes, &f.u.receipt);
	crypt_sign(f.u.receipt.sig, honest ? t.recorder_sk : t.id.sign_sk, buf_span(&bytes));
	buf_done(&bytes);
	agent_hear(&f, NULL);
}

/* One record, a note or an attempt on a token. */
uint64_t
agent_record(const char *person, uint64_t token, bool keep)
{
	struct record_header h = {.kind = token != 0 ? REC_ATTEMPT : REC_NOTE, .token = token};
	struct records_clock clock = session_clock(t.s);
	struct err err = ERR_INIT;
	uint64_t seq = 0;

	strcpy(h.person, person);
	if (token != 0) {
		h.has_case = true;
		memcpy(h.case_id, agent_case_no((uint8_t)token), 16);
		field_set_s(&h, F_outcome, "no-answer");
	}
	h.again = keep;
	if (records_add(t.outbox, t.id.sign_sk, &h, NULL, NULL, &clock, &seq, &err) != 0)
		fail_msg("%s", err.text);
	if (token != 0)
		session_recorded(t.s, token, seq, keep);
	return seq;
}

/* ---- life ---- */

static void
open_all(void)
{
	struct session_port port = {NULL, on_send, on_connect, on_event, NULL};
	struct err err = ERR_INIT;

	if (outbox_open(&t.outbox, t.dir, "demo", NULL, &err) != 0)
		fail_msg("%s", err.text);
	t.s = session_create(&t.id, t.outbox, 2, &port);
	assert_int_equal(session_login(t.s, &t.ann, 0, t.now, NULL), 0);
	assert_int_equal(session_login(t.s, &t.bob, 0, t.now, NULL), 0);
	session_start(t.s, t.now);
	agent_end_turn();
}

static void
close_all(void)
{
	session_destroy(t.s);
	outbox_close(t.outbox);
	agent_forget_sent();
	t.n_said = 0;
}

/* As after kill -9: nothing that was not committed is there. */
void
agent_restart(void)
{
	close_all();
	open_all();
}

int
agent_setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	if (crypt_init(NULL) != 0)
		return -1;
	strcpy(t.dir, "/tmp/hf-session-XXXXXX");
	if (mkdtemp(t.dir) == NULL)
		return -1;
	strcpy(t.id.campaign, "demo");
	crypt_sign_keypair(t.id.sign_pk, t.id.sign_sk);
	crypt_sign_keypair(t.id.recorder_key, t.recorder_sk);
	strcpy(t.ann.person, "ann");
	strcpy(t.bob.person, "bob");
	crypt_sign_keypair(t.ann.pk, t.ann.sk);
	crypt_sign_keypair(t.bob.pk, t.bob.sk);
	t.now = 1000 * S;
	open_all();
	return 0;
}

int
agent_teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", t.dir);
	int rc;

	(void)state;
	close_all();
	rc = system(command);
	free(command);
	return rc;
}

/* A person with a case in hand. */
void
agent_hold_a_case(uint64_t token)
{
	assert_int_equal(session_next(t.s, "ann", NULL), 0);
	agent_end_turn();
	assert_non_null(agent_sent(MSG_NEXT));
	agent_grant("ann", agent_sent(MSG_NEXT)->u.next.next_no, token);
	assert_non_null(agent_told(LINK_GRANTED));
	assert_int_equal(agent_told(LINK_GRANTED)->token, token);
}
