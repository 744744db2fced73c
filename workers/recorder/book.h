/* book.h - what the recorder knows between two commits: how far it read, the outboxes, the agents.
 *
 * Loaded from PostgreSQL when a connection begins, changed while a batch is read, and thrown away
 * after any failure: what PostgreSQL says then is the truth. Plain memory, no I/O. */
#ifndef RECORDER_BOOK_H
#define RECORDER_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "proto/frame.h"

/* An entry's place in the log. */
struct log_id {
	uint64_t epoch, no;
};
int log_id_cmp(struct log_id a, struct log_id b);        /* -1, 0, 1 */
bool log_id_parse(struct span text, struct log_id *ret); /* "<epoch>-<no>" */

/* An outbox. h is 32 zero bytes before the first record, and when the newest record could not be read
 * (then the next one is believed as to where it hangs). */
struct box {
	uint8_t ob[16], agent[16];
	bool has_agent;
	uint64_t upto;
	uint8_t h[32];
	uint64_t settled, released; /* marks that the log told */
	bool frozen;
	/* as PostgreSQL has it */
	bool saved;
	uint64_t saved_upto;
	uint8_t saved_h[32];
	/* changed by the open batch */
	bool touched;
	struct box *next_touched;
	size_t rows, first_row, last_row; /* of the batch; valid while rows > 0 */
};

struct agent_key {
	uint8_t sign_pk[32];
};

struct book {
	name_t campaign;
	uint8_t incarnation[16]; /* of the ledger */
	struct log_id cursor;    /* read up to here */
	struct log_id saved;     /* committed up to here */
	bool has_cursor;         /* PostgreSQL has a row */
	uint64_t opseq;
	int64_t now; /* campaign ms of the newest entry */
	uint64_t ledger_no, saved_ledger_no;
	struct map *boxes;  /* ob -> struct box, owned */
	struct map *agents; /* agent -> struct agent_key, owned */
};

struct book *book_create(const char *campaign);
void book_destroy(struct book *b);                          /* NULL-safe */
struct box *book_box(struct book *b, const uint8_t ob[16]); /* made when missing */
void book_agent(struct book *b, const uint8_t agent[16], const uint8_t sign_pk[32]);
const struct agent_key *book_agent_find(const struct book *b, const uint8_t agent[16]);
bool box_h_known(const struct box *b);

#endif
