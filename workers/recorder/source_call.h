/* source_call.h - what the parts of source.h share: the connection, one call at a time. Private to them. */
#ifndef RECORDER_SOURCE_CALL_H
#define RECORDER_SOURCE_CALL_H

#include "base/rds.h"
#include "proto/call.h"
#include "workers/recorder/source.h"

struct source {
	struct rds_sync *redis;
	name_t campaign;
	const struct rds_reply *reply; /* owned: of the last source_read */
	struct raw_entry *entry;       /* owned */
	struct span *pair;             /* owned */
	struct call call;
	bool calling;
	size_t marks;
};

/* A reply that is not an error; the caller frees it. */
int source_ask(struct source *s, const struct span *argv, size_t argc, const struct rds_reply **ret,
    struct err *err);
uint64_t source_number(const struct rds_reply *r, size_t i); /* 0 when it is none */
int source_call_send(struct source *s, struct err *err);     /* the answer is not looked at */
void source_call_end(struct source *s);

#endif
