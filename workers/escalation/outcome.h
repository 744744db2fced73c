/* outcome.h - the outcomes that a record may name, and what is fixed about each (practice.md 6).
 *
 * The numbers lie in the case's memory (state.h): they are never given to another code. What a
 * college may change about an outcome (delays, next step, evidence) is in the policy file. */
#ifndef ESCALATION_OUTCOME_H
#define ESCALATION_OUTCOME_H

#include <stddef.h>

/* number, name, code, family, series (see below) */
#define OUTCOME_TABLE(X)                                                                           \
	X(1, CONFIRMED, "confirmed", TALK, TALK)                                                   \
	X(2, CONSIDERING, "considering", TALK, TALK)                                               \
	X(3, WILL_NOT_SAY, "will-not-say", TALK, TALK)                                             \
	X(4, WITHDRAW_ASKED, "withdraw-asked", TALK, TALK)                                         \
	X(5, NEEDS_HELP, "needs-help", TALK, TALK)                                                 \
	X(6, ASK_LEADER, "ask-leader", SIDE, NONE)                                                 \
	X(7, CALL_LATER, "call-later", AGAIN, SOFT)                                                \
	X(8, THIRD_PARTY, "third-party", FAIL, SHARED)                                             \
	X(9, NO_ANSWER, "no-answer", FAIL, SHARED)                                                 \
	X(10, BUSY, "busy", FAIL, SOFT)                                                            \
	X(11, REJECTED, "rejected", FAIL, SHARED)                                                  \
	X(12, DO_NOT_CALL, "do-not-call", STOP, NONE)                                              \
	X(13, POWERED_OFF, "powered-off", FAIL, SHARED)                                            \
	X(14, SUSPENDED, "suspended", FAIL, SHARED)                                                \
	X(15, NO_SIGNAL, "no-signal", FAIL, SHARED)                                                \
	X(16, SCREENED, "screened", FAIL, SHARED)                                                  \
	X(17, EMPTY_NUMBER, "empty-number", FAIL, SHARED)                                          \
	X(18, WRONG_NUMBER, "wrong-number", FAIL, SHARED)                                          \
	X(19, SCHOOL_CLOSED, "school-closed", FAIL, SOFT)                                          \
	X(20, SMS_SENT, "sms-sent", SIDE, SOFT)                                                    \
	X(21, IM_REQUESTED, "im-requested", SIDE, SOFT)                                            \
	X(22, IM_TALK, "im-talk", RESULT, NONE)                                                    \
	X(23, NUMBER_FOUND, "number-found", SIDE, NONE)                                            \
	X(24, RUNG_EMPTY, "rung-empty", SIDE, NONE)                                                \
	X(25, DATA_ERROR, "data-error", TALK, TALK)                                                \
	X(26, INCIDENT, "incident", ALARM, NONE)                                                   \
	X(27, PAPERS_RECEIVED, "papers-received", PAPER, NONE)                                     \
	X(28, PAPERS_INCOMPLETE, "papers-incomplete", PAPER, SOFT)                                 \
	X(29, WITHDRAW_CANCELLED, "withdraw-cancelled", TALK, TALK)                                \
	X(30, WITHDRAWN, "withdrawn", SIGNED, NONE)                                                \
	X(31, ADMITTED_UNCONFIRMED, "admitted-unconfirmed", RULED, NONE)                           \
	X(32, FOLLOWING, "following", TALK, TALK)                                                  \
	X(33, WAVERING, "wavering", TALK, TALK)                                                    \
	X(34, REGRET, "regret", TALK, TALK)                                                        \
	X(35, ON_THE_WAY, "on-the-way", TALK, TALK)                                                \
	X(36, LATE_ARRIVAL, "late-arrival", TALK, TALK)                                            \
	X(37, DEFERRED, "deferred", TALK, TALK)                                                    \
	X(38, NOT_COMING, "not-coming", TALK, TALK)                                                \
	X(39, PERSUADED, "persuaded", TALK, TALK)                                                  \
	X(40, REGISTERED, "registered", RULED, NONE)

enum outcome {
	OUT_NONE = 0,
#define OUTCOME_ENUM(no, name, code, family, series) OUT_##name = no,
	OUTCOME_TABLE(OUTCOME_ENUM)
#undef OUTCOME_ENUM
	    OUT_COUNT /* one more than the last */
};

/* What sort of news it is; with the case's place it selects what the law does (law_table.c). */
enum family {
	FAMILY_TALK,   /* somebody of the family spoke: the intention is known */
	FAMILY_AGAIN,  /* reached, but not now */
	FAMILY_FAIL,   /* tried, not reached */
	FAMILY_SIDE,   /* a step beside the calling: question, message, number, rung */
	FAMILY_RESULT, /* a chat that carries another outcome as its result */
	FAMILY_STOP,   /* asks not to be called */
	FAMILY_ALARM,  /* complaint or public incident */
	FAMILY_PAPER,  /* papers of a withdrawal came in */
	FAMILY_SIGNED, /* a signature under a withdrawal */
	FAMILY_RULED,  /* only by ruling or import, never by a call */
	FAMILY_COUNT
};

/* How repeats are counted. SHARED: every failed round of the case counts (no-answer, then off, is two
 * failures). SOFT: repeats of this very outcome. TALK: repeats of this outcome among the talks. */
enum series { SERIES_NONE, SERIES_SHARED, SERIES_SOFT, SERIES_TALK };

enum outcome outcome_by_code(const char *code, size_t len); /* OUT_NONE when unknown */
const char *outcome_code(enum outcome o);                   /* "" of OUT_NONE */
enum family outcome_family(enum outcome o);                 /* o is a row of the table: CHECKed */
enum series outcome_series(enum outcome o);

#endif
