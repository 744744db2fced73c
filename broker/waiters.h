/* waiters.h - NEXTs that found nothing and wait (PROTOCOL.md 5.1). Pure: no clock, no I/O.
 *
 * One waiter per (outbox, person). A case that comes into a lane wakes the one waiter that has
 * waited longest for that lane; a due time that passes wakes those who were told of it, a few at
 * a time. A woken waiter is ASKED until waiters_answered or waiters_drop, and is not woken twice
 * meanwhile. */
#ifndef BROKER_WAITERS_H
#define BROKER_WAITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct waiter {
	uint64_t session;
	uint8_t ob[16];
	char person[33];
	uint64_t next_no;
};

/* Asks the store again for this waiter; the answer arrives later. Borrowed during the call. */
typedef void waiter_wake_fn(void *arg, const struct waiter *w);
/* Is the session there and heard of lately? Others are passed over. */
typedef bool waiter_alive_fn(void *arg, uint64_t session);

struct waiters;
struct waiters *waiters_create(waiter_wake_fn *wake, waiter_alive_fn *alive, void *arg);
void waiters_destroy(struct waiters *w); /* NULL-safe */

/* lanes: names separated by spaces. due: campaign ms at which something may be there, 0 unknown.
 * Replaces what waited for the same (ob, person); keeps its place in the line if next_no is the
 * same. */
void waiters_put(struct waiters *w, const struct waiter *who, struct span lanes, int64_t due);
void waiters_drop(struct waiters *w, const uint8_t ob[16], const char *person);
void waiters_drop_session(struct waiters *w, uint64_t session);
/* An ASKED waiter was served, or is waiting no longer: forget it. The store had a case: go
 * faster. */
void waiters_answered(struct waiters *w, const uint8_t ob[16], const char *person, bool granted);
/* An ASKED waiter got no answer: it waits again, and is asked again soon. */
void waiters_unanswered(struct waiters *w, const uint8_t ob[16], const char *person);
bool waiters_is_waiting(
    const struct waiters *w, const uint8_t ob[16], const char *person, uint64_t next_no);

/* A case came into a lane, due then. */
void waiters_case_came(struct waiters *w, struct span lane, int64_t due, int64_t now);
void waiters_person(struct waiters *w, const char *person); /* this person's offer changed */
void waiters_all(struct waiters *w);                        /* the gate opened, a link came back */
/* Wakes what is due. Call when waiters_next_due is reached and after each answer. */
void waiters_tick(struct waiters *w, int64_t now);
int64_t waiters_next_due(const struct waiters *w); /* campaign ms; INT64_MAX: nothing to wait for */
size_t waiters_count(const struct waiters *w);

#endif
