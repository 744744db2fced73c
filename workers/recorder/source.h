/* source.h - the recorder's side of Redis: reads the log, says `mark`. Blocking. */
#ifndef RECORDER_SOURCE_H
#define RECORDER_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "workers/link/home.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/book.h"

struct source;

/* Connects and finds the campaign. ERR_NOT_FOUND: there is none yet. */
int source_open(struct source **ret, const struct home *h, name_t ret_campaign, struct err *err);
void source_close(struct source *s); /* NULL-safe */

struct source_meta {
	uint64_t epoch; /* 0: the campaign was not opened yet */
	uint8_t incarnation[16];
	uint64_t opseq, logno;
	uint64_t life_opseq, life_logno; /* as Redis was started the last time */
	char run_id[48];                 /* of this Redis */
	struct log_id recorded;          /* what a recorder said last; 0-0 never */
};
/* How far the router has folded the log, and the log's end, not earlier than that. */
int source_router(
    struct source *s, struct log_id *ret_cursor, struct log_id *ret_end, struct err *err);
/* This store is older than what is recorded of it: nothing more is granted. */
int source_halt(struct source *s, struct err *err);
/* An empty call: after it the life_… of this store are those of this Redis. */
int source_touch(struct source *s, struct err *err);
int source_meta(struct source *s, struct source_meta *ret, struct err *err);
/* An outbox as Redis has it; all zeros when unknown. */
int source_box(struct source *s, const uint8_t ob[16], uint64_t *ret_upto, uint64_t *ret_settled,
    struct err *err);
/* Adds the agents that the book does not know. */
int source_agents(struct source *s, struct book *book, struct err *err);

/* Up to max entries after `after`, waiting block_ms for the first. They are valid until the next call. */
int source_read(struct source *s, struct log_id after, size_t max, int block_ms,
    const struct raw_entry **ret, size_t *ret_n, struct err *err);

/* Marks: one receipt an outbox, signed; source_mark_send sends what was added, and `recorded`.
 * ERR_STALE: the queue store is not the one that the ledger was written from. */
void source_mark_begin(struct source *s, uint64_t epoch);
/* box->upto and h are on that level (LEVEL_SETTLED, LEVEL_RELEASED). */
void source_mark(struct source *s, unsigned level, const struct box *box,
    const uint8_t incarnation[16], const uint8_t sign_sk[64]);
int source_mark_send(struct source *s, struct log_id recorded, struct err *err);

/* Forgets the log before `upto`, but for the last `keep` entries before it. */
int source_trim(struct source *s, struct log_id upto, uint64_t keep, struct err *err);

/* Evidence in the queue store (ARCHITECTURE.md 3.4). Some of what is whole, at most 20. */
int source_files(struct source *s, uint8_t ret[20][32], size_t *ret_n, struct err *err);
/* The whole of one; ERR_NOT_FOUND: it is not whole. */
int source_file(struct source *s, const uint8_t hash[32], struct buf *out, struct err *err);
/* The archive has it; size 0: its bytes are wrong, it begins anew. */
int source_file_done(struct source *s, const uint8_t hash[32], uint64_t size, struct err *err);
/* Those that nobody has gone on with since that campaign time begin anew. */
int source_files_stale(struct source *s, int64_t before_ms, struct err *err);

#endif
