/* correction.c - calling days as the policy, the week and the imported days say, and the misses of a correction.
 *
 * Happy path: the days of the policy in force, those that were imported over them; 18:00 of the next calling days is
 * counted. Failures: no store; a calendar without any calling day for a year has no due time (0). */
#include "ctl/correction.h"

#include <string.h>

#include "ctl/policy.h"

#define DUE_MS      (18 * 3600000LL)
#define MISSES_MOST 99

int
calling_days_load(struct ctl *c, struct weekdays *ret, struct err *err)
{
	char key[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_str("days")};
	struct buf text = BUF_INIT;
	int got = -1;

	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "router"));
	if (policy_text(c, &text, err) == 0 && ctl_cmd(c, argv, 3, &r, err) == 0) {
		got = weekdays_read(ret, WEEKDAYS_CALLING, buf_span(&text), rds_str(r), err);
		rds_sync_free(r);
		if (got != 0)
			err_wrap(err, "the router's days");
	}
	buf_done(&text);
	return got;
}

static int64_t
due_on(int32_t day)
{
	return weekdays_begin(day) + DUE_MS;
}

struct correction
correction_of(const struct weekdays *d, int64_t found, int64_t until)
{
	static const char *const to[] = {"", "own", "leader", "heads"};
	int32_t day = weekdays_after(d, weekdays_day(found), 1);
	struct correction x = {.due = day == 0 ? 0 : due_on(day), .misses = 0};

	while (day != 0 && due_on(day) <= until && x.misses < MISSES_MOST) {
		x.misses++;
		day = weekdays_after(d, day, 1);
	}
	x.to = to[x.misses < 3 ? x.misses : 3];
	return x;
}
