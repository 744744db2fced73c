/* correction.h - until when something that supervision found is to be corrected, and who hears of it when it is not.
 *
 * Due at 18:00 of the next calling day; each 18:00 of a calling day that passes without it is a miss: after the first
 * the caller's own, after the second the leader's, from the third on the heads'. */
#ifndef CTL_CORRECTION_H
#define CTL_CORRECTION_H

#include "ctl/ctl.h"
#include "workers/link/weekdays.h"

int calling_days_load(struct ctl *c, struct weekdays *ret, struct err *err);

struct correction {
	int64_t due;
	int misses;
	const char *to; /* who is to hear of it: "" nobody yet, "own", "leader", "heads" */
};
/* found: when; until: now, or when it was corrected. */
struct correction correction_of(const struct weekdays *d, int64_t found, int64_t until);

#endif
