/* law.h - the law of the campaign: what a record does to a case's memory, and where the case goes next.
 *
 * Pure: no I/O, no clock, no memory of its own. The same calls give the same answers, so a case's
 * memory can be made anew by folding its records in order. All instants are ms of campaign time.
 *
 *	law_fold(&c, &ctx, act)             every record of the case, in order
 *	law_next(&c, &ctx, act, &placement) the newest one, or NULL: a timer fired, or "look again"
 *
 * law_next also writes the plan (where, when, deadlines) into the memory, so the caller packs the
 * case after it. A case that somebody holds is folded only (ctx.held). */
#ifndef ESCALATION_LAW_H
#define ESCALATION_LAW_H

#include "workers/escalation/calendar.h"
#include "workers/escalation/reason.h"
#include "workers/escalation/state.h"

#define LAW_LANE_MAX 64
#define LAW_TEXT_MAX 160

enum law_kind {
	LAW_TIMER,   /* a deadline was reached; also NULL */
	LAW_IMPORT,  /* the case begins: numbers[] */
	LAW_RELEASE, /* the data group puts it in the pool; reserved_for, order */
	LAW_ATTEMPT,
	LAW_NOTE,     /* moves nothing, but somebody who rang in wakes the case */
	LAW_NUMBER,   /* a number was found */
	LAW_PAPER,    /* outcome: papers-received, papers-incomplete, withdrawn (a signature) */
	LAW_HANDOVER, /* to, to_team, credit */
	LAW_STAGE,    /* stage n opened */
	LAW_PASS,     /* pass n opened, until */
	LAW_RULING, /* outcome: admitted-unconfirmed, not-coming, deferred; what: resume, strike */
	LAW_WAIVER, /* rung; agrees */
	LAW_REOPEN,
	LAW_ADOPT,      /* a late record's outcome shall move the case after all */
	LAW_CORRECTION, /* was: the outcome that is taken back; outcome: what it should be, or none */
	LAW_ARRIVAL,    /* from the arrivals file: registered */
	LAW_MESSAGE,    /* the gateway's answer for a rung; what: sent, or another word */
	LAW_GIVE_BACK,
	LAW_FREE,  /* a person freed a parked or doubtful case */
	LAW_OTHER, /* findings, disputes, reveals …: nothing for the law */
	LAW_KINDS
};

/* The checklist of a withdrawal (domain.md a.8), bits of `items`. */
enum {
	PAPER_APPLICATION = 1, /* province, year, name, 考生号, own will, date */
	PAPER_APPLICANT = 2,   /* signature and fingerprint */
	PAPER_PARENT = 4,      /* signature and fingerprint */
	PAPER_ID_CARD = 8,
	PAPER_EXAM_TICKET = 16,
	PAPER_ONE_PHOTO = 32, /* all of it in one photo */
	PAPER_ALL = 63,
};

/* One record as the law sees it. Text is borrowed and never NULL in use: "" for absent. */
struct law_act {
	enum law_kind kind;
	bool effective;      /* not LATE, not quarantined */
	const char *outcome; /* code, "" none; as it came, maybe unknown */
	const char *result;  /* im-talk: the outcome that the chat had */
	const char *was;     /* CORRECTION */
	const char *what;
	const char *person;
	bool strike_team; /* the person acts as strike team */
	bool signer;      /* the person may sign a withdrawal */
	bool leader;      /* the person leads a team, or deputises */
	int64_t at;       /* end of the call, else when it was said */
	bool inbound;
	uint64_t number; /* 0 none */
	uint32_t seconds;
	bool spoke_self;
	uint32_t ticks;    /* 7: all three points */
	int64_t next_at;   /* 0 none */
	bool they_call;    /* the time is theirs to call us; not believed */
	bool hand_up;      /* the caller hands it to the leader at once */
	int64_t decide_by; /* 0 none */
	int rung;          /* -1 none */
	bool agrees;       /* WAIVER: the rung is agreed to, not waived */
	int evidence;      /* files */
	uint32_t items;    /* PAPER: what of the checklist is there */
	int stage, pass;   /* STAGE, PASS: n */
	int64_t until;     /* PASS: its end, 0: by the default length */
	const char *to;    /* HANDOVER: person */
	const char *to_team;
	bool credit;         /* HANDOVER: the case itself, not only the work */
	bool special_master; /* IMPORT: the roster says so; ATTEMPT, NOTE: they said so */
	bool paid;           /* ATTEMPT, NOTE: said or seen */
	bool incomplete;     /* IMPORT: an own or a parent's number is missing without a reason */
	int n_numbers;       /* IMPORT */
	uint64_t numbers[LAW_NUMBERS];
};
void law_act_init(struct law_act *a, enum law_kind kind); /* effective, all texts "" */

/* What was done, bits of `items` of an ATTEMPT or NOTE; the law goes by two of them. */
enum { DONE_PAID = 1, DONE_SPECIAL_MASTER = 32 };

enum presence { PRESENT, ABSENT, GONE };
struct span_of_time {
	int64_t from, until;
};

/* What the law must know beside the case. Borrowed; texts never NULL. */
struct law_ctx {
	const struct policy *policy;
	const struct calendar *calendar;
	int64_t now;
	int stage, pass;                               /* of the campaign, now */
	int64_t stage_opened_at;                       /* 0 unknown; stage 3: the admission */
	int64_t pass_end;                              /* of the campaign's open pass, 0 none */
	int64_t registration_from, registration_until; /* 0 unknown */
	int64_t notice_sent_at;                        /* 0 not yet */
	bool special_master;                           /* their intention, not paid yet */
	bool held;                                     /* somebody works on it just now */
	const char *owner, *team;                      /* "" nobody yet; the owner's team */
	enum presence presence;                        /* of the owner, or of the hand */
	int64_t absent_since;
	const struct span_of_time *free; /* the owner's free hours, rising; n_free 0: always */
	int n_free;
	const char *reserved_for; /* RELEASE: the valid reporter, "" none */
	int64_t order;            /* RELEASE: place in the seeded order, 0 … */
};

/* Who is to be told. Bits. */
enum {
	ALERT_OWNER = 1,
	ALERT_LEADER = 2,
	ALERT_HEAD = 4, /* callback head */
	ALERT_SUPERVISION = 8,
	ALERT_DATA = 16,
	ALERT_STRIKE_HEAD = 32,
};

struct law_placement {
	char lane[LAW_LANE_MAX];
	int64_t due;      /* score of the lane; CALENDAR_NEVER: until something happens */
	int64_t timer_at; /* when the law wants to look again, 0 never */
	enum reason reason;
	char text[LAW_TEXT_MAX];      /* for `why`: no personal data */
	char owner[LAW_NAME_MAX + 1]; /* the owner from now on, "" nobody */
	char hand[LAW_NAME_MAX + 1];  /* who works it instead, "" nobody */
	uint32_t alerts, hints;
};

/* What the record does to the memory: counts, numbers, series. Records that are not effective only
 * count. Never fails: what cannot be read is left to law_next, which parks the case. */
void law_fold(struct law_case *c, const struct law_ctx *ctx, const struct law_act *act);
/* Where the case goes. act must have been folded. -1 ERR_INVALID only if the law has no rule for this
 * place and outcome: a defect, told loudly; the case is as it was. */
int law_next(struct law_case *c, const struct law_ctx *ctx, const struct law_act *act,
    struct law_placement *ret, struct err *err);

/* The calendar changed: dates that were reckoned by the old one are reckoned anew. law_next afterwards. */
void law_new_days(
    struct law_case *c, const struct calendar *was, const struct calendar *is, int64_t now);

/* A message of this rung (1 SMS, 2 WeChat) is due: the last call did not get through, or the rung is the task, and
 * nobody wrote yet. */
bool law_wants_message(const struct law_case *c, const struct policy *p, int rung);

/* Lost (practice.md 5): with the strike team as lost, its rungs done or waived, or ruled so and resting since. The one
 * figure that shall be zero. */
bool law_lost(const struct law_case *c);

/* Unreachable (practice.md 5): enough attempts in enough dayparts, or all numbers bad, and no contact in
 * this stage. */
bool law_unreachable(const struct law_case *c, const struct policy *p);

#endif
