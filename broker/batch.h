/* batch.h - entries on their way to the store: one FCALL in flight.
 *
 * What is submitted while a call is in flight goes into the next one, at most BATCH_ENTRIES entries
 * and BATCH_BYTES bytes; the order of submission is the order of execution. Every op completes
 * exactly once: with its reply, UNSENT or UNKNOWN; never from inside op_submit. The module sends
 * nothing itself: `send` gets the argv and the caller tells batch_answered or batch_lost. */
#ifndef BROKER_BATCH_H
#define BROKER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/reply.h"

#define BATCH_ENTRIES 256
#define BATCH_BYTES   (4u << 20)
#define BATCH_WAITING (64u << 20) /* bytes waiting beyond which batch_is_full */

struct batch;
struct op;

/* argv is valid during the call only. */
typedef void batch_send_fn(void *arg, const struct span *argv, size_t argc);
struct batch *batch_create(const char *campaign, batch_send_fn *send, void *arg);
void batch_destroy(struct batch *b); /* NULL-safe; what is left completes UNKNOWN or UNSENT */

/* Called once; frees or keeps its arg as it likes. May submit further ops. */
typedef void op_fn(void *arg, const struct reply *r);
struct op *op_create(const char *name, op_fn *fn, void *arg); /* name: static string */
void op_bytes(struct op *o, const void *data, size_t len);
void op_span(struct op *o, struct span s);
void op_str(struct op *o, const char *s);
void op_u(struct op *o, uint64_t v);
void op_token(struct op *o, uint64_t token);
void op_submit(struct batch *b, struct op *o); /* takes o */
void op_discard(struct op *o);                 /* never submitted: completes nothing */

/* A closed batch sends nothing and completes what waits as UNSENT at the next flush. */
void batch_open(struct batch *b, uint64_t epoch);
void batch_close(struct batch *b);
void batch_flush(struct batch *b); /* once a turn */
/* go_on: the store is the one we know, what waits may go to it at once. */
void batch_answered(struct batch *b, const struct answer *a, bool go_on);
void batch_lost(struct batch *b); /* the call in flight, if any, has an unknown outcome */

bool batch_is_idle(const struct batch *b);
bool batch_is_full(const struct batch *b);

#endif
