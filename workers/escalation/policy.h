/* policy.h - what a college may set: hours, deadlines, the outcome table, the ladder, the readings of
 * Q1-Q21. Read from one text file (deploy/policy/README.md describes it); const afterwards. */
#ifndef ESCALATION_POLICY_H
#define ESCALATION_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "workers/escalation/outcome.h"
#include "workers/escalation/setting.h"
#include "workers/escalation/words.h"

#define POLICY_STEPS     6
#define POLICY_DAYS      400
#define POLICY_QUESTIONS 21
#define POLICY_FILE_MAX  60000 /* fits a record whole */
#define RUNG_COUNT       12
#define POLICY_TEMPLATES 2
#define TEMPLATE_MAX     480 /* bytes of a message's text */

/* A stretch of time. MINUTES run in calling time; DAYS are calling days at the same time of day;
 * WORKDAYS the same on working days; the rest has no n. */
enum step_kind {
	STEP_MINUTES,
	STEP_DAYS,
	STEP_WORKDAYS,
	STEP_NEXT_DAYPART,
	STEP_OTHER_DAYPART, /* one that was not tried yet, else the next */
	STEP_MORNING,       /* the beginning of the next calling day */
};
struct step {
	enum step_kind kind;
	int32_t n;
};

enum finality { FINAL_OPEN, FINAL_REST, FINAL_TERMINAL, FINAL_STOP };

/* Where the case goes at once. */
enum goes {
	GOES_OWN,    /* back to its owner, after the delays */
	GOES_LEADER, /* handed up; `deadline` says which */
	GOES_ASK,    /* the leader is asked, the case stays its owner's */
	GOES_DATA,   /* data group (lane papers) */
	GOES_SUPERVISION,
	GOES_REST,
	GOES_END,
	GOES_RESULT, /* as the outcome given beside it */
	GOES_RUNG,   /* on with the ladder */
};

/* What follows when the delays are used up, or when the leader stayed silent. */
enum then_kind {
	THEN_REPEAT, /* the last delay again */
	THEN_HAND_UP,
	THEN_RUNG,    /* rung n of the ladder */
	THEN_OUTCOME, /* as outcome n */
	THEN_STRIKE,
	THEN_DATA,
	THEN_REST,
	THEN_CLOSE_RUNG, /* rung n is done, on as no-answer */
};

enum strike_kind {
	STRIKE_NONE,
	STRIKE_LOST,
	STRIKE_DIFFICULT,
	STRIKE_REFUSES,
	STRIKE_REGRET,
	STRIKE_NOT_COMING,
	STRIKE_INCIDENT,
	STRIKE_KINDS
};

/* What becomes of the number that was dialled. */
enum number_state {
	NUMBER_NEW,
	NUMBER_GOOD,
	NUMBER_RELAY, /* leads to others who can pass a word on */
	NUMBER_SILENT,
	NUMBER_REFUSED,
	NUMBER_OFF,
	NUMBER_SUSPENDED,
	NUMBER_OFF_HOURS,
	NUMBER_BLOCKED, /* from here on nobody dials it */
	NUMBER_DEAD,
	NUMBER_WRONG,
	NUMBER_RETIRED,
	NUMBER_UNCHANGED, /* in the table only, never in a memory */
	NUMBER_STATES
};

enum counts { COUNTS_NO, COUNTS_YES, COUNTS_IF_TALK /* from talk.seconds on */ };

struct outcome_row {
	char label[32]; /* 中文, UTF-8 */
	enum finality final;
	enum goes goes;
	bool
	    papers; /* GOES_LEADER, GOES_DATA: the deadline of papers, not of a hand-up or an error */
	bool other_number; /* another number first, in the same sitting */
	bool their_time;   /* the time they named; without one the steps */
	int16_t date_at;   /* on the date they named, minutes of the day; -1 not */
	uint8_t n_steps;
	struct step steps[POLICY_STEPS]; /* before try 2, 3, … */
	enum then_kind then;
	int8_t then_n; /* rung or outcome */
	enum strike_kind strike;
	bool rest_next_pass, rest_follow_up, rest_ruling;
	int8_t rest_stage; /* 0 none */
	struct step rest_stage_step, rest_step;
	uint32_t hints;    /* bits of enum hint */
	uint32_t evidence; /* bits of enum evidence */
	bool attempt;
	enum counts contact;
	enum number_state number;
};

struct rung_row {
	char label[48];
	char who[32];
	struct step before_next;
	bool set;
};

struct day_row {
	int32_t day; /* days since 1970-01-01 */
	bool calling, working;
};
struct hours {
	int16_t from, until; /* minutes of the day, until exclusive */
};

struct policy {
	int32_t version;
	char date[11], author[64];
	struct hours offered, quiet, asked, office[3];
	uint8_t n_office;
	uint8_t calling_days, working_days; /* bit 0 Monday … bit 6 Sunday */
	struct hours dayparts[4];           /* a, b, c, d */
	uint16_t n_days;
	struct day_row days[POLICY_DAYS]; /* rising */
	struct step pass_length[4];       /* 1 to 3 */
	bool pass_calls_all[4];
	int64_t registration_from, registration_until, notice_sent; /* ms, 0 not known yet */
	struct step set_step[SETTING_COUNT];
	int32_t set_n[SETTING_COUNT];
	struct outcome_row outcomes[OUT_COUNT];
	struct rung_row rungs[RUNG_COUNT];
	char question[POLICY_QUESTIONS + 1][24];            /* by number, 1 … 21 */
	char templates[POLICY_TEMPLATES][TEMPLATE_MAX + 1]; /* sms, im; "" none */
};

/* Reads a whole policy file. On failure every problem stands in `problems`, one a line:
 * "FILE:LINE: what is wrong; how to mend it", and *ret is untouched. Caller frees with policy_free.
 * problems may be NULL. */
int policy_read(
    struct policy **ret, const char *file, struct span text, struct buf *problems, struct err *err);
int policy_load(struct policy **ret, const char *path, struct buf *problems, struct err *err);
void policy_free(struct policy *p);

struct step policy_step(const struct policy *p, enum setting s); /* CHECKs the setting's type */
int32_t policy_n(const struct policy *p, enum setting s);
bool policy_reads(const struct policy *p, int question, const char *word); /* Q1 to Q21 */
const struct outcome_row *policy_outcome(const struct policy *p, enum outcome o);
const char *strike_kind_name(enum strike_kind k); /* "lost" */
const char *number_state_name(enum number_state s);

#endif
