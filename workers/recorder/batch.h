/* batch.h - what one stretch of the log means for the ledger. Pure: no I/O, no clock.
 *
 *	batch_create(book); batch_add(…) per entry in order; batch_close(); write it; batch_destroy()
 *
 * All spans are borrowed from the entries given, which must outlive the batch. */
#ifndef RECORDER_BATCH_H
#define RECORDER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "proto/call.h"
#include "proto/frame.h"
#include "proto/record.h"
#include "workers/recorder/book.h"

#define BATCH_MAX 1000

/* An entry as it lies in the log. */
struct raw_entry {
	struct span id;
	const struct span *pair; /* name, value, … */
	size_t n;                /* spans in pair */
};

/* What is wrong with a record (ledger.flaw). */
#define FLAW_TABLE(X)                                                                              \
	X(FLAW_NONE, NULL)                                                                         \
	X(FLAW_FRAME, "frame")   /* F0 is no RECORD, or another one than the log says */           \
	X(FLAW_HEADER, "header") /* the header does not decode */                                  \
	X(FLAW_CHAIN, "chain")   /* hashes do not fit, or it does not hang on the one before */    \
	X(FLAW_AGENT, "agent")   /* nobody knows the agent's key */                                \
	X(FLAW_SIGNATURE, "signature") /* the agent did not sign this */                           \
	X(FLAW_DATABASE, "database")   /* PostgreSQL refused the row as it was */                  \
	X(FLAW_ENTRY, "entry")         /* not a record: a log entry of no known shape */

enum flaw {
#define FLAW_ENUM(id, text) id,
	FLAW_TABLE(FLAW_ENUM)
#undef FLAW_ENUM
};
const char *flaw_text(enum flaw flaw); /* NULL for FLAW_NONE */

struct row { /* a record */
	const struct raw_entry *raw;
	struct log_entry e;
	struct box *box;
	uint64_t seq;
	unsigned verdict;
	char why[50]; /* "" for none */
	name_t person;
	uint64_t kind;
	struct msg_record rec; /* zeros when the flaw is FRAME */
	enum flaw flaw;
	bool again;     /* its seq was recorded before */
	bool equivocal; /* … with another hash, recorded_h; the writer finds out */
	uint8_t recorded_h[32];
	bool dropped; /* no row of the ledger: it lies in quarantine only */
	bool linked;  /* hangs on the row before it of the same outbox */
	size_t prev;  /* that row's index, if linked and in this batch; else SIZE_MAX */
};

struct
    odd { /* an entry that is not understood, or of which PostgreSQL refuses what follows from it */
	const struct raw_entry *raw;
	struct log_id at;
	enum flaw flaw;
};

struct case_change {
	uint8_t case_id[16];
	struct log_id at;
	int64_t now, created_at;
	bool created;
	struct case_state state; /* the newest; its blob is not used */
	bool has_blob, has_task;
	struct span blob, task;
};

struct lease_change {
	uint8_t case_id[16];
	uint64_t token;
	name_t person;
	uint8_t ob[16];
	bool granted, pulled, ended;
	char from_lane[80], how[64];
	uint64_t granted_opseq, ended_opseq;
	int64_t granted_at, ended_at;
};

struct agent_change {
	uint8_t agent[16], curve_pk[32], sign_pk[32];
	bool active;
	struct log_id at;
};

struct person_change {
	name_t person, team; /* team "" for none */
	uint64_t roles;
	bool qualified, active, has_pk;
	uint8_t pk[32];
	struct log_id at;
};

struct epoch_change {
	uint64_t epoch;
	uint8_t incarnation[16];
	char why[65];
	int64_t wall;
};

/* One value a campaign that a new queue store must have again. */
struct kept_change {
	char what[16];
	struct span value, said;
	struct log_id at;
};

struct index_change {
	uint8_t case_id[16];
	struct span indexes; /* 8 bytes each */
};

struct batch {
	struct book *book; /* borrowed, changed by batch_add */
	size_t entries;
	const struct raw_entry **all; /* entries, owned array */
	struct log_id *all_at;        /* owned */
	struct kept_change *kept;     /* owned */
	size_t n_kept;
	struct index_change *indexes; /* owned */
	size_t n_indexes;
	const struct raw_entry *newest; /* entry */
	struct row *row;                /* owned */
	size_t rows;
	struct odd *odd; /* owned */
	size_t odds;
	struct case_change *cases; /* owned */
	size_t n_cases;
	struct lease_change *leases; /* owned */
	size_t n_leases;
	struct agent_change *agents; /* owned */
	size_t n_agents;
	struct person_change *persons; /* owned */
	size_t n_persons;
	struct epoch_change *epochs; /* owned */
	size_t n_epochs;
	struct box *touched;  /* first of the outboxes that changed */
	struct map *case_at;  /* case -> index + 1 */
	struct map *lease_at; /* case, token -> index + 1 */
	bool worth;           /* something but marks: must be written now */
};

/* Room for max entries. */
struct batch *batch_create(struct book *book, size_t max);
void batch_destroy(struct batch *b); /* NULL-safe; clears the `touched` of the book's boxes */

/* -1 ERR_STALE: entries are missing between the cursor, or an outbox's newest record, and this one. */
int batch_add(struct batch *b, const struct raw_entry *raw, struct err *err);
/* Checks the signatures, once for each unbroken stretch of an outbox. */
void batch_close(struct batch *b);
/* What is left out of a single entry that PostgreSQL refuses: any of these together. The entry as it
 * came goes to quarantine with FLAW_DATABASE, its outbox and the cursor go on. */
enum batch_drop {
	DROP_STATE = 1,  /* the case's state, the lease, agent, person, epoch */
	DROP_FIELDS = 2, /* the record's open fields */
	DROP_RECORD = 4, /* the record's row */
};
void batch_strip(struct batch *b, unsigned drop);

/* "length:bytes" of every name and value in turn. */
void raw_entry_text(struct buf *out, const struct raw_entry *raw);

#endif
