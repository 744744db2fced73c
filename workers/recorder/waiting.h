/* waiting.h - records whose evidence is not in the archive yet: they, and what follows them in their outbox, are not
 * released. Blocking. */
#ifndef RECORDER_WAITING_H
#define RECORDER_WAITING_H

#include <stdbool.h>

#include "base/err.h"
#include "proto/frame.h"
#include "workers/recorder/book.h"

struct waiting;

/* dir: the installation's archive. What waited before is read from its file. */
int waiting_open(struct waiting **ret, const char *dir, const char *campaign, struct err *err);
void waiting_close(struct waiting *w); /* NULL-safe */

/* A record that goes into the archive. True: it is not to be called released now. */
bool waiting_note(struct waiting *w, const struct msg_record *r);
/* What was noted becomes durable: before anything behind it is called released. */
int waiting_save(struct waiting *w, struct err *err);
/* Outboxes of which more may be released now: ob, upto, h. Borrowed until the next call; NULL, 0: none. */
const struct box *waiting_settle(struct waiting *w, size_t *ret_n);

/* Is this file in the archive? */
bool waiting_is_here(const struct waiting *w, const uint8_t hash[32]);
/* Puts it there; ERR_CORRUPT: the bytes are not what the hash says. */
int waiting_keep(struct waiting *w, const uint8_t hash[32], struct span sealed, struct err *err);

#endif
