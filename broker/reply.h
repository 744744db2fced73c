/* reply.h - what one FCALL of hf1_broker answered (ARCHITECTURE.md 3.3), entry by entry. Pure. */
#ifndef BROKER_REPLY_H
#define BROKER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The whole reply: fields of entry i are field[begin[i] .. begin[i + 1]), the word first. */
struct answer {
	uint64_t mode, epoch, opseq, logno;
	size_t n;
	struct span *field; /* owned array of borrowed bytes */
	size_t *begin;      /* owned, n + 1 */
	size_t fields, field_cap, begin_cap;
};

void answer_start(struct answer *a); /* empty again, memory kept; zeroed memory is a valid answer */
void answer_entry(struct answer *a); /* opens the next entry */
void answer_field(struct answer *a, struct span bytes);
void answer_done(struct answer *a);

enum outcome {
	DONE_OK,
	DONE_NO,     /* a refusal that is an answer */
	DONE_ERR,    /* the entry was not valid, nothing of it was done */
	DONE_UNSENT, /* it never left us: nothing was done */
	DONE_UNKNOWN, /* sent, and no reply: anything may have happened, so nobody is told anything */
};

/* One entry's reply, valid inside its completion only. */
struct reply {
	enum outcome outcome;
	uint64_t mode, epoch, opseq; /* 0 unless OK, NO or ERR */
	const struct span *field;    /* what follows the word */
	size_t n;
};

/* CHECKs i < a->n. A reply whose word is none of ok, no, err counts as UNKNOWN. */
struct reply reply_of(const struct answer *a, size_t i);

/* Field i: empty, 0 or false when it is absent or not of that kind. */
struct span reply_at(const struct reply *r, size_t i);
uint64_t reply_u(const struct reply *r, size_t i);
uint64_t reply_token(const struct reply *r, size_t i);                  /* hex16 */
bool reply_bytes(const struct reply *r, size_t i, void *out, size_t n); /* exactly n; else zeros */
void reply_text(const struct reply *r, size_t i, char *out, size_t size); /* cut to fit */
bool reply_is(const struct reply *r, size_t i, const char *text);

#endif
