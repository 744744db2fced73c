/* session.h - who said HELLO on which connection. Others keep a session's id, never its address. */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/wire.h"

/* Requests of one session waiting for the store at once: an agent's window of records, and for each
 * person that it serves a NEXT, a RENEW and a LOOK or two. */
#define SESSION_WAITING_MAX    128
#define SESSION_WAITING_PERSON 4
#define SESSION_SILENCE_US     (120 * 1000000LL) /* forgotten then; a SYNC comes every 30 s */
#define SESSION_LIVELY_US      (75 * 1000000LL)  /* not woken then: it may be gone */
#define ROUTING_ID_MAX         64

struct session_person {
	char name[33];
	uint64_t from, until;    /* wall ms */
	uint8_t sig[64], pk[32]; /* the ticket, and the person's key that it was held against */
	bool may_act;            /* the ticket was right and in time at HELLO */
	bool was_here; /* a right ticket, whatever its time: may appear in this outbox's records */
};

/* A person of whom a record speaks and who is not among those of HELLO: did they ever log in
 * here? */
struct session_other {
	char name[33];
	enum { OTHER_ASKED, OTHER_WAS_HERE, OTHER_NEVER } state;
};
#define SESSION_OTHERS 64

struct session {
	uint64_t id;
	uint8_t rid[ROUTING_ID_MAX];
	size_t rid_len;
	uint8_t curve_pk[32], agent[16], ob[16];
	uint8_t ob_sig[64]; /* the one that was verified */
	int64_t heard_us;   /* BOOTTIME of the last message */
	int waiting;        /* requests not answered yet */
	bool is_gone;       /* to be forgotten at the next tick */
	uint32_t n_persons;
	struct session_person *persons; /* owned */
	uint32_t n_others;
	struct session_other *others; /* owned, room for SESSION_OTHERS; NULL while there is none */
};

struct sessions;
struct sessions *sessions_create(void);
void sessions_destroy(struct sessions *s); /* NULL-safe */

/* Borrowed; valid until the loop's next turn. NULL when there is none (or it is gone). */
struct session *session_find(const struct sessions *s, uint64_t id);
struct session *session_by_rid(const struct sessions *s, struct span rid);
struct session *session_by_ob(const struct sessions *s, const uint8_t ob[16]); /* the newest */
/* The session of this connection: a new one if there is none, or if it was another agent's or
 * ob's. */
struct session *session_open(struct sessions *s, struct span rid, const uint8_t curve_pk[32],
    const uint8_t agent[16], const uint8_t ob[16]);
/* Finds nothing any more from now on; memory goes at sessions_sweep. */
void session_end(struct sessions *s, struct session *x);

void session_set_persons(struct session *x, const struct session_person *persons, uint32_t n);
struct session_person *session_person(struct session *x, const char *name);
struct session_other *session_other(struct session *x, const char *name);
/* NULL when there is no room for one more. */
struct session_other *session_add_other(struct session *x, const char *name);

/* Forgets those that are gone and those silent since before then; on_end is told each id. */
typedef void session_end_fn(void *arg, uint64_t id);
void sessions_sweep(
    struct sessions *s, int64_t silent_before_us, session_end_fn *on_end, void *arg);
/* f for each live session; it may session_end the one it was given. */
typedef void session_each_fn(void *arg, struct session *x);
void sessions_each(struct sessions *s, session_each_fn *f, void *arg);
size_t sessions_count(const struct sessions *s);

#endif
