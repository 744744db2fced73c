/* golden.c - writes the golden vectors.
 *
 * The people and numbers are invented, the keys are counted up from a start. Seals take fixed
 * nonces, for which libsodium is called by its own name here: no program of ours may choose a
 * nonce. */
#include "tests/lib/golden.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "proto/chain.h"

#define LEADER "li"
#define TOKEN  (1ULL << TOKEN_EPOCH_BITS | 42)
#define NOW    1785542400000ULL /* 2026-08-01 08:00 in Beijing */

struct golden golden;

void
golden_counted(uint8_t *out, size_t len, unsigned start)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(start + i);
}

static void
pair_from(struct golden_pair *p, unsigned start)
{
	golden_counted(p->seed, 32, start);
	crypt_sign_from_seed(p->pk, p->sk, p->seed);
}

void
golden_seal(struct buf *out, const uint8_t key[32], const uint8_t nonce[24], struct span plain,
    struct span ad)
{
	uint8_t room[4096];
	unsigned long long len;

	CHECK(plain.len + 16 <= sizeof(room));
	CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
	          room, &len, plain.data, plain.len, ad.data, ad.len, NULL, nonce, key) == 0);
	buf_add(out, nonce, 24);
	buf_add(out, room, (size_t)len);
}

static void
seal_body(struct golden_record *r, uint64_t seq, unsigned nonce)
{
	struct buf ad = BUF_INIT;

	golden_counted(r->nonce, 24, nonce);
	buf_adds(&ad, "hf1-body");
	buf_add(&ad, r->header.case_id, 16);
	buf_add(&ad, golden.ob, 16);
	buf_add_be64(&ad, seq);
	golden_seal(&r->body, r->header.has_case ? golden.case_key : golden.campaign_key, r->nonce,
	    buf_span(&r->plain), buf_span(&ad));
	buf_done(&ad);
}

void
golden_sign(uint8_t sig[64], const struct golden_pair *p, const struct buf *b)
{
	crypt_sign(sig, p->sk, buf_span(b));
}

/* Closes record i: hashes over the one before it, signature. */
static void
chain(int i)
{
	struct golden_record *r = &golden.records[i];
	struct msg_record *m = &r->m;

	record_header_encode(&r->header_bytes, &r->header);
	memcpy(m->ob, golden.ob, 16);
	m->seq = (uint64_t)i + 1;
	if (i > 0)
		memcpy(m->prev_h, golden.records[i - 1].m.h, 32);
	m->header = buf_span(&r->header_bytes);
	chain_body_hash(m->bc, buf_span(&r->body));
	chain_next(m->h, m->prev_h, m->ob, m->seq, m->header, m->bc);
	crypt_sign(m->sig, golden.agent_sign.sk, span_of(m->h, 32));
}

static void
header_common(struct record_header *h, enum record_kind kind, const char *person, unsigned id)
{
	h->kind = kind;
	strcpy(h->person, person);
	golden_counted(h->id, 16, id);
	golden_counted(h->boot, 16, 0xb0);
	h->t_entry = 361000000;
	h->server_wall = NOW;
	h->server_boot = 300000000;
	h->pc_wall = NOW + 61500;
}

/* A call that was answered, with the next case asked for in the same message. */
static void
make_attempt(void)
{
	static uint8_t number[8], evidence[32];
	struct golden_record *r = &golden.records[0];
	struct record_header *h = &r->header;
	struct body body = {
	    .note = span_str("母亲接听，晚上八点后再打"), .answered = span_str("母亲")};

	header_common(h, REC_ATTEMPT, GOLDEN_PERSON, 0x10);
	h->token = TOKEN;
	h->has_case = true;
	memcpy(h->case_id, golden.case_id, 16);
	h->t_start = 310000000;
	h->t_end = 355500000;
	chain_number_id(number, golden.case_key, GOLDEN_DIGITS);
	golden_counted(evidence, 32, 0xe0);
	field_set_s(h, F_outcome, "callback");
	field_set_s(h, F_channel, "phone");
	field_set_b(h, F_number, number, 8);
	field_set_u(h, F_seconds, 45);
	field_set_u(h, F_next_at, NOW + 12 * 3600000);
	field_set_s(h, F_spoke, "mother");
	field_set_u(h, F_ticks, 5);
	field_add(h, F_concerns, "fees", 4);
	field_add(h, F_concerns, "distance", 8);
	field_add(h, F_evidence, evidence, 32);
	body_encode(&r->plain, &body);
	seal_body(r, 1, 0x20);
	r->m.has_next = true;
	r->m.next_no = 8;
	chain(0);
}

/* A note about no case, sealed with the campaign's key. */
static void
make_note(void)
{
	struct golden_record *r = &golden.records[1];
	struct body body = {.note = span_str("今天线路不好")};

	header_common(&r->header, REC_NOTE, GOLDEN_PERSON, 0x30);
	body_encode(&r->plain, &body);
	seal_body(r, 2, 0x40);
	chain(1);
}

/* A leader's act on a case as he saw it, without a body. */
static void
make_handover(void)
{
	struct golden_record *r = &golden.records[2];
	struct record_header *h = &r->header;

	header_common(h, REC_HANDOVER, LEADER, 0x50);
	h->has_case = true;
	memcpy(h->case_id, golden.case_id, 16);
	h->expect = 7;
	h->quality = 1;
	field_set_s(h, F_reason, "absence");
	field_set_s(h, F_to, GOLDEN_PERSON);
	field_set_u(h, F_credit, 1);
	chain(2);
}

static void
make_task(void)
{
	struct task t = {.no = span_str(GOLDEN_NO),
	    .name = span_str("陈晨"),
	    .sex = span_str("女"),
	    .province = span_str("广东"),
	    .school = span_str("某县一中"),
	    .rural = 1,
	    .choice = 2,
	    .major = span_str("护理"),
	    .n_numbers = 2,
	    .numbers = {{span_str("self"), span_str(GOLDEN_DIGITS), span_str("")},
	        {span_str("mother"), span_str("19900005678"), span_str("晚上")}},
	    .minor = 1,
	    .n_extra = 2,
	    .extra = {span_str("备注列"), span_str("走读")}};
	struct buf ad = BUF_INIT;

	task_encode(&golden.task_plain, &t);
	golden_counted(golden.task_nonce, 24, 0x60);
	buf_adds(&ad, "hf1-task");
	buf_add(&ad, golden.case_id, 16);
	golden_seal(&golden.task, golden.case_key, golden.task_nonce, buf_span(&golden.task_plain),
	    buf_span(&ad));
	buf_done(&ad);
}

void
golden_make(void)
{
	if (golden.task.len > 0)
		return;
	pair_from(&golden.agent_sign, 0x01);
	pair_from(&golden.person, 0x02);
	pair_from(&golden.recorder, 0x03);
	golden_counted(golden.curve_sk, 32, 0x04);
	CHECK(crypto_scalarmult_base(golden.curve_pk, golden.curve_sk) == 0);
	chain_agent_id(golden.agent, golden.curve_pk, golden.agent_sign.pk);
	golden_counted(golden.ob, 16, 0xa0);
	golden_counted(golden.case_id, 16, 0xc0);
	golden_counted(golden.incarnation, 16, 0xd0);
	golden_counted(golden.case_key, 32, 0x05);
	golden_counted(golden.campaign_key, 32, 0x06);
	golden_counted(golden.index_key, 32, 0x07);
	golden_counted(golden.receipt_key, 32, 0x08);
	make_attempt();
	make_note();
	make_handover();
	make_task();
}

void
golden_done(void)
{
	for (int i = 0; i < GOLDEN_RECORDS; i++) {
		buf_done(&golden.records[i].header_bytes);
		buf_done(&golden.records[i].plain);
		buf_done(&golden.records[i].body);
	}
	buf_done(&golden.task_plain);
	buf_done(&golden.task);
	memset(&golden, 0, sizeof(golden));
}

/* ---- one example of every frame ---- */

void
golden_receipt(struct msg_receipt *r)
{
	struct buf b = BUF_INIT;

	r->level = LEVEL_RELEASED;
	memcpy(r->ob, golden.ob, 16);
	r->upto = 2;
	memcpy(r->h, golden.records[1].m.h, 32);
	memcpy(r->incarnation, golden.incarnation, 16);
	chain_receipt_bytes(&b, r);
	golden_sign(r->sig, &golden.recorder, &b);
	buf_done(&b);
}

void
golden_login(struct login *l)
{
	struct buf b = BUF_INIT;

	strcpy(l->person, GOLDEN_PERSON);
	l->from = NOW;
	l->until = NOW + LOGIN_MAX_MS;
	chain_login_bytes(
	    &b, GOLDEN_CAMPAIGN, GOLDEN_PERSON, golden.agent, golden.ob, l->from, l->until);
	golden_sign(l->sig, &golden.person, &b);
	buf_done(&b);
}

static void
ticket(struct buf *out)
{
	chain_ticket(out, golden.receipt_key, golden.case_id, TOKEN, GOLDEN_PERSON, golden.ob);
}

static void
f1_hello(struct buf *f1)
{
	static struct hello_lists l;
	struct buf t = BUF_INIT;

	ticket(&t);
	l.n_persons = 1;
	golden_login(&l.persons[0]);
	l.n_tickets = 1;
	l.tickets[0] = buf_span(&t);
	hello_lists_encode(f1, &l);
	buf_done(&t);
}

static void
f1_welcome(struct buf *f1)
{
	static struct welcome_lists l;
	struct frame receipt = {.kind = MSG_RECEIPT};
	struct buf f0 = BUF_INIT;

	golden_receipt(&receipt.u.receipt);
	frame_encode(&f0, &receipt);
	l.n_persons = 2;
	l.persons[0] = (struct welcome_person){GOLDEN_PERSON, 1, 1, "t1", ""};
	l.persons[1] = (struct welcome_person){LEADER, 0, 0, "", "expired"};
	l.n_tickets = l.n_leases = l.n_receipts = l.n_keys = 1;
	l.tickets[0] = (struct welcome_ticket){.token = TOKEN, .verdict = TICKET_KEPT};
	memcpy(l.tickets[0].case_id, golden.case_id, 16);
	l.leases[0] =
	    (struct welcome_lease){.token = TOKEN, .rseq = 3, .person = GOLDEN_PERSON, .pulled = 1};
	memcpy(l.leases[0].case_id, golden.case_id, 16);
	l.receipts[0] = buf_span(&f0);
	memcpy(l.keys[0].key, golden.campaign_key, 32);
	welcome_lists_encode(f1, &l);
	buf_done(&f0);
}

static void
f1_grant(struct buf *f1)
{
	struct grant_lists l = {.task = buf_span(&golden.task), .n_last = 1};
	struct buf t = BUF_INIT;

	ticket(&t);
	l.ticket = buf_span(&t);
	memcpy(l.last[0].ob, golden.ob, 16);
	l.last[0].seq = 1;
	l.last[0].header = buf_span(&golden.records[0].header_bytes);
	l.last[0].body = buf_span(&golden.records[0].body);
	grant_lists_encode(f1, &l);
	buf_done(&t);
}

static void
f1_seen(struct buf *f1)
{
	struct seen_case s = {
	    .row = {.lane = "own:wang:callback", .due = NOW, .version = 8}, .n_last = 1};

	memcpy(s.row.case_id, golden.case_id, 16);
	memcpy(s.row.key, golden.case_key, 32);
	s.row.task = buf_span(&golden.task);
	memcpy(s.last[0].ob, golden.ob, 16);
	s.last[0].seq = 3;
	s.last[0].header = buf_span(&golden.records[2].header_bytes);
	seen_case_encode(f1, &s);
}

static void
frame_session(struct frame *f, struct buf *f1)
{
	struct buf b = BUF_INIT;

	switch (f->kind) {
	case MSG_HELLO:
		f->u.hello = (struct msg_hello){.campaign = GOLDEN_CAMPAIGN,
		    .epoch_seen = 1,
		    .opseq_seen = 1000,
		    .head_seq = 3};
		memcpy(f->u.hello.ob, golden.ob, 16);
		memcpy(f->u.hello.agent, golden.agent, 16);
		chain_outbox_bytes(&b, GOLDEN_CAMPAIGN, golden.agent, golden.ob);
		golden_sign(f->u.hello.ob_sig, &golden.agent_sign, &b);
		memcpy(f->u.hello.head_h, golden.records[2].m.h, 32);
		f1_hello(f1);
		break;
	case MSG_WELCOME:
		f->u.welcome = (struct msg_welcome){.campaign = GOLDEN_CAMPAIGN,
		    .epoch = 1,
		    .opseq = 1001,
		    .accepted_upto = 2,
		    .settled_upto = 2,
		    .released_upto = 2,
		    .lease_ms = 120000,
		    .guard_ms = 10000,
		    .wall = NOW,
		    .campaign_time = NOW};
		memcpy(f->u.welcome.accepted_h, golden.records[1].m.h, 32);
		f1_welcome(f1);
		break;
	case MSG_SYNC:
		f->u.sync = (struct msg_sync){.head_seq = 3, .settled_seen = 2, .released_seen = 1};
		memcpy(f->u.sync.ob, golden.ob, 16);
		memcpy(f->u.sync.head_h, golden.records[2].m.h, 32);
		break;
	case MSG_SYNCED:
		f->u.synced = (struct msg_synced){.accepted_upto = 2,
		    .settled_upto = 2,
		    .released_upto = 2,
		    .mode = MODE_NORMAL,
		    .epoch = 1,
		    .opseq = 1002,
		    .wall = NOW + 30000,
		    .campaign_time = NOW + 30000};
		memcpy(f->u.synced.ob, golden.ob, 16);
		memcpy(f->u.synced.accepted_h, golden.records[1].m.h, 32);
		break;
	case MSG_RECEIPT: golden_receipt(&f->u.receipt); break;
	case MSG_NACK:
		f->u.nack = (struct msg_nack){"GAP", MSG_RECORD, 3, 2, "record 2 is missing"};
		break;
	default: break;
	}
	buf_done(&b);
}

static void
frame_work(struct frame *f, struct buf *f1)
{
	switch (f->kind) {
	case MSG_NEXT: f->u.next = (struct msg_next){7, GOLDEN_PERSON}; break;
	case MSG_TAKE:
		f->u.take = (struct msg_take){.next_no = 9, .person = GOLDEN_PERSON};
		buf_adds(f1, GOLDEN_DIGITS);
		break;
	case MSG_GRANT:
		f->u.grant = (struct msg_grant){.next_no = 7,
		    .person = GOLDEN_PERSON,
		    .token = TOKEN,
		    .lease_ms = 120000,
		    .pulled = 1,
		    .version = 7,
		    .due = NOW - 60000,
		    .why = "released"};
		memcpy(f->u.grant.case_id, golden.case_id, 16);
		memcpy(f->u.grant.key, golden.case_key, 32);
		f1_grant(f1);
		break;
	case MSG_NONE: f->u.none = (struct msg_none){9, GOLDEN_PERSON, "held", 0, LEADER}; break;
	case MSG_RENEW:
		f->u.renew = (struct msg_renew){.token = TOKEN, .rseq = 2};
		memcpy(f->u.renew.case_id, golden.case_id, 16);
		break;
	case MSG_RENEWED:
		f->u.renewed = (struct msg_renewed){.token = TOKEN, .rseq = 3, .lease_ms = 120000};
		memcpy(f->u.renewed.case_id, golden.case_id, 16);
		break;
	case MSG_LOST:
		f->u.lost = (struct msg_lost){.token = TOKEN, .reason = "granted-on"};
		memcpy(f->u.lost.case_id, golden.case_id, 16);
		break;
	case MSG_GIVEBACK:
		f->u.giveback = (struct msg_lost){.token = TOKEN, .reason = "break"};
		memcpy(f->u.giveback.case_id, golden.case_id, 16);
		break;
	default: break;
	}
}

static void
frame_rest(struct frame *f, struct buf *f1)
{
	struct golden_record *r = &golden.records[0];
	struct msg_accepted *a = &f->u.accepted;

	switch (f->kind) {
	case MSG_RECORD:
		f->u.record = r->m;
		buf_add(f1, r->body.data, r->body.len);
		break;
	case MSG_ACCEPTED:
		*a = (struct msg_accepted){.seq = 1,
		    .verdict = VERDICT_LATE,
		    .epoch = 1,
		    .opseq = 1001,
		    .why = "granted-on"};
		memcpy(a->ob, golden.ob, 16);
		memcpy(a->h, r->m.h, 32);
		chain_accept_receipt(a->receipt, golden.receipt_key, a);
		break;
	case MSG_BLOB:
		f->u.blob =
		    (struct msg_blob){.person = GOLDEN_PERSON, .size = 100040, .offset = 65536};
		golden_counted(f->u.blob.hash, 32, 0xe0);
		buf_adds(f1, "evidence");
		break;
	case MSG_HAVE:
		f->u.have = (struct msg_have){.upto = 65544};
		golden_counted(f->u.have.hash, 32, 0xe0);
		break;
	case MSG_LOOK:
		f->u.look = (struct msg_look){
		    .look_no = 4, .person = GOLDEN_PERSON, .what = "case", .has_case = true};
		memcpy(f->u.look.case_id, golden.case_id, 16);
		break;
	case MSG_SEEN:
		f->u.seen = (struct msg_seen){
		    .look_no = 4, .what = "case", .pages = 1, .as_of = NOW, .code = "ok"};
		f1_seen(f1);
		break;
	default: break;
	}
}

void
golden_example(struct frame *f, struct buf *f0, struct buf *f1, enum msg_kind kind)
{
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	frame_session(f, f1);
	frame_work(f, f1);
	frame_rest(f, f1);
	frame_encode(f0, f);
}
