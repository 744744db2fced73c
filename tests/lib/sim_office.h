/* sim_office.h - inside of the simulated people: what an agent and its person are made of. */
#ifndef TESTS_SIM_OFFICE_H
#define TESTS_SIM_OFFICE_H

#include "proto/record.h"
#include "tests/lib/sim.h"

struct sim_record {
	struct buf f0, f1, header;
	uint8_t prev[32], h[32], case_id[16];
	enum record_kind kind;
	uint32_t flags;
	const char *why;
	uint64_t token;
	bool has_case;
};

struct sim_person {
	name_t name, team;
	uint32_t roles;
	bool works, is_lazy, is_liar;
	uint8_t ob[16], zero[32];
	char agent[33];
	/* survives a crash: outbox, hold, next_no */
	struct sim_record *records;
	size_t n_records;
	uint64_t accepted, released, next_no;
	bool has_hold, is_last_try;
	uint64_t hold, token, rseq;
	int64_t hold_until, call_ends, away_until;
	/* does not */
	bool is_asking, is_known;
	uint64_t life, wakes;
	int dry; /* answers without work, one after the other */
};

enum sim_ask { ASK_NEXT, ASK_RECORD, ASK_RENEW, ASK_GIVE, ASK_HELLO };

struct sim_message {
	struct sim_person *from;
	enum sim_ask ask;
	uint64_t n, token, no; /* next_no, seq, or the case */
	int64_t sent_at;
	uint64_t life;
	struct fv reply; /* its entry of the answer */
	bool is_reply_lost;
};

/* sim_broker.c */
void sim_ask(struct sim_person *p, enum sim_ask what, uint64_t n, uint64_t token, uint64_t no);

/* sim_people.c */
void sim_take_reply(struct sim_message *m);
void sim_say(struct sim_person *p, struct record_header *h); /* into the outbox */
void sim_say_rows(struct sim_person *p, struct record_header *h, struct span rows); /* … sealed */
void sim_wake_soon(struct sim_person *p);
void sim_give_back(struct sim_person *p);

/* sim_office.c */
bool sim_call_result(struct sim_person *p); /* true: another try follows under the same lease */
bool sim_day_off(struct sim_person *p);     /* true: does something else now, and is woken later */
void sim_office_make(struct sim_person *data, struct sim_person *head, struct sim_person *sup);
void sim_rule(struct sim_person *p, bool has_case, uint64_t i, const char *verdict);
void sim_open_pass(int n, bool open);

/* sim_late.c: from the end of pass 3 on */
void sim_late_make(struct sim_person *data, struct sim_person *head);
void sim_late(void); /* the office's next step */
const char *sim_late_draw(const struct sim_person *p, const struct sim_case *c); /* of a call */

#endif
