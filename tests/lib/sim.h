/* sim.h - a campaign in one thread from one seed: the real router (all of hf-router but its main.c) and the
 * real queue.lua, over the fake store, with simulated people, net, clock and crashes.
 *
 * The router's ways to the outside (store, clock, timers, log, disk) are replaced at link time (--wrap,
 * Makefile). After every call of the store the checks of sim_check.c look at what it appended. The same seed and
 * the same options give the same run. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/roster.h"
#include "broker/watch.h"
#include "proto/call.h"
#include "tests/lib/fake_redis.h"
#include "workers/escalation/router.h"

#define SIM_CAMPAIGN   "sim"
#define SIM_LEASE_US   120000000LL
#define SIM_GUARD_US   2120000LL
#define SIM_SECOND     1000000LL
#define SIM_MINUTE     60000000LL
#define SIM_TOUCHED    1024
#define SIM_AGENT      "abababababababababababababababab" /* the router's */
#define SIM_FIRST_LIFE "0123456789abcdef0123456789abcdef"

/* Faults of the simulation itself, one for each check: the check must see it. */
#define SIM_BREAKS(X)                                                                              \
	X(NONE, "none", "")                                                                        \
	X(PLACE, "place", "one_place")                                                             \
	X(HOLDER, "holder", "one_holder")                                                          \
	X(HOURS, "hours", "hours")                                                                 \
	X(END, "end", "none_after_end")                                                            \
	X(REST, "rest", "rest_until_date")                                                         \
	X(RUNG, "rung", "no_rung_skipped")                                                         \
	X(PROMISE, "promise", "promises")                                                          \
	X(STRIKE, "strike", "one_strike_task")                                                     \
	X(STRIKE_LOST, "strike-lost", "no_strike_task_lost")                                       \
	X(RULED, "ruled", "all_ruled")                                                             \
	X(LEADER, "leader", "through_leader")                                                      \
	X(ARRIVAL, "arrival", "arrivals")                                                          \
	X(RECORD, "record", "records_kept")                                                        \
	X(TOKEN, "token", "tokens_rise")                                                           \
	X(FOLD, "fold", "memory_is_the_log")                                                       \
	X(LAW_FIRST, "law-first", "law_first")                                                     \
	X(WITNESS, "witness", "loss_noticed")                                                      \
	X(RELEASE, "release", "released_kept")                                                     \
	X(DOUBT, "doubt", "known_first")                                                           \
	X(AWAITED, "awaited", "known_first")
enum sim_break {
#define SIM_BREAK_ENUM(id, name, check) BREAK_##id,
	SIM_BREAKS(SIM_BREAK_ENUM)
#undef SIM_BREAK_ENUM
	    BREAKS
};

struct sim_options {
	uint64_t seed, cases;
	enum sim_break fault;
	bool calm;      /* no losses and no crashes */
	bool to_pass_3; /* stage 2 alone */
	bool verbose;
	int64_t story;   /* this case's log is printed; -1 none */
	uint64_t losses; /* of Redis, at most */
	int64_t lag_ms;  /* of the router's store, each way, at most; 0 as the seed has it */
};

struct sim_job;
struct sim_message;
struct sim_person;
typedef void sim_fn(void *arg, uint64_t n);

/* What a broker has gathered for its next call. */
#define SIM_BATCH 64
struct sim_broker {
	struct sim_message *waits[SIM_BATCH];
	size_t n;
	uint64_t no; /* of the call */
};

/* A case as the log tells it, and what the checks remember of it. */
struct sim_case {
	struct case_state s; /* without blob */
	struct law_case law;
	bool known, has_law;
	struct sim_person *holder; /* who believes to hold it, for holder_until */
	int64_t holder_until;
	uint64_t holder_token;
	int64_t promise;    /* agreed with a caller: campaign ms; 0 none */
	int64_t promise_us; /* when a late one must have been seen at last */
	int promise_looks;  /* at a late one: the router must read up to promise_log first */
	uint64_t promise_log;
	bool is_ended; /* by a placement */
	bool strike_open;
	uint64_t attempts;
	uint64_t act_at,
	    strike_at; /* places in the log: the newest act, what the law knew when the task began */
	uint64_t told,
	    missing;     /* people's records that the log had; that a lost store took along */
	uint64_t law_at; /* up to where the law knew the log */
	uint64_t record_at, before_at; /* the newest record, and the one before it */
	bool is_touched;
	int reach, mind;     /* of the applicant, in % and as a kind */
	bool comes, in_file; /* to the registration; the arrivals file says so */
};

struct sim {
	struct sim_options o;
	uint64_t rng;
	int64_t now; /* us since boot */
	void *heap;
	size_t n_heap, cap_heap;
	uint64_t n_events, event_no;

	struct fake_redis *store;
	struct fake_queue *queue;
	uint64_t log_epoch, log_no; /* checked so far */
	uint64_t last_token;
	uint64_t touched[SIM_TOUCHED]; /* by the newest call */
	size_t n_touched;
	uint64_t act_on_all_at; /* the newest record without a case */
	struct roster *roster;
	struct watch *watch;

	/* the router's world */
	struct router *router;
	struct sim_job *jobs; /* on their way */
	bool is_connected, is_router_up;
	int64_t link_at[2]; /* order on a connection */
	int64_t lag_us;     /* of the router's store */
	int64_t tick_us;    /* it looks around without a reason: a beat, else idle */
	uint64_t router_life;
	int64_t router_down_at, router_up_at; /* us, newest outage */
	uint64_t n_router_crashes, n_link_losses;

	struct policy *policy;
	struct calendar calendar;
	struct sim_broker broker;
	int64_t gather_us; /* how long it gathers at most */
	struct sim_case *cases;
	struct sim_person *people;
	size_t n_people, n_callers;
	int loss, dup, crash; /* per mille */
	int step;             /* of the office's plan */
	int64_t pass_end;     /* campaign ms */
	int64_t not_before;   /* the next step */
	int pass, stage, waited;
	bool is_quiet; /* nobody takes work */
	bool is_closing, is_over;
	char policy_path[32]; /* the shipped one, with dates; in memory */
	int policy_fd;
	uint8_t campaign_key[32];

	/* the queue store's lives: sim_loss.c */
	bool is_store_up; /* the broker has it, and believes it */
	uint64_t epoch, seen_opseq, store_opseq, n_redis_losses, n_missing;
	char incarnation[33];
	int64_t recovered_at;

	uint64_t n_calls, n_grants, n_records, n_late, n_lost_msgs, n_dup_msgs, n_person_crashes,
	    n_expired, n_places, n_strikes, n_promises, n_registered, n_followed;
	uint64_t n_failed;
	char failed[32]; /* the first check that failed */
};
extern struct sim *sim; /* the one that runs: replaced functions have no other way to it */

uint64_t sim_rnd(uint64_t n);
bool sim_chance(int per_mille);
int64_t sim_ms(void); /* campaign time */
void sim_after(int64_t us, sim_fn *fn, void *arg, uint64_t n);
bool sim_next_event(void); /* false: none is left */
void sim_case_id(uint8_t out[16], uint64_t i);
bool sim_case_no(const uint8_t id[16], uint64_t *ret);

/* sim_store.c */
void sim_fcall(struct call *c, struct fv *ret); /* ends the call */
void sim_cmd(const struct span *argv, size_t argc, struct fv *ret);
struct span sim_text(const struct fv *entry, size_t i);
uint64_t sim_zcard(const char *suffix);
uint64_t sim_hget(const char *suffix, const char *field); /* 0: not there */
uint64_t sim_meta(const char *field);
bool sim_zhas(const char *suffix, const uint8_t *member, size_t len);

/* sim_router.c */
void sim_router_start(void);
void sim_router_crash(void *arg, uint64_t n);
void sim_router_stop(void);
void sim_router_wake(void); /* the log grew */
void sim_router_cut(void);  /* its connections go; it comes again */

/* sim_people.c */
void sim_people_make(void);
void sim_people_free(void);
void sim_people_come_back(void); /* the store has another epoch: each says HELLO, some late */
void sim_admit_agent(struct call *c, const char *agent);
void sim_admit_all(void);
const char *sim_person_name(const struct sim_person *p);
void sim_people_done(bool *ret_all_taken);

/* sim_check.c */
__attribute__((format(printf, 2, 3))) void sim_fail(const char *check, const char *fmt, ...);
void sim_check_log(void);
void sim_check_hold(struct sim_person *p, uint64_t i, uint64_t token, int64_t until);
void sim_check_hold_over(struct sim_person *p, uint64_t i, uint64_t token);
void sim_check_end(void);
void sim_check_closed(void); /* pass 3 is over */
void sim_check_sum(void);

bool sim_is_attempt(const struct record_header *h);

/* sim_run.c: 0 nothing was noticed */
void sim_load_queue(void);
void sim_name_campaign(void);
int sim_run(const struct sim_options *o, struct sim *ret_counts);
const char *sim_break_name(enum sim_break b);
const char *sim_break_check(enum sim_break b);

#endif
