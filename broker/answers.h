/* answers.h - what leaves the broker, and the thread between a request and its answer. */
#ifndef BROKER_ANSWERS_H
#define BROKER_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/reply.h"
#include "broker/session.h"
#include "proto/frame.h"

struct broker;

/* To a connection that may have no session. code, text: see PROTOCOL.md 11. */
struct nack {
	const char *code;
	enum msg_kind kind;
	uint64_t ref, expected;
	const char *text;
};
void answer_nack(struct broker *b, struct span rid, const struct nack *n);
void answer_to(struct broker *b, struct span rid, const struct frame *f, struct span f1);

/* To a session; s NULL (it left) sends nothing. A session whose connection is gone ends. */
void answer_send(struct broker *b, struct session *s, const struct frame *f, struct span f1);
void answer_nack_to(struct broker *b, struct session *s, const struct nack *n);
/* A RECEIPT as the recorder made it; nothing when empty. */
void answer_receipt(struct broker *b, struct session *s, struct span f0);
void answer_lost(struct broker *b, struct session *s, const uint8_t case_id[16], uint64_t token,
    const char *reason);

/* One request of a session that waits for the store. Kept inside the completion's own struct. */
struct request {
	struct broker *b; /* borrowed */
	uint64_t session; /* an id: the agent may leave */
	enum msg_kind kind;
	uint64_t ref;
	int64_t at_us;
};
void request_begin(
    struct request *r, struct broker *b, struct session *s, enum msg_kind kind, uint64_t ref);
/* Once, in the completion. NULL: the session left. */
struct session *request_end(const struct request *r);
/* Not OK and not NO: says what there is to say (RETRY, EPOCH, or nothing at all) and is true. */
bool request_failed(const struct request *r, struct session *s, const struct reply *reply);

#endif
