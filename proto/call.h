/* call.h - one batched call of the queue's Functions, and what comes back (ARCHITECTURE.md 3).
 *
 * Pure: builds the argv of an FCALL and reads state texts and log entries; sending is the
 * caller's. */
#ifndef PROTO_CALL_H
#define PROTO_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/lists.h"

/* Arguments are copied; the argv of spans stays valid until the next add or call_done. call_begin
 * initialises, so that each one needs its call_done. */
struct call {
	struct buf bytes;
	size_t *at; /* offsets, n + 1 */
	struct span *argv;
	size_t n, cap, argv_cap;
	size_t entries;
	size_t entry_argc_at; /* index of the open entry's argc, 0 none */
	char key[64];
};

/* function: "hf1_broker" … */
void call_begin(struct call *c, const char *function, const char *campaign, int64_t now,
    int64_t wall, uint64_t epoch);
/* As call_begin, in the memory of a call before: c was zeroed or begun once. */
void call_again(struct call *c, const char *function, const char *campaign, int64_t now,
    int64_t wall, uint64_t epoch);
void call_entry(struct call *c, const char *name); /* opens an entry; its argc is set by itself */
void call_bytes(struct call *c, const void *data, size_t len);
void call_span(struct call *c, struct span s);
void call_str(struct call *c, const char *s);
void call_u(struct call *c, uint64_t v);
void call_token(struct call *c, uint64_t token); /* hex16 */
const struct span *call_argv(struct call *c, size_t *ret_argc);
void call_done(struct call *c);

/* Keys: "hf:{campaign}:" + suffix. Returns out. */
char *call_key(char *out, size_t size, const char *campaign, const char *suffix);

struct case_state {
	uint64_t version;
	name_t owner, hand; /* "" for none */
	char lane[80];
	int64_t due;
	uint64_t token, rseq, given;
	bool held, pulled, triage_after, acted, moved;
	char ob[33];                /* hex or "" */
	char ended;                 /* how the newest lease ended: 'x', 'g', 'd'; 0: it has not */
	uint64_t law_epoch, law_no; /* law_at */
	word_t why;                 /* reason of the last placement */
	struct span blob;           /* borrowed */
};
/* ERR_CORRUPT when it does not read; *ret is then untouched. Here and below. */
int case_state_decode(struct case_state *ret, struct span text, struct err *err);

struct log_entry {
	uint64_t epoch, no; /* stream id */
	char type[16];
	uint64_t opseq;
	int64_t now, wall;
	bool has_case;
	uint8_t case_id[16];
	struct span state, detail, f0, f1, blob, task, indexes; /* borrowed, empty when absent */
};
/* id and flat field/value pairs as they come from XRANGE, n spans in all. Unknown fields are
 * passed over. */
int log_entry_decode(
    struct log_entry *ret, struct span id, const struct span *pairs, size_t n, struct err *err);
bool token_parse(uint64_t *ret, struct span hex16);
/* One entry of `last:<case>`, as `grant` and `case` reply it too. Borrowed. */
int last_entry_decode(struct last_record *ret, struct span entry, struct err *err);

#endif
