/* records.c - header and body into bytes, bytes into the chain.
 *
 * Happy path: encode the header, seal the body under the case's key for exactly this outbox and seq,
 * hash both behind the hash before, sign the hash. Failures: whatever a broker would quarantine or
 * refuse is refused here already, before it has a number; the limits are looked at before encoding,
 * because the encoder takes a header that is too long for a mistake of ours. */
#include "workers/link/records.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/uuid.h"
#include "proto/chain.h"

/* What the elements before the fields take at most. */
#define HEADER_FIXED 180

void
records_stamp(struct record_header *h, const struct records_clock *clock)
{
	static const uint8_t zero[16];

	if (memcmp(h->id, zero, 16) == 0)
		uuid7(h->id);
	clock_boot_id(h->boot);
	if (h->t_entry == 0)
		h->t_entry = (uint64_t)clock_boot_us();
	h->pc_wall = (uint64_t)clock_wall_ms();
	h->server_wall = clock->server_wall;
	h->server_boot = clock->server_boot;
}

static int
check_size(const struct record_header *h, struct err *err)
{
	size_t pairs = 0, len = HEADER_FIXED;

	if (h->token > INT64_MAX || h->expect > INT64_MAX || h->again > 1 || h->quality > 1 ||
	    h->t_start > INT64_MAX || h->t_end > INT64_MAX || h->t_entry > INT64_MAX)
		return err_set(err, ERR_INVALID, "token, version or times are too large");
	for (int key = 1; key < FIELD_KEYS; key++) {
		const struct field *f = &h->f[key];

		if (!f->set)
			continue;
		if (f->u > INT64_MAX)
			return err_set(
			    err, ERR_INVALID, "%s is too large", field_name((enum field_key)key));
		pairs++;
		len += 2 + 9 + f->bytes.len;
		for (uint8_t i = 0; i < f->n; i++)
			len += 2 + f->list[i].len;
	}
	if (pairs > FIELD_PAIRS_MAX || len > HEADER_MAX)
		return err_set(
		    err, ERR_FULL, "the record says too much: %zu bytes of %d", len, HEADER_MAX);
	return 0;
}

static int
make_header(struct buf *out, const struct record_header *h, struct err *err)
{
	struct record_header again;

	if (check_size(h, err) != 0)
		return -1;
	record_header_encode(out, h);
	return record_header_decode(&again, buf_span(out), err);
}

static int
make_body(struct buf *out, const uint8_t ob[16], uint64_t seq, const struct record_header *h,
    const struct body *body, const uint8_t *key, struct err *err)
{
	static const uint8_t no_case[16];
	struct buf plain = BUF_INIT;
	int rc = 0;

	if (body != NULL)
		body_encode(&plain, body);
	if (plain.len > 0 && key == NULL)
		rc = err_set(err, ERR_NOT_FOUND, "no key to seal the body with");
	else if (plain.len > F1_MAX - SEAL_OVERHEAD)
		rc = err_set(err, ERR_FULL, "the body has %zu bytes", plain.len);
	else if (plain.len > 0)
		chain_body_seal(
		    out, key, h->has_case ? h->case_id : no_case, ob, seq, buf_span(&plain));
	if (plain.data != NULL)
		crypt_wipe(plain.data, plain.len);
	buf_done(&plain);
	return rc;
}

int
records_make(struct records_made *ret, const uint8_t sign_sk[64], const uint8_t ob[16],
    uint64_t seq, const uint8_t prev_h[32], const struct record_header *h, const struct body *body,
    const uint8_t *key, struct err *err)
{
	struct records_made m = {.header = BUF_INIT, .body = BUF_INIT};
	uint8_t bc[32];

	if (make_header(&m.header, h, err) != 0 ||
	    make_body(&m.body, ob, seq, h, body, key, err) != 0) {
		records_done(&m);
		return -1;
	}
	m.r.seq = seq;
	m.r.header = buf_span(&m.header);
	m.r.body = buf_span(&m.body);
	memcpy(m.r.id, h->id, 16);
	chain_body_hash(bc, m.r.body);
	chain_next(m.r.h, prev_h, ob, seq, m.r.header, bc);
	crypt_sign(m.r.sig, sign_sk, span_of(m.r.h, 32));
	*ret = m;
	return 0;
}

void
records_done(struct records_made *m)
{
	buf_done(&m->header);
	buf_done(&m->body);
}

int
records_add(struct outbox *o, const uint8_t sign_sk[64], struct record_header *h,
    const struct body *body, const uint8_t *key, const struct records_clock *clock,
    uint64_t *ret_seq, struct err *err)
{
	struct records_made m;
	uint8_t prev[32];
	uint64_t seq = outbox_tip(o, prev) + 1;
	int rc;

	records_stamp(h, clock);
	if (records_make(&m, sign_sk, outbox_id(o), seq, prev, h, body, key, err) != 0)
		return -1;
	rc = outbox_add_record(o, &m.r, err);
	records_done(&m);
	if (rc == 0)
		*ret_seq = seq;
	return rc;
}

void
records_frame(struct buf *out, const uint8_t ob[16], const uint8_t prev_h[32],
    const struct fold_stored *r, uint64_t next_no)
{
	struct frame f = {.kind = MSG_RECORD};
	struct msg_record *m = &f.u.record;

	memcpy(m->ob, ob, 16);
	m->seq = r->seq;
	memcpy(m->prev_h, prev_h, 32);
	memcpy(m->h, r->h, 32);
	chain_body_hash(m->bc, r->body);
	m->header = r->header;
	memcpy(m->sig, r->sig, 64);
	m->has_next = next_no != 0;
	m->next_no = next_no;
	frame_encode(out, &f);
}
