/* client.h - an agent at work: outbox, session and a socket inside one loop.
 *
 * Commands take effect at the end of the loop's turn: everything that was added is committed with one
 * fsync, on_commit is told how that went, and only then anything is sent or shown. A client serves
 * several persons. It lives as long as its loop runs: destroy it when the loop does not run again. */
#ifndef LINK_CLIENT_H
#define LINK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/zsock.h"
#include "workers/link/session.h"

typedef void client_event_fn(void *arg, const struct link_event *e);
/* err is NULL when everything added in this turn is stored; else nothing of it is. */
typedef void client_commit_fn(void *arg, const struct err *err);

struct client_opts {
	struct loop *loop;           /* borrowed */
	struct zctx *z;              /* borrowed */
	const struct identity *id;   /* borrowed */
	struct outbox *outbox;       /* borrowed */
	const char *brokers;         /* endpoints, separated by spaces; NULL: those of id */
	bool plain;                  /* without CURVE; for tests over ipc */
	client_event_fn *on_event;   /* may give commands; they belong to the next turn */
	client_commit_fn *on_commit; /* may be NULL */
	void *arg;
};

struct client;
int client_create(struct client **ret, const struct client_opts *o, struct err *err);
void client_destroy(struct client *c); /* NULL-safe */
void client_start(struct client *c);   /* after the first logins, so that one HELLO says them all */
struct session *client_session(struct client *c); /* for the questions of session.h */

int client_login(struct client *c, const struct person_key *k, uint64_t until_ms, struct err *err);
int client_next(struct client *c, const char *person, struct err *err);
int client_take(struct client *c, const char *person, const uint8_t *case_id, const char *digits,
    struct err *err);
int client_give(struct client *c, uint64_t token, const char *reason, struct err *err);
uint64_t client_look(struct client *c, const char *person, const char *what, uint64_t page,
    const uint8_t *case_id, const char *argument);

/* A photo or paper for a case that this agent has or had in hand: sealed, stored, on its way. A record names it by
 * ret_hash. ERR_NOT_FOUND: no such case here (key NULL); else as evidence_put. */
int client_evidence(struct client *c, const uint8_t case_id[16], const uint8_t *key,
    struct span plain, uint8_t ret_hash[32], struct err *err);

/* CLIENT_STAY: another try follows, the lease goes on (header's `again`). */
enum client_then { CLIENT_LEAVE, CLIENT_STAY, CLIENT_NEXT };
/* h: kind, person, token, case, expect, id, times, quality and fields; the rest is filled in. key may
 * be NULL: then the hold's, or the campaign's. 0 added; 1 the id was used before: *ret_seq is that
 * record's and nothing was added (`then` next is still done). -1 as records_add and outbox_add_record. */
int client_record(struct client *c, struct record_header *h, const struct body *body,
    const uint8_t *key, enum client_then then, uint64_t *ret_seq, struct err *err);
/* The newest hold of a case, ended ones included; token 0: any. NULL when there is none. */
const struct hold *client_hold(const struct client *c, const uint8_t case_id[16], uint64_t token);
/* Everything stored so far was accepted. */
bool client_is_done(const struct client *c);

#endif
