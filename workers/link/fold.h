/* fold.h - what the entries of an outbox add up to, without any I/O.
 *
 * Opening an outbox folds all entries of all segments; committing folds the entries just written.
 * What a caller sees is therefore always what a restart would see. */
#ifndef LINK_FOLD_H
#define LINK_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "proto/wire.h"
#include "workers/link/segment.h"

#define FOLD_IDS_KEPT  10000
#define FOLD_HOLDS_MAX LEASES_MAX
#define FOLD_UNKNOWN   255 /* verdict of a record that nobody answered yet */
#define FOLD_PROOF_MAX 128

enum { MARK_ACCEPTED, MARK_SETTLED, MARK_RELEASED, MARKS };

/* A record as it lies in a segment. */
struct fold_record {
	uint64_t segno;
	size_t at, len; /* of the entry's payload in the file */
	uint8_t h[32], id[16];
	uint8_t verdict;
};

/* A case in hand, with what is needed to go on after a restart. */
struct hold {
	uint8_t case_id[16], key[32];
	uint64_t token, version, due;
	char person[NAME_MAX_LEN + 1], why[256];
	bool pulled;
	struct buf ticket, task; /* task: sealed with key */
	bool ended;
	uint64_t end_seq; /* newest record when it ended; forgotten when that is released */
};

struct fold_mark {
	uint64_t upto;
	uint8_t h[32];
};

struct fold_id {
	uint8_t id[16];
	uint64_t seq, segno; /* segno: where it is written down last */
};

struct fold {
	bool opened; /* an ENTRY_OB was seen */
	uint8_t ob[16];
	char campaign[NAME_MAX_LEN + 1];
	uint64_t segno;
	uint64_t base_seq; /* records up to here are forgotten */
	uint8_t base_h[32];
	struct fold_record *rec; /* seq base_seq + 1 + i */
	size_t n_rec, cap_rec;
	struct fold_mark mark[MARKS];
	uint64_t epoch, opseq; /* highest seen */
	struct hold **holds;   /* owned, oldest first */
	size_t n_holds;
	struct map *next_no;       /* person -> owned uint64_t */
	struct map *ids;           /* id -> owned struct fold_id */
	struct fold_id **id_order; /* borrowed, by seq, from id_first on */
	size_t id_first, n_ids, cap_ids;
	bool has_key;
	uint8_t campaign_key[32];
};

void fold_init(struct fold *f);
void fold_done(struct fold *f);
/* -1 ERR_CORRUPT when the entry cannot stand here; then the fold is of no more use. segno: the file
 * that holds it. Hashes and numbers of records are checked. */
int fold_entry(struct fold *f, const struct entry *e, uint64_t segno, struct err *err);
/* After the last entry of an opening: brings the ids into order. */
void fold_settle(struct fold *f);

uint64_t fold_head(const struct fold *f);
/* The chain's hash at seq; false when it is not known (any more). */
bool fold_hash_at(const struct fold *f, uint64_t seq, uint8_t ret_h[32]);
struct fold_record *fold_record(const struct fold *f, uint64_t seq); /* NULL when not kept */
bool fold_find_id(const struct fold *f, const uint8_t id[16], uint64_t *ret_seq);
uint64_t fold_next_no(const struct fold *f, const char *person); /* 0 when never used */
struct hold *fold_hold(const struct fold *f, const uint8_t case_id[16], uint64_t token);
/* Forgets records up to seq: their file is gone. */
void fold_forget(struct fold *f, uint64_t seq);

/* Entries, as the outbox writes them. The list grows by one entry. */
void fold_put_ob(struct buf *entries, const struct fold *f, uint64_t segno);
void fold_put_hold(struct buf *entries, const struct hold *h);
void fold_put_hold_end(
    struct buf *entries, const uint8_t case_id[16], uint64_t token, uint64_t end_seq);
struct fold_stored {
	uint64_t seq;
	uint8_t h[32], id[16], sig[64];
	struct span header, body; /* borrowed */
};
void fold_put_record(struct buf *entries, const struct fold_stored *r);
int fold_get_record(struct fold_stored *ret, struct span payload, struct err *err);
struct fold_marking {
	unsigned which; /* MARK_* */
	uint64_t upto, verdict, epoch, opseq;
	uint8_t h[32];
	struct span proof; /* receipt or signature, kept as it came */
};
void fold_put_mark(struct buf *entries, const struct fold_marking *m);
void fold_put_next_no(struct buf *entries, const char *person, uint64_t next_no);
void fold_put_ids(struct buf *entries, const struct fold_id *const *ids, size_t n);
void fold_put_key(struct buf *entries, const uint8_t key[32]);
/* Everything a fresh segment needs so that older ones hold nothing but records and ids. */
void fold_put_snapshot(struct buf *entries, const struct fold *f, uint64_t segno);

void hold_destroy(struct hold *h); /* wipes the key; NULL-safe */

#endif
