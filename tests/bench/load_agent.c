/* load_agent.c - agents with keys from a seed, and the frames that they send.
 *
 * The chain of hashes is right, as the broker checks it; the record's signature is 64 zero bytes
 * unless asked for, as the broker does not look at it. Nothing is written to a disk: a real agent fsyncs first. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "base/zsock.h"
#include "proto/chain.h"
#include "proto/lists.h"
#include "proto/record.h"
#include "tests/bench/load.h"

static void
seed_of(uint8_t out[32], const char *what, unsigned no)
{
	char text[64];
	struct span part;

	(void)snprintf(text, sizeof(text), "hf1-bench %s %u", what, no);
	part = span_str(text);
	crypt_hash(out, &part, 1);
}

void
bench_agent_make(struct bench_agent *a, unsigned no)
{
	uint8_t seed[32];

	memset(a, 0, sizeof(*a));
	(void)snprintf(a->person, sizeof(a->person), "p%u", no);
	seed_of(a->curve_sk, "curve", no);
	CHECK(zsock_curve_public(a->curve_pk, a->curve_sk) == 0);
	seed_of(seed, "sign", no);
	crypt_sign_from_seed(a->sign_pk, a->sign_sk, seed);
	seed_of(seed, "person", no);
	crypt_sign_from_seed(a->person_pk, a->person_sk, seed);
	chain_agent_id(a->id, a->curve_pk, a->sign_pk);
	crypt_random(a->ob, sizeof(a->ob));
	crypt_random(a->boot, sizeof(a->boot));
}

void
bench_agent_print(const struct bench_agent *a)
{
	char id[33], curve[65], sign[65], person[65];

	hex_encode(id, a->id, 16);
	hex_encode(curve, a->curve_pk, 32);
	hex_encode(sign, a->sign_pk, 32);
	hex_encode(person, a->person_pk, 32);
	printf("%s %s %s %s %s\n", id, curve, sign, a->person, person);
}

void
bench_hello(struct buf *f0, struct buf *f1, const struct bench_agent *a, const char *campaign)
{
	static struct hello_lists lists;
	struct frame f = {.kind = MSG_HELLO};
	struct login *l = &lists.persons[0];
	struct buf bytes = BUF_INIT;

	(void)snprintf(f.u.hello.campaign, sizeof(f.u.hello.campaign), "%s", campaign);
	memcpy(f.u.hello.ob, a->ob, 16);
	memcpy(f.u.hello.agent, a->id, 16);
	chain_outbox_bytes(&bytes, campaign, a->id, a->ob);
	crypt_sign(f.u.hello.ob_sig, a->sign_sk, buf_span(&bytes));
	lists.n_persons = 1;
	memcpy(l->person, a->person, sizeof(l->person));
	l->from = (uint64_t)clock_wall_ms() - 1000;
	l->until = l->from + 3600000;
	buf_clear(&bytes);
	chain_login_bytes(&bytes, campaign, a->person, a->id, a->ob, l->from, l->until);
	crypt_sign(l->sig, a->person_sk, buf_span(&bytes));
	buf_done(&bytes);
	buf_clear(f0);
	buf_clear(f1);
	frame_encode(f0, &f);
	hello_lists_encode(f1, &lists);
}

void
bench_next(struct buf *f0, struct bench_agent *a)
{
	struct frame f = {.kind = MSG_NEXT};

	f.u.next.next_no = ++a->next_no;
	memcpy(f.u.next.person, a->person, sizeof(a->person));
	buf_clear(f0);
	frame_encode(f0, &f);
}

static void
header_of(struct buf *out, struct bench_agent *a, const uint8_t case_id[16], uint64_t token)
{
	static struct record_header h;
	static const uint8_t number[8] = "number.";

	h.kind = REC_ATTEMPT;
	memcpy(h.person, a->person, sizeof(h.person));
	h.token = token;
	h.has_case = true;
	memcpy(h.case_id, case_id, 16);
	memcpy(h.id, a->ob, 8);
	be64_put(h.id + 8, ++a->record_no);
	memcpy(h.boot, a->boot, 16);
	h.t_start = (uint64_t)clock_boot_us();
	h.t_end = h.t_entry = h.t_start + 1;
	h.pc_wall = h.t_start / 1000;
	field_set_s(&h, F_outcome, "no-answer");
	field_set_s(&h, F_channel, "phone");
	field_set_b(&h, F_number, number, sizeof(number));
	field_set_u(&h, F_seconds, 31);
	buf_clear(out);
	record_header_encode(out, &h);
}

void
bench_record(struct buf *f0, struct bench_agent *a, const uint8_t case_id[16], uint64_t token,
    struct span body, bool with_next, bool sign)
{
	static struct buf header;
	struct frame f = {.kind = MSG_RECORD};
	struct msg_record *r = &f.u.record;

	header_of(&header, a, case_id, token);
	memcpy(r->ob, a->ob, 16);
	r->seq = ++a->seq;
	memcpy(r->prev_h, a->h, 32);
	chain_body_hash(r->bc, body);
	r->header = buf_span(&header);
	chain_next(r->h, r->prev_h, r->ob, r->seq, r->header, r->bc);
	memcpy(a->h, r->h, 32);
	if (sign)
		crypt_sign(r->sig, a->sign_sk, span_of(r->h, 32));
	r->has_next = with_next;
	if (with_next)
		r->next_no = ++a->next_no;
	buf_clear(f0);
	frame_encode(f0, &f);
}
