/* work.h - getting, keeping and giving back cases: NEXT, TAKE, RENEW, GIVEBACK (PROTOCOL.md 5, 6).
 *
 * work.c serves NEXT and what NEXT and TAKE have in common, take.c TAKE, lease.c the rest. */
#ifndef BROKER_WORK_H
#define BROKER_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/answers.h"
#include "broker/reply.h"
#include "broker/roster.h"
#include "broker/session.h"
#include "proto/frame.h"
#include "proto/lists.h"

struct broker;
struct waiter;

/* after_seq: served only if this record of the outbox is in by then; 0: unconditional. */
void work_next(struct broker *b, struct session *s, const struct msg_next *m, uint64_t after_seq);
void work_take(struct broker *b, struct session *s, const struct msg_take *m, struct span f1);
void work_renew(struct broker *b, struct session *s, const struct msg_renew *m);
void work_giveback(struct broker *b, struct session *s, const struct msg_lost *m);

/* For waiters_create; arg is the broker. */
void work_wake(void *arg, const struct waiter *w);
bool work_is_alive(void *arg, uint64_t session);

/* ---- shared by the files of this header, and by look.c ---- */

/* A NEXT or TAKE on its way to the store. */
struct work {
	struct request rq;
	uint8_t ob[16];
	name_t person;
	uint64_t next_no;
	bool is_next, is_waiter;
};
struct work *work_create(
    struct broker *b, struct session *s, enum msg_kind kind, const char *person, uint64_t next_no);
void work_done(void *arg, const struct reply *r); /* completion of `grant` and `take`; frees */
void work_none(struct broker *b, struct session *s, const char *person, uint64_t next_no,
    const char *reason, uint64_t retry_ms, const char *who);
/* The person, if it may act from here now; else NACKs and is NULL. */
const struct person *work_person(
    struct broker *b, struct session *s, const char *name, enum msg_kind kind, uint64_t ref);
/* One newest record as the store keeps it; false when there is none. */
bool work_last(struct last_record *ret, struct span s);
/* Reads `k, last … (k)` from field count_at on; returns how many were read. */
uint32_t work_last_records(
    struct last_record ret[LAST_MAX], const struct reply *r, size_t count_at);
/* The keyed index of a number's digits. false: these are no digits, or the key is not known. */
bool work_number_index(struct broker *b, struct span digits, uint8_t ret[8]);

#endif
