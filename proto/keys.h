/* keys.h - what is said on the key store's socket (endpoint `keys` of env.conf), one frame a message.
 *
 * DEALER (broker, router, hfctl) -> ROUTER (hf-recorder); a msgpack array as in PROTOCOL.md 2:
 *
 *	["load", campaign s, from u]             -> ["keys", next u, done u, rows]
 *	["add", campaign s, rows]                -> ["added", n u], after the fsync; n were new
 *	["shred", campaign s, case b16]          -> ["shredded"], after the fsync
 *	anything refused                         -> ["error", text s]
 *
 * rows = [[case b16, key b32], …], at most 1000; a shredded case has an empty key. `load` is repeated
 * with from = next until done = 1. From then on the asker is a follower: new rows come unasked as
 * further ["keys", …] in order. A push may be lost, and a restarted store has forgotten its followers,
 * so a follower asks again with its next every few seconds. A next below the from that was asked for
 * means another store (put back from a copy): begin again at 0. Adding the same key again is no error;
 * another key for a known case, or a key for a shredded one, is, and then nothing of that message was
 * added. Requests of one socket are answered in order. Pure: no I/O here. */
#ifndef PROTO_KEYS_H
#define PROTO_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/codec.h"
#include "proto/frame.h"

#define KEYS_ROWS_MAX 1000
#define KEYS_MSG_MAX  131072

/* Reserved references: 15 zero bytes and one of these. */
enum { KEYS_REF_CAMPAIGN = 0, KEYS_REF_INDEX = 1, KEYS_REF_RECEIPT = 2 };
void keys_reserved(uint8_t ret_case[16], uint8_t which);

enum keys_kind {
	KEYS_LOAD = 1,
	KEYS_ADD,
	KEYS_SHRED,
	KEYS_ROWS,
	KEYS_ADDED,
	KEYS_SHREDDED,
	KEYS_ERROR,
};

struct keys_row {
	uint8_t case_id[16];
	bool shredded;
	uint8_t key[32]; /* zeros when shredded */
};

struct keys_msg {
	enum keys_kind kind;
	name_t campaign;     /* LOAD, ADD, SHRED */
	uint64_t from;       /* LOAD */
	uint64_t next;       /* ROWS: the position after the last row */
	bool done;           /* ROWS */
	uint64_t n;          /* ADDED */
	uint8_t case_id[16]; /* SHRED */
	char text[256];      /* ERROR */
	uint32_t n_rows;     /* ROWS, ADD */
	struct dec rows;     /* borrowed bytes, for keys_row_next */
};

/* 0, or -1 ERR_INVALID; all rows have been looked at, so keys_row_next cannot meet a bad one. */
int keys_decode(struct keys_msg *ret, struct span frame, struct err *err);
/* The next row; false after n_rows of them. */
bool keys_row_next(struct keys_msg *m, struct keys_row *ret);

void keys_encode_load(struct buf *out, const char *campaign, uint64_t from);
void keys_encode_shred(struct buf *out, const char *campaign, const uint8_t case_id[16]);
void keys_encode_added(struct buf *out, uint64_t n);
void keys_encode_shredded(struct buf *out);
void keys_encode_error(struct buf *out, const char *text); /* cut to 255 bytes */
/* These two are followed by exactly n_rows (<= KEYS_ROWS_MAX) of keys_encode_row. */
void keys_encode_add(struct buf *out, const char *campaign, uint32_t n_rows);
void keys_encode_rows(struct buf *out, uint64_t next, bool done, uint32_t n_rows);
void keys_encode_row(struct buf *out, const struct keys_row *row);

#endif
