/* session.h - an agent's talk with its brokers: what to send, what to believe, when to turn to another.
 *
 * It does no I/O but through its port and the outbox; every call brings the boot clock (us), the wall
 * clock is asked for login tickets alone. One session serves several persons over one outbox. A turn is: messages, commands and a
 * tick in any order, then a commit of the outbox, then session_committed, which sends. */
#ifndef LINK_SESSION_H
#define LINK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/frame.h"
#include "proto/lists.h"
#include "workers/link/evidence.h"
#include "workers/link/identity.h"
#include "workers/link/moves.h"
#include "workers/link/outbox.h"
#include "workers/link/records.h"

#define SESSION_WINDOW     64
#define SESSION_SILENCE_US 2000000

enum link_kind {
	LINK_ONLINE,
	LINK_OFFLINE,
	LINK_PERSON, /* may (seq 1) or may not (reason) act from here; verdict = roles, text = team */
	LINK_GRANTED,  /* lease */
	LINK_NONE,     /* person, reason, retry_ms, text = who, seq = 1 when it waits */
	LINK_LEASE,    /* lease, reason: expired, held, given-back, granted-on, moved, … */
	LINK_ACCEPTED, /* seq, verdict, reason */
	LINK_SETTLED,  /* seq = upto */
	LINK_RELEASED, /* seq = upto */
	LINK_EVIDENCE, /* f1 = hash of a file that is all there */
	LINK_SEEN,     /* seq = look_no, seen (NULL: no answer), f1 */
	LINK_REFUSED,  /* a request of this person came to nothing: reason, text */
	LINK_BLOCKED,  /* records cannot be sent any more: reason, text; an operator must look */
	LINK_CLONED,   /* the outbox is another's copy: session_retired after replacing it */
	LINK_REVOKED,  /* this agent may not act any more */
};

struct lease;
struct link_event {
	enum link_kind kind;
	const char *person, *reason, *text; /* never NULL; "" */
	const struct lease *lease;
	uint64_t seq, verdict, retry_ms;
	const struct msg_seen *seen;
	struct span f1;
};

/* A case in somebody's hands. Everything is borrowed by readers until the next call. */
struct lease {
	struct hold hold;
	enum lease_state state;
	uint64_t rseq;
	int64_t deadline_us; /* 0: none yet */
	int64_t renew_us;    /* when to RENEW next */
	int64_t asked_us;    /* first sending of the RENEW or GIVEBACK that is out; 0 none */
	int64_t sent_us;     /* its last sending */
	int tries;
	bool shown;      /* the user of this process was told of it */
	bool worked;     /* a record that keeps it was stored: leaving means giving back */
	bool ending;     /* a record that ends it was added in this turn */
	word_t reason;   /* of giving back */
	struct buf last; /* F1 of its GRANT, for the records shown with it */
};

struct session_port {
	void *arg;
	bool (*send)(void *arg, struct span f0, struct span f1); /* false: not now */
	void (*connect)(void *arg, size_t endpoint);             /* drop what is, connect there */
	/* May give commands but session_logout; questions see the state behind the event. */
	void (*event)(void *arg, const struct link_event *e);
	struct evidence *evidence; /* borrowed; NULL: none */
};

struct session;
struct session *session_create(const struct identity *id, struct outbox *outbox, size_t endpoints,
    const struct session_port *port);
void session_destroy(struct session *s); /* NULL-safe; wipes keys */

void session_start(struct session *s, int64_t now);
/* The outbox has been retired: everything in hand is forgotten, HELLO is said for the new one. */
void session_retired(struct session *s, int64_t now);
void session_message(struct session *s, struct span f0, struct span f1, int64_t now);
/* After each turn: whether the commit went well. Sends what is due. */
void session_committed(struct session *s, bool stored, int64_t now);
void session_tick(struct session *s, int64_t now);
/* When session_tick is wanted, boot us. */
int64_t session_due(const struct session *s);

/* k is copied. until_ms: no ticket beyond this wall time, 0 for renewing as long as the key is here. */
int session_login(
    struct session *s, const struct person_key *k, uint64_t until_ms, int64_t now, struct err *err);
void session_logout(struct session *s, const char *person);
/* ERR_BUSY: the one before is still out. ERR_DENIED: nobody of that name is logged in. */
int session_next(struct session *s, const char *person, struct err *err);
/* The NEXT rides on the record `seq`, added in this turn. */
int session_ride(struct session *s, const char *person, uint64_t seq, struct err *err);
/* case_id or digits (NULL: the other one). */
int session_take(struct session *s, const char *person, const uint8_t *case_id, const char *digits,
    struct err *err);
/* ERR_NOT_FOUND: not in hand. */
int session_give(struct session *s, uint64_t token, const char *reason, struct err *err);
/* A record on this token was added in this turn. keep: another try follows, the lease goes on. */
void session_recorded(struct session *s, uint64_t token, uint64_t seq, bool keep);
/* Returns look_no for the LINK_SEEN to come. */
uint64_t session_look(struct session *s, const char *person, const char *what, uint64_t page,
    const uint8_t *case_id, const char *argument, int64_t now);

bool session_is_up(const struct session *s);
uint64_t session_accepted(const struct session *s); /* all records up to here */
struct records_clock session_clock(const struct session *s);
/* Campaign time as far as known: the last one seen plus the time since. 0: never seen. */
int64_t session_campaign_ms(const struct session *s, int64_t now);
const struct lease *session_lease(
    const struct session *s, uint64_t token); /* NULL when not in hand */
/* Walks the leases; i from 0 until NULL. */
const struct lease *session_lease_at(const struct session *s, size_t i);

#endif
