/* writer.h - the recorder's connection to PostgreSQL: the lock, the book, one transaction a batch.
 *
 * Blocking. The advisory lock lies on the very connection that writes, so whoever lost the connection
 * cannot write any more. After any -1 the connection is only good for writer_close. */
#ifndef RECORDER_WRITER_H
#define RECORDER_WRITER_H

#include <stdbool.h>

#include "base/err.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/book.h"

struct writer;

int writer_open(struct writer **ret, const char *conninfo, const char *campaign, struct err *err);
void writer_close(struct writer *w); /* NULL-safe */

/* Waits for the campaign's lock for about a second. 1 it is ours, 0 another recorder has it, -1. */
int writer_lock(struct writer *w, struct err *err);

/* A fresh book; the caller destroys it. ERR_NOT_FOUND: PostgreSQL does not know the campaign.
 * ret_catch_up: hfctl recover postgres allows to go on behind Redis' marks. */
int writer_load(struct writer *w, struct book **ret, bool *ret_catch_up, struct err *err);
/* The incarnation noted for an epoch. 1, 0 when there is no such row, -1. */
int writer_epoch(struct writer *w, uint64_t epoch, uint8_t ret_incarnation[16], struct err *err);
int writer_caught_up(struct writer *w, struct err *err);

/* How much is assumed of the rows. */
enum writer_care {
	WRITER_FAST,    /* COPY: every row is new */
	WRITER_CAREFUL, /* one INSERT a row, passing over what is there */
};
/* Everything of the batch and the cursor, or nothing. On success the book says so too, and rows that
 * contradict the ledger are marked `equivocal`. ERR_STALE: somebody else wrote; ERR_INVALID,
 * ERR_EXISTS: PostgreSQL refuses a row; ERR_GONE: the outcome is unknown. */
int writer_commit(struct writer *w, struct batch *b, enum writer_care care, struct err *err);
/* After it failed: is it what the batch holds that PostgreSQL refuses, and not the server's state? */
/* A batch that is not worth a transaction of its own: its entries are kept for log_tail until the next commit. */
void writer_pend(struct writer *w, const struct batch *b);
/* ERR_GONE when the server went away, which an idle recorder would not notice. */
int writer_alive(struct writer *w, struct err *err);
/* Entries up to both are needed no more by a new queue store. router: its cursor, as it was when the log's end
 * was one that is committed by now. */
int writer_forget(struct writer *w, struct log_id archived, struct log_id router, struct err *err);
bool writer_refused(const struct writer *w, const struct err *err);

#endif
