/* records.h - from what a person did to a signed link of the chain (PROTOCOL.md 7.1, 14). */
#ifndef LINK_RECORDS_H
#define LINK_RECORDS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/lists.h"
#include "proto/record.h"
#include "workers/link/outbox.h"

/* The last server clock seen, and the own boot clock at that moment; zeros when none was seen. */
struct records_clock {
	uint64_t server_wall, server_boot; /* ms, us */
};

/* Fills what the sender of a header leaves zero: id, boot, t_entry, pc_wall, and the clock pair. */
void records_stamp(struct record_header *h, const struct records_clock *clock);

struct records_made {
	struct buf header, body; /* body: sealed, empty when there is nothing to say */
	struct fold_stored r;    /* borrows the two above */
};
/* Seals, hashes and signs; no I/O. key may be NULL when body says nothing. ERR_INVALID: the header
 * breaks the rule of its kind; ERR_FULL: header or body is too long; ERR_NOT_FOUND: no key. */
int records_make(struct records_made *ret, const uint8_t sign_sk[64], const uint8_t ob[16],
    uint64_t seq, const uint8_t prev_h[32], const struct record_header *h, const struct body *body,
    const uint8_t *key, struct err *err);
void records_done(struct records_made *m);

/* Made for the outbox's tip and added to it; durable at its next commit. Stamps the header. */
int records_add(struct outbox *o, const uint8_t sign_sk[64], struct record_header *h,
    const struct body *body, const uint8_t *key, const struct records_clock *clock,
    uint64_t *ret_seq, struct err *err);

/* F0 of a stored record; next_no 0: none rides along. */
void records_frame(struct buf *out, const uint8_t ob[16], const uint8_t prev_h[32],
    const struct fold_stored *r, uint64_t next_no);

#endif
