/* outbox.h - the durable, numbered list of records of one agent (PROTOCOL.md 3, 7.1).
 *
 * What is added becomes true together, at the next outbox_commit: one write and one fdatasync for
 * all of it. A commit that fails has stored nothing, and everything added since the one before is
 * taken back. After a failed fdatasync the outbox refuses every change until the process is started
 * again, because nobody knows what is on the disk then. One process at a time has it open.
 *
 * An outbox that turns out to be damaged, cloned or put back from a copy is kept beside the new one
 * under another name; it is never repaired and never deleted here. */
#ifndef LINK_OUTBOX_H
#define LINK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "workers/link/fold.h"

struct outbox;

/* What happened while opening, for one line to the user. */
struct outbox_report {
	bool created;      /* a new outbox id was made */
	size_t cut;        /* bytes of a write that a power cut had torn */
	char kept_as[300]; /* the damaged one's new path, or "" */
	char why[256];     /* what was wrong with it */
};

/* dir: the agent's directory. ERR_BUSY: another process has it. ERR_INVALID: it belongs to another
 * campaign. Damage is not an error: see report. */
int outbox_open(struct outbox **ret, const char *dir, const char *campaign,
    struct outbox_report *report, struct err *err);
void outbox_close(struct outbox *o); /* tries to commit what is left; NULL-safe */
/* Keeps it as "outbox.<word>-<time>" and begins a new one in the same struct. On -1 it is read-only. */
int outbox_retire(
    struct outbox *o, const char *word, struct outbox_report *report, struct err *err);

const char *outbox_dir(const struct outbox *o);   /* the agent's directory */
const uint8_t *outbox_id(const struct outbox *o); /* 16 bytes */
/* Everything committed; valid until the next commit. */
const struct fold *outbox_state(const struct outbox *o);
/* Where the chain will go on: committed or not. */
uint64_t outbox_tip(const struct outbox *o, uint8_t ret_h[32]);
/* Was this id used, committed or not? */
bool outbox_find_id(const struct outbox *o, const uint8_t id[16], uint64_t *ret_seq);

/* seq, h, id, sig, header, body; seq and h follow the tip (CHECKed). ERR_BUSY: commit first. */
int outbox_add_record(struct outbox *o, const struct fold_stored *r, struct err *err);
void outbox_add_hold(struct outbox *o, const struct hold *h); /* copied */
void outbox_end_hold(struct outbox *o, const uint8_t case_id[16], uint64_t token);
void outbox_add_next_no(struct outbox *o, const char *person, uint64_t next_no);
/* Knowledge from the broker: true at once, written with the next commit. Ignored if known already
 * or if it does not fit the chain. */
void outbox_add_mark(struct outbox *o, const struct fold_marking *m);
void outbox_add_campaign_key(struct outbox *o, const uint8_t key[32]);

bool outbox_needs_commit(const struct outbox *o); /* something that must be durable was added */
bool outbox_has_news(const struct outbox *o);     /* something at all was added */
/* ERR_FULL no room; ERR_IO the disk failed. */
int outbox_commit(struct outbox *o, struct err *err);

/* Reads a committed record. store owns the bytes that ret borrows. ERR_NOT_FOUND: forgotten. */
int outbox_read(
    struct outbox *o, uint64_t seq, struct buf *store, struct fold_stored *ret, struct err *err);

#endif
