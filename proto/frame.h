/* frame.h - every F0 as a struct (PROTOCOL.md sections 4 to 11). Fields stand in wire order.
 *
 * frame_decode copies what is fixed and borrows the rest (struct span) from the bytes given.
 * frame_encode appends F0 to a buf. Lists that travel in F1 have readers and writers of their own
 * in lists.h. */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/wire.h"

typedef char name_t[NAME_MAX_LEN + 1];
typedef char word_t[64]; /* reasons, codes: NUL-terminated, at most 63 bytes */

struct msg_hello {
	name_t campaign;
	uint8_t ob[16], agent[16], ob_sig[64];
	uint64_t epoch_seen, opseq_seen, head_seq;
	uint8_t head_h[32];
};
struct msg_welcome {
	name_t campaign;
	uint64_t epoch, opseq, mode, accepted_upto;
	uint8_t accepted_h[32];
	uint64_t settled_upto, released_upto, lease_ms, guard_ms, wall, campaign_time;
};
struct msg_next {
	uint64_t next_no;
	name_t person;
};
struct msg_take {
	uint64_t next_no;
	name_t person;
	bool has_case;
	uint8_t case_id[16];
};
struct msg_grant {
	uint64_t next_no;
	name_t person;
	uint8_t case_id[16];
	uint64_t token, rseq, lease_ms, pulled, version, due;
	char why[256];
	uint8_t key[32];
};
struct msg_none {
	uint64_t next_no;
	name_t person;
	word_t reason;
	uint64_t retry_ms;
	name_t who; /* "" unless held; empty string on the wire */
};
struct msg_renew {
	uint8_t case_id[16];
	uint64_t token, rseq;
};
struct msg_renewed {
	uint8_t case_id[16];
	uint64_t token, rseq, lease_ms;
};
struct msg_lost { /* also GIVEBACK: same shape */
	uint8_t case_id[16];
	uint64_t token;
	word_t reason;
};
struct msg_record {
	uint8_t ob[16];
	uint64_t seq;
	uint8_t prev_h[32], h[32], bc[32];
	struct span header; /* borrowed */
	uint8_t sig[64];
	bool has_next;
	uint64_t next_no;
};
struct msg_accepted {
	uint8_t ob[16];
	uint64_t seq;
	uint8_t h[32];
	uint64_t verdict, epoch, opseq;
	uint8_t receipt[32];
	word_t why;
};
struct msg_nack {
	word_t code;
	uint64_t kind, ref, expected;
	char text[256];
};
struct msg_blob {
	name_t person;
	uint8_t hash[32];
	uint64_t size, offset;
};
struct msg_have {
	uint8_t hash[32];
	uint64_t upto;
};
struct msg_receipt {
	uint64_t level;
	uint8_t ob[16];
	uint64_t upto;
	uint8_t h[32], incarnation[16], sig[64];
};
struct msg_sync {
	uint8_t ob[16];
	uint64_t head_seq;
	uint8_t head_h[32];
	uint64_t settled_seen, released_seen;
};
struct msg_synced {
	uint8_t ob[16];
	uint64_t accepted_upto;
	uint8_t accepted_h[32];
	uint64_t settled_upto, released_upto, mode, epoch, opseq, wall, campaign_time;
};
struct msg_look {
	uint64_t look_no;
	name_t person;
	word_t what;
	uint64_t page;
	bool has_case;
	uint8_t case_id[16];
};
struct msg_seen {
	uint64_t look_no;
	word_t what;
	uint64_t page, pages, as_of;
	word_t code;
};

struct frame {
	enum msg_kind kind;
	union {
		struct msg_hello hello;
		struct msg_welcome welcome;
		struct msg_next next;
		struct msg_take take;
		struct msg_grant grant;
		struct msg_none none;
		struct msg_renew renew;
		struct msg_renewed renewed;
		struct msg_lost lost;
		struct msg_lost giveback;
		struct msg_record record;
		struct msg_accepted accepted;
		struct msg_nack nack;
		struct msg_blob blob;
		struct msg_have have;
		struct msg_receipt receipt;
		struct msg_sync sync;
		struct msg_synced synced;
		struct msg_look look;
		struct msg_seen seen;
	} u;
};

/* 0; -1 ERR_INVALID: not a frame of ours (drop, count); -1 ERR_NOT_FOUND: a well-formed array of an
 * unknown version or kind (NACK UNSUPPORTED). ret->kind is the number that was read, as far as it
 * is one and fits, else 0; the rest of *ret is zero after a failure. */
int frame_decode(struct frame *ret, struct span f0, struct err *err);
void frame_encode(struct buf *out, const struct frame *f); /* CHECKs that F0 fits F0_MAX */
/* The number that a NACK names: seq, next_no or look_no, else 0. */
uint64_t frame_ref(const struct frame *f);
const char *frame_kind_name(enum msg_kind kind); /* "HELLO"; "?" when unknown */

#endif
