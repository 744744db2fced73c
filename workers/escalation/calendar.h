/* calendar.h - calling time: when work is offered, and how delays run through it. Pure.
 *
 * All instants are ms since 1970 UTC, read in Asia/Shanghai (UTC+8, no summer time); lengths are ms of
 * calling time. An instant before 1970 or after 9999 counts as the nearest end of that range. Where no
 * open instant follows within 400 days, the answer is CALENDAR_NEVER. */
#ifndef ESCALATION_CALENDAR_H
#define ESCALATION_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/escalation/policy.h"

#define CALENDAR_NEVER 253402185600000LL /* 9999-12-31 00:00 UTC+8 */
#define MINUTE_MS      60000LL
#define HOUR_MS        3600000LL
#define DAY_MS         86400000LL

/* CALLING: offered hours without the quiet one, on calling days. ASKED: as long as somebody may be
 * called who asked for it, the quiet hour excepted. OFFICE: schools and offices, on working days. */
enum hours_kind { HOURS_CALLING, HOURS_ASKED, HOURS_OFFICE };

/* The days on which a calendar differs from the week; those of the policy, then imported ones, which
 * win. Zero-initialised it is just the policy. */
struct calendar {
	const struct policy *policy; /* borrowed */
	uint16_t n_days;
	struct day_row days[POLICY_DAYS]; /* rising */
};
void calendar_init(struct calendar *c, const struct policy *p);
/* Sets or replaces a day; false when the table is full. */
bool calendar_set_day(struct calendar *c, int32_t day, bool calling, bool working);

int32_t calendar_day(int64_t at);              /* days since 1970 in Asia/Shanghai */
int64_t calendar_at(int32_t day, int minutes); /* the instant of that day's minute */
bool calendar_is_open(const struct calendar *c, enum hours_kind k, int64_t at);
/* The first open instant at or after `at`. */
int64_t calendar_open(const struct calendar *c, enum hours_kind k, int64_t at);
/* `at` plus that much open time; the result is an open instant (an end of hours is the next begin). */
int64_t calendar_add(const struct calendar *c, enum hours_kind k, int64_t at, int64_t ms);
/* The latest open instant that has at least ms of open time between itself and `at`. */
int64_t calendar_sub(const struct calendar *c, enum hours_kind k, int64_t at, int64_t ms);
/* Open time from `from` until `until`; 0 if from >= until. */
int64_t calendar_between(const struct calendar *c, enum hours_kind k, int64_t from, int64_t until);
/* The same time of day on the n-th day after `at` that is a calling day (OFFICE: a working day), moved
 * into the hours if it lies outside. n 0: calendar_open. */
int64_t calendar_days(const struct calendar *c, enum hours_kind k, int64_t at, int n);
/* The beginning of calling on the next calling day. */
int64_t calendar_morning(const struct calendar *c, int64_t at);

/* 0 … 3 (a … d): the daypart of an instant; between two, the earlier; before a, a. */
int calendar_daypart(const struct calendar *c, int64_t at);
/* Begin of the first daypart after `at` whose bit (1 << part) is in `allowed` (not 0). */
int64_t calendar_next_daypart(const struct calendar *c, int64_t at, unsigned allowed);

/* Any stretch of a policy: minutes in calling time, days, working days, dayparts, morning. `tried`:
 * dayparts that were tried already (bits), for STEP_OTHER_DAYPART. */
int64_t calendar_step(const struct calendar *c, int64_t at, struct step s, unsigned tried);
/* Calling time of an ordinary calling day (what half of `1d` is half of). */
int64_t calendar_day_length(const struct calendar *c);

enum gate { GATE_OPEN, GATE_ASKED /* only calls that were asked for */, GATE_CLOSED };
struct gate_state {
	enum gate gate;
	int64_t until; /* when it changes; CALENDAR_NEVER */
	int64_t opens; /* CLOSED and ASKED: when it is OPEN again; OPEN: `at` itself */
};
struct gate_state calendar_gate(const struct calendar *c, int64_t at);

#endif
