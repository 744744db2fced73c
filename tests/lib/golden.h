/* golden.h - tests/golden/vectors.json: every frame and every hash, signature and seal of the
 * protocol, from fixed keys and nonces. The same bytes each time; a change of them is a change of
 * the protocol. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdint.h>

#include "base/buf.h"
#include "proto/lists.h"
#include "proto/record.h"

void golden_json(struct buf *out);

/* Calls fn for each vector as raw bytes: kind "frame", "lists", "header", "task" (tasks and
 * bodies); what a fuzzer starts from. */
typedef void golden_fn(void *arg, const char *kind, const char *name, struct span bytes);
void golden_each(golden_fn *fn, void *arg);

/* ---- between golden.c, which makes the vectors, and golden_json.c, which writes them ---- */

#define GOLDEN_CAMPAIGN "gd2026"
#define GOLDEN_PERSON   "wang"
#define GOLDEN_DIGITS   "19900001234"
#define GOLDEN_NO       "26110101000001"
#define GOLDEN_PIN      "2580"
#define GOLDEN_RECORDS  3

struct golden_pair {
	uint8_t seed[32], pk[32], sk[64];
};

struct golden_record {
	struct record_header header;
	struct msg_record m;
	struct buf header_bytes, plain, body;
	uint8_t nonce[24];
};

/* Who and what the vectors speak of. */
extern struct golden {
	struct golden_pair agent_sign, person, recorder;
	uint8_t curve_sk[32], curve_pk[32], agent[16], ob[16], case_id[16], incarnation[16];
	uint8_t case_key[32], campaign_key[32], index_key[32], receipt_key[32];
	struct golden_record records[GOLDEN_RECORDS];
	struct buf task_plain, task;
	uint8_t task_nonce[24];
} golden;

void golden_make(void);
void golden_done(void);
void golden_counted(uint8_t *out, size_t len, unsigned start); /* start, start + 1, … */
void golden_seal(struct buf *out, const uint8_t key[32], const uint8_t nonce[24], struct span plain,
    struct span ad);
void golden_sign(uint8_t sig[64], const struct golden_pair *p, const struct buf *b);
void golden_login(struct login *l);
void golden_receipt(struct msg_receipt *r);
/* One example of a kind, decoded and as it travels. */
void golden_example(struct frame *f, struct buf *f0, struct buf *f1, enum msg_kind kind);

#endif
