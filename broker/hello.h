/* hello.h - HELLO and SYNC: who is there, and may act (PROTOCOL.md 4). */
#ifndef BROKER_HELLO_H
#define BROKER_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/front.h"
#include "broker/roster.h"
#include "broker/session.h"
#include "proto/lists.h"

struct broker;
struct incoming;

void hello_on(struct broker *b, const struct incoming *in, const struct frame *f);
void hello_sync(struct broker *b, struct session *s, const struct msg_sync *m);

/* One person's ticket. p NULL: not known. is_verified: this very signature was found right before.
 * Returns why the person may not act, "" if it may; *ret_right: the signature is right. Pure. */
struct login_facts {
	const char *campaign;
	const uint8_t *agent, *ob; /* 16 bytes each */
	int64_t wall_ms;
};
const char *login_check(const struct login *l, const struct person *p,
    const struct login_facts *facts, bool is_verified, bool *ret_right);

/* Whether a person of this session may act now. */
enum may_act {
	ACT_YES,
	ACT_HELLO,  /* the ticket ran out: NACK HELLO */
	ACT_REVOKED /* never logged in here, or no longer allowed */
};
enum may_act session_may_act(
    const struct broker *b, struct session *s, const char *name, const struct person **ret);

#endif
