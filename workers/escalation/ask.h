/* ask.h - one question to Redis that an entry of the log waits for. */
#ifndef ESCALATION_ASK_H
#define ESCALATION_ASK_H

#include "base/rds.h"
#include "workers/escalation/router.h"

/* reply is borrowed. */
typedef void answer_fn(struct router *r, const struct rds_reply *reply);

/* r->is_asking until the answer is there; then fn, which may ask again. */
void ask_redis(struct router *r, const struct span *argv, size_t n, answer_fn *fn);
/* The pieces of an array, each with its length (be32) in front. */
void ask_pieces(struct buf *out, const struct rds_reply *reply);

#endif
