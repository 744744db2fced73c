/* load.h - what the load generator's two halves share: who an agent is, and what it says. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/frame.h"

/* Keys come from the agent's number alone, so that the harness can admit who will connect later.
 * The outbox is random: every run begins a new one. */
struct bench_agent {
	name_t person;
	uint8_t curve_pk[32], curve_sk[32];
	uint8_t sign_pk[32], sign_sk[64];
	uint8_t person_pk[32], person_sk[64];
	uint8_t id[16], ob[16], h[32];
	uint64_t seq, next_no;
	uint8_t boot[16];
	uint64_t record_no; /* makes the sender's id of each record another one */
};

void bench_agent_make(struct bench_agent *a, unsigned no);
void bench_agent_print(const struct bench_agent *a); /* id, curve_pk, sign_pk, person, its pk */

void bench_hello(struct buf *f0, struct buf *f1, const struct bench_agent *a, const char *campaign);
void bench_next(struct buf *f0, struct bench_agent *a);
/* The next record of the outbox, an ATTEMPT on the case of a GRANT; a right chain, a signature of
 * zeros or, with sign, a true one. with_next: a NEXT rides along. */
void bench_record(struct buf *f0, struct bench_agent *a, const uint8_t case_id[16], uint64_t token,
    struct span body, bool with_next, bool sign);

#endif
