/* state.h - the law's memory of one case, and the blob of at most LAW_BLOB_MAX bytes that holds it in
 * Redis and in the ledger's fold. No name, number or note is in it: numbers are keyed 64-bit ids.
 *
 * All instants are whole seconds (in ms), 0 for none, CALENDAR_NEVER for "only something that happens
 * ends this". Change struct law_case and you change the blob: raise LAW_BLOB_VERSION. */
#ifndef ESCALATION_STATE_H
#define ESCALATION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "workers/escalation/policy.h"

#define LAW_BLOB_MAX     200
#define LAW_BLOB_VERSION 1
#define LAW_NUMBERS      8
#define LAW_NAME_MAX     32

/* Where the law put the case last. Somebody may hold it meanwhile. */
enum place {
	PLACE_UNRELEASED,
	PLACE_POOL,
	PLACE_OWN,    /* with its owner, or with `hand` */
	PLACE_TEAM,   /* handed up to the leader */
	PLACE_STRIKE, /* a strike task; taken if `hand` is set */
	PLACE_PAPERS,
	PLACE_SUPERVISION,
	PLACE_PARKED, /* a record that the law cannot read: a person must look */
	PLACE_RESTING,
	PLACE_TERMINAL,
	PLACES
};

/* Classes of a person's own lanes, in the order of work. */
enum own_class {
	CLASS_PROMISE, /* a promised time has come, somebody rang in, or it is the same sitting */
	CLASS_ASKED,   /* promised for a time after the offered hours, because they asked for it */
	CLASS_FIRST,   /* reservations: never called yet */
	CLASS_RETRY,   /* pass 1 */
	CLASS_DUE,     /* passes 2 and 3, stages 3 and 4 */
	CLASSES
};

/* What is known of the applicant's intention (domain.md a.5). */
enum intent {
	STATE_NEW,
	STATE_IN_PROGRESS,
	STATE_CONFIRMED,
	STATE_CONSIDERING,
	STATE_WILL_NOT_SAY,
	STATE_UNREACHABLE,
	STATE_WITHDRAW_ASKED,
	STATE_WITHDRAWN,
	STATE_ADMITTED, /* ruled: admitted, not confirmed */
	STATE_WAVERING,
	STATE_REGRETS,
	STATE_DEFERRED,
	STATE_NOT_COMING,
	STATE_REGISTERED,
	STATES
};

/* What was told once and shall not be told again until the case moves. Bits. */
enum { WARNED_BOARD = 1, WARNED_TAKE = 2, WARNED_FIRST = 4, WARNED_LATE = 8 };

struct law_number {
	uint64_t id;
	enum number_state state;
	bool tried;           /* in the present round */
	bool wrong_elsewhere; /* 错号 in another case: a warning here */
};

struct law_case {
	uint8_t stage, pass; /* 1-4; 0 or 1-3: the case's own pass */
	enum place place;
	enum own_class cls;
	bool hot; /* past half of its deadline */
	enum intent state;
	enum outcome last;           /* newest effective outcome */
	enum outcome talk, soft;     /* newest of those series … */
	uint8_t talk_run, soft_run;  /* … and how often in a row */
	uint8_t fails;               /* failed rounds in a row */
	enum outcome round;          /* the failure that decides the present round */
	uint16_t attempts, contacts; /* since ever */
	uint32_t seconds;
	uint8_t stage_attempts, stage_contacts; /* in this stage */
	uint8_t parts_tried;                    /* dayparts with an attempt in this stage, bits */
	uint8_t part_fails[4];                  /* failures in a row by daypart, at most 15 */
	uint8_t n_numbers;
	struct law_number numbers[LAW_NUMBERS];
	int64_t due;         /* not before */
	int64_t promised_at; /* we promised to call then */
	int64_t decide_by;   /* they must answer by then */
	int64_t since;       /* when it came where it is */
	int64_t deadline;    /* of a hand-up, a question, papers, an incident */
	int64_t strike_by;   /* result of the strike task */
	int64_t pass_end;    /* of the case's own pass */
	int64_t rung_by;     /* the rung in work has until then */
	int64_t last_at;     /* newest attempt */
	enum then_kind then; /* what follows the deadline, or the rest */
	enum strike_kind then_strike;
	enum strike_kind strike;           /* the one open strike task; NONE: none */
	uint16_t rungs_done, rungs_waived; /* bits 0-11 */
	uint8_t rung;                      /* in work, 0 none */
	uint8_t warned;
	uint8_t give_ups;    /* given back without a record, in a row */
	bool asked;          /* a question to the leader is open */
	bool no_dial;        /* asked not to be called */
	bool spoke_self;     /* with the applicant in person */
	bool papers;         /* papers of a withdrawal came in */
	bool ticked;         /* the three points were told */
	bool bound;          /* has a first result */
	bool reserved;       /* for its reporter, until the first call */
	bool acted;          /* the strike team did something */
	bool special_master; /* wants the special-master's path: asked more often */
	bool rung_9;         /* the leader agreed to ask the household police station */
	bool lost_ruling;    /* ruled unconfirmed while unreachable */
	bool by_hand;        /* the gateway did not take a message: the owner's own phone does */
	bool incomplete;     /* no own number or no parent's that is of use, and no reason why */
	uint32_t signer;     /* who signed the withdrawal first, 0 nobody */
	enum place former;   /* registered: where it was, and what was known; else 0 */
	enum intent former_state;
	char hand[LAW_NAME_MAX + 1]; /* who works it instead of the owner, "" none */
};

void law_case_init(struct law_case *c);
/* Packs into out[LAW_BLOB_MAX]; returns the length. The case is one that the law made. */
size_t law_case_pack(uint8_t out[LAW_BLOB_MAX], const struct law_case *c);
/* Strict: -1 ERR_CORRUPT for any byte that law_case_pack would not have written so; *ret untouched. */
int law_case_unpack(struct law_case *ret, struct span blob, struct err *err);

const char *place_name(enum place p);
const char *intent_name(enum intent s);

#endif
