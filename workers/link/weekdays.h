/* weekdays.h - which days are calling days or working days: the policy's week and days, and the imported ones over them. */
#ifndef LINK_WEEKDAYS_H
#define LINK_WEEKDAYS_H

#include "proto/days.h"

/* Calling days are those on which the campaign calls; working days those of schools and offices. */
enum weekdays_of { WEEKDAYS_CALLING, WEEKDAYS_WORKING };

struct weekdays {
	enum weekdays_of of;
	bool week[7];                 /* Monday first */
	struct days policy, imported; /* imported ones win */
};

/* policy: a policy's text, or "" for the usual week (calling: all seven days, working: Monday to Friday); imported: the
 * router's days. ERR_INVALID when the imported days do not read. */
int weekdays_read(struct weekdays *ret, enum weekdays_of of, struct span policy,
    struct span imported, struct err *err);
/* day: since 1970-01-01, in Shanghai. */
bool weekdays_is(const struct weekdays *w, int32_t day);
/* The n-th such day after `day`; 0 when a year has none. */
int32_t weekdays_after(const struct weekdays *w, int32_t day, int n);
int32_t weekdays_day(int64_t ms);
/* The first ms of a day. */
int64_t weekdays_begin(int32_t day);

#endif
