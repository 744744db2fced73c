/* chain.c - the bytes that are hashed, signed and sealed.
 *
 * Each function joins its parts exactly as PROTOCOL.md names them; every signed or keyed string
 * begins with a word of its own, so that no signature can be taken for another. Opening says
 * "damaged" when anything at all does not fit. */
#include "proto/chain.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define TICKET_MAC 32

void
chain_body_hash(uint8_t bc[32], struct span body)
{
	crypt_hash(bc, &body, 1);
}

void
chain_next(uint8_t h[32], const uint8_t prev[32], const uint8_t ob[16], uint64_t seq,
    struct span header, const uint8_t bc[32])
{
	uint8_t be[8];
	struct span parts[] = {span_str("hf1"), span_of(prev, 32), span_of(ob, 16), span_of(be, 8),
	    header, span_of(bc, 32)};

	be64_put(be, seq);
	crypt_hash(h, parts, sizeof(parts) / sizeof(parts[0]));
}

bool
chain_record_ok(const struct msg_record *r, struct span body)
{
	uint8_t bc[32], h[32];

	chain_body_hash(bc, body);
	chain_next(h, r->prev_h, r->ob, r->seq, r->header, bc);
	return memcmp(bc, r->bc, 32) == 0 && memcmp(h, r->h, 32) == 0;
}

void
chain_agent_id(uint8_t agent[16], const uint8_t curve_pk[32], const uint8_t sign_pk[32])
{
	uint8_t h[32];
	struct span parts[] = {span_str("hf1-agent"), span_of(curve_pk, 32), span_of(sign_pk, 32)};

	crypt_hash(h, parts, 3);
	memcpy(agent, h, 16);
}

void
chain_outbox_bytes(
    struct buf *out, const char *campaign, const uint8_t agent[16], const uint8_t ob[16])
{
	buf_adds(out, "hf1-outbox");
	buf_add(out, campaign, strlen(campaign) + 1);
	buf_add(out, agent, 16);
	buf_add(out, ob, 16);
}

void
chain_login_bytes(struct buf *out, const char *campaign, const char *person,
    const uint8_t agent[16], const uint8_t ob[16], uint64_t from, uint64_t until)
{
	buf_adds(out, "hf1-login");
	buf_add(out, campaign, strlen(campaign) + 1);
	buf_add(out, person, strlen(person) + 1);
	buf_add(out, agent, 16);
	buf_add(out, ob, 16);
	buf_add_be64(out, from);
	buf_add_be64(out, until);
}

void
chain_receipt_bytes(struct buf *out, const struct msg_receipt *r)
{
	CHECK(r->level <= UINT8_MAX);
	buf_adds(out, "hf1-receipt");
	buf_addc(out, (char)r->level);
	buf_add(out, r->ob, 16);
	buf_add_be64(out, r->upto);
	buf_add(out, r->h, 32);
	buf_add(out, r->incarnation, 16);
}

void
chain_accept_receipt(uint8_t out[32], const uint8_t key[32], const struct msg_accepted *a)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "accepted");
	buf_add(&b, a->ob, 16);
	buf_add_be64(&b, a->seq);
	buf_add(&b, a->h, 32);
	buf_add_be64(&b, a->verdict);
	buf_add_be64(&b, a->epoch);
	buf_add_be64(&b, a->opseq);
	crypt_keyed(out, 32, key, 32, buf_span(&b));
	buf_done(&b);
}

void
chain_number_id(uint8_t out[8], const uint8_t case_key[32], const char *digits)
{
	crypt_keyed(out, 8, case_key, 32, span_str(digits));
}

void
chain_index(uint8_t out[8], const uint8_t index_key[32], const char *what, const char *text)
{
	struct buf b = BUF_INIT;

	buf_add(&b, what, strlen(what) + 1);
	buf_adds(&b, text);
	crypt_keyed(out, 8, index_key, 32, buf_span(&b));
	crypt_wipe(b.data, b.len);
	buf_done(&b);
}

/* Additional data of a body: 8 + 16 + 16 + 8 bytes. */
static struct span
body_ad(uint8_t ad[48], const uint8_t case_id[16], const uint8_t ob[16], uint64_t seq)
{
	memcpy(ad, "hf1-body", 8);
	memcpy(ad + 8, case_id, 16);
	memcpy(ad + 24, ob, 16);
	be64_put(ad + 40, seq);
	return span_of(ad, 48);
}

static struct span
task_ad(uint8_t ad[24], const uint8_t case_id[16])
{
	memcpy(ad, "hf1-task", 8);
	memcpy(ad + 8, case_id, 16);
	return span_of(ad, 24);
}

void
chain_body_seal(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    const uint8_t ob[16], uint64_t seq, struct span plain)
{
	uint8_t ad[48];

	crypt_seal(out, key, plain, body_ad(ad, case_id, ob, seq));
}

int
chain_body_open(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    const uint8_t ob[16], uint64_t seq, struct span sealed, struct err *err)
{
	uint8_t ad[48];

	if (crypt_open(out, key, sealed, body_ad(ad, case_id, ob, seq), err) < 0)
		return err_wrap(err, "body of record %ju", (uintmax_t)seq);
	return 0;
}

void
chain_task_seal(
    struct buf *out, const uint8_t key[32], const uint8_t case_id[16], struct span plain)
{
	uint8_t ad[24];

	crypt_seal(out, key, plain, task_ad(ad, case_id));
}

int
chain_task_open(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    struct span sealed, struct err *err)
{
	uint8_t ad[24];

	if (crypt_open(out, key, sealed, task_ad(ad, case_id), err) < 0)
		return err_wrap(err, "task");
	return 0;
}

/* The MAC covers the outbox too, which a ticket need not carry: it is only good in its own. */
static void
ticket_mac(uint8_t mac[TICKET_MAC], const uint8_t key[32], struct span front, const uint8_t ob[16])
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "ticket");
	buf_add(&b, ob, 16);
	buf_add(&b, front.data, front.len);
	crypt_keyed(mac, TICKET_MAC, key, 32, buf_span(&b));
	buf_done(&b);
}

/* case(16) BE64(token) person mac(32) */
void
chain_ticket(struct buf *out, const uint8_t key[32], const uint8_t case_id[16], uint64_t token,
    const char *person, const uint8_t ob[16])
{
	uint8_t mac[TICKET_MAC];
	struct buf b = BUF_INIT;

	CHECK(text_is_id(person, strlen(person)));
	buf_add(&b, case_id, 16);
	buf_add_be64(&b, token);
	buf_adds(&b, person);
	ticket_mac(mac, key, buf_span(&b), ob);
	buf_add(&b, mac, sizeof(mac));
	CHECK(b.len <= TICKET_MAX);
	buf_add(out, b.data, b.len);
	buf_done(&b);
}

bool
chain_ticket_open(const uint8_t key[32], struct span ticket, const uint8_t ob[16],
    uint8_t ret_case[16], uint64_t *ret_token, char ret_person[33])
{
	uint8_t mac[TICKET_MAC];
	const char *person;
	size_t len;

	if (ticket.len < 24 + 1 + TICKET_MAC || ticket.len > 24 + NAME_MAX_LEN + TICKET_MAC)
		return false;
	len = ticket.len - 24 - TICKET_MAC;
	person = (const char *)ticket.data + 24;
	ticket_mac(mac, key, span_of(ticket.data, ticket.len - TICKET_MAC), ob);
	if (!crypt_equal(mac, ticket.data + ticket.len - TICKET_MAC, TICKET_MAC) ||
	    !text_is_id(person, len))
		return false;
	memcpy(ret_case, ticket.data, 16);
	*ret_token = be64_get(ticket.data + 16);
	memcpy(ret_person, person, len);
	ret_person[len] = '\0';
	return true;
}
