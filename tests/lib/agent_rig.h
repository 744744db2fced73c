/* agent_rig.h - a session without sockets: what it sends is collected, what it hears is written by hand,
 * and time is an argument. Each test has an outbox of its own and two persons, ann and bob. */
#ifndef TESTS_AGENT_RIG_H
#define TESTS_AGENT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "base/buf.h"
#include "workers/link/session.h"

#define S        1000000LL
#define LEASE_MS 60000

struct sent {
	struct frame f;
	struct buf f0, f1;
};
struct said {
	struct link_event e;
	char person[33], reason[64], text[256];
	uint64_t token;
};
struct agent_rig {
	char dir[64];
	struct identity id;
	uint8_t recorder_sk[64];
	struct person_key ann, bob;
	struct outbox *outbox;
	struct session *s;
	int64_t now;
	bool deaf; /* sends fail */
	size_t endpoint, connects;
	struct sent sent[256];
	size_t n_sent;
	struct said said[256];
	size_t n_said;
};
extern struct agent_rig t;
/* What the next WELCOME carries; ann and bob may act when it is empty, bob also when only ann is in it. */
extern struct welcome_lists lists;

void agent_forget_sent(void);
const struct frame *agent_sent(enum msg_kind kind);
size_t agent_count(enum msg_kind kind);
const struct said *agent_told(enum link_kind kind);
size_t agent_times_told(enum link_kind kind);
void agent_end_turn(void);
void agent_pass(int64_t us);
void agent_hear(const struct frame *f, const struct buf *f1);
void agent_welcome(uint64_t upto);
uint8_t *agent_case_no(uint8_t n);
void agent_grant(const char *person, uint64_t next_no, uint64_t token);
void agent_none(const char *person, uint64_t next_no, const char *reason);
void agent_renewed(uint64_t token, uint64_t rseq);
void agent_lost(uint64_t token, const char *reason);
void agent_nack(const char *code, enum msg_kind kind, uint64_t ref, uint64_t expected);
void agent_accept(uint64_t seq, uint64_t verdict);
void agent_receipt(uint64_t level, uint64_t upto, bool honest);
uint64_t agent_record(const char *person, uint64_t token, bool keep);
void agent_restart(void);
int agent_setup(void **state);
int agent_teardown(void **state);
void agent_hold_a_case(uint64_t token);

#endif
